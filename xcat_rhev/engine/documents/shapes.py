"""What a value looks like at its place in a document: a text, a reference, pairs, a record inside."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from lxml import etree

from .dialect import Dialect

Element = etree._Element


@dataclass(frozen=True)
class Ref:
    """A reference to another noun.

    Attributes:
        id: The engine's id; empty when only the name is known.
        name: Its name; empty until the facade filled it in, for engines mostly give the id alone.
        href: The path it was given with, if any.
    """

    id: str = ""
    name: str = ""
    href: str = field(default="", compare=False)

    def __bool__(self) -> bool:
        return bool(self.id or self.name)


class Shape(Protocol):
    """How a value is read from, written to, and compared at one place."""

    def read(self, place: Element, attribute: str, dialect: Dialect) -> Any:
        """The value, or None; raises ValueError when it is not of its kind."""

    def write(self, place: Element, attribute: str, value: Any, dialect: Dialect) -> None:
        """Put it there."""

    def same(self, current: Any, wanted: Any) -> bool:
        """Whether both mean the same to the engine."""


class Scalar:
    """A text, or something that is written as one.

    Args:
        parse: Makes the value of a text; raises ValueError.
        show: The reverse.
        absent_is: What the engine means when the value is not there.
        secret: Mark the written element, so that a trace shows stars.
    """

    #: An attribute that never leaves this program; no engine has one of that name.
    MARK = "secret"

    def __init__(
        self, parse: Callable[[str], Any], show: Callable[[Any], str], absent_is: Any = None, secret: bool = False
    ) -> None:
        self._parse, self._show, self._absent, self._secret = parse, show, absent_is, secret

    def read(self, place: Element, attribute: str, dialect: Dialect) -> Any:
        """The value; an empty element is as good as none."""
        raw = place.get(attribute) if attribute else place.text
        if not raw or not raw.strip():
            return None
        value = self._parse(raw)
        return sys.intern(value) if isinstance(value, str) and len(value) < 40 else value

    def write(self, place: Element, attribute: str, value: Any, dialect: Dialect) -> None:
        """Put it there; nothing makes an empty element, which clears the value."""
        shown = "" if value is None else self._show(value)
        if attribute:
            place.set(attribute, shown)
            return
        place.text = shown
        if self._secret:
            place.set(self.MARK, "yes")

    def same(self, current: Any, wanted: Any) -> bool:
        """Equal, where nothing equals what the engine takes nothing for."""
        empty = self._absent or None
        return bool((current or empty) == (wanted or empty))


class Pointer:
    """A reference: the id as attribute, else the name as child.

    Args:
        blank: "None" is said by an element without an id; most take an empty id for it.
    """

    def __init__(self, blank: bool = False) -> None:
        self._blank = blank

    def read(self, place: Element, attribute: str, dialect: Dialect) -> Ref | None:
        """The reference, or None for an empty element."""
        ident, name = place.get("id", ""), ""
        if len(place):
            ident, name = ident or place.findtext("id") or "", place.findtext("name") or ""
        return Ref(ident, name, place.get("href", "")) if ident or name else None

    def write(self, place: Element, attribute: str, value: Ref | None, dialect: Dialect) -> None:
        """The id if known; engine 3.0 wants a network's name beside its id, and no engine minds."""
        if value is None:
            # Engines take an empty id for "none", and a missing element for "as it is".
            if not self._blank:
                place.set("id", "")
            return
        if value.id:
            place.set("id", value.id)
        if value.name and not (value.id and dialect.has("ids_alone")):
            etree.SubElement(place, "name").text = value.name

    def same(self, current: Any, wanted: Any) -> bool:
        """By id where both have one, else by name."""
        if isinstance(current, Ref) and isinstance(wanted, Ref):
            return current.id == wanted.id if current.id and wanted.id else current.name == wanted.name
        if isinstance(current, tuple) and isinstance(wanted, tuple):
            return len(current) == len(wanted) and all(map(self.same, current, wanted))
        return bool(current == wanted)


#: What the pairs are called in a place, unless they are options.
_OPTION = {
    "properties": "property",
    "custom_properties": "custom_property",
    "custom_scheduling_policy_properties": "property",
}


class Options:
    """Pairs of a name and a value: attributes in v3, elements in v4."""

    def read(self, place: Element, attribute: str, dialect: Dialect) -> dict[str, str] | None:
        """The pairs of the children, whatever they are called."""
        found = {}
        for pair in place:
            name = pair.get("name") or pair.findtext("name")
            if name:
                found[name] = pair.get("value") or pair.findtext("value") or ""
        return found or None

    def write(self, place: Element, attribute: str, value: Mapping[str, str] | None, dialect: Dialect) -> None:
        """One child for each pair, called like the place without its plural ending."""
        tag = _OPTION.get(str(place.tag), "option")
        for name, text in (value or {}).items():
            pair = etree.SubElement(place, tag)
            if dialect.major == 3:
                pair.set("name", name)
                pair.set("value", text)
            else:
                etree.SubElement(pair, "name").text = name
                etree.SubElement(pair, "value").text = text

    def same(self, current: Any, wanted: Any) -> bool:
        """Equal as pairs."""
        return dict(current or {}) == dict(wanted or {})


class VersionShape:
    """A version: attributes in v3, elements in v4."""

    def read(self, place: Element, attribute: str, dialect: Dialect) -> str | None:
        """As `4.7`; None where one of both numbers is missing."""
        major = place.get("major") or place.findtext("major")
        minor = place.get("minor") or place.findtext("minor")
        if not major or not minor:
            return None
        if len(major + minor) > 20:
            raise ValueError(f"'{major[:20]}' is not a version")
        return f"{int(major)}.{int(minor)}"

    def write(self, place: Element, attribute: str, value: str, dialect: Dialect) -> None:
        """The two numbers."""
        major, _, minor = value.partition(".")
        for name, number in (("major", major), ("minor", minor)):
            if dialect.major == 3:
                place.set(name, number)
            else:
                etree.SubElement(place, name).text = number

    def same(self, current: Any, wanted: Any) -> bool:
        """Equal as text."""
        return bool(current == wanted)


class ReleaseShape(VersionShape):
    """The version of a program: as its maker writes it, else what there is of numbers."""

    #: `vdsm-4.30.17-1.el7ev`: who it is, which the field says already.
    _OWN_NAME = re.compile(r"[A-Za-z_]+-(?=[0-9])")

    def read(self, place: Element, attribute: str, dialect: Dialect) -> str | None:
        """As `4.30.17-1.el7ev`, `7.6` or `7`; None where there is nothing."""
        full = (place.get("full_version") or place.findtext("full_version") or "").strip()
        if full:
            return self._OWN_NAME.sub("", full, count=1)
        numbers = [place.get(name) or place.findtext(name) for name in ("major", "minor", "build")]
        told = numbers[: numbers.index(None)] if None in numbers else numbers
        return ".".join(filter(None, told)) or None
