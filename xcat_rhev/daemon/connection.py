"""One client's connection. All but `send` and `finish` runs in the loop's thread, which alone touches the socket."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import deque
from enum import Enum
from typing import Callable, Protocol

from ..abort import Abort
from ..errors import BadAnswer
from .access import peer_name
from .framing import LONGEST, Framer
from .loop import Loop

log = logging.getLogger(__name__)

#: Seconds for the TLS handshake, and of silence before and inside a request: those of a Perl xcatd.
GREETING, SILENCE = 10.0, 15.0
#: A request may take this many seconds to arrive, and one more for every so many bytes; a Perl xcatd has no limit.
ARRIVAL, PACE = 30.0, 64 << 10
#: Seconds a client may take nothing while an answer waits: somebody reads it in a pager.
STALLED = 900.0
#: How much of an answer waits in memory before the command that writes it has to.
WAITING = 4 << 20


class Phase(Enum):
    """What a connection is at."""

    GREETING = "TLS handshake"
    LISTENING = "no request, or a part of one"
    SERVING = "a worker is at it"
    LEAVING = "the rest of an answer, then the end"
    GONE = "closed"


class Server(Protocol):
    """What a connection needs of the daemon."""

    def asked(self, connection: Connection, request: bytes) -> None:
        """A request is complete; have it served, then call `finish`."""

    def gone(self, connection: Connection) -> None:
        """The connection is closed."""


class Connection:
    """A client's TLS connection.

    Args:
        loop: Who watches the socket.
        sock: The accepted socket.
        address: The client's IP address.
        context: TLS settings.
        server: Who serves requests.
    """

    new = False

    def __init__(
        self, loop: Loop, sock: socket.socket, address: str, context: ssl.SSLContext, server: Server
    ) -> None:
        self.address = address
        #: The name in the client's certificate, or empty.
        self.peer = ""
        #: Set when the client pressed Ctrl-C or went away during the present request.
        self.aborted = Abort()
        self.phase = Phase.GREETING
        #: Who watches the socket; the answer's timers are its as well.
        self.loop, self._server = loop, server
        self._framer = Framer()
        self._requests: deque[bytes] = deque()
        self._half_closed = False
        self._outbox = bytearray()
        self._room = threading.Condition()
        self._moved = self._began = time.monotonic()
        self._sent = 0
        sock.setblocking(False)
        self._socket = context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        loop.watch(self._socket, True, False, self)

    # What workers call.

    def send(self, answer: bytes, patient: bool = True) -> None:
        """Queue bytes for the client; waits while much is queued already, unless told not to.

        Args:
            answer: Whole documents.
            patient: Whether this thread may wait; the loop's own may not.
        """
        with self._room:
            if patient:
                self._room.wait_for(lambda: len(self._outbox) < WAITING or self.phase is Phase.GONE)
            if self.phase is Phase.GONE:
                return
            first = not self._outbox
            self._outbox += answer
        if first:
            self.loop.call(lambda: self._do(self._write))

    def finish(self, leave: bool = False) -> None:
        """The present request is answered.

        Args:
            leave: Close the connection when all is sent.
        """
        self.loop.call(lambda: self._finished(leave))

    # What the loop calls.

    def ready(self) -> None:
        """Do what can be done without waiting, then say what to wait for."""
        self._do(self._greet if self.phase is Phase.GREETING else self._exchange)

    def _do(self, what: Callable[[], None]) -> None:
        try:
            what()
            self._settle()
        except ssl.SSLWantReadError:
            self.loop.watch(self._socket, True, False, self)
        except ssl.SSLWantWriteError:
            self.loop.watch(self._socket, False, True, self)
        except (OSError, BadAnswer) as problem:
            log.debug("connection of %s ends: %s", self.address, problem)
            self.close()

    def _exchange(self) -> None:
        self._write()
        self._read()

    def expire(self, now: float) -> None:
        """Close it if a limit of time has passed, or if a client that said goodbye is gone altogether."""
        if self._half_closed and self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            return
        if self._overdue(now):
            log.debug("connection of %s is closed: %s took too long", self.address, self.phase.value)
            self.close()

    def close(self) -> None:
        """End it at once; a command under way is told."""
        if self.phase is Phase.GONE:
            return
        with self._room:
            self.phase = Phase.GONE
            self._outbox.clear()
            self._room.notify_all()
        self.aborted.set()
        self.loop.forget(self._socket)
        self._socket.close()
        self._server.gone(self)

    def _overdue(self, now: float) -> bool:
        still = now - self._moved
        if self.phase is Phase.GREETING:
            return now - self._began > GREETING
        if self._outbox:
            return still > STALLED
        if self.phase is Phase.LISTENING:
            waiting = self._framer.waiting
            return still > SILENCE or (waiting > 0 and now - self._began > ARRIVAL + waiting / PACE)
        return False

    def _greet(self) -> None:
        # Acknowledge at once what the client sends: its request follows its last handshake record, and the client's
        # kernel holds it back until that is acknowledged, 40 ms later by default, as no ticket of ours is under way.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self._socket.do_handshake()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.peer = peer_name(self._socket)
        self._listen()

    def _listen(self) -> None:
        self.phase = Phase.LISTENING
        self._moved = self._began = time.monotonic()

    def _write(self) -> None:
        """Send what is queued, as far as the client takes it."""
        while self._outbox:
            part = bytes(self._outbox[:64 << 10])
            try:
                sent = self._socket.send(part)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            self._moved = time.monotonic()
            with self._room:
                del self._outbox[:sent]
                self._room.notify_all()
        if self.phase is Phase.LEAVING:
            self._end()

    def _end(self) -> None:
        """All is sent: say so in TLS's own words, then close."""
        try:
            self._socket.unwrap()
        except (OSError, ValueError):
            log.debug("the client did not wait for the end")
        self.close()

    def _read(self) -> None:
        """Take one record, if one came; a clean end of the client's side is no end of its interest in the answer."""
        if self._half_closed or self.phase not in (Phase.LISTENING, Phase.SERVING):
            return
        try:
            data = self._socket.recv(64 << 10)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        if data:
            self._take(data)
        else:
            self._half_close()

    def _half_close(self) -> None:
        self._half_closed = True
        if self.phase is Phase.LISTENING:
            self.close()

    def _take(self, data: bytes) -> None:
        self._moved = time.monotonic()
        if not self._framer.waiting:
            self._began = self._moved
        for request in self._framer.feed(data):
            if b"<abortcommand" in request:
                log.info("Client abort requested")
                self.close()
                return
            self._requests.append(request)
        if sum(map(len, self._requests)) > LONGEST:
            raise BadAnswer("too many requests before the first was answered")
        if self.phase is Phase.LISTENING:
            self._next()

    def _next(self) -> None:
        """Have the next request served, if there is one."""
        if not self._requests:
            return
        self.phase = Phase.SERVING
        self.aborted = Abort()
        self._server.asked(self, self._requests.popleft())

    def _finished(self, leave: bool) -> None:
        if self.phase is not Phase.SERVING:
            return
        if leave or (self._half_closed and not self._requests):
            self.phase = Phase.LEAVING
        else:
            self._listen()
            self._next()
        self._do(self._write)

    def _settle(self) -> None:
        """Say what to wait for."""
        if self.phase is not Phase.GONE:
            self.loop.watch(self._socket, not self._half_closed, bool(self._outbox), self)
