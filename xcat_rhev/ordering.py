"""The order of names as people count: web2 comes before web10."""

from __future__ import annotations

import re
from typing import Union

_NUMBER = re.compile(r"([0-9]+)")
#: The texts of a name in turn with the lengths and digits of its numbers, then the name for those that differ in zeros.
NaturalKey = tuple[tuple[Union[str, tuple[int, str]], ...], str]


def natural(name: str) -> NaturalKey:
    """A sort key: numbers count as numbers, however long they are."""
    parts = _NUMBER.split(name)
    numbers = [number.lstrip("0") for number in parts[1::2]]
    key: list[str | tuple[int, str]] = list(parts)
    key[1::2] = [(len(number), number) for number in numbers]
    return tuple(key), name
