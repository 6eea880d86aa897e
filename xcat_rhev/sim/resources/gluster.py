"""Gluster volumes: which hosts serve them, and whether what was missed while one was away is healed.

A host that goes to maintenance with `stop_gluster_service` takes its bricks along; when it is back they heal for a
while, in which no other host of the volume may go that way (GlusterHostValidator.checkUnsyncedEntries).
"""

from __future__ import annotations

from ..answers import ActionDone
from ..call import SHAPES, ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import Refused
from ..routing import get, verb
from ..world import World
from .clusters import CLUSTER
from .common import lists_of, shows

VOLUME = SimShape(
    "gluster_volume",
    "gluster_volume",
    "gluster_volumes",
    "/clusters/{cluster}/glustervolumes/{gluster_volume}",
    (ref("cluster"), sim_field("status", v3="status/state")),
    order36="cluster status",
)
_FIELDS = (sim_field("server_id"), sim_field("brick_dir"), sim_field("status", v3="status/state"))
SHAPES["gluster_volume"] = VOLUME
#: Seconds for which bricks heal after a host was away.
HEALING = 30.0


def _brick(word: str) -> SimShape:
    path = f"{VOLUME.path}/{word}/{{gluster_brick}}"
    return SimShape("gluster_brick", "brick", "bricks", path, _FIELDS, order36="server_id brick_dir status")


def bricks_of(world: World, host: Thing) -> list[Thing]:
    """Give what a host serves."""
    return [each for each in world.all("gluster_brick") if each["server_id"] == host["id"]]


def check_healed(world: World, host: Thing) -> None:
    """Refuse to stop Gluster on a host with what is not healed."""
    open_ = [one["name"] for one in bricks_of(world, host) if one["status"] == "up" and _heals(world, one)]
    if open_:
        said = f"Unsynced entries present in following gluster bricks: [{', '.join(open_)}]."
        raise Refused(f"Cannot switch the following Host(s) to Maintenance mode: {host['name']}.\n{said}")


def _heals(world: World, brick: Thing) -> bool:
    return bool(brick.get("heals_until", 0.0) > world.now())


def stop(world: World, host: Thing) -> None:
    """Let a host's bricks go with it."""
    for brick in bricks_of(world, host):
        world.change(brick, status="down")


def come_back(world: World, host: Thing) -> None:
    """Let a host's bricks come back, and their volumes heal."""
    for brick in bricks_of(world, host):
        if brick["status"] == "down":
            world.change(brick, status="up")
            for each in world.of("gluster_brick", "gluster_volume", brick["gluster_volume"]):
                world.change(each, heals_until=world.now() + HEALING)


def _looked_at(call: ApiCall) -> ActionDone:
    return ActionDone(CLUSTER, call.things["cluster"])


_SINCE = {"since3": (3, 3)}
ROUTES = (
    get("/clusters/{cluster}/glustervolumes", lists_of(VOLUME, "cluster"), "list its volumes", **_SINCE),
    get(VOLUME.path, shows(VOLUME), "show a volume", **_SINCE),
    get(f"{VOLUME.path}/bricks", lists_of(_brick("bricks"), "gluster_volume"), "list its bricks", **_SINCE),
    get(
        f"{VOLUME.path}/glusterbricks",
        lists_of(_brick("glusterbricks"), "gluster_volume"),
        "list its bricks",
        since3=NEVER,
    ),
    verb(
        "/clusters/{cluster}/refreshglusterhealstatus",
        _looked_at,
        "look at its volumes",
        since3=NEVER,
        since4=(4, 4),
    ),
)
