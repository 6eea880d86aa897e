"""Documents declared once: reading, writing, comparing and showing derive from the declaration.

    class Vm(Noun):
        status = text("status/state", "status")
        boot = words("os/boot*@dev", "os/boot/devices/device*")

A spelling names child elements with `/`, the one that repeats with `*`, and an attribute with `@`. The first is v3's,
the second v4's; one alone serves both, None means that the dialect has no such thing. An attribute that a document does
not have reads as None, a repeated one as an empty tuple. Elements that no field names are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, ClassVar, Generic, TypeVar, Union, cast, overload

from lxml import etree

from ..errors import Bug, Usage
from ..secret import STARS, Secret
from .dialect import Dialect
from .dialect import Version as Since
from .reading import Plan
from .shapes import Element, Options, Part, Pointer, Ref, Scalar, Shape, VersionShape

T = TypeVar("T")
R = TypeVar("R", bound="Record")

#: Where a record that was read in part keeps which fields those are. What is missing then is unknown, not absent.
ONLY = "only"
_SAME = "="
_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*", re.ASCII)


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
        quiet: ... or left out without a word, where the older version does the same without being told.
        required: A document without it is a bad answer.
        same: Says whether two values mean the same to the engine; None leaves it to the shape.
        inlined: The engine gives it only when asked to; None then means that nobody asked, `()` that there is none.
    """

    many: bool = False
    since: Since = (3, 0)
    quiet: bool = False
    required: bool = False
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
        spelled = v3 if v4 == _SAME else v4
        self.shape = shape
        self.spelling = {3: Spelling(v3) if v3 is not None else None, 4: Spelling(spelled) if spelled else None}
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
        # A value that is there stands in the instance and is found before this is called.
        if record is None:
            return self
        only = record.__dict__.get(ONLY)
        if only and self.name not in only:
            raise Bug(f"{type(record).__name__}.{self.name} was not asked for")
        return cast(T, self.nothing)

    def write(self, element: Element, value: Any, dialect: Dialect) -> None:
        """Put a value into a document.

        Raises:
            Usage: This dialect or version has no such thing, and would ignore it without a word.
        """
        spelling = self.spelling[dialect.major]
        if spelling is None or not dialect.since(self.since):
            if self.quiet:
                return
            raise Usage(f"API {dialect.version[0]}.{dialect.version[1]} has no {element.tag} {self.name}")
        for each in value if self.many else (value,):
            self.shape.write(spelling.make(element, self.many), spelling.attribute, each, dialect)
        if self.many and not value and "/" in spelling.outer:
            Spelling(spelling.outer.rpartition("/")[0]).make(element, False)


class Record:
    """A part of a document with declared fields.

    Args:
        values: Attributes by name; None means absent.

    Raises:
        TypeError: No such attribute.
    """

    FIELDS: ClassVar[dict[str, Field[Any]]] = {}
    ALWAYS: ClassVar[frozenset[str]] = frozenset()
    PLANS: ClassVar[dict[tuple[int, frozenset[str]], Plan]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls.FIELDS = {**cls.FIELDS, **own}
        cls.PLANS = {}

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            if name not in self.FIELDS:
                raise TypeError(f"{type(self).__name__} has no {name}")
            if value is not None and (value != () or self.FIELDS[name].inlined):
                self.__dict__[name] = tuple(value) if self.FIELDS[name].many else value

    def values(self) -> dict[str, Any]:
        """The attributes that are there."""
        return {name: self.__dict__[name] for name in self.FIELDS if name in self.__dict__}

    def replace(self: R, **values: Any) -> R:
        """The same with other values; None takes one away."""
        other = type(self)(**{**self.values(), **values})
        if ONLY in self.__dict__:
            other.__dict__[ONLY] = self.__dict__[ONLY] | set(values)
        return other

    def differing(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the wanted values that the engine would have to change; secrets always, they cannot be read back."""
        return {name: value for name, value in wanted.items()
                if not self.FIELDS[name].same(getattr(self, name) or None, value or None)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and type(other) is type(self) and self.values() == other.values()

    __hash__ = None  # type: ignore[assignment]  # records change hands as values, not as keys

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.values().items())})"

    @classmethod
    def read(cls: type[R], element: Element, dialect: Dialect, only: frozenset[str] = frozenset()) -> R:
        """Make one of a document.

        Args:
            element: The document.
            dialect: How it is spelled.
            only: The fields to read, besides those that are always read; none for all. Asking the record for another
                is an error.

        Raises:
            BadAnswer: A required value is missing, or one is not of its kind.
        """
        record = cls.__new__(cls)
        record.__dict__ = cls.plan(dialect.major, only).read(element, dialect)
        if only:
            record.__dict__[ONLY] = only | cls.ALWAYS
        return record

    @classmethod
    def plan(cls, major: int, only: frozenset[str]) -> Plan:
        """How to read one in a dialect; made once."""
        plan = cls.PLANS.get((major, only))
        if plan is None:
            wanted = only | cls.ALWAYS if only else cls.FIELDS.keys()
            plan = Plan({name: cls.FIELDS[name] for name in cls.FIELDS if name in wanted}, major)
            cls.PLANS[major, only] = plan
        return plan

    def write(self, element: Element, dialect: Dialect, only: Mapping[str, Any] | None = None) -> None:
        """Put the values into a document.

        Args:
            element: Where.
            dialect: How it is spelled.
            only: Other values to put there instead of all that are set, by attribute.

        Raises:
            Usage: The dialect has no such thing.
        """
        values = self.values() if only is None else only
        for name, field in self.FIELDS.items():
            if name in values:
                field.write(element, field.nothing if values[name] is None else values[name], dialect)
        order(element, dialect)


def order(element: Element, dialect: Dialect) -> None:
    """Bring children into the order of the version's schema, all the way down."""
    for each in element.iter():
        wanted = dialect.order(str(each.tag))
        if wanted:
            places = {tag: number for number, tag in enumerate(wanted)}
            each[:] = sorted(each, key=lambda child: places.get(str(child.tag), len(places)))


def body(element: Element) -> tuple[bytes, str]:
    """Write a document as it is sent, and as it may be shown, with stars for secrets.

    Values that are secret were marked by their shape with the attribute `secret`, which goes no further.
    """
    hidden: Iterator[Element] = element.iter()
    marked = [each for each in hidden if each.get(Scalar.MARK)]
    for each in marked:
        del each.attrib[Scalar.MARK]
    sent = etree.tostring(element, encoding="utf-8")
    for each in marked:
        each.text = STARS
    return sent, etree.tostring(element, encoding="unicode")


def text(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[str, None]]:
    """A text or a word of a fixed list."""
    return Field(Scalar(str, str), v3, v4, Traits(**more))


def label(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[str]:
    """A text that reads as empty when it is not there: an id, a name."""
    field: Field[str] = Field(Scalar(str, str), v3, v4, Traits(**more))
    field.nothing = ""
    return field


def whole(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[int, None]]:
    """A whole number."""
    return Field(Scalar(_whole, str), v3, v4, Traits(**more))


def decimal(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[float, None]]:
    """A number that may have a fraction."""
    return Field(Scalar(float, lambda value: f"{value:g}"), v3, v4, Traits(**more))


def flag(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[bool, None]]:
    """Yes or no."""
    return Field(Scalar(_flag, lambda value: "true" if value else "false", absent_is=False), v3, v4, Traits(**more))


def secret(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[Secret, None]]:
    """A text that does not show itself, and that no engine gives back."""
    traits = Traits(same=lambda _, wanted: wanted is None, **more)
    return Field(Scalar(Secret, Secret.reveal, secret=True), v3, v4, traits)


def words(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[tuple[str, ...]]:
    """Several texts in order."""
    return Field(Scalar(str, str), v3, v4, Traits(many=True, **more))


def ref(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[Ref, None]]:
    """Another noun, by id or name."""
    return Field(Pointer(), v3, v4, Traits(**more))


def refs(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[tuple[Ref, ...]]:
    """Several other nouns."""
    return Field(Pointer(), v3, v4, Traits(many=True, **more))


def options(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[dict[str, str], None]]:
    """Pairs of a name and a value; the spelling names the repeated element."""
    return Field(Options(), v3, v4, Traits(**more))


def version(v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[str, None]]:
    """A version, as `4.7`."""
    return Field(VersionShape(), v3, v4, Traits(**more))


def part(kind: type[R], v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[Union[R, None]]:
    """A record inside."""
    return Field(Part(kind), v3, v4, Traits(**more))


def parts(kind: type[R], v3: str | None, v4: str | None = _SAME, **more: Any) -> Field[tuple[R, ...]]:
    """Several records inside."""
    return Field(Part(kind), v3, v4, Traits(many=True, **more))


def inlined(kind: type[R], v3: str | None, v4: str | None = _SAME) -> Field[Union[tuple[R, ...], None]]:
    """Several records which the engine puts inside only when asked to; None: nobody asked."""
    return Field(Part(kind), v3, v4, Traits(many=True, inlined=True))


def _whole(raw: str) -> int:
    # Python takes a number of a million digits, and minutes for it.
    if not _NUMBER.fullmatch(raw):
        raise ValueError(f"'{raw[:40]}' is no whole number")
    return int(raw)


def _flag(raw: str) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    if raw.lower() not in known:
        raise ValueError(f"'{raw[:40]}' is neither true nor false")
    return known[raw.lower()]
