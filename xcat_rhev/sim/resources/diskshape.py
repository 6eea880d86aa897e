"""How disks are written: at a machine in v3, as attachments and images in v4."""

from __future__ import annotations

from dataclasses import replace

from ..call import SHAPES, ApiCall
from ..dialect import COMMENT, CREATION, DESCRIPTION, MODERN, NAME, SimShape, Thing, ref, sim_field, v3only, v4only
from ..usual import usual3
from .storageshape import LUN
from .vmshape import derive_id

_DOMAINS = "storage_domains/storage_domain[]"
_IN_V4 = (
    sim_field("alias", since3=(3, 1)),
    sim_field("image_id", since3=(3, 1), fixed=True),
    ref("domains", "storage_domain", _DOMAINS, _DOMAINS),
    v3only("size", "int"),
    v3only("disk_type", path="type", words="system data"),
    sim_field("provisioned_size", "int", since3=(3, 1)),
    sim_field("actual_size", "int", since3=(3, 1), fixed=True),
    v4only("total_size", "int", fixed=True),
    v4only("content_type"),
    v4only("initial_size", "int"),
    sim_field("status", v3="status/state", fixed=True),
    sim_field("storage_type", since3=(3, 6), fixed=True),
    ref("disk_profile", behind=MODERN),
    sim_field("quota", v3="quota@id", v4="quota@id", behind=MODERN),
    sim_field("quota_at", v3="quota@href", v4="quota@href", behind=MODERN),
    v4only("qcow_version", since4=(4, 1)),
    v4only("backup", usual="none", since4=(4, 4)),
    v3only("luns", path="lun_storage/logical_unit[]", since3=(3, 1), item=LUN),
    v4only("luns", path="lun_storage/logical_units/logical_unit[]", item=LUN),
)
_ATTACHED = (
    v3only("interface", words="ide virtio virtio_scsi@3.3 spapr_vscsi@3.4 sata@4.0"),
    sim_field("format", words="cow raw"),
    sim_field("sparse", "bool"),
    v3only("bootable", "bool"),
    sim_field("shareable", "bool", since3=(3, 1)),
    sim_field("wipe_after_delete", "bool"),
    sim_field("propagate_errors", "bool"),
    v3only("active", "bool", since3=(3, 1)),
    v3only("read_only", "bool", since3=(3, 5)),
)
_FIELDS = (ref("vm", fixed=True, v4=""), *_IN_V4, *_ATTACHED)
_ORDER30 = (
    "vm template storage_domains size type status interface format sparse bootable wipe_after_delete propagate_errors"
)
_ORDER36 = (
    "vm alias image_id storage_domains size type provisioned_size actual_size status interface format sparse bootable "
    "shareable wipe_after_delete propagate_errors statistics active read_only lun_storage storage_type"
)
DISK = SimShape(
    "disk",
    "disk",
    "disks",
    "/disks/{disk}",
    _FIELDS,
    order30=_ORDER30,
    order36=_ORDER36,
    view=lambda world, thing, call: {**show(thing), **_always(thing, call)},
    basics=(NAME, replace(DESCRIPTION, usual=""), COMMENT, CREATION),
)
#: v3 shows a machine's disk at the machine.
OF_VM = replace(DISK, path="/vms/{vm}/disks/{disk}", fields=(*_FIELDS, *usual3("uses_scsi_reservation=false")))
ATTACHMENT = SimShape(
    "disk",
    "disk_attachment",
    "disk_attachments",
    "/vms/{vm}/diskattachments/{disk}",
    (
        ref("disk"),
        ref("vm", fixed=True),
        sim_field("bootable", "bool"),
        sim_field("active", "bool"),
        sim_field("read_only", "bool", usual=False),
        sim_field("interface", words="ide virtio virtio_scsi sata spapr_vscsi"),
        sim_field("pass_discard", "bool", usual=False),
        sim_field("uses_scsi_reservation", "bool", usual=False),
        sim_field("logical_name", fixed=True),
    ),
    view=lambda world, thing, call: {**thing, "disk": thing["id"], "name": None, "description": None, "alias": None},
    basics=(),
)
#: In a body the disk is inside the attachment and is read apart.
ATTACHMENT_BODY = SimShape(
    "disk",
    "disk_attachment",
    "disk_attachments",
    "/vms/{vm}/diskattachments/{disk}",
    tuple(one for one in ATTACHMENT.fields if one.key != "logical_name"),
    basics=(),
)
SHAPES["disk"] = DISK


def _always(thing: Thing, call: ApiCall) -> Thing:
    """Give what 4.x says of every image: its profile (copies have none), its quota, and its format's version."""
    hidden = _hidden(call)
    if not call.dialect.modern or thing.get("luns"):
        return hidden
    made = thing.get("format") == "cow" and thing.get("status") == "ok"
    domain = call.world.get("storage_domain", thing.get("storage_domain")) or {}
    center = domain.get("data_center")
    quota = derive_id("quota", center)
    return {
        **hidden,
        "disk_profile": None if thing.get("plain_copy") else derive_id("disk profile", thing.get("storage_domain")),
        "quota": quota,
        "quota_at": f"{call.dialect.base}/datacenters/{center}/quotas/{quota}" if quota else None,
        "qcow_version": "qcow2_v3" if made else None,
    }


def _hidden(call: ApiCall) -> Thing:
    """Leave out what v3 of 4.x does: a disk's kind always, its place in a machine where the machine is not named."""
    if not call.dialect.modern or call.dialect.number == 4:
        return {}
    if "vm" in call.things:
        return {"disk_type": None, **({} if call.body is not None else {"vm": None})}
    return dict.fromkeys(("disk_type", "vm", "active", "bootable", "interface", "read_only"))


def show(thing: Thing) -> Thing:
    """Show a disk: one size under the names that it had over the years."""
    domain = thing.get("storage_domain")
    direct = bool(thing.get("luns"))  # a LUN that is a disk by itself has no image: neither size nor state of its own
    return {
        **thing,
        "alias": thing.get("name"),
        "provisioned_size": thing["size"],
        "total_size": thing.get("actual_size"),
        "domains": [domain] if domain else [],
        "image_id": None if direct else thing["id"],
        "content_type": thing.get("content_type") or "data",
        "storage_type": "lun" if direct else "image",
    }
