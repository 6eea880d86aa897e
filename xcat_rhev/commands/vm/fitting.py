"""Places a machine on as few NUMA nodes of a hypervisor as hold it, each virtual CPU on its own CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ...engine.nouns import HostNumaNode, NumaPin, VcpuPin, Vm, VmNumaNode
from ...rows.placement import numbers

#: Engines' names for memory that is on its NUMA nodes only, and for memory that is spread over them.
STRICT, INTERLEAVED = "strict", "interleave"


@dataclass(frozen=True)
class FittedPart:
    """What of a machine is on one NUMA node of its hypervisor.

    Attributes:
        node: The hypervisor's node.
        cpus: The hypervisor's CPUs, one for each of the machine's that are there.
        first: The number of the machine's first CPU there.
        memory: MiB.
    """

    node: int
    cpus: tuple[int, ...]
    first: int
    memory: int


@dataclass(frozen=True)
class FreeSpace:
    """What is free on one NUMA node: CPUs, and MiB of memory."""

    node: int
    cpus: tuple[int, ...]
    memory: int


def spaces(nodes: Iterable[HostNumaNode], others: Iterable[Vm], allowed: Sequence[int] = ()) -> list[FreeSpace]:
    """What other machines leave free on a hypervisor.

    Args:
        nodes: Its NUMA nodes.
        others: Machines that are bound to it. A CPU is taken where one of theirs is pinned to it alone, and their
            memory counts where their CPUs are.
        allowed: The NUMA nodes that count; none for all.
    """
    taken: set[int] = set()
    memory: Counter[int] = Counter()
    nodes = list(nodes)
    home = {cpu: node.index or 0 for node in nodes for cpu in node.cpus}
    for vm in others:
        alone = own_cpus(vm).values()
        taken.update(alone)
        for cpu in alone:
            memory[home.get(cpu, -1)] += (vm.memory or 0) // (1 << 20) // max(1, len(vm.cpu_pins))
    return [
        FreeSpace(
            node.index or 0,
            tuple(cpu for cpu in node.cpus if cpu not in taken),
            max(0, (node.memory or 0) - memory[node.index or 0]),
        )
        for node in nodes
        if not allowed or node.index in allowed
    ]


def own_cpus(vm: Vm) -> dict[int, int]:
    """Those of a machine's CPUs that are pinned to one of the hypervisor's alone, and to which."""
    pinned = {pin.vcpu or 0: numbers(pin.cpu_set or "") for pin in vm.cpu_pins}
    return {vcpu: cpus[0] for vcpu, cpus in pinned.items() if len(cpus) == 1}


def fit(free: Sequence[FreeSpace], cpus: int, memory: int, page: int = 1) -> list[FittedPart]:
    """Place a machine; nothing where it does not fit.

    Of as many nodes those with the most free CPUs are taken. CPUs are divided evenly, memory goes with them.

    Args:
        free: What is free.
        cpus: How many it has.
        memory: MiB.
        page: MiB of its huge pages; memory is divided in those.
    """
    order = sorted(free, key=lambda space: (-len(space.cpus), space.node))
    for count in range(1, min(cpus, len(order)) + 1):
        for chosen in combinations(order, count):
            parts = list(_divide(sorted(chosen, key=lambda space: space.node), cpus, memory, page))
            if len(parts) == count:
                return parts
    return []


def _divide(chosen: Sequence[FreeSpace], cpus: int, memory: int, page: int) -> Iterator[FittedPart]:
    """A machine on these nodes; fewer parts than nodes if one has no space."""
    counts = [cpus // len(chosen) + (at < cpus % len(chosen)) for at in range(len(chosen))]
    first = 0
    for space, count, share in zip(chosen, counts, shares(counts, memory, page)):
        if count <= len(space.cpus) and share <= space.memory:
            yield FittedPart(space.node, space.cpus[:count], first, share)
        first += count


def shares(counts: Sequence[int], memory: int, page: int = 1) -> list[int]:
    """Memory in MiB divided as CPUs are, in whole pages; the first gets the remainder."""
    found = [memory * count // sum(counts) // page * page for count in counts]
    return [found[0] + (memory - sum(found)) // page * page, *found[1:]]


def as_it_is(vm: Vm, nodes: Iterable[HostNumaNode], free: Iterable[FreeSpace], page: int = 1) -> list[FittedPart]:
    """The present placement of a machine whose CPUs are each pinned to one CPU of its own; nothing if one is not,
    or if another machine uses it too."""
    there = own_cpus(vm)
    cpus = (vm.sockets or 1) * (vm.cores or 1) * (vm.threads or 1)
    open_cpus = {cpu for space in free for cpu in space.cpus}
    if sorted(there) != list(range(cpus)) or len({*there.values()} & open_cpus) != cpus:
        return []
    home = {cpu: node.index or 0 for node in nodes for cpu in node.cpus}
    by_node: dict[int, list[int]] = {}
    for vcpu in sorted(there):
        by_node.setdefault(home[there[vcpu]], []).append(vcpu)
    if any(vcpus != list(range(vcpus[0], vcpus[0] + len(vcpus))) for vcpus in by_node.values()):
        return []
    memory = shares([len(vcpus) for vcpus in by_node.values()], (vm.memory or 0) // (1 << 20), page)
    return [
        FittedPart(node, tuple(there[vcpu] for vcpu in vcpus), vcpus[0], share)
        for (node, vcpus), share in zip(by_node.items(), memory)
    ]


def cpu_pins(parts: Iterable[FittedPart]) -> tuple[VcpuPin, ...]:
    """The pins of a machine's CPUs."""
    return tuple(VcpuPin(vcpu=part.first + at, cpu_set=str(cpu)) for part in parts for at, cpu in enumerate(part.cpus))


def numa_nodes(parts: Sequence[FittedPart]) -> list[VmNumaNode]:
    """The NUMA nodes that its guest sees: one for each of the hypervisor's."""
    return [
        _node(at, part.memory, range(part.first, part.first + len(part.cpus)), (part.node,), STRICT)
        for at, part in enumerate(parts)
    ]


def bind(nodes: Sequence[int], cpus: int, memory: int) -> list[VmNumaNode]:
    """One NUMA node with all of a machine, whose memory is on these of the hypervisor.

    On one of them alone it is so strictly; of several each may have less memory than the machine, which engines do not
    take for strict, so it is spread over them.

    Args:
        nodes: The hypervisor's.
        cpus: How many the machine has.
        memory: MiB.
    """
    return [_node(0, memory, range(cpus), tuple(nodes), STRICT if len(nodes) == 1 else INTERLEAVED)]


def _node(index: int, memory: int, cpus: Iterable[int], on: Sequence[int], mode: str) -> VmNumaNode:
    pins = tuple(NumaPin(index=node, pinned=True) for node in on)
    return VmNumaNode(index=index, memory=memory, cores=tuple(map(str, cpus)), pins=pins, tune_mode=mode)


def same(there: Iterable[VmNumaNode], wanted: Iterable[VmNumaNode], mode: str | None) -> bool:
    """Whether these are the wanted NUMA nodes.

    Args:
        there: Those that a machine has.
        wanted: Those that it should have.
        mode: The machine's own mode, where its nodes have none.
    """
    return _facts(there, mode) == _facts(wanted, mode)


def _facts(nodes: Iterable[VmNumaNode], mode: str | None) -> Mapping[int | None, object]:
    return {node.index: (node.memory, node.cpus, node.pinned_to, node.tune_mode or mode) for node in nodes}
