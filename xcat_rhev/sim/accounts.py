"""Who may log in to the engine, and its words for why somebody may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

#: The ways in: `both` as an engine without Keycloak, `keycloak` in front of it (Apache lets nobody in to the API
#: without a token), `sso` with tokens alone, `basic` as engines had it before 4.0.
LOGINS = ("both", "keycloak", "sso", "basic")
#: The administrator that an installation makes, without and with Keycloak (keycloak_usage.md of its package).
INTERNAL, KEYCLOAK = "admin@internal", "admin@ovirt@internalsso"

WRONG = "Unable to log in. Verify your login information or contact the system administrator."
NO_PROFILE = "No valid profile found in credentials."
NO_USER = "No user name found in credentials."
#: State of an account -> the engine's words at the SSO service (enginesso's AppMessages.properties).
REFUSALS: Mapping[str, str] = {
    "expired": "Unable to log in because the password has expired. Please change the password to proceed.",
    "account-expired": "Unable to log in because the user account has expired. Contact the system administrator.",
    "locked": "Unable to log in because the user account is disabled or locked. Contact the system administrator.",
    "unreachable": "Unable to log in because servers cannot be reached. Try again later.",
}
#: ... and Keycloak's own words, which the engine passes on.
KEYCLOAK_REFUSALS: Mapping[str, str] = {
    "expired": "Account is not fully set up",
    "account-expired": "Account disabled",
    "locked": "Account disabled",
    "unreachable": "Connection refused",
}
#: States of accounts that get a token: without any role the API takes none of their requests; `user` has a role, but
#: not an administrator's.
LET_IN = ("good", "no-role", "user")
STATES = (*LET_IN, *REFUSALS)
#: Wrong passwords in a row after which an account is locked, and for how many seconds (engine-extension-aaa-jdbc).
MOST_FAILURES, LOCKED_FOR = 5, 3600.0


class Accounts:
    """The accounts of one engine; they share a password.

    Args:
        known: Name, as `user@profile`, and state of each; a name without a profile is nobody's.
        keycloak: Keycloak answers for them.
    """

    def __init__(self, known: Iterable[tuple[str, str]], keycloak: bool) -> None:
        self._states = dict(known)
        self._keycloak = keycloak
        self._failures: dict[str, int] = {}
        self._locked: dict[str, float] = {}

    def state(self, name: str) -> str:
        """What state an account is in."""
        return self._states.get(name, "")

    def refusal(self, name: str, right: bool, now: float) -> str:
        """Count a try to log in, and say why it is refused; empty if it is not.

        Args:
            name: As `user@profile`.
            right: The password was right.
            now: Seconds.
        """
        user, _, profile = name.rpartition("@")
        if profile not in {known.rpartition("@")[2] for known in self._states} or not profile:
            return self._refusal(user or name, profile if user else "N/A", NO_PROFILE)
        if not user:
            return self._refusal("", "N/A", NO_USER)
        state = "locked" if self._locked.get(name, 0) > now else self._states.get(name, "")
        refusals = KEYCLOAK_REFUSALS if self._keycloak else REFUSALS
        if state in refusals and (right or state == "locked"):
            return self._refusal(user, profile, refusals[state])
        if state and right:
            self._failures.pop(name, None)
            return ""
        self._count_failure(name, now)
        return self._refusal(user, profile, "Invalid user credentials" if self._keycloak else WRONG)

    def _count_failure(self, name: str, now: float) -> None:
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] >= MOST_FAILURES and not self._keycloak:
            self._locked[name] = now + LOCKED_FOR
            del self._failures[name]

    def _refusal(self, user: str, profile: str, why: str) -> str:
        if self._keycloak:
            return f"Cannot authenticate user {why}."
        return f"Cannot authenticate user '{user}@{profile}': {why}."
