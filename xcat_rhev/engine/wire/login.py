"""Our login at a manager: a token of its SSO service where there is one, else Basic with a session kept on its side.

Engines since 4.0 give tokens; with Keycloak in front (the default since 4.5.1) Apache takes nothing else at the API.
What a manager does is asked of it and not read off its version: forks count their versions for themselves.
"""

from __future__ import annotations

import base64
import json
import threading
from typing import Any
from urllib.parse import urlencode

from ...errors import Denied, RhevError, Unreachable
from ...secret import Secret
from ..documents.dialect import Dialect
from .access import Access
from .refusals import BEHIND_KEYCLOAK, another_name_may_do, login_problem, reason_of, user_forms
from .transport import Http, HttpRequest, Response, Sender

#: Headers of every request to the API.
ALWAYS = {
    "Accept": "application/xml",
    "Accept-Encoding": "gzip",
    "Accept-Language": "en-US",
    "User-Agent": "xcat-rhev",
}
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "xcat-rhev"}
#: The scope without which the API takes no token.
_SCOPE = "ovirt-app-api"


class Login:
    """Proves who we are.

    Args:
        access: User and password.
        dialect: What the manager speaks; None while that is found out.
        base: The API's path.
        http: Holds the session's cookie.
        user: What the user was called when it worked last; empty if not known.
        tokens: Does the manager give tokens? None while that is not known.

    Attributes:
        user: What the user is called at this manager.
        tokens: Does the manager give tokens?
        filtered: The user is not an administrator, and asks for what it may see.
    """

    def __init__(
        self,
        access: Access,
        dialect: Dialect | None,
        base: str,
        http: Http,
        user: str = "",
        tokens: bool | None = None,
    ) -> None:
        self._access, self._base, self._http = access, base, http
        self._root = base.rpartition("/")[0]
        forms = user_forms(access.user)
        self._forms = (user, *(each for each in forms if each != user)) if user in forms else forms
        self.user = self._forms[0]
        #: An engine that has the short path alone (3.0 to 3.3) is older than the service.
        self.tokens = tokens if self._root else False
        self.filtered = False
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._refused: RhevError | None = None
        self._asked = False
        self.speak(dialect)

    def speak(self, dialect: Dialect | None) -> None:
        """From now on this is known to be spoken; None while it is found out whether the login is taken at all."""
        self._taken = dialect is not None and self.tokens is False
        major = str(dialect.major) if dialect else self._access.api or "4"
        self._fixed = {"Version": major}
        self._session = {"Prefer": "persistent-auth"} if dialect and dialect.has("sessions") else {}

    @property
    def refused(self) -> bool:
        """Whether the login was refused. It is not tried again by this object, so that no account gets locked."""
        return self._refused is not None

    @property
    def proven(self) -> bool:
        """Whether the manager gave a token or cookie that it may have forgotten."""
        return self._token is not None or self._taken or self._http.has_session()

    def headers(self, sender: Sender) -> dict[str, str]:
        """What goes along with every request; gets a token first if there is none.

        Raises:
            Denied: The manager refuses the login.
            Unreachable: The SSO service does not answer, or cannot work now.
        """
        with self._lock:
            if self._refused:
                raise self._refused
            if self.tokens is not False and self._token is None:
                self._log_in(sender)
            token = self._token
        fixed = {**self._fixed, "Filter": "true"} if self.filtered else self._fixed
        if token is not None:
            return {**fixed, "Authorization": f"Bearer {token.reveal()}"}
        return {**fixed, **self._session, "Authorization": basic(self.user, self._access.password)}

    def renew(self, old: dict[str, str]) -> None:
        """Forget a token or session that the manager has forgotten."""
        with self._lock:
            if self._token is None:
                self._http.forget_session()
            elif old.get("Authorization") == f"Bearer {self._token.reveal()}":
                self._token = None

    def try_tokens(self) -> bool:
        """Basic was refused: may a token do? Not where the SSO service was asked already."""
        with self._lock:
            if self.tokens is not False or self._asked or not self._root:
                return False
            self.tokens = None
            return True

    def deny(self, response: Response) -> None:
        """What was renewed is refused as well. A password is not sent again then, or the account gets locked."""
        problem = login_problem(self._access.name, self.user, reason_of(response.body))
        with self._lock:
            if self._token is None and isinstance(problem, Denied):
                self._refused = problem

    def see_less(self) -> bool:
        """Ask from now on for what the user may see; False if that is so already. Needed before 4.2."""
        with self._lock:
            before, self.filtered = self.filtered, True
            return not before

    def close(self, sender: Sender) -> None:
        """End the session, so that the engine does not keep it for half an hour."""
        token, self._token = self._token, None
        if token is not None:
            form = urlencode({"scope": _SCOPE, "token": token.reveal()}).encode()
            sender.send(HttpRequest("POST", f"{self._root}/services/sso-logout", form, headers=_FORM))
        elif self._http.has_session():
            # A request with the cookie and without Prefer ends the session.
            proof = {**ALWAYS, "Authorization": basic(self.user, self._access.password)}
            sender.send(HttpRequest("GET", f"{self._root}/api", headers=proof))

    def _log_in(self, sender: Sender) -> None:
        """Get a token, or find out that there is no SSO service. Behind Keycloak the user's other name is tried too."""
        problems: list[RhevError] = []
        keycloak = False
        for form in self._forms:
            problem = self._try(sender, form)
            if problem is None:
                return
            problems.append(problem)
            keycloak = keycloak or (another_name_may_do(problem) and self._behind_keycloak(sender))
            if not keycloak or not another_name_may_do(problem):
                break
        # The error has the name as the user wrote it, not the one that we made of it.
        refused = problems[0 if "@" in self._access.user else -1]
        if keycloak:
            refused.hint += ". " + BEHIND_KEYCLOAK
        self._refused = refused
        raise refused

    def _try(self, sender: Sender, user: str) -> RhevError | None:
        """Ask for a token under one name; None if there is one now, or if the manager gives none."""
        response = self._ask(sender, user)
        answer = _json(response)
        if answer is None:
            self._without_service(response)
            return None
        self._asked = True
        token = answer.get("access_token")
        if isinstance(token, str) and token and token.isprintable() and token.isascii():
            self._token, self.user, self.tokens = Secret(token), user, True
            return None
        problem = self._problem(user, answer)
        if isinstance(problem, Unreachable):
            raise problem
        return problem

    def _ask(self, sender: Sender, user: str) -> Response:
        form = urlencode(
            {
                "grant_type": "password",
                "scope": _SCOPE,
                "username": user,
                "password": self._access.password.reveal(),
            }
        ).encode()
        response = sender.send(HttpRequest("POST", f"{self._root}/sso/oauth/token", form, headers=_FORM))
        if response.status in (500, 502, 503, 504) and _json(response) is None:
            raise Unreachable(f"manager {self._access.name} is not available (HTTP {response.status})", sent=False)
        return response

    def _without_service(self, response: Response) -> None:
        """No SSO service answers: an older engine, or one that is not there now.

        Raises:
            Unreachable: It gave tokens before.
        """
        if self.tokens:
            raise Unreachable(
                f"manager {self._access.name} is not available (HTTP {response.status} instead of a token)",
                "Its engine is starting or stopping. Try again in a minute",
                sent=False,
            )
        self.tokens = False

    def _problem(self, user: str, answer: dict[str, Any]) -> RhevError:
        """Engines before some 4.2 and Keycloak itself use other names for the same."""
        code = answer.get("error_code") or (answer.get("error") if "error_description" in answer else "")
        said = answer.get("error_description") or answer.get("error") or ""
        said = " ".join(str(said).split()).replace(self._access.password.reveal(), "******")
        return login_problem(self._access.name, user, said, str(code))

    def _behind_keycloak(self, sender: Sender) -> bool:
        """Whether Apache itself wants a token at the API. It says so to requests without one."""
        response = sender.send(HttpRequest("GET", self._base, headers=ALWAYS))
        return response.status == 401 and response.headers.get("www-authenticate", "").lower().startswith("bearer")


def basic(user: str, password: Secret) -> str:
    """The Basic Authorization header's value."""
    return "Basic " + base64.b64encode(f"{user}:{password.reveal()}".encode()).decode()


def _json(response: Response) -> dict[str, Any] | None:
    """The SSO service's object; None if it is no such service (older engines answer with a page)."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, dict) else None
