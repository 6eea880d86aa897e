"""Making many machines: what is there is left or completed, what they name is looked for once, the rest is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Callable

from ...engine.nouns import Vm
from ...jobs import Job, Step
from ..common import Context, Plan
from .machines import errors, find_named
from .making import LIMIT, THERE, Making
from .rows import VmRow
from .surroundings import survey


def make(
    context: Context, rows: Mapping[str, VmRow], record: Callable[[str], Iterable[Step]], detached: bool = False
) -> Plan:
    """Plan machines; with the option `force` those that are there are removed first.

    Args:
        context: The command's.
        rows: What they shall be, by node.
        record: Steps that write to a node's tables in the end.
        detached: Make them independent of their template.
    """
    found = find_named(context, list(rows), details=True)
    yield from map(found.lack, sorted(found.several))
    rows = {node: row for node, row in rows.items() if node not in found.several}
    kept: Mapping[str, Vm] = {} if "force" in context.options else found
    machines = {
        node: Making(context.manager, context.host, row, kept.get(node), context.limit(LIMIT), detached=detached)
        for node, row in rows.items()
    }
    lacking = {node: making.asked() for node, making in machines.items() if not making.complete()}
    yield from (Job(node, idle=THERE) for node in rows if node not in lacking)
    places, faults = survey(context.manager, lacking, kept)
    yield from errors(faults)
    for node, place in places.items():
        machines[node].place = place
        yield machines[node].job(None if node in kept else found.get(node), list(record(node)))
