"""Where lsve puts a picture: a new file, and only for root, because the daemon may write where others may not."""

from __future__ import annotations

from pathlib import Path

from ...errors import Denied, RhevError, Usage
from ...files import write_new
from ...xcat.host import Request


def place(request: Request, name: str) -> Path:
    """The path of a picture on the machine that runs the command.

    Args:
        request: Who asks, and where that person is.
        name: As typed.

    Raises:
        Usage: It does not end in .svg.
        Denied: Somebody else than root asks.
    """
    path = Path(request.cwd, name)
    if path.suffix != ".svg":
        raise Usage(f"--graph {name}: not the name of a picture", "Give a name that ends in .svg, or - for the output")
    if not request.by_root:
        raise Denied(
            f"--graph {name}: only root may let xcatd write files", "Run: lsve -m MANAGER --graph - > FILE.svg"
        )
    return path


def write(path: Path, svg: str) -> None:
    """Write a picture whole or not at all.

    Raises:
        Conflict: Something is there.
        RhevError: The file system refuses.
    """
    try:
        write_new(path, svg.encode(), 0o644)
    except OSError as problem:
        raise RhevError(f"cannot write {path}: {problem.strerror}") from None
