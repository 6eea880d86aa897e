"""Backups of a machine in files: a folder for each, whose `backup.json` says what it is and what it is based on.

A disk is a raw file: all of it, or the parts that had changed, at their places.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import BadAnswer, Conflict, NotFound
from ...media.diskimages import DiskFile
from .keeping import Keep

MANIFEST = "backup.json"
#: What backups are called: their date in UTC.
STAMP = "%Y%m%d-%H%M%S"
#: Version of the files' layout.
LAYOUT = 1
Extents = Sequence[tuple[int, int, bool]]


@dataclass(frozen=True)
class DiskBackup:
    """A disk in a backup.

    Attributes:
        id, name, format, interface, bootable: As the manager has them.
        size: Bytes that the guest sees.
        file: The file's name.
        whole: All of it, not what has changed alone.
        extents: What the file has, as start, bytes, and whether it is zeros; none where it is whole.
    """

    id: str
    name: str
    size: int
    format: str
    interface: str
    bootable: bool
    file: str
    whole: bool
    extents: Extents = ()


@dataclass(frozen=True)
class BackupRun:
    """One backup.

    Attributes:
        folder: Where it is.
        vm, vm_id: The machine.
        checkpoint: From which the next one may go on; empty for none.
        base: The name of the folder on which it is built; empty for none.
        disks: What is in it.
    """

    folder: Path
    vm: str
    vm_id: str
    checkpoint: str
    base: str
    disks: tuple[DiskBackup, ...]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folder.name

    def write(self) -> None:
        """Write `backup.json`, which makes it a complete backup."""
        told = {
            "layout": LAYOUT,
            "vm": self.vm,
            "vm_id": self.vm_id,
            "checkpoint": self.checkpoint,
            "base": self.base,
            "disks": [asdict(disk) for disk in self.disks],
        }
        path = self.folder / MANIFEST
        path.touch(0o600)
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def read_runs(folder: Path) -> list[BackupRun]:
    """The backups of a machine that are complete, the oldest first.

    Raises:
        BadAnswer: A folder has a `backup.json` that cannot be understood.
    """
    if not folder.is_dir():
        return []
    return [_read(path.parent) for path in sorted(folder.glob(f"*/{MANIFEST}")) if path.parent.suffix != ".part"]


def _read(folder: Path) -> BackupRun:
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if told["layout"] != LAYOUT:
            raise BadAnswer(f"{folder / MANIFEST} has the layout {told['layout']}, which is not known here")
        disks = tuple(_disk(each) for each in told["disks"])
        return BackupRun(folder, told["vm"], told["vm_id"], told["checkpoint"], told["base"], disks)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BadAnswer(f"{folder / MANIFEST} is not what a backup says: {problem}") from None


def _disk(told: dict[str, Any]) -> DiskBackup:
    extents = tuple((int(start), int(length), bool(zero)) for start, length, zero in told.pop("extents"))
    disk = DiskBackup(**told, extents=extents)
    if Path(disk.file).name != disk.file:
        raise ValueError(f"{disk.file} is not the name of a file")
    return disk


def line_of(runs: Sequence[BackupRun], run: BackupRun) -> list[BackupRun]:
    """A backup and those on which it is built, as far as they are there."""
    by_name = {each.name: each for each in runs}
    line = [run]
    while (base := by_name.get(line[-1].base)) and base not in line:
        line.append(base)
    return line


def aged_out(runs: Sequence[BackupRun], keep: Keep, now: datetime) -> list[BackupRun]:
    """Those that are not to be kept for themselves when a new one has come; runs have the oldest first.

    What is not called by a date was named by somebody and stays.
    """
    dated = [(moment, run) for run in reversed(runs) if (moment := _moment_of(run))]
    return keep.surplus(dated, now)


def removable(runs: Sequence[BackupRun], old: Sequence[BackupRun]) -> list[BackupRun]:
    """Those of the old ones on which nothing is built that stays; the newest first, so that they can go one by one."""
    names = {run.name for run in old}
    needed = {each.name for run in runs if run.name not in names for each in line_of(runs, run)}
    return [run for run in reversed(old) if run.name not in needed]


def _moment_of(run: BackupRun) -> datetime | None:
    try:
        return datetime.strptime(run.name, STAMP).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def chain_of(runs: Sequence[BackupRun], run: BackupRun, disk: DiskBackup) -> list[tuple[Path, DiskBackup]]:
    """The files of which a disk is put together, the whole one first.

    Raises:
        NotFound: One of them is missing.
    """
    found = [(run.folder / disk.file, disk)]
    for base in line_of(runs, run)[1:]:
        if found[-1][1].whole:
            break
        before = next((each for each in base.disks if each.id == disk.id), None)
        if before is None:
            break
        run = base
        found.append((run.folder / before.file, before))
    if not found[-1][1].whole:
        raise NotFound(f"{run.folder} is built on {run.base or 'nothing'}, which has no disk {disk.name}")
    return found[::-1]


@dataclass(frozen=True)
class Chain:
    """A disk that is put together of files, as `Source` has a file.

    Attributes:
        path: The newest of them.
        what: What the disk is.
        mark: Identifies it in a later run.
        files: All of them, the whole one first.
    """

    path: Path
    what: DiskFile
    mark: str
    files: Sequence[tuple[Path, DiskBackup]]

    def open(self) -> BinaryIO:
        """Open it for reading.

        Raises:
            Conflict: A file is missing or too short.
        """
        layers = Layers(self.what.size)
        for path, disk in self.files:
            layers.add(path, disk)
        return layers  # type: ignore[return-value]


class Layers:
    """Files over each other, read as one.

    Args:
        size: How large the disk is.
    """

    def __init__(self, size: int) -> None:
        self._size, self._at = size, 0
        self._layers: list[tuple[BinaryIO, list[int], Extents]] = []

    def add(self, path: Path, disk: DiskBackup) -> None:
        """Put a file on top."""
        try:
            file = path.open("rb")
        except OSError as problem:
            self.close()
            raise Conflict(f"cannot read {path}: {problem.strerror}") from None
        extents = sorted(disk.extents) or [(0, disk.size, False)]
        self._layers.append((file, [start for start, _, _ in extents], extents))
        if os.fstat(file.fileno()).st_size < disk.size:
            self.close()
            raise Conflict(f"{path} is shorter than the disk in it")

    def seek(self, at: int) -> int:
        """Go to a place."""
        self._at = at
        return at

    def read(self, size: int) -> bytes:
        """Read from there."""
        start, end = self._at, min(self._at + size, self._size)
        self._at = max(start, end)
        data = bytearray(max(end - start, 0))
        for file, starts, extents in self._layers:
            for at, length, zero in extents[max(bisect_right(starts, start) - 1, 0) :]:
                if at >= end:
                    break
                low, high = max(at, start), min(at + length, end)
                if low < high:
                    file.seek(low)
                    data[low - start : high - start] = bytes(high - low) if zero else file.read(high - low)
        return bytes(data)

    def close(self) -> None:
        """Close all."""
        for file, _, _ in self._layers:
            file.close()

    def __enter__(self) -> Layers:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
