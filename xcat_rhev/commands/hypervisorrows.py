"""What the tables say about a hypervisor: its networks, how to log in to it, its power management.

`hypervisor.interface` holds one part per interface, joined by bars:

    network:interface:protocol[:address:netmask[:gateway]]

The interface may be a bond, written with its members and options: `bond0=eth1+eth2,mode=4,miimon=100`. A VLAN belongs
to the logical network; `eth0.100` means eth0 and demands that the network has VLAN 100. IPv6 addresses stand in
brackets.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

PROTOCOLS = ("dhcp", "static", "none")
BOND_MODES = tuple("0123456")
#: LACP, the mode that a manager itself proposes for a new bond.
DEFAULT_BOND_OPTIONS = (("mode", "4"), ("miimon", "100"))

#: The manual page's example writes an absent gateway so.
_NO_GATEWAY = ("", "0.0.0.0", "::")  # noqa: S104 - not an address to listen on
_NIC = re.compile(r"(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<vlan>\d+))?(?:=(?P<bond>\S+))?")
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Interface:
    """One part of hypervisor.interface.

    Attributes:
        network: The logical network.
        nic: The interface it goes on: a physical one or a bond.
        protocol: dhcp, static or none.
        address: For static.
        netmask: For static; dotted, or a prefix length for IPv6.
        gateway: For static, or empty.
        vlan: The VLAN that the network has to have, or 0 if the row does not say.
        members: The bond's members, or none where `nic` is no new bond.
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
        yield f"'{nic}' is no interface name"
    elif "=" in nic:
        yield from _bond_faults(nic.partition("=")[2])
    if protocol not in PROTOCOLS:
        yield f"the boot protocol '{protocol}' is not one of {', '.join(PROTOCOLS)}"
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
            yield f"'{option}' is no bond option such as mode=4"
        elif option.startswith("mode=") and option[5:] not in BOND_MODES:
            yield f"'{option}' is no bond mode from 0 to 6"


def _address_faults(address: str, netmask: str, gateway: str) -> Iterator[str]:
    if not address or not netmask:
        yield "static needs an address and a netmask"
        return
    try:
        own = ipaddress.ip_interface(f"{address}/{netmask}")
    except ValueError:
        yield f"{address}/{netmask} is no address with a netmask"
        return
    if gateway not in _NO_GATEWAY and not _inside(gateway, own):
        yield f"the gateway {gateway} is not in the network {own.network}"


def _inside(gateway: str, own: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> bool:
    try:
        return ipaddress.ip_address(gateway) in own.network
    except ValueError:
        return False


def _between(interfaces: list[Interface]) -> Iterator[str]:
    """Faults that only show when the parts are seen together."""
    networks = [interface.network for interface in interfaces]
    for network in sorted({name for name in networks if networks.count(name) > 1}):
        yield f"the network {network} stands there twice"
    bonds: dict[str, tuple[str, ...]] = {}
    for interface in interfaces:
        if interface.members and bonds.setdefault(interface.nic, interface.members) != interface.members:
            yield f"{interface.nic} stands there twice with different members"
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
    return Interface(
        network=network, nic=found["name"], protocol=protocol, address=address, netmask=netmask,
        gateway="" if gateway in _NO_GATEWAY else gateway, vlan=int(found["vlan"] or 0),
        members=tuple(members.split("+")) if members else (),
        bond_options=(given or DEFAULT_BOND_OPTIONS) if members else (),
    )
