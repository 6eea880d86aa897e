"""The files of a kit, written so that a second run changes nothing and says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...errors import RhevError
from ...files import write_whole
from ..files import find_shared

#: xCAT's postscripts that a kit needs, in `<installdir>/postscripts`.
POSTSCRIPTS = ("rhevmrepos", "rhevmsetup", "rhevmhost")


def write_all(files: Mapping[Path, str], mode: int = 0o644) -> list[Path]:
    """Write what differs.

    Args:
        files: Path -> text.
        mode: Their permissions; a folder that is made gets the same, with the right to enter it.

    Returns:
        The files that were written.

    Raises:
        RhevError: The file system refuses.
    """
    written = []
    for path, text in files.items():
        try:
            if path.is_file() and path.read_text() == text and path.stat().st_mode & 0o777 == mode:
                continue
            _folder(path.parent, mode)
            write_whole(path, text.encode(), mode)
        except OSError as problem:
            raise RhevError(f"cannot write {path}: {problem.strerror}") from None
        written.append(path)
    return written


def _folder(folder: Path, mode: int) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True)
        os.chmod(folder, mode | (mode & 0o444) >> 2)


def postscripts(installdir: Path) -> dict[Path, str]:
    """The postscripts, where xCAT's nodes fetch them."""
    return {
        installdir / "postscripts" / name: find_shared(f"share/postscripts/{name}").read_text() for name in POSTSCRIPTS
    }
