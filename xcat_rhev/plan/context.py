"""What a command's `plan` gets, and what it yields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

from ..clock import Clock
from ..errors import Bug, NotFound
from ..messages import Message
from ..xcat.host import Request, Row, Xcat
from .jobs import Job

if TYPE_CHECKING:
    from ..engine.manager import Manager

#: Table -> the columns that lead to a node's manager (the first one that has it), and what commands ask of it next.
READ_FIRST = {"vm": ("mgr", "cluster", "datacenter"), "hypervisor": ("mgr", "type")}


@dataclass(frozen=True)
class Context:
    """What `plan` gets.

    Attributes:
        request: What was asked.
        nodes: The nodes of this group, a part of `request.nodes`.
        options: Option name -> value: True for a switch that was given, text, or a tuple of texts; absent if not given.
        words: The arguments that are not options, in order.
        xcat: The xCAT around.
        clock: Time.
        managed_by: The manager of this group, or None for `Place.HERE`.
        read: What was read of the nodes on the way to their manager: `READ_FIRST`.
    """

    request: Request
    nodes: tuple[str, ...]
    options: Mapping[str, Any]
    words: tuple[str, ...]
    xcat: Xcat
    clock: Clock
    managed_by: Manager | None = None
    read: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)

    @property
    def manager(self) -> Manager:
        """The manager of this group.

        Raises:
            Bug: The command declared that it needs none.
        """
        if self.managed_by is None:
            raise Bug(f"{self.request.command} asks for a manager but is declared to run without")
        return self.managed_by

    def limit(self, usual: float) -> float:
        """How long to wait for a state: `--timeout` if given, else what is usual for it, in seconds."""
        return float(self.options.get("timeout", usual))

    def attrs(self, table: str, *columns: str) -> dict[str, Row]:
        """Read columns of this group's nodes, as `Xcat.node_attrs` does."""
        return self.attrs_of(self.nodes, table, *columns)

    def attrs_of(self, nodes: Sequence[str], table: str, *columns: str) -> dict[str, Row]:
        """Read columns of some of this group's nodes; what was read on the way to their manager is not read again."""
        rows = self.read.get(table, {})
        if not set(columns) <= set(READ_FIRST.get(table, ())) or not rows.keys() >= set(nodes):
            return self.xcat.node_attrs(table, nodes, columns)
        return {node: {column: rows[node][column] for column in columns if column in rows[node]} for node in nodes}


#: What `plan` yields.
Planned = Union[Job, Message]


Plan = Iterator[Planned]


def require(row: Row, node: str, table: str, column: str, example: str) -> str:
    """Take a value that a command cannot do without.

    Args:
        row: The node's attributes.
        node: Its name.
        table: The table they come from.
        column: The column.
        example: A value that would do, for the hint.

    Raises:
        NotFound: The column is empty.
    """
    value = row.get(column, "")
    if not value:
        raise NotFound(f"{table}.{column} is not set", f"Run: chtab node={node} {table}.{column}={example}")
    return value
