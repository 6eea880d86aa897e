"""Affinity groups: machines that belong together, or apart."""

from __future__ import annotations

from ..answers import Many, One, Removed
from ..call import SHAPES, Call, require
from ..dialect import Shape, Thing, named, ref, v4only
from ..faults import Gone, Refused, name_taken
from ..render import reference
from ..routing import delete, get, post, put
from .common import lists_of, shows
from .vmshape import VM

GROUP = Shape(
    "affinity_group",
    "affinity_group",
    "affinity_groups",
    "/clusters/{cluster}/affinitygroups/{affinity_group}",
    (
        ref("cluster", fixed=True),
        named("positive", "bool"),
        named("enforcing", "bool"),
        v4only("priority"),
        v4only("rule_positive", "bool", "vms_rule/positive"),
        v4only("rule_enforcing", "bool", "vms_rule/enforcing"),
        v4only("rule_enabled", "bool", "vms_rule/enabled"),
        ref("vms", "vm", "", "vms/vm[]"),
    ),
    view=lambda world, thing, call: {
        **thing,
        "rule_positive": thing["positive"],
        "rule_enforcing": thing["enforcing"],
        "rule_enabled": True,
        "vms": [],
    },
)
SHAPES["affinity_group"] = GROUP


def created(call: Call) -> One:
    """Make an affinity group."""
    values = _read(call)
    require(values, ("AffinityGroup", "AffinityGroup"), ("name",), call.dialect)
    cluster = call.things["cluster"]
    if any(one["name"] == values["name"] for one in call.world.of("affinity_group", "cluster", cluster["id"])):
        raise name_taken("Affinity Group")
    vms = [call.look_up("vm", said)["id"] for said in values.pop("vms", ())]
    group = call.world.add(
        "affinity_group",
        **{"positive": True, "enforcing": False, "description": "", **values},
        cluster=cluster["id"],
        vms=vms,
    )
    return One(GROUP, group, 201)


def _read(call: Call) -> Thing:
    """Read a group; since 4.1 what it asks for stands in its rule for machines."""
    values = call.read(GROUP)
    for key in ("positive", "enforcing"):
        rule = values.pop(f"rule_{key}", None)
        if rule is not None:
            values[key] = rule
    values.pop("rule_enabled", None)
    return values


def changed(call: Call) -> One:
    """Change an affinity group."""
    values = _read(call)
    if "vms" in values:
        values["vms"] = [call.look_up("vm", said)["id"] for said in values["vms"]]
    call.world.change(call.things["affinity_group"], **values)
    return One(GROUP, call.things["affinity_group"])


def removed(call: Call) -> Removed:
    """Remove an affinity group."""
    call.world.remove(call.things["affinity_group"])
    return Removed()


def members(call: Call) -> Many:
    """List the machines of a group."""
    return Many(VM, [vm for one in call.things["affinity_group"]["vms"] if (vm := call.world.get("vm", one))])


def joined(call: Call) -> One:
    """Take a machine into a group."""
    group, vm = call.things["affinity_group"], call.look_up("vm", reference(call.body))
    if vm["id"] in group["vms"]:
        raise Refused("Cannot edit Affinity Group. The VM is already in it.")
    if vm["cluster"] != group["cluster"]:
        raise Refused("Cannot edit Affinity Group. The VM is not in the Cluster of the Affinity Group.")
    call.world.change(group, vms=[*group["vms"], vm["id"]])
    return One(VM, vm, 200)


def left(call: Call) -> Removed:
    """Take a machine out of a group."""
    group, vm = call.things["affinity_group"], call.things["vm"]
    if vm["id"] not in group["vms"]:
        raise Gone
    call.world.change(group, vms=[one for one in group["vms"] if one != vm["id"]])
    return Removed()


_ALL = "/clusters/{cluster}/affinitygroups"
_ONE = f"{_ALL}/{{affinity_group}}"
_SINCE = {"since3": (3, 5)}
ROUTES = (
    get(_ALL, lists_of(GROUP, "cluster"), "list its affinity groups", **_SINCE),
    post(_ALL, created, "make an affinity group", **_SINCE),
    get(_ONE, shows(GROUP), "show an affinity group", **_SINCE),
    put(_ONE, changed, "change an affinity group", **_SINCE),
    delete(_ONE, removed, "remove an affinity group", **_SINCE),
    get(f"{_ONE}/vms", members, "list its machines", **_SINCE),
    post(f"{_ONE}/vms", joined, "take a machine in", **_SINCE),
    delete(f"{_ONE}/vms/{{vm}}", left, "take a machine out", **_SINCE),
)
