"""Snapshots of machines."""

from __future__ import annotations

from ..answers import Done, Many, One, Removed
from ..call import SHAPES, Call, require
from ..dialect import Shape, Thing, named, ref
from ..faults import Gone, Refused, refuse
from ..routing import delete, get, post, verb
from ..states import effect
from ..world import World
from .vms import NOT_RUNNING

SNAPSHOT = Shape(
    "snapshot", "snapshot", "snapshots", "/vms/{vm}/snapshots/{snap}",
    (
        named("snapshot_type", v3="type", since3=(3, 1), fixed=True), ref("vm", fixed=True),
        named("date", "date", fixed=True),
        named("status", v3="snapshot_status", v4="snapshot_status", since3=(3, 1), fixed=True),
        named("memory", "bool", "persist_memorystate", "persist_memorystate", since3=(3, 3)),
    ),
)
SHAPES["snapshot"] = SNAPSHOT


def _all(call: Call) -> list[Thing]:
    """Give a machine's snapshots, the active one first, which is no thing of its own (and is not there on 3.0)."""
    vm = call.things["vm"]
    made = call.world.of("snapshot", "vm", vm["id"])
    if call.dialect.version < (3, 1):
        return made
    active = {
        "kind": "snapshot",
        "id": vm["id"][:-1] + ("0" if vm["id"][-1] != "0" else "1"),
        "vm": vm["id"],
        "v": 0,
        "description": "Active VM",
        "snapshot_type": "active",
        "status": "ok",
        "date": vm["creation_time"],
        "memory": False,
    }
    return [active, *made]


def listed(call: Call) -> Many:
    """List a machine's snapshots."""
    return Many(SNAPSHOT, _all(call))


def _named(call: Call) -> Thing:
    for one in _all(call):
        if one["id"] == call.things["snap"]["id"]:
            return one
    raise Gone


def show(call: Call) -> One:
    """Show a snapshot."""
    return One(SNAPSHOT, _named(call))


def created(call: Call) -> One:
    """Take a snapshot; a machine that is down is locked meanwhile, a running one stays up."""
    vm, world = call.things["vm"], call.world
    values = call.fresh(SNAPSHOT)
    require(values, ("Snapshot", "Snapshot"), ("description",), call.dialect)
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action="create Snapshot of")
    thing = world.add(
        "snapshot", vm=vm["id"], description=values["description"], snapshot_type="regular", date=world.now(),
        memory=vm["status"] not in NOT_RUNNING and values.get("memory", call.dialect.version >= (4, 1)),
    )
    world.move(thing, "snapshot.create")
    if vm["status"] == "down":
        world.move(vm, "vm.lock")
    for disk in world.of("disk", "vm", vm["id"]):
        world.move(disk, "disk.create")
    return One(SNAPSHOT, thing, 202, pending=True)


def restore(call: Call) -> Done:
    """Bring a machine that is down back to a snapshot."""
    vm, thing = call.things["vm"], _named(call)
    if vm["status"] != "down":
        raise refuse("vm down only", call.dialect, action="restore Snapshot of")
    if thing["snapshot_type"] == "active":
        raise Refused("Cannot revert to Snapshot. The Active VM snapshot cannot be restored.")
    call.world.move(vm, "vm.lock")
    call.world.move(thing, "snapshot.restore")
    return Done(SNAPSHOT, thing, pending=True)


def removed(call: Call) -> Removed:
    """Remove a snapshot."""
    thing = _named(call)
    if thing["snapshot_type"] == "active":
        raise refuse("snapshot active", call.dialect)
    call.world.move(thing, "snapshot.remove", effect="snapshot removed")
    return Removed()


@effect("snapshot removed")
def gone(world: World, thing: Thing, _end: Thing) -> None:
    """Take a snapshot out of the world."""
    world.remove(thing)


# the path's word is not the kind, since the active snapshot is no thing of the world
_ONE = "/vms/{vm}/snapshots/{snap}"
ROUTES = (
    get("/vms/{vm}/snapshots", listed, "list its snapshots"),
    post("/vms/{vm}/snapshots", created, "take a snapshot"),
    get(_ONE, show, "show a snapshot"),
    delete(_ONE, removed, "remove a snapshot"),
    verb(f"{_ONE}/restore", restore, "go back to a snapshot"),
)
