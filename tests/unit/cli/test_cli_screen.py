"""The terminal during a long command: what stands there at 1, 5 and 30 seconds, wide and narrow, in colours and not."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest

from terminal import Terminal
from xcat_rhev.cli.screen import Screen, live_line
from xcat_rhev.clock import ManualClock

#: Nothing to see: the end of what was written so far.
_BELL = "\a"


class Typist:
    """A terminal with a screen that writes to it, and a clock that only the test moves.

    Args:
        columns: How wide.
    """

    def __init__(self, columns: int, patch: pytest.MonkeyPatch) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.stream: TextIO = open(theirs, "w")  # noqa: SIM115 - closed by the fixture
        patch.setattr(sys, "stdout", self.stream)
        patch.setattr(sys, "stderr", self.stream)
        self.clock, self.terminal = ManualClock(), Terminal(columns)
        self.screen = Screen("rpower", self.clock)

    def seen(self) -> list[str]:
        """What stands there when all that was written has come."""
        self.stream.write(_BELL)
        self.stream.flush()
        written = ""
        while not written.endswith(_BELL):
            written += os.read(self._ours, 65536).decode()
        self.terminal.feed(written.replace(_BELL, ""))
        return self.terminal.shown()

    def at(self, second: float) -> list[str]:
        self.clock.advance(second - self.clock.now())
        self.screen.tick()
        return self.seen()

    def close(self) -> None:
        self.stream.close()
        os.close(self._ours)


@contextmanager
def typing(columns: int) -> Iterator[Typist]:
    """In the test itself: what pytest captures is set anew for each phase."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.delenv("NO_COLOR", raising=False)
        typist = Typist(columns, patch)
        yield typist
        typist.close()


@pytest.mark.parametrize("columns", [80, 40])
def test_a_long_command(columns: int) -> None:
    with typing(columns) as typist:
        assert typist.at(1) == ["rpower, 1 s"]
        typist.screen.out("0/200 done, 8 under way, 192 not begun\r")
        long, short = "0/200 done, 8 under way, 192 not begun, 5 s", "0/200 done, 8 under way, 5 s"
        assert typist.at(5) == [long if columns == 80 else short]
        typist.screen.out("vm1: on\n")
        assert typist.seen() == ["vm1: on"], "what was said stays, and the line comes back with the next second"
        typist.screen.out("37/200 done, 8 image_locked, 155 not begun\r")
        long, short = "37/200 done, 8 image_locked, 155 not begun, 30 s", "37/200 done, 8 image_locked, 30 s"
        assert typist.at(30) == ["vm1: on", long if columns == 80 else short]
        typist.screen.err("vm2: [mn]: Error: no host of that name\n")
        typist.screen.clear()
        assert typist.seen() == ["vm1: on", "vm2: [mn]: Error: no host of that name"]
        assert typist.terminal.colours == {"31"}


@pytest.mark.parametrize("off", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours(monkeypatch: pytest.MonkeyPatch, off: dict[str, str]) -> None:
    with typing(80) as typist:
        for name, value in off.items():
            monkeypatch.setenv(name, value)
        typist.screen.err("Error: no\n")
        assert typist.seen() == ["Error: no"]
        assert typist.terminal.colours == set()


@pytest.mark.parametrize(
    ("text", "columns", "drawn"),
    [
        ("0.00% 1 MiB/s", 40, "[" + "." * 18 + "] 0.00% 1 MiB/s, 7 s"),
        ("100.00% 1 MiB/s", 40, "[" + "#" * 16 + "] 100.00% 1 MiB/s, 7 s"),
        ("50.00%", 200, "[" + "#" * 25 + "." * 25 + "] 50.00%, 7 s"),
        ("50.00% 104 MiB/s", 25, "50.00% 104 MiB/s, 7 s"),
        ("waiting for the manager to answer", 10, "waiting f"),
        ("37/200 done, 8 up, 1 down, 155 not begun", 30, "37/200 done, 8 up, 1 down, 7 s"[:29]),
    ],
)
def test_the_line_fits_its_terminal(text: str, columns: int, drawn: str) -> None:
    line = live_line(text, 7, columns)
    assert len(line) < columns
    if "done" not in text:
        assert line == drawn
    else:
        assert line == "37/200 done, 8 up, 7 s"
