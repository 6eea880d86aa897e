"""rpower: the power of virtual machines, and of hypervisors by the manager's fencing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..engine.manager import Manager
from ..engine.nouns import Host, Vm
from ..engine.waiting import Goal
from ..jobs import Job, Step, Wait
from ..messages import Data, Error
from .common import Command, Context, Place, Plan
from .vm.bootonce import BootOnce, read_notes
from .vm.machines import find_named

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
        "guest is up. A node whose hypervisor.type is set is a hypervisor: its power goes through the manager's "
        "fencing, and suspend, resume and softoff do not exist for it."
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
FENCING = {"on": "start", "off": "stop", "reset": "restart", "boot": "restart", "cycle": "restart"}
ASKING = frozenset({"stat", "state", "status"})


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
STOP = Verb("stop", RUNNING | ASLEEP, OFF, OFF)
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
    types = context.attrs("hypervisor", "type")
    hosts = [node for node in context.nodes if types[node].get("type")]
    yield from _plan_vms(context, word, [node for node in context.nodes if node not in hosts])
    yield from _plan_hosts(context, word, hosts)


def _plan_vms(context: Context, word: str, nodes: list[str]) -> Plan:
    found = find_named(context, nodes)
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
    if state in OFF | PASSING:
        verbs = verbs[-1:]  # no power to cut
    if len(verbs) == 1 and state in verbs[0].done:
        return Job(node, idle=shown(vm))
    return Job(node, list(_parts(context, machine, verbs)))


def _parts(context: Context, machine: _Machine, verbs: tuple[Verb, ...]) -> Iterator[Step | Wait]:
    vm = machine.vm
    if vm.status in PASSING:
        first = verbs[0]
        ready = partial(
            Goal, vm, first.begins | first.done, limit=context.limit(first.limit), settled=first.begins >= OFF
        )
        yield Wait(f"wait until no longer {vm.status}", ready, machine.seen)
    for verb in verbs:
        yield Step(verb.action, partial(machine.act, verb))
        goal = partial(Goal, vm, verb.ends, failed=verb.failed, grace=5, limit=context.limit(verb.limit))
        report = _report if verb is verbs[-1] else machine.seen
        yield Wait(f"wait until {'/'.join(sorted(verb.ends))}", goal, report)


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
        if verb is START and self.note.noted and self.vm.status not in ASLEEP:
            self.context.manager.act(self.vm, verb.action, vm=Vm(boot=self.note.noted))
            self.note.write(self.context.host, ())
        else:
            self.context.manager.act(self.vm, verb.action)


def _report(vm: Vm) -> list[Data]:
    return [Data("on" if vm.status in ON else shown(vm), vm.name or "")]


def shown(vm: Vm) -> str:
    """The power state as xCAT words it: on, off, else the manager's word."""
    return SHOWN.get(vm.status or "", vm.status or "unknown")


def _plan_hosts(context: Context, word: str, nodes: list[str]) -> Plan:
    found = context.manager.find(Host, nodes) if nodes else {}
    for node in nodes:
        host = found.get(node)
        if host is None:
            yield Error(f"no host of that name on {context.manager.name}. Run: chhypervisor {node} -a", node)
        elif word in ASKING:
            yield Job(node, [Step("ask the power management", partial(_fence, context.manager, host, node, "status"))])
        elif word not in FENCING:
            yield Error(f"'{word}' does not exist for a hypervisor. Use on, off, boot or stat", node)
        else:
            kind = FENCING[word]
            yield Job(node, [Step(f"fence: {kind}", partial(_fence, context.manager, host, node, kind))])


def _fence(manager: Manager, host: Host, node: str, kind: str) -> list[Data]:
    return [Data(manager.fence(host, kind), node)]
