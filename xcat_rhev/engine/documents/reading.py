"""Reads a record in one walk over its element, however many fields it has: lists of 10,000 machines are read so.

Who needs few of the fields has a plan of those alone, and the walk then passes over all other elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...errors import BadAnswer
from .dialect import Dialect
from .shapes import Element

if TYPE_CHECKING:
    from .field import Field


#: lxml compares each child with each wanted tag; with more than these, asking a dictionary is faster.
_FEW = 6


class _Node:
    """A place in the tree of all places where fields are."""

    __slots__ = ("asked", "below", "fields", "tags")

    def __init__(self) -> None:
        #: By the tag of a child.
        self.below: dict[str, _Node] = {}
        #: Fields whose value is here, with the attribute that holds it.
        self.fields: list[tuple[Field[Any], str]] = []
        #: Fields whose list is here, if the engine was asked for it.
        self.asked: list[str] = []
        #: The children to look at; none for all, which is faster when most of them are wanted.
        self.tags: tuple[str, ...] = ()

    def at(self, path: str) -> _Node:
        """The node at a path below this one, made if need be."""
        node = self
        for step in path.split("/") if path else ():
            node = node.below.setdefault(step, _Node())
        return node

    def narrow(self) -> None:
        """Look at wanted children alone, all the way down, where they are few."""
        self.tags = tuple(self.below) if len(self.below) <= _FEW else ()
        for node in self.below.values():
            node.narrow()


class ReadingPlan:
    """Where the fields of a kind of record stand in one dialect.

    Args:
        fields: By name.
        dialect: Which.
    """

    def __init__(self, fields: Mapping[str, Field[Any]], dialect: Dialect) -> None:
        self._root = _Node()
        self._required = [field for field in fields.values() if field.required and field.spelling_in(dialect)]
        for name, field in fields.items():
            spelling = field.spelling_in(dialect)
            if spelling is None:
                continue
            self._root.at("/".join(filter(None, (spelling.outer, spelling.inner)))).fields.append(
                (field, spelling.attribute)
            )
            if field.inlined:
                self._root.at(spelling.outer.rpartition("/")[0]).asked.append(name)
        self._root.narrow()

    def read(self, element: Element, dialect: Dialect) -> dict[str, Any]:
        """Take the values out of an element, by field's name.

        Raises:
            BadAnswer: A value is not of its kind, or a required one is missing; the text names its path.
        """
        values: dict[str, Any] = {}
        self._walk(element, self._root, values, dialect)
        for field in self._required:
            if field.name not in values:
                raise BadAnswer(f"{_path(element, field, dialect)} is missing in the manager's answer")
        return values

    def _walk(self, element: Element, node: _Node, values: dict[str, Any], dialect: Dialect) -> None:
        for name in node.asked:
            values.setdefault(name, ())
        for field, attribute in node.fields:
            if field.name in values and not field.many:
                continue
            try:
                value = field.shape.read(element, attribute, dialect)
            except ValueError as problem:
                raise BadAnswer(f"{_path(element, field, dialect)}: {problem}") from None
            if value is not None:
                values[field.name] = (*values.get(field.name, ()), value) if field.many else value
        below = node.below
        if below:
            for child in element.iterchildren(*node.tags):
                inner = below.get(child.tag)
                if inner is not None:
                    self._walk(child, inner, values, dialect)


def _path(element: Element, field: Field[Any], dialect: Dialect) -> str:
    """The path of a value from the answer's root."""
    spelling = field.spelling_in(dialect)
    steps = [str(each.tag) for each in element.iterancestors()][::-1] + [str(element.tag)]
    last = spelling.text.rpartition("/")[2] if spelling else field.name
    own = last.partition("@")[0]
    if own == steps[-1]:
        return "/".join(steps) + (f"/@{last.partition('@')[2]}" if "@" in last else "")
    return "/".join([*steps, last])
