"""What single machines get by DHCP: the tables' MAC addresses with the addresses of their names, and a boot loader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from ...addresses import parse_address
from ...messages import Error, Warn
from ...xcat.host import Row
from .. import interfaces
from ..facing import address_of, facing
from ..reply import Output
from ..tables import Tables
from .dhcpnetworks import MYSELF, Served, network_of, port_suffix

#: The name of a card that should get nothing.
NO_ADDRESS = "*NOIP*"
#: Octets of a MAC address, InfiniBand's included.
_FEWEST, _MOST = 6, 9
_SEPARATED = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})*")
#: noderes.netboot -> the loaders that `nodeset` writes for.
_LOADERS = {"pxe": "pxe", "xnba": "xnba"}


@dataclass(frozen=True)
class Reservation:
    """One card, or several of which one is in use at a time.

    Attributes:
        node: The node.
        macs: Their MAC addresses, with colons.
        name: The host's name.
        address: Its IPv4 address; empty if it has none of its own.
        denied: It gets no answer at all.
        loader: `pxe`, `xnba`, `grub2`, or empty.
        server: The host that it boots from; empty for that of its network.
        http: The web server of that host, `http://10.0.0.1:8080`; empty for that of its network.
    """

    node: str
    macs: tuple[str, ...]
    name: str
    address: str = ""
    denied: bool = False
    loader: str = ""
    server: str = ""
    http: str = ""

    @property
    def is_infiniband(self) -> bool:
        """Whether the MAC addresses are no Ethernet's."""
        return any(len(mac) > 17 for mac in self.macs)


class Reservations:
    """Makes the reservations of nodes, and tells which have none.

    Args:
        tables: The tables.
        nodes: The nodes.
        served: The networks.
        names: Name -> address, of the nodes and of all else that `makehosts` writes.
    """

    def __init__(
        self, tables: Tables, nodes: Sequence[str], served: Sequence[Served], names: Mapping[str, str]
    ) -> None:
        self.said: list[Output] = []
        self._tables, self._served = tables, served
        self._macs = tables.node_attrs("mac", nodes, ("mac",))
        self._noderes = tables.node_attrs("noderes", nodes, ("netboot", "tftpserver", "xcatmaster"))
        self._names = names
        self._port = port_suffix(tables)

    def of(self, node: str) -> list[Reservation]:
        """The reservations of a node; what is wrong with it is in `said`."""
        text = self._macs[node].get("mac", "")
        if not text:
            self.said.append(Warn(f"Unable to find mac address for {node}"))
            return []
        alike: dict[tuple[str, str, bool], list[str]] = {}
        for mac, name in self._cards(node, text):
            denied = name == NO_ADDRESS
            host = f"{node}-noip{mac.replace(':', '')}" if denied else name
            address = "" if denied else self._address(node, host)
            if address is not None:
                alike.setdefault((host, address, denied), []).append(mac)
        server = self._server(node, self._noderes[node])
        loader = self._loader(node)
        return [self._reservation(node, key, macs, loader, server) for key, macs in alike.items()]

    def _reservation(
        self, node: str, key: tuple[str, str, bool], macs: Sequence[str], loader: str, server: str
    ) -> Reservation:
        name, address, denied = key
        http = f"http://{server}{self._port}" if server else ""
        return Reservation(node, tuple(dict.fromkeys(macs)), name, address, denied, loader, server, http)

    def _cards(self, node: str, text: str) -> Iterator[tuple[str, str]]:
        """Read `mac!name|mac`; a card without a name has the node's."""
        for part in filter(None, text.split("|")):
            written, _, name = part.strip().partition("!")
            mac = plain_mac(written)
            if mac:
                yield mac, name or node
            elif written:
                self.said.append(Error(f"Invalid mac address {written} for {node}"))

    def _address(self, node: str, name: str) -> str | None:
        """The address of a card's name; empty if it has none, None if it must not have what it has."""
        address = self._names.get(name) or address_of(name, "")
        here = parse_address(address)
        if not isinstance(here, IPv4Address):
            self.said.append(Warn(f"The hostname {name} of node {node} could not be resolved."))
            return ""
        place = network_of(self._served, str(here))
        if place is None:
            self.said.append(Warn(f"Unable to find a served network for {node} ({here}), skipping DHCP reservation"))
            return None
        if place.is_dynamic(here):
            self.said.append(
                Error(
                    f"Node {node} has IP {here} which is inside the DHCP dynamic range. Move the node IP outside the "
                    "dynamic range or adjust the range in the networks table."
                )
            )
            return None
        if str(here) == interfaces.mine(place.net):
            self.said.append(Error(f"Node {node} has IP {here}, which is this machine's own"))
            return None
        return str(here)

    def _server(self, node: str, row: Row) -> str:
        """The host that a node boots from; empty for that of its network."""
        for column in ("tftpserver", "xcatmaster"):
            name = row.get(column, "")
            if name and name != MYSELF:
                address = address_of(name, self._tables.node_attrs("hosts", (name,), ("ip",))[name].get("ip", ""))
                if address:
                    return address
                self.said.append(Error(f"Unable to resolve the {column} for node {node}: {name}"))
        return facing(self._names.get(node, ""))

    def _loader(self, node: str) -> str:
        netboot = self._noderes[node].get("netboot", "")
        loader = "grub2" if netboot.startswith("grub2") else _LOADERS.get(netboot, "")
        if netboot and not loader:
            self.said.append(Warn(f"{node} boots by {netboot}, which nodeset does not write for: it gets no loader"))
        return loader


def plain_mac(text: str) -> str:
    """A MAC address with colons and small letters, written with colons, dashes, dots or nothing; else nothing."""
    digits = text.strip().lower().replace("-", ":")
    if re.fullmatch(r"[0-9a-f]{12}|([0-9a-f]{4}\.){2}[0-9a-f]{4}", digits):
        digits = ":".join(re.findall("..", digits.replace(".", "")))
    count = (len(digits) + 1) // 3
    return digits if _SEPARATED.fullmatch(digits) and _FEWEST <= count <= _MOST else ""
