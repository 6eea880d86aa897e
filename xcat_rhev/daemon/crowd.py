"""The clients that are connected, and what share of the daemon they may take: strangers least, root all that is left.

Whoever can reach the port can connect, and nobody is known before the TLS handshake is done. So a stranger that is too
much is not refused, which would keep root out as well: the oldest one without a request under way makes room, of the
address that has most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from .framing import LONGEST


@dataclass(frozen=True)
class CrowdLimits:
    """What those of one kind may have.

    Attributes:
        rank: Among those who wait for the loop the smallest comes first.
        each, all: Connections: of one address or user, and of all together.
        bytes_each, bytes_all: What waits for them in memory, requests and answers.
        longest: Bytes of one request.
        waiting: Bytes of an answer that wait in memory before the command that writes it has to.
        stalled: Seconds in which a client may take nothing while an answer waits.
    """

    rank: int
    each: int
    all: int
    bytes_each: int
    bytes_all: int
    longest: int
    waiting: int
    stalled: float


_MIB = 1 << 20
#: Of connections without a certificate. A web server on this machine reports for whole racks at once, from one address.
STRANGERS = CrowdLimits(4, 256, 700, 4 * _MIB, 16 * _MIB, 64 << 10, 256 << 10, 30.0)
#: Of users with a certificate. Somebody reads an answer in a pager.
USERS = CrowdLimits(2, 64, 200, 40 * _MIB, 96 * _MIB, LONGEST, 4 * _MIB, 900.0)
#: Of root and of other daemons.
FIRST = CrowdLimits(1, 1000, 1000, 160 * _MIB, 160 * _MIB, LONGEST, 4 * _MIB, 900.0)


class Member(Protocol):
    """What a crowd needs of a connection."""

    @property
    def idle(self) -> bool:
        """Whether nothing is lost for its client if it ends now."""


M = TypeVar("M", bound=Member)


@dataclass
class Share(Generic[M]):
    """What one address or one user has.

    Attributes:
        kind: The crowd that it counts for.
        key: The address or the name.
        members: Its connections, oldest first.
        held: Bytes that wait in memory for it.
    """

    kind: Crowd[M]
    key: str
    members: dict[M, None] = field(default_factory=dict)
    held: int = 0

    @property
    def limits(self) -> CrowdLimits:
        """What it keeps to."""
        return self.kind.limits

    def hold(self, more: int) -> bool:
        """Count bytes, fewer if negative; tells whether that is within the limits."""
        self.held += more
        self.kind.held += more
        return self.held <= self.limits.bytes_each and self.kind.held <= self.limits.bytes_all

    def oldest(self) -> M | None:
        """The connection that has been here longest without a request under way."""
        return next((member for member in self.members if member.idle), None)


class Crowd(Generic[M]):
    """All connections of one kind. Only for the loop's thread, but for the bytes of an answer.

    Args:
        limits: What they may have.
    """

    def __init__(self, limits: CrowdLimits) -> None:
        self.limits = limits
        #: Bytes that wait in memory for all of them.
        self.held = 0
        self._shares: dict[str, Share[M]] = {}
        self._count = 0

    def join(self, member: M, key: str) -> tuple[Share[M], M | None]:
        """Take a connection in.

        Args:
            member: The connection.
            key: Its address, or its user.

        Returns:
            The share that it is a part of, and the connection that has to go for it, which may be itself.
        """
        share = self._shares.setdefault(key, Share(self, key))
        share.members[member] = None
        self._count += 1
        if len(share.members) > self.limits.each:
            return share, share.oldest() or member
        if self._count > self.limits.all:
            largest = max(self._shares.values(), key=lambda one: len(one.members))
            return share, largest.oldest() or member
        return share, None

    def leave(self, member: M, share: Share[M]) -> None:
        """A connection is gone, or belongs to another crowd."""
        if share.members.pop(member, member) is None:
            self._count -= 1
        if not share.members and self._shares.get(share.key) is share:
            del self._shares[share.key]
