"""nodels: the names of nodes, and columns of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...declare.command import CommandWords, Option
from ...errors import RhevError
from ...ordering import natural
from ...xcat import rows, schema
from ..reply import Output, Reply
from ..tables import Tables
from .criteria import Column, read
from .declare import CommandCall, Core, own_command, refusal

#: Nodes in one document. The answer to many begins before its end is made, and whoever goes away stops the rest.
AT_ONCE = 1000


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `nodels [NODERANGE] [-b] [-H] [-S] [TABLE.COLUMN | TABLE | CONDITION]...`."""
    tables = call.tables
    nodes: Sequence[str] = call.request.nodes
    asked_for_some = bool(nodes or call.wire.noderange)
    if not asked_for_some:
        nodes = list(tables.nodes())
    if "hidden" not in call.options:
        hidden = tables.node_attrs("nodelist", nodes, ("hidden",))
        nodes = [node for node in nodes if hidden[node].get("hidden") != "1"]
    nodes = sorted(nodes, key=natural)
    if call.words and asked_for_some:
        yield from _columns(call, nodes)
    elif nodes:
        yield Reply({"node": [{"name": node} for node in nodes]})
    yield Reply({"numofnodes": str(len(nodes))})


def _columns(call: CommandCall, nodes: Sequence[str]) -> Iterator[Output]:
    columns: list[Column] = []
    for word in call.words:
        try:
            columns += read(word)
        except RhevError as problem:
            yield refusal(str(problem))
    shown = list(dict.fromkeys((c.table, c.column, c.label) for c in columns if c.fits is None))
    answer = _View(call, columns, shown)
    for begin in range(0, len(nodes) if columns else 0, AT_ONCE):
        found = [element for node in nodes[begin : begin + AT_ONCE] for element in answer.elements(node)]
        if found:
            yield Reply({"node": found})


class _View:
    """Columns of nodes, ready to be shown; each table is read once."""

    def __init__(self, call: CommandCall, columns: Sequence[Column], shown: Sequence[tuple[str, str, str]]) -> None:
        self._tables, self._conditions, self._shown = call.tables, [c for c in columns if c.fits], shown
        self._blame = "blame" in call.options
        whole_table = any(word in schema.TABLES for word in call.words)
        self._labels = "labels" in call.options or len(call.words) > 1 or whole_table
        wanted: dict[str, list[str]] = {}
        for column in columns:
            wanted.setdefault(column.table, []).append(column.column)
        self._values = {
            table: call.tables.node_attrs(table, call.request.nodes, names) for table, names in wanted.items()
        }

    def elements(self, node: str) -> Iterator[dict[str, Any]]:
        """What is shown for one node: nothing if it does not fulfil the conditions."""
        if not all(c.fits and c.fits(self._value(node, c.table, c.column)) for c in self._conditions):
            return
        if not self._shown:
            yield {"name": node}
        for table, column, label in self._shown:
            text = {"contents": self._value(node, table, column) + self._origin(node, table, column)}
            yield {"name": node, "data": {**text, "desc": label} if self._labels else text}

    def _value(self, node: str, table: str, column: str) -> str:
        if column == schema.TABLES[table].keys[0] == "node":
            rows = self._tables.by_node(table)
            groups = () if table == "nodelist" else self._tables.memberships().get(node, ())
            return node if any(name in rows for name in (node, *groups)) else ""
        return self._values[table].get(node, {}).get(column, "")

    def _origin(self, node: str, table: str, column: str) -> str:
        group = _origin(self._tables, node, table, column) if self._blame else ""
        return f" (inherited from group {group})" if group else ""


def _origin(tables: Tables, node: str, table: str, column: str) -> str:
    if table == "nodelist":
        return ""
    return rows.origins(node, column, tables.by_node(table), tables.memberships().get(node, ()))


NODELS = Core(
    own_command(
        "nodels",
        "names of nodes, and columns of them",
        (
            "Usage:",
            "  nodels [noderange] [-b|--blame] [-H|--with-fieldname] [table.attribute | shortname] [-S][...]",
            "  nodels {-v|--version}",
            "  nodels [-?|-h|--help]",
        ),
        (
            Option(("-b", "--blame"), "blame", "from which group a value comes"),
            Option(("-H", "--with-fieldname"), "labels", "each value behind its column's name"),
            Option(("-S",), "hidden", "hidden nodes as well"),
        ),
        CommandWords(most=None),
    ),
    run,
)
