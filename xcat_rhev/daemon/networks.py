"""The networks table: which network an address is in, and what its row says."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..addresses import parse_address
from ..xcat.host import Row
from .interfaces import IPNetwork
from .tables import Tables


class Subnet(NamedTuple):
    """A row of the table that is a network.

    Attributes:
        net: The network.
        row: Its columns.
    """

    net: IPNetwork
    row: Row


def subnets(rows: Iterable[Row]) -> list[Subnet]:
    """Read rows of the table, in their order; those that are no network have no addresses and are left out."""
    found = []
    for row in rows:
        try:
            address, slash, bits = row.get("net", "").partition("/")  # IPv6 networks bring their bits with them
            mask = bits if slash else row.get("mask", "").lstrip("/")
            net = ipaddress.ip_network(f"{address}/{mask}", strict=False)
        except ValueError:
            continue
        found.append(Subnet(net, row))
    return found


def network_of(found: Sequence[Subnet], address: str) -> Subnet | None:
    """The smallest network that an address is in."""
    here = parse_address(address)
    fits = [subnet for subnet in found if here is not None and here in subnet.net]
    return max(fits, key=lambda subnet: subnet.net.prefixlen, default=None)


class Domains:
    """The domain names of addresses: that of the first network that an address is in, or the site's.

    Args:
        tables: The tables.
    """

    def __init__(self, tables: Tables) -> None:
        self._usual = tables.site("domain")
        self._subnets = subnets(tables.rows("networks"))

    def of(self, address: str, usual: str = "") -> str:
        """The domain of an address.

        Args:
            address: The address, or anything else, which is in no network.
            usual: What counts instead of the site's domain.
        """
        here = parse_address(address)
        first = next((one.row.get("domain", "") for one in self._subnets if here is not None and here in one.net), "")
        return first or usual or self._usual
