"""Virtual machines: what they are, how they are made, changed and removed. Their power is in vmpower.py."""

from __future__ import annotations

from typing import Any

from ..answers import SHAPES, Call, One, Removed, require
from ..dialect import Shape, Thing, named, ref, v3only, v4only
from ..faults import BAD, Refused, name_taken, refuse
from ..routing import delete, get, post, put
from ..states import effect
from ..world import MIB, ZERO, World
from .common import lists, shows

NOT_RUNNING = frozenset({"down", "suspended", "image_locked", "image_illegal"})
_BOOT = {"words": "hd cdrom network"}

NIC_CONFIGURATION = (
    named("name"), named("ip_address", v3="ip@address", v4="ip/address"), named("ip_netmask", v3="ip@netmask", v4="ip/netmask"),
    named("ip_gateway", v3="ip@gateway", v4="ip/gateway"), v4only("ip_version", path="ip/version"),
    named("boot_protocol"), named("on_boot", "bool"),
)


def init(key: str, kind: str = "text", **more: Any) -> Any:
    """Declare a field of a machine's first start."""
    return named(f"init_{key}", kind, f"initialization/{key}", f"initialization/{key}", since3=(3, 4), **more)


#: What VMs and templates share, in the order of the v3 schema (3.6).
MACHINE = (
    named("type", words="server desktop high_performance"),
    named("status", v3="status/state", fixed=True), named("status_detail", v3="status/detail", fixed=True),
    named("memory", "int"),
    named("sockets", "int", "cpu/topology@sockets", "cpu/topology/sockets"),
    named("cores", "int", "cpu/topology@cores", "cpu/topology/cores"),
    named("threads", "int", "cpu/topology@threads", "cpu/topology/threads", since3=(3, 6)),
    named("cpu_architecture", v3="cpu/architecture", v4="cpu/architecture", since3=(3, 6)),
    v4only("cpu_mode", path="cpu/mode"), v4only("bios_type", path="bios/type"),
    named("cpu_shares", "int", since3=(3, 3)),
    named("os_type", v3="os@type", v4="os/type"),
    named("boot", v3="os/boot[]@dev", v4="os/boot/devices/device[]", **_BOOT),
    named("kernel", v3="os/kernel", v4="os/kernel"), named("initrd", v3="os/initrd", v4="os/initrd"),
    named("cmdline", v3="os/cmdline", v4="os/cmdline"), v4only("custom_kernel_cmdline"),
    ref("cluster"), ref("storage_domain"),
    named("creation_time", "date", fixed=True), named("origin", fixed=True), named("stateless", "bool"),
    named("delete_protected", "bool", since3=(3, 2)),
    named("ha_enabled", "bool", "high_availability/enabled", "high_availability/enabled"),
    named("ha_priority", "int", "high_availability/priority", "high_availability/priority"),
    named("display_type", v3="display/type", v4="display/type", words="vnc spice"),
    named("display_address", v3="display/address", v4="display/address", fixed=True),
    named("display_port", "int", "display/port", "display/port", fixed=True),
    named("display_secure_port", "int", "display/secure_port", "display/secure_port", fixed=True),
    named("monitors", "int", "display/monitors", "display/monitors"),
    named("console_enabled", "bool", "console@enabled", "console/enabled", since3=(3, 4)),
    named("timezone", v3="timezone", v4="time_zone/name"),
    named("usb_enabled", "bool", "usb/enabled", "usb/enabled"),
    named("soundcard_enabled", "bool", since3=(3, 6)),
    named("virtio_scsi", "bool", "virtio_scsi@enabled", "virtio_scsi/enabled", since3=(3, 4)),
    named("io_threads", "int", "io/threads", "io/threads", since3=(3, 6)),
    named(
        "custom_properties", v3="custom_properties/custom_property[]", v4="custom_properties/custom_property[]",
        item=(named("name", v3="@name", v4="name"), named("value", v3="@value", v4="value")),
    ),
    named("memory_guaranteed", "int", "memory_policy/guaranteed", "memory_policy/guaranteed"),
    v4only("memory_max", "int", "memory_policy/max"),
    named("ballooning", "bool", "memory_policy/ballooning", "memory_policy/ballooning", since3=(3, 6)),
)
VM = Shape(
    "vm", "vm", "vms", "/vms/{vm}",
    (
        *MACHINE,
        named("stop_reason", since3=(3, 6), fixed=True),
        ref("host", fixed=True), ref("template"), v4only("instance_type"),
        named("start_time", "date", fixed=True), named("stop_time", "date", since3=(3, 6), fixed=True),
        named("run_once", "bool", since3=(3, 5), fixed=True),
        v3only("clone_disks", "bool", "disks/clone"),
        init("host_name"), init("domain"), init("timezone"), init("authorized_ssh_keys"), init("regenerate_ssh_keys", "bool"),
        init("dns_servers"), init("dns_search"),
        named(
            "init_nics", v3="initialization/nic_configurations/nic_configuration[]",
            v4="initialization/nic_configurations/nic_configuration[]", since3=(3, 4), item=NIC_CONFIGURATION,
        ),
        init("root_password", "secret"), init("custom_script"), init("user_name"),
        ref("pinned", "host", "placement_policy/host[]", "placement_policy/hosts/host[]"),
        named("affinity", v3="placement_policy/affinity", v4="placement_policy/affinity",
              words="migratable user_migratable pinned"),
        named("guest_ips", v3="guest_info/ips/ip[]@address", v4="", fixed=True),
        named("fqdn", v3="guest_info/fqdn", v4="fqdn", since3=(3, 6), fixed=True),
        named("next_run_exists", "bool", "next_run_configuration_exists", "next_run_configuration_exists",
              since3=(3, 5), fixed=True),
        v4only("template_disks", path="disk_attachments/disk_attachment[]", item=(
            ref("disk"), named("bootable", "bool"), named("interface"), named("active", "bool"),
        )),
        v4only("cdrom_file", path="cdroms/cdrom/file@id"), v3only("cdrom_file", path="cdroms/cdrom/file@id"),
    ),
    order30="type status memory cpu os high_availability display host cluster template storage_domain start_time "
    "creation_time origin stateless timezone domain custom_properties statistics disks nics tags placement_policy "
    "memory_policy guest_info usb vmpool cdroms",
    order36="type status memory cpu cpu_shares bios os cluster storage_domain creation_time origin stateless "
    "delete_protected high_availability display console timezone usb soundcard_enabled virtio_scsi io custom_properties "
    "memory_policy stop_reason host template start_time stop_time run_once statistics disks initialization nics tags "
    "placement_policy guest_info cdroms next_run_configuration_exists",
    view=lambda world, thing, call: shown(thing, call),
    cached=True,
)
SHAPES["vm"] = VM

#: What a new machine has if neither the body nor its template says otherwise.
BLANK: Thing = {
    "type": "server", "memory": 512 * MIB, "sockets": 1, "cores": 1, "threads": 1, "boot": ["hd"], "os_type": "unassigned",
    "stateless": False, "delete_protected": False, "ha_enabled": False, "ha_priority": 1, "display_type": "vnc",
    "monitors": 1, "affinity": "migratable", "memory_guaranteed": 512 * MIB, "usb_enabled": False, "origin": "rhev",
    "cpu_architecture": "x86_64", "ballooning": True, "next_run_exists": False, "run_once": False, "custom_properties": [],
}
_INHERITED = (
    "type memory sockets cores threads boot os_type stateless ha_enabled ha_priority display_type monitors timezone "
    "memory_guaranteed usb_enabled kernel initrd cmdline custom_properties delete_protected"
).split()
#: A running machine takes these at once; all else waits for its next start.
AT_ONCE = frozenset("name description comment delete_protected ha_enabled ha_priority affinity pinned".split())
#: Bodies may hold these; they say how to make the machine and are no property of it.
_MAKING = ("storage_domain", "clone_disks", "template_disks", "cdrom_file", "instance_type")


def shown(thing: Thing, call: Call) -> Thing:
    """Show a machine: this run's boot order while it runs (3.6 and later), the stored one with `next_run`."""
    view = dict(thing)
    if thing["status"] == "image_illegal":
        view["status"] = None
    if call.dialect.number == 3:
        view["pinned"] = thing.get("pinned", [])[:1]
    if call.flag("next_run") and call.dialect.knows((3, 5)):
        return {**view, **thing.get("next_run", {})}
    if call.dialect.knows((3, 6)):
        view.update(thing.get("run", {}))
    return view


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
    inherited = {key: template[key] for key in _INHERITED if template.get(key) is not None}
    thing = world.add(
        "vm", **{**BLANK, **inherited, **_checked(call, values, cluster)}, cluster=cluster["id"], template=template["id"],
        status="down", creation_time=world.now(),
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


def _checked(call: Call, values: Thing, cluster: Thing) -> Thing:
    """Bring what a body says into the world's form: memory in whole MiB, references as ids."""
    values = {key: value for key, value in values.items() if key not in _MAKING}
    for key in ("memory", "memory_guaranteed", "memory_max"):
        if key in values:
            values[key] = values[key] // MIB * MIB
    if "memory" in values:
        if values["memory"] < MIB:
            raise Refused("Cannot add VM. Memory size is too small", BAD)
        values.setdefault("memory_guaranteed", values["memory"])
    if values.get("memory_guaranteed", 0) > values.get("memory", values.get("memory_guaranteed", 0)):
        raise Refused("Physical Memory Guaranteed cannot exceed Memory Size", BAD)
    for key in ("sockets", "cores", "threads"):
        if values.get(key, 1) < 1:
            raise Refused(f"Cannot add VM. The number of {key} must be at least 1", BAD)
    if not 1 <= values.get("ha_priority", 1) <= 100:
        raise Refused("Cannot add VM. Priority value must be between 1 and 100", BAD)
    if len(set(values.get("boot", ()))) != len(values.get("boot", ())):
        raise Refused("Cannot add VM. A boot device is given twice", BAD)
    if len(values.get("name", "x")) > 64 or not values.get("name", "x").strip():
        raise Refused("size must be between 1 and 64", BAD)
    if values.get("pinned"):
        values["pinned"] = [call.look_up("host", said, cluster=cluster["id"])["id"] for said in values["pinned"]]
    if values.get("affinity") == "pinned" and not values.get("pinned"):
        raise Refused("Cannot add VM. VM is pinned to Host but no Host was selected.", BAD)
    return values


def changed(call: Call) -> One:
    """Change a machine; while it runs, hardware changes wait for the next start (3.5 and later) or are refused."""
    thing, world = call.things["vm"], call.world
    values = call.read(VM)
    values.pop("template", None)
    if values.pop("id", thing["id"]) != thing["id"]:
        raise Refused("Attempt to set immutable field: id", reason="Broken immutability constraint")
    if thing["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action="edit")
    cluster = world.the("cluster", thing["cluster"])
    if values.get("cluster"):
        cluster = call.look_up("cluster", values.pop("cluster"))
    if "memory" in values and values["memory"] < thing["memory_guaranteed"] and call.dialect.number == 3:
        values.setdefault("memory_guaranteed", values["memory"])
    values = _checked(call, {"memory": thing["memory"], **values} if "memory_guaranteed" in values else values, cluster)
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


def blank(world: World) -> Thing:
    """Make the template that always is."""
    return world.add("template", **BLANK, id=ZERO, name="Blank", description="Blank template", status="ok",
                     creation_time=1199145600.0, version_number=1, version_name="base version")


ROUTES = (
    get("/vms", lists(VM, "vm"), "list virtual machines; search, max, follow / detail"),
    post("/vms", created, "make a virtual machine from a template"),
    get("/vms/{vm}", shows(VM), "show a virtual machine"),
    put("/vms/{vm}", changed, "change a virtual machine; next run while it runs"),
    delete("/vms/{vm}", removed, "remove a virtual machine, with or without its disks"),
)
