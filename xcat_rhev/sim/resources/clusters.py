"""Clusters: hosts of one CPU type and the networks they share."""

from __future__ import annotations

from ..answers import One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import MODERN, SAID, SimShape, Thing, ref, sim_field, v3only, v4only
from ..faults import BAD, Refused, action_name, name_taken, not_found, refuse, words_of
from ..levels import cpus
from ..routing import delete, get, post, put
from ..usual import usual, usual3
from ..world import World
from .common import lists, lists_of, shows
from .datacenters import LEVELS, MAC_POOL, VERSION, check_level, management


def _costly(call: ApiCall) -> Thing:
    """Leave out what an engine looks up only for who wants all content (BackendClustersResource.doPopulate)."""
    told = call.body is not None and call.body.tag == "cluster" and call.dialect.modern
    wanted = told or call.flag("all_content") or call.headers.get("all-content", "").lower() == "true"
    return {} if wanted else {"management_network": None}


def _always(thing: Thing, call: ApiCall) -> Thing:
    """Give what engines of 4.x say of every cluster: the pool of addresses and the policy that all of them have."""
    if not call.dialect.modern:
        return {}
    if call.dialect.number == 3:
        at = f"{call.dialect.base}/schedulingpolicies/{BALANCED}"
        return {"policy_id": BALANCED, "policy_at": at, "scheduling": thing.get("scheduling") or "none"}
    return {"mac_pool": MAC_POOL, **policy_of(thing)}


def policy_of(cluster: Thing) -> Thing:
    """Give the policy that a cluster has, and its values there."""
    properties = cluster.get("policy_properties")
    if properties is None:
        properties = [{"name": name, "value": value} for name, value in _POLICY]
    return {"scheduling_policy": cluster.get("scheduling_policy") or BALANCED, "policy_properties": properties}


#: The id of the policy `none` in every engine, and its values; clusters have it unless they say otherwise.
BALANCED = "b4ed2332-a7ac-4d5f-9596-99a439cb2812"
_POLICY = (("HighUtilization", "80"), ("CpuOverCommitDurationMinutes", "2"))
CLUSTER = SimShape(
    "cluster",
    "cluster",
    "clusters",
    "/clusters/{cluster}",
    (
        sim_field("cpu_type", v3="cpu@id", v4="cpu/type"),
        sim_field("cpu_architecture", v3="cpu/architecture", v4="cpu/architecture", since3=(3, 6)),
        ref("data_center"),
        sim_field("overcommit", "int", "memory_policy/overcommit@percent", "memory_policy/over_commit/percent"),
        sim_field(
            "hugepages",
            "bool",
            "memory_policy/transparent_hugepages/enabled",
            "memory_policy/transparent_hugepages/enabled",
        ),
        sim_field("scheduling", v3="scheduling_policy/policy", v4="", fixed=True),
        v3only("policy_id", path="scheduling_policy@id", behind=MODERN, fixed=True),
        v3only("policy_at", path="scheduling_policy@href", behind=MODERN, fixed=True),
        *VERSION,
        LEVELS,
        sim_field("on_error", v3="error_handling/on_error", v4="error_handling/on_error"),
        sim_field("virt_service", "bool", since3=(3, 3)),
        sim_field("gluster_service", "bool", since3=(3, 3)),
        sim_field("threads_as_cores", "bool", since3=(3, 6)),
        sim_field("trusted_service", "bool", since3=(3, 6)),
        sim_field("ha_reservation", "bool", since3=(3, 6)),
        sim_field("ballooning_enabled", "bool", since3=(3, 6)),
        sim_field("ksm", "bool", "ksm/enabled", "ksm/enabled", since3=(3, 6)),
        ref("management_network", "network", since3=(3, 6)),
        v4only("firewall_type"),
        v4only("switch_type"),
        v4only("bios_type", since4=(4, 4)),
        ref("mac_pool", v3=""),
        ref("scheduling_policy", v3=""),
        v4only("migration_policy", path="migration/policy@id"),
        v4only(
            "policy_properties",
            path="custom_scheduling_policy_properties/property[]",
            item=(sim_field("name"), sim_field("value")),
        ),
        *usual(
            """fencing_policy/enabled=true fencing_policy/skip_if_connectivity_broken/enabled=false
            fencing_policy/skip_if_connectivity_broken/threshold=50 fencing_policy/skip_if_sd_active/enabled=false
            ksm/merge_across_nodes=true migration/auto_converge=inherit migration/compressed=inherit
            tunnel_migration=false""",
            v3=True,
        ),
        *usual("migration/bandwidth/assignment_method=auto required_rng_sources/required_rng_source=urandom"),
        *usual3(
            """required_rng_sources/source=urandom
            scheduling_policy/thresholds@high=80 scheduling_policy/thresholds@duration=2"""
        ),
        *usual("maintenance_reason_required=false optional_reason=false", until=(4, 4), v3=True),
        *usual(
            "fencing_policy/skip_if_gluster_bricks_up=false fencing_policy/skip_if_gluster_quorum_not_met=false", (4, 2)
        ),
        *usual("log_max_memory_used_threshold=95 log_max_memory_used_threshold_type=percentage", (4, 3)),
        *usual(
            """fips_mode=undefined migration/encrypted=inherit upgrade_in_progress=false vnc_encryption=true""", (4, 4)
        ),
        *usual("migration/parallel_migrations_policy=disabled upgrade_percent_complete=0", (4, 5)),
    ),
    order36="cpu data_center memory_policy scheduling_policy version supported_versions error_handling virt_service "
    "gluster_service threads_as_cores trusted_service ha_reservation ballooning_enabled ksm management_network",
    view=lambda world, thing, call: {**thing, "levels": [], **_costly(call), **_always(thing, call)},
    basics=SAID,
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


def create(call: ApiCall) -> One:
    """Make a cluster; it gets the data center's management network."""
    values = call.fresh(CLUSTER)
    require(values, ("Cluster", "Cluster"), ("name", "data_center:dataCenter.name|id"), call.dialect)
    center = call.look_up("data_center", values.pop("data_center"))
    if call.world.exactly("cluster", values["name"]):
        raise name_taken("Cluster", call.dialect)
    if values.get("management_network"):
        network = call.look_up("network", values.pop("management_network"), data_center=center["id"])
        if network["data_center"] != center["id"]:
            raise not_found("Network", network["id"])
    else:
        network = management(call.world, center, call.settings.management)
    _check_cpu(call, values, {**center, **values}, "add")
    _check_center(call, values, center)
    plain: Thing = {"bios_type": _bios(values)}
    if call.dialect.number == 4 and not values.get("cpu_type"):
        plain = {"cpu_type": "", "bios_type": None}
    if call.dialect.number == 4 and not values.get("cpu_type") and not call.dialect.knows((4, 3)):
        plain = {"cpu_type": None, "cpu_architecture": None}
    usual = {**USUAL, **_memory_kept(call)}
    _check_overcommit(call, {**usual, **values})
    thing = call.world.add(
        "cluster",
        **{**usual, **plain, **values},
        data_center=center["id"],
        management_network=network["id"],
    )
    attach(call.world, thing, network, required=True)
    call.world.event(809, "normal", f"Cluster {thing['name']} was added by admin@internal", cluster=thing["id"])
    return One(CLUSTER, thing, 201)


def _bios(values: Thing) -> str:
    """The BIOS that machines of a cluster of that level usually have."""
    level = (values["major"], values["minor"])
    return "q35_ovmf" if level >= (4, 7) else "q35_sea_bios" if level >= (4, 4) else "i440fx_sea_bios"


def _check_cpu(call: ApiCall, values: Thing, level: Thing, action: str) -> None:
    """Take the data center's level if none is asked for; refuse a CPU type that the level does not have."""
    if "major" in values:
        check_level(call, values, action, "Cluster")
    values.setdefault("major", level["major"])
    values.setdefault("minor", level["minor"])
    known = {cpu.name for cpu in cpus((values["major"], values["minor"]))}
    if (
        values.get("cpu_type")
        and values["cpu_type"] not in known
        and call.dialect.behind >= (4, 3)
        and action == "edit"
    ):
        raise refuse("cluster cpu running", call.dialect)
    if values.get("cpu_type") and values["cpu_type"] not in known:
        raise refuse("cluster cpu", call.dialect, BAD, action=action_name(action, "Cluster", call.dialect))


def _memory_kept(call: ApiCall) -> Thing:
    """A cluster made by the API shares and takes back no memory before 4.4, unless it is told to."""
    older = call.dialect.modern and max(call.dialect.version, call.dialect.engine) < (4, 4)
    return {"ksm": False, "ballooning_enabled": False} if older else {}


def _check_overcommit(call: ApiCall, cluster: Thing) -> None:
    """Refuse more memory than the hosts have where nothing would give it back."""
    if call.dialect.modern and cluster["overcommit"] > 100 and not (cluster["ksm"] or cluster["ballooning_enabled"]):
        raise refuse("cluster overcommit", call.dialect)


def _check_center(call: ApiCall, values: Thing, center: Thing) -> None:
    """Refuse what does not fit to the data center: a lower level, and a second cluster where storage is local."""
    if not call.dialect.modern:
        return
    if (values["major"], values["minor"]) < (center["major"], center["minor"]):
        raise refuse("cluster below", call.dialect, BAD)
    if center.get("local") and call.world.of("cluster", "data_center", center["id"]):
        raise refuse("cluster local", call.dialect, BAD)


def attach(world: World, cluster: Thing, network: Thing, required: bool = True, display: bool = False) -> Thing:
    """Make a network known in a cluster."""
    return world.add(
        "cluster_network",
        cluster=cluster["id"],
        network=network["id"],
        required=required,
        display=display,
        status="operational",
    )


def change(call: ApiCall) -> One:
    """Change a cluster."""
    thing, world = call.things["cluster"], call.world
    values = call.changes(CLUSTER)
    other = world.exactly("cluster", values.get("name", ""))
    if other is not None and other is not thing:
        raise name_taken("Cluster", call.dialect, "edit")
    values.pop("management_network", None)
    said = values.pop("data_center", None)
    if said and call.dialect.modern and thing["data_center"] and said.get("id", "") != thing["data_center"]:
        raise refuse("cluster center", call.dialect)
    center = call.look_up("data_center", said) if said else None
    if center is not None and center["id"] != thing["data_center"]:
        _move(call, thing, center)
    _check_cpu(call, values, thing, "edit")
    policy = _policy(call, thing, values)
    _check_overcommit(call, {**USUAL, **thing, **values})
    world.change(thing, **values, **policy)
    return One(CLUSTER, thing)


def _policy(call: ApiCall, cluster: Thing, values: Thing) -> Thing:
    """Give the cluster's policy after a change: what the new one has beside it is added, what it does not know goes."""
    said, given = values.pop("scheduling_policy", None), values.pop("policy_properties", None)
    if said is None and given is None:
        return {}
    now = policy_of(cluster)
    policy = call.look_up("scheduling_policy", said or {"id": now["scheduling_policy"]})
    usual = {each["name"]: each["value"] for each in policy["properties"]}
    kept = {each["name"]: each["value"] for each in (now["policy_properties"] if given is None else given)}
    known = {*usual, *(name for name, _ in _POLICY)}
    properties = {name: value for name, value in {**usual, **kept}.items() if name in known}
    told = [{"name": name, "value": value} for name, value in properties.items()]
    return {"scheduling_policy": policy["id"], "policy_properties": told}


def _move(call: ApiCall, cluster: Thing, center: Thing) -> None:
    """Give a data center to a cluster that has lost its own; one that has one stays there."""
    if cluster["data_center"]:
        raise refuse("cluster center", call.dialect)
    network = management(call.world, center, call.settings.management)
    call.world.change(cluster, data_center=center["id"], management_network=network["id"])
    attach(call.world, cluster, network)


def remove(call: ApiCall) -> Removed:
    """Remove a cluster that has neither hosts nor machines."""
    thing, world = call.things["cluster"], call.world
    used = [kind for kind in ("host", "vm", "template") if world.of(kind, "cluster", thing["id"])]
    if used and call.dialect.modern:
        raise Refused(", ".join(words_of(f"cluster {kind}s", call.dialect) for kind in used))
    if used:
        raise refuse(f"cluster {used[0]}s", call.dialect)
    for kind in ("cluster_network", "affinity_group"):
        for part in world.of(kind, "cluster", thing["id"]):
            world.remove(part)
    world.remove(thing)
    world.event(813, "normal", f"Cluster {thing['name']} was removed by admin@internal")
    return Removed()


ROUTES = (
    get("/clusters", lists(CLUSTER, "cluster"), "list clusters"),
    post("/clusters", create, "make a cluster"),
    get("/clusters/{cluster}", shows(CLUSTER), "show a cluster"),
    put("/clusters/{cluster}", change, "change a cluster"),
    delete("/clusters/{cluster}", remove, "remove a cluster"),
    get("/datacenters/{data_center}/clusters", lists_of(CLUSTER, "data_center"), "list its clusters", since3=(3, 3)),
)
