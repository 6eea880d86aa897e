"""A line typed at a terminal, and what stands on it when something has come: no moment is found by a clock."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
from collections.abc import Mapping

import pytest

from terminal import Terminal

#: Seconds without a byte after which a test has failed; it only bounds what hangs.
PATIENCE = 60
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Typist:
    """A line that bash runs at a terminal.

    Args:
        line: What is typed.
        environment: Its variables.
        columns: How wide the terminal is.
    """

    def __init__(self, line: str, environment: Mapping[str, str], columns: int = 80) -> None:
        self.columns, self.terminal, self.written = columns, Terminal(columns), ""
        self._process, self._ours = pty.fork()
        if self._process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.execve("/bin/bash", ["bash", "--norc", "-c", line], dict(environment))
        self.code: int | None = None

    def until(self, text: str) -> list[str]:
        """Wait until a text was written; gives what stands there then."""
        while text not in self.plain:
            if not self._more():
                pytest.fail(f"{text!r} never came: {self.plain!r}")
        return self.terminal.shown()

    def end(self) -> list[str]:
        """Wait until it has ended; gives what stands there then."""
        while self._more():
            pass
        os.close(self._ours)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        return self.terminal.shown()

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    @property
    def plain(self) -> str:
        """All that was written, without colours, in lines as they were sent."""
        return _COLOUR.sub("", self.written).replace("\r\n", "\n")

    def _more(self) -> bool:
        if not select.select([self._ours], [], [], PATIENCE)[0]:
            os.killpg(self._process, signal.SIGKILL)
            pytest.fail(f"nothing came for {PATIENCE} s: {self.plain!r}")
        try:
            part = os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the last program that had the terminal has ended
            return False
        self.written += part
        self.terminal.feed(part)
        return bool(part)
