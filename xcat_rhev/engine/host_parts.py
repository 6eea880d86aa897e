"""A host's fencing and networks, where the dialects differ in shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import NotFound, Usage
from .nouns import FenceAgent, Host, HostNic, Network, NetworkAttachment, Ref

if TYPE_CHECKING:
    from .manager import Manager

#: Seconds after which the engine takes a network change back when it has lost the host.
CONNECTIVITY = 60


def set_fencing(manager: Manager, host: Host, agent: FenceAgent) -> bool:
    """Set how a host is switched off from outside; False if it was so already (passwords cannot be compared)."""
    if not manager.calls.dialect.has("fence_agents"):
        return _set_power_management(manager, host, agent)
    calls = manager.calls
    path = calls.collection(FenceAgent, host)
    wanted = {"order": 1, **{key: value for key, value in agent.values().items() if key not in ("id", "href")}}
    there = [each for each in calls.list(FenceAgent, path) if each.order == wanted["order"]]
    changed = True
    if not there:
        made = FenceAgent(**wanted)
        calls.create(made, path, lambda: next(iter(calls.list(FenceAgent, path)), None))
    elif _readable(there[0], wanted):
        calls.change(there[0], calls.path(there[0], host), wanted)
    else:
        changed = False
    # The agent first: an engine refuses to enable what has no agent, and since 3.6 takes none inside the host.
    return manager.change(host, pm_enabled=True) is not None or changed


def _set_power_management(manager: Manager, host: Host, agent: FenceAgent) -> bool:
    options = {**(agent.options or {}), **({"port": str(agent.port)} if agent.port else {})}
    wanted: dict[str, Any] = {
        "pm_enabled": True, "pm_type": agent.type, "pm_address": agent.address, "pm_user": agent.username,
    }
    if options:
        wanted["pm_options"] = options
    if not host.differing(wanted):
        return False
    if agent.password:
        wanted["pm_password"] = agent.password
    manager.calls.change(host, manager.calls.path(host), wanted)
    manager.catalog.forget(Host)
    return True


def _readable(agent: FenceAgent, wanted: dict[str, Any]) -> dict[str, Any]:
    return agent.differing({key: value for key, value in wanted.items() if key != "password"})


def fence(manager: Manager, host: Host, kind: str) -> str:
    """Have a host fenced: manual, restart, start, stop, or status, which answers on or off."""
    answer = manager.act(host, "fence", fence_type=kind)
    return answer.power or answer.status or ""


def reinstall(manager: Manager, host: Host, activate: bool, login: dict[str, Any]) -> None:
    """Install a host again."""
    tell = activate and manager.calls.dialect.has("install_rests")
    manager.act(host, "install", **login, activate=True if tell else None)


#: How the engines word the type of a RHEV-H.
_IMAGE_TYPES = ("rhev-h", "rhev_h")


def upgrade_of(manager: Manager, host: Host, image: str) -> tuple[str, dict[str, Any]]:
    """How a host is upgraded: the action, and its parameters."""
    dialect = manager.calls.dialect
    runs_image = host.type in _IMAGE_TYPES and not dialect.has("no_images")
    if image and not runs_image:
        raise Usage("--image means nothing for it: only a RHEV-H is upgraded from an ISO file")
    if runs_image and not image:
        raise Usage("a RHEV-H is upgraded from an ISO file on its manager", "Give --image with the name of the file")
    if dialect.has("host_upgrade"):
        return "upgrade", {"image": image or None}
    if image:  # before 3.6 that was a way to install
        return "install", {"image": image}
    version = ".".join(map(str, manager.version))
    raise Usage(
        f"a manager of version {version} upgrades no hosts",
        f"Update the packages on the host, then run: chhypervisor {host.name} --reinstall",
    )


def host_networks(manager: Manager, host: Host) -> list[NetworkAttachment]:
    """Which logical network is on which NIC of a host, and how it gets its address; NICs it has are not asked for."""
    return _networks_on(manager, host, manager.list(HostNic, under=host) if host.nics is None else host.nics)


def _networks_on(manager: Manager, host: Host, nics: Sequence[HostNic]) -> list[NetworkAttachment]:
    if not manager.calls.dialect.has("attachments"):
        by_name = {nic.name or "": nic for nic in nics}
        return [_attachment_of(nic, by_name) for nic in nics if nic.network]
    found = []
    for each in manager.list(NetworkAttachment, under=host):
        nic = next((nic for nic in nics if each.host_nic and nic.id == each.host_nic.id), None)
        network = each.network or Ref()
        found.append(each.replace(
            network=Ref(network.id, manager.name_of(Network, network), network.href),
            host_nic=nic.ref if nic else each.host_nic,
        ))
    return found


def _attachment_of(nic: HostNic, by_name: Mapping[str, HostNic]) -> NetworkAttachment:
    """Before 3.6 the NIC itself says what is on it; a VLAN has one of its own, eth1.100 on eth1."""
    below = by_name.get((nic.name or "").rpartition(".")[0], nic)
    return NetworkAttachment.on(
        nic.network, below.ref, nic.boot_protocol or "", nic.ip or "", nic.netmask or "", nic.gateway or "",
    )


@dataclass(frozen=True)
class Wanted:
    """How a host's networks shall be.

    Attributes:
        attachments: What shall be; other networks of the host stay as they are.
        bonds: NICs that shall act as one.
        removed: What shall no longer be.
        check: Let the engine take the change back when it loses the host by it.
    """

    attachments: Sequence[NetworkAttachment]
    bonds: Sequence[HostNic] = ()
    removed: Sequence[NetworkAttachment] = ()
    check: bool = True


def set_host_networks(manager: Manager, host: Host, wanted: Wanted) -> bool:
    """Put networks on NICs and save that on the host; False if all was so already."""
    nics = manager.list(HostNic, under=host)
    there = {each.network.name: each for each in _networks_on(manager, host, nics) if each.network}
    todo = Wanted(
        [_with_id(there, each) for each in wanted.attachments if _differs(there.get(_name(each)), each)],
        [each for each in wanted.bonds if _bond_differs(nics, each)],
        [there[_name(each)] for each in wanted.removed if _name(each) in there],
        wanted.check,
    )
    if not (todo.attachments or todo.bonds or todo.removed):
        return False
    if manager.calls.dialect.has("attachments"):
        _set_up(manager, host, todo)
    else:
        _step_by_step(manager, host, there, todo)
    return True


def _name(attachment: NetworkAttachment) -> str:
    return attachment.network.name if attachment.network else ""


def _bond_differs(nics: Sequence[HostNic], wanted: HostNic) -> bool:
    """Is there no such bond, or one of other NICs or options?"""
    there = next((nic for nic in nics if nic.name == wanted.name and nic.bonding), None)
    if there is None:
        return True
    names = {nic.id: nic.name for nic in nics}
    slaves = {names.get(slave, slave) for slave in there.slaves}
    options = there.bond_options
    return slaves != {names.get(slave, slave) for slave in wanted.slaves} or any(
        options.get(key) != value for key, value in wanted.bond_options.items()
    )


def _differs(there: NetworkAttachment | None, wanted: NetworkAttachment) -> bool:
    """Is another NIC or another address wanted? No boot protocol leaves the address alone."""
    if there is None or not _same(there.host_nic, wanted.host_nic):
        return True
    if there.in_sync is False:
        return True
    if not wanted.boot_protocol:
        return False
    now = [there.boot_protocol, there.ip, there.netmask, there.gateway]
    then = [wanted.boot_protocol, wanted.ip, wanted.netmask, wanted.gateway]
    return now != then if wanted.boot_protocol == "static" else now[0] != then[0]


def _same(one: Ref | None, other: Ref | None) -> bool:
    if not one or not other:
        return not other
    return one.id == other.id if one.id and other.id else one.name == other.name


def _with_id(there: dict[str, NetworkAttachment], wanted: NetworkAttachment) -> NetworkAttachment:
    """An attachment that exists must be sent with its id, a new one must have none."""
    known = there.get(_name(wanted))
    return wanted.replace(id=known.id if known else None)


def _set_up(manager: Manager, host: Host, todo: Wanted) -> None:
    """One transaction, since 3.6; what it does not save by itself before 4.3 is saved after it."""
    saves = manager.calls.dialect.has("commit_on_success")
    manager.act(
        host, "setupnetworks",
        modified_network_attachments=list(todo.attachments) or None,
        removed_network_attachments=[NetworkAttachment(id=each.id) for each in todo.removed] or None,
        modified_bonds=list(todo.bonds) or None,
        check_connectivity=todo.check,
        connectivity_timeout=CONNECTIVITY if todo.check else None,
        commit_on_success=True if saves else None,
    )
    if not saves:
        manager.act(host, "commitnetconfig")


def _step_by_step(manager: Manager, host: Host, there: dict[str, NetworkAttachment], todo: Wanted) -> None:
    """Before 3.6: one call for each NIC, and one to save it all."""
    for each in todo.removed:
        _old_step(manager, host, _carrier(manager, host, each), each, "detach")
    left = list(todo.attachments)
    for bond in todo.bonds:
        # The old way makes a bond with its first network on it.
        first = next((each for each in left if each.host_nic and each.host_nic.name == bond.name), None)
        network = first.network if first else None
        manager.create(bond.replace(network=_known(manager, network) if network else None), under=host)
        if first is not None:
            there[_name(first)] = NetworkAttachment.on(network, Ref(name=bond.name))
    for each in left:
        _old_attach(manager, host, there.get(_name(each)), each, todo.check)
    manager.act(host, "commitnetconfig")


def _old_attach(
    manager: Manager, host: Host, there: NetworkAttachment | None, wanted: NetworkAttachment, check: bool
) -> None:
    """Before 3.6: attach the network to the NIC, then set the NIC's address."""
    if there is not None and not _same(there.host_nic, wanted.host_nic):
        _old_step(manager, host, _carrier(manager, host, there), there, "detach")
        there = None
    if there is None:
        _old_step(manager, host, _nic(manager, host, wanted), wanted, "attach")
    if wanted.boot_protocol:
        nic = _carrier(manager, host, wanted)
        values = {"boot_protocol": wanted.boot_protocol, "ip": wanted.ip, "netmask": wanted.netmask,
                  "gateway": wanted.gateway, "check_connectivity": check or None}
        manager.calls.change(nic, manager.calls.path(nic, host), {key: each for key, each in values.items() if each})


def _old_step(manager: Manager, host: Host, nic: HostNic, attachment: NetworkAttachment, verb: str) -> None:
    network = _known(manager, attachment.network or Ref())
    manager.calls.act(f"{manager.calls.path(nic, host)}/{verb}", network=network)


def _known(manager: Manager, network: Ref) -> Ref:
    """A network's id and name both: engines before 3.6 want the one or the other."""
    every = manager.catalog.all(Network).values()
    found = next((each for each in every if each.id == network.id or each.name == network.name), None)
    return Ref(found.id, found.name) if found else network


def _carrier(manager: Manager, host: Host, attachment: NetworkAttachment) -> HostNic:
    """The NIC that has a network: the attachment's, or the one of the VLAN on it."""
    for nic in manager.list(HostNic, under=host):
        if nic.network and attachment.network and _same(nic.network, attachment.network):
            return nic
    return _nic(manager, host, attachment)


def _nic(manager: Manager, host: Host, attachment: NetworkAttachment) -> HostNic:
    """The NIC that an attachment names.

    Raises:
        NotFound: The host has none of that name.
    """
    wanted = attachment.host_nic
    for nic in manager.list(HostNic, under=host):
        if _same(nic.ref, wanted):
            return nic
    raise NotFound(f"host {host.name} has no NIC {wanted.name or wanted.id if wanted else ''}")
