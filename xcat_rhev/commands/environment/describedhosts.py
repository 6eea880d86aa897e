"""cfgve --from: hosts, and the networks on their NICs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...engine.nouns import Cluster, Host
from ...engine.states import HOST_COMING, HOST_RESTING, HOST_TALKING, HOST_UP, HostStatus
from ...errors import RhevError
from ...messages import Error, Warn, error_of
from ...plan.context import Plan
from ...plan.jobs import Job
from ...rows.hypervisor import read_interfaces
from ..hypervisor import admit, networks
from ..hypervisor import lookup as hosts_found
from .describedcenter import DescribedDataCenter, attachment_key, cluster_key, host_key, host_networks_key
from .order import DescribedPart


class Hosts:
    """The hosts of a description.

    Args:
        this: Their data center.
    """

    def __init__(self, this: DescribedDataCenter) -> None:
        self._this = this
        self._names = list(this.center.hosts)
        self._found: dict[str, Host] = {}
        self._wrong: dict[str, RhevError] = {}
        if self._names:
            self._found, self._wrong = hosts_found.look(this.context, self._names, details=True)
        rows = this.context.xcat.node_attrs("hypervisor", self._names, ["type", "cluster", "user", "password"])
        self._new = admit.Newcomers(this.context, rows, [name for name in self._names if name not in self._found])

    def parts(self) -> Iterator[DescribedPart]:
        """Each host, and then its networks."""
        for name, row in self._this.center.hosts.items():
            cluster = row.get("cluster", admit.DEFAULT_CLUSTER)
            yield DescribedPart(
                name, host_key(name), partial(self._host, name, cluster), frozenset({cluster_key(cluster)})
            )
        for name, row in self._this.center.hosts.items():
            if row.get("interface"):
                yield DescribedPart(
                    name,
                    host_networks_key(name),
                    partial(self._networks, name, row["interface"]),
                    self._beneath(name, row.get("cluster", admit.DEFAULT_CLUSTER), row["interface"]),
                    f"set networks: {row['interface']}",
                )

    def _beneath(self, name: str, cluster: str, interface: str) -> frozenset[str]:
        """What a host's networks depend on: the host, and their attachments to its cluster."""
        described = self._this.center.networks
        used = {each.network for each in read_interfaces(interface)[0]}
        return frozenset(
            {host_key(name)}
            | {attachment_key(each, cluster) for each in used if cluster in described.get(each, {}).get("clusters", ())}
        )

    def _host(self, name: str, cluster_name: str) -> Plan:
        cluster = self._this.clusters.get(cluster_name) or Cluster(name=cluster_name)
        there = self._found.get(name)
        if name in self._wrong:
            yield error_of(self._wrong[name], name)
        elif there is None:
            yield self._new.job(name, cluster)
        elif self._rests(there, cluster):
            # A description does not hold the login or the power management.
            if there.status not in HOST_RESTING:
                yield Warn(f"the host is {there.status or 'unknown'}, and is not changed", name)
        else:
            yield admit.approval(self._this.context, name, there, cluster)

    def _rests(self, there: Host, cluster: Cluster) -> bool:
        """Whether it is a member of its cluster already, though not usable now."""
        mine = there.cluster is not None and there.cluster.id == cluster.id
        return mine and there.status not in HOST_UP | HOST_COMING | {HostStatus.PENDING_APPROVAL}

    def _networks(self, name: str, text: str) -> Plan:
        """Compare the networks of a host that is there."""
        interfaces, faults = read_interfaces(text)
        yield from (Error(f"interface: {fault}", name) for fault in faults)
        if faults:
            return
        host = self._found.get(name) or self._this.manager.one(Host, name)
        around = networks.Around(self._this.own_networks(), mend=False)
        for item in networks.plan_host(self._this.context, name, host, around, interfaces):
            if isinstance(item, Job) and item.parts and host.status not in HOST_TALKING | {None}:
                yield Error(f"the host is {host.status}: its networks cannot be set", name)
            else:
                yield item
