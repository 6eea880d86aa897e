"""Disks: inside a machine in v3, attached to a machine in v4, floating in both."""

from __future__ import annotations

from typing import Any

from ..answers import ActionDone, Many, One, Removed
from ..call import ApiCall, require
from ..dialect import (
    NEVER,
    SimDialect,
    Thing,
)
from ..faults import BAD, Gone, Refused, refuse
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..world import World
from .common import creation, lists, shows
from .diskshape import ATTACHMENT, ATTACHMENT_BODY, DISK, OF_VM
from .newdisks import add_disk, check_bootable, check_interface
from .sharing import disks_of, share, take_off
from .vms import NOT_RUNNING

# v3 ------------------------------------------------------------------------------------------------------------------


def of_vm(call: ApiCall) -> Many:
    """List a machine's disks (v3)."""
    return Many(OF_VM, disks_of(call.world, call.things["vm"]))


def add(call: ApiCall) -> One:
    """Make a disk in a machine, or attach one that floats (v3)."""
    vm = call.things["vm"]
    values = call.read(DISK)
    if values.get("id"):
        disk = call.look_up("disk", {"id": values["id"]})
        _attach(call, vm, disk, {key: values[key] for key in ("active", "bootable", "interface") if key in values})
        return One(OF_VM, disk)
    wanted = ["size"] if call.dialect.version < (3, 1) else ["provisioned_size|size:provisionedSize|size"]
    if call.dialect.version >= (3, 1):
        wanted += ["format"] if call.dialect.modern else ["interface", "format"]
    require(values, ("Disk", "Disk"), wanted, call.dialect, "adaptAdd" if call.dialect.modern else "add")
    if values.get("bootable"):
        check_bootable(call, vm, values.get("alias") or values.get("name") or "")
    disk = add_disk(call, values, vm)
    return One(OF_VM, disk, 201) if call.dialect.modern else One(OF_VM, disk, 202, pending=True)


def _attach(call: ApiCall, vm: Thing, disk: Thing, how: Thing) -> None:
    mine = disk["id"] in {one["id"] for one in disks_of(call.world, vm)}
    if mine or disk.get("template"):
        raise refuse("disk attached", call.dialect)
    if disk.get("vm") and not disk.get("shareable"):
        raise refuse("disk not shareable", call.dialect)
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action="attach", name=disk["name"])
    if how.get("bootable"):
        check_bootable(call, vm, disk["name"])
    check_interface(call, vm, how.get("interface"), "attach")
    how = {"active": False, "interface": "virtio", "bootable": False, **how}
    if disk.get("vm"):
        share(call.world, disk, vm, how)
    else:
        call.world.change(disk, **how, vm=vm["id"])


def change(call: ApiCall) -> One:
    """Change a machine's disk: it may grow, not shrink (v3)."""
    disk = call.things["disk"]
    _change(call, disk, call.changes(DISK))
    return One(OF_VM, disk)


def _change(call: ApiCall, disk: Thing, values: Thing) -> None:
    """Change a disk; engines up to 4.2 change all but its size at once."""
    world = call.world
    values.pop("id", None)
    values.pop("domains", None)
    size = values.pop("provisioned_size", None) or values.pop("size", None)
    values.pop("size", None)
    if not call.dialect.knows((3, 3)):
        size = None  # it is read, and nothing is done about it
    name = values.pop("alias", None) or values.get("name") or disk["name"]
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action="edit", name=disk["name"])
    if size is not None and disk["size"] is not None and size < disk["size"]:
        words = (
            "must be larger than the current disk size" if call.dialect.modern else "cannot be smaller than the current"
        )
        raise Refused(f"Cannot edit Virtual Disk. New disk size {words}.", BAD)
    if values.get("backup") == "incremental" and disk.get("format") == "raw":
        raise Refused("Cannot edit Virtual Disk. Incremental backup is not supported for RAW format disks.")
    vm = world.get("vm", disk.get("vm"))
    if "interface" in _differences(disk, values):
        check_interface(call, vm, values["interface"], "edit")
    if values.get("bootable") and vm is not None:
        check_bootable(call, vm, disk["name"], disk)
    if vm is not None and vm["status"] not in NOT_RUNNING and {"interface", "bootable"} & _differences(disk, values):
        raise refuse("disk in use", call.dialect, action="edit")
    changes = {**values, "name": name, "size": disk["size"] and (size or disk["size"])}
    slow = set(values) - {"active"} | _differences(disk, changes)
    if call.dialect.modern and call.dialect.behind < (4, 3):
        slow = {"size"} & _differences(disk, changes)
    if call.dialect.modern and not disk.get("luns") and slow:
        world.change(disk, **{key: changes.pop(key) for key in ("active",) if key in changes})
        world.move(disk, "disk.update", **changes)  # the disk is locked, and the answer shows what it was
    else:
        world.change(disk, **changes)


def _differences(disk: Thing, values: Thing) -> set[str]:
    return {key for key, value in values.items() if disk.get(key) != value}


def remove(call: ApiCall) -> Removed:
    """Remove a machine's disk; since 3.1 `detach` only takes it off (v3)."""
    disk = call.things["disk"]
    _free(call, disk, "remove")
    if call.yes("detach") and call.dialect.knows((3, 1)):
        _refuse_held(call, disk)
        take_off(call.world, disk, call.things["vm"])
    else:
        call.world.move(disk, "disk.remove", effect="disk removed")
    return Removed()


def _free(call: ApiCall, disk: Thing, action: str) -> None:
    """Refuse for a disk that is locked or that a running machine uses."""
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action=action, name=disk["name"])
    vm = call.world.get("vm", disk.get("vm"))
    if vm is not None and vm["status"] not in NOT_RUNNING and disk.get("active"):
        raise refuse("disk in use", call.dialect, action=action)


def _refuse_held(call: ApiCall, disk: Thing) -> None:
    """Refuse to take a disk off that is in a snapshot."""
    held = {one for snapshot in call.world.of("snapshot", "vm", disk.get("vm")) for one in snapshot.get("held", ())}
    if disk["id"] in held and call.dialect.knows((3, 2)):
        raise refuse("disk in snapshot", call.dialect)


@effect("disk removed")
def discard(world: World, disk: Thing, _end: Thing) -> None:
    """Take a disk out of the world, unless its storage failed."""
    if disk["status"] == "illegal":
        return
    domain = world.get("storage_domain", disk.get("storage_domain"))
    if domain is not None:
        world.change(domain, committed=max(domain["committed"] - disk["size"], 0))
    for tie in world.of("sharing", "disk", disk["id"]):
        world.remove(tie)
    world.remove(disk)


def activate(call: ApiCall) -> ActionDone:
    """Plug a disk in."""
    call.world.change(call.things["disk"], active=True)
    return ActionDone(DISK, call.things["disk"])


def deactivate(call: ApiCall) -> ActionDone:
    """Unplug a disk."""
    call.world.change(call.things["disk"], active=False)
    return ActionDone(DISK, call.things["disk"])


# v4 ------------------------------------------------------------------------------------------------------------------


def attachments(call: ApiCall) -> Many:
    """List what disks a machine has (v4)."""
    return Many(ATTACHMENT, disks_of(call.world, call.things["vm"]))


def attachment(call: ApiCall) -> One:
    """Show how a disk is attached (v4)."""
    mine = {disk["id"]: disk for disk in disks_of(call.world, call.things["vm"])}
    if call.things["disk"]["id"] not in mine:
        raise Gone
    return One(ATTACHMENT, mine[call.things["disk"]["id"]])


def attach(call: ApiCall) -> One:
    """Make a disk in a machine, or attach one that floats; the latter is not plugged unless the body says so (v4)."""
    vm = call.things["vm"]
    how = call.read(ATTACHMENT_BODY)
    element = call.part("disk")
    if element is None:
        where = f"https://{call.headers.get('host', 'localhost')}/ovirt-engine/apidoc#services/disk_attachments"
        told = f"For correct usage, see: {where}/methods/add"
        raise Refused(told, BAD, "Request syntactically incorrect.")
    how.pop("disk", None)
    if element.get("id") or (element.findtext("name") and not _says_what(element)):
        said = {"id": element.get("id")} if element.get("id") else {"name": element.findtext("name")}
        if "id" in said and call.world.get("disk", said["id"]) is None:
            missing = "Cannot attach Virtual Disk. The specified disk does not exist."
            raise Refused(
                missing if call.dialect.knows((4, 3)) else "User is not authorized to perform this action.", BAD
            )
        disk = call.look_up("disk", said)
        _attach(call, vm, disk, how)
        return One(ATTACHMENT, disk, 201)
    values = call.read(DISK, element)
    wanted = () if values.get("luns") else ("provisioned_size|size:provisionedSize|size", "format")
    require(values, ("", "Disk"), wanted, call.dialect, "invoke")
    if not how.get("interface"):
        raise Refused("Interface is required, Attribute: diskVmElement.diskInterface", BAD)
    if how.get("bootable"):
        check_bootable(call, vm, values.get("name") or "")
    return One(ATTACHMENT, add_disk(call, {**values, **how}, vm), 201)


def _says_what(element: Any) -> bool:
    """Tell whether a body describes a new disk, and not one that is there."""
    return any(element.find(tag) is not None for tag in ("provisioned_size", "lun_storage"))


def change_attachment(call: ApiCall) -> One:
    """Change a disk and how it is attached (v4)."""
    attachment(call)
    disk = call.things["disk"]
    how = call.read(ATTACHMENT_BODY)
    how.pop("disk", None)
    how.pop("id", None)
    element = call.part("disk")
    values = call.read(DISK, element) if element is not None else {}
    if disk["status"] == "locked":
        action = "edit" if set(how) - {"active"} or values else "hot plug" if how.get("active") else "hot unplug"
        raise refuse("disk locked", call.dialect, action=action, name="${diskAliases}")
    _change(call, disk, {**values, **how})
    return One(ATTACHMENT, disk)


def detach(call: ApiCall) -> Removed:
    """Take a disk off a machine; `detach_only=false` removes it (v4)."""
    attachment(call)
    disk = call.things["disk"]
    keeps = call.params.get("detach_only", "").lower() != "false"
    if disk["status"] == "locked" and not keeps:
        raise refuse("disk busy", call.dialect)
    if disk["status"] != "locked":
        _free(call, disk, "detach")
    if call.flag("detach_only", True):
        _refuse_held(call, disk)
        take_off(call.world, disk, call.things["vm"])
    else:
        call.world.move(disk, "disk.remove", effect="disk removed")
    return Removed()


# floating ------------------------------------------------------------------------------------------------------------


def _place_fields(dialect: SimDialect) -> tuple[str, ...]:
    """What v3 wants of a floating disk beside size and format."""
    return ("domains:storageDomains",) if dialect.number == 3 else ()


def add_floating(call: ApiCall) -> One:
    """Make a disk that belongs to no machine."""
    values = call.fresh(DISK)
    require(
        values,
        ("Disk", "Disk"),
        ("provisioned_size|size:provisionedSize", "format", *_place_fields(call.dialect)),
        call.dialect,
    )
    disk = add_disk(call, values, None)
    return One(DISK, disk, 201) if call.dialect.modern else One(DISK, disk, 202, pending=True)


def change_disk(call: ApiCall) -> One:
    """Change a disk; since 4.4 only through its attachment."""
    if call.dialect.knows((4, 4)) and call.things["disk"].get("vm"):
        raise Refused("Cannot edit Virtual Disk. Use the disk attachment of the VM.", BAD)
    _change(call, call.things["disk"], call.changes(DISK))
    return One(DISK, call.things["disk"])


def remove_disk(call: ApiCall) -> Removed:
    """Remove a disk wherever it is."""
    _free(call, call.things["disk"], "remove")
    call.world.move(call.things["disk"], "disk.remove", effect="disk removed")
    return Removed()


def copy(call: ApiCall) -> ActionDone:
    """Copy a disk that belongs to nobody, or to a machine that is off."""
    disk, world = call.things["disk"], call.world
    if not disk.get("storage_domain"):
        raise refuse("disk no image", call.dialect, action="copy")
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action="copy", name="${diskAliases}")
    target = call.named_part("storage_domain", "storage_domain") or world.the("storage_domain", disk["storage_domain"])
    keep = {key: value for key, value in disk.items() if key not in {"id", "kind", "v", "turn", "vm", "template"}}
    name = call.text("disk/name") or call.text("disk/alias") or disk["name"]
    copy = world.add(
        "disk", **{**keep, "name": name, "storage_domain": target["id"], "plain_copy": True}, vm=None, template=None
    )
    for each in (disk, copy):
        world.move(each, "disk.create")
    return ActionDone(DISK, disk)


_V3, _V4 = "/vms/{vm}/disks", "/vms/{vm}/diskattachments"
_OLD, _NEW, _LATER = {"since4": NEVER}, {"since3": NEVER}, {"since3": (3, 1), "since4": NEVER}
ROUTES = (
    get(_V3, of_vm, "list its disks", **_OLD),
    post(_V3, add, "make a disk in it, or attach one", **_OLD),
    get(f"{_V3}/{{disk}}", shows(OF_VM), "show a disk", **_OLD),
    put(f"{_V3}/{{disk}}", change, "change a disk", **_OLD),
    delete(f"{_V3}/{{disk}}", remove, "remove or detach a disk", **_OLD),
    verb(f"{_V3}/{{disk}}/activate", activate, "plug it in", **_LATER),
    verb(f"{_V3}/{{disk}}/deactivate", deactivate, "unplug it", **_LATER),
    get(_V4, attachments, "list what disks it has", **_NEW),
    post(_V4, attach, "make a disk in it, or attach one", **_NEW),
    get(f"{_V4}/{{disk}}", attachment, "show how a disk is attached", **_NEW),
    put(f"{_V4}/{{disk}}", change_attachment, "change a disk and how it is attached", **_NEW),
    delete(f"{_V4}/{{disk}}", detach, "detach a disk; detach_only=false removes it", **_NEW),
    get("/disks", lists(DISK, "disk"), "list disks", since3=(3, 1)),
    post("/disks", add_floating, "make a disk that belongs to no machine", since3=(3, 1)),
    get("/disks/{disk}", shows(DISK), "show a disk", since3=(3, 1)),
    put("/disks/{disk}", change_disk, "change a disk", since3=NEVER),
    delete("/disks/{disk}", remove_disk, "remove a disk", since3=(3, 1)),
    verb("/disks/{disk}/copy", copy, "copy it", since3=(3, 4)),
    creation(OF_VM),
    creation(DISK),
)
