"""Colours on a terminal, for who can see them: not with NO_COLOR, not on a dumb terminal, not in a pipe or a file."""

from __future__ import annotations

import os
from typing import TextIO

RED, GREEN, YELLOW = 31, 32, 33


def paint(text: str, colour: int, stream: TextIO) -> str:
    """A text in a colour, where the stream shows it; https://no-color.org says how people switch it off."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"
