"""Where a node that is to be installed is in the network, and the address of its management node as it sees it."""

from __future__ import annotations

from dataclasses import dataclass

from ...addresses import resolve
from ...errors import NotFound
from ...media.cards import Card, Nics, install_card
from ...media.networks import MASTER, addresses, facing, in_url, network_of
from ...media.settings import BootSettings
from ...xcat.host import Row
from .site import InstallSite

#: The boot loader's plugin puts in the address by which the node reaches this host.
FACING = "!myipfn!"


@dataclass(frozen=True)
class InstallLocation:
    """Where a node is in the network.

    Attributes:
        card: What it installs over.
        known: Its addresses by the tables or the name service, first of all that of its card.
        network: The networks row that it is in; empty if none.
        master: Its management or service node as it sees it: an address or name, or `!myipfn!` for a live image.
        files: The host that it gets its files from over HTTP: a name or address.
    """

    card: Card
    known: tuple[str, ...]
    network: Row
    master: str
    files: str


def location_of(node: str, live: bool, site: InstallSite) -> InstallLocation:
    """Find the place of a node.

    As in xCAT the management node is noderes.xcatmaster, else the address of this host in the node's network,
    which the boot loader's plugin puts into kernel arguments by itself, else site.master. What a node fetches over
    HTTP besides comes from noderes.nfsserver, if that is set.

    Raises:
        NotFound: None of these is known.
        RhevError: As `install_card`.
    """
    tables = site.tables
    noderes, nics = tables.noderes[node], Nics(tables.nics[node], site.networks)
    card = install_card(node, noderes, tables.mac[node].get("mac", ""), nics)
    known = nics.addresses(card) or addresses(tables.hosts[node].get("ip", ""))
    known = known or sorted(resolve(node), key=lambda address: (":" in address, address))
    row = next(filter(None, (network_of(ip, site.networks) for ip in known)), {})
    near = next(filter(None, (facing(ip, site.networks, site.mine()) for ip in known)), "")
    master = _set(noderes, "xcatmaster") or (FACING if live else near or site.master)
    if not master:
        raise NotFound(
            "neither noderes.xcatmaster nor site.master is set, and this host has no address in its network",
            "Run: chtab key=master site.value=ADDRESS",
        )
    return InstallLocation(card, tuple(known), dict(row), master, _set(noderes, "nfsserver") or master)


def host_in_url(name: str, site: InstallSite) -> str:
    """A host with its port as URLs have them; by its address where nodes have fixed ones, as xCAT writes it then."""
    host = site.address_of(name) if site.static and name != FACING else name
    return in_url(host) + site.port


def gateway_is_missing(location: InstallLocation, settings: BootSettings) -> bool:
    """Whether the networks table names the management node as gateway, and it has no address in that network."""
    return location.network.get("gateway") == MASTER and any(not address.gateway for address in settings.addresses)


def _set(row: Row, column: str) -> str:
    """A column's value; `<xcatmaster>` in it means the same as none."""
    value = row.get(column, "")
    return "" if value == MASTER else value
