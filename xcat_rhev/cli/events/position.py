"""How far the events of a manager have come, kept in a file: a restart goes on there."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from ...files import write_whole


class Position:
    """What was done with the events of one manager.

    It is written before a program is called and after it has ended. So an event is lost by no restart, and given again
    only to a program that was at work when this process was killed.

    Args:
        folder: Where such files are.
        manager: The manager's name.

    Attributes:
        path: The file.
        status: The last event that nodelist.status knows of; None at the very first.
        done: Program -> the last event that it has had.
        begun: Program -> the event that it was called for and has not come to the end of.
    """

    def __init__(self, folder: Path, manager: str) -> None:
        self.path = folder / f"{quote(manager, safe='')}.json"
        self.status: int | None = None
        self.done: dict[str, int] = {}
        self.begun: dict[str, int] = {}
        self._read()

    def _read(self) -> None:
        """A file that was damaged counts as none."""
        try:
            found = json.loads(self.path.read_text())
            self.status = int(found["status"])
            self.done, self.begun = (
                {str(name): int(number) for name, number in found[key].items()} for key in ("done", "begun")
            )
        except FileNotFoundError:
            return
        except (ValueError, TypeError, KeyError, AttributeError):
            self.status, self.done, self.begun = None, {}, {}

    def write(self) -> None:
        """Keep it.

        Raises:
            OSError: It cannot be written.
        """
        text = json.dumps({"status": self.status, "done": self.done, "begun": self.begun})
        write_whole(self.path, text.encode(), 0o600)

    def begin_anew(self, newest: int) -> None:
        """A manager counts from the start again, as after a restored database: what is there counts as done."""
        self.status = newest
        self.done = dict.fromkeys(self.done, newest)
        self.begun = {}
