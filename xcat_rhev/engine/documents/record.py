"""A part of a document with declared fields: read, written and compared by its declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from lxml import etree

from ...secret import STARS
from .dialect import Dialect
from .field import ONLY, Field
from .reading import ReadingPlan
from .shapes import Element, Scalar

R = TypeVar("R", bound="Record")


class Record:
    """A part of a document with declared fields.

    Args:
        values: Attributes by name; None means absent.

    Raises:
        TypeError: No such attribute.
    """

    FIELDS: ClassVar[dict[str, Field[Any]]] = {}
    ALWAYS: ClassVar[frozenset[str]] = frozenset()
    PLANS: ClassVar[dict[tuple[Dialect, frozenset[str]], ReadingPlan]] = {}

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

    def differences(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the wanted values that the engine would have to change; secrets always, they cannot be read back."""
        return {
            name: value
            for name, value in wanted.items()
            if not self.FIELDS[name].same(getattr(self, name) or None, value or None)
        }

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
        record.__dict__ = cls.plan(dialect, only).read(element, dialect)
        if only:
            record.__dict__[ONLY] = only | cls.ALWAYS
        return record

    @classmethod
    def plan(cls, dialect: Dialect, only: frozenset[str]) -> ReadingPlan:
        """How to read one in a dialect; made once."""
        plan = cls.PLANS.get((dialect, only))
        if plan is None:
            wanted = only | cls.ALWAYS if only else cls.FIELDS.keys()
            plan = ReadingPlan({name: cls.FIELDS[name] for name in cls.FIELDS if name in wanted}, dialect)
            cls.PLANS[dialect, only] = plan
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


class RecordShape:
    """A record inside the document.

    Args:
        kind: Its class.
    """

    def __init__(self, kind: type[Record]) -> None:
        self._kind = kind

    def read(self, place: Element, attribute: str, dialect: Dialect) -> Any:
        """The record; None if nothing of it is there."""
        found = self._kind.read(place, dialect)
        return found if found.values() else None

    def write(self, place: Element, attribute: str, value: Any, dialect: Dialect) -> None:
        """Its fields."""
        if value is not None:
            value.write(place, dialect)

    def same(self, current: Any, wanted: Any) -> bool:
        """Equal in all that is wanted."""
        if current is None or wanted is None or isinstance(wanted, tuple):
            return bool(current == wanted)
        return not current.differences(wanted.values())
