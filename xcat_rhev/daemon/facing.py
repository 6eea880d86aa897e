"""Addresses of nodes, and the address of this host that faces a node."""

from __future__ import annotations

import ipaddress
import socket

from ..addresses import my_addresses, resolve
from .interfaces import links4


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
    return next(iter(resolve(name)), "")


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
    far = wanted.version == 4 and not any(wanted in link.net for link in links4())
    if far and not wanted.is_loopback:
        return ""
    family = socket.AF_INET6 if wanted.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))  # sends nothing: the kernel only chooses a route
            return str(probe.getsockname()[0])
    except OSError:
        return ""
