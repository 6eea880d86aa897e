"""A new disk: what it gets unless its body says otherwise, where it is put, and what forbids it."""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import Thing
from ..faults import BAD, MISSING, Refused, refuse
from ..world import World
from .sharing import disks_of

GIB = 1 << 30


def _check_place(call: ApiCall, said: list[Thing], values: Thing) -> None:
    """Refuse a disk without a domain, on one that is not there, or of a kind that none can have (v4)."""
    if not said:
        raise Refused("Cannot add Virtual Disk. Storage Domain hasn't been specified.", BAD)
    if "id" in said[0] and call.world.get("storage_domain", said[0]["id"]) is None:
        raise Refused(f"Entity not found: {said[0]['id']}", MISSING, listed=False)
    if values.get("format") == "cow" and values.get("sparse") is False and values.get("backup") != "incremental":
        kind = "COW Preallocated backup-None" if call.dialect.behind >= (4, 3) else "COW Preallocated"
        raise refuse("disk kind", call.dialect, how=kind)


#: What a new disk is unless its body says otherwise.
_USUAL: Thing = {
    "interface": "virtio",
    "bootable": False,
    "active": True,
    "wipe_after_delete": False,
    "shareable": False,
    "propagate_errors": False,
    "disk_type": "system",
}


def _domain_for(call: ApiCall, values: Thing, vm: Thing | None) -> Thing:
    """The active storage domain that a new disk's body names, or that of the machine."""
    said = [one for one in values.pop("domains", ()) if one]
    if call.dialect.number == 4:
        _check_place(call, said, values)
    domain = call.look_up("storage_domain", said[0]) if said else _first_domain(call.world, vm)
    if domain is None:
        raise refuse("disk no domain", call.dialect, BAD)
    if domain["status"] != "active":
        raise refuse("sd inaccessible", call.dialect, action="add Virtual Disk to", state=domain["status"].title())
    return domain


def add_disk(call: ApiCall, values: Thing, vm: Thing | None) -> Thing:
    """Make a disk from what a body says, with the engine's usual values."""
    world = call.world
    if values.get("luns"):
        return _direct(world, values, vm)
    domain = _domain_for(call, values, vm)
    size = values.pop("provisioned_size", None) or values.pop("size", None) or 0
    values.pop("size", None)
    if size <= 0 and not (4, 0) <= call.dialect.version < (4, 3):
        modern, old = "Disk's provisioned size has to be greater than 0.", "Disk size must be greater than zero"
        raise Refused(f"Cannot add Virtual Disk. {modern if call.dialect.knows((4, 3)) else old}", BAD)
    if size > domain["available"]:
        raise refuse("disk space", call.dialect, name=domain["name"])
    check_interface(call, vm, values.get("interface"), "add")
    block = domain["storage_type"] in {"iscsi", "fcp"}
    alias, plain = values.pop("alias", None), values.pop("name", None)
    name = alias or plain or _next_name(world, vm)
    form = values.get("format") or "raw"
    disk = world.add(
        "disk",
        **{**_USUAL, "format": form, "sparse": form == "cow" or not block, **values},
        name=name,
        size=-(-size // GIB) * GIB if block else size,
        actual_size=0,
        storage_domain=domain["id"],
        vm=vm["id"] if vm else None,
    )
    world.change(domain, committed=domain["committed"] + disk["size"])
    world.move(disk, "disk.create")
    world.event(78, "normal", f"Add-Disk operation of {name} was initiated.", **({"vm": vm["id"]} if vm else {}))
    return disk


def _direct(world: World, values: Thing, vm: Thing | None) -> Thing:
    """Make a disk of a LUN; it is there at once."""
    alias, plain = values.pop("alias", None), values.pop("name", None)
    usual = {"interface": "virtio", "bootable": False, "active": True, "shareable": False, "wipe_after_delete": False}
    nothing = dict.fromkeys(("size", "actual_size", "status", "format", "sparse", "storage_domain"))
    name = alias or plain or _next_name(world, vm)
    return world.add("disk", **{**usual, **values, **nothing}, name=name, vm=vm["id"] if vm else None)


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


def check_bootable(call: ApiCall, vm: Thing, name: str, own: Thing | None = None) -> None:
    """Refuse a second disk to boot from."""
    for other in disks_of(call.world, vm):
        if other.get("bootable") and (own is None or other["id"] != own["id"]):
            raise refuse(
                "disk bootable", call.dialect, name=other["name"] if call.dialect.modern else name, vm=vm["name"]
            )


def check_interface(call: ApiCall, vm: Thing | None, interface: str | None, action: str) -> None:
    """Refuse a bus that the machine's chipset does not have: q35 has no IDE, i440fx no SATA (osinfo, since 4.4)."""
    if vm is None or not interface or not call.dialect.knows((4, 4)):
        return
    own = vm.get("bios_type") or "cluster_default"
    bios = call.world.the("cluster", vm["cluster"]).get("bios_type") if own == "cluster_default" else own
    if interface == ("ide" if str(bios).startswith("q35") else "sata"):
        raise refuse("disk interface", call.dialect, BAD, action=action)
