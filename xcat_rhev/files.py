"""Files that somebody named. The daemon may run as root, and who names them may be anybody, so a path is walked folder
by folder: what was looked at is what is opened, however often its names are exchanged meanwhile.

A link is followed only if root or the daemon's own user made it: other links are how a file that one may not read gets
the name of one that one may. Those of /proc lead to whatever the daemon itself has open.
"""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from .errors import Conflict, Denied, Usage

#: Links in one path; the kernel's own limit.
_MOST_LINKS = 40
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def typed_path(text: str) -> Path:
    """Read a path from the command line; an empty one, as of a variable that is not set, is not the current folder.

    Raises:
        ArgumentTypeError: It is empty.
    """
    if not text:
        raise ArgumentTypeError("the path is empty. Write . for the current folder")
    return Path(text)


def open_named(path: Path, *, public: bool = False) -> int:
    """Open a regular file for reading.

    Args:
        path: An absolute path, as somebody gave it.
        public: Only if everybody on this machine can read it.

    Returns:
        A descriptor.

    Raises:
        Usage: It is not a regular file, or a link of somebody else leads there.
        Denied: It is not for everybody.
        OSError: It is not there, or the system refuses.
    """
    found = _walk(path, public)
    try:
        state = os.fstat(found)
        if not stat.S_ISREG(state.st_mode) or state.st_dev == _proc():
            raise Usage(f"cannot read {path}: it is not a regular file", "Name a file")
        if public and not state.st_mode & stat.S_IROTH:
            raise Denied(f"the file {path} is not for everybody", f"Run: chmod o+r {path}")
        return os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(found)


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is not there yet; nothing is ever replaced.

    Args:
        path: An absolute path, as somebody gave it.
        data: All of it.
        mode: Its permissions.

    Raises:
        Conflict: Something is there.
        Usage: It is not a path of a file, or a link of somebody else leads there.
        OSError: The system refuses; then nothing is there.
    """
    with new_file(path, mode) as file:
        file.write(data)


@contextmanager
def new_file(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Give a file to write to that has its name only when the block ends well; nothing is ever replaced.

    Args:
        path: An absolute path, as somebody gave it.
        mode: Its permissions.

    Raises:
        Conflict: Something is there.
        Usage: It is not a path of a file, or a link of somebody else leads there.
        OSError: The system refuses; then nothing is there.
    """
    if path.name in ("", ".", ".."):
        raise Usage(f"{path} is not the name of a file")
    folder, part = _walk(path.parent), f".{path.name}.{os.urandom(6).hex()}"[-255:]
    try:
        _refuse_there(path, folder)
        handle = os.open(part, _NEW, 0o600, dir_fd=folder)
        try:
            with open(handle, "w+b") as file:
                os.fchmod(handle, mode)
                yield file
            os.link(part, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except FileExistsError:
            _refuse_there(path, folder)
            raise
        finally:
            os.unlink(part, dir_fd=folder)
    finally:
        os.close(folder)


def _refuse_there(path: Path, folder: int) -> None:
    """Refuse a name that something has.

    Raises:
        Conflict: Something has it.
    """
    try:
        os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise Conflict(f"{path} is there already, and nothing is replaced", "Remove it, or give another name")


def write_whole(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file of our own so that a reader sees the old content or the new one, never a part.

    Args:
        path: The file; its directory must exist.
        content: All of it.
        mode: The file's permissions.

    Raises:
        OSError: No right, or no space; the old file is then untouched.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
        os.replace(name, path)
    except OSError:
        os.unlink(name)
        raise


def lock_file(path: Path) -> IO[str] | None:
    """Lock a file for this process; the kernel frees it however the process ends.

    Returns:
        The open file, to be held as long as the lock; None if another process has it.
    """
    lock = open(path, "w")  # noqa: SIM115 - held by who calls
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _walk(path: Path, public: bool = False) -> int:
    """Find what a path leads to; the descriptor tells what it is and reads nothing.

    Raises:
        Usage: A link of somebody else is on the way.
        Denied: A folder on the way is not for everybody.
        OSError: It is not there.
    """
    if "\0" in str(path):
        raise Usage("a file's name holds no NUL")
    here, left, links = os.open("/", _LOOK), _parts(os.path.abspath(path)), 0
    try:
        while left:
            if public and not os.fstat(here).st_mode & stat.S_IXOTH:
                raise Denied(f"{path} is in a folder that is not for everybody", "Put it where everybody can read it")
            found = os.open(left.pop(), _LOOK, dir_fd=here)
            if stat.S_ISLNK(os.fstat(found).st_mode):
                links += 1
                target = _target(found, path, links)
                left += _parts(target)
                found = os.open("/" if target.startswith("/") else ".", _LOOK, dir_fd=here)
            os.close(here)
            here = found
    except BaseException:
        os.close(here)
        raise
    return here


def _parts(path: str) -> list[str]:
    """The names of a path, the first one last."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _target(link: int, path: Path, links: int) -> str:
    """Where a link leads; its descriptor is closed."""
    try:
        found = os.fstat(link)
        if links > _MOST_LINKS:
            raise Usage(f"{path} leads over more than {_MOST_LINKS} links")
        if found.st_uid not in (0, os.geteuid()) or found.st_dev == _proc():
            raise Usage(f"{path} leads over a link that root has not made", "Name the file itself")
        return os.readlink("", dir_fd=link)
    finally:
        os.close(link)


def _proc() -> int:
    """The device number of /proc; -1 where there is none."""
    try:
        return os.stat("/proc").st_dev
    except OSError:
        return -1
