"""An installation medium as a list of files, wherever they are: in an ISO image or in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import BadAnswer, NotFound, Usage
from ..files import open_named
from .file_signature import Opened

#: More entries than any medium of ours has; a medium beyond it is not looked at further.
MOST_ENTRIES = 50_000
_MOST_DEPTH = 32
_MOST_TEXT = 1 << 20


class Held:
    """An image that stays open: whatever its path leads to later, all of it is read from the same file.

    Args:
        descriptor: The open image; closed with this.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def again(self) -> int:
        """Another descriptor of the same file."""
        return os.dup(self._descriptor)

    def __del__(self) -> None:
        os.close(self._descriptor)


@dataclass(frozen=True)
class File:
    """The bytes of one file, as ranges of another one.

    Attributes:
        source: The ISO image, or the file itself.
        pieces: Offset and length of each range in `source`, in bytes, in order.
        held: The open image; None for a file that is opened when it is read.
    """

    source: Path
    pieces: tuple[tuple[int, int], ...]
    held: Held | None = field(default=None, compare=False, repr=False)

    def open(self) -> int:
        """Open what it is a part of; the descriptor's place in the file is everybody's.

        Raises:
            OSError: It is gone, or cannot be read.
            Usage: It is not a regular file any more.
        """
        return self.held.again() if self.held else open_named(self.source)

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return sum(length for _, length in self.pieces)


def whole_file(path: Path) -> File:
    """All of a file that is on disk.

    Raises:
        NotFound: It is not there.
    """
    try:
        return File(path, ((0, path.stat().st_size),))
    except OSError as problem:
        raise NotFound(f"{path} is missing: {problem.strerror}") from problem


@dataclass(frozen=True)
class Medium:
    """What a medium holds.

    Attributes:
        name: What a person calls it: the path of the image or folder.
        label: The volume label, stripped; empty for a folder.
        image: The whole ISO image, or None for a folder.
        opened: The image file when it was opened; None for a device or a folder.
        files: Path below the top, as the medium spells it -> file.
        links: Path of a symbolic link -> its target as it is there.
        cut_off: Why it cannot be whole, or empty: an image shorter than it says, a file that reaches beyond the end.
    """

    name: str
    label: str
    image: File | None
    cut_off: str = ""
    files: dict[str, File] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    opened: Opened | None = None

    @property
    def file_name(self) -> str:
        """The name of the image itself: what a link leads to counts, not what the link is called."""
        return os.path.basename(os.path.realpath(self.name))

    def find(self, path: str) -> str | None:
        """Give the medium's own spelling of a path; letter case does not matter, an exact hit goes first.

        Args:
            path: Such as `isolinux/version`.
        """
        if path in self.files:
            return path
        wanted = path.lower()
        return next((name for name in self.files if name.lower() == wanted), None)

    def text(self, path: str) -> str | None:
        """Read a small text file; None if there is no such file.

        Raises:
            BadAnswer: It is beyond 1 MiB, or cannot be read.
        """
        name = self.find(path)
        if name is None:
            return None
        if self.files[name].size > _MOST_TEXT:
            raise BadAnswer(f"{self.name}: {name} is too large to be what it should be")
        return self.head(name, _MOST_TEXT).decode("utf-8", "replace")

    def head(self, name: str, size: int) -> bytes:
        """Read the first bytes of a file.

        Args:
            name: Its path as the medium spells it.
            size: How many bytes at most.

        Raises:
            BadAnswer: The medium ends before the file does, or cannot be read.
        """
        parts, left = [], size
        try:
            handle = self.files[name].open()
            try:
                for offset, length in self.files[name].pieces:
                    part = os.pread(handle, min(length, left), offset)
                    if len(part) < min(length, left):
                        raise BadAnswer(f"{self.name} is cut off inside {name}")
                    parts.append(part)
                    left -= len(part)
            finally:
                os.close(handle)
        except OSError as problem:
            raise BadAnswer(f"{self.name}: cannot read {name}: {problem.strerror}") from problem
        return b"".join(parts)


def safe_path(path: str, medium: str) -> str:
    """Make sure that a path of a medium stays below the folder it is copied to.

    Args:
        path: As the medium spells it, parts joined by `/`.
        medium: The medium's name, for the error.

    Raises:
        BadAnswer: A part is empty, `.`, `..`, too long, or holds control characters; or there are too many parts.
    """
    parts = path.split("/")
    for part in parts:
        if part in ("", ".", "..") or not part.isprintable() or len(os.fsencode(part)) > 255:
            raise BadAnswer(f"{medium}: the name {path!r} on it is not one that can be copied")
    if len(parts) > _MOST_DEPTH:
        raise BadAnswer(f"{medium}: folders more than {_MOST_DEPTH} deep")
    return path


def check_links(medium: Medium) -> None:
    """Make sure that every symbolic link of a medium ends at a file or folder of the same medium.

    Raises:
        BadAnswer: A link is absolute, leads out of the medium, leads back to itself, or leads nowhere.
    """
    folders = {str(parent) for path in medium.files for parent in PurePosixPath(path).parents}
    for path in medium.links:
        where, hops = path, 0
        while where in medium.links:
            where, hops = _follow(where, medium), hops + 1
            if hops > _MOST_DEPTH:
                raise BadAnswer(f"{medium.name}: the link {path} leads back to itself")
        if where not in medium.files and where not in folders:
            raise BadAnswer(f"{medium.name}: the link {path} leads nowhere")


def _follow(path: str, medium: Medium) -> str:
    target = medium.links[path]
    joined = os.path.normpath(os.path.join(os.path.dirname(path), target))
    if target.startswith("/") or joined.startswith("../") or joined == "..":
        raise BadAnswer(f"{medium.name}: the link {path} leads out of it, to {target!r}")
    return joined


def read_folder(folder: Path) -> Medium:
    """Read a folder, such as a mount point, as a medium.

    Args:
        folder: An absolute path.

    Raises:
        NotFound: There is no such folder.
        BadAnswer: More entries than any medium of ours has, or a name that cannot be copied.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder")
    medium = Medium(str(folder), "", None)
    for count, (path, entry) in enumerate(_entries(folder)):
        if count > MOST_ENTRIES:
            raise BadAnswer(f"{folder} holds more than {MOST_ENTRIES} files")
        safe_path(path, medium.name)
        if entry.is_symlink():
            medium.links[path] = os.readlink(entry.path)
        elif entry.is_file():
            medium.files[path] = whole_file(Path(entry.path))
    return medium


def _entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every entry below a folder with its path from there; links are not followed."""
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    path = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        yield path, entry
        except OSError as problem:
            raise Usage(f"cannot read {folder / below}: {problem.strerror}") from problem
