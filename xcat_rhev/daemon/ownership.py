"""The owner of a home, and the daemon that runs in it. A folder that somebody else made may hold
that user's CA and tables.

As PostgreSQL does with its data folder: the owner and the permissions are checked before anything is read, and a lock
file names the process that runs.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import Locked, Usage
from .home import Home

#: Holds the number of the process; the lock on it ends with that process, however it ends.
LOCK = "xcatd.pid"
_WRITABLE = stat.S_IWGRP | stat.S_IWOTH


def check_owner(home: Home) -> None:
    """Make sure that all that the daemon believes in a home is its own user's.

    Raises:
        Usage: Something belongs to somebody else, is a link, or others can write to it.
    """
    for path in _trusted_paths(home):
        try:
            state = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(state.st_mode):
            raise Usage(f"{path} is a link", "Put the folder or file itself there")
        if path == home.root and not stat.S_ISDIR(state.st_mode):
            raise Usage(f"{path} is not a folder", "Give --home another one")
        if state.st_uid != os.geteuid():
            raise Usage(
                f"{path} belongs to {_name(state.st_uid)}, and this is {_name(os.geteuid())}",
                f"Use another folder, or run: chown -R {_name(os.geteuid())} {home.root}, if you trust what is in it",
            )
        if state.st_mode & _WRITABLE:
            raise Usage(f"others can write to {path}", f"Run: chmod go-w {path}, if you trust what is in it")


def lock(home: Home) -> int:
    """Take a home for this process, until it ends.

    Returns:
        What holds it; to be kept open.

    Raises:
        Locked: Another process has it.
        OSError: The file cannot be written.
    """
    handle = os.open(home.root / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise Locked(
            f"another xcatd, process {running or 'unknown'}, runs on {home.root}", "Stop it, or give this one a home"
        ) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle


def _trusted_paths(home: Home) -> Iterator[Path]:
    """The folders and files that make the daemon what it is."""
    yield from (home.root, home.config.parent, home.log, home.client.parent)
    for folder in (home.config, home.ca, home.ca / "private", home.cert, home.client):
        yield folder
        if folder.is_dir() and not folder.is_symlink():
            yield from sorted(folder.iterdir())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
