"""rscan: the virtual machines and hypervisors of a manager, shown or written to the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from xml.sax.saxutils import escape

from ..errors import Usage
from ..jobs import Job, Step
from ..messages import Data, Message, Warning
from .common import Command, Context, Option, Place, Plan
from .vm.machines import no_words
from .vm.scanning import Scanned, scan

SPEC = Command(
    name="rscan",
    summary="virtual machines and hypervisors of a manager",
    usage="noderange [-u|-n|-w] [-x|-z]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*)", "nodehm:mgt"),
    options=(
        Option(("-u",), "update", "write what xCAT knows as a node already"),
        Option(("-n",), "new", "write what xCAT does not know"),
        Option(("-w",), "write", "write both"),
        Option(("-x",), "xml", "show XML"),
        Option(("-z",), "stanza", "show stanzas"),
    ),
    description=(
        "The noderange says which managers are asked: those of its nodes. Everything that they have is shown. What is "
        "written describes each machine as mkvm and chvm read it. A node that belongs to another manager, and a name "
        "that no node can have, is left alone and said."
    ),
    examples=(("rscan rhevh1", "what its manager has"), ("rscan rhevh1 -w", "and write it to the tables")),
)

_ROW = "{:<7} {:<24} {:<14} {:<16} {}"


def plan(context: Context) -> Plan:
    """Ask the manager, show what it has, say what is written."""
    no_words(context, f"rscan {SPEC.usage}")
    if len({"update", "new", "write"} & set(context.options)) > 1 or {"xml", "stanza"} <= set(context.options):
        raise Usage("these options do not go together", f"Usage: rscan {SPEC.usage}")
    found = scan(context.manager)
    for each in found:
        if not each.can_be_node():
            yield Warning(f"'{each.name}' is a name that no node can have")
    chosen, complaints = _chosen(context, [each for each in found if each.can_be_node()])
    yield from _shown(context, found)
    yield from complaints
    if {"update", "new", "write"} & set(context.options):
        steps = [Step(f"write {len(chosen)} definitions", partial(_write, context, chosen))]
        yield Job(context.manager.name, steps if chosen else [])


def _chosen(context: Context, found: Sequence[Scanned]) -> tuple[list[Scanned], list[Message]]:
    """What the options ask to write, and what stands in the way."""
    known = {row["node"] for row in context.host.rows("nodelist") if "node" in row}
    names = [each.name for each in found if each.name in known]
    managers = {**_managers(context, "hypervisor", names), **_managers(context, "vm", names)}
    chosen: list[Scanned] = []
    complaints: list[Message] = []
    for each in found:
        if managers.get(each.name, context.manager.name) != context.manager.name:
            complaints.append(Warning(f"belongs to {managers[each.name]} and is left alone", each.name))
        elif _wanted(context, each.name in known):
            chosen.append(each)
    return chosen, complaints if {"update", "new", "write"} & set(context.options) else []


def _managers(context: Context, table: str, names: Sequence[str]) -> dict[str, str]:
    rows = context.host.node_attrs(table, names, ["mgr"])
    return {name: row["mgr"] for name, row in rows.items() if row.get("mgr")}


def _wanted(context: Context, known: bool) -> bool:
    return "write" in context.options or ("update" if known else "new") in context.options


def _write(context: Context, chosen: Iterable[Scanned]) -> Iterator[Message]:
    """Write all of them table by table; groups only of nodes that are new."""
    known = {row["node"] for row in context.host.rows("nodelist") if "node" in row}
    by_table: dict[str, dict[str, dict[str, str]]] = {}
    for each in chosen:
        for table, columns in each.tables.items():
            if table != "nodelist" or each.name not in known:
                by_table.setdefault(table, {})[each.name] = columns
    for table, values in by_table.items():
        context.host.set_node_attrs(table, values)
    yield from (Data("written to the tables", each.name) for each in chosen)


def _shown(context: Context, found: Sequence[Scanned]) -> Iterator[Message]:
    if "xml" in context.options or "stanza" in context.options:
        write = _xml if "xml" in context.options else _stanza
        yield from (Data(line) for each in found for line in write(each))
        return
    yield Data(_ROW.format("type", "name", "state", "cluster", "address or host"))
    yield Data(_ROW.format("rhevm", context.manager.name, "", "", "").rstrip())
    for each in found:
        yield Data(_ROW.format(each.kind, each.name, each.state, each.cluster, each.where).rstrip())


def _stanza(scanned: Scanned) -> Iterator[str]:
    yield f"{scanned.name}:"
    yield "  objtype=node"
    yield from (f"  {name}={value}" for name, value in scanned.attributes())
    yield ""


def _xml(scanned: Scanned) -> Iterator[str]:
    yield "<Node>"
    yield f"  <node>{escape(scanned.name)}</node>"
    yield from (f"  <{name}>{escape(value)}</{name}>" for name, value in scanned.attributes())
    yield "</Node>"
