"""Snapshots of machines."""

from __future__ import annotations

import re
from dataclasses import replace

from ..answers import ActionDone, Many, One, Raw, Removed, address, text_of, writer
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref, sim_field
from ..faults import BAD, MISSING, Gone, Refused, refuse
from ..render import document, write_collection
from ..routing import delete, get, post, verb
from ..states import effect
from ..usual import usual
from ..world import World
from .sharing import disks_of
from .vms import NOT_RUNNING
from .vmshape import VM

SNAPSHOT = SimShape(
    "snapshot",
    "snapshot",
    "snapshots",
    "/vms/{vm}/snapshots/{snap}",
    (
        sim_field("snapshot_type", v3="type", since3=(3, 1), fixed=True),
        ref("vm", fixed=True),
        sim_field("date", "date", fixed=True),
        sim_field("status", v3="snapshot_status", v4="snapshot_status", since3=(3, 1), fixed=True),
        *usual("initialization/configuration/data=OVF initialization/configuration/type=ovf", full=True, v3=True),
        sim_field("memory", "bool", "persist_memorystate", "persist_memorystate", since3=(3, 3)),
    ),
)
SHAPES["snapshot"] = SNAPSHOT


def _all(call: ApiCall) -> list[Thing]:
    """Give a machine's snapshots, the active one first, which is not a thing of its own (and is not there on 3.0)."""
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


def list_snapshots(call: ApiCall) -> Many | Raw:
    """List a machine's snapshots."""
    if not call.dialect.modern:
        return Many(SNAPSHOT, _all(call))
    return Raw(write_collection("snapshots", [_whole(call, one) for one in _all(call)]))


def _whole(call: ApiCall, snapshot: Thing) -> str:
    """Write a snapshot with the machine as it was inside (since 4.0); the active one has none."""
    inside = {}
    if snapshot["snapshot_type"] != "active":
        machine = {**call.things["vm"], "status": "down", "stop_time": snapshot["date"], "display_type": None}
        text = text_of(replace(call, body=None), _UNCACHED, machine)
        inside = {"vm": _UNLINKED.sub("", text)}
        if _three(call) or call.dialect.behind < (4, 3):
            inside["vm"] = _BALLOONING.sub("", inside["vm"])
            if "<initialization>" not in inside["vm"]:
                inside["vm"] = inside["vm"].replace("</vm>", "<initialization/></vm>")
    return writer(call).thing(SNAPSHOT, {**snapshot, "vm": None}, address(call, SNAPSHOT, snapshot), inside)


#: One shape for all of them: documents are kept by shape.
_UNCACHED = replace(VM, cached=False)
#: The machine inside a snapshot has no address, and leads nowhere.
_BALLOONING = re.compile(r"<ballooning>[a-z]*</ballooning>")
_UNLINKED = re.compile(r' href="[^"]*"|<actions>.*?</actions>|<link [^>]*>')


def _by_id(call: ApiCall) -> Thing:
    for one in _all(call):
        if one["id"] == call.things["snap"]["id"]:
            return one
    if call.dialect.modern and not (call.dialect.number == 4 and call.dialect.behind < (4, 3)):
        missing = f"GetSnapshotBySnapshotId: snapshot id={call.things['snap']['id']}"
        raise Refused(f"Entity not found: {missing}", MISSING, listed=False)
    raise Gone


def show(call: ApiCall) -> One | Raw:
    """Show a snapshot."""
    snapshot = _by_id(call)
    return Raw(document(_whole(call, snapshot))) if call.dialect.modern else One(SNAPSHOT, snapshot)


def _three(call: ApiCall) -> bool:
    """Tell whether v3 is spoken with an engine of 4.x."""
    return call.dialect.modern and call.dialect.number == 3


def create(call: ApiCall) -> One:
    """Take a snapshot; a machine that is down is locked meanwhile, a running one stays up."""
    vm, world = call.things["vm"], call.world
    values = call.fresh(SNAPSHOT)
    require(values, ("Snapshot", "Snapshot"), ("description",), call.dialect, "doAdd" if _three(call) else "add")
    if call.dialect.modern and any(one["status"] == "locked" for one in world.of("snapshot", "vm", vm["id"])):
        raise refuse("snapshot under way", call.dialect, name=vm["name"])
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action="create Snapshot of")
    thing = world.add(
        "snapshot",
        vm=vm["id"],
        description=values["description"],
        snapshot_type="regular",
        date=world.now(),
        memory=vm["status"] not in NOT_RUNNING and values.get("memory", call.dialect.version >= (4, 1)),
    )
    world.move(thing, "snapshot.create")
    if vm["status"] == "down" and (disks_of(world, vm) or not call.dialect.modern):
        world.move(vm, "vm.lock")
    own = [disk for disk in world.of("disk", "vm", vm["id"]) if not (disk.get("luns") or disk.get("shareable"))]
    world.change(thing, held=[disk["id"] for disk in own])  # none holds what is not an image of this machine alone
    for disk in own:
        world.move(disk, "disk.create")
    return One(SNAPSHOT, thing, 201) if call.dialect.modern else One(SNAPSHOT, thing, 202, pending=True)


def restore(call: ApiCall) -> ActionDone:
    """Bring a machine that is down back to a snapshot."""
    vm, thing = call.things["vm"], _by_id(call)
    if vm["status"] != "down":
        raise refuse("vm down only", call.dialect, action="restore Snapshot of")
    if thing["snapshot_type"] == "active" and call.dialect.modern:
        raise Refused("Cannot preview Active VM snapshot.", BAD)
    if thing["snapshot_type"] == "active":
        raise Refused("Cannot revert to Snapshot. The Active VM snapshot cannot be restored.")
    if disks_of(call.world, vm) or not call.dialect.modern:
        call.world.move(vm, "vm.lock")
    call.world.move(thing, "snapshot.restore")
    if call.dialect.number == 3:
        return ActionDone(SNAPSHOT, thing, pending=True)
    machine = writer(call).ref("vm", "vm", vm["id"])
    where = address(call, SNAPSHOT, thing)
    told = f'<snapshot href="{where}" id="{thing["id"]}">{machine}</snapshot>'
    return ActionDone(outputs={"async": "<async>true</async>", "snapshot": told})


def remove(call: ApiCall) -> Removed:
    """Remove a snapshot."""
    thing = _by_id(call)
    if thing["snapshot_type"] == "active":
        raise refuse("snapshot regular" if call.dialect.modern else "snapshot active", call.dialect)
    if thing["status"] == "locked" and call.dialect.modern:
        raise refuse("snapshot busy", call.dialect, action="remove")
    call.world.move(thing, "snapshot.remove", effect="snapshot removed")
    return Removed()


@effect("snapshot removed")
def discard(world: World, thing: Thing, _end: Thing) -> None:
    """Take a snapshot out of the world."""
    world.remove(thing)


# the path's word is not the kind, since the active snapshot is not a thing of the world
_ONE = "/vms/{vm}/snapshots/{snap}"
ROUTES = (
    get("/vms/{vm}/snapshots", list_snapshots, "list its snapshots"),
    post("/vms/{vm}/snapshots", create, "take a snapshot"),
    get(_ONE, show, "show a snapshot"),
    delete(_ONE, remove, "remove a snapshot"),
    verb(f"{_ONE}/restore", restore, "go back to a snapshot"),
)
