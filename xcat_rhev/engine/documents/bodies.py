"""The documents a client sends: a thing, the changes to a thing, an action, and what a removal needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ...errors import Usage
from ...secret import Secret
from .dialect import Dialect
from .noun import Noun, Removal
from .record import Record, body, order
from .shapes import Element, Pointer, Ref, Scalar


@dataclass(frozen=True)
class Words:
    """Several texts as a parameter of an action: `<tag>` repeated in v3, inside its plural in v4.

    Attributes:
        tag: What each is called.
        texts: The texts.
    """

    tag: str
    texts: tuple[str, ...]


#: A document as it is sent, and as it may be shown.
Sent = tuple[bytes, str]


def document(noun: Noun, dialect: Dialect, only: Mapping[str, Any] | None = None) -> Sent:
    """Write a thing, or only some of its values.

    Args:
        noun: The thing.
        dialect: How it is spelled.
        only: Values to write instead of all, by attribute.

    Raises:
        Usage: The dialect has no such value, and would ignore it without a word.
    """
    root = etree.Element(noun.tag(dialect.major))
    values = noun.values() if only is None else only
    noun.write(root, dialect, {name: value for name, value in values.items() if name != "href"})
    return body(root)


def action(dialect: Dialect, params: Mapping[str, Any]) -> Sent:
    """Write an action with its parameters; engines want the element even if it is empty.

    Args:
        dialect: How it is spelled.
        params: By element: a Ref, a Record, nouns, a Secret, a text, a number or a bool; None is left out.
    """
    root = etree.Element("action")
    for name, value in params.items():
        if isinstance(value, Words):
            place = root if name == value.tag else etree.SubElement(root, name)
            for text in value.texts:
                etree.SubElement(place, value.tag).text = text
        elif value is not None:
            _put(etree.SubElement(root, name), value, dialect)
    order(root, dialect)
    return body(root)


def removal(dialect: Dialect, obj: Noun, params: Mapping[str, Any]) -> tuple[dict[str, str], Sent]:
    """Say how a removal's parameters travel: v4 reads the query and ignores a body, v3 reads the body.

    Args:
        dialect: How it is spelled.
        obj: What is removed.
        params: force, detach_only, host (a Ref), format, destroy; a false one is left out.

    Returns:
        Query parameters, and the body.

    Raises:
        Usage: No engine takes that for such a thing.
    """
    given = {name: value for name, value in params.items() if value or (name == "detach_only" and value is not None)}
    unknown = set(given) - {"force", "detach_only", "host", "format", "destroy", "async"}
    if unknown:
        raise Usage(f"a removal takes no {', '.join(sorted(unknown))}")
    if dialect.major == 4:
        return {name: _plain(value) for name, value in given.items()}, (b"", "")
    if obj.REMOVAL is Removal.DESCRIBED and given:
        root = etree.Element(obj.TAG)
        type(obj)(**given).write(root, dialect)
        return {}, body(root)
    if obj.REMOVAL is Removal.DETACHED:
        return {}, action(dialect, {"detach": True}) if given.get("detach_only") else (b"", "")
    if given.pop("detach_only", False) and obj.REMOVAL is Removal.KEEPING_DISKS:
        return {}, _keeping_disks(given, dialect)
    return {}, action(dialect, given) if given else (b"", "")


def _keeping_disks(given: Mapping[str, Any], dialect: Dialect) -> Sent:
    """A VM's removal that leaves its disks, since 3.1."""
    if not dialect.since((3, 1)):
        raise Usage("RHEV 3.0 cannot remove a VM and keep its disks")
    root = etree.Element("action")
    disks = etree.SubElement(etree.SubElement(root, "vm"), "disks")
    etree.SubElement(disks, "detach_only").text = "true"
    for name, value in given.items():
        _put(etree.SubElement(root, name), value, dialect)
    order(root, dialect)
    return body(root)


def _put(place: Element, value: Any, dialect: Dialect) -> None:
    """Write one parameter of an action."""
    if isinstance(value, Noun):
        value.write(place, dialect, {name: each for name, each in value.values().items() if name != "href"})
    elif isinstance(value, Record):
        value.write(place, dialect)
    elif isinstance(value, Ref):
        Pointer().write(place, "", value, dialect)
    elif isinstance(value, Secret):
        Scalar(Secret, Secret.reveal, secret=True).write(place, "", value, dialect)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            _put(etree.SubElement(place, each.tag(dialect.major)), each, dialect)
    else:
        place.text = _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Ref):
        return value.id or value.name
    return str(value)
