"""Objects made of settings in a description: written by lsve --export, compared and made by cfgve --from and --diff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Noun
from ...errors import RhevError
from ...messages import Data, Error, Message, error_of
from ...ordering import natural
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from ...rows.description import Center, DescribedThing
from .order import DescribedPart, Order
from .plainkind import PlainKind, converge
from .plainkinds import PLAIN

#: What each kind may have in a description.
KNOWN: Mapping[str, Sequence[str]] = {
    word: ("name", *dict.fromkeys((*kind.words, "data_center"))) for word, kind in PLAIN.items()
}


def records(manager: Manager) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """All objects of each kind that do not come with every manager, as a description has them."""
    for word, kind in PLAIN.items():
        if not (kind.came and manager.too_new(kind.came)):
            found = (each for each in kind.everything(manager) if not kind.own(each, manager))
            there = sorted(found, key=lambda each: natural(each.name or ""))
            if there:
                yield word, [record(kind, each, manager) for each in there]


def record(kind: PlainKind, noun: Noun, manager: Manager) -> dict[str, Any]:
    """One object as a description has it."""
    read = {key.name: key.read(noun, manager) for key in kind.layout.keys}
    shown = {key: list(value) if isinstance(value, tuple) else value for key, value in read.items()}
    told = {key: value for key, value in shown.items() if value not in (None, "", [])}
    return {"name": noun.name, **kind.where(noun, manager), **told}


def plan(context: Context, things: Sequence[DescribedThing], centers: Sequence[Center], order: Order) -> Plan:
    """Compare objects with what is there; those that need something that is still to be made are planned later.

    Args:
        context: The command.
        things: The described objects.
        centers: The data centers of the same description.
        order: What is to be done before.
    """
    for thing in _in_order(things):
        yield from order.plan([_part(context, thing, centers, order)])
    for word in dict.fromkeys(thing.kind for thing in things):
        keys = {f"{PLAIN[word].title} {thing.name}" for thing in things if thing.kind == word}
        if not keys & (order.busy | order.broken):
            yield Job(PLAIN[word].many)


def _part(context: Context, thing: DescribedThing, centers: Sequence[Center], order: Order) -> DescribedPart:
    """The part for an object; it waits only for objects that it names and that do not exist yet."""
    title = PLAIN[thing.kind].title
    now = [*_thing(context, thing)]
    needed = _dependencies(thing, centers, order) if any(isinstance(each, Error) for each in now) else frozenset[str]()
    do = partial(_thing, context, thing) if needed else lambda: iter(now)
    return DescribedPart(thing.name, f"{title} {thing.name}", do, needed, f"make {title}" if needed else "")


def _in_order(things: Sequence[DescribedThing]) -> Iterator[DescribedThing]:
    """The same, each after those of its kind that it names; the order within a circle does not matter."""
    left = [*things]
    while left:
        waiting = {(thing.kind, thing.name) for thing in left}
        ready = [
            thing
            for thing in left
            if not any((thing.kind, name) in waiting for name in thing.references - {thing.name})
        ] or left[:1]
        yield from ready
        left = [thing for thing in left if thing not in ready]


def _dependencies(thing: DescribedThing, centers: Sequence[Center], order: Order) -> frozenset[str]:
    """The keys of objects that it names and that do not exist yet."""
    mentioned = thing.references
    mentioned |= {center.name for center in centers if mentioned & set(center.vms)}
    return frozenset(key for key in order.busy | order.broken if order.names[key] in mentioned)


def _thing(context: Context, thing: DescribedThing) -> Plan:
    """The steps for one object."""
    options = {"manager": context.options["manager"], **thing.options}
    try:
        yield from converge(PLAIN[thing.kind], replace(context, options=options), thing.name)
    except RhevError as problem:
        yield error_of(problem, thing.name)


def surplus(manager: Manager, things: Sequence[DescribedThing], code: int) -> Iterator[Message]:
    """What the manager has and the description does not name, for the kinds that the description has."""
    for word in dict.fromkeys(thing.kind for thing in things):
        kind = PLAIN[word]
        if kind.came and manager.too_new(kind.came):
            continue
        mine = [thing for thing in things if thing.kind == word]
        for noun in kind.everything(manager):
            if not kind.own(noun, manager) and not any(_is_meant(kind, noun, thing, manager) for thing in mine):
                yield Data(f"{kind.title} is not in the description", noun.name or "", code=code)


def _is_meant(kind: PlainKind, noun: Noun, thing: DescribedThing, manager: Manager) -> bool:
    """Whether it is the described one.

    Objects of one name differ in what they belong to, or in a setting that never changes.
    """
    if thing.name != noun.name:
        return False
    where = kind.where(noun, manager)
    known = {**{key.name: key.read(noun, manager) for key in kind.layout.keys}, **where}
    said = {**thing.settings, **{word: text for word, text in thing.options.items() if word != "set"}}
    return all(said.get(word, known.get(word)) == known.get(word) for word in (*kind.key_words, *where))
