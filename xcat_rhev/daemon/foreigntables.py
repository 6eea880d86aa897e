"""Tables of an xCAT that this one does not use: kept as they were restored, shown, and given back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..errors import Usage
from ..xcat import rows, schema
from .store import RawRow
from .tables import Tables

#: Where they are: one row for the header of each (number 0) and one for each of its rows, as CSV.
TABLE = schema.KEPT
_NAME = re.compile(r"[A-Za-z]\w{0,63}", re.ASCII)


def names(tables: Tables) -> list[str]:
    """Those that there are, sorted."""
    return sorted({row["tablename"] or "" for row in tables.raw(TABLE)})


def find(tables: Tables, name: str) -> tuple[schema.Table, Sequence[RawRow]] | None:
    """One of them with its rows; None if there is none of that name."""
    found = sorted((row["number"] or "", row["line"] or "") for row in tables.raw(TABLE) if row["tablename"] == name)
    if not found:
        return None
    columns, records = rows.read_csv(line for _, text in found for line in text.splitlines(keepends=True) or [""])
    return schema.Table(name, tuple(columns), ()), records


def put(
    tables: Tables, name: str, columns: Sequence[str], records: Sequence[Mapping[str, str | None]], add: bool
) -> None:
    """Keep a table in place of the one of that name, or add to it; rows that are there already are not added again.

    Raises:
        Usage: No table has such a name, or the one that is there has other columns.
    """
    if not _NAME.fullmatch(name):
        raise Usage(f"Unable to open {name}")
    present = find(tables, name) if add else None
    if present and present[0].columns != tuple(columns):
        raise Usage(f"Table {name} has the columns {', '.join(present[0].columns)}")
    table = schema.Table(name, tuple(columns), ())
    before = list(present[1]) if present else []
    lines = dict.fromkeys(rows.write_csv(table, [*before, *records]))
    with tables.store.change(TABLE) as change:
        change.drop({"tablename": name})
        change.add_all({"tablename": name, "number": f"{n:08}", "line": line + "\n"} for n, line in enumerate(lines))
    tables.forget(TABLE)


def adopt(tables: Tables) -> None:
    """Move the rows of tables that this version has come to use to those tables, if nothing is there yet.

    Raises:
        RhevError: The database cannot be read or written.
    """
    for name in sorted(set(names(tables)) & set(schema.SHOWN)):
        found = find(tables, name)
        if found and not tables.raw(name):
            columns = [column for column in found[0].columns if column in schema.TABLES[name].columns]
            with tables.store.change(name) as change:
                change.add_all({column: row.get(column) for column in columns} for row in found[1])
            tables.forget(name)
        with tables.store.change(TABLE) as change:
            change.drop({"tablename": name})
    tables.forget(TABLE)
