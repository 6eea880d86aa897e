"""Making many machines: what is there is left or completed, what they name is looked for once, the rest is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Callable

from ...engine.nouns import Template, Vm
from ...jobs import Job, Step
from ...messages import Warning
from ..common import Context, Plan
from .machines import errors, find_named
from .making import LIMIT, THERE, Making
from .rows import Typed, VmRow
from .surroundings import survey


def make(
    context: Context, rows: Mapping[str, VmRow], typed: Typed, record: Callable[[Making], Iterable[Step]],
    detached: bool = False,
) -> Plan:
    """Plan machines; with the option `force` those that are there are removed first.

    Args:
        context: The command's.
        rows: What they shall be, by node.
        typed: What of that was typed.
        record: Steps that write to a machine's tables in the end.
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
    for node in rows:
        columns = apart(machines[node], typed)
        if columns:
            yield Warning(f"it is there with other {', '.join(_SHOWN[column] for column in columns)} and left so. "
                          "Run chvm to change it, or give -f to make it anew", node)
    yield from (Job(node, idle=THERE) for node in rows if node not in lacking)
    places, faults = survey(context.manager, lacking, kept)
    yield from errors(faults)
    for node, place in places.items():
        machines[node].place = place
        yield machines[node].job(None if node in kept else found.get(node), list(record(machines[node])))


#: Columns of the vm table, and what they are to a person.
_SHOWN = {"memory": "memory", "cpus": "CPUs", "storage": "disk sizes", "master": "template"}


def apart(making: Making, typed: Typed) -> list[str]:
    """The columns in whose place something was typed that a machine which is there has otherwise."""
    vm = making.vm
    if vm is None:
        return []
    disks = making.assigned()
    differs = {
        "memory": typed.memory and vm.differing({"memory": typed.memory}),
        "cpus": typed.topology and vm.differing(dict(zip(("sockets", "cores", "threads"), typed.topology))),
        "storage": typed.sizes and any(
            row.name in disks and disks[row.name].size != row.size for row in making.row.disks),
        "master": typed.master and making.manager.name_of(Template, vm.template) not in (typed.master, ""),
    }
    return [column for column, yes in differs.items() if yes]
