"""Wrappers around `send`, one habit each: counting, tracing, logging in, trying again."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import Callable, Protocol

from ..abort import Abort
from ..clock import Clock
from ..errors import Locked, Unreachable
from .transport import Request, Response, Sender
from .waiting import pause

#: How often a read is tried, and the seconds before the second time; each further pause is twice as long.
TRIES, FIRST_PAUSE, LONGEST_PAUSE = 5, 0.5, 8.0
#: Seconds for which a write that found its thing locked is tried again; engines let 180 pass between two fencings.
LOCKED_LIMIT = 200.0


class Counts:
    """What a command cost its manager; as text `5 requests, 1 connection`. Used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests, self._connections = 0, set[int]()

    def __str__(self) -> str:
        requests, connections = self._requests, len(self._connections)
        return f"{requests} request{'s'[:requests != 1]}, {connections} connection{'s'[:connections != 1]}"

    def asked(self) -> None:
        """Another request goes out."""
        with self._lock:
            self._requests += 1

    def answered(self, connection: int) -> None:
        """An answer came over a connection, perhaps one that others opened before."""
        with self._lock:
            self._connections.add(connection)


class Counted:
    """Counts what goes over the wire.

    Args:
        inner: Who sends.
        counts: Where it is counted.
    """

    def __init__(self, inner: Sender, counts: Counts) -> None:
        self._inner, self._counts = inner, counts

    def send(self, request: Request) -> Response:
        """See `Sender`."""
        self._counts.asked()
        response = self._inner.send(request)
        self._counts.answered(response.connection)
        return response


class Stoppable:
    """Lets what goes over the wire be broken off.

    Args:
        inner: Who sends.
        aborted: Set when nobody wants an answer any more.
    """

    def __init__(self, inner: Sender, aborted: Abort) -> None:
        self._inner, self._aborted = inner, aborted

    def send(self, request: Request) -> Response:
        """See `Sender`."""
        return self._inner.send(replace(request, aborted=self._aborted))


class Traced:
    """Tells a person what goes over the wire, without secrets.

    Args:
        inner: Who sends.
        say: Takes one line.
    """

    def __init__(self, inner: Sender, say: Callable[[str], None]) -> None:
        self._inner, self._say = inner, say

    def send(self, request: Request) -> Response:
        """See `Sender`."""
        asked = f"{request.method} {request.path}" + (f" {request.shown}" if request.shown else "")
        try:
            response = self._inner.send(request)
        except Unreachable as problem:
            self._say(f"{asked} -> {problem.text}")
            raise
        self._say(f"{asked} -> {response.status}, {response.size} bytes")
        return response


class Credentials(Protocol):
    """What proves who we are."""

    def headers(self, sender: Sender) -> dict[str, str]:
        """The headers to send along, logging in first if need be."""

    def renew(self, old: dict[str, str]) -> None:
        """Those headers are not taken any more: forget them, unless somebody else did."""


class LoggedIn:
    """Sends credentials along, and renews them once when the manager has forgotten us.

    Args:
        inner: Who sends.
        credentials: Shared by all who use the session.
    """

    def __init__(self, inner: Sender, credentials: Credentials) -> None:
        self._inner, self._credentials = inner, credentials

    def send(self, request: Request) -> Response:
        """See `Sender`."""
        proof = self._credentials.headers(self._inner)
        response = self._inner.send(_with(request, proof))
        if response.status == 401:
            self._credentials.renew(proof)
            response = self._inner.send(_with(request, self._credentials.headers(self._inner)))
        return response


class Retried:
    """Tries again what may be tried again, and nothing else.

    Reads: when no whole answer came. Writes: when their thing is locked by somebody else's work. A manager that
    cannot be connected to is not asked a second time by this request.

    Args:
        inner: Who sends; refusals are errors already.
        clock: Time.
    """

    def __init__(self, inner: Sender, clock: Clock) -> None:
        self._inner, self._clock = inner, clock
        self._dead: Unreachable | None = None

    def send(self, request: Request) -> Response:
        """See `Sender`.

        Raises:
            Unreachable: Not even after several tries.
            Locked: Somebody else was at work on the thing for too long.
        """
        began, tries = self._clock.now(), 0
        while True:
            if self._dead:
                raise self._dead
            tries += 1
            try:
                return self._inner.send(request)
            except Unreachable as problem:
                self._give_up_or_wait(request, problem, tries)
            except Locked:
                if not request.writes or self._clock.now() - began >= LOCKED_LIMIT:
                    raise
                back_off(self._clock, tries)

    def _give_up_or_wait(self, request: Request, problem: Unreachable, tries: int) -> None:
        if not problem.may_retry or (tries >= TRIES and not problem.sent):
            self._dead = problem
        if self._dead or request.writes or tries >= TRIES:
            raise problem
        back_off(self._clock, tries)


def back_off(clock: Clock, tries: int) -> None:
    """Wait before the next try: twice as long each time, and not in step with others.

    Args:
        clock: Time.
        tries: How many there were.
    """
    longest = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
    pause(clock, longest * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret


def _with(request: Request, headers: dict[str, str]) -> Request:
    return replace(request, headers={**request.headers, **headers})
