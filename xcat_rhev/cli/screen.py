"""What a person sees: lines, and below them, on a terminal, one that lives: how far it is and for how long."""

from __future__ import annotations

import os
import re
import sys
from typing import BinaryIO

from ..clock import Clock, SystemClock
from ..errors import RhevError
from .colours import RED, YELLOW, paint

_SHARE = re.compile(r"(\d+(\.\d+)?)%")
_NARROWEST, _WIDEST = 10, 50
_CLEAR = "\x1b[K"
#: The words of xCAT's clients for what is wrong.
_TROUBLE = re.compile(r"\b(?:(Error)|Warning):")


def live_line(text: str, seconds: int, columns: int) -> str:
    """The line that lives, never as wide as the terminal, for the cursor would go to the next line.

    Args:
        text: What xcatd says of a copy (`12.34% 104 MiB/s`), which becomes a bar, or of its jobs, parts with commas;
            those in the middle go where all is too wide.
        seconds: Since when.
        columns: How wide the terminal is.
    """
    share = _SHARE.match(text)
    parts = [*text.split(", "), f"{seconds} s"]
    width = min(_WIDEST, columns - len(", ".join(parts)) - 4)
    if share and width >= _NARROWEST:
        full = int(width * min(float(share[1]), 100) / 100)
        parts[0] = f"[{'#' * full}{'.' * (width - full)}] {parts[0]}"
    while len(", ".join(parts)) >= columns and len(parts) > 2:
        del parts[-2]
    return ", ".join(parts)[: columns - 1]


class Screen:
    """Standard output and standard error; the line that lives goes away before anything else, and at the end.

    Args:
        name: What the line says as long as nothing is known.
        clock: Time.
    """

    def __init__(self, name: str = "", clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._terminal = sys.stdout.isatty()
        self._name, self._began, self._lives = name, self._clock.now(), False
        #: How far it is, as xcatd said last; empty if it has said nothing.
        self.progress = ""

    def out(self, text: str) -> None:
        """Write to standard output; text that ends with a carriage return is progress, for a terminal alone."""
        if text.endswith("\r"):
            self.progress = text[:-1]
            self.tick()
            return
        self.clear()
        _write(sys.stdout.buffer, text)

    def err(self, text: str) -> None:
        """Write to standard error."""
        self.clear()
        found = _TROUBLE.search(text)
        if found:
            colour = RED if found[1] else YELLOW
            text = text[: found.start()] + paint(found[0], colour, sys.stderr) + text[found.end() :]
        _write(sys.stderr.buffer, text)

    def tick(self) -> None:
        """Show the line that lives as it is now."""
        if self._terminal:
            self._lives = True
            line = live_line(self.progress or self._name, int(self._clock.now() - self._began), _columns())
            _write(sys.stdout.buffer, f"{line}{_CLEAR}\r")

    def clear(self) -> None:
        """Take that line away."""
        if self._lives:
            self._lives = False
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
