"""From a request to a command's messages: nodes grouped by manager, managers in parallel, every error caught here."""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, TypeVar

from . import __version__
from .abort import check
from .clock import Clock, SystemClock
from .commands import (
    cfgve,
    chhypervisor,
    chvm,
    clonevm,
    copycd,
    getcons,
    getrvidparms,
    lsve,
    lsvm,
    mkinstall,
    mkvm,
    revacuate,
    rhevhjoin,
    rhevhupdateflag,
    rinv,
    rmhypervisor,
    rmigrate,
    rmvm,
    rpower,
    rscan,
    rsetboot,
    rvitals,
)
from .commands.common import Command, Context, Place, parse, usage_text
from .engine.manager import Manager
from .engine.managers import Access, Managers
from .engine.waiting import Watch
from .errors import Aborted, Bug, NotFound, RhevError, Usage
from .holding import Holding
from .jobs import Job, Runner
from .messages import Data, Error, Message, Note, Warning, error_of
from .secret import Secret
from .xcat.host import Host, Request

log = logging.getLogger(__name__)
T = TypeVar("T")
#: How often, in seconds, a request that is silent is looked at: does anybody still want its answer?
_GLANCE = 0.25

_MODULES: tuple[ModuleType, ...] = (
    cfgve, chhypervisor, chvm, clonevm, copycd, getcons, getrvidparms, lsve, lsvm, mkinstall, mkvm,
    revacuate, rhevhjoin, rhevhupdateflag, rinv, rmhypervisor, rmigrate, rmvm, rpower, rscan, rsetboot,
    rvitals,
)
#: Every command by its name; xCAT's dispatch tables and the man pages are made from these.
COMMANDS: dict[str, Command] = {module.SPEC.name: module.SPEC for module in _MODULES}
#: With more to do than this a person is told that all was found right and the work begins: the first answer comes
#: when the manager has brought something to its end, which may take it minutes.
MANY = 100
_PLANS = {module.SPEC.name: module.plan for module in _MODULES}


@dataclass(frozen=True)
class _Group:
    """The nodes of one manager, or of none."""

    manager: str
    nodes: tuple[str, ...]


class Dispatcher:
    """Runs commands; one per process, so that sessions to managers stay warm.

    Args:
        managers: The warm sessions.
        clock: Time.
    """

    def __init__(self, managers: Managers | None = None, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._managers = managers or Managers(self._clock)
        self._holding = Holding()

    def run(self, request: Request, host: Host) -> Iterator[Message]:
        """Carry out one request.

        Args:
            request: What was asked; its command is one of `COMMANDS`.
            host: The xCAT around.

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
            yield Data(f"xcat-rhev {__version__}")
        else:
            yield from map(_wording(options), self._groups(_Run(self, spec, request, options, words, host)))

    def _groups(self, run: _Run) -> Iterator[Message]:
        groups: list[_Group] = []
        for item in run.groups():
            if isinstance(item, _Group):
                groups.append(item)
            else:
                yield item
        parts = [partial(run.messages, group) for group in groups]
        told: set[Message] = set()
        for message in side_by_side(parts, run.request.aborted, apart=any(group.manager for group in groups)):
            if message not in told:
                yield message
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
    host: Host

    def groups(self) -> Iterator[_Group | Message]:
        """Split the nodes by manager; a node without one is an error of its own."""
        if self.spec.place is Place.HERE:
            yield _Group("", self.request.nodes)
        elif self.spec.place is Place.NAMED:
            yield from self._named()
        elif not self.request.nodes:
            yield Error(f"{self.spec.name} needs a noderange. Usage: {self.spec.name} {self.spec.usage}")
        else:
            yield from self._by_manager()

    def _named(self) -> Iterator[_Group | Message]:
        """The managers that `-m` names, joined by commas."""
        named = dict.fromkeys(filter(None, self.options.get("manager", "").split(",")))
        yield from (_Group(name, ()) for name in named)
        if not named:
            yield Error("The flag -m is necessary to perform the command.")

    def _by_manager(self) -> Iterator[_Group | Message]:
        nodes = self.request.nodes
        vm, hypervisor = (self.host.node_attrs(table, nodes, ["mgr"]) for table in ("vm", "hypervisor"))
        by_manager: dict[str, list[str]] = {}
        for node in nodes:
            manager = vm[node].get("mgr") or hypervisor[node].get("mgr")
            if manager:
                by_manager.setdefault(manager, []).append(node)
            else:
                yield Error(
                    "neither vm.mgr nor hypervisor.mgr names its manager. "
                    f"Run: chtab node={node} vm.mgr=MANAGER, or hypervisor.mgr for a hypervisor", node,
                )
        for manager, its_nodes in by_manager.items():
            yield _Group(manager, tuple(its_nodes))

    def messages(self, group: _Group) -> Iterator[Message]:
        """Plan for one group, then act; the last border that an error can reach."""
        try:
            yield from self._alone(group) if self.spec.alone else self._planned_and_done(group)
        except Aborted:
            raise
        except RhevError as problem:
            yield from _for_each_node(problem, group)
        except Exception as problem:  # the one place: a mistake of ours must not end the daemon or show a trace
            log.exception("%s failed", self.spec.name)
            bug = Bug(f"{self.spec.name} failed inside: {type(problem).__name__}", "The log has the details")
            yield from _for_each_node(bug, group)

    def _alone(self, group: _Group) -> Iterator[Message]:
        """The same for the nodes that no other such command is at work on."""
        folder, holding = _folder(self.host, group.manager), self.dispatcher._holding
        others = holding.take(folder, group.nodes, self.spec.name)
        left = replace(group, nodes=tuple(node for node in group.nodes if node not in others))
        try:
            for node, name in others.items():
                yield Error(f"another {name} is at work on it. Type this again when that has ended", node)
            if left.nodes:
                yield from self._planned_and_done(left)
        finally:
            holding.leave(folder, left.nodes)

    def _planned_and_done(self, group: _Group) -> Iterator[Message]:
        said: queue.SimpleQueue[str] = queue.SimpleQueue()
        manager = self._open(group.manager, said.put) if group.manager else None
        for note in manager.notes if manager else ():
            yield Warning(note)
        jobs: list[Job] = []
        try:
            for item in _PLANS[self.spec.name](self._context(group, manager)):
                if isinstance(item, Job):
                    jobs.append(item)
                else:
                    yield item
                yield from _drained(said)
        except Usage as problem:  # the words that were typed are no node's
            yield error_of(problem)
            return
        for message in self._act(jobs, manager):
            yield from _drained(said)
            yield message
        if manager and "verbose" in self.options:
            yield from _drained(said)
            yield Data(f"{manager.name}: {manager.counts}")

    def _context(self, group: _Group, manager: Manager | None) -> Context:
        clock = self.dispatcher._clock
        return Context(self.request, group.nodes, self.options, self.words, self.host, clock, manager)

    def _act(self, jobs: Sequence[Job], manager: Manager | None) -> Iterator[Message]:
        if "dry_run" in self.options:
            for job in jobs:
                yield from job.described()
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
        yield from Runner(watch, manager.workers if manager else 1, self.request.aborted).run(work)

    def _open(self, name: str, say: Callable[[str], None]) -> Manager:
        access = _access(self.host, name)
        return self.dispatcher._managers.open(
            access, say if "verbose" in self.options else None, self.request.aborted
        )


def _access(host: Host, name: str) -> Access:
    """Read from the tables how to reach a manager.

    Raises:
        NotFound: No password.
        Usage: `site.rhevmmaxp` is no number.
    """
    user, password = _login(host, name)
    return Access(
        name=name, user=user, password=password, folder=_folder(host, name), ca=host.site("rhevmca"),
        insecure=name in host.site("rhevminsecure").split(","), old_tls=name in host.site("rhevmoldtls").split(","),
        workers=_workers(host.site("rhevmmaxp", "8")), api=host.site("rhevmapi"),
    )


def _folder(host: Host, name: str) -> Path:
    """Where what is known of a manager is kept."""
    return Path(host.site("xcatconfdir", "/etc/xcat")) / "rhevm" / name.replace(":", "_")


def _login(host: Host, name: str) -> tuple[str, Secret]:
    for key in (name, "rhevm"):
        for row in host.rows("passwd", {"key": key}):
            if row.get("username") and row.get("password"):
                user = row["username"]
                return (user if "@" in user else f"{user}@internal"), Secret(row["password"])
    raise NotFound(
        f"no password for the manager {name}", "Run: chtab key=rhevm,username=admin passwd.password=PASSWORD"
    )


def _workers(text: str) -> int:
    if not (text.isdigit() and 1 <= int(text) <= 64):
        raise Usage(f"site.rhevmmaxp is '{text}'", "Run: chtab key=rhevmmaxp site.value=8 (1 to 64)")
    return int(text)


def _for_each_node(problem: RhevError, group: _Group) -> Iterator[Message]:
    for node in group.nodes or ("",):
        yield error_of(problem, node)


def _drained(said: queue.SimpleQueue[str]) -> Iterator[Message]:
    while not said.empty():
        yield Data(said.get())


def _wording(options: Mapping[str, Any]) -> Callable[[Message], Message]:
    """How messages are worded; a command that has a `--json` of its own words its data by itself."""
    if "json" in options:
        return _as_json
    if "as_json" in options:
        return lambda message: message if isinstance(message, Data) else _as_json(message)
    return lambda message: message


def _as_json(message: Message) -> Message:
    """Word a message as one JSON object with the exit code that it has anyway.

    All on standard output, where a program reads: a client puts words of its own before an error.
    """
    kind = type(message).__name__.lower()
    fields = {key: value for key, value in asdict(message).items() if value not in ("", 0)}
    text = json.dumps({"kind": kind, **fields}, ensure_ascii=False)
    return Data(text, code=message.code if isinstance(message, Error) else 0)


def side_by_side(
    parts: Sequence[Callable[[], Iterable[T]]], aborted: threading.Event, apart: bool = False
) -> Iterator[T | Message]:
    """Carry out parts of a request at the same time, their answers as they come; an error ends its own part only.

    Args:
        parts: What each does.
        aborted: Ends it at once; parts that are stuck are left behind.
        apart: Even a single part may be stuck, at a manager's address that swallows everything, say.

    Raises:
        Aborted: The client went away.
    """
    if len(parts) == 1 and not apart:
        yield from parts[0]()
        return
    said: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()
    for part in parts:
        threading.Thread(target=_carry_out, args=(part, said.put), name="part", daemon=True).start()
    left = len(parts)
    while left:
        one = _next(said, aborted)
        if one is None:
            left -= 1
        elif isinstance(one, RhevError) and not isinstance(one, Aborted):
            yield error_of(one)
        elif isinstance(one, Exception):
            raise one
        else:
            yield one


def _carry_out(part: Callable[[], Iterable[T]], say: Callable[[T | Exception | None], None]) -> None:
    try:
        for one in part():
            say(one)
    except Exception as problem:  # carried to the thread that serves the request, which knows what to do
        say(problem)
    finally:
        say(None)


def _next(said: queue.SimpleQueue[T], aborted: threading.Event) -> T:
    while True:
        try:
            return said.get(timeout=_GLANCE)
        except queue.Empty:
            check(aborted)
