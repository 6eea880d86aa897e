"""tabch: one row of a table by its key. `chtab` is the same, for clients that send it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...declare.command import CommandWords, Option
from ...errors import RhevError
from ...xcat import schema
from ..reply import Output, Reply
from .declare import CommandCall, Core, own_command, refusal

#: As a value it takes a column's value away, where `COLUMN=` leaves an empty text.
_NULL = "NULL"
#: Table -> column -> value and whether it is added to what is there.
Updates = dict[str, dict[str, tuple[str, bool]]]


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `tabch KEY=VALUE[,...] TABLE.COLUMN=VALUE...` and `tabch -d KEY=VALUE[,...] TABLE...`."""
    if not call.words:
        yield TABCH.help(1)
        return
    key: dict[str, str] = {}
    words = list(call.words)
    if not re.match(r"[^.=]+\.[^.=]+=.", words[0]):
        for pair in words.pop(0).split(","):
            column, equals, value = pair.partition("=")
            if not equals or not column:
                yield _incorrect(f'Incorrect argument "{pair}".')
                return
            key[column] = value
    if not words:
        yield _incorrect("Missing table name.")
        return
    try:
        yield from _delete(call, key, words) if "delete" in call.options else _change(call, key, words)
    except RhevError as problem:
        yield refusal(str(problem))


def _incorrect(text: str) -> Reply:
    return Reply({"data": [f"{text}\n", "Check man tabch or tabch -h\n"], "errorcode": "1"})


def _delete(call: CommandCall, key: dict[str, str], tables: list[str]) -> Iterator[Output]:
    for table in tables:
        if table not in schema.TABLES:
            yield Reply({"data": f"Table {table} does not exist.", "errorcode": "1"})
            continue
        if not key:
            yield refusal("tabch -d needs a key", 1)
            return
        call.tables.drop(table, key)


def _change(call: CommandCall, key: dict[str, str], words: list[str]) -> Iterator[Output]:
    updates: Updates = {}
    for word in words:
        target, equals, value = word.partition("=")
        table, _, column = target.removesuffix("+").partition(".")
        if table not in schema.TABLES:
            yield Reply({"data": f"Table {table} does not exist.\n", "errorcode": "1"})
            return
        for name in key.keys() - set(schema.TABLES[table].columns):
            yield refusal(f"no such column: {table}.{name}")
            return
        if not equals or column not in schema.TABLES[table].columns:
            yield refusal(schema.no_column(f"{table}.{column}"))
            return
        updates.setdefault(table, {})[column] = (value, target.endswith("+"))
    for table in updates:
        if not key and updates[table].keys().isdisjoint(schema.TABLES[table].keys):
            yield refusal(
                f"Which row of table {table}? Put its key in front, as in: {schema.TABLES[table].keys[0]}=NAME"
            )
            return
    for table, columns in updates.items():
        _apply(call, table, key, columns)


def _apply(call: CommandCall, table: str, key: dict[str, str], columns: dict[str, tuple[str, bool]]) -> None:
    """Change one table; reading what is there and writing it longer happen in one transaction.

    Without a key the row is the one whose key columns are among those to be written.
    """
    key = key or {column: columns.get(column, ("",))[0] for column in schema.TABLES[table].keys}
    with call.tables.store.change(table) as change:
        present: dict[str, str | None] = {}
        if any(added for _, added in columns.values()):
            present = next((dict(r) for r in change.rows() if all(r[c] == v for c, v in key.items())), {})
        change.put(
            key,
            {
                column: _join(present.get(column) or "", value) if added else None if value == _NULL else value
                for column, (value, added) in columns.items()
            },
        )
    call.tables.forget(table)


def _join(present: str, more: str) -> str:
    """Add the items of a comma list that are not there yet."""
    return ",".join(dict.fromkeys(filter(None, [*present.split(","), *more.split(",")])))


_USAGE = (
    "{0}",
    "To add or update rows for tables:",
    "{0} keycolname=keyvalue[,keycolname=keyvalue...] tablename.colname=newvalue [tablename.colname=newvalue...]",
    "To delete rows from tables:",
    "{0} -d|--delete keycolname=keyvalue[,keycolname=keyvalue...] tablename [tablename...]",
)
TABCH, CHTAB = (
    Core(
        own_command(
            name,
            "change one row of a table by its key",
            tuple(line.format(name) for line in _USAGE),
            (Option(("-d", "--delete"), "delete", "remove the rows"),),
            CommandWords(most=None),
        ),
        run,
    )
    for name in ("tabch", "chtab")
)
