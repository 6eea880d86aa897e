"""Affinity labels: machines run on the hosts that have the same label."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import AffinityLabel, Host, Noun, Vm
from ....plan.context import Context
from ..plainkind import PlainKind
from ..settings import Collected, find_named


def _read(word: str, noun: type[Noun], context: Context, typed: str) -> list[Noun]:
    return [noun(id=each.id, name=each.name) for each in find_named(context, word, noun, typed)]


def _show(noun: type[Noun], each: Any, manager: Manager) -> str:
    return each.name or manager.name_of(noun, each.ref)


def _members(word: str, noun: type[Noun]) -> Collected:
    return Collected(word, noun, partial(_read, word, noun), lambda each: each.id, partial(_show, noun))


@dataclass(frozen=True)
class _Labels(PlainKind):
    """An engine removes a label that nothing has."""

    def before_removal(self, manager: Manager, noun: Any) -> None:
        """Remove it from everything that has it."""
        for each in self.members:
            for one in manager.list(each.noun, under=noun):
                manager.remove(one, under=noun)


KIND = _Labels(
    "affinity label",
    AffinityLabel,
    (),
    members=(_members("hosts", Host), _members("vms", Vm)),
    came="affinity labels",
    described=False,
)
