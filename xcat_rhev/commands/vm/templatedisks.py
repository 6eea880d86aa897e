"""What a row asks of the disks that a new machine gets from its template: where they are, and in which format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...engine.nouns import Disk, StorageDomain
from ...rows.vm import VmRow
from ...rows.vmstorage import DiskRow
from ...units import show_size
from .diskmatch import assign, in_order, too_small


def pair(row: VmRow, disks: Sequence[Disk]) -> Iterator[tuple[DiskRow, Disk]]:
    """The parts of vm.storage that a template's disks become: matching ones, then the others in order."""
    found = assign(disks, row.disks)
    found.update(in_order(disks, row.disks, found))
    return ((part, found[part.name]) for part in row.disks if part.name in found and not part.existing)


def copies(row: VmRow, disks: Sequence[Disk], domains: Mapping[str, StorageDomain], detached: bool) -> list[Disk]:
    """The disks to send when the machine is made.

    A machine that depends on its template has its disks where the template has them, in the only format that can
    depend on another; an independent one may have any format.

    Args:
        row: The machine's.
        disks: The template's.
        domains: Storage domains by name.
        detached: It becomes independent.
    """
    told = []
    for part, disk in pair(row, disks):
        where = (domains[part.domain].ref,) if part.domain else None
        form = {"format": row.format, "sparse": row.sparse} if detached and row.formatted else {}
        if where or form:
            told.append(Disk(id=disk.id, storage_domains=where, **form))
    return told


def placement_faults(row: VmRow, disks: Sequence[Disk], domains: Mapping[str, StorageDomain]) -> Iterator[str]:
    """Why a machine cannot both depend on its template and have its disks where the row says."""
    names = {domain.id: name for name, domain in domains.items()}
    for part, disk in pair(row, disks):
        there = [names.get(ref.id, ref.name or ref.id) for ref in disk.storage_domains]
        if part.domain in domains and there and part.domain not in there:
            yield (
                f"the template {row.template} has the disk {disk.name or disk.id} on {', '.join(there)}, not on "
                f"{part.domain}, and a machine that depends on it has it there too. Run: clonevm {row.node} -b "
                f"{row.template} -d, or chtab node={row.node} vm.storage={there[0]}:..."
            )


def size_faults(row: VmRow, disks: Sequence[Disk], version: str) -> Iterator[str]:
    """Disks of a template that are smaller than the row's, where disks do not grow."""
    for part, disk in pair(row, disks):
        if too_small(disk, part):
            yield (
                f"the template {row.template} has the disk {disk.name or disk.id} with {show_size(disk.size or 0)}, "
                f"not {show_size(part.size)}; the manager is {version}; disks grow since 3.3"
            )
