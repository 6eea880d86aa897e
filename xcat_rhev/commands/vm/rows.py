"""What the tables say about a virtual machine, read and checked as a whole before anything is asked of a manager.

    vm.storage        domain:size[:system|data]|...         the first is the boot disk unless one says system
    vm.storagemodel   interface[:format]                    virtio:cow
    vm.nics           network:name[:yes]|...                yes marks the one that the node is installed through
    vm.cpus           sockets[:cores[:threads]]
    vm.virtflags      placement_affinity=WORD:imageformat=WORD
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Callable, TypeVar

from ...errors import Usage
from ...secret import Secret
from ...units import GIB, parse_memory, parse_size
from ...xcat.host import Host, Row
from .settings import Settings, read_settings
from .words import boot_order, mac_addresses, topology

COLUMNS = (
    "host", "cluster", "master", "memory", "cpus", "storage", "storagemodel", "storageformat", "nics", "nicmodel",
    "bootorder", "virtflags", "vidproto", "vidmodel", "guestostype", "othersettings",
)
DEFAULT_CLUSTER = "Default"
BLANK = "Blank"
#: What a machine gets that comes from no template and whose row does not say.
DEFAULT_MEMORY = 2 * GIB
DEFAULT_DISK = 5 * GIB
DEFAULT_BOOT = ("network", "hd")

INTERFACES = {
    "virtio": "virtio", "ide": "ide", "scsi": "virtio_scsi", "virtio_scsi": "virtio_scsi", "virtio-scsi": "virtio_scsi",
    "sata": "sata", "spapr_vscsi": "spapr_vscsi",
}
#: xCAT's word -> format, and whether space is given as it is needed (None: as the storage domain does it).
FORMATS: dict[str, tuple[str, bool | None]] = {
    "cow": ("cow", True), "qcow2": ("cow", True), "raw": ("raw", None), "fullraw": ("raw", False),
}
NIC_MODELS = ("virtio", "e1000", "e1000e", "rtl8139", "rtl8139_virtio", "spapr_vlan", "pci_passthrough")
AFFINITIES = ("migratable", "user_migratable", "pinned")
VIDEO_OF = {"qxl": "spice", "vga": "vnc", "cirrus": "vnc"}
#: Flags that xCAT's other plugins use, and that say nothing here.
_FOREIGN_FLAGS = ("clonemethod",)

T = TypeVar("T")


@dataclass(frozen=True)
class DiskRow:
    """One part of vm.storage.

    Attributes:
        name: What the disk is called: the engine's own way of naming, `vm1_Disk1`.
        domain: The storage domain; empty where there is only one to choose.
        size: Bytes.
        bootable: The boot disk.
    """

    name: str
    domain: str
    size: int
    bootable: bool = False


@dataclass(frozen=True)
class NicRow:
    """One part of vm.nics.

    Attributes:
        name: What the NIC is called.
        network: The logical network; empty means that of the management of the cluster.
        install: The node is installed through it, so mac.mac is its address.
    """

    name: str
    network: str
    install: bool = False


@dataclass(frozen=True)
class VmRow:
    """A virtual machine as the tables describe it. None, and no text, mean that they do not say.

    Attributes:
        node: Its name.
        host: The hypervisor that it shall run on.
        cluster: Its cluster.
        template: What it is made from; empty for nothing.
        memory: Bytes, whole MiB.
        topology: Sockets, cores, threads.
        disks: Its disks.
        interface, format, sparse: Of its disks.
        nics: Its NICs; None where neither a column nor the default says anything: those of the template.
        nic_model: Of its NICs.
        macs: From mac.mac: that of the NIC it is installed through, then those of the others in order.
        boot: Boot devices in order, in the manager's words.
        display: vnc or spice.
        affinity: migratable, user_migratable, pinned.
        os_type: The manager's word for its operating system.
        settings: What vm.othersettings says.
    """

    node: str
    host: str = ""
    cluster: str = ""
    template: str = ""
    memory: int | None = None
    topology: tuple[int, int, int] | None = None
    disks: tuple[DiskRow, ...] = ()
    interface: str = "virtio"
    format: str = "cow"
    sparse: bool | None = True
    nics: tuple[NicRow, ...] | None = None
    nic_model: str = ""
    macs: tuple[str, ...] = ()
    boot: tuple[str, ...] = ()
    display: str = ""
    affinity: str = ""
    os_type: str = ""
    settings: Settings = field(default_factory=Settings)

    def mac_of(self, name: str) -> str:
        """The address that mac.mac has for one of its NICs, or empty."""
        nics = sorted(self.nics or (), key=lambda nic: not nic.install)
        return dict(zip((nic.name for nic in nics), self.macs)).get(name, "")


@dataclass(frozen=True)
class Typed:
    """What was typed in the place of table columns, as `VmRow` has it; None, and empty, where nothing was.

    Attributes:
        sizes: Of its disks, in bytes.
        memory: Bytes, whole MiB.
        topology: Sockets, cores, threads.
        master: The template.
    """

    sizes: tuple[int, ...] = ()
    memory: int | None = None
    topology: tuple[int, int, int] | None = None
    master: str = ""


def read_rows(
    host: Host, nodes: Sequence[str], typed: Typed | None = None
) -> tuple[dict[str, VmRow], dict[str, list[str]]]:
    """Read the rows of some virtual machines and check every column of every row.

    Args:
        host: The xCAT around.
        nodes: The machines.
        typed: What takes the place of their columns.

    Returns:
        The rows without fault by node, and the faults of the others by node, each with what to change.
    """
    rows = host.node_attrs("vm", nodes, COLUMNS + ("mgr",))
    macs = host.node_attrs("mac", nodes, ["mac"])
    good: dict[str, VmRow] = {}
    faults: dict[str, list[str]] = {}
    for node in nodes:
        if not rows[node]:
            faults[node] = [f"has NOT entry in vm table. Run: chtab node={node} vm.memory=4g vm.storage=DOMAIN:20g"]
            continue
        reader = _Reader(node, {**rows[node], "mac": macs[node].get("mac", "")})
        good[node] = reader.read(typed or Typed())
        if reader.faults:
            faults[node] = reader.faults
            del good[node]
    return _with_passwords(host, good), faults


def _with_passwords(host: Host, rows: Mapping[str, VmRow]) -> dict[str, VmRow]:
    """Fetch what vm.othersettings names by a key of the passwd table, each key once."""
    keys = {row.settings.password_key for row in rows.values()} - {""}
    found = {key: next((entry["password"] for entry in host.rows("passwd", {"key": key}) if "password" in entry), "")
             for key in keys}
    return {node: _with_password(row, found) for node, row in rows.items()}


def _with_password(row: VmRow, passwords: Mapping[str, str]) -> VmRow:
    password = passwords.get(row.settings.password_key)
    if not password:
        return row
    return replace(row, settings=row.settings.with_password(Secret(password)))


class _Reader:
    """Reads one row; a fault is noted and the reading goes on, so that all are told at once."""

    def __init__(self, node: str, row: Row) -> None:
        self.node = node
        self.row = row
        self.faults: list[str] = []

    def read(self, typed: Typed) -> VmRow:
        row = self.row
        master = typed.master or row.get("master", BLANK)
        template = "" if master == BLANK else master
        flags = self._flags()
        disk_format, sparse = self._format(flags)
        return VmRow(
            node=self.node, host=row.get("host", ""), cluster=row.get("cluster", ""), template=template,
            memory=typed.memory or self._take("memory", lambda text: parse_memory(text, "vm.memory"), "4g"),
            topology=typed.topology or self._take("cpus", lambda text: topology(text, "vm.cpus"), "2:1"),
            disks=self._typed_disks(typed.sizes) if typed.sizes else self._disks(),
            interface=self._word("storagemodel", INTERFACES, row.get("storagemodel", "").split(":")[0] or "virtio"),
            format=disk_format, sparse=sparse, nics=self._nics(template),
            nic_model=self._word("nicmodel", {name: name for name in NIC_MODELS}, row.get("nicmodel", "")),
            macs=self._take("mac", lambda text: mac_addresses(text, self.node), "") or (),
            boot=self._take("bootorder", lambda text: boot_order(text, "vm.bootorder"), "network,hd") or (),
            display=self._display(),
            affinity=self._affinity(flags), os_type=row.get("guestostype", ""), settings=self._settings(),
        )

    def _fault(self, column: str, text: str, example: str) -> None:
        self.faults.append(f"vm.{column} {text}. Run: chtab node={self.node} 'vm.{column}={example}'")

    def _take(self, column: str, parse: Callable[[str], T], example: str) -> T | None:
        """Read a column that has its own parser, which names it; without an example the parser gives one too."""
        text = self.row.get(column, "")
        if not text:
            return None
        try:
            return parse(text)
        except Usage as problem:
            hint = f"Run: chtab node={self.node} 'vm.{column}={example}'" if example else problem.hint
            self.faults.append(f"{problem.text}. {hint}")
            return None

    def _word(self, column: str, known: Mapping[str, str], word: str) -> str:
        found = known.get(word.lower(), "")
        if word and not found:
            self._fault(column, f"is '{word}', not one of {', '.join(known)}", next(iter(known)))
        return found

    def _flags(self) -> dict[str, str]:
        parts = [part.partition("=") for part in self.row.get("virtflags", "").split(":") if part]
        return {name: value for name, _, value in parts if name not in _FOREIGN_FLAGS}

    def _affinity(self, flags: Mapping[str, str]) -> str:
        word = flags.get("placement_affinity", "")
        if word and word not in AFFINITIES:
            self._fault("virtflags", f"has placement_affinity '{word}', not one of {', '.join(AFFINITIES)}",
                        "placement_affinity=migratable")
        if word == "pinned" and not self.row.get("host"):
            self._fault("virtflags", "has placement_affinity 'pinned', but vm.host does not say where",
                        "placement_affinity=migratable")
        return word

    def _format(self, flags: Mapping[str, str]) -> tuple[str, bool | None]:
        """storageformat says it first, then the second word of storagemodel, then the flag that KVM has for it."""
        _, _, of_model = self.row.get("storagemodel", "").partition(":")
        for column, word in (
            ("storageformat", self.row.get("storageformat", "")), ("storagemodel", of_model),
            ("virtflags", flags.get("imageformat", "")),
        ):
            if word and word.lower() not in FORMATS:
                self._fault(column, f"has the disk format '{word}', not one of {', '.join(FORMATS)}",
                            {"storagemodel": "virtio:cow", "virtflags": "imageformat=raw"}.get(column, "cow"))
            elif word:
                return FORMATS[word.lower()]
        return FORMATS["cow"]

    def _disks(self) -> tuple[DiskRow, ...]:
        parts = [part.strip() for part in self.row.get("storage", "").split("|") if part.strip()]
        read = [self._disk(number, part) for number, part in enumerate(parts, 1)]
        kinds = [part.split(":")[2:3] for part in parts]
        systems = [number for number, kind in enumerate(kinds) if kind == ["system"]]
        if len(systems) > 1:
            self._fault("storage", f"is '{self.row['storage']}': a machine has one boot disk, so one 'system'",
                        "DOMAIN:20g:system|DOMAIN:100g:data")
        boot = systems[0] if systems else next((n for n, kind in enumerate(kinds) if kind != ["data"]), -1)
        return tuple(
            DiskRow(disk_name(self.node, number + 1), domain, size, number == boot)
            for number, (domain, size) in enumerate(read)
        )

    def _disk(self, number: int, part: str) -> tuple[str, int]:
        domain, size, kind, surplus = [*part.split(":", 3), "", "", ""][:4]
        example = "DOMAIN:20g:system"
        if "/" in part or surplus or not domain:
            self._fault("storage", f"has '{part}', which is not of the form domain:size[:system|data]", example)
            return domain, DEFAULT_DISK
        if kind not in ("", "system", "data"):
            self._fault("storage", f"has the disk type '{kind}', not system or data", example)
        try:
            return domain, (parse_size(size, f"the size of disk {number}") if size else DEFAULT_DISK)
        except Usage as problem:
            self._fault("storage", f"is '{self.row['storage']}': {problem.text}", example)
            return domain, DEFAULT_DISK

    def _typed_disks(self, sizes: Sequence[int]) -> tuple[DiskRow, ...]:
        domain = self.row.get("storage", "").split("|")[0].split(":")[0]
        return tuple(
            DiskRow(disk_name(self.node, number), domain, size, number == 1) for number, size in enumerate(sizes, 1)
        )

    def _nics(self, template: str) -> tuple[NicRow, ...] | None:
        parts = [part.strip() for part in self.row.get("nics", "").split("|") if part.strip()]
        if not parts:
            return None if template else (NicRow("eth0", "", True),)
        nics = [NicRow(*found) for found in map(self._nic, range(len(parts)), parts)]
        names = [nic.name for nic in nics]
        if len(set(names)) < len(names):
            self._fault("nics", f"is '{self.row['nics']}': two NICs have the same name", "rhevm:eth0:yes|lan2:eth1")
        if sum(nic.install for nic in nics) > 1:
            self._fault("nics", f"is '{self.row['nics']}': a node is installed through one NIC, so one 'yes'",
                        "rhevm:eth0:yes|lan2:eth1")
        if not any(nic.install for nic in nics):
            nics[0] = NicRow(nics[0].name, nics[0].network, True)
        return tuple(nics)

    def _nic(self, number: int, part: str) -> tuple[str, str, bool]:
        network, name, install, surplus = [*part.split(":", 3), "", "", ""][:4]
        if surplus or not network or install.lower() not in ("", "yes", "no", "1", "0"):
            self._fault("nics", f"has '{part}', which is not of the form network:name[:yes]", "rhevm:eth0:yes")
        return name or f"eth{number}", network, install.lower() in ("yes", "1")

    def _display(self) -> str:
        wanted, model = self.row.get("vidproto", "").lower(), self.row.get("vidmodel", "").lower()
        if wanted not in ("", "vnc", "spice"):
            self._fault("vidproto", f"is '{wanted}', not vnc or spice", "vnc")
        if not model:
            return wanted
        if model not in VIDEO_OF:
            self._fault("vidmodel", f"is '{model}', not one of {', '.join(VIDEO_OF)}", "qxl")
        elif wanted == "spice" and VIDEO_OF[model] != wanted:
            self._fault("vidmodel", f"is '{model}', but vm.vidproto is spice, which a manager gives qxl", "qxl")
        return wanted or VIDEO_OF.get(model, "")

    def _settings(self) -> Settings:
        settings, faults = read_settings(self.row.get("othersettings", ""), self.node)
        self.faults += faults
        return settings


def disk_name(node: str, number: int) -> str:
    """What the engine itself calls a machine's disks."""
    return f"{node}_Disk{number}"
