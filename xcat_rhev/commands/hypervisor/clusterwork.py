"""What a cluster needs for rolling work: a scheduling policy for that time, and pinned machines out of the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from ...engine.nouns import Cluster, Host, Ref, SchedulingPolicy, Vm
from ...engine.states import HOST_UP, VM_OFF, VM_ON
from ...engine.waiting import Goal
from ...errors import Denied, RhevError, TimedOut
from ...messages import Data, Message, Warn
from ...plan.context import Context, Planned
from ...plan.jobs import Job, Step, Wait
from . import lookup as found
from . import state
from .notes import Notes

MAINTENANCE = "cluster_maintenance"
#: Seconds in which a guest should have shut down, and a machine have started.
SHUTDOWN_LIMIT, START_LIMIT = 600.0, 300.0


@dataclass(frozen=True)
class ClusterWork:
    """What is done for a cluster before its hosts have their turns, and after.

    Attributes:
        context: The command.
        cluster: Which one.
        hosts: Those that have turns.
    """

    context: Context
    cluster: Cluster
    hosts: Sequence[Host]

    @property
    def key(self) -> str:
        """What the turns come after."""
        return f"scheduling policy of cluster {self.cluster.name}"

    @property
    def notes(self) -> Notes:
        """What is open."""
        return Notes(self.context.manager)

    def before(self) -> Iterator[Job]:
        """Set the policy, unless no host leaves, or it is set already, or the manager has none for that."""
        name = self._policy_name()
        if name and name != MAINTENANCE and any(host.status in HOST_UP for host in self.hosts):
            says = f"set scheduling policy {MAINTENANCE} in place of {name}"
            yield Job(self.cluster.name, [Step(says, partial(self._set, name))], key=self.key)

    def after(self, keys: Sequence[str], notes: Notes) -> Iterator[Job]:
        """Put back what was set and start what was shut down, however the turns ended."""
        changes = bool(self._policy_name())
        stops = "stop_pinned" in self.context.options
        says = " and ".join(
            [
                *(["put the scheduling policy back"] if changes else []),
                *(["start what was shut down"] if stops else []),
            ]
        )
        if says:
            step = Step(says, partial(self._finish, notes))
            yield Job(self.cluster.name, [step], after=frozenset({self.key, *keys}), anyhow=True)

    def _policy_name(self) -> str:
        """The name of its policy; empty where there is none for maintenance, and so nothing to do."""
        policy = self.cluster.scheduling_policy
        if policy is None or self.context.manager.too_new("scheduling policies"):
            return ""
        known = {each.id: each.name for each in self.context.manager.all(SchedulingPolicy)}
        return known.get(policy.id, policy.id) if MAINTENANCE in known.values() else ""

    def _set(self, name: str) -> list[Message]:
        """Who may not set it works without it, as before 4.2 everybody does."""
        manager = self.context.manager
        try:
            self.notes.keep_policy(self.cluster, name)
            policy = next(each for each in manager.all(SchedulingPolicy) if each.name == MAINTENANCE)
            manager.change(self.cluster, scheduling_policy=Ref(policy.id))
        except Denied as problem:
            return [Warn(f"the scheduling policy stays {name}: {problem.text}", self.cluster.name)]
        return [Data(f"scheduling policy {MAINTENANCE}, {name} before", self.cluster.name)]

    def _finish(self, notes: Notes) -> Iterator[Planned]:
        if self._policy_name():
            yield from self._put_back(notes)
        for vm in notes.machines_to_start(self.cluster):
            yield from self._start(notes, vm)

    def _put_back(self, notes: Notes) -> Iterator[Message]:
        """Only from the policy for maintenance: one that somebody has set in the meantime stays."""
        manager = self.context.manager
        now = manager.get(Cluster, self.cluster.id)
        names = {each.id: each.name for each in manager.all(SchedulingPolicy)}
        is_set = now.scheduling_policy is not None and names.get(now.scheduling_policy.id) == MAINTENANCE
        kept = notes.kept_policy(self.cluster) if is_set else None
        if kept is not None:
            manager.change(now, scheduling_policy=Ref(kept.id), policy_properties=kept.properties)
            notes.policy_is_back(self.cluster)
            yield Data(f"scheduling policy {names.get(kept.id, kept.id)} again", self.cluster.name)

    def _start(self, notes: Notes, ref: Ref) -> Iterator[Planned]:
        manager = self.context.manager
        vm = next((each for each in manager.look(Vm, [ref.name]) if each.id == ref.id), None) if ref.name else None
        vm = vm or _by_id(self.context, ref)
        if vm is None or vm.status not in VM_OFF:
            notes.is_started(ref)
            return
        start = Step("start", partial(_act, self.context, vm, "start"))
        goal = partial(Goal, vm, VM_ON, VM_OFF, grace=20.0, limit=self.context.limit(START_LIMIT))
        done = Wait("wait until it runs again", goal, lambda _: self._say_started(notes, vm))
        yield Job(vm.name, [start, done])

    def _say_started(self, notes: Notes, vm: Vm) -> list[Message]:
        notes.is_started(vm.ref)
        return [Data("started again", vm.name)]


def leave(context: Context, host: Host, notes: Notes) -> Iterator[Job]:
    """Shut down the machines that are pinned to a host."""
    for vm in found.vms_on(context, [host]).get(host.id, []):
        if vm.affinity == state.PINNED and vm.status not in VM_OFF:
            goal = partial(Goal, vm, VM_OFF, limit=context.limit(SHUTDOWN_LIMIT))
            off = Wait("wait until off", goal, partial(_is_off, vm), partial(_still_on, vm))
            yield Job(
                vm.name, [Step("shut down", partial(_shut, context, notes, vm, host)), off], key=_leaving_key(host)
            )


def _leaving_key(host: Host) -> str:
    return f"pinned machines of {host.name}"


def _shut(context: Context, notes: Notes, vm: Vm, host: Host) -> None:
    notes.shut_down(vm, host)
    context.manager.act(vm, "shutdown")


def _is_off(vm: Vm, _: object) -> list[Message]:
    return [Data("shut down for the work on its host", vm.name)]


def _still_on(vm: Vm, problem: RhevError) -> RhevError:
    if not isinstance(problem, TimedOut):
        return problem
    return TimedOut(f"{problem.text}: its guest does not shut down", f"Run: rpower {vm.name} off")


def _act(context: Context, vm: Vm, verb: str) -> None:
    context.manager.act(vm, verb)


def _by_id(context: Context, ref: Ref) -> Vm | None:
    return next((each for each in context.manager.list(Vm) if each.id == ref.id), None)
