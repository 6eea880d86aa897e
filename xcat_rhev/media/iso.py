"""Read an ISO image without mounting it: names by Rock Ridge, else Joliet, else as ISO 9660 has them.

A hybrid image with UDF ("UDF bridge") carries an ISO 9660 tree of the same files, which is the one read here.

This reads ISO 9660 (ECMA-119), SUSP and Rock Ridge (IEEE P1281, P1282) by itself. pycdlib, which writes the images of
the tests and of the demo and is asked there whether it sees the same, is made for editing images: it takes in all of an
image (El Torito, isohybrid, UDF) and refuses one for a fault in any of it, as it did shipped Fedora live media
(clalancette/pycdlib, issues 66 and 86), and gives a file that reaches beyond the end shortened, without a word. Here
only the tree is read, every amount has a limit, and what does not fit is an error.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from ..errors import BadAnswer, Usage
from ..files import open_named
from .file_signature import Opened
from .medium import MOST_ENTRIES, File, Held, Medium, safe_path

_SECTOR = 2048
_FIRST = 16 * _SECTOR
_MOST_DESCRIPTORS = 64
#: Bytes of all folders together: some 100,000 names. An image with more is not one of ours.
_MOST_READ = 16 << 20
_MOST_CONTINUED = 16
_FOLDER, _ASSOCIATED, _GOES_ON = 0x02, 0x04, 0x80
_JOLIET = (b"%/@", b"%/C", b"%/E")


def volume_label(path: Path, *, device: bool = False) -> str | None:
    """Give the label of an ISO image, which can be read even where the rest is damaged; None if it is not an image.

    Raises:
        Usage: The file cannot be read.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_CLOEXEC) if device else open_named(path), "rb") as stream:
            volume = _volume(stream)
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    return None if volume is None else _label(volume)


def read_iso(path: Path, *, device: bool = False) -> Medium | None:
    """List what an ISO image holds; None if it is not an image at all.

    Args:
        path: The image; it is opened once, and the medium keeps it open.
        device: It is a block device, which the system's table of mounts has named.

    Raises:
        Usage: It cannot be read, or is not a regular file.
        BadAnswer: It is an image, but its folders are damaged or hostile.
    """
    try:
        held = Held(os.open(path, os.O_RDONLY | os.O_CLOEXEC) if device else open_named(path))
        with open(held.again(), "rb") as stream:
            opened = Opened.now(stream.fileno())
            volume = _volume(stream)
            if volume is None:
                return None
            size = stream.seek(0, os.SEEK_END)
            files, links = _list(_Image(stream, path), volume)
            said = struct.unpack_from("<I", volume, 80)[0] * _SECTOR
            whole = min(size, said) if device else size
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    image = File(path, ((0, whole),), held)
    files = {name: replace(file, held=held) for name, file in files.items()}
    return Medium(str(path), _label(volume), image, _cut_off(files, size, said), files, links, opened)


def _unreadable(path: Path, problem: OSError) -> Usage:
    return Usage(f"cannot read {path}: {problem.strerror or problem}")


def _volume(stream: BinaryIO) -> bytes | None:
    """The primary volume descriptor."""
    stream.seek(_FIRST)
    sector = stream.read(_SECTOR)
    return sector if len(sector) == _SECTOR and sector[:6] == b"\x01CD001" else None


def _label(volume: bytes) -> str:
    return volume[40:72].decode("latin-1").strip("\0 ")


def _cut_off(files: dict[str, File], size: int, said: int) -> str:
    if said > size:
        return f"it should have {said} bytes and has {size}"
    for name, file in files.items():
        if any(offset + length > size for offset, length in file.pieces):
            return f"{name} would reach beyond its end"
    return ""


@dataclass(frozen=True)
class _Record:
    """One entry of a folder.

    Attributes:
        name: As ISO 9660 or Joliet has it, in bytes.
        offset, size: Where its bytes stand in the image.
        flags: Folder, associated file, goes on in the next record.
        use: The system use area, where Rock Ridge keeps its own.
    """

    name: bytes
    offset: int
    size: int
    flags: int
    use: bytes


@dataclass(frozen=True)
class _Entry:
    """A record with what Rock Ridge or Joliet say of it.

    Attributes:
        name: Its name.
        record: The record; the last one, for a file beyond 4 GiB, which has several.
        pieces: Where the file's bytes are: offset and length of each range.
        link: Where it points, for a symbolic link.
        moved_to: Where the folder is that this stands for, in bytes from the image's start; 0 if it stands for itself.
        is_moved: It is such a folder, at the place where it should not be seen.
    """

    name: str
    record: _Record
    pieces: tuple[tuple[int, int], ...] = ()
    link: str | None = None
    moved_to: int = 0
    is_moved: bool = False


class _Image:
    """An open image that refuses to be read without end.

    Args:
        stream: The image.
        path: Its path, for errors.
    """

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._left = _MOST_READ
        self.path = path

    def read(self, offset: int, size: int) -> bytes:
        """Read a range in full.

        Raises:
            BadAnswer: The image ends before, or too much was read already.
        """
        self._left -= size
        if self._left < 0:
            raise BadAnswer(f"{self.path} has more folders and names than any medium of ours")
        self._stream.seek(offset)
        data = self._stream.read(size)
        if len(data) < size:
            raise BadAnswer(f"{self.path} is cut off inside its folders", "Copy it again")
        return data

    def damage(self, what: str) -> BadAnswer:
        """The error for something that cannot be as it is."""
        return BadAnswer(f"{self.path} is a damaged ISO image: {what}", "Copy it again")


def _list(image: _Image, volume: bytes) -> tuple[dict[str, File], dict[str, str]]:
    """The files and the links of an image."""
    files: dict[str, File] = {}
    links: dict[str, str] = {}
    tree = _Tree.of(image, volume)
    for path, entry in tree.walk():
        safe_path(path, str(image.path))
        if path in files or path in links:
            raise image.damage(f"{path} is named twice")
        if entry.link is None:
            files[path] = File(image.path, entry.pieces)
        else:
            links[path] = entry.link
        if len(files) + len(links) > MOST_ENTRIES:
            raise BadAnswer(f"{image.path} holds more than {MOST_ENTRIES} files")
    return files, links


class _Tree:
    """The folders of an image.

    Args:
        image: The image.
        top: The record of its root folder.
        joliet: Names are in UTF-16.
        skip: Bytes before Rock Ridge's in each system use area; None without Rock Ridge.
    """

    def __init__(self, image: _Image, top: _Record, joliet: bool, skip: int | None) -> None:
        self._image = image
        self._top = top
        self._joliet = joliet
        self._skip = skip

    @classmethod
    def of(cls, image: _Image, volume: bytes) -> _Tree:
        """Choose the names: Rock Ridge where the root folder announces it, else Joliet, else what is left."""
        if struct.unpack_from("<H", volume, 128)[0] != _SECTOR:
            raise image.damage("its blocks are not of 2048 bytes")
        top = _record(volume[156:190], image)
        announced = _record(image.read(top.offset, min(top.size, 255)), image).use
        if announced[:2] == b"SP" and announced[4:6] == b"\xbe\xef":
            return cls(image, top, False, announced[6])
        joliet = _joliet(image)
        return cls(image, _record(joliet[156:190], image) if joliet else top, bool(joliet), None)

    def walk(self) -> Iterator[tuple[str, _Entry]]:
        """Every file and link with its path; a folder that is met again is an error, so that circles end."""
        waiting, met = [("", self._top)], {self._top.offset}
        while waiting:
            below, folder = waiting.pop()
            for entry in self._entries(folder):
                path = below + entry.name
                record = self._there(entry)
                if not record.flags & _FOLDER:
                    yield path, entry
                elif record.offset in met:
                    raise self._image.damage(f"the folder {path!r} is in two places")
                else:
                    met.add(record.offset)
                    waiting.append((path + "/", record))

    def _there(self, entry: _Entry) -> _Record:
        """The record itself, or that of the folder it stands for; Rock Ridge moves folders deeper than eight."""
        if not entry.moved_to:
            return entry.record
        own = _record(self._image.read(entry.moved_to, 34), self._image)
        return replace(own, flags=_FOLDER)

    def _entries(self, folder: _Record) -> Iterator[_Entry]:
        pieces: tuple[tuple[int, int], ...] = ()
        for number, record in enumerate(self._records(folder)):
            if number < 2 or record.flags & _ASSOCIATED:  # the first two are the folder itself and the one above
                continue
            pieces += ((record.offset, record.size),)
            if record.flags & _GOES_ON:
                continue
            entry = self._entry(record)
            if not entry.is_moved:
                yield replace(entry, pieces=pieces)
            pieces = ()

    def _records(self, folder: _Record) -> Iterator[_Record]:
        data = self._image.read(folder.offset, folder.size)
        at = 0
        while at < len(data):
            length = data[at]
            if length:
                yield _record(data[at : at + length], self._image)
            at += length or _SECTOR - at % _SECTOR  # no record crosses a sector's end

    def _entry(self, record: _Record) -> _Entry:
        if self._joliet:
            return _Entry(record.name.decode("utf-16-be", "replace").partition(";")[0], record)
        plain = record.name.decode("latin-1").partition(";")[0].rstrip(".")
        if self._skip is None:
            return _Entry(plain, record)
        return self._rock_ridge(plain, record)

    def _rock_ridge(self, plain: str, record: _Record) -> _Entry:
        name, link = b"", _Link()
        moved_to, is_moved = 0, False
        for kind, data in self._fields(record.use[self._skip or 0 :]):
            if kind == b"NM" and len(data) > 1 and not data[0] & 0x06:
                name += data[1:]
            elif kind == b"SL":
                link.add(data)
            elif kind == b"CL" and len(data) >= 4:
                moved_to = struct.unpack_from("<I", data)[0] * _SECTOR
            elif kind == b"RE":
                is_moved = True
        shown = name.decode("utf-8", "surrogateescape") if name else plain
        return _Entry(shown, record, (), link.target, moved_to, is_moved)

    def _fields(self, area: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The fields of a system use area, and of those elsewhere in which it goes on."""
        for _ in range(_MOST_CONTINUED):
            elsewhere = None
            while len(area) >= 4 and area[2] >= 4 and area[:2] != b"ST":
                kind, data = area[:2], area[4 : area[2]]
                area = area[area[2] :]
                if kind == b"CE" and len(data) == 24:
                    elsewhere = struct.unpack("<I4xI4xI4x", data)
                else:
                    yield kind, data
            if elsewhere is None:
                return
            block, offset, size = elsewhere
            area = self._image.read(block * _SECTOR + offset, min(size, _SECTOR))
        raise self._image.damage("a name that goes on for ever")


class _Link:
    """The target of a symbolic link, put together from its components."""

    def __init__(self) -> None:
        self.target: str | None = None
        self._open = False

    def add(self, data: bytes) -> None:
        """Take one SL field: flags, then components of flags, length and text."""
        at = 1
        while at + 2 <= len(data):
            flags, length = data[at], data[at + 1]
            text = data[at + 2 : at + 2 + length].decode("utf-8", "surrogateescape")
            self._join({2: ".", 4: "..", 8: "/"}.get(flags & 0x0E, text), bool(flags & 1))
            at += 2 + length

    def _join(self, part: str, goes_on: bool) -> None:
        if self.target is None:
            self.target = part
        elif self._open or self.target.endswith("/"):
            self.target += part
        else:
            self.target += "/" + part
        self._open = goes_on


def _record(data: bytes, image: _Image) -> _Record:
    """Read one directory record."""
    if len(data) < 34 or 33 + data[32] > len(data):
        raise image.damage("a folder with a broken entry")
    extent, size = struct.unpack_from("<I4xI", data, 2)
    name_end = 33 + data[32]
    use = data[name_end + (1 - data[32] % 2) : data[0]]
    return _Record(data[33:name_end], (extent + data[1]) * _SECTOR, size, data[25], use)


def _joliet(image: _Image) -> bytes | None:
    """The volume descriptor with names in UTF-16, if there is one."""
    for number in range(1, _MOST_DESCRIPTORS):
        sector = image.read(_FIRST + number * _SECTOR, _SECTOR)
        if sector[1:6] != b"CD001" or sector[0] == 255:
            return None
        if sector[0] == 2 and sector[88:91] in _JOLIET:
            return sector
    return None
