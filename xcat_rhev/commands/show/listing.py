"""Things as the manual pages show them: a title, the keys of a layout in order, and what belongs to them below.

vms: [vm1]
  bootorder: network,hd
    disks: [vm1_Disk1]
      size: 10737418240
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, TypeVar

from ...engine.manager import Manager
from ...engine.nouns import Noun, Snapshot
from ...ordering import natural

N = TypeVar("N", bound=Noun)

#: Blanks before the title of what belongs to something.
NESTED = 4

#: Where a key's value comes from: the thing, and the manager that knows the names behind its references.
Read = Callable[[Any, Manager], object]


@dataclass(frozen=True)
class Key:
    """One line of a layout.

    Attributes:
        name: The word before the value.
        read: Gives the value.
        always: It is shown without a value too.
        kind: The type that it has in JSON.
    """

    name: str
    read: Read
    always: bool = False
    kind: type = str


@dataclass(frozen=True)
class Layout:
    """How one kind of thing is shown.

    Attributes:
        title: The word before the name.
        keys: In the order of showing.
        indent: Blanks before the title where the thing stands alone.
    """

    title: str
    keys: tuple[Key, ...]
    indent: int = 0


@dataclass(frozen=True)
class Shown:
    """A thing with what belongs to it.

    Attributes:
        noun: The thing.
        children: What belongs to it, in the order of showing.
    """

    noun: Noun
    children: Sequence[Noun] = ()


class Listing:
    """Writes things as text or as objects for JSON.

    Args:
        layouts: How each kind is shown.
        manager: The manager that has them.
    """

    def __init__(self, layouts: Mapping[type[Noun], Layout], manager: Manager) -> None:
        self._layouts, self._manager = layouts, manager

    def lines(self, shown: Shown) -> Iterator[str]:
        """Write a thing as its manual page shows it."""
        yield from self._lines(shown.noun, self._layouts[type(shown.noun)].indent)
        for child in shown.children:
            yield from self._lines(child, NESTED)

    def as_object(self, shown: Shown) -> dict[str, Any]:
        """The same for JSON: values of their own types, children under their titles."""
        found = self._object(shown.noun)
        for child in shown.children:
            found.setdefault(self._layouts[type(child)].title, []).append(self._object(child))
        return found

    def _lines(self, noun: Noun, indent: int) -> Iterator[str]:
        layout, before = self._layouts[type(noun)], " " * indent
        yield f"{before}{layout.title}: [{_name(noun)}]"
        for key in layout.keys:
            text = _text(key.read(noun, self._manager))
            if text or key.always:
                yield f"{before}  {key.name}: {text}".rstrip()

    def _object(self, noun: Noun) -> dict[str, Any]:
        layout = self._layouts[type(noun)]
        found: dict[str, Any] = {"kind": layout.title, "name": _name(noun), "id": noun.id}
        for key in layout.keys:
            value = key.read(noun, self._manager)
            if value not in (None, (), "") or (key.always and value == ""):
                found[key.name] = list(value) if isinstance(value, tuple) else value
        return found


def by_name(things: Iterable[N]) -> list[N]:
    """Objects in natural order (web2 before web10); engines list them in no order, or alphabetically."""
    return sorted(things, key=lambda thing: natural(thing.name or thing.id))


def plain(key: str, attribute: str = "", *, always: bool = False, kind: type = str) -> Key:
    """A key whose value is an attribute, by default of the same name."""
    name = attribute or key
    return Key(key, lambda noun, _: getattr(noun, name), always, kind)


def json_fields(layouts: Mapping[type[Noun], Layout]) -> dict[str, dict[str, type]]:
    """The kinds of objects in JSON: the fields of each with their types, besides the lists of what belongs to it."""
    return {
        layout.title: {"kind": str, "name": str, "id": str, **{key.name: key.kind for key in layout.keys}}
        for layout in layouts.values()
    }


def name_behind(key: str, attribute: str = "") -> Key:
    """A key whose value is the name of what a reference leads to, as far as the object itself has it."""
    name = attribute or key
    return Key(key, lambda noun, _: (ref.name or ref.id) if (ref := getattr(noun, name)) else None)


def _name(noun: Noun) -> str:
    if isinstance(noun, Snapshot):
        return noun.description or noun.id
    return noun.name or getattr(noun, "alias", None) or noun.id


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)
