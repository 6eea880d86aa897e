"""Managers by how they are reached, their sessions kept warm for the life of the process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Callable

from ..abort import Abort, check
from ..clock import Clock
from .manager import Manager
from .wire.access import Access
from .wire.patience import Patience
from .wire.pulse import Pulse
from .wire.session import ApiFinder, Session, split_name
from .wire.trust import ca_in, fingerprints, stamp_of

__all__ = ["Access", "Managers", "Patience", "Pulse", "ca_in", "fetch_authority", "fingerprints", "split_name"]

#: Seconds after which one looks again where a manager is and what it speaks: it may have been upgraded.
_STALE = 3600.0
#: How often, in seconds, who waits for another that is connecting looks whether it is still wanted.
_GLANCE = 0.25


@dataclass(frozen=True)
class _Known:
    """A session, since when it is there, and the stamp of the CA that it was made with."""

    session: Session
    since: float
    stamp: tuple[int, ...]


class Managers:
    """Warm sessions with managers; one per process, used by many threads.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[Access, _Known] = {}
        self._locks: dict[Access, threading.Lock] = {}
        self._guard = threading.Lock()

    def open(
        self,
        access: Access,
        say: Callable[[str], None] | None = None,
        tell: Callable[[str], None] | None = None,
        patience: Patience | None = None,
    ) -> Manager:
        """Give a facade for one request; the first one for a manager finds out where it is and what it speaks.

        Args:
            access: How it is reached.
            say: Takes trace lines without secrets.
            tell: Takes what a person should know, e.g. that a CA was fetched.
            patience: How one waits; without it until there is an answer.

        Raises:
            Unreachable: Nothing answers.
            Denied: User or password is wrong.
            BadAnswer: Something else answers.
        """
        patience = patience or Patience(self._clock, Abort(), Pulse(access.name, self._clock))
        with self._guard:
            lock = self._locks.setdefault(access, threading.Lock())
        with patience.pulse.announce("connecting"):
            while not lock.acquire(timeout=_GLANCE):
                check(patience.aborted)
        try:
            known = self._sessions.get(access)
            if known is not None and self._fresh(known):
                return Manager(known.session, self._clock, say, patience=patience)
            finder = ApiFinder(access, say, tell or (lambda _: None), patience)
            session = finder.find()
            # One that is replaced is left to those who still use it; the engine ends it when it is idle.
            self._sessions[access] = _Known(session, self._clock.now(), stamp_of(access))
        finally:
            lock.release()
        return Manager(session, self._clock, say, finder.counts, patience)

    def _fresh(self, known: _Known) -> bool:
        """Whether a session can be used again. Not when its login was refused, or when another CA was put in place."""
        young = self._clock.now() - known.since < _STALE
        return young and not known.session.login.refused and known.stamp == stamp_of(known.session.access)

    def close(self) -> None:
        """End all sessions, side by side."""
        with self._guard:
            sessions = [known.session for known in self._sessions.values()]
            self._sessions.clear()
        with ThreadPoolExecutor(max(1, len(sessions)), "close") as pool:
            list(pool.map(Session.close, sessions))


def fetch_authority(access: Access, patience: Patience) -> str:
    """Fetch a manager's CA into its folder, if it is not there, without a login.

    Args:
        access: How the manager is reached.
        patience: How one waits.

    Returns:
        Its SHA-256.

    Raises:
        Unreachable: Nothing answers, or nothing gives a CA.
        Usage: The folder cannot be written.
    """
    return fingerprints(ApiFinder(access, None, lambda _: None, patience).authority())
