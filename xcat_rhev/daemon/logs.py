"""Log files: for root and the group alone, and never larger than so much, whoever fills them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

#: Bytes of a log file, and how many older ones are kept beside it.
LONGEST, KEPT = 16 << 20, 4
#: Permissions of a log file and of the folder.
MODE, FOLDER = 0o640, 0o750


def append(path: Path, lines: Iterable[str]) -> None:
    """Add lines to a log file; a full one is put aside first.

    Raises:
        OSError: No right, or no space.
    """
    if path.exists() and path.stat().st_size > LONGEST:
        for number in range(KEPT, 0, -1):
            older = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
            if older.exists():
                os.replace(older, path.with_name(f"{path.name}.{number}"))
    with open(path, "a", encoding="utf-8", opener=_opener) as file:
        file.writelines(lines)


def to_file(path: Path) -> logging.Handler:
    """What writes the daemon's own log."""
    handler = _Handler(path, maxBytes=LONGEST, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler


class _Handler(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, self.mode, encoding=self.encoding, opener=_opener)  # type: ignore[return-value]


def _opener(path: str, flags: int) -> int:
    """Whatever the umask; one that was made otherwise before is put right."""
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    os.fchmod(handle, MODE)
    return handle
