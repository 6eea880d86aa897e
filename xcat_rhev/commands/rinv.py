"""rinv: what virtual machines and hypervisors are made of, in a person's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Callable

from ..engine.manager import Manager
from ..engine.nouns import Cluster, Host, ReportedDevice, StorageDomain, Template, Vm
from ..errors import Usage
from ..jobs import Job, Step
from ..messages import Data
from ..units import show_size
from .common import Command, Context, Place, Plan
from .vm.machines import find

SPEC = Command(
    name="rinv",
    summary="hardware of virtual machines and hypervisors",
    usage="noderange [all|model|serial|cpu|mem|disk|nic|host|guest]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*)", "nodehm:mgt"),
    arguments={
        "all": "everything; also without a word",
        "model": "what it is, where it belongs, what it was made from",
        "serial": "its serial number and UUID",
        "cpu, mem, disk, nic": "that alone",
        "host": "where it runs",
        "guest": "what its guest says of itself: name, operating system, addresses; a request for each that runs, so "
                 "addresses are shown for this word only",
    },
    examples=(("rinv vm1 disk", "its disks"), ("rinv all mem", "everybody's memory")),
)

Line = tuple[str, str]


def plan(context: Context) -> Plan:
    """Look everything up with one search per kind, then show it."""
    kinds = _kinds(context)
    machines = find(context, details=True)
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest, details=True) if rest else {}
    for node in context.nodes:
        noun: Vm | Host | None = machines.get(node) or hosts.get(node)
        if noun is None:
            yield machines.lack(node)
            continue
        tables = VM if isinstance(noun, Vm) else HOST
        for kind in kinds:
            for desc, text in tables[kind](noun, context.manager) if kind in tables else ():
                yield Data(text, node, desc)
        if isinstance(noun, Vm) and "guest" in context.words and noun.status == "up":
            yield Job(node, [Step("ask what its guest reports", partial(_addresses, context, noun))])


def _addresses(context: Context, vm: Vm) -> Iterator[Data]:
    for device in context.manager.list(ReportedDevice, under=vm):
        if device.ips:
            name = device.name or device.mac or "NIC"
            yield Data(", ".join(device.ips), vm.name, f"Guest addresses of {name}")


def _kinds(context: Context) -> list[str]:
    known = list(VM)
    words = [{"memory": "mem", "disks": "disk", "nics": "nic", "uuid": "serial"}.get(word, word)
             for word in context.words]
    unknown = [word for word in words if word not in [*known, "all"]]
    if unknown:
        raise Usage(f"rinv does not know '{unknown[0]}'", f"Usage: rinv {SPEC.usage}")
    return known if not words or "all" in words else words


def _given(*pairs: tuple[str, object]) -> Iterator[Line]:
    """Pairs that have a value."""
    return ((desc, str(value)) for desc, value in pairs if value not in (None, "", ()))


def _size(size: int | None) -> str:
    return show_size(size) if size else ""


def _cpus(noun: Vm | Host) -> Iterator[Line]:
    sockets, cores, threads = noun.sockets or 1, noun.cores or 1, noun.threads or 1
    yield "CPUs", f"{sockets * cores * threads} (sockets {sockets}, cores {cores}, threads {threads})"


def _vm_model(vm: Vm, manager: Manager) -> Iterator[Line]:
    return _given(
        ("Model", f"virtual machine, {vm.type or 'server'}"), ("Cluster", manager.name_of(Cluster, vm.cluster)),
        ("Template", manager.name_of(Template, vm.template)), ("Operating system", vm.os_type),
        ("Description", vm.description),
    )


def _vm_memory(vm: Vm, _: Manager) -> Iterator[Line]:
    return _given(("Memory", _size(vm.memory)), ("Guaranteed memory", _size(vm.memory_guaranteed)),
                  ("Maximum memory", _size(vm.memory_max)))


def _vm_disks(vm: Vm, manager: Manager) -> Iterator[Line]:
    for disk in vm.disks or ():
        domains = ", ".join(manager.name_of(StorageDomain, ref) for ref in disk.storage_domains)
        boot = ", boot disk" if disk.bootable else ""
        used = f", {show_size(disk.actual_size)} in use" if disk.actual_size else ""
        what = f"{_size(disk.size)}, {disk.format}, {disk.interface}"
        yield f"Disk {disk.name or disk.id}", f"{what}, on {domains or 'no storage domain'}{used}{boot}"


def _vm_nics(vm: Vm, _: Manager) -> Iterator[Line]:
    for nic in vm.nics or ():
        network = nic.network.name if nic.network else "no network"
        yield f"NIC {nic.name}", f"{nic.mac or 'no address'}, {nic.interface}, on {network}"


def _vm_guest(vm: Vm, _: Manager) -> Iterator[Line]:
    system = f"{vm.guest_os or ''} {vm.guest_os_version or ''}".strip()
    return _given(("Guest name", vm.fqdn), ("Guest addresses", ", ".join(vm.guest_ips)), ("Guest system", system))


def _host_model(host: Host, manager: Manager) -> Iterator[Line]:
    hardware = f"{host.hw_manufacturer or ''} {host.hw_product or ''}".strip()
    system = f"{host.os_type or ''} {host.os_full_version or host.os_version or ''}".strip()
    return _given(
        ("Model", hardware), ("Type", f"hypervisor, {host.type or 'unknown'}"),
        ("Cluster", manager.name_of(Cluster, host.cluster)), ("Operating system", system),
        ("VDSM", host.vdsm_version), ("libvirt", host.libvirt_version),
    )


def _host_cpu(host: Host, _: Manager) -> Iterator[Line]:
    yield from _cpus(host)
    yield from _given(("CPU model", host.cpu_name), ("CPU speed", f"{host.cpu_speed:g} MHz" if host.cpu_speed else ""))


def _host_nics(host: Host, _: Manager) -> Iterator[Line]:
    for nic in host.nics or ():
        speed = f"{nic.speed // 10**6} Mbit/s" if nic.speed else ""
        network = nic.network.name if nic.network else ""
        yield f"NIC {nic.name}", ", ".join(filter(None, (nic.mac, nic.ip, speed, network)))


VM: Mapping[str, Callable[[Any, Manager], Iterator[Line]]] = {
    "model": _vm_model,
    "serial": lambda vm, _: _given(("UUID", vm.id)),
    "cpu": lambda vm, _: _cpus(vm),
    "mem": _vm_memory,
    "disk": _vm_disks,
    "nic": _vm_nics,
    "host": lambda vm, manager: _given(("Host", manager.name_of(Host, vm.host) or "none")),
    "guest": _vm_guest,
}
HOST: Mapping[str, Callable[[Any, Manager], Iterator[Line]]] = {
    "model": _host_model,
    "serial": lambda host, _: _given(("Serial number", host.hw_serial), ("UUID", host.hw_uuid)),
    "cpu": _host_cpu,
    "mem": lambda host, _: _given(("Memory", _size(host.memory))),
    "nic": _host_nics,
    "host": lambda host, _: _given(("Address", host.address), ("Virtual machines", host.total)),
}
