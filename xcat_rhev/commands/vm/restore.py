"""chvm --restore: the disks of machines as a backup has them; what was there before is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from ...engine.nouns import Disk, DiskImage, StorageDomain, Vm
from ...engine.states import IMAGE_OK, VmStatus
from ...engine.waiting import Goal
from ...errors import NotFound, RhevError, Usage
from ...media.diskimages import DiskFile
from ...messages import Data, Error, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from .backupfiles import BackupRun, Chain, DiskBackup, chain_of, read_runs
from .backups import LIMIT, folder_of
from .machines import find
from .transfer import Upload, former


def plan(context: Context) -> Plan:
    """Give machines that are off the disks of a backup."""
    folder = folder_of(context, "restore")
    if late := context.manager.too_new("backups of machines"):
        raise Usage(late)
    found = find(context, details=True)
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif vm.status != VmStatus.DOWN:
            yield Error(f"the machine is {vm.status}. Run: rpower {node} off", node)
        else:
            yield _plan_one(context, vm, folder / node)


def _plan_one(context: Context, vm: Vm, folder: Path) -> Job | Error:
    try:
        runs = read_runs(folder)
        run = _choose(runs, folder, context.options.get("at", ""))
        disks = [_Restoring(context, vm, runs, run, disk) for disk in run.disks]
        return Job(vm.name, [part for disk in disks for part in disk.parts()])
    except RhevError as problem:
        return error_of(problem, vm.name)


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
    """One disk on its way back."""

    context: Context
    vm: Vm
    runs: Sequence[BackupRun]
    run: BackupRun
    disk: DiskBackup

    def parts(self) -> Iterator[Step | Wait]:
        """The steps: a new disk is filled beside the old one, and then takes its place."""
        name = self.disk.name or self.disk.id
        upload = self._upload(f"{name}-{self.run.name}")
        if upload.there is None or upload.there.description != upload.source.mark:
            yield from upload.parts()
        old = self._old()
        kept = f"{name}-until-{datetime.now(timezone.utc):%Y%m%d-%H%M%S}"
        if old is not None:
            keep = partial(self.context.manager.remove_disk, self.vm, old, keep=True)
            yield Step(f"take the disk {name} off and keep it as {kept}", keep)
            yield from self._rename_steps(partial(DiskImage, id=old.id, name=old.name), kept)
        yield from self._rename_steps(lambda: upload.disk, name)
        yield Step(f"attach what was restored as {name}", partial(self._attach, upload))
        text = f"disk {name}: restored from {self.run.name}." + (f" The former one is kept as {kept}." if old else "")
        yield Step("", lambda: [Data(text, self.vm.name)])

    def _rename_steps(self, image: object, name: str) -> Iterator[Step | Wait]:
        assert callable(image)
        yield Step(f"name it {name}", lambda: self.context.manager.change_image(image(), name=name))
        limit = self.context.limit(LIMIT)
        yield Wait("wait until that is written", lambda: Goal(image().replace(name=name), IMAGE_OK, limit=limit))

    def _upload(self, name: str) -> Upload:
        files = chain_of(self.runs, self.run, self.disk)
        what = DiskFile(self.disk.format, self.disk.size, self.disk.size)
        mark = f"{self.disk.name or self.disk.id} of {self.vm.name}, backup {self.run.name}"
        there, transfer = former(self.context, name, mark)
        source = Chain(files[-1][0], what, mark, files)
        return Upload(self.context, name, source, self._domain(), there, transfer, as_raw=True)

    def _old(self) -> Disk | None:
        """The disk whose place is taken."""
        disks = [each for each in self.vm.disks or () if not each.is_lun]
        by_id = [each for each in disks if each.id == self.disk.id]
        return next(iter(by_id or [each for each in disks if each.name == self.disk.name]), None)

    def _domain(self) -> StorageDomain:
        """Where the old disk is, or another of the machine.

        Raises:
            NotFound: It has none.
        """
        old = self._old()
        disks = [*([old] if old else []), *(self.vm.disks or ())]
        ids = [ref.id for disk in disks for ref in disk.storage_domains]
        domains = {each.id: each for each in self.context.manager.all(StorageDomain)}
        if not ids or ids[0] not in domains:
            raise NotFound("it has no disk, so its storage domain is not known", f"Run: chvm {self.vm.name} -a 1")
        return domains[ids[0]]

    def _attach(self, upload: Upload) -> None:
        how = Disk(id=upload.disk.id, bootable=self.disk.bootable, interface=self.disk.interface, active=True)
        vm = self.vm.replace(disks=tuple(each for each in self.vm.disks or () if each != self._old()))
        self.context.manager.add_disk(vm, how)
