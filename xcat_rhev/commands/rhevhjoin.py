"""rhevhjoin: freshly installed hypervisors become working hosts of their manager, without anybody typing it.

What a node still needs stands in nodelist.appstatus as `rhevm=<step>`: rhevhupdateflag writes the first step when the
site wants that, this command the following ones. So `nodels NODE nodelist.appstatus` shows how far a node is, and who
starts the command again after a restart goes on where the tables say.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Callable, NamedTuple

from ..clock import Clock
from ..errors import RhevError
from ..jobs import Job, Step
from ..messages import Data, Error
from ..xcat.host import Host, Row
from . import nodescripts
from .common import Command, Context, Option, Place, Plan
from .finishing import JOIN, MANAGER, SCRIPTS, note, notes

log = logging.getLogger(__name__)

SPEC = Command(
    name="rhevhjoin",
    summary="make freshly installed hypervisors working hosts of their managers",
    usage="[noderange] [--watch]",
    place=Place.HERE,
    routes=("rhevm",),
    options=(Option(("--watch",), "watch", "go on for ever, for the service xcat-rhev-join"),),
    description=(
        "Does for each node what a person would type after the install: chhypervisor -a, -n if hypervisor.interface is "
        "set, -p if ipmi.bmc is, and -e; then the scripts that its postscripts row names as rhevh:SCRIPT run over SSH. "
        "Each is tried again until it works, for an hour at most. Without a noderange: for the nodes that "
        "rhevhupdateflag has left to it, because site.rhevhautoapprove is yes or names them or one of their groups, or "
        "because they have scripts. nodelist.appstatus shows the step: rhevm=approve, networks, power, activate, "
        "scripts, up, or failed-STEP. An interrupted run is taken up by the next one."
    ),
    examples=(
        ("chtab key=rhevhautoapprove site.value=yes", "let every installed hypervisor join its manager"),
        ("rhevhjoin rhevh1-rhevh9", "do it now for nine nodes, also after a failure"),
    ),
)


class Stage(NamedTuple):
    """One step of the way.

    Attributes:
        name: As nodelist.appstatus says it.
        work: Does it for nodes, and gives those for which it did not work, and why.
    """

    name: str
    work: Callable[[Host, Sequence[str], threading.Event], dict[str, str]]


UP, FAILED = "up", "failed-"
#: Seconds that one stage may take in all, and in one go; then the others have their turn.
LIMIT, TURN = 3600.0, 120
PAUSE, GLANCE = 15.0, 0.5


def plan(context: Context) -> Plan:
    """Note the named nodes down as newcomers, then go round until nobody is left."""
    begin = {node: {MANAGER: JOIN} for node in context.nodes}
    if begin:
        yield Job("", [Step("begin with " + ", ".join(begin), partial(note, context.host, begin))])
    yield Job("", [Step("chhypervisor -a, -n, -p, -e and scripts for those who need them", partial(_rounds, context))])


def _rounds(context: Context) -> Iterator[Data | Error]:
    """Go round; every node that arrives is said, or that fails."""
    while not context.request.aborted.is_set():
        left = 0
        for node, stage, reason in one_round(context.host, time.time(), context.request.aborted):
            if stage == UP:
                yield Data(UP, node)
            elif stage.startswith(FAILED):
                yield Error(f"{stage.removeprefix(FAILED)} failed: {reason}", node)
            else:
                left += 1
        if not left and "watch" not in context.options:
            return
        _pause(context.clock, context.request.aborted)


def _pause(clock: Clock, aborted: threading.Event) -> None:
    end = clock.now() + PAUSE
    while clock.now() < end and not aborted.is_set():
        clock.sleep(GLANCE)


def one_round(host: Host, now: float, aborted: threading.Event) -> list[tuple[str, str, str]]:
    """Bring every noted node as far as it comes at once.

    Args:
        host: The xCAT.
        now: Seconds since 1970.
        aborted: Set when the person who asked went away.

    Returns:
        Node, the stage in which it is now, and why it did not come further.
    """
    rows = {row["node"]: row for row in host.rows("nodelist") if row.get("node")}
    stages = {node: notes(row).get(MANAGER, "") for node, row in rows.items()}
    names = [stage.name for stage in STAGES]
    waiting = [node for node, stage in stages.items() if stage in names]
    reasons: dict[str, str] = {}
    for stage, following in zip(STAGES, [*names[1:], UP]):
        here = [node for node in waiting if stages[node] == stage.name]
        if not here:
            continue
        stopped = stage.work(host, here, aborted)
        reasons.update(stopped)
        for node, reason in stopped.items():
            log.info("%s: %s does not work yet: %s", node, stage.name, reason)
        moves = {node: following for node in here if node not in stopped}
        moves.update({node: FAILED + stage.name for node in stopped if _age(rows[node], now) > LIMIT})
        note(host, {node: {MANAGER: new} for node, new in moves.items()})
        stages.update(moves)
    return [(node, stages[node], reasons.get(node, "")) for node in waiting]


def _changed(
    option: str, table: str, column: str, host: Host, nodes: Sequence[str], _aborted: threading.Event
) -> dict[str, str]:
    """Run chhypervisor with one option, for those nodes that have a value in a table if one is named.

    Returns:
        The nodes for which it did not work, and why.
    """
    needing = list(nodes)
    if table:
        rows = host.node_attrs(table, nodes, [column])
        needing = [node for node in nodes if rows[node].get(column)]
    stopped: dict[str, str] = {}
    if not needing:
        return stopped
    try:
        for message in host.run("chhypervisor", needing, [option, "--timeout", str(TURN)]):
            if isinstance(message, Error):
                stopped.update(dict.fromkeys([message.node] if message.node else needing, message.text))
    except RhevError as problem:
        stopped = dict.fromkeys(needing, str(problem))
    return stopped


#: In this order. Scripts come last: a host without xCAT's key shall work all the same.
STAGES = (
    Stage(JOIN, partial(_changed, "-a", "", "")),
    Stage("networks", partial(_changed, "-n", "hypervisor", "interface")),
    Stage("power", partial(_changed, "-p", "ipmi", "bmc")),
    Stage("activate", partial(_changed, "-e", "", "")),
    Stage(SCRIPTS, nodescripts.run_all),
)


def _age(nodelist: Mapping[str, str] | Row, now: float) -> float:
    """Seconds since the last stage began."""
    try:
        return now - time.mktime(time.strptime(nodelist.get("appstatustime", ""), "%m-%d-%Y %H:%M:%S"))
    except ValueError:
        return 0.0
