"""What a file with a disk in it is: the header of a qcow2 image, or a raw one."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import Usage
from ..units import show_size

#: A disk's size is a multiple of this everywhere.
SECTOR = 4096
_QCOW2 = b"QFI\xfb"
_HEAD = struct.Struct(">4sIQIIQI")
_FEATURES = 72
#: Bits of the incompatible features: not closed, known to be damaged, its data is in another file.
_DIRTY, _CORRUPT, _ELSEWHERE = 1, 2, 4
#: What people have as well, by the first bytes.
_OTHERS = {
    b"KDMV": "a VMDK image",
    b"# Disk DescriptorFile": "the descriptor of a VMDK image",
    b"vhdxfile": "a VHDX image",
    b"conectix": "a VHD image",
    b"<<< ": "a VDI image",
    b"QED\0": "a QED image",
    b"\x1f\x8b": "packed with gzip",
    b"\xfd7zXZ\0": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"PK\x03\x04": "packed with zip",
}
_ISO_MARK, _ISO_PLACE = b"CD001", 0x8001


@dataclass(frozen=True)
class DiskFile:
    """A file with a disk in it.

    Attributes:
        format: cow, raw: as engines call them.
        size: Bytes that a guest sees.
        length: Bytes of the file.
        iso: It is an image of a CD.
    """

    format: str
    size: int
    length: int
    iso: bool = False

    @property
    def describe(self) -> str:
        """For a person."""
        kind = "qcow2" if self.format == "cow" else "ISO" if self.iso else "raw"
        return f"{kind}, {show_size(self.size)}"


def look(file: BinaryIO, name: str) -> DiskFile:
    """Find out what a file is.

    Args:
        file: Open; what is read next is another place afterwards.
        name: For errors.

    Raises:
        Usage: It is empty, an image of another kind, or a qcow2 image that cannot stand by itself.
    """
    head, length = file.read(4096), os.fstat(file.fileno()).st_size
    if not length:
        raise Usage(f"{name} is empty")
    for mark, what in _OTHERS.items():
        if head.startswith(mark):
            doing = "Unpack it first" if what.startswith("packed") else "Run: qemu-img convert -O qcow2"
            raise Usage(f"{name} is {what}, not a qcow2 or raw one", doing)
    if head.startswith(_QCOW2):
        return DiskFile("cow", _up(_virtual(head, name)), length)
    file.seek(_ISO_PLACE)
    return DiskFile("raw", _up(length), length, file.read(len(_ISO_MARK)) == _ISO_MARK)


def _virtual(head: bytes, name: str) -> int:
    """How large the disk in a qcow2 image is."""
    if len(head) < 104:
        raise Usage(f"{name} is cut off")
    _, version, backing, _, _, size, crypt = _HEAD.unpack(head[: _HEAD.size])
    bits = struct.unpack_from(">Q", head, _FEATURES)[0] if version >= 3 else 0
    if version not in (2, 3):
        raise Usage(f"{name} is qcow2 of version {version}, which no engine takes")
    if backing or bits & _ELSEWHERE:
        raise Usage(f"{name} is a part of an image; the rest is in another file", "Run: qemu-img convert -O qcow2")
    if crypt:
        raise Usage(f"{name} is encrypted, which no engine takes")
    if bits & (_DIRTY | _CORRUPT):
        raise Usage(f"{name} was not closed or is damaged", f"Run: qemu-img check -r all {name}")
    if not size:
        raise Usage(f"{name} holds a disk of no size")
    return int(size)


def _up(size: int) -> int:
    return -(-size // SECTOR) * SECTOR
