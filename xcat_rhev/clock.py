"""Time as a thing that can be handed in, so that nothing in a test waits."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What waiting needs to know about time."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""


class SystemClock:
    """The machine's own monotonic clock."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        time.sleep(seconds)


class ManualClock:
    """A clock that moves only by its own methods: sleeping takes no time and is remembered.

    Args:
        start: The first reading, in seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        #: Every sleep that was asked for, in order, in seconds.
        self.slept: list[float] = []

    def now(self) -> float:
        """The reading, in seconds."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move the reading forward at once."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the reading forward without a sleep."""
        self._now += seconds


def pause(clock: Clock, seconds: float) -> None:
    """Let time pass."""
    if seconds > 0:
        clock.sleep(seconds)
