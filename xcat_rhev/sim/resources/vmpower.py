"""The power of virtual machines: from which states each verb may begin, and what it leads to."""

from __future__ import annotations

from ..answers import ActionDone, Many
from ..call import ApiCall, require
from ..dialect import NEVER, Thing
from ..faults import BAD, MISSING, Refused, refuse
from ..render import reference
from ..routing import get, verb
from ..states import effect
from ..world import World
from . import ova
from .clusters import policy_of
from .common import task_of
from .policies import MAINTENANCE
from .sharing import disks_of
from .vms import NOT_RUNNING, copy_parts
from .vmshape import VM, hosts_told

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
SHOWN_STATE = {"wait_for_launch": "Wait for Launch"}


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
        if host["status"] == "up"
        and host["id"] != besides
        and (not vm.get("pinned") or host["id"] in vm["pinned"] or vm.get("affinity") == "migratable")
    ]
    preferred = vm.get("pinned") or ()
    return sorted(fit, key=lambda host: (host["id"] not in preferred, world.count("vm", "host", host["id"])))


def nobody(call: ApiCall, action: str) -> Refused:
    """Refuse where no host can take a machine; since 4.0 the scheduler says so."""
    if call.dialect.modern:
        return refuse("vm nobody", call.dialect, BAD)
    return refuse("no host", call.dialect, action=action)


def _place(call: ApiCall, vm: Thing, action: str) -> Thing:
    """Choose a host for a start.

    Raises:
        Refused: No host is up, or none has the memory.
    """
    hosts = hosts_for(call.world, vm)
    if not hosts:
        raise nobody(call, action)
    cluster = call.world.the("cluster", vm["cluster"])
    if policy_of(cluster)["scheduling_policy"] == MAINTENANCE and not vm.get("ha"):
        raise refuse("vm cluster maintenance", call.dialect, action=action, host=hosts[0]["name"])
    for host in hosts:
        if host["memory"] >= vm["memory"]:
            return host
    raise refuse("no memory", call.dialect, action=action)


def state_shown(vm: Thing) -> str:
    """Name a machine's state as refusals do: `Wait for Launch`."""
    return SHOWN_STATE.get(vm["status"]) or vm["status"].replace("_", " ").title()


def _free(call: ApiCall, vm: Thing, action: str) -> None:
    """Refuse while the machine or one of its disks is locked."""
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action=action)
    locked = [disk["name"] for disk in disks_of(call.world, vm) if disk["status"] == "locked"]
    if locked:
        raise refuse("disks locked", call.dialect, action=action, names=", ".join(locked))


def start(call: ApiCall) -> ActionDone:
    """Start a machine, go on with a paused or suspended one; `vm` in the body counts for this run only."""
    vm, world = call.things["vm"], call.world
    _free(call, vm, "run")
    if vm["status"] == "paused":
        world.move(vm, "vm.resume")
        return ActionDone(VM, vm)
    if vm["status"] == "suspended":
        _run_on(call, vm, _place(call, vm, "run"), "vm.restore")
        return ActionDone(VM, vm)
    if vm["status"] != "down":
        raise refuse("vm running", call.dialect, state=state_shown(vm))
    run = _run_once(call)
    wanted = {**vm, **run}
    _bootable(call, wanted)
    world.change(vm, run=run, run_once=bool(run) or call.dialect.version < (3, 1))
    _run_on(call, vm, _place(call, wanted, "run"), "vm.start_paused" if call.yes("pause") else "vm.start")
    return ActionDone(VM, vm)


def _run_once(call: ApiCall) -> Thing:
    """Read what counts for this run only."""
    element = call.part("vm")
    if element is None:
        return {}
    run = call.read(VM, element)
    hosts_told(run)
    if run.get("pinned"):
        run["pinned"] = [call.look_up("host", said)["id"] for said in run["pinned"]]
    return {key: value for key, value in run.items() if key not in {"cluster", "template", "id", "name"}}


def _bootable(call: ApiCall, vm: Thing) -> None:
    """Refuse a first boot device that is not there."""
    first = (vm.get("boot") or ["hd"])[0]
    disks = [disk for disk in disks_of(call.world, vm) if disk.get("active", True)]
    if first == "network" and len(vm.get("boot") or ()) < 2 and not call.world.of("nic", "vm", vm["id"]):
        raise refuse("no boot nic", call.dialect)
    if first == "hd" and len(vm.get("boot") or ()) < 2 and not any(disk["status"] == "ok" for disk in disks):
        raise refuse("no boot disk", call.dialect)


def _run_on(call: ApiCall, vm: Thing, host: Thing, operation: str) -> None:
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
    job = world.job(f"Launching VM {vm['name']}")
    world.change(job, status="started", end_time=None)
    world.change(vm, launch=job["id"])
    world.move(vm, operation, effect="vm up")


@effect("vm up")
def came_up(world: World, vm: Thing, _end: Thing) -> None:
    """Let the guest say who it is."""
    if vm["status"] == "up":
        last = int(vm["id"][-4:], 16)
        ips = [f"10.64.{last >> 8}.{last & 255}"]
        world.change(vm, fqdn=f"{vm['name']}.example.com", guest_ips=ips, come_up=True)
    job = world.get("job", vm.get("launch"))
    if job is not None:
        world.change(job, status="finished", end_time=world.now())


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
        world.change(vm, run={}, run_once=False)
        if vm.get("next_run_exists"):
            world.move(vm, "vm.apply", effect="vm applies")


@effect("vm applies")
def apply_pending(world: World, vm: Thing, _end: Thing) -> None:
    """Begin to take over what waited, a moment after the machine is down; a start in between leaves it for the next
    time. Nothing is said to wait from now on, although it is written later: a busy engine took 16 seconds."""
    world.change(vm, next_run_exists=False)
    world.move(vm, "vm.write", effect="vm applied")


@effect("vm applied")
def write_pending(world: World, vm: Thing, _end: Thing) -> None:
    """Write what waited."""
    if not (vm.get("next_run_early") and vm.get("come_up")):
        world.change(vm, **vm.get("next_run", {}))
    world.change(vm, next_run={}, next_run_early=False)
    world.event(253, "normal", f"VM {vm['name']} configuration was updated by system.", vm=vm["id"])


_OFF: Thing = {
    "host": None,
    "display_address": None,
    "display_port": None,
    "display_secure_port": None,
    "fqdn": None,
    "guest_ips": [],
}


def _need(call: ApiCall, states: frozenset[str], situation: str, action: str) -> Thing:
    """Refuse a verb that cannot begin in the machine's state."""
    vm = call.things["vm"]
    if vm["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action=action)
    if vm["status"] not in states:
        raise refuse(situation, call.dialect, action=action, state=state_shown(vm))
    return vm


#: What is off already is taken as done since 4.0.
_OFF_ALREADY = {False: frozenset[str](), True: frozenset({"down", "suspended"})}


def _reason(call: ApiCall) -> str | None:
    """Why it is stopped; since 4.0 that nothing was said is kept, too."""
    return call.text("reason") or ("" if call.dialect.modern else None)


def stop(call: ApiCall) -> ActionDone:
    """Cut the power; a suspended machine forgets its saved state."""
    vm = _need(call, RUNNING | {"suspended"} | _OFF_ALREADY[call.dialect.modern], "vm not running", "stop")
    if vm["status"] == "down":
        return ActionDone(VM, vm)
    call.world.change(
        vm, stop_time=call.world.now(), stop_reason=call.text("reason") or ("" if call.dialect.modern else None)
    )
    call.world.move(vm, "vm.stop", effect="vm down")
    return ActionDone(VM, vm)


def shutdown(call: ApiCall) -> ActionDone:
    """Ask the guest to shut down; one that has no system to boot may not listen, which a fault plan can say."""
    listening = RUNNING - {"paused", "saving_state", "restoring_state"}
    vm = _need(call, listening | _OFF_ALREADY[call.dialect.modern], "vm not running", "shutdown")
    if vm["status"] in {"down", "suspended"}:
        return ActionDone(VM, vm)
    call.world.change(
        vm, stop_time=call.world.now(), stop_reason=call.text("reason") or ("" if call.dialect.modern else None)
    )
    call.world.move(vm, "vm.shutdown", effect="vm down", how="shutdown")
    return ActionDone(VM, vm)


def reboot(call: ApiCall) -> ActionDone:
    """Restart the guest."""
    vm = _need(call, frozenset({"up", "powering_up"}), "vm status", "restart")
    call.world.move(vm, "vm.reboot")
    return ActionDone(VM, vm)


def reset(call: ApiCall) -> ActionDone:
    """Restart the machine as its reset button does."""
    vm = _need(call, RUNNING, "vm status", "reset")
    return ActionDone(VM, vm)


def suspend(call: ApiCall) -> ActionDone:
    """Write the memory to disk and stop."""
    vm = _need(call, frozenset({"up"}), "vm not up", "hibernate")
    call.world.move(vm, "vm.suspend", effect="vm down")
    return ActionDone(VM, vm, pending=True)


def migrate(call: ApiCall) -> ActionDone:
    """Move a running machine to another host of its cluster, one that is named or the emptiest."""
    vm, world = call.things["vm"], call.world
    if vm["status"] == "migrating" and call.dialect.modern:
        raise refuse("vm migrating", call.dialect, action="migrate", name=vm["name"])
    _need(call, MIGRATABLE, "vm not running", "migrate")
    if vm.get("affinity") == "pinned" or (vm.get("affinity") == "user_migratable" and not call.yes("force")):
        raise refuse("pinned", call.dialect)
    said = reference(call.part("host"))
    if call.dialect.modern and said.get("id") and world.get("host", said["id"]) is None:
        raise Refused("Cannot migrate VM. Invalid Host Id.", BAD)
    if call.dialect.modern and "id" not in said and said.get("name") and not world.exactly("host", said["name"]):
        raise Refused(f"Entity not found: {said['name']}", MISSING, listed=False)
    target = call.named_part("host", "host")
    if target is None:
        hosts = hosts_for(world, vm, vm["host"])
        if not hosts:
            raise nobody(call, "migrate")
        target = hosts[0]
    if target["id"] == vm["host"]:
        raise nobody(call, "migrate") if call.dialect.modern else refuse("same host", call.dialect)
    if target["status"] != "up" or target["cluster"] != vm["cluster"]:
        raise refuse("no host", call.dialect, action="migrate")
    move_to(world, vm, target)
    return ActionDone(VM, vm)


def move_to(world: World, vm: Thing, target: Thing) -> None:
    """Let a machine migrate; it counts for its old host until it has arrived."""
    world.event(62, "normal", f"Migration started (VM: {vm['name']}, Destination: {target['name']}).", vm=vm["id"])
    world.move(vm, "vm.migrate", host=target["id"], display_address=target["address"], effect="vm migrated")


@effect("vm migrated")
def finish_migration(world: World, vm: Thing, _end: Thing) -> None:
    """Say that a machine has arrived."""
    target = world.the("host", vm["host"])
    text = f"Migration completed (VM: {vm['name']}, Destination: {target['name']})."
    world.event(63, "normal", text, vm=vm["id"], host=target["id"])


def cancel_migration(call: ApiCall) -> ActionDone:
    """Leave a machine where it was."""
    vm = _need(call, frozenset({"migrating"}), "vm not migrating", "cancel migration of")
    vm["turn"] += 1
    call.world.change(vm, status="up")
    return ActionDone(VM, vm)


def ticket(call: ApiCall) -> ActionDone:
    """Give a password for the console, the caller's own or a made one."""
    situation = "vm ticket" if call.dialect.modern else "vm not running"
    vm = _need(call, RUNNING, situation, "set Virtual Machine Ticket of")
    return ActionDone(VM, vm, {"ticket": ticket_text(call)})


def ticket_text(call: ApiCall) -> str:
    """Write a ticket: its value, which its machine has from then on, and how many seconds it lives."""
    value = call.text("ticket/value") or f"{call.world.random.getrandbits(48):012x}"
    call.world.change(call.things["vm"], console_password=value)
    return f"<ticket><value>{value}</value><expiry>{call.text('ticket/expiry') or 7200}</expiry></ticket>"


def clone(call: ApiCall) -> ActionDone:
    """Make an independent copy of a machine that is down."""
    vm, world = call.things["vm"], call.world
    _free(call, vm, "clone")
    if vm["status"] != "down":
        raise refuse("vm down only", call.dialect, action="clone")
    if call.dialect.number == 4 and not call.text("vm/name"):
        raise Refused("Parameter 'vm.name' is mandatory but was not provided.", BAD, "Input validation failed.")
    element = call.part("vm")
    values: Thing = call.read(VM, element) if element is not None else {}
    require(values, ("Action", "Action"), ("name:vm.name",), call.dialect)
    if world.exactly("vm", values["name"]):
        raise Refused("Cannot clone VM. The VM name is already in use, please choose a unique name and try again.")
    keep = {k: v for k, v in vm.items() if k not in {"id", "kind", "v", "turn", "run", "next_run"}}
    copy = world.add("vm", **{**keep, "name": values["name"], "creation_time": world.now(), "status": "down"})
    copy_parts(world, vm, copy, None, True)
    if call.dialect.modern and not disks_of(world, vm):
        return ActionDone(VM, vm)
    for each in (vm, copy):
        world.move(each, "vm.lock" if each is vm else "vm.copy")
    return ActionDone(VM, vm, pending=not call.dialect.modern)


def export(call: ApiCall) -> ActionDone:
    """Copy a machine to an export domain, which lists it from then on, or to a file."""
    if call.part("directory") is not None and call.dialect.knows((4, 2)):
        return ova.write(call, call.things["vm"])
    vm = _need(call, frozenset({"down"}), "vm down only", "export")
    target = call.named_part("storage_domain", "storage_domain")
    if target is None and not call.text("filename") and call.dialect.number == 4:
        told = "No matching signature found, make sure that mandatory attributes are provided."
        raise Refused(told, BAD, "Input validation failed.")
    if target is not None and target["type"] != "export" and call.dialect.modern:
        raise Refused(f"Cannot export VM. The specified domain '{target['name']}' is not an export domain.", BAD)
    if target is None and not call.text("filename"):
        raise Refused("Action [storageDomain.id|name] required for export", BAD, "Incomplete parameters")
    if target is not None:
        others = [one for one in target.get("vms", ()) if one["id"] != vm["id"]]
        call.world.change(target, vms=[*others, dict(vm)])
    call.world.move(vm, "vm.lock")
    return ActionDone(VM, vm, pending=True)


def list_exported(call: ApiCall) -> Many:
    """List what was copied to an export domain, or what has disks on a data domain."""
    domain, world = call.things["storage_domain"], call.world
    owners = {disk["vm"]: None for disk in world.of("disk", "storage_domain", domain["id"]) if disk.get("vm")}
    here = [world.the("vm", one) for one in owners] if call.dialect.modern else []
    return Many(VM, [*domain.get("vms", []), *here])


def nothing(call: ApiCall) -> ActionDone:
    """Accept a verb whose effect cannot be seen from outside."""
    return ActionDone(VM, call.things["vm"])


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
    get("/storagedomains/{storage_domain}/vms", list_exported, "list the machines on an export domain"),
    verb("/vms/{vm}/logon", nothing, "log on to the guest's desktop", since3=(3, 5)),
    verb("/vms/{vm}/maintenance", nothing, "the hosted engine's maintenance mode", since3=(3, 4)),
    verb("/vms/{vm}/freezefilesystems", nothing, "freeze the guest's file systems", since3=(3, 5)),
    verb("/vms/{vm}/thawfilesystems", nothing, "thaw them", since3=(3, 5)),
    verb("/vms/{vm}/reordermacaddresses", nothing, "reorder MAC addresses", since3=(3, 4)),
    task_of(VM),
)
