"""The order of the parts of a description, and what is left out when one of them fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Callable

from ...errors import RhevError
from ...messages import Error
from ...ordering import natural
from ...plan.context import Plan, Planned
from ...plan.jobs import Job, Step


@dataclass(frozen=True)
class DescribedPart:
    """One object of a description, or one thing about it.

    Attributes:
        name: The name that messages are about.
        key: What others call it in `after`.
        plan: Compares it with what is there.
        after: The keys of those that it depends on.
        later: What a dry run prints where `plan` has to wait for those; empty if it can always plan at once.
    """

    name: str
    key: str
    plan: Callable[[], Plan]
    after: frozenset[str] = frozenset()
    later: str = ""


class Order:
    """Plans parts one after the other: what depends on a failed part is not begun.

    Args:
        comparing: Nothing will be done: parts that would wait are compared with the present state, as far as possible.

    Attributes:
        busy: Keys of parts for which there is something to do.
        broken: Keys of parts that cannot be made.
        names: The names of all parts, by key.
    """

    def __init__(self, comparing: bool = False) -> None:
        self._comparing = comparing
        self.busy: set[str] = set()
        self.broken: set[str] = set()
        self.names: dict[str, str] = {}

    def plan(self, parts: Iterable[DescribedPart]) -> Plan:
        """The jobs of all parts, each after those that it needs."""
        for part in parts:
            yield from self._part(part)

    def _part(self, part: DescribedPart) -> Plan:
        self.names[part.key] = part.name
        lost = sorted(part.after & self.broken, key=natural)
        if lost:
            self.broken.add(part.key)
            yield Error(f"not begun, because it needs what failed: {lost[0]}", part.name)
            return
        for item in self._items(part):
            if isinstance(item, Error):
                self.broken.add(part.key)
            if not isinstance(item, Job):
                yield item
            elif item.parts:
                self.busy.add(part.key)
                yield replace(item, key=part.key, after=part.after | item.after)

    def _items(self, part: DescribedPart) -> Iterable[Planned]:
        """What is to be done, or a note that it is planned later."""
        later = [Job(part.name, [Step(part.later, part.plan)])]
        if not (part.later and part.after & self.busy):
            return part.plan()
        now = _now(part) if self._comparing else None
        return later if now is None else now


def _now(part: DescribedPart) -> list[Planned] | None:
    """What differs already; None where that can only be known later."""
    try:
        items = list(part.plan())
    except RhevError:
        return None
    return None if any(isinstance(item, Error) for item in items) else items
