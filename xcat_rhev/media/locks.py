"""One at a time, between processes: a lock that the kernel takes away with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import Conflict, Locked


@contextmanager
def lock_folder(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a folder; nothing is written for it.

    Args:
        folder: An existing folder.
        wait: Wait for whoever holds it, instead of giving up.

    Raises:
        Locked: Somebody else holds it.
        Conflict: The folder cannot be opened.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as problem:
        raise Conflict(f"cannot open {folder}: {problem.strerror}") from problem
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as problem:
            raise Locked(f"another command is at work in {folder}", "Try again when it has ended") from problem
        yield
    finally:
        os.close(handle)
