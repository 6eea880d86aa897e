"""Columns of the nics table: one text for all cards of a node, `eth0!10.0.0.1|fd00::1,eth1!10.0.1.1`.

A card's part may be a regular expression on the node's name of its own, `eth0!|\\D+(\\d+)|10.0.0.($1)|`; and the whole
column may be one, as in every table, which then gives a text of that form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .host import Row
from .rows import expand_value

TABLE = "nics"


def is_whole(value: str) -> bool:
    """Whether a column is one expression for all cards, so that its cards are not known before it is worked out."""
    return len(value) > 1 and value[0] in "|/" and value[0] == value[-1]


def cards(value: str) -> dict[str, str]:
    """Card -> its part, in order; commas inside parentheses belong to an expression."""
    return {card: part for card, mark, part in (text.strip().partition("!") for text in _parts(value)) if mark}


def join(parts: Mapping[str, str]) -> str:
    """Write a column; cards without a part are left out."""
    return ",".join(f"{card}!{part}" for card, part in parts.items() if part)


def expand(value: str, node: str) -> str:
    """Work out the expressions of single cards for a node; a text without any stays as it is.

    Raises:
        Usage: An impossible pattern.
    """
    if "!|" not in value and "!/" not in value:
        return value
    return join({card: expand_value(part, node) for card, part in cards(value).items()})


def all_expanded(rows: Mapping[str, Row]) -> dict[str, Row]:
    """Work out the expressions of single cards in the rows of nodes.

    Raises:
        Usage: An impossible pattern.
    """
    return {node: {column: expand(value, node) for column, value in row.items()} for node, row in rows.items()}


def _parts(value: str) -> Iterator[str]:
    begin, depth = 0, 0
    for at, letter in enumerate(value):
        if letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and depth <= 0:
            yield value[begin:at]
            begin = at + 1
    yield value[begin:]
