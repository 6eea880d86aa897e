"""The order of requests: many clients take turns, and some places are kept for root."""

from __future__ import annotations

from collections import Counter, deque
from typing import Callable, NamedTuple

Serve = Callable[[], None]


class Client(NamedTuple):
    """A client that asks.

    Attributes:
        key: A user's name, or a stranger's address.
        stranger: It showed no certificate.
        first: It is root or another daemon: never kept waiting by others.
    """

    key: str = ""
    stranger: bool = False
    first: bool = True


class Turn(NamedTuple):
    """A request that is to be served now."""

    client: Client
    serve: Serve


class Turns:
    """Requests that wait, and how many are served for each client. Not for several threads at once.

    Args:
        most: How many are served at once. An eighth is kept for root; one user, and all strangers together, have at
            most a half.
    """

    def __init__(self, most: int) -> None:
        self._most, self._rest = most, most - (max(1, most // 8) if most > 1 else 0)
        self._half = max(1, most // 2)
        self._first: deque[Turn] = deque()
        #: By key, in the order in which they get their turns.
        self._others: dict[str, deque[Turn]] = {}
        self._busy: Counter[str] = Counter()
        self._all = self._of_others = self._of_strangers = 0

    def add(self, client: Client, serve: Serve) -> None:
        """Have a request wait."""
        queue = self._first if client.first else self._others.setdefault(client.key, deque())
        queue.append(Turn(client, serve))

    def next(self, first_only: bool = False) -> Turn | None:
        """Take the next request that may be served; `done` has to follow.

        Args:
            first_only: Only of clients that are served first.
        """
        if self._all >= self._most:
            return None
        key = None if self._first or first_only else self._next_key()
        if key is not None:
            queue = self._others.pop(key)
            if len(queue) > 1:
                self._others[key] = queue  # behind all others
            turn = queue.popleft()
        elif self._first:
            turn = self._first.popleft()
        else:
            return None
        self._count(turn.client, 1)
        return turn

    @property
    def can_go_on(self) -> bool:
        """Whether a request waits that may be served."""
        return self._all < self._most and (bool(self._first) or self._next_key() is not None)

    def finish(self, client: Client) -> None:
        """A request is served."""
        self._count(client, -1)

    @property
    def under_way(self) -> int:
        """How many are served now."""
        return self._all

    def _next_key(self) -> str | None:
        """The next of the other clients."""
        if self._of_others >= self._rest:
            return None
        return next((key for key, queue in self._others.items() if self._may(queue[0].client)), None)

    def _may(self, client: Client) -> bool:
        return self._busy[client.key] < self._half and not (client.stranger and self._of_strangers >= self._half)

    def _count(self, client: Client, more: int) -> None:
        self._all += more
        if client.first:
            return
        self._of_others += more
        self._of_strangers += more if client.stranger else 0
        self._busy[client.key] += more
        if not self._busy[client.key]:
            del self._busy[client.key]
