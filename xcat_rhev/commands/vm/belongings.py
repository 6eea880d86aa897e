"""What machines have outside of their documents: tags, affinity groups, NUMA nodes, devices of hypervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ...engine.manager import Manager
from ...engine.nouns import AffinityGroup, Cluster, MediatedDevice, Noun, Vm, VmHostDevice, VmNumaNode
from ...ordering import natural

N = TypeVar("N", bound=Noun)
#: The names of these in errors of engines that are too old for them.
NUMA_NODES, HOST_DEVICES, VIRTUAL_GPUS = "NUMA nodes", "devices of hypervisors", "virtual GPUs"


@dataclass(frozen=True)
class Belongings:
    """What machines have, by their id; those that have none are missing.

    Attributes:
        tags, groups: Names.
        nodes: NUMA nodes.
        devices: Names of devices that are theirs alone.
        gpus: Types of virtual GPUs, since 4.5.
    """

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    nodes: Mapping[str, Sequence[VmNumaNode]] = field(default_factory=dict)
    devices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gpus: Mapping[str, Sequence[str]] = field(default_factory=dict)


def belongings(manager: Manager, machines: Sequence[Vm]) -> Belongings:
    """Ask for all affinity groups and who is in each; the machines bring their tags. Those that are bound to
    hypervisors are asked for what they have there.

    Args:
        manager: The manager.
        machines: With their tags: a search by tag finds a machine of several tags by one of them alone (4.5).
    """
    tags = {vm.id: sorted((tag.name for tag in vm.tags or ()), key=natural) for vm in machines}
    bound = [vm for vm in machines if vm.placement_hosts]
    nodes = _of_each(manager, VmNumaNode, bound) if not manager.too_new(NUMA_NODES) else {}
    devices = _of_each(manager, VmHostDevice, bound) if not manager.too_new(HOST_DEVICES) else {}
    gpus = _of_each(manager, MediatedDevice, bound) if manager.lists_virtual_gpus else {}
    return Belongings(
        {id: names for id, names in tags.items() if names},
        _invert(_groups_by_machine(manager)),
        nodes,
        {id: _device_names(found) for id, found in devices.items()},
        {id: sorted(each.kind for each in found) for id, found in gpus.items()},
    )


def _device_names(devices: Iterable[VmHostDevice]) -> list[str]:
    """Devices that were asked for, by name; those that only came along with their IOMMU group are left out."""
    return sorted((each.name for each in devices if not each.placeholder), key=natural)


def _of_each(manager: Manager, noun: type[N], machines: Sequence[Vm]) -> dict[str, list[N]]:
    found = manager.each(lambda vm: manager.list(noun, under=vm), machines)
    return {vm.id: each for vm, each in zip(machines, found) if each}


def _groups_by_machine(manager: Manager) -> dict[str, set[str]]:
    groups = [group for cluster in manager.all(Cluster) for group in manager.all(AffinityGroup, cluster)]
    found: dict[str, set[str]] = {}
    for group in groups:
        found.setdefault(group.name, set()).update(vm.id for vm in manager.list(Vm, under=group))
    return found


def _invert(members: Mapping[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(members, key=natural):
        for id in members[name]:
            found.setdefault(id, []).append(name)
    return found
