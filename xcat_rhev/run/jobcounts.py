"""How far a command is: what is done, under way and not begun, over all its managers."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping

from ..clock import Clock
from ..messages import Message, Note, Progress

#: The client's variable that asks for a line whenever something has changed; xCAT's own clients do not set it.
WANTED = "XCAT_RHEV_PROGRESS"
#: Seconds between two such lines at least, and between two lines of `-V`.
OFTEN, SELDOM = 0.5, 30.0
#: More states than this are no help to a person.
FEW = 2


class JobCounts:
    """The jobs of one command. Used by many threads.

    Args:
        clock: Time.
        environment: The client's variables.
        verbose: `-V` was given.
    """

    def __init__(self, clock: Clock, environment: Mapping[str, str], verbose: bool) -> None:
        self._clock, self._guard = clock, threading.Lock()
        self._wanted = environment.get(WANTED) == "1"
        self._pause = OFTEN if self._wanted else SELDOM if verbose else 0.0
        self._said, self._began = "", clock.now()
        self._next = self._began + (0.0 if self._wanted else SELDOM)
        self._jobs: Counter[str] = Counter()
        self._states: dict[object, Counter[str]] = {}

    def add_planned(self) -> None:
        """There is one more job."""
        self._count("planned")

    def add_begun(self) -> None:
        """One was begun."""
        self._count("begun")

    def add_ended(self) -> None:
        """One has come to its end, well or not."""
        self._count("ended")

    def set_waiting(self, manager: object, states: Counter[str]) -> None:
        """The states of what is waited for at a manager."""
        with self._guard:
            self._states[manager] = states

    def line(self) -> str:
        """Such as `37/200 done, 8 image_locked, 155 not begun`; empty while nothing is planned."""
        with self._guard:
            jobs, states = self._jobs.copy(), sum(self._states.values(), Counter[str]())
        under_way = jobs["begun"] - jobs["ended"]
        shown = states.most_common(FEW)
        counts = [
            *shown,
            ("under way", under_way - sum(number for _, number in shown)),
            ("not begun", jobs["planned"] - jobs["begun"]),
        ]
        parts = [f"{number} {what}" for what, number in counts if number > 0]
        return ", ".join([f"{jobs['ended']}/{jobs['planned']} done", *parts]) if jobs["planned"] else ""

    def news(self) -> Iterator[Message]:
        """The line to show now, if any."""
        now = self._clock.now()
        if not self._pause or now < self._next:
            return
        line = self.line()
        self._next = now + self._pause
        if self._wanted and line != self._said:
            self._said = line
            yield Progress(line)
        elif line and not self._wanted:
            yield Note(f"{line}, {now - self._began:.0f} s")

    def _count(self, what: str) -> None:
        with self._guard:
            self._jobs[what] += 1
