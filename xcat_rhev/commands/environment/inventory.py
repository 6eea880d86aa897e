"""Everything a manager has, read once: what the picture and the description of an environment are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Host, Network, StorageDomain, Vm
from ..show.listing import by_name


@dataclass(frozen=True)
class Environment:
    """All that a manager has.

    Attributes:
        manager: Its name.
        homes: Data centers.
        clusters: Clusters.
        networks: Logical networks of all data centers.
        used: The networks of each cluster, by the cluster's id, with what holds for them there.
        storage: Storage domains with their real states, by the data center's id.
        loose: Storage domains that are attached nowhere.
        hosts: Hosts.
        vms: Virtual machines.
    """

    manager: str
    homes: Sequence[DataCenter]
    clusters: Sequence[Cluster]
    networks: Sequence[Network]
    used: Mapping[str, Sequence[Network]]
    storage: Mapping[str, Sequence[StorageDomain]]
    loose: Sequence[StorageDomain]
    hosts: Sequence[Host]
    vms: Sequence[Vm]

    def clusters_of(self, home: DataCenter) -> list[Cluster]:
        """The clusters of a data center, by name."""
        return by_name(each for each in self.clusters if each.data_center and each.data_center.id == home.id)

    def networks_of(self, home: DataCenter) -> list[Network]:
        """The logical networks of a data center, by name."""
        return by_name(each for each in self.networks if each.data_center and each.data_center.id == home.id)

    def storage_of(self, home: DataCenter) -> list[StorageDomain]:
        """The storage domains of a data center, by name."""
        return by_name(self.storage.get(home.id or "", ()))

    def hosts_of(self, cluster: Cluster) -> list[Host]:
        """The hosts of a cluster, by name."""
        return by_name(each for each in self.hosts if each.cluster and each.cluster.id == cluster.id)

    def vms_on(self) -> dict[str, list[Vm]]:
        """The running machines, by their host's id."""
        on: dict[str, list[Vm]] = {}
        for vm in by_name(self.vms):
            if vm.host:
                on.setdefault(vm.host.id, []).append(vm)
        return on

    def idle_vms(self, cluster: Cluster) -> list[Vm]:
        """The machines of a cluster that run nowhere."""
        return by_name(each for each in self.vms if not each.host and each.cluster and each.cluster.id == cluster.id)


def read(
    manager: Manager, centers: Collection[str] | None = None, with_vms: bool = False, with_nics: bool = False
) -> Environment:
    """Read everything: one list per kind, one more per data center and cluster.

    Args:
        manager: The manager to ask.
        centers: The names of the data centers whose clusters' networks matter, without storage and hosts; None for all
            of everything.
        with_vms: Virtual machines as well.
        with_nics: Hosts have their NICs with them.
    """
    homes, clusters = manager.all(DataCenter), manager.all(Cluster)
    if centers is not None:
        ids = {home.id for home in homes if home.name in centers}
        mine = [cluster for cluster in clusters if cluster.data_center and cluster.data_center.id in ids]
        used = {cluster.id or "": manager.list(Network, under=cluster) for cluster in mine}
        return Environment(manager.name, homes, clusters, manager.all(Network), used, {}, [], [], [])
    storage = {home.id or "": manager.list(StorageDomain, under=home) for home in homes}
    attached = {domain.id for domains in storage.values() for domain in domains}
    return Environment(
        manager.name,
        homes,
        clusters,
        manager.all(Network),
        {cluster.id or "": manager.list(Network, under=cluster) for cluster in clusters},
        storage,
        [domain for domain in manager.all(StorageDomain) if domain.id not in attached],
        manager.list(Host, details=True) if with_nics else manager.all(Host),
        manager.list(Vm) if with_vms else [],
    )
