"""Affinity groups: machines that belong together, or apart."""

from __future__ import annotations

from .. import names
from ..answers import Many, One, Raw, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import NAME, SimShape, Thing, ref, sim_field, v4only
from ..faults import BAD, Gone, Refused, refuse
from ..render import document, reference
from ..routing import delete, get, post, put
from .common import lists_of, shows
from .vmshape import VM

#: The rule for a group's hosts, unless it was said.
_HOSTS = {"hosts_positive": True, "hosts_enforcing": True, "hosts_enabled": False}
GROUP = SimShape(
    "affinity_group",
    "affinity_group",
    "affinity_groups",
    "/clusters/{cluster}/affinitygroups/{affinity_group}",
    (
        ref("cluster", fixed=True),
        sim_field("positive", "bool"),
        sim_field("enforcing", "bool"),
        v4only("broken", "bool", usual=False, since4=(4, 5)),
        v4only("priority", usual="1.0", since4=(4, 3)),
        v4only("hosts_positive", "bool", "hosts_rule/positive"),
        v4only("hosts_enforcing", "bool", "hosts_rule/enforcing"),
        v4only("hosts_enabled", "bool", "hosts_rule/enabled"),
        v4only("rule_positive", "bool", "vms_rule/positive"),
        v4only("rule_enforcing", "bool", "vms_rule/enforcing"),
        v4only("rule_enabled", "bool", "vms_rule/enabled"),
        ref("vms", "vm", "", "vms/vm[]", usual=[]),
        ref("host_labels", "affinity_label", "", "host_labels/affinity_label[]", usual=[], since4=(4, 3)),
        ref("hosts", "host", "", "hosts/host[]", usual=[], since4=(4, 1)),
        ref("vm_labels", "affinity_label", "", "vm_labels/affinity_label[]", usual=[], since4=(4, 3)),
    ),
    view=lambda world, thing, call: {
        **thing,
        "rule_positive": thing["positive"],
        "rule_enforcing": thing["enforcing"],
        "rule_enabled": True,
        **{key: thing.get(key, usual) for key, usual in _HOSTS.items()},
    },
)
SHAPES["affinity_group"] = GROUP
#: A machine as v4 lists it in its group: the name alone.
MEMBER = SimShape("vm", "vm", "vms", "/vms/{vm}", (), basics=(NAME,))


def create(call: ApiCall) -> One:
    """Make an affinity group."""
    values = _read(call)
    names.check("affinity_group", values.get("name"), "add", call.dialect)
    require(values, ("AffinityGroup", "AffinityGroup"), ("name",), call.dialect)
    cluster = call.things["cluster"]
    if any(one["name"] == values["name"] for one in call.world.of("affinity_group", "cluster", cluster["id"])):
        raise refuse("group name", call.dialect, BAD)
    members = {"vms": [], **_members(call, values)}
    group = call.world.add(
        "affinity_group",
        **{"positive": True, "enforcing": False, **values, **members},
        cluster=cluster["id"],
    )
    return One(GROUP, group, 201)


#: The lists of a group, and the kinds of things in them.
_LISTS = {"vms": "vm", "hosts": "host", "vm_labels": "affinity_label", "host_labels": "affinity_label"}


def _members(call: ApiCall, values: Thing) -> Thing:
    """The ids of what a body lists."""
    told = {key: kind for key, kind in _LISTS.items() if key in values}
    return {key: [call.look_up(kind, said)["id"] for said in values[key]] for key, kind in told.items()}


def _read(call: ApiCall) -> Thing:
    """Read a group; since 4.1 what it asks for is in its rule for machines."""
    values = call.read(GROUP)
    for key in ("positive", "enforcing"):
        rule = values.pop(f"rule_{key}", None)
        if rule is not None:
            values[key] = rule
    values.pop("rule_enabled", None)
    if "hosts_positive" in values:
        values.setdefault("hosts_enabled", True)
    return values


def change(call: ApiCall) -> One:
    """Change an affinity group."""
    values = _read(call)
    call.world.change(call.things["affinity_group"], **{**values, **_members(call, values)})
    return One(GROUP, call.things["affinity_group"])


def remove(call: ApiCall) -> Removed:
    """Remove an affinity group."""
    call.world.remove(call.things["affinity_group"])
    return Removed()


def members(call: ApiCall) -> Many:
    """List the machines of a group."""
    shape = MEMBER if call.dialect.number == 4 else VM
    return Many(shape, [vm for one in call.things["affinity_group"]["vms"] if (vm := call.world.get("vm", one))])


def add_vm(call: ApiCall) -> One | Raw:
    """Take a machine into a group."""
    group, vm = call.things["affinity_group"], call.world.get("vm", reference(call.body).get("id"))
    old = call.dialect.modern and call.dialect.behind < (4, 3)
    if vm is None:
        raise refuse("group not in" if old else "group nobody", call.dialect, BAD)
    if vm["id"] in group["vms"]:
        raise refuse("group twice", call.dialect, BAD)
    if vm["cluster"] != group["cluster"] and old:
        raise Refused("Cannot edit Affinity Group. Provided VM resides in another Cluster.", BAD)
    if vm["cluster"] != group["cluster"] and not call.dialect.modern:
        raise Refused("Cannot edit Affinity Group. The VM is not in the Cluster of the Affinity Group.")
    call.world.change(group, vms=[*group["vms"], vm["id"]])
    if call.dialect.number == 4:
        return Raw(document("<action><status>complete</status></action>" if old else f'<vm id="{vm["id"]}"/>'))
    return One(VM, vm, 200)


def remove_vm(call: ApiCall) -> Removed:
    """Take a machine out of a group."""
    group, vm = call.things["affinity_group"], call.things["vm"]
    if vm["id"] not in group["vms"] and call.dialect.modern and call.dialect.behind < (4, 3):
        raise Gone
    if vm["id"] not in group["vms"]:
        raise refuse("group not in", call.dialect, BAD)
    call.world.change(group, vms=[one for one in group["vms"] if one != vm["id"]])
    return Removed()


_ALL = "/clusters/{cluster}/affinitygroups"
_ONE = f"{_ALL}/{{affinity_group}}"
_SINCE = {"since3": (3, 4)}
ROUTES = (
    get(_ALL, lists_of(GROUP, "cluster"), "list its affinity groups", **_SINCE),
    post(_ALL, create, "make an affinity group", **_SINCE),
    get(_ONE, shows(GROUP), "show an affinity group", **_SINCE),
    put(_ONE, change, "change an affinity group", **_SINCE),
    delete(_ONE, remove, "remove an affinity group", **_SINCE),
    get(f"{_ONE}/vms", members, "list its machines", **_SINCE),
    post(f"{_ONE}/vms", add_vm, "take a machine in", **_SINCE),
    delete(f"{_ONE}/vms/{{vm}}", remove_vm, "take a machine out", **_SINCE),
)
