"""The commands under their own names: `rpower` beside `xcat-rhev`, with man page and completion of node names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

from ...xcat.commandnames import TYPED
from ..files import find_shared

_COMPLETIONS = "share/bash-completion/completions"


def program() -> Path:
    """The `xcat-rhev` that people type: in the path, or beside this Python."""
    found = which("xcat-rhev")
    return Path(found) if found else Path(sys.executable).with_name("xcat-rhev")


def make() -> tuple[list[str], list[str]]:
    """Make what is missing, where we may write.

    Returns:
        The commands that can be typed under their own names, and why others cannot.
    """
    ours, folder = program(), _folder()
    typed, left = [], []
    if not os.access(folder, os.W_OK):
        return [], [f"{folder} is not writable"]
    for name in TYPED:
        there = which(name)
        if there is None:
            _link(folder / name, ours)
        elif Path(there).resolve() != ours.resolve():
            left.append(f"{name} is {there}")
            continue
        typed.append(name)
    _pages(folder, typed)
    _completion(typed)
    return typed, left


def _folder() -> Path:
    """Beside the program; a distribution's own folder is not ours to fill."""
    folder = program().parent
    return Path("/usr/local/bin") if folder in (Path("/usr/bin"), Path("/bin")) else folder


def _pages(folder: Path, typed: list[str]) -> None:
    """`man rpower` shows `xcat-rhev-rpower`, wherever man finds that."""
    man = folder.parent / "share" / "man" / "man1"
    for name in typed:
        source = next((each for each in _sources(man, name) if each.exists()), None)
        if source and not (man / f"{name}.1").exists():
            _link(man / f"{name}.1", source)


def _sources(man: Path, name: str) -> Iterator[Path]:
    page = f"xcat-rhev-{name}.1"
    yield man / page
    yield from (Path("/usr/share/man/man1") / f"{page}{suffix}" for suffix in (".gz", ""))


def _completion(typed: list[str]) -> None:
    """bash loads the completion of a command from a file of its name."""
    top = Path("/usr/local") if os.geteuid() == 0 else Path.home() / ".local"
    folder = top / _COMPLETIONS
    try:
        for name in ("xcat-rhev", *typed):
            _link(folder / name, find_shared("share/completion/xcat-rhev.bash"))
    except OSError:
        return  # completion is a comfort


def _link(path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    if not path.exists():
        path.symlink_to(to)
