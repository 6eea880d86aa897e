"""What rows name, as the manager has it: clusters, templates, hypervisors, storage domains, networks.

Each kind is asked for once for all machines of a command, so a mistake in one row is known before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Host, Network, StorageDomain, Template, Vm
from .rows import DEFAULT_CLUSTER, VmRow
from .settings import NO_LEASE

#: What the management network was called through the times, where the cluster does not tell.
MANAGEMENT_NETWORKS = ("rhevm", "ovirtmgmt")


@dataclass(frozen=True)
class Place:
    """Where one machine is, or is to be made.

    Attributes:
        cluster: Its cluster.
        template: What it is made from, or None.
        host: The hypervisor that its row names, or None.
        domains: The storage domains of its data center, by name; empty when no disk is to be made.
        networks: The networks of its cluster, by name; empty when no NIC is to be made.
    """

    cluster: Cluster
    template: Template | None = None
    host: Host | None = None
    domains: Mapping[str, StorageDomain] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)

    def domain(self, name: str) -> StorageDomain:
        """The storage domain of that name; without a name the only one for disks that there is."""
        return self.domains[name] if name else usable(self.domains.values())[0]

    def fit(self) -> list[str]:
        """The names of the storage domains that take disks now."""
        return sorted(domain.name for domain in usable(self.domains.values()))

    def network(self, name: str) -> Network:
        """The network of that name; without a name that of the management."""
        found = self.networks.get(name) if name else self.management
        assert found is not None, "faults() found none"
        return found

    @property
    def management(self) -> Network | None:
        """The network of the management: the one that says so, else by its name."""
        said = [network for network in self.networks.values() if network.management]
        known = [self.networks[name] for name in MANAGEMENT_NETWORKS if name in self.networks]
        return next(iter(said + known), None)


#: Of a machine that needs nothing from around it.
NOWHERE = Place(Cluster())


def usable(domains: Iterable[StorageDomain]) -> list[StorageDomain]:
    """Those that take disks now."""
    return [domain for domain in domains if domain.type == "data" and domain.status in ("active", None)]


def survey(
    manager: Manager, rows: Mapping[str, VmRow], machines: Mapping[str, Vm], storage: bool = False
) -> tuple[dict[str, Place], dict[str, list[str]]]:
    """Find what the rows name.

    Args:
        manager: The manager.
        rows: Rows by node.
        machines: Those of the machines that exist, by node; they are where they are, whatever the row says.
        storage: Fetch storage domains even if no row names one.

    Returns:
        A place for each node whose row names only what there is, and the faults of the others.
    """
    look = _Look(manager, rows, machines, storage)
    places: dict[str, Place] = {}
    faults: dict[str, list[str]] = {}
    for node, row in rows.items():
        found = list(look.faults(row))
        if found:
            faults[node] = found
        else:
            places[node] = look.place(row)
    return places, faults


class _Look:
    """The lists, each fetched once; a kind that no row names is not asked for."""

    def __init__(
        self, manager: Manager, rows: Mapping[str, VmRow], machines: Mapping[str, Vm], storage: bool
    ) -> None:
        self._manager, self._machines, self._storage = manager, machines, storage
        self._clusters = self._find_clusters(rows.values())
        self._templates = manager.find(Template, _names(row.template for row in self._new(rows.values())))
        self._hosts = manager.find(Host, _names(row.host for row in rows.values()))
        self._domains: dict[str, dict[str, StorageDomain]] = {}
        self._networks: dict[str, dict[str, Network]] = {}
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
        if any(row.disks or row.nics or row.host or row.cluster or row.settings.lease for row in there) \
                or there and self._storage:
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
        if row.nics and cluster.id not in self._networks:
            self._networks[cluster.id] = {each.name: each for each in self._manager.list(Network, under=cluster)}

    def place(self, row: VmRow) -> Place:
        cluster = self._cluster(row)
        assert cluster is not None, "faults() found none"
        return Place(
            cluster, self._templates.get(row.template), self._hosts.get(row.host),
            self._domains.get(cluster.data_center.id if cluster.data_center else "", {}),
            self._networks.get(cluster.id, {}),
        )

    def faults(self, row: VmRow) -> Iterator[str]:
        """What the row names that is not there, or not fit."""
        node, manager = row.node, self._manager.name
        cluster = self._cluster(row)
        if cluster is None:
            wanted = row.cluster or DEFAULT_CLUSTER
            yield f"cannot find the cluster: {wanted}. Run: chtab node={node} vm.cluster=CLUSTER"
            return
        yield from self._template_faults(row)
        if row.host and row.host not in self._hosts:
            yield f"Cannot find {row.host} in the rhevm. Run: chtab node={node} vm.host=HYPERVISOR"
        elif row.host:
            of = self._hosts[row.host].cluster
            if of and of.id != cluster.id:
                yield (f"the hypervisor {row.host} is not in the cluster {cluster.name}. "
                       f"Run: chtab node={node} vm.host=, or vm.cluster={self._manager.name_of(Cluster, of)}")
        place = self.place(row)
        lacking = ", ".join(self._manager.lacks(Vm, row.settings.said()))
        if lacking:
            version = ".".join(map(str, self._manager.version))
            yield f"the manager is {version}, which has no {lacking} for machines. Take that out of vm.othersettings"
        if not row.template and row.node not in self._machines:
            yield from _bus_faults(row, cluster)
        yield from _domain_faults(row, place, manager)
        yield from _network_faults(row, place)
        yield from filter(None, [_lease_fault(row, place)])

    def _template_faults(self, row: VmRow) -> Iterator[str]:
        if not row.template or row.node in self._machines:
            return
        template = self._templates.get(row.template)
        if template is None:
            yield (f"cannot find the template: {row.template}. "
                   f"Run: lsve -t tpl -m {self._manager.name}, then chtab node={row.node} vm.master=TEMPLATE")
        elif template.status not in ("ok", None):
            yield f"the template {row.template} is {template.status}. Try again when it is ok"


def _bus_faults(row: VmRow, cluster: Cluster) -> Iterator[str]:
    """A disk bus that new machines of the cluster lack: the engine would refuse the disk when the machine is there."""
    chipset = (cluster.bios_type or "").partition("_")[0]
    if row.disks and row.interface == {"q35": "ide", "i440fx": "sata"}.get(chipset):
        yield (f"machines of the cluster {cluster.name} have the chipset {chipset}, which has no {row.interface}. "
               f"Run: chtab node={row.node} vm.storagemodel=virtio")


def _domain_faults(row: VmRow, place: Place, manager: str) -> Iterator[str]:
    names = sorted({disk.domain for disk in row.disks})
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
        elif domain.status not in ("active", None):
            yield (f"the storage domain {name} is {domain.status}, not active. "
                   f"Run: cfgve -t sd -m {manager} -o {name} -g")


def _lease_fault(row: VmRow, place: Place) -> str:
    name = row.settings.lease
    if name in ("", NO_LEASE) or name in place.fit():
        return ""
    return f"vm.othersettings: lease: no active storage domain {name}. There is: {', '.join(place.fit()) or 'none'}"


def _network_faults(row: VmRow, place: Place) -> Iterator[str]:
    hint = f"Run: chtab node={row.node} vm.nics=NETWORK:eth0:yes"
    for name in sorted({nic.network for nic in row.nics or ()}):
        if not name and place.management is None:
            yield f"vm.nics does not say which network. {hint}"
        elif name and name not in place.networks:
            there = ", ".join(sorted(place.networks)) or "none"
            yield f"Could not get the network {name}. The cluster {place.cluster.name} has: {there}. {hint}"
        elif name and not place.networks[name].vm_network:
            yield f"the network {name} is not for virtual machines. {hint}"


def _names(names: Iterable[str]) -> Sequence[str]:
    return sorted({name for name in names if name})
