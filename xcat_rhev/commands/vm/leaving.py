"""Disks that are being removed: they disappear a moment after the request, or after their machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Disk, DiskImage, Vm
from ...engine.states import ImageStatus
from ...engine.waiting import GONE, Goal
from ...errors import RhevError, TimedOut
from ...plan.jobs import Said, Wait

#: Seconds after which a disk that is removed is gone, or locked for that.
_SETTLING = 30.0


def removable_disks(manager: Manager, disks: Sequence[Disk]) -> list[Disk]:
    """A machine's disks whose removal can be observed; shared ones and LUNs stay, before 3.1 there is no list."""
    if not manager.keeps_disks:
        return []
    return [disk for disk in disks if disk.name and not disk.shareable and not disk.is_lun]


def waits(
    manager: Manager, vm: Vm, disks: Sequence[Disk], limit: float, then: Callable[[Any], Said] = lambda _: None
) -> Iterator[Wait]:
    """Wait until disks are gone: until then what they were copied from cannot be removed.

    Args:
        manager: The manager.
        vm: The machine that had them.
        disks: From `removable_disks`.
        limit: Seconds for each.
        then: The message when the last is gone.
    """
    for disk in disks:
        said = then if disk is disks[-1] else lambda _: None
        left = partial(_leftover, manager, vm, disk)
        yield Wait(f"wait until {disk.name} is gone", partial(_removal_goal, disk, limit), said, left)


def _removal_goal(disk: Disk, limit: float) -> Goal:
    image = DiskImage(id=disk.disk_id or disk.id, name=disk.name)
    # A disk that is removed is locked at once. One that is still usable after a while is kept, and waiting for it would
    # not end.
    failed = frozenset({ImageStatus.ILLEGAL}) - {disk.status} | {ImageStatus.OK}
    return Goal(image, frozenset({GONE}), failed=failed, grace=_SETTLING, limit=limit)


def _leftover(manager: Manager, vm: Vm, disk: Disk, problem: RhevError) -> RhevError:
    """The error for a disk that was not removed: API v3 of 4.x detaches it from its machine first."""
    if isinstance(problem, TimedOut):
        return problem
    try:
        there = {each.id for each in manager.list(Disk, under=vm)}
    except RhevError:
        there = set()
    known = disk.disk_id or disk.id
    if problem.text.endswith(f" is {ImageStatus.OK}") and disk.id not in there:
        text = f"the disk {disk.name} is still there: another user detached it before it was removed"
        return type(problem)(text, f"Run: cfgve -t disk -m {manager.name} -o {known} -r")
    kept = f"Run: chvm {vm.name} -p {known}"
    return type(problem)(
        problem.text, kept if disk.id in there else f"No machine has it now. Run: cfgve -t disk -o {known} -r"
    )
