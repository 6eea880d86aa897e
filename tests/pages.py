"""Reads the manual's pages, types their commands on the throw-away machine of share/doc/shell, and compares.

`python tests/pages.py share/doc/PAGE.md ...` writes what was really printed into the pages.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
DOC = TOP / "share/doc"
#: A block that is typed: fenced, or in a comment for what the reader's machine has and this one lacks.
BLOCK = re.compile(r"^```console\n(.*?)^```$|^<!--\n(\$ .*?)^-->$", re.MULTILINE | re.DOTALL)
#: What is new each time: ids, times, addresses of cards, prints of certificates, the hypervisor that the engine chose.
CHANGES = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{39,40}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+Z)?)?|\d\d-\d\d-\d{4} \d\d:\d\d:\d\d"
    r"|([0-9A-F]{2}:){5,31}[0-9A-F]{2}|\brhevh[12]\b",
    re.IGNORECASE,
)
#: Printed around the output of each command; no program prints it.
MARK = "\x1e"


@dataclass
class Line:
    """A command of a page.

    Attributes:
        command: As typed; it may have several lines.
        shown: What the page says that it prints; `...` stands for anything.
    """

    command: str
    shown: str = ""


@dataclass
class Printed:
    """What a command printed, on both streams, and its exit code."""

    text: str
    rc: int


def pages() -> list[Path]:
    """The pages with commands; README is one."""
    return [page for page in (TOP / "README.md", *sorted(DOC.glob("*.md"))) if BLOCK.search(page.read_text())]


def lines(text: str) -> list[Line]:
    """All commands of a page, in order."""
    return [line for block in BLOCK.finditer(text) for line in in_block(block)]


def in_block(block: re.Match[str]) -> list[Line]:
    """`$ ` begins a command, `> ` goes on with it, all else is output; a comment shows none."""
    found: list[Line] = []
    for each in (block[1] or block[2]).splitlines():
        if each.startswith("$ "):
            found.append(Line(each[2:], "" if block[1] else "..."))
        elif (each == ">" or each.startswith("> ")) and not found[-1].shown:
            found[-1].command += "\n" + each[2:]
        else:
            found[-1].shown += each + "\n"
    return found


def typed(commands: list[str]) -> list[Printed]:
    """Type commands in one shell on a new machine."""
    script = "".join(
        f"printf '{MARK}'\n{{ {command}\n}} 2>&1 </dev/null\nprintf '{MARK}%d' $?\n" for command in commands
    )
    done = subprocess.run(
        [DOC / "shell", "bash", "-c", script],
        env={**os.environ, "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    parts = done.stdout.split(MARK)[1:]
    assert len(parts) == 2 * len(commands), done.stdout + done.stderr
    return [Printed(text, int(rc)) for text, rc in zip(parts[::2], parts[1::2])]


def same(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed; nodes that are served side by side answer in any order."""
    page, screen = (CHANGES.sub("(new)", without_trail(text)).splitlines() for text in (shown, printed))
    return fits("\n".join(page), "\n".join(screen)) or in_any_order(page, screen)


def fits(page: str, screen: str) -> bool:
    """Whether they agree, where `...` stands for anything, lines too."""
    return re.fullmatch(".*".join(map(re.escape, page.split("..."))), screen, re.DOTALL) is not None


def in_any_order(page: list[str], screen: list[str]) -> bool:
    """Whether each line of the page was printed, and nothing else unless it says so with dots."""
    wanted = [line for line in page if line != "..."]
    more = len(wanted) < len(page)
    return all(any(fits(line, each) for each in screen) for line in wanted) and (more or len(page) == len(screen))


def without_trail(text: str) -> str:
    """Text without blanks at the ends of its lines, which editors take away."""
    return "\n".join(line.rstrip() for line in text.splitlines())


def fill(page: Path) -> None:
    """Write what is printed into a page; what stands there with dots and fits stays."""
    text = page.read_text()
    answers = iter(typed([line.command for line in lines(text)]))

    def filled(block: re.Match[str]) -> str:
        done = [(line, next(answers)) for line in in_block(block)]
        if not block[1]:
            return block[0]
        return "```console\n" + "".join(shown(line, printed) for line, printed in done) + "```"

    page.write_text(BLOCK.sub(filled, text))


def shown(line: Line, printed: Printed) -> str:
    """A command and its output as a page has them."""
    output = line.shown if same(line.shown, printed.text) else without_trail(printed.text) + "\n"
    return without_trail("$ " + line.command.replace("\n", "\n> ")) + "\n" + output.lstrip("\n")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        fill(Path(name))
