"""How machines and hypervisors are shown: the keys of the manual page in order, children indented below.

    vms: [vm1]
      bootorder: network,hd
        disks: [vm1_Disk1]
          size: 10737418240
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Disk, Host, HostNic, Nic, Noun, Snapshot, StorageDomain, Vm

#: Blanks before the title of what belongs to something.
NESTED = "    "

Keys = Mapping[str, Callable[[Any, Manager], object]]


def _of(name: str) -> Callable[[Any, Manager], object]:
    return lambda noun, _: getattr(noun, name)


def _named(name: str) -> Callable[[Any, Manager], object]:
    """The name of what a reference leads to, which the facade has filled in."""
    return lambda noun, _: (reference.name or reference.id) if (reference := getattr(noun, name)) else None


def _fencing(name: str, of_agent: str) -> Callable[[Any, Manager], object]:
    """What a host says of its power management itself, or its first fence agent, where v4 has it."""
    return lambda host, _: getattr(host, name) or next(
        (getattr(agent, of_agent) for agent in sorted(host.fenceagents or (), key=lambda agent: agent.order or 0)), None
    )


#: Title and keys of each kind; `engine/nouns.py` says what the attributes are.
LAYOUTS: Mapping[type[Noun], tuple[str, Keys]] = {
    Vm: ("vms", {
        "bootorder": _of("boot"), "cpucore": _of("cores"), "cpusocket": _of("sockets"),
        "creation_time": _of("creation_time"), "display": _of("display_type"),
        "host": lambda vm, manager: manager.name_of(Host, vm.host), "memory": _of("memory"),
        "memory_guaranteed": _of("memory_guaranteed"), "placement_policy": _of("affinity"),
        "start_time": _of("start_time"), "state": _of("status"), "stateless": _of("stateless"), "type": _of("type"),
    }),
    Disk: ("disks", {
        "bootable": _of("bootable"), "format": _of("format"), "iftype": _of("interface"), "size": _of("size"),
        "state": _of("status"),
        "storage_domains": lambda disk, manager: tuple(
            manager.name_of(StorageDomain, ref) for ref in disk.storage_domains),
        "type": lambda disk, _: disk.type or ("system" if disk.bootable else "data"),
    }),
    Nic: ("nics", {"iftype": _of("interface"), "mac": _of("mac"), "network": _named("network")}),
    Host: ("hosts", {
        "address": _of("address"), "cpu": _of("cpu_name"), "cpuspeed": _of("cpu_speed"), "hugepages": _of("hugepages"),
        "iscsi": _of("iscsi_initiator"), "ksm": _of("ksm"), "powermgt": _of("pm_enabled"),
        "powermgt_addr": _fencing("pm_address", "address"), "powermgt_type": _fencing("pm_type", "type"),
        "powermgt_user": _fencing("pm_user", "username"),
        "state": _of("status"), "storage_manager": _of("spm"), "summary_active": _of("active"),
        "summary_migrating": _of("migrating"), "summary_total": _of("total"), "type": _of("type"),
    }),
    HostNic: ("host_nics", {
        "boot_protocol": _of("boot_protocol"), "gateway": _of("gateway"), "ip": _of("ip"), "mac": _of("mac"),
        "netmask": _of("netmask"), "network": _named("network"), "speed": _of("speed"), "state": _of("status"),
    }),
    Snapshot: ("snapshots", {
        "date": _of("date"), "memory": _of("memory"), "state": _of("status"), "type": _of("type"),
    }),
}


@dataclass(frozen=True)
class Listed:
    """A thing with what belongs to it.

    Attributes:
        noun: The thing.
        children: What belongs to it, in the order of showing.
    """

    noun: Noun
    children: Sequence[Noun] = ()


def of_vm(vm: Vm) -> Listed:
    """A machine that was found with details: with its disks and NICs, and its snapshots if those were asked for."""
    return Listed(vm, [*(vm.disks or ()), *(vm.nics or ()), *(vm.snapshots or ())])


def lines(listed: Listed, manager: Manager) -> Iterator[str]:
    """Write a thing as the manual page shows it."""
    yield from _lines(listed.noun, manager, "")
    for child in listed.children:
        yield from _lines(child, manager, NESTED)


def _lines(noun: Noun, manager: Manager, indent: str) -> Iterator[str]:
    title, keys = LAYOUTS[type(noun)]
    yield f"{indent}{title}: [{_name(noun)}]"
    for key, read in keys.items():
        text = _text(read(noun, manager))
        if text:
            yield f"{indent}  {key}: {text}"


def _name(noun: Noun) -> str:
    if isinstance(noun, Snapshot):
        return noun.description or noun.id
    return noun.name or getattr(noun, "alias", None) or noun.id


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def as_object(listed: Listed, manager: Manager) -> dict[str, Any]:
    """The same for JSON: keys with values of their own types, children under their titles."""
    found = _object(listed.noun, manager)
    for child in listed.children:
        found.setdefault(LAYOUTS[type(child)][0], []).append(_object(child, manager))
    return found


def _object(noun: Noun, manager: Manager) -> dict[str, Any]:
    title, keys = LAYOUTS[type(noun)]
    values = {key: read(noun, manager) for key, read in keys.items()}
    return {"kind": title, "name": _name(noun), **{k: v for k, v in values.items() if v not in (None, (), "")}}
