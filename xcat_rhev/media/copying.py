"""Move bytes without holding them: inside the kernel, or as shared blocks, where the file system offers it.

Every function here is a generator that gives the number of bytes it has dealt with since the last time, so that whoever
calls it can show progress and stop it between two steps.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import BadAnswer, Conflict, RhevError, Usage
from .medium import File

#: Bytes per step: small enough to stop at once, large enough to cost nothing.
_STEP = 8 << 20
_BUFFER = 1 << 20
#: What the kernel says where it cannot copy by itself between these two files.
_CANNOT = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.ETXTBSY, errno.EPERM}


def copy_new(file: File, target: Path) -> Iterator[int]:
    """Copy a file to a path where nothing is yet; others may read it, whatever the umask.

    Raises:
        RhevError: See `copy`; also when something is there already, be it a link.
    """
    try:
        out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        raise write_error(target, problem) from problem
    try:
        os.fchmod(out, 0o644)
        yield from copy(file, out, target)
    finally:
        os.close(out)


def copy(file: File, out: int, target: Path) -> Iterator[int]:
    """Copy a file to where an open file is.

    Args:
        file: What to copy.
        out: A descriptor open for writing.
        target: Its path, for errors.

    Raises:
        Usage: The source is gone or cannot be read.
        BadAnswer: The source ends too early.
        Conflict: No space is left, or the target cannot be written.
    """
    try:
        source = file.open()
    except OSError as problem:
        raise Usage(f"cannot read {file.source}: {problem.strerror}") from problem
    try:
        for offset, length in file.pieces:
            yield from _copy_range(source, out, offset, length, file.source)
    except OSError as problem:
        raise write_error(target, problem) from problem
    finally:
        os.close(source)


def _copy_range(source: int, out: int, offset: int, length: int, name: Path) -> Iterator[int]:
    end, in_kernel = offset + length, hasattr(os, "copy_file_range")
    while offset < end:
        done = _in_kernel(source, out, offset, min(end - offset, _STEP)) if in_kernel else None
        if done is None:
            in_kernel = False
            part = os.pread(source, min(end - offset, _BUFFER), offset)
            write_all(out, part)
            done = len(part)
        if not done:
            raise BadAnswer(f"{name} became shorter while it was read")
        offset += done
        yield done


def _in_kernel(source: int, out: int, offset: int, length: int) -> int | None:
    """Let the kernel copy; None where it cannot."""
    try:
        return os.copy_file_range(source, out, length, offset_src=offset)
    except OSError as problem:
        if problem.errno in _CANNOT:
            return None
        raise


def write_all(out: int, data: bytes) -> None:
    """Write all bytes to a descriptor; a write may take less than it is given."""
    left = memoryview(data)
    while left:
        left = left[os.write(out, left) :]


def same(file: File, path: Path) -> Iterator[int]:
    """Compare a file with one on disk, byte by byte.

    Raises:
        Conflict: They differ, or the one on disk is not there or cannot be read.
        Usage: The other one cannot be read.
    """
    differ = Conflict(f"{path} is not as it was on the medium")
    try:
        there = path.open("rb", 0)
    except OSError as problem:
        raise differ from problem
    with there, Ranges(file) as source:
        if os.fstat(there.fileno()).st_size != file.size:
            raise differ
        while source.done < file.size:
            part = source.read(_BUFFER)
            if not part or there.read(len(part)) != part:
                raise differ
            yield len(part)


class Ranges(io.RawIOBase):
    """A file of a medium as a stream that can be read from front to end.

    Args:
        file: The file.

    Raises:
        Usage: It cannot be read.
    """

    def __init__(self, file: File) -> None:
        super().__init__()
        try:
            self._source = file.open()
        except OSError as problem:
            self._source = -1
            raise Usage(f"cannot read {file.source}: {problem.strerror}") from problem
        self._pieces = list(file.pieces)
        #: Bytes read so far.
        self.done = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read on; 0 at the end."""
        while self._pieces and not self._pieces[0][1]:
            self._pieces.pop(0)
        if not self._pieces:
            return 0
        offset, length = self._pieces[0]
        count = os.preadv(self._source, [memoryview(buffer)[:length]], offset)
        self._pieces[0] = (offset + count, length - count)
        self.done += count
        return count

    def close(self) -> None:
        """Close the source."""
        if self._source >= 0:
            os.close(self._source)
            self._source = -1
        super().close()


def write_error(target: Path, problem: OSError) -> RhevError:
    """Word why a file could not be written."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return Conflict(f"no space left for {target}", "Free some space there and run the same command again")
    return Conflict(f"cannot write {target}: {problem.strerror or problem}")
