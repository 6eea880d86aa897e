"""Virtual machines and hypervisors of a manager as xCAT's tables describe them: the reverse of what mkvm reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import Cluster, Host, Tag, Vm
from ...ordering import natural
from ...xcat.host import Row, Xcat
from .belongings import Belongings, belongings
from .describe import describe
from .machines import stored_at

#: What xCAT accepts as a node's name.
_NODE = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)
#: Engines' types of hosts that are RHEV-H or oVirt Node; every other host has a full Linux.
_NODES = ("rhev_h", "rhev-h", "ovirt_node")
#: Table -> column -> value.
Tables = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Scanned:
    """One object of a manager.

    Attributes:
        kind: rhevh or vm.
        name: Its name.
        state: The manager's word.
        cluster: The name of its cluster.
        where: A hypervisor's address, or the name of a machine's host.
        tables: Its rows in xCAT's tables; empty text clears a column.
        left_out: What the tables cannot describe.
        vm: The machine, or None for a hypervisor.
    """

    kind: str
    name: str
    state: str
    cluster: str
    where: str
    tables: Tables
    left_out: tuple[str, ...] = ()
    vm: Vm | None = None

    def can_be_node(self) -> bool:
        """Whether a node can have its name."""
        return bool(_NODE.fullmatch(self.name))

    def attributes(self) -> Iterator[tuple[str, str]]:
        """For stanzas and XML: the columns by chdef's names."""
        yield "groups", self.tables["nodelist"]["groups"]
        for table, column, value in self._cells():
            if f"{table}.{column}" not in _NAMELESS:
                yield _ATTRIBUTES.get((table, column), f"{table}{column}"), value

    def nameless(self) -> list[str]:
        """What chdef has no name for, in chtab's notation."""
        told = ((f"{table}.{column}", value) for table, column, value in self._cells())
        return [f"{column}={value}" for column, value in told if column in _NAMELESS]

    def _cells(self) -> Iterator[tuple[str, str, str]]:
        """Table, column and value of all that is not empty."""
        for table, columns in self.tables.items():
            yield from ((table, column, value) for column, value in columns.items() if table != "nodelist" and value)


#: Columns that xCAT's object definitions do not have (Schema.pm, 2.19).
_NAMELESS = frozenset({"vm.guestostype", "vm.vidproto", "vm.vidmodel", "vm.datacenter"})
#: Its names that are not table and column joined.
_ATTRIBUTES = {
    ("vm", "othersettings"): "vmothersetting",
    ("vm", "nicmodel"): "vmnicnicmodel",
    ("hypervisor", "type"): "hosttype",
    ("hypervisor", "mgr"): "hostmanager",
    ("hypervisor", "cluster"): "hostcluster",
    ("vm", "mgr"): "vmmanager",
    ("mac", "mac"): "mac",
    ("nodehm", "mgt"): "mgt",
    ("nodehm", "power"): "power",
    ("hosts", "ip"): "ip",
}


@dataclass(frozen=True)
class KnownNodes:
    """What the tables have already, by node."""

    vms: Mapping[str, Row] = field(default_factory=dict)
    macs: Mapping[str, Row] = field(default_factory=dict)
    hypervisors: Mapping[str, Row] = field(default_factory=dict)
    methods: Mapping[str, Row] = field(default_factory=dict)

    @classmethod
    def of(cls, xcat: Xcat, names: Sequence[str]) -> KnownNodes:
        """Read it for some nodes."""
        columns = ("cluster", "datacenter", "othersettings", "virtflags", "vidmodel", "storageformat")
        return cls(
            xcat.node_attrs("vm", names, columns),
            xcat.node_attrs("mac", names, ("mac",)),
            xcat.node_attrs("hypervisor", names, ("type",)),
            xcat.node_attrs("nodehm", names, ("power", "mgt")),
        )


@dataclass(frozen=True)
class Everything:
    """All that a manager has.

    Attributes:
        hosts, machines: By name; several machines may have one name.
        belongings: Tags and affinity groups; nothing if they were not asked for.
    """

    hosts: Sequence[Host]
    machines: Sequence[Vm]
    belongings: Belongings

    @classmethod
    def of(cls, manager: Manager, whole: bool, hosts: Sequence[Host] | None = None) -> Everything:
        """Ask; a few requests, however much there is.

        Args:
            manager: The manager.
            whole: With serial consoles, tags and affinity groups, which cost more.
            hosts: What was read of them already.
        """
        hosts = sorted(manager.all(Host) if hosts is None else hosts, key=lambda host: natural(host.name))
        machines = manager.list(Vm, details=True, everything=whole, also=Tag if whole else None)
        machines = [stored_at(manager, vm) for vm in machines]
        found = belongings(manager, machines) if whole and machines else Belongings()
        return cls(hosts, sorted(machines, key=lambda vm: (natural(vm.name), vm.id)), found)

    def names(self) -> list[str]:
        """Of all."""
        return [each.name for each in (*self.hosts, *self.machines)]


def scan(manager: Manager, everything: Everything, known: KnownNodes) -> list[Scanned]:
    """Describe everything, hypervisors first, as the tables have it."""
    hosts = [_host(manager, host, known) for host in everything.hosts]
    return [*hosts, *(_vm(manager, vm, everything.belongings, known) for vm in everything.machines)]


def _host(manager: Manager, host: Host, known: KnownNodes) -> Scanned:
    cluster = manager.name_of(Cluster, host.cluster)
    row, method = known.hypervisors.get(host.name, {}), known.methods.get(host.name)
    kind = row.get("type") or ("rhevh" if host.type in _NODES else "rhev")
    tables: Tables = {
        "nodelist": {"groups": "rhevh,all"},
        "hypervisor": {"type": kind, "mgr": manager.name, "cluster": cluster},
    }
    if method is not None and not method.keys() & {"power", "mgt"}:
        tables["nodehm"] = {"power": "rhevm"}  # not managed otherwise, so by the manager's fencing
    if re.fullmatch(r"[\d.]+|[0-9a-f:]*:[0-9a-f:]*", host.address or ""):
        tables["hosts"] = {"ip": host.address or ""}
    return Scanned("rhevh", host.name, host.status or "unknown", cluster, host.address or "", tables)


def _vm(manager: Manager, vm: Vm, has: Belongings, known: KnownNodes) -> Scanned:
    mac = known.macs.get(vm.name, {}).get("mac", "")
    told = describe(manager, vm, has, known.vms.get(vm.name, {}), mac)
    tables: Tables = {
        "nodelist": {"groups": "vm,all"},
        "nodehm": {"mgt": "rhevm", "power": "rhevm"},
        "vm": told.columns,
    }
    if told.mac and _MAC.fullmatch(told.mac):
        tables["mac"] = {"mac": told.mac}
    on = manager.name_of(Host, vm.host)
    state = vm.status or "unknown"
    return Scanned("vm", vm.name, state, told.columns["cluster"], on, tables, tuple(told.left_out), vm)
