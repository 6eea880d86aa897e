"""Backups of machines, and the checkpoints from which the next ones go on."""

from __future__ import annotations

from typing import Any

from ..answers import ActionDone, One, Removed
from ..call import SHAPES, ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import BAD, Refused
from ..routing import delete, get, post, verb
from ..states import effect
from ..world import World
from .common import lists_of, shows
from .sharing import disks_of

_DISKS = "disks/disk[]"
BACKUP = SimShape(
    "backup",
    "backup",
    "backups",
    "/vms/{vm}/backups/{backup}",
    (
        sim_field("creation_date", "date", fixed=True),
        sim_field("modification_date", "date", fixed=True),
        sim_field("from_checkpoint_id"),
        sim_field("to_checkpoint_id"),
        sim_field("status", v4="phase", fixed=True),
        ref("disks", "disk", _DISKS, _DISKS),
        ref("host", fixed=True),
        ref("vm", fixed=True),
    ),
    view=lambda world, thing, call: {**thing, "disks": []},
)
CHECKPOINT = SimShape(
    "checkpoint",
    "checkpoint",
    "checkpoints",
    "/vms/{vm}/checkpoints/{checkpoint}",
    (
        sim_field("creation_date", "date", fixed=True),
        sim_field("parent_id", fixed=True),
        sim_field("status", v4="state", fixed=True),
        ref("vm", fixed=True),
    ),
)
SHAPES.update(backup=BACKUP, checkpoint=CHECKPOINT)
_OVER = frozenset({"succeeded", "failed"})


def create(call: ApiCall) -> One:
    """Begin a backup of some of a machine's disks."""
    world, vm = call.world, call.things["vm"]
    values = call.read(BACKUP)
    mine = {disk["id"]: disk for disk in disks_of(world, vm)}
    disks = [mine[one["id"]] for one in values.pop("disks", ()) if one and one.get("id") in mine]
    if not disks:
        raise Refused("Cannot backup VM. The specified disk does not exist.", BAD)
    since = values.get("from_checkpoint_id")
    _refuse(world, vm, disks, since)
    unfollowed = [disk["id"] for disk in disks if disk.get("backup") != "incremental"]
    if since and unfollowed and not call.dialect.knows((4, 5)):
        told = f"Incremental backup is disabled for the following disks: {', '.join(unfollowed)}."
        raise Refused(f"Cannot backup VM. {told}")
    backup = world.add(
        "backup",
        vm=vm["id"],
        disks=[disk["id"] for disk in disks],
        host=vm.get("host"),
        description=values.get("description"),
        from_checkpoint_id=values.get("from_checkpoint_id"),
        creation_date=world.now(),
        modification_date=world.now(),
    )
    if any(disk["format"] == "cow" for disk in disks):
        world.change(backup, to_checkpoint_id=values.get("to_checkpoint_id") or world.new_id())
    for disk in disks:
        world.change(disk, status="locked")
    text = f"Backup {backup['id']} for VM {vm['name']} started (User: admin@internal-authz)."
    world.event(10790, "normal", text, vm=vm["id"])
    world.move(backup, "backup.create", effect="backup ready")
    return One(BACKUP, backup, 201)


def _refuse(world: World, vm: Thing, disks: list[Thing], since: Any) -> None:
    if vm["status"] not in {"up", "down"}:
        raise Refused("Cannot backup VM. The Virtual Machine should be in Up or Down status.")
    if any(one["status"] not in _OVER for one in world.of("backup", "vm", vm["id"])):
        raise Refused("Cannot backup VM. The VM is during a backup operation.")
    locked = [disk["name"] for disk in disks if disk["status"] == "locked"]
    if locked:
        named = ", ".join(locked)
        raise Refused(f"Cannot backup VM: The following disks are locked: {named}. Please try again in a few minutes.")
    idle = [disk["id"] for disk in disks if not disk.get("active")]
    if idle:
        raise Refused(f"Cannot backup VM. The following disks are not active on VM {vm['name']}: {', '.join(idle)}")
    if since and since not in {one["id"] for one in world.of("checkpoint", "vm", vm["id"])}:
        raise Refused(f"Cannot backup VM. Checkpoint ID {since} doesn't exist.")


@effect("backup ready")
def ready(world: World, backup: Thing, _end: Thing) -> None:
    """What is on the disks now is what the backup gives, whatever the machine writes from here on."""
    checkpoint = backup.get("to_checkpoint_id")
    if checkpoint:
        before = [one["id"] for one in world.of("checkpoint", "vm", backup["vm"])]
        world.add(
            "checkpoint",
            id=checkpoint,
            vm=backup["vm"],
            parent_id=before[-1] if before else None,
            creation_date=world.now(),
            description=backup.get("description"),
            status="created",
        )
    for disk in filter(None, (world.get("disk", one) for one in backup["disks"])):
        world.images.contents.freeze(disk, backup["id"])
        if checkpoint and disk["format"] == "cow":
            world.images.contents.freeze(disk, checkpoint)


def finalize(call: ApiCall) -> ActionDone:
    """End it; its disks are free again."""
    backup, world = call.things["backup"], call.world
    ended = {"finished_success", "finished_failure", "finished_cleanup"}
    if any(one.get("backup") == backup["id"] and one["status"] not in ended for one in world.all("image_transfer")):
        raise Refused("Cannot stop VM. There is an active image transfer for VM backup")
    if backup["status"] in _OVER or backup["status"] == "finalizing":
        told = f"backup '{backup['id']}' is already in '{backup['status']}' phase, no need to stop the backup again"
        raise Refused(f"[VM '{backup['vm']}' {told}]", listed=False)
    world.move(backup, "backup.finalize", effect="backup over")
    return ActionDone()


@effect("backup over")
def over(world: World, backup: Thing, _end: Thing) -> None:
    """Free its disks."""
    for disk in filter(None, (world.get("disk", one) for one in backup["disks"])):
        world.change(disk, status="ok")
    world.event(10794, "normal", f"Backup {backup['id']} finalized (User: admin@internal-authz).", vm=backup["vm"])


def forgotten(call: ApiCall) -> Removed:
    """Remove a checkpoint; the next one then goes on from the one before it (DeleteVmCheckpointCommand)."""
    one, world = call.things["checkpoint"], call.world
    vm = world.the("vm", one["vm"])
    if any(each["status"] not in _OVER for each in world.of("backup", "vm", vm["id"])):
        raise Refused("Cannot remove checkpoint. The VM is during a backup operation.")
    for each in world.of("checkpoint", "vm", vm["id"]):
        if each["parent_id"] == one["id"]:
            world.change(each, parent_id=one["parent_id"])
    world.remove(one)
    text = f"Checkpoint {one['id']} for VM {vm['name']} deleted (User: admin@internal-authz)."
    world.event(10797, "normal", text, vm=vm["id"])
    return Removed()


_V4 = {"since3": NEVER, "since4": (4, 4)}
_BACKUPS, _POINTS = "/vms/{vm}/backups", "/vms/{vm}/checkpoints"
ROUTES = (
    get(_BACKUPS, lists_of(BACKUP, "vm"), "list its backups", **_V4),
    post(_BACKUPS, create, "begin a backup", **_V4),
    get(f"{_BACKUPS}/{{backup}}", shows(BACKUP), "show a backup", **_V4),
    verb(f"{_BACKUPS}/{{backup}}/finalize", finalize, "end it", **_V4),
    get(_POINTS, lists_of(CHECKPOINT, "vm"), "list its checkpoints", **_V4),
    get(f"{_POINTS}/{{checkpoint}}", shows(CHECKPOINT), "show a checkpoint", **_V4),
    delete(f"{_POINTS}/{{checkpoint}}", forgotten, "forget a checkpoint", **_V4),
)
