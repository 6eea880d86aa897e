"""Quality of service in a data center, and the profiles of storage domains that use it."""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import SimShape, Thing, ref, sim_field
from ..faults import Refused
from ..world import COMES_ALONG, World
from .plain import Plain
from .vmshape import derive_id

_STORAGE = "max_throughput max_read_throughput max_write_throughput max_iops max_read_iops max_write_iops".split()
_NETWORK = "inbound_average inbound_peak inbound_burst outbound_average outbound_peak outbound_burst".split()
_HOST = "outbound_average_linkshare outbound_average_upperlimit outbound_average_realtime".split()
#: Type -> its values; the others are passed over.
_VALUES = {"storage": _STORAGE, "cpu": ["cpu_limit"], "network": _NETWORK, "hostnetwork": _HOST}
_NUMBERS = (*_STORAGE, "cpu_limit", *_NETWORK, *_HOST)

QOS = SimShape(
    "qos",
    "qos",
    "qoss",
    "/datacenters/{data_center}/qoss/{qos}",
    (
        ref("data_center"),
        *(sim_field(word, "int") for word in _NUMBERS),
        sim_field("type", v3="@type", v4="type", words=" ".join(_VALUES)),
    ),
)


def _fits(call: ApiCall, values: Thing, there: Thing | None) -> None:
    """Refuse values that do not go together; those of other types are passed over."""
    action = "edit" if there else "add"
    kind = there["type"] if there else values["type"]
    values["type"] = kind
    for word in _NUMBERS:
        if word not in _VALUES[kind]:
            values.pop(word, None)
    told = {word: value for word, value in values.items() if word in _VALUES[kind] and value is not None}
    _refuse_numbers(action, kind, told)


def _refuse_numbers(action: str, kind: str, told: Thing) -> None:
    if any(value < 0 for value in told.values()):
        raise Refused(f"Cannot {action} QoS. QoS element cannot have negative values.")
    for way in ("throughput", "iops"):
        if told.get(f"max_{way}") and (told.get(f"max_read_{way}") or told.get(f"max_write_{way}")):
            words = "QoS have non-zero total value with non-zero read/write for either throughput or IOps or both."
            raise Refused(f"Cannot {action} QoS.\n{words}")
    for way in ("inbound", "outbound") if kind == "network" else ():
        _refuse_ways(action, [told.get(f"{way}_{each}") for each in ("average", "peak", "burst")])
    if kind == "hostnetwork" and not told.get("outbound_average_linkshare"):
        words = "Weighted share must be specified to complete QoS configuration."
        raise Refused(f"Cannot {action} Host Network QoS. {words}")
    if kind == "cpu" and not told:
        raise Refused(f"Cannot {action} QoS. QoS element has missing values.")


def _refuse_ways(action: str, values: list[int | None]) -> None:
    """All of average, peak and burst, or none; a peak is not below the average."""
    average, peak, burst = values
    if any(values) and None in (average, peak, burst):
        words = "All three values are needed in order to define QoS on each network directions."
        raise Refused(f"Cannot {action} Network QoS. {words}")
    if average is not None and peak is not None and peak < average:
        raise Refused(f"Cannot {action} Network QoS. Peak cannot be set lower than Average.")


PROFILE = SimShape(
    "disk_profile",
    "disk_profile",
    "disk_profiles",
    "/storagedomains/{storage_domain}/diskprofiles/{disk_profile}",
    (ref("qos"), ref("storage_domain")),
)


def _of_domain(world: World, domain: Thing) -> None:
    """Make the profile that comes with a storage domain."""
    one = derive_id("disk profile", domain["id"])
    world.add("disk_profile", id=one, name=domain["name"], storage_domain=domain["id"])


COMES_ALONG["storage_domain"] = _of_domain
_QOS = Plain(
    *(QOS, "QoS", "Qos", ("name", "type")),
    owner="data_center",
    taken="Cannot {action} {type}. QoS element name already exists.",
    check=_fits,
    since3=(3, 5),
)
_PROFILE = Plain(
    *(PROFILE, "Disk Profile", "DiskProfile", ("name", "storage_domain:storageDomain.id")),
    owner="storage_domain",
    taken="Cannot {action} {type}. Profile name is in use.",
    since3=(3, 5),
)
ROUTES = (
    *_QOS.routes("/datacenters/{data_center}/qoss"),
    *_PROFILE.routes("/diskprofiles", "/storagedomains/{storage_domain}/diskprofiles"),
)
