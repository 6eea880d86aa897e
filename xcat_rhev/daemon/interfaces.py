"""This machine's interfaces and the networks that they are in, as the kernel lists them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from pathlib import Path
from typing import NamedTuple, Union

from ..addresses import my_addresses

#: A network of either version of IP.
IPNetwork = Union[IPv4Network, IPv6Network]

ROUTES, ROUTES6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
INTERFACES = Path("/sys/class/net")
_NO_MASK = "00000000"
#: Flags of a route: it is up, it leads over a gateway, it is a local address, the kernel made it.
_GATEWAY, _LOCAL = 0x2, 0x80000000
#: Networks of no site: this machine itself, addresses that cards give themselves, groups.
_NOBODY = [
    ipaddress.ip_network(text)
    for text in ("127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "fe80::/10", "ff00::/8", "::1")
]


class Link(NamedTuple):
    """A network that an interface is in.

    Attributes:
        interface: Its name.
        net: The network.
    """

    interface: str
    net: IPNetwork


def links() -> list[Link]:
    """The networks that are reached without a router, in the kernel's order, each once."""
    return list(
        dict.fromkeys(
            link for link in [*links4(), *_links6()] if link.net.num_addresses > 1 and not _is_nobodys(link.net)
        )
    )


def gateway() -> str:
    """The IPv4 router that leads everywhere; empty without one."""
    for _, destination, router, mask in _routes():
        if destination == mask == _NO_MASK and router != _NO_MASK:
            return str(_address(router))
    return ""


def mtu(interface: str) -> str:
    """The size of an interface's packets; empty if it is not known."""
    try:
        return (INTERFACES / interface / "mtu").read_text().strip()
    except OSError:
        return ""


def mine(net: IPNetwork) -> str:
    """This machine's lowest address in a network; empty if it has none there."""
    found = sorted(address for address in map(ipaddress.ip_address, my_addresses()) if address in net)
    return str(found[0]) if found else ""


def _is_nobodys(net: IPNetwork) -> bool:
    return any(net.version == other.version and net.network_address in other for other in _NOBODY)


def links4() -> Iterator[Link]:
    """The IPv4 networks that are reached without a router, whatever they are for."""
    for interface, destination, router, mask in _routes():
        if router == _NO_MASK and mask != _NO_MASK:
            yield Link(interface, IPv4Network(f"{_address(destination)}/{_address(mask)}", strict=False))


def _routes() -> Iterator[tuple[str, str, str, str]]:
    """Interface, destination, gateway and mask of each IPv4 route."""
    for line in _lines(ROUTES)[1:]:
        interface, destination, router, _, _, _, _, mask, *_ = line.split()
        yield interface, destination, router, mask


def _links6() -> Iterator[Link]:
    for line in _lines(ROUTES6):
        destination, prefix, *_, flags, interface = line.split()
        if not int(flags, 16) & (_GATEWAY | _LOCAL) and 0 < int(prefix, 16) < 128 and interface != "lo":
            yield Link(interface, IPv6Network((bytes.fromhex(destination), int(prefix, 16)), strict=False))


def _address(text: str) -> IPv4Address:
    """The kernel writes numbers in the machine's byte order."""
    return IPv4Address(bytes.fromhex(text)[::-1])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
