"""Tell without reading them that files are as they were, by what their file system says of them.

Who writes to a file, replaces it or sets its times leaves another ctime, which the kernel takes from its clock; nobody
can set it. Only a second change within the same tick of that clock leaves the same one. So a file counts as known when
its last change lies before a moment from which on its content was read; any later change shows.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..files import write_whole

#: How far a file's last change has to lie back where its file system may have a clock of its own, with ticks of up to
#: 2 s (FAT), in ns.
_MARGIN = 2_000_000_000


class Signature(NamedTuple):
    """What a regular file is known by; the times are in ns."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int

    @classmethod
    def of(cls, status: os.stat_result) -> Signature | None:
        """None for what is not a regular file: a device's content changes without a trace."""
        if not stat.S_ISREG(status.st_mode):
            return None
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    @classmethod
    def at(cls, path: Path) -> Signature | None:
        """None if there is no such file either."""
        try:
            return cls.of(path.stat())
        except OSError:
            return None


class Opened(NamedTuple):
    """A file when it was opened, before any of it was read.

    Attributes:
        signature: As it was then.
        settled: Its last change lay far enough back for the next one to show.
    """

    signature: Signature
    settled: bool

    @classmethod
    def now(cls, descriptor: int) -> Opened | None:
        """None for a device."""
        signature = Signature.of(os.fstat(descriptor))
        return cls(signature, signature.ctime < time.time_ns() - _MARGIN) if signature else None


def moment(folder: Path) -> int:
    """The present by the clock of a folder's file system, in ns; 0 where nothing can be written."""
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            return os.fstat(stream.fileno()).st_mtime_ns
    except OSError:
        return 0


def settled_files(paths: Mapping[str, Path], since: int) -> dict[str, Signature]:
    """The signatures of those files whose last change lies before a moment.

    Args:
        paths: Name -> file.
        since: The moment, in ns.
    """
    found = {name: Signature.at(path) for name, path in paths.items()}
    return {name: signature for name, signature in found.items() if signature and signature.ctime < since}


def write(path: Path, notes: Mapping[str, Signature]) -> None:
    """Keep notes in a file; a failure is none, as without them everything is read again."""
    with contextlib.suppress(OSError):
        write_whole(path, json.dumps(notes).encode())


def read(path: Path) -> dict[str, Signature]:
    """Read them back; what cannot be read is not known."""
    try:
        notes = json.loads(path.read_text())
        return {name: Signature(*map(int, known)) for name, known in notes.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
