"""A terminal as small as ours needs it: what stands on it after the bytes that a program wrote."""

from __future__ import annotations

import re

_PIECE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|([\r\n])|([^\x1b\r\n]+)")


class Terminal:
    """Lines of cells; knows carriage return, newline, clear to the end of the line, and colours.

    Args:
        columns: How wide it is.
    """

    def __init__(self, columns: int = 80) -> None:
        self._columns, self._lines, self._column = columns, [""], 0
        #: The colours that were switched on, by their numbers.
        self.colours: set[str] = set()

    def feed(self, text: str) -> None:
        """Take what a program writes."""
        for numbers, letter, control, plain in _PIECE.findall(text):
            if letter == "K":
                self._lines[-1] = self._lines[-1][: self._column]
            elif letter == "m":
                self.colours |= {numbers} - {"0"}
            elif control == "\r":
                self._column = 0
            elif control == "\n":
                self._lines.append("")
                self._column = 0
            else:
                self._put(plain)

    def _put(self, text: str) -> None:
        for char in text:
            if self._column == self._columns:
                self._lines.append("")
                self._column = 0
            line = self._lines[-1]
            self._lines[-1] = line[: self._column].ljust(self._column) + char + line[self._column + 1 :]
            self._column += 1

    def shown(self) -> list[str]:
        """The lines that are not empty."""
        return [line.rstrip() for line in self._lines if line.strip()]
