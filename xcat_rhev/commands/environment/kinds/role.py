"""Roles: sets of permits for users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import Noun, Permit, PermitNumber, Ref, Role
from ....errors import NotFound, Usage
from ....plan.context import Context
from ..plainkind import Asked, PlainKind
from ..settings import Collected, flag, words

#: The role that permits everything, in every engine.
_SUPER_USER = Ref("00000000-0000-0000-0000-000000000001", "SuperUser")


def _read(context: Context, typed: str) -> Sequence[Noun]:
    """The permits of names, with their numbers.

    Raises:
        Usage: There are none.
        NotFound: The manager has none of a name.
    """
    top = context.manager.get(Role, _SUPER_USER.id)
    known = {each.name: each for each in context.manager.list(Permit, under=top)}
    for name in words(typed):
        if name not in known:
            raise NotFound(f"--set permits={typed}: there is no permit {name}", f"There are {', '.join(sorted(known))}")
    if not words(typed):
        raise Usage("--set permits=: a role has one permit or more")
    return [known[name] for name in words(typed)]


@dataclass(frozen=True)
class _Roles(PlainKind):
    """A role is made with its permits."""

    def new(self, context: Context, name: str, wanted: Asked) -> Noun:
        """A role with the numbers of its permits.

        Raises:
            Usage: None are named.
        """
        if not wanted.members.get("permits"):
            raise Usage(f"{name}: roles need --set permits=...")
        permits: Sequence[Any] = wanted.members["permits"]
        numbers = [PermitNumber(id=each.id, administrative=each.administrative) for each in permits]
        return Role(name=name, permits=numbers, **wanted.values)

    def filled(self, members: Collected) -> bool:
        """A new role has its permits from the beginning."""
        return True

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether every installation has it."""
        return noun.mutable is False


KIND = _Roles(
    "role",
    Role,
    (flag("administrative", fixed=True),),
    members=(Collected("permits", Permit, _read, lambda each: each.name, lambda each, _: each.name),),
)
