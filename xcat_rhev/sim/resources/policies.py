"""Scheduling policies, and the units that they are made of."""

from __future__ import annotations

from collections.abc import Iterable

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall
from ..dialect import SimShape, Thing, ref, sim_field
from ..faults import Gone, Refused
from ..render import reference
from ..routing import Handler, Route, delete, get, post
from ..world import World
from .clusters import BALANCED, policy_of
from .common import lists, shows, with_id
from .plain import Plain
from .vmshape import derive_id

_PROPERTIES = sim_field(
    "properties",
    v3="properties/property[]",
    v4="properties/property[]",
    item=(sim_field("name"), sim_field("value")),
)
POLICY = SimShape(
    "scheduling_policy",
    "scheduling_policy",
    "scheduling_policies",
    "/schedulingpolicies/{scheduling_policy}",
    (sim_field("locked", "bool", fixed=True), sim_field("default_policy", "bool", fixed=True), _PROPERTIES),
)
UNIT = SimShape(
    "scheduling_policy_unit",
    "scheduling_policy_unit",
    "scheduling_policy_units",
    "/schedulingpolicyunits/{scheduling_policy_unit}",
    (
        sim_field("internal", "bool"),
        sim_field("enabled", "bool"),
        _PROPERTIES,
        sim_field("type", v3="@type", v4="type"),
    ),
)
#: What an installation has: units by type, and policies with their values.
_UNITS = {
    "filter": "Migration Memory CPU Network HA PinToHost VmAffinityGroups Label CPUOverloaded",
    "weight": "None OptimalForEvenDistribution OptimalForPowerSaving HA VmAffinityGroups PreferredHosts",
    "load_balancing": "None OptimalForEvenDistribution OptimalForPowerSaving",
}
_ABOUT = "Prevent migration to the same host."
#: While a cluster has it only highly available machines start there (ClusterInMaintenanceFilterPolicyUnit).
MAINTENANCE = "7677771e-5eab-422e-83fa-dc04080d21b7"
_FIRST = "e659c871-0bf1-4ccc-b748-f28f5d08ddda"
_POLICIES = {
    "power_saving": ("5a2b0939-7d46-4b73-a469-e9c2c7fc6a53", {"HighUtilization": "80", "LowUtilization": "20"}),
    "none": (BALANCED, {"HighUtilization": "80"}),
    "cluster_maintenance": (MAINTENANCE, {"HighUtilization": "80"}),
    "evenly_distributed": ("20d25257-b4bd-4589-92a6-c4c5c5d3fd1a", {"HighUtilization": "80"}),
}


def build(world: World) -> None:
    """Make what an installation has."""
    for kind, names in _UNITS.items():
        for name in names.split():
            one = _FIRST if name == "Migration" else derive_id(f"policy unit {kind}", name)
            told: Thing = {"description": _ABOUT} if name == "Migration" else {}
            if name.startswith("OptimalFor"):
                told["properties"] = [{"name": "HighUtilization", "value": "^([5-9][0-9])$"}]
            more = {**told, "name": name, "type": kind, "internal": True, "enabled": True}
            world.add("scheduling_policy_unit", id=one, **more)
    for name, (one, told) in _POLICIES.items():
        properties = [{"name": key, "value": value} for key, value in told.items()]
        world.add(
            "scheduling_policy",
            id=one,
            name=name,
            locked=True,
            default_policy=name == "none",
            properties=properties,
        )


def _check_unlocked(call: ApiCall, _values: Thing, there: Thing | None) -> None:
    if there is not None and there.get("locked"):
        raise Refused("Cannot edit Scheduling Policy. Scheduling Policy is locked, and cannot be editable.")


def _check_unused(call: ApiCall, policy: Thing) -> None:
    if policy.get("locked"):
        raise Refused("Cannot remove Scheduling Policy. Scheduling Policy is locked, and cannot be editable.")
    using = [one["name"] for one in call.world.all("cluster") if policy_of(one)["scheduling_policy"] == policy["id"]]
    if using:
        words = f"Scheduling Policy is attached to cluster(s): {','.join(using)}, please unassign cluster(s)."
        raise Refused(f"Cannot remove Scheduling Policy. {words}")


_POLICY = Plain(
    *(POLICY, "Scheduling Policy", "SchedulingPolicy"),
    usual={"locked": False, "default_policy": False},
    taken="Cannot {action} {type}. Name is in use.",
    check=_check_unlocked,
    last=_check_unused,
    since3=(3, 5),
)


def _use(tag: str, plural: str) -> SimShape:
    """How a policy's use of a unit is written: its id is the unit's."""
    own = {"weight": (sim_field("factor", "int"),), "filter": (sim_field("position", "int"),)}.get(tag, ())
    return SimShape(
        "policy_use",
        tag,
        plural,
        f"/schedulingpolicies/{{scheduling_policy}}/{plural}/{{use}}",
        (ref("scheduling_policy_unit"), *own),
        basics=(),
    )


_WORDS = {
    "filter": "Policy unit doesn't implement Filtering.",
    "weight": "Policy unit doesn't implement score function.",
    "load_balancing": "Policy unit doesn't implement load balancing logic.",
}


def _used(kind: str, shape: SimShape) -> Handler:
    def handle(call: ApiCall) -> Many:
        mine = call.world.of("policy_use", "scheduling_policy", call.things["scheduling_policy"]["id"])
        return Many(shape, [with_id(one, one["scheduling_policy_unit"]) for one in mine if one["use"] == kind])

    return handle


def _taken_in(kind: str, shape: SimShape) -> Handler:
    """Make a handler that gives a policy a unit; of those that balance it has one."""

    def handle(call: ApiCall) -> One:
        policy, values = call.things["scheduling_policy"], call.read(shape)
        _check_unlocked(call, values, policy)
        unit = call.look_up("scheduling_policy_unit", reference(call.part("scheduling_policy_unit")))
        if unit["type"] != kind:
            raise Refused(f"Cannot edit Scheduling Policy. {_WORDS[kind]}")
        mine = [one for one in call.world.of("policy_use", "scheduling_policy", policy["id"]) if one["use"] == kind]
        if any(one["scheduling_policy_unit"] == unit["id"] for one in mine):
            raise Refused("Cannot edit Scheduling Policy. policy unit already exists in Scheduling Policy.")
        for one in mine if kind == "load_balancing" else ():
            call.world.remove(one)
        more: Thing = (
            {"factor": values.get("factor") or 1} if kind == "weight" else {"position": values.get("position")}
        )
        made = call.world.add(
            "policy_use",
            scheduling_policy=policy["id"],
            scheduling_policy_unit=unit["id"],
            use=kind,
            **more,
        )
        return One(shape, with_id(made, unit["id"]))

    return handle


def _one(call: ApiCall, kind: str) -> Thing:
    for one in call.world.of("policy_use", "scheduling_policy", call.things["scheduling_policy"]["id"]):
        if (one["use"], one["scheduling_policy_unit"]) == (kind, call.things["use"]["id"]):
            return one
    raise Gone


def _show(kind: str, shape: SimShape) -> Handler:
    return lambda call: One(shape, with_id(_one(call, kind), call.things["use"]["id"]))


def _taken_out(kind: str) -> Handler:
    def handle(call: ApiCall) -> Removed:
        _check_unlocked(call, {}, call.things["scheduling_policy"])
        call.world.remove(_one(call, kind))
        return Removed()

    return handle


def _routes(kind: str, shape: SimShape) -> Iterable[Route]:
    path, since = shape.path.rpartition("/")[0], {"since3": (3, 5)}
    yield get(path, _used(kind, shape), "list what it is made of", **since)
    yield post(path, _taken_in(kind, shape), "give it a unit", **since)
    yield get(shape.path, _show(kind, shape), "show it", **since)
    yield delete(shape.path, _taken_out(kind), "take the unit away", **since)


SHAPES["scheduling_policy_unit"] = UNIT
_SINCE = {"since3": (3, 5)}
ROUTES = (
    *_POLICY.routes("/schedulingpolicies"),
    *_routes("filter", _use("filter", "filters")),
    *_routes("weight", _use("weight", "weights")),
    *_routes("load_balancing", _use("balance", "balances")),
    get("/schedulingpolicyunits", lists(UNIT), "list the units of policies", **_SINCE),
    get("/schedulingpolicyunits/{scheduling_policy_unit}", shows(UNIT), "show one", **_SINCE),
)
