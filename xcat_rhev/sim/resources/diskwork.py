"""What an engine does to a disk as a whole: it moves it, gives unused room back, makes a volume smaller."""

from __future__ import annotations

from ..answers import ActionDone
from ..call import ApiCall
from ..dialect import NEVER, Thing
from ..faults import BAD, Refused, refuse
from ..routing import verb
from ..states import effect
from ..world import World
from .diskshape import DISK
from .vms import NOT_RUNNING

_BLOCK = frozenset({"iscsi", "fcp"})


def _image(call: ApiCall, action: str) -> Thing:
    """The disk, unless it is a LUN, which is no image of the engine's."""
    disk = call.things["disk"]
    if not disk.get("storage_domain"):
        raise refuse("disk no image", call.dialect, action=action)
    return disk


def _in_use(call: ApiCall, disk: Thing) -> bool:
    vm = call.world.get("vm", disk.get("vm"))
    return vm is not None and vm["status"] not in NOT_RUNNING and bool(disk.get("active"))


def move(call: ApiCall) -> ActionDone:
    """Move a disk to another storage domain, also one that a running machine uses."""
    target = call.named_part("storage_domain", "storage_domain")
    if target is None:
        raise Refused("Action [storageDomain.id|name] required for move", BAD, "Incomplete parameters")
    disk = _image(call, "move")
    if disk["status"] == "locked":
        if call.dialect.modern:  # 4.5.8 leaves its word for the disks unfilled
            raise refuse("disk locked", call.dialect, action="move", name="${diskAliases}")
        raise refuse("disk moving", call.dialect, name=disk["name"])
    if target["id"] == disk["storage_domain"]:
        raise refuse("disk same domain", call.dialect, BAD)
    if target["type"] != "data" or target["status"] != "active":
        raise refuse("sd inaccessible", call.dialect, action="move", state=target["status"])
    text = f"User admin@internal moving disk {disk['name']} to domain {target['name']}."
    call.world.event(2008, "normal", text)
    there = {"storage_domain": target["id"], "moved_from": disk["storage_domain"]}
    call.world.move(disk, "disk.move", effect="disk moved", **there)
    return ActionDone(DISK, disk, pending=True)


@effect("disk moved")
def finish_move(world: World, disk: Thing, _end: Thing) -> None:
    """Say that a disk is on its new domain, and count its room there."""
    for domain_id, sign in ((disk["moved_from"], -1), (disk["storage_domain"], 1)):
        domain = world.get("storage_domain", domain_id)
        if domain is not None:
            world.change(domain, committed=max(domain["committed"] + sign * disk["size"], 0))
    name = world.the("storage_domain", disk["storage_domain"])["name"]
    world.event(2010, "normal", f"User admin@internal finished moving disk {disk['name']} to domain {name}.")


def sparsify(call: ApiCall) -> ActionDone:
    """Give back the room that a disk does not use any more."""
    disk = _image(call, "sparsify")
    if _in_use(call, disk):
        raise refuse("disk in use", call.dialect, action="sparsify")
    if not disk.get("sparse"):
        raise refuse("disk sparsify preallocated", call.dialect, name=disk["name"])
    if disk.get("format") == "cow" and call.dialect.knows((4, 4)):
        raise refuse("disk sparsify cow", call.dialect, name=disk["name"])
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action="sparsify", name=disk["name"])
    call.world.event(1325, "normal", f"Started to sparsify {disk['name']}.")
    call.world.move(disk, "disk.sparsify", effect="disk sparsified")
    return ActionDone(DISK, disk, pending=True)


@effect("disk sparsified")
def finish_sparsify(world: World, disk: Thing, _end: Thing) -> None:
    """Say that it is done."""
    world.change(disk, actual_size=(disk.get("actual_size") or 0) // 2)
    world.event(1326, "normal", f"{disk['name']} sparsified successfully.")


def reduce(call: ApiCall) -> ActionDone:
    """Make the volume of a disk on block storage as small as what is in it."""
    disk = _image(call, "reduce")
    domain = call.world.the("storage_domain", disk["storage_domain"])
    if domain["storage_type"] not in _BLOCK:
        raise refuse("disk reduce file", call.dialect)
    if _in_use(call, disk):
        raise refuse("disk reduce active", call.dialect)
    call.world.move(disk, "disk.reduce", effect="disk reduced")
    return ActionDone(DISK, disk, pending=True)


@effect("disk reduced")
def finish_reduce(world: World, disk: Thing, _end: Thing) -> None:
    """Say that it is done."""
    world.event(382, "normal", f"Disk '{disk['name']}' has been successfully reduced.")


ROUTES = (
    verb("/vms/{vm}/disks/{disk}/move", move, "move it to another storage domain", since3=(3, 2), since4=NEVER),
    verb("/disks/{disk}/move", move, "move it to another storage domain", since3=(3, 4)),
    verb("/disks/{disk}/sparsify", sparsify, "give back the room that it does not use", since3=NEVER, since4=(4, 1)),
    verb("/disks/{disk}/reduce", reduce, "make its volume on block storage smaller", since3=NEVER, since4=(4, 2)),
)
