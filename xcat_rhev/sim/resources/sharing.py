"""Disks that several machines have: one machine owns the disk, each further one has a sharing of its own."""

from __future__ import annotations

from ..dialect import Thing
from ..world import World

#: What belongs to how a disk hangs on a machine, and not to the disk.
HOW = ("bootable", "active", "interface")


def disks_of(world: World, vm: Thing) -> list[Thing]:
    """Give a machine's disks, those that it shares as it has them."""
    own = world.of("disk", "vm", vm["id"])
    shared = [
        {**world.the("disk", tie["disk"]), **{key: tie[key] for key in HOW}, "vm": vm["id"]}
        for tie in world.of("sharing", "vm", vm["id"])
    ]
    return [*own, *shared]


def share(world: World, disk: Thing, vm: Thing, how: Thing) -> None:
    """Hang a disk that another machine owns on one more."""
    world.add("sharing", disk=disk["id"], vm=vm["id"], **{key: how.get(key, disk.get(key)) for key in HOW})


def tie_of(world: World, disk: Thing, vm: Thing) -> Thing | None:
    """Give a machine's sharing of a disk, if it has one."""
    return next((tie for tie in world.of("sharing", "vm", vm["id"]) if tie["disk"] == disk["id"]), None)


def take_off(world: World, disk: Thing, vm: Thing) -> None:
    """Take a disk off one machine; the next that shares it becomes its owner."""
    tie = tie_of(world, disk, vm)
    if tie is not None:
        world.remove(tie)
        return
    heir = next(iter(world.of("sharing", "disk", disk["id"])), None)
    if heir is None:
        world.change(disk, vm=None, active=False, bootable=False)
    else:
        world.change(disk, vm=heir["vm"], **{key: heir[key] for key in HOW})
        world.remove(heir)
