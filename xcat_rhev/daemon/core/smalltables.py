"""gettab, tabgrep and tabrestore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import RhevError
from ...messages import Data
from ...xcat import rows, schema
from .declare import Call, Core, Said, refused


def get(call: Call) -> Iterator[Said]:
    """Answer `gettab [-H] KEY=VALUE[,...] TABLE.COLUMN...`."""
    if len(call.words) < 2:
        yield GETTAB.help(1)
        return
    key = dict(pair.partition("=")[::2] for pair in call.words[0].split(","))
    labels = "H" in call.options or len(call.words) > 2
    for word in call.words[1:]:
        table, _, column = word.partition(".")
        columns = schema.TABLES.get(table, schema.Table("", (), ())).columns
        unknown = next((name for name in key if name not in columns), None)
        if unknown is not None or column not in columns:
            wrong = f"Unknown key {unknown} to {table}" if unknown else f"{word} not a valid table.column description"
            yield refused(wrong)
            return
        for row in call.tables.rows(table, key)[:1]:
            value = row.get(column, "")
            yield Data(f"{word}: {value}" if labels else value)


def grep(call: Call) -> Iterator[Said]:
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


def restore(call: Call) -> Iterator[Said]:
    """Answer `tabrestore [-a] FILE`, whose lines the client sends: all of them get into the table, or none."""
    name = call.wire.table
    table = schema.TABLES.get(name)
    if table is None:
        yield refused(f"Unable to open {name}", 4)
        return
    try:
        columns, found = rows.read_csv(call.wire.data)
    except RhevError as problem:
        yield refused(problem.text, 4)
        return
    unknown = [column for column in columns if column not in table.columns]
    if unknown:
        yield refused(f"The header line indicates that column '{unknown[0]}' should exist, which is not defined in the "
                      f"schema for '{name}'")
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


GETTAB = Core("gettab", ("gettab [-H|--with-fieldname] key=value,...  table.attribute ...",), get, letters="H",
              long={"with-fieldname": "H"})
TABGREP = Core("tabgrep", ("tabgrep nodename",), grep)
TABRESTORE = Core("tabrestore", ("tabrestore [-a] tablename.csv",), restore, letters="a", long={"addrows": "a"})
