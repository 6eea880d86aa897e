"""VM pools: machines of one template, of which users take one each. A pool is removed with its machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ....engine.nouns import Cluster, Noun, Template, VmPool
from ....engine.waiting import THERE, Goal
from ....plan.context import Context
from ....plan.jobs import Wait
from ..plainkind import Asked, PlainKind
from ..settings import choice, flag, number, reference

#: Seconds for each machine.
_LIMIT = 60.0


@dataclass(frozen=True)
class _Pools(PlainKind):
    """Its machines are made one after the other."""

    def waits(self, context: Context, made: Noun, wanted: Asked) -> Sequence[Wait]:
        """Wait until it has all its machines."""
        size = wanted.values.get("size")
        if not size:
            return ()
        return [Wait(f"wait until it has {size} machines", partial(_goal, context, made.name, size))]


def _goal(context: Context, name: str, size: int) -> Goal:
    pool: Any = context.manager.one(VmPool, name)
    return Goal(pool, frozenset({THERE}), also=lambda one: (one.size or 0) >= size, limit=180 + _LIMIT * size)


KIND = _Pools(
    "VM pool",
    VmPool,
    (
        reference("cluster", Cluster, needed=True, fixed=True),
        reference("template", Template, needed=True),
        number("size"),
        number("prestarted_vms"),
        number("max_user_vms"),
        choice("type", "type", "automatic", "manual", fixed=True),
        flag("stateful", fixed=True),
        flag("use_latest_template_version"),
    ),
)
