"""What a guest sees of a qcow2 image: it is written out as raw, as the engine's hosts read it through qemu."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

MAGIC = b"QFI\xfb"
_HEAD = struct.Struct(">4sIQIIQIIQQ")
#: Bits of a table's entry that are its offset.
_OFFSET = 0x00FFFFFFFFFFFE00
_COMPRESSED, _ZERO = 1 << 62, 1


class NoImage(Exception):
    """It is no qcow2 image that stands by itself."""


def expand(source: Path, target: Path, size: int) -> None:
    """Write an image as raw, with holes where it has no data.

    Args:
        source: The qcow2 file.
        target: What becomes of it.
        size: How large the disk is.

    Raises:
        NoImage: It is none, it hangs on another file, or it is larger than the disk.
    """
    with source.open("rb") as image, target.open("wb") as raw:
        head = image.read(_HEAD.size)
        if len(head) < _HEAD.size or head[:4] != MAGIC:
            raise NoImage
        _, _, backing, _, bits, virtual, crypt, rows, table, _ = _HEAD.unpack(head)
        if backing or crypt or virtual > size or not 9 <= bits <= 21:
            raise NoImage
        raw.truncate(size)
        for place, entry in _clusters(image, table, rows, bits):
            data = _cluster(image, entry, bits)[: virtual - place]
            if data.strip(b"\0"):
                raw.seek(place)
                raw.write(data)


def _clusters(image: BinaryIO, table: int, rows: int, bits: int) -> list[tuple[int, int]]:
    """Where the guest's clusters are, by their place in the disk; those that are nowhere are left out."""
    found = []
    per_table = 1 << (bits - 3)
    for row, first in enumerate(_table(image, table, rows)):
        if not first & _OFFSET:
            continue
        for column, entry in enumerate(_table(image, first & _OFFSET, per_table)):
            if entry & ~_ZERO and not (entry & _ZERO and not entry & _COMPRESSED):
                found.append(((row * per_table + column) << bits, entry))
    return found


def _table(image: BinaryIO, place: int, rows: int) -> tuple[int, ...]:
    image.seek(place)
    text = image.read(8 * rows)
    return struct.unpack(f">{len(text) // 8}Q", text[: len(text) // 8 * 8])


def _cluster(image: BinaryIO, entry: int, bits: int) -> bytes:
    if not entry & _COMPRESSED:
        image.seek(entry & _OFFSET)
        return image.read(1 << bits)
    shift = 62 - (bits - 8)
    place = entry & ((1 << shift) - 1)
    sectors = (entry >> shift & ((1 << (bits - 8)) - 1)) + 1
    image.seek(place)
    try:
        return zlib.decompressobj(-12).decompress(image.read(512 * sectors - place % 512), 1 << bits)
    except zlib.error:
        raise NoImage from None
