"""Mediated devices: the virtual GPUs of machines; before 4.5 a custom property said them."""

from __future__ import annotations

from ..answers import One, Removed
from ..call import ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, v4only
from ..faults import BAD, Refused
from ..routing import delete, get, post
from .common import lists_of, shows

DEVICE = SimShape(
    "vm_mediated_device",
    "vm_mediated_device",
    "vm_mediated_devices",
    "/vms/{vm}/mediateddevices/{vm_mediated_device}",
    (
        v4only("spec_params", path="spec_params/property[]", item=(v4only("name"), v4only("value"))),
        ref("vm", fixed=True, v3=""),
    ),
    basics=(),
)
#: The custom property, and what of a device says the same (MDevTypesUtils).
_PROPERTY, _TYPE, _NO_DISPLAY = "mdev_type", "mdevType", "nodisplay"


def create(call: ApiCall) -> One:
    """Give a machine a mediated device."""
    values = call.fresh(DEVICE)
    told = {one.get("name"): one.get("value") for one in values.get("spec_params") or ()}
    if not told.get(_TYPE) or None in told.values():
        text = "Mediated device ID or VM/Template ID or a parameter value is null."
        raise Refused(f"Cannot ${{action}} ${{type}}. {text}", BAD)
    return One(DEVICE, call.world.add("vm_mediated_device", **values, vm=call.things["vm"]["id"]), 201)


def remove(call: ApiCall) -> Removed:
    """Take one away."""
    call.world.remove(call.things["vm_mediated_device"])
    return Removed()


def take_property(call: ApiCall, values: Thing) -> str | None:
    """Take the custom property out of a body since 4.5; None where it is not there."""
    told = values.get("custom_properties") or []
    found = [one.get("value") or "" for one in told if one["name"] == _PROPERTY]
    if not found or not call.dialect.knows((4, 5)) or call.dialect.number == 3:
        return None
    values["custom_properties"] = [one for one in told if one["name"] != _PROPERTY]
    return str(found[0])


def convert(call: ApiCall, vm: Thing, text: str | None) -> None:
    """Make devices of what the custom property said, in place of those that were there."""
    if text is None:
        return
    for one in call.world.of("vm_mediated_device", "vm", vm["id"]):
        call.world.remove(one)
    words = text.split(",") if text else []
    hidden = "true" if _NO_DISPLAY in words else "false"
    for kind in (word for word in words if word != _NO_DISPLAY):
        params = [{"name": _TYPE, "value": kind}, {"name": _NO_DISPLAY, "value": hidden}]
        call.world.add("vm_mediated_device", spec_params=params, vm=vm["id"])


_ALL = "/vms/{vm}/mediateddevices"
_SINCE = {"since3": NEVER, "since4": (4, 5)}
ROUTES = (
    get(_ALL, lists_of(DEVICE, "vm"), "list its virtual GPUs", **_SINCE),
    post(_ALL, create, "give it one", **_SINCE),
    get(f"{_ALL}/{{vm_mediated_device}}", shows(DEVICE), "show one of them", **_SINCE),
    delete(f"{_ALL}/{{vm_mediated_device}}", remove, "take it away", **_SINCE),
)
