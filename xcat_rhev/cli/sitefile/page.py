"""The progress of a site as a page, written again after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from ...errors import RhevError
from ...files import write_whole

#: How far a step is, and its sign in text.
SIGNS = {"done": "[x]", "running": "[>]", "failed": "[!]", "to do": "[ ]", "looks when its turn comes": "[?]"}
REFRESH = 10


@dataclass
class StepState:
    """How far one step is.

    Attributes:
        manager: Whose it is.
        says: What it does.
        state: A word of `SIGNS`.
        line: What was said last.
    """

    manager: str
    says: str
    state: str
    line: str = ""

    def text(self) -> str:
        """As a line of the tree."""
        return f"  {SIGNS[self.state]} {self.says}"


def write(path: Path, steps: Sequence[StepState]) -> None:
    """Write the page.

    Raises:
        RhevError: The file system refuses.
    """
    rows = "".join(
        f"<tr><td>{escape(each.manager)}</td><td>{escape(each.says)}</td><td>{escape(each.state)}</td>"
        f"<td>{escape(each.line)}</td></tr>\n"
        for each in steps
    )
    head = f'<meta charset="utf-8"><meta http-equiv="refresh" content="{REFRESH}"><title>Site</title>'
    style = "<style>body{font:15px/1.5 system-ui;margin:2rem} td,th{text-align:left;padding:.2rem 1rem .2rem 0}</style>"
    names = "<tr><th>manager</th><th>step</th><th>state</th><th>last</th></tr>"
    text = f"<!DOCTYPE html>\n<html><head>{head}{style}</head><body><table>\n{names}\n{rows}</table></body></html>\n"
    try:
        write_whole(path, text.encode())
    except OSError as problem:
        raise RhevError(f"cannot write {path}: {problem.strerror}") from None
