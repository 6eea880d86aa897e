"""What xCAT's networks table says about a node's address: its network, its gateway, its servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from ..errors import NotFound, Usage

_BETWEEN = re.compile(r"[,|;\s]+")
#: What xCAT writes for "the management node, or the service node, as this node sees it".
MASTER = "<xcatmaster>"


@dataclass(frozen=True)
class Address:
    """A fixed address.

    Attributes:
        ip: IPv4 or IPv6.
        netmask: Dotted for IPv4, the length of the prefix for IPv6.
        gateway: Of the same family, or empty.
    """

    ip: str
    netmask: str
    gateway: str = ""

    @property
    def is_6(self) -> bool:
        """It is an IPv6 address."""
        return ":" in self.ip


def addresses(text: str) -> list[str]:
    """The IP addresses in a column's value, such as `10.0.0.5|fd00::5`; other words are left out."""
    return [word for word in _BETWEEN.split(text) if _is_address(word)]


def of_family(version: int, texts: Iterable[str]) -> str:
    """The first of several addresses that is of a family; empty if none.

    Args:
        version: 4 or 6.
        texts: Addresses.
    """
    return next((text for text in texts if ip_address(text).version == version), "")


def network_of(ip: str, rows: Iterable[Mapping[str, str]]) -> Mapping[str, str]:
    """Find the row of the networks table that an address is in; of several, the narrowest. Empty if none.

    Args:
        ip: An address of either family.
        rows: Rows with `net` and `mask`.
    """
    if not _is_address(ip):
        return {}
    address, found, longest = ip_address(ip), None, -1
    for row in rows:
        network = _network(row)
        if network and network.prefixlen > longest and address in network:
            found, longest = row, network.prefixlen
    return found or {}


def facing(ip: str, rows: Iterable[Mapping[str, str]], mine: Iterable[str]) -> str:
    """This host's address in the network that a node's address is in; empty if it has none there.

    Args:
        ip: The node's address.
        rows: Rows of the networks table.
        mine: This host's addresses; of several in that network the first one counts.
    """
    network = _network(network_of(ip, rows))
    return next((own for own in mine if network and _is_address(own) and ip_address(own) in network), "")


def fixed_address(ip: str, row: Mapping[str, str], near: str) -> Address:
    """Give a node's fixed address.

    Args:
        ip: Its address.
        row: The network's row.
        near: What `<xcatmaster>` means as a gateway: an address, or empty for none.

    Raises:
        NotFound: There is no network that it is in.
        Usage: The network's gateway is not an address of that kind.
    """
    network = _network(row)
    if network is None:
        raise NotFound(f"no row of the networks table holds {ip}", "Run: makenetworks, or add the network by hand")
    gateway = row.get("gateway", "")
    mask = str(network.netmask) if network.version == 4 else str(network.prefixlen)
    if gateway == MASTER:
        return Address(ip, mask, near)
    if gateway and not (_is_address(gateway) and ip_address(gateway).version == network.version):
        raise Usage(
            f"networks.gateway: '{gateway}' is not an IPv{network.version} address", "Set it to one router's address"
        )
    return Address(ip, mask, gateway)


def servers(*values: str, master: str) -> tuple[str, ...]:
    """Take the first value that is set, a list of servers, with `<xcatmaster>` put in, or left out if it is unknown."""
    for value in values:
        if value:
            words = (master if word == MASTER else word for word in _BETWEEN.split(value))
            return tuple(dict.fromkeys(word for word in words if word))
    return ()


def in_url(host: str) -> str:
    """A host as URLs have it: an IPv6 address is in brackets."""
    return f"[{host}]" if ":" in host else host


def _network(row: Mapping[str, str]) -> IPv4Network | IPv6Network | None:
    """The network of a row: `net` with or without `/64` behind it, `mask` dotted, as a length, or as /64."""
    return _read(row.get("net", ""), row.get("mask", ""))


@lru_cache(maxsize=4096)
def _read(net: str, mask: str) -> IPv4Network | IPv6Network | None:
    """The same of texts; a command looks at each row for each of its nodes."""
    net, _, length = net.strip().partition("/")
    mask = length or mask.strip().lstrip("/")
    try:
        if ":" in mask:
            mask = str(bin(int(ip_address(mask))).count("1"))
        return ip_network(f"{net}/{mask}", strict=False)
    except ValueError:
        return None


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
