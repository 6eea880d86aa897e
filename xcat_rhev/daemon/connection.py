"""One client's connection. All but `send`, `finish` and `takes_long` runs in the loop's thread, which alone touches the
socket."""

from __future__ import annotations

import logging
import re
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
from .tls import SHARE, Tls

log = logging.getLogger(__name__)

#: Seconds for the TLS handshake, and of silence before and inside a request: those of a Perl xcatd.
GREETING, SILENCE = 10.0, 15.0
#: A request may take this many seconds to arrive, and one more for every so many bytes; a Perl xcatd has no limit.
ARRIVAL, PACE = 30.0, 64 << 10
#: Seconds a client may take nothing while an answer waits: somebody reads it in a pager.
STALLED = 900.0
#: How much of an answer waits in memory before the command that writes it has to.
WAITING = 4 << 20

#: A request that ends the one under way; what Perl takes for false does not.
_ABORT = re.compile(rb"<abortcommand>(?!\s*0?\s*</)")


class Phase(Enum):
    """What a connection is at."""

    GREETING = "TLS handshake"
    LISTENING = "no request, or a part of one"
    SERVING = "a request is being served"
    LEAVING = "the rest of an answer, then the end"
    GONE = "closed"


class Server(Protocol):
    """What a connection needs of the daemon."""

    def asked(self, connection: Connection, request: bytes) -> None:
        """A request is complete; have it served, then call `finish`."""

    def takes_long(self) -> None:
        """The request that the calling thread serves is one that waits for others."""

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
        self._tls = Tls(sock, context, loop.share)
        loop.watch(sock, True, False, self)

    # What the thread calls that serves a request.

    def takes_long(self) -> None:
        """Say that the present request waits for others, such as a manager."""
        self._server.takes_long()

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

    @property
    def rank(self) -> int:
        """A client whose request may be here comes before those that are still greeting."""
        return 2 if self.phase is Phase.GREETING else 1

    def ready(self) -> None:
        """Do what can be done without waiting, then say what to wait for."""
        self._do(self._greet if self.phase is Phase.GREETING else self._exchange)

    def _do(self, what: Callable[[], None]) -> None:
        try:
            what()
            self._settle()
        except (OSError, BadAnswer) as problem:
            log.debug("connection of %s ends: %s", self.address, problem)
            self.close()

    def _exchange(self) -> None:
        self._write()
        if self._reads:
            self._tls.fill()
            self._read()

    def expire(self, now: float) -> None:
        """Close it if a limit of time has passed, or if a client that said goodbye is gone altogether."""
        if self._half_closed and self._tls.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
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
        self.loop.forget(self._tls.sock)
        self._tls.sock.close()
        self._server.gone(self)

    def _overdue(self, now: float) -> bool:
        still = now - self._moved
        if self.phase is Phase.GREETING:
            return now - self._began > GREETING
        if self._waits:
            return still > STALLED
        if self.phase is Phase.LISTENING:
            waiting = self._framer.waiting
            return still > SILENCE or (waiting > 0 and now - self._began > ARRIVAL + waiting / PACE)
        return False

    def _greet(self) -> None:
        self._tls.fill()
        if self._tls.greet():
            self.peer = peer_name(self._tls.certificate())
            self._listen()
            self._read()

    def _listen(self) -> None:
        self.phase = Phase.LISTENING
        self._moved = self._began = time.monotonic()

    def _write(self) -> None:
        """Send what is queued, as far as the client takes it."""
        while self._outbox and not self._tls.unsent:
            self._tls.write(self._part())
            if self._outbox:
                self._flush()
        if self.phase is Phase.LEAVING and not self._outbox:
            self._tls.end()
        self._flush()
        if self.phase is Phase.LEAVING and not self._waits:
            self.close()

    def _part(self) -> bytes:
        part = bytes(self._outbox[:SHARE])
        with self._room:
            del self._outbox[:len(part)]
            self._room.notify_all()
        return part

    def _flush(self) -> None:
        if self._tls.unsent and self._tls.flush():
            self._moved = time.monotonic()

    @property
    def _waits(self) -> bool:
        """Whether some of an answer is not sent yet."""
        return bool(self._outbox or self._tls.unsent)

    @property
    def _reads(self) -> bool:
        """Whether what the client says matters."""
        return not self._half_closed and self.phase not in (Phase.LEAVING, Phase.GONE)

    def _read(self) -> None:
        """Take what came; a clean end of the client's side is no end of its interest in the answer."""
        while self._reads:
            data = self._tls.read()
            if data is None:
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
            if _ABORT.search(request):
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
            self.loop.watch(self._tls.sock, self._reads, self._waits, self)
