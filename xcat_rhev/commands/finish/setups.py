"""How far the setup of a manager is: in nodelist.appstatus, and the answers that wait for it.

A kit lays the answers down as one file for each manager, for root only and outside of everything that is served. They
are handed out until the node says that it has them, which it does at once: what was lost on the way can be asked for
again. Then they are gone here.
"""

from __future__ import annotations

from pathlib import Path

from ...errors import Conflict, RhevError
from ...files import open_named
from ...xcat.host import Xcat
from .reports import note

#: What stands in nodelist.appstatus about the setup of a manager, and its words.
SETUP = "rhevmsetup"
WAITING, RUNNING, UP, FAILED = "waiting", "running", "up", "failed"
#: What the column says of a host with a full Linux whose scripts have run.
HOST, READY = "rhevmhost", "ready"
#: Below site.xcatconfdir.
FOLDER = Path("rhevm", "answers")
#: An answer file is not larger than this, in bytes.
LARGEST = 64 << 10


def answers_path(xcatconfdir: str, node: str) -> Path:
    """Where the answers for a node wait."""
    return Path(xcatconfdir, FOLDER, node)


def hand_out(xcat: Xcat, node: str) -> list[str]:
    """Give the answers of a node, until it has said that it has them.

    Args:
        xcat: The xCAT.
        node: The node, which is who asks.

    Returns:
        The lines of the file.

    Raises:
        Conflict: There are none, or not any more.
        RhevError: The file system refuses.
    """
    path = answers_path(xcat.site("xcatconfdir", "/etc/xcat"), node)
    try:
        with open(open_named(path), encoding="utf-8") as file:
            text = file.read(LARGEST)
    except FileNotFoundError:
        raise Conflict(
            "no answers wait for it, or it has them", f"Run: xcat-rhev engine kit VERSION --node {node}"
        ) from None
    except OSError as problem:
        raise RhevError(f"cannot read {path}: {problem.strerror}") from None
    note(xcat, {node: {SETUP: RUNNING}})
    return text.splitlines()


def take_away(xcat: Xcat, node: str) -> None:
    """Remove the answers of a node, which has them; none is no error.

    Raises:
        RhevError: The file system refuses.
    """
    path = answers_path(xcat.site("xcatconfdir", "/etc/xcat"), node)
    try:
        path.unlink(missing_ok=True)
    except OSError as problem:
        raise RhevError(f"cannot remove {path}: {problem.strerror}") from None
