"""Logical networks on a host's NICs, where the dialects differ in shape: attachments since 3.6, NICs before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import NotFound, Usage
from ..nouns import Host, HostNic, Network, NetworkAttachment, Ref

if TYPE_CHECKING:
    from ..api import Api

#: Seconds after which the engine takes a network change back when it has lost the host.
CONNECTIVITY = 60


def host_networks(api: Api, host: Host) -> list[NetworkAttachment]:
    """Which logical network is on which NIC of a host, and how it gets its address; NICs it has are not asked for."""
    return _networks_on(api, host, api.list(HostNic, under=host) if host.nics is None else host.nics)


def _networks_on(api: Api, host: Host, nics: Sequence[HostNic]) -> list[NetworkAttachment]:
    if not api.calls.dialect.has("attachments"):
        by_name = {nic.name or "": nic for nic in nics}
        return [_attachment_of(nic, by_name) for nic in nics if nic.network]
    found = []
    for each in api.list(NetworkAttachment, under=host):
        nic = next((nic for nic in nics if each.host_nic and nic.id == each.host_nic.id), None)
        network = each.network or Ref()
        found.append(
            each.replace(
                network=Ref(network.id, api.name_of(Network, network), network.href),
                host_nic=nic.ref if nic else each.host_nic,
            )
        )
    return found


def _attachment_of(nic: HostNic, by_name: Mapping[str, HostNic]) -> NetworkAttachment:
    """Before 3.6 the NIC itself says what is on it; a VLAN has one of its own, eth1.100 on eth1."""
    below = by_name.get((nic.name or "").rpartition(".")[0], nic)
    return NetworkAttachment.on(
        nic.network,
        below.ref,
        nic.boot_protocol or "",
        nic.ip or "",
        nic.netmask or "",
        nic.gateway or "",
    )


@dataclass(frozen=True)
class WantedNetworks:
    """How a host's networks should be.

    Attributes:
        attachments: What should be; other networks of the host stay as they are.
        bonds: NICs that should act as one.
        removed: What should no longer be.
        unbound: Bonds whose NICs should be on their own again; nothing that stays may be on them.
        check: Let the engine take the change back when it loses the host by it.
    """

    attachments: Sequence[NetworkAttachment]
    bonds: Sequence[HostNic] = ()
    removed: Sequence[NetworkAttachment] = ()
    unbound: Sequence[HostNic] = ()
    check: bool = True


def set_host_networks(api: Api, host: Host, wanted: WantedNetworks) -> bool:
    """Put networks on NICs and save that on the host; False if all was so already."""
    nics = api.list(HostNic, under=host)
    there = {each.network.name: each for each in _networks_on(api, host, nics) if each.network}
    todo = WantedNetworks(
        [_to_send(there.get(_name(each)), each) for each in wanted.attachments if _differs(there, each)],
        [each for each in wanted.bonds if _bond_differs(nics, each)],
        [there[_name(each)] for each in wanted.removed if _name(each) in there],
        [nic for nic in nics if nic.bonding and nic.name in {each.name for each in wanted.unbound}],
        wanted.check,
    )
    if not (todo.attachments or todo.bonds or todo.removed or todo.unbound):
        return False
    if api.calls.dialect.has("attachments"):
        _set_up(api, host, todo, there)
    else:
        _step_by_step(api, host, there, todo)
    return True


def _name(attachment: NetworkAttachment) -> str:
    return attachment.network.name if attachment.network else ""


def _bond_differs(nics: Sequence[HostNic], wanted: HostNic) -> bool:
    """Whether there is no such bond, or one with other NICs or options."""
    there = next((nic for nic in nics if nic.name == wanted.name and nic.bonding), None)
    if there is None:
        return True
    names = {nic.id: nic.name for nic in nics}
    slaves = {names.get(slave, slave) for slave in there.slaves}
    options = there.bond_options
    return slaves != {names.get(slave, slave) for slave in wanted.slaves} or any(
        options.get(key) != value for key, value in wanted.bond_options.items()
    )


def _differs(there: Mapping[str, NetworkAttachment], wanted: NetworkAttachment) -> bool:
    """Whether another NIC or address is wanted, or the host is out of sync with the network."""
    now = there.get(_name(wanted))
    if now is None or not _same(now.host_nic, wanted.host_nic):
        return True
    return now.in_sync is False or not now.gives(wanted)


def _same(one: Ref | None, other: Ref | None) -> bool:
    if not one or not other:
        return not other
    return one.id == other.id if one.id and other.id else one.name == other.name


def _to_send(now: NetworkAttachment | None, wanted: NetworkAttachment) -> NetworkAttachment:
    """What has to be sent: the id of an attachment that exists, and its addresses of the other IP version.

    Engines take addresses that they are told for all that there should be (NetworkAttachmentMapper, 3.6 to 4.5).
    """
    if now is None:
        return wanted.replace(id=None)
    named = {way.version for way in wanted.assignments}
    kept = [way for way in now.assignments if way.version not in named] if named else []
    return wanted.replace(id=now.id, assignments=(*wanted.assignments, *kept))


def _set_up(api: Api, host: Host, todo: WantedNetworks, there: Mapping[str, NetworkAttachment]) -> None:
    """One transaction, since 3.6; what it does not save by itself before 4.3 is saved after it."""
    saves = api.calls.dialect.has("commit_on_success")
    # Without this an engine refuses to touch what is out of sync (HostSetupNetworksCommand).
    overridden = [each for each in todo.attachments if each.id and there[_name(each)].in_sync is False]
    api.act(
        host,
        "setupnetworks",
        modified_network_attachments=list(todo.attachments) or None,
        removed_network_attachments=[NetworkAttachment(id=each.id) for each in todo.removed] or None,
        synchronized_network_attachments=[NetworkAttachment(id=each.id) for each in overridden] or None,
        modified_bonds=list(todo.bonds) or None,
        removed_bonds=[HostNic(id=each.id, name=each.name) for each in todo.unbound] or None,
        check_connectivity=todo.check,
        connectivity_timeout=CONNECTIVITY if todo.check else None,
        commit_on_success=True if saves else None,
    )
    if not saves:
        api.act(host, "commitnetconfig")


def _step_by_step(api: Api, host: Host, there: dict[str, NetworkAttachment], todo: WantedNetworks) -> None:
    """Before 3.6: one call for each NIC, and one to save it all.

    Raises:
        Usage: An IPv6 address is wanted, which these engines do not know.
    """
    if any(way.version == "v6" for each in todo.attachments for way in each.assignments):
        version = ".".join(map(str, api.version))
        raise Usage(f"a manager of version {version} gives hosts no IPv6 addresses", "Leave them out")
    for each in todo.removed:
        _old_step(api, host, _carrier(api, host, each), each, "detach")
    left = [*todo.attachments, *_old_unbind(api, host, there, todo)]
    for bond in todo.bonds:
        # The old way makes a bond with its first network on it.
        first = next((each for each in left if each.host_nic and each.host_nic.name == bond.name), None)
        if first is not None and _name(first) in there:
            now = there[_name(first)]
            _old_step(api, host, _carrier(api, host, now), now, "detach")
        network = _full_ref(api, first.network) if first and first.network else None
        api.create(bond.replace(id=None, network=network), under=host)
        if first is not None:
            there[_name(first)] = NetworkAttachment.on(first.network, Ref(name=bond.name))
    for each in left:
        _old_attach(api, host, there.get(_name(each)), each, todo.check)
    api.act(host, "commitnetconfig")


def _old_unbind(
    api: Api, host: Host, there: dict[str, NetworkAttachment], todo: WantedNetworks
) -> list[NetworkAttachment]:
    """Remove bonds that go, or that are made again with other members; what was on them is told, to be put back."""
    names = {bond.name for bond in (*todo.unbound, *todo.bonds)}
    gone = [nic for nic in api.list(HostNic, under=host) if nic.bonding and nic.name in names]
    named = {_name(each) for each in todo.attachments}
    back = []
    for name, now in list(there.items()):
        bond = next((bond for bond in gone if _same(bond.ref, now.host_nic)), None)
        if bond is not None:
            _old_step(api, host, _carrier(api, host, now), now, "detach")
            del there[name]
            if name not in named:
                back.append(now.replace(host_nic=Ref(name=bond.name)))
    for bond in gone:
        api.remove(bond, under=host)
    return back


def _old_attach(api: Api, host: Host, there: NetworkAttachment | None, wanted: NetworkAttachment, check: bool) -> None:
    """Before 3.6: attach the network to the NIC, then set the NIC's address."""
    if there is not None and not _same(there.host_nic, wanted.host_nic):
        _old_step(api, host, _carrier(api, host, there), there, "detach")
        there = None
    if there is None:
        _old_step(api, host, _nic(api, host, wanted), wanted, "attach")
    if wanted.boot_protocol:
        nic = _carrier(api, host, wanted)
        values = {
            "boot_protocol": wanted.boot_protocol,
            "ip": wanted.ip,
            "netmask": wanted.netmask,
            # An empty one takes away what was there.
            "gateway": (wanted.gateway or "") if wanted.boot_protocol == "static" else None,
            "check_connectivity": check or None,
        }
        told = {key: each for key, each in values.items() if each is not None}
        api.calls.change(nic, api.calls.path(nic, host), told)


def _old_step(api: Api, host: Host, nic: HostNic, attachment: NetworkAttachment, verb: str) -> None:
    network = _full_ref(api, attachment.network or Ref())
    api.calls.act(f"{api.calls.path(nic, host)}/{verb}", network=network)


def _full_ref(api: Api, network: Ref) -> Ref:
    """A network's id and name both: engines before 3.6 want the one or the other."""
    every = api.catalog.all(Network).values()
    found = next((each for each in every if each.id == network.id or each.name == network.name), None)
    return Ref(found.id, found.name) if found else network


def _carrier(api: Api, host: Host, attachment: NetworkAttachment) -> HostNic:
    """The NIC that has a network: the attachment's, or the one of the VLAN on it."""
    for nic in api.list(HostNic, under=host):
        if nic.network and attachment.network and _same(nic.network, attachment.network):
            return nic
    return _nic(api, host, attachment)


def _nic(api: Api, host: Host, attachment: NetworkAttachment) -> HostNic:
    """The NIC that an attachment names.

    Raises:
        NotFound: The host has none of that name.
    """
    wanted = attachment.host_nic
    for nic in api.list(HostNic, under=host):
        if _same(nic.ref, wanted):
            return nic
    raise NotFound(f"host {host.name} has no NIC {wanted.name or wanted.id if wanted else ''}")
