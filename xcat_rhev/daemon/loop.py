"""The one thread that owns every socket: it waits for them, and for calls from the worker threads."""

from __future__ import annotations

import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from typing import Any, Callable, Protocol

log = logging.getLogger(__name__)


class Watched(Protocol):
    """What the loop calls when a socket can be read or written."""

    #: Whether it brings more work instead of finishing some; it then waits for the others of its turn.
    new: bool

    def ready(self) -> None:
        """Do what can be done without waiting."""


class Loop:
    """Waits for sockets, for timers and for calls from other threads. Only `call` and `later` may be used by others."""

    #: It watches its own bell.
    new = False

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        #: What each socket is watched for. The selector knows too, but words an error for each one that it does not.
        self._watched: dict[socket.socket, int] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread = threading.get_ident()
        self._stopped = self._rung = False
        self._hears, self._bell = socket.socketpair()
        self._hears.setblocking(False)
        self._bell.setblocking(False)
        self._selector.register(self._hears, selectors.EVENT_READ, self)

    def call(self, what: Callable[[], None]) -> None:
        """Have it called in the loop's thread soon."""
        self._calls.append(what)
        if threading.get_ident() != self._thread:
            self._ring()

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Have it called in the loop's thread after some time."""
        due = time.monotonic() + seconds
        self.call(lambda: heapq.heappush(self._timers, (due, next(self._order), what)))

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

    def run(self) -> None:
        """Serve until `stop`."""
        self._thread = threading.get_ident()
        while not self._stopped:
            ready = [key.data for key, _ in self._selector.select(self._patience())]
            for who in sorted(ready, key=lambda who: who.new):
                who.ready()
            self._make_calls()
            self._fire_timers()

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

    def _make_calls(self) -> None:
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


class Workers:
    """A bounded number of threads that do what would make the loop wait.

    Args:
        most: How many things are done at once; further ones wait their turn.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle = 0
        self._threads = 0
        self._todo: deque[Callable[[], Any]] = deque()
        lock = threading.Lock()
        self._work_came = threading.Condition(lock)
        self._work_went = threading.Condition(lock)

    def do(self, what: Callable[[], Any]) -> None:
        """Have it done by the next free thread; it must not raise."""
        with self._work_came:
            self._todo.append(what)
            if self._idle >= len(self._todo):
                self._work_came.notify()
            elif self._threads < self._most:
                self._threads += 1
                # daemon threads: one that hangs in somebody else's library must not keep the process alive
                threading.Thread(target=self._work, name=f"worker-{self._threads}", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is under way.

        Returns:
            Whether that came true in time.
        """
        with self._work_went:
            return self._work_went.wait_for(lambda: not self._todo and self._idle == self._threads, seconds)

    def _work(self) -> None:
        while True:
            with self._work_came:
                self._idle += 1
                self._work_went.notify_all()
                self._work_came.wait_for(lambda: bool(self._todo))
                self._idle -= 1
                what = self._todo.popleft()
            what()
