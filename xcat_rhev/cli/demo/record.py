"""The record of a demo: what was typed, what came of it, and whether a look at the result agreed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


class Failed(Exception):
    """A step did not do what it names."""


@dataclass
class StepDone:
    """One step as it went.

    Attributes:
        step: What it is about.
        command: What was typed, or done in its place.
        rc: 0 when it did what it names, checked by a look at the result.
        seconds: How long it took.
        output: What it printed, and what the look found.
    """

    step: str
    command: str
    rc: int
    seconds: float
    output: str


class DemoRecord:
    """Shows the steps as they go and remembers them.

    Args:
        as_json: One JSON object a line on standard output instead of text.
    """

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._colour = sys.stdout.isatty() and not as_json
        self.steps: list[StepDone] = []

    def title(self, text: str) -> None:
        """Begin a part of the demo."""
        if not self._json:
            print(f"\n{self._paint(text, '1')}", flush=True)

    def step(self, name: str, command: str, do: Callable[[], str]) -> None:
        """Do one step and note how it went.

        Args:
            name: What it is about.
            command: What is typed.
            do: Does it and looks at the result; returns what to show, or raises Failed.

        Raises:
            Failed: The step failed, so there is no sense in the ones after it.
        """
        if not self._json:
            for line in command.splitlines():
                print(f"  {self._paint('$ ' + line, '36')}", flush=True)
        begin = time.monotonic()
        try:
            output, rc = do(), 0
        except Failed as problem:
            output, rc = str(problem), 1
        done = StepDone(name, command, rc, round(time.monotonic() - begin, 2), output)
        self.steps.append(done)
        self._show(done)
        if rc:
            raise Failed(name)

    def _show(self, done: StepDone) -> None:
        if self._json:
            print(json.dumps(asdict(done)), flush=True)
            return
        for line in done.output.splitlines():
            print(f"      {line}")
        mark = self._paint("FAILED", "31") if done.rc else self._paint("ok", "32")
        print(f"    {mark} {done.step} ({done.seconds:.1f} s)", flush=True)

    def _paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour else text
