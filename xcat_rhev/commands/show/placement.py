"""NUMA nodes and devices of hypervisors, and those that machines have, as text for users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...engine.manager import Manager
from ...engine.nouns import Host, HostDevice, HostNumaNode, Vm, VmHostDevice, VmNumaNode
from ...ordering import natural
from ...rows.placement import write_set
from ...units import MIB, show_size

#: What a value is, the value, and its parts for programs.
Told = tuple[str, str, tuple[tuple[str, object], ...]]


def numa(manager: Manager, noun: Vm | Host) -> Iterator[Told]:
    """The NUMA nodes of a hypervisor, or of a machine."""
    late = manager.too_new("NUMA nodes")
    if late:
        yield "NUMA", late, ()
    elif isinstance(noun, Vm):
        yield from _of_vm(noun, manager.list(VmNumaNode, under=noun))
    else:
        nodes = sorted(manager.list(HostNumaNode, under=noun), key=lambda node: node.index or 0)
        for node in nodes:
            size, cpus = (node.memory or 0) * MIB, write_set(node.cpus)
            distances = f", distances {node.node_distance}" if node.node_distance and len(nodes) > 1 else ""
            fields = ("index", node.index), ("bytes", size), ("cpus", cpus), ("id", node.id)
            yield f"NUMA node {node.index}", f"CPUs {cpus}, {show_size(size)}{distances}", fields


def _of_vm(vm: Vm, nodes: Sequence[VmNumaNode]) -> Iterator[Told]:
    for node in sorted(nodes, key=lambda node: node.index or 0):
        size, cpus, on = (node.memory or 0) * MIB, write_set(node.cpus), write_set(node.pinned_to)
        mode = node.tune_mode or vm.numa_tune_mode
        place = f", on node {on} of its hypervisor, {mode}" if on else ", pinned to none"
        fields = ("index", node.index), ("bytes", size), ("cpus", cpus), ("on", on), ("mode", mode), ("id", node.id)
        yield f"NUMA node {node.index}", f"CPUs {cpus}, {show_size(size)}{place}", fields
    if vm.cpu_pins:
        pins = sorted(vm.cpu_pins, key=lambda pin: pin.vcpu or 0)
        pairs = ", ".join(f"{pin.vcpu} on {pin.cpu_set}" for pin in pins)
        yield "Pinned CPUs", pairs, (("pins", {str(pin.vcpu): pin.cpu_set for pin in pins}),)


def devices(manager: Manager, noun: Vm | Host) -> Iterator[Told]:
    """The devices of a hypervisor that a machine may have, or those that a machine has."""
    late = manager.too_new("devices of hypervisors")
    if late:
        yield "Devices", late, ()
        return
    kind: type[HostDevice] = VmHostDevice if isinstance(noun, Vm) else HostDevice
    for each in sorted(manager.list(kind, under=noun), key=lambda device: natural(device.name)):
        if each.capability != "system":
            user = manager.name_of(Vm, each.vm) if each.vm and isinstance(noun, Host) else ""
            yield f"Device {each.name}", ", ".join(_device(each, user)), _fields(each, user)


def _device(each: HostDevice, user: str) -> Iterator[str]:
    """The properties of a device."""
    ids = ":".join(filter(None, (word.removeprefix("0x") for word in (each.vendor_id or "", each.product_id or ""))))
    yield f"{each.vendor or ''} {each.product or ''}".strip() or each.capability or "unknown"
    if ids:
        yield ids
    if each.iommu_group is not None:
        yield f"IOMMU group {each.iommu_group}"
    if each.physical_function:
        yield f"virtual function of {each.physical_function.name or each.physical_function.id}"
    if each.virtual_functions:
        yield f"{each.virtual_functions} virtual functions"
    if each.mdev_types:
        kinds = (f"{kind.name} ({kind.available_instances or 0} left)" for kind in each.mdev_types)
        yield f"vGPU types {' '.join(kinds)}"
    if each.placeholder:
        yield "only because of its IOMMU group"
    if user:
        yield f"in use by {user}"


def _fields(each: HostDevice, user: str) -> tuple[tuple[str, object], ...]:
    told: dict[str, object] = {
        "id": each.id,
        "capability": each.capability,
        "iommu_group": each.iommu_group,
        "physical_function": each.physical_function.name if each.physical_function else None,
        "virtual_functions": each.virtual_functions,
        "mdev_types": {kind.name: kind.available_instances for kind in each.mdev_types} or None,
        "placeholder": each.placeholder or None,
        "vm": user or None,
    }
    return tuple((name, value) for name, value in told.items() if value is not None)
