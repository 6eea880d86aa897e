"""What users write behind a command to name columns and to choose nodes: `table.column`, `groups==x`, `os=~/re/`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from ...errors import NotFound, Usage
from ...xcat import perlre, schema

#: Columns that may be named without their table.
SHORT = {"groups": ("nodelist", "groups"), "tags": ("nodelist", "groups"), "mgt": ("nodehm", "mgt")}
_SIGNED = re.compile(r"([^=!]*?)(==|=~|!=|!~)(.*)", re.DOTALL)
_EQUAL = re.compile(r"([^=!]+)(=)([^=]+)")


class Column(NamedTuple):
    """A column as a user named it.

    Attributes:
        table: Its table.
        column: Its name.
        label: The words of the user, which head the answer.
        fits: The condition on its value, or None when it is only to be shown.
    """

    table: str
    column: str
    label: str
    fits: Callable[[str], bool] | None = None


def read(text: str) -> list[Column]:
    """Read one argument: a column, a condition, or a whole table.

    Raises:
        NotFound: No such table or column.
        Usage: An impossible pattern.
    """
    found = _SIGNED.fullmatch(text)
    label = found[1] if found else text
    if label in schema.TABLES and not found:
        return [Column(label, column, f"{label}.{column}") for column in schema.TABLES[label].columns]
    table, column = column_of(label)
    return [Column(table, column, label, condition(found[2], found[3]) if found else None)]


def column_of(label: str) -> tuple[str, str]:
    """Find the column that a word names.

    Raises:
        NotFound: There is none.
    """
    table, _, column = label.partition(".")
    table, column = SHORT.get(label, (table, column))
    if not column or column not in schema.TABLES.get(table, schema.Table("", (), ())).columns:
        raise NotFound(schema.no_column(label))
    return table, column


def split_condition(text: str) -> tuple[str, str, str]:
    """Cut a condition into name, sign and value.

    Raises:
        Usage: The text is not valid.
    """
    found = _SIGNED.fullmatch(text) or _EQUAL.fullmatch(text)
    if not found:
        raise Usage(f"'{text}' is not a condition", "Write NAME==VALUE, with ==, !=, =~ or !~")
    return found[1], found[2], found[3]


def condition(sign: str, wanted: str) -> Callable[[str], bool]:
    """Make a condition on a value.

    Args:
        sign: `==`, which may be `=`, `!=`, `=~` or `!~`.
        wanted: A text, or a pattern with or without slashes.

    Raises:
        Usage: An impossible pattern.
    """
    if sign in ("=~", "!~"):
        search = perlre.prepare(wanted.removeprefix("/").removesuffix("/"), "a condition").search
        return lambda value: (search(value) is not None) == (sign == "=~")
    return lambda value: (value == wanted) == (sign != "!=")
