"""The lines of nodes in a hosts file: their own addresses, and those of tables hosts and nics."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...messages import Warning
from ...xcat import rows
from ...xcat.host import Row
from .declare import Call
from .facing import address_of

#: The file of the machine itself, edited only when asked for.
SYSTEM = Path("/etc/hosts")
_NICS = ("nicips", "nichostnamesuffixes", "nichostnameprefixes", "nicaliases")


class Entry(NamedTuple):
    """One line.

    Attributes:
        address: Its address.
        name: The short name.
        line: `10.9.0.11 vm1 vm1.cluster.local `, with xCAT's blank where there are no aliases.
    """

    address: str
    name: str
    line: str


class Lines:
    """Makes the lines, and tells which nodes have none.

    Args:
        call: `makehosts` with its options.
    """

    def __init__(self, call: Call) -> None:
        self.warnings: list[Warning] = []
        self._call = call
        self._domain = call.tables.site("domain")
        self._long_first = "l" in call.options or call.tables.site("FQDNfirst").lower() in ("1", "yes", "enable")
        self._networks = list(_networks(call.tables.rows("networks")))

    def all(self, nodes: Sequence[str]) -> list[Entry]:
        """The lines of nodes."""
        tables = self._call.tables
        hosts = tables.node_attrs("hosts", nodes, ("ip", "hostnames", "otherinterfaces"))
        nics = tables.node_attrs("nics", nodes, _NICS)
        macs = tables.node_attrs("mac", nodes, ("mac",)) if "m" in self._call.options else {}
        found: list[Entry] = []
        for node in nodes:
            found += self._link_local(node, macs[node].get("mac", "")) if macs else self._own(node, hosts[node])
            found += self._of_nics(node, nics[node])
        return found

    def _own(self, node: str, row: Row) -> Iterator[Entry]:
        """What table hosts says."""
        written = row.get("ip", "")
        named = bool(self._call.request.nodes)
        address = written or (address_of(node, "") if named else "")
        domain = self._domain_of(address, self._domain)
        if address and not _is_address(address):
            self.warnings.append(Warning(f"Ignoring node '{node}', its ip address '{address}' is not valid."))
        elif address:
            yield self._entry(address, node, re.split("[, ]+", row.get("hostnames", "").strip()))
        elif named:
            self.warnings.append(Warning(f"Ignoring node '{node}', it can not be resolved."))
        for other in filter(None, row.get("otherinterfaces", "").split(",")):
            name, _, place = _cut(other)
            if _is_address(place):
                yield self._entry(place, node + name if name.startswith("-") else name, (), domain)

    def _link_local(self, node: str, mac: str) -> Iterator[Entry]:
        """The IPv6 address that a network card gives itself, RFC 4291, appendix A."""
        digits = re.sub("[^0-9a-fA-F]", "", re.split("[|!]", mac)[0]).lower()
        if len(digits) == 12:
            words = (f"{int(digits[:2], 16) ^ 2:x}{digits[2:4]}", f"{digits[4:6]}ff", f"fe{digits[6:8]}", digits[8:])
            yield self._entry(f"fe80::{':'.join(words)}", node, ())

    def _of_nics(self, node: str, row: Row) -> Iterator[Entry]:
        """What table nics says: `eth0!10.0.0.1|10.0.0.2`, and suffixes, prefixes and aliases in the same order."""
        ips, suffixes, prefixes, aliases = (_per_nic(node, row.get(column, "")) for column in _NICS)
        for nic, addresses in ips.items():
            for number, address in enumerate(addresses):
                before, behind = _at(prefixes.get(nic), number), _at(suffixes.get(nic), number)
                if not before and not behind:
                    behind = f"-{nic}"
                if "." in before + behind:
                    self.warnings.append(Warning(f"{node}: the name of {nic} has a dot. Set nics.nichostnamesuffixes"))
                elif _is_address(address):
                    yield self._entry(address, f"{before}{node}{behind}", _at(aliases.get(nic), number).split())

    def _entry(self, address: str, name: str, aliases: Sequence[str], usual: str = "") -> Entry:
        domain = self._domain_of(address, usual or self._domain)
        long = f"{name}.{domain}" if domain else name
        others = [alias for alias in aliases if alias and alias not in (name, long)]
        dotted = next((alias for alias in others if "." in alias), "") if long not in aliases else ""
        others = [alias for alias in others if alias != dotted]
        if "a" in self._call.options and domain:
            others = [f"{alias}.{domain}" for alias in reversed(others) if "." not in alias] + others
        more, names = " ".join(others), [name, dotted or long]
        if self._long_first:
            names = [*reversed(names), more]
        elif "o" in self._call.options:
            names = [more, *reversed(names)]
        else:
            names = [*names, more]
        return Entry(address, name, " ".join([address, *names]))

    def _domain_of(self, address: str, usual: str) -> str:
        """The domain of the first network that an address is in, or the usual one."""
        here = ipaddress.ip_address(address) if _is_address(address) else None
        return next((domain for network, domain in self._networks if here and here in network), "") or usual


def _networks(found: Sequence[Row]) -> Iterator[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]]:
    for row in found:
        text = f"{row.get('net', '')}/{row.get('mask', '').lstrip('/')}"
        try:
            yield ipaddress.ip_network(text, strict=False), row.get("domain", "")
        except ValueError:
            continue  # rows that are no network have no addresses


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _cut(text: str) -> tuple[str, str, str]:
    """Cut `name!value`, or `name:value` as it was written once."""
    return text.partition("!" if "!" in text else ":")


def _per_nic(node: str, text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, text.split(",")):
        nic, _, value = _cut(part)
        if re.fullmatch(r"\|\S*\|", value):
            value = rows.expand_value(value, node)
        found.setdefault(nic, []).extend(value.split("|"))
    return found


def _at(values: Sequence[str] | None, number: int) -> str:
    return values[number] if values and number < len(values) else ""
