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

from ..errors import BadAnswer
from .access import peer_name
from .crowd import FIRST, STRANGERS, Share
from .framing import Framer
from .loop import Loop
from .pace import Pace, Paced
from .tls import SHARE, Tls

log = logging.getLogger(__name__)

#: Seconds for the TLS handshake, and of silence before and inside a request: those of a Perl xcatd.
GREETING, SILENCE = 10.0, 15.0
#: A request may take this many seconds to arrive, and one more for every so many bytes; a Perl xcatd has no limit.
ARRIVAL, PACE = 30.0, 64 << 10
#: A request that ends the one under way; what Perl takes for false does not.
_ABORT = re.compile(rb"<abortcommand>(?!\s*0?\s*</)")


class Phase(Enum):
    """What a connection is at."""

    GREETING = "TLS handshake"
    LISTENING = "no request, or a part of one"
    SERVING = "a request is being served"
    LEAVING = "the rest of an answer, then the end"
    GONE = "closed"


class ConnectionServer(Protocol):
    """What a connection needs of the daemon."""

    #: The order in which requests compute.
    pace: Pace

    def on_request(self, connection: Connection, request: bytes) -> None:
        """A request is complete; have it served, then call `finish`."""

    def takes_long(self) -> None:
        """The request that the calling thread serves is one that waits for others."""

    def on_login(self, connection: Connection) -> None:
        """The connection has a name now, and another share."""

    def on_close(self, connection: Connection) -> None:
        """The connection is closed."""


class Connection:
    """A client's TLS connection.

    Args:
        loop: What watches the socket.
        sock: The accepted socket.
        address: The client's IP address.
        context: TLS settings.
        server: What serves requests.
    """

    def __init__(
        self, loop: Loop, sock: socket.socket, address: str, context: ssl.SSLContext, server: ConnectionServer
    ) -> None:
        self.address = address
        #: The name in the client's certificate, or empty.
        self.peer = ""
        #: What it is a part of, which the server says at once; and when the loop served it last.
        self.share: Share[Connection]
        self.seen = 0
        #: Set when the client pressed Ctrl-C or went away during the present request.
        self.aborted = Paced(self._pause)
        self.phase = Phase.GREETING
        #: What watches the socket. The answer's timers are in it as well.
        self.loop, self._server = loop, server
        self._framer = Framer(STRANGERS.longest)
        self._requests: deque[bytes] = deque()
        self._held = 0
        self._half_closed = False
        self._outbox = bytearray()
        self._room = threading.Condition()
        self._moved = self._began = time.monotonic()
        self._tls = Tls(sock, context, loop.share)
        loop.watch(sock, True, False, self)

    # What the thread calls that serves a request.

    def takes_long(self) -> None:
        """Say that the present request waits for others, such as a manager."""
        self.aborted.free()
        self._server.pace.rest()
        self._server.takes_long()

    def send(self, answer: bytes, patient: bool = True) -> None:
        """Queue bytes for the client; waits while much is queued already, unless it must not.

        Args:
            answer: Whole documents.
            patient: Whether this thread may wait; the loop's own may not.
        """
        with self._room:
            if patient and not self._has_room():
                self._server.pace.rest()
                self._room.wait_for(self._has_room)
            if self.phase is Phase.GONE:
                return
            first = not self._outbox
            self._outbox += answer
        if first:
            self.loop.call(lambda: self._do(self._write))

    def _has_room(self) -> bool:
        return len(self._outbox) < self._most or self.phase is Phase.GONE

    def _pause(self) -> None:
        """Make room for others; not while the loop itself waits, nor for clients that are served first."""
        if not self.loop.mine and self.share.limits is not FIRST:
            self._server.pace.step()

    def finish(self, leave: bool = False) -> None:
        """The present request is answered.

        Args:
            leave: Close the connection when all is sent.
        """
        self.loop.call(lambda: self._do(lambda: self._finish(leave)))

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Have something done for it in the loop's thread after some time."""
        self.loop.later(seconds, lambda: self._do(what))

    # What the loop calls.

    @property
    def rank(self) -> int:
        """Root comes before users, and users before strangers."""
        return self.share.limits.rank

    @property
    def weight(self) -> int:
        """Of one rank, who has fewer connections comes first."""
        return len(self.share.members)

    @property
    def idle(self) -> bool:
        """Whether no request of it is under way."""
        return self.phase in (Phase.GREETING, Phase.LISTENING)

    def ready(self) -> None:
        """Do what can be done without waiting, then say what to wait for."""
        self._do(self._greet if self.phase is Phase.GREETING else self._exchange)

    def expire(self, now: float) -> None:
        """Close it if a limit of time has passed."""
        self._do(lambda: self._expire(now))

    def _do(self, what: Callable[[], None]) -> None:
        """Do something; whatever goes wrong is the end of this connection, and of no other."""
        if self.phase is Phase.GONE:
            return
        try:
            what()
            self._settle()
        except (OSError, BadAnswer) as problem:
            log.debug("connection of %s ends: %s", self.address, problem)
            self.close()
        except Exception as problem:
            self.close()  # first: there may be no memory for anything else
            log.error("connection of %s ends: %s", self.address, type(problem).__name__, exc_info=problem)

    def _exchange(self) -> None:
        self._write()
        if self.phase is Phase.LISTENING:
            self._next()
        if self._reads:
            self._tls.fill()
            self._read()

    def _expire(self, now: float) -> None:
        """Close it if a limit of time has passed, or if a client that said goodbye is gone altogether."""
        if self._half_closed and self._tls.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
            return
        if self._overdue(now):
            log.debug("connection of %s is closed: %s took too long", self.address, self.phase.value)
            self.close()

    def close(self) -> None:
        """End it at once, and stop a command under way."""
        if self.phase is Phase.GONE:
            return
        with self._room:
            self.phase = Phase.GONE
            self._outbox.clear()
            self._room.notify_all()
        self.aborted.set()
        self.loop.forget(self._tls.sock)
        self._tls.sock.close()
        self._requests.clear()
        self.share.hold(-self._held)
        self._held = 0
        self._server.on_close(self)

    def _overdue(self, now: float) -> bool:
        still = now - self._moved
        if self.phase is Phase.GREETING:
            return now - self._began > GREETING
        if self._waits:
            return still > self.share.limits.stalled
        if self.phase is Phase.LISTENING:
            waiting = self._framer.backlog
            return still > SILENCE or (waiting > 0 and now - self._began > ARRIVAL + waiting / PACE)
        return False

    def _greet(self) -> None:
        self._tls.fill()
        if self._tls.greet():
            self.peer = peer_name(self._tls.certificate())
            self._server.on_login(self)
            self._framer = Framer(self.share.limits.longest)
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
            del self._outbox[: len(part)]
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
        """Take what came; a clean end of the client's side is not an end of its interest in the answer."""
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
        if not self._framer.backlog:
            self._began = self._moved
        for request in self._framer.feed(data):
            if _ABORT.search(request):
                log.info("Client abort requested")
                self.close()
                return
            self._requests.append(request)
        if sum(map(len, self._requests)) > self.share.limits.longest:
            raise BadAnswer("too many requests before the first was answered")
        if self.phase is Phase.LISTENING:
            self._next()

    def _next(self) -> None:
        """Have the next request served, if there is one, and if the client takes the answers to those before."""
        if not self._requests or len(self._outbox) > SHARE:
            return
        self.phase = Phase.SERVING
        self.aborted = Paced(self._pause)
        self._server.on_request(self, self._requests.popleft())

    def _finish(self, leave: bool) -> None:
        if self.phase is not Phase.SERVING:
            return
        if leave or (self._half_closed and not self._requests):
            self.phase = Phase.LEAVING
        else:
            self._listen()
            self._next()
        self._write()

    @property
    def _most(self) -> int:
        """How much of an answer waits in memory before the command that writes it has to."""
        return self.share.limits.waiting if self.share.hold(0) else SHARE

    def _settle(self) -> None:
        """Count what waits in memory, and say what to wait for.

        Raises:
            BadAnswer: More has come than may wait.
        """
        if self.phase is Phase.GONE:
            return
        come = self._framer.backlog + sum(map(len, self._requests))
        held, self._held = self._held, come + len(self._outbox)
        if not self.share.hold(self._held - held) and self._held > held and come:
            raise BadAnswer("too many requests at once")
        self.loop.watch(self._tls.sock, self._reads, self._waits, self)
