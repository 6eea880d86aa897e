"""Why a login is refused: the engine's own words, and what to do about each.

Engines since 4.0 say it at the SSO service (`error` and `error_code`) and in the page of a 401; older ones say nothing.
"""

from __future__ import annotations

import html
import re

from ...errors import Denied, RhevError, Unreachable

_WRONG = "Check user and password in the passwd table"
_UNKNOWN = (
    "Write the user in the passwd table as NAME@PROFILE, such as admin@internal; behind Keycloak the administrator is "
    "admin@ovirt@internalsso"
)
#: Said as well where Keycloak is found in front.
BEHIND_KEYCLOAK = "Keycloak is in front of this manager: its administrator is called admin@ovirt@internalsso there"
#: Words of a refusal -> what to do. `{name}` is the user without its profile. The words are those of the SSO service
#: (its AppMessages.properties), of Keycloak behind it, and of the API's own filter (SsoUtils).
_HINTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(words, re.IGNORECASE), hint)
    for words, hint in (
        (
            r"password (has )?expired|not fully set up|change (the|your) password",
            "Change the password at the manager, then write the new one into the passwd table",
        ),
        (r"account has expired", "Have its administrator extend the account, or use another user in the passwd table"),
        (
            r"disabled|locked",
            "Several wrong passwords lock an account for a while. Have its administrator unlock or enable it: on the "
            "manager, for a user of the profile internal, run: ovirt-aaa-jdbc-tool user unlock {name}",
        ),
        (r"no (valid )?(profile|user name)", _UNKNOWN),
        (
            r"not authorized to perform login",
            "The password is right, but the user has no role. Give it one at the manager: Administration, Configure, "
            "System Permissions",
        ),
        (r"number of allowed sessions", "End other sessions of this user at the manager, or wait until they expire"),
    )
)
#: The manager fails, and not the login: its database, its directory service, or the service itself.
_FAILING = re.compile(
    r"server_error|servers? cannot be reached|server is not available|timed? ?out|refused to connect"
    r"|connect(ion)? (to \S+ )?(refused|failed)|unable to (connect|get token)|No route to host|Exception"
    r"|authorization grant .*has expired",
    re.IGNORECASE,
)
#: The engine's database fails, in the words of Spring, PostgreSQL and IronJacamar.
DATABASE = re.compile(
    r"JDBC|SQLException|\bSQL \[|bad SQL grammar|IJ0\d{5}|unable to (create|get managed) connection"
    r"|terminating connection|connection has been closed|database system is|accepting TCP/IP connections",
    re.IGNORECASE,
)
#: The words around the reason, which repeat what the error says already.
_AROUND = re.compile(r"^(access_denied|invalid_grant): |^Cannot authenticate user( '[^']*':)? ", re.IGNORECASE)
#: The page of a 401 that gives no reason: the container's or Apache's.
_NO_REASON = re.compile(r"^(401|Unauthorized|Authorization Required|Authentication required\.?)?\s*(Unauthorized)?\W*$")
_LONGEST = 300


def login_problem(name: str, user: str, said: str, code: str = "") -> RhevError:
    """The error for a login that did not succeed.

    Args:
        name: The manager's name.
        user: Who wanted to log in, as it was sent.
        said: The engine's words, or nothing.
        code: The SSO service's `error_code`, or nothing.

    Returns:
        Denied; or Unreachable when it was the manager that failed.
    """
    if code == "server_error" or DATABASE.search(said) or _FAILING.search(said):
        return engine_failure(name, said)
    words = said[:_LONGEST]
    while _AROUND.match(words):
        words = _AROUND.sub("", words)
    words = words.strip(" .")
    hint = next((hint for sign, hint in _HINTS if sign.search(words)), _WRONG)
    text = f"manager {name} refuses the login of {user}" + (f": {words}" if words else "")
    return Denied(text, hint.format(name=user.rpartition("@")[0] or user))


def another_name_may_do(problem: RhevError) -> bool:
    """Whether the user may have another name at this manager. Not when the engine knows it."""
    return isinstance(problem, Denied) and problem.hint in (_WRONG, _UNKNOWN)


def engine_failure(name: str, said: str = "") -> Unreachable:
    """The error for a manager that is there, but whose engine or database is not."""
    why = (
        ""
        if not said
        else ": it has lost its database"
        if DATABASE.search(said)
        else f": {said[:_LONGEST].strip(' .')}"
    )
    return Unreachable(
        f"manager {name} cannot work now{why}",
        "Its engine is starting or stopping, or its database is away. Try again in a minute",
        sent=False,
    )


def reason_of(page: bytes) -> str:
    """The reason that the page of a 401 gives; empty where it gives none."""
    text = page[:65536].decode("utf-8", "replace")
    body = re.search(r"<body[^>]*>(.*?)</body>", text, re.IGNORECASE | re.DOTALL)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body[1] if body else "")).split())
    return "" if _NO_REASON.match(words) or words.startswith("Unauthorized This server could not verify") else words


def user_forms(user: str) -> tuple[str, ...]:
    """The ways in which a user of the passwd table may be called at a manager, the usual one first.

    Engines want the profile as well. Without Keycloak an installation has the profile `internal`, with it
    `internalsso`, where the administrator is `admin@ovirt` (keycloak_usage.md of ovirt-engine-keycloak).

    Args:
        user: As it is written there.
    """
    if "\\" in user or user.count("@") > 1:
        return (user,)
    if "@" in user:
        return user, f"{user}@internalsso"
    return f"{user}@internal", f"{'admin@ovirt' if user == 'admin' else user}@internalsso"
