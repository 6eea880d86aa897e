"""One declared field: where its value is in both dialects, and how it is written there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Generic, TypeVar, cast, overload

from lxml import etree

from ...errors import Bug, Usage
from .dialect import Dialect
from .dialect import Version as Since
from .shapes import Element, Shape

T = TypeVar("T")


#: Where a record that was read in part keeps which fields those are. What is missing then is unknown, not absent.
ONLY = "only"


SAME = "="


class Spelling:
    """A place in a document, parsed once.

    Args:
        text: Such as `os/boot*@dev`, `status/state`, `@id`.
    """

    __slots__ = ("attribute", "inner", "outer", "text")

    def __init__(self, text: str) -> None:
        path, _, self.attribute = text.partition("@")
        self.text = text.replace("*", "")
        head, star, tail = path.partition("*")
        self.outer = head.strip("/")
        self.inner = tail.strip("/") if star else ""

    def make(self, element: Element, again: bool) -> Element:
        """Add the elements on the way, using those that are there; `again` adds one more of the repeated."""
        steps = self.outer.split("/") if self.outer else []
        for number, step in enumerate(steps):
            last = number == len(steps) - 1
            there = None if last and again else element.find(step)
            element = etree.SubElement(element, step) if there is None else there
        for step in self.inner.split("/") if self.inner else ():
            element = etree.SubElement(element, step)
        return element


@dataclass(frozen=True)
class Traits:
    """What there is to say about a field besides its kind and its places.

    Attributes:
        many: The value is a tuple.
        since: The first version that knows it; writing it to an older one is refused by name ...
        quiet: ... or left out without a word, where the older version does the same by itself.
        required: A document without it is a bad answer.
        later: From which version of v3 on the value is elsewhere, and where.
        same: Says whether two values mean the same to the engine; None leaves it to the shape.
        inlined: The engine gives it only when asked to; None means that it was not asked for, `()` that there is none.
    """

    many: bool = False
    since: Since = (3, 0)
    quiet: bool = False
    required: bool = False
    later: tuple[Since, str] | None = None
    same: Callable[[Any, Any], bool] | None = None
    inlined: bool = False


class Field(Generic[T]):
    """One attribute of a noun. Use the functions below rather than this.

    Args:
        shape: What the value looks like at its place.
        v3: Its place in v3 documents.
        v4: Its place in v4 documents.
        traits: The rest.
    """

    name = ""

    def __init__(self, shape: Shape, v3: str | None, v4: str | None, traits: Traits) -> None:
        spelled = v3 if v4 == SAME else v4
        self.shape = shape
        self.spellings = {3: Spelling(v3) if v3 is not None else None, 4: Spelling(spelled) if spelled else None}
        self._later = (traits.later[0], Spelling(traits.later[1])) if traits.later else None
        self.many, self.inlined, self.required = traits.many, traits.inlined, traits.required
        self.since, self.quiet, self.same = traits.since, traits.quiet, traits.same or shape.same
        self.nothing: Any = () if traits.many and not traits.inlined else None

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, record: None, owner: type) -> Field[T]: ...
    @overload
    def __get__(self, record: object, owner: type) -> T: ...
    def __get__(self, record: object | None, owner: type) -> Field[T] | T:
        # A value that is there is in the instance and is found before this is called.
        if record is None:
            return self
        only = record.__dict__.get(ONLY)
        if only and self.name not in only:
            raise Bug(f"{type(record).__name__}.{self.name} was not asked for")
        return cast(T, self.nothing)

    def spelling_in(self, dialect: Dialect) -> Spelling | None:
        """Where the value is, or None where there is no such thing."""
        if self._later and dialect.major == 3 and dialect.since(self._later[0]):
            return self._later[1]
        return self.spellings[dialect.major]

    def write(self, element: Element, value: Any, dialect: Dialect) -> None:
        """Put a value into a document.

        Raises:
            Usage: This dialect or version has no such thing, and would ignore it without a word.
        """
        spelling = self.spelling_in(dialect)
        if spelling is None or not dialect.since(self.since):
            if self.quiet:
                return
            raise Usage(f"API {dialect.version[0]}.{dialect.version[1]} has no {element.tag} {self.name}")
        for each in value if self.many else (value,):
            self.shape.write(spelling.make(element, self.many), spelling.attribute, each, dialect)
        if self.many and not value and "/" in spelling.outer:
            Spelling(spelling.outer.rpartition("/")[0]).make(element, False)
