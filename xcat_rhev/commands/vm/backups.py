"""chvm --backup and --restore: machines in files, whole or what has changed since the last time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from ...engine.nouns import Backup, Checkpoint, Disk, DiskImage, ImageTransfer, Ref, Vm
from ...engine.states import IMAGE_OK, TRANSFER_ENDED, CheckpointStatus, VmStatus
from ...engine.waiting import GONE, Goal
from ...errors import Denied, RhevError, Usage
from ...messages import Data, Error, Warn
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...units import show_size
from .backupfiles import STAMP, BackupRun, DiskBackup, aged_out, line_of, read_runs, removable
from .keeping import Keep, read_keep
from .machines import find
from .transfer import Download

#: Seconds for what the manager does between the steps.
LIMIT = 600.0
_OURS = "xcat-rhev: "
#: What a disk says of itself whose changes backups may ask for.
_FOLLOWED = "incremental"
_READY, _OVER = frozenset({"ready"}), frozenset({"succeeded", "failed"})
#: How often the end of a backup is requested while its transfers are still ending.
_TRIES = 8


def folder_of(context: Context, option: str) -> Path:
    """The folder that an option names, on the machine that runs the command.

    Raises:
        Denied: Somebody else than root asks.
        Usage: It is none.
    """
    path = Path(context.request.cwd, context.options[option])
    if not context.request.by_root:
        raise Denied(f"--{option}: only root may let xcatd read and write backups")
    if not path.is_dir():
        raise Usage(f"--{option} {path}: not a folder", f"Run: mkdir -m 700 {path}")
    return path


def plan(context: Context) -> Plan:
    """Back machines up, each into a folder of its name."""
    folder = folder_of(context, "backup")
    if late := context.manager.too_new("backups of machines"):
        raise Usage(late)
    found = find(context, details=True)
    machines = [found[node] for node in context.nodes if node in found]
    look = partial(_look, context)
    known = dict(zip((vm.id for vm in machines), context.manager.each(look, machines)))
    keep = read_keep(context.options["keep"]) if "keep" in context.options else None
    now = datetime.now(timezone.utc)
    for node in context.nodes:
        if node not in found:
            yield found.lack(node)
            continue
        backups, checkpoints = known[found[node].id]
        yield from _plan_one(_BackingUp(context, found[node], folder / node, now, keep), backups, checkpoints)


def _look(context: Context, vm: Vm) -> tuple[list[Backup], list[Checkpoint]]:
    manager = context.manager
    return manager.list(Backup, under=vm), manager.list(Checkpoint, under=vm)


def _plan_one(making: _BackingUp, backups: Sequence[Backup], checkpoints: Sequence[Checkpoint]) -> Plan:
    vm, live = making.vm, [each for each in backups if each.status not in _OVER]
    strange = [each for each in live if not (each.description or "").startswith(_OURS)]
    if vm.status not in (VmStatus.UP, VmStatus.DOWN):
        yield Error(f"the machine is {vm.status}; it has to be up or down", vm.name)
    elif strange:
        yield Error("another backup of it is under way", vm.name)
    else:
        for disk in making.left_out:
            why = "is a LUN" if disk.is_lun else "is not active"
            yield Warn(f"disk {disk.name or disk.id} {why} and is left out", vm.name)
        making.choose(checkpoints)
        parts = [*making.parts(live), *making.tidying_parts(checkpoints)]
        yield Job(vm.name, parts if making.disks else (), idle="it has no disk that can be backed up")


@dataclass
class _BackingUp:
    """One machine's backup.

    Attributes:
        context: The command.
        vm: The machine.
        folder: Where its backups are.
        now: The new one's date.
        keep: Which stay; None for all.
        since: The one on which it is built.
    """

    context: Context
    vm: Vm
    folder: Path
    now: datetime
    keep: Keep | None
    since: BackupRun | None = None
    _runs: list[BackupRun] = field(default_factory=list, init=False)
    _old: list[BackupRun] = field(default_factory=list, init=False)
    _kept: set[str] = field(default_factory=set, init=False)
    _backup: Backup | None = field(default=None, init=False)
    _done: list[DiskBackup] = field(default_factory=list, init=False)

    @property
    def disks(self) -> list[Disk]:
        """What can be backed up."""
        return [disk for disk in self.vm.disks or () if not disk.is_lun and disk.active is not False]

    @property
    def left_out(self) -> list[Disk]:
        """What cannot."""
        return [disk for disk in self.vm.disks or () if disk.is_lun or disk.active is False]

    @property
    def name(self) -> str:
        """What the backup is called."""
        return f"{self.now:{STAMP}}"

    @property
    def _part(self) -> Path:
        return self.folder / f"{self.name}.part"

    def choose(self, checkpoints: Sequence[Checkpoint]) -> None:
        """Go on from the last one, if the manager still has its checkpoint, and nothing that is to go is below it."""
        self._runs = read_runs(self.folder)
        self._old = aged_out(self._runs, self.keep, self.now) if self.keep else []
        there = {each.id for each in checkpoints if each.status != CheckpointStatus.INVALID}
        last = next(reversed(self._runs), None)
        if not last or last.checkpoint not in there or last.vm_id != self.vm.id or "full" in self.context.options:
            return
        old = {run.name for run in self._old}
        if not old & {run.name for run in line_of(self._runs, last)}:
            self.since = last

    def parts(self, live: Sequence[Backup]) -> Iterator[Step | Wait]:
        """The steps, up to a folder that says what it is."""
        for old in live:
            yield Step("end the backup that was broken off", partial(self._end, old))
            yield Wait("wait until it has ended", partial(self._goal, old, _OVER | {GONE}))
        for disk in self.disks:
            yield from self._followed_parts(disk)
        what = f"what has changed since {self.since.name}" if self.since else "all"
        yield Step(f"begin a backup of {what} on {len(self.disks)} disks", self._begin)
        ready = partial(self._own_goal, _READY)
        yield Wait("wait until it is ready", ready, self._remember, self._clean_up)
        for disk in self.disks:
            yield from self._disk_parts(disk)
        yield Step("end the backup", self._finish)
        yield Wait("wait until its disks are free", partial(self._own_goal, _OVER | {GONE}))
        yield Step(f"write {self.folder / self.name}", self._write)

    def _followed_parts(self, disk: Disk) -> Iterator[Step | Wait]:
        """What lets backups ask for a disk's changes; engines of 4.4 want it, later ones show it."""
        if disk.format == "cow" and disk.backup == "none":
            yield Step(f"have what changes on {disk.name or disk.id} followed", partial(self._follow, disk))
            goal = partial(Goal, DiskImage(id=disk.id, name=disk.name), IMAGE_OK, limit=self.context.limit(LIMIT))
            yield Wait("wait until that is written", goal)

    def _follow(self, disk: Disk) -> None:
        self.context.manager.change_disk(self.vm, disk, backup=_FOLLOWED)

    def _disk_parts(self, disk: Disk) -> Iterator[Step | Wait]:
        image = DiskImage(id=disk.id, name=disk.name, size=disk.size)
        path, changed = self._part / f"{disk.id}.raw", self.since is not None
        download = Download(self.context, image, path, lambda: Ref(self._own.id), changed, self._clean_up)
        yield from download.parts()
        yield Step("", partial(self._note, download, disk))

    def _begin(self) -> None:
        shutil.rmtree(self._part, ignore_errors=True)
        for old in self.folder.glob("*.part"):  # of a run that was killed
            shutil.rmtree(old, ignore_errors=True)
        try:
            self._part.mkdir(0o700, parents=True)
        except OSError as problem:
            raise RhevError(f"cannot make {self._part}: {problem.strerror}") from None
        wanted = Backup(
            description=f"{_OURS}{self.name}{self._mark}",
            since=self.since.checkpoint if self.since else None,
            disks=tuple(Ref(disk.id) for disk in self.disks),
        )
        self._backup = self.context.manager.create(wanted, under=self.vm)

    @property
    def _mark(self) -> str:
        """How descriptions end of what is this folder's at the manager."""
        return f" in {self.folder}"

    def tidying_parts(self, checkpoints: Sequence[Checkpoint]) -> Iterator[Step | Wait]:
        """What goes when the new one is there: old backups, and the checkpoints from which nothing will go on.

        Engines before 4.5 remove the oldest checkpoint alone, so they go in their order.
        """
        for run in removable(self._runs, self._old):
            yield Step(f"remove the backup {run.name}", partial(self._remove, run))
        mine = {run.checkpoint for run in self._runs if run.vm_id == self.vm.id}
        for each in checkpoints:
            told = each.description or ""
            if each.id in mine or told.startswith(_OURS) and told.endswith(self._mark):
                yield Step(f"remove the checkpoint {each.id} of a former backup", partial(self._forget, each))
                yield Wait("wait until it is gone", partial(self._gone_goal, each))

    def _forget(self, checkpoint: Checkpoint) -> list[Warn]:
        """Remove a checkpoint; the backup is good if that cannot be, and the next one tries it again."""
        try:
            self.context.manager.remove(checkpoint, under=self.vm)
        except RhevError as problem:
            self._kept.add(checkpoint.id)
            return [Warn(f"the checkpoint {checkpoint.id} of a former backup stays for now: {problem}", self.vm.name)]
        return []

    def _gone_goal(self, checkpoint: Checkpoint) -> Goal | None:
        if checkpoint.id in self._kept:
            return None
        limit = self.context.limit(LIMIT)
        return Goal(checkpoint, frozenset({GONE}), limit=limit, under=self.vm)

    def _remove(self, run: BackupRun) -> list[Data]:
        """First it is none any more, whatever happens then."""
        away = run.folder.with_suffix(".part")
        try:
            os.rename(run.folder, away)
            shutil.rmtree(away)
        except OSError as problem:
            raise RhevError(f"cannot remove {run.folder}: {problem.strerror}") from None
        return [Data(f"backup {run.name}: removed.", self.vm.name)]

    @property
    def _own(self) -> Backup:
        assert self._backup is not None
        return self._backup

    def _remember(self, backup: Backup) -> None:
        self._backup = backup

    def _goal(self, backup: Backup, wanted: frozenset[str]) -> Goal:
        failed = _OVER - wanted if wanted == _READY else frozenset[str]()
        return Goal(backup, wanted, failed, limit=self.context.limit(LIMIT), under=self.vm)

    def _own_goal(self, wanted: frozenset[str]) -> Goal:
        return self._goal(self._own, wanted)

    def _note(self, download: Download, disk: Disk) -> None:
        self._done.append(
            DiskBackup(
                id=disk.id,
                name=disk.name,
                size=disk.size or 0,
                format=disk.format or "raw",
                interface=disk.interface or "virtio",
                bootable=bool(disk.bootable),
                file=download.path.name,
                whole=download.changes is None,
                extents=tuple(download.changes or ()),
            )
        )

    def _clean_up(self, problem: RhevError) -> RhevError:
        """Remove what is left, here and on the manager, where possible."""
        shutil.rmtree(self._part, ignore_errors=True)
        try:
            self._end(self._own)
        except RhevError:
            pass  # the next run does it
        return problem

    def _end(self, backup: Backup) -> None:
        """End a backup whatever is under way of it: transfers first."""
        manager = self.context.manager
        mine = {disk.id for disk in self.vm.disks or ()}
        for transfer in manager.list(ImageTransfer):
            live = transfer.status not in TRANSFER_ENDED and transfer.direction == "download"
            if live and transfer.image and transfer.image.id in mine:
                manager.act(transfer, "cancel")
        for tries in range(1, _TRIES + 1):
            try:
                manager.act(backup, "finalize", under=self.vm)
                return
            except RhevError:
                if tries == _TRIES:
                    raise
                manager.patience.back_off(tries)

    def _finish(self) -> None:
        try:
            self.context.manager.act(self._own, "finalize", under=self.vm)
        except RhevError as problem:
            raise self._clean_up(problem) from None

    def _write(self) -> list[Data]:
        """Complete the backup: without this file the folder is not one."""
        base = self.since.name if self.since else ""
        run = BackupRun(self._part, self.vm.name, self.vm.id, self._own.until or "", base, tuple(self._done))
        try:
            run.write()
            os.rename(self._part, self.folder / self.name)
        except OSError as problem:
            raise RhevError(f"cannot write {self._part}: {problem.strerror}") from None
        size = sum((self.folder / self.name / each.file).stat().st_blocks * 512 for each in self._done)
        kind = f"what has changed since {base}" if base else "all"
        return [Data(f"backup {self.name}: {kind}, {show_size(size)}.", self.vm.name)]
