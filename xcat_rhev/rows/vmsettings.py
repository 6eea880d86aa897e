"""What has no column of its own in the vm table: `vm.othersettings`, pairs joined by semicolons.

    ha:yes;ha_priority:50;tags:web,-old;affinity_groups:apart;init:cloud-init;user:root;nic:eth0,dhcp

A pair is written `name:value` or `name=value`. `nic` and `custom` may be there several times. -NAME takes a tag, an
affinity group or a custom property away; what is not named stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any, Callable

from ..errors import Usage
from ..secret import Secret
from ..units import KIB
from .guest import Guest, GuestNic
from .placement import HugePages, cpu_set, device, huge_pages, node_set
from .vmwords import boot_order, split_list, yes_or_no

CLOUD_INIT, SYSPREP = "cloud-init", "sysprep"
NO_LEASE = "none"
#: xCAT's words, and the one that takes both back.
CPU_MODES = ("host-passthrough", "host-model", "custom")
_GPU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
#: The custom property that engines before 4.5 have for virtual GPUs.
MDEV = "mdev_type"
#: Chipset and firmware, as engines write both.
BIOS_TYPES = ("i440fx_sea_bios", "q35_sea_bios", "q35_ovmf", "q35_secure_boot")
#: What every engine takes (MaxIoThreads).
MOST_IO_THREADS = 127
#: What `fit` takes.
NUMA = "numa"
#: The custom property that engines have for huge pages: KiB.
HUGE = "hugepages"
ROLES = ("server", "desktop", "high_performance")
#: What every engine takes for a tag's name (ValidName, 3.0 to 4.5).
_TAG = re.compile(r"[A-Za-z0-9_-]+")
#: The longest host name that sysprep takes.
WINDOWS_NAME = 15


@dataclass(frozen=True)
class Members:
    """A list of names in a row: those that should be there, and those that should not."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class VmSettings:
    """What vm.othersettings says.

    Attributes:
        values: Attributes of the virtual machine, by the name that `Vm` has for them; only those that are given. A
            custom property of None should go.
        tags, not_tags: Tags it should have, and those that it should not.
        affinity_groups, not_groups: Groups of its cluster it should be in, and those that it should not.
        guest: The settings for its guest's first start, or None.
        password_key: The key in the passwd table under which the guest's root password is, or empty.
        boot_once: The boot order of its next start alone.
        lease: The storage domain on which it holds a lease while it runs; `NO_LEASE` for none, empty for unsaid.
        membind: The NUMA nodes of its hypervisor that its memory is on, as `0-1`; `none` for any, empty for unsaid.
        devices: The hypervisor's devices that it should have for itself.
        not_devices: Those that it should not.
        fit: Its CPUs and its memory are placed on as few NUMA nodes as hold them.
        gpus: The types of its virtual GPUs, all of them; None for unsaid.
        pages: The huge pages that its memory is made of.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    affinity_groups: tuple[str, ...] = ()
    not_groups: tuple[str, ...] = ()
    guest: Guest | None = None
    password_key: str = ""
    boot_once: tuple[str, ...] = ()
    lease: str = ""
    membind: str = ""
    devices: tuple[str, ...] = ()
    not_devices: tuple[str, ...] = ()
    fit: bool = False
    pages: HugePages | None = None
    gpus: tuple[str, ...] | None = None

    def attributes(self) -> list[str]:
        """The attributes of a virtual machine that they speak of."""
        more = {"initialization": self.guest, "lease": self.lease}
        return [*self.values, *(name for name, value in more.items() if value)]

    def with_pages(self, memory: int | None) -> VmSettings:
        """The same with the custom property that engines have for huge pages.

        Args:
            memory: What vm.memory says, in bytes.

        Raises:
            Usage: No processor has such pages.
        """
        if self.pages is None:
            return self
        size = self.pages.size_for(memory)
        customs = {**self.values.get("custom_properties", {}), HUGE: str(size // KIB) if size else None}
        return replace(self, values={**self.values, "custom_properties": customs})

    def with_password(self, password: Secret | None) -> VmSettings:
        """The same with the guest's root password."""
        if self.guest is None or password is None:
            return self
        return replace(self, guest=replace(self.guest, root_password=password))


def read_settings(text: str, node: str) -> tuple[VmSettings, list[str]]:
    """Read vm.othersettings as a whole.

    Args:
        text: The column's value.
        node: The node. A guest with settings gets its name as host name, unless another is given.

    Returns:
        The settings, and every fault that was found.
    """
    given: dict[str, list[str]] = {}
    faults: list[str] = []
    for name, value in pairs(text):
        if name not in KNOWN:
            faults.append(f"vm.othersettings holds '{name}'; a manager knows {', '.join(KNOWN)}")
        else:
            given.setdefault(name, []).append(value)
    faults += [
        f"vm.othersettings holds {name} twice"
        for name, values in given.items()
        if len(values) > 1 and name not in _REPEATED
    ]
    read: dict[str, Any] = {}
    for name, values in given.items():
        try:
            read[name] = [KNOWN[name](value) for value in values]
        except Usage as problem:
            faults.append(f"vm.othersettings: {name}: {problem}")
    settings = VmSettings() if faults else _settings(read)
    return settings, faults + list(_joint_faults(settings, read, node))


def _joint_faults(settings: VmSettings, read: Mapping[str, list[Any]], node: str) -> Iterator[str]:
    if settings.lease not in ("", NO_LEASE) and not settings.values.get("ha"):
        yield "vm.othersettings: lease: managers give one to highly available machines only; write ha:yes as well"
    if "hugepage" in read and HUGE in dict(read.get("custom", ())):
        yield f"vm.othersettings: hugepage and custom:{HUGE} say the same; take one out"
    if "fit" in read and "vcpupin" in read:
        yield f"vm.othersettings: fit:{NUMA} chooses the CPUs; take vcpupin out"
    name = settings.guest.host_name or node if settings.guest else ""
    if len(name) > WINDOWS_NAME and SYSPREP in read.get("init", ()):
        yield f"vm.othersettings: hostname: '{name}' is longer than {WINDOWS_NAME} characters, which Windows takes"


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of vm.othersettings, in order."""
    for part in filter(None, (part.strip() for part in text.split(";"))):
        cut = min((part.index(mark) for mark in ":=" if mark in part), default=len(part))
        yield part[:cut].strip(), part[cut + 1 :].strip()


def set_value(text: str, name: str, value: str) -> str:
    """Write vm.othersettings with one value set, or taken out when it is empty; the rest stays as it is written."""
    kept = [part.strip() for part in text.split(";") if part.strip() and next(pairs(part))[0] != name]
    return ";".join(kept + ([f"{name}:{value}"] if value else []))


def _nic(text: str) -> GuestNic:
    name, protocol, *addresses = [*split_list(text), "", ""][: max(2, len(split_list(text)))]
    if protocol not in ("dhcp", "static", "none") or (protocol == "static") != (len(addresses) in (2, 3)):
        raise Usage(f"'{text}' is not a guest NIC", "Write nic:eth0,dhcp or nic:eth0,static,ADDRESS,NETMASK,GATEWAY")
    ip, netmask, gateway = [*addresses, None, None, None][:3]
    for address in filter(None, (ip, gateway)):
        _check(IPv4Address, address, f"'{address}' is not an IPv4 address", "Write it as 10.1.2.3")
    if netmask:
        _check(_netmask, netmask, f"'{netmask}' is not a netmask", "Write it as 255.255.255.0")
    return GuestNic(name, protocol, ip, netmask, gateway)


def _netmask(text: str) -> IPv4Network:
    """A netmask as engines take it: four numbers, ones before zeros."""
    IPv4Address(text)
    return IPv4Network(f"0.0.0.0/{text}")


def _check(read: Callable[[str], object], text: str, problem: str, hint: str) -> None:
    try:
        read(text)
    except ValueError:
        raise Usage(problem, hint) from None


def _servers(text: str) -> tuple[str, ...]:
    servers = split_list(text)
    for server in servers:
        _check(ip_address, server, f"'{server}' is not an address of a name server", "Write addresses joined by commas")
    return servers


def _custom(text: str) -> tuple[str, str | None]:
    """A custom property and its value, None to take it away."""
    name, mark, value = text.partition("=")
    if name.startswith("-") and not mark and name[1:]:
        return name[1:], None
    if not mark or not name:
        raise Usage(f"'{text}' is not a custom property", "Write custom:NAME=VALUE, or custom:-NAME to remove it")
    return name, value


def _role(text: str) -> str:
    if text not in ROLES:
        raise Usage(f"'{text}' is not a type of machine", f"Write one of {', '.join(ROLES)}")
    return text


def _tags(text: str) -> Members:
    members = _members(text)
    for name in (*members.wanted, *members.unwanted):
        if not _TAG.fullmatch(name):
            raise Usage(f"'{name}' cannot be the name of a tag", "Managers allow letters from a to z, digits, _ and -")
    return members


def _members(text: str) -> Members:
    names = dict.fromkeys(split_list(text))
    members = Members(
        tuple(name for name in names if not name.startswith("-")),
        tuple(name[1:] for name in names if name.startswith("-")),
    )
    if not all(members.unwanted) or set(members.wanted) & set(members.unwanted):
        raise Usage(f"'{text}' contradicts itself", "Write NAME for each that it should have, -NAME to remove one")
    return members


def _devices(text: str) -> Members:
    members = _members(text)
    return Members(tuple(map(device, members.wanted)), tuple(map(device, members.unwanted)))


def _pages(text: str) -> HugePages:
    for part in split_list(text):
        if part.partition(":")[0] == "bsr":
            raise Usage("'bsr' belongs to partitions of POWER servers, and no manager has it", "Take it out")
    return huge_pages(text)


def _bios(text: str) -> str:
    word = text.replace("-", "_")
    if word not in BIOS_TYPES:
        raise Usage(f"'{text}' is not a chipset with firmware", f"Write one of {', '.join(BIOS_TYPES)}")
    return word


def _threads(text: str) -> int:
    if not (text.isdigit() and int(text) <= MOST_IO_THREADS):
        raise Usage(f"'{text}' is not a number of I/O threads", f"Write a number from 0 to {MOST_IO_THREADS}")
    return int(text)


def _gpus(text: str) -> tuple[str, ...]:
    """Types of virtual GPUs; `none` for none."""
    kinds = split_list(text)
    if not kinds or not all(_GPU.fullmatch(kind) for kind in kinds):
        raise Usage(f"'{text}' is not a type of virtual GPU", "Write types as rinv HYPERVISOR devices has them")
    return () if kinds == (NO_LEASE,) else kinds


def is_gpus(text: str) -> bool:
    """Are these types of virtual GPUs and nothing else? `nodisplay` in front of them is something else."""
    kinds = split_list(text)
    return bool(kinds) and "nodisplay" not in kinds and all(_GPU.fullmatch(kind) for kind in kinds)


def _fit(text: str) -> bool:
    if text != NUMA:
        raise Usage(f"'{text}' is not a value of fit", f"Write fit:{NUMA}")
    return True


def _cpu_mode(text: str) -> str:
    if text not in CPU_MODES:
        raise Usage(f"'{text}' is not a CPU mode", f"Write one of {', '.join(CPU_MODES)}")
    return text.replace("-", "_")


def _priority(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 100):
        raise Usage(f"'{text}' is not a priority", "Write a number from 1 to 100")
    return int(text)


def _kind(text: str) -> str:
    word = {"cloudinit": CLOUD_INIT}.get(text, text)
    if word not in (CLOUD_INIT, SYSPREP):
        raise Usage(f"'{text}' is not a way to set up a guest", f"Write {CLOUD_INIT} or {SYSPREP}")
    return word


def _switch(text: str) -> bool:
    return yes_or_no(text, "the value")


def _file(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise Usage(f"{path} cannot be read: {reason}") from None


def _key(text: str) -> str:
    return _file(text).strip() if text.startswith("/") else text


#: Every name and how its value is read.
KNOWN: dict[str, Callable[[str], Any]] = {
    "ha": _switch,
    "ha_priority": _priority,
    "tags": _tags,
    "affinity_groups": _members,
    "delete_protected": _switch,
    "stateless": _switch,
    "console": _switch,
    "lease": str,
    "description": str,
    "type": _role,
    "vcpupin": cpu_set,
    "cpumode": _cpu_mode,
    "machine": str,
    "bios": _bios,
    "tpm": _switch,
    "iothreads": _threads,
    "vgpu": _gpus,
    "membind": node_set,
    "devpassthrough": _devices,
    "hugepage": _pages,
    "fit": _fit,
    "custom": _custom,
    "bootonce": boot_order,
    "init": _kind,
    "hostname": str,
    "domain": str,
    "timezone": str,
    "user": str,
    "password": str,
    "sshkey": _key,
    "dns": _servers,
    "search": split_list,
    "nic": _nic,
    "script": _file,
}
_REPEATED = {"nic", "custom"}
_PLAIN = ("ha", "ha_priority", "delete_protected", "stateless", "console", "description", "type")
_FIRMWARE = {"bios": "bios_type", "tpm": "tpm", "iothreads": "io_threads"}
#: xCAT's words for its KVM machines -> attributes.
_OF_XCAT = {"vcpupin": "cpu_pins", "cpumode": "cpu_mode", "machine": "emulated_machine", **_FIRMWARE}
_GUEST = {
    "hostname": "host_name",
    "domain": "domain",
    "timezone": "timezone",
    "user": "user_name",
    "sshkey": "authorized_ssh_keys",
    "script": "custom_script",
}


def _settings(read: Mapping[str, list[Any]]) -> VmSettings:
    one = {name: values[0] for name, values in read.items()}
    values = {name: one[name] for name in _PLAIN if name in one}
    values.update({attribute: one[name] for name, attribute in _OF_XCAT.items() if name in one})
    if "custom" in read:
        values["custom_properties"] = dict(read["custom"])
    devices = one.get("devpassthrough", Members())
    tags, groups = one.get("tags", Members()), one.get("affinity_groups", Members())
    return VmSettings(
        values=values,
        tags=tags.wanted,
        not_tags=tags.unwanted,
        affinity_groups=groups.wanted,
        not_groups=groups.unwanted,
        guest=_guest(read, one),
        password_key=one.get("password", ""),
        boot_once=one.get("bootonce", ()),
        lease=one.get("lease", ""),
        membind=one.get("membind", ""),
        devices=devices.wanted,
        not_devices=devices.unwanted,
        fit=one.get("fit", False),
        pages=one.get("hugepage"),
        gpus=one.get("vgpu"),
    )


def _guest(read: Mapping[str, list[Any]], one: Mapping[str, Any]) -> Guest | None:
    told = {attribute: one[name] for name, attribute in _GUEST.items() if name in one}
    for name in ("dns", "search"):
        if name in one:
            told["dns_servers" if name == "dns" else "dns_search"] = " ".join(one[name])
    if not ("init" in one or told or "nic" in one or "password" in one):
        return None
    return Guest(nics=tuple(read.get("nic", ())), **told)
