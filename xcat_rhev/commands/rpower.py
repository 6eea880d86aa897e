"""rpower: the power of virtual machines, and of hypervisors by the manager's fencing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..engine.nouns import Vm
from ..engine.waiting import Goal
from ..errors import Conflict
from ..jobs import Job, Step, Wait
from ..messages import Data, Error
from .common import Command, Context, Place, Plan
from .hypervisor import fencing
from .vm.bootonce import BootOnce, read_notes
from .vm.machines import find_named
from .vm.making import NOT_DOWN

SPEC = Command(
    name="rpower",
    summary="power of virtual machines and hypervisors",
    usage="noderange [on|off|softoff|reset|boot|cycle|suspend|resume|stat|state|status]",
    place=Place.MANAGER,
    routes=("nodehm:power,mgt",),
    verbs=(
        "on", "off", "softoff", "reset", "boot", "cycle", "suspend", "resume", "stat", "state", "status",
    ),
    arguments={
        "on": "start; a suspended or paused machine goes on where it was",
        "off": "cut the power",
        "softoff": "ask the guest to shut down",
        "reset": "cut the power and start again; the machine must be running",
        "boot": "reset when running, start when not",
        "cycle": "the same as boot",
        "suspend": "write the memory to disk and stop",
        "resume": "go on after suspend or pause",
        "stat, state, status": "show on, off, or the manager's word for what is in between",
    },
    description=(
        "A command ends when the state is reached: off means that the manager says so. A machine whose disks are "
        "locked or which is on its way down is waited for first. Power is on as soon as the machine runs, not when its "
        "guest is up. A node with hypervisor.type and without vm.mgr is a hypervisor: its power goes through the "
        "manager's fencing (chhypervisor -p), which cuts off its machines as well; on ends when it is up, or back in "
        "maintenance, and suspend, resume and softoff do not exist for it.\n\n"
        "The options -m, -t and -r, with which xCAT's own rpower watches installations of Power machines, do not exist "
        "here: nodelist.status shows how far an installation is."
    ),
    examples=(("rpower vm1-vm3 on", "start three machines"), ("rpower vm1 softoff --timeout 600", "wait ten minutes")),
)

OFF = frozenset({"down"})
ON = frozenset({"up", "powering_up"})
RUNNING = ON | {"reboot_in_progress", "migrating", "wait_for_launch", "not_responding"}
ASLEEP = frozenset({"suspended", "paused"})
#: Passing states that end by themselves in one from which a step can begin.
PASSING = frozenset({"image_locked", "powering_down", "saving_state", "restoring_state"})
SHOWN = {"up": "on", "down": "off"}
ASKING = frozenset({"stat", "state", "status"})
#: Words that are repeated when they are done, as rhevm.pm does; the others are answered with the state.
REPEATED = frozenset({"softoff", "reset", "boot", "cycle"})
#: What is read of a machine besides name and id.
SEEN = frozenset({"status"})


@dataclass(frozen=True)
class Verb:
    """One way of changing the power.

    Attributes:
        action: The manager's word for it.
        begins: The states it can begin in.
        ends: The states that it leads to.
        done: The states in which there is nothing to do.
        limit: How long it usually takes at most, in seconds.
        failed: States which mean that it will not get there.
    """

    action: str
    begins: frozenset[str]
    ends: frozenset[str]
    done: frozenset[str]
    limit: float = 300
    failed: frozenset[str] = frozenset()


START = Verb("start", OFF | ASLEEP, ON, RUNNING, failed=OFF)
#: A guest that does not listen leaves its machine on its way down for long, which is when people cut the power.
STOP = Verb("stop", RUNNING | ASLEEP | {"powering_down"}, OFF, OFF)
VERBS: dict[str, tuple[Verb, ...]] = {
    "on": (START,),
    "off": (STOP,),
    "softoff": (Verb("shutdown", RUNNING, OFF, OFF, limit=600),),
    "reset": (STOP, START),
    "boot": (STOP, START),
    "cycle": (STOP, START),
    "suspend": (Verb("suspend", frozenset({"up"}), frozenset({"suspended"}), frozenset({"suspended"}), limit=900),),
    "resume": (Verb("start", ASLEEP, ON, RUNNING, failed=OFF),),
}
#: What makes no sense for a machine that is off, although the manager would start it.
NEEDS_POWER = frozenset({"reset", "resume"})


def plan(context: Context) -> Plan:
    """Find all machines with one search, then say what each needs."""
    word = context.words[0]
    hosts = _hypervisors(context)
    yield from _plan_vms(context, word, [node for node in context.nodes if node not in hosts])
    yield from fencing.plan(context, word, hosts, asking=word in ASKING)


def _hypervisors(context: Context) -> list[str]:
    """The nodes that are hypervisors; hypervisor.type may stand on a machine too, to bring its commands here."""
    types, machines = context.attrs("hypervisor", "type"), context.attrs("vm", "mgr")
    return [node for node in context.nodes if types[node].get("type") and not machines[node].get("mgr")]


def _plan_vms(context: Context, word: str, nodes: list[str]) -> Plan:
    found = find_named(context, nodes, only=SEEN)
    notes = read_notes(context.host, nodes) if START in VERBS.get(word, ()) else {}
    for node in nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif word in ASKING:
            yield Data(shown(vm), node)
        elif word in NEEDS_POWER and vm.status in OFF:
            yield Error(f"the machine is off, so there is nothing to {word}. Run: rpower {node} on", node)
        else:
            yield _job(context, word, _Machine(context, vm, notes.get(node, BootOnce(node))))


def _job(context: Context, word: str, machine: _Machine) -> Job:
    node, vm = machine.note.node, machine.vm
    state = vm.status or "unknown"
    verbs = VERBS[word]
    if state in (OFF | PASSING) - verbs[0].begins:
        verbs = verbs[-1:]  # no power to cut
    if len(verbs) == 1 and state in verbs[0].done:
        return Job(node, idle=word if word in REPEATED else shown(vm))
    return Job(node, list(_parts(context, machine, verbs, word)))


def _parts(context: Context, machine: _Machine, verbs: tuple[Verb, ...], word: str) -> Iterator[Step | Wait]:
    vm = machine.vm
    first = verbs[0]
    if vm.status in PASSING - first.begins:
        ready = partial(
            Goal, vm, first.begins | first.done, limit=context.limit(first.limit), settled=first.begins >= OFF,
            only=SEEN,
        )
        yield Wait(f"wait until no longer {vm.status}", ready, machine.seen)
    for verb in verbs:
        yield Step(verb.action, partial(machine.act, verb))
        goal = partial(Goal, vm, verb.ends, failed=verb.failed, grace=5, limit=context.limit(verb.limit), only=SEEN)
        last = verb is verbs[-1]
        report = partial(_report, word) if last else machine.seen
        yield Wait(f"wait until {'/'.join(sorted(verb.ends))}", goal, report, failed="" if last else NOT_DOWN)


@dataclass
class _Machine:
    """A virtual machine as last seen: it may have got where it should be while we waited.

    Attributes:
        context: The command's.
        vm: The machine.
        note: What rsetboot noted for its next start.
    """

    context: Context
    vm: Vm
    note: BootOnce

    def seen(self, vm: Vm) -> None:
        self.vm = vm

    def act(self, verb: Verb) -> None:
        if self.vm.status in verb.done:
            return
        try:
            self._ask(verb)
        except Conflict:
            now = self.context.manager.look(Vm, [self.vm.name])
            if not now or now[0].status not in verb.done | verb.ends:  # nobody else did it meanwhile
                raise

    def _ask(self, verb: Verb) -> None:
        if verb is START and self.note.noted and self.vm.status not in ASLEEP:
            self.context.manager.act(self.vm, verb.action, vm=Vm(boot=self.note.noted))
            self.note.write(self.context.host, ())
        else:
            self.context.manager.act(self.vm, verb.action)


def _report(word: str, vm: Vm) -> list[Data]:
    said = word if word in REPEATED else "on" if vm.status in ON else shown(vm)
    return [Data(said, vm.name)]


def shown(vm: Vm) -> str:
    """The power state as xCAT words it: on, off, else the manager's word."""
    return SHOWN.get(vm.status or "", vm.status or "unknown")
