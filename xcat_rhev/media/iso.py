"""Read an ISO image without mounting it: names by Rock Ridge, else Joliet, else as ISO 9660 has them.

A hybrid image with UDF ("UDF bridge") carries an ISO 9660 tree of the same files, which is the one read here.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pycdlib
from pycdlib.pycdlibexception import PyCdlibException

from ..errors import BadAnswer, Usage
from .medium import MOST_ENTRIES, File, Medium, safe_path

_SECTOR = 2048
_FIRST = 16 * _SECTOR
#: What pycdlib may read to learn the names: the folders of 20,000 files. It reads all of them before it answers, so
#: that this alone bounds its time and memory on a made-up image (measured: 5,000 files are 1 MiB, 0.2 s, 33 MiB).
_MOST_READ = 4 << 20
#: What pycdlib was seen to raise for damaged images.
_BROKEN = (
    PyCdlibException, struct.error, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError,
    RecursionError, AssertionError,
)


def volume_label(path: Path) -> str | None:
    """Give the label of an ISO image, which can be read even where the rest is damaged; None if it is no image.

    Raises:
        Usage: The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            volume = _volume(stream)
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    return None if volume is None else volume[0]


def read_iso(path: Path) -> Medium | None:
    """List what an ISO image holds; None if it is no image at all.

    Args:
        path: The image, or a block device that holds one.

    Raises:
        Usage: It cannot be read.
        BadAnswer: It is an image, but its folders are damaged or hostile.
    """
    try:
        with path.open("rb") as stream:
            volume = _volume(stream)
            if volume is None:
                return None
            label, said = volume
            size = stream.seek(0, os.SEEK_END)
            files, links = _listed(stream, path)
            whole = min(size, said) if stat.S_ISBLK(os.fstat(stream.fileno()).st_mode) else size
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    image = File(path, ((0, whole),))
    return Medium(str(path), label, image, _cut_off(files, size, said), files, links)


def _unreadable(path: Path, problem: OSError) -> Usage:
    return Usage(f"cannot read {path}: {problem.strerror or problem}")


def _volume(stream: BinaryIO) -> tuple[str, int] | None:
    """The label and the size in bytes that the primary volume descriptor gives; None without one."""
    stream.seek(_FIRST)
    sector = stream.read(_SECTOR)
    if len(sector) < _SECTOR or sector[:6] != b"\x01CD001":
        return None
    blocks: int = struct.unpack_from("<I", sector, 80)[0]
    return sector[40:72].decode("latin-1").strip("\0 "), blocks * _SECTOR


def _cut_off(files: dict[str, File], size: int, said: int) -> str:
    if said > size:
        return f"it should have {said} bytes and has {size}"
    for name, file in files.items():
        if any(offset + length > size for offset, length in file.pieces):
            return f"{name} would reach beyond its end"
    return ""


def _listed(stream: BinaryIO, path: Path) -> tuple[dict[str, File], dict[str, str]]:
    """The files and the links of an image."""
    files: dict[str, File] = {}
    links: dict[str, str] = {}
    image = pycdlib.PyCdlib()
    try:
        image.open_fp(cast(BinaryIO, _Bounded(stream, path)))
        for name, record in _walk(image, str(path)):
            if name in files or name in links:
                raise BadAnswer(f"{path}: {name} stands there twice")
            if len(files) + len(links) > MOST_ENTRIES:
                raise BadAnswer(f"{path} holds more than {MOST_ENTRIES} files")
            if record.rock_ridge is not None and record.rock_ridge.is_symlink():
                links[name] = record.rock_ridge.symlink_path().decode("utf-8", "surrogateescape")
            else:
                files[name] = File(path, tuple(_pieces(record)))
    except _BROKEN as problem:
        raise BadAnswer(f"{path} is a damaged ISO image ({type(problem).__name__})", "Copy it again") from problem
    return files, links


def _pieces(record: Any) -> Iterator[tuple[int, int]]:
    """Where a file's bytes stand; beyond 4 GiB it has several records."""
    while record is not None:
        yield record.extent_location() * _SECTOR, record.get_data_length()
        record = record.data_continuation


def _walk(image: Any, medium: str) -> Iterator[tuple[str, Any]]:
    """Every file and link with its path; folders that are met again are an error, so that circles end."""
    if image.has_rock_ridge() or not image.has_joliet():
        top = image.get_record(iso_path="/")
    else:
        top = image.get_record(joliet_path="/")
    joliet = not image.has_rock_ridge() and image.has_joliet()
    waiting, met = [("", top)], {top.extent_location()}
    while waiting:
        below, folder = waiting.pop()
        for record in folder.children[2:]:
            name = safe_path(below + _name(record, joliet), medium)
            record = _moved(record)
            if not record.is_dir():
                yield name, record
            elif record.extent_location() in met:
                raise BadAnswer(f"{medium}: the folder {name} stands in two places")
            elif not _is_moving_place(record):
                met.add(record.extent_location())
                waiting.append((name + "/", record))


def _name(record: Any, joliet: bool) -> str:
    if joliet:
        name: str = record.file_identifier().decode("utf-16_be")
        return name.partition(";")[0]
    if record.rock_ridge is not None and record.rock_ridge.name():
        return str(record.rock_ridge.name().decode("utf-8"))
    return str(record.file_identifier().decode("ascii").partition(";")[0].rstrip("."))


def _moved(record: Any) -> Any:
    """Rock Ridge keeps folders deeper than eight elsewhere, with a stand-in at their place."""
    if record.rock_ridge is not None and record.rock_ridge.child_link_record_exists():
        return record.rock_ridge.cl_to_moved_dr
    return record


def _is_moving_place(record: Any) -> bool:
    return record.rock_ridge is not None and record.rock_ridge.name().lower() in (b"rr_moved", b".rr_moved")


class _Bounded:
    """A file that refuses to be read without end; everything else goes to the file itself."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = _MOST_READ

    def read(self, size: int = -1) -> bytes:
        self._left -= size if size >= 0 else _MOST_READ
        if self._left < 0:
            raise BadAnswer(f"{self._path} has more folders and names than any medium of ours")
        return self._stream.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
