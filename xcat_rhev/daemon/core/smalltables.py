"""gettab, tabgrep and tabrestore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...declare.command import CommandWords, Option
from ...errors import RhevError
from ...messages import Data
from ...xcat import rows, schema
from .. import foreigntables
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal


def get(call: CommandCall) -> Iterator[Output]:
    """Answer `gettab [-H] KEY=VALUE[,...] TABLE.COLUMN...`."""
    if len(call.words) < 2:
        yield GETTAB.help(1)
        return
    key = dict(pair.partition("=")[::2] for pair in call.words[0].split(","))
    labels = "labels" in call.options or len(call.words) > 2
    for word in call.words[1:]:
        table, _, column = word.partition(".")
        columns = schema.TABLES.get(table, schema.Table("", (), ())).columns
        unknown = next((name for name in key if name not in columns), None)
        if unknown is not None or column not in columns:
            wrong = f"Unknown key {unknown} to {table}" if unknown else schema.no_column(word)
            yield refusal(wrong)
            return
        for row in call.tables.rows(table, key)[:1]:
            value = row.get(column, "")
            yield Data(f"{word}: {value}" if labels else value)


def grep(call: CommandCall) -> Iterator[Output]:
    """Answer `tabgrep NODERANGE`: the tables that say something about a node, itself or by its groups."""
    nodes = set(call.request.nodes or call.words)
    if not nodes:
        yield TABGREP.help(1)
        return
    memberships = call.tables.memberships()
    groups = {group for node in nodes for group in memberships.get(node, ())}
    for table in sorted(schema.TABLES.values()):
        if table.node_keyed:
            wanted = nodes if table.name == "nodelist" else nodes | groups
            if not wanted.isdisjoint(call.tables.by_node(table.name)):
                yield Data(table.name)


def restore(call: CommandCall) -> Iterator[Output]:
    """Answer `tabrestore [-a] FILE`, whose lines the client sends: all of them get into the table, or none."""
    name = call.wire.table
    table = schema.TABLES[name] if name in schema.SHOWN else None
    try:
        columns, found = rows.read_csv(call.wire.data)
        if table is None:
            foreigntables.put(call.tables, name, columns, found, bool(call.wire.addrows))
            return
    except RhevError as problem:
        yield refusal(problem.text, 4)
        return
    unknown = [column for column in columns if column not in table.columns]
    if unknown:
        yield refusal(
            f"The header line indicates that column '{unknown[0]}' should exist, which is not defined in the "
            f"schema for '{name}'"
        )
        return
    if "SERIAL" not in map(table.type_of, table.keys) and not all(any(map(row.get, table.keys)) for row in found):
        yield refusal(f"A row of {name} has no {' and no '.join(table.keys)}, which names a row", 4)
        return
    with call.tables.store.change(name) as change:
        if call.wire.addrows:
            for row in found:
                change.put({column: row.get(column) or "" for column in table.keys}, row)
        else:
            change.replace(_last_of_each(table, found))
    call.tables.forget(name)


def _last_of_each(table: schema.Table, found: list[dict[str, str | None]]) -> list[Mapping[str, str | None]]:
    """A key that comes twice counts with its last row; the keys that count by themselves are left to the database."""
    if "SERIAL" in map(table.type_of, table.keys):
        return [{c: v for c, v in row.items() if c not in table.keys} for row in found]
    return list({tuple(row.get(column) or "" for column in table.keys): row for row in found}.values())


GETTAB = Core(
    own_command(
        "gettab",
        "values of one row by its key",
        ("gettab [-H|--with-fieldname] key=value,...  table.attribute ...",),
        (Option(("-H", "--with-fieldname"), "labels", "each value behind its column's name"),),
        CommandWords(most=None),
    ),
    get,
)
TABGREP = Core(
    own_command(
        "tabgrep", "the tables that say something about a node", ("tabgrep nodename",), (), CommandWords(most=None)
    ),
    grep,
)
TABRESTORE = Core(
    own_command(
        "tabrestore",
        "a table from a file of CSV",
        ("tabrestore [-a] tablename.csv",),
        (Option(("-a", "--addrows"), "addrows", "keep the rows that are there"),),
        CommandWords(most=None),
    ),
    restore,
)
