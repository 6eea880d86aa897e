"""Addresses of nodes, and the address of this host that faces a node."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from pathlib import Path

from ...xcat.addresses import my_addresses

#: Linux lists its IPv4 routes here, numbers in the machine's byte order.
ROUTES = Path("/proc/net/route")


def address_of(name: str, written: str) -> str:
    """A node's address: what hosts.ip says, else what its name resolves to; empty if neither gives one.

    Args:
        name: The node's name, or an address.
        written: Its hosts.ip.
    """
    for text in (written.strip(), name):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    return _resolved(name)


def facing(address: str) -> str:
    """This host's address in the network of a node; empty if they have no network in common.

    Args:
        address: The node's.
    """
    if not address:
        return ""
    if address in my_addresses():
        return address
    wanted = ipaddress.ip_address(address)
    far = wanted.version == 4 and not any(wanted in network for network in _neighbours())
    if far and not wanted.is_loopback:
        return ""
    family = socket.AF_INET6 if wanted.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # sends nothing: the kernel only chooses a route
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def _neighbours() -> Iterable[ipaddress.IPv4Network]:
    """The networks that are reached without a router."""
    try:
        lines = ROUTES.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        _, destination, gateway, _, _, _, _, mask, *_ = line.split()
        if gateway == "00000000" and mask != "00000000":
            numbers = (str(ipaddress.IPv4Address(bytes.fromhex(text)[::-1])) for text in (destination, mask))
            yield ipaddress.IPv4Network("/".join(numbers), strict=False)


def _resolved(name: str) -> str:
    try:
        return str(socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)[0][4][0])
    except OSError:
        return ""
