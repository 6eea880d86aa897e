"""Virtual machines and hypervisors of a manager as xCAT's tables describe them: mkvm's reading, backwards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ...engine.manager import Manager
from ...engine.nouns import Cluster, Disk, Host, StorageDomain, Template, Vm
from ...units import GIB, MIB
from .rows import BLANK

#: What xCAT takes for a node's name.
_NODE = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", re.IGNORECASE)
#: What engines say where nobody said anything.
_UNSAID = ("", BLANK, "unassigned")
#: Table -> column -> value.
Tables = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Scanned:
    """One thing that a manager has.

    Attributes:
        kind: rhevh or vm.
        name: Its name.
        state: The manager's word.
        cluster: The name of its cluster.
        where: A hypervisor's address, or the name of a machine's host.
        tables: What xCAT's tables say of it.
    """

    kind: str
    name: str
    state: str
    cluster: str
    where: str
    tables: Tables

    def can_be_node(self) -> bool:
        """Is its name one that a node can have?"""
        return bool(_NODE.fullmatch(self.name))

    def attributes(self) -> Iterator[tuple[str, str]]:
        """For stanzas and XML: what chdef calls the columns."""
        yield "groups", self.tables["nodelist"]["groups"]
        for table, columns in self.tables.items():
            for column, value in columns.items():
                if table != "nodelist":
                    yield _ATTRIBUTES.get((table, column), f"{table}{column}"), value


#: lsdef's names that are not table and column joined.
_ATTRIBUTES = {
    ("hypervisor", "type"): "hosttype", ("hypervisor", "mgr"): "hostmanager", ("hypervisor", "cluster"): "hostcluster",
    ("vm", "mgr"): "vmmanager", ("mac", "mac"): "mac", ("nodehm", "mgt"): "mgt", ("nodehm", "power"): "power",
    ("hosts", "ip"): "ip",
}


def scan(manager: Manager) -> list[Scanned]:
    """Everything that a manager has by name, hypervisors first; a few requests, however much that is."""
    hosts = sorted(manager.list(Host), key=lambda host: host.name)
    machines = sorted(manager.list(Vm, details=True), key=lambda vm: vm.name)
    machines = [vm.replace(boot=manager.pending(vm).boot) if vm.run_once else vm for vm in machines]
    return [*(_host(manager, host) for host in hosts), *(_vm(manager, vm) for vm in machines)]


def _host(manager: Manager, host: Host) -> Scanned:
    cluster = manager.name_of(Cluster, host.cluster)
    tables: Tables = {
        "nodelist": {"groups": "rhevh,all"},
        "hypervisor": {"type": "rhevh", "mgr": manager.name, "cluster": cluster},
    }
    if re.fullmatch(r"[\d.]+|[0-9a-f:]*:[0-9a-f:]*", host.address or ""):
        tables["hosts"] = {"ip": host.address or ""}
    return Scanned("rhevh", host.name, host.status or "unknown", cluster, host.address or "", tables)


def _vm(manager: Manager, vm: Vm) -> Scanned:
    cluster, on = manager.name_of(Cluster, vm.cluster), manager.name_of(Host, vm.host)
    columns = {
        "mgr": manager.name, "cluster": cluster, "host": _pinned(manager, vm), "memory": _size(vm.memory or 0),
        "cpus": f"{vm.sockets or 1}:{vm.cores or 1}:{vm.threads or 1}".removesuffix(":1"),
        "bootorder": ",".join(vm.boot), "vidproto": (vm.display_type or "").lower(),
        "master": manager.name_of(Template, vm.template), "guestostype": vm.os_type or "",
        "virtflags": f"placement_affinity={vm.affinity}" if vm.affinity else "", **_disks(manager, vm), **_nics(vm),
    }
    tables: Tables = {
        "nodelist": {"groups": "vm,all"}, "nodehm": {"mgt": "rhevm", "power": "rhevm"},
        "vm": {column: value for column, value in columns.items() if value not in _UNSAID},
    }
    mac = next((nic.mac for nic in vm.nics or () if nic.mac), None)
    if mac:
        tables["mac"] = {"mac": mac}
    return Scanned("vm", vm.name, vm.status or "unknown", cluster, on, tables)


def _pinned(manager: Manager, vm: Vm) -> str:
    return manager.name_of(Host, vm.placement_hosts[0]) if vm.placement_hosts else ""


def _disks(manager: Manager, vm: Vm) -> Mapping[str, str]:
    disks = sorted(vm.disks or (), key=lambda disk: (not disk.bootable, disk.name))
    if not disks:
        return {}
    first = disks[0]
    return {"storage": "|".join(_disk(manager, disk) for disk in disks),
            "storagemodel": f"{(first.interface or 'virtio').lower()}:{(first.format or 'cow').lower()}"}


def _disk(manager: Manager, disk: Disk) -> str:
    domain = next((manager.name_of(StorageDomain, ref) for ref in disk.storage_domains), "")
    return f"{domain}:{_size(disk.size or 0)}:{'system' if disk.bootable else 'data'}"


def _nics(vm: Vm) -> Mapping[str, str]:
    nics = [(nic.network.name, nic) for nic in vm.nics or () if nic.network and nic.network.name]
    if not nics:
        return {}
    written = [f"{network}:{nic.name}{':yes' if not number else ''}" for number, (network, nic) in enumerate(nics)]
    return {"nics": "|".join(written), "nicmodel": (nics[0][1].interface or "virtio").lower()}


def _size(size: int) -> str:
    """Bytes as the vm table has them, exactly."""
    for factor, suffix in ((GIB, "g"), (MIB, "m")):
        if size and size % factor == 0:
            return f"{size // factor}{suffix}"
    return f"{size}b" if size else ""
