"""Which addresses and host names the tables give a node; what mkinstall writes down and rhevhupdateflag checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ..addresses import plain
from ..xcat.host import Row, Xcat

_BETWEEN = re.compile(r"[,|\s]+")


def stored_addresses(xcat: Xcat, nodes: Sequence[str]) -> dict[str, frozenset[str]]:
    """The addresses that stand in hosts and nics.

    Args:
        xcat: The xCAT around.
        nodes: The nodes.

    Returns:
        Node -> its addresses as `plain` writes them: `hosts.ip`, those of `hosts.otherinterfaces`
        (`-suffix:address,name:address`) and of `nics.nicips` (`eth0!address|address,eth1!address`).
    """
    hosts = xcat.node_attrs("hosts", nodes, ["ip", "otherinterfaces"])
    nics = xcat.node_attrs("nics", nodes, ["nicips"])
    return {node: frozenset(filter(None, map(plain, _addresses(hosts[node], nics[node])))) for node in nodes}


def names(xcat: Xcat, nodes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The host names that may lead to a node, in lower case: its own, aliases and those of its NICs.

    Args:
        xcat: The xCAT around.
        nodes: The nodes.

    Returns:
        Node -> names, with and without the domains of `site.domain` and `networks.domain`. Those of NICs come from
        `nics` (`eth1!-data`, appended to the node's name), `hosts.otherinterfaces` and `mac.mac`
        (`address!name|address!name`).
    """
    hosts = xcat.node_attrs("hosts", nodes, ["hostnames", "otherinterfaces"])
    nics = xcat.node_attrs("nics", nodes, ["nichostnamesuffixes", "nichostnameprefixes", "nicaliases"])
    macs = xcat.node_attrs("mac", nodes, ["mac"])
    networks = xcat.rows("networks")
    domains = dict.fromkeys(filter(None, [xcat.site("domain"), *(row.get("domain", "") for row in networks)]))
    found: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        short = dict.fromkeys(_names(node, hosts[node], nics[node], macs[node]))
        full = (f"{name}.{domain}" for name in short if "." not in name for domain in domains)
        found[node] = tuple(name.lower() for name in (*short, *full))
    return found


def _addresses(hosts: Row, nics: Row) -> Iterator[str]:
    yield from _BETWEEN.split(hosts.get("ip", ""))
    for _, address in _pairs(hosts.get("otherinterfaces", "").split(","), ":"):
        yield address
    for _, value in _pairs(nics.get("nicips", "").split(","), "!"):
        yield from value.split("|")


def _names(node: str, hosts: Row, nics: Row, macs: Row) -> Iterator[str]:
    yield node
    yield from filter(None, _BETWEEN.split(hosts.get("hostnames", "")))
    for name, _ in _pairs(hosts.get("otherinterfaces", "").split(","), ":"):
        yield node + name if name.startswith("-") else name
    for column, form in (("nichostnamesuffixes", "{0}{1}"), ("nichostnameprefixes", "{1}{0}"), ("nicaliases", "{1}")):
        for _, value in _pairs(nics.get(column, "").split(","), "!"):
            yield from (form.format(node, word) for word in _BETWEEN.split(value) if word)
    for _, name in _pairs(macs.get("mac", "").split("|"), "!"):
        if name != "*NOIP*":
            yield name


def _pairs(words: Iterable[str], mark: str) -> Iterator[tuple[str, str]]:
    for word in words:
        left, found, right = word.strip().partition(mark)
        if found and left and right:
            yield left, right
