"""Writes that threads of one request ask for at the same time, made as one.

A transaction on a table, or a turn of the Perl shim, costs the same for one node as for many: about 10 ms on a disk,
while a hundred machines that are made side by side all have an address to write down.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Callable

#: Node -> column -> value.
Values = Mapping[str, Mapping[str, str]]


class Coalescer:
    """Writes columns of nodes; whoever comes while a write is under way joins the next one.

    Args:
        write: Writes columns of nodes of one table.
    """

    def __init__(self, write: Callable[[str, Values], None]) -> None:
        self._write = write
        self._guard, self._writing = threading.Lock(), threading.Lock()
        self._open: dict[str, _Batch] = {}

    def put(self, table: str, values: Values) -> None:
        """Write, and come back when it is written.

        Args:
            table: The table.
            values: By node; the later of two writers of one column wins.

        Raises:
            RhevError: As `write`; all that wrote together get it.
        """
        with self._guard:
            batch = self._open.setdefault(table, _Batch())
            batch.add(values)
        with self._writing:
            if not batch.over:
                with self._guard:
                    del self._open[table]
                batch.settle(table, self._write)
        if batch.problem is not None:
            raise batch.problem


class _Batch:
    """What is written together."""

    def __init__(self) -> None:
        self.over = False
        self.problem: Exception | None = None
        self._values: dict[str, dict[str, str]] = {}

    def add(self, values: Values) -> None:
        for node, row in values.items():
            self._values.setdefault(node, {}).update(row)

    def settle(self, table: str, write: Callable[[str, Values], None]) -> None:
        self.over = True
        try:
            write(table, self._values)
        except Exception as problem:  # carried to every thread that waits for it
            self.problem = problem
