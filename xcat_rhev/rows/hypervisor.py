"""What the tables say about a hypervisor: its networks, how to log in to it, its power management.

`hypervisor.interface` holds one part per interface, joined by bars:

    network:interface:protocol[:address:netmask[:gateway]]

The protocol is dhcp, static or none; for IPv6 dhcp6, autoconf, dhcp6-autoconf, none6, or static with an address of it;
keep says nothing about addresses. A network with addresses of both versions is named twice, and a version that is
not named stays as it is. So does a gateway that is not named; the word none takes it away.

The interface may be a bond, written with its members and options: `bond0=eth1+eth2,mode=4,miimon=100`. A VLAN belongs
to the logical network; `eth0.100` means eth0 and demands that the network has VLAN 100. IPv6 addresses stand in
brackets.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Boot protocol as it is written -> IP version, and the engines' word; `static` is of the version of its address.
PROTOCOLS = {
    "dhcp": ("v4", "dhcp"),
    "static": ("", "static"),
    "none": ("v4", "none"),
    "keep": ("", ""),
    "dhcp6": ("v6", "dhcp"),
    "autoconf": ("v6", "autoconf"),
    "dhcp6-autoconf": ("v6", "poly_dhcp_autoconf"),
    "none6": ("v6", "none"),
}
BOND_MODES = tuple("0123456")
#: LACP, the mode that a manager itself proposes for a new bond.
DEFAULT_BOND_OPTIONS = (("mode", "4"), ("miimon", "100"))

#: What is wanted of most networks; messages name these.
_USUAL = ("dhcp", "static", "none")
#: A gateway that should not be there any more.
NO_GATEWAY = "none"
#: The manual page's example writes an absent gateway so.
_UNSAID = ("", "0.0.0.0", "::")  # noqa: S104 - not an address to listen on
_NIC = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<vlan>\d+))?(?:=(?P<bond>\S+))?")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Interface:
    """One part of hypervisor.interface.

    Attributes:
        network: The logical network.
        nic: The interface it goes on: a physical one or a bond.
        protocol: A word of `PROTOCOLS`; keep leaves the address as it is.
        address: For static.
        netmask: For static; dotted, or a prefix length for IPv6.
        gateway: For static; empty leaves it as it is, `NO_GATEWAY` takes it away.
        vlan: The VLAN that the network has to have, or 0 if the row does not say.
        members: The bond's members, or none where `nic` is not a new bond.
        bond_options: The bond's options.
    """

    network: str
    nic: str
    protocol: str
    address: str = ""
    netmask: str = ""
    gateway: str = ""
    vlan: int = 0
    members: tuple[str, ...] = ()
    bond_options: tuple[tuple[str, str], ...] = ()

    @property
    def version(self) -> str:
        """v4 or v6; nothing where no address is given."""
        if self.protocol == "static":
            return "v6" if ":" in self.address else "v4"
        return PROTOCOLS[self.protocol][0]

    @property
    def method(self) -> str:
        """The engines' word for the boot protocol; nothing where no address is given."""
        return PROTOCOLS[self.protocol][1]

    def reachable(self, gateway: str | None) -> str:
        """A gateway if it is in the network of the address, else nothing."""
        own = ipaddress.ip_interface(f"{self.address}/{self.netmask}")
        return gateway if gateway and gateway not in _UNSAID and _inside(gateway, own) else ""


def read_interfaces(text: str) -> tuple[list[Interface], list[str]]:
    """Read hypervisor.interface as a whole.

    Args:
        text: The column's value.

    Returns:
        The interfaces, and every fault that was found; with a fault the interfaces are not to be used.
    """
    interfaces: list[Interface] = []
    faults: list[str] = []
    for part in filter(None, (part.strip() for part in text.split("|"))):
        found = list(_faults(part))
        if found:
            faults += [f"{fault} in '{part}'" for fault in found]
        else:
            interfaces.append(_read(part))
    faults += _between(interfaces)
    return interfaces, faults


def _fields(part: str) -> list[str]:
    """Split at colons outside brackets, and fill up to six."""
    fields = [field.strip("[]") for field in re.split(r":(?![^\[]*\])", part)]
    return fields + [""] * (6 - len(fields))


def _faults(part: str) -> Iterator[str]:
    network, nic, protocol, address, netmask, gateway, *surplus = _fields(part)
    if surplus:
        yield "more than six fields"
    if not network or not nic:
        yield "Missing network name or interface name"
    elif not _NIC.fullmatch(nic):
        yield f"'{nic}' is not the name of an interface"
    elif "=" in nic:
        yield from _bond_faults(nic.partition("=")[2])
    if protocol not in PROTOCOLS:
        yield f"the boot protocol '{protocol}' is not one of {', '.join(_USUAL)}"
    elif protocol == "static":
        yield from _address_faults(address, netmask, gateway)
    elif address or netmask or gateway:
        yield f"an address makes no sense with {protocol}"


def _bond_faults(text: str) -> Iterator[str]:
    members, *options = text.split(",")
    names = members.split("+")
    if len(names) < 2 or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        yield f"a bond needs two or more different members joined by +, not '{members}'"
    for option in options:
        if not re.fullmatch(r"\w+=[\w.+-]+", option):
            yield f"'{option}' is not a bond option such as mode=4"
        elif option.startswith("mode=") and option[5:] not in BOND_MODES:
            yield f"'{option}' is not a bond mode from 0 to 6"


def _address_faults(address: str, netmask: str, gateway: str) -> Iterator[str]:
    if not address or not netmask:
        yield "static needs an address and a netmask"
        return
    try:
        own = ipaddress.ip_interface(f"{address}/{netmask}")
    except ValueError:
        yield f"{address}/{netmask} is not an address with a netmask"
        return
    if gateway not in (*_UNSAID, NO_GATEWAY) and not _inside(gateway, own):
        yield f"the gateway {gateway} is not in the network {own.network}"


def _inside(gateway: str, own: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> bool:
    try:
        return ipaddress.ip_address(gateway) in own.network
    except ValueError:
        return False


def by_network(interfaces: Iterable[Interface]) -> dict[str, list[Interface]]:
    """The parts of a row by their network: one for each IP version."""
    found: dict[str, list[Interface]] = {}
    for each in interfaces:
        found.setdefault(each.network, []).append(each)
    return found


def _between(interfaces: list[Interface]) -> Iterator[str]:
    """Faults that only show when the parts are seen together."""
    for network, parts in by_network(interfaces).items():
        versions = [part.version for part in parts]
        if len(set(versions)) < len(versions) or (len(versions) > 1 and "" in versions):
            yield f"the network {network} is named twice"
        elif len({part.nic for part in parts}) > 1:
            yield f"the network {network} is named twice with different interfaces"
    bonds: dict[str, tuple[str, ...]] = {}
    for interface in interfaces:
        if interface.members and bonds.setdefault(interface.nic, interface.members) != interface.members:
            yield f"{interface.nic} is named twice with different members"
    used = {member: interface.nic for interface in interfaces for member in interface.members}
    for interface in interfaces:
        if interface.nic in used:
            yield f"{interface.nic} is a member of {used[interface.nic]} and carries {interface.network} as well"


def _read(part: str) -> Interface:
    network, nic, protocol, address, netmask, gateway = _fields(part)
    found = _NIC.fullmatch(nic)
    assert found, part
    members, *options = (found["bond"] or "").split(",")
    given = tuple((key, value) for key, _, value in (option.partition("=") for option in options))
    own = ipaddress.ip_interface(f"{address}/{netmask}") if protocol == "static" else None
    return Interface(
        network=network,
        nic=found["name"],
        protocol=protocol,
        address=str(own.ip) if own else "",
        netmask=str(own.netmask if own.version == 4 else own.network.prefixlen) if own else "",
        gateway=_gateway(gateway),
        vlan=int(found["vlan"] or 0),
        members=tuple(members.split("+")) if members else (),
        bond_options=(given or DEFAULT_BOND_OPTIONS) if members else (),
    )


def _gateway(text: str) -> str:
    return "" if text in _UNSAID else text if text == NO_GATEWAY else str(ipaddress.ip_address(text))
