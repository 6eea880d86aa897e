"""Looks up what rows name: clusters, templates, hypervisors, storage domains, networks.

Each kind is requested once for all machines of a command, so an error in one row is known before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Callable

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Disk, DiskImage, Host, Network, StorageDomain, Template, Vm
from ...engine.states import DomainStatus, ImageStatus
from ...errors import Ambiguous
from ...ordering import natural
from ...rows.vm import DEFAULT_CLUSTER, VmRow
from ...rows.vmnics import NicRow
from ...rows.vmsettings import NO_LEASE
from .connections import Connections, profiled
from .images import Images
from .memberships import Memberships
from .systems import Systems
from .templatedisks import placement_faults, size_faults
from .toonew import too_new


@dataclass(frozen=True)
class VmPlace:
    """Where one machine is, or is to be made.

    Attributes:
        cluster: Its cluster.
        template: What it is made from, or None.
        template_disks: The template's, if the row says anything of disks.
        hosts: The hypervisors that its row names.
        not_hosts: Those that its row takes away.
        domains: The storage domains of its data center, by name; empty when no disk is to be made.
        connections: What NICs in its cluster can be connected to; empty when no NIC is to be made.
        images: Disks that are to be attached, by the name or id that its row has for them.
    """

    cluster: Cluster
    template: Template | None = None
    template_disks: tuple[Disk, ...] = ()
    hosts: tuple[Host, ...] = ()
    not_hosts: tuple[Host, ...] = ()
    domains: Mapping[str, StorageDomain] = field(default_factory=dict)
    connections: Connections = Connections()
    images: Mapping[str, DiskImage] = field(default_factory=dict)

    def domain(self, name: str) -> StorageDomain:
        """The storage domain of that name; without a name the only one for disks that there is."""
        return self.domains[name] if name else usable(self.domains.values())[0]

    def fit(self) -> list[str]:
        """The names of the storage domains that take disks now."""
        return sorted((domain.name for domain in usable(self.domains.values())), key=natural)


#: Passing states: a storage domain becomes active again by itself when a host sees it.
_PASSING = frozenset({DomainStatus.UNKNOWN, DomainStatus.LOCKED, DomainStatus.ACTIVATING})
#: The place of a machine that needs no lookup.
NOWHERE = VmPlace(Cluster())


def usable(domains: Iterable[StorageDomain]) -> list[StorageDomain]:
    """Those that take disks now."""
    return [domain for domain in domains if domain.type == "data" and domain.status in (DomainStatus.ACTIVE, None)]


def survey(
    manager: Manager,
    rows: Mapping[str, VmRow],
    machines: Mapping[str, Vm],
    storage: bool = False,
    detached: bool = False,
    members: Memberships | None = None,
    placed: Callable[[str, Sequence[Host]], Iterable[str]] = lambda _node, _hosts: (),
) -> tuple[dict[str, VmPlace], dict[str, list[str]]]:
    """Find what the rows name.

    Args:
        manager: The manager.
        rows: Rows by node.
        machines: Those of the machines that exist, by node; their present place counts, not the row.
        storage: Fetch storage domains even if no row names one.
        detached: New machines do not depend on their templates.
        members: Tags and groups of the machines.
        placed: Reports errors in a machine's placement on the hypervisors of its row.

    Returns:
        A place for each node whose row names only what there is, and the faults of the others.
    """
    look = _Look(manager, rows, machines, storage)
    places: dict[str, VmPlace] = {}
    faults: dict[str, list[str]] = {}
    for node, row in rows.items():
        found = list(look.faults(row))
        if not found and not detached:
            found = list(look.placement_faults(row))
        if not found:
            places[node] = look.place(row)
            found = list(members.faults(node, places[node].cluster)) if members else []
            found += placed(node, places[node].hosts)
        if found:
            faults[node] = found
            places.pop(node, None)
    return places, faults


class _Look:
    """The lists, each fetched once; a kind that no row names is not asked for."""

    def __init__(self, manager: Manager, rows: Mapping[str, VmRow], machines: Mapping[str, Vm], storage: bool) -> None:
        self._manager, self._machines, self._storage = manager, machines, storage
        self._clusters = self._find_clusters(rows.values())
        self._templates = manager.templates(_names(row.template for row in self._new(rows.values())))
        self._hosts = manager.find(Host, _names(name for row in rows.values() for name in (*row.hosts, *row.not_hosts)))
        self._images = Images(manager, [disk.known for row in rows.values() for disk in row.disks if disk.existing])
        self._systems = Systems(manager)
        self._domains: dict[str, dict[str, StorageDomain]] = {}
        self._connections: dict[str, Connections] = {}
        self._disks: dict[str, tuple[Disk, ...]] = {}
        self._profiled = any(profiled(row, self._nics(row)) for row in rows.values())
        for row in rows.values():
            cluster = self._cluster(row)
            if cluster:
                self._fetch(row, cluster)

    def _new(self, rows: Iterable[VmRow]) -> list[VmRow]:
        return [row for row in rows if row.node not in self._machines]

    def _find_clusters(self, rows: Iterable[VmRow]) -> dict[str, Cluster]:
        """By name for machines to be made; by id for those that exist, if anything about their cluster matters."""
        rows = list(rows)
        there = [row for row in rows if row.node in self._machines]
        if (
            any(row.disks or row.nics or row.hosts or row.cluster or row.settings.lease for row in there)
            or there
            and self._storage
        ):
            every = self._manager.list(Cluster)
            return {**{each.name: each for each in every}, **{each.id: each for each in every}}
        known = {vm.cluster.id: Cluster(id=vm.cluster.id) for vm in self._machines.values() if vm.cluster}
        wanted = _names(row.cluster or DEFAULT_CLUSTER for row in self._new(rows))
        return {**known, **self._manager.find(Cluster, wanted)}

    def _cluster(self, row: VmRow) -> Cluster | None:
        vm = self._machines.get(row.node)
        return self._clusters.get(vm.cluster.id if vm and vm.cluster else row.cluster or DEFAULT_CLUSTER)

    def _fetch(self, row: VmRow, cluster: Cluster) -> None:
        center = cluster.data_center
        if (row.disks or row.settings.lease or self._storage) and center and center.id not in self._domains:
            there = self._manager.list(StorageDomain, under=DataCenter(id=center.id, name=center.name))
            self._domains[center.id] = {each.name: each for each in there}
        template = self._known_template(row, cluster) if row.disks else None
        if template is not None and template.id not in self._disks:
            self._disks[template.id] = tuple(self._manager.list(Disk, under=template))
        if self._nics(row) and cluster.id not in self._connections:
            networks = self._manager.list(Network, under=cluster)
            self._connections[cluster.id] = Connections.of(self._manager, cluster.name, networks, self._profiled)

    def _nics(self, row: VmRow) -> Sequence[NicRow]:
        """The NICs that matter: a machine that is there gets none that its row does not name."""
        return row.nics or () if row.node in self._machines else row.new_nics()

    def place(self, row: VmRow) -> VmPlace:
        cluster = self._cluster(row)
        assert cluster is not None, "faults() found none"
        template = self._known_template(row, cluster)
        return VmPlace(
            cluster,
            template,
            self._disks.get(template.id, ()) if template and self._manager.keeps_disks else (),
            tuple(self._hosts[name] for name in row.hosts if name in self._hosts),
            tuple(self._hosts[name] for name in row.not_hosts if name in self._hosts),
            self._domains.get(cluster.data_center.id if cluster.data_center else "", {}),
            self._connections.get(cluster.id, Connections()),
            self._images,
        )

    def faults(self, row: VmRow) -> Iterator[str]:
        """Errors in what the row names."""
        node, manager = row.node, self._manager.name
        cluster = self._cluster(row)
        if cluster is None:
            wanted = row.cluster or DEFAULT_CLUSTER
            yield f"cannot find the cluster: {wanted}. Run: chtab node={node} vm.cluster=CLUSTER"
            return
        late = list(too_new(self._manager, row))
        yield from late
        if not (late and "@" in row.template):
            yield from self._template_faults(row, cluster)
        yield from self._host_faults(row, cluster)
        place = self.place(row)
        if "cpu_pins" in row.settings.values and not row.topology:
            yield f"vm.othersettings: vcpupin needs to know how many CPUs there are. Run: chtab node={node} vm.cpus=N"
        if "cpu_pins" in row.settings.values and not self._is_bound(row):
            yield f"vm.othersettings: vcpupin needs a hypervisor. Run: chtab node={node} vm.host=HYPERVISOR"
        lacking = ", ".join(self._manager.lacks(Vm, row.settings.attributes()))
        if lacking:
            version = ".".join(map(str, self._manager.version))
            yield f"the manager is {version}, which has no {lacking} for machines. Take that out of vm.othersettings"
        if not row.template and row.node not in self._machines:
            yield from _bus_faults(row, cluster)
        template = self._known_template(row, cluster)
        if template is not None and not self._manager.grows_disks:
            version = ".".join(map(str, self._manager.version))
            yield from size_faults(row, self._disks.get(template.id, ()), version)
        yield from _domain_faults(row, place, manager)
        yield from self._images.faults(row)
        for fault in place.connections.faults(self._nics(row), row.nic_model):
            network = "NETWORK/PROFILE" if "vNIC profile" in fault else "NETWORK"
            yield f"{fault}. Run: chtab node={node} vm.nics={network}:eth0:yes"
        yield from filter(None, [_lease_fault(row, place), self._systems.fault(row, self._machines.get(row.node))])

    def _is_bound(self, row: VmRow) -> bool:
        vm = self._machines.get(row.node)
        return bool(row.hosts or vm and vm.placement_hosts)

    def _template(self, row: VmRow, cluster: Cluster) -> Template | None:
        """What a new machine is made from: the template of its own data center, if the name says no other."""
        if not row.template or row.node in self._machines:
            return None
        return self._templates.one(row.template, cluster.data_center)

    def _known_template(self, row: VmRow, cluster: Cluster) -> Template | None:
        """The same, or None where it is not known."""
        try:
            return self._template(row, cluster)
        except Ambiguous:
            return None

    def placement_faults(self, row: VmRow) -> Iterator[str]:
        """Why the disks of a template cannot be where the row says."""
        place = self.place(row)
        return placement_faults(row, place.template_disks, place.domains)

    def _host_faults(self, row: VmRow, cluster: Cluster) -> Iterator[str]:
        node = row.node
        for name in row.hosts:
            host = self._hosts.get(name)
            if host is None:
                yield f"Cannot find {name} in the rhevm. Run: chtab node={node} vm.host=HYPERVISOR"
            elif host.cluster and host.cluster.id != cluster.id:
                other = self._manager.name_of(Cluster, host.cluster)
                yield (
                    f"the hypervisor {name} is not in the cluster {cluster.name}. "
                    f"Run: chtab node={node} vm.host=, or vm.cluster={other}"
                )
        if row.affinity == "pinned" and not row.hosts and node not in self._machines:
            yield (
                "vm.virtflags has placement_affinity 'pinned', but vm.host does not say where. "
                f"Run: chtab node={node} 'vm.virtflags=placement_affinity=migratable'"
            )

    def _template_faults(self, row: VmRow, cluster: Cluster) -> Iterator[str]:
        if not row.template or row.node in self._machines:
            return
        try:
            template = self._template(row, cluster)
        except Ambiguous as problem:
            yield str(problem)
            return
        if template is None:
            yield (
                f"cannot find the template: {row.template}. "
                f"Run: lsve -t tpl -m {self._manager.name}, then chtab node={row.node} vm.master=TEMPLATE"
            )
        elif template.status not in (ImageStatus.OK, None):
            yield f"the template {row.template} is {template.status}. Try again when it is ok"


def _bus_faults(row: VmRow, cluster: Cluster) -> Iterator[str]:
    """A disk bus that new machines of the cluster do not have; the engine would refuse the disk only later."""
    chipset = (cluster.bios_type or "").partition("_")[0]
    if row.disks and row.interface == {"q35": "ide", "i440fx": "sata"}.get(chipset):
        yield (
            f"machines of the cluster {cluster.name} have the chipset {chipset}, which has no {row.interface}. "
            f"Run: chtab node={row.node} vm.storagemodel=virtio"
        )


def _domain_faults(row: VmRow, place: VmPlace, manager: str) -> Iterator[str]:
    names = sorted({disk.domain for disk in row.disks if not disk.existing})
    fit = place.fit()
    hint = f"Run: chtab node={row.node} vm.storage=DOMAIN:20g with one of: {', '.join(fit) or 'none is active'}"
    for name in names:
        domain = place.domains.get(name)
        if not name:
            if len(fit) != 1:
                yield f"vm.storage does not say which storage domain the disk goes on. {hint}"
        elif domain is None:
            yield f"Could not get the storage domain {name}. {hint}"
        elif domain.type not in ("data", None):
            yield f"the storage domain {name} is for {domain.type}, not for disks. {hint}"
        elif domain.status in _PASSING:
            yield f"the storage domain {name} is {domain.status} now. Try again in a minute"
        elif domain.status not in (DomainStatus.ACTIVE, None):
            yield (
                f"the storage domain {name} is {domain.status}, not active. Run: cfgve -t sd -m {manager} -o {name} -g"
            )


def _lease_fault(row: VmRow, place: VmPlace) -> str:
    name = row.settings.lease
    if name in ("", NO_LEASE) or name in place.fit():
        return ""
    return f"vm.othersettings: lease: no active storage domain {name}. There is: {', '.join(place.fit()) or 'none'}"


def _names(names: Iterable[str]) -> Sequence[str]:
    return sorted({name for name in names if name}, key=natural)
