"""Making many machines: existing ones are left or completed, what the rows name is looked up once, the rest is made."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Vm
from ...messages import Message, Warn
from ...ordering import natural
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step
from ...rows.vm import Typed, VmRow
from .machines import errors, find_named
from .make import LIMIT, THERE, Making
from .memberships import Memberships
from .placement import Placements
from .surroundings import survey


def make(
    context: Context,
    rows: Mapping[str, VmRow],
    typed: Typed,
    record: Callable[[Making], Iterable[Step]],
    detached: bool = False,
    strangers: Collection[str] = (),
    lenient: bool = False,
) -> Plan:
    """Plan machines; with the option `force` those that are there are removed first.

    Args:
        context: The command's.
        rows: What they should be, by node.
        typed: The values that were typed.
        record: Steps that write to a machine's tables in the end.
        detached: Make them independent of their template.
        strangers: Names that are not nodes: their MAC addresses are not written to tables.
        lenient: What is wrong with a machine that is there is a warning, not an error.
    """
    found = find_named(context, list(rows), details=True)
    yield from map(found.lack, sorted(found.several, key=natural))
    kept: Mapping[str, Vm] = {} if "force" in context.options else found
    rows = {node: row for node, row in rows.items() if node not in found.several}
    rows = {**rows, **_with_usual_nic(context.manager, rows, kept)}

    def making_of(node: str, row: VmRow) -> Making:
        there, limit = kept.get(node), context.limit(LIMIT)
        stranger = node in strangers
        return Making(context.manager, context.xcat, row, there, limit, detached=detached, stranger=stranger)

    machines = {node: making_of(node, row) for node, row in rows.items()}
    bad = yield from _check_rows(machines, lenient)
    rows = {node: row for node, row in rows.items() if node not in bad}
    members = Memberships(context.manager, rows, kept)
    made = {node: machines[node] for node in rows}
    placements = Placements(context.manager, rows, kept)
    lacking = {
        node: _row_to_look_up(one, placements.is_lacking(node))
        for node, one in made.items()
        if not one.complete() or members.shortfall(node) or placements.is_lacking(node)
    }
    for node, making in made.items():
        yield from _left_apart(node, apart(making, typed))
    yield from (Job(node, idle=THERE) for node in rows if node not in lacking)
    more: dict[str, Any] = {"members": members, "placed": placements.faults}
    places, faults = survey(context.manager, lacking, kept, detached=detached, **more)
    yield from errors(faults)
    for node, place in places.items():
        making = machines[node]
        making.place, making.row = place, placements.fill_in(making.row)
        steps = placements.steps(making, anew=False) if placements.is_lacking(node) else ()
        parts = [*steps, *members.steps(node, place.cluster, making.get), *record(making)]
        yield making.job(None if node in kept else found.get(node), parts)


def _row_to_look_up(making: Making, placed: bool) -> VmRow:
    """What has to be looked up before a machine can be made or completed."""
    row = making.lookups()
    return replace(row, hosts=making.row.hosts, not_hosts=making.row.not_hosts) if placed else row


def _check_rows(machines: Mapping[str, Making], lenient: bool) -> Generator[Message, None, Collection[str]]:
    """Report errors of machines or their rows; gives the nodes that are left out for that."""
    broken = {node: making.disk_fault() for node, making in machines.items() if making.disk_fault()}
    bad = {node: making.faults() for node, making in machines.items() if making.faults()}
    if lenient:
        yield from (Warn(text, node) for node, text in broken.items())
    else:
        bad = {node: [*bad.get(node, ()), *filter(None, [broken.get(node)])] for node in {**bad, **broken}}
    yield from errors(bad)
    return bad


def _left_apart(node: str, columns: Collection[str]) -> Iterator[Warn]:
    if columns:
        yield Warn(
            f"it exists with other {', '.join(_SHOWN[column] for column in columns)} and is not changed. "
            "Run chvm to change it, or give -f to make it again",
            node,
        )


#: Columns of the vm table, and their names in messages.
_SHOWN = {"memory": "memory", "cpus": "CPUs", "storage": "disk sizes", "master": "template"}


def _with_usual_nic(manager: Manager, rows: Mapping[str, VmRow], kept: Mapping[str, Vm]) -> dict[str, VmRow]:
    """Add the usual NIC to rows without NICs, for machines of this product that have none, as after an interruption.

    A machine that others made without a NIC stays as it is; the event of its creation shows who made it.
    """
    bare = {
        node: kept[node]
        for node, row in rows.items()
        if row.nics is None and not row.template and node in kept and kept[node].nics == ()
    }
    ours = manager.each(manager.is_made_by_us, list(bare.values()))
    return {node: replace(rows[node], nics=rows[node].new_nics()) for node, made in zip(bare, ours) if made}


def apart(making: Making, typed: Typed) -> list[str]:
    """The columns whose typed values differ from those of an existing machine."""
    vm = making.vm
    if vm is None:
        return []
    disks = making.disks_by_part()
    differs = {
        "memory": typed.memory and vm.differences({"memory": typed.memory}),
        "cpus": typed.topology and vm.differences(dict(zip(("sockets", "cores", "threads"), typed.topology))),
        "storage": typed.sizes
        and any(row.name in disks and disks[row.name].size != row.size for row in making.row.disks),
        "master": typed.master and _other_template(making, vm, typed.master),
    }
    return [column for column, yes in differs.items() if yes]


def _other_template(making: Making, vm: Vm, text: str) -> bool:
    """Whether it was made from another template than the typed one; any version of that name is accepted."""
    return vm.template is not None and not making.manager.is_template(vm.template, text)
