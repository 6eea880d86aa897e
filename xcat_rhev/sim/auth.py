"""Who is asking: Basic, SSO tokens, and v3's persistent sessions."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from .answers import Raw
from .dialect import Dialect
from .settings import Settings

CANNOT = (
    "Cannot authenticate user '{user}': Unable to log in. Verify your login information or contact the system "
    "administrator.."
)


class Doorkeeper:
    """Let people in, and remember them for a while.

    Args:
        settings: The one account, and how long tokens live unused.
        now: The world's time.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        self._lock = threading.Lock()
        self._tokens: dict[str, float] = {}
        self._sessions: dict[str, float] = {}

    def knows(self, headers: Mapping[str, str], dialect: Dialect) -> str | None:
        """Tell whether a request comes from somebody who is known.

        Returns:
            None if not; else a session id to hand out, or nothing.
        """
        prefer = headers.get("prefer", "")
        cookie = _cookie(headers.get("cookie", ""))
        sessions = dialect.version >= (3, 1)
        if sessions and cookie and "persistent-auth" not in prefer:
            self._drop(cookie)
        elif sessions and cookie and "new-auth" not in prefer and self._alive(self._sessions, cookie):
            return cookie if _csrf(headers, prefer, cookie) else None
        scheme, _, told = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and dialect.number == 4:
            return "" if self._alive(self._tokens, told.strip()) else None
        if scheme.lower() != "basic" or not self._basic(told, dialect):
            return None
        return self._open() if sessions and "persistent-auth" in prefer else ""

    def _alive(self, book: dict[str, float], key: str) -> bool:
        with self._lock:
            now = self._now()
            alive = key in book and book[key] >= now
            if alive:
                book[key] = now + self._settings.token_life
            else:
                book.pop(key, None)
        return alive

    def _drop(self, session: str) -> None:
        with self._lock:
            self._sessions.pop(session, None)

    def _open(self) -> str:
        session = uuid.uuid4().hex
        with self._lock:
            self._sessions[session] = self._now() + self._settings.token_life
        return session

    def _basic(self, told: str, dialect: Dialect) -> bool:
        try:
            user, _, password = base64.b64decode(told, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return _whole(user, dialect) == self._settings.user and password == self._settings.password.reveal()

    def forget(self) -> None:
        """Let every token and session expire now."""
        with self._lock:
            self._tokens.clear()
            self._sessions.clear()

    def token(self, headers: Mapping[str, str], query: str, body: bytes) -> Raw:
        """Answer at the SSO address: a token, or the engine's words for why not (with 400, not 401)."""
        told = dict(parse_qsl(query) + parse_qsl(body.decode("utf-8", "replace")))
        if headers.get("accept") != "application/json":
            return _json(400, {"error_code": "invalid_request", "error": "Missing parameter: 'Accept Header'"})
        if told.get("grant_type") != "password":
            return _json(400, {"error_code": "unsupported_grant_type", "error": "Unsupported grant type"})
        user = told.get("username", "")
        if user != self._settings.user or told.get("password") != self._settings.password.reveal():
            return _json(400, {"error_code": "access_denied", "error": CANNOT.format(user=user)})
        token = uuid.uuid4().hex
        scope = told.get("scope", "")
        if "ovirt-app-api" in scope.split():  # a token without the scope is given, but the API does not take it
            with self._lock:
                self._tokens[token] = self._now() + self._settings.token_life
        answer = {"access_token": token, "scope": scope, "exp": str((1 << 63) - 1), "token_type": "bearer"}
        return _json(200, answer)

    def log_out(self, body: bytes) -> Raw:
        """Forget a token."""
        with self._lock:
            self._tokens.pop(dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", ""), None)
        return _json(200, {})


def _json(status: int, answer: Mapping[str, str]) -> Raw:
    return Raw(json.dumps(answer).encode(), status, "application/json")


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "JSESSIONID":
            return value
    return ""


def _csrf(headers: Mapping[str, str], prefer: str, session: str) -> bool:
    return "csrf-protection" not in prefer or headers.get("jsessionid") == session


def _whole(user: str, dialect: Dialect) -> str:
    """Bring `internal\\admin` into the form `admin@internal`; 3.0 splits at the first `@`, others at the last."""
    domain, backslash, name = user.partition("\\")
    if backslash:
        return f"{name}@{domain}"
    if dialect.version < (3, 1):
        name, _, domain = user.partition("@")
        return f"{name}@{domain}"
    return user


def challenge(dialect: Dialect, html: bool) -> Raw:
    """Ask for a name and a password: 401.

    Args:
        dialect: Decides the realm's form.
        html: With the container's page, as real engines send it; else an empty body, which ovirtsdk4 reads better.
    """
    realm = 'Basic realm = "ENGINE"' if dialect.version < (3, 1) else 'Basic realm="RESTAPI"'
    page = b"<html><head><title>Error</title></head><body>Unauthorized</body></html>"
    body = page if html and dialect.version >= (3, 1) else b""
    return Raw(body, 401, "text/html;charset=UTF-8" if body else "application/xml", {"WWW-Authenticate": realm})
