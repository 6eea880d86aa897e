"""The lines of nodes in a hosts file: their own addresses, and those of tables hosts and nics."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...messages import Warn
from ...xcat.host import Row
from ..facing import address_of
from ..networks import Domains
from .declare import CommandCall

#: The file of the machine itself, edited only when asked for.
SYSTEM = Path("/etc/hosts")
_NICS = ("nicips", "nichostnamesuffixes", "nichostnameprefixes", "nicaliases")


class HostLine(NamedTuple):
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

    def __init__(self, call: CommandCall) -> None:
        self.warnings: list[Warn] = []
        self._call = call
        self._domains = Domains(call.tables)
        wanted = call.tables.site("FQDNfirst").lower() in ("1", "yes", "enable")
        self._long_first = wanted or "longnamefirst" in call.options

    def all(self, nodes: Sequence[str]) -> list[HostLine]:
        """The lines of nodes."""
        tables = self._call.tables
        hosts = tables.node_attrs("hosts", nodes, ("ip", "hostnames", "otherinterfaces"))
        nics = tables.node_attrs("nics", nodes, _NICS)
        macs = tables.node_attrs("mac", nodes, ("mac",)) if "linklocal" in self._call.options else {}
        found: list[HostLine] = []
        for node in nodes:
            found += self._link_local(node, macs[node].get("mac", "")) if macs else self._own(node, hosts[node])
            found += self._of_nics(node, nics[node])
        return found

    def _own(self, node: str, row: Row) -> Iterator[HostLine]:
        """What table hosts says."""
        written = row.get("ip", "")
        named = bool(self._call.request.nodes)
        address = written or (address_of(node, "") if named else "")
        domain = self._domains.of(address)
        if address and not _is_address(address):
            self.warnings.append(Warn(f"Ignoring node '{node}', its ip address '{address}' is not valid."))
        elif address:
            yield self._entry(address, node, re.split("[, ]+", row.get("hostnames", "").strip()))
        elif named:
            self.warnings.append(Warn(f"Ignoring node '{node}', it can not be resolved."))
        for other in filter(None, row.get("otherinterfaces", "").split(",")):
            name, _, place = _cut(other)
            if _is_address(place):
                yield self._entry(place, node + name if name.startswith("-") else name, (), domain)

    def _link_local(self, node: str, mac: str) -> Iterator[HostLine]:
        """The IPv6 address that a network card gives itself, RFC 4291, appendix A."""
        digits = re.sub("[^0-9a-fA-F]", "", re.split("[|!]", mac)[0]).lower()
        if len(digits) == 12:
            words = (f"{int(digits[:2], 16) ^ 2:x}{digits[2:4]}", f"{digits[4:6]}ff", f"fe{digits[6:8]}", digits[8:])
            yield self._entry(f"fe80::{':'.join(words)}", node, ())

    def _of_nics(self, node: str, row: Row) -> Iterator[HostLine]:
        """What table nics says: `eth0!10.0.0.1|10.0.0.2`, and suffixes, prefixes and aliases in the same order."""
        ips, suffixes, prefixes, aliases = (_per_nic(row.get(column, "")) for column in _NICS)
        for nic, addresses in ips.items():
            for number, address in enumerate(addresses):
                before, behind = _at(prefixes.get(nic), number), _at(suffixes.get(nic), number)
                if not before and not behind:
                    behind = f"-{nic}"
                if "." in before + behind:
                    self.warnings.append(Warn(f"{node}: the name of {nic} has a dot. Set nics.nichostnamesuffixes"))
                elif _is_address(address):
                    yield self._entry(address, f"{before}{node}{behind}", _at(aliases.get(nic), number).split())

    def _entry(self, address: str, name: str, aliases: Sequence[str], usual: str = "") -> HostLine:
        domain = self._domains.of(address, usual)
        long = f"{name}.{domain}" if domain else name
        others = [alias for alias in aliases if alias and alias not in (name, long)]
        dotted = next((alias for alias in others if "." in alias), "") if long not in aliases else ""
        others = [alias for alias in others if alias != dotted]
        if "adddomain" in self._call.options and domain:
            others = [f"{alias}.{domain}" for alias in reversed(others) if "." not in alias] + others
        more, names = " ".join(others), [name, dotted or long]
        if self._long_first:
            names = [*reversed(names), more]
        elif "othernamesfirst" in self._call.options:
            names = [more, *reversed(names)]
        else:
            names = [*names, more]
        return HostLine(address, name, " ".join([address, *names]))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _cut(text: str) -> tuple[str, str, str]:
    """Cut `name!value`, or `name:value` as it was written once."""
    return text.partition("!" if "!" in text else ":")


def _per_nic(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in filter(None, text.split(",")):
        nic, _, value = _cut(part)
        found.setdefault(nic, []).extend(value.split("|"))
    return found


def _at(values: Sequence[str] | None, number: int) -> str:
    return values[number] if values and number < len(values) else ""
