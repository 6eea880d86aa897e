"""Virtual machines: what they are, how they are made, changed and removed. Their power is in vmpower.py."""

from __future__ import annotations

from collections.abc import Callable

from ..answers import One, Removed
from ..call import Call, require
from ..dialect import Shape, Thing, named
from ..faults import BAD, Refused, name_taken, refuse
from ..routing import delete, get, post, put
from ..states import effect
from ..world import MIB, World
from .common import empty, lists, shows
from .vmshape import BLANK, VM

NUMA_NODE = Shape(
    "numa_node", "vm_numa_node", "vm_numa_nodes", "/vms/{vm}/numanodes/{numa_node}",
    (named("index", "int"), named("memory", "int")),
)
NOT_RUNNING = frozenset({"down", "suspended", "image_locked", "image_illegal"})
_INHERITED = (
    "type memory sockets cores threads boot os_type stateless ha_enabled ha_priority display_type monitors timezone "
    "memory_guaranteed memory_max usb_enabled kernel initrd cmdline custom_properties delete_protected"
).split()
#: A running machine takes these at once; all else waits for its next start.
AT_ONCE = frozenset("name description comment delete_protected ha_enabled ha_priority lease affinity pinned".split())
_BOUNDS = ("memory", "memory_guaranteed", "memory_max")
#: The most memory that a machine may get while it runs, if nobody says (VmCommonUtils, since 4.1).
MAX_MEMORY_RATIO = 4
#: Bodies may hold these; they say how to make the machine and are no property of it, or are nobody's business.
_MAKING = ("storage_domain", "clone_disks", "template_disks", "cdrom_file", "instance_type", "init_root_password")


def created(call: Call) -> One:
    """Make a machine from a template, Blank or other."""
    values = call.fresh(VM)
    require(values, ("VM", "Vm"), ("name", "template:template.id|name", "cluster:cluster.id|name"), call.dialect)
    world = call.world
    cluster, template = call.look_up("cluster", values.pop("cluster")), call.look_up("template", values.pop("template"))
    if world.exactly("vm", values["name"]):
        raise name_taken("VM")
    if template["status"] == "locked":
        raise refuse("template locked", call.dialect, action="add VM from")
    clone = values.pop("clone_disks", False) or call.flag("clone")
    storage = call.look_up("storage_domain", values["storage_domain"]) if values.get("storage_domain") else None
    if "memory" in values:
        values.setdefault("memory_guaranteed", values["memory"])
        values.setdefault("memory_max", MAX_MEMORY_RATIO * values["memory"])
    inherited = {key: template[key] for key in _INHERITED if template.get(key) is not None}
    told = {**BLANK, **inherited, **_checked(call, values, cluster)}
    thing = world.add(
        "vm",
        **{**told, **_lease(call, told, "add")},
        cluster=cluster["id"],
        template=template["id"],
        status="down",
        creation_time=world.now(),
    )
    world.event(34, "normal", f"VM {thing['name']} was created by admin@internal.", vm=thing["id"])
    copied = copy_parts(world, template, thing, storage, clone)
    world.move(thing, "vm.copy" if copied else "vm.create")
    return One(VM, thing, 202 if copied else 201, pending=bool(copied))


def copy_parts(world: World, source: Thing, target: Thing, storage: Thing | None = None, clone: bool = False) -> int:
    """Give a machine what its template has: disks (locked while they are made) and NICs with addresses of their own.

    Returns:
        The number of disks.
    """
    owner = {"vm": None, "template": None, target["kind"]: target["id"]}
    disks = world.of("disk", source["kind"], source["id"])
    for disk in disks:
        values = {k: v for k, v in disk.items() if k not in {"id", "kind", "v", "turn", "vm", "template"}}
        values["storage_domain"] = storage["id"] if storage else disk.get("storage_domain")
        copy = world.add("disk", **{**values, **owner, "cloned": clone})
        world.move(copy, "disk.create")
    for nic in world.of("nic", source["kind"], source["id"]):
        values = {k: v for k, v in nic.items() if k not in {"id", "kind", "v", "turn", "vm", "template", "mac"}}
        world.add("nic", **{**values, **owner, "mac": world.free_mac() if target["kind"] == "vm" else None})
    return len(disks)


#: What must hold, and the engine's words where it does not; a value that is not told is fine.
_RULES: tuple[tuple[Callable[[Thing], bool], str], ...] = (
    (lambda told: told.get("memory", MIB) >= MIB, "Cannot add VM. Memory size is too small"),
    (
        lambda told: told.get("memory_guaranteed", 0) <= told.get("memory", told.get("memory_guaranteed", 0)),
        "Cannot edit VM. Physical Memory Guaranteed cannot exceed Memory Size.",
    ),
    (
        lambda told: told.get("memory", 0) <= told.get("memory_max", told.get("memory", 0)),
        "Cannot edit VM. Memory size cannot exceed maximum memory size.",
    ),
    (
        lambda told: all(told.get(key, 1) >= 1 for key in ("sockets", "cores", "threads")),
        "Cannot add VM. The number of CPUs must be at least 1",
    ),
    (lambda told: 1 <= told.get("ha_priority", 1) <= 100, "Cannot add VM. Priority value must be between 1 and 100"),
    (
        lambda told: len(set(told.get("boot", ()))) == len(told.get("boot", ())),
        "Cannot add VM. A boot device is given twice",
    ),
    (lambda told: 0 < len(told.get("name", "x").strip()) <= 64, "size must be between 1 and 64"),
    (
        lambda told: told.get("affinity") != "pinned" or bool(told.get("pinned")),
        "Cannot add VM. VM is pinned to Host but no Host was selected.",
    ),
)


def _checked(call: Call, values: Thing, cluster: Thing) -> Thing:
    """Bring what a body says into the world's form: memory in whole MiB, references as ids."""
    values = {key: value for key, value in values.items() if key not in _MAKING}
    for key in _BOUNDS:
        if key in values:
            values[key] = values[key] // MIB * MIB
    for holds, words in _RULES:
        if not holds(values):
            raise Refused(words, BAD)
    if values.get("pinned"):
        values["pinned"] = [call.look_up("host", said, cluster=cluster["id"])["id"] for said in values["pinned"]]
    return values


def _lease(call: Call, values: Thing, action: str) -> Thing:
    """Bring a body's lease into the world's form; an empty one takes it away.

    Raises:
        Refused: The machine is not highly available.
    """
    element = call.part("lease")
    if element is None or call.dialect.number == 3:
        return {}
    lease = call.look_up("storage_domain", values["lease"])["id"] if len(element) else None
    if lease and not values.get("ha_enabled"):
        raise refuse("lease without ha", call.dialect, action=action)
    return {"lease": lease}


def changed(call: Call) -> One:
    """Change a machine; while it runs, hardware changes wait for the next start (3.5 and later) or are refused."""
    thing, world = call.things["vm"], call.world
    values = call.changes(VM)
    values.pop("template", None)
    if thing["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action="edit")
    cluster = world.the("cluster", thing["cluster"])
    if values.get("cluster"):
        cluster = call.look_up("cluster", values.pop("cluster"))
    if "memory" in values and values["memory"] < thing["memory_guaranteed"] and call.dialect.number == 3:
        values.setdefault("memory_guaranteed", values["memory"])
    if call.part("placement_policy") is not None and call.dialect.knows((3, 6)):
        values.setdefault("pinned", [])  # a policy without hosts takes the machine off them
    values = _checked(call, {**_bounds(call, thing), **values} if set(_BOUNDS) & set(values) else values, cluster)
    values.update(_lease(call, {**thing, **values}, "edit"))
    swapped = None not in (thing.get("lease"), values.get("lease")) and thing["lease"] != values["lease"]
    if swapped and thing["status"] not in NOT_RUNNING:
        raise refuse("lease swap", call.dialect)
    _refuse_taken(world, thing, values)
    later = {key: value for key, value in values.items() if key not in AT_ONCE and thing.get(key) != value}
    if thing["status"] in NOT_RUNNING:
        world.change(thing, **values, cluster=cluster["id"])
    elif cluster["id"] != thing["cluster"] or (later and not call.dialect.knows((3, 5))):
        raise refuse("vm edit running", call.dialect, kind=BAD)
    else:
        world.change(thing, **{key: value for key, value in values.items() if key in AT_ONCE})
        _next_run(world, thing, later)
    return One(VM, thing)


def _bounds(call: Call, thing: Thing) -> Thing:
    """Give what a machine's memory must fit between; v3 knows no maximum."""
    return {key: thing[key] for key in _BOUNDS[: 2 if call.dialect.number == 3 else 3] if thing.get(key)}


def _refuse_taken(world: World, thing: Thing, values: Thing) -> None:
    other = world.exactly("vm", values.get("name", ""))
    if other is not None and other is not thing:
        raise name_taken("VM", "edit")


def _next_run(world: World, thing: Thing, later: Thing) -> None:
    if later:
        kept = {**thing.get("next_run", {}), **later}
        kept = {key: value for key, value in kept.items() if thing.get(key) != value}
        world.change(thing, next_run=kept, next_run_exists=bool(kept))


def removed(call: Call) -> Removed:
    """Remove a machine with its disks, or without them where `detach_only` says so."""
    thing, world = call.things["vm"], call.world
    if thing.get("delete_protected") and call.dialect.knows((3, 2)):
        raise refuse("vm protected", call.dialect)
    if thing["status"] in {"image_locked"} and not thing.get("removing"):
        raise refuse("vm locked", call.dialect, action="remove")
    if thing["status"] == "suspended":
        raise refuse("vm remove not down", call.dialect)
    if thing["status"] not in NOT_RUNNING:
        raise refuse("vm remove running", call.dialect)
    disks = world.of("disk", "vm", thing["id"])
    locked = [disk["name"] for disk in disks if disk["status"] == "locked"]
    force = call.flag("force") if call.dialect.number == 4 else call.yes("force")
    if locked and not force:
        raise refuse("disks locked", call.dialect, action="remove", names=", ".join(locked))
    keep = call.flag("detach_only") if call.dialect.number == 4 else call.yes("vm/disks/detach_only")
    if keep:
        for disk in disks:
            world.change(disk, vm=None)
    world.event(113, "normal", f"VM {thing['name']} was successfully removed.", vm=thing["id"])
    world.move(thing, "vm.remove", effect="vm removed", removing=True)
    return Removed()


@effect("vm removed")
def gone(world: World, thing: Thing, _end: Thing) -> None:
    """Take a machine out of the world, with all that is part of it."""
    for kind in ("disk", "nic", "snapshot"):
        for part in world.of(kind, "vm", thing["id"]):
            world.remove(part)
    for tagging in world.of("tagging", "owner", thing["id"]):
        world.remove(tagging)
    world.remove(thing)


ROUTES = (
    get("/vms", lists(VM, "vm"), "list virtual machines; search, max, follow / detail"),
    post("/vms", created, "make a virtual machine from a template"),
    get("/vms/{vm}", shows(VM), "show a virtual machine"),
    put("/vms/{vm}", changed, "change a virtual machine; next run while it runs"),
    delete("/vms/{vm}", removed, "remove a virtual machine, with or without its disks"),
    get("/vms/{vm}/numanodes", empty(NUMA_NODE), "list its NUMA nodes: none is ever made", since3=(3, 5)),
)
