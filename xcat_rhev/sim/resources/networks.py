"""Logical networks: in a data center, in its clusters, and as vNIC profiles."""

from __future__ import annotations

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SAID, SimShape, Thing, ref, sim_field, v4only
from ..faults import BAD, CONFLICT, Gone, Refused, refuse
from ..routing import delete, get, post, put
from ..world import World
from .clusters import attach
from .common import lists, lists_of, shows
from .hostnics import forget_network, manages

_FIELDS = (
    ref("data_center"),
    ref("cluster", fixed=True),
    sim_field("vlan", "int", "vlan@id", "vlan@id"),
    sim_field("stp", "bool"),
    sim_field("status", v3="status/state", fixed=True),
    sim_field("display", "bool"),
    sim_field("mtu", "int", since3=(3, 1)),
    sim_field("usages", v3="usages/usage[]", v4="usages/usage[]", since3=(3, 1)),
    sim_field("required", "bool", since3=(3, 1)),
    sim_field("profile_required", "bool", since3=(3, 3)),
    v4only("vdsm_name", since4=(4, 3), fixed=True),
    v4only("port_isolation", "bool", since4=(4, 4), usual=False),
)
_ORDER = "data_center cluster vlan stp status display mtu usages required profile_required"
NETWORK = SimShape(
    "network",
    "network",
    "networks",
    "/networks/{network}",
    _FIELDS,
    order36=_ORDER,
    basics=SAID,
    view=lambda world, thing, call: _alone(thing, call),
)
#: A network as a cluster sees it: with its state there, and whether every host must have it.
IN_CLUSTER = SimShape(
    "network",
    "network",
    "networks",
    "/clusters/{cluster}/networks/{network}",
    _FIELDS,
    order36=_ORDER,
    basics=SAID,
    view=lambda world, thing, call: {**thing, "vdsm_name": thing["name"], **_there(call, thing)},
)
PROFILE = SimShape(
    "vnic_profile",
    "vnic_profile",
    "vnic_profiles",
    "/vnicprofiles/{vnic_profile}",
    (
        ref("network"),
        sim_field("port_mirroring", "bool"),
        sim_field("pass_through", v3="pass_through/mode", v4="pass_through/mode", since3=(3, 6)),
        ref("network_filter", v3="", usual="d2370ab4-fee3-11e9-a310-8c1645ce738e"),
    ),
    order36="network port_mirroring pass_through",
    view=lambda world, thing, call: {"port_mirroring": False, "pass_through": "disabled", **thing},
)
SHAPES["network"], SHAPES["vnic_profile"] = NETWORK, PROFILE


def _alone(network: Thing, call: ApiCall) -> Thing:
    """Show a network by itself: before 4.0 with a state, since then with what it is for in every cluster."""
    if call.dialect.modern:
        return {**network, "usages": ["vm"] if network.get("vm_network") else [], "vdsm_name": network["name"]}
    return {**network, "status": "operational", "display": "display" in network["usages"]}


def _link(world: World, cluster: Thing, network: Thing) -> Thing | None:
    for one in world.of("cluster_network", "cluster", cluster["id"]):
        if one["network"] == network["id"]:
            return one
    return None


def _there(call: ApiCall, network: Thing) -> Thing:
    """Say how a network is in a cluster; which one is for the management is said since 3.6."""
    cluster = call.things["cluster"]
    link = _link(call.world, cluster, network) or {"required": False, "display": False, "status": "operational"}
    usages = [word for word in network["usages"] if word != "display"] + (["display"] if link["display"] else [])
    if call.dialect.knows((3, 6)) and cluster.get("management_network") == network["id"] and "management" not in usages:
        usages.append("management")
    return {
        "cluster": None if (4, 0) <= call.dialect.version < (4, 3) and "network" in call.things else cluster["id"],
        "required": link["required"],
        "display": link["display"],
        "status": link["status"],
        "usages": usages,
    }


def create(call: ApiCall) -> One:
    """Make a network; a VM network gets a vNIC profile of its own name."""
    values = call.fresh(NETWORK)
    if "data_center" in call.things:
        values["data_center"] = {"id": call.things["data_center"]["id"]}
    require(values, ("Network", "Network"), ("name", "data_center:dataCenter.name|id"), call.dialect)
    center = call.look_up("data_center", values.pop("data_center"))
    _check(call, values, center, "add")
    told = values.pop("usages", None)
    usages = ["vm"] if told is None else [word.lower() for word in told]
    profiled = values.pop("profile_required", True)
    values.pop("required", None)
    thing = call.world.add(
        "network",
        **{"stp": False, "mtu": 0, "description": "", **values},
        usages=usages,
        vm_network="vm" in usages,
        data_center=center["id"],
    )
    if thing["vm_network"] and profiled:
        call.world.add("vnic_profile", name=thing["name"], network=thing["id"], port_mirroring=False)
    call.world.event(942, "normal", f"Network {thing['name']} was added to Data Center: {center['name']}")
    return One(NETWORK, thing, 201)


#: As IPv4 has it.
_LEAST_MTU = 68


def _check(call: ApiCall, values: Thing, center: Thing, action: str, own: Thing | None = None) -> None:
    """Refuse a name or a VLAN that the data center has already."""
    for other in call.world.of("network", "data_center", center["id"]):
        if other is own:
            continue
        if other["name"] == values.get("name"):
            raise refuse("network name", call.dialect, action=action, name=other["name"])
        if values.get("vlan") is not None and other.get("vlan") == values["vlan"] and not call.dialect.modern:
            raise refuse("network vlan", call.dialect, action=action, vlan=str(values["vlan"]))
    if not 0 <= (values.get("vlan") or 0) <= 4094:
        old = f"Cannot {action} Network. The VLAN ID must be between 0 and 4094"
        told = "VLAN ID must be a number between 0 and 4094., Attribute: network.vlanId"
        raise Refused(told if call.dialect.modern else old, BAD)
    if 0 < (values.get("mtu") or 0) < _LEAST_MTU and call.dialect.modern:
        raise Refused("mtu value invalid, Attribute: network.mtu", BAD)


def change(call: ApiCall) -> One:
    """Change a network; a VLAN under a running machine stays."""
    thing, world = call.things["network"], call.world
    values = call.changes(NETWORK)
    for key in ("data_center", "required", "profile_required", "display"):
        values.pop(key, None)
    vlan = call.part("vlan")
    if vlan is not None and vlan.get("id") is None:
        values["vlan"] = None  # an empty element takes it away
    center = world.the("data_center", thing["data_center"])
    if manages(world, thing) and values.get("name", thing["name"]) != thing["name"]:
        raise refuse("network management", call.dialect, _firm(call), name=thing["name"])
    _check(call, values, center, "edit", thing)
    if "usages" in values:
        values["vm_network"] = "vm" in values["usages"]
    world.change(thing, **values)
    return One(NETWORK, thing)


def _firm(call: ApiCall) -> str:
    """The kind of refusal where the management network is meant."""
    return BAD if call.dialect.modern else CONFLICT


def remove(call: ApiCall) -> Removed:
    """Remove a network that no cluster and no machine uses."""
    thing, world = call.things["network"], call.world
    if manages(world, thing):
        raise refuse("network management", call.dialect, _firm(call), name=thing["name"])
    if call.dialect.version < (3, 1) and world.of("cluster_network", "network", thing["id"]):
        raise refuse("network used", call.dialect)
    used = [
        world.the("vm", nic["vm"])["name"]
        for nic in world.all("nic")
        if nic.get("network") == thing["id"] and nic.get("vm")
    ]
    if used:
        raise refuse("network in use by vm", call.dialect, action="remove", names=", ".join(used))
    forget_network(world, thing)
    world.event(944, "normal", f"Network {thing['name']} was removed from Data Center.")
    return Removed()


def of_cluster(call: ApiCall) -> Many:
    """List the networks of a cluster."""
    world, cluster = call.world, call.things["cluster"]
    links = world.of("cluster_network", "cluster", cluster["id"])
    there = [world.the("network", one["network"]) for one in links]
    by_name = call.dialect.modern and call.dialect.number == 3
    return Many(IN_CLUSTER, sorted(there, key=lambda one: str(one["name"])) if by_name else there)


def in_cluster(call: ApiCall) -> One:
    """Show a network as a cluster sees it."""
    if _link(call.world, call.things["cluster"], call.things["network"]) is None:
        raise Gone
    return One(IN_CLUSTER, call.things["network"])


def attach_to_cluster(call: ApiCall) -> One:
    """Make a network known in a cluster; hosts that are up and lack a required one stop being operational."""
    world, cluster = call.world, call.things["cluster"]
    values = call.read(NETWORK)
    said: Thing = {key: values[key] for key in ("id", "name") if key in values}
    require(said, ("Network", "Network"), ("id|name",), call.dialect)
    if call.dialect.version < (3, 1):
        require(values, ("Network", "Network"), ("name",), call.dialect)
    if call.dialect.number == 4 and "id" not in said:
        found = call.world.exactly("network", said["name"], data_center=cluster["data_center"])
        if found is None:
            raise Gone
    network = call.look_up("network", said, data_center=cluster["data_center"])
    if network["data_center"] != cluster["data_center"]:
        raise Refused("Cannot attach Network to Cluster. The Network and the Cluster belong to different Data Centers.")
    if _link(world, cluster, network) is not None:
        raise refuse("network attached", call.dialect)
    required = values.get("required", call.dialect.version >= (3, 1))
    display = values.get("display", "display" in values.get("usages", ()))
    attach(world, cluster, network, required, display)
    if required:
        _lose_hosts(world, cluster, network)
    return One(IN_CLUSTER, network, 201)


def _lose_hosts(world: World, cluster: Thing, network: Thing) -> None:
    for host in world.of("host", "cluster", cluster["id"]):
        has = any(nic.get("network") == network["id"] for nic in world.of("host_nic", "host", host["id"]))
        if host["status"] == "up" and not has:
            world.change(host, status="non_operational", status_detail="network_unreachable")
            text = f"Host {host['name']} does not comply with the cluster {cluster['name']} networks, the following "
            world.event(519, "error", f"{text}networks are missing on host: '{network['name']}'", host=host["id"])


def link_changed(call: ApiCall) -> One:
    """Change how a network is in a cluster: required, display."""
    link = _link(call.world, call.things["cluster"], call.things["network"])
    if link is None:
        raise Gone
    values = call.changes(NETWORK)
    told = {key: values[key] for key in ("required", "display") if key in values}
    call.world.change(link, **told)
    return One(IN_CLUSTER, call.things["network"])


def detach_from_cluster(call: ApiCall) -> Removed:
    """Take a network out of a cluster."""
    world, network = call.world, call.things["network"]
    link = _link(world, call.things["cluster"], network)
    if link is None:
        raise Gone
    if manages(world, network):
        raise refuse("network management", call.dialect, _firm(call), name=network["name"])
    nics = [nic for nic in world.all("nic") if nic.get("network") == network["id"] and nic.get("vm")]
    vms = [world.the("vm", nic["vm"]) for nic in nics]
    used = [vm["name"] for vm in vms if vm["cluster"] == call.things["cluster"]["id"] and vm["status"] == "up"]
    if used:
        raise refuse("network in use by vm", call.dialect, action="detach", names=", ".join(used))
    world.remove(link)
    return Removed()


def profile_created(call: ApiCall) -> One:
    """Make a vNIC profile."""
    values = call.fresh(PROFILE)
    if "network" in call.things:
        values["network"] = {"id": call.things["network"]["id"]}
    require(values, ("VnicProfile", "VnicProfile"), ("name", "network:network.id"), call.dialect)
    network = call.look_up("network", values.pop("network"))
    if any(one["name"] == values["name"] for one in call.world.of("vnic_profile", "network", network["id"])):
        raise refuse("profile name", call.dialect)
    _keep_filter_id(values)
    return One(PROFILE, call.world.add("vnic_profile", **values, network=network["id"]), 201)


def profile_changed(call: ApiCall) -> One:
    """Change a vNIC profile; its network stays."""
    profile, values = call.things["vnic_profile"], call.changes(PROFILE)
    network = values.pop("network", None)
    if network and call.look_up("network", network)["id"] != profile["network"]:
        raise Refused(
            "Cannot edit VM network interface profile. VM network interface profile's network cannot be changed."
        )
    _keep_filter_id(values)
    call.world.change(profile, **values)
    return One(PROFILE, profile)


def _keep_filter_id(values: Thing) -> None:
    """Keep the id alone of the network filter that is said; an empty element says none."""
    if "network_filter" in values:
        values["network_filter"] = (values["network_filter"] or {}).get("id", "")


def profile_removed(call: ApiCall) -> Removed:
    """Remove a vNIC profile that no NIC uses."""
    profile, world = call.things["vnic_profile"], call.world
    users = [nic for nic in world.all("nic") if nic.get("vnic_profile") == profile["id"]]
    if users:
        vm = next((world.the("vm", nic["vm"])["name"] for nic in users if nic.get("vm")), "")
        raise refuse("profile in use", call.dialect, name=vm)
    world.remove(profile)
    return Removed()


_IN = "/clusters/{cluster}/networks"
_PROFILES = {"since3": (3, 3)}
ROUTES = (
    get("/networks", lists(NETWORK, "network"), "list networks; searchable since 3.2"),
    post("/networks", create, "make a network, and a vNIC profile for it"),
    get("/networks/{network}", shows(NETWORK), "show a network"),
    put("/networks/{network}", change, "change a network"),
    delete("/networks/{network}", remove, "remove a network"),
    get("/networks/{network}/vnicprofiles", lists_of(PROFILE, "network"), "list its vNIC profiles", **_PROFILES),
    post("/networks/{network}/vnicprofiles", profile_created, "make a vNIC profile", **_PROFILES),
    get("/datacenters/{data_center}/networks", lists_of(NETWORK, "data_center"), "list its networks", since3=(3, 4)),
    post("/datacenters/{data_center}/networks", create, "make a network in it", since3=(3, 4)),
    get(_IN, of_cluster, "list its networks"),
    post(_IN, attach_to_cluster, "make a network known in it"),
    get(f"{_IN}/{{network}}", in_cluster, "show a network as it stands there"),
    put(f"{_IN}/{{network}}", link_changed, "required, display", since3=(3, 1)),
    delete(f"{_IN}/{{network}}", detach_from_cluster, "take a network out of it"),
    get("/vnicprofiles", lists(PROFILE), "list vNIC profiles", **_PROFILES),
    post("/vnicprofiles", profile_created, "make a vNIC profile", **_PROFILES),
    get("/vnicprofiles/{vnic_profile}", shows(PROFILE), "show a vNIC profile", **_PROFILES),
    put("/vnicprofiles/{vnic_profile}", profile_changed, "change a vNIC profile", **_PROFILES),
    delete("/vnicprofiles/{vnic_profile}", profile_removed, "remove a vNIC profile", **_PROFILES),
)
