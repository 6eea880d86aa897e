"""rinv: hardware and other properties of virtual machines and hypervisors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import permutations
from typing import Any, Callable, NamedTuple

from ..declare.command import HYPERVISOR_ROUTES, Command, CommandWords, Place
from ..engine.manager import Manager
from ..engine.nouns import Cluster, Host, ReportedDevice, StorageDomain, Vm
from ..engine.states import HOST_TALKING, VmStatus
from ..messages import Data
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..units import show_size
from .hypervisor import certificates
from .show import placement
from .show.listing import by_name
from .vm.connections import other_profile
from .vm.machines import find, lack_either

#: What users type -> what it means.
_PLACES = {"numa": placement.numa, "devices": placement.devices}
_SYNONYMS = {"memory": "mem", "disks": "disk", "nics": "nic", "uuid": "serial"}

SPEC = Command(
    name="rinv",
    summary="hardware of virtual machines and hypervisors",
    usage="noderange [all|model|serial|cpu|mem|disk|nic|host|guest|cert|numa|devices]",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    words=CommandWords(
        most=None,
        known=(
            *("all", "model", "serial", "cpu", "mem", "disk", "nic", "host", "guest", "cert", *_PLACES, *_SYNONYMS),
            *(",".join(words) for words in permutations(_PLACES)),
        ),
    ),
    arguments={
        "all": "everything; the default",
        "model": "what it is, where it belongs, what it was made from",
        "serial": "its serial number and UUID",
        "cpu, mem, disk, nic": "that alone",
        "host": "where it runs",
        "guest": "what its guest reports: name, operating system, addresses; for this word only, because each running "
        "machine needs a request",
        "numa": "NUMA nodes with their CPUs and memory; of a machine also where they are pinned; for this word only",
        "devices": "devices that machines may have alone, or those that a machine has; for this word only",
        "cert": "when the certificates of hypervisors and of their manager end, as rvitals cert says",
    },
    examples=(
        ("rinv vm1 disk", "its disks"),
        ("rinv all mem", "everybody's memory"),
        ("rinv rhevh1 numa,devices", "what there is to place machines on"),
        ("rinv vm1-vm9 guest", "what the guests report, with their addresses"),
    ),
)


class Line(NamedTuple):
    """One line of an answer.

    Attributes:
        desc: What the value is.
        text: The value.
        fields: Its parts for programs.
    """

    desc: str
    text: str
    fields: tuple[tuple[str, object], ...] = ()


def plan(context: Context) -> Plan:
    """Look everything up with one search per kind, then show it."""
    words = [each for word in context.words for each in word.split(",")]
    kinds, places = _kinds(words), [word for word in _PLACES if word in words]
    machines = find(context, details=True)
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest, details=True) if rest else {}
    if "cert" in context.words:
        yield from certificates.for_machines([*machines])
        yield from certificates.show(context, hosts)
    nouns: list[Vm | Host] = [*machines.values(), *hosts.values()]
    placed = context.manager.each(partial(_place_lines, context, places), nouns)
    told = {noun.id: lines for noun, lines in zip(nouns, placed)}
    for node in context.nodes:
        noun: Vm | Host | None = machines.get(node) or hosts.get(node)
        if noun is None:
            yield lack_either(context, machines, node)
            continue
        tables = VM if isinstance(noun, Vm) else HOST
        for kind in kinds:
            for line in tables[kind](noun, context.manager) if kind in tables else ():
                yield Data(line.text, node, line.desc, fields=(*line.fields, *_id(noun, line)))
        for line in told[noun.id]:
            yield Data(line.text, node, line.desc, fields=line.fields)
        if isinstance(noun, Vm) and "guest" in context.words:
            if noun.status == VmStatus.UP:
                yield Job(node, [Step("ask what its guest reports", partial(_addresses, context, noun))])
            elif not list(_vm_guest(noun, context.manager)):
                yield Data(f"unknown: the machine is {noun.status or 'unknown'}", node, "Guest")


def _place_lines(context: Context, places: Sequence[str], noun: Vm | Host) -> list[Line]:
    """Lines that are requested for one machine or hypervisor only."""
    return [Line(*line) for word in places for line in _PLACES[word](context.manager, noun)]


def _addresses(context: Context, vm: Vm) -> Iterator[Data]:
    told = [device for device in context.manager.list(ReportedDevice, under=vm) if device.ips]
    for device in told:
        name = device.name or device.mac or "NIC"
        yield Data(", ".join(device.ips), vm.name, f"Guest addresses of {name}")
    if not told and not list(_vm_guest(vm, context.manager)):
        yield Data("unknown: no guest agent has answered", vm.name, "Guest")


def _id(noun: Vm | Host, line: Line) -> tuple[tuple[str, object], ...]:
    """The id of the machine or hypervisor, where the line is not about a part that has its own."""
    return () if "id" in dict(line.fields) else (("id", noun.id),)


def _kinds(words: Sequence[str]) -> list[str]:
    known = list(VM)
    words = [_SYNONYMS.get(word, word) for word in words]
    return known if not words or "all" in words else list(words)


def _present_lines(*pairs: tuple[str, object]) -> Iterator[Line]:
    """Pairs that have a value."""
    return (Line(desc, str(value)) for desc, value in pairs if value not in (None, "", ()))


def _size(size: int | None) -> str:
    return show_size(size) if size else ""


def _memory(*pairs: tuple[str, int | None]) -> Iterator[Line]:
    return (Line(desc, show_size(size), (("bytes", size),)) for desc, size in pairs if size)


def _cpus(noun: Vm | Host) -> Iterator[Line]:
    sockets, cores, threads = noun.sockets or 1, noun.cores or 1, noun.threads or 1
    yield Line("CPUs", f"{sockets * cores * threads} (sockets {sockets}, cores {cores}, threads {threads})")


def _vm_model(vm: Vm, manager: Manager) -> Iterator[Line]:
    return _present_lines(
        ("Model", f"virtual machine, {vm.type or 'server'}"),
        ("System Description", f"virtual machine of {manager.name}"),
        ("Cluster", manager.name_of(Cluster, vm.cluster)),
        ("Template", manager.template_label(vm.template)),
        ("Operating system", vm.os_type),
        ("Description", vm.description),
    )


def _vm_memory(vm: Vm, _: Manager) -> Iterator[Line]:
    return _memory(
        ("Memory", vm.memory), ("Guaranteed memory", vm.memory_guaranteed), ("Maximum memory", vm.memory_max)
    )


def _vm_disks(vm: Vm, manager: Manager) -> Iterator[Line]:
    for disk in by_name(vm.disks or ()):
        domains = ", ".join(manager.name_of(StorageDomain, ref) for ref in disk.storage_domains)
        place = "" if disk.is_lun else f", on {domains or 'no storage domain'}"
        boot = ", boot disk" if disk.bootable else ""
        used = f", {show_size(disk.actual_size)} in use" if disk.actual_size else ""
        lun = f"LUN of {show_size(disk.lun_size)}" if disk.lun_size else "LUN"
        what = ", ".join(filter(None, (lun if disk.is_lun else _size(disk.size), disk.format, disk.interface)))
        size = ("bytes", disk.lun_size or disk.size or 0), ("actual_bytes", disk.actual_size or 0)
        yield Line(f"Disk {disk.name or disk.id}", f"{what}{place}{used}{boot}", (("id", disk.id), *size))


def _vm_nics(vm: Vm, manager: Manager) -> Iterator[Line]:
    for nic in by_name(vm.nics or ()):
        network, profile = nic.network.name if nic.network else "no network", other_profile(manager, nic)
        through = f", vNIC profile {profile}" if profile else ""
        text = f"{nic.mac or 'no address'}, {nic.interface}, on {network}{through}"
        yield Line(f"NIC {nic.name}", text, (("id", nic.id), ("mac", nic.mac or "")))


def _vm_guest(vm: Vm, _: Manager) -> Iterator[Line]:
    system = f"{vm.guest_os or ''} {vm.guest_os_version or ''}".strip()
    return _present_lines(
        ("Guest name", vm.fqdn), ("Guest addresses", ", ".join(vm.guest_ips)), ("Guest system", system)
    )


def _host_model(host: Host, manager: Manager) -> Iterator[Line]:
    hardware = f"{host.hw_manufacturer or ''} {host.hw_product or ''}".strip()
    system = f"{host.os_type or ''} {host.os_version or ''}".strip()
    return _present_lines(
        ("Model", hardware),
        ("System Description", hardware),
        ("Type", f"hypervisor, {host.type or 'unknown'}"),
        ("Cluster", manager.name_of(Cluster, host.cluster)),
        ("Operating system", system),
        ("VDSM", host.vdsm_version),
        ("libvirt", host.libvirt_version),
    )


def _host_cpu(host: Host, _: Manager) -> Iterator[Line]:
    yield from _cpus(host)
    yield from _present_lines(
        ("CPU model", host.cpu_name), ("CPU speed", f"{host.cpu_speed:g} MHz" if host.cpu_speed else "")
    )


def _host_nics(host: Host, _: Manager) -> Iterator[Line]:
    for nic in by_name(host.nics or ()):
        speed = f"{nic.speed // 10**6} Mbit/s" if nic.speed else ""
        network = nic.network.name if nic.network else ""
        text = ", ".join(filter(None, (nic.mac, nic.ip, speed, network)))
        yield Line(f"NIC {nic.name}", text, (("id", nic.id), ("mac", nic.mac or "")))


VM: Mapping[str, Callable[[Any, Manager], Iterator[Line]]] = {
    "model": _vm_model,
    "serial": lambda vm, _: _present_lines(("UUID", vm.id)),
    "cpu": lambda vm, _: _cpus(vm),
    "mem": _vm_memory,
    "disk": _vm_disks,
    "nic": _vm_nics,
    "host": lambda vm, manager: _present_lines(("Host", manager.name_of(Host, vm.host) or "none")),
    "guest": _vm_guest,
}
HOST: Mapping[str, Callable[[Any, Manager], Iterator[Line]]] = {
    "model": _host_model,
    "serial": lambda host, _: _present_lines(("Serial number", host.hw_serial), ("UUID", host.hw_uuid)),
    "cpu": _host_cpu,
    "mem": lambda host, _: _memory(("Memory", host.memory)),
    "nic": _host_nics,
    "host": lambda host, _: _present_lines(
        ("Address", host.address), ("Virtual machines", host.total if host.status in HOST_TALKING else None)
    ),
}
