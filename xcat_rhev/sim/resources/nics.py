"""Network cards of machines and templates: by network in v3, by vNIC profile in v4."""

from __future__ import annotations

import re

from ..answers import ActionDone, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref, sim_field, v3only
from ..faults import BAD, Refused, refuse
from ..routing import delete, get, post, put, verb
from ..usual import usual
from .common import lists_of, shows
from .vms import NOT_RUNNING

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_FIELDS = (
    ref("vm", fixed=True),
    ref("template", fixed=True),
    ref("network", v4="", bare=True),
    sim_field("linked", "bool", since3=(3, 2)),
    sim_field("interface", words="e1000 rtl8139 virtio rtl8139_virtio e1000e@4.0 spapr_vlan@3.4 pci_passthrough@3.6"),
    sim_field("mac", v3="mac@address", v4="mac/address"),
    v3only("active", "bool", since3=(3, 1)),
    sim_field("plugged", "bool", since3=(3, 2)),
    ref("vnic_profile", since3=(3, 3)),
    sim_field("boot_protocol", since3=(3, 6)),
    sim_field("on_boot", "bool", since3=(3, 6)),
    *usual("synced=true", (4, 5)),
)
NIC = SimShape(
    "nic",
    "nic",
    "nics",
    "/vms/{vm}/nics/{nic}",
    _FIELDS,
    order30="vm template network interface mac statistics",
    order36="template vm network linked interface mac statistics active plugged vnic_profile boot_protocol on_boot",
    view=lambda world, thing, call: {**thing, "active": thing.get("plugged")},
)
OF_TEMPLATE = SimShape(
    "nic",
    "nic",
    "nics",
    "/templates/{template}/nics/{nic}",
    _FIELDS,
    order30=NIC.order30,
    order36=NIC.order36,
)
SHAPES["nic"] = NIC


def add(call: ApiCall) -> One:
    """Make a network card; without a MAC of its own it gets one from the pool."""
    vm, world = call.things["vm"], call.world
    _check_word(call)
    values = call.fresh(NIC)
    wanted = ("name", "network:network.id|name") if call.dialect.version < (3, 1) else ("name",)
    require(values, ("NIC", "Nic"), wanted, call.dialect)
    if any(nic["name"] == values["name"] for nic in world.of("nic", "vm", vm["id"])):
        raise refuse("nic name", call.dialect)
    _down_on_old(call, vm)
    how = _network(call, vm, values, "add")
    _check_passing(call, values.get("interface", "virtio"), how["vnic_profile"], "add")
    mac = _free_mac(call, values.pop("mac", None))
    plugged = values.pop("active", values.pop("plugged", True))
    nic = world.add(
        "nic",
        **{"interface": "virtio", "linked": True, **values},
        **how,
        plugged=plugged,
        mac=mac or world.free_mac(),
        vm=vm["id"],
        template=None,
    )
    text = f"Interface {nic['name']} (VirtIO) was added to VM {vm['name']}."
    world.event(932, "normal", text, vm=vm["id"])
    return One(NIC, nic, 201)


#: As engines of 4.x list them to callers of v3.
_INTERFACES = ("e1000", "virtio", "rtl8139", "rtl8139_virtio", "spapr_vlan", "pci_passthrough")


def _check_word(call: ApiCall) -> None:
    """Refuse a kind of card that there is not, as v3 of 4.x does."""
    word = call.text("interface")
    if word and word not in _INTERFACES and call.dialect.modern and call.dialect.number == 3:
        known = ", ".join(f"'{one}'" for one in _INTERFACES)
        told = f"The string '{word}' isn't a valid value for the 'NicInterface' enumerated type. Valid values are: "
        raise Refused(f"{told}{known}.", BAD, "Invalid value")


def _down_on_old(call: ApiCall, vm: Thing) -> None:
    """Refuse hot plug on 3.0."""
    if vm["status"] not in NOT_RUNNING and call.dialect.version < (3, 1):
        raise refuse("nic running", call.dialect)


def _check_passing(call: ApiCall, interface: str, profile: str | None, action: str) -> None:
    """Keep pass-through profiles and cards together."""
    found = call.world.get("vnic_profile", profile)
    through = found is not None and found.get("pass_through") == "enabled"
    if call.dialect.knows((3, 6)) and through != (interface == "pci_passthrough"):
        raise refuse("nic pass-through", call.dialect, action=action)


def _network(call: ApiCall, vm: Thing, values: Thing, action: str) -> Thing:
    """Find the network of a card: a profile wins; v4 does not look at `network`; v3 of 4.x finds one by itself."""
    world = call.world
    cluster = world.the("cluster", vm["cluster"])
    said, profile = values.pop("network", None), values.pop("vnic_profile", None)
    if profile is not None and "id" not in profile and (call.dialect.modern or not profile):
        return {"network": None, "vnic_profile": None}  # without an id it is none, whatever its name (NicMapper)
    if profile is not None:
        found = world.get("vnic_profile", profile.get("id"))
        if found is None:
            raise refuse("no profile", call.dialect, BAD, action=action)
        return _check(call, cluster, world.the("network", found["network"]), found)
    if call.dialect.modern and call.dialect.number == 3:
        return _first_fitting(call, cluster, said or {})
    if said:
        network = call.look_up("network", said, data_center=cluster["data_center"])
        profiles = world.of("vnic_profile", "network", network["id"])
        return _check(call, cluster, network, profiles[0] if profiles else None)
    return {"network": None, "vnic_profile": None}


def _first_fitting(call: ApiCall, cluster: Thing, said: Thing) -> Thing:
    """Give the first profile, by its name, of a cluster's networks that fits what v3 said of one, if any does."""
    world = call.world
    there = [world.the("network", one["network"]) for one in world.of("cluster_network", "cluster", cluster["id"])]
    fitting = {one["id"] for one in there if all(one[key] == said[key] for key in said)}
    profiles = [one for one in world.all("vnic_profile") if one["network"] in fitting]
    first = min(profiles, key=lambda one: str(one["name"]), default={"network": None, "id": None})
    return {"network": first["network"], "vnic_profile": first["id"]}


def _check(call: ApiCall, cluster: Thing, network: Thing, profile: Thing | None) -> Thing:
    there = {one["network"] for one in call.world.of("cluster_network", "cluster", cluster["id"])}
    if network["id"] not in there or not network.get("vm_network"):
        raise refuse("nic network", call.dialect, name=network["name"])
    return {"network": network["id"], "vnic_profile": profile["id"] if profile else None}


_MAC_FORM = (
    'MAC address must be in format "HH:HH:HH:HH:HH:HH" where H is a hexadecimal character (either a digit or A-F, case '
    "is insignificant)., Attribute: nic.macAddress"
)


_PLUGGED = (
    "Updating some of the properties is not supported while the interface is plugged into a running virtual machine. "
    "Please un-plug the interface, update the properties, and then plug it back."
)


def _free_mac(call: ApiCall, told: str | None, own: Thing | None = None) -> str | None:
    """Bring a MAC address into one form, and refuse one that another card has."""
    if not told:
        return None
    mac = told.strip().lower()
    if not _MAC.fullmatch(mac):
        raise Refused(_MAC_FORM if call.dialect.modern else "Cannot add Interface. Invalid MAC address format.", BAD)
    if int(mac[:2], 16) & 1 and call.dialect.modern:
        raise Refused("Multi-cast MAC address is not allowed., Attribute: nic.macAddress", BAD)
    for other in call.world.of("nic", "mac", mac):
        if other is not own and other.get("vm"):
            raise refuse("mac used", call.dialect, mac=mac, name=call.world.the("vm", other["vm"])["name"])
    return mac


def change(call: ApiCall) -> One:
    """Change a network card."""
    nic, vm = call.things["nic"], call.things["vm"]
    _check_word(call)
    values = call.changes(NIC)
    _down_on_old(call, vm)
    if "network" in values or "vnic_profile" in values:
        values.update(_network(call, vm, values, "edit"))
    merged = {**nic, **values}
    _check_passing(call, merged["interface"], merged["vnic_profile"], "edit")
    if "mac" in values:
        values["mac"] = _free_mac(call, values["mac"], nic) or nic["mac"]
    if "active" in values:
        values["plugged"] = values.pop("active")
    running = vm["status"] not in NOT_RUNNING and nic["plugged"] and values.get("plugged", True)
    if running and any(values.get(key, nic.get(key)) != nic.get(key) for key in ("mac", "interface")):
        raise Refused(f"Cannot edit Interface. {_PLUGGED}")
    call.world.change(nic, **values)
    return One(NIC, nic)


def remove(call: ApiCall) -> Removed:
    """Remove a network card; from a running machine only when it is unplugged."""
    nic, vm = call.things["nic"], call.things["vm"]
    _down_on_old(call, vm)
    if vm["status"] not in NOT_RUNNING and nic["plugged"]:
        raise Refused("Cannot remove Interface. The VM Network Interface is plugged to a running VM.")
    call.world.remove(nic)
    return Removed()


def activate(call: ApiCall) -> ActionDone:
    """Plug a card in."""
    call.world.change(call.things["nic"], plugged=True)
    return ActionDone(NIC, call.things["nic"])


def deactivate(call: ApiCall) -> ActionDone:
    """Unplug a card."""
    call.world.change(call.things["nic"], plugged=False)
    return ActionDone(NIC, call.things["nic"])


ROUTES = (
    get("/vms/{vm}/nics", lists_of(NIC, "vm"), "list its network cards"),
    post("/vms/{vm}/nics", add, "make a network card"),
    get("/vms/{vm}/nics/{nic}", shows(NIC), "show a network card"),
    put("/vms/{vm}/nics/{nic}", change, "change a network card"),
    delete("/vms/{vm}/nics/{nic}", remove, "remove a network card"),
    verb("/vms/{vm}/nics/{nic}/activate", activate, "plug it in", since3=(3, 1)),
    verb("/vms/{vm}/nics/{nic}/deactivate", deactivate, "unplug it", since3=(3, 1)),
    get("/templates/{template}/nics", lists_of(OF_TEMPLATE, "template"), "list its network cards"),
    get("/templates/{template}/nics/{nic}", shows(OF_TEMPLATE), "show a network card"),
)
