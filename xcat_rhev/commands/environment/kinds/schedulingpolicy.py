"""Scheduling policies: how hosts are chosen for machines, made of the manager's policy units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import (
    Noun,
    PolicyBalance,
    PolicyFilter,
    PolicyWeight,
    Property,
    Ref,
    SchedulingPolicy,
    SchedulingUnit,
)
from ....errors import NotFound, Usage
from ....plan.context import Context
from ..plainkind import PlainKind
from ..settings import Collected, Setting, words


def _unit(context: Context, word: str, kind: str, name: str) -> Ref:
    """The manager's unit of that name; names are the same among kinds.

    Raises:
        NotFound: It has none.
    """
    known = {each.name: each for each in context.manager.all(SchedulingUnit) if each.type == kind}
    if name not in known:
        raise NotFound(f"--set {word}: there is no {name}", f"There are {', '.join(sorted(known))}")
    return Ref(known[name].id, name)


def _units(word: str, noun: type[Noun], kind: str, context: Context, typed: str) -> Sequence[Noun]:
    return [noun(scheduling_policy_unit=_unit(context, word, kind, name)) for name in words(typed)]


def _weights(context: Context, typed: str) -> Sequence[Noun]:
    """Units with their factors: `HA:2,None`.

    Raises:
        Usage: A factor is not a number.
    """
    found = []
    for each in words(typed):
        name, _, factor = each.partition(":")
        if factor and not factor.isdecimal():
            raise Usage(f"--set weights={typed}: not of the form NAME:FACTOR")
        unit = _unit(context, "weights", "weight", name)
        found.append(PolicyWeight(scheduling_policy_unit=unit, factor=int(factor or 1)))
    return found


def _key(each: Any) -> tuple[object, ...]:
    return each.scheduling_policy_unit.id, getattr(each, "factor", None)


def _show(each: Any, manager: Manager) -> str:
    name = manager.name_of(SchedulingUnit, each.scheduling_policy_unit)
    return f"{name}:{each.factor}" if isinstance(each, PolicyWeight) else name


def _properties(_: Context, typed: str) -> tuple[Property, ...]:
    """Values as they are typed: `HighUtilization:80,LowUtilization:20`.

    Raises:
        Usage: One has another form.
    """
    found = []
    for each in words(typed):
        name, colon, value = each.partition(":")
        if not colon or not name:
            raise Usage(f"--set properties={typed}: not of the form NAME:VALUE,NAME:VALUE")
        found.append(Property(name=name, value=value))
    return tuple(found)


def _property_words(value: Any, _: Manager) -> tuple[str, ...]:
    return tuple(f"{each.name}:{each.value}" for each in value or ())


@dataclass(frozen=True)
class _Policies(PlainKind):
    """Those of every installation are locked."""

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether every installation has it."""
        return bool(noun.locked)


KIND = _Policies(
    "scheduling policy",
    SchedulingPolicy,
    (Setting("properties", "properties", _properties, _property_words, kind=list),),
    members=(
        Collected("filters", PolicyFilter, partial(_units, "filters", PolicyFilter, "filter"), _key, _show),
        Collected("weights", PolicyWeight, _weights, _key, _show),
        Collected("balances", PolicyBalance, partial(_units, "balances", PolicyBalance, "load_balancing"), _key, _show),
    ),
    came="scheduling policies",
    plural="scheduling policies",
)
