"""chvm --restore: gives machines the disks of a backup and keeps the former ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from ...engine.nouns import Disk, DiskImage, Snapshot, StorageDomain, Vm
from ...engine.states import IMAGE_OK, VmStatus
from ...engine.waiting import GONE, Goal
from ...errors import NotFound, RhevError, Usage
from ...media.diskimages import DiskFile
from ...messages import Data, Error, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from .backupfiles import STAMP, BackupRun, Chain, DiskBackup, chain_of, read_runs
from .backups import LIMIT, folder_of
from .machines import find
from .transfer import UNFINISHED, Upload, former, give_up

#: The description of a disk that is filled from a backup.
_MARK = "{disk} of {vm}, backup {run}"


def plan(context: Context) -> Plan:
    """Plan the restore of machines that are off."""
    folder = folder_of(context, "restore")
    if late := context.manager.too_new("backups of machines"):
        raise Usage(late)
    found = find(context, details=True, also=Snapshot)
    images = context.manager.list(DiskImage) if found else []
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif vm.status != VmStatus.DOWN:
            yield Error(f"the machine is {vm.status}. Run: rpower {node} off", node)
        elif names := [each.description or each.id for each in vm.snapshots or () if each.real]:
            told = f"it has snapshots ({few(names)}), and managers take no disk off that is in one"
            yield Error(f"{told}. Run: chvm {node} --rmsnapshot {names[0]}", node)
        else:
            yield _plan_one(context, vm, folder / node, images)


def _plan_one(context: Context, vm: Vm, folder: Path, images: Sequence[DiskImage]) -> Job | Error:
    try:
        runs = read_runs(folder)
        run = _choose(runs, folder, context.options.get("at", ""))
        disks = [_Restoring(context, vm, runs, run, disk, images) for disk in run.disks]
        wanted = {each.mark for each in disks}
        left = [*_left_over(context, vm, images, wanted)]
        return Job(vm.name, [*left, *(part for disk in disks for part in disk.parts())])
    except RhevError as problem:
        return error_of(problem, vm.name)


def _left_over(context: Context, vm: Vm, images: Sequence[DiskImage], wanted: set[str]) -> Iterator[Step | Wait]:
    """What takes disks away that former runs began to fill from other backups of the machine, and nobody has."""
    mine = re.compile(_MARK.format(disk="(?P<disk>.+)", vm=re.escape(vm.name), run=r"(?P<run>\S+)"))
    loose = []
    for image in images:
        mark = (image.description or "").removeprefix(UNFINISHED)
        found = mine.fullmatch(mark)
        if found and mark not in wanted and image.name == f"{found['disk']}-{found['run']}":
            loose.append(image)
    others = context.manager.list(Vm, details=True) if loose else []
    owned = {disk.id for each in others for disk in each.disks or ()}
    for image in loose:
        if image.id not in owned:
            yield Step(f"remove the disk {image.name}, which a former run has left", partial(give_up, context, image))
            yield Wait("wait until it is gone", partial(Goal, image, frozenset({GONE}), limit=context.limit(LIMIT)))


def _choose(runs: Sequence[BackupRun], folder: Path, name: str) -> BackupRun:
    """The backup of that name, or the newest.

    Raises:
        NotFound: There is none.
    """
    fits = [run for run in runs if not name or run.name == name]
    if not fits:
        has = few(run.name for run in runs) or "none"
        raise NotFound(f"there is no backup {name} in {folder}" if name else f"there is no backup in {folder}", has)
    return fits[-1]


@dataclass
class _Restoring:
    """The restore of one disk."""

    context: Context
    vm: Vm
    runs: Sequence[BackupRun]
    run: BackupRun
    disk: DiskBackup
    images: Sequence[DiskImage]
    now: datetime = field(default_factory=partial(datetime.now, timezone.utc), init=False)

    @property
    def name(self) -> str:
        """What the disk is called."""
        return self.disk.name or self.disk.id

    @property
    def mark(self) -> str:
        """By which the new disk is known again."""
        return _MARK.format(disk=self.name, vm=self.vm.name, run=self.run.name)

    def parts(self) -> Iterator[Step | Wait]:
        """The steps: a new disk is filled beside the old one, and then takes its place.

        Wherever it is cut off, the next run knows both by their names: the old one is on the machine until it is called
        otherwise, and the new one gets its name last.
        """
        upload = self._upload(f"{self.name}-{self.run.name}")
        if upload.there is None or upload.there.description != upload.source.mark:
            yield from upload.parts()
        old = self._old(upload)
        if old is not None:
            yield from self._old_parts(old)
        if upload.there is None or upload.there.id not in {each.id for each in self.vm.disks or ()}:
            yield Step(f"attach what was restored as {self.name}", partial(self._attach, upload, old))
        yield Step(f"name it {self.name}", lambda: self._rename(upload.disk.id))
        yield Wait("wait until that is written", lambda: self._named_goal(upload.disk.id, self.name))
        kept = f" The former one is kept as {self._kept_name(old)}." if old else ""
        text = f"disk {self.name}: restored from {self.run.name}.{kept}"
        yield Step("", lambda: [Data(text, self.vm.name)])

    def _old_parts(self, old: Disk) -> Iterator[Step | Wait]:
        kept = self._kept_name(old)
        if old.name != kept:
            change = partial(self._rename_attached, old, kept)
            yield Step(f"name the disk that it has {kept}", change)
            yield Wait("wait until that is written", lambda: self._named_goal(old.id, kept))
        keep = partial(self.context.manager.remove_disk, self.vm, old, keep=True)
        yield Step(f"take the disk {kept} off and keep it", keep)

    def _kept_name(self, old: Disk | None) -> str:
        if old is not None and self._is_kept(old):
            return old.name
        return f"{self.name}-until-{self.now:{STAMP}}"

    def _is_kept(self, disk: Disk) -> bool:
        """Whether a former run has given it that name already."""
        return re.fullmatch(rf"{re.escape(self.name)}-until-\d{{8}}-\d{{6}}", disk.name or "", re.ASCII) is not None

    def _rename_attached(self, disk: Disk, name: str) -> None:
        self.context.manager.change_disk(self.vm, disk, name=name)

    def _rename(self, disk: str) -> None:
        now = next((each for each in self.context.manager.list(Disk, under=self.vm) if each.id == disk), None)
        if now is not None:
            self._rename_attached(now, self.name)

    def _named_goal(self, disk: str, name: str) -> Goal:
        return Goal(DiskImage(id=disk, name=name), IMAGE_OK, limit=self.context.limit(LIMIT))

    def _upload(self, name: str) -> Upload:
        files = chain_of(self.runs, self.run, self.disk)
        what = DiskFile(self.disk.format, self.disk.size, self.disk.size)
        there, transfer = former(self.context, name, self.mark)
        source = Chain(files[-1][0], what, self.mark, files)
        domain = StorageDomain() if there else self._domain()
        return Upload(self.context, name, source, domain, there, transfer, as_raw=True)

    def _old(self, upload: Upload | None = None) -> Disk | None:
        """The disk that is replaced."""
        new = upload.there.id if upload and upload.there else ""
        disks = [each for each in self.vm.disks or () if not each.is_lun and each.id != new]
        by_id = [each for each in disks if each.id == self.disk.id]
        by_name = [each for each in disks if each.name == self.disk.name]
        return next(iter(by_name or by_id or filter(self._is_kept, disks)), None)

    def _domain(self) -> StorageDomain:
        """Where the old disk is, or another of the machine, or what a former run has left of it.

        Raises:
            NotFound: It has none.
        """
        old = self._old()
        like = [each for each in self.images if each.name.startswith(f"{self.name}-")]
        ids = [
            ref.id for each in (*([old] if old else ()), *(self.vm.disks or ()), *like) for ref in each.storage_domains
        ]
        domains = {each.id: each for each in self.context.manager.all(StorageDomain)}
        if not ids or ids[0] not in domains:
            raise NotFound("it has no disk, so its storage domain is not known", f"Run: chvm {self.vm.name} -a 1")
        return domains[ids[0]]

    def _attach(self, upload: Upload, old: Disk | None) -> None:
        how = Disk(id=upload.disk.id, bootable=self.disk.bootable, interface=self.disk.interface, active=True)
        vm = self.vm.replace(disks=tuple(each for each in self.vm.disks or () if each != old))
        self.context.manager.add_disk(vm, how)
