"""A machine as the vm and mac tables describe it, and what they cannot describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import Cluster, Disk, Host, Initialization, Nic, StorageDomain, Vm, VmNumaNode
from ...errors import Usage
from ...ordering import natural
from ...rows.placement import PAGES, page_word, write_set
from ...rows.vm import BLANK, VIDEO_OF
from ...rows.vmnics import NicRow
from ...rows.vmnics import write as write_nic
from ...rows.vmsettings import HUGE, MDEV, is_gpus, pairs
from ...rows.vmstorage import NONE, disk_name, writable, written_size
from ...rows.vmstorage import write as write_disk
from ...rows.vmwords import mac_addresses
from ...units import KIB, MIB, show_size
from ...xcat.host import Row
from . import fitting
from .belongings import Belongings
from .connections import written_network

#: What engines show where nothing was set.
_UNSAID = ("", BLANK, "unassigned")
#: What only a row can hold: an engine does not show it, or in another form.
_ONLY_IN_ROWS = ("password", "bootonce", "script", "sshkey", "init")
_SWITCHES = {"delete_protected": "delete_protected", "stateless": "stateless", "console": "console"}
#: Attributes that no column can hold -> their names in messages.
_WORDLESS = {
    "compatibility": "its own compatibility level",
    "cpu_model": "its own CPU model",
    "kernel": "a kernel to boot",
}


#: What engines give to Linux and to Windows.
_USUAL_ZONES = (None, "Etc/GMT", "GMT Standard Time")


@dataclass
class VmDescription:
    """A machine in the notation of the tables.

    Attributes:
        columns: Of the vm table; empty text where the machine has no such thing.
        mac: Of the mac table, or empty where that is right as it is.
        left_out: What the tables cannot describe.
    """

    columns: dict[str, str] = field(default_factory=dict)
    mac: str = ""
    left_out: list[str] = field(default_factory=list)


def describe(manager: Manager, vm: Vm, has: Belongings, row: Row, mac: str) -> VmDescription:
    """Describe a machine.

    Args:
        manager: Where it is.
        vm: With disks and NICs.
        has: Tags and groups.
        row: What its row in the vm table says already; what only a row can hold is kept.
        mac: What its row in the mac table says already.
    """
    told = VmDescription()
    nics = sorted(vm.nics or (), key=lambda nic: natural(nic.name))
    install = _install(nics, _addresses(mac, vm.name))
    told.columns = {
        "mgr": manager.name,
        "cluster": manager.name_of(Cluster, vm.cluster),
        "host": ",".join(sorted(manager.name_of(Host, ref) for ref in vm.placement_hosts)),  # engines keep no order
        "memory": written_size(vm.memory or 0),
        "cpus": f"{vm.sockets}:{vm.cores or 1}:{vm.threads or 1}".removesuffix(":1") if vm.sockets else "",
        "bootorder": ",".join(vm.boot),
        "vidproto": (vm.display_type or "").lower(),
        "master": manager.template_label(vm.template),
        "guestostype": vm.os_type or "",
        "virtflags": _flags(vm, row),
        **_disks(manager, vm, told.left_out),
        **_nics(manager, nics, install, told.left_out),
        "othersettings": ";".join(f"{name}:{value}" for name, value in _settings(manager, vm, has, row, told.left_out)),
    }
    told.columns = {column: "" if value in _UNSAID else value for column, value in told.columns.items()}
    if row.get("storageformat"):
        told.columns["storageformat"] = ""  # storagemodel says it
    if VIDEO_OF.get(row.get("vidmodel", ""), told.columns["vidproto"]) != told.columns["vidproto"]:
        told.columns["vidmodel"] = ""
    if install is not None and install.mac and (install.mac or "").lower() not in _addresses(mac, vm.name)[:1]:
        told.mac = install.mac
    told.left_out += _wordless(vm, nics, _placement(vm, has, row), has.nodes.get(vm.id, ()))
    return told


def _addresses(text: str, node: str) -> tuple[str, ...]:
    try:
        return mac_addresses(text, node)
    except Usage:
        return ()


def _install(nics: Sequence[Nic], addresses: Sequence[str]) -> Nic | None:
    """The NIC that the node is installed through: that of the address which is known, else the first on a network."""
    known = (nic for nic in nics if (nic.mac or "").lower() in addresses[:1])
    connected = (nic for nic in nics if nic.network)
    return next(known, None) or next(connected, None) or next(iter(nics), None)


def _flags(vm: Vm, row: Row) -> str:
    kept = [flag for flag in row.get("virtflags", "").split(":") if flag and not flag.startswith("placement_affinity=")]
    return ":".join(([f"placement_affinity={vm.affinity}"] if vm.affinity else []) + kept)


# disks ---------------------------------------------------------------------------------------------------------------


def _disks(manager: Manager, vm: Vm, left_out: list[str]) -> Mapping[str, str]:
    disks = sorted(vm.disks or (), key=lambda disk: (not disk.bootable, natural(disk.name), disk.id))
    if not disks:
        return {"storage": NONE, "storagemodel": ""}
    first = next((disk for disk in disks if not disk.is_lun), disks[0])
    model = ((first.interface or "virtio").lower(), (first.format or "cow").lower())
    others = [
        disk.name or disk.id for disk in disks if not disk.is_lun and not disk.shareable and _model(disk) != model
    ]
    if others:
        left_out.append(f"the bus or format of {', '.join(others)}")
    names = [disk.name for disk in disks]
    # Names that would come by themselves are not written, if all do: they are counted without those that are written.
    usual = names == [disk_name(vm.name, number) for number in range(1, len(disks) + 1)]
    parts = []
    for disk in disks:
        unique = names.count(disk.name) == 1 and writable(disk.name)
        known = disk.name if unique else disk.id
        if not unique and not disk.is_lun and not disk.shareable:
            left_out.append(f"the name of the disk {disk.name or disk.id}")
        parts.append(_disk(manager, disk, "" if usual else known))
    return {"storage": "|".join(parts), "storagemodel": ":".join(model)}


def _model(disk: Disk) -> tuple[str, str]:
    return (disk.interface or "virtio").lower(), (disk.format or "cow").lower()


def _disk(manager: Manager, disk: Disk, known: str) -> str:
    bootable = bool(disk.bootable)
    domain = next((manager.name_of(StorageDomain, ref) for ref in disk.storage_domains), "")
    if disk.is_lun or disk.shareable or not domain:
        return write_disk("", "", bootable, disk.id)
    return write_disk(domain, written_size(disk.size or 0), bootable, known)


# NICs ----------------------------------------------------------------------------------------------------------------


def _nics(manager: Manager, nics: Sequence[Nic], install: Nic | None, left_out: list[str]) -> Mapping[str, str]:
    if not nics or install is None:
        return {"nics": NONE, "nicmodel": ""}
    usual = (install.interface or "virtio").lower()
    parts = []
    for nic in sorted(nics, key=lambda nic: (nic is not install, natural(nic.name))):
        model = (nic.interface or "virtio").lower()
        network = written_network(manager, nic)
        if network == "":
            left_out.append(f"the network of {nic.name}")
            network = ""
        row = NicRow(nic.name, network, nic is install, model if model != usual else "")
        parts.append(write_nic(row))
        if nic.plugged is False or nic.linked is False:
            left_out.append(f"{nic.name} is {'unplugged' if nic.plugged is False else 'without link'}")
    return {"nics": "|".join(parts), "nicmodel": usual}


# vm.othersettings ----------------------------------------------------------------------------------------------------


def _settings(manager: Manager, vm: Vm, has: Belongings, row: Row, left_out: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs of vm.othersettings: first those that only a row can hold."""
    present = list(pairs(row.get("othersettings", "")))
    words = {name for name, _ in present}
    yield from (pair for pair in present if pair[0] in _ONLY_IN_ROWS)
    yield from _availability(manager, vm, words)
    for attribute, word in _SWITCHES.items():
        value = getattr(vm, attribute)
        if value or word in words and value is not None:
            yield word, "yes" if value else "no"
    if vm.type and vm.type != "server":
        yield "type", vm.type
    yield from _processor(vm, words)
    yield from _firmware(manager, vm, words)
    yield from _placement(vm, has, row).items()
    plain = [("description", vm.description or ""), *_customs(vm, row), *_guest(vm.initialization, words, left_out)]
    for word, value in plain:
        if not value:
            continue
        if _fits(value):
            yield word, value
        else:
            left_out.append(f"custom property {value.partition('=')[0]}" if word == "custom" else word)
    for word, names in (("tags", has.tags.get(vm.id, ())), ("affinity_groups", has.groups.get(vm.id, ()))):
        written = [name for name in names if _fits(name) and "," not in name and not name.startswith("-")]
        left_out += [f"{word}: {name}" for name in names if name not in written]
        if written:
            yield word, ",".join(written)


def _availability(manager: Manager, vm: Vm, words: set[str]) -> Iterator[tuple[str, str]]:
    if vm.ha or "ha" in words:
        yield "ha", "yes" if vm.ha else "no"
    if vm.ha and 1 <= (vm.ha_priority or 0) <= 100:
        yield "ha_priority", str(vm.ha_priority)
    if vm.ha and vm.lease and vm.lease.storage_domain:
        yield "lease", manager.name_of(StorageDomain, vm.lease.storage_domain)


def _customs(vm: Vm, row: Row) -> Iterator[tuple[str, str]]:
    gpus = _gpus_by_property(vm, row)
    customs = {
        name: value
        for name, value in (vm.custom_properties or {}).items()
        if not (_huge(name, value) or name == MDEV and gpus)
    }
    return (("custom", f"{name}={value}") for name, value in sorted(customs.items()))


def _guest(told: Initialization | None, words: set[str], left_out: list[str]) -> Iterator[tuple[str, str]]:
    if told is None:
        return
    yield "hostname", told.host_name or ""
    yield "domain", told.domain or ""
    yield "timezone", told.timezone or ""
    yield "user", told.user_name or ""
    yield "dns", ",".join((told.dns_servers or "").split())
    yield "search", ",".join((told.dns_search or "").split())
    if told.authorized_ssh_keys and "sshkey" not in words:
        yield "sshkey", told.authorized_ssh_keys
    for nic in told.nic_configurations:
        addresses = [nic.ip, nic.netmask, nic.gateway] if nic.boot_protocol == "static" else []
        yield "nic", ",".join(filter(None, [nic.name, nic.boot_protocol or "none", *addresses]))
    if told.custom_script and "script" not in words:
        left_out.append("the guest's script")


def _fits(value: str) -> bool:
    """Whether vm.othersettings can hold it as it is."""
    return value.isprintable() and ";" not in value and value == value.strip()


# the rest ------------------------------------------------------------------------------------------------------------


def _processor(vm: Vm, words: set[str]) -> Iterator[tuple[str, str]]:
    """xCAT's words for its CPUs and the emulated machine."""
    pins = evenly_pinned(vm)
    if pins and "fit" not in words:
        yield "vcpupin", pins
    if vm.cpu_mode and (vm.cpu_mode.lower() != "custom" or "cpumode" in words):
        yield "cpumode", vm.cpu_mode.lower().replace("_", "-")
    if vm.emulated_machine:
        yield "machine", vm.emulated_machine


def _firmware(manager: Manager, vm: Vm, words: set[str]) -> Iterator[tuple[str, str]]:
    """Chipset and firmware where they are not its cluster's, a TPM, and threads for disks where there are several."""
    bios = (vm.bios_type or "").lower()
    if bios and ("bios" in words or bios != _usual_bios(manager, vm)):
        yield "bios", bios
    if vm.tpm or ("tpm" in words and vm.tpm is not None):
        yield "tpm", "yes" if vm.tpm else "no"
    if (vm.io_threads or 0) > 1 or ("iothreads" in words and vm.io_threads is not None):
        yield "iothreads", str(vm.io_threads)


def _usual_bios(manager: Manager, vm: Vm) -> str:
    """What machines of its cluster have by default; its own value where the cluster has none."""
    home = [cluster for cluster in manager.all(Cluster) if vm.cluster and cluster.id == vm.cluster.id]
    return next((cluster.bios_type for cluster in home if cluster.bios_type), vm.bios_type or "").lower()


def evenly_pinned(vm: Vm) -> str:
    """The CPUs on which all of a machine's own run; nothing where they are not the same for each."""
    sets = {pin.cpu_set or "" for pin in vm.cpu_pins}
    count = (vm.sockets or 1) * (vm.cores or 1) * (vm.threads or 1)
    return sets.pop() if len(sets) == 1 and len(vm.cpu_pins) == count else ""


def _placement(vm: Vm, has: Belongings, row: Row) -> dict[str, str]:
    """What vm.othersettings says of a machine's place on its hypervisor.

    Where its row wants it fitted in, what was chosen is not written.
    """
    present = dict(pairs(row.get("othersettings", "")))
    nodes, devices = has.nodes.get(vm.id, ()), has.devices.get(vm.id, ())
    pages = [_huge(name, value) for name, value in (vm.custom_properties or {}).items()]
    told: dict[str, str] = {word: present[word] for word in ("fit", "membind") if "fit" in present and word in present}
    if "fit" not in present and len(nodes) == 1 and nodes[0].pinned_to:
        cpus = (vm.sockets or 1) * (vm.cores or 1) * (vm.threads or 1)
        wanted = fitting.bind(nodes[0].pinned_to, cpus, (vm.memory or 0) // MIB)
        told["membind"] = write_set(nodes[0].pinned_to) if fitting.same(nodes, wanted, vm.numa_tune_mode) else ""
    told.update(vgpu=",".join(has.gpus.get(vm.id, ())) or _gpus_by_property(vm, row))
    told.update(devpassthrough=",".join(devices), hugepage="".join(filter(None, pages)))
    return {word: value for word, value in told.items() if value}


def _gpus_by_property(vm: Vm, row: Row) -> str:
    """Its virtual GPUs as managers before 4.5 have them, as `vgpu` says them; nothing where its row has them so, too,
    or where more than types stands there."""
    value = (vm.custom_properties or {}).get(MDEV, "")
    return value if is_gpus(value) and f"{MDEV}=" not in row.get("othersettings", "") else ""


def _huge(name: str, value: str) -> str:
    """The size of huge pages as `hugepage` takes it, where a custom property says that."""
    size = int(value) * KIB if name == HUGE and value.isdigit() else 0
    return page_word(size) if size in PAGES else ""


def _wordless(vm: Vm, nics: Sequence[Nic], placed: Mapping[str, str], nodes: Sequence[VmNumaNode]) -> Iterator[str]:
    for attribute, words in _WORDLESS.items():
        if getattr(vm, attribute):
            yield words
    if nodes and not {"fit", "membind"} & set(placed):
        yield "its NUMA nodes"
    if vm.cpu_pins and not evenly_pinned(vm) and "fit" not in placed:
        yield "CPU pinning"
    if vm.timezone not in _USUAL_ZONES:
        yield "its time zone"
    if vm.memory_guaranteed and vm.memory_guaranteed != vm.memory:
        yield f"{show_size(vm.memory_guaranteed)} of guaranteed memory"
    if len(nics) > 1:
        yield "the MAC addresses of its other NICs"
    if (vm.monitors or 1) > 1:
        yield f"{vm.monitors} monitors"
