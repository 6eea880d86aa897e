"""The power of virtual machines, and of hypervisors by the manager's fencing: what rpower and rshutdown plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ...engine.nouns import Host, Vm
from ...engine.states import HOST_UP, VM_ASLEEP, VM_COMING, VM_OFF, VM_ON, VM_PASSING, VmStatus
from ...engine.waiting import Goal
from ...errors import Conflict, FailedState, RhevError, Usage
from ...messages import Data, Error, Message
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...rows.nodestatus import POWERING_OFF, POWERING_ON, PowerStatus
from ..hypervisor import fencing
from .bootonce import BootOnce, read_notes
from .laststop import warnings
from .machines import Done, find_named, uncertain
from .make import NOT_DOWN

RUNNING = VM_ON | {
    VmStatus.REBOOT_IN_PROGRESS,
    VmStatus.MIGRATING,
    VmStatus.WAIT_FOR_LAUNCH,
    VmStatus.NOT_RESPONDING,
}
SHOWN: dict[str, str] = {VmStatus.UP: "on", VmStatus.DOWN: "off"}
ASKING = frozenset({"stat", "state", "status"})
#: Words that are the answer when they are done, as in rhevm.pm; for the others the answer is the state.
REPEATED = frozenset({"softoff", "reset", "boot", "cycle"})
#: What is read of a machine besides name and id.
SEEN = frozenset({"status", "next_run"})


@dataclass(frozen=True)
class PowerVerb:
    """One way of changing the power.

    Attributes:
        action: The manager's word for it.
        begins: The states it can begin in.
        ends: The states that it leads to.
        done: The states in which there is nothing to do.
        limit: How long it usually takes at most, in seconds.
        failed: States that mean failure.
        status: The value of nodelist.status meanwhile.
    """

    action: str
    begins: frozenset[str]
    ends: frozenset[str]
    done: frozenset[str]
    limit: float = 300
    failed: frozenset[str] = frozenset()
    status: str = ""


START = PowerVerb("start", VM_OFF | VM_ASLEEP, VM_ON, RUNNING, failed=VM_OFF, status=POWERING_ON)
#: A guest that ignores the request leaves its machine in powering_down for long, and then users cut the power.
STOP = PowerVerb("stop", RUNNING | VM_ASLEEP | {VmStatus.POWERING_DOWN}, VM_OFF, VM_OFF, status=POWERING_OFF)
VERBS: dict[str, tuple[PowerVerb, ...]] = {
    "on": (START,),
    "off": (STOP,),
    "softoff": (PowerVerb("shutdown", RUNNING, VM_OFF, VM_OFF, limit=600, status=POWERING_OFF),),
    "reset": (STOP, START),
    "boot": (STOP, START),
    "cycle": (STOP, START),
    "suspend": (
        PowerVerb(
            "suspend",
            frozenset({VmStatus.UP}),
            frozenset({VmStatus.SUSPENDED}),
            frozenset({VmStatus.SUSPENDED}),
            limit=900,
        ),
    ),
    "resume": (PowerVerb("start", VM_ASLEEP, VM_ON, RUNNING, failed=VM_OFF),),
}
#: Actions that make no sense for a machine that is off, although the manager would start it.
NEEDS_POWER = frozenset({"reset", "resume"})


def plan(context: Context, word: str) -> Plan:
    """Find all machines with one search, then plan a job for each.

    Args:
        context: The command's.
        word: What to do, as rpower has it.
    """
    hosts = _hypervisors(context)
    status = PowerStatus(context.xcat, [] if word in ASKING else context.nodes)
    yield from _plan_vms(context, word, [node for node in context.nodes if node not in hosts], status)
    yield from fencing.plan(context, word, hosts, asking=word in ASKING, status=status)


def _hypervisors(context: Context) -> list[str]:
    """The nodes that are hypervisors; a machine may have hypervisor.type too, so that its commands come here."""
    others = [node for node, row in context.attrs("vm", "mgr").items() if not row.get("mgr")]
    return [node for node, row in context.attrs_of(others, "hypervisor", "type").items() if row.get("type")]


def _plan_vms(context: Context, word: str, nodes: list[str], status: PowerStatus) -> Plan:
    found = find_named(context, nodes, only=SEEN)
    notes = read_notes(context.xcat, nodes) if START in VERBS.get(word, ()) else {}
    if word in ASKING:
        yield from warnings(context.manager, found.values())
    for node in nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif word in ASKING:
            yield _state(vm)
        elif (text := uncertain(vm)) and vm.status not in VERBS[word][0].begins | VERBS[word][0].done:
            yield Error(text, node)
        elif word in NEEDS_POWER and vm.status in VM_OFF:
            yield Error(f"the machine is off, so there is nothing to {word}. Run: rpower {node} on", node)
        else:
            yield _job(context, word, _Machine(context, vm, notes.get(node, BootOnce(node)), status))


def _job(context: Context, word: str, machine: _Machine) -> Job:
    node, vm = machine.note.node, machine.vm
    state = vm.status or "unknown"
    verbs = VERBS[word]
    if state in (VM_OFF | VM_PASSING) - verbs[0].begins:
        verbs = verbs[-1:]  # no power to cut
    if len(verbs) == 1 and state in verbs[0].done:
        return Job(node, idle=word if word in REPEATED else power_word(vm))
    return Job(node, list(_parts(context, machine, verbs, word)))


def _parts(context: Context, machine: _Machine, verbs: tuple[PowerVerb, ...], word: str) -> Iterator[Step | Wait]:
    vm = machine.vm
    first = verbs[0]
    wanted = first.begins | first.done
    if vm.status in (VM_PASSING | VM_COMING) - wanted:
        ready = partial(
            Goal,
            vm,
            wanted,
            failed=VM_OFF - wanted,
            limit=context.limit(first.limit),
            settled=first.begins >= VM_OFF,
            only=SEEN,
        )
        yield Wait(f"wait until no longer {vm.status}", ready, machine.update)
    written = context.manager.has_written if vm.next_run else None
    until = partial(Goal, vm, only=SEEN, also=Done(written=written))
    if vm.status in VM_OFF and vm.next_run:
        made = partial(until, VM_OFF | first.done, limit=context.limit(300))
        yield Wait("wait until its changes are made", made, machine.update)
    for verb in verbs:
        yield Step(verb.action, partial(machine.act, verb))
        goal = partial(until, verb.ends, failed=verb.failed, grace=5, limit=context.limit(verb.limit))
        last = verb is verbs[-1]
        report = partial(_report, word) if last else machine.update
        says = f"wait until {'/'.join(sorted(verb.ends))}"
        yield Wait(says, goal, report, otherwise=machine.start_failed, failed="" if last else NOT_DOWN)


@dataclass
class _Machine:
    """A virtual machine as last read; it may have reached the state while the command waited.

    Attributes:
        context: The command's.
        vm: The machine.
        note: What rsetboot noted for its next start.
        status: Writes nodelist.status.
    """

    context: Context
    vm: Vm
    note: BootOnce
    status: PowerStatus

    def update(self, vm: Vm) -> None:
        self.vm = vm

    def start_failed(self, problem: RhevError) -> RhevError:
        """Give a machine that was started and is off again its former status."""
        if isinstance(problem, FailedState):
            self.status.take_back(self.note.node)
        return problem

    def act(self, verb: PowerVerb) -> list[Message]:
        if self.vm.status in verb.done:
            return []
        try:
            self._ask(verb)
        except (Conflict, Usage) as problem:
            now = next(iter(self.context.manager.look(Vm, [self.vm.name])), None)
            if now is None or now.status not in verb.done | verb.ends:  # and no other user has done it
                raise self._explain(problem, now) from None
            return []
        wakes = verb is START and self.vm.status in VM_ASLEEP
        return self.status.write(self.note.node, "" if wakes else verb.status)

    def _explain(self, problem: RhevError, vm: Vm | None) -> RhevError:
        """Add what a manager leaves out: for a machine whose host has just died it only says `Operation Failed`."""
        on = vm.host.id if vm is not None and vm.host else ""
        host = next((host for host in self.context.manager.list(Host) if host.id == on), None) if on else None
        if host is None or host.status in HOST_UP:
            return problem
        return type(problem)(f"{problem.text}. Its host {host.name} is {host.status}", problem.hint)

    def _ask(self, verb: PowerVerb) -> None:
        if verb is START and self.note.noted and self.vm.status not in VM_ASLEEP:
            self.context.manager.act(self.vm, verb.action, vm=Vm(boot=self.note.noted))
            self.note.write(self.context.xcat, ())
        else:
            self.context.manager.act(self.vm, verb.action)


def _report(word: str, vm: Vm) -> list[Data]:
    said = word if word in REPEATED else "on" if vm.status in VM_ON else power_word(vm)
    return [Data(said, vm.name, fields=_fields(vm))]


def _state(vm: Vm) -> Data:
    return Data(power_word(vm), vm.name, fields=_fields(vm))


def _fields(vm: Vm) -> tuple[tuple[str, object], ...]:
    return ("state", power_word(vm)), ("status", vm.status or "unknown"), ("id", vm.id)


def power_word(vm: Vm) -> str:
    """The power state as xCAT words it: on, off, else the manager's word."""
    return SHOWN.get(vm.status or "", vm.status or "unknown")
