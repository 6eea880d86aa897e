"""How a storage domain is written: alone, and in its data center, where it has a state."""

from __future__ import annotations

from ..call import SHAPES
from ..dialect import MODERN, SAID, SimField, SimShape, Thing, ref, sim_field, v3only, v4only
from ..usual import usual

LUN = (
    sim_field("id", v3="@id", v4="@id"),
    sim_field("port", "int"),
    sim_field("target"),
    sim_field("username"),
    sim_field("password", "secret"),
    sim_field("portal"),
    sim_field("address"),
    sim_field("serial", fixed=True),
    sim_field("vendor_id", fixed=True),
    sim_field("product_id", fixed=True),
    sim_field("lun_mapping", "int", fixed=True),
    sim_field("size", "int", fixed=True),
    sim_field("paths", "int", fixed=True),
    sim_field("status", since3=(3, 1), fixed=True),
    sim_field("volume_group_id", since3=(3, 1), fixed=True),
    sim_field("storage_domain_id", since3=(3, 1), fixed=True),
)
#: 3.0 has the address before the port.
LUN_30 = tuple(sorted(LUN, key=lambda one: ("id", "address").index(one.key) if one.key in ("id", "address") else 2))


def within(key: str, kind: str = "text", **more: object) -> SimField:
    """Declare a field of the `storage` element."""
    return sim_field(key, kind, f"storage/{key}", f"storage/{key}", **more)


#: A body may have the LUNs beside the volume group; an answer has them inside it.
_IN_GROUP = (
    sim_field("vg", v3="storage/volume_group@id", v4="storage/volume_group@id", fixed=True),
    v3only("group_luns", path="storage/volume_group/logical_unit[]", until3=(3, 1), item=LUN_30, fixed=True),
    sim_field(
        "group_luns",
        v3="storage/volume_group/logical_unit[]",
        since3=(3, 1),
        item=LUN,
        fixed=True,
        v4="storage/volume_group/logical_units/logical_unit[]",
    ),
)
_FIELDS = (
    ref("data_center", until3=(3, 1)),
    ref("data_center", v4="", behind=MODERN),
    ref(
        "data_centers",
        "data_center",
        "data_centers/data_center[]",
        "data_centers/data_center[]",
        since3=(3, 6),
        fixed=True,
    ),
    sim_field("type", words="data iso export image volume managed_block_storage"),
    sim_field("status", v3="status/state", fixed=True),
    sim_field("external_status", v3="external_status/state", v4="external_status", since3=(3, 6), fixed=True),
    sim_field("master", "bool", fixed=True),
    sim_field(
        "storage_type",
        v3="storage/type",
        v4="storage/type",
        until3=(3, 1),
        words="nfs localfs iscsi fcp posixfs glusterfs",
    ),
    within("address"),
    v3only("storage_type", path="storage/type", since3=(3, 1), words="nfs localfs iscsi fcp posixfs glusterfs"),
    within("path"),
    within("mount_options", since3=(3, 1)),
    within("vfs_type", since3=(3, 1)),
    within("nfs_version", since3=(3, 1)),
    within("nfs_timeo", "int", since3=(3, 1)),
    within("nfs_retrans", "int", since3=(3, 1)),
    v3only("luns", path="storage/logical_unit[]", until3=(3, 1), item=LUN_30),
    sim_field("luns", v3="storage/logical_unit[]", v4="storage/logical_units/logical_unit[]", since3=(3, 1), item=LUN),
    *_IN_GROUP,
    within("override_luns", "bool", since3=(3, 1)),
    within("port", "int", since3=(3, 1)),
    within("target", since3=(3, 1)),
    within("username", since3=(3, 1)),
    within("password", "secret", since3=(3, 1)),
    ref("host"),
    v3only("format", "bool"),
    v3only("destroy", "bool"),
    sim_field("available", "int", fixed=True),
    sim_field("used", "int", fixed=True),
    sim_field("committed", "int", fixed=True),
    sim_field("storage_format", words="v1 v2 v3 v4 v5"),
    v3only("wipe_after_delete", "bool", since3=(3, 6)),
    sim_field("import", "bool", since3=(3, 5)),
    v3only("warning_low_space_indicator", "int", since3=(3, 6)),
    v3only("critical_space_action_blocker", "int", since3=(3, 6)),
    v4only("block_size", "int", since4=(4, 3), fixed=True),
    *usual("wipe_after_delete=false warning_low_space_indicator=10 critical_space_action_blocker=5", v3=True),
    *usual("discard_after_delete=false backup=false supports_discard=false supports_discard_zeroes_data=false"),
)
_ORDER = (
    "data_center data_centers type status external_status master storage host format destroy available used committed "
    "storage_format wipe_after_delete import warning_low_space_indicator critical_space_action_blocker"
)
#: The trap: without its data center a domain shows only that it is unattached, or no state at all.
DOMAIN = SimShape(
    "storage_domain",
    "storage_domain",
    "storage_domains",
    "/storagedomains/{storage_domain}",
    _FIELDS,
    order36=_ORDER,
    view=lambda world, thing, call: {
        **_common(thing),
        "status": "unattached" if not thing.get("data_center") else None,
        "data_center": None,
    },
    basics=SAID,
)
IN_CENTER = SimShape(
    "storage_domain",
    "storage_domain",
    "storage_domains",
    "/datacenters/{data_center}/storagedomains/{storage_domain}",
    _FIELDS,
    order36=_ORDER,
    view=lambda world, thing, call: {**_common(thing), "data_center": thing.get("data_center")},
    basics=SAID,
)
SHAPES["storage_domain"] = DOMAIN


def _common(thing: Thing) -> Thing:
    center = thing.get("data_center")
    group = {"vg": thing.get("vg"), "group_luns": thing.get("luns", ()), "luns": ()}
    return {**thing, **group, "data_centers": [center] if center else [], "host": None, "import": None, "format": None}
