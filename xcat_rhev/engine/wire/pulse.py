"""What a command waits for at its manager, so that a long silence is reported."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ...clock import Clock

#: Seconds of silence before the first report, and between two reports.
FIRST, AGAIN = 5.0, 60.0


@dataclass
class ManagerWait:
    """One thing that is waited for.

    Attributes:
        what: In words, for `waiting for manager M (WHAT)`.
        since: When it began.
    """

    what: str
    since: float

    def now(self, what: str) -> None:
        """From now on it is this that is waited for."""
        self.what = what


class Pulse:
    """The waits of one command at one manager. Used by many threads.

    Args:
        name: The manager's name.
        clock: Time.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name, self._clock = name, clock
        self._guard = threading.Lock()
        self._waits: dict[int, ManagerWait] = {}
        self._states = ""
        self._next = self._states_since = clock.now()

    @contextmanager
    def announce(self, what: str) -> Iterator[ManagerWait]:
        """Within this something is waited for; its words may be changed meanwhile."""
        wait = ManagerWait(what, self._clock.now())
        with self._guard:
            self._waits[id(wait)] = wait
        try:
            yield wait
        finally:
            with self._guard:
                del self._waits[id(wait)]

    def states(self, summary: str) -> None:
        """What things at the manager are still waited for; empty when nothing is."""
        with self._guard:
            if bool(summary) != bool(self._states):
                self._states_since = self._clock.now()
            self._states = summary

    def overdue(self) -> str:
        """The line that a person should see now, or nothing: what lasts longest, or the states that do not come."""
        now = self._clock.now()
        with self._guard:
            if now < self._next:
                return ""
            oldest = min(self._waits.values(), key=lambda wait: wait.since, default=None)
            if oldest is not None and now - oldest.since >= FIRST:
                line = f"waiting for manager {self._name} ({oldest.what})"
            elif self._states and now - self._states_since >= AGAIN:
                line = f"waiting at manager {self._name}: {self._states}"
            else:
                return ""
            self._next = now + AGAIN
            return line
