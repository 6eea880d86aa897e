"""Disks: inside a machine in v3, attached to a machine in v4, floating in both."""

from __future__ import annotations

from ..answers import Done, Many, One, Removed
from ..call import SHAPES, Call, require
from ..dialect import NEVER, Shape, Thing, named, ref, v3only, v4only
from ..faults import BAD, Gone, Refused, refuse
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..world import World
from .common import creation, lists, shows
from .vms import NOT_RUNNING

GIB = 1 << 30
_DOMAINS = "storage_domains/storage_domain[]"
_IN_V4 = (
    named("alias", since3=(3, 1)), named("image_id", since3=(3, 1), fixed=True),
    ref("domains", "storage_domain", _DOMAINS, _DOMAINS),
    v3only("size", "int"), v3only("disk_type", path="type", words="system data"),
    named("provisioned_size", "int", since3=(3, 1)), named("actual_size", "int", since3=(3, 1), fixed=True),
    v4only("total_size", "int", fixed=True), v4only("content_type"),
    named("status", v3="status/state", fixed=True),
)
_ATTACHED = (
    v3only("interface", words="ide virtio virtio_scsi sata"),
    named("format", words="cow raw"),
    named("sparse", "bool"),
    v3only("bootable", "bool"),
    named("shareable", "bool", since3=(3, 1)),
    named("wipe_after_delete", "bool"),
    named("propagate_errors", "bool"),
    v3only("active", "bool", since3=(3, 1)),
    v3only("read_only", "bool", since3=(3, 5)),
)
_FIELDS = (ref("vm", fixed=True, v4=""), *_IN_V4, *_ATTACHED)
_ORDER30 = (
    "vm template storage_domains size type status interface format sparse bootable wipe_after_delete propagate_errors"
)
_ORDER36 = (
    "vm alias image_id storage_domains size type provisioned_size actual_size status interface format sparse bootable "
    "shareable wipe_after_delete propagate_errors statistics active read_only"
)
DISK = Shape(
    "disk", "disk", "disks", "/disks/{disk}", _FIELDS, order30=_ORDER30, order36=_ORDER36,
    view=lambda world, thing, call: shown(thing),
)
#: v3 shows a machine's disk at the machine.
OF_VM = Shape(
    "disk", "disk", "disks", "/vms/{vm}/disks/{disk}", _FIELDS, order30=_ORDER30, order36=_ORDER36,
    view=lambda world, thing, call: shown(thing),
)
ATTACHMENT = Shape(
    "disk",
    "disk_attachment",
    "disk_attachments",
    "/vms/{vm}/diskattachments/{disk}",
    (
        ref("disk"),
        ref("vm", fixed=True),
        named("bootable", "bool"),
        named("active", "bool"),
        named("read_only", "bool"),
        named("interface", words="ide virtio virtio_scsi sata spapr_vscsi"),
        named("pass_discard", "bool"),
        named("uses_scsi_reservation", "bool"),
        named("logical_name", fixed=True),
    ),
    view=lambda world, thing, call: {**thing, "disk": thing["id"], "name": None, "description": None, "alias": None},
    basics=(),
)
SHAPES["disk"] = DISK


def shown(thing: Thing) -> Thing:
    """Show a disk: one size under the names that it had over the years."""
    domain = thing.get("storage_domain")
    return {
        **thing, "alias": thing.get("name"), "provisioned_size": thing["size"], "total_size": thing.get("actual_size"),
        "domains": [domain] if domain else [], "image_id": thing["id"], "content_type": "data",
    }


def _made(call: Call, values: Thing, vm: Thing | None) -> Thing:
    """Make a disk from what a body says, with the engine's usual values."""
    world = call.world
    said = [one for one in values.pop("domains", ()) if one]
    domain = call.look_up("storage_domain", said[0]) if said else _first_domain(world, vm)
    if domain is None:
        raise refuse("disk no domain", call.dialect, BAD)
    if domain["status"] != "active":
        raise refuse("sd inaccessible", call.dialect, action="add Virtual Disk to", state=domain["status"].title())
    size = values.pop("provisioned_size", None) or values.pop("size", None) or 0
    values.pop("size", None)
    if size <= 0:
        raise Refused("Cannot add Virtual Disk. Disk size must be greater than zero", BAD)
    if size > domain["available"]:
        raise refuse("disk space", call.dialect, name=domain["name"])
    _check_interface(call, vm, values.get("interface"), "add")
    form = values.get("format") or "raw"
    block = domain["storage_type"] in {"iscsi", "fcp"}
    alias, plain = values.pop("alias", None), values.pop("name", None)
    name = alias or plain or _next_name(world, vm)
    usual = {
        "format": form, "sparse": form == "cow" or not block, "interface": "virtio", "bootable": False, "active": True,
        "wipe_after_delete": False, "shareable": False, "propagate_errors": False, "disk_type": "system",
    }
    disk = world.add(
        "disk", **{**usual, **values}, name=name, size=-(-size // GIB) * GIB if block else size, actual_size=0,
        storage_domain=domain["id"], vm=vm["id"] if vm else None,
    )
    world.change(domain, committed=domain["committed"] + disk["size"])
    world.move(disk, "disk.create")
    world.event(78, "normal", f"Add-Disk operation of {name} was initiated.", **({"vm": vm["id"]} if vm else {}))
    return disk


def _first_domain(world: World, vm: Thing | None) -> Thing | None:
    """Give the domain of the machine's other disks, else the first active data domain of its data center."""
    if vm is None:
        return None
    for disk in world.of("disk", "vm", vm["id"]):
        return world.get("storage_domain", disk["storage_domain"])
    center = world.the("cluster", vm["cluster"]).get("data_center")
    found = world.of("storage_domain", "data_center", center)
    return next((one for one in found if one["type"] == "data" and one["status"] == "active"), None)


def _next_name(world: World, vm: Thing | None) -> str:
    return (
        f"{vm['name']}_Disk{world.count('disk', 'vm', vm['id']) + 1}" if vm else f"disk{len(world.things['disk']) + 1}"
    )


def _check_bootable(call: Call, vm: Thing, name: str, own: Thing | None = None) -> None:
    """Refuse a second disk to boot from."""
    for other in call.world.of("disk", "vm", vm["id"]):
        if other.get("bootable") and other is not own:
            raise refuse("disk bootable", call.dialect, name=name, vm=vm["name"])


def _check_interface(call: Call, vm: Thing | None, interface: str | None, action: str) -> None:
    """Refuse a bus that the machine's chipset does not have: q35 has no IDE, i440fx no SATA (osinfo, since 4.4)."""
    if vm is None or not interface or not call.dialect.knows((4, 4)):
        return
    own = vm.get("bios_type") or "cluster_default"
    bios = call.world.the("cluster", vm["cluster"]).get("bios_type") if own == "cluster_default" else own
    if interface == ("ide" if str(bios).startswith("q35") else "sata"):
        raise refuse("disk interface", call.dialect, action=action)


# v3 ------------------------------------------------------------------------------------------------------------------


def of_vm(call: Call) -> Many:
    """List a machine's disks (v3)."""
    return Many(OF_VM, call.world.of("disk", "vm", call.things["vm"]["id"]))


def added(call: Call) -> One:
    """Make a disk in a machine, or attach one that floats (v3)."""
    vm = call.things["vm"]
    values = call.read(DISK)
    if values.get("id"):
        disk = call.look_up("disk", {"id": values["id"]})
        _attach(call, vm, disk, {key: values[key] for key in ("active", "bootable", "interface") if key in values})
        return One(OF_VM, disk)
    wanted = (
        ["size"]
        if call.dialect.version < (3, 1)
        else ["provisioned_size|size:provisionedSize|size", "interface", "format"]
    )
    require(values, ("Disk", "Disk"), wanted, call.dialect)
    if values.get("bootable"):
        _check_bootable(call, vm, values.get("alias") or values.get("name") or "")
    return One(OF_VM, _made(call, values, vm), 202, pending=True)


def _attach(call: Call, vm: Thing, disk: Thing, how: Thing) -> None:
    if disk.get("vm") or disk.get("template"):
        raise refuse("disk attached", call.dialect)
    if disk["status"] != "ok":
        raise refuse("disk locked", call.dialect, action="attach", name=disk["name"])
    if how.get("bootable"):
        _check_bootable(call, vm, disk["name"])
    _check_interface(call, vm, how.get("interface"), "attach")
    call.world.change(disk, **{"active": False, "interface": "virtio", "bootable": False, **how}, vm=vm["id"])


def changed(call: Call) -> One:
    """Change a machine's disk: it may grow, not shrink (v3)."""
    disk = call.things["disk"]
    _change(call, disk, call.changes(DISK))
    return One(OF_VM, disk)


def _change(call: Call, disk: Thing, values: Thing) -> None:
    """Change a disk."""
    world = call.world
    values.pop("id", None)
    values.pop("domains", None)
    size = values.pop("provisioned_size", None) or values.pop("size", None)
    values.pop("size", None)
    if not call.dialect.knows((3, 3)):
        size = None  # it is read, and nothing is done about it
    name = values.pop("alias", None) or values.get("name") or disk["name"]
    if disk["status"] != "ok":
        raise refuse("disk locked", call.dialect, action="edit", name=disk["name"])
    if size is not None and size < disk["size"]:
        raise Refused("Cannot edit Virtual Disk. New disk size cannot be smaller than the current.", BAD)
    vm = world.get("vm", disk.get("vm"))
    if "interface" in _differing(disk, values):
        _check_interface(call, vm, values["interface"], "edit")
    if values.get("bootable") and vm is not None:
        _check_bootable(call, vm, disk["name"], disk)
    if vm is not None and vm["status"] not in NOT_RUNNING and {"interface", "bootable"} & _differing(disk, values):
        raise refuse("disk in use", call.dialect, action="edit")
    world.change(disk, **{**values, "name": name}, size=size or disk["size"])


def _differing(disk: Thing, values: Thing) -> set[str]:
    return {key for key, value in values.items() if disk.get(key) != value}


def removed(call: Call) -> Removed:
    """Remove a machine's disk; since 3.1 `detach` only takes it off (v3)."""
    disk = call.things["disk"]
    _free(call, disk, "remove")
    if call.yes("detach") and call.dialect.knows((3, 1)):
        call.world.change(disk, vm=None)
    else:
        call.world.move(disk, "disk.remove", effect="disk removed")
    return Removed()


def _free(call: Call, disk: Thing, action: str) -> None:
    """Refuse for a disk that is locked or that a running machine uses."""
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action=action, name=disk["name"])
    vm = call.world.get("vm", disk.get("vm"))
    if vm is not None and vm["status"] not in NOT_RUNNING and disk.get("active"):
        raise refuse("disk in use", call.dialect, action=action)


@effect("disk removed")
def gone(world: World, disk: Thing, _end: Thing) -> None:
    """Take a disk out of the world."""
    domain = world.get("storage_domain", disk.get("storage_domain"))
    if domain is not None:
        world.change(domain, committed=max(domain["committed"] - disk["size"], 0))
    world.remove(disk)


def activate(call: Call) -> Done:
    """Plug a disk in."""
    call.world.change(call.things["disk"], active=True)
    return Done(DISK, call.things["disk"])


def deactivate(call: Call) -> Done:
    """Unplug a disk."""
    call.world.change(call.things["disk"], active=False)
    return Done(DISK, call.things["disk"])


# v4 ------------------------------------------------------------------------------------------------------------------


def attachments(call: Call) -> Many:
    """List what disks a machine has (v4)."""
    return Many(ATTACHMENT, call.world.of("disk", "vm", call.things["vm"]["id"]))


def attachment(call: Call) -> One:
    """Show how a disk is attached (v4)."""
    if call.things["disk"].get("vm") != call.things["vm"]["id"]:
        raise Gone
    return One(ATTACHMENT, call.things["disk"])


def attached(call: Call) -> One:
    """Make a disk in a machine, or attach one that floats; the latter is not plugged unless the body says so (v4)."""
    vm = call.things["vm"]
    how = call.read(ATTACHMENT_BODY)
    element = call.part("disk")
    require({"disk": element is not None or None}, ("", "DiskAttachment"), ("disk",), call.dialect)
    how.pop("disk", None)
    if element.get("id") or (element.findtext("name") and element.find("provisioned_size") is None):
        said = {"id": element.get("id")} if element.get("id") else {"name": element.findtext("name")}
        disk = call.look_up("disk", said)
        _attach(call, vm, disk, how)
        return One(ATTACHMENT, disk, 201)
    values = call.read(DISK, element)
    require(values, ("", "DiskAttachment"), ("provisioned_size:provisionedSize", "format"), call.dialect)
    require(how, ("", "DiskAttachment"), ("interface",), call.dialect)
    if how.get("bootable"):
        _check_bootable(call, vm, values.get("name") or "")
    return One(ATTACHMENT, _made(call, {**values, **how}, vm), 202)


#: In a body the disk stands inside the attachment and is read apart.
ATTACHMENT_BODY = Shape(
    "disk", "disk_attachment", "disk_attachments", "/vms/{vm}/diskattachments/{disk}",
    tuple(one for one in ATTACHMENT.fields if one.key != "logical_name"), basics=(),
)


def attachment_changed(call: Call) -> One:
    """Change a disk and how it is attached (v4)."""
    attachment(call)
    disk = call.things["disk"]
    how = call.read(ATTACHMENT_BODY)
    how.pop("disk", None)
    how.pop("id", None)
    element = call.part("disk")
    values = call.read(DISK, element) if element is not None else {}
    _change(call, disk, {**values, **how})
    return One(ATTACHMENT, disk)


def detached(call: Call) -> Removed:
    """Take a disk off a machine; `detach_only=false` removes it (v4)."""
    attachment(call)
    disk = call.things["disk"]
    _free(call, disk, "detach")
    if call.flag("detach_only", True):
        call.world.change(disk, vm=None, active=False, bootable=False)
    else:
        call.world.move(disk, "disk.remove", effect="disk removed")
    return Removed()


# floating ------------------------------------------------------------------------------------------------------------


def floating(call: Call) -> One:
    """Make a disk that belongs to no machine."""
    values = call.fresh(DISK)
    require(
        values,
        ("Disk", "Disk"),
        ("provisioned_size|size:provisionedSize", "format", "domains:storageDomains"),
        call.dialect,
    )
    return One(DISK, _made(call, values, None), 202, pending=True)


def disk_changed(call: Call) -> One:
    """Change a disk; since 4.4 only through its attachment."""
    if call.dialect.knows((4, 4)) and call.things["disk"].get("vm"):
        raise Refused("Cannot edit Virtual Disk. Use the disk attachment of the VM.", BAD)
    _change(call, call.things["disk"], call.changes(DISK))
    return One(DISK, call.things["disk"])


def disk_removed(call: Call) -> Removed:
    """Remove a disk wherever it is."""
    _free(call, call.things["disk"], "remove")
    call.world.move(call.things["disk"], "disk.remove", effect="disk removed")
    return Removed()


def moved(call: Call) -> Done:
    """Move a disk to another storage domain."""
    disk = call.things["disk"]
    target = call.named_part("storage_domain", "storage_domain")
    if target is None:
        raise Refused("Action [storageDomain.id|name] required for move", BAD, "Incomplete parameters")
    call.world.change(disk, storage_domain=target["id"])
    call.world.move(disk, "disk.create")
    return Done(DISK, disk, pending=True)


_V3, _V4 = "/vms/{vm}/disks", "/vms/{vm}/diskattachments"
_OLD, _NEW, _LATER = {"since4": NEVER}, {"since3": NEVER}, {"since3": (3, 1), "since4": NEVER}
ROUTES = (
    get(_V3, of_vm, "list its disks", **_OLD),
    post(_V3, added, "make a disk in it, or attach one", **_OLD),
    get(f"{_V3}/{{disk}}", shows(OF_VM), "show a disk", **_OLD),
    put(f"{_V3}/{{disk}}", changed, "change a disk", **_OLD),
    delete(f"{_V3}/{{disk}}", removed, "remove or detach a disk", **_OLD),
    verb(f"{_V3}/{{disk}}/activate", activate, "plug it in", **_LATER),
    verb(f"{_V3}/{{disk}}/deactivate", deactivate, "unplug it", **_LATER),
    get(_V4, attachments, "list what disks it has", **_NEW),
    post(_V4, attached, "make a disk in it, or attach one", **_NEW),
    get(f"{_V4}/{{disk}}", attachment, "show how a disk is attached", **_NEW),
    put(f"{_V4}/{{disk}}", attachment_changed, "change a disk and how it is attached", **_NEW),
    delete(f"{_V4}/{{disk}}", detached, "detach a disk; detach_only=false removes it", **_NEW),
    get("/disks", lists(DISK, "disk"), "list disks", since3=(3, 1)),
    post("/disks", floating, "make a disk that belongs to no machine", since3=(3, 1)),
    get("/disks/{disk}", shows(DISK), "show a disk", since3=(3, 1)),
    put("/disks/{disk}", disk_changed, "change a disk", since3=NEVER),
    delete("/disks/{disk}", disk_removed, "remove a disk", since3=(3, 1)),
    verb("/disks/{disk}/move", moved, "move it to another storage domain", since3=(3, 3)),
    creation(OF_VM),
    creation(DISK),
)
