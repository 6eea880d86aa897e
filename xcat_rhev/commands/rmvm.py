"""rmvm: remove virtual machines."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.nouns import Disk, Vm
from ..engine.states import VM_OFF, VM_PASSING, VmStatus
from ..engine.waiting import GONE, Goal
from ..errors import Conflict, RhevError, Usage
from ..messages import Data, Error, Message
from ..ordering import natural
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step, Wait
from ..rows.vmsettings import set_value
from .vm.leaving import removable_disks, waits
from .vm.machines import NOT_DEFINED, find, uncertain

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
        "they are named then. lsve -t disk lists them, chvm --attach gives them to a machine, cfgve -t disk -r removes "
        "them. Engines before RHEV 3.1, and machines that depend on a template, cannot keep their disks, so -p is "
        "needed there. A disk that other machines share stays in any case. If a machine does not exist, there is "
        "nothing to do. The command ends when the machine is gone, and with -p its disks."
    ),
    examples=(
        ("rmvm vm1-vm3 -p", "remove three machines with their disks"),
        ("rmvm vm1 -f", "even if it runs"),
        ("rmvm vm1-vm30 -f -p --dry-run", "show what would be removed"),
    ),
)


#: Off; or with an illegal image, for which engines 4.x give no state.
_REMOVABLE = frozenset({VmStatus.DOWN, VmStatus.IMAGE_ILLEGAL, None})


def plan(context: Context) -> Plan:
    """Find all machines with one search, then plan a job for each."""
    purge = "purge" in context.options
    found = find(context, details=not purge, also=Disk if purge else None)
    texts = context.attrs("vm", "othersettings")
    for node in context.nodes:
        vm = found.get(node)
        if node in found.several:
            yield found.lack(node)
            continue
        if vm is None:
            yield Job(node, idle=f"{NOT_DEFINED} There is nothing to do")
            continue
        refusal = _refusal(context, vm, texts[node].get("othersettings", ""))
        if refusal:
            yield Error(refusal, node)
        else:
            yield Job(node, list(_parts(context, vm)))


def _refusal(context: Context, vm: Vm, settings: str) -> str:
    if vm.delete_protected:
        text = set_value(settings, "delete_protected", "no")
        return (
            "the machine is protected against deletion. "
            f"Run: chtab node={vm.name} 'vm.othersettings={text}', then chvm {vm.name}"
        )
    if vm.disks and "purge" not in context.options and not context.manager.keeps_disks:
        return f"RHEV 3.0 cannot keep a machine's disks. To remove them as well run: rmvm {vm.name} -p"
    if vm.status not in _REMOVABLE | VM_PASSING and "force" not in context.options:
        other = f"the machine is {vm.status}. Run: rmvm {vm.name} -f, or rpower {vm.name} off first"
        return uncertain(vm) or other
    return ""


def _parts(context: Context, vm: Vm) -> Iterator[Step | Wait]:
    # Somebody else's removal may end before ours begins.
    down = partial(Goal, vm, VM_OFF | {GONE}, limit=context.limit(300))
    if vm.status in VM_PASSING:
        yield Wait(f"wait until no longer {vm.status}", down)
    elif vm.status not in _REMOVABLE:
        yield Step("stop", partial(_stop, context, vm))
        yield Wait("wait until down", down)
    disks = "with its disks" if "purge" in context.options else "and keep its disks"
    yield Step(f"remove it {disks}", partial(_remove, context, vm))
    gone = partial(Goal, vm, frozenset({GONE}), limit=context.limit(600))
    going = removable_disks(context.manager, vm.disks or ()) if "purge" in context.options else []
    yield Wait("wait until it is gone", gone, partial(_over, context, vm, not going))
    yield from waits(context.manager, vm, going, context.limit(600), partial(_over, context, vm, True))


def _over(context: Context, vm: Vm, last: bool, _: object) -> list[Message]:
    return list(_result(context, vm)) if last else []


def _stop(context: Context, vm: Vm) -> None:
    context.manager.act(vm, "stop")


def _remove(context: Context, vm: Vm) -> None:
    if not vm.disks or "purge" in context.options:
        context.manager.remove(vm)
        return
    try:
        context.manager.remove(vm, detach_only=True)
    except (Conflict, Usage) as problem:
        raise _with_hint(problem, f"To remove its disks as well run: rmvm {vm.name} -p") from None


def _with_hint(problem: RhevError, hint: str) -> RhevError:
    return type(problem)(problem.text, hint)


def _result(context: Context, vm: Vm) -> Iterator[Message]:
    node = vm.name
    yield Data("succeeded.", node)
    if vm.disks and "purge" not in context.options:
        names = [disk.name for disk in vm.disks]
        told = (disk.name if disk.name and names.count(disk.name) == 1 else disk.id for disk in vm.disks)
        yield Data(f"kept its disks: {', '.join(sorted(told, key=natural))}", node)
