"""A manager in memory, for unit tests of the commands about hosts and virtual environments.

Nouns are held as the engine facade gives them; states move on when a wait looks at them.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fakes import FakeHost
from xcat_rhev.clock import ManualClock
from xcat_rhev.declare.command import Command
from xcat_rhev.declare.parsing import parse
from xcat_rhev.engine.nouns import (
    Answer,
    Cluster,
    DataCenter,
    Event,
    Host,
    HostNic,
    Network,
    NetworkAttachment,
    Noun,
    Ref,
    StorageDomain,
    Template,
    Vm,
)
from xcat_rhev.engine.templates import Templates, called
from xcat_rhev.engine.waiting import GONE, Goal
from xcat_rhev.errors import Ambiguous, FailedState, NotFound, RhevError, TimedOut
from xcat_rhev.messages import Data, Error, Message
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request


class FakeEngine:
    """A manager whose world is a list of nouns.

    Attributes:
        world: The nouns, in the order of their making.
        calls: What was changed, in order: `("create", "cluster cl1")`.
        asked: How often something was read.
        attached: Which domains are in which data center: (center's id, domain's id) -> state.
        networks: Which networks are in which cluster.
        on_hosts: Attachments by host's id.
        to_come: States that an object passes through, one at each look.
        refuse: Errors to raise, by call: `{("act", "approve"): Conflict("...")}`.
        answers: What actions answer, by verb.
        on_export: The templates on the export domains.
    """

    name = "rhevm.example.com"
    workers = 4

    def __init__(self, *world: Noun) -> None:
        self.clock = ManualClock()
        self.world: list[Noun] = []
        self.calls: list[tuple[str, ...]] = []
        self.asked = 0
        self.attached: dict[tuple[str, str], str] = {}
        self.networks: dict[str, dict[str, bool | None]] = {}
        self.on_hosts: dict[str, list[NetworkAttachment]] = {}
        self.bonds: list[HostNic] = []
        self.to_come: dict[str, list[str]] = {}
        self.refuse: dict[tuple[str, str], RhevError] = {}
        self.answers: dict[str, Answer] = {}
        self.on_storage: list[StorageDomain] = []
        self.on_export: list[Template] = []
        self.power = "on"
        self.cpus = ["Intel Nehalem Family", "Intel Westmere Family", "AMD Opteron G4"]
        self._ids = itertools.count(1)
        for noun in world:
            self.put(noun)

    def put(self, noun: Any) -> Any:
        """Add a noun as it is, with an id if it has none."""
        noun = noun.replace(id=noun.id or f"{noun.TAG}-{next(self._ids)}")
        self.world.append(noun)
        return noun

    def by_name(self, noun: type[Any], name: str) -> Any:
        """The noun of that name, or None."""
        return next((each for each in self.world if isinstance(each, noun) and each.name == name), None)

    def set(self, noun: Noun, **values: Any) -> Any:
        """Change a noun in the world."""
        place = next(n for n, each in enumerate(self.world) if type(each) is type(noun) and each.id == noun.id)
        self.world[place] = self.world[place].replace(**values)
        return self.world[place]

    # The facade, as far as these commands use it.

    def find(self, noun: type[Any], names: Iterable[str], *, details: bool = False) -> dict[str, Any]:
        self.asked += 1
        found: dict[str, Any] = {}
        for name in names:
            hits = [each for each in self.world if type(each) is noun and name in _called(each)]
            if len(hits) > 1:
                raise Ambiguous(f"{len(hits)} {noun.word()}s are called {name}")
            if hits:
                found[name] = hits[0]
        return found

    def look(self, noun: type[Any], names: Iterable[str]) -> Sequence[Any]:
        self.asked += 1
        wanted = set(names)
        return [each for each in self.world if type(each) is noun and each.name in wanted]

    def all(self, noun: type[Any]) -> Sequence[Any]:
        return self.list(noun)

    def list(self, noun: type[Any], *, under: Any = None, where: str = "", details: bool = False) -> list[Any]:
        self.asked += 1
        everything: Any = [each for each in self.world if type(each) is noun]
        if noun is StorageDomain and under is not None:
            inside = [sd for sd in everything if (under.id, sd.id) in self.attached]
            return [sd.replace(status=self.attached[under.id, sd.id]) for sd in inside]
        if noun is Network and isinstance(under, Cluster):
            inside_cluster = self.networks.get(under.id or "", {})
            return [nw.replace(required=inside_cluster[nw.id]) for nw in everything if nw.id in inside_cluster]
        if noun is Template and isinstance(under, StorageDomain):
            return self.on_export
        if noun is Vm and where.startswith("Host.name"):
            hosts = [host.id for host in self.world if isinstance(host, Host) and f'"{host.name}"' in where]
            return [vm for vm in everything if vm.host and vm.host.id in hosts]
        return everything

    def one(self, noun: type[Any], name: str, *, data_center: str = "") -> Any:
        found = self.find(noun, [name])
        if name not in found:
            raise NotFound(f"no {noun.word()} {name}")
        return found[name]

    def get(self, noun: type[Any], id: str, *, under: Any = None) -> Any:
        found = [each for each in self.list(noun, under=under) if each.id == id]
        if not found:
            raise NotFound(f"no {noun.word()} {id}")
        return found[0]

    def name_of(self, noun: type[Any], ref: Ref | None) -> str:
        return next((each.name or "" for each in self.world if ref and each.id == ref.id), ref.name if ref else "")

    def templates(self, texts: Iterable[str]) -> Templates:
        self.asked += 1
        wanted = {called(text).name for text in texts}
        found = [each for each in self.world if isinstance(each, Template) and each.name in wanted]
        return Templates(self.name, found, lambda _: None)

    def template_label(self, ref: Ref | None) -> str:
        return self.name_of(Template, ref)

    def too_new(self, what: str) -> str:
        """It has everything."""
        return ""

    def cpu_types(self, version: str = "") -> Sequence[str]:
        self.asked += 1
        return self.cpus

    def create(self, new: Any, *, under: Any = None, **params: Any) -> Any:
        self._call("create", str(new), *([str(under)] if under else []))
        if under is not None:
            self.networks.setdefault(under.id, {})[new.id] = new.required
            return new
        started = {StorageDomain: "unattached", Host: "installing", DataCenter: "uninitialized"}.get(type(new))
        if started:
            new = new.replace(status=started)
        if isinstance(new, Network) and new.usages is None:
            new = new.replace(usages=("vm",))
        for name, kind in (("data_center", DataCenter), ("cluster", Cluster)):
            known = getattr(new, name, None)
            if known and not known.id:
                new = new.replace(**{name: self.one(kind, known.name).ref})
        made = self.put(new)
        if isinstance(made, Host):
            self.to_come.setdefault(made.id or "", ["installing", "up"])
        return made

    def change(self, current: Any, *, under: Any = None, **wanted: Any) -> Any:
        differing = current.differing(wanted)
        if not differing:
            return None
        self._call("change", str(current), *sorted(differing))
        if under is not None:
            self.networks[under.id][current.id] = differing["required"]
            return current
        return self.set(current, **differing)

    def remove(self, obj: Any, *, under: Any = None, **params: Any) -> None:
        given = {key: value for key, value in params.items() if value not in (None, False)}
        self._call("remove", str(obj), *sorted(given))
        if under is not None:
            del self.networks[under.id][obj.id]
        else:
            self.world = [each for each in self.world if each.id != obj.id]

    def act(self, obj: Any, verb: str, *, under: Any = None, **params: Any) -> Answer:
        self._call(verb, str(obj))
        ways = {
            "approve": ["installing", "up"],
            "activate": ["unassigned", "up"],
            "deactivate": ["preparing_for_maintenance", "maintenance"],
            "install": ["installing", "up"],
            "upgrade": ["installing", "maintenance"],
            "export": ["locked", "ok"],
        }
        if verb == "import":
            self.put(obj.replace(status="locked"))
            self.to_come[obj.id] = ["ok"]
        if verb in ways:
            self.to_come.setdefault(obj.id, ways[verb])
        return self.answers.get(verb, Answer(status="complete"))

    def attach_storage(self, home: DataCenter, domain: StorageDomain) -> StorageDomain:
        self._call("attach", str(domain), str(home))
        self.attached[home.id or "", domain.id or ""] = "locked"
        self.to_come.setdefault(domain.id or "", ["locked", "maintenance", "active"])
        return domain

    def activate_storage(self, home: DataCenter, domain: StorageDomain) -> None:
        self._call("activate", str(domain))
        self.to_come[domain.id or ""] = ["activating", "active"]

    def deactivate_storage(self, home: DataCenter, domain: StorageDomain) -> None:
        self._call("deactivate", str(domain))
        self.to_come[domain.id or ""] = ["preparing_for_maintenance", "maintenance"]

    def detach_storage(self, home: DataCenter, domain: StorageDomain) -> None:
        self._call("detach", str(domain))
        self.attached.pop((home.id or "", domain.id or ""))
        self.to_come.pop(domain.id or "", None)

    can_look_for_upgrades, can_use_ssh_users = False, True

    def reinstall(self, host: Host, activate: bool, **login: Any) -> None:
        self.act(host, "install", **login)

    def upgrade_of(self, host: Host, image: str = "") -> tuple[str, dict[str, Any]]:
        return "upgrade", {"image": image or None}

    def unregistered_domains(
        self, host: Host, portal: Mapping[str, Any] | None = None, targets: Sequence[str] = ()
    ) -> Sequence[StorageDomain]:
        self._call("unregistered_domains", str(host), *targets)
        return self.on_storage

    def set_fencing(self, host: Host, agent: Any) -> bool:
        self._call("set_fencing", str(host), agent.type, agent.address, agent.username, agent.password.reveal())
        return True

    def fence(self, host: Host, kind: str) -> str:
        self._call("fence", str(host), kind)
        return self.power

    def events(self, about: Noun, limit: int = 5) -> Sequence[Event]:
        return [Event(id="e", description=f"{about} has no answer")]

    def host_networks(self, host: Host) -> Sequence[NetworkAttachment]:
        self.asked += 1
        return self.on_hosts.get(host.id or "", [])

    def set_host_networks(
        self,
        host: Host,
        wanted: Sequence[NetworkAttachment],
        *,
        bonds: Sequence[HostNic] = (),
        removed: Sequence[NetworkAttachment] = (),
        unbound: Sequence[HostNic] = (),
        check: bool = True,
    ) -> bool:
        self._call("set_host_networks", str(host), *(f"{w.network.name}@{w.host_nic.name}" for w in wanted))
        there = {each.network.id: each for each in self.on_hosts.get(host.id or "", [])}
        there.update({each.network.id: each for each in wanted})
        self.on_hosts[host.id or ""] = list(there.values())
        self.bonds += bonds
        return True

    def _call(self, kind: str, *what: str) -> None:
        self.calls.append((kind, *what))
        if (kind, what[0]) in self.refuse:
            raise self.refuse[kind, what[0]]

    # Waiting.

    def reach(self, goal: Goal) -> Noun | None:
        """Let a goal's object pass through its states until one ends the wait.

        Raises:
            FailedState: It got into a state that does not lead to the wanted one.
            TimedOut: No state is left to come.
        """
        what = goal.what
        if GONE in goal.wanted:
            gone = not any(each.id == what.id for each in self.list(type(what), under=goal.under))
            if gone:
                return None
            raise TimedOut(f"{what} is still there")
        while True:
            noun = self.get(type(what), what.id or "", under=goal.under)
            if noun.status in goal.wanted:
                return noun  # type: ignore[no-any-return]
            states = self.to_come.get(what.id or "", [])
            if noun.status in goal.failed and not (goal.grace and states):
                raise FailedState(f"{what} is {noun.status}: the manager's own words")
            if not states:
                raise TimedOut(f"{what} is still {noun.status}")
            self._enter(noun, states.pop(0), goal.under)

    def _enter(self, noun: Any, state: str, under: Any) -> None:
        if isinstance(noun, StorageDomain) and under is not None:
            self.attached[under.id, noun.id] = state
            if state == "active" and under.status == "uninitialized":
                self.set(under, status="up")
        else:
            self.set(noun, status=state)


def _called(noun: Noun) -> tuple[str | None, ...]:
    """What a noun answers to: its name, and a host to its address as well."""
    return (noun.name, noun.address) if isinstance(noun, Host) else (noun.name,)


def context_of(spec: Command, engine: FakeEngine, args: Sequence[str], nodes: Sequence[str], host: FakeHost) -> Context:
    """What a command gets for that command line."""
    options, words = parse(spec, args)
    request = Request(spec.name, tuple(nodes), tuple(args))
    return Context(request, tuple(nodes), options, words, host, engine.clock, engine)  # type: ignore[arg-type]


def run(
    module: Any,
    engine: FakeEngine,
    line: str,
    nodes: Sequence[str] = (),
    tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    stdin: str = "",
) -> list[Message]:
    """Plan a command line and carry its jobs out, one step at a time.

    Args:
        module: The command's module.
        engine: The manager.
        line: Its arguments as typed.
        nodes: Its nodes.
        tables: The tables around.
        stdin: What the person feeds it.
    """
    context = context_of(module.SPEC, engine, line.split(), nodes, FakeHost(tables))
    context = replace(context, request=replace(context.request, stdin=stdin))
    planned = list(module.plan(context))
    said: list[Message] = [item for item in planned if not isinstance(item, Job)]
    jobs = [item for item in planned if isinstance(item, Job)]
    said += [Data(job.idle, job.node) for job in jobs if not job.parts]
    watch: Any = FakeWatch(engine)
    said += Runner(watch, 1, threading.Event()).run([job for job in jobs if job.parts])
    return said


class FakeWatch:
    """Waits without time: each goal passes through its states at the first look."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._pending: list[tuple[Any, Goal]] = []
        self.states: Counter[str] = Counter()

    def __bool__(self) -> bool:
        return bool(self._pending)

    def add(self, key: Any, goal: Goal) -> None:
        self._pending.append((key, goal))

    def due(self) -> float:
        return 0.0

    def pause(self) -> None:
        return

    def look(self) -> list[tuple[Any, Any]]:
        pending, self._pending = self._pending, []
        return [(key, self._outcome(goal)) for key, goal in pending]

    def _outcome(self, goal: Goal) -> Any:
        try:
            return self._engine.reach(goal)
        except RhevError as problem:
            return problem


def texts(messages: Iterable[Message]) -> list[str]:
    """Each message in one line: `sd1: succeeded`, errors with an exclamation mark in front."""
    return [
        ("!" if isinstance(m, Error) else "") + (f"{m.node}: " if getattr(m, "node", "") else "") + m.text
        for m in messages
    ]
