"""Virtual machines of a description: made as mkvm makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..common import Context, Plan
from ..vm.batch import make
from ..vm.machines import errors
from ..vm.rows import Typed, read_rows


def plan(context: Context, names: Sequence[str]) -> Plan:
    """Check the rows of machines and say what each lacks.

    Args:
        context: The command; its vm table has the rows.
        names: The machines.
    """
    context = replace(context, nodes=tuple(names))
    rows, faults = read_rows(context.host, names)
    yield from errors(faults)
    yield from make(context, rows, Typed(), lambda _: ())
