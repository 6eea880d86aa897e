"""Addresses in their one normal form, those of this machine, and what the name service says of names and addresses."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Union

#: Where Linux lists them. The routing trie marks each local IPv4 address with a line `/32 host LOCAL` below it.
IPV4 = Path("/proc/net/fib_trie")
IPV6 = Path("/proc/net/if_inet6")


def parse_address(text: str) -> Union[IPv4Address, IPv6Address, None]:
    """Read an address without its zone; one that is IPv4 in IPv6 form is IPv4; None: not an address."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def plain(text: str) -> str:
    """Write an address in its one normal form; empty if the text is not an address."""
    address = parse_address(text)
    return "" if address is None else str(address)


def my_addresses() -> frozenset[str]:
    """List the IP addresses of all interfaces, loopback included, as text; IPv6 in its short form."""
    return frozenset([*_ipv4(), *_ipv6()])


def resolve(name: str) -> tuple[str, ...]:
    """Ask the name service for the addresses of a name, as `plain` writes them; none if it does not know the name."""
    try:
        entries = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError):
        return ()
    return tuple(dict.fromkeys(plain(str(entry[4][0])) for entry in entries))


def names_of(address: str) -> tuple[str, ...]:
    """Ask the name service for the names of an address, the main one first; its owner may have any written there."""
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except (OSError, UnicodeError, ValueError):
        return ()
    return (name, *aliases)


def confirmed_names(address: str) -> tuple[str, ...]:
    """Those names of an address that lead back to it."""
    return tuple(name for name in names_of(address) if plain(address) in resolve(name))


def _ipv4() -> Iterator[str]:
    address = ""
    for line in _lines(IPV4):
        word, _, rest = line.strip(" |+-").partition(" ")
        if word == "/32" and rest.startswith("host LOCAL"):
            yield address
        address = word


def _ipv6() -> Iterator[str]:
    for line in _lines(IPV6):
        yield str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0])))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []  # a kernel without that protocol
