"""Network cards of machines and templates: by network in v3, by vNIC profile in v4."""

from __future__ import annotations

import re

from ..answers import Done, One, Removed
from ..call import SHAPES, Call, require
from ..dialect import Shape, Thing, named, ref, v3only
from ..faults import BAD, Refused, refuse
from ..routing import delete, get, post, put, verb
from .common import lists_of, shows
from .vms import NOT_RUNNING

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_FIELDS = (
    ref("vm", fixed=True), ref("template", fixed=True),
    ref("network", v4=""), named("linked", "bool", since3=(3, 2)),
    named("interface", words="e1000 rtl8139 virtio rtl8139_virtio e1000e spapr_vlan pci_passthrough"),
    named("mac", v3="mac@address", v4="mac/address"),
    v3only("active", "bool", since3=(3, 1)), named("plugged", "bool", since3=(3, 2)),
    ref("vnic_profile", since3=(3, 3)), named("boot_protocol", since3=(3, 6)), named("on_boot", "bool", since3=(3, 6)),
)
NIC = Shape(
    "nic", "nic", "nics", "/vms/{vm}/nics/{nic}", _FIELDS,
    order30="vm template network interface mac statistics",
    order36="template vm network linked interface mac statistics active plugged vnic_profile boot_protocol on_boot",
    view=lambda world, thing, call: {**thing, "active": thing.get("plugged")},
)
OF_TEMPLATE = Shape(
    "nic", "nic", "nics", "/templates/{template}/nics/{nic}", _FIELDS, order30=NIC.order30, order36=NIC.order36,
)
SHAPES["nic"] = NIC


def added(call: Call) -> One:
    """Make a network card; without a MAC of its own it gets one from the pool."""
    vm, world = call.things["vm"], call.world
    values = call.fresh(NIC)
    wanted = ("name", "network:network.id|name") if call.dialect.version < (3, 1) else ("name",)
    require(values, ("NIC", "Nic"), wanted, call.dialect)
    if any(nic["name"] == values["name"] for nic in world.of("nic", "vm", vm["id"])):
        raise refuse("nic name", call.dialect)
    _down_on_old(call, vm)
    how = _network(call, vm, values)
    mac = _free_mac(call, values.pop("mac", None))
    plugged = values.pop("active", values.pop("plugged", True))
    nic = world.add(
        "nic", **{"interface": "virtio", "linked": True, **values}, **how, plugged=plugged, mac=mac or world.free_mac(),
        vm=vm["id"], template=None,
    )
    text = f"Interface {nic['name']} (VirtIO) was added to VM {vm['name']}."
    world.event(932, "normal", text, vm=vm["id"])
    return One(NIC, nic, 201)


def _down_on_old(call: Call, vm: Thing) -> None:
    """Refuse hot plug on 3.0."""
    if vm["status"] not in NOT_RUNNING and call.dialect.version < (3, 1):
        raise refuse("nic running", call.dialect)


def _network(call: Call, vm: Thing, values: Thing) -> Thing:
    """Find the network of a card: a profile wins; v4 does not look at `network`; none is fine since 3.1."""
    world = call.world
    cluster = world.the("cluster", vm["cluster"])
    said, profile = values.pop("network", None), values.pop("vnic_profile", None)
    if profile:
        found = call.look_up("vnic_profile", profile)
        return _checked(call, cluster, world.the("network", found["network"]), found)
    if said:
        network = call.look_up("network", said, data_center=cluster["data_center"])
        profiles = world.of("vnic_profile", "network", network["id"])
        return _checked(call, cluster, network, profiles[0] if profiles else None)
    return {"network": None, "vnic_profile": None}


def _checked(call: Call, cluster: Thing, network: Thing, profile: Thing | None) -> Thing:
    there = {one["network"] for one in call.world.of("cluster_network", "cluster", cluster["id"])}
    if network["id"] not in there or not network["vm_network"]:
        raise refuse("nic network", call.dialect, name=network["name"])
    return {"network": network["id"], "vnic_profile": profile["id"] if profile else None}


def _free_mac(call: Call, told: str | None, own: Thing | None = None) -> str | None:
    """Bring a MAC address into one form, and refuse one that another card has."""
    if not told:
        return None
    mac = told.strip().lower()
    if not _MAC.fullmatch(mac):
        raise Refused("Cannot add Interface. Invalid MAC address format.", BAD)
    for other in call.world.of("nic", "mac", mac):
        if other is not own and other.get("vm"):
            raise refuse("mac used", call.dialect, mac=mac, name=call.world.the("vm", other["vm"])["name"])
    return mac


def changed(call: Call) -> One:
    """Change a network card."""
    nic, vm = call.things["nic"], call.things["vm"]
    values = call.changes(NIC)
    _down_on_old(call, vm)
    if "network" in values or "vnic_profile" in values:
        values.update(_network(call, vm, values))
    if "mac" in values:
        values["mac"] = _free_mac(call, values["mac"], nic) or nic["mac"]
    if "active" in values:
        values["plugged"] = values.pop("active")
    running = vm["status"] not in NOT_RUNNING and nic["plugged"] and values.get("plugged", True)
    if running and any(values.get(key, nic.get(key)) != nic.get(key) for key in ("mac", "interface")):
        raise Refused("Cannot edit Interface. The VM Network Interface is plugged to a running VM.")
    call.world.change(nic, **values)
    return One(NIC, nic)


def removed(call: Call) -> Removed:
    """Remove a network card; from a running machine only when it is unplugged."""
    nic, vm = call.things["nic"], call.things["vm"]
    _down_on_old(call, vm)
    if vm["status"] not in NOT_RUNNING and nic["plugged"]:
        raise Refused("Cannot remove Interface. The VM Network Interface is plugged to a running VM.")
    call.world.remove(nic)
    return Removed()


def activate(call: Call) -> Done:
    """Plug a card in."""
    call.world.change(call.things["nic"], plugged=True)
    return Done(NIC, call.things["nic"])


def deactivate(call: Call) -> Done:
    """Unplug a card."""
    call.world.change(call.things["nic"], plugged=False)
    return Done(NIC, call.things["nic"])



ROUTES = (
    get("/vms/{vm}/nics", lists_of(NIC, "vm"), "list its network cards"),
    post("/vms/{vm}/nics", added, "make a network card"),
    get("/vms/{vm}/nics/{nic}", shows(NIC), "show a network card"),
    put("/vms/{vm}/nics/{nic}", changed, "change a network card"),
    delete("/vms/{vm}/nics/{nic}", removed, "remove a network card"),
    verb("/vms/{vm}/nics/{nic}/activate", activate, "plug it in", since3=(3, 1)),
    verb("/vms/{vm}/nics/{nic}/deactivate", deactivate, "unplug it", since3=(3, 1)),
    get("/templates/{template}/nics", lists_of(OF_TEMPLATE, "template"), "list its network cards"),
    get("/templates/{template}/nics/{nic}", shows(OF_TEMPLATE), "show a network card"),
)
