"""Where a description comes from. The daemon may run as root, so it reads no file that is not called a description."""

from __future__ import annotations

from pathlib import Path

from ...errors import RhevError, Usage
from ...files import open_named
from ...rows.description import LARGEST
from ...xcat.host import Request


def read(request: Request, name: str, option: str) -> str:
    """Read a description.

    Args:
        request: For the person's folder and input.
        name: A file on the machine that runs the command, or `-` for the input.
        option: The option that names it.

    Raises:
        Usage: It does not end in .yaml or .yml, is not a regular file, no text, or there is no input.
        Denied: It is not for everybody, and somebody else than root asks.
        RhevError: The file system refuses.
    """
    if name == "-":
        if not request.stdin:
            raise Usage(
                f"{option} -: there is no input",
                "Run: cat FILE | cfgve ...; xCAT's clients pass on only what is piped in",
            )
        return request.stdin
    path = Path(request.cwd, name)
    if path.suffix not in (".yaml", ".yml"):
        raise Usage(f"{option} {name}: not the name of a description", "Name a .yaml file, or - for the input")
    try:
        with open(open_named(path, public=not request.by_root), encoding="utf-8") as file:
            return file.read(LARGEST + 1)
    except UnicodeDecodeError:
        raise Usage(f"{path} is not text in UTF-8") from None
    except OSError as problem:
        raise RhevError(f"cannot read {path}: {problem.strerror}") from None
