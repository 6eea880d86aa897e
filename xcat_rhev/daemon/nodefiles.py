"""Files that a noderange names by `^`. The daemon may run as root and tells which words of a file are not nodes.
So not every client may name every file: `lsxcatd -v` with `^.../ca-key.pem` would show the key to any client.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from ..errors import Denied, Usage
from ..files import open_named

#: More of a file is not read.
LONGEST = 16 << 20


class Reach(Enum):
    """The files that a client's noderanges may name."""

    ALL = "root, a trusted peer, and what stands in the tables"
    PUBLIC = "users with a name: files that everybody on this machine can read"
    NONE = "somebody unknown"


def read(path: str, reach: Reach) -> str | None:
    """Read a file of nodes.

    Args:
        path: As it is in the noderange.
        reach: Which files may be read.

    Returns:
        Its text; None if there is none that could be read.

    Raises:
        Denied: It is there, but not for everybody.
    """
    if reach is Reach.NONE:
        raise Denied("a noderange that names a file needs an authenticated user")
    try:
        with open(open_named(Path(path), public=reach is Reach.PUBLIC), encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST)
    except Denied:
        raise Denied(f"the file {path} of the noderange is not for everybody", f"Run: chmod o+r {path}") from None
    except (OSError, Usage):
        return None
