"""Who is asking: Basic, SSO tokens, and v3's persistent sessions."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .accounts import LET_IN, Accounts
from .answers import Raw
from .dialect import SimDialect
from .settings import Settings

UNAUTHORIZED = "Unauthorized"
FORGOTTEN = "invalid_grant: The provided authorization grant for the auth code has expired."
NO_ROLE = "The user {user}-authz with profile [{profile}] is not authorized to perform login"
#: What Apache's mod_auth_openidc says to who comes to the API without a token (AuthType oauth20).
NO_BEARER = 'Bearer error="invalid_request", error_description="No bearer token found in the request"'
#: Where Keycloak tells Apache whether a token is good.
INTROSPECTION = "/ovirt-engine-auth/realms/ovirt-internal/protocol/openid-connect/token/introspect"


@dataclass(frozen=True)
class Admission:
    """What came of a request's proof of who sends it.

    Attributes:
        user: Who it is; empty if nobody is known.
        session: A session to hand out, if any.
        reason: Why nobody is known.
        state: The user's account's.
    """

    user: str = ""
    session: str = ""
    reason: str = UNAUTHORIZED
    state: str = ""


class Doorkeeper:
    """Let people in, and remember them for a while.

    Args:
        settings: The accounts, the ways in, and how long tokens live unused.
        now: The world's time.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[str, tuple[str, float]] = {}
        self._sessions: dict[str, tuple[str, float]] = {}
        known = ((settings.user, "good"), *settings.accounts)
        self._accounts = Accounts(known, settings.login == "keycloak")

    def admit(self, headers: Mapping[str, str], dialect: SimDialect) -> Admission:
        """Tell who sends a request to the API."""
        prefer = headers.get("prefer", "")
        cookie = _cookie(headers.get("cookie", ""))
        sessions = dialect.version >= (3, 1)
        if sessions and cookie and "persistent-auth" not in prefer:
            self._drop(cookie)
        elif sessions and cookie and "new-auth" not in prefer:
            user = self._alive(self._sessions, cookie)
            if user:
                return self._admit(user, cookie) if _csrf(headers, prefer, cookie) else Admission()
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._settings.has_sso:
            user = self._alive(self._tokens, told.strip())
            return self._admit(user) if user else Admission(reason=FORGOTTEN)
        if scheme.lower() != "basic" or self._settings.login in {"keycloak", "sso"}:
            return Admission()
        return self._basic(told, dialect, sessions and "persistent-auth" in prefer)

    def _admit(self, user: str, session: str = "") -> Admission:
        """Only a user with a role may use the API. Others get a token all the same."""
        state = self._accounts.state(user)
        if state == "no-role":
            return Admission(reason=NO_ROLE.format(user=user, profile=user.rpartition("@")[2]))
        return Admission(user, session, "", state)

    def _basic(self, told: str, dialect: SimDialect, wants_session: bool) -> Admission:
        try:
            user, _, password = base64.b64decode(told, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return Admission()
        whole = _whole(user, dialect)
        why = self._refusal(whole, password)
        if why:
            return Admission(reason=f"access_denied: {why}" if dialect.version >= (4, 0) else UNAUTHORIZED)
        found = self._admit(whole)
        return self._admit(whole, self._open(whole)) if found.user and wants_session else found

    def _refusal(self, user: str, password: str) -> str:
        with self._lock:
            right = password == self._settings.password.reveal()
            return self._accounts.refusal(user, right, self._now())

    def _alive(self, book: dict[str, tuple[str, float]], key: str) -> str:
        with self._lock:
            now = self._now()
            user, until = book.get(key, ("", 0.0))
            if user and until >= now:
                book[key] = user, now + self._settings.token_life
                return user
            book.pop(key, None)
        return ""

    def _drop(self, session: str) -> None:
        with self._lock:
            self._sessions.pop(session, None)

    def _open(self, user: str) -> str:
        session = uuid.uuid4().hex
        with self._lock:
            self._sessions[session] = user, self._now() + self._settings.token_life
        return session

    def forget(self) -> None:
        """Let every token and session expire now."""
        with self._lock:
            self._tokens.clear()
            self._sessions.clear()

    def token(self, headers: Mapping[str, str], query: str, body: bytes) -> Raw:
        """Answer at the SSO address: a token, or the engine's words for why not (with 400, not 401)."""
        told = dict(parse_qsl(query) + parse_qsl(body.decode("utf-8", "replace")))
        if headers.get("accept") != "application/json":
            return _no("invalid_request", "Missing parameter: 'Accept Header'")
        if told.get("grant_type") != "password":
            text = "The authorization grant type is not supported by the authorization server."
            return _no("unsupported_grant_type", text)
        for needed in ("username", "password"):
            if needed not in told:
                return _no("invalid_request", f"Missing parameter: '{needed}'")
        user = told["username"]
        why = self._refusal(user, told["password"])
        return _no("access_denied", why) if why else self._give(user, told.get("scope", ""))

    def _give(self, user: str, scope: str) -> Raw:
        token = uuid.uuid4().hex
        assert self._accounts.state(user) in LET_IN
        if "ovirt-app-api" in scope.split():  # a token without the scope is given, but the API does not take it
            with self._lock:
                self._tokens[token] = user, self._now() + self._settings.token_life
        end = int((self._now() + self._settings.token_life) * 1000)
        return _json(200, {"access_token": token, "scope": scope, "exp": str(end), "token_type": "bearer"})

    def introspect(self, body: bytes) -> Raw:
        """Answer at Keycloak's address for Apache: is this token good, and whose is it?"""
        token = dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", "")
        user = self._alive(self._tokens, token)
        known = {"active": True, "sub": user, "preferred_username": user.rpartition("@")[0], "token_type": "Bearer"}
        return _json(200, known if user else {"active": False})

    def log_out(self, body: bytes) -> Raw:
        """Forget a token."""
        with self._lock:
            self._tokens.pop(dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", ""), None)
        return _json(200, {})


def _no(code: str, text: str) -> Raw:
    return _json(400, {"error_code": code, "error": text})


def _json(status: int, answer: Mapping[str, object]) -> Raw:
    return Raw(json.dumps(answer).encode(), status, "application/json")


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "JSESSIONID":
            return value
    return ""


def _csrf(headers: Mapping[str, str], prefer: str, session: str) -> bool:
    return "csrf-protection" not in prefer or headers.get("jsessionid") == session


def _whole(user: str, dialect: SimDialect) -> str:
    """Bring `internal\\admin` into the form `admin@internal`; 3.0 splits at the first `@`, others at the last."""
    domain, backslash, name = user.partition("\\")
    if backslash:
        return f"{name}@{domain}"
    if dialect.version < (3, 1):
        name, _, domain = user.partition("@")
        return f"{name}@{domain}"
    return user


def challenge(dialect: SimDialect, html: bool, reason: str = UNAUTHORIZED, login: str = "both") -> Raw:
    """Ask for a name and a password: 401.

    Args:
        dialect: Decides the realm's form.
        html: With the container's page, as real engines send it; else an empty body, which ovirtsdk4 reads better.
        reason: What the page says.
        login: One of `LOGINS`.
    """
    realm = 'Basic realm = "ENGINE"' if dialect.version < (3, 1) else 'Basic realm="RESTAPI"'
    if login == "sso":
        realm = 'Bearer realm="RESTAPI"'
    elif login == "keycloak" and reason in (UNAUTHORIZED, FORGOTTEN):  # Apache's own answer
        page = b"<html><head>\n<title>401 Unauthorized</title>\n</head><body>\n<h1>Unauthorized</h1>\n</body></html>\n"
        return Raw(page, 401, "text/html; charset=iso-8859-1", {"WWW-Authenticate": NO_BEARER})
    page = f"<html><head><title>Error</title></head><body>{reason}</body></html>".encode()
    body = page if html and dialect.version >= (3, 1) else b""
    return Raw(body, 401, "text/html;charset=UTF-8" if body else "application/xml", {"WWW-Authenticate": realm})
