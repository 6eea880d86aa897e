"""Virtual machines of a description: made as mkvm makes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...messages import Error
from ...plan.context import Context, Plan
from ...rows.vm import Typed, read_rows
from ..vm.batch import make
from ..vm.machines import errors


def faults(context: Context, names: Sequence[str]) -> Iterator[Error]:
    """What is wrong with the rows of machines.

    Args:
        context: The command; its vm table has the rows.
        names: The machines.
    """
    return errors(read_rows(context.xcat, names)[1])


def plan(context: Context, names: Sequence[str]) -> Plan:
    """Compare the rows of machines with what is there, and say what each lacks.

    Args:
        context: The command; its vm table has the rows.
        names: The machines.
    """
    context = replace(context, nodes=tuple(names))
    rows, _ = read_rows(context.xcat, names)
    nodes = {row.get("node") for row in context.xcat.rows("nodelist")}
    yield from make(context, rows, Typed(), lambda _: (), strangers=set(names) - nodes, lenient=True)
