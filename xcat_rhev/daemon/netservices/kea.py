"""The configuration of ISC Kea's DHCPv4 server, for sites that have it: the networks, the machines, what they boot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...ordering import natural
from .dhcpnetworks import Served, network_of
from .loaders import ARCHITECTURES, HTTP_TAGS, HTTP_VENDOR, USER_CLASSES, choices
from .reservations import Reservation

#: An iPXE writes its name as it is or, as RFC 3004 wants it, behind its length.
_IPXE = " or ".join(f"substring(option[77].hex,{begin},4) == '{name}'" for name in USER_CLASSES for begin in (0, 1))


def config(served: Sequence[Served], machines: Sequence[Reservation], leases: Path) -> dict[str, Any]:
    """The whole configuration, as JSON values.

    Args:
        served: The networks.
        machines: The machines.
        leases: The file for leases.
    """
    interfaces = sorted({each.interface for each in served if each.interface}, key=natural)
    subnets = [_subnet(number, each) for number, each in enumerate(served, 1)]
    somewhere: list[dict[str, Any]] = []
    for machine in machines:
        place = network_of(served, machine.address)
        for reservation in _reservations(machine):
            (subnets[served.index(place)]["reservations"] if place else somewhere).append(reservation)
    settings = {
        "interfaces-config": {"interfaces": interfaces or ["*"]},
        "lease-database": {"type": "memfile", "persist": True, "name": str(leases)},
        "authoritative": True,
        "ip-reservations-unique": False,  # of several cards of a machine one is in use
        "reservations-global": bool(somewhere),
        "reservations-in-subnet": True,
        "match-client-id": False,
        "client-classes": list(_classes(machines, served)),
        "subnet4": [_without_empty(subnet) for subnet in subnets],
        "reservations": somewhere,
    }
    return {"Dhcp4": _without_empty(settings)}


def _without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave lists out that hold nothing, which the server does not take."""
    return {key: value for key, value in settings.items() if value != []}


def _subnet(number: int, each: Served) -> dict[str, Any]:
    options = [{"name": name, "data": text.replace(",", ", ")} for name, text in each.options.items()]
    return {
        "id": number,
        "subnet": str(each.net),
        **({"interface": each.interface} if each.interface else {}),
        "valid-lifetime": int(each.lease),
        "next-server": each.tftpserver,
        "option-data": options,
        "pools": [{"pool": f"{first} - {last}"} for first, last in each.ranges],
        "reservations": [],
    }


def _reservations(machine: Reservation) -> Iterator[dict[str, Any]]:
    for mac in machine.macs if not machine.denied else ():
        made: dict[str, Any] = {"hw-address": mac, "hostname": machine.name}
        if machine.address:
            made["ip-address"] = machine.address
        if machine.server:
            made["next-server"] = machine.server
        yield made


def _classes(machines: Sequence[Reservation], served: Sequence[Served]) -> Iterator[dict[str, Any]]:
    """The file for each client. A class whose name is DROP gets no answer."""
    denied = [_is(mac) for machine in machines if machine.denied for mac in machine.macs]
    if denied:
        yield {"name": "DROP", "test": " or ".join(denied)}
    for machine in machines:
        place = network_of(served, machine.address) or next(iter(served), None)
        for number, choice in enumerate(choices(machine, place) if place and not machine.denied else ()):
            made: dict[str, Any] = {
                "name": f"{machine.name}/{machine.macs[0]}/{number}",
                "test": f"({' or '.join(map(_is, machine.macs))}) and {_when(choice.arch, choice.ipxe)}",
                "boot-file-name": choice.file,
            }
            if choice.arch in HTTP_TAGS:
                made["option-data"] = [{"name": "vendor-class-identifier", "data": HTTP_VENDOR, "always-send": True}]
            yield made


def _is(mac: str) -> str:
    return f"pkt4.mac == 0x{mac.replace(':', '')}"


def _when(arch: str, ipxe: bool | None) -> str:
    test = "(" + " or ".join(f"option[93].hex == 0x{number:04x}" for number in ARCHITECTURES[arch]) + ")"
    if ipxe is None:
        return test
    return f"{test} and {'' if ipxe else 'not '}({_IPXE})"
