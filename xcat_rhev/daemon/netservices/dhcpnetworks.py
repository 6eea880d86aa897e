"""The networks that this machine serves DHCP in, and the options that machines get there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from ...addresses import my_addresses, parse_address
from ...errors import Usage
from ...messages import Warn
from ...ordering import natural
from ...xcat.host import Row
from .. import interfaces
from ..facing import address_of
from ..networks import Subnet, subnets
from ..tables import Tables

#: What is in a table for this machine's address in the network.
MYSELF = "<xcatmaster>"
#: What is before or instead of an interface for networks behind a relay.
REMOTE = "!remote!"
#: Seconds of a lease, as xCAT has them.
LEASE = "43200"
_FORWARDS = "/proc/sys/net/ipv4/ip_forward"
_DOMAIN = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@-]{1,15}", re.ASCII)

Range = tuple[IPv4Address, IPv4Address]


@dataclass(frozen=True)
class Served:
    """A network in which this machine answers.

    Attributes:
        net: The network.
        interface: The interface that is in it; empty behind a relay.
        address: This machine's address there; behind a relay the one by which it is known.
        ranges: Addresses for machines without one of their own, first and last.
        options: DHCP options by their RFC 2132 names, such as `routers`.
        tftpserver: The host from which machines boot.
        http: The web server of that host.
        lease: Seconds.
    """

    net: IPv4Network
    interface: str
    address: str
    ranges: tuple[Range, ...]
    options: Mapping[str, str]
    tftpserver: str
    http: str
    lease: str

    def is_dynamic(self, address: IPv4Address) -> bool:
        """Whether an address is given to whoever asks."""
        return any(first <= address <= last for first, last in self.ranges)


def served_networks(tables: Tables, names: bool = False) -> list[Served]:
    """The IPv4 networks of the networks table that an interface of this machine should serve.

    Args:
        tables: The tables.
        names: This machine is a name server, too: the one of machines that get no other.

    Raises:
        Usage: A row has something that no server would take, or no interface is left.
    """
    wanted = chosen_interfaces(tables)
    links: dict[object, str] = {link.net: link.interface for link in interfaces.links()}
    found = []
    for subnet in subnets(tables.rows("networks")):
        interface = _interface(subnet, links, wanted)
        if isinstance(subnet.net, IPv4Network) and interface is not None:
            found.append(_one(tables, subnet, subnet.net, interface, names))
    if not found:
        shown = f" on {', '.join(sorted(wanted, key=natural))}" if wanted else ""
        raise Usage(
            f"no network of the networks table is served{shown}", "Run: makenetworks, or set site.dhcpinterfaces"
        )
    return found


def chosen_interfaces(tables: Tables) -> frozenset[str]:
    """The interfaces that site.dhcpinterfaces names for this machine; none means all.

    Its forms are `eth1,eth2` and `mn|eth1,eth2;service|bond0`, with a node, group or host before the bar. `:noboot`
    behind an interface is about discovery, and there is none.

    Raises:
        Usage: There is no interface of such a name on any machine.
    """
    text = tables.site("dhcpinterfaces") or tables.site("dhcpinterface")
    names: set[str] = set()
    for part in filter(None, map(str.strip, text.split(";"))):
        whose, bar, its = part.rpartition("|")
        if not bar or _is_here(tables, whose.strip()):
            names.update(name.removesuffix(":noboot") for name in re.split(r"[,\s]+", its) if name)
    for name in names:
        if not _INTERFACE.fullmatch(name.removeprefix(REMOTE)) and name != REMOTE:
            raise Usage(f"site.dhcpinterfaces names '{name}', which cannot be the name of an interface")
    return frozenset(names)


def _is_here(tables: Tables, whose: str) -> bool:
    """Whether a node, one of a group, or a host is this machine."""
    names = tables.expand(whose, verify=False).nodes or (whose,)
    hosts = tables.node_attrs("hosts", names, ("ip",))
    mine = my_addresses()
    return any(address_of(name, hosts[name].get("ip", "")) in mine for name in names)


def _interface(subnet: Subnet, links: Mapping[object, str], wanted: frozenset[str]) -> str | None:
    """The interface that serves a network, empty behind a relay; None if it is not served from here."""
    named = subnet.row.get("mgtifname", "")
    if named.startswith(REMOTE):
        via = named[len(REMOTE) :].strip()
        return "" if REMOTE in wanted or (via and (not wanted or via in wanted)) else None
    here = links.get(subnet.net)
    return here if here and (not wanted or here in wanted) else None


def _one(tables: Tables, subnet: Subnet, net: IPv4Network, interface: str, names: bool) -> Served:
    row = subnet.row
    address = interfaces.mine(net) or (tables.site("master") if not interface else "")
    ranges = tuple(_ranges(row.get("dynamicrange", ""), net)) if _serves_range(tables, row) else ()
    tftp = _hosts(tables, "tftpserver", row.get("tftpserver", "") or MYSELF, address).partition(",")[0]
    lease = tables.site("dhcplease", LEASE)
    if not lease.isdecimal() or not int(lease):
        raise Usage(f"site.dhcplease is '{lease}'", "Write a number of seconds")
    options = dict(_options(tables, row, net, address, names))
    return Served(net, interface, address, ranges, options, tftp, f"http://{tftp}{port_suffix(tables)}", lease)


def port_suffix(tables: Tables) -> str:
    """What is behind the web server's address in URLs.

    Raises:
        Usage: site.httpport is not a port.
    """
    port = tables.site("httpport", "80")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Usage(f"site.httpport is '{port}'", "Write a number")
    return "" if int(port) == 80 else f":{port}"


def _serves_range(tables: Tables, row: Row) -> bool:
    """Whether machines without an address of their own get one from here: of several servers one is named."""
    named = row.get("dhcpserver", "")
    return not named or _is_here(tables, named)


def _ranges(text: str, net: IPv4Network) -> Iterator[Range]:
    """Read `10.0.0.10-10.0.0.20;10.0.1.0/24`.

    Raises:
        Usage: It is not a range of the network.
    """
    for part in filter(None, map(str.strip, text.split(";"))):
        try:
            first, last = _range(part)
        except ValueError:
            raise Usage(f"networks.dynamicrange of {net} has '{part}'", "Write FIRST-LAST, or a network") from None
        if not (first in net and last in net and first <= last):
            raise Usage(f"networks.dynamicrange of {net} has '{part}', which is not in it")
        yield first, last


def _range(part: str) -> Range:
    if "/" in part:
        inner = IPv4Network(part, strict=False)
        return inner.network_address, inner.broadcast_address
    first, last = filter(None, re.split(r"[\s,-]+", part))
    return IPv4Address(first), IPv4Address(last)


def _options(tables: Tables, row: Row, net: IPv4Network, address: str, names: bool) -> Iterator[tuple[str, str]]:
    """The options that machines in a network get."""
    router = _router(row.get("gateway", ""), net, address)
    if router:
        yield "routers", router
    domain = _domain(row.get("domain", "") or tables.site("domain"), net)
    yield "domain-name", domain
    others = [_domain(other["domain"], net) for other in tables.rows("networks") if other.get("domain")]
    yield "domain-search", ",".join(dict.fromkeys([domain, *others, _domain(tables.site("domain", domain), net)]))
    for option, column in (
        ("domain-name-servers", "nameservers"),
        ("log-servers", "logservers"),
        ("ntp-servers", "ntpservers"),
    ):
        usual = address if names or column != "nameservers" else ""
        hosts = _hosts(tables, column, row.get(column, "") or tables.site(column) or usual, address)
        if hosts:
            yield option, hosts
    size = row.get("mtu", "")
    if size:
        if not size.isdecimal() or not 68 <= int(size) <= 65535:
            raise Usage(f"networks.mtu of {net} is '{size}'", "Write a number of bytes")
        yield "interface-mtu", size


def _router(text: str, net: IPv4Network, address: str) -> str:
    """The router of a network; this machine if it forwards packets.

    Raises:
        Usage: It is not in the network.
    """
    if text == MYSELF:
        return address if _forwards() else ""
    here = parse_address(text)
    if text and (here is None or here not in net):
        raise Usage(
            f"Specified gateway {text} is not valid for {net.network_address}/{net.netmask}, must be on same network"
        )
    return text


def _forwards() -> bool:
    try:
        with open(_FORWARDS, encoding="ascii") as file:
            return file.read().strip() == "1"
    except OSError:
        return False


def _domain(text: str, net: IPv4Network) -> str:
    """A domain name.

    Raises:
        Usage: The text is not valid.
    """
    if not text:
        raise Usage(
            f"No domain defined for {net.network_address} entry in networks table, and no domain defined in site table."
        )
    if not _DOMAIN.fullmatch(text):
        raise Usage(f"'{text}' cannot be a domain", "Set site.domain or networks.domain")
    return text


def _hosts(tables: Tables, column: str, text: str, address: str) -> str:
    """Addresses of hosts, this machine first.

    Raises:
        Usage: One has no IPv4 address.
    """
    found: list[str] = []
    for name in filter(None, re.split(r"[,\s]+", text)):
        one = parse_address(address if name == MYSELF else _resolve(tables, name))
        if one is None:
            raise Usage(f"{column}: '{name}' does not resolve", "Write its address in site or networks")
        if one.version == 4:
            found.append(str(one))
    return ",".join(sorted(dict.fromkeys(found), key=lambda each: each != address))


def _resolve(tables: Tables, name: str) -> str:
    return address_of(name, tables.node_attrs("hosts", (name,), ("ip",))[name].get("ip", ""))


def warnings(found: Sequence[Served]) -> Iterator[Warn]:
    """What somebody may have forgotten."""
    for each in found:
        if "domain-name-servers" not in each.options:
            net = each.net.network_address
            yield Warn(f"No {net} specific entry for nameservers, and no nameservers defined in site table.")


def network_of(found: Sequence[Served], address: str) -> Served | None:
    """The smallest served network that an address is in."""
    here = parse_address(address)
    fits = [each for each in found if isinstance(here, ipaddress.IPv4Address) and here in each.net]
    return max(fits, key=lambda each: each.net.prefixlen, default=None)
