"""What the tables say about a virtual machine, read and checked as a whole before anything is asked of a manager.

vm.storage        the disks, see vmstorage.py
vm.storagemodel   interface[:format]                    virtio:cow
vm.nics           the NICs, see vmnics.py
vm.cpus           sockets[:cores[:threads]]
vm.host           hypervisor,...                        -hypervisor takes one away
vm.virtflags      placement_affinity=WORD:imageformat=WORD

A word that is not written is not a wish. What a machine gets where the row does not say is a default for making it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable, TypeVar

from ..errors import Usage
from ..secret import Secret
from ..units import GIB, parse_memory
from ..xcat.host import Row, Xcat
from .vmnics import DEFAULT_NICS, NIC_MODELS, NicRow, read_nics
from .vmsettings import VmSettings, read_settings
from .vmstorage import DiskRow, read_storage, typed_disks
from .vmwords import boot_order, mac_addresses, split_list, topology

COLUMNS = (
    "host",
    "datacenter",
    "cluster",
    "master",
    "memory",
    "cpus",
    "storage",
    "storagemodel",
    "storageformat",
    "nics",
    "nicmodel",
    "bootorder",
    "virtflags",
    "vidproto",
    "vidmodel",
    "guestostype",
    "othersettings",
)
DEFAULT_CLUSTER = "Default"
BLANK = "Blank"
#: What a machine gets that comes from no template and whose row does not say.
DEFAULT_MEMORY = 2 * GIB
DEFAULT_BOOT = ("network", "hd")

INTERFACES = {
    "virtio": "virtio",
    "ide": "ide",
    "scsi": "virtio_scsi",
    "virtio_scsi": "virtio_scsi",
    "virtio-scsi": "virtio_scsi",
    "sata": "sata",
    "spapr_vscsi": "spapr_vscsi",
}
#: xCAT's word -> format, and whether space is given as it is needed (None: as the storage domain does it).
FORMATS: dict[str, tuple[str, bool | None]] = {
    "cow": ("cow", True),
    "qcow2": ("cow", True),
    "raw": ("raw", None),
    "fullraw": ("raw", False),
}
AFFINITIES = ("migratable", "user_migratable", "pinned")
VIDEO_OF = {"qxl": "spice", "vga": "vnc", "cirrus": "vnc"}
#: Flags that xCAT's other plugins use, and that say nothing here.
_FOREIGN_FLAGS = ("clonemethod",)

T = TypeVar("T")


@dataclass(frozen=True)
class VmRow:
    """A virtual machine as the tables describe it. None, and no text, mean that they do not say.

    Attributes:
        node: Its name.
        hosts: The hypervisors that it should run on.
        not_hosts: Those that it should no longer be bound to.
        center: Its data center.
        cluster: Its cluster.
        template: What it is made from; empty for nothing.
        memory: Bytes, whole MiB.
        topology: Sockets, cores, threads.
        disks: Its disks.
        interface, format, sparse: Of its disks, when they are made.
        formatted: The row says the format.
        nics: Its NICs; None where the row does not say.
        nic_model: Of its NICs.
        macs: From mac.mac: that of the NIC it is installed through, then those of the others in order.
        boot: Boot devices in order, in the manager's words.
        display: vnc or spice.
        affinity: migratable, user_migratable, pinned.
        os_type: The manager's word for its operating system.
        settings: What vm.othersettings says.
    """

    node: str
    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    center: str = ""
    cluster: str = ""
    template: str = ""
    memory: int | None = None
    topology: tuple[int, int, int] | None = None
    disks: tuple[DiskRow, ...] = ()
    interface: str = "virtio"
    format: str = "cow"
    sparse: bool | None = True
    formatted: bool = False
    nics: tuple[NicRow, ...] | None = None
    nic_model: str = ""
    macs: tuple[str, ...] = ()
    boot: tuple[str, ...] = ()
    display: str = ""
    affinity: str = ""
    os_type: str = ""
    settings: VmSettings = field(default_factory=VmSettings)

    def new_nics(self) -> tuple[NicRow, ...]:
        """The NICs that it is made with, besides those of its template."""
        if self.nics is not None:
            return self.nics
        return () if self.template else DEFAULT_NICS

    def mac_of(self, name: str) -> str:
        """The address that mac.mac has for one of its NICs, or empty."""
        nics = sorted(self.new_nics(), key=lambda nic: not nic.install)
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
    xcat: Xcat, nodes: Sequence[str], typed: Typed | None = None
) -> tuple[dict[str, VmRow], dict[str, list[str]]]:
    """Read the rows of some virtual machines and check every column of every row.

    Args:
        host: The xCAT around.
        nodes: The machines.
        typed: What takes the place of their columns.

    Returns:
        The rows without fault by node, and the faults of the others by node, each with what to change.
    """
    rows = xcat.node_attrs("vm", nodes, COLUMNS + ("mgr",))
    macs = xcat.node_attrs("mac", nodes, ["mac"])
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
    return _with_passwords(xcat, good, faults), faults


def _with_passwords(xcat: Xcat, rows: Mapping[str, VmRow], faults: dict[str, list[str]]) -> dict[str, VmRow]:
    """Fetch what vm.othersettings names by a key of the passwd table, each once; one that is not there is a fault."""
    keys = {row.settings.password_key for row in rows.values()} - {""}
    found = {
        key: next((entry["password"] for entry in xcat.rows("passwd", {"key": key}) if "password" in entry), "")
        for key in keys
    }
    for node, row in rows.items():
        key = row.settings.password_key
        if key and not found[key]:
            faults[node] = [
                f"vm.othersettings: password: the passwd table has no password with key={key}. "
                f"Run: chtab key={key} passwd.username=root passwd.password=PASSWORD"
            ]
    return {node: _with_password(row, found) for node, row in rows.items() if node not in faults}


def _with_password(row: VmRow, passwords: Mapping[str, str]) -> VmRow:
    password = passwords.get(row.settings.password_key)
    return replace(row, settings=row.settings.with_password(Secret(password))) if password else row


class _Reader:
    """Reads one row; a fault is noted and the reading goes on, so that all are reported at once."""

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
        hosts, away = self._hosts()
        memory = typed.memory or self._take("memory", lambda text: parse_memory(text, "vm.memory"), "4g")
        return VmRow(
            node=self.node,
            hosts=hosts,
            not_hosts=away,
            center=row.get("datacenter", ""),
            cluster=row.get("cluster", ""),
            template=template,
            memory=memory,
            topology=typed.topology or self._take("cpus", lambda text: topology(text, "vm.cpus"), "2:1"),
            disks=self._disks(typed.sizes),
            interface=self._word("storagemodel", INTERFACES, row.get("storagemodel", "").split(":")[0] or "virtio"),
            format=disk_format,
            sparse=sparse,
            formatted=bool(self._format_words(flags)),
            nics=read_nics(row.get("nics", ""), partial(self._fault, "nics")),
            nic_model=self._word("nicmodel", {name: name for name in NIC_MODELS}, row.get("nicmodel", "")),
            macs=self._take("mac", lambda text: mac_addresses(text, self.node), "") or (),
            boot=self._take("bootorder", lambda text: boot_order(text, "vm.bootorder"), "network,hd") or (),
            display=self._display(),
            affinity=self._affinity(flags),
            os_type=row.get("guestostype", ""),
            settings=self._settings(memory),
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
            self._fault(
                "virtflags",
                f"has placement_affinity '{word}', not one of {', '.join(AFFINITIES)}",
                "placement_affinity=migratable",
            )
        return word

    def _hosts(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The hypervisors that vm.host names, and those that it takes away."""
        names = dict.fromkeys(split_list(self.row.get("host", "")))
        away = tuple(name[1:] for name in names if name.startswith("-"))
        wanted = tuple(name for name in names if not name.startswith("-"))
        if not all(away) or set(wanted) & set(away):
            self._fault("host", f"is '{self.row['host']}': write hypervisors, and -HYPERVISOR to remove one", "rhevh1")
        return wanted, away

    def _format(self, flags: Mapping[str, str]) -> tuple[str, bool | None]:
        """storageformat says it first, then the second word of storagemodel, then the flag that KVM has for it."""
        for column, word in self._format_words(flags):
            if word.lower() not in FORMATS:
                self._fault(
                    column,
                    f"has the disk format '{word}', not one of {', '.join(FORMATS)}",
                    {"storagemodel": "virtio:cow", "virtflags": "imageformat=raw"}.get(column, "cow"),
                )
            else:
                return FORMATS[word.lower()]
        return FORMATS["cow"]

    def _format_words(self, flags: Mapping[str, str]) -> list[tuple[str, str]]:
        """Columns that say a format, and what they say."""
        words = {
            "storageformat": self.row.get("storageformat", ""),
            "storagemodel": self.row.get("storagemodel", "").partition(":")[2],
            "virtflags": flags.get("imageformat", ""),
        }
        return [(column, word) for column, word in words.items() if word]

    def _disks(self, sizes: Sequence[int]) -> tuple[DiskRow, ...]:
        text = self.row.get("storage", "")
        if sizes:
            return tuple(typed_disks(self.node, text, sizes))
        return read_storage(text, self.node, partial(self._fault, "storage"))

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

    def _settings(self, memory: int | None) -> VmSettings:
        settings, faults = read_settings(self.row.get("othersettings", ""), self.node)
        self.faults += faults
        try:
            return settings.with_pages(memory)
        except Usage as problem:
            self.faults.append(f"vm.othersettings: hugepage: {problem}")
            return settings
