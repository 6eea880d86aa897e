"""What an engine was asked to change, answered that it did, and did not.

Engines answer 200 to less memory of a running machine, to an operating system that they do not know, and to words that
came with a later version. So each answer is held against what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Conflict
from ..secret import Secret
from ..units import show_size
from .documents.dialect import Dialect
from .documents.noun import Noun
from .documents.record import Record
from .documents.shapes import Ref


def untaken(now: Noun, wanted: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """What of a change the engine shows otherwise; of what it does not show, such as secrets, this is not known.

    Args:
        now: The thing as the engine has it after the change.
        wanted: What was sent, by attribute.
        dialect: Which attributes it can show.
    """
    readable = {
        name: _readable(value)
        for name, value in wanted.items()
        if _shows(now, name, dialect) and not isinstance(value, Secret)
    }
    left = now.differences(readable)
    return {name: value for name, value in left.items() if not value or getattr(now, name) not in (None, "", ())}


def _shows(now: Noun, name: str, dialect: Dialect) -> bool:
    field = now.FIELDS[name]
    return field.spelling_in(dialect) is not None and dialect.since(field.since)


def _readable(value: Any) -> Any:
    """A value without the secrets inside it."""
    if not isinstance(value, Record):
        return value
    return value.replace(**{name: None for name, each in value.values().items() if isinstance(each, Secret)})


def explain(now: Noun, left: Mapping[str, Any]) -> Conflict:
    """Say what an engine did not take.

    Args:
        now: The thing as it is.
        left: What is not there, by attribute.
    """
    parts = [f"{_words(name)} is {_text(name, getattr(now, name))}, not {_text(name, left[name])}" for name in left]
    return Conflict(f"the manager says that it is done, but the {'; the '.join(parts)}")


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(name: str, value: Any) -> str:
    """A value for a person."""
    if value is None or value == () or value == "":
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and ("memory" in name or "size" in name):
        return show_size(value)
    if isinstance(value, Ref):
        return value.name or value.id
    if isinstance(value, tuple):
        return ", ".join(_text(name, each) for each in value)
    if isinstance(value, Record):
        return ", ".join(f"{_words(key)} {_text(key, each)}" for key, each in _readable(value).values().items())
    return str(value)
