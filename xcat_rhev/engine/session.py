"""A warm connection with one manager: where it is, how it speaks, and who we are to it."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable
from urllib.parse import urlencode, urlsplit

from ..abort import Abort
from ..errors import BadAnswer, Denied, NotFound, RhevError, Unreachable, Usage
from ..secret import Secret
from . import trust
from .dialect import Dialect
from .documents import parse, unexpected
from .faults import error_of
from .layers import Counted, Counts, Stoppable, Traced
from .transport import READ_TIMEOUT, Http, Limits, Request, Response, Sender

#: Where the API is, newest first: 4.x has only the first, 3.0 to 3.3 only the second (API guide, entry points).
API_PATHS = ("/ovirt-engine/api", "/api")
#: 443 behind Apache since 3.1; 8443 by JBoss itself in 3.0.
PORTS = (443, 8443)
#: Headers of every request.
ALWAYS = {"Accept": "application/xml", "Accept-Encoding": "gzip", "Accept-Language": "en-US",
          "User-Agent": "xcat-rhev"}


@dataclass(frozen=True)
class Access:
    """How a manager is reached, as the tables say it.

    Attributes:
        name: As the tables write it: `rhevm.example.com` or `host:port`.
        user: `admin@internal`.
        password: Its password.
        folder: Where the CA (`ca.crt`) and what was found out (`api`) are kept.
        ca: Empty: fetched once and pinned in the folder; `system`; or a file.
        insecure: Believe any certificate.
        old_tls: TLS below 1.2 is allowed (RHEV 3.0).
        workers: How many requests at once.
        connect_timeout: Seconds.
        api: Empty, `3` or `4`: which dialect to insist on.
        read_timeout: Seconds without a byte of an answer.
    """

    name: str
    user: str
    password: Secret
    folder: Path
    ca: str = ""
    insecure: bool = False
    old_tls: bool = False
    workers: int = 8
    connect_timeout: float = 5.0
    api: str = ""
    read_timeout: float = READ_TIMEOUT


class Login:
    """Proves who we are: an SSO token since 4.0, else Basic, with a server-side session since 3.1.

    Args:
        access: User and password.
        dialect: What the manager speaks.
        base: The API's path.
        http: Holds the session's cookie.
    """

    def __init__(self, access: Access, dialect: Dialect, base: str, http: Http) -> None:
        self._access, self._dialect, self._http = access, dialect, http
        self._root = base.rpartition("/")[0]
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._basic = dialect.version < (4, 0)  # the engine's version: one that is asked in v3 gives tokens as well

    def headers(self, sender: Sender) -> dict[str, str]:
        """What goes along with every request; gets a token first if there is none.

        Raises:
            Denied: The user or the password is wrong.
            Unreachable: No answer from the SSO service.
        """
        fixed = {"Version": str(self._dialect.major)}
        with self._lock:
            if not self._basic and self._token is None:
                self._token = self._fetch(sender)
                self._basic = self._token is None
            token = self._token
        if token is not None:
            return {**fixed, "Authorization": f"Bearer {token.reveal()}"}
        session = {"Prefer": "persistent-auth"} if self._dialect.has("sessions") else {}
        return {**fixed, **session, "Authorization": basic(self._access)}

    def renew(self, old: dict[str, str]) -> None:
        """Forget a token or session that the manager has forgotten."""
        with self._lock:
            if self._basic:
                self._http.forget_session()
            elif self._token is not None and old.get("Authorization") == f"Bearer {self._token.reveal()}":
                self._token = None

    def close(self, sender: Sender) -> None:
        """End the session, so that the engine does not keep it for half an hour."""
        token, self._token = self._token, None
        if token is not None:
            form = urlencode({"scope": "ovirt-app-api", "token": token.reveal()}).encode()
            sender.send(Request("POST", f"{self._root}/services/sso-logout", form, headers=_FORM))
        elif self._http.has_session():
            # A request with the cookie and without Prefer ends the session.
            proof = {**ALWAYS, "Authorization": basic(self._access)}
            sender.send(Request("GET", f"{self._root}/api", headers=proof))

    def _fetch(self, sender: Sender) -> Secret | None:
        """Get a token; None where there is no SSO service."""
        form = urlencode({
            "grant_type": "password", "scope": "ovirt-app-api",
            "username": self._access.user, "password": self._access.password.reveal(),
        }).encode()
        response = sender.send(Request("POST", f"{self._root}/sso/oauth/token", form, headers=_FORM))
        if response.status in (502, 503, 504):
            raise Unreachable(f"manager {self._access.name} is not available (HTTP {response.status})", sent=False)
        answer = _json(response)
        if answer is None:
            return None
        token = answer.get("access_token")
        if isinstance(token, str) and token and token.isprintable() and token.isascii():
            return Secret(token)
        raise Denied(
            f"manager {self._access.name} refuses the login of {self._access.user}",
            "Check user and password in the passwd table",
        )


_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded", "User-Agent": "xcat-rhev"}


@dataclass(frozen=True)
class Session:
    """What is shared by all who talk to one manager.

    Attributes:
        access: How it is reached.
        http: The connections.
        base: The API's path.
        dialect: What it speaks.
        login: Who we are.
    """

    access: Access
    http: Http
    base: str
    dialect: Dialect
    login: Login

    def close(self) -> None:
        """End it; a manager that is away now does not matter."""
        try:
            self.login.close(self.http)
        except RhevError:
            pass
        self.http.close()


class Finder:
    """Finds out where a manager's API is and what it speaks.

    Args:
        access: How it is reached.
        say: Takes trace lines, or None.
        tell: Told when a CA was fetched.
        aborted: Set when nobody wants an answer any more.
    """

    def __init__(
        self, access: Access, say: Callable[[str], None] | None, tell: Callable[[str], None],
        aborted: Abort | None = None,
    ) -> None:
        self._access, self._say, self._tell = access, say, tell
        self._aborted = aborted or Abort()
        #: What it took.
        self.counts = Counts()

    def find(self) -> Session:
        """Try what was remembered, then the known addresses.

        Raises:
            Unreachable: Nothing answers.
            Denied: User or password is wrong.
            BadAnswer: Something else answers.
            Usage: The site insists on a dialect that it does not speak.
        """
        known = _remembered(self._access.folder)
        session = self._again(*known) if known and _origin_fits(known[0], self._access.name) else None
        if session:
            return session
        for origin in self._origins():
            session = self._try(origin, API_PATHS)
            if session:
                _remember(self._access.folder, origin, session)
                return session
        raise NotFound(
            f"{self._access.name} answers, but has no API at {' or '.join(API_PATHS)}",
            "Check vm.mgr and hypervisor.mgr: is that the manager?",
        )

    def _again(self, origin: str, path: str) -> Session | None:
        """Try what worked last; None if the manager moved (was upgraded, say)."""
        try:
            return self._try(origin, (path,))
        except Unreachable as problem:
            if not problem.may_retry:
                raise
            return None

    def _origins(self) -> list[str]:
        """The ports that take connections, all tried at once so that a dead manager costs one time-out."""
        host, port = split_name(self._access.name)
        ports = (port,) if port else PORTS
        with ThreadPoolExecutor(len(ports)) as pool:
            results = list(pool.map(lambda each: _knock(host, each, self._access.connect_timeout), ports))
        shown = f"[{host}]" if ":" in host else host
        alive = [f"https://{shown}:{each}" for each, problem in zip(ports, results) if not problem]
        if not alive:
            problem = Unreachable(
                f"manager {self._access.name} cannot be reached: {results[0]}",
                f"Tried port {' and '.join(map(str, ports))}", sent=False,
            )
            problem.may_retry = False
            raise problem
        return alive

    def _try(self, origin: str, paths: tuple[str, ...]) -> Session | None:
        """Ask one origin; None if the API is not there."""
        access = self._access
        limits = Limits(access.workers, access.connect_timeout, access.read_timeout)
        http = Http(origin, self._context(origin), access.name, limits, self._trusted())
        try:
            for path in paths:
                response = self._ask(http, path)
                dialect = self._dialect(response, path) if response else None
                if dialect:
                    return Session(access, http, path, dialect, Login(access, dialect, path, http))
        except RhevError:
            http.close()
            raise
        http.close()
        return None

    def _ask(self, http: Http, path: str) -> Response | None:
        counted = Counted(Stoppable(http, self._aborted), self.counts)
        sender: Sender = Traced(counted, self._say) if self._say else counted
        version = self._access.api or "4"
        proof = {**ALWAYS, "Authorization": basic(self._access), "Version": version}
        request = Request("GET", path, headers=proof)
        response = sender.send(request)
        if response.status in (400, 404, 405) or 300 <= response.status < 400:
            return None
        if response.status == 401:
            raise Denied(
                f"manager {self._access.name} refuses the login of {self._access.user}",
                "Check user and password in the passwd table",
            )
        if not response.good:
            raise error_of(response, self._access.name, request)
        return response

    def _dialect(self, response: Response, path: str) -> Dialect:
        """Read the version off the API's root: attributes in v3, elements in v4."""
        root = parse(response.body)
        if root.tag != "api":
            raise unexpected(root, "api")
        version = root.find("product_info/version")
        raw = [] if version is None else [version.get(key) or version.findtext(key) for key in ("major", "minor")]
        if version is None or not all(each and re.fullmatch(r"\d{1,4}", each) for each in raw):
            raise BadAnswer(f"manager {self._access.name}: api/product_info/version is missing in {path}")
        spoken = 3 if version.get("major") else 4
        if self._access.api and self._access.api != str(spoken):
            raise Usage(f"manager {self._access.name} does not speak API v{self._access.api}")
        return Dialect(spoken, (int(raw[0] or 0), int(raw[1] or 0)))

    def _context(self, origin: str) -> Any:
        access = self._access
        if access.insecure or access.ca == "system":
            return trust.context(None, insecure=access.insecure, old=access.old_tls)
        if access.ca:
            return trust.context(Path(access.ca), old=access.old_tls)
        return trust.context(trust.pinned(access, origin, self._tell), old=access.old_tls)

    def _trusted(self) -> str:
        """What certificates are checked against, in words."""
        if self._access.ca == "system":
            return "the system's CAs"
        return self._access.ca or str(self._access.folder / "ca.crt")


def basic(access: Access) -> str:
    """The Basic Authorization header's value."""
    return "Basic " + base64.b64encode(f"{access.user}:{access.password.reveal()}".encode()).decode()


def split_name(name: str) -> tuple[str, int]:
    """Split `host`, `host:port` or `[address]:port`; port 0 means the usual ones.

    Raises:
        Usage: It is none of these.
    """
    try:
        parts = urlsplit("//" + name)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.username or not re.fullmatch(r"[\w.:-]+", host):
        raise Usage(f"'{name}' is no manager", "Write host or host:port in vm.mgr and hypervisor.mgr")
    return host, port or 0


def _knock(host: str, port: int, seconds: float) -> str:
    """Try to connect; empty if it worked, else why not."""
    try:
        socket.create_connection((host, port), seconds).close()
    except socket.timeout:
        return f"no answer within {seconds:g} s"
    except OSError as problem:
        return (problem.strerror or str(problem)).lower()
    return ""


def _remembered(folder: Path) -> tuple[str, str] | None:
    """The origin and path that worked last, if there is a usable note of them."""
    try:
        note = json.loads((folder / "api").read_text("utf-8"))
        origin, path = note["origin"], note["path"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fits = isinstance(origin, str) and path in API_PATHS and re.fullmatch(r"https://[\w.:\[\]-]+:\d+", origin)
    return (origin, path) if fits else None


def _remember(folder: Path, origin: str, session: Session) -> None:
    """Note what worked; a folder that cannot be written costs a probe next time and nothing else."""
    major, minor = session.dialect.version
    note = {"origin": origin, "path": session.base, "dialect": session.dialect.major, "version": f"{major}.{minor}"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=folder, prefix=".api-")
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(note, out)
        os.chmod(draft, 0o644)
        os.replace(draft, folder / "api")
    except OSError:
        return


def _origin_fits(origin: str, name: str) -> bool:
    """Does a note belong to the manager as it is written now?"""
    host, port = split_name(name)
    parts = urlsplit(origin)
    return parts.hostname == host.lower() and (not port or parts.port == port)


def _json(response: Response) -> dict[str, Any] | None:
    """The SSO service's object; None if it is no such service (older engines answer with a page)."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, dict) else None
