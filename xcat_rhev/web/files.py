"""Folders over HTTP for machines that are being installed: whole files and parts of them, and no listings."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
CHUNK = 256 << 10


class Folders:
    """A WSGI application that shows folders, and has another one answer the rest.

    Args:
        folders: The beginning of an URL, such as `/install` -> its folder.
        rest: Answers all other URLs.
    """

    def __init__(self, folders: Mapping[str, Path], rest: Callable[..., Iterable[bytes]]) -> None:
        self._folders = {url.rstrip("/"): folder.resolve() for url, folder in folders.items()}
        self._rest = rest

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        for url, folder in self._folders.items():
            if path.startswith(f"{url}/"):
                return _answer(folder, path[len(url) :], environ, start_response)
        return self._rest(environ, start_response)


def _answer(folder: Path, path: str, environ: Mapping[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        start_response("405 Method Not Allowed", [("Content-Length", "0"), ("Allow", "GET, HEAD")])
        return []
    file = _open(folder, path)
    if file is None:
        start_response("404 Not Found", [("Content-Length", "0")])
        return []
    found = os.fstat(file.fileno())
    part = _part(environ.get("HTTP_RANGE", ""), found.st_size)
    headers = [("Accept-Ranges", "bytes"), ("Content-Type", "application/octet-stream")]
    headers.append(("Last-Modified", formatdate(found.st_mtime, usegmt=True)))
    if part is None:
        file.close()
        start_response(
            "416 Range Not Satisfiable", [("Content-Length", "0"), ("Content-Range", f"bytes */{found.st_size}")]
        )
        return []
    first, length = part
    status = "200 OK"
    if length != found.st_size:
        status = "206 Partial Content"
        headers.append(("Content-Range", f"bytes {first}-{first + length - 1}/{found.st_size}"))
    start_response(status, [*headers, ("Content-Length", str(length))])
    if environ["REQUEST_METHOD"] == "HEAD":
        file.close()
        return []
    return _Body(file, first, length)


def _open(folder: Path, path: str) -> IO[bytes] | None:
    """Open a regular file of the folder; links may not lead out of it, and hidden files are not served."""
    words = [word for word in path.split("/") if word]
    if not words or any(word.startswith(".") or "\0" in word for word in words):
        return None
    try:
        real = Path(folder, *words).resolve(strict=True)
        if folder not in real.parents:
            return None
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except (OSError, RuntimeError):
        return None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode) or not mode & stat.S_IROTH:
        os.close(handle)
        return None
    return os.fdopen(handle, "rb")


def _part(text: str, size: int) -> tuple[int, int] | None:
    """The first byte and the number of bytes that a Range header wants; None if the file has nothing of that.

    What is not a single range counts as none, which RFC 9110, section 14.2, allows.
    """
    found = _RANGE.fullmatch(text.strip())
    if not found or not any(found.groups()):
        return 0, size
    if not found[1]:
        length = min(int(found[2]), size)
        return (size - length, length) if length else None
    first = int(found[1])
    last = min(int(found[2]), size - 1) if found[2] else size - 1
    if found[2] and int(found[2]) < first:
        return 0, size
    return (first, last - first + 1) if first < size else None


class _Body:
    """The bytes of a part of a file, which is closed at the end, or when no more is wanted.

    Args:
        file: The file.
        first: The first byte.
        length: How many.
    """

    def __init__(self, file: IO[bytes], first: int, length: int) -> None:
        self._file, self._left = file, length
        file.seek(first)

    def __iter__(self) -> Iterator[bytes]:
        while self._left > 0:
            data = self._file.read(min(CHUNK, self._left))
            if not data:
                return
            self._left -= len(data)
            yield data

    def close(self) -> None:
        """Close the file; called by the server."""
        self._file.close()


def pairs(texts: Iterable[str]) -> dict[str, Path]:
    """Read `/install=/srv/install`.

    Raises:
        ValueError: The text is not valid.
    """
    found = {}
    for text in texts:
        url, equal, folder = text.partition("=")
        if not url.startswith("/") or not equal or not folder:
            raise ValueError(f"'{text}': write /URL=FOLDER")
        found[unquote(url)] = Path(folder)
    return found
