"""Existing disks that are to be attached: found by name or id in one list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...engine.manager import Manager
from ...engine.nouns import Disk, DiskImage, StorageDomain
from ...engine.states import ImageStatus
from ...rows.vm import VmRow
from .diskmatch import several


class Images(dict[str, DiskImage]):
    """Disks by the name or id that somebody wrote; those that are not there, and those of several, are missing.

    Args:
        manager: The manager.
        wanted: Names and ids; for none nothing is asked.
    """

    def __init__(self, manager: Manager, wanted: Iterable[str]) -> None:
        super().__init__()
        self._manager = manager
        self._hits: dict[str, list[DiskImage]] = {word: [] for word in wanted}
        if not self._hits or not manager.keeps_disks:
            return
        for image in manager.list(DiskImage):
            for word in {image.id, image.alias or "", image.name} & set(self._hits):
                self._hits[word].append(image)
        self.update({word: hits[0] for word, hits in self._hits.items() if len(hits) == 1})

    def fault(self, word: str) -> str:
        """Why a disk cannot be attached, or nothing."""
        if not self._manager.keeps_disks:
            return f"RHEV 3.0 has no disks by themselves, so {word} cannot be attached"
        hits = self._hits.get(word, [])
        if len(hits) > 1:
            return several([self._as_disk(image) for image in hits])
        if not hits:
            return f"manager {self._manager.name} has no disk {word}. Run: lsve -t disk -m {self._manager.name}"
        status = hits[0].status
        return f"the disk {word} is {status}. Try again when it is ok" if status not in (ImageStatus.OK, None) else ""

    def _as_disk(self, image: DiskImage) -> Disk:
        places = tuple(ref for ref in image.storage_domains)
        named = [type(ref)(ref.id, self._manager.name_of(StorageDomain, ref)) for ref in places]
        return Disk(id=image.id, size=image.size, lun_size=image.lun_size, storage_domains=tuple(named))

    def faults(self, row: VmRow) -> Iterator[str]:
        """What is wrong with the disks that a row has attached."""
        for disk in row.disks:
            fault = self.fault(disk.known) if disk.existing else ""
            if fault:
                yield f"vm.storage: {fault}"
