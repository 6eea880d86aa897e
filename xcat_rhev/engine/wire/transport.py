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
from datetime import datetime
from functools import partial
from typing import Any, Callable, Protocol, cast
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from requests.packages import urllib3  # type: ignore[attr-defined]

from ...abort import Abort, check
from ...errors import BadAnswer, RhevError, TimedOut, Unreachable
from .bounds import pieces, whole
from .certificates import ends
from .no_answer import Trust, no_answer, stuck
from .unknown import unknown

#: An answer that is not read piecemeal is a fault or a single thing; more than this is neither.
SMALL = 4 << 20
#: No list is longer.
LARGE = 2 << 30
PIECE = 256 << 10
READ_TIMEOUT = 180.0
#: Ten thousand machines over a slow line are some minutes.
WHOLE_TIMEOUT = 600.0
#: How many times as long one waits for the answer to what an engine does while one waits. Its own web server waits an
#: hour (ovirt-engine-proxy.conf); to restart a host by its power management takes some six minutes.
SLOW = 5


#: The shortest time-out that the library takes, in seconds.
_LEAST = 0.05


class Reader(Protocol):
    """Takes an answer piecemeal, so that a long list never is in memory as text."""

    def feed(self, piece: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> Any:
        """The answer is complete: give what it says."""


@dataclass(frozen=True)
class HttpRequest:
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
        stage: Told what is waited for: `connecting` or `answering`.
    """

    method: str
    path: str
    body: bytes = b""
    shown: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    reader: Callable[[], Reader] | None = None
    aborted: Abort = field(default_factory=Abort, repr=False, compare=False)
    slow: bool = False
    stage: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
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
        """Whether it was done."""
        return 200 <= self.status < 300


class Sender(Protocol):
    """Anything that sends: the wire itself, a wrapper around it, or a test's fake."""

    def send(self, request: HttpRequest) -> Response:
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


class _Breakable:
    """A connection whose making and waiting can be broken off; an answer's body is read by our own thread."""

    #: The socket, from the first moment on that it can block.
    begun: Any = None

    def connect(self) -> None:
        _present.stage("connecting")
        _present.connecting = True
        with _present.aborted.callback(lambda: _cut(self.begun)):
            super().connect()  # type: ignore[misc]
        _present.connecting = False
        _present.stage("answering")
        self.number = next(_numbers)

    def _new_conn(self) -> Any:
        self.begun = super()._new_conn()  # type: ignore[misc]
        return self.begun

    def getresponse(self, *args: Any, **kwargs: Any) -> Any:
        _present.connection = self.number
        with _present.aborted.callback(lambda: _cut(self.sock)):  # type: ignore[attr-defined]
            return super().getresponse(*args, **kwargs)  # type: ignore[misc]


class _Named:
    """TLS settings that say the host's name in each handshake, so that its certificate is checked against that.

    urllib3 before 2.0 leaves out a name that is an IP address, and Python then refuses to connect at all.

    Args:
        context: The settings.
        host: The name.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self.__dict__.update(_context=context, _host=host)

    def wrap_socket(self, sock: socket.socket, server_hostname: str | None = None) -> ssl.SSLSocket:
        """Begin TLS."""
        return cast(ssl.SSLSocket, self._context.wrap_socket(sock, server_hostname=server_hostname or self._host))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_context"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._context, name, value)


class _Connection(_Breakable, urllib3.connection.HTTPSConnection):  # type: ignore[misc]
    ssl_context: Any

    def connect(self) -> None:
        if urllib3.__version__.startswith("1."):
            self.ssl_context = _Named(self.ssl_context, self.host.strip("[]"))
        super().connect()


class _PlainConnection(_Breakable, urllib3.connection.HTTPConnection):  # type: ignore[misc]
    pass


class _Pool(urllib3.HTTPSConnectionPool):  # type: ignore[misc]
    ConnectionCls = _Connection


class _PlainPool(urllib3.HTTPConnectionPool):  # type: ignore[misc]
    ConnectionCls = _PlainConnection


def _cut(sock: Any) -> None:
    """Have whoever reads from a socket, in whichever thread, get its end; TLS is not asked, as it may be at work."""
    with contextlib.suppress(OSError):
        if sock is not None:
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Connections with our own TLS settings and nobody else's certificates."""

    def __init__(self, context: ssl.SSLContext, connections: int) -> None:
        self._context = context
        super().__init__(pool_connections=2, pool_maxsize=connections, pool_block=True)

    # Both are called by requests, which documents them as the places to do this.
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool, "http": _PlainPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        # requests would add the public CAs of certifi to the pinned one here.
        conn.cert_reqs = "CERT_REQUIRED" if self._context.verify_mode == ssl.CERT_REQUIRED else "CERT_NONE"
        conn.ca_certs = conn.ca_cert_dir = None


@dataclass(frozen=True)
class Limits:
    """What the wire keeps to.

    Attributes:
        connections: How many at most; further requests wait for one.
        connect: Seconds until a connection must be open.
        read: Seconds without a byte of an answer.
        whole: Seconds for all of it.
    """

    connections: int = 8
    connect: float = 5.0
    read: float = READ_TIMEOUT
    whole: float = WHOLE_TIMEOUT


class Http:
    """The wire: a pool of kept-alive connections to one origin. Used by many threads.

    Args:
        origin: `https://host:port`.
        trust: What certificates are checked against.
        name: The manager's name, for errors.
        limits: Of connections and of time.
    """

    def __init__(self, origin: str, trust: Trust, name: str, limits: Limits) -> None:
        self.origin, self._name, self._trust = origin, name, trust
        self._limits = limits
        self._verify = trust.context.verify_mode == ssl.CERT_REQUIRED
        if not self._verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._adapter = _Adapter(trust.context, limits.connections)
        self._session = requests.Session()
        # The environment's proxies are not for managers, and ~/.netrc would replace the Authorization header.
        self._session.trust_env = False
        self._session.headers.clear()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, self._adapter)

    @property
    def trust(self) -> Trust:
        """What certificates are checked against."""
        return self._trust

    def certificate_ends(self) -> tuple[datetime | None, datetime | None]:
        """When the manager's certificate and its CA's end; see `certificates.ends`."""
        return ends(self.origin, self._trust, self._name, self._limits.connect)

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`."""
        url = request.path if "://" in request.path else self.origin + request.path
        check(request.aborted)
        times = SLOW if request.slow else 1
        with whole(self._limits.whole * times, request.aborted) as over:
            return self._transfer(request, url, self._limits.read * times, over)

    def _transfer(self, request: HttpRequest, url: str, patience: float, over: Abort) -> Response:
        _present.aborted, _present.stage = over, request.stage
        _present.connecting, _present.connection = False, 0
        left = max(request.aborted.seconds_left(), _LEAST)
        connect, patience = min(self._limits.connect, left), min(patience, left)
        try:
            with self._session.send(
                self._prepare(request, url),
                timeout=(connect, patience),
                allow_redirects=False,
                stream=True,
                verify=self._verify,
            ) as answer:
                with over.callback(partial(_cut, getattr(answer.raw.connection, "sock", None))):
                    response = self._take(request, answer)
        except requests.RequestException as problem:
            self._check_end(request, over)
            if _present.connecting and "timed out" in str(problem) and not isinstance(problem, requests.ConnectTimeout):
                raise stuck(self._name, connect) from None
            raise no_answer(problem, self._name, self._trust, (connect, patience)) from None
        self._check_end(request, over)  # the library takes a head that is broken off for one that has ended
        return response

    def _check_end(self, request: HttpRequest, over: Abort) -> None:
        """Say that an answer was broken off by us, if it was."""
        if request.aborted.is_set():
            raise self._given_up(request, request.aborted.problem()) from None
        if over.is_set():
            problem = Unreachable(f"manager {self._name} took too long to complete an answer")
            problem.may_retry = False
            raise problem from None

    def _given_up(self, request: HttpRequest, why: RhevError) -> RhevError:
        """The time was over before an answer came; a write may have been carried out by then."""
        if not isinstance(why, TimedOut):
            return why
        problem = TimedOut(f"manager {self._name} did not answer: {why.text}", why.hint)
        return unknown(problem) if request.writes and not _present.connecting else problem

    def _prepare(self, request: HttpRequest, url: str) -> requests.PreparedRequest:
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
        """Whether there is a server-side session."""
        return bool(self._session.cookies)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _take(self, request: HttpRequest, answer: requests.Response) -> Response:
        """Read the body to its end, piecemeal if a reader was given and the answer is good."""
        reader = request.reader() if request.reader and answer.status_code == 200 else None
        kept: list[bytes] = []
        size = 0
        for piece in pieces(answer, PIECE):
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
