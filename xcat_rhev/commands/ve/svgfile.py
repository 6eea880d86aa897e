"""Where lsve puts a picture. The daemon may run as root: it makes new files and replaces pictures, nothing else."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ...errors import Conflict, RhevError, Usage

#: What a picture begins with; a file that begins otherwise is somebody else's.
_BEGINNINGS = (b"<?xml", b"<svg ")


def place(cwd: str, name: str) -> Path:
    """The path of a picture on the machine that runs the command.

    Args:
        cwd: Where the person is.
        name: As typed.

    Raises:
        Usage: It does not end in .svg.
    """
    path = Path(cwd, name)
    if path.suffix != ".svg":
        raise Usage(f"--graph {name}: not the name of a picture", "Give a name that ends in .svg, or - for the output")
    return path


def write(path: Path, svg: str) -> None:
    """Write a picture whole or not at all.

    Raises:
        Conflict: A file is there that is no picture.
        RhevError: The file system refuses.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if path.is_symlink() or (path.exists() and not _is_picture(path)):
            raise Conflict(f"{path} is there and no picture", "Give another name")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(svg)
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as problem:
        raise RhevError(f"cannot write {path}: {problem.strerror}") from None


def _is_picture(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(5).startswith(_BEGINNINGS)
