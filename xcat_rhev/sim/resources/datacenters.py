"""Data centers: their storage decides whether they are up."""

from __future__ import annotations

from ..answers import One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import MODERN, SimShape, Thing, ref, sim_field
from ..faults import BAD, action_name, bad_value, name_taken, refuse
from ..levels import newest, supported_levels
from ..routing import delete, get, post, put
from ..world import World
from .common import lists, shows
from .hostnics import forget_network

VERSION = (
    sim_field("major", "int", "version@major", "version/major"),
    sim_field("minor", "int", "version@minor", "version/minor"),
)
LEVELS = sim_field(
    "levels",
    v3="supported_versions/version[]",
    v4="supported_versions/version[]",
    fixed=True,
    item=(sim_field("major", "int", "@major", "major"), sim_field("minor", "int", "@minor", "minor")),
)
#: The pool of addresses that every engine has.
MAC_POOL = "58ca604b-017d-0374-0220-00000000014e"
DATA_CENTER = SimShape(
    "data_center",
    "data_center",
    "data_centers",
    "/datacenters/{data_center}",
    (
        sim_field("storage_type", v4="", words="nfs localfs iscsi fcp posixfs glusterfs"),
        sim_field("local", "bool", since3=(3, 4)),
        sim_field("storage_format", fixed=True),
        *VERSION,
        LEVELS,
        sim_field("status", v3="status/state", fixed=True),
        sim_field("quota_mode", since3=(3, 6), words="disabled audit enabled"),
        ref("mac_pool", behind=MODERN),
    ),
    order30="storage_type storage_format version supported_versions status",
    order36="storage_type local storage_format version supported_versions status mac_pool quota_mode",
    view=lambda world, thing, call: {
        **thing,
        "levels": [{"major": a, "minor": b} for a, b in supported_levels(call.dialect)],
        **_pool(world, thing, call),
        "storage_type": None if call.dialect.version >= (3, 6) else thing.get("storage_type"),
    },
)
SHAPES["data_center"] = DATA_CENTER


def _pool(world: World, center: Thing, call: ApiCall) -> Thing:
    """Give the pool of addresses: v3 of 4.x takes it from a cluster, and knows none where there is no cluster."""
    if call.dialect.number == 4 or not world.of("cluster", "data_center", center["id"]):
        return {}
    return {"mac_pool": MAC_POOL}


#: Storage types that came later than the first engine.
SINCE = {"posixfs": (3, 1), "glusterfs": (3, 3)}


def create(call: ApiCall) -> One:
    """Make a data center; it is uninitialized until it has storage."""
    values = call.fresh(DATA_CENTER)
    kind = "local" if call.dialect.number == 4 else "storage_type"
    if call.dialect.number == 3 and call.dialect.knows((3, 4)):
        kind = "storage_type|local" + (":local" if call.dialect.modern else "")
    require(values, ("DataCenter", "DataCenter"), (kind, "name"), call.dialect)
    if not call.dialect.knows(SINCE.get(values.get("storage_type", ""), (3, 0))):
        raise bad_value(values["storage_type"].upper(), "StorageType")
    if call.world.exactly("data_center", values["name"]):
        raise name_taken("Data Center", call.dialect)
    local = values.pop("local", None)
    local = values.get("storage_type") == "localfs" if local is None else local
    values.setdefault("storage_type", "localfs" if local else "nfs")
    check_level(call, values, "add", "Data Center")
    thing = call.world.add("data_center", **{"quota_mode": "disabled", **values}, local=local, status="uninitialized")
    if call.dialect.modern:
        management(call.world, thing, call.settings.management)
    call.world.event(950, "normal", f"Data Center {thing['name']} was added.", data_center=thing["id"])
    return One(DATA_CENTER, thing, 201)


def check_level(call: ApiCall, values: Thing, action: str, what: str) -> None:
    """Take the newest compatibility level if none is asked for, and refuse one that this engine lacks."""
    asked = (values.get("major"), values.get("minor"))
    if asked == (None, None):
        values["major"], values["minor"] = newest(call.dialect)
    elif asked not in supported_levels(call.dialect):
        raise refuse("cluster version", call.dialect, BAD, action=action_name(action, what, call.dialect), type=what)


def management(world: World, center: Thing, name: str) -> Thing:
    """Give the management network of a data center; it comes with the first cluster."""
    network = world.exactly("network", name, data_center=center["id"])
    if network is None:
        network = world.add(
            "network",
            name=name,
            description="Management Network",
            data_center=center["id"],
            stp=False,
            mtu=0,
            vm_network=True,
            usages=["vm", "management", "display", "migration"],
        )
        world.add("vnic_profile", name=name, network=network["id"])
    return network


def change(call: ApiCall) -> One:
    """Change a data center; what kind of storage it has only while it has none."""
    thing, world = call.things["data_center"], call.world
    values = call.changes(DATA_CENTER)
    other = world.exactly("data_center", values.get("name", ""))
    if other is not None and other is not thing:
        raise name_taken("Data Center", call.dialect, "edit")
    local = values.get("local", thing["local"])
    if local != thing["local"] and world.of("storage_domain", "data_center", thing["id"]):
        raise refuse("dc type", call.dialect)
    if {"major", "minor"} & set(values):
        check_level(call, values, "edit", "Data Center")
        _check_clusters(call, thing, (values["major"], values["minor"]))
    world.change(thing, **values)
    return One(DATA_CENTER, thing)


def _check_clusters(call: ApiCall, center: Thing, level: tuple[int, int]) -> None:
    """Refuse a level below the present one, or above that of one of its clusters."""
    if level < (center["major"], center["minor"]):
        raise refuse("dc lower", call.dialect, BAD)
    clusters = call.world.of("cluster", "data_center", center["id"])
    lower = [one["name"] for one in clusters if (one["major"], one["minor"]) < level]
    if lower:
        raise refuse("dc above", call.dialect, BAD, names=",".join(lower))


def remove(call: ApiCall) -> Removed:
    """Remove a data center; with active storage only by force."""
    thing, world = call.things["data_center"], call.world
    force = call.flag("force") if call.dialect.number == 4 else call.yes("force")
    domains = world.of("storage_domain", "data_center", thing["id"])
    busy = [one for one in domains if one["status"] not in {"maintenance", "inactive", "unknown", "unattached"}]
    if busy and not force:
        raise refuse("dc active", call.dialect)
    for domain in domains:
        if domain["storage_type"] == "localfs":  # the engine formats it
            _forget_local(world, domain)
        else:
            world.change(domain, data_center=None, status="unattached", master=False)
    _dissolve(world, thing)
    world.event(954, "normal", f"Data Center {thing['name']} was removed.")
    return Removed()


def _forget_local(world: World, domain: Thing) -> None:
    for disk in world.of("disk", "storage_domain", domain["id"]):
        world.remove(disk)
    world.remove(domain)


def _dissolve(world: World, thing: Thing) -> None:
    """Leave the clusters without a data center and take the networks with it, as the engine does."""
    for network in world.of("network", "data_center", thing["id"]):
        forget_network(world, network)
    for cluster in world.of("cluster", "data_center", thing["id"]):
        world.change(cluster, data_center=None)
    world.remove(thing)


ROUTES = (
    get("/datacenters", lists(DATA_CENTER, "data_center"), "list data centers"),
    post("/datacenters", create, "make a data center"),
    get("/datacenters/{data_center}", shows(DATA_CENTER), "show a data center"),
    put("/datacenters/{data_center}", change, "change a data center"),
    delete("/datacenters/{data_center}", remove, "remove a data center; force"),
)
