"""Long actions of a manager on a whole disk: move, sparsify, reduce.

The disk is locked meanwhile, and ok afterwards, whether it succeeded or failed; an event says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Disk, DiskImage, Event, StorageDomain, Vm
from ...engine.states import IMAGE_BROKEN, IMAGE_OK
from ...engine.waiting import Goal
from ...errors import FailedState, RhevError
from ...messages import Message
from ...plan.jobs import Step, Wait

#: Seconds that a move usually takes at most; a large disk over a slow line takes hours.
LIMIT = 6 * 3600.0
#: How many events are read; others are written meanwhile.
_EVENTS = 100


@dataclass(frozen=True)
class DiskVerb:
    """One thing that can be done.

    Attributes:
        name: The manager's verb.
        ends: Codes of the events for success (AuditLogType).
        fails: Codes of the events for failure.
        came: Its name in the list of arrivals.
    """

    name: str
    ends: tuple[int, ...]
    fails: tuple[int, ...]
    came: str


MOVE = DiskVerb("move", (2010, 2052), (2009, 2011), "moves of disks by themselves")
SPARSIFY = DiskVerb("sparsify", (1326,), (1327,), "sparsifying")
REDUCE = DiskVerb("reduce", (382,), (383,), "reducing disks")


@dataclass
class DiskWork:
    """One action on a disk.

    Attributes:
        manager: Where it is.
        disk: As it was before.
        verb: What is done.
        vm: Its machine, where it is seen as a machine's.
        target: Where a disk moves to.
        limit: Seconds to wait.
    """

    manager: Manager
    disk: Disk | DiskImage
    verb: DiskVerb
    vm: Vm | None = None
    target: StorageDomain | None = None
    limit: float = LIMIT
    _since: int = field(default=0, init=False)
    _trouble: str = field(default="", init=False)

    def parts(self, says: str, done: Callable[[], Iterable[Message]]) -> list[Step | Wait]:
        """The steps.

        Args:
            says: What is done, for `--dry-run`.
            done: What to report and do at its end.
        """
        goal = partial(Goal, self.disk, IMAGE_OK, IMAGE_BROKEN, limit=self.limit, under=self.vm, also=self._is_over)
        return [
            Step(says, self._begin),
            Wait(f"wait until it is done ({self.verb.name})", goal, partial(self._end, done)),
        ]

    def _begin(self) -> None:
        self._since = max((int(event.id or 0) for event in self.manager.newest_events(1)), default=0)
        params: dict[str, Any] = {"storage_domain": self.target.ref} if self.target else {}
        self.manager.work_on_disk(self.disk, self.verb.name, self.vm, **params)

    def _is_over(self, now: Disk | DiskImage) -> bool:
        """Whether it is at its target, or an event says that it is done or has failed."""
        if self.target is not None and any(ref.id == self.target.id for ref in now.storage_domains):
            return True
        try:
            events = [each for each in self.manager.newest_events(_EVENTS) if self._is_about(each)]
        except RhevError:
            return False  # decided at the next check
        failed = [each.description or "no reason" for each in events if each.code in self.verb.fails]
        self._trouble = failed[0] if failed else ""
        return bool(failed) or self.target is None and any(each.code in self.verb.ends for each in events)

    def _is_about(self, event: Event) -> bool:
        """Whether it is a new event about this disk."""
        words = f" {(event.description or '').replace(chr(39), '').rstrip('.')} "
        names = {self.disk.name, self.disk.alias} - {None, ""}
        return int(event.id or 0) > self._since and any(f" {name} " in words for name in names)

    def _end(self, done: Callable[[], Iterable[Message]], _: object) -> Iterable[Message]:
        if self._trouble:
            raise FailedState(self._trouble)
        return done()
