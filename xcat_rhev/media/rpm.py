"""Take RHVH's file system image out of the RPM package that its medium carries it in.

An RPM is a lead of 96 bytes, a signature header padded to 8, a header, and a compressed cpio archive (newc).
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import struct
import zlib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from ..errors import BadAnswer, Usage
from .copying import Ranges, write_all, write_error
from .medium import File

_LEAD, _LEAD_MAGIC = 96, b"\xed\xab\xee\xdb"
_HEADER = struct.Struct(">8sII")
_HEADER_MAGIC = b"\x8e\xad\xe8"
_MOST_HEADER = 64 << 20
_CPIO_HEADER = 110
_PART = 1 << 20
#: A sibling `*.squashfs.img.meta` exists and is not it.
_IMAGE = re.compile(r".*\.squashfs\.img")
_BROKEN = (lzma.LZMAError, zlib.error, EOFError, ValueError, struct.error)


class Digest(Protocol):
    """Takes every byte, such as `hashlib.sha256()`."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""


def extract_image(package: File, target: Path, digest: Digest) -> Iterator[int]:
    """Write the one `*.squashfs.img` of a package to a new file.

    Args:
        package: The RPM.
        target: Where to; nothing may be there yet.
        digest: Takes the bytes of the image.

    Returns:
        Numbers of bytes of the package that were dealt with.

    Raises:
        BadAnswer: It is not an RPM, damaged, or holds no such file.
        Usage: It is compressed in a way that this Python cannot read.
        Conflict: No space left.
    """
    try:
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        raise write_error(target, problem) from problem
    before = 0
    try:
        os.fchmod(out, 0o644)
        with Ranges(package) as raw:
            for part in _image(io.BufferedReader(raw, _PART)):
                digest.update(part)
                write_all(out, part)
                yield raw.done - before
                before = raw.done
    except _BROKEN as problem:
        raise BadAnswer(
            f"the RPM package on {package.source} is damaged", "Copy the ISO again, and compare its checksum"
        ) from problem
    except OSError as problem:
        raise write_error(target, problem) from problem
    finally:
        os.close(out)
    yield package.size - before


def _image(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of the image; all of the archive is read, so that the compressor's own checksum is checked."""
    _skip_headers(stream)
    archive = _decompress(stream)
    found = False
    while True:
        name, size = _member(archive)
        if name == "TRAILER!!!":
            break
        wanted = not found and _IMAGE.fullmatch(name) is not None
        found = found or wanted
        for part in _parts(archive, size):
            yield part if wanted else b""
        _exactly(archive, -size % 4)
    if not found:
        raise BadAnswer("the RPM package holds no *.squashfs.img")
    while archive.read(_PART):
        yield b""


def _parts(archive: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        part = _exactly(archive, min(size, _PART))
        size -= len(part)
        yield part


def _skip_headers(stream: BinaryIO) -> None:
    if _exactly(stream, _LEAD)[:4] != _LEAD_MAGIC:
        raise BadAnswer("this should be an RPM package, and is not")
    for alignment in (8, 1):
        magic, entries, size = _HEADER.unpack(_exactly(stream, _HEADER.size))
        length = entries * 16 + size
        if not magic.startswith(_HEADER_MAGIC) or length > _MOST_HEADER:
            raise BadAnswer("the RPM package has a damaged header")
        _exactly(stream, length + -length % alignment)


def _decompress(stream: BinaryIO) -> BinaryIO:
    magic = cast(io.BufferedReader, stream).peek(6)[:6]
    if magic.startswith(b"\xfd7zXZ") or magic.startswith(b"\x5d\0\0"):
        return cast(BinaryIO, lzma.LZMAFile(stream))
    if magic.startswith(b"\x1f\x8b"):
        return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    if magic.startswith(b"BZh"):
        return cast(BinaryIO, bz2.BZ2File(stream))
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(stream)
    raise BadAnswer("the RPM package is compressed in an unknown way")


def _zstd(stream: BinaryIO) -> BinaryIO:
    """Python has it from 3.14 on; before that the package `zstandard` does the same."""
    for module, opener in (("compression.zstd", "ZstdFile"), ("zstandard", "open")):
        try:
            return cast(BinaryIO, getattr(import_module(module), opener)(stream))
        except ImportError:
            continue
    raise Usage(
        "the RPM package is compressed with zstd, which this Python cannot read",
        "Run: pip install zstandard, or dnf install python3-zstandard",
    )


def _member(archive: BinaryIO) -> tuple[str, int]:
    header = _exactly(archive, _CPIO_HEADER)
    if header[:6] not in (b"070701", b"070702"):
        raise BadAnswer("the RPM package holds no cpio archive of the usual form")
    size, name_size = int(header[54:62], 16), int(header[94:102], 16)
    name = _exactly(archive, name_size + -(_CPIO_HEADER + name_size) % 4)[:name_size]
    return name.rstrip(b"\0").decode("utf-8", "replace"), size


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size:
        part = stream.read(min(size, _PART))
        if not part:
            raise BadAnswer("the RPM package is cut off")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
