"""cfgve --from: logical networks, in their data center and in its clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ...engine.nouns import Network, Ref
from ...errors import Conflict, NotFound
from ...messages import Error
from ...plan.context import Plan
from . import nw
from .describedcenter import DescribedDataCenter, attachment_key, cluster_key, home_key, host_networks_key, network_key
from .order import DescribedPart

_VALUES = ("vlan", "mtu", "stp", "description")


def parts(this: DescribedDataCenter) -> Iterator[DescribedPart]:
    """The networks of the data center."""
    for name, values in this.center.networks.items():
        key = network_key(name, this.center.name)
        yield DescribedPart(name, key, partial(_network, this, name, values), frozenset({home_key(this.center.name)}))


def _network(this: DescribedDataCenter, name: str, values: Mapping[str, Any]) -> Plan:
    there = this.networks.get(name)
    wanted = {key: values[key] for key in _VALUES if key in values}
    late = nw.too_new(this.manager, {**wanted, **({"usages": ()} if values.get("hosts_only") else {})})
    if late:
        yield Error(late, name)
        return
    if there is None:
        yield this.job(name, f"create network in {this.center.name}", partial(_make, this, name, values, wanted))
        return
    if "hosts_only" in values and values["hosts_only"] == there.vm_network:
        wanted["usages"] = () if values["hosts_only"] else ("vm",)
    yield from this.change(there, wanted)


def _make(this: DescribedDataCenter, name: str, values: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Make a network, unless it came with a new data center, as the management network does."""
    there = None if this.home else this.network_now(name)
    if there is None:
        usages: dict[str, Any] = {"usages": ()} if values.get("hosts_only") else {}
        home = Ref(this.home.id or "" if this.home else "", this.center.name)
        try:
            this.manager.create(Network(name=name, data_center=home, **wanted, **usages))
            return
        except Conflict:  # it was made meanwhile, with the first cluster
            there = this.network_now(name)
            if this.home or there is None:
                raise
    this.manager.change(there, **wanted)


def attachments(this: DescribedDataCenter) -> Iterator[DescribedPart]:
    """The networks in their clusters; hosts that lack one stay in use as long as it is not required."""
    for name, values in this.center.networks.items():
        for cluster in values.get("clusters", ()):
            after = frozenset({network_key(name, this.center.name), cluster_key(cluster)})
            yield DescribedPart(name, attachment_key(name, cluster), partial(_attach_parts, this, name, cluster), after)


def _attach_parts(this: DescribedDataCenter, name: str, cluster: str) -> Plan:
    if name not in this.used(cluster):
        attach = partial(_attach, this, name, cluster)
        yield this.job(name, f"attach to cluster {cluster}", attach, f"attached to {cluster}.")


def _attach(this: DescribedDataCenter, name: str, cluster: str) -> None:
    where = this.cluster_now(cluster)
    network = this.networks.get(name) or this.network_now(name)
    if network is None:
        raise NotFound(f"network {name} is not in data center {this.center.name}")
    attached = {each.id for each in this.manager.list(Network, under=where)}
    if network.id not in attached:  # a management network comes attached
        this.manager.create(Network(id=network.id, name=name, required=False), under=where)


def requirements(this: DescribedDataCenter) -> Iterator[DescribedPart]:
    """A network becomes required in a cluster when all hosts have it, and not if one could not get it."""
    for name, values in this.center.networks.items():
        for cluster in values.get("clusters", ()):
            wanted = _is_required(values, cluster)
            if wanted is None:
                continue
            key = attachment_key(name, cluster)
            hosts = [host for host, row in this.center.hosts.items() if row.get("cluster", "Default") == cluster]
            after = frozenset({key, *map(host_networks_key, hosts)} if wanted else {key})
            yield DescribedPart(
                name, f"requirement of {key}", partial(_requirement, this, name, cluster, wanted), after
            )


def _is_required(values: Mapping[str, Any], cluster: str) -> bool | None:
    """Whether the network is required in that cluster; None if the description does not say."""
    told = values.get("required")
    return cluster in told if isinstance(told, (list, tuple)) else told


def _requirement(this: DescribedDataCenter, name: str, cluster: str, wanted: bool) -> Plan:
    there = this.used(cluster).get(name)
    if (there.required if there else False) == wanted:
        return
    if there is None and not wanted:
        return
    words = ("make it required in", "required in") if wanted else ("make it optional in", "optional in")
    require = partial(_require, this, name, cluster, wanted)
    yield this.job(name, f"{words[0]} cluster {cluster}", require, f"{words[1]} {cluster}.")


def _require(this: DescribedDataCenter, name: str, cluster: str, wanted: bool) -> None:
    where = this.cluster_now(cluster)
    for network in this.manager.list(Network, under=where):
        if network.name == name:
            this.manager.change(network, under=where, required=wanted)
