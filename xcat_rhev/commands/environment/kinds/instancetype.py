"""Instance types: sizes of machines that people choose; the manager's own are Tiny to XLarge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import InstanceType
from ..plainkind import PlainKind
from ..settings import flag, number, size

_OWN = frozenset({"Tiny", "Small", "Medium", "Large", "XLarge"})


@dataclass(frozen=True)
class _Sizes(PlainKind):
    """Those of every installation can be changed."""

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether every installation has it."""
        return noun.name in _OWN


KIND = _Sizes(
    "instance type",
    InstanceType,
    (
        *(size("memory"), size("memory_guaranteed"), size("memory_max")),
        *(number("sockets"), number("cores"), number("threads")),
        *(flag("ha"), number("ha_priority"), number("io_threads"), flag("ballooning")),
    ),
    came="instance types",
)
