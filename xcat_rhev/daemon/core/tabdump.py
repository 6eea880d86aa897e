"""tabdump: tables as CSV, or a list of tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...errors import RhevError, Usage
from ...xcat import perlre, rows, schema
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
            raise Usage(f"Unsupported operator in: {text}", "Use ==, !=, =~, !~, <, <=, > or >=")
        column, operator, value = condition.groups()
        if column not in table.columns:
            raise Usage(f'No column "{column}" in table "{table.name}"')
        found = [row for row in found if _holds(row[column] or "", operator, value)]
    if "n" in call.options:
        count = call.last("n")
        if table.name not in ("auditlog", "eventlog") or not count.isdigit():
            raise Usage(
                f"{table.name} table is not supported in tabdump -n. "
                "You may only use this option on the auditlog or the eventlog."
            )
        found = found[-int(count):] if int(count) else []
    return found


def _holds(value: str, operator: str, wanted: str) -> bool:
    if operator in ("=~", "!~"):
        pattern = wanted[1:-1] if len(wanted) > 1 and wanted[0] == wanted[-1] == "/" else wanted
        return bool(perlre.compile(pattern, "tabdump -w").search(value)) == (operator == "=~")
    return {
        "==": value == wanted, "!=": value != wanted, "<": value < wanted, "<=": value <= wanted, ">": value > wanted,
        ">=": value >= wanted,
    }[operator]


def _to_file(call: Call, lines: Sequence[str]) -> Iterator[Said]:
    path = Path(os.path.join(call.request.cwd, call.last("f")))
    try:
        write_atomically(path, "".join(f"{line}\n" for line in lines).encode(), 0o600)
    except OSError as problem:
        yield refused(f"Error on tabdump to {path}. Unable to open the file for write: {problem.strerror}")


TABDUMP = Core(
    "tabdump", ("tabdump [-d] [table]", "tabdump      [table]", "tabdump [-f <filename>]  [table]",
                "tabdump [-n <# of records>]  [auditlog | eventlog]",
                "tabdump [-w attr==val [-w attr=~val] ...] [table]"),
    run, letters="dn:f:w:", long={"lines=": "n"},
)
