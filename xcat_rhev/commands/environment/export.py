"""lsve --export: what a manager has, written as cfgve --from reads it, and a list of what that cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.nouns import Cluster, DataCenter, Host, Network, Ref, StorageDomain, Template
from ...engine.states import DOMAIN_LEAVING, DOMAIN_RESTING, HOST_UP, HostStatus
from ...messages import Data, few
from ...ordering import natural
from ...plan.context import Context, Plan
from ...rows import description
from ...rows.storage import DOMAIN_TYPES, STORAGE
from ..vm.connections import MANAGEMENT_NETWORKS
from ..vm.scan import Everything, KnownNodes, scan
from . import dc, inventory, plaindescription
from .columns import interface, location
from .inventory import Environment

#: What engines call the management network that they make: of their own data center, and of any other.
_USUAL_DESCRIPTIONS = ("Management Network", "Default Management Network")
#: What every engine calls the template Blank.
BLANK_TEMPLATE = "00000000-0000-0000-0000-000000000000"
#: Usages of a network in a cluster that a description cannot hold.
_ROLES = frozenset({"display", "migration", "gluster"})


def plan(context: Context) -> Plan:
    """Read everything and write it to the output."""
    found = inventory.read(context.manager, with_nics=True)
    writing = _Writing(context, found)
    centers = {home.name: writing.center(home) for home in found.homes}
    everything = {"data_centers": centers, **dict(plaindescription.records(context.manager))}
    text: str = description.yaml().safe_dump(everything, sort_keys=False, allow_unicode=True, width=110)
    yield from (Data(f"# Left out: {words}") for words in writing.left_out())
    yield from map(Data, text.splitlines())


class _Writing:
    """Writes the description.

    Args:
        context: The command.
        found: What there is.
    """

    def __init__(self, context: Context, found: Environment) -> None:
        self._context = context
        self._found = found
        self._rows = {row.get("node"): row for row in context.xcat.rows("virtsd")}
        self._vms: dict[str, dict[str, dict[str, str]]] = {}
        self._wordless: list[str] = []
        self._strange: list[str] = []
        for each in scan(context.manager, Everything.of(context.manager, whole=True, hosts=found.hosts), KnownNodes()):
            if each.kind == "vm":
                columns = each.tables["vm"]
                kept = {key: columns[key] for key in description.MACHINE_COLUMNS if columns.get(key)}
                self._vms.setdefault(each.cluster, {})[each.name] = kept
                self._wordless += [f"of the machine {each.name}: {', '.join(each.left_out)}"] if each.left_out else []

    def center(self, home: DataCenter) -> dict[str, Any]:
        """A data center with all that is in it."""
        found = self._found
        clusters = found.clusters_of(home)
        values = {
            "storage": "localfs" if dc.is_local(home) else home.storage_type or "nfs",
            "compat": home.version,
            "description": home.description,
            "clusters": {each.name: self._cluster(each) for each in clusters},
            "networks": {
                each.name: written
                for each in found.networks_of(home)
                if (written := self._network(each, clusters)) or not comes_along(each)
            },
            "hosts": {
                host.name: self._host(host, cluster, home)
                for cluster in clusters
                for host in found.hosts_of(cluster)
                if host.status != HostStatus.PENDING_APPROVAL  # it belongs to nothing yet
            },
            "storage_domains": {
                each.name: self._domain(each, clusters) for each in found.storage_of(home) if can_be_told(each)
            },
            "vms": {
                name: row
                for cluster in clusters
                for name, row in sorted(self._vms.get(cluster.name or "", {}).items(), key=_by_name)
            },
        }
        return _without_empty(values)

    def _cluster(self, cluster: Cluster) -> dict[str, Any]:
        own = [each.name for each in self._found.used.get(cluster.id or "", ()) if each.management]
        return _without_empty(
            {
                "cpu": cluster.cpu_type,
                "compat": cluster.version,
                "description": cluster.description,
                "management": next((name for name in own if name not in MANAGEMENT_NETWORKS), None),
            }
        )

    def _network(self, network: Network, clusters: list[Cluster]) -> dict[str, Any]:
        """A network; for one that comes with its data center only what was changed."""
        used = [
            (cluster.name, each)
            for cluster in clusters
            for each in self._found.used.get(cluster.id or "", ())
            if each.id == network.id
        ]
        required = [name for name, each in used if each.required]
        optional = [name for name, each in used if each.required is False]  # RHEV 3.0 does not know that
        own = {
            "vlan": network.vlan,
            "mtu": network.mtu or None,
            "stp": network.stp or None,
            "hosts_only": not network.vm_network or None,
        }
        if not comes_along(network):
            return _without_empty(
                {
                    **own,
                    "description": network.description,
                    "clusters": [name for name, _ in used],
                    "required": required if optional else bool(required) or None,
                }
            )
        written = _without_empty(own)
        if network.description not in _USUAL_DESCRIPTIONS:
            written["description"] = network.description or ""
        if optional:
            written.update(clusters=[name for name, _ in used], required=required)
        return written

    def _host(self, host: Host, cluster: Cluster, home: DataCenter) -> dict[str, Any]:
        nics = {nic.id: nic for nic in host.nics or ()}
        own = {network.id: network.name for network in self._found.networks_of(home)}
        parts: list[str] = []
        for each in self._context.manager.host_networks(host):
            name = _network_name(each.network, own)
            if not name or set(name) & set(":|"):
                self._strange.append(f"{name or self._name_elsewhere(each.network)} on {host.name}")
            elif name not in MANAGEMENT_NETWORKS:
                parts += interface(each, name, nics)
        return _without_empty({"cluster": cluster.name, "address": host.address, "interface": "|".join(sorted(parts))})

    def _name_elsewhere(self, network: Ref | None) -> str:
        """The name of a network that a host's data center does not have."""
        ref = network or Ref()
        return next((each.name for each in self._found.networks if each.id == ref.id), None) or ref.name or ref.id

    def _domain(self, domain: StorageDomain, clusters: list[Cluster]) -> dict[str, Any]:
        known = self._rows.get(domain.name, {}).get("host")
        every = [host for cluster in clusters for host in self._found.hosts_of(cluster)]
        working = next((host.name for host in every if host.status in HOST_UP), None)
        return _without_empty(
            {
                "stype": domain.storage_type,
                "sdtype": domain.type if domain.type != "data" else None,
                "location": location(domain),
                "host": known or working,
                "active": False if domain.status in DOMAIN_RESTING | DOMAIN_LEAVING else None,
            }
        )

    def left_out(self) -> Iterator[str]:
        """What a description cannot hold, worded for a person who has to make it by hand."""
        found = self._found
        lost = [cluster.name for cluster in found.clusters if not cluster.data_center]
        loose = [domain.name for domain in found.loose]
        odd = [each.name for domains in found.storage.values() for each in domains if not can_be_told(each)]
        made = [each for each in self._context.manager.all(Template) if each.cluster and each.id != BLANK_TEMPLATE]
        templates = [each.name for each in made]
        roles = [
            f"{network.name} of {cluster.name}"
            for cluster in found.clusters
            for network in found.used.get(cluster.id or "", ())
            if not network.management and _ROLES & set(network.usages or ())
        ]
        for what, names in (
            ("clusters without a data center", lost),
            ("storage domains without a data center", loose),
            ("storage domains of kinds that only the manager's own pages make", odd),
            ("templates", sorted(set(templates), key=natural)),
            ("networks' roles in clusters", roles),
            ("networks on hosts that are not in their data center, or that no column can hold", self._strange),
        ):
            if names:
                yield f"{what}: {few(names)}"
        yield from self._wordless


def _network_name(network: Ref | None, own: Mapping[str, str]) -> str:
    """The name of a network of a host's data center; empty if it is another's, or was removed."""
    if network is None:
        return ""
    return own.get(network.id, "") if network.id else network.name if network.name in own.values() else ""


def comes_along(network: Network) -> bool:
    """Whether it is the management network that engines make with a data center."""
    return network.name in MANAGEMENT_NETWORKS


def can_be_told(domain: StorageDomain) -> bool:
    """Whether a description can hold a domain of that kind."""
    return domain.storage_type in STORAGE and domain.type in DOMAIN_TYPES


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not empty."""
    return {key: value for key, value in values.items() if value not in (None, "", {}) and value != []}


def _by_name(item: tuple[str, Any]) -> Any:
    return natural(item[0])
