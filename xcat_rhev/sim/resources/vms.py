"""Virtual machines: what they are, how they are made, changed and removed. Their power is in vmpower.py."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping

from ..answers import One, Removed
from ..call import ApiCall, require
from ..dialect import Thing
from ..faults import BAD, BROKEN, CONFLICT, MISSING, Refused, name_taken, refuse
from ..routing import delete, get, post, put
from ..states import effect
from ..systems import system_name
from ..world import MIB, ZERO, World
from . import hostdevices, mediated, numa, running, unnamed, versions
from .common import lists, shows
from .sharing import disks_of, take_off
from .vmshape import BLANK, VM, hosts_told

NOT_RUNNING = frozenset({"down", "suspended", "image_locked", "image_illegal"})
_INHERITED = (
    "type memory sockets cores threads boot os_type stateless ha_enabled ha_priority display_type monitors timezone "
    "memory_guaranteed memory_max usb_enabled kernel initrd cmdline custom_properties delete_protected"
).split()
_BOUNDS = ("memory", "memory_guaranteed", "memory_max")
#: The most memory that a machine may get while it runs, if nobody says (VmCommonUtils, since 4.1).
MAX_MEMORY_RATIO = 4
#: Bodies may hold these; they say how to make the machine and are no property of it, or are nobody's business.
_MAKING = ("storage_domain", "clone_disks", "template_disks", "cdrom_file", "instance_type", "init_root_password")


def create(call: ApiCall) -> One:
    """Make a machine from a template, Blank or other."""
    values = call.fresh(VM)
    hosts_told(values)
    require(values, ("VM", "Vm"), ("name", "template:template.id|name", "cluster:cluster.id|name"), call.dialect)
    world = call.world
    cluster = call.look_up("cluster", values.pop("cluster"))
    template = versions.look_up(call, values.pop("template"), cluster)
    if template["status"] == "locked":
        raise refuse("template locked", call.dialect, action="add VM from")
    clone = values.pop("clone_disks", False) or call.flag("clone")
    storage = _storage(call, values.get("storage_domain"))
    if "memory" in values:
        if call.dialect.number == 3 or call.dialect.knows((4, 3)):  # before that the template's stays
            values.setdefault("memory_guaranteed", values["memory"])
        values.setdefault("memory_max", MAX_MEMORY_RATIO * values["memory"])
    _check_limits(call, {"display_type": template.get("display_type", "vnc"), **values}, "add")
    inherited = {key: template[key] for key in _INHERITED if template.get(key) is not None}
    wanted = _wanted_disks(call, values.get("template_disks") or (), clone)
    told = {**BLANK, **inherited, **_check(call, values, cluster)}
    if _namesakes(call, values["name"], cluster):
        raise name_taken("VM", call.dialect)
    told["bios_type"] = _bios(told, cluster)
    gpus = mediated.take_property(call, told)
    _check_firmware(call, told, "add")
    numa.check_machine(call, told, "add")
    thing = world.add(
        "vm",
        **{**told, **_lease(call, told, "add")},
        cluster=cluster["id"],
        template=ZERO if clone else template["id"],
        status="down",
        come_up=False,
        creation_time=world.now(),
    )
    mediated.convert(call, thing, gpus)
    world.event(34, "normal", f"VM {thing['name']} was created by admin@internal.", vm=thing["id"])
    copied = copy_parts(world, template, thing, storage, clone, wanted)
    if copied or not call.dialect.modern:  # without disks there is nothing to wait for since 4.0
        world.move(thing, "vm.copy" if copied else "vm.create")
    late = copied and not (clone and call.dialect.number == 4)
    return One(VM, thing, 202 if late else 201, pending=bool(late))


def _storage(call: ApiCall, said: Thing | None) -> Thing | None:
    """Find where the disks shall be; v4 does not look at it unless there are any."""
    if call.dialect.number == 4 and said and call.world.get("storage_domain", said.get("id")) is None:
        return None
    return call.look_up("storage_domain", said) if said else None


def _wanted_disks(call: ApiCall, told: Iterable[Thing], clone: bool) -> dict[str, Thing]:
    """Read what a body says about a template's disks, by their ids; those that are not cloned stay where they are."""
    wanted: dict[str, Thing] = {}
    for one in told:
        disk = call.look_up("disk", {"id": one.get("disk", "")})
        domains = [call.look_up("storage_domain", said)["id"] for said in one.get("domains", ())]
        if domains and not clone and domains[0] != disk["storage_domain"]:
            raise refuse("template not on domain", call.dialect, BAD)
        name = one.get("alias") or one.get("name")
        keep = {key: one[key] for key in ("format", "sparse") if clone and one.get(key) is not None}
        wanted[disk["id"]] = {**keep, **({"storage_domain": domains[0]} if domains else {})}
        wanted[disk["id"]].update({"name": name} if name else {})
    return wanted


def copy_parts(
    world: World,
    source: Thing,
    target: Thing,
    storage: Thing | None = None,
    clone: bool = False,
    wanted: Mapping[str, Thing] | None = None,
) -> int:
    """Give a machine what its template has: disks (locked while they are made) and NICs with addresses of their own.

    Returns:
        The number of disks.
    """
    owner = {"vm": None, "template": None, target["kind"]: target["id"]}
    disks = [disk for disk in world.of("disk", source["kind"], source["id"]) if not disk.get("luns")]
    for disk in disks:
        values = {k: v for k, v in disk.items() if k not in {"id", "kind", "v", "turn", "vm", "template"}}
        values["storage_domain"] = storage["id"] if storage else disk.get("storage_domain")
        values["like"] = disk.get("like") or disk["id"]
        values["based"] = None if clone or "vm" in source["kind"] else source["id"]
        copy = world.add("disk", **{**values, **(wanted or {}).get(disk["id"], {}), **owner, "cloned": clone})
        world.move(copy, "disk.create")
    for nic in world.of("nic", source["kind"], source["id"]):
        values = {k: v for k, v in nic.items() if k not in {"id", "kind", "v", "turn", "vm", "template", "mac"}}
        world.add("nic", **{**values, **owner, "mac": world.free_mac() if target["kind"] == "vm" else None})
    return len(disks)


def _one_at_least(told: Thing) -> bool:
    return all(told.get(key, 1) >= 1 for key in ("sockets", "cores", "threads"))


def _guaranteed_fits(told: Thing) -> bool:
    return bool(told.get("memory_guaranteed", 0) <= told.get("memory", told.get("memory_guaranteed", 0)))


Rules = tuple[tuple[Callable[[Thing], bool], str], ...]
_GUARANTEED = (_guaranteed_fits, "Cannot {action} VM. Physical Memory Guaranteed cannot exceed Memory Size.")
_TOO_SMALL = "must be greater than or equal to 1, Attribute: vmStatic.maxMemorySizeMb"
#: What must hold, and the engine's words where it does not, before 4.0 and since; a value that is not told is fine.
_RULES: dict[bool, Rules] = {
    False: (
        (lambda told: told.get("memory", MIB) >= MIB, "Cannot {action} VM. Memory size is too small"),
        _GUARANTEED,
        (_one_at_least, "Cannot {action} VM. The number of CPUs must be at least 1"),
        (
            lambda told: 1 <= told.get("ha_priority", 1) <= 100,
            "Cannot {action} VM. Priority value must be between 1 and 100",
        ),
        (
            lambda told: len(set(told.get("boot", ()))) == len(told.get("boot", ())),
            "Cannot {action} VM. A boot device is given twice",
        ),
        (lambda told: 0 < len(told.get("name", "x").strip()) <= 64, "size must be between 1 and 64"),
        (
            lambda told: told.get("affinity") != "pinned" or bool(told.get("pinned")),
            "Cannot {action} VM. VM is pinned to Host but no Host was selected.",
        ),
    ),
    True: (
        (lambda told: told.get("memory", MIB) >= MIB, f"{_TOO_SMALL}, {_TOO_SMALL}"),
        (lambda told: told.get("memory", 0) < 1 << 49, _TOO_SMALL),
        _GUARANTEED,
        (_one_at_least, "Minimum number of sockets cannot be less then 1"),
    ),
}


def _check(call: ApiCall, values: Thing, cluster: Thing) -> Thing:
    """Bring what a body says into the world's form: memory in whole MiB, references as ids."""
    values = {key: value for key, value in values.items() if key not in _MAKING}
    for key in _BOUNDS:
        if key in values:
            values[key] = values[key] // MIB * MIB
    action = "edit" if "vm" in call.things else "add"
    for holds, words in _RULES[call.dialect.modern]:
        if not holds(values):
            raise Refused(words.format(action=action), CONFLICT if "sockets" in words else BAD)
    if values.get("memory", 0) > values.get("memory_max", values.get("memory", 0)):
        raise running.too_much(values["memory"], values["memory_max"], action)
    if values.get("boot"):
        values["boot"] = list(dict.fromkeys(values["boot"]))
    if "os_type" in values:
        values["os_type"] = system_name(values["os_type"], call.dialect)
    if values.get("pinned"):
        found = {_host_pinned(call, said, cluster, action) for said in values["pinned"]}
        values["pinned"] = sorted(found, reverse=True)  # an engine keeps them in no order
    return values


#: More of them than any host has.
_MOST_CPUS = 710
#: Properties that each engine knows without anybody having told it, and what their values look like.
_CUSTOM = {
    "sap_agent": r"true|false",
    "sndbuf": r"[0-9]+",
    "vhost": r".*",
    "viodiskcache": r"none|writeback|writethrough",
    "mdev_type": r".*",
    "hugepages": r"[0-9]+",
    "extra_cpu_flags": r".*",
    "log_guest_output": r".*",
}


def _check_limits(call: ApiCall, values: Thing, action: str) -> None:
    """Refuse what is beyond an engine's limits, in its words since 4.0."""
    if not call.dialect.modern:
        return
    if values.get("monitors", 1) > 1 and values.get("display_type", "vnc") == "vnc":
        raise refuse("vm monitors", call.dialect, BAD, action=action)
    cpus = [values.get(key, 1) for key in ("sockets", "cores", "threads")]
    if math.prod(cpus) > _MOST_CPUS:
        raise refuse("vm cpus", call.dialect, action=action)
    zone = values.get("timezone")
    if zone and not (zone.startswith(("Etc/", "US/")) or "/" in zone and zone.split("/")[0] in _CONTINENTS):
        raise refuse("vm zone", call.dialect, BAD, action=action)
    _check_custom(call, values.get("custom_properties") or (), action)


_CONTINENTS = frozenset("Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split())


def _check_custom(call: ApiCall, told: Iterable[Thing], action: str) -> None:
    """Refuse properties that the engine was not told of, and values that they do not take."""
    unknown = [one["name"] for one in told if one.get("name") not in _CUSTOM]
    if unknown:
        raise refuse("vm property", call.dialect, BAD, action=action, names=", ".join(unknown))
    wrong = [one["name"] for one in told if not re.fullmatch(_CUSTOM[one["name"]], one.get("value") or "")]
    if wrong:
        raise refuse("vm property value", call.dialect, BAD, action=action, names=", ".join(wrong))


def _host_pinned(call: ApiCall, said: Thing, cluster: Thing, action: str) -> str:
    """Find a host that a machine is to run on; since 4.0 its cluster is looked at, too."""
    if not call.dialect.modern:
        return str(call.look_up("host", said, cluster=cluster["id"])["id"])
    host = call.world.get("host", said["id"]) if "id" in said else call.world.exactly("host", said.get("name", ""))
    if host is None and "id" not in said:
        raise Refused(f"Entity not found: {said.get('name', '')}", MISSING, listed=False)
    if host is None:
        raise refuse("vm pinned nowhere", call.dialect, action=action)
    if host["cluster"] != cluster["id"]:
        raise refuse("vm pinned elsewhere", call.dialect, action=action)
    return str(host["id"])


def _bios(values: Thing, cluster: Thing) -> str | None:
    """The chipset and firmware that a machine gets; its cluster's where it is not said."""
    word = values.get("bios_type") or "cluster_default"
    return cluster.get("bios_type") if word == "cluster_default" else str(word)


#: Which of them are UEFI.
_UEFI = frozenset({"q35_ovmf", "q35_secure_boot"})
_MOST_IO_THREADS = 127


def _check_firmware(call: ApiCall, values: Thing, action: str) -> None:
    """Refuse a TPM without UEFI, and more threads for disks than an engine takes."""
    if values.get("tpm") and values.get("bios_type") not in _UEFI:
        raise refuse("vm tpm", call.dialect, BAD, action=action)
    if not 0 <= values.get("io_threads", 0) <= _MOST_IO_THREADS:
        raise refuse("vm io threads", call.dialect, BAD, action=action)


def _lease(call: ApiCall, values: Thing, action: str) -> Thing:
    """Bring a body's lease into the world's form; an empty one takes it away.

    Raises:
        Refused: The machine is not highly available.
    """
    element = call.part("lease")
    if element is None or call.dialect.number == 3:
        return {}
    if len(element) and not values.get("ha_enabled"):
        raise refuse("lease without ha", call.dialect, action=action)
    if len(element) and call.world.get("storage_domain", values["lease"].get("id")) is None:
        raise Refused(f"Cannot {action} VM. Storage Domain doesn't exist.", BAD)
    lease = values["lease"]["id"] if len(element) else None
    return {"lease": lease}


def change(call: ApiCall) -> One:
    """Change a machine; while it runs, hardware changes wait for the next start (3.5 and later) or are refused."""
    thing, world = call.things["vm"], call.world
    values, cluster = _requested_change(call, thing)
    swapped = None not in (thing.get("lease"), values.get("lease")) and thing["lease"] != values["lease"]
    if swapped and thing["status"] not in NOT_RUNNING:
        raise refuse("lease swap", call.dialect)
    if cluster.get("data_center") != world.the("cluster", thing["cluster"]).get("data_center"):
        raise refuse("vm cluster center", call.dialect)
    _refuse_taken(call, thing, values, cluster)
    if "bios_type" in values:
        values["bios_type"] = _bios(values, cluster)
    _check_firmware(call, {**thing, **values}, "edit")
    numa.check_machine(call, {**thing, **values}, "edit")
    numa.tune(call, thing, values)
    hostdevices.drop(call, thing, values)
    mediated.convert(call, thing, mediated.take_property(call, values))
    unnamed.drop_labels(call, "vms", thing)
    if thing["status"] not in NOT_RUNNING:
        if cluster["id"] != thing["cluster"] or not call.dialect.knows((3, 5)):
            _refuse_running(call, thing, values, cluster)
        running.change(call, thing, values)
        return One(VM, thing)
    if thing["status"] == "suspended" and call.flag("next_run"):
        values, thing["next_run"] = {**thing.get("next_run", {}), **values}, {}
    world.change(thing, **values, cluster=cluster["id"])
    return One(VM, thing)


def _requested_change(call: ApiCall, thing: Thing) -> tuple[Thing, Thing]:
    """Read what shall change of a machine, and in which cluster it shall be."""
    values = call.changes(VM)
    _template_stays(call, values.pop("template", None))
    hosts_told(values)
    if thing["status"] == "image_locked":
        raise refuse("vm locked", call.dialect, action="edit")
    cluster = call.world.the("cluster", thing["cluster"])
    if values.get("cluster") and call.dialect.modern and thing["status"] not in NOT_RUNNING:
        said = values.pop("cluster")
        if said.get("id", cluster["id"]) != cluster["id"] or said.get("name", cluster["name"]) != cluster["name"]:
            raise refuse("vm cluster running", call.dialect)
    if values.get("cluster"):
        cluster = _cluster_told(call, values.pop("cluster"))
    if "memory" in values and values["memory"] < thing["memory_guaranteed"] and call.dialect.number == 3:
        values.setdefault("memory_guaranteed", values["memory"])
    if call.part("placement_policy") is not None and call.dialect.knows((3, 6)):
        values.setdefault("pinned", [])  # a policy without hosts takes the machine off them
    if not values.get("boot", True):
        del values["boot"]  # an order without devices says nothing
    first = call.part("initialization")
    if first is not None and not len(first) and call.dialect.number == 4:
        values.update({key: None for key in thing if key.startswith("init_")})  # an empty element takes all away
    unnamed.drop_console(call, thing, values)
    _check_limits(call, {"display_type": thing["display_type"], **values}, "edit")
    values = _check(call, {**_bounds(call, thing), **values} if set(_BOUNDS) & set(values) else values, cluster)
    values.update(_lease(call, {**thing, **values}, "edit"))
    return values, cluster


def _cluster_told(call: ApiCall, said: Thing) -> Thing:
    """Find the cluster that a machine shall go to; an id that leads nowhere breaks an engine's own check."""
    if call.dialect.modern and "id" in said and call.world.get("cluster", said["id"]) is None:
        raise Refused("General command validation failure.", BROKEN)
    return call.look_up("cluster", said)


def _template_stays(call: ApiCall, said: Thing | None) -> None:
    """Refuse a template that is not there; another one than the machine's is passed over."""
    if said and call.dialect.modern and call.world.get("template", said.get("id", ZERO)) is None:
        raise Refused("Cannot edit VM. The relevant Template doesn't exist.", BAD)


def _bounds(call: ApiCall, thing: Thing) -> Thing:
    """Give what a machine's memory must fit between, now or at its next start; before 4.0 there is no maximum."""
    waits = call.flag("next_run") and call.dialect.knows((4, 2))
    thing = {**thing, **thing.get("next_run", {})} if waits else thing
    return {key: thing[key] for key in _BOUNDS[: 3 if call.dialect.modern else 2] if thing.get(key)}


def _refuse_running(call: ApiCall, thing: Thing, values: Thing, cluster: Thing) -> None:
    """Refuse another cluster, and before 3.5 all but what is taken at once."""
    if cluster["id"] != thing["cluster"] and call.dialect.knows((4, 0)):
        raise refuse("vm cluster running", call.dialect)
    hardware = any(thing.get(key) != value for key, value in values.items() if not running.at_once(key))
    if cluster["id"] != thing["cluster"] or hardware:
        raise refuse("vm edit running", call.dialect, kind=BAD)


def _refuse_taken(call: ApiCall, thing: Thing, values: Thing, cluster: Thing) -> None:
    others = _namesakes(call, values.get("name", ""), cluster)
    if any(other is not thing for other in others):
        raise name_taken("VM", call.dialect, "edit")


def _namesakes(call: ApiCall, name: str, cluster: Thing) -> list[Thing]:
    """Give the machines in whose way that name is: those of the data center, before 3.6 all."""
    same = [vm for vm in call.world.by_name("vm", name) if vm["name"] == name]
    if not call.dialect.knows((3, 6)):
        return same
    center = cluster.get("data_center")
    return [vm for vm in same if call.world.the("cluster", vm["cluster"]).get("data_center") == center]


def remove(call: ApiCall) -> Removed:
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
    disks = disks_of(world, thing)
    locked = [disk["name"] for disk in disks if disk["status"] == "locked"]
    force = call.flag("force") if call.dialect.number == 4 else call.yes("force")
    if locked and not force:
        raise refuse("disks locked", call.dialect, action="remove", names=", ".join(locked))
    keep = call.flag("detach_only") if call.dialect.number == 4 else call.yes("vm/disks/detach_only")
    # Before 3.1 the word is not known, so the disks go; what hangs on a template's disk never stays.
    keep = keep and call.dialect.knows((3, 1))
    if keep and thing["template"] != ZERO and any(disk.get("cloned") is False for disk in disks):
        raise refuse("vm disks of template", call.dialect)
    for disk in disks:
        if keep or disk.get("shareable"):
            take_off(world, world.the("disk", disk["id"]), thing)
    world.event(113, "normal", f"VM {thing['name']} was successfully removed.", vm=thing["id"])
    if call.dialect.modern:  # it is gone at once; its disks go a moment later
        discard(world, thing, {})
    else:
        world.move(thing, "vm.remove", effect="vm removed", removing=True)
    return Removed()


@effect("vm removed")
def discard(world: World, thing: Thing, _end: Thing) -> None:
    """Take a machine out of the world, with all that is part of it."""
    for kind in ("nic", "snapshot"):
        for part in world.of(kind, "vm", thing["id"]):
            world.remove(part)
    for disk in world.of("disk", "vm", thing["id"]):  # they go a moment after it
        world.change(disk, vm=None)
        world.move(disk, "disk.remove", effect="disk removed")
    for tagging in world.of("tagging", "owner", thing["id"]):
        world.remove(tagging)
    world.remove(thing)


ROUTES = (
    get("/vms", lists(VM, "vm"), "list virtual machines; search, max, follow / detail"),
    post("/vms", create, "make a virtual machine from a template"),
    get("/vms/{vm}", shows(VM), "show a virtual machine"),
    put("/vms/{vm}", change, "change a virtual machine; next run while it runs"),
    delete("/vms/{vm}", remove, "remove a virtual machine, with or without its disks"),
)
