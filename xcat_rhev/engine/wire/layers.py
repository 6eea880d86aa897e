"""Wrappers around `send`, one habit each: counting, tracing, logging in, trying again."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from typing import Callable, Protocol

from ...errors import Locked, TimedOut, Unreachable
from .patience import Patience
from .transport import HttpRequest, Response, Sender

#: How often a create is tried whose thing is not there.
TRIES = 5
#: Seconds for which a manager is waited for that answered this request's first call: an engine that is started again
#: needs some forty.
AWAY_LIMIT = 60.0
#: How often at least a read is tried that may be mended.
FEWEST = 3
#: Seconds for which a write that found its thing locked is tried again; engines let 180 pass between two fencings.
LOCKED_LIMIT = 200.0


class RequestCounts:
    """What a command cost its manager; as text `5 requests, 1 connection`. Used by many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests, self._connections = 0, set[int]()

    def __str__(self) -> str:
        requests, connections = self._requests, len(self._connections)
        return f"{requests} request{'s'[: requests != 1]}, {connections} connection{'s'[: connections != 1]}"

    @property
    def requests(self) -> int:
        """Requests so far."""
        return self._requests

    def add_request(self) -> None:
        """Another request goes out."""
        with self._lock:
            self._requests += 1

    def add_connection(self, connection: int) -> None:
        """An answer came over a connection, perhaps one that others opened before."""
        with self._lock:
            self._connections.add(connection)


class Counted:
    """Counts what goes over the wire.

    Args:
        inner: The next sender.
        counts: Where it is counted.
    """

    def __init__(self, inner: Sender, counts: RequestCounts) -> None:
        self._inner, self._counts = inner, counts

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`."""
        self._counts.add_request()
        response = self._inner.send(request)
        self._counts.add_connection(response.connection)
        return response


class Attended:
    """Lets what goes over the wire be broken off, and a silence be noticed.

    Args:
        inner: The next sender.
        patience: How one waits.
    """

    def __init__(self, inner: Sender, patience: Patience) -> None:
        self._inner, self._patience = inner, patience

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`."""
        with self._patience.pulse.announce("answering") as wait:
            return self._inner.send(replace(request, aborted=self._patience.aborted, stage=wait.now))


class Traced:
    """Tells a person what goes over the wire, without secrets.

    Args:
        inner: The next sender.
        say: Takes one line.
    """

    def __init__(self, inner: Sender, say: Callable[[str], None]) -> None:
        self._inner, self._say = inner, say

    def send(self, request: HttpRequest) -> Response:
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

    @property
    def proven(self) -> bool:
        """Whether the manager gave a token or cookie that it may have forgotten."""

    def headers(self, sender: Sender) -> dict[str, str]:
        """The headers to send along, logging in first if need be."""

    def renew(self, old: dict[str, str]) -> None:
        """Those headers are not taken any more: forget them, unless somebody else did."""

    def deny(self, response: Response) -> None:
        """What was renewed is refused as well."""

    def try_tokens(self) -> bool:
        """Basic was refused: should a token be tried?"""

    def see_less(self) -> bool:
        """The user is not an administrator: ask for what it may see; False if that is so already."""


class LoggedIn:
    """Sends credentials along, and renews them once when the manager has forgotten us.

    What is fresh and refused is not tried again: a few wrong passwords lock an account.

    Args:
        inner: The next sender.
        credentials: Shared by all who use the session.
    """

    def __init__(self, inner: Sender, credentials: Credentials) -> None:
        self._inner, self._credentials = inner, credentials

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`."""
        known = self._credentials.proven
        proof = self._credentials.headers(self._inner)
        response = self._inner.send(_with(request, proof))
        if response.status == 401 and (self._credentials.try_tokens() or known):
            self._credentials.renew(proof)
            response = self._inner.send(_with(request, self._credentials.headers(self._inner)))
            if response.status == 401:
                self._credentials.deny(response)
        if response.status in (400, 403) and _NOT_ALL in response.body and self._credentials.see_less():
            response = self._inner.send(_with(request, self._credentials.headers(self._inner)))
        return response


#: What engines before 4.2 say to who is not an administrator and asks without the header `Filter` (QueriesCommandBase).
_NOT_ALL = b"insufficient permissions"


class Patient:
    """Tries a write again whose thing is locked by somebody else's work.

    Args:
        inner: The next sender; refusals are errors already.
        patience: How one waits.
    """

    def __init__(self, inner: Sender, patience: Patience) -> None:
        self._inner, self._patience = inner, patience

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`.

        Raises:
            Locked: Somebody else was at work on the thing for too long.
        """
        began = self._patience.clock.now()
        try:
            return self._inner.send(request)
        except Locked as problem:
            if not request.writes:
                raise
            return self._again(request, problem, began + LOCKED_LIMIT)

    def _again(self, request: HttpRequest, problem: Locked, end: float) -> Response:
        with self._patience.pulse.announce("") as wait:
            for tries in count(1):
                wait.now(f"it says: {problem.text}")
                self._patience.back_off(tries)
                try:
                    return self._inner.send(request)
                except Locked as again:
                    problem = again
                    if self._patience.clock.now() >= end:
                        break
        raise problem


class Retried:
    """Sends again what a manager that is away for a while did not get, and what was only read.

    A write that may have been carried out is not sent a second time: whoever wrote looks whether it was. Once a manager
    has been away for too long, or cannot be connected to at all, it is not asked again for the rest of the request.

    Args:
        inner: The next sender; refusals are errors already.
        patience: How one waits.
    """

    def __init__(self, inner: Sender, patience: Patience) -> None:
        self._inner, self._patience = inner, patience
        self._dead: Unreachable | None = None
        self._away_since: float | None = None

    def send(self, request: HttpRequest) -> Response:
        """See `Sender`.

        Raises:
            Unreachable: The manager did not come back.
        """
        try:
            return self._once(request)
        except Unreachable as problem:
            self._bear(request, problem, 1)
            return self._again(request, problem)

    def _once(self, request: HttpRequest) -> Response:
        if self._dead:
            raise self._dead
        response = self._inner.send(request)
        self._away_since = None
        return response

    def _again(self, request: HttpRequest, problem: Unreachable) -> Response:
        with self._patience.pulse.announce("") as wait:
            for tries in count(1):
                wait.now(f"until it is back: {problem.text}")
                self._patience.back_off(tries)
                try:
                    return self._once(request)
                except Unreachable as again:
                    problem = again
                    self._bear(request, problem, tries + 1)
                except TimedOut as over:
                    raise TimedOut(f"{problem.text}; {over.text}", over.hint) from None
        raise problem

    def _bear(self, request: HttpRequest, problem: Unreachable, tries: int) -> None:
        """Go on if it may be mended by waiting; a long list that breaks off is asked for again however long it took.

        Raises:
            Unreachable: It may not.
        """
        now = self._patience.clock.now()
        if self._away_since is None:
            self._away_since = now
        if not problem.may_retry or (tries >= FEWEST and now - self._away_since >= AWAY_LIMIT):
            self._dead = problem
        if self._dead or (request.writes and problem.sent):
            raise problem


def _with(request: HttpRequest, headers: dict[str, str]) -> HttpRequest:
    return replace(request, headers={**request.headers, **headers})
