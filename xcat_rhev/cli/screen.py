"""What a person sees: lines, and below them, on a terminal, a bar for what is under way."""

from __future__ import annotations

import os
import re
import sys
from typing import BinaryIO

from ..errors import RhevError

_SHARE = re.compile(r"(\d+(\.\d+)?)%")
_NARROWEST, _WIDEST = 10, 50
_CLEAR = "\x1b[K"


def bar(text: str, columns: int) -> str:
    """Draw what xCAT says of a copy (`12.34%`, ours with bytes/s behind it) as a bar; other text stays as it is.

    Args:
        text: What was said.
        columns: How wide the terminal is; it is never filled, as the cursor would go to the next line.
    """
    share = _SHARE.match(text)
    width = min(_WIDEST, columns - len(text) - 4)
    if not share or width < _NARROWEST:
        return text[:columns - 1]
    full = int(width * min(float(share[1]), 100) / 100)
    return f"[{'#' * full}{'.' * (width - full)}] {text}"


class Screen:
    """Standard output and standard error; a bar goes away before anything else is written, and at the end."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._bar = False

    def out(self, text: str) -> None:
        """Write to standard output; text that ends with a carriage return is progress."""
        self.clear()
        if self._terminal and text.endswith("\r"):
            self._bar = True
            text = bar(text[:-1], _columns()) + "\r"
        _write(sys.stdout.buffer, text)

    def err(self, text: str) -> None:
        """Write to standard error."""
        self.clear()
        _write(sys.stderr.buffer, text)

    def clear(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar = False
            _write(sys.stdout.buffer, _CLEAR)


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80


def _write(stream: BinaryIO, text: str) -> None:
    try:
        stream.write(text.encode("utf-8", "replace"))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())  # Python would try again at its end
        raise RhevError(f"the output cannot be written: {problem.strerror}") from None
