"""MAC pools: where the addresses of new NICs come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import MacPool, MacRange
from ....errors import Usage
from ....plan.context import Context
from ..plainkind import PlainKind
from ..settings import Setting, flag


def _read(_: Context, typed: str) -> tuple[MacRange, ...]:
    """Ranges as they are typed: `from-to`, several joined by commas.

    Raises:
        Usage: One is not a range.
    """
    ranges = []
    for each in typed.split(","):
        first, dash, last = each.strip().partition("-")
        if not dash or len(first) != 17 or len(last) != 17:
            raise Usage(f"--set ranges={typed}: not of the form 56:6f:00:00:00:00-56:6f:00:00:ff:ff")
        ranges.append(MacRange(first=first.lower(), last=last.lower()))
    return tuple(ranges)


def _show(value: Any, _: Manager) -> tuple[str, ...]:
    return tuple(f"{each.first}-{each.last}" for each in value or ())


@dataclass(frozen=True)
class _Pools(PlainKind):
    """Every installation has one."""

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether it is the manager's own."""
        return bool(noun.default_pool)


KIND = _Pools(
    "MAC pool",
    MacPool,
    (Setting("ranges", "ranges", _read, _show, needed=True, kind=list), flag("allow_duplicates")),
    came="MAC pools",
)
