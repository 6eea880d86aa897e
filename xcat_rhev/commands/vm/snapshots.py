"""Snapshots of a machine, known by their description."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial

from ...engine.manager import Manager
from ...engine.nouns import Snapshot, Vm
from ...engine.states import IMAGE_OK, VM_SETTLED, VmStatus
from ...engine.waiting import GONE, Goal
from ...messages import Data, Error
from ...ordering import natural
from ...plan.jobs import Job, Step, Wait
from .keeping import Keep

#: The names of chvm's options.
OPTIONS = ("snapshot", "revert", "rmsnapshot")
#: The date in the name of a snapshot that is one of a series, in UTC.
_STAMP, _STAMPED = "-%Y%m%d-%H%M%S", re.compile(r"-\d{8}-\d{6}", re.ASCII)


def _moment_in(name: str, series: str) -> datetime | None:
    """The date in the name of one of a series; None for another name."""
    if not name.startswith(series) or not _STAMPED.fullmatch(name[len(series) :]):
        return None
    try:
        return datetime.strptime(name[len(series) :], _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


@dataclass
class Snapshots:
    """What is to be done with a machine's snapshots.

    Attributes:
        manager: Where it is.
        vm: The machine.
        there: Its snapshots.
        limit: Seconds for each wait.
    """

    manager: Manager
    vm: Vm
    there: Sequence[Snapshot]
    limit: float
    made: list[Snapshot] = field(default_factory=list)

    def job(self, options: Mapping[str, str]) -> Job | Error:
        """The job for one of the options."""
        name = next(option for option in OPTIONS if option in options)
        return {"snapshot": self.make, "revert": self.revert, "rmsnapshot": self.remove}[name](options[name])

    def by_description(self, name: str) -> list[Snapshot]:
        """Those with that description; engines take the same one twice."""
        return [each for each in self.there if each.description == name and each.real]

    def make(self, name: str) -> Job | Error:
        """Take one."""
        if self.by_description(name):
            return Job(self.vm.name, idle=f"snapshot {name} is there. There is nothing to do")
        return self._job(
            Step(f"take the snapshot {name}", partial(self._create, name)),
            [Wait("wait until it is taken", self._snapshot_goal)],
            f"snapshot {name}: ok.",
        )

    def rotate(self, series: str, keep: Keep, now: datetime) -> Job:
        """Take one of a series, then remove those of the series that are not kept, the oldest first.

        Args:
            series: The common name, before the date.
            keep: Which stay.
            now: The date of the new one.
        """
        name = f"{series}{now:{_STAMP}}"
        old = keep.surplus(self.members(series), now)
        parts: list[Step | Wait] = [
            *self._unlock_waits(),
            Step(f"take the snapshot {name}", partial(self._create, name)),
            Wait("wait until it is taken", self._snapshot_goal),
            Wait("wait until its disks are settled", self._settled_goal, self._say(f"snapshot {name}: ok.")),
        ]
        for snapshot in old:
            parts += self._removal_parts(snapshot)
        return Job(self.vm.name, parts)

    def members(self, series: str) -> list[tuple[datetime, Snapshot]]:
        """Those of a series with their dates, the newest first; other snapshots with similar names do not count."""
        found = []
        for each in self.there:
            moment = _moment_in(each.description or "", series)
            if each.real and moment:
                found.append((moment, each))
        return sorted(found, key=lambda one: one[0], reverse=True)

    def _removal_parts(self, snapshot: Snapshot) -> list[Step | Wait]:
        name = snapshot.description or ""
        gone = partial(Goal, snapshot, frozenset({GONE}), limit=self.limit, under=self.vm)
        return [
            Step(f"remove the snapshot {name}", partial(self.manager.remove, snapshot, under=self.vm)),
            Wait("wait until it is merged", gone),
            Wait("wait until its disks are settled", self._settled_goal, self._say(f"snapshot {name}: removed.")),
        ]

    def _say(self, text: str) -> Callable[[object], list[Data]]:
        return lambda _: [Data(text, self.vm.name)]

    def _create(self, name: str) -> None:
        # Saving the memory would stop the machine meanwhile, and a revert does not restore it.
        self.made.append(self.manager.create(Snapshot(description=name, memory=False), under=self.vm))

    def _snapshot_goal(self) -> Goal | None:
        if self.manager.lacks(Snapshot, ["status"]):
            return None  # its machine, which has to be down for it, is locked meanwhile
        return Goal(self.made[0], IMAGE_OK, limit=self.limit, under=self.vm)

    def revert(self, name: str) -> Job | Error:
        """Go back to one."""
        snapshot = self._one(name)
        if isinstance(snapshot, Error):
            return snapshot
        if self.vm.status not in (VmStatus.DOWN, VmStatus.IMAGE_LOCKED):
            return Error(f"the machine is {self.vm.status}. Run: rpower {self.vm.name} off", self.vm.name)
        return self._job(
            Step(f"go back to the snapshot {name}", partial(self._restore, snapshot)),
            [],
            f"reverted to snapshot {name}.",
        )

    def _restore(self, snapshot: Snapshot) -> None:
        self.manager.act(snapshot, "restore", under=self.vm)

    def remove(self, name: str) -> Job | Error:
        """Remove one."""
        if not self.by_description(name):
            return Job(self.vm.name, idle=f"there is no snapshot {name}. There is nothing to do")
        snapshot = self._one(name)
        if isinstance(snapshot, Error):
            return snapshot
        return Job(self.vm.name, [*self._unlock_waits(), *self._removal_parts(snapshot)])

    def _one(self, name: str) -> Snapshot | Error:
        found = self.by_description(name)
        if len(found) == 1:
            return found[0]
        if found:
            return Error(f"{len(found)} snapshots have the name {name}; remove one in the manager first", self.vm.name)
        there = ", ".join(sorted((each.description or each.id for each in self.there if each.real), key=natural))
        return Error(f"it has no snapshot {name}; it has {there or 'none'}", self.vm.name)

    def _job(self, step: Step, waits: Sequence[Wait], text: str) -> Job:
        """The step after the disks are unlocked, then the waits until they are unlocked again."""
        end = Wait("wait until its disks are settled", self._settled_goal, self._say(text))
        return Job(self.vm.name, [*self._unlock_waits(), step, *waits, end])

    def _unlock_waits(self) -> list[Wait]:
        locked = self.vm.status == VmStatus.IMAGE_LOCKED
        return [Wait("wait until its disks are no longer locked", self._settled_goal)] if locked else []

    def _settled_goal(self) -> Goal:
        return Goal(self.vm, VM_SETTLED, limit=self.limit, settled=True)
