"""What strangers do again and again is written down a few times and then counted: a log is no place for a flood."""

from __future__ import annotations

import threading
from typing import NamedTuple

from ..clock import Clock

#: Seconds for which is counted.
PERIOD = 60.0
#: Whatever is beyond so many sources is counted as one.
MOST, OTHERS = 1000, "other addresses"


class Allowance(NamedTuple):
    """What is written down in full in one period.

    Attributes:
        each: Of one source.
        all: Of all together.
    """

    each: int
    all: int


class Tally:
    """What was not written down. Used by many threads.

    Args:
        clock: Time.
        allowance: What is written down.
    """

    def __init__(self, clock: Clock, allowance: Allowance) -> None:
        self._clock, self._allowance = clock, allowance
        self._seen: dict[str, int] = {}
        self._rest: dict[str, int] = {}
        self._all = 0
        self._end = clock.now() + PERIOD
        self._guard = threading.Lock()

    def take(self, source: str) -> bool:
        """Count one of a source; tells whether it is to be written down in full."""
        with self._guard:
            if source not in self._seen and len(self._seen) >= MOST:
                source = OTHERS
            count = self._seen[source] = self._seen.get(source, 0) + 1
            if count <= self._allowance.each and self._all < self._allowance.all:
                self._all += 1
                return True
            self._rest[source] = self._rest.get(source, 0) + 1
            return False

    def rest(self, at_once: bool = False) -> dict[str, int]:
        """Source -> how many of it were not written down, when a period is over; a new one then begins.

        Args:
            at_once: Also before the period is over.
        """
        with self._guard:
            if self._clock.now() < self._end and not at_once:
                return {}
            rest, self._rest, self._seen, self._all = self._rest, {}, {}, 0
            self._end = self._clock.now() + PERIOD
            return rest
