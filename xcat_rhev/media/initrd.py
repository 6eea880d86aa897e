"""Put a file into an initrd, so that a kernel finds it in its root folder: one more cpio archive behind the others.

The kernel's rule ("initramfs buffer format"): archives are one behind the other, plain or compressed, with any number
of NUL bytes between them; a plain one begins at a multiple of 4 from the start of the whole. The member is left
uncompressed: a hypervisor's ISO is compressed already, so gzip costs minutes and saves a few percent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import NotFound, Usage
from . import file_signature as noted
from .copying import copy, write_all, write_error
from .file_signature import Signature
from .locks import lock_folder
from .medium import File, whole_file

_HEADER = 110
_MODE = 0o100644
#: The size field has 32 bits.
_MOST = (1 << 32) - 1
#: Where the member's bytes begin is a multiple of this, so that a file system can share blocks instead of copying them.
_BLOCK = 4096
#: dracut's rule and the installer's: lower-case `.iso`, and no character that the kernel line or udev would split at.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.iso")


def member_header(name: str, size: int, *, mode: int = _MODE) -> bytes:
    """Write the header of a newc member with its name, padded to 4 bytes; the data follow, padded to 4 again.

    Args:
        name: Its path from the root folder, without a leading slash.
        size: Its length in bytes, below 4 GiB.
        mode: File type and permissions.
    """
    encoded = os.fsencode(name) + b"\0"
    fields = (1 if size else 0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    return header + bytes(-len(header) % 4)


def trailer() -> bytes:
    """Write the end of an archive."""
    return member_header("TRAILER!!!", 0, mode=0)


def append_member(initrd: File, member: File, name: str, out: int, target: Path) -> Iterator[int]:
    """Write an initrd with one more file in it.

    Args:
        initrd: The initrd as it is.
        member: The file to add.
        name: What it is called in the root folder.
        out: A descriptor open for writing, at its start.
        target: Its path, for errors.

    Returns:
        Numbers of bytes dealt with.

    Raises:
        Usage: The name would not be found, or the file is too large.
        RhevError: As `copying.copy`.
    """
    if not _NAME.fullmatch(name):
        raise Usage(f"'{name}' cannot be the name of an ISO in an initrd", "Use letters, digits and a lower-case .iso")
    if member.size > _MOST:
        raise Usage(f"{member.source} has {member.size} bytes; a file in an initrd has less than 4 GiB")
    yield from copy(initrd, out, target)
    header = member_header(name, member.size)
    write_all(out, bytes(-(initrd.size + len(header)) % _BLOCK) + header)
    yield from copy(member, out, target)
    write_all(out, bytes(-member.size % 4) + trailer())


def build(initrd: Path, iso: Path, target: Path) -> Iterator[int]:
    """Make an initrd with an ISO image in it, unless the one that is there was made of the same two files.

    It lands whole or not at all; a node that is reading the old one goes on reading the old one.

    Args:
        initrd: The medium's own initrd.
        iso: The medium itself; its name is kept.
        target: The initrd to make; its folder exists.

    Returns:
        Numbers of bytes dealt with; none when nothing had to be done.

    Raises:
        NotFound: One of the two is missing.
        RhevError: As `append_member`.
    """
    with lock_folder(target.parent):
        made_of = _made_of(initrd, iso)
        stamp = target.with_name(target.name + ".json")
        if noted.read(stamp) == {**made_of, str(target): Signature.at(target)}:
            return
        try:
            stamp.unlink(missing_ok=True)
            with replace_file(target) as out:
                yield from append_member(whole_file(initrd), whole_file(iso), iso.name, out, target)
            noted.write(stamp, {**made_of, str(target): _signature(target)})
        except OSError as problem:
            raise write_error(target, problem) from problem


def _made_of(initrd: Path, iso: Path) -> dict[str, Signature]:
    """What tells two files from any others, as far as that can be told without reading them."""
    return {str(path): _signature(path) for path in (initrd, iso)}


def _signature(path: Path) -> Signature:
    found = Signature.at(path)
    if found is None:
        raise NotFound(f"{path} is missing", "Run copycds again")
    return found


@contextmanager
def replace_file(target: Path) -> Iterator[int]:
    """Write a file beside its place and move it there at the end; nothing is left when that fails.

    Args:
        target: The file's place.

    Returns:
        A descriptor to write to; anybody may read the file later.

    Raises:
        Conflict: It cannot be written.
    """
    beside = target.with_name(f".{target.name}.new")
    try:
        out = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            os.fchmod(out, 0o644)
            yield out
        finally:
            os.close(out)
        os.replace(beside, target)
    except OSError as problem:
        raise write_error(target, problem) from problem
    finally:
        beside.unlink(missing_ok=True)
