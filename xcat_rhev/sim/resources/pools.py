"""Pools of machines of one template, and the sizes of machines that people may choose."""

from __future__ import annotations

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SAID, SimShape, Thing, ref, sim_field, v4only
from ..faults import TAKEN, Refused
from ..routing import delete, get, post, put
from ..usual import usual
from ..world import MIB, ZERO, World
from . import versions
from .plain import Plain
from .vmshape import BLANK

_FIELDS = (
    sim_field("size", "int"),
    ref("cluster"),
    ref("template"),
    sim_field("prestarted_vms", "int", since3=(3, 1)),
    sim_field("max_user_vms", "int", since3=(3, 4)),
    sim_field("type", since3=(3, 4), words="automatic manual"),
    sim_field("use_latest_template_version", "bool", since3=(3, 5)),
    v4only("stateful", "bool", since4=(4, 1)),
    v4only("auto_storage_select", "bool", since4=(4, 2)),
)
POOL = SimShape("vm_pool", "vm_pool", "vm_pools", "/vmpools/{vm_pool}", _FIELDS, basics=SAID)
#: As v3 calls them.
POOL3 = SimShape("vm_pool", "vmpool", "vmpools", "/vmpools/{vm_pool}", _FIELDS)


def _shape(call: ApiCall) -> SimShape:
    return POOL if call.dialect.number == 4 else POOL3


def _list(call: ApiCall) -> Many:
    return Many(_shape(call), call.world.all("vm_pool"), "vm_pool")


def _show(call: ApiCall) -> One:
    return One(_shape(call), call.things["vm_pool"])


def _create(call: ApiCall) -> One:
    """Make a pool and its machines."""
    values = call.fresh(_shape(call))
    wanted = ("name", "template:template.id|name", "cluster:cluster.id|name")
    require(values, ("VmPool", "VmPool"), wanted, call.dialect)
    cluster = call.look_up("cluster", values.pop("cluster"))
    template = versions.look_up(call, values.pop("template"), cluster)
    if template["id"] == ZERO:
        raise Refused("VM-Pool must be based on  non-blank Template.")
    if call.world.exactly("vm_pool", values["name"]):
        words = "The VM-Pool name is already in use, please choose a unique name and try again."
        raise Refused(f"Cannot create VM-Pool. {words}", TAKEN)
    size = values.pop("size", 1)
    if size < 1:
        raise Refused("Cannot create Pool with 0 VMs")
    told = {"prestarted_vms": 0, "max_user_vms": 1, "type": "automatic", "use_latest_template_version": False}
    told.update(stateful=False, auto_storage_select=False)
    more = {**told, **values, "cluster": cluster["id"], "template": template["id"]}
    pool = call.world.add("vm_pool", size=0, description=more.pop("description", ""), **more)
    _grow(call.world, pool, size)
    return One(_shape(call), pool, 201)


def _grow(world: World, pool: Thing, more: int) -> None:
    """Give a pool further machines; their names are numbered."""
    name, template = pool["name"], world.the("template", pool["template"])
    for number in range(pool["size"] + 1, pool["size"] + more + 1):
        told = {key: template[key] for key in BLANK if template.get(key) is not None}
        place = {"cluster": pool["cluster"], "template": template["id"], "vm_pool": pool["id"]}
        world.add("vm", **{**told, **place}, name=f"{name}-{number}", status="down", creation_time=world.now())
    world.change(pool, size=pool["size"] + more)


def _change(call: ApiCall) -> One:
    """Change a pool: it may grow, and neither its type nor what its machines keep changes."""
    pool, values = call.things["vm_pool"], call.changes(_shape(call))
    size = values.pop("size", pool["size"])
    if size < pool["size"]:
        raise Refused("Cannot decrease VMs from VM-Pool.")
    for key, word in (("type", "type"), ("stateful", "stateful option"), ("name", "name")):
        if values.get(key, pool[key]) != pool[key]:
            raise Refused(f"Cannot change VM-Pool {word}.")
    for key in ("cluster", "template"):
        if values.get(key):
            values[key] = call.look_up(key, values[key])["id"]
    call.world.change(pool, **values)
    _grow(call.world, pool, size - pool["size"])
    return One(_shape(call), pool)


def _remove(call: ApiCall) -> Removed:
    """Remove a pool with its machines."""
    pool, world = call.things["vm_pool"], call.world
    for vm in [one for one in world.all("vm") if one.get("vm_pool") == pool["id"]]:
        if vm["status"] != "down":
            raise Refused("Cannot detach VM from VM-Pool. VM is running.")
        world.remove(vm)
    world.remove(pool)
    return Removed()


INSTANCE = SimShape(
    "instance_type",
    "instance_type",
    "instance_types",
    "/instancetypes/{instance_type}",
    (
        sim_field("memory", "int"),
        sim_field("cores", "int", "cpu/topology@cores", "cpu/topology/cores"),
        sim_field("sockets", "int", "cpu/topology@sockets", "cpu/topology/sockets"),
        sim_field("threads", "int", "cpu/topology@threads", "cpu/topology/threads", since3=(3, 6)),
        sim_field("ha_enabled", "bool", "high_availability/enabled", "high_availability/enabled"),
        sim_field("ha_priority", "int", "high_availability/priority", "high_availability/priority"),
        sim_field("io_threads", "int", "io/threads", "io/threads", since3=(3, 6)),
        sim_field("memory_guaranteed", "int", "memory_policy/guaranteed", "memory_policy/guaranteed"),
        v4only("memory_max", "int", "memory_policy/max"),
        sim_field("ballooning", "bool", "memory_policy/ballooning", "memory_policy/ballooning"),
        sim_field("creation_time", "date", fixed=True),
        *usual(
            """display/allow_override=false display/copy_paste_enabled=true display/disconnect_action=LOCK_SCREEN
            display/disconnect_action_delay=0 display/file_transfer_enabled=true display/monitors=1
            display/smartcard_enabled=false display/type=spice display/video_type=vga migration/auto_converge=inherit
            migration/compressed=inherit migration/encrypted=inherit migration/parallel_migrations_policy=inherit
            migration_downtime=-1 placement_policy/affinity=migratable usb/enabled=false""",
            (4, 5),
        ),
        sim_field("boot", v3="", v4="os/boot/devices/device[]"),
    ),
    order36="memory cpu os creation_time high_availability display io memory_policy",
)
_SHOWN = {"sockets": 1, "cores": 1, "threads": 1, "ha_enabled": False, "ha_priority": 0, "io_threads": 0}
_SIZES = {
    "Large": ("00000009-0009-0009-0009-0000000000f1", 8192, 2),
    "Medium": ("00000007-0007-0007-0007-00000000010a", 4096, 2),
    "Small": ("00000005-0005-0005-0005-0000000002e6", 2048, 1),
}


def build(world: World) -> None:
    """Make the sizes that an installation has."""
    for name, (one, memory, sockets) in _SIZES.items():
        told = {**_SHOWN, "sockets": sockets, "ballooning": True, "boot": ["hd"], **_memory(memory * MIB)}
        text = f"{name} instance type"
        world.add("instance_type", id=one, name=name, description=text, creation_time=1399237200.0, **told)


def _memory(size: int) -> Thing:
    return {"memory": size, "memory_guaranteed": size, "memory_max": 4 * size}


def _fits(_call: ApiCall, values: Thing, there: Thing | None) -> None:
    """Fill in what was not said of a new one, and refuse more guaranteed memory than it has."""
    if there is None:
        told = {**_SHOWN, "ballooning": True, "boot": ["hd"], "creation_time": _call.world.now()}
        values.update({**told, **_memory(values.get("memory") or 1024 * MIB), **values})
    for key in ("memory", "memory_guaranteed", "memory_max"):
        values[key] = values[key] // MIB * MIB
    if values["memory_guaranteed"] > values["memory"]:
        action = "edit" if there else "add"
        raise Refused(f"Cannot {action} Template. Physical Memory Guaranteed cannot exceed Memory Size.")


_INSTANCE = Plain(INSTANCE, "Template", "InstanceType", check=_fits, since3=(3, 5), searched="instance_type")
SHAPES["vm_pool"] = POOL
ROUTES = (
    get("/vmpools", _list, "list pools of machines"),
    post("/vmpools", _create, "make a pool and its machines"),
    get("/vmpools/{vm_pool}", _show, "show a pool"),
    put("/vmpools/{vm_pool}", _change, "change a pool, or let it grow"),
    delete("/vmpools/{vm_pool}", _remove, "remove a pool with its machines"),
    *_INSTANCE.routes("/instancetypes"),
)
