"""The disks of a virtual machine as `vm.storage` has them.

domain:size[:system|data]|...   the first is the boot disk unless one says system
domain:size:data=NAME           the disk of that name, or of that id; without one it is whichever fits
data=NAME                       a disk that is only attached: a LUN by itself, or one of several machines
none                            no disk
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Callable

from ..errors import Usage
from ..ordering import natural
from ..units import GIB, MIB, parse_size

#: What a disk gets whose row does not say.
DEFAULT_DISK = 5 * GIB
#: The whole value of vm.storage or vm.nics where there should be none.
NONE = "none"
_FORM = "domain:size[:system|data], domain:size:data=NAME or data=NAME"
_EXAMPLE = "DOMAIN:20g:system"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: Takes what is wrong, and a value that would do.
Fault = Callable[[str, str], None]


@dataclass(frozen=True)
class DiskRow:
    """One part of vm.storage.

    Attributes:
        name: What the disk is called when it is made: as the row says, else as the engine itself does, `vm1_Disk1`.
        domain: The storage domain; empty where there is only one to choose.
        size: Bytes, as it is made.
        bootable: The boot disk.
        known: The name or id by which the row says which disk this is, or empty: whichever fits.
        sized: The row says the size; a default is not a wish of a disk that is there.
        existing: It is not made here, only attached.
    """

    name: str
    domain: str
    size: int
    bootable: bool = False
    known: str = ""
    sized: bool = True
    existing: bool = False


def disk_name(node: str, number: int) -> str:
    """What the engine itself calls a machine's disks."""
    return f"{node}_Disk{number}"


def is_id(text: str) -> bool:
    """Whether it is one of the engine's ids."""
    return bool(_ID.fullmatch(text))


def parts_of(text: str) -> list[str]:
    """The parts of vm.storage, as they are written."""
    parts = [part.strip() for part in text.split("|") if part.strip()]
    return [] if [part.lower() for part in parts] == [NONE] else parts


def read_storage(text: str, node: str, fault: Fault) -> tuple[DiskRow, ...]:
    """Read vm.storage.

    Args:
        text: The column.
        node: The node whose disks they are.
        fault: Called for all that is wrong.
    """
    read = [_part(number, part, fault) for number, part in enumerate(parts_of(text), 1)]
    systems = [number for number, (_, kind) in enumerate(read) if kind == "system"]
    if len(systems) > 1:
        fault(f"is '{text}': a machine has one boot disk, so one 'system'", "DOMAIN:20g:system|DOMAIN:100g:data")
    named = [disk.known for disk, _ in read if disk.known]
    for name in sorted({name for name in named if named.count(name) > 1}, key=natural):
        fault(f"names the disk '{name}' twice", "DOMAIN:20g:system|DOMAIN:100g:data")
    usual = next((n for n, (disk, kind) in enumerate(read) if kind != "data" and not disk.existing), -1)
    boot = systems[0] if systems else usual
    free = (disk_name(node, number) for number in count(1) if disk_name(node, number) not in named)
    return tuple(
        replace(disk, name=disk.name or next(free), bootable=number == boot) for number, (disk, _) in enumerate(read)
    )


def _part(number: int, part: str, fault: Fault) -> tuple[DiskRow, str]:
    """One part, and the word for its kind."""
    head, named, known = (text.strip() for text in part.partition("="))
    words = head.split(":")
    kind = words.pop() if named else ([*words, "", ""][2])
    domain, size, _, surplus = [*words, "", "", "", ""][:4]
    existing = bool(named) and not words
    if "/" in head or surplus or not domain and not existing or named and not known:
        fault(f"has '{part}', which is not of the form {_FORM}", _EXAMPLE)
        return DiskRow("", domain, DEFAULT_DISK), ""
    if kind not in ("", "system", "data"):
        fault(f"has the disk type '{kind}', not system or data", _EXAMPLE)
    name = "" if is_id(known) else known
    bytes_ = _size(part, size, number, fault) if size else 0 if existing else DEFAULT_DISK
    return DiskRow(name, domain, bytes_, known=known, sized=bool(size), existing=existing), kind


def _size(part: str, text: str, number: int, fault: Fault) -> int:
    try:
        return parse_size(text, f"the size of disk {number}")
    except Usage as problem:
        fault(f"has '{part}': {problem.text}", _EXAMPLE)
        return DEFAULT_DISK


def typed_disks(node: str, text: str, sizes: Sequence[int]) -> Iterator[DiskRow]:
    """Disks whose sizes were typed: on the storage domain of the row's first.

    Args:
        node: The node.
        text: vm.storage.
        sizes: In bytes.
    """
    first = next((part.split(":")[0] for part in parts_of(text) if not _is_existing(part)), "")
    for number, size in enumerate(sizes, 1):
        yield DiskRow(disk_name(node, number), first, size, number == 1)


def on_domain(text: str, domain: str) -> str:
    """vm.storage when the disks that are made by it are on another domain."""
    parts = parts_of(text)
    there = [part if _is_existing(part) else ":".join([domain, *part.split(":")[1:]]) for part in parts]
    return "|".join(there) if parts else text


def _is_existing(part: str) -> bool:
    head, named, _ = part.partition("=")
    return bool(named) and ":" not in head


def write(domain: str, size: str, bootable: bool, known: str = "") -> str:
    """Write one part of vm.storage.

    Args:
        domain: The storage domain; empty for a disk that is only attached.
        size: As vm.storage has sizes.
        bootable: The boot disk.
        known: The name or id that says which disk it is, or empty.
    """
    text = ":".join(filter(None, (domain, size, "system" if bootable else "data")))
    return f"{text}={known}" if known else text


def writable(name: str) -> bool:
    """Whether vm.storage can hold that name."""
    return bool(name) and name == name.strip() and name.isprintable() and "|" not in name and not is_id(name)


def written_size(size: int) -> str:
    """Bytes as the vm table has them, exactly."""
    for factor, suffix in ((GIB, "g"), (MIB, "m")):
        if size and size % factor == 0:
            return f"{size // factor}{suffix}"
    return f"{size}b" if size else ""
