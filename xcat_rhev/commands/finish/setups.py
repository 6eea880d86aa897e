"""The progress of a manager's setup in nodelist.appstatus, and the answers for it.

A kit writes the answers as one file for each manager, for root only and outside of the served folders. They are handed
out until the node reports that it has them, which it does at once; an answer that was lost can be requested again.
Then the file is removed.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import Conflict, RhevError
from ...files import open_named
from ...xcat.host import Xcat
from .reports import note

#: The key in nodelist.appstatus for the setup of a manager, and its values.
SETUP = "rhevmsetup"
WAITING, RUNNING, UP, FAILED = "waiting", "running", "up", "failed"
#: The key for a host with a full Linux whose scripts have run.
HOST, READY = "rhevmhost", "ready"
#: Below site.xcatconfdir.
FOLDER = Path("rhevm", "answers")
#: An answer file is not larger than this, in bytes.
LARGEST = 64 << 10


def answers_path(xcatconfdir: str, node: str) -> Path:
    """The file with the answers for a node."""
    return Path(xcatconfdir, FOLDER, node)


def hand_out(xcat: Xcat, node: str) -> list[str]:
    """Give the answers of a node, until it has said that it has them.

    Args:
        xcat: The xCAT.
        node: The node, which asks.

    Returns:
        The lines of the file.

    Raises:
        Conflict: There are none, or no longer.
        RhevError: The file system refuses.
    """
    path = answers_path(xcat.site("xcatconfdir", "/etc/xcat"), node)
    try:
        with open(open_named(path), encoding="utf-8") as file:
            text = file.read(LARGEST)
    except FileNotFoundError:
        raise Conflict(
            "there are no answers for it, or it has them already", f"Run: xcat-rhev engine kit VERSION --node {node}"
        ) from None
    except OSError as problem:
        raise RhevError(f"cannot read {path}: {problem.strerror}") from None
    note(xcat, {node: {SETUP: RUNNING}})
    return text.splitlines()


def take_away(xcat: Xcat, node: str) -> None:
    """Remove the answers of a node, which has them; it is no error if there are none.

    Raises:
        RhevError: The file system refuses.
    """
    path = answers_path(xcat.site("xcatconfdir", "/etc/xcat"), node)
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise RhevError(f"cannot remove {path}: {problem.strerror}") from None
