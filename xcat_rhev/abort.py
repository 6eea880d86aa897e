"""The wish of a person who asked to have no answer any more, and those who can be broken off by it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable

from .errors import Aborted


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
    def breaking(self, breaks: Callable[[], None]) -> Iterator[None]:
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


def check(aborted: threading.Event) -> None:
    """Go on only if somebody still wants the answer.

    Raises:
        Aborted: Nobody does.
    """
    if aborted.is_set():
        raise Aborted("stopped, because the client went away")
