"""NUMA nodes: those that hosts have, and those that machines are given, pinned to them or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..answers import Many, One, Removed
from ..call import ApiCall, require
from ..dialect import SAID, SimDialect, SimShape, Thing, ref, sim_field, v3only, v4only
from ..faults import BAD, Gone, Refused, refuse
from ..routing import delete, get, post, put
from ..world import MIB, World
from .common import lists_of, shows

_CORES = sim_field(
    "cores",
    v3="cpu/cores/core[]",
    v4="cpu/cores/core[]",
    item=(sim_field("index", "int", v3="@index", v4="index"),),
)
#: What engines say of a document whose kind has no name.
_UNNAMED = SAID[3:]
HOST_NODE = SimShape(
    "host_numa_node",
    "host_numa_node",
    "host_numa_nodes",
    "/hosts/{host}/numanodes/{host_numa_node}",
    (ref("host"), sim_field("index", "int"), sim_field("memory", "int"), _CORES, sim_field("node_distance")),
    basics=_UNNAMED,
)
VM_NODE = SimShape(
    "vm_numa_node",
    "vm_numa_node",
    "vm_numa_nodes",
    "/vms/{vm}/numanodes/{vm_numa_node}",
    (
        sim_field("index", "int"),
        sim_field("memory", "int"),
        _CORES,
        ref("vm", fixed=True),
        v3only(
            "pins",
            path="numa_node_pins/numa_node_pin[]",
            item=(v3only("index", "int", "@index"), v3only("pinned", "bool", "@pinned")),
        ),
        v4only("pins", path="numa_node_pins/numa_node_pin[]", item=(v4only("index", "int"),)),
        v4only("tune_mode", path="numa_tune_mode", since4=(4, 4), words="strict interleave preferred"),
    ),
    basics=_UNNAMED,
)


def of_host(host: Thing) -> list[Thing]:
    """The NUMA nodes of a host, one for each socket: CPUs are counted through, and each has its part of the memory."""
    sockets = host.get("numa_nodes") or host["sockets"]
    cpus = host["sockets"] * host["cores"] * host["threads"] // sockets
    return [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"numa {host['id']} {index}")),
            "host": host["id"],
            "index": index,
            "memory": host["memory"] // MIB // sockets,
            "cores": [{"index": number} for number in range(index * cpus, (index + 1) * cpus)],
            "node_distance": " ".join("10" if other == index else "21" for other in range(sockets)),
        }
        for index in range(sockets)
    ]


def list_of_host(call: ApiCall) -> Many:
    """List the NUMA nodes of a host."""
    return Many(HOST_NODE, of_host(call.things["host"]))


def show_of_host(call: ApiCall) -> One:
    """Show one of them."""
    wanted = call.things["host_numa_node"]["id"]
    for node in of_host(call.things["host"]):
        if node["id"] == wanted:
            return One(HOST_NODE, node)
    raise Gone


# what a machine may have ----------------------------------------------------------------------------------------------


def cpus_of(vm: Thing) -> int:
    """How many CPUs a machine has."""
    return int(vm["sockets"] * vm["cores"] * vm["threads"])


#: The engine leaves its words for the action and the type unfilled where NUMA nodes alone are changed.
_UNFILLED = "${action} ${type}"


def check(world: World, vm: Thing, nodes: Iterable[Thing], action: str = _UNFILLED) -> None:
    """Refuse NUMA nodes that a machine cannot have, in the engine's words and order (NumaValidator).

    Args:
        world: Where its hosts are.
        vm: The machine as it would be.
        nodes: Its NUMA nodes as they would be.
        action: What is done, for the refusal: `edit VM`.
    """
    nodes = list(nodes)
    if not nodes:
        return
    for holds, words in _RULES:
        if not holds(vm, nodes):
            raise Refused(words(vm, nodes).replace(_UNFILLED, action), BAD)
    if not vm.get("pinned") and any(_pins(node) for node in nodes):
        raise Refused(f"Cannot {action}. VM must be pinned to at least one host.")
    _check_hosts(world, vm, nodes)


def check_machine(call: ApiCall, vm: Thing, action: str) -> None:
    """Refuse a machine that its NUMA nodes or the pins of its CPUs do not fit.

    Args:
        call: Makes it or changes it.
        vm: The machine as it would be.
        action: add or edit.
    """
    _check_cpus(call.dialect, vm)
    check(call.world, vm, call.world.of("vm_numa_node", "vm", vm.get("id")), f"{action} VM")


def _check_cpus(dialect: SimDialect, vm: Thing) -> None:
    """Refuse pins of CPUs that cannot be (CpuPinningValidator; before 4.0 VmManagementCommandBase)."""
    cpus = [pin.get("vcpu", 0) for pin in vm.get("vcpu_pins") or ()]
    if not cpus:
        return
    if not vm.get("pinned"):
        raise refuse("vm cpu pins host", dialect, BAD)
    if not dialect.modern and vm.get("affinity") == "migratable":
        raise refuse("vm cpu pins migratable", dialect, BAD)
    if max(cpus) >= cpus_of(vm):
        raise refuse("vm cpu pins vcpu", dialect, BAD)
    if _duplicates(cpus):
        raise refuse("vm cpu pins twice", dialect, BAD)


def _check_hosts(world: World, vm: Thing, nodes: list[Thing]) -> None:
    """Refuse pins that a host of the machine has not."""
    for host in (world.the("host", one) for one in vm.get("pinned") or ()):
        there = {node["index"]: node for node in of_host(host)}
        if len(there) == 1:
            raise Refused(f"Host '{host['name']}' has no NUMA architecture.", BAD)
        for text in _host_faults(host, there, nodes):
            raise Refused(text, BAD)


def _host_faults(host: Thing, there: Mapping[int, Thing], nodes: list[Thing]) -> Iterator[str]:
    for node in nodes:
        for index in _pins(node):
            if index not in there:
                yield f"Host NUMA node with index {index} does not exist for host '{host['name']}'."
            elif node["tune_mode"] == "strict" and node["memory"] > there[index]["memory"]:
                yield (
                    f"NUMA node memory incompatibility error exists for VM's NUMA node with index {node['index']} and "
                    f"host's NUMA node with index {index} for host '{host['name']}'."
                )


def _pins(node: Thing) -> list[int]:
    return [pin["index"] for pin in node.get("pins") or ()]


def _cores(nodes: Iterable[Thing]) -> list[int]:
    return [core["index"] for node in nodes for core in node.get("cores") or ()]


def _indexes(nodes: list[Thing]) -> list[int]:
    return [node["index"] for node in nodes]


def _preferred(_vm: Thing, nodes: list[Thing]) -> bool:
    alone = len(nodes) == 1 and len(_pins(nodes[0])) == 1
    return alone or all(node["tune_mode"] != "preferred" for node in nodes)


def _huge(vm: Thing, nodes: list[Thing]) -> bool:
    told = {one["name"]: one.get("value") or "" for one in vm.get("custom_properties") or ()}
    size = int(told.get("hugepages") or 0)
    return not size or all(node["memory"] * 1024 % size == 0 for node in nodes)


def _duplicates(numbers: list[int]) -> list[int]:
    return sorted({number for number in numbers if numbers.count(number) > 1})


def _gap(_vm: Thing, nodes: list[Thing]) -> str:
    missing = [number for number in range(len(nodes)) if number not in _indexes(nodes)]
    return (
        f"Expected a continuous sequence of 0-{len(set(_indexes(nodes))) - 1} for {len(nodes)} numa nodes. "
        f"Missing indices {', '.join(map(str, missing[:10]))}. Assign indices with increasing order starting from 0 to "
        "your virtual numa nodes."
    )


Rule = tuple[Callable[[Thing, list[Thing]], bool], Callable[[Thing, list[Thing]], str]]
_RULES: tuple[Rule, ...] = (
    (_preferred, lambda vm, nodes: "Preferred NUMA tune mode is allowed for a single pinned Virtual NUMA Node."),
    (
        lambda vm, nodes: len(nodes) <= cpus_of(vm),
        lambda vm, nodes: (
            f"Cannot ${{action}} ${{type}}. Assigned {len(nodes)} NUMA nodes for {cpus_of(vm)} CPU "
            "cores. Cannot assign more NUMA nodes than CPU cores."
        ),
    ),
    (
        lambda vm, nodes: not _duplicates(_indexes(nodes)),
        lambda vm, nodes: f"NUMA node with index {_duplicates(_indexes(nodes))[0]} exists at least twice.",
    ),
    (lambda vm, nodes: sorted(_indexes(nodes)) == list(range(len(nodes))), _gap),
    (
        lambda vm, nodes: all(0 <= core < cpus_of(vm) for core in _cores(nodes)),
        lambda vm, nodes: (
            f"A NUMA node has an invalid CPU index: {max(_cores(nodes))}. Indexes must be between 0 and "
            f"{cpus_of(vm) - 1}."
        ),
    ),
    (
        lambda vm, nodes: not _duplicates(_cores(nodes)),
        lambda vm, nodes: (
            "CPUs with the following indexes are assigned to two or more NUMA nodes: "
            f"{', '.join(map(str, _duplicates(_cores(nodes))))}."
        ),
    ),
    (
        lambda vm, nodes: sum(node["memory"] for node in nodes) <= vm["memory"] // MIB,
        lambda vm, nodes: (
            f"The NUMA nodes' total memory of {sum(node['memory'] for node in nodes)} exceeds the VM's "
            f"total memory of {vm['memory'] // MIB}."
        ),
    ),
    (_huge, lambda vm, nodes: "Memory size of each numa node must be a multiple of hugepage size."),
)


def tune(call: ApiCall, vm: Thing, values: Thing) -> None:
    """Take the mode that a body has for all NUMA nodes of a machine; since 4.4 each has its own."""
    mode = values.pop("numa_tune_mode", None)
    if mode and call.dialect.knows((4, 4)):
        for node in call.world.of("vm_numa_node", "vm", vm["id"]):
            call.world.change(node, tune_mode=mode)
    elif mode:
        values["numa_tune_mode"] = mode
        for node in call.world.of("vm_numa_node", "vm", vm["id"]):
            call.world.change(node, tune_mode=mode)


def mode_of(call: ApiCall, vm: Thing) -> str | None:
    """The mode that a machine shows: its own, or since 4.4 the one that all of its NUMA nodes have."""
    if not call.dialect.knows((4, 4)):
        return vm.get("numa_tune_mode") or "interleave"
    modes = {node["tune_mode"] for node in call.world.of("vm_numa_node", "vm", vm["id"])}
    return modes.pop() if len(modes) == 1 else None


# the calls ------------------------------------------------------------------------------------------------------------


def create(call: ApiCall) -> One:
    """Give a machine a NUMA node; it counts from its next start on."""
    vm, world = call.things["vm"], call.world
    values = call.fresh(VM_NODE)
    values["cpu"] = True if call.part("cpu") is not None else None
    require(values, ("VirtualNumaNode", "VirtualNumaNode"), ("index", "memory", "cpu"), call.dialect)
    del values["cpu"]
    node = {"cores": [], "pins": [], "tune_mode": vm.get("numa_tune_mode") or "interleave", **values}
    check(world, vm, [*world.of("vm_numa_node", "vm", vm["id"]), node])
    world.change(vm)  # what is shown of it follows
    return One(VM_NODE, world.add("vm_numa_node", **node, vm=vm["id"]), 201)


def change(call: ApiCall) -> One:
    """Change one."""
    node, vm, world = call.things["vm_numa_node"], call.things["vm"], call.world
    values = call.changes(VM_NODE)
    others = [one for one in world.of("vm_numa_node", "vm", vm["id"]) if one is not node]
    check(world, vm, [*others, {**node, **values}])
    world.change(node, **values)
    world.change(vm)
    return One(VM_NODE, node)


def remove(call: ApiCall) -> Removed:
    """Take one from a machine; those that stay have to be counted through still."""
    node, vm, world = call.things["vm_numa_node"], call.things["vm"], call.world
    check(world, vm, [one for one in world.of("vm_numa_node", "vm", vm["id"]) if one is not node])
    world.remove(node)
    world.change(vm)
    return Removed()


_OF_HOST, _OF_VM = "/hosts/{host}/numanodes", "/vms/{vm}/numanodes"
_SINCE = {"since3": (3, 5)}
ROUTES = (
    get(_OF_HOST, list_of_host, "list its NUMA nodes", **_SINCE),
    get(f"{_OF_HOST}/{{host_numa_node}}", show_of_host, "show one of them", **_SINCE),
    get(_OF_VM, lists_of(VM_NODE, "vm"), "list its NUMA nodes", **_SINCE),
    post(_OF_VM, create, "give it a NUMA node", **_SINCE),
    get(f"{_OF_VM}/{{vm_numa_node}}", shows(VM_NODE), "show one of them", **_SINCE),
    put(f"{_OF_VM}/{{vm_numa_node}}", change, "change one", **_SINCE),
    delete(f"{_OF_VM}/{{vm_numa_node}}", remove, "take one away", **_SINCE),
)
