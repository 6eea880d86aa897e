"""rscan: the virtual machines and hypervisors of a manager, shown or written to the tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from shlex import quote
from xml.sax.saxutils import escape

from ..declare.command import HYPERVISOR_ROUTES, Command, Option, Place
from ..errors import Usage
from ..messages import Data, Error, Message, Warn
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from .vm.claims import Claims
from .vm.machines import homes_of, twins
from .vm.scan import Everything, KnownNodes, Scanned, scan

SPEC = Command(
    name="rscan",
    summary="virtual machines and hypervisors of a manager",
    usage="noderange [-u|-n|-w] [-x|-z]",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    options=(
        Option(("-u",), "update", "write what xCAT knows as a node already"),
        Option(("-n",), "new", "write what xCAT does not know"),
        Option(("-w",), "write", "write both"),
        Option(("-x",), "xml", "show XML"),
        Option(("-z",), "stanza", "show stanzas"),
    ),
    description=(
        "The noderange says which managers are asked: those of its nodes. Everything that they have is shown. What is "
        "written describes each machine as mkvm and chvm read it, so that chvm has nothing to do; what the tables "
        "cannot describe is named. What only a row can hold, such as a password's key or a script's file, stays. A "
        "node that is managed by something else, a group, somebody else's address or MAC, a name that several machines "
        "have and a name that no node can have are left alone and reported."
    ),
    examples=(
        ("rscan rhevh1", "what its manager has"),
        ("rscan rhevh1 -w", "and write it to the tables"),
        ("rscan rhevh1 -n -z", "what xCAT does not know yet, as stanzas for mkdef"),
    ),
)

_LEFT_OUT = "the tables cannot describe, so mkvm would not make: {}"
_NO_ATTRIBUTE = "mkdef has no attributes for the rest. When the node is defined, run: {}"
_ROW = "{:<7} {:<24} {:<14} {:<16} {}"


def plan(context: Context) -> Plan:
    """Ask the manager, show what it has, report what is written."""
    if len({"update", "new", "write"} & set(context.options)) > 1 or {"xml", "stanza"} <= set(context.options):
        raise Usage("these options do not go together", f"Usage: rscan {SPEC.usage}")
    writes = bool({"update", "new", "write"} & set(context.options))
    everything = Everything.of(context.manager, whole=bool(context.options))
    known = KnownNodes.of(context.xcat, everything.names()) if writes else KnownNodes()
    found = scan(context.manager, everything, known)
    for each in found:
        if not each.can_be_node():
            yield Warn(f"'{each.name}' is a name that no node can have")
    shows = bool({"xml", "stanza"} & set(context.options))
    mine, complaints = list[Scanned](), list[Message]()
    if writes or shows:
        mine, complaints = _without_twins(context, [each for each in found if each.can_be_node()])
    yield from _definitions(context, mine) if shows else _table(context, found)
    chosen, more = _choose(context, mine) if writes else (mine, list[Message]())
    yield from [*complaints, *more]
    yield from (Warn(_LEFT_OUT.format(", ".join(each.left_out)), each.name) for each in chosen if each.left_out)
    if writes:
        steps = [Step(f"write {len(chosen)} definitions", partial(_write, context, chosen))]
        yield Job(context.manager.name, steps if chosen else [])


def _without_twins(context: Context, found: Sequence[Scanned]) -> tuple[list[Scanned], list[Message]]:
    """Of several machines of one name, the one in the place that the node's row names, if any."""
    by_name: dict[tuple[str, str], list[Scanned]] = {}
    for each in found:
        by_name.setdefault((each.kind, each.name), []).append(each)
    homes = homes_of(context, [name for (_, name), same in by_name.items() if len(same) > 1])
    chosen: list[Scanned] = []
    complaints: list[Message] = []
    for (_, name), same in by_name.items():
        machines = [each.vm for each in same if each.vm]
        if len(same) > 1 and name in homes:
            same = [each for each in same if each.vm and homes[name].has(context.manager, each.vm)]
        if len(same) == 1 or not machines:
            chosen += same[:1]
        else:
            complaints.append(Warn(twins(context.manager, name, machines), name))
    return chosen, complaints


def _choose(context: Context, found: Sequence[Scanned]) -> tuple[list[Scanned], list[Message]]:
    """What the options ask to write, and the obstacles."""
    claims = Claims(context.xcat, context.manager.name, [each.name for each in found])
    chosen: list[Scanned] = []
    complaints: list[Message] = []
    for each in found:
        if _writes(context, each.name in claims.known):
            reason = claims.against(each)
            if reason:
                complaints.append(Error(reason, each.name))
            else:
                chosen.append(each)
    return chosen, complaints


def _writes(context: Context, known: bool) -> bool:
    return "write" in context.options or ("update" if known else "new") in context.options


def _write(context: Context, chosen: Iterable[Scanned]) -> Iterator[Message]:
    """Write all of them table by table; groups only of nodes that are new."""
    known = {row["node"] for row in context.xcat.rows("nodelist") if "node" in row}
    by_table: dict[str, dict[str, dict[str, str]]] = {}
    for each in chosen:
        for table, columns in each.tables.items():
            if table != "nodelist" or each.name not in known:
                by_table.setdefault(table, {})[each.name] = columns
    for table, values in by_table.items():
        context.xcat.set_node_attrs(table, values)
    yield from (Data("written to the tables", each.name) for each in chosen)


def _definitions(context: Context, found: Sequence[Scanned]) -> Iterator[Message]:
    """Stanzas for mkdef, and the values that mkdef has no attributes for."""
    write = _xml if "xml" in context.options else _stanza
    yield from (Data(line) for each in found for line in write(each))
    for each in found:
        if each.nameless():
            yield Warn(
                _NO_ATTRIBUTE.format(f"chtab node={each.name} {' '.join(map(quote, each.nameless()))}"), each.name
            )


def _table(context: Context, found: Sequence[Scanned]) -> Iterator[Message]:
    yield Data(_ROW.format("type", "name", "state", "cluster", "address or host"))
    yield Data(_ROW.format("rhevm", context.manager.name, "", "", "").rstrip())
    for each in found:
        row = each.kind, each.name, each.state, each.cluster, each.where
        yield Data(_ROW.format(*row).rstrip(), fields=tuple(zip(("type", "name", "state", "cluster", "where"), row)))


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
