"""What is on disks: a file each, which is there once somebody has written to it or read from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .dialect import Thing
from .qcow2 import NoImage, expand

#: Changes are told in pieces of so many bytes.
GRAIN = 64 << 10


class Contents:
    """The files.

    Args:
        folder: Where they are; a new one that goes with `close`, if not given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._given, self._made = folder, ""

    @property
    def folder(self) -> Path:
        """Where they are; made when the first is wanted."""
        if self._given is not None:
            self._given.mkdir(parents=True, exist_ok=True)
            return self._given
        self._made = self._made or tempfile.mkdtemp(prefix="engine-images-")
        return Path(self._made)

    def close(self) -> None:
        """Remove what was made for this time alone."""
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)

    def raw(self, disk: Thing) -> Path:
        """What the guest sees of a disk; of a copy, what was on the other when this is asked for first."""
        path: Path = self.folder / disk["id"]
        other = self.folder / (disk.get("like") or "none")
        if not path.exists() and other.exists():
            shutil.copyfile(other, path)
        with path.open("ab") as file:
            if file.tell() < disk["size"]:
                file.truncate(disk["size"])
        return path

    def volume(self, disk: Thing, fresh: bool = False) -> Path:
        """The bytes of a qcow2 volume as they were sent; those that the guest sees where nobody sent any."""
        path = self.folder / f"{disk['id']}.qcow2"
        if fresh:
            path.write_bytes(b"")
        return path if path.exists() else self.raw(disk)

    def take(self, disk: Thing) -> bool:
        """Look at a volume that was sent, as a host does before a guest gets it; False if it cannot be used."""
        path = self.folder / f"{disk['id']}.qcow2"
        if not path.exists():
            return True
        try:
            expand(path, self.folder / disk["id"], disk["size"])
        except NoImage:
            return False
        return True

    def freeze(self, disk: Thing, name: str) -> Path:
        """Keep what is on a disk now under a name."""
        source, path = self.raw(disk), self.folder / f"{disk['id']}@{name}"
        with source.open("rb") as old, path.open("wb") as new:
            new.truncate(disk["size"])
            for start, length in data_of(old):
                for at in range(start, start + length, 1 << 20):
                    old.seek(at)
                    new.seek(at)
                    new.write(old.read(min(1 << 20, start + length - at)))
        return path

    def frozen(self, disk_id: str, name: str) -> Path:
        """Where that is."""
        return self.folder / f"{disk_id}@{name}"


def data_of(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The parts of a file that are no holes, as (start, length)."""
    end, at = os.fstat(file.fileno()).st_size, 0
    while at < end:
        try:
            start = os.lseek(file.fileno(), at, os.SEEK_DATA)
        except OSError:
            return
        at = os.lseek(file.fileno(), start, os.SEEK_HOLE)
        yield start, at - start


def zero_extents(path: Path, size: int) -> list[dict[str, object]]:
    """Which parts of a disk read as zeros."""
    with path.open("rb") as file:
        parts = list(data_of(file))
    found: list[dict[str, object]] = []
    at = 0
    for start, length in [*parts, (size, 0)]:
        start = min(start, size)
        if start > at:
            found.append({"start": at, "length": start - at, "zero": True, "hole": True})
        if length and start < size:
            found.append({"start": start, "length": min(length, size - start), "zero": False, "hole": False})
        at = start + length
    return found


def dirty_extents(before: Path, now: Path, size: int) -> list[dict[str, object]]:
    """Which parts of a disk are not as they were."""
    found: list[dict[str, object]] = []
    with before.open("rb") as old, now.open("rb") as new:
        for at in range(0, size, GRAIN):
            was, data = old.read(GRAIN), new.read(GRAIN)
            kind = {"dirty": was != data, "zero": not data.strip(b"\0")}
            last = found[-1] if found else {}
            if kind == {key: last.get(key) for key in kind}:
                last["length"] = int(str(last["length"])) + len(data)
            else:
                found.append({"start": at, "length": len(data), **kind})
    return found
