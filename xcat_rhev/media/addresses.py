"""What xCAT's networks and nics tables say about the card that a node installs over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network

from ..errors import NotFound
from .kernelargs import Address, Bond

_MAC = re.compile(r"[0-9a-fA-F]{2}([:-]?[0-9a-fA-F]{2}){5}")
_TAGGED = re.compile(r"(.+)\.(\d{1,4})")
_BETWEEN = re.compile(r"[,|\s]+")
#: What xCAT writes for "the management node as this node sees it".
MASTER = "<xcatmaster>"


def network_of(ip: str, networks: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """Find the row of the networks table that an address is in; of several, the narrowest. Empty if none.

    Args:
        ip: An IPv4 address.
        networks: Rows with `net` and `mask`.
    """
    found: list[tuple[int, Mapping[str, str]]] = []
    for row in networks:
        try:
            network = IPv4Network(f"{row.get('net', '')}/{row.get('mask', '').lstrip('/')}", strict=False)
            if IPv4Address(ip) in network:
                found.append((network.prefixlen, row))
        except ValueError:
            continue
    return max(found, key=lambda pair: pair[0])[1] if found else {}


def fixed_address(node: str, ip: str, network: Mapping[str, str], master: str) -> Address:
    """Give a node's fixed address.

    Args:
        node: Its name, for errors.
        ip: Its address, or empty.
        network: The network's row.
        master: What `<xcatmaster>` means as a gateway.

    Raises:
        NotFound: No address, or no network that it is in.
    """
    if not ip:
        raise NotFound("site.managedaddressmode is static, but hosts.ip is not set",
                       f"Run: chtab node={node} hosts.ip=ADDRESS")
    if not network:
        raise NotFound(f"no row of the networks table holds {ip}", "Run: makenetworks, or add the network by hand")
    prefix = IPv4Network(f"0.0.0.0/{network['mask'].lstrip('/')}").netmask
    gateway = network.get("gateway", "")
    return Address(ip, str(prefix), master if gateway == MASTER else gateway)


def servers(*values: str, master: str) -> tuple[str, ...]:
    """Take the first value that is set, a list of servers, with `<xcatmaster>` put in."""
    for value in values:
        if value:
            words = (word for word in _BETWEEN.split(value) if word)
            return tuple(dict.fromkeys(master if word == MASTER else word for word in words))
    return ()


def install_nic(node: str, noderes: Mapping[str, str], mac: str) -> tuple[str, int]:
    """Tell the card that a node installs over, as a MAC with colons or a name, and its VLAN tag (0: none).

    Args:
        node: The node.
        noderes: Its `installnic` and `primarynic`: `mac`, a MAC, or a name such as `eth0` or `eth0.100`.
        mac: Its `mac.mac`, in any of xCAT's forms.

    Raises:
        NotFound: There is neither a name nor a MAC.
    """
    named = noderes.get("installnic") or noderes.get("primarynic") or "mac"
    if named == "mac":
        named = _first_mac(node, mac)
        if not named:
            raise NotFound("mac.mac is not set", f"Run: chtab node={node} mac.mac=52:54:00:12:34:56")
    if _MAC.fullmatch(named):
        digits = re.sub("[^0-9a-f]", "", named.lower())
        return ":".join(digits[at:at + 2] for at in range(0, 12, 2)), 0
    tagged = _TAGGED.fullmatch(named)
    return (tagged[1], int(tagged[2])) if tagged else (named, 0)


def _first_mac(node: str, mac: str) -> str:
    """Of `mac!name|mac!name`, the one with the node's own name, else the first that is no `*NOIP*`."""
    entries = [entry.partition("!") for entry in mac.split("|")]
    own = [address for address, _, name in entries if name == node]
    usable = own or [address for address, _, name in entries if name != "*NOIP*"] or [entries[0][0]]
    return usable[0].strip()


def bond_of(nic: str, nics: Mapping[str, str]) -> Bond | None:
    """Tell what a card is made of, when the nics table says it is a bond.

    Args:
        nic: Its name, such as `bond0`.
        nics: The node's `nictypes` (`bond0!bond`), `nicdevices` (`bond0!eth0|eth1`) and `nicextraparams`
            (`bond0!mode=1 miimon=100`).

    Raises:
        NotFound: It is a bond without cards.
    """
    if _of_nic(nics.get("nictypes", ""), nic).lower() != "bond":
        return None
    slaves = tuple(filter(None, _BETWEEN.split(_of_nic(nics.get("nicdevices", ""), nic))))
    if not slaves:
        raise NotFound(f"nics.nicdevices does not say which cards {nic} is made of",
                       f"Write nics.nicdevices={nic}!eth0|eth1")
    words = re.findall(r"[a-z_]+=[A-Za-z0-9_.+-]+", _of_nic(nics.get("nicextraparams", ""), nic))
    return Bond(nic, slaves, tuple(words))


def address_of_nic(nic: str, vlan: int, nics: Mapping[str, str]) -> str:
    """The address that the nics table gives a card; empty if none.

    Args:
        nic: Its name, such as `eth0`, or a MAC, which that table does not know.
        vlan: The tag it is used with, 0 for none; `eth0.100` has an address of its own.
        nics: The node's `nicips`, such as `eth0!10.0.0.5|10.1.0.5,eth0.100!10.2.0.5`.
    """
    return _of_nic(nics.get("nicips", ""), f"{nic}.{vlan}" if vlan else nic).partition("|")[0]


def _of_nic(column: str, nic: str) -> str:
    for entry in column.split(","):
        name, found, value = entry.strip().partition("!")
        if found and name == nic:
            return value
    return ""
