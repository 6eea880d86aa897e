"""The address of the machine that asks, also behind proxies that the site has named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_network

from .. import addresses

#: How many proxies may be in a row; what a client wrote further left cannot be trusted anyway.
PROXIES_IN_A_ROW = 16


def plain(text: str) -> str:
    """Write an address in its one normal form, an IPv4-mapped IPv6 address as IPv4.

    Args:
        text: `10.0.0.5`, `::ffff:10.0.0.5`, `fe80::1%eth0`, `[fd00::5]:4711`, `10.0.0.5:4711`.

    Returns:
        The address without port and zone, or empty if the text is not an address.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return addresses.plain(text)


def within(address: str, networks: Iterable[str]) -> bool:
    """Tell whether an address lies in one of several networks.

    Args:
        address: As `plain` gives it.
        networks: Addresses or `address/bits`; words that are neither match nothing.
    """
    parsed = addresses.parse_address(address)
    return parsed is not None and any(_holds(network, parsed) for network in networks)


def caller(environ: Mapping[str, object], proxies: Iterable[str]) -> str:
    """Find the address a request comes from.

    `X-Forwarded-For` is read from its right end, and only as far as the hop to the right of an entry is a proxy that
    the site trusts, since everybody can write the rest.

    Args:
        environ: The request's environment.
        proxies: Trusted proxies, addresses or networks.

    Returns:
        The address as `plain` writes it, or empty if it cannot be found.
    """
    trusted = tuple(proxies)
    address = plain(str(environ.get("REMOTE_ADDR", "")))
    hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).rsplit(",", PROXIES_IN_A_ROW) if trusted else []
    while hops and within(address, trusted):
        word = hops.pop()
        if word.strip():
            address = plain(word)
    return address


def _holds(network: str, address: IPv4Address | IPv6Address) -> bool:
    try:
        return address in ip_network(network, strict=False)
    except ValueError:
        return False
