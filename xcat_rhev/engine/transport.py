"""One request, one answer: the seam that everything else wraps and that tests replace."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Protocol
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.packages import urllib3  # type: ignore[attr-defined]

from ..abort import Abort, check
from ..errors import BadAnswer, Unreachable

#: An answer that is not read piecemeal is a fault or a single thing; more than this is neither.
SMALL = 4 << 20
#: No list is longer.
LARGE = 2 << 30
PIECE = 256 << 10
READ_TIMEOUT = 180.0
#: How many times as long one waits for the answer to what an engine does while one waits. Its own web server waits an
#: hour (ovirt-engine-proxy.conf); to restart a host by its power management takes some six minutes.
SLOW = 5


class Reader(Protocol):
    """Takes an answer piecemeal, so that a long list never stands in memory as text."""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> Any:
        """The answer is complete: give what it says."""


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        method: GET, POST, PUT, DELETE.
        path: An absolute path with its query, encoded; or a whole URL.
        body: What is sent.
        shown: The same with stars for secrets, for a trace; empty if there is nothing to show.
        headers: More headers.
        reader: Makes a reader for a good answer; none means that the body is wanted as it is.
        aborted: Breaks the connection off while the answer is awaited.
        slow: The engine answers when it has done it, which may take minutes.
    """

    method: str
    path: str
    body: bytes = b""
    shown: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reader: Callable[[], Reader] | None = None
    aborted: Abort = field(default_factory=Abort, repr=False, compare=False)
    slow: bool = False

    @property
    def writes(self) -> bool:
        """May it change something?"""
        return self.method != "GET"


@dataclass(frozen=True)
class Response:
    """What was answered.

    Attributes:
        status: HTTP status.
        headers: By lower-case name.
        body: Empty when a reader took it.
        result: What the reader made of it.
        size: Bytes of the body.
        connection: The number of the connection that it came over, unique in this process.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    result: Any = None
    size: int = 0
    connection: int = 0

    @property
    def good(self) -> bool:
        """Was it done?"""
        return 200 <= self.status < 300


class Sender(Protocol):
    """Anything that sends: the wire itself, a wrapper around it, or a test's fake."""

    def send(self, request: Request) -> Response:
        """Send one request and wait for its answer.

        Raises:
            Unreachable: No whole answer came.
            BadAnswer: The answer is too long, or its reader does not understand it.
            Aborted: Nobody wants the answer any more.
        """


#: What an address must not hold as it is; one that an engine gave may.
_UNPLAIN = re.compile(r"[^!-~]")
#: In each thread: what may break its present request off, and the number of the connection that answers it.
_present = threading.local()
_numbers = itertools.count(1)


class _Connection(urllib3.connection.HTTPSConnection):  # type: ignore[misc]
    """A connection whose waiting for an answer can be broken off; the answer's body is read by our own thread."""

    def connect(self) -> None:
        super().connect()
        self.number = next(_numbers)

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        _present.connection = self.number
        with _present.aborted.breaking(partial(_cut, self.sock)):
            return super().getresponse(*args, **kwargs)


class _Pool(urllib3.HTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


def _cut(sock: Any) -> None:
    """Have whoever reads from a socket, in whichever thread, get its end; TLS is not asked, as it may be at work."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Connections with our own TLS settings and nobody else's certificates."""

    def __init__(self, context: ssl.SSLContext, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=2, pool_maxsize=connections, pool_block=True)

    # Both are called by requests, which documents them as the places to do this.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # requests would add the public CAs of certifi to the pinned one here.
        conn.cert_reqs = "CERT_REQUIRED" if self._context.verify_mode == ssl.CERT_REQUIRED else "CERT_NONE"
        conn.ca_certs = conn.ca_cert_dir = None


@dataclass(frozen=True)
class Limits:
    """What the wire keeps to.

    Attributes:
        connections: How many at most; further requests wait for one.
        connect: Seconds until a connection must stand.
        read: Seconds without a byte of an answer.
    """

    connections: int = 8
    connect: float = 5.0
    read: float = READ_TIMEOUT


class Http:
    """The wire: a pool of kept-alive connections to one origin. Used by many threads.

    Args:
        origin: `https://host:port`.
        context: TLS settings.
        name: The manager's name, for errors.
        limits: Of connections and of time.
        trust: What certificates are checked against, for errors.
    """

    def __init__(self, origin: str, context: ssl.SSLContext, name: str, limits: Limits, trust: str = "") -> None:
        self.origin, self._name, self._trust = origin, name, trust
        self._limits = limits
        self._verify = context.verify_mode == ssl.CERT_REQUIRED
        if not self._verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._adapter = _Adapter(context, limits.connections)
        self._session = requests.Session()
        # The environment's proxies are not for managers, and ~/.netrc would replace the Authorization header.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.mount("https://", self._adapter)

    def send(self, request: Request) -> Response:
        """See `Sender`."""
        url = request.path if "://" in request.path else self.origin + request.path
        check(request.aborted)
        _present.aborted, _present.connection = request.aborted, 0
        patience = self._limits.read * (SLOW if request.slow else 1)
        try:
            with self._session.send(
                self._prepared(request, url), timeout=(self._limits.connect, patience), allow_redirects=False,
                stream=True, verify=self._verify,
            ) as answer:
                with request.aborted.breaking(partial(_cut, getattr(answer.raw.connection, "sock", None))):
                    return self._take(request, answer)
        except requests.RequestException as problem:
            check(request.aborted)
            raise self._unreachable(problem, patience) from None

    def _prepared(self, request: Request, url: str) -> requests.PreparedRequest:
        """Prepare all but the address: that is encoded already, and for a search of 4 KB doing so again takes long."""
        prepared = requests.PreparedRequest()
        prepared.prepare_method(request.method)
        prepared.url = _UNPLAIN.sub(lambda found: quote(found[0]), url)
        prepared.prepare_headers(request.headers)
        prepared.prepare_cookies(self._session.cookies)
        prepared.prepare_body(request.body or None, None)
        prepared.prepare_hooks(None)
        return prepared

    def forget_session(self) -> None:
        """Drop the cookies of a server-side session."""
        self._session.cookies.clear()

    def has_session(self) -> bool:
        """Is there a server-side session?"""
        return bool(self._session.cookies)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _take(self, request: Request, answer: requests.Response) -> Response:
        """Read the body to its end, piecemeal if a reader was given and the answer is good."""
        reader = request.reader() if request.reader and answer.status_code == 200 else None
        kept: list[bytes] = []
        size = 0
        for piece in answer.iter_content(PIECE):
            size += len(piece)
            if size > (LARGE if reader else SMALL):
                raise BadAnswer(f"manager {self._name} answers with more than {size >> 20} MiB")
            if reader:
                reader.feed(piece)
            else:
                kept.append(piece)
        self._check_length(answer)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        result = reader.close() if reader else None
        return Response(answer.status_code, headers, b"".join(kept), result, size, _present.connection)

    def _check_length(self, answer: requests.Response) -> None:
        """Older libraries do not notice that an answer ended early."""
        told = answer.headers.get("Content-Length", "")
        if told.isdigit() and answer.raw.tell() < int(told):
            raise requests.exceptions.ChunkedEncodingError("the answer ended early")

    def _unreachable(self, problem: requests.RequestException, patience: float) -> Unreachable:
        """Say why no answer came, and whether the request may have been processed."""
        if isinstance(problem, requests.exceptions.ConnectTimeout):
            seconds = self._limits.connect
            return _final(Unreachable(f"manager {self._name} does not answer within {seconds:g} s", sent=False))
        if isinstance(problem, requests.exceptions.SSLError):
            return self._tls_problem(str(problem))
        if isinstance(problem, requests.exceptions.ReadTimeout) or "timed out" in str(problem):
            return Unreachable(f"manager {self._name} took more than {patience:g} s to answer")
        if isinstance(problem, requests.exceptions.ConnectionError) and _never_connected(problem):
            return Unreachable(f"manager {self._name} cannot be reached: {_reason(problem)}", sent=False)
        return Unreachable(f"manager {self._name} broke the connection off before its answer was complete")

    def _tls_problem(self, text: str) -> Unreachable:
        low = text.lower()
        for sign, reason in (("has expired", "has expired"), ("not yet valid", "is not valid yet")):
            if sign in low:
                hint = "Compare the clocks of both machines; if they are right, have the manager's certificate renewed"
                return _final(Unreachable(f"the certificate of manager {self._name} {reason}", hint, sent=False))
        if "certificate" in low or "hostname" in low or "doesn't match" in low:
            reason = "is not made for that name" if "match" in low else f"is not vouched for by {self._trust}"
            hint = ("Name the manager as its certificate does" if "match" in low
                    else "If the manager was installed anew, compare its CA and remove the old file")
            return _final(Unreachable(f"the certificate of manager {self._name} {reason}", hint, sent=False))
        if "unsupported protocol" in low or "alert protocol version" in low:
            return _final(Unreachable(
                f"manager {self._name} speaks no TLS 1.2",
                "If it is that old, name it in the site table's rhevmoldtls", sent=False,
            ))
        return Unreachable(f"manager {self._name} broke off during the TLS handshake", sent=False)


def _final(problem: Unreachable) -> Unreachable:
    problem.may_retry = False
    return problem


def _never_connected(problem: requests.exceptions.ConnectionError) -> bool:
    cause = problem.args[0] if problem.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _reason(problem: Exception) -> str:
    """The system's own words, without the library's."""
    text = str(problem)
    for words in ("Connection refused", "No route to host", "Network is unreachable", "Name or service not known",
                  "Temporary failure in name resolution", "Host is down"):
        if words in text:
            return words.lower()
    return "no connection"
