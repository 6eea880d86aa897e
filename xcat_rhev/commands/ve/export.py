"""lsve --export: what a manager has, written as cfgve --from reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...engine.nouns import Cluster, DataCenter, Host, HostNic, Network, NetworkAttachment, StorageDomain
from ...messages import Data
from ..common import Context, Plan
from ..hypervisorrows import DEFAULT_BOND_OPTIONS
from ..storagerows import ISCSI_PORT
from ..vm.scanning import scan
from ..vm.surroundings import MANAGEMENT_NETWORKS
from . import dc, description, environment
from .environment import Environment

_VM_COLUMNS = (
    "cluster", "memory", "cpus", "storage", "storagemodel", "nics", "nicmodel", "bootorder", "virtflags", "vidproto",
    "guestostype", "master", "host",
)


def plan(context: Context) -> Plan:
    """Read everything and write it to the output."""
    found = environment.read(context.manager, with_vms=False)
    found = replace(found, hosts=context.manager.list(Host, details=True))
    writing = _Writing(context, found)
    everything = {"data_centers": {home.name: writing.center(home) for home in found.homes}}
    text: str = description.yaml().safe_dump(everything, sort_keys=False, allow_unicode=True, width=110)
    yield from map(Data, text.splitlines())


class _Writing:
    """Words what there is.

    Args:
        context: The command.
        found: What there is.
    """

    def __init__(self, context: Context, found: Environment) -> None:
        self._context = context
        self._found = found
        self._rows = {row.get("node"): row for row in context.host.rows("virtsd")}
        self._vms: dict[str, dict[str, dict[str, str]]] = {}
        for each in scan(context.manager):
            if each.kind == "vm":
                columns = each.tables["vm"]
                kept = {key: columns[key] for key in _VM_COLUMNS if columns.get(key)}
                self._vms.setdefault(each.cluster, {})[each.name] = kept
        self._management = {each.id for used in found.used.values() for each in used if each.management}

    def center(self, home: DataCenter) -> dict[str, Any]:
        """A data center with all that is in it."""
        found = self._found
        clusters = found.clusters_of(home)
        names = {network.id: network.name or "" for network in found.networks_of(home)}
        values = {
            "storage": "localfs" if dc.is_local(home) else home.storage_type or "nfs",
            "compat": home.version, "description": home.description,
            "clusters": {each.name: self._cluster(each) for each in clusters},
            "networks": {
                each.name: self._network(each, clusters) for each in found.networks_of(home)
                if not self._is_management(each)
            },
            "hosts": {
                host.name: self._host(host, cluster, names) for cluster in clusters for host in found.hosts_of(cluster)
                if host.status != "pending_approval"  # it belongs to nothing yet
            },
            "storage_domains": {each.name: self._domain(each, clusters) for each in found.storage_of(home)},
            "vms": {
                name: row for cluster in clusters
                for name, row in sorted(self._vms.get(cluster.name or "", {}).items(), key=_by_name)
            },
        }
        return _kept(values)

    def _is_management(self, network: Network) -> bool:
        """A management network comes with its data center."""
        return network.id in self._management if self._management else network.name in MANAGEMENT_NETWORKS

    def _cluster(self, cluster: Cluster) -> dict[str, Any]:
        return _kept({"cpu": cluster.cpu_type, "compat": cluster.version, "description": cluster.description})

    def _network(self, network: Network, clusters: list[Cluster]) -> dict[str, Any]:
        used = [
            (cluster.name, each) for cluster in clusters for each in self._found.used.get(cluster.id or "", ())
            if each.id == network.id
        ]
        return _kept({
            "vlan": network.vlan, "mtu": network.mtu or None, "hosts_only": not network.vm_network or None,
            "description": network.description, "clusters": [name for name, _ in used],
            "required": any(each.required for _, each in used) or None,
        })

    def _host(self, host: Host, cluster: Cluster, names: Mapping[str, str]) -> dict[str, Any]:
        nics = {nic.id: nic for nic in host.nics or ()}
        parts = []
        for each in self._context.manager.host_networks(host):
            network = each.network
            if network and not self._is_management(Network(id=network.id, name=names.get(network.id, network.name))):
                parts.append(_interface(each, names.get(network.id, network.name), nics))
        return _kept({"cluster": cluster.name, "address": host.address, "interface": "|".join(sorted(parts))})

    def _domain(self, domain: StorageDomain, clusters: list[Cluster]) -> dict[str, Any]:
        known = self._rows.get(domain.name, {}).get("host")
        hosts = [host for cluster in clusters for host in self._found.hosts_of(cluster) if host.status == "up"]
        manager = next((host.name for host in hosts if host.spm), hosts[0].name if hosts else None)
        return _kept({
            "stype": domain.storage_type, "sdtype": domain.type if domain.type != "data" else None,
            "location": _location(domain), "host": known or manager,
        })


def _kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what says nothing."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {})}


def _by_name(item: tuple[str, Any]) -> Any:
    return environment.natural(item[0])


def _interface(attachment: NetworkAttachment, network: str, nics: Mapping[str, HostNic]) -> str:
    """One part of hypervisor.interface."""
    name = attachment.host_nic.name if attachment.host_nic else ""
    nic = nics.get(attachment.host_nic.id if attachment.host_nic else "") or HostNic(name=name)
    fields = [network, _nic(nic, nics), attachment.boot_protocol or "none"]
    if attachment.boot_protocol == "static":
        fields += [_bracketed(attachment.ip), attachment.netmask or "", _bracketed(attachment.gateway)]
    return ":".join(fields).rstrip(":")


def _nic(nic: HostNic, nics: Mapping[str, HostNic]) -> str:
    name = (nic.name or "").partition(".")[0]
    if not nic.bonding:
        return name
    members = "+".join(sorted((nics[slave].name or slave) if slave in nics else slave for slave in nic.slaves))
    options = "".join(f",{key}={value}" for key, value in (nic.bond_options or dict(DEFAULT_BOND_OPTIONS)).items())
    return f"{name}={members}{options}"


def _bracketed(address: str | None) -> str:
    return f"[{address}]" if address and ":" in address else address or ""


def _location(domain: StorageDomain) -> str:
    """virtsd.location of a domain."""
    luns = ",".join(domain.luns)
    if domain.storage_type == "fcp":
        return luns
    if domain.storage_type == "iscsi":
        unit = domain.units[0] if domain.units else None
        portal = f"{_bracketed(unit.address)}:{unit.port or ISCSI_PORT}" if unit else ""
        target = f"|target={unit.target}" if unit and unit.target else ""
        return f"{portal}{target}|lun={luns}"
    where = f"{_bracketed(domain.address)}:{domain.path}" if domain.address else domain.path or ""
    words = {"vfs": domain.vfs_type if domain.storage_type == "posixfs" else None, "options": domain.mount_options,
             "version": domain.nfs_version if domain.storage_type == "nfs" else None}
    return where + "".join(f"|{key}={value}" for key, value in words.items() if value)
