"""The power of virtual machines: from which states each verb may begin, and what it leads to."""

from __future__ import annotations

from ..answers import Done, Many
from ..call import Call, require
from ..dialect import NEVER, Thing
from ..faults import BAD, Refused, refuse
from ..routing import get, verb
from ..states import effect
from ..world import World
from .common import task_of
from .vms import NOT_RUNNING, copy_parts
from .vmshape import VM

RUNNING = frozenset(
    {
        "up",
        "powering_up",
        "paused",
        "migrating",
        "not_responding",
        "wait_for_launch",
        "reboot_in_progress",
        "powering_down",
        "unknown",
        "saving_state",
        "restoring_state",
    }
)
MIGRATABLE = frozenset({"up", "powering_up", "paused", "reboot_in_progress"})
SHOWN_STATE = {"powering_up": "Powering Up", "image_locked": "Image Locked", "powering_down": "Powering Down"}


def hosts_for(world: World, vm: Thing, besides: str | None = None) -> list[Thing]:
    """Give the hosts that can run a machine, the emptiest first.

    Args:
        world: Where they are.
        vm: The machine; its cluster and, if it is pinned, its hosts count.
        besides: A host that does not count.
    """
    fit = [
        host
        for host in world.of("host", "cluster", vm["cluster"])
        if host["status"] == "up" and host["id"] != besides and (not vm.get("pinned") or host["id"] in vm["pinned"]
                                                                 or vm.get("affinity") == "migratable")
    ]
    preferred = vm.get("pinned") or ()
    return sorted(fit, key=lambda host: (host["id"] not in preferred, world.count("vm", "host", host["id"])))


def _place(call: Call, vm: Thing, action: str) -> Thing:
    """Choose a host for a start.

    Raises:
        Refused: No host is up, or none has the memory.
    """
    hosts = hosts_for(call.world, vm)
    if not hosts:
        raise refuse("no host", call.dialect, action=action)
    for host in hosts:
        if host["memory"] >= vm["memory"]:
            return host
    raise refuse("no memory", call.dialect, action=action)


def _free(call: Call, vm: Thing, action: str) -> None:
    """Refuse while the machine or one of its disks is locked."""
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action=action)
    locked = [disk["name"] for disk in call.world.of("disk", "vm", vm["id"]) if disk["status"] == "locked"]
    if locked:
        raise refuse("disks locked", call.dialect, action=action, names=", ".join(locked))


def start(call: Call) -> Done:
    """Start a machine, go on with a paused or suspended one; `vm` in the body counts for this run only."""
    vm, world = call.things["vm"], call.world
    _free(call, vm, "run")
    if vm["status"] == "paused":
        world.move(vm, "vm.resume")
        return Done(VM, vm)
    if vm["status"] == "suspended":
        _run_on(call, vm, _place(call, vm, "run"), "vm.restore")
        return Done(VM, vm)
    if vm["status"] != "down":
        raise refuse("vm running", call.dialect)
    run = _run_once(call)
    wanted = {**vm, **run}
    _bootable(call, wanted)
    world.change(vm, run=run, run_once=bool(run) or call.dialect.version < (3, 1))
    _run_on(call, vm, _place(call, wanted, "run"), "vm.start_paused" if call.yes("pause") else "vm.start")
    return Done(VM, vm)


def _run_once(call: Call) -> Thing:
    """Read what counts for this run only."""
    element = call.part("vm")
    if element is None:
        return {}
    run = call.read(VM, element)
    if run.get("pinned"):
        run["pinned"] = [call.look_up("host", said)["id"] for said in run["pinned"]]
    return {key: value for key, value in run.items() if key not in {"cluster", "template", "id", "name"}}


def _bootable(call: Call, vm: Thing) -> None:
    """Refuse a first boot device that is not there."""
    first = (vm.get("boot") or ["hd"])[0]
    disks = [disk for disk in call.world.of("disk", "vm", vm["id"]) if disk.get("active", True)]
    if first == "network" and not call.world.of("nic", "vm", vm["id"]):
        raise refuse("no boot nic", call.dialect)
    if first == "hd" and len(vm.get("boot") or ()) < 2 and not any(disk["status"] == "ok" for disk in disks):
        raise refuse("no boot disk", call.dialect)


def _run_on(call: Call, vm: Thing, host: Thing, operation: str) -> None:
    world = call.world
    port = 5900 + world.count("vm", "host", host["id"]) % 1000
    spice = {"display_secure_port": port + 1000} if vm.get("display_type") == "spice" else {}
    world.change(
        vm,
        host=host["id"],
        start_time=world.now(),
        display_address=host["address"],
        display_port=port,
        stop_reason=None,
        **spice,
    )
    world.event(32, "normal", f"VM {vm['name']} started on Host {host['name']}", vm=vm["id"], host=host["id"])
    world.move(vm, operation, effect="vm up")


@effect("vm up")
def came_up(world: World, vm: Thing, _end: Thing) -> None:
    """Let the guest say who it is."""
    if vm["status"] == "up":
        last = int(vm["id"][-4:], 16)
        world.change(vm, fqdn=f"{vm['name']}.example.com", guest_ips=[f"10.64.{last >> 8}.{last & 255}"])


@effect("vm down")
def went_down(world: World, vm: Thing, end: Thing) -> None:
    """Take a machine off its host; what was for this run only is gone, what waited for the next run counts."""
    if vm["status"] not in NOT_RUNNING:
        return
    text = "shut down" if end.get("how") == "shutdown" else "is down"
    world.event(
        61, "normal", f"VM {vm['name']} {text}.", vm=vm["id"], **({"host": vm["host"]} if vm.get("host") else {})
    )
    world.change(vm, **_OFF)
    if vm["status"] == "down":
        world.change(vm, **vm.get("next_run", {}))
        world.change(vm, run={}, run_once=False, next_run={}, next_run_exists=False)


_OFF: Thing = {
    "host": None,
    "display_address": None,
    "display_port": None,
    "display_secure_port": None,
    "fqdn": None,
    "guest_ips": [],
}


def _need(call: Call, states: frozenset[str], situation: str, action: str) -> Thing:
    """Refuse a verb that cannot begin in the machine's state."""
    vm = call.things["vm"]
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action=action)
    if vm["status"] not in states:
        raise refuse(situation, call.dialect, action=action, state=SHOWN_STATE.get(vm["status"], vm["status"].title()))
    return vm


def stop(call: Call) -> Done:
    """Cut the power; a suspended machine forgets its saved state."""
    vm = _need(call, RUNNING | {"suspended"}, "vm not running", "stop")
    call.world.change(vm, stop_time=call.world.now(), stop_reason=call.text("reason") or None)
    call.world.move(vm, "vm.stop", effect="vm down")
    return Done(VM, vm)


def shutdown(call: Call) -> Done:
    """Ask the guest to shut down; one that has no system to boot may not listen, which a fault plan can say."""
    vm = _need(call, RUNNING - {"paused", "saving_state", "restoring_state"}, "vm not running", "shutdown")
    call.world.change(vm, stop_time=call.world.now(), stop_reason=call.text("reason") or None)
    call.world.move(vm, "vm.shutdown", effect="vm down", how="shutdown")
    return Done(VM, vm)


def reboot(call: Call) -> Done:
    """Restart the guest."""
    vm = _need(call, frozenset({"up", "powering_up"}), "vm status", "restart")
    call.world.move(vm, "vm.reboot")
    return Done(VM, vm)


def reset(call: Call) -> Done:
    """Restart the machine as its reset button does."""
    vm = _need(call, RUNNING, "vm not running", "reset")
    return Done(VM, vm)


def suspend(call: Call) -> Done:
    """Write the memory to disk and stop."""
    vm = _need(call, frozenset({"up"}), "vm not up", "hibernate")
    call.world.move(vm, "vm.suspend", effect="vm down")
    return Done(VM, vm, pending=True)


def migrate(call: Call) -> Done:
    """Move a running machine to another host of its cluster, one that is named or the emptiest."""
    vm, world = call.things["vm"], call.world
    _need(call, MIGRATABLE, "vm not running", "migrate")
    if vm.get("affinity") == "pinned" or (vm.get("affinity") == "user_migratable" and not call.yes("force")):
        raise refuse("pinned", call.dialect)
    target = call.named_part("host", "host")
    if target is None:
        hosts = hosts_for(world, vm, vm["host"])
        if not hosts:
            raise refuse("no host", call.dialect, action="migrate")
        target = hosts[0]
    if target["id"] == vm["host"]:
        raise refuse("same host", call.dialect)
    if target["status"] != "up" or target["cluster"] != vm["cluster"]:
        raise refuse("no host", call.dialect, action="migrate")
    move_to(world, vm, target)
    return Done(VM, vm)


def move_to(world: World, vm: Thing, target: Thing) -> None:
    """Let a machine migrate; it counts for its old host until it has arrived."""
    world.event(62, "normal", f"Migration started (VM: {vm['name']}, Destination: {target['name']}).", vm=vm["id"])
    world.move(vm, "vm.migrate", host=target["id"], display_address=target["address"], effect="vm migrated")


@effect("vm migrated")
def migrated(world: World, vm: Thing, _end: Thing) -> None:
    """Say that a machine has arrived."""
    target = world.the("host", vm["host"])
    text = f"Migration completed (VM: {vm['name']}, Destination: {target['name']})."
    world.event(63, "normal", text, vm=vm["id"], host=target["id"])


def cancel_migration(call: Call) -> Done:
    """Leave a machine where it was."""
    vm = _need(call, frozenset({"migrating"}), "vm status", "cancel migration of")
    vm["turn"] += 1
    call.world.change(vm, status="up")
    return Done(VM, vm)


def ticket(call: Call) -> Done:
    """Give a password for the console, the caller's own or a made one."""
    vm = _need(call, RUNNING, "vm not running", "set Virtual Machine Ticket of")
    return Done(VM, vm, {"ticket": ticket_text(call)})


def ticket_text(call: Call) -> str:
    """Write a ticket: its value and how many seconds it lives."""
    value = call.text("ticket/value") or f"{call.world.random.getrandbits(48):012x}"
    return f"<ticket><value>{value}</value><expiry>{call.text('ticket/expiry') or 7200}</expiry></ticket>"


def clone(call: Call) -> Done:
    """Make an independent copy of a machine that is down."""
    vm, world = call.things["vm"], call.world
    _free(call, vm, "clone")
    if vm["status"] != "down":
        raise refuse("vm down only", call.dialect, action="clone")
    element = call.part("vm")
    values: Thing = call.read(VM, element) if element is not None else {}
    require(values, ("Action", "Action"), ("name:vm.name",), call.dialect)
    if world.exactly("vm", values["name"]):
        raise Refused("Cannot clone VM. The VM name is already in use, please choose a unique name and try again.")
    keep = {k: v for k, v in vm.items() if k not in {"id", "kind", "v", "turn", "run", "next_run"}}
    copy = world.add("vm", **{**keep, "name": values["name"], "creation_time": world.now(), "status": "down"})
    copy_parts(world, vm, copy, None, True)
    for each in (vm, copy):
        world.move(each, "vm.lock" if each is vm else "vm.copy")
    return Done(VM, vm, pending=True)


def export(call: Call) -> Done:
    """Copy a machine to an export domain, which lists it from then on, or to a file."""
    vm = _need(call, frozenset({"down"}), "vm down only", "export")
    target = call.named_part("storage_domain", "storage_domain")
    if target is None and not call.text("filename"):
        raise Refused("Action [storageDomain.id|name] required for export", BAD, "Incomplete parameters")
    if target is not None:
        others = [one for one in target.get("vms", ()) if one["id"] != vm["id"]]
        call.world.change(target, vms=[*others, dict(vm)])
    call.world.move(vm, "vm.lock")
    return Done(VM, vm, pending=True)


def exported(call: Call) -> Many:
    """List what was copied to an export domain."""
    return Many(VM, call.things["storage_domain"].get("vms", []))


def nothing(call: Call) -> Done:
    """Accept a verb whose effect cannot be seen from outside."""
    return Done(VM, call.things["vm"])


ROUTES = (
    verb("/vms/{vm}/start", start, "start, or go on after pause or suspend; run once"),
    verb("/vms/{vm}/stop", stop, "cut the power"),
    verb("/vms/{vm}/shutdown", shutdown, "ask the guest to shut down"),
    verb("/vms/{vm}/reboot", reboot, "restart the guest", since3=(3, 4)),
    verb("/vms/{vm}/reset", reset, "press the reset button", since3=NEVER, since4=(4, 4)),
    verb("/vms/{vm}/suspend", suspend, "write the memory to disk and stop"),
    verb("/vms/{vm}/migrate", migrate, "move to another host"),
    verb("/vms/{vm}/cancelmigration", cancel_migration, "stay where it is"),
    verb("/vms/{vm}/ticket", ticket, "set a console password"),
    verb("/vms/{vm}/clone", clone, "copy a machine", since3=(3, 5)),
    verb("/vms/{vm}/export", export, "copy to an export domain"),
    get("/storagedomains/{storage_domain}/vms", exported, "list the machines on an export domain"),
    verb("/vms/{vm}/logon", nothing, "log on to the guest's desktop", since3=(3, 5)),
    verb("/vms/{vm}/maintenance", nothing, "the hosted engine's maintenance mode", since3=(3, 4)),
    verb("/vms/{vm}/freezefilesystems", nothing, "freeze the guest's file systems", since3=(3, 5)),
    verb("/vms/{vm}/thawfilesystems", nothing, "thaw them", since3=(3, 5)),
    verb("/vms/{vm}/reordermacaddresses", nothing, "reorder MAC addresses", since3=(3, 4)),
    task_of(VM),
)
