"""What stays on storage when a domain leaves its engine without being formatted, and how it comes back."""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import Thing
from ..faults import BAD, MISSING, Refused, refuse
from ..world import World

#: What a domain keeps on its storage about itself.
_KEPT = (
    "name",
    "type",
    "storage_type",
    "address",
    "path",
    "vfs_type",
    "luns",
    "vg",
    "storage_format",
    "templates",
    "unregistered",
)
BLOCK = frozenset({"iscsi", "fcp"})


def keep(world: World, domain: Thing) -> None:
    """Leave on the storage what a domain consists of; it keeps its id there."""
    world.add("leftover", id=domain["id"], **{key: domain[key] for key in _KEPT if domain.get(key)})


def take_over(call: ApiCall, values: Thing) -> Thing:
    """Find what an import means, and take it off the leftovers; nothing for a domain that is to be made.

    Engines look at the flag for block storage only: a file domain that is there is imported whether it is asked for or
    not, and where none is one is made.

    Args:
        call: Its body may hold the id of a block domain.
        values: The wanted domain.

    Raises:
        Refused: A block domain is wanted that is not there.
    """
    world = call.world
    if values["storage_type"] not in BLOCK:
        found = next((one for one in world.all("leftover") if _same_place(one, values)), None)
    elif not values.get("import"):
        return {}
    else:
        told = call.body.get("id") if call.body is not None else None
        if not told:
            raise Refused("StorageDomain [id] required for add", BAD, "Incomplete parameters")
        found = world.get("leftover", told)
        if found is None:
            raise Refused(f"Storage Domain id {told} Does not exists", MISSING, listed=False)
    if found is None:
        return {}
    world.remove(found)
    return {key: found[key] for key in ("id", "name", *_KEPT) if key in found}


def _same_place(one: Thing, values: Thing) -> bool:
    keys = ("type", "storage_type", "address", "path")
    return all(one.get(key) == values.get(key) for key in keys)


# templates -----------------------------------------------------------------------------------------------------------


def pack(world: World, template: Thing) -> Thing:
    """Give a template with its disks and cards as it is written to a storage domain."""
    parts = {kind: [dict(one) for one in world.of(kind, "template", template["id"])] for kind in ("disk", "nic")}
    return {**template, "status": "ok", "packed": parts}


def pack_templates(world: World, domain: Thing) -> None:
    """Take the templates whose disks are all on a data domain out of the engine: they go with it."""
    mine = {disk["template"] for disk in world.of("disk", "storage_domain", domain["id"]) if disk.get("template")}
    for template in [world.the("template", one) for one in mine]:
        disks = world.of("disk", "template", template["id"])
        if any(disk["storage_domain"] != domain["id"] for disk in disks):
            continue
        world.change(domain, unregistered=[*domain.get("unregistered", ()), pack(world, template)])
        for kind in ("disk", "nic"):
            for part in world.of(kind, "template", template["id"]):
                world.remove(part)
        world.remove(template)


def unpack(call: ApiCall, kept: Thing, cluster: Thing, domain: Thing) -> Thing:
    """Bring a template back into the engine.

    Args:
        call: Into its engine.
        kept: As `pack` gave it.
        cluster: Its new cluster.
        domain: The data domain that its disks are on from now on.

    Raises:
        Refused: It is there.
    """
    world = call.world
    if world.get("template", kept["id"]) or world.exactly("template", kept["name"]):
        raise refuse("template there", call.dialect, name=kept["name"])
    values = {key: value for key, value in kept.items() if key not in ("kind", "v", "turn", "packed", "cluster")}
    template = world.add("template", **values, cluster=cluster["id"])
    for kind, parts in kept["packed"].items():
        for part in parts:
            told = {key: value for key, value in part.items() if key not in ("kind", "v", "turn")}
            if world.get(kind, told["id"]):
                told.pop("id")
            world.add(kind, **{**told, **({"storage_domain": domain["id"]} if kind == "disk" else {})})
    return template
