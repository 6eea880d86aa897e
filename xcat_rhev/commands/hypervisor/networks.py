"""chhypervisor -n: the logical networks of hosts, as hypervisor.interface says, compared, set, checked and kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...engine.nouns import Cluster, Host, HostNic, IpAssignment, Network, NetworkAttachment, Ref
from ...engine.states import HOST_TALKING
from ...messages import Data, Error, Message, Warn, error_of
from ...ordering import natural
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step
from ...rows.hypervisor import NO_GATEWAY, Interface, by_network, read_interfaces
from . import lookup as found
from .bonds import Bonds, asked_bond


@dataclass(frozen=True)
class WantedNetwork:
    """A network that a host should have.

    Attributes:
        interfaces: As the table has it: one part for each IP version.
        network: The logical network.
        nic: The host's NIC or bond, with an id if it is there.
        now: The present attachment, or None.
    """

    interfaces: Sequence[Interface]
    network: Network
    nic: HostNic
    now: NetworkAttachment | None

    @property
    def attachment(self) -> NetworkAttachment:
        """The attachment to send to the manager."""
        ways = [_way(each, self.now) for each in self.interfaces if each.method]
        nic = Ref(id=self.nic.id or "", name=self.nic.name or "")
        return NetworkAttachment(
            id=self.now.id if self.now else None, network=self.network.ref, host_nic=nic, assignments=tuple(ways)
        )

    def __str__(self) -> str:
        return f"{self.network.name} on {self.nic.name} ({' and '.join(each.protocol for each in self.interfaces)})"


@dataclass(frozen=True)
class Around:
    """What is around a host.

    Attributes:
        networks: The logical networks of its data center, by name.
        cluster: Its cluster; None where the networks of that need not be looked at.
        attached: The names of the cluster's networks.
        mend: Also set networks that are as wanted, but out of sync.
    """

    networks: dict[str, Network]
    cluster: Cluster | None = None
    attached: frozenset[str] | None = None
    mend: bool = True


def configure(context: Context) -> Plan:
    """Compare each host with its row, and set what differs in one transaction."""
    rows = {node: row.get("interface", "") for node, row in context.attrs("hypervisor", "interface").items()}
    told = {node: read_interfaces(row) if row else ([], [_unset(node)]) for node, row in rows.items()}
    for node in context.nodes:
        yield from (Error(f"hypervisor.interface: {fault}", node) for fault in told[node][1])
    nodes = [node for node in context.nodes if not told[node][1]]
    if nodes:
        yield from _compare(context, {node: told[node][0] for node in nodes})


def _compare(context: Context, told: Mapping[str, Sequence[Interface]]) -> Plan:
    hosts, wrong = found.look(context, [*told], details=True)
    networks = context.manager.all(Network)
    clusters = {cluster.id: cluster for cluster in context.manager.all(Cluster)}
    used: dict[str | None, frozenset[str]] = {}
    for node, interfaces in told.items():
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
        elif host.status not in HOST_TALKING:
            yield Error(f"the host is {host.status}, not up or in maintenance. Run: chhypervisor {node} -d", node)
        else:
            cluster = clusters.get(host.cluster.id if host.cluster else "")
            if cluster is not None and cluster.id not in used:
                used[cluster.id] = frozenset(each.name or "" for each in context.manager.list(Network, under=cluster))
            around = Around(in_data_center(networks, cluster), cluster, used.get(cluster.id if cluster else None))
            yield from plan_host(context, node, host, around, interfaces)


def _unset(node: str) -> str:
    return (
        "needs to be configured to configure the network for a host. "
        f"Run: chtab node={node} hypervisor.interface=NETWORK:NIC:static:IP:NETMASK:GATEWAY"
    )


def in_data_center(networks: Sequence[Network], cluster: Cluster | None) -> dict[str, Network]:
    """The networks of a cluster's data center, by name."""
    home = cluster.data_center if cluster else None
    return {
        network.name or "": network
        for network in networks
        if home is None or network.data_center is None or network.data_center.id == home.id
    }


def plan_host(context: Context, node: str, host: Host, around: Around, interfaces: Sequence[Interface]) -> Plan:
    """Find what one host lacks; all faults of its row are reported at once.

    Args:
        context: The command.
        node: The node that messages are about.
        host: The host; its NICs are fetched unless they are there.
        around: What networks there are.
        interfaces: What is wanted.
    """
    networks = around.networks
    known = context.manager.list(HostNic, under=host) if host.nics is None else host.nics
    nics = {nic.name or "": nic for nic in known}
    coming = {each.nic for each in interfaces if each.members}
    problems = [
        problem for each in interfaces for problem in _problems(context.manager.name, each, around, nics, coming)
    ]
    if problems:
        yield from (Error(problem, node) for problem in dict.fromkeys(problems))
        return
    attached = {_key(item.network): item for item in context.manager.host_networks(host)}
    wanted = [
        WantedNetwork(
            parts,
            networks[name],
            nics.get(parts[0].nic) or asked_bond(parts[0]),
            attached.get(_key(networks[name].ref)),
        )
        for name, parts in by_network(interfaces).items()
    ]
    bonds = Bonds(nics, interfaces, _unnamed_networks(attached, wanted, nics))
    faults = [*dict.fromkeys(bonds.faults())]
    yield from (Error(fault, node) for fault in faults)
    if faults:
        return
    for item in wanted:
        if item.now is not None and item.now.in_sync is False:
            yield Warn(f"the network {item.network.name} is out of sync on the host", node)
    # Before 3.6 a bond that is made again needs its networks sent with it.
    made = {bond.name for bond in bonds.to_make()}
    lacking = [item for item in wanted if item.nic.name in made or not _is_right(item, nics, around.mend)]
    anything = lacking or bonds.to_make() or bonds.to_remove()
    yield Job(node, [_step(context, node, host, lacking, bonds)] if anything else [])


def _unnamed_networks(
    attached: Mapping[str, NetworkAttachment], wanted: Sequence[WantedNetwork], nics: Mapping[str, HostNic]
) -> dict[str, list[str]]:
    """Networks that are not named, by the NIC or bond that they are on."""
    named = {_key(item.network.ref) for item in wanted}
    staying: dict[str, list[str]] = {}
    for key, item in attached.items():
        if key not in named and item.network:
            staying.setdefault(_carrier(item, nics), []).append(item.network.name or key)
    return staying


def _problems(
    manager: str, each: Interface, around: Around, nics: dict[str, HostNic], coming: set[str]
) -> Iterator[str]:
    """Names that the manager does not know; bonds that the row itself makes count as there."""
    network = around.networks.get(each.network)
    if network is None:
        yield (
            f"network: {each.network} does not exist in the host's data center. "
            f"Run: cfgve -t nw -m {manager} -o {each.network} -c -d DATACENTER, and with -a -l CLUSTER"
        )
    elif around.cluster is not None and each.network not in (around.attached or ()):
        yield (
            f"network {each.network} is not in cluster {around.cluster.name}. "
            f"Run: cfgve -t nw -m {manager} -o {each.network} -a -l {around.cluster.name}"
        )
    if network is not None and each.vlan and network.vlan != each.vlan:
        have = f"VLAN {network.vlan}" if network.vlan else "no VLAN"
        yield f"network {each.network} has {have}, but hypervisor.interface says {each.nic}.{each.vlan}"
    for name in each.members or (each.nic,):
        if name not in nics and name not in coming:
            real = sorted((known for known, nic in nics.items() if "." not in known and not nic.bonding), key=natural)
            yield f"does not have interface {name}. It has {', '.join(real) or 'none'}"


def _key(ref: Ref | None) -> str:
    """What identifies a network: its id, or its name where RHEV 3.0 gives no id."""
    return (ref.id or ref.name) if ref else ""


def _carrier(now: NetworkAttachment, nics: Mapping[str, HostNic]) -> str:
    """The name of the NIC or bond that a network is on; engines before 3.6 show a VLAN's own, eth0.100 for eth0."""
    ref = now.host_nic
    if ref is None:
        return ""
    name = ref.name or next((known for known, each in nics.items() if each.id == ref.id), "")
    below = (nics[name].base_interface if name in nics else "") or name.rpartition(".")[0]
    return below if below in nics else name


def _is_right(item: WantedNetwork, nics: Mapping[str, HostNic], mend: bool) -> bool:
    """Whether this network needs no change."""
    now = item.now
    if now is None or (mend and now.in_sync is False) or _carrier(now, nics) != item.nic.name:
        return False
    return now.gives(item.attachment)


def _way(each: Interface, now: NetworkAttachment | None) -> IpAssignment:
    """The address to set; a gateway that the row does not name stays if it can be reached from there."""
    gateway = "" if each.gateway == NO_GATEWAY else each.gateway
    if not each.gateway and now is not None and each.method == "static":
        gateway = each.reachable(now.way(each.version).gateway)
    return IpAssignment(
        boot_protocol=each.method,
        ip=each.address or None,
        netmask=each.netmask or None,
        gateway=gateway or None,
        ip_version="v6" if each.version == "v6" else None,
    )


def _still_out_of_sync(context: Context, node: str, host: Host, done: Sequence[WantedNetwork]) -> Iterator[Warn]:
    """Networks that were out of sync and still are: the host did not apply its settings."""
    odd = {_key(item.network.ref) for item in done if item.now is not None and item.now.in_sync is False}
    for now in context.manager.host_networks(host) if odd else ():
        if _key(now.network) in odd and now.in_sync is False and now.network:
            yield Warn(f"the network {now.network.name} is still out of sync: look at the host itself", node)


def _step(context: Context, node: str, host: Host, lacking: Sequence[WantedNetwork], bonds: Bonds) -> Step:
    made, gone = bonds.to_make(), bonds.to_remove()

    def step() -> Iterator[Message]:
        context.manager.set_host_networks(
            host, [item.attachment for item in lacking], bonds=made, unbound=gone, check=True
        )
        yield from _still_out_of_sync(context, node, host, lacking)
        yield Data("succeeded.", node)

    says = [f"take {', '.join(str(bond.name) for bond in gone)} apart"] if gone else []
    says += [f"make {', '.join(str(bond.name) for bond in made)}"] if made else []
    says += [f"set networks: {', '.join(map(str, lacking))}"] if lacking else []
    return Step("; ".join(says), step)
