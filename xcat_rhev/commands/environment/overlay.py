"""Tables with the rows of a description over them, so that code that reads tables can read a description."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...messages import Message
from ...xcat.host import Row, Xcat


class Overlay:
    """An xCAT with additional rows in its tables; writes go to the real ones.

    Args:
        xcat: The real one.
        tables: Table -> node -> columns that come first.
    """

    def __init__(self, xcat: Xcat, tables: Mapping[str, Mapping[str, Row]]) -> None:
        self._xcat = xcat
        self._tables = tables

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """The columns of the rows laid over, else the real ones."""
        over = self._tables.get(table, {})
        found = self._xcat.node_attrs(table, nodes, columns)
        return {
            node: {**found[node], **{key: value for key, value in over.get(node, {}).items() if key in columns}}
            for node in nodes
        }

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """The rows laid over and the real ones of other nodes."""
        over = self._tables.get(table, {})
        mine = [{"node": node, **row} for node, row in over.items()]
        fitting = [row for row in mine if all(row.get(key) == value for key, value in (where or {}).items())]
        return fitting + [row for row in self._xcat.rows(table, where) if row.get("node") not in over]

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        """As the real one."""
        self._xcat.set_node_attrs(table, values)

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        """As the real one."""
        self._xcat.set_row(table, key, values)

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        """As the real one."""
        self._xcat.delete_row(table, key)

    def site(self, key: str, default: str = "") -> str:
        """As the real one."""
        return self._xcat.site(key, default)

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        """As the real one."""
        return self._xcat.service_nodes(nodes)

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        """As the real one."""
        return self._xcat.run(command, nodes, args)

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        """As the real one."""
        self._xcat.set_bootparams(node, kernel, initrd, kcmdline)

    def my_addresses(self) -> frozenset[str]:
        """As the real one."""
        return self._xcat.my_addresses()
