"""How many of a series stay: snapshots and backups that are made night by night."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from ...errors import Usage

T = TypeVar("T")

_KEEP = re.compile(r"(\d{1,5})([hdw]?)", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 7 * 24}


@dataclass(frozen=True)
class Keep:
    """Which members of a series stay.

    Attributes:
        number: This number, the new one included; 0 if the age decides.
        age: Those that are not older.
    """

    number: int = 0
    age: timedelta = timedelta()

    def surplus(self, members: Sequence[tuple[datetime, T]], now: datetime) -> list[T]:
        """The snapshots to remove, the oldest first, after a new one; members have the newest first."""
        old = members[self.number - 1 :] if self.number else [each for each in members if now - each[0] > self.age]
        return [member for _, member in reversed(old)]


def read_keep(text: str) -> Keep:
    """Read what --keep says: a number, or an age as 12h, 14d or 8w.

    Raises:
        Usage: It is neither, or nothing would be kept.
    """
    found = _KEEP.fullmatch(text)
    if not found or not int(found[1]):
        raise Usage(f"--keep {text}: neither a number nor an age", "Write --keep 7 or --keep 14d")
    number = int(found[1])
    return Keep(age=timedelta(hours=number * _HOURS[found[2]])) if found[2] else Keep(number)
