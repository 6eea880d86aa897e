"""How far the setup of a manager is: in nodelist.appstatus, and the answers that wait for it.

A kit lays the answers down as one file for each manager, for root only and outside of everything that is served. They
are handed out once; what has been handed out is gone here.
"""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import Conflict, RhevError
from ...files import open_named
from ...xcat.host import Xcat
from .reports import note

#: What stands in nodelist.appstatus about the setup of a manager, and its words.
SETUP = "rhevmsetup"
WAITING, RUNNING, UP, FAILED = "waiting", "running", "up", "failed"
#: What stands there about a host with a full Linux whose scripts have run.
HOST, READY = "rhevmhost", "ready"
#: Below site.xcatconfdir.
FOLDER = Path("rhevm", "answers")
#: An answer file is not larger than this, in bytes.
LARGEST = 64 << 10


def answers_path(xcatconfdir: str, node: str) -> Path:
    """Where the answers for a node wait."""
    return Path(xcatconfdir, FOLDER, node)


def hand_out(xcat: Xcat, node: str) -> list[str]:
    """Give the answers of a node, once.

    Args:
        xcat: The xCAT.
        node: The node, which is who asks.

    Returns:
        The lines of the file, which is gone afterwards.

    Raises:
        Conflict: There are none, or not any more.
        RhevError: The file system refuses.
    """
    path = answers_path(xcat.site("xcatconfdir", "/etc/xcat"), node)
    try:
        with open(open_named(path), encoding="utf-8") as file:
            text = file.read(LARGEST)
        os.unlink(path)
    except FileNotFoundError:
        raise Conflict(
            "no answers wait for it; they are handed out once", f"Run: xcat-rhev engine kit VERSION --node {node}"
        ) from None
    except OSError as problem:
        raise RhevError(f"cannot read {path}: {problem.strerror}") from None
    note(xcat, {node: {SETUP: RUNNING}})
    return text.splitlines()
