"""The one thread that owns every socket: it waits for them, and for calls from other threads."""

from __future__ import annotations

import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from typing import Callable, Protocol

from .tls import SHARE

log = logging.getLogger(__name__)


class Watched(Protocol):
    """What the loop calls when a socket can be read or written."""

    #: The turn in which it was called last.
    seen: int

    @property
    def rank(self) -> int:
        """Among those of one turn the smallest comes first."""

    @property
    def weight(self) -> int:
        """Among those of one rank as well."""

    def ready(self) -> None:
        """Do what can be done without waiting."""


#: Sockets that are served in one turn. With more than that, new ones would wait for all of those before them.
AT_ONCE = 64


class Loop:
    """Waits for sockets, for timers and for calls from other threads. Only `call` and `later` may be used by others."""

    #: It watches its own bell.
    rank = weight = seen = 0

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        #: What each socket is watched for. The selector knows too, but words an error for each one that it does not.
        self._watched: dict[socket.socket, int] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        #: Room for what comes, for whoever is called just now.
        self.share = memoryview(bytearray(SHARE))
        self._thread = 0
        self._stopped = self._rung = False
        self._turn = 0
        self._hears, self._bell = socket.socketpair()
        self._hears.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._hears, selectors.EVENT_READ, self)

    @property
    def mine(self) -> bool:
        """Whether it runs in the calling thread."""
        return threading.get_ident() == self._thread

    def call(self, what: Callable[[], None]) -> None:
        """Have it called in the loop's thread soon."""
        self._calls.append(what)
        if not self.mine:
            self._ring()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Have it called in the loop's thread after some time."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), what))
        if not self.mine:
            self._ring()

    def stop(self) -> None:
        """End `run` after this turn; safe in a signal handler."""
        self._stopped = True
        self._ring()

    def watch(self, sock: socket.socket, reading: bool, writing: bool, who: Watched) -> None:
        """Call `who.ready()` whenever the socket can be read or written as wanted; replaces what was wanted before."""
        mask = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if writing else 0)
        known = self._watched.get(sock)
        if not mask:
            self.forget(sock)
        elif known is None:
            self._selector.register(sock, mask, who)
            self._watched[sock] = mask
        elif known != mask:
            self._selector.modify(sock, mask, who)
            self._watched[sock] = mask

    def forget(self, sock: socket.socket) -> None:
        """Stop watching a socket, before it is closed."""
        if self._watched.pop(sock, None) is not None:
            self._selector.unregister(sock)

    def run(self, work: Callable[[], bool]) -> bool:
        """Serve in this thread until `stop`, or until another thread has taken over.

        Args:
            work: Called between two things; does what takes longer, and tells whether this thread is to go on.

        Returns:
            Whether it was stopped.
        """
        self._thread = threading.get_ident()
        goes_on = work()  # what the thread before left
        while goes_on and not self._stopped:
            ready = self._choose([key.data for key, _ in self._selector.select(self._patience())])
            for step in (*(who.ready for who in ready), self.make_calls, self._fire_timers):
                step()
                goes_on = work()
                if not goes_on:  # the thread that took over hears of the rest from the selector again
                    break
        return goes_on

    def _choose(self, ready: list[Watched]) -> list[Watched]:
        """The connections to serve in this turn: of many, half by rank and crowd, half by how long they have waited."""
        ready.sort(key=lambda who: (who.rank, who.weight))
        if len(ready) > AT_ONCE:
            half = AT_ONCE // 2
            ready[half:] = sorted(ready[half:], key=lambda who: (who.rank, who.seen))[:half]
        self._turn += 1
        for who in ready:
            who.seen = self._turn
        return ready

    def close(self) -> None:
        """Give the loop's own sockets back."""
        self._selector.close()
        self._hears.close()
        self._bell.close()

    def _patience(self) -> float | None:
        if self._calls:
            return 0.0
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - time.monotonic())

    def make_calls(self) -> None:
        """Make the calls that wait. Only for the loop's thread."""
        for _ in range(len(self._calls)):
            self._calls.popleft()()

    def _fire_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            heapq.heappop(self._timers)[2]()

    def _ring(self) -> None:
        if self._rung:
            return
        self._rung = True
        try:
            self._bell.send(b"!")
        except (BlockingIOError, OSError):
            log.debug("the bell is ringing already, or the loop is closed")

    def ready(self) -> None:
        """Take note that the bell rang: there are calls to make."""
        try:
            self._hears.recv(4096)
        except BlockingIOError:
            log.debug("nobody rang")
        self._rung = False  # before the calls are made: one that comes after the last of them rings again
