"""rmvm: remove virtual machines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..engine.nouns import Vm
from ..engine.waiting import GONE, Goal
from ..errors import Conflict, RhevError, Usage
from ..jobs import Job, Step, Wait
from ..messages import Data, Error, Message
from .common import VM_ROUTES, Command, Context, Option, Place, Plan
from .vm.machines import NOT_DEFINED, find, no_words

SPEC = Command(
    name="rmvm",
    summary="remove virtual machines",
    usage="noderange [-f] [-p] [-r]",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(("-f", "--force"), "force", "cut the power of a machine that runs, then remove it"),
        Option(("-p", "--purge"), "purge", "remove its disks as well"),
        Option(("-r", "--retain"), "retain", "keep the node's rows in xCAT's tables, as is always done"),
    ),
    description=(
        "A machine that runs is refused unless -f is given. Its disks stay on their storage domain unless -p is given; "
        "they are named then. Engines before RHEV 3.1, and machines that hang on a template, cannot do without their "
        "disks, so -p is needed there. A machine that does not exist is nothing to do. The command ends when the "
        "machine is gone."
    ),
    examples=(("rmvm vm1-vm3 -p", "remove three machines with their disks"), ("rmvm vm1 -f", "even if it runs")),
)

OFF = "down"
PASSING = frozenset({"image_locked", "powering_down", "saving_state", "restoring_state"})


def plan(context: Context) -> Plan:
    """Find all machines with one search, then say what each needs."""
    no_words(context, f"rmvm {SPEC.usage}")
    found = find(context, details="purge" not in context.options)
    for node in context.nodes:
        vm = found.get(node)
        if node in found.several:
            yield found.lack(node)
            continue
        if vm is None:
            yield Job(node, idle=f"{NOT_DEFINED} There is nothing to do")
            continue
        refusal = _refusal(context, vm)
        if refusal:
            yield Error(refusal, node)
        else:
            yield Job(node, list(_parts(context, vm)))


def _refusal(context: Context, vm: Vm) -> str:
    if vm.delete_protected:
        return "the machine is protected against deletion. Take delete_protected out of vm.othersettings, run chvm"
    if vm.status not in PASSING | {OFF} and "force" not in context.options:
        return f"the machine is {vm.status}. Run: rmvm {vm.name} -f, or rpower {vm.name} off first"
    return ""


def _parts(context: Context, vm: Vm) -> Iterator[Step | Wait]:
    # Somebody else's removal may end before ours begins.
    down = partial(Goal, vm, frozenset({OFF, GONE}), limit=context.limit(300))
    if vm.status in PASSING:
        yield Wait(f"wait until no longer {vm.status}", down)
    elif vm.status != OFF:
        yield Step("stop", partial(_stop, context, vm))
        yield Wait("wait until down", down)
    disks = "with its disks" if "purge" in context.options else "and keep its disks"
    yield Step(f"remove it {disks}", partial(_remove, context, vm))
    gone = partial(Goal, vm, frozenset({GONE}), limit=context.limit(600))
    yield Wait("wait until it is gone", gone, lambda _: _said(context, vm))


def _stop(context: Context, vm: Vm) -> None:
    context.manager.act(vm, "stop")


def _remove(context: Context, vm: Vm) -> None:
    if not vm.disks:  # there are none, or nobody asked because they go as well
        context.manager.remove(vm)
        return
    try:
        context.manager.remove(vm, detach_only=True)
    except (Conflict, Usage) as problem:
        raise _with_hint(problem, f"To remove its disks as well run: rmvm {vm.name} -p") from None


def _with_hint(problem: RhevError, hint: str) -> RhevError:
    return type(problem)(problem.text, hint)


def _said(context: Context, vm: Vm) -> Iterator[Message]:
    node = vm.name
    yield Data("succeeded.", node)
    if vm.disks:
        names = ", ".join(sorted(disk.name or disk.id for disk in vm.disks))
        yield Data(f"kept its disks: {names}", node)
