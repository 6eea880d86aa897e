"""rpower: the power of virtual machines, and of hypervisors by the manager's fencing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..engine.manager import Manager
from ..engine.nouns import Host, Vm
from ..engine.waiting import Goal
from ..errors import Usage
from ..jobs import Job, Step, Wait
from ..messages import Data, Error
from .common import Command, Context, Place, Plan

SPEC = Command(
    name="rpower",
    summary="power of virtual machines and hypervisors",
    usage="noderange [on|off|softoff|reset|boot|cycle|suspend|resume|stat|state|status]",
    place=Place.MANAGER,
    routes=("nodehm:power,mgt",),
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
        "A command ends when the state is reached: off means that the manager says so. A machine whose disks are locked "
        "or which is on its way down is waited for first. Power is on as soon as the machine runs, not when its guest "
        "is up. A node whose hypervisor.type is set is a hypervisor: its power goes through the manager's fencing, and "
        "suspend, resume and softoff do not exist for it."
    ),
    examples=(("rpower vm1-vm3 on", "start three machines"), ("rpower vm1 softoff --timeout 600", "wait ten minutes")),
)

RUNNING = frozenset({"up", "powering_up", "reboot_in_progress", "migrating", "wait_for_launch", "not_responding"})
ASLEEP = frozenset({"suspended", "paused"})
OFF = frozenset({"down"})
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
        limit: How long that usually takes at most, in seconds.
        failed: States which mean that it will not get there.
    """

    action: str
    begins: frozenset[str]
    ends: frozenset[str]
    limit: float
    failed: frozenset[str] = frozenset()


START = Verb("start", OFF | ASLEEP, frozenset({"up", "powering_up"}), 300, OFF)
STOP = Verb("stop", RUNNING | ASLEEP, OFF, 300)
VERBS: dict[str, tuple[Verb, ...]] = {
    "on": (START,),
    "off": (STOP,),
    "softoff": (Verb("shutdown", RUNNING, OFF, 600),),
    "reset": (STOP, START),
    "suspend": (Verb("suspend", frozenset({"up"}), frozenset({"suspended"}), 900),),
    "resume": (Verb("start", ASLEEP, frozenset({"up", "powering_up"}), 300, OFF),),
}


def plan(context: Context) -> Plan:
    """Find all machines with one search, then say what each needs."""
    word = _word(context)
    types = context.attrs("hypervisor", "type")
    hosts = [node for node in context.nodes if types[node].get("type")]
    yield from _plan_vms(context, word, [node for node in context.nodes if node not in hosts])
    yield from _plan_hosts(context, word, hosts)


def _word(context: Context) -> str:
    if len(context.words) != 1:
        raise Usage("rpower takes one word that says what to do", f"Usage: rpower {SPEC.usage}")
    word = {"boot": "reset", "cycle": "reset"}.get(context.words[0], context.words[0])
    if word not in VERBS and word not in ASKING:
        raise Usage(f"rpower does not know '{context.words[0]}'", f"Usage: rpower {SPEC.usage}")
    return word


def _plan_vms(context: Context, word: str, nodes: list[str]) -> Plan:
    found = context.manager.find(Vm, nodes) if nodes else {}
    for node in nodes:
        vm = found.get(node)
        if vm is None:
            yield Error(f"no virtual machine of that name on {context.manager.name}. Run: mkvm {node}", node)
        elif word in ASKING:
            yield Data(shown(vm), node)
        else:
            yield from _job(context, word, node, vm)


def _job(context: Context, word: str, node: str, vm: Vm) -> Plan:
    state = vm.status or "unknown"
    verbs = VERBS[word]
    if word == "reset" and context.words[0] == "reset" and state in OFF:
        yield Error(f"the machine is off, there is nothing to reset. Run: rpower {node} on", node)
        return
    if word == "reset" and state in OFF | PASSING:
        verbs = (START,)
    if word == "resume" and state in OFF:
        yield Error(f"the machine is off, there is nothing to resume. Run: rpower {node} on", node)
        return
    if state in verbs[-1].ends and len(verbs) == 1 or (word, state) in (("on", "wait_for_launch"), ("softoff", "down")):
        yield Job(node, idle=shown(vm))
        return
    yield Job(node, list(_parts(context, vm, verbs, state)))


def _parts(context: Context, vm: Vm, verbs: tuple[Verb, ...], state: str) -> Iterator[Step | Wait]:
    for verb in verbs:
        if state in PASSING:
            yield Wait(
                f"wait until no longer {state}",
                partial(Goal, vm, verb.begins | verb.ends, limit=context.limit(verb.limit), settled="down" in verb.begins),
            )
        yield Step(verb.action, partial(_act, context.manager, vm, verb.action))
        goal = partial(Goal, vm, verb.ends, failed=verb.failed, grace=5, limit=context.limit(verb.limit))
        last = verb is verbs[-1]
        yield Wait(f"wait until {'/'.join(sorted(verb.ends))}", goal, partial(_report, last))
        state = ""


def _act(manager: Manager, vm: Vm, action: str) -> None:
    manager.act(vm, action)


def _report(last: bool, vm: Vm) -> list[Data]:
    return [Data({"powering_up": "on"}.get(vm.status or "", shown(vm)), vm.name or "")] if last else []


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
        elif context.words[0] not in FENCING:
            yield Error(f"'{context.words[0]}' does not exist for a hypervisor. Use on, off, boot or stat", node)
        else:
            kind = FENCING[context.words[0]]
            yield Job(node, [Step(f"fence: {kind}", partial(_fence, context.manager, host, node, kind))])


def _fence(manager: Manager, host: Host, node: str, kind: str) -> list[Data]:
    return [Data(manager.fence(host, kind), node)]
