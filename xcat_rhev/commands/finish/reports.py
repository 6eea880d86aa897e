"""Moving installed hypervisors on to their own disks: reports that come together are handled together, each node once.

Racks finish at the same moment, and a nodeset costs xCAT nearly the same for forty nodes as for one. A report that
comes while others are handled waits, and is then handled with all that came meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Union

from ...clock import Clock
from ...errors import Conflict, RhevError
from ...messages import Data, Error, error_of
from ...xcat.host import Row, Xcat
from .nodescripts import scripts

log = logging.getLogger(__name__)

#: The beginnings of nodetype.os, and so of chain.currstate, of our installs.
OURS = ("rhevh", "rhvh", "ovirt")
#: The bit of the error code that means for the CGI: a later report can succeed.
TRY_AGAIN = 2
TRIES, PAUSE = 3, 0.5
#: Keys in nodelist.appstatus: who reported, and the node's progress at its manager.
FINISHED, MANAGER = "rhevhfinish", "rhevm"
#: The first step of nodes that join their manager by themselves, and of nodes that only have scripts to run; see
#: rhevhjoin.
JOIN, SCRIPTS = "approve", "scripts"

FinishAnswer = Union[Data, Error]


class Report(NamedTuple):
    """What was reported about one node.

    Attributes:
        node: The node.
        source: The address it was reported from, or the user who reported it.
    """

    node: str
    source: str


class _Waiting:
    """A report and, when it was handled, the answer."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.answer: FinishAnswer | None = None


class Queue:
    """The reports to one xCAT."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._change = threading.Lock()
        self._waiting: list[_Waiting] = []

    def finish(self, xcat: Xcat, clock: Clock, report: Report) -> FinishAnswer:
        """Handle one report, with all others that wait; returns when that is done.

        Args:
            xcat: The xCAT; when several reports go together, the one of the thread that does the work.
            clock: Time, between tries.
            report: The node and its source.

        Returns:
            `booted`, or the error.
        """
        mine = _Waiting(report)
        with self._change:
            self._waiting.append(mine)
        with self._turn:
            if mine.answer is None:  # no other thread has handled it, or that thread failed
                batch = self._take(mine)
                answers = move_on(xcat, clock, [waiting.report for waiting in batch])
                for waiting in batch:
                    waiting.answer = answers[waiting.report.node]
        assert mine.answer is not None
        return mine.answer

    def _take(self, mine: _Waiting) -> list[_Waiting]:
        with self._change:
            batch, self._waiting = self._waiting, []
        return batch if mine in batch else [mine, *batch]


_queues: dict[tuple[str, ...], Queue] = {}


def queue_of(xcat: Xcat) -> Queue:
    """The queue of the xCAT behind a host; a process serves one xCAT, tests several."""
    key = (type(xcat).__name__, *(xcat.site(name) for name in ("master", "xcatdport", "xcatconfdir")))
    return _queues.setdefault(key, Queue())


def check_state(node: str, state: str) -> None:
    """Check that the node is being installed by this product, or has been.

    Args:
        node: Its name.
        state: Its `chain.currstate`.

    Raises:
        Conflict: It is not.
    """
    if state != "boot" and not installing(state):
        raise Conflict(
            f"it is not being installed, its state is {state or 'unknown'}", f"See 'nodels {node} chain.currstate'"
        )


def installing(state: str) -> bool:
    """Whether a `chain.currstate` is an install of one of our systems."""
    kind, _, what = state.partition(" ")
    return kind == "install" and what.startswith(OURS)


def move_on(xcat: Xcat, clock: Clock, reports: Sequence[Report]) -> dict[str, FinishAnswer]:
    """Let nodes boot from their disks, and write nodelist.status.

    Args:
        xcat: The xCAT.
        clock: Time, between tries.
        reports: Which nodes; the same one may be there twice.

    Returns:
        Node -> `booted`, or the error.
    """
    sources = {report.node: report.source for report in reports}
    nodes = list(sources)
    states, before = _states(xcat, nodes), xcat.node_attrs("nodelist", nodes, ["status", "appstatus"])
    answers: dict[str, FinishAnswer] = {}
    for node in nodes:
        try:
            check_state(node, states[node])
        except RhevError as problem:
            answers[node] = error_of(problem, node)
        else:
            if states[node] == "boot" and before[node].get("status") == "booted":
                answers[node] = Data("booted", node)
    left = {node: states[node] for node in nodes if node not in answers}
    if left:
        done = _run_nodeset(xcat, clock, left)
        answers.update(_set_status(xcat, left, done))
        _record_reports(xcat, {node: sources[node] for node in done}, before)
    return answers


def notes(nodelist: Row) -> dict[str, str]:
    """Read `nodelist.appstatus`, which xCAT writes as `name=value,name=value`."""
    words = (word.partition("=") for word in nodelist.get("appstatus", "").split(","))
    return {name: value for name, _, value in words if name}


def note(xcat: Xcat, values: Mapping[str, Mapping[str, str]], present: Mapping[str, Row] | None = None) -> None:
    """Write into `nodelist.appstatus`, where other programs' notes stay.

    Args:
        xcat: The xCAT.
        values: Node -> name -> value; an empty value takes the note away.
        present: What is there, if that has been read already.
    """
    if present is None:
        present = xcat.node_attrs("nodelist", list(values), ["appstatus"])
    now = time.strftime("%m-%d-%Y %H:%M:%S")
    rows = {}
    for node, new in values.items():
        merged = {**notes(present[node]), **new}
        text = ",".join(f"{name}={value}" for name, value in merged.items() if value)
        rows[node] = {"appstatus": text, "appstatustime": now}
    xcat.set_node_attrs("nodelist", rows)


def nodes_to_join(xcat: Xcat, nodes: Sequence[str]) -> list[str]:
    """The freshly booted nodes that join their manager by themselves.

    Args:
        xcat: The xCAT; `site.rhevhautoapprove` is yes, or a list of nodes and groups; any other value means no.
        nodes: The nodes.
    """
    words = set(xcat.site("rhevhautoapprove").replace(",", " ").split())
    if not words or not nodes:
        return []
    groups, managers = (
        xcat.node_attrs(*what)
        for what in (
            ("nodelist", nodes, ["groups"]),
            ("hypervisor", nodes, ["mgr"]),
        )
    )
    chosen = words & {"yes", "1", "y"}
    return [
        node
        for node in nodes
        if managers[node].get("mgr") and (chosen or words & {node, *groups[node].get("groups", "").split(",")})
    ]


def _set_status(xcat: Xcat, nodes: Iterable[str], done: Sequence[str]) -> dict[str, FinishAnswer]:
    """Set the status of all nodes, and answer for each."""
    failed = [node for node in nodes if node not in done]
    lost = _errors_by_node(xcat, "updatenodestat", done, "booted") if done else {}
    if failed:
        _errors_by_node(xcat, "updatenodestat", failed, "failed")
    answers: dict[str, FinishAnswer] = {}
    for node in failed:
        answers[node] = Error(
            "nodeset failed, so it will install itself again; the log has the reason", node, TRY_AGAIN
        )
    for node in done:
        if node in lost or "" in lost:
            answers[node] = Error("it boots from its disk, but its status could not be set", node, TRY_AGAIN)
        else:
            answers[node] = Data("booted", node)
    return answers


def _record_reports(xcat: Xcat, sources: Mapping[str, str], before: Mapping[str, Row]) -> None:
    """Record who reported, and which nodes join their manager; the nodes boot from their disks without that, too."""
    if not sources:
        return
    for node, source in sources.items():
        log.info("%s: boots from its disk, reported from %s", node, source)
    try:
        begin = dict.fromkeys(scripts(xcat, list(sources)), SCRIPTS)
        begin.update(dict.fromkeys(nodes_to_join(xcat, list(sources)), JOIN))
        values = {node: {FINISHED: source, MANAGER: begin.get(node, "")} for node, source in sources.items()}
        note(xcat, values, before)
    except RhevError as problem:
        log.error("%s: nodelist.appstatus could not be written: %s", ",".join(sources), problem)


def _run_nodeset(xcat: Xcat, clock: Clock, states: Mapping[str, str]) -> list[str]:
    """Run nodeset until nodes are past their install; first for all, then one by one for those that failed.

    `next` follows the site's chain and is right once only; after it, `boot` is used.

    Returns:
        The nodes that are past their install.
    """
    verbs: dict[str, list[str]] = {}
    for node, state in states.items():
        verbs.setdefault("next" if installing(state) else "boot", []).append(node)
    done = [node for verb, nodes in verbs.items() for node in _nodeset(xcat, nodes, verb)]
    for _ in range(TRIES - 1):
        left = [node for node in states if node not in done]
        if left:
            clock.sleep(PAUSE)
        for node in left:
            done += _nodeset(xcat, [node], "boot")
    return done


def _nodeset(xcat: Xcat, nodes: Sequence[str], verb: str) -> list[str]:
    """Run it once.

    Returns:
        The nodes without an error that are no longer being installed.
    """
    problems = _errors_by_node(xcat, "nodeset", nodes, verb)
    states = _states(xcat, nodes)
    bad = {node for node in nodes if node in problems or installing(states[node])}
    if "" in problems and not bad:  # a message about no node, such as a DHCP server that is down
        bad = set(nodes)
    for node in bad:
        said = " ".join([*problems.get(node, ()), *problems.get("", ())])
        log.error("%s: nodeset %s: the state is '%s'. %s", node, verb, states[node], said)
    return [node for node in nodes if node not in bad]


def _errors_by_node(xcat: Xcat, command: str, nodes: Iterable[str], arg: str) -> dict[str, list[str]]:
    """Run a command and keep its errors by node; the rest may hold kernel arguments with password hashes."""
    problems: dict[str, list[str]] = {}
    try:
        for message in xcat.run(command, list(nodes), [arg]):
            if isinstance(message, Error):
                problems.setdefault(message.node, []).append(message.text)
    except RhevError as problem:
        problems.setdefault("", []).append(str(problem))
    return problems


def _states(xcat: Xcat, nodes: Sequence[str]) -> dict[str, str]:
    return {node: row.get("currstate", "") for node, row in xcat.node_attrs("chain", nodes, ["currstate"]).items()}
