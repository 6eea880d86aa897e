"""One call as a handler sees it: the things of its path, its parameters, its body read in its dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .dialect import Dialect, Shape, Thing
from .faults import BAD, Gone, Refused, incomplete, not_found
from .render import read, reference
from .world import World

_TRUE = frozenset({"", "true", "t", "yes", "y", "1"})
#: What the engine calls a kind of thing that it did not find, where that is not its own name.
CALLED = {"host": "Hosts"}
#: Shapes by kind, for references that are followed.
SHAPES: dict[str, Shape] = {}


@dataclass
class Call:
    """What a handler gets.

    Attributes:
        world: The engine's data.
        dialect: How it is spoken to.
        things: The things that the path names, by kind.
        params: Query and matrix parameters.
        body: The body's root element, if there is one.
        headers: By lower-case name.
        where: The address that was called.
        strict: What the dialect does not know is refused by name.
        routes: For what is followed.
        cache: Texts of things, kept until they change.
        settings: What the simulator was started with.
    """

    world: World
    dialect: Dialect
    things: dict[str, Thing] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    strict: bool = False
    routes: Any = None
    cache: dict[Any, tuple[int, str]] = field(default_factory=dict)
    settings: Any = None

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """Read a boolean parameter; an empty value counts as true, another word is ignored."""
        if name not in self.params:
            return otherwise
        return self.params[name].lower() in _TRUE

    @property
    def everything(self) -> bool:
        """Is also to be told what costs an engine more?"""
        return self.headers.get("all-content", "").lower() == "true" or self.flag("all_content")

    def number(self, name: str) -> int | None:
        """Read a parameter that is a number; others are ignored."""
        text = self.params.get(name, "")
        return int(text) if text.lstrip("-").isdigit() else None

    def read(self, shape: Shape, element: Any = None) -> Thing:
        """Read the body as a thing of one noun.

        Args:
            shape: How that noun is written.
            element: A part of the body; the body itself if not given.

        Raises:
            Refused: A value that is none; or, when strict, something that the dialect does not know.
        """
        element = self.body if element is None else element
        if element is None:
            raise Refused("The request body is empty", BAD, "Invalid value")
        if element.tag != shape.tag:
            raise Refused(f"Cannot construct {shape.tag} from {element.tag}", BAD, "usage")
        values, unknown = read(shape, self.dialect, element)
        if unknown and self.strict:
            raise strictly(unknown, self.dialect)
        fixed = {one.key for one in shape.fields if one.fixed}
        return {key: value for key, value in values.items() if key not in fixed}

    def fresh(self, shape: Shape) -> Thing:
        """Read the body as a thing that is to be made: an id in it does not count."""
        values = self.read(shape)
        values.pop("id", None)
        return values

    def changes(self, shape: Shape) -> Thing:
        """Read the body as what shall change of the thing that the path names.

        Raises:
            Refused: The body is about another thing.
        """
        values = self.read(shape)
        if values.pop("id", self.things[shape.kind]["id"]) != self.things[shape.kind]["id"]:
            raise Refused("Attempt to set immutable field: id", reason="Broken immutability constraint")
        return values

    def part(self, path: str) -> Any:
        """Give an element of the body by its path, or None."""
        return None if self.body is None else self.body.find(path)

    def text(self, path: str) -> str:
        """Give the text of an element of the body, or nothing."""
        return "" if self.body is None else (self.body.findtext(path) or "").strip()

    def yes(self, path: str, otherwise: bool = False) -> bool:
        """Give the truth of an element of the body."""
        text = self.text(path).lower()
        return text in {"true", "1"} if text else otherwise

    def look_up(self, kind: str, said: Thing | None, **where: Any) -> Thing:
        """Find what a reference in a body means.

        Args:
            kind: The kind of thing.
            said: `{"id": ..., "name": ...}`; an id wins.
            **where: What a thing found by its name must have, e.g. its data center.

        Raises:
            Refused: There is no such thing.
        """
        said = said or {}
        if "id" in said:
            found = self.world.get(kind, said["id"])
            missing = said["id"]
        else:
            found = self.world.exactly(kind, said.get("name", ""), **where)
            missing = f"name={said.get('name', '')}"
        if found is None:
            raise not_found(CALLED.get(kind, kind.title().replace("_", "")), missing)
        return found

    def named_part(self, kind: str, path: str, **where: Any) -> Thing | None:
        """Find the thing that an element of the body refers to, if the element is there."""
        said = reference(self.part(path))
        return self.look_up(kind, said, **where) if said else None

    def on(self, **things: Thing) -> Call:
        """Give the same call as made at another place."""
        return replace(self, things={**self.things, **things})


def strictly(unknown: Iterable[str], dialect: Dialect) -> Refused:
    """Refuse by name what an engine would ignore without a word."""
    return Refused(f"API v{dialect.number} does not know: {', '.join(unknown)}", BAD, "Strict mode", listed=False)


def require(values: Thing, what: tuple[str, str], wanted: Iterable[str], dialect: Dialect) -> None:
    """Refuse a body that lacks something.

    Args:
        values: What was read.
        what: The type's name in v3 and in v4.
        wanted: `key` or `key:words`, where words is how the checker names it; `a|b` either.

    Raises:
        Refused: Naming all that is missing.
    """
    missing = []
    for entry in wanted:
        keys, _, words = entry.partition(":")
        if not any(values.get(key) not in (None, "", {}) for key in keys.split("|")):
            missing.append(words or keys)
    if missing:
        raise incomplete(what[dialect.number == 4], missing)


def item_of(call: Call, kind: str, thing_id: str) -> Thing:
    """Give the thing that a path names.

    Raises:
        Gone: There is none, or its owner in the path is another.
    """
    thing = call.world.get(kind, thing_id)
    if thing is None:
        raise Gone
    return thing
