"""The card that a node installs over, and what it is made of, as xCAT's noderes, mac and nics tables say.

xCAT's `confignetwork` makes bridges of VLANs, bonds or cards, VLANs of bonds or cards, and bonds of cards. A bridge is
passed through: the manager makes its own one, and does not take a host whose address is on another ("it should be
torn-down manually").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ..errors import NotFound, Usage
from .macs import mac_of, of_node
from .networks import addresses, network_of

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_]+)?")
_MOST_NAME = 20
_BETWEEN = re.compile(r"[|;,\s]+")
#: How `confignetwork` finds the tag in a name: eth0.100, and vlan100, vla100 or eth0vlan100.
_TAGGED = re.compile(r"(?P<base>[^.]*)\.(?P<tag>\d{1,4})|(?P<before>.*?)vlan?(?P<number>\d{1,4})")
_OPTION = re.compile(r"[a-z_]+=[A-Za-z0-9_.:+;/-]+")
_MOST_TAG = 4094
#: The bonding driver's own, in the order of their numbers.
_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_BRIDGES = ("bridge", "bridge_ovs")


@dataclass(frozen=True)
class Bond:
    """Network cards joined to one.

    Attributes:
        name: Such as `bond0`.
        slaves: Their names.
        options: Such as `mode=802.3ad` and `miimon=100`.
    """

    name: str
    slaves: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Card:
    """What a node installs over.

    Attributes:
        nic: The card or bond itself: a MAC with colons, or a name such as `eth0`.
        vlan: The tag that it is used with, or 0.
        bond: What `nic` is a bond of, or None.
        names: How the nics table calls it, what is on top first: `br0`, `bond0.100`, `bond0`.
    """

    nic: str
    vlan: int = 0
    bond: Bond | None = None
    names: tuple[str, ...] = ()

    @property
    def on_top(self) -> bool:
        """Whether it is a VLAN or a bond, which a node does not have yet when it starts."""
        return bool(self.vlan or self.bond)


@dataclass(frozen=True)
class Nics:
    """A node's row of the nics table, and the networks that its cards are in.

    Attributes:
        row: Columns such as `nictypes` (`bond0!bond,bond0.100!vlan`) and `nicdevices` (`bond0!eth0|eth1`).
        networks: Rows of the networks table.
    """

    row: Mapping[str, str]
    networks: Iterable[Mapping[str, str]] = ()

    def of(self, column: str, name: str) -> str:
        """What a column has for a card; empty if nothing."""
        for entry in self.row.get(column, "").split(","):
            card, found, value = entry.strip().partition("!")
            if found and card == name:
                return value
        return ""

    def kind(self, name: str) -> str:
        """The card's type in lower case; empty if the table has none."""
        return self.of("nictypes", name).partition("|")[0].strip().lower()

    def devices(self, name: str) -> tuple[str, ...]:
        """The cards that it is made of."""
        return tuple(filter(None, _BETWEEN.split(self.of("nicdevices", name))))

    def addresses(self, card: Card) -> list[str]:
        """The addresses of a card, or of what is on top of it."""
        return next(filter(None, (addresses(self.of("nicips", name)) for name in card.names)), [])


def install_card(node: str, noderes: Mapping[str, str], mac: str, nics: Nics) -> Card:
    """Tell what a node installs over.

    Args:
        node: The node.
        noderes: Its `installnic` and `primarynic`: `mac`, a MAC, or a name such as `eth0`, `eth0.100` or `br0`.
        mac: Its `mac.mac`, in any of xCAT's forms.
        nics: What the nics table says.

    Raises:
        NotFound: There is neither a name nor a MAC, or it is made of something that the tables do not name.
        Usage: It is neither, or no card that a node image starts from.
    """
    column = "installnic" if noderes.get("installnic") else "primarynic"
    named = noderes.get(column, "mac")
    if named.lower() != "mac":
        address = mac_of(named, f"noderes.{column}")
        return Card(address) if address else _follow(named, f"noderes.{column}", nics)
    written = of_node(mac, node)
    if not written:
        raise NotFound("mac.mac is not set", f"Run: chtab node={node} mac.mac=52:54:00:12:34:56")
    address = mac_of(written, "mac.mac")
    if not address:
        raise Usage(f"mac.mac: '{written}' is not a MAC address", f"Run: chtab node={node} mac.mac=52:54:00:12:34:56")
    return Card(address)


def _follow(name: str, where: str, nics: Nics) -> Card:
    """Go down from a name to the card or bond that carries it."""
    card = Card(name)
    while True:
        if name in card.names:
            raise Usage(f"nics.nicdevices: {' is made of '.join((*card.names, name))}", "Correct nics.nicdevices")
        if not _NAME.fullmatch(name) or len(name) > _MOST_NAME:
            raise Usage(f"{where}: '{name}' is neither a MAC address nor the name of a card")
        card, where = replace(card, nic=name, names=(*card.names, name)), "nics.nicdevices"
        kind = nics.kind(name)
        if kind in _BRIDGES:
            name = _only_device(name, nics)
        elif kind == "bond":
            return replace(card, bond=_bond(name, nics))
        elif kind == "vlan" or (not kind and _tag_of(name)[1]):
            name, tag = _vlan(name, nics)
            card = replace(card, vlan=tag)
        else:
            return card


def _only_device(name: str, nics: Nics) -> str:
    devices = nics.devices(name)
    if not devices:
        raise _made_of_nothing(name, "eth0")
    return devices[0]


def _made_of_nothing(name: str, example: str) -> NotFound:
    return NotFound(
        f"nics.nicdevices does not say which cards {name} is made of", f"Write nics.nicdevices={name}!{example}"
    )


def _vlan(name: str, nics: Nics) -> tuple[str, int]:
    """What a VLAN is on, and its tag: as its name has them, else as nicdevices and its network have them."""
    base, tag = _tag_of(name)
    tag = tag or _tag_of_network(name, nics)
    if not 0 < tag <= _MOST_TAG:
        raise NotFound(
            f"there is no VLAN tag for {name}",
            f"Set networks.vlanid of its network, or call it {base or 'eth0'}.100",
        )
    devices = nics.devices(name)
    if not devices and not base:
        raise _made_of_nothing(name, "eth0")
    return devices[0] if devices else base, tag


def _tag_of(name: str) -> tuple[str, int]:
    """The card and the tag in a VLAN's name; `ib0.8001` is a partition of InfiniBand and has none."""
    found = _TAGGED.fullmatch(name)
    if not found:
        return "", 0
    base, tag = (found["base"], found["tag"]) if found["tag"] else (found["before"], found["number"])
    return (base, int(tag)) if int(tag) <= _MOST_TAG and not base.startswith("ib") else ("", 0)


def _tag_of_network(name: str, nics: Nics) -> int:
    """networks.vlanid of the network that a card is in, by nicnetworks or by its address."""
    wanted = set(_BETWEEN.split(nics.of("nicnetworks", name)))
    rows = [row for row in nics.networks if row.get("netname", "") in wanted - {""}]
    rows += [network_of(ip, nics.networks) for ip in addresses(nics.of("nicips", name))]
    return next((int(row["vlanid"]) for row in rows if row.get("vlanid", "").isdigit()), 0)


def _bond(name: str, nics: Nics) -> Bond:
    """A bond with a mode: the one in nicextraparams, else what xCAT's own scripts give it (nicutils.sh).

    Raises:
        NotFound: Nothing says what it is made of.
        Usage: It is made of something that is not a card, or the driver knows no such mode.
    """
    slaves = tuple(dict.fromkeys(nics.devices(name)))
    if not slaves:
        raise _made_of_nothing(name, "eth0|eth1")
    other = next(
        (slave for slave in slaves if nics.kind(slave) in ("vlan", "bond", *_BRIDGES) or _tag_of(slave)[1]), ""
    )
    if other:
        raise Usage(f"nics.nicdevices: {name} is made of {other}, which is not a network card", "Name only the cards")
    given = tuple(_OPTION.findall(nics.of("nicextraparams", name).replace(";", " ")))
    _check_mode(given)
    names = {option.partition("=")[0] for option in given}
    usual = ["mode=802.3ad", "miimon=100"]
    if any(nics.kind(slave) == "infiniband" or slave.startswith("ib") for slave in slaves):
        usual = ["mode=active-backup", "miimon=100", "fail_over_mac=1"]
    if "mode" in names:
        usual = ["miimon=100"]
    if "arp_interval" in names:
        usual = [option for option in usual if option != "miimon=100"]
    return Bond(name, slaves, given + tuple(option for option in usual if option.partition("=")[0] not in names))


def _check_mode(options: tuple[str, ...]) -> None:
    for option in options:
        name, _, mode = option.partition("=")
        if name == "mode" and mode not in (*_MODES, *map(str, range(len(_MODES)))):
            raise Usage(f"nics.nicextraparams: bonds have no mode '{mode}'", f"Write one of: {', '.join(_MODES)}")
