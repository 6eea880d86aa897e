"""A warm connection with one manager: where it is, how it speaks, and who we are to it."""

from __future__ import annotations

import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable
from urllib.parse import urlsplit

from ...errors import NotFound, RhevError, Unreachable, Usage
from ..documents.dialect import Dialect
from . import trust
from .access import Access
from .faults import error_of
from .layers import Attended, Counted, LoggedIn, RequestCounts, Traced
from .login import ALWAYS, Login
from .note import API_PATHS, ManagerNote, read_note, write_note
from .patience import Patience
from .refusals import engine_failure
from .root import dialect_of
from .transport import Http, HttpRequest, Limits, Response, Sender

#: 443 behind Apache since 3.1; 8443 by JBoss itself in 3.0.
PORTS = (443, 8443)


@dataclass(frozen=True)
class Session:
    """What is shared by all who talk to one manager.

    Attributes:
        access: How it is reached.
        http: The connections.
        base: The API's path.
        dialect: What it speaks.
        login: Our user and its session.
        clusters: Names of clusters by id, as last seen.
    """

    access: Access
    http: Http
    base: str
    dialect: Dialect
    login: Login
    clusters: dict[str, str] = field(default_factory=dict)

    def close(self) -> None:
        """End it; a manager that is away now does not matter."""
        try:
            self.login.close(self.http)
        except RhevError:
            pass
        self.http.close()


class ApiFinder:
    """Finds out where a manager's API is, what it speaks, and how we log in to it.

    Args:
        access: How it is reached.
        say: Takes trace lines, or None.
        tell: Told when a CA was fetched.
        patience: How one waits.
    """

    def __init__(
        self,
        access: Access,
        say: Callable[[str], None] | None,
        tell: Callable[[str], None],
        patience: Patience,
    ) -> None:
        self._access, self._say, self._tell, self._patience = access, say, tell, patience
        #: What it took.
        self.counts = RequestCounts()
        self._statuses: list[int] = []

    def find(self) -> Session:
        """Try what was remembered, then the known addresses.

        Raises:
            Unreachable: Nothing answers, or a manager that was there cannot work now.
            Denied: User or password is wrong.
            BadAnswer: Something else answers.
            Usage: The site insists on a dialect that it does not speak.
        """
        note = read_note(self._access.folder)
        known = note if note and _origin_fits(note.origin, self._access.name) else None
        session = self._again(known) if known else None
        if session is None:
            found = (self._try(origin, API_PATHS) for origin in self._origins())
            session = next(filter(None, found), None)
        if session is None:
            raise self._nothing(known is not None)
        self._remember(known, session)
        return session

    def authority(self) -> Path:
        """The file with the manager's CA, fetched if it is not there, without a login.

        Raises:
            Unreachable: Nothing answers, or nothing gives a CA.
        """
        return trust.pinned_ca(self._access, self._origins()[0], self._tell, self._patience)

    def _again(self, known: ManagerNote) -> Session | None:
        """Try what worked last; None if the manager moved (was upgraded, say)."""
        try:
            return self._try(known.origin, (known.path,), known)
        except Unreachable as problem:
            if not problem.may_retry:
                raise
            return None

    def _nothing(self, known: bool) -> RhevError:
        """Say that no address has an API; a manager that had one is starting or stopping."""
        name = self._access.name
        if known:
            return engine_failure(name, f"HTTP {self._statuses[0]} where its API was")
        if self._access.api and {400, 405} & set(self._statuses):
            return Usage(
                f"manager {name} does not speak API v{self._access.api}",
                f"site.rhevmapi={self._access.api} asks for it, of every manager. Run: chtab key=rhevmapi site.value=",
            )
        return NotFound(
            f"{name} answers, but has no API at {' or '.join(API_PATHS)}",
            "Check vm.mgr and hypervisor.mgr: is that the manager? If it is, its engine may be starting",
        )

    def _origins(self) -> list[str]:
        """The ports that take connections, all tried at once so that a dead manager costs one time-out."""
        host, port = split_name(self._access.name)
        ports = (port,) if port else PORTS
        seconds = min(self._access.connect_timeout, self._patience.aborted.seconds_left())
        with self._patience.pulse.announce("connecting"), ThreadPoolExecutor(len(ports)) as pool:
            results = list(pool.map(lambda each: _knock(host, each, seconds), ports))
        shown = f"[{host}]" if ":" in host else host
        alive = [f"https://{shown}:{each}" for each, problem in zip(ports, results) if not problem]
        if not alive:
            problem = Unreachable(
                f"manager {self._access.name} cannot be reached: {results[0]}",
                f"Tried port {' and '.join(map(str, ports))}" + _port_hint(self._access.name),
                sent=False,
            )
            problem.may_retry = False
            raise problem
        return alive

    def _try(self, origin: str, paths: tuple[str, ...], known: ManagerNote | None = None) -> Session | None:
        """Ask one origin; None if the API is not there."""
        access = self._access
        limits = Limits(access.workers, access.connect_timeout, access.read_timeout)
        trusted = trust.trust_of(access, origin, self._tell, self._patience)
        http = Http(origin, trusted, access.name, limits)
        user, tokens = (known.user, known.tokens) if known else ("", None)
        try:
            for path in paths:
                login = Login(access, None, path, http, user, tokens)
                response = self._ask(http, login, path)
                if response.good:
                    dialect = dialect_of(response.body, access.name, access.api)
                    login.speak(dialect)
                    return Session(access, http, path, dialect, login)
                self._statuses.append(response.status)
        except RhevError:
            http.close()
            raise
        http.close()
        return None

    def _ask(self, http: Http, login: Login, path: str) -> Response:
        counted = Counted(Attended(http, self._patience), self.counts)
        sender: Sender = Traced(counted, self._say) if self._say else counted
        request = HttpRequest("GET", path, headers=ALWAYS)
        response = LoggedIn(sender, login).send(request)
        if response.good or response.status in (400, 404, 405) or 300 <= response.status < 400:
            return response
        raise error_of(response, self._access.name, request, login.user)

    def _remember(self, known: ManagerNote | None, session: Session) -> None:
        login = session.login
        now = ManagerNote(session.http.origin, session.base, login.user, login.tokens)
        if now != known:
            write_note(self._access.folder, now, session.dialect)


def split_name(name: str) -> tuple[str, int]:
    """Split `host`, `host:port`, an IPv6 address or `[address]:port`; port 0 means the usual ones.

    Raises:
        Usage: It is not one of these.
    """
    try:
        parts = urlsplit(f"//[{name}]" if _bare_ipv6(name) else f"//{name}")
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as the name service is asked: no part is longer than 63 characters
    except ValueError:
        host, port = None, None
    if not host or parts.path or parts.username or not re.fullmatch(r"[\w.:-]+", host):
        hint = "Write host, host:port or [IPv6 address]:port in vm.mgr and hypervisor.mgr"
        raise Usage(f"'{name}' is not a manager", hint)
    return host, port or 0


def _port_hint(name: str) -> str:
    """What to write for an IPv6 address that may have been meant to end with a port."""
    address, _, port = name.rpartition(":")
    if not _bare_ipv6(name) or not _bare_ipv6(address) or not port.isdigit():
        return ""
    return f". If {port} is its port, write [{address}]:{port}"


def _bare_ipv6(name: str) -> bool:
    """Whether it is an IPv6 address without brackets, and so without a port."""
    try:
        return bool(ipaddress.IPv6Address(name))
    except ValueError:
        return False


def _knock(host: str, port: int, seconds: float) -> str:
    """Try to connect; empty if it worked, else why not."""
    try:
        socket.create_connection((host, port), seconds).close()
    except socket.timeout:
        return f"no answer within {seconds:g} s"
    except OSError as problem:
        return (problem.strerror or str(problem)).lower()
    return ""


def _origin_fits(origin: str, name: str) -> bool:
    """Whether a note belongs to the manager as it is written now."""
    host, port = split_name(name)
    parts = urlsplit(origin)
    return parts.hostname == host.lower() and (not port or parts.port == port)
