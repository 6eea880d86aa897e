"""Storage connections: where storage is, apart from the domains on it."""

from __future__ import annotations

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, sim_field
from ..faults import Refused
from ..routing import delete, get, post, put
from ..world import World
from .common import lists, shows

_FIELDS = (
    sim_field("address"),
    sim_field("type"),
    sim_field("path"),
    sim_field("mount_options"),
    sim_field("vfs_type"),
    sim_field("nfs_version"),
    sim_field("nfs_timeo", "int"),
    sim_field("nfs_retrans", "int"),
    sim_field("port", "int"),
    sim_field("target"),
    sim_field("username"),
    sim_field("password", "secret"),
    sim_field("portal"),
)
CONNECTION = SimShape(
    "storage_connection",
    "storage_connection",
    "storage_connections",
    "/storageconnections/{storage_connection}",
    _FIELDS,
)
SHAPES["storage_connection"] = CONNECTION


def create(call: ApiCall) -> One:
    """Make a storage connection."""
    values = call.fresh(CONNECTION)
    require(values, ("StorageConnection", "StorageConnection"), ("type",), call.dialect)
    if any(_same(one, values) for one in call.world.all("storage_connection")):
        raise Refused("Cannot add Storage Connection. Storage connection already exists.")
    values.pop("password", None)
    return One(CONNECTION, call.world.add("storage_connection", **values), 201)


def _same(one: Thing, values: Thing) -> bool:
    return all(one.get(key) == values.get(key) for key in ("type", "address", "path", "target"))


def change(call: ApiCall) -> One:
    """Change a storage connection."""
    values = call.changes(CONNECTION)
    for key in "password":
        values.pop(key, None)
    call.world.change(call.things["storage_connection"], **values)
    return One(CONNECTION, call.things["storage_connection"])


def remove(call: ApiCall) -> Removed:
    """Remove a storage connection."""
    call.world.remove(call.things["storage_connection"])
    return Removed()


def connect(world: World, domain: Thing) -> None:
    """Make the connection that a new domain uses, unless it is there already."""
    told = {one.key: domain[one.key] for one in _FIELDS if domain.get(one.key) is not None and one.kind != "secret"}
    told["type"] = domain["storage_type"]
    found = next((one for one in world.all("storage_connection") if _same(one, told)), None)
    found = found or world.add("storage_connection", **told)
    world.change(domain, connection=found["id"])


def of_domain(call: ApiCall) -> Many:
    """List the connection of a domain."""
    found = call.world.get("storage_connection", call.things["storage_domain"].get("connection"))
    return Many(CONNECTION, [found] if found else [])


_ONE = "/storageconnections/{storage_connection}"
_SINCE = {"since3": (3, 3)}
ROUTES = (
    get("/storageconnections", lists(CONNECTION), "list storage connections", **_SINCE),
    post("/storageconnections", create, "make a storage connection", **_SINCE),
    get(_ONE, shows(CONNECTION), "show a storage connection", **_SINCE),
    put(_ONE, change, "change a storage connection", **_SINCE),
    delete(_ONE, remove, "remove a storage connection", **_SINCE),
    get("/storagedomains/{storage_domain}/storageconnections", of_domain, "list its connection", **_SINCE),
)
