"""Finds the disk of a machine for each part of vm.storage.

A part that names its disk is that disk or none. Other parts are matched by their properties, not by their place
in the row, because disks are removed and renamed, and an engine lists them in no order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...engine.nouns import Disk
from ...ordering import natural
from ...rows.vmstorage import DiskRow, is_id
from ...units import show_size


def assign(disks: Sequence[Disk], rows: Sequence[DiskRow]) -> dict[str, Disk]:
    """Find the disk of each part.

    Args:
        disks: Those of the machine.
        rows: The parts.

    Returns:
        Disks by the name of their part; parts that have none are missing.
    """
    left = {disk.id: disk for disk in by_name(disks)}
    found: dict[str, Disk] = {}
    for fits in (_is_named, _is_called_and_alike, _is_alike, _boots_too, _is_so_called):
        for wanted in rows:
            if wanted.name in found or bool(wanted.known) != (fits is _is_named):
                continue
            hit = next((disk for disk in left.values() if fits(disk, wanted)), None)
            if hit is not None:
                found[wanted.name] = left.pop(hit.id)
    return found


def in_order(disks: Sequence[Disk], rows: Sequence[DiskRow], found: Mapping[str, Disk]) -> dict[str, Disk]:
    """Pair what is left of a template's disks with what is left of the row, each in order.

    Args:
        disks: Those of a machine that was made of a template just now.
        rows: The parts of vm.storage.
        found: What `assign` found.
    """
    taken = {disk.id for disk in found.values()}
    pairs: dict[str, Disk] = {}
    for bootable in (True, False):
        left = [disk for disk in by_name(disks) if disk.id not in taken and bool(disk.bootable) == bootable]
        open_ = [row for row in rows if row.name not in found and not row.known and row.bootable == bootable]
        pairs.update(zip((row.name for row in open_), left))
    return pairs


def too_small(disk: Disk, wanted: DiskRow) -> bool:
    """Whether a disk is smaller than its part says; LUNs are not compared."""
    return wanted.sized and disk.size is not None and disk.size < wanted.size


def too_large(disk: Disk, wanted: DiskRow) -> bool:
    """Whether a disk is larger than its part says."""
    return wanted.sized and disk.size is not None and disk.size > wanted.size


def by_name(disks: Iterable[Disk]) -> list[Disk]:
    """Disks in a fixed order."""
    return sorted(disks, key=lambda disk: (natural(disk.name), disk.id))


def faults(disks: Sequence[Disk], rows: Sequence[DiskRow]) -> Iterator[str]:
    """Errors in vm.storage about a machine's disks: a name that several disks have, an id that none has."""
    for wanted in rows:
        hits = [disk for disk in disks if _is_named(disk, wanted)] if wanted.known else []
        if len(hits) > 1:
            yield f"vm.storage names the disk {wanted.known}, and {several(hits)}"
        elif not hits and is_id(wanted.known) and not wanted.existing:
            yield f"it has no disk {wanted.known}, which vm.storage names. Write data={wanted.known} to attach it"


def several(disks: Sequence[Disk]) -> str:
    """The error that several disks have the same name, with how to name one of them."""
    shown = "; ".join(f"{disk.id} ({describe(disk)})" for disk in disks)
    return f"{len(disks)} disks have this name: {shown}. Write the id in place of the name"


def describe(disk: Disk) -> str:
    """A disk's size and place, by which users distinguish disks."""
    size = show_size(disk.size) if disk.size else f"LUN of {show_size(disk.lun_size)}" if disk.lun_size else "LUN"
    where = ", ".join(ref.name or ref.id for ref in disk.storage_domains)
    return f"{size} on {where}" if where else size


def _is_named(disk: Disk, wanted: DiskRow) -> bool:
    return wanted.known in (disk.id, disk.name, disk.alias)


def _is_so_called(disk: Disk, wanted: DiskRow) -> bool:
    """Whether it has the name that this product would give it; engine 3.0 names disks itself, by number."""
    number = wanted.name.rpartition("_Disk")[2]
    called = wanted.name in (disk.name, disk.alias) or disk.name == f"Disk {number}"
    return called and bool(disk.bootable) == wanted.bootable


def _boots_too(disk: Disk, wanted: DiskRow) -> bool:
    return wanted.bootable and bool(disk.bootable)


def _is_alike(disk: Disk, wanted: DiskRow) -> bool:
    domains = {ref.name for ref in disk.storage_domains}
    here = not wanted.domain or wanted.domain in domains or not any(domains)
    sized = disk.size == wanted.size or not wanted.sized and disk.size is not None
    return here and sized and bool(disk.bootable) == wanted.bootable


def _is_called_and_alike(disk: Disk, wanted: DiskRow) -> bool:
    return _is_so_called(disk, wanted) and _is_alike(disk, wanted)
