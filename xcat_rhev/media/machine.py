"""Which machines a medium is for, and which Red Hat Enterprise Linux it is made of, by its kernel and loaders."""

from __future__ import annotations

import re
import struct

from .medium import Medium
from .names import numbers_of
from .tree import treeinfo

_LOADERS = {"BOOTX64": "x86_64", "BOOTAA64": "aarch64"}
_ELF_MACHINES = {21: "ppc64le", 22: "s390x", 183: "aarch64"}
#: The length of what is read of a kernel: the text that tells its version may be anywhere in it.
_HEAD = 1 << 16
_OF_KERNEL = re.compile(rb"\.el(\d{1,2})")
_OF_TREE = re.compile(r"(\d{1,2})(\.\d+)?")
_OF_NAME = re.compile(r"[._]el(\d{1,2})\b|CentOS[ -](?:Stream-)?(\d{1,2})\b|AlmaLinux-(\d{1,2})\b", re.IGNORECASE)
#: What each release was made of where nothing else tells: (family, first version) -> RHEL.
_MADE_OF = (("rhevh", (4, 4), 8), ("rhevh", (0,), 7), ("ovirt", (4, 5), 0), ("ovirt", (4, 4), 8), ("ovirt", (0,), 7))


def architecture(medium: Medium, kernel: str) -> str:
    """The architecture as xCAT writes it; x86_64 where nothing tells of another.

    Args:
        medium: The medium.
        kernel: Its kernel's path. It is asked before `.treeinfo`, as oVirt's always has x86_64 there.
    """
    said = treeinfo(medium).get("arch", "x86_64")
    if said != "x86_64":
        return said
    name = medium.find(kernel)
    loader = next((arch for stem, arch in _LOADERS.items() if medium.find(f"EFI/BOOT/{stem}.EFI")), "")
    of_kernel = _of_kernel(medium.head(name, _HEAD)) if name else ""
    return loader if of_kernel in ("", "x86") and loader else of_kernel or said


def _of_kernel(kernel: bytes) -> str:
    if kernel[0x202:0x206] == b"HdrS":
        return "x86" if _is_32_bit(kernel) else "x86_64"
    if kernel[0x38:0x3C] == b"ARM\x64":
        return "aarch64"
    if kernel[:4] == b"\x7fELF" and len(kernel) > 0x14:
        (machine,) = struct.unpack_from("<H" if kernel[5] == 1 else ">H", kernel, 0x12)
        return _ELF_MACHINES.get(machine, "")
    return ""


def enterprise_linux(medium: Medium, kernel: str, family: str, version: str) -> int:
    """The major version of the RHEL, CentOS or Stream whose Anaconda a medium starts; 0 if that is not known.

    Args:
        medium: The medium.
        kernel: Its kernel's path.
        family, version: What it is.
    """
    name = medium.find(kernel)
    found = _OF_KERNEL.search(kernel_version(medium.head(name, _HEAD))) if name else None
    if found:
        return int(found[1])
    tree = _OF_TREE.fullmatch(treeinfo(medium).get("version", ""))
    if tree and int(tree[1]) >= 7:
        return int(tree[1])
    for text in (medium.file_name, medium.label):
        told = _OF_NAME.search(text)
        if told:
            return int(next(filter(None, told.groups())))
    return next(linux for whose, first, linux in _MADE_OF if whose == family and first <= numbers_of(version))


def kernel_version(kernel: bytes) -> bytes:
    """The version that an x86 kernel's boot header points to, such as `3.10.0-957.el7.x86_64 (...)`; empty if none."""
    if len(kernel) < 0x250 or kernel[0x202:0x206] != b"HdrS":
        return b""
    start = struct.unpack_from("<H", kernel, 0x20E)[0] + 0x200
    return kernel[start : start + 200].partition(b"\0")[0] if start > 0x200 else b""


def _is_32_bit(kernel: bytes) -> bool:
    """Read the x86 boot header: magic at 0x202, protocol at 0x206, version text by 0x20E, xloadflags at 0x236."""
    if len(kernel) < 0x250:
        return False
    (protocol,) = struct.unpack_from("<H", kernel, 0x206)
    if protocol >= 0x020C:
        return not kernel[0x236] & 1
    version = kernel_version(kernel)
    return bool(version) and b"x86_64" not in version and re.search(rb"\bi[3-6]86\b", version) is not None
