"""rhevhjoin: freshly installed hypervisors become working hosts of their manager, by themselves.

What a node still needs is in nodelist.appstatus as `rhevm=<step>`: rhevhupdateflag writes the first step when the
site wants that, this command the following ones. So `nodels NODE nodelist.appstatus` shows how far a node is, and after
a restart the command continues where the tables say.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Callable, NamedTuple

from ..clock import Clock
from ..declare.command import Command, Option, Place
from ..errors import RhevError
from ..messages import Data, Error
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..xcat.host import Xcat
from .finish import nodescripts
from .finish.loginrefusals import SIGN, LoginRefusals
from .finish.reports import JOIN, MANAGER, SCRIPTS, note, notes

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
        "Each is tried again until it works, for an hour at most; a manager that refuses the login is not asked again "
        "until its row of the passwd table is another one. Without a noderange: for the nodes that "
        "rhevhupdateflag has left to it, because site.rhevhautoapprove is yes or names them or one of their groups, or "
        "because they have scripts. nodelist.appstatus shows the step: rhevm=approve, networks, power, activate, "
        "scripts, up, or failed-STEP. An interrupted run is taken up by the next one."
    ),
    examples=(
        ("chtab key=rhevhautoapprove site.value=yes", "let every installed hypervisor join its manager"),
        ("rhevhjoin rhevh1-rhevh9", "do it now for nine nodes, also after a failure"),
        ("rhevhjoin", "those that are left to it by site.rhevhautoapprove, once"),
    ),
)


class Stage(NamedTuple):
    """One step of the way.

    Attributes:
        name: As in nodelist.appstatus.
        work: Does it for nodes, and gives those that failed, and why.
    """

    name: str
    work: Callable[[Xcat, Sequence[str], threading.Event], dict[str, str]]


#: Node -> its stage, and when that began.
Since = dict[str, tuple[str, float]]
UP, FAILED = "up", "failed-"
#: Seconds that one stage may take in all, and in one go; then the others have their turn.
LIMIT, TURN = 3600.0, 120
PAUSE, GLANCE = 15.0, 0.5


def plan(context: Context) -> Plan:
    """Mark the named nodes as new, then repeat rounds until none is left."""
    begin = {node: {MANAGER: JOIN} for node in context.nodes}
    if begin:
        yield Job("", [Step("begin with " + ", ".join(begin), partial(note, context.xcat, begin))])
    yield Job("", [Step("chhypervisor -a, -n, -p, -e and scripts for those who need them", partial(_rounds, context))])


def _rounds(context: Context) -> Iterator[Data | Error]:
    """Repeat rounds, and report every node that is up or has failed."""
    since: Since = {}
    refusals, told = LoginRefusals(context.xcat), set[str]()
    watching = "watch" in context.options
    while not context.request.aborted.is_set():
        left = 0
        now, aborted = context.clock.now(), context.request.aborted
        for node, stage, reason in one_round(context.xcat, since, now, aborted, refusals):
            if stage == UP:
                yield Data(UP, node)
            elif stage.startswith(FAILED):
                yield Error(f"{stage.removeprefix(FAILED)} failed: {reason}", node)
            elif SIGN in reason and not watching:
                if node not in told:
                    told.add(node)
                    yield Error(f"{stage} failed: {reason}", node)
            else:
                left += 1
        if not left and not watching:
            return
        _pause(context.clock, context.request.aborted)


def _pause(clock: Clock, aborted: threading.Event) -> None:
    end = clock.now() + PAUSE
    while clock.now() < end and not aborted.is_set():
        clock.sleep(GLANCE)


def one_round(
    xcat: Xcat, since: Since, now: float, aborted: threading.Event, refusals: LoginRefusals
) -> list[tuple[str, str, str]]:
    """Bring every noted node as far as possible in one round.

    Args:
        xcat: The xCAT.
        since: When this process saw each node begin its stage. The times in the tables are not used: that clock may
            have been set, or this command may not have run for days.
        now: Seconds of the same clock, which never goes back.
        aborted: Set when the person who asked went away.
        refusals: Managers that are not asked, because they would refuse the login again.

    Returns:
        Node, its present stage, and why it did not go further.
    """
    rows = {row["node"]: row for row in xcat.rows("nodelist") if row.get("node")}
    stages = {node: notes(row).get(MANAGER, "") for node, row in rows.items()}
    names = [stage.name for stage in STAGES]
    waiting = [node for node, stage in stages.items() if stage in names]
    reasons: dict[str, str] = {}
    for node in waiting:
        if since.get(node, ("", 0.0))[0] != stages[node]:
            since[node] = stages[node], now
    for stage, following in zip(STAGES, [*names[1:], UP]):
        here = [node for node in waiting if stages[node] == stage.name]
        if not here:
            continue
        held = refusals.refusals(here)
        asked = [node for node in here if node not in held]
        stopped = {**held, **(stage.work(xcat, asked, aborted) if asked else {})}
        refusals.learn(stopped)
        reasons.update(stopped)
        for node, reason in stopped.items():
            log.info("%s: %s does not work yet: %s", node, stage.name, reason)
        moves = {node: following for node in here if node not in stopped}
        moves.update({node: FAILED + stage.name for node in stopped if now - since[node][1] > LIMIT})
        note(xcat, {node: {MANAGER: new} for node, new in moves.items()})
        stages.update(moves)
        since.update({node: (new, now) for node, new in moves.items()})
    return [(node, stages[node], reasons.get(node, "")) for node in waiting]


def _run_chhypervisor(
    option: str, table: str, column: str, xcat: Xcat, nodes: Sequence[str], _aborted: threading.Event
) -> dict[str, str]:
    """Run chhypervisor with one option, for those nodes that have a value in a table if one is named.

    Returns:
        The nodes that failed, and why.
    """
    needing = list(nodes)
    if table:
        rows = xcat.node_attrs(table, nodes, [column])
        needing = [node for node in nodes if rows[node].get(column)]
    stopped: dict[str, str] = {}
    if not needing:
        return stopped
    try:
        for message in xcat.run("chhypervisor", needing, [option, "--timeout", str(TURN)]):
            if isinstance(message, Error):
                stopped.update(dict.fromkeys([message.node] if message.node else needing, message.text))
    except RhevError as problem:
        stopped = dict.fromkeys(needing, str(problem))
    return stopped


#: In this order. Scripts come last: a host without xCAT's key still becomes usable.
STAGES = (
    Stage(JOIN, partial(_run_chhypervisor, "-a", "", "")),
    Stage("networks", partial(_run_chhypervisor, "-n", "hypervisor", "interface")),
    Stage("power", partial(_run_chhypervisor, "-p", "ipmi", "bmc")),
    Stage("activate", partial(_run_chhypervisor, "-e", "", "")),
    Stage(SCRIPTS, nodescripts.run_all),
)
