"""The settings of plain kinds of objects: how each is typed, compared and shown."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import DataCenter, Network, Noun, Ref
from ...errors import Ambiguous, NotFound, Usage
from ...plan.context import Context
from ...rows.vmstorage import is_id
from ...units import parse_memory
from .kind import is_in

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Attributes:
        word: Its name for `--set`, for lsve and for a description.
        attribute: The noun's.
        read: Parses what was typed.
        show: Formats a value for users.
        needed: It is required.
        identity: Objects of one name may differ in it; it never changes.
        fixed: It is set when the object is made, and never changed.
        hidden: lsve does not show it.
        kind: The type that it has in JSON.
    """

    word: str
    attribute: str
    read: Callable[[Context, str], Any]
    show: Callable[[Any, Manager], object]
    needed: bool = False
    identity: bool = False
    fixed: bool = False
    hidden: bool = False
    kind: type = str


@dataclass(frozen=True)
class Collected:
    """A list that is a collection of the object: setting it replaces what is in it.

    Attributes:
        word: Its name for `--set`, for lsve and for a description.
        noun: What is in it.
        read: Parses what was typed.
        key: Identifies an entry; one that differs replaces the one with the same key.
        show: Formats an entry as it is typed.
    """

    word: str
    noun: type[Noun]
    read: Callable[[Context, str], Sequence[Noun]]
    key: Callable[[Any], Hashable]
    show: Callable[[Any, Manager], str]


def text(word: str, attribute: str = "", **more: Any) -> Setting:
    """A text."""
    return Setting(word, attribute or word, lambda _, typed: typed, lambda value, _: value, **more)


def flag(word: str, attribute: str = "", **more: Any) -> Setting:
    """True or false."""
    return Setting(word, attribute or word, partial(_flag, word), lambda value, _: value, kind=bool, **more)


def number(word: str, attribute: str = "", **more: Any) -> Setting:
    """A whole number; an engine's -1 stands for none."""
    return Setting(word, attribute or word, partial(_number, word), lambda value, _: value, kind=int, **more)


def size(word: str, attribute: str = "", **more: Any) -> Setting:
    """An amount of memory, in bytes; a bare number is MiB, as everywhere."""
    return Setting(word, attribute or word, partial(_size, word), lambda value, _: _mib(value), **more)


def choice(word: str, attribute: str, *known: str, **more: Any) -> Setting:
    """One of some words."""
    return Setting(word, attribute, partial(_choice, word, known), lambda value, _: value, **more)


def reference(word: str, noun: type[Noun], attribute: str = "", **more: Any) -> Setting:
    """Another object, by its name; empty removes the reference."""
    read = partial(_reference, word, noun)
    return Setting(word, attribute or word, read, partial(_name, noun), **more)


def references(word: str, noun: type[Noun], attribute: str = "") -> Setting:
    """Several other objects, by their names."""

    def read(context: Context, typed: str) -> tuple[Ref, ...]:
        return tuple(each.ref for each in find_named(context, word, noun, typed))

    def show(value: Any, manager: Manager) -> tuple[object, ...]:
        return tuple(_name(noun, each, manager) for each in value or ())

    return Setting(word, attribute or word, read, show, kind=list)


def words(typed: str) -> list[str]:
    """Words joined by commas."""
    return [each.strip() for each in typed.split(",") if each.strip()]


def find_named(context: Context, word: str, noun: type[Noun], typed: str) -> list[Noun]:
    """The objects of names that are joined by commas.

    Raises:
        NotFound: There is none of a name.
    """
    wanted = words(typed)
    found: Mapping[str, Noun] = context.manager.find(noun, wanted) if wanted else {}
    for name in wanted:
        if name not in found:
            raise NotFound(f"--set {word}={typed}: there is no {noun.word()} {name}")
    return [found[name] for name in wanted]


def _flag(word: str, _: Context, typed: str) -> bool:
    if typed.lower() not in _FLAGS:
        raise Usage(f"--set {word}={typed}: not true or false")
    return _FLAGS[typed.lower()]


def _number(word: str, _: Context, typed: str) -> int:
    if not typed.removeprefix("-").isdecimal() or len(typed) > 18:
        raise Usage(f"--set {word}={typed}: not a whole number")
    return int(typed)


def _size(word: str, _: Context, typed: str) -> int:
    return parse_memory(typed, f"--set {word}")


def _mib(value: int | None) -> object:
    """Bytes as they are typed, in MiB."""
    return None if value is None else f"{value >> 20}m"


def _choice(word: str, known: Sequence[str], _: Context, typed: str) -> str:
    if typed not in known:
        raise Usage(f"--set {word}={typed}: not one of {', '.join(known)}")
    return typed


def _reference(word: str, noun: type[Noun], context: Context, typed: str) -> Ref | None:
    """The object of that name; networks of several data centers may have one name."""
    if not typed:
        return None
    found: list[Any] = [each for each in context.manager.all(noun) if each.name == typed]
    if noun is Network and "data_center" in context.options:
        home = context.manager.one(DataCenter, context.options["data_center"])
        found = [each for each in found if is_in(each.data_center, home)]
    return _only(word, noun, found, typed)


def _only(word: str, noun: type[Noun], found: Sequence[Noun], typed: str) -> Ref:
    if not found and is_id(typed):  # exported where the manager did not tell its name
        return Ref(typed)
    if not found:
        raise NotFound(f"--set {word}={typed}: there is no such {noun.word()}")
    if len(found) > 1:
        raise Ambiguous(f"--set {word}={typed}: {len(found)} have this name", "Give -d with a data center")
    return Ref(found[0].id, typed)


def nested_reference(word: str, noun: type[Noun], attribute: str = "", **more: Any) -> Setting:
    """Another object that belongs to a data center, by its name; -d says to which where several have it."""

    def everything(manager: Manager) -> list[tuple[DataCenter, Noun]]:
        return [(home, each) for home in manager.all(DataCenter) for each in manager.list(noun, under=home)]

    def read(context: Context, typed: str) -> Ref | None:
        if not typed:
            return None
        home = context.options.get("data_center", "")
        there = everything(context.manager)
        found = [each for center, each in there if each.name == typed and home in ("", center.name)]
        return _only(word, noun, found, typed)

    def show(value: Ref | None, manager: Manager) -> object:
        if not value:
            return None
        return value.name or next((each.name for _, each in everything(manager) if each.id == value.id), value.id)

    return Setting(word, attribute or word, read, show, **more)


def _name(noun: type[Noun], value: Any, manager: Manager) -> object:
    return manager.name_of(noun, value) or None if value else None
