"""Requests that take long compute one at a time, a piece each, so that the loop and root do not wait for all of them.

Python runs one thread at a time, and one inside a long call of a library keeps it for as long as the call takes,
whatever `sys.setswitchinterval` says. With thirty dumps of a large table under way the loop waited a quarter of a
second each time it came back from the system, and a new connection needs it twenty times: root waited five seconds.
Reading a table comes back from the system for each row, so while root's own request is served they all hold back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from ..abort import Abort

#: Seconds after which a request is taken to wait for somebody else, a database say, and the next may compute as well.
PATIENCE = 0.25


class _Thread(threading.local):
    """What a thread is at."""

    #: Inside how many changes of tables.
    changes = 0


_thread = _Thread()


class Pace:
    """The order in which requests compute."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Condition] = deque()
        self._holder, self._since, self._first = 0, 0.0, 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """Within this a thread serves somebody who are served first; the others hold back for a while."""
        with self._guard:
            self._first += 1
        try:
            yield
        finally:
            with self._guard:
                self._first -= 1
                if not self._first and self._waiting:
                    self._waiting[0].notify()

    def step(self) -> None:
        """Between two pieces of work: let those compute who have waited for longer."""
        if _thread.changes:
            return
        with self._guard:
            if self._holder == threading.get_ident() and (self._waiting or self._first):
                self._give_up()
            if self._holder != threading.get_ident():
                self._wait()
            self._holder, self._since = threading.get_ident(), time.monotonic()

    def rest(self) -> None:
        """The calling thread does not compute for now."""
        with self._guard:
            if self._holder == threading.get_ident():
                self._give_up()

    def _give_up(self) -> None:
        self._holder = 0
        if self._waiting:
            self._waiting[0].notify()

    def _wait(self) -> None:
        turn = threading.Condition(self._guard)
        self._waiting.append(turn)
        while self._waiting[0] is not turn:
            turn.wait()
        until = time.monotonic() + PATIENCE
        while (left := self._time_left(until)) > 0:
            turn.wait(left)
        self._waiting.popleft()
        if self._waiting:
            self._waiting[0].notify()  # it is the first now, and may look at the time

    def _time_left(self, until: float) -> float:
        """Seconds in which the next may not compute yet.

        Args:
            until: How long it makes room for those who are served first, who may be at something that takes long.
        """
        ends = [until] if self._first else []
        ends += [self._since + PATIENCE] if self._holder else []
        return max(ends) - time.monotonic() if ends else 0.0


class Paced(Abort):
    """The wish of a client to have no answer any more. What takes long asks for that again and again, between two
    pieces of its work, and so makes room for others.

    Args:
        pause: Called then; may wait.
    """

    def __init__(self, pause: Callable[[], None]) -> None:
        super().__init__()
        self._pause: Callable[[], None] | None = pause

    def pause(self) -> None:
        """Let others compute."""
        if self._pause:
            self._pause()

    def free(self) -> None:
        """From now on this one mostly waits: for a manager, say."""
        self._pause = None


@contextmanager
def exempt() -> Iterator[None]:
    """Within this the calling thread makes no room: it holds something that others wait for."""
    _thread.changes += 1
    try:
        yield
    finally:
        _thread.changes -= 1
