"""From a request to a command's messages: nodes grouped by manager, managers in parallel, every error caught here."""

from __future__ import annotations

import logging
import queue
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable

from .. import __version__
from ..abort import Limit
from ..clock import Clock, SystemClock
from ..declare.command import Command, Place
from ..declare.parsing import parse
from ..declare.usage import usage_text
from ..engine.manager import Manager
from ..engine.managers import Managers, Patience, Pulse
from ..engine.waiting import Watch
from ..errors import Aborted, Bug, RhevError, Usage
from ..jsonlines import line_of
from ..messages import Data, Error, Message, Note, Progress, Warn, error_of
from ..plan.context import READ_FIRST, Context
from ..plan.jobs import Job
from ..rows.manager import manager_folder
from ..xcat.host import Request, Row, Xcat
from .access import access_to, check_manager
from .jobcounts import JobCounts
from .nodelocks import NodeLocks
from .registry import COMMANDS, PLANS
from .runner import Runner
from .side_by_side import side_by_side

log = logging.getLogger(__name__)

#: With more to do than this, a line says that all was found right and the work begins: the first answer comes
#: when the manager has brought something to its end, which may take it minutes.
MANY = 100


@dataclass(frozen=True)
class _Group:
    """The nodes of one manager, or of none."""

    manager: str
    nodes: tuple[str, ...]
    read: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)
    free: Callable[[str], None] = lambda _: None


class Dispatcher:
    """Runs commands; one per process, so that sessions to managers stay warm.

    Args:
        managers: The warm sessions.
        clock: Time.
    """

    def __init__(self, managers: Managers | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._managers = managers or Managers(self._clock)
        self._holding = NodeLocks()

    def run(self, request: Request, xcat: Xcat) -> Iterator[Message]:
        """Carry out one request.

        Args:
            request: What was asked; its command is one of `COMMANDS`.
            xcat: The xCAT around.

        Returns:
            The messages as they come. Errors are messages too: nothing is raised but Aborted.
        """
        spec = COMMANDS[request.command]
        try:
            options, words = parse(spec, request.args)
        except Usage as problem:
            yield _wording({"json": True} if "--json" in request.args else {})(error_of(problem))
            return
        if "help" in options:
            yield Data(usage_text(spec))
        elif "version" in options:
            yield Data(f"xcat-rhev {__version__} (Version {__version__})")  # scripts look for xCAT's word
        else:
            with closing(Limit(request.aborted, self._clock, float(options.get("timeout", 0)))) as limit:
                counts = JobCounts(self._clock, request.environment, "verbose" in options)
                run = _Run(self, spec, request, options, words, xcat, limit, counts)
                yield from map(_wording(options), self._groups(run))

    def _groups(self, run: _Run) -> Iterator[Message]:
        groups: list[_Group] = []
        for item in run.groups():
            if isinstance(item, _Group):
                groups.append(item)
            else:
                yield item
        parts = [partial(run.messages, group) for group in groups]
        told: set[Message] = set()
        apart = any(group.manager for group in groups)
        for message in side_by_side(parts, run.request.aborted, apart, run.silence):
            if not (isinstance(message, Error) and message in told):
                yield message
            yield from run.counts.news()
            if isinstance(message, Error) and not message.node:  # the same for all managers: wrong words
                told.add(message)


@dataclass(frozen=True)
class _Run:
    """One request under way."""

    dispatcher: Dispatcher
    spec: Command
    request: Request
    options: dict[str, Any]
    words: tuple[str, ...]
    xcat: Xcat
    limit: Limit
    counts: JobCounts
    pulses: list[Pulse] = field(default_factory=list)

    def silence(self) -> Iterator[Message]:
        """Lines for a person who has seen nothing for a while."""
        yield from self.counts.news()
        for pulse in list(self.pulses):
            line = pulse.overdue()
            if line:
                yield Note(line)

    def groups(self) -> Iterator[_Group | Message]:
        """Split the nodes by manager; a node without one is an error of its own."""
        if self.spec.place is Place.HERE:
            yield _Group("", self.request.nodes)
        elif self.spec.place is Place.NAMED:
            yield from self._named_managers()
        elif not self.request.nodes:
            yield Error(f"{self.spec.name} needs a noderange. Usage: {self.spec.name} {self.spec.usage}")
        else:
            yield from self._by_manager()

    def _named_managers(self) -> Iterator[_Group | Message]:
        """The managers that `-m` names, joined by commas."""
        named = dict.fromkeys(filter(None, self.options.get("manager", "").split(",")))
        for name in named:
            try:
                check_manager(self.xcat, name)
            except RhevError as problem:
                yield error_of(problem)
            else:
                yield _Group(name, ())
        if not named:
            yield Error("The flag -m is necessary to perform the command.")

    def _by_manager(self) -> Iterator[_Group | Message]:
        nodes = self.request.nodes
        read: dict[str, dict[str, Row]] = {}
        manager_of: dict[str, str] = {}
        for table, columns in READ_FIRST.items():
            left = [node for node in nodes if node not in manager_of]
            read[table] = self.xcat.node_attrs(table, left, columns) if left else {}
            manager_of.update({node: row["mgr"] for node, row in read[table].items() if row.get("mgr")})
        by_manager: dict[str, list[str]] = {}
        for node in nodes:
            if node in manager_of:
                by_manager.setdefault(manager_of[node], []).append(node)
            else:
                yield Error(
                    "neither vm.mgr nor hypervisor.mgr names its manager. "
                    f"Run: chtab node={node} vm.mgr=MANAGER, or hypervisor.mgr for a hypervisor",
                    node,
                )
        for manager, its_nodes in by_manager.items():
            yield _Group(manager, tuple(its_nodes), read)

    def messages(self, group: _Group) -> Iterator[Message]:
        """Plan for one group, then act; the last border that an error can reach."""
        try:
            yield from self._alone(group) if self.spec.alone else self._planned_and_done(group)
        except Aborted:
            raise
        except RhevError as problem:
            yield from _for_each_node(problem, group)
        except Exception:  # the one place: a mistake of ours must not end the daemon or show a trace
            log.exception("%s failed", self.spec.name)
            bug = Bug(f"{self.spec.name} failed because of a mistake in xcat-rhev", Bug.LOGS)
            yield from _for_each_node(bug, group)

    def _alone(self, group: _Group) -> Iterator[Message]:
        """The same for the nodes that no other such command is at work on."""
        folder, holding = manager_folder(self.xcat, group.manager), self.dispatcher._holding
        others = holding.take(folder, group.nodes, self.spec.name)
        held = {node for node in group.nodes if node not in others}

        def free(node: str) -> None:
            """What is done with a node can be followed by another command, however long the others take."""
            if node in held:
                held.remove(node)
                holding.leave(folder, [node])

        left = replace(group, nodes=tuple(node for node in group.nodes if node in held), free=free)
        try:
            for node, name in others.items():
                yield Error(f"another {name} is at work on it. Run this again when it has ended", node)
            if left.nodes:
                yield from self._planned_and_done(left)
        finally:
            holding.leave(folder, sorted(held))

    def _planned_and_done(self, group: _Group) -> Iterator[Message]:
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        manager = (yield from self._open(group.manager, said.put)) if group.manager else None
        jobs: list[Job] = []
        try:
            for item in PLANS[self.spec.name](self._context(group, manager)):
                if isinstance(item, Job):
                    jobs.append(item)
                else:
                    yield item
                yield from _drain(said)
        except Usage as problem:  # the words that were typed are no node's
            yield error_of(problem)
            return
        for message in self._act(jobs, manager, group):
            yield from _drain(said)
            yield message
        if manager and "verbose" in self.options:
            yield from _drain(said)
            yield Note(f"{manager.name}: {manager.counts}")

    def _context(self, group: _Group, manager: Manager | None) -> Context:
        clock = self.dispatcher._clock
        return Context(self.request, group.nodes, self.options, self.words, self.xcat, clock, manager, group.read)

    def _act(self, jobs: Sequence[Job], manager: Manager | None, group: _Group) -> Iterator[Message]:
        if "dry_run" in self.options:
            for job in jobs:
                yield from job.describe()
            return
        if "nowait" in self.options:
            needed = frozenset().union(*(job.after for job in jobs))
            jobs = [job if job.key in needed else job.without_last_waits() for job in jobs]
        for job in jobs:
            if not job.parts and job.idle:
                yield Data(job.idle, job.node)
        work = [job for job in jobs if job.parts]
        if manager and len(work) > MANY:
            yield Note(f"{self.spec.name}: {len(work)} to do on {manager.name}, {manager.workers} at a time")
        watch = Watch(manager, self.dispatcher._clock) if manager else None
        for node in set(group.nodes).difference(job.node for job in work):
            group.free(node)
        workers = manager.workers if manager else 1
        yield from Runner(watch, workers, self.request.aborted, self.counts, group.free).run(work)

    def _open(self, name: str, say: Callable[[str], None]) -> Generator[Message, None, Manager]:
        """Find a manager; notes about it are shown even when it cannot be used."""
        clock, told = self.dispatcher._clock, list[str]()
        pulse = Pulse(name, clock)
        self.pulses.append(pulse)
        try:
            return self.dispatcher._managers.open(
                access_to(self.xcat, name),
                say if "verbose" in self.options else None,
                told.append,
                Patience(clock, self.limit, pulse),
            )
        finally:
            yield from map(Warn, told)


def _for_each_node(problem: RhevError, group: _Group) -> Iterator[Message]:
    for node in group.nodes or ("",):
        yield error_of(problem, node)


def _drain(said: queue.SimpleQueue[str]) -> Iterator[Message]:
    while not said.empty():
        yield Note(said.get())


def _wording(options: Mapping[str, Any]) -> Callable[[Message], Message]:
    """How messages are worded; a command that has a `--json` of its own words its data by itself."""
    if "json" in options:
        return _as_json
    if "as_json" in options:
        return lambda message: message if isinstance(message, Data) else _as_json(message)
    return lambda message: message


def _as_json(message: Message) -> Message:
    """Word a message as one JSON object with the exit code that it has anyway; what tells how things go stays a line.

    All on standard output, where a program reads: a client puts words of its own before an error.
    """
    if isinstance(message, (Note, Progress)):
        return message
    return Data(line_of(message), code=message.code if isinstance(message, (Data, Error)) else 0)
