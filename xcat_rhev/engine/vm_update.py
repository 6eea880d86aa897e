"""Changes of a VM: what goes along with them, and what becomes of them while it runs.

An engine begins a plain change with what runs and then throws away what waited for the next start; with `next_run` it
begins with what waits, and plugs nothing (BackendVmResource.update, UpdateVmCommand; 3.5 to 4.5). So only what can be
plugged is sent plainly, and that only while nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Callable

from ..errors import Conflict, Locked, Usage
from .calls import Calls
from .nouns import EngineJob, GraphicsConsole, Vm
from .states import VM_STARTING, JobStatus, VmStatus
from .untaken import untaken

#: What a running machine takes at once, however it is sent.
AT_ONCE = frozenset({
    "name", "description", "comment", "delete_protected", "ha", "ha_priority", "affinity", "placement_hosts",
    "initialization",
})  # fmt: skip
#: What else can be waiting for the next start.
_HARDWARE = (
    "type", "memory", "memory_guaranteed", "memory_max", "sockets", "cores", "threads", "os_type", "boot", "kernel",
    "initrd", "cmdline", "stateless", "lease", "display_type", "monitors", "timezone", "custom_properties",
    "cpu_pins", "cpu_mode", "emulated_machine", "numa_tune_mode",
    "bios_type", "io_threads",
)  # fmt: skip
#: What no engine shows before the next start.
_UNSEEN = frozenset({"console", "tpm"})
#: Engines 4.x have a maximum, which API v3 neither shows nor changes.
_MAXIMUM = "maximum memory size"
_RAISED_IN_V4 = "API v3 cannot raise that maximum, v4 can. If site.rhevmapi is 3, run: chtab key=rhevmapi site.value="
#: Nothing of the machine is in use then, so all is taken at once.
_OFF = frozenset({None, VmStatus.DOWN, VmStatus.IMAGE_LOCKED, VmStatus.IMAGE_ILLEGAL})


def change(calls: Calls, vm: Vm, differing: dict[str, Any], along: dict[str, Any]) -> Vm:
    """Change a VM; `next_run` of the answer says whether something of this waits for the next start.

    Args:
        calls: Of its manager.
        vm: As it is stored, its status and whether something waits aside.
        differing: What should be otherwise.
        along: What is as it should be and has to be named with each change.

    Raises:
        Conflict: The engine says that it is done, and it is not.
    """
    try:
        return _send(calls, vm, {**differing, **kept_along(vm, differing)}, along)
    except (Conflict, Usage) as problem:
        if calls.dialect.major == 3 and _MAXIMUM in problem.text:
            raise type(problem)(problem.text, _RAISED_IN_V4) from None
        raise


def _send(calls: Calls, vm: Vm, differing: dict[str, Any], along: dict[str, Any]) -> Vm:
    """Send a change, in two parts where some of it can be plugged in and the rest has to wait."""
    path = calls.path(vm)
    if vm.status in _OFF or not calls.dialect.since((3, 5)):
        return calls.change(vm, path, {**differing, **along})
    changed = vm
    now = {} if vm.next_run else _pluggable(vm, differing)
    if now:
        changed, differing = _plug(calls, vm, now, along, differing)
    if differing:
        changed = _keep(calls, vm, path, {**differing, **along})
    return changed.replace(next_run=not AT_ONCE.issuperset(differing))


def too_early(vm: Vm, differing: Mapping[str, Any], jobs: Callable[[], Iterable[EngineJob]]) -> bool:
    """Whether the engine would lose a change.

    What waits since before a machine was up for the first time is refused as a whole when it goes off: its field
    `initialized` is another by then. And what waits is taken over a moment after the engine calls the machine down,
    and covers what was changed in between (ProcessDownVmCommand, ObjectIdentityChecker; 0.7 s seen on 4.5).
    """
    waits = not AT_ONCE.issuperset(differing)
    if vm.status == VmStatus.UP and waits and not vm.next_run:
        return is_launching(vm, jobs())
    return (vm.status in VM_STARTING and waits) or bool(vm.status == VmStatus.DOWN and vm.next_run)


def is_launching(vm: Vm, jobs: Iterable[EngineJob]) -> bool:
    """Whether a VM that is up is still being started.

    The engine ends the job, and sets `initialized`, a moment after it calls the machine up
    (RunVmCommandBase.runningSucceded; 0.8 s seen on a busy 4.5).
    """
    words = f"Launching VM {vm.name}"
    return any(
        job.status == JobStatus.STARTED and (job.description or "").split(" on Host")[0] == words for job in jobs
    )


def _pluggable(vm: Vm, differing: dict[str, Any]) -> dict[str, Any]:
    """What may be put into a running machine: more memory within its maximum, more sockets if nothing else of its
    CPUs changes, a lease; and with it what is taken at once in any case."""
    memory, sockets = differing.get("memory", 0), differing.get("sockets", 0)
    names = {"lease"}
    if vm.status == VmStatus.UP and (vm.memory or 0) < memory <= (vm.memory_max or memory):
        names |= {"memory", "memory_guaranteed"}
    if vm.status == VmStatus.UP and sockets > (vm.sockets or 1) and not {"cores", "threads"} & set(differing):
        names |= {"sockets"}
    found = {name: value for name, value in differing.items() if name in names}
    soft = {name: value for name, value in differing.items() if name in AT_ONCE}
    return {**found, **soft} if found or len(soft) == len(differing) else {}


def _plug(
    calls: Calls, vm: Vm, now: dict[str, Any], along: dict[str, Any], differing: dict[str, Any]
) -> tuple[Vm, dict[str, Any]]:
    """Send what can be plugged; what is left has to wait: memory comes in steps, a host may have none to give."""
    try:
        changed = calls.change(vm, calls.path(vm), {**now, **along}, check=False)
    except (Conflict, Usage) as problem:
        if isinstance(problem, Locked) or AT_ONCE.issuperset(now):
            raise
        return vm, differing
    left = untaken(changed, now, calls.dialect)
    return changed, {name: value for name, value in differing.items() if name not in now or name in left}


def _keep(calls: Calls, vm: Vm, path: str, differing: dict[str, Any]) -> Vm:
    """Send what waits for the next start, and look whether it does: the answer shows some of it as it runs."""
    if vm.next_run:
        differing = {**_pending_values(calls, path), **differing}
    changed = calls.change(vm, calls.dialect.address(path, next_run="true"), differing, check=False)
    seen = {name: value for name, value in differing.items() if name not in _UNSEEN}
    if untaken(changed, seen, calls.dialect):
        calls.refuse_untaken(next_run(calls, path), seen)
    return changed


def _pending_values(calls: Calls, path: str) -> dict[str, Any]:
    """What waits already and is forgotten unless it is sent again: before 4.2 all of it, later the display."""
    if not calls.dialect.has("next_run_adds"):
        runs, waits = calls.get(Vm, path, everything=True), next_run(calls, path)
        return runs.differences({name: getattr(waits, name) for name in _HARDWARE if getattr(waits, name)})
    consoles = f"{path}/{GraphicsConsole.PATH}"
    stored, current = (_displays(calls, each) for each in (consoles, f"{consoles}?current=true"))
    return {"display_type": stored[0]} if len(stored) == 1 and stored != current else {}


def next_run(calls: Calls, path: str) -> Vm:
    """A VM as its next start will have it; a display that waits is shown by the list of consoles alone (4.5)."""
    waits = calls.get(Vm, path, everything=True, next_run="true")
    asked = waits.next_run and calls.dialect.has("consoles")
    displays = _displays(calls, f"{path}/{GraphicsConsole.PATH}") if asked else []
    return waits.replace(display_type=displays[0]) if len(displays) == 1 else waits


def _displays(calls: Calls, path: str) -> list[str]:
    consoles = calls.list(GraphicsConsole, path)
    return [console.protocol for console in consoles if console.protocol]


def kept_along(vm: Vm, differing: dict[str, Any]) -> dict[str, Any]:
    """What has to be sent with a change so that the engine neither refuses it nor changes something else.

    Guaranteed memory above the memory, and a maximum below it, are refused. An affinity that comes without hosts takes
    the machine off the hosts that it prefers (since 3.6, VmMapper).
    """
    memory = differing.get("memory")
    more: dict[str, Any] = {}
    if memory and "memory_guaranteed" not in differing and (vm.memory_guaranteed or 0) > memory:
        more["memory_guaranteed"] = memory
    if memory and "memory_max" not in differing and 0 < (vm.memory_max or 0) < memory:
        more["memory_max"] = memory
    if "affinity" in differing and vm.placement_hosts:
        more.setdefault("placement_hosts", differing.get("placement_hosts", vm.placement_hosts))
    return more
