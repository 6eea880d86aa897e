"""The wish of a person who asked to have no answer any more, the end of their patience, and who is broken off by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from .clock import Clock
from .errors import Aborted, RhevError, TimedOut


class Abort(threading.Event):
    """An event that, when it is set, breaks off what waits for somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self._breaks: dict[object, Callable[[], None]] = {}
        self._guard = threading.Lock()

    def set(self) -> None:
        """Break off all that is waiting, and what will be."""
        super().set()
        with self._guard:
            for breaks in self._breaks.values():
                breaks()

    @contextmanager
    def callback(self, breaks: Callable[[], None]) -> Iterator[None]:
        """Within this, have something called when it is set.

        Args:
            breaks: Makes the waiting end; called by the thread that sets it, so it must neither wait nor raise.
        """
        key = object()
        with self._guard:
            self._breaks[key] = breaks
        try:
            if self.is_set():
                breaks()
            yield
        finally:
            with self._guard:
                del self._breaks[key]

    def pause(self) -> None:
        """Called between two pieces of work that takes long; here it does nothing."""

    def problem(self) -> RhevError:
        """Why what was broken off has no answer."""
        return Aborted("stopped, because the client went away")

    def seconds_left(self) -> float:
        """Seconds until it sets itself."""
        return float("inf")


class Limit(Abort):
    """An abort that also comes by itself, when the time of `--timeout` is over. To be closed in the end.

    Args:
        outer: Sets this one too.
        clock: Time.
        seconds: How long everything may take; 0 for no limit.

    Attributes:
        seconds: As above.
    """

    def __init__(self, outer: Abort, clock: Clock, seconds: float = 0.0) -> None:
        super().__init__()
        self._outer, self._clock, self.seconds = outer, clock, seconds
        self._end = clock.now() + seconds if seconds else float("inf")
        self._linked = outer.callback(self.set)
        self._linked.__enter__()
        self._timer = threading.Timer(seconds, self.set) if seconds else None
        if self._timer:
            self._timer.daemon = True
            self._timer.start()

    def is_set(self) -> bool:
        """Whether it is over."""
        return super().is_set() or self._clock.now() >= self._end

    def problem(self) -> RhevError:
        """Why what was broken off has no answer."""
        if self._outer.is_set():
            return self._outer.problem()
        return TimedOut(
            f"not done within the {self.seconds:g} s of --timeout",
            "The manager may go on working; look again later or give a longer --timeout",
        )

    def seconds_left(self) -> float:
        """Seconds until it sets itself; not below 0."""
        return max(0.0, min(self._end - self._clock.now(), self._outer.seconds_left()))

    def close(self) -> None:
        """Nothing is left that could be broken off."""
        if self._timer:
            self._timer.cancel()
        self._linked.__exit__(None, None, None)


def check(aborted: threading.Event) -> None:
    """Go on only if somebody still wants the answer, and make room for others if there are any.

    Raises:
        Aborted: Nobody does.
        TimedOut: The time of `--timeout` is over.
    """
    if isinstance(aborted, Abort):
        aborted.pause()
    if aborted.is_set():
        raise (aborted if isinstance(aborted, Abort) else Abort()).problem()
