"""Storage domains: made through a host, attached to a data center, where alone their real state is shown."""

from __future__ import annotations

import re

from ..answers import ActionDone, Many, One, Removed, address, writer
from ..call import ApiCall, require
from ..dialect import SimDialect, SimShape, Thing
from ..faults import BAD, Gone, Refused, Unreadable, refuse
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..world import World
from . import san
from .common import empty, lists, shows
from .connections import connect
from .datacenters import SINCE
from .diskshape import DISK
from .hosts import choose_spm, hosts_of
from .leftovers import BLOCK, keep, pack_templates, take_over
from .storageshape import DOMAIN, IN_CENTER

TIB = 1 << 40
#: Storage type -> what a new domain must say.
NEEDS = {
    "nfs": ("address:storage.address", "path:storage.path"),
    "localfs": ("path:storage.path",),
    "iscsi": ("luns:storage.logicalUnits.id",),
    "fcp": ("luns:storage.logicalUnits.id",),
    "posixfs": ("path:storage.path", "vfs_type:storage.vfsType"),
    "glusterfs": ("path:storage.path", "vfs_type:storage.vfsType"),
}
FREE = frozenset({"maintenance", "inactive", "unknown"})
#: The engine is at work on it; other wishes are refused meanwhile.
BUSY = frozenset({"locked", "activating", "preparing_for_maintenance", "detaching"})


def create(call: ApiCall) -> One:
    """Make a storage domain through a host that is up; it is unattached."""
    values = call.fresh(DOMAIN)
    kind = _check_body(call, values)
    host, world = call.look_up("host", values.pop("host")), call.world
    if host["status"] != "up":
        raise refuse("sd host", call.dialect, BAD)
    _refuse_double(call, values, host)
    if kind == "nfs" and not _MOUNTED.fullmatch(values.get("path") or "/") and call.dialect.modern:
        raise refuse("sd path", call.dialect, BAD)
    kept = take_over(call, values)
    values = {**kept, **{key: value for key, value in values.items() if value}}
    values["name"] = values.get("name") or f"imported{len(world.things['storage_domain']) + 1}"
    if kind in BLOCK and not kept:
        san.take(call, host, values)
    thing = _put(call, values, host["id"] if kind == "localfs" else None)
    connect(world, thing)
    world.event(
        956, "normal", f"Storage Domain {thing['name']} was added by admin@internal", storage_domain=thing["id"]
    )
    return One(DOMAIN, thing, 201)


def _check_body(call: ApiCall, values: Thing) -> str:
    """Refuse a body that lacks something; its kind of storage."""
    storage = "storage" if call.dialect.modern and call.part("storage") is None else "storage.type"
    wanted = ["host:host.id|name", "type", f"storage_type:{storage}"]
    require(values, ("StorageDomain", "StorageDomain"), wanted, call.dialect)
    kind: str = values["storage_type"]
    if not call.dialect.knows(SINCE.get(kind, (3, 0))):
        raise Refused(f"{kind.upper()} is not a member of StorageType", BAD, "Invalid value")
    block = kind in BLOCK and values.get("import", False)
    named_too = [] if values.get("import") else ["name"]
    needed = [] if block else NEEDS[kind]
    if named_too and not values.get("name"):
        needed = []
    require(values, ("StorageDomain", "StorageDomain"), named_too, call.dialect)
    if call.dialect.modern and needed:
        needed = [entry.replace(":storage.", ":") for entry in needed]
        require(values, ("HostStorage", "HostStorage"), needed, call.dialect)
    require(values, ("StorageDomain", "StorageDomain"), needed, call.dialect)
    return kind


def _put(call: ApiCall, values: Thing, local_host: str | None) -> Thing:
    """Put a new domain into the world."""
    for key in ("import", "format", "destroy", "data_center", "password", "override_luns"):
        values.pop(key, None)
    values["luns"] = [{**_lun(one["id"], values), **one} for one in values.get("luns", ())]
    return call.world.add(
        "storage_domain",
        **{"storage_format": "v5" if call.dialect.number == 4 else "v1", **values},
        status="unattached",
        data_center=None,
        master=False,
        available=10 * TIB,
        used=TIB // 100,
        committed=0,
        external_status="ok",
        local_host=local_host,
        block_size=512,
    )


_MOUNTED = re.compile(r"/\S*")


def _refuse_double(call: ApiCall, values: Thing, host: Thing) -> None:
    """Refuse a name or a path that another domain has."""
    for other in call.world.all("storage_domain"):
        if other["name"] == values.get("name"):
            raise refuse("sd name", call.dialect)
        same_host = values["storage_type"] != "localfs" or other.get("local_host") == host["id"]
        same = all(other.get(key) == values.get(key) for key in ("storage_type", "address", "path"))
        if same and same_host and values["storage_type"] not in BLOCK:
            raise refuse("sd connection", call.dialect, id=other.get("connection") or "", name=other["name"])


def _lun(lun_id: str, values: Thing) -> Thing:
    return {
        "id": lun_id,
        "serial": f"SEX_{lun_id[-8:]}",
        "vendor_id": "EXAMPLE",
        "product_id": "VIRTUAL-DISK",
        "lun_mapping": 0,
        "size": 100 << 30,
        "paths": 1,
        "address": values.get("address"),
        "target": values.get("target"),
        "port": values.get("port"),
    }


def change(call: ApiCall) -> One:
    """Change a domain's name and remarks."""
    thing = call.things["storage_domain"]
    values = call.changes(DOMAIN)
    told = {key: value for key, value in values.items() if key in _CHANGEABLE}
    call.world.change(thing, **told)
    return One(DOMAIN, thing)


_CHANGEABLE = frozenset(
    "name description comment wipe_after_delete warning_low_space_indicator critical_space_action_blocker".split()
)


def remove(call: ApiCall) -> Removed:
    """Remove an unattached domain, formatted or not; `destroy` forgets it without touching the storage."""
    thing, world = call.things["storage_domain"], call.world
    if call.dialect.number == 4:
        destroy, wipe, host = call.flag("destroy"), call.flag("format"), _host_named(call, call.params.get("host"))
    else:
        if call.body is None and call.dialect.modern and call.headers.get("content-type"):
            raise Unreadable("The request body is empty", BAD)
        values = call.read(DOMAIN) if call.body is not None and call.body.tag == DOMAIN.tag else {}
        destroy, wipe = values.get("destroy", False), values.get("format", False)
        host = call.look_up("host", values["host"]) if values.get("host") else None
    if host is None and not (destroy and call.dialect.number == 4):
        if call.dialect.modern:
            raise Refused("", BAD, "host parameter is missing")
        raise Refused("StorageDomain [host.id|name] required for remove", BAD, "Incomplete parameters")
    if thing.get("data_center") and not destroy and call.dialect.modern:
        raise refuse("sd attached anywhere", call.dialect, action="remove")
    if thing.get("data_center") and not destroy:
        raise refuse("sd inaccessible", call.dialect, action="remove", state=thing["status"].title())
    if call.dialect.version < (3, 1) and thing["type"] == "data" and not wipe and not destroy:
        raise refuse("sd format", call.dialect)
    if not wipe:
        keep(world, thing)
    forget(world, thing)
    return Removed()


def _host_named(call: ApiCall, said: str | None) -> Thing | None:
    """Find the host of a query parameter, which may be an id or a name."""
    if not said:
        return None
    return call.world.get("host", said) or call.look_up("host", {"name": said})


def forget(world: World, thing: Thing) -> None:
    """Take a domain out of the world with the disks on it."""
    for disk in world.of("disk", "storage_domain", thing["id"]):
        world.remove(disk)
    connection = world.get("storage_connection", thing.get("connection"))
    if connection is not None:
        world.remove(connection)
    world.remove(thing)
    world.event(960, "normal", f"Storage Domain {thing['name']} was removed.")


# in a data center ----------------------------------------------------------------------------------------------------


def of_center(call: ApiCall) -> Many:
    """List the domains of a data center with their real states."""
    return Many(IN_CENTER, call.world.of("storage_domain", "data_center", call.things["data_center"]["id"]))


def _inside(call: ApiCall) -> Thing:
    thing = call.things["storage_domain"]
    if thing.get("data_center") != call.things["data_center"]["id"]:
        raise Gone
    return thing


def in_center(call: ApiCall) -> One:
    """Show a domain with its real state."""
    return One(IN_CENTER, _inside(call))


def attach(call: ApiCall) -> One:
    """Attach a domain; the first data domain brings the data center up, a later one stays in maintenance on 3.0."""
    world, center = call.world, call.things["data_center"]
    values = call.read(DOMAIN)
    thing = call.look_up("storage_domain", {key: values[key] for key in ("id", "name") if key in values})
    if thing.get("data_center"):
        raise refuse("sd attached anywhere" if call.dialect.modern else "sd attached", call.dialect, action="attach")
    if (thing["storage_type"] == "localfs") != center["local"] and thing["type"] == "data":
        raise refuse("sd type", call.dialect)
    if not any(host["status"] == "up" for host in hosts_of(world, center["id"])):
        raise refuse("sd no host", call.dialect)
    others = world.of("storage_domain", "data_center", center["id"])
    if thing["type"] == "data":
        first = not any(one["type"] == "data" for one in others)
    elif center["status"] != "up":
        raise Refused("Cannot attach Storage. The relevant Data Center is not initialized: attach a data domain first.")
    else:
        first = False
    world.change(thing, data_center=center["id"], master=first)
    stays = call.dialect.version < (3, 1) and not first
    at_once = "sd.attach_at_once" if call.dialect.modern else "sd.attach_active"
    world.move(thing, "sd.attach" if stays else at_once, effect="sd active")
    world.event(
        962,
        "normal",
        f"Storage Domain {thing['name']} was attached to Data Center {center['name']}.",
        storage_domain=thing["id"],
        data_center=center["id"],
    )
    return One(IN_CENTER, thing, 201)


@effect("sd active")
def went_active(world: World, thing: Thing, _end: Thing) -> None:
    """Bring the data center up with its master domain."""
    center = world.get("data_center", thing.get("data_center"))
    if center is None or thing["status"] != "active":
        return
    text = f"Storage Domain {thing['name']} (Data Center {center['name']}) was activated"
    world.event(966, "normal", text, storage_domain=thing["id"], data_center=center["id"])
    if thing["type"] == "data" and not any(
        one["master"] for one in world.of("storage_domain", "data_center", center["id"])
    ):
        world.change(thing, master=True)
    if thing["master"]:
        world.change(center, status="up", storage_format=thing["storage_format"])
        choose_spm(world, center["id"])


def activate(call: ApiCall) -> ActionDone:
    """Let a domain be used."""
    thing = _inside(call)
    _refuse_busy(call, thing, "activate", FREE)
    at_once = "sd.attach_at_once" if call.dialect.modern else _by_version("sd.activate", call.dialect)
    call.world.move(thing, at_once, effect="sd active")
    return _done_to(call, thing)


def _done_to(call: ApiCall, thing: Thing) -> ActionDone:
    """Answer to a verb; v4 shows where the domain is attached."""
    if call.dialect.number == 3:
        return ActionDone(IN_CENTER, thing)
    center = writer(call).ref("data_center", "data_center", thing["data_center"])
    where = address(call, IN_CENTER, thing)
    centers = f"{center}<data_centers>{center}</data_centers>"
    told = f'<storage_domain href="{where}" id="{thing["id"]}">{centers}</storage_domain>'
    return ActionDone(outputs={"storage_domain": told})


def _refuse_busy(call: ApiCall, thing: Thing, action: str, fit: frozenset[str]) -> None:
    """Refuse what does not fit the state of a domain; what is under way has words of its own since 3.1."""
    if thing["status"] in BUSY - fit and call.dialect.version >= (3, 1):
        raise refuse("sd busy", call.dialect, action=action)
    if thing["status"] not in fit:
        raise refuse("sd inaccessible", call.dialect, action=action, state=thing["status"].title())


def _by_version(operation: str, dialect: SimDialect) -> str:
    """Before 3.5 a domain that changes is just locked."""
    return operation if dialect.knows((3, 5)) else f"{operation}_30"


def deactivate(call: ApiCall) -> ActionDone:
    """Put a domain into maintenance; the master only if another can take its place or it is the only one."""
    thing, world = _inside(call), call.world
    force = call.yes("force") and call.dialect.number == 4
    if not force:
        _refuse_busy(call, thing, "deactivate", frozenset({"active", "inactive", "unknown"}))
    used = _users(world, thing)
    if used:
        raise refuse("sd in use", call.dialect, action="deactivate", names=", ".join(sorted(used)))
    world.move(thing, _by_version("sd.deactivate", call.dialect), effect="sd idle")
    return _done_to(call, thing)


def _users(world: World, thing: Thing) -> set[str]:
    """Name the machines that run from a domain."""
    vms = [world.get("vm", disk.get("vm")) for disk in world.of("disk", "storage_domain", thing["id"])]
    return {vm["name"] for vm in vms if vm and vm.get("host")}


@effect("sd idle")
def went_idle(world: World, thing: Thing, _end: Thing) -> None:
    """Hand the master's part to another domain, or let the data center go down with its last one."""
    center = world.get("data_center", thing.get("data_center"))
    if center is None or not thing["master"]:
        return
    others = world.of("storage_domain", "data_center", center["id"])
    heirs = [one for one in others if one is not thing and one["type"] == "data" and one["status"] == "active"]
    if heirs:
        world.change(thing, master=False)
        world.change(heirs[0], master=True)
    else:
        world.change(center, status="maintenance")


def detach(call: ApiCall) -> Removed:
    """Detach a domain that is in maintenance; since 3.1 a local one is removed and formatted by that."""
    thing, world = _inside(call), call.world
    center = call.things["data_center"]
    _refuse_busy(call, thing, "detach", FREE)
    others = [one for one in world.of("storage_domain", "data_center", center["id"]) if one is not thing]
    if thing["master"] and others:
        raise refuse("sd master", call.dialect, action="detach")
    if thing["storage_type"] == "localfs" and call.dialect.version >= (3, 1):
        world.change(center, status="maintenance" if others else "uninitialized")
        forget(world, thing)
        return Removed()
    world.change(thing, master=False)
    if call.dialect.knows((3, 5)) and thing["type"] == "data":
        pack_templates(world, thing)
    if not others:
        world.change(center, status="uninitialized", storage_format=None)
    if call.dialect.knows((3, 5)) and not call.dialect.modern:
        world.move(thing, "sd.detach", data_center=None)
    else:
        world.change(thing, status="unattached", data_center=None)
    return Removed()


def disks_of(call: ApiCall) -> Many:
    """List the disks on a domain."""
    return Many(DISK, call.world.of("disk", "storage_domain", call.things["storage_domain"]["id"]))


FILE = SimShape("file", "file", "files", "/storagedomains/{storage_domain}/files/{file}", ())
_IN = "/datacenters/{data_center}/storagedomains"
ROUTES = (
    get("/storagedomains", lists(DOMAIN, "storage_domain"), "list storage domains; state only if unattached"),
    post("/storagedomains", create, "make a storage domain through a host"),
    get("/storagedomains/{storage_domain}", shows(DOMAIN), "show a storage domain"),
    put("/storagedomains/{storage_domain}", change, "change a storage domain"),
    delete("/storagedomains/{storage_domain}", remove, "remove an unattached domain; format, destroy"),
    get("/storagedomains/{storage_domain}/disks", disks_of, "list the disks on it", since3=(3, 1)),
    get("/storagedomains/{storage_domain}/files", empty(FILE), "list the ISO files on it"),
    get(_IN, of_center, "list its storage domains with their states"),
    post(_IN, attach, "attach a storage domain"),
    get(f"{_IN}/{{storage_domain}}", in_center, "show a storage domain with its state"),
    delete(f"{_IN}/{{storage_domain}}", detach, "detach a storage domain"),
    verb(f"{_IN}/{{storage_domain}}/activate", activate, "let it be used"),
    verb(f"{_IN}/{{storage_domain}}/deactivate", deactivate, "put it into maintenance"),
)
