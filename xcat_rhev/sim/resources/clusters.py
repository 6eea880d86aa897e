"""Clusters: hosts of one CPU type and the networks they share."""

from __future__ import annotations

from ..answers import One, Removed
from ..call import SHAPES, Call, require
from ..dialect import Shape, Thing, named, ref, v4only
from ..faults import name_taken, not_found, refuse
from ..levels import cpus
from ..routing import delete, get, post, put
from ..world import World
from .common import lists, lists_of, shows
from .datacenters import LEVELS, VERSION, check_level


def _costly(call: Call) -> Thing:
    """Leave out what an engine looks up only for who wants all content (BackendClustersResource.doPopulate)."""
    wanted = call.flag("all_content") or call.headers.get("all-content", "").lower() == "true"
    return {} if wanted else {"management_network": None}


CLUSTER = Shape(
    "cluster",
    "cluster",
    "clusters",
    "/clusters/{cluster}",
    (
        named("cpu_type", v3="cpu@id", v4="cpu/type"),
        named("cpu_architecture", v3="cpu/architecture", v4="cpu/architecture", since3=(3, 6)),
        ref("data_center"),
        named("overcommit", "int", "memory_policy/overcommit@percent", "memory_policy/over_commit/percent"),
        named(
            "hugepages",
            "bool",
            "memory_policy/transparent_hugepages/enabled",
            "memory_policy/transparent_hugepages/enabled",
        ),
        named("scheduling", v3="scheduling_policy/policy", v4="", fixed=True),
        *VERSION,
        LEVELS,
        named("on_error", v3="error_handling/on_error", v4="error_handling/on_error"),
        named("virt_service", "bool", since3=(3, 3)),
        named("gluster_service", "bool", since3=(3, 3)),
        named("threads_as_cores", "bool", since3=(3, 6)),
        named("trusted_service", "bool", since3=(3, 6)),
        named("ha_reservation", "bool", since3=(3, 6)),
        named("ballooning_enabled", "bool", since3=(3, 6)),
        named("ksm", "bool", "ksm/enabled", "ksm/enabled", since3=(3, 6)),
        ref("management_network", "network", since3=(3, 6)),
        v4only("firewall_type"),
        v4only("switch_type"),
        v4only("bios_type"),
    ),
    order36="cpu data_center memory_policy scheduling_policy version supported_versions error_handling virt_service "
    "gluster_service threads_as_cores trusted_service ha_reservation ballooning_enabled ksm management_network",
    view=lambda world, thing, call: {**thing, "levels": [], **_costly(call)},
)
SHAPES["cluster"] = CLUSTER

USUAL: Thing = {
    "overcommit": 100,
    "hugepages": True,
    "on_error": "migrate",
    "virt_service": True,
    "gluster_service": False,
    "threads_as_cores": False,
    "trusted_service": False,
    "ha_reservation": False,
    "ballooning_enabled": True,
    "ksm": True,
    "cpu_architecture": "x86_64",
    "firewall_type": "firewalld",
    "switch_type": "legacy",
    "bios_type": "q35_sea_bios",
}


def created(call: Call) -> One:
    """Make a cluster; it gets the data center's management network."""
    values = call.fresh(CLUSTER)
    require(values, ("Cluster", "Cluster"), ("name", "data_center:dataCenter.name|id"), call.dialect)
    center = call.look_up("data_center", values.pop("data_center"))
    if call.world.exactly("cluster", values["name"]):
        raise name_taken("Cluster")
    if values.get("management_network"):
        network = call.look_up("network", values.pop("management_network"), data_center=center["id"])
        if network["data_center"] != center["id"]:
            raise not_found("Network", network["id"])
    else:
        network = management(call.world, center, call.settings.management)
    _check_cpu(call, values, {**center, **values}, "add")
    thing = call.world.add(
        "cluster", **{**USUAL, **values}, data_center=center["id"], management_network=network["id"],
    )
    attach(call.world, thing, network, required=True)
    call.world.event(809, "normal", f"Cluster {thing['name']} was added by admin@internal", cluster=thing["id"])
    return One(CLUSTER, thing, 201)


def _check_cpu(call: Call, values: Thing, level: Thing, action: str) -> None:
    """Take the data center's level if none is asked for; refuse a CPU type that the level does not have."""
    if "major" in values:
        check_level(call, values, action, "Cluster")
    values.setdefault("major", level["major"])
    values.setdefault("minor", level["minor"])
    known = {cpu.name for cpu in cpus((values["major"], values["minor"]))}
    if values.get("cpu_type") and values["cpu_type"] not in known:
        raise refuse("cluster cpu", call.dialect, action=action)


def management(world: World, center: Thing, name: str) -> Thing:
    """Give the management network of a data center; it comes with the first cluster."""
    network = world.exactly("network", name, data_center=center["id"])
    if network is None:
        network = world.add(
            "network", name=name, description="Management Network", data_center=center["id"], stp=False, mtu=0,
            vm_network=True, usages=["vm", "management", "display", "migration"],
        )
        world.add("vnic_profile", name=name, network=network["id"])
    return network


def attach(world: World, cluster: Thing, network: Thing, required: bool = True, display: bool = False) -> Thing:
    """Make a network known in a cluster."""
    return world.add(
        "cluster_network", cluster=cluster["id"], network=network["id"], required=required, display=display,
        status="operational",
    )


def changed(call: Call) -> One:
    """Change a cluster."""
    thing, world = call.things["cluster"], call.world
    values = call.changes(CLUSTER)
    other = world.exactly("cluster", values.get("name", ""))
    if other is not None and other is not thing:
        raise name_taken("Cluster", "edit")
    values.pop("management_network", None)
    center = call.look_up("data_center", values.pop("data_center")) if values.get("data_center") else None
    if center is not None and center["id"] != thing["data_center"]:
        _move(call, thing, center)
    _check_cpu(call, values, thing, "edit")
    world.change(thing, **values)
    return One(CLUSTER, thing)


def _move(call: Call, cluster: Thing, center: Thing) -> None:
    """Give a data center to a cluster that has lost its own; one that has one stays there."""
    if cluster["data_center"]:
        raise refuse("cluster center", call.dialect)
    network = management(call.world, center, call.settings.management)
    call.world.change(cluster, data_center=center["id"], management_network=network["id"])
    attach(call.world, cluster, network)


def removed(call: Call) -> Removed:
    """Remove a cluster that has neither hosts nor machines."""
    thing, world = call.things["cluster"], call.world
    if world.of("host", "cluster", thing["id"]):
        raise refuse("cluster hosts", call.dialect)
    if world.of("vm", "cluster", thing["id"]):
        raise refuse("cluster vms", call.dialect)
    if world.of("template", "cluster", thing["id"]):
        raise refuse("cluster templates", call.dialect)
    for kind in ("cluster_network", "affinity_group"):
        for part in world.of(kind, "cluster", thing["id"]):
            world.remove(part)
    world.remove(thing)
    world.event(813, "normal", f"Cluster {thing['name']} was removed by admin@internal")
    return Removed()


ROUTES = (
    get("/clusters", lists(CLUSTER, "cluster"), "list clusters"),
    post("/clusters", created, "make a cluster"),
    get("/clusters/{cluster}", shows(CLUSTER), "show a cluster"),
    put("/clusters/{cluster}", changed, "change a cluster"),
    delete("/clusters/{cluster}", removed, "remove a cluster"),
    get("/datacenters/{data_center}/clusters", lists_of(CLUSTER, "data_center"), "list its clusters", since3=(3, 3)),
)
