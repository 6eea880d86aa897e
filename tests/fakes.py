"""Stand-ins for what surrounds a command in tests: an xCAT whose tables are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from xcat_rhev.messages import Message
from xcat_rhev.xcat.host import Row


class FakeHost:
    """The Host contract over dictionaries, without groups or regex values.

    Args:
        tables: Table name -> rows. `site` may be given as rows of `key` and `value`.

    Attributes:
        tables: The rows as they are now.
        writes: Every write in order: `(table, key, values)`, the key being a node or a row's key.
        runs: Every sub-request in order: `(command, nodes, args)`.
        answers: What `run` gives back, by command.
        bootparams: What `set_bootparams` was told, by node.
        addresses: What `my_addresses` answers.
    """

    def __init__(self, tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None) -> None:
        self.tables: dict[str, list[Row]] = {name: [dict(row) for row in rows] for name, rows in (tables or {}).items()}
        self.writes: list[tuple[str, object, dict[str, str]]] = []
        self.runs: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        self.answers: dict[str, list[Message]] = {}
        self.bootparams: dict[str, tuple[str, str, str]] = {}
        self.addresses: frozenset[str] = frozenset({"127.0.0.1"})

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        by_node = {row.get("node"): row for row in self.tables.get(table, ())}
        return {
            node: {key: value for key, value in by_node.get(node, {}).items() if key in columns and value}
            for node in nodes
        }

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        wanted = dict(where or {})
        return [
            {key: value for key, value in row.items() if value}
            for row in self.tables.get(table, ())
            if not row.get("disable") and all(row.get(key) == value for key, value in wanted.items())
        ]

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        for node, columns in values.items():
            self.writes.append((table, node, dict(columns)))
            self._put(table, {"node": node}, columns)

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        self.writes.append((table, dict(key), dict(values)))
        self._put(table, key, values)

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        self.writes.append((table, dict(key), {}))
        self.tables[table] = [row for row in self.tables.get(table, []) if not _fits(row, key)]

    def site(self, key: str, default: str = "") -> str:
        for row in self.tables.get("site", ()):
            if row.get("key") == key:
                return row.get("value") or default
        return default

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        noderes = self.node_attrs("noderes", nodes, ["servicenode"])
        for node in nodes:
            found.setdefault(noderes[node].get("servicenode") or self.site("master"), []).append(node)
        return found

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        self.runs.append((command, tuple(nodes), tuple(args)))
        yield from self.answers.get(command, ())

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        self.bootparams[node] = (kernel, initrd, kcmdline)

    def my_addresses(self) -> frozenset[str]:
        return self.addresses

    def row(self, table: str, node: str) -> Row:
        """The row of one node as it is now; empty if there is none."""
        return next((row for row in self.tables.get(table, ()) if row.get("node") == node), {})

    def _put(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        rows = self.tables.setdefault(table, [])
        row = next((row for row in rows if _fits(row, key)), None)
        if row is None:
            row = dict(key)
            rows.append(row)
        row.update(values)
        for column in [column for column, value in row.items() if not value]:
            del row[column]


def _fits(row: Mapping[str, str], key: Mapping[str, str]) -> bool:
    return all(row.get(column) == value for column, value in key.items())
