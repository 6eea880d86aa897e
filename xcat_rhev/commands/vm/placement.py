"""Where machines are on their hypervisors, as rows say: NUMA nodes, pinned CPUs, devices of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import (
    DeviceParameter,
    Host,
    HostDevice,
    HostNumaNode,
    MediatedDevice,
    Vm,
    VmHostDevice,
    VmNumaNode,
)
from ...engine.states import VmStatus
from ...messages import Error
from ...ordering import natural
from ...plan.jobs import Step, Wait
from ...rows.placement import NONE, numbers, write_set
from ...rows.vm import VmRow
from ...rows.vmsettings import HUGE, MDEV, VmSettings
from . import fitting
from .belongings import HOST_DEVICES, NUMA_NODES, VIRTUAL_GPUS
from .make import Making

MIB = 1 << 20
#: Attributes of other machines that show what they use of a hypervisor.
_TAKING = ("cpu_pins", "placement_hosts", "memory")


@dataclass(frozen=True)
class _Has:
    """What an existing machine has."""

    nodes: tuple[VmNumaNode, ...] = ()
    devices: tuple[VmHostDevice, ...] = ()
    gpus: tuple[MediatedDevice, ...] = ()


class Placements:
    """The placement of a command's machines; what machines and hypervisors have is requested once for each.

    Args:
        manager: The manager.
        rows: What the machines should be, by node.
        machines: Those that exist, by node.
    """

    def __init__(self, manager: Manager, rows: Mapping[str, VmRow], machines: Mapping[str, Vm]) -> None:
        self._manager, self._rows, self._machines = manager, rows, machines
        self._nodes: dict[str, list[HostNumaNode]] = {}
        self._devices: dict[str, dict[str, HostDevice]] = {}
        self._fitted: dict[str, list[fitting.FittedPart]] = {}
        self._others: list[Vm] | None = None
        self._homes: dict[str, str] = {}
        self._seen: dict[str, _Has] = {}
        there = [
            node
            for node, row in rows.items()
            if node in machines and (_asks(row) or row.settings.gpus is not None) and not self._too_new(row)
        ]
        found = manager.each(self._look, there)
        self._seen.update(zip(there, found))

    def _look(self, node: str) -> _Has:
        settings, vm = self._rows[node].settings, self._machines[node]
        bound = settings.membind or settings.fit
        devices = settings.devices or settings.not_devices
        return _Has(
            tuple(self._manager.list(VmNumaNode, under=vm)) if bound else (),
            tuple(self._manager.list(VmHostDevice, under=vm)) if devices else (),
            tuple(self._manager.list(MediatedDevice, under=vm)) if self._lists_gpus(settings) else (),
        )

    def _lists_gpus(self, settings: VmSettings) -> bool:
        return settings.gpus is not None and self._manager.lists_virtual_gpus

    # what is wrong

    def faults(self, node: str, hosts: Sequence[Host]) -> Iterator[str]:
        """What a row asks for and cannot get.

        Args:
            node: The machine.
            hosts: The hypervisors that its row names.
        """
        row = self._rows[node]
        words = _asks(row)
        gpus = (row.settings.values.get("custom_properties") or {}).get(MDEV)
        if gpus and self._manager.lists_virtual_gpus:
            yield f"vm.othersettings: custom:{MDEV} is not a custom property since 4.5. Write vgpu:{gpus}"
        late = self._too_new(row)
        if late or not words:
            yield from (f"{late}. Take {[*words, 'vgpu'][0]} out of vm.othersettings" for _ in [late] if late)
            return
        homes = self._homes_of(node, hosts)
        needs_one = row.settings.fit or row.settings.devices
        if not homes and words != ["membind"] or not homes and row.settings.membind != NONE:
            yield f"vm.othersettings: {words[0]} needs a hypervisor. Run: chtab node={node} vm.host=HYPERVISOR"
        elif needs_one and len(homes) > 1:
            names = ", ".join(self._name(host) for host in homes)
            run = f"Run: chtab node={node} vm.host=HYPERVISOR"
            yield f"vm.othersettings: {words[-1]} needs one hypervisor alone, not {names}. {run}"
        else:
            for host in homes:
                yield from self._host_faults(row, host)
            if row.settings.fit:
                yield from self._fit(row, homes[0])

    def _too_new(self, row: VmRow) -> str:
        settings = row.settings
        late = self._manager.too_new(NUMA_NODES) if settings.membind or settings.fit else ""
        devices = settings.devices or settings.not_devices
        late = late or (self._manager.too_new(VIRTUAL_GPUS) if settings.gpus else "")
        return late or (self._manager.too_new(HOST_DEVICES) if devices else "")

    def _homes_of(self, node: str, hosts: Sequence[Host]) -> list[Host]:
        """The hypervisors that a machine is bound to, or will be."""
        vm, row = self._machines.get(node), self._rows[node]
        bound = [Host(id=ref.id, name=self._manager.name_of(Host, ref)) for ref in vm.placement_hosts] if vm else []
        if vm and not self._manager.binds_to_several and hosts:
            bound = []
        every = {host.id: host for host in (*bound, *hosts)}
        return [host for host in every.values() if host.name not in row.not_hosts]

    def _name(self, host: Host) -> str:
        return host.name or host.id

    def _host_faults(self, row: VmRow, host: Host) -> Iterator[str]:
        """What a hypervisor lacks."""
        settings = row.settings
        nodes = {node.index for node in self._numa_of(host)} if settings.membind not in ("", NONE) else set()
        lacking = [number for number in numbers(settings.membind) if number not in nodes] if nodes else []
        if lacking:
            there = write_set(tuple(sorted(index or 0 for index in nodes)))
            yield (
                f"vm.othersettings: membind: the hypervisor {self._name(host)} has no NUMA node "
                f"{write_set(tuple(lacking))}. It has {there}"
            )
        for name in settings.devices:
            if name not in self._devices_of(host):
                yield (
                    f"vm.othersettings: devpassthrough: the hypervisor {self._name(host)} has no device {name}. "
                    f"Run: rinv {self._name(host)} devices"
                )

    def _numa_of(self, host: Host) -> list[HostNumaNode]:
        if host.id not in self._nodes:
            found = self._manager.list(HostNumaNode, under=Host(id=host.id))
            self._nodes[host.id] = sorted(found, key=lambda node: node.index or 0)
        return self._nodes[host.id]

    def _devices_of(self, host: Host) -> dict[str, HostDevice]:
        if host.id not in self._devices:
            found = self._manager.list(HostDevice, under=Host(id=host.id))
            self._devices[host.id] = {each.name: each for each in found}
        return self._devices[host.id]

    # what fits

    def _fit(self, row: VmRow, host: Host) -> Iterator[str]:
        """Choose CPUs and NUMA nodes for a machine; a fault where there are not enough."""
        cpus, memory = self._size(row)
        if not cpus or not memory:
            sizes = "vm.cpus=N vm.memory=SIZE"
            yield f"vm.othersettings: fit needs to know how large it is. Run: chtab node={row.node} {sizes}"
            return
        nodes = self._numa_of(host)
        allowed = () if row.settings.membind in ("", NONE) else numbers(row.settings.membind)
        free = fitting.spaces(nodes, self._others_on(host, row.node), allowed)
        page = self._page(row)
        best = fitting.fit(free, cpus, memory, page)
        vm = self._machines.get(row.node)
        now = fitting.as_it_is(vm, nodes, free, page) if vm and not vm.differences(_sizes(row)) else []
        if now and len(now) <= len(best or now):
            best = now
        if not best:
            room = ", ".join(f"node {space.node}: {len(space.cpus)} CPUs, {space.memory} MiB" for space in free)
            yield (
                f"vm.othersettings: fit: {cpus} CPUs with {memory} MiB are not free on the hypervisor "
                f"{self._name(host)}. There are {room or 'no NUMA nodes'}"
            )
            return
        self._fitted[row.node] = best
        self._homes[row.node] = host.id

    def _others_on(self, host: Host, node: str) -> Iterator[Vm]:
        """Machines that are bound to a hypervisor, those of this command as they will be."""
        if self._others is None:
            self._others = self._manager.list(Vm, only=_TAKING)
        for vm in self._others:
            if vm.name not in self._fitted and vm.name != node and host.id in {ref.id for ref in vm.placement_hosts}:
                yield vm
        for name, parts in self._fitted.items():
            if name != node and self._homes[name] == host.id:
                memory = sum(part.memory for part in parts) * MIB
                yield Vm(name=name, memory=memory, cpu_pins=fitting.cpu_pins(parts))

    def _size(self, row: VmRow) -> tuple[int, int]:
        """CPUs and MiB of memory of a machine; 0 for what nobody knows before it is made."""
        vm = self._machines.get(row.node)
        cpus = math.prod(row.topology) if row.topology else _cpus(vm)
        return cpus, (row.memory or (vm.memory if vm else None) or 0) // MIB

    def _page(self, row: VmRow) -> int:
        """MiB of a machine's huge pages; 1 where it has none."""
        vm = self._machines.get(row.node)
        told = {**((vm.custom_properties if vm else None) or {}), **row.settings.values.get("custom_properties", {})}
        size = str(told.get(HUGE) or "")
        return max(1, int(size) // 1024) if size.isdigit() else 1

    def fill_in(self, row: VmRow) -> VmRow:
        """A row with the CPUs that were chosen, and with virtual GPUs as managers before 4.5 have them."""
        parts, gpus = self._fitted.get(row.node), row.settings.gpus
        values = dict(row.settings.values)
        if gpus is not None and not self._manager.lists_virtual_gpus:
            values["custom_properties"] = {**values.get("custom_properties", {}), MDEV: ",".join(gpus) or None}
        if parts:
            values["cpu_pins"] = fitting.cpu_pins(parts)
        return replace(row, settings=replace(row.settings, values=values))

    # what is to be done

    def is_lacking(self, node: str) -> bool:
        """Whether a machine has none of the NUMA nodes or devices of its row, as after an interrupted mkvm."""
        settings = self._rows[node].settings
        has = self._seen.get(node, _Has())
        gpus = bool(settings.gpus) and self._lists_gpus(settings) and not has.gpus
        if node not in self._machines or not _asks(self._rows[node]):
            return gpus or bool(_asks(self._rows[node]))
        bound = settings.fit or settings.membind not in ("", NONE)
        on_nodes = bound and not has.nodes and self._matters(node)
        return gpus or on_nodes or bool(self._absent_devices(node, has))

    def _matters(self, node: str) -> bool:
        """Whether a hypervisor of an existing machine has several NUMA nodes. With one node engines pin
        nothing."""
        return any(len(self._numa_of(host)) > 1 for host in self._homes_of(node, ()))

    def _absent_devices(self, node: str, has: _Has) -> list[str]:
        there = {each.name for each in has.devices if not each.placeholder}
        return [name for name in self._rows[node].settings.devices if name not in there]

    def _surplus(self, node: str, has: _Has) -> list[VmHostDevice]:
        away = self._rows[node].settings.not_devices
        return [each for each in has.devices if each.name in away and not each.placeholder]

    def requested_nodes(self, node: str, hosts: Sequence[Host], vm: Vm | None) -> list[VmNumaNode] | None:
        """The NUMA nodes that a machine should have; None where its row does not say."""
        row = self._rows[node]
        if not (row.settings.fit or row.settings.membind):
            return None
        homes = self._homes_of(node, hosts)
        if row.settings.membind == NONE and not row.settings.fit or any(len(self._numa_of(host)) < 2 for host in homes):
            return []
        if row.settings.fit:
            return fitting.numa_nodes(self._fitted[node])
        cpus = math.prod(row.topology) if row.topology else _cpus(vm)
        memory = (row.memory or (vm.memory if vm else None) or 0) // MIB
        return fitting.bind(numbers(row.settings.membind), cpus, memory)

    def ahead(self, node: str, hosts: Sequence[Host]) -> Iterator[Step]:
        """The steps before an existing machine is changed: its NUMA nodes may not fit it any more."""
        has = self._seen.get(node, _Has())
        if has.nodes and not self._is_bound(node, hosts):
            yield Step("take its NUMA nodes away", partial(self._unbind, self._machines[node], has.nodes))

    def steps(self, making: Making, moved: bool = False, anew: bool = True) -> Iterator[Step | Wait]:
        """The steps that place a machine.

        Args:
            making: The machine.
            moved: It is bound to other hypervisors by then, which takes its devices from it.
            anew: The NUMA nodes that it had are gone by then; otherwise it keeps any that it has.
        """
        node, hosts = making.row.node, making.place.hosts
        has = self._seen.get(node, _Has())
        wanted = self.requested_nodes(node, hosts, making.vm)
        if wanted and (anew or not has.nodes) and not self._is_bound(node, hosts):
            on = write_set(tuple(sorted({index for each in wanted for index in each.pinned_to})))
            yield Step(f"bind it to NUMA node {on} of its hypervisor", partial(self._bind, making, hosts))
        yield from self._gpu_steps(making, has)
        if moved:
            has = replace(has, devices=())
        missing, surplus = self._absent_devices(node, has), self._surplus(node, has)
        if (missing or surplus) and _is_off(making.vm):
            if making.vm is None and self._manager.dialect == 3:
                yield Wait("wait until it is no longer locked", making.unlocked_goal)
            for name in missing:
                yield Step(f"give it the device {name}", partial(self._attach, making, name))
            for each in surplus:
                yield Step(f"take the device {each.name} off", partial(self._detach, making, each))

    def _gpu_steps(self, making: Making, has: _Has) -> Iterator[Step]:
        """The steps that give it the virtual GPUs of its row: as many of each type."""
        settings = self._rows[making.row.node].settings
        if not self._lists_gpus(settings):
            return
        left = list(settings.gpus or ())
        surplus = []
        for each in has.gpus:
            if each.kind in left:
                left.remove(each.kind)
            else:
                surplus.append(each)
        for each in surplus:
            yield Step(f"take the virtual GPU {each.kind} away", partial(self._take_gpu, making, each))
        for kind in left:
            yield Step(f"give it the virtual GPU {kind}", partial(self._give_gpu, making, kind))

    def _give_gpu(self, making: Making, kind: str) -> None:
        params = (DeviceParameter(name="mdevType", value=kind), DeviceParameter(name="nodisplay", value="false"))
        self._manager.create(MediatedDevice(params=params), under=making.there)

    def _take_gpu(self, making: Making, each: MediatedDevice) -> None:
        self._manager.remove(each, under=making.there)

    def refusals(self, node: str) -> Iterator[Error]:
        """What cannot be changed now; the rest is done."""
        has, vm = self._seen.get(node, _Has()), self._machines.get(node)
        differing = [*self._absent_devices(node, has), *(each.name for each in self._surplus(node, has))]
        if differing and not _is_off(vm):
            names = ", ".join(sorted(differing, key=natural))
            yield Error(f"devices are changed only while the machine is off: {names}. Run: rpower {node} off", node)

    def waits(self, making: Making) -> bool:
        """Whether NUMA nodes change, which a running machine gets at its next start."""
        node = making.row.node
        return not _is_off(making.vm) and not self._is_bound(node, making.place.hosts)

    def _is_bound(self, node: str, hosts: Sequence[Host]) -> bool:
        """Whether an existing machine has the NUMA nodes that it should have."""
        vm = self._machines.get(node)
        wanted = self.requested_nodes(node, hosts, vm)
        if wanted is None:
            return True
        mode = vm.numa_tune_mode if vm and not self._manager.tunes_numa_nodes else None
        return vm is not None and fitting.same(self._seen.get(node, _Has()).nodes, wanted, mode)

    def _unbind(self, vm: Vm, nodes: Sequence[VmNumaNode]) -> None:
        for node in sorted(nodes, key=lambda each: -(each.index or 0)):
            self._manager.remove(node, under=vm)

    def _bind(self, making: Making, hosts: Sequence[Host]) -> None:
        """Make the NUMA nodes; its size is known by now, even if it came from a template."""
        vm = making.there
        wanted = self.requested_nodes(making.row.node, hosts, vm) or []
        if wanted and not self._manager.tunes_numa_nodes:
            self._manager.change(vm, numa_tune_mode=wanted[0].tune_mode)
        for node in wanted:
            self._manager.create(node, under=vm)

    def _attach(self, making: Making, name: str) -> None:
        self._manager.create(VmHostDevice(name=name), under=making.there)

    def _detach(self, making: Making, each: VmHostDevice) -> None:
        self._manager.remove(each, under=making.there)


def _asks(row: VmRow) -> list[str]:
    """The words of a row about its place on a hypervisor that need more than a change of the machine."""
    settings = row.settings
    words: dict[str, Any] = {
        "membind": settings.membind,
        "fit": settings.fit,
        "devpassthrough": settings.devices or settings.not_devices,
    }
    return [word for word, value in words.items() if value]


def _cpus(vm: Vm | None) -> int:
    return (vm.sockets or 1) * (vm.cores or 1) * (vm.threads or 1) if vm else 0


def _sizes(row: VmRow) -> dict[str, Any]:
    sizes = dict(zip(("sockets", "cores", "threads"), row.topology)) if row.topology else {}
    return {**sizes, **({"memory": row.memory} if row.memory else {})}


def _is_off(vm: Vm | None) -> bool:
    return vm is None or vm.status == VmStatus.DOWN
