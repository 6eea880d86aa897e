"""Machines in OVA files, which are on the hypervisors."""

from __future__ import annotations

from typing import Any

from ..answers import ActionDone, Raw, writer
from ..call import SHAPES, ApiCall, require
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import BAD, Refused
from ..render import document
from ..routing import post
from ..world import World

IMPORT = SimShape(
    "external_vm_import",
    "external_vm_import",
    "external_vm_imports",
    "/externalvmimports/{external_vm_import}",
    (
        ref("cluster"),
        ref("host"),
        sim_field("provider", words="kvm vmware xen"),
        sim_field("sparse", "bool"),
        ref("storage_domain"),
        sim_field("url"),
        ref("vm"),
    ),
)
SHAPES["external_vm_import"] = IMPORT
#: What does not belong to a machine alone, or is another's when it is made again.
_OWN = frozenset({"id", "kind", "v", "turn", "run", "next_run", "vm", "host", "mac", "status"})


def write(call: ApiCall, vm: Thing) -> ActionDone:
    """Write a machine into a file on a host; it may run meanwhile."""
    world, host = call.world, call.named_part("host", "host")
    if host is None or not call.text("directory"):
        told = "No matching signature found, make sure that mandatory attributes are provided."
        raise Refused(told, BAD, "Input validation failed.")
    directory, name = call.text("directory"), call.text("filename") or f"{vm['name']}.ova"
    if host["status"] != "up":
        raise Refused(f"Cannot export VM. {host['name']} is not up.")
    if not directory.startswith("/") or directory.startswith("/nowhere"):
        told = f"Invalid target folder: {directory} on Host {host['name']}"
        raise Refused(f"Cannot export VM. {told}. You may refer to the engine.log file for further details.")
    kept = {
        "vm": _without_own(vm),
        "disks": [{**_without_own(disk), "like": disk["id"]} for disk in world.of("disk", "vm", vm["id"])],
        "nics": [_without_own(nic) for nic in world.of("nic", "vm", vm["id"])],
    }
    path = f"{directory.rstrip('/')}/{name}"
    world.change(host, ovas={**host.get("ovas", {}), path: kept})
    world.event(1223, "normal", f"Starting to export Vm {vm['name']} as a Virtual Appliance", vm=vm["id"])
    if vm["status"] == "down":
        world.move(vm, "vm.lock")
    done = f"Vm {vm['name']} was exported successfully as a Virtual Appliance to path {path} on Host {host['name']}"
    world.event(1224, "normal", done, vm=vm["id"])
    return ActionDone()


def _without_own(thing: Thing) -> Thing:
    return {key: value for key, value in thing.items() if key not in _OWN}


def read(call: ApiCall) -> Raw:
    """Make a machine of a file."""
    values, world = call.read(IMPORT), call.world
    wanted = ("provider", "url", "name", "cluster:cluster.id|name", "storage_domain:storageDomain.id|name")
    require(values, ("", "ExternalVmImport"), wanted, call.dialect)
    cluster = call.look_up("cluster", values["cluster"])
    domain = call.look_up("storage_domain", values["storage_domain"])
    name = (values.get("vm") or {}).get("name") or values["name"]
    if not values.get("host"):
        raise Refused("Cannot import VM. No host specified to serve as proxy.")
    host = call.look_up("host", values["host"])
    kept = host.get("ovas", {}).get(str(values["url"]).removeprefix("ova://"))
    if kept is None:
        raise Refused("Cannot import VM. Failed to load VM configuration from the OVA.")
    if world.exactly("vm", name):
        raise Refused("Cannot import VM. The VM name is already in use, please choose a unique name and try again.")
    vm = _make(world, kept, name, cluster, domain)
    refs = {"cluster": cluster["id"], "storage_domain": domain["id"], "host": host["id"], "vm": vm["id"]}
    text = writer(call).thing(IMPORT, {**values, **refs}, "")
    return Raw(document(text.replace(' href=""', "", 1)), 201)  # it has neither an id nor an address


def _make(world: World, kept: Any, name: str, cluster: Thing, domain: Thing) -> Thing:
    more = {"name": name, "cluster": cluster["id"], "creation_time": world.now(), "status": "down"}
    vm = world.add("vm", **{**kept["vm"], **more})
    for disk in kept["disks"]:
        made = world.add("disk", **{**disk, "vm": vm["id"], "storage_domain": domain["id"]})
        world.move(made, "disk.create")
    for nic in kept["nics"]:
        world.add("nic", **{**nic, "vm": vm["id"], "mac": world.free_mac()})
    world.move(vm, "vm.copy")
    return vm


_V4 = {"since3": NEVER}
ROUTES = (post("/externalvmimports", read, "make a machine of a file", **_V4),)
