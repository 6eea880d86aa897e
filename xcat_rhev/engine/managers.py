"""Managers by how they are reached, their sessions kept warm for the life of the process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

from ..abort import Abort
from ..clock import Clock
from .manager import Manager
from .session import Access, Finder, Session

__all__ = ["Access", "Managers"]

#: Seconds after which one looks again where a manager is and what it speaks: it may have been upgraded.
_STALE = 3600.0


class Managers:
    """Warm sessions with managers; one per process, used by many threads.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[Access, tuple[Session, float]] = {}
        self._locks: dict[Access, threading.Lock] = {}
        self._guard = threading.Lock()

    def open(
        self, access: Access, say: Callable[[str], None] | None = None, aborted: Abort | None = None
    ) -> Manager:
        """Give a facade for one request; the first one for a manager finds out where it is and what it speaks.

        Args:
            access: How it is reached.
            say: Takes trace lines without secrets.
            aborted: Set when nobody wants an answer any more.

        Raises:
            Unreachable: Nothing answers.
            Denied: User or password is wrong.
            BadAnswer: Something else answers.
        """
        with self._guard:
            lock = self._locks.setdefault(access, threading.Lock())
        with lock:
            session, since = self._sessions.get(access, (None, 0.0))
            if session is not None and self._clock.now() - since < _STALE:
                return Manager(session, self._clock, say, aborted=aborted)
            notes: list[str] = []
            finder = Finder(access, say, notes.append, aborted)
            session = finder.find()
            # One that is replaced is left to those who still use it; the engine ends it when it is idle.
            self._sessions[access] = session, self._clock.now()
        return Manager(session, self._clock, say, finder.counts, notes, aborted)

    def close(self) -> None:
        """End all sessions, side by side."""
        with self._guard:
            sessions = [session for session, _ in self._sessions.values()]
            self._sessions.clear()
        with ThreadPoolExecutor(max(1, len(sessions)), "close") as pool:
            list(pool.map(Session.close, sessions))
