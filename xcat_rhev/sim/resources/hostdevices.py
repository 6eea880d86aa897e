"""Devices of hosts, and those that machines have for themselves: named as libvirt does, their ids in hexadecimal."""

from __future__ import annotations

from typing import Any

from ..answers import Many, One, Removed
from ..call import ApiCall, require
from ..dialect import NAME, SimField, SimShape, Thing, ref, sim_field, v4only
from ..faults import BAD, Gone, Refused
from ..routing import delete, get, post
from ..world import World


def _device(key: str) -> tuple[SimField, ...]:
    """Another device of the same host: its name and its id."""
    return sim_field(f"{key}_id", v3=f"{key}@id", v4=f"{key}@id"), sim_field(key, v3=f"{key}/name", v4=f"{key}/name")


_FIELDS = (
    ref("host", fixed=True),
    *_device("parent_device"),
    sim_field("capability"),
    sim_field("product_id", v3="product@id", v4="product@id"),
    sim_field("product", v3="product/name", v4="product/name"),
    sim_field("vendor_id", v3="vendor@id", v4="vendor@id"),
    sim_field("vendor", v3="vendor/name", v4="vendor/name"),
    sim_field("iommu_group", "int"),
    *_device("physical_function"),
    sim_field("virtual_functions", "int"),
    sim_field("placeholder", "bool"),
    ref("vm", fixed=True),
    v4only("driver", since4=(4, 1)),
    v4only(
        "mdev_types",
        path="m_dev_types/m_dev_type[]",
        since4=(4, 4),
        item=(
            v4only("name"),
            v4only("human_readable_name"),
            v4only("available_instances", "int"),
            v4only("description"),
        ),
    ),
)
HOST_DEVICE = SimShape(
    "host_device", "host_device", "host_devices", "/hosts/{host}/devices/{host_device}", _FIELDS, basics=(NAME,)
)
VM_DEVICE = SimShape(
    "vm_host_device",
    "host_device",
    "host_devices",
    "/vms/{vm}/hostdevices/{hostdev}",
    _FIELDS,
    basics=(NAME,),
)

_INTEL = {"vendor_id": "0x8086", "vendor": "Intel Corporation"}
_CARD = {"vendor_id": "0x10de", "vendor": "NVIDIA Corporation", "product_id": "0x20b5", "product": "GA100 [A100 PCIe]"}
_NIC = {"vendor_id": "0x15b3", "vendor": "Mellanox Technologies", "product_id": "0x1017", "product": "MT27800 Family"}
_VF = {**_NIC, "product_id": "0x1018", "product": "MT27800 Family [ConnectX-5 Virtual Function]"}


def _pci(name: str, group: int | None, **more: Any) -> Thing:
    found = {"name": name, "capability": "pci", "parent_device": "computer", "driver": "vfio-pci", **more}
    return found if group is None else {**found, "iommu_group": group}


_MDEVS = [
    {"name": "nvidia-471", "human_readable_name": "GRID A100-10C", "available_instances": 8},
    {"name": "nvidia-474", "human_readable_name": "GRID A100-40C", "available_instances": 2},
]
#: What each host has: two graphics cards, one of them with its sound in its group, a NIC with functions, a USB stick.
DEVICES: tuple[Thing, ...] = (
    {"name": "computer", "capability": "system", "parent_device": "computer", "product": "Rack 2"},
    _pci("pci_0000_00_1f_2", None, **_INTEL, product_id="0x2922", product="82801IR SATA Controller", driver="ahci"),
    _pci("pci_0000_3b_00_0", 30, **_CARD, mdev_types=_MDEVS),
    _pci("pci_0000_af_00_0", 50, **_CARD),
    _pci("pci_0000_af_00_1", 50, **{**_CARD, "product_id": "0x1aef", "product": "GA102 High Definition Audio"}),
    _pci("pci_0000_5e_00_0", 40, **_NIC, virtual_functions=8, driver="mlx5_core"),
    _pci("pci_0000_5e_00_2", 41, **_VF, physical_function="pci_0000_5e_00_0"),
    _pci("pci_0000_5e_00_3", 42, **_VF, physical_function="pci_0000_5e_00_0"),
    {
        "name": "usb_1_4",
        "capability": "usb_device",
        "parent_device": "pci_0000_00_1f_2",
        "vendor_id": "0x0951",
        "vendor": "Kingston Technology",
        "product_id": "0x1666",
        "product": "DataTraveler 100 G3",
    },
)


def of_host(host: Thing) -> list[Thing]:
    """The devices of a host, as they are written."""
    return [_show(host, told) for told in host.get("devices") or DEVICES]


def _show(host: Thing, told: Thing) -> Thing:
    ids = {f"{key}_id": _hex(told[key]) for key in ("parent_device", "physical_function") if told.get(key)}
    return {**told, **ids, "id": _hex(told["name"]), "host": host["id"]}


def _hex(name: str) -> str:
    """A device's id: its name in hexadecimal (HexUtils)."""
    return name.encode().hex()


def _name(device_id: str) -> str:
    try:
        return bytes.fromhex(device_id).decode()
    except ValueError:
        return ""


def _user(world: World, host: Thing, name: str) -> str | None:
    """The machine that runs with a device."""
    for used in world.all("vm_host_device"):
        vm = world.get("vm", used["vm"])
        if used["name"] == name and vm and vm.get("host") == host["id"]:
            return str(vm["id"])
    return None


def list_of_host(call: ApiCall) -> Many:
    """List the devices of a host, with the machines that run with them."""
    host = call.things["host"]
    return Many(HOST_DEVICE, [{**one, "vm": _user(call.world, host, one["name"])} for one in of_host(host)])


def show_of_host(call: ApiCall) -> One:
    """Show one of them."""
    for one in list_of_host(call).things:
        if one["id"] == call.things["host_device"]["id"]:
            return One(HOST_DEVICE, one)
    raise Gone


# those of machines ----------------------------------------------------------------------------------------------------


def _of_vm(call: ApiCall) -> list[Thing]:
    vm, world = call.things["vm"], call.world
    found = []
    for used in world.of("vm_host_device", "vm", vm["id"]):
        host = world.get("host", used["host"])
        device = next((one for one in of_host(host) if one["name"] == used["name"]), None) if host else None
        if device:
            found.append({**device, "vm": vm["id"], "placeholder": used["placeholder"] or None})
    return found


def list_of_vm(call: ApiCall) -> Many:
    """List the devices that a machine has for itself, with those that came along with them."""
    return Many(VM_DEVICE, _of_vm(call))


def show_of_vm(call: ApiCall) -> One:
    """Show one of them."""
    return One(VM_DEVICE, _one(call))


def _one(call: ApiCall) -> Thing:
    wanted = call.things["hostdev"]["id"]
    for one in _of_vm(call):
        if one["id"] == wanted:
            return one
    raise Gone


def _check(call: ApiCall, name: str, action: str) -> Thing:
    """Find a device of the one host that a machine is bound to.

    Raises:
        Refused: In the engine's words and order (AbstractVmHostDevicesCommand).
    """
    vm, world = call.things["vm"], call.world
    words = f"Cannot {action} Host devices"
    if vm["status"] != "down":
        state = vm["status"].replace("_", " ").title()
        raise Refused(f"{words} because the VM is in {state} status.")
    pinned = vm.get("pinned") or []
    if not pinned:
        raise Refused(f"{words}. VM must be pinned to a host.")
    if len(pinned) > 1:
        raise Refused(f"{words}. VM must be pinned to a single host.")
    for one in of_host(world.the("host", pinned[0])):
        if one["name"] == name:
            return one
    raise Refused(f"{words}. One or more of specified host devices not found.", BAD)


def _group(call: ApiCall, device: Thing) -> list[Thing]:
    """A device with those of its IOMMU group: PCI devices go to a machine together."""
    host = call.world.the("host", device["host"])
    group = device.get("iommu_group")
    if device["capability"] != "pci" or group is None:
        return [device]
    return [one for one in of_host(host) if one.get("iommu_group") == group]


def attach(call: ApiCall) -> One:
    """Give a machine a device; the others of its IOMMU group come along as placeholders."""
    vm, world = call.things["vm"], call.world
    values = call.read(VM_DEVICE)
    require(values, ("HostDevice", "HostDevice"), ("id|name",), call.dialect)
    name = _name(values["id"]) if values.get("id") else values["name"]
    device = _check(call, name, "add")
    there = {one["name"]: one for one in world.of("vm_host_device", "vm", vm["id"])}
    for one in _group(call, device):
        if one["name"] not in there:
            asked = one["name"] == name
            world.add("vm_host_device", name=one["name"], vm=vm["id"], host=device["host"], placeholder=not asked)
        elif one["name"] == name:
            world.change(there[name], placeholder=False)
    return One(VM_DEVICE, {**device, "vm": vm["id"]}, 201)


def detach(call: ApiCall) -> Removed:
    """Take a device from a machine; its group stays while another of it was asked for."""
    vm, world = call.things["vm"], call.world
    device = _check(call, _one(call)["name"], "remove")
    names = {one["name"] for one in _group(call, device)}
    mine = [one for one in world.of("vm_host_device", "vm", vm["id"]) if one["name"] in names]
    for one in mine:
        if one["name"] == device["name"]:
            world.change(one, placeholder=True)
    if all(one["placeholder"] for one in mine) or device.get("iommu_group") is None:
        for one in mine:
            world.remove(one)
    return Removed()


def drop(call: ApiCall, vm: Thing, values: Thing) -> None:
    """Let go of a machine's devices when it is bound to other hosts (UpdateVmCommand.updateVmHostDevices)."""
    if "pinned" in values and set(values["pinned"]) != set(vm.get("pinned") or ()):
        for one in call.world.of("vm_host_device", "vm", vm["id"]):
            call.world.remove(one)


_OF_HOST, _OF_VM = "/hosts/{host}/devices", "/vms/{vm}/hostdevices"
_SINCE = {"since3": (3, 6)}
ROUTES = (
    get(_OF_HOST, list_of_host, "list its devices", **_SINCE),
    get(f"{_OF_HOST}/{{host_device}}", show_of_host, "show one of them", **_SINCE),
    get(_OF_VM, list_of_vm, "list the devices of its host that it has for itself", **_SINCE),
    post(_OF_VM, attach, "give it a device of its host", **_SINCE),
    get(f"{_OF_VM}/{{hostdev}}", show_of_vm, "show one of them", **_SINCE),
    delete(f"{_OF_VM}/{{hostdev}}", detach, "take it off", **_SINCE),
)
