"""tabdump: tables as CSV, or a list of tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from ...errors import RhevError, Usage
from ...xcat import rows, schema
from ..home import write_atomically
from ..store import RawRow
from .declare import Call, Core, Said, Shape, refused

_CONDITION = re.compile(r"([^=!<>~]+)(==|!=|=~|!~|<=|>=|<|>)(.*)", re.DOTALL)


def run(call: Call) -> Iterator[Said]:
    """Answer `tabdump [-d] [-f FILE] [-n COUNT] [-w CONDITION] [TABLE]`."""
    if len(call.words) > 1:
        yield TABDUMP.help(1)
        return
    if not call.words:
        yield from _list(call)
        return
    name = call.words[0]
    table = schema.TABLES.get(name)
    if "d" in call.options:
        if table is None:
            yield refused(f"table {name} does not exist.")
        else:
            yield Shape({"data": [f"{column}:\t{_describe(table, column)}" for column in table.columns]})
        return
    if table is None:
        yield refused(f"No such table: {name}")
        return
    try:
        found = _chosen(call, table)
    except RhevError as problem:
        yield refused(str(problem))
        return
    lines = rows.write_csv(table, found)
    if "f" in call.options:
        yield from _to_file(call, lines)
    else:
        yield Shape({"data": lines})


def _list(call: Call) -> Iterator[Said]:
    if "f" in call.options:
        yield refused("table name missing from the command input. ")
    elif "d" in call.options:
        yield Shape({"data": [f"{t.name}:\t{', '.join(t.columns)}" for t in schema.TABLES.values()]})
    else:
        yield Shape({"data": sorted(schema.TABLES)})


def _describe(table: schema.Table, column: str) -> str:
    return "key column" if column in table.keys else f"column of {table.name}"


def _chosen(call: Call, table: schema.Table) -> Sequence[RawRow]:
    """The rows that `-w` and `-n` leave."""
    found: Sequence[RawRow] = call.tables.raw(table.name)
    for text in call.options.get("w", []):
        condition = _CONDITION.fullmatch(text)
        if not condition:
            raise Usage(f"Unsupported operator:{text} on -w flag input", "Use ==, !=, =~, !~, <, <=, > or >=")
        column, operator, value = condition.groups()
        if column not in table.columns:
            raise Usage(f'No column "{column}" in table "{table.name}"')
        found = [row for row in found if _holds(row[column], operator, value)]
    return found[-count:] if (count := _count(call, table)) else found


def _count(call: Call, table: schema.Table) -> int:
    """How many rows `-n` leaves; 0 for all."""
    if "n" not in call.options:
        return 0
    if table.name != "auditlog":
        raise Usage(f"{table.name} table is not supported in tabdump -n. You may only use this option on the auditlog "
                    "or the eventlog.")
    text = call.last("n")
    if not text.isdecimal() or not int(text):
        raise Usage(f"'{text}' is no number of records")
    return int(text)


def _holds(value: str | None, operator: str, wanted: str) -> bool:
    """As the database compares: where there is no value, nothing holds; `=~` is its LIKE."""
    if value is None:
        return False
    if operator in ("=~", "!~"):
        return bool(_like(wanted).fullmatch(value)) == (operator == "=~")
    return {
        "==": value == wanted, "!=": value != wanted, "<": value < wanted, "<=": value <= wanted, ">": value > wanted,
        ">=": value >= wanted,
    }[operator]


@lru_cache
def _like(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE: `%` is anything, `_` any one letter; capitals do not matter, as in SQLite."""
    begin, *pieces = ("".join("." if c == "_" else re.escape(c) for c in piece) for piece in re.split("%+", pattern))
    text, end = begin, f".*{pieces.pop()}" if pieces else ""
    for number, piece in enumerate(pieces):
        # Found once, a piece stays where it is, as nothing inside a look ahead is tried again: `.*a.*b.*c` would take a
        # long value to pieces in every possible way.
        text += f"(?=(?P<p{number}>.*?{piece}))(?P=p{number})"
    return re.compile(text + end, re.DOTALL | re.IGNORECASE | re.ASCII)


def _to_file(call: Call, lines: Sequence[str]) -> Iterator[Said]:
    path = Path(os.path.join(call.request.cwd, call.last("f")))
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode(), 0o600)
    except OSError as problem:
        name = call.words[0]
        yield refused(f"Error on tabdump of {name} to {path}. Unable to open the file for write. {problem.strerror}")


TABDUMP = Core(
    "tabdump",
    ("Usage: tabdump [-d] [table]", "       tabdump      [table]", "       tabdump [-f <filename>]  [table]",
     "       tabdump [-n <# of records>]  [auditlog | eventlog]",
     "       tabdump [-w attr==val [-w attr=~val] ...] [table]",
     "       tabdump [-w attr==val [-w attr=~val] ...] [-f <filename>] [table]",
     "       tabdump [-?|-h|--help]", "       tabdump {-v|--version}", "       tabdump "),
    run, letters="dn:f:w:", long={"lines=": "n"},
)
