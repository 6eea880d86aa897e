"""Files that a noderange names by `^`. The daemon may run as root and tells which words of a file are no nodes, so
what it reads for whom matters: `lsxcatd -v` with `^.../ca-key.pem` would show the key to anybody who can connect.
"""

from __future__ import annotations

import os
import stat
from enum import Enum
from pathlib import Path

from ..errors import Denied

#: More of a file is not read.
LONGEST = 16 << 20


class Reach(Enum):
    """Whose noderanges may name which files."""

    ALL = "root, a trusted peer, and what stands in the tables"
    PUBLIC = "users with a name: files that everybody on this machine can read"
    NONE = "somebody unknown"


def read(path: str, reach: Reach) -> str | None:
    """Read a file of nodes.

    Args:
        path: As it stands in the noderange.
        reach: Which files may be read.

    Returns:
        Its text; None if there is none that could be read.

    Raises:
        Denied: It is there, but not for everybody.
    """
    if reach is Reach.NONE:
        raise Denied("a noderange that names a file needs a user with a name")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not hold the daemon
    except (OSError, ValueError):
        return None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)  # Python opens no directory
        return None
    with open(handle, encoding="utf-8", errors="replace") as file:
        if reach is Reach.PUBLIC and not (mode & stat.S_IROTH and _open_to_all(os.readlink(f"/proc/self/fd/{handle}"))):
            raise Denied(f"the file {path} of the noderange is not for everybody", f"Run: chmod o+r {path}")
        return file.read(LONGEST)


def _open_to_all(path: str) -> bool:
    """Whether everybody can get to where a file is."""
    try:
        return all(parent.stat().st_mode & stat.S_IXOTH for parent in Path(path).parents)
    except OSError:
        return False
