"""chhypervisor -n: the logical networks of hosts, as hypervisor.interface says, compared, set, checked and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...engine.nouns import Bonding, Cluster, Host, HostNic, Network, NetworkAttachment, Ref
from ...jobs import Job, Step
from ...messages import Data, Error, Warning, error_of
from ..common import Context, Plan
from ..hypervisorrows import Interface, read_interfaces
from . import found

#: The states in which a manager can talk to a host about its networks.
TALKING = frozenset({"up", "maintenance", "non_operational"})


@dataclass(frozen=True)
class Wanted:
    """One line of what a host lacks.

    Attributes:
        interface: As the table has it.
        network: The logical network.
        nic: The host's NIC or bond, with an id if it is there.
        now: What is there now on that network, or None.
    """

    interface: Interface
    network: Network
    nic: HostNic
    now: NetworkAttachment | None


@dataclass(frozen=True)
class Around:
    """What stands around a host.

    Attributes:
        networks: The logical networks of its data center, by name.
        cluster: Its cluster; None where the networks of that need not be looked at.
        attached: The names of the cluster's networks.
    """

    networks: dict[str, Network]
    cluster: Cluster | None = None
    attached: frozenset[str] | None = None


def configure(context: Context) -> Plan:
    """Compare each host with its row, and set what differs in one transaction."""
    rows = context.attrs("hypervisor", "interface")
    hosts, wrong = found.look(context, context.nodes, details=True)
    networks = context.manager.list(Network)
    clusters = {cluster.id: cluster for cluster in context.manager.list(Cluster)}
    used: dict[str | None, frozenset[str]] = {}
    for node in context.nodes:
        host = hosts.get(node)
        interfaces, faults = read_interfaces(rows[node].get("interface", ""))
        if not rows[node].get("interface"):
            faults = [_unset(node)]
        yield from (Error(f"hypervisor.interface: {fault}", node) for fault in faults)
        if host is None:
            yield error_of(wrong.get(node) or found.missing(context, node), node)
        elif host.status not in TALKING:
            yield Error(f"the host is {host.status}, not up or in maintenance. Run: chhypervisor {node} -d", node)
        elif not faults:
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
        network.name or "": network for network in networks
        if home is None or network.data_center is None or network.data_center.id == home.id
    }


def plan_host(
    context: Context, node: str, host: Host, around: Around, interfaces: Sequence[Interface]
) -> Plan:
    """Find what one host lacks; everything wrong with its row is said at once.

    Args:
        context: The command.
        node: Whom messages are about.
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
        yield from (Error(problem, node) for problem in problems)
        return
    attached = {_id(item.network): item for item in context.manager.host_networks(host)}
    wanted = [
        Wanted(each, networks[each.network], nics.get(each.nic) or _bond(each), attached.get(networks[each.network].id))
        for each in interfaces
    ]
    for item in wanted:
        if item.now is not None and item.now.in_sync is False:
            yield Warning(f"the network {item.network.name} is out of sync on the host", node)
    lacking = [item for item in wanted if not _as_wanted(item, nics)]
    yield Job(node, [_step(context, node, host, lacking, nics)] if lacking else [])


def _problems(
    manager: str, each: Interface, around: Around, nics: dict[str, HostNic], coming: set[str]
) -> Iterator[str]:
    """Names that the manager does not know; bonds that the row itself makes are as good as there."""
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
            real = sorted(known for known, nic in nics.items() if "." not in known and not nic.bonding)
            yield f"does not have interface {name}. It has {', '.join(real) or 'none'}"


def _id(ref: Ref | None) -> str:
    return ref.id if ref else ""


def _bond(each: Interface) -> HostNic:
    """A bond to be made, or one that another part of the row makes."""
    if not each.members:
        return HostNic(name=each.nic)
    slaves = tuple(Ref(name=name) for name in each.members)
    return HostNic(name=each.nic, bonding=Bonding(options=dict(each.bond_options), slaves=slaves))


def _as_wanted(item: Wanted, nics: dict[str, HostNic]) -> bool:
    """Is nothing to be changed for this network?"""
    now, each = item.now, item.interface
    if now is None or now.in_sync is False or not _on(now, item.nic, nics) or _bond_differs(each, nics):
        return False
    if now.boot_protocol != each.protocol:
        return False
    pairs = ((now.ip, each.address), (now.netmask, each.netmask), (now.gateway, each.gateway))
    return each.protocol != "static" or all((have or "") == want for have, want in pairs)


def _on(now: NetworkAttachment, nic: HostNic, nics: dict[str, HostNic]) -> bool:
    """Is it on that NIC? Engines before 3.6 show a VLAN's own NIC, eth0.100 for eth0."""
    if now.host_nic is None:
        return False
    name = now.host_nic.name or next((known for known, each in nics.items() if each.id == now.host_nic.id), "")
    return now.host_nic.id == nic.id or name == nic.name or name.startswith(f"{nic.name}.")


def _bond_differs(each: Interface, nics: dict[str, HostNic]) -> bool:
    """Is the bond missing, or made of other members or with another mode?"""
    if not each.members:
        return False
    there = nics.get(each.nic)
    if there is None or there.bonding is None:
        return True
    names = {nic.id: name for name, nic in nics.items()}
    members = {names.get(slave, slave) for slave in there.slaves}
    options = there.bond_options
    return members != set(each.members) or any(options.get(key) != value for key, value in each.bond_options)


def _step(context: Context, node: str, host: Host, lacking: Sequence[Wanted], nics: dict[str, HostNic]) -> Step:
    bonds = {item.interface.nic: _bond_now(item, nics) for item in lacking if _bond_differs(item.interface, nics)}
    attachments = [_attachment(item) for item in lacking]

    def step() -> list[Data]:
        context.manager.set_host_networks(host, attachments, bonds=list(bonds.values()), check=True)
        return [Data("succeeded.", node)]

    says = ", ".join(f"{item.network.name} on {item.interface.nic} ({item.interface.protocol})" for item in lacking)
    made = f"make {', '.join(bonds)}; " if bonds else ""
    return Step(f"{made}set networks: {says}", step)


def _bond_now(item: Wanted, nics: dict[str, HostNic]) -> HostNic:
    """The bond as it is to be, with its id where it is there."""
    there = nics.get(item.interface.nic)
    bond = _bond(item.interface)
    return bond.replace(id=there.id) if there is not None else bond


def _attachment(item: Wanted) -> NetworkAttachment:
    each, now = item.interface, item.now
    nic = Ref(id=item.nic.id or "", name=item.nic.name or each.nic)
    return NetworkAttachment.on(
        item.network.ref, nic, each.protocol, each.address, each.netmask, each.gateway, (now.id or "") if now else ""
    )


