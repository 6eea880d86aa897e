"""Templates: made from a machine that is down."""

from __future__ import annotations

from ..answers import ActionDone, Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import MODERN, NEVER, SAID, SimShape, Thing, ref, sim_field, v3only, v4only
from ..faults import BAD, CONFLICT, Gone, Refused, refuse
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..systems import kept_as
from ..usual import usual
from ..world import ZERO, World
from . import versions
from .common import creation, lists, shows
from .diskshape import ATTACHMENT_BODY, OF_VM
from .diskshape import show as show_disk
from .leftovers import pack, unpack
from .sharing import disks_of
from .vms import copy_parts
from .vmshape import LARGE_ICON, MACHINE, SMALL_ICON, derive_id

TEMPLATE = SimShape(
    "template",
    "template",
    "templates",
    "/templates/{template}",
    (
        *(
            one
            for one in MACHINE
            if one.key not in {"display_address", "display_port", "display_secure_port", "status_detail"}
        ),
        *usual("placement_policy/affinity=migratable"),
        *usual("console/enabled=false", full=True),
        v4only("quota", path="quota@id"),
        ref("cpu_profile", behind=MODERN),
        ref("vm"),
        v3only("clone_permissions", "bool", "permissions/clone"),
        ref("base", "template", "version/base_template", "version/base_template", since3=(3, 4)),
        sim_field(
            "version_number", "int", "version/version_number", "version/version_number", since3=(3, 4), fixed=True
        ),
        sim_field("version_name", v3="version/version_name", v4="version/version_name", since3=(3, 4)),
    ),
    order30="vm type status memory cpu os cluster storage_domain creation_time origin high_availability display "
    "stateless timezone domain usb",
    order36="type status memory cpu cpu_shares bios os cluster storage_domain creation_time origin stateless "
    "delete_protected high_availability display console timezone usb soundcard_enabled virtio_scsi io "
    "custom_properties memory_policy vm version",
    view=lambda world, thing, call: show(thing, call),
    cached=True,
    basics=SAID,
)
SHAPES["template"] = TEMPLATE
DISK = SimShape(
    "disk",
    "disk",
    "disks",
    "/templates/{template}/disks/{disk}",
    OF_VM.fields,
    order30=OF_VM.order30,
    order36=OF_VM.order36,
    view=lambda world, thing, call: show_disk(thing),
)
ATTACHMENT = SimShape(
    "disk",
    "disk_attachment",
    "disk_attachments",
    "/templates/{template}/diskattachments/{disk}",
    ATTACHMENT_BODY.fields,
    view=lambda world, thing, call: {**thing, "disk": thing["id"]},
    basics=(),
)


def show(thing: Thing, call: ApiCall) -> Thing:
    """Show a template; before 3.1 it has neither custom properties nor a memory policy."""
    base = thing.get("base") or thing["id"]
    view = {**thing, "base": base, "vm": None}
    if call.dialect.modern:
        view.update(
            cpu_profile=derive_id("cpu profile", thing.get("cluster")), large_icon=LARGE_ICON, small_icon=SMALL_ICON
        )
        if thing["id"] != ZERO:
            view.update(
                bios_type=thing.get("bios_type") or "q35_sea_bios", quota=derive_id("quota", thing.get("cluster"))
            )
            view["timezone"] = thing.get("timezone") or "Etc/GMT"
    lists = call.body is None and "template" not in call.things and not call.everything
    if lists and (4, 0) <= call.dialect.version < (4, 3):
        view["ballooning"] = None  # lists leave it out, and show the time zone of Blank too
        view["timezone"] = thing.get("timezone") or "Etc/GMT"
    if thing.get("os_type"):
        view["os_type"] = kept_as(thing["os_type"], call.dialect)
    if thing["id"] == ZERO and call.dialect.number == 4:
        view.update(version_number=0, version_name="")
    if call.dialect.version < (3, 1):
        view.update(custom_properties=[], memory_guaranteed=None)
    return view


def create(call: ApiCall) -> One:
    """Make a template from a machine; both are locked until it is there."""
    values, world = call.fresh(TEMPLATE), call.world
    if call.dialect.number == 4 and not (values.get("name") and values.get("vm")):
        told = "No matching signature found, make sure that mandatory attributes are provided."
        raise Refused(told, BAD, "Input validation failed.")
    require(values, ("Template", "Template"), ("name", "vm:vm.id|name"), call.dialect)
    vm = call.look_up("vm", values.pop("vm"))
    _refuse_busy(call, vm)
    base = call.look_up("template", values.pop("base")) if values.get("base") else None
    if base and base.get("base"):
        raise Refused("Cannot add Template. Only the first template version can be selected as the base template.")
    cluster = (
        call.look_up("cluster", values.pop("cluster")) if values.get("cluster") else world.the("cluster", vm["cluster"])
    )
    if base is None:
        _refuse_double(call, values["name"], cluster)
    storage = call.look_up("storage_domain", values.pop("storage_domain")) if values.get("storage_domain") else None
    values.pop("clone_permissions", None)
    keys = {one.key for one in MACHINE} - {"status", "status_detail", "storage_domain", "cluster", "creation_time"}
    kept = {key: vm[key] for key in keys if vm.get(key) is not None and not key.startswith("display_p")}
    thing = world.add(
        "template",
        **{**kept, "description": "", "version_name": "base version" if base is None else "", **values},
        cluster=cluster["id"],
        creation_time=world.now(),
        base=base["id"] if base else None,
        version_number=versions.next_number(world, base) if base else 1,
    )
    copy_parts(world, vm, thing, storage)
    world.event(36, "normal", f"Creation of Template {thing['name']} from VM {vm['name']} was initiated.", vm=vm["id"])
    world.move(vm, "vm.lock")
    world.move(thing, "template.create", effect="template ready")
    return One(TEMPLATE, thing, 201) if call.dialect.modern else One(TEMPLATE, thing, 202, pending=True)


def _refuse_busy(call: ApiCall, vm: Thing) -> None:
    """No template is made of a machine that runs, or whose disks are being worked on."""
    if vm["status"] != "down":
        raise refuse(
            "vm locked" if vm["status"] == "image_locked" else "template from running", call.dialect, action="create"
        )
    locked = [disk["name"] for disk in disks_of(call.world, vm) if disk["status"] == "locked"]
    if locked and call.dialect.modern:
        raise refuse("template disks locked", call.dialect, names=", ".join(locked))
    if locked:
        raise refuse("disks locked", call.dialect, action="create Template from", names=", ".join(locked))


def _refuse_double(call: ApiCall, name: str, cluster: Thing) -> None:
    """Refuse a name that a template has; since 4.0 one of the same data center."""
    homes = {versions.home(call.world, one) for one in call.world.by_name("template", name) if one["name"] == name}
    if homes and (call.dialect.number == 3 or homes & {None, cluster["data_center"]}):
        raise refuse("template name", call.dialect)


@effect("template ready")
def ready(world: World, thing: Thing, _end: Thing) -> None:
    """Say that a template is there."""
    text = f"Creation of Template {thing['name']} has been completed."
    world.event(52, "normal", text, template=thing["id"])


def change(call: ApiCall) -> One:
    """Change a template."""
    thing, world = call.things["template"], call.world
    values = call.changes(TEMPLATE)
    for key in ("vm", "cluster", "storage_domain", "base", "clone_permissions"):
        values.pop(key, None)
    if thing["id"] == ZERO and not call.dialect.knows((3, 6)):
        raise Refused("Cannot edit Template. Editing Blank Template is not allowed.")
    other = world.exactly("template", values.get("name", ""))
    if other is not None and other is not thing:
        raise refuse("template name", call.dialect)
    if thing["id"] == ZERO:
        values.setdefault("timezone", "Etc/GMT")  # it gets one with its first change
    world.change(thing, **values)
    return One(TEMPLATE, thing)


def remove(call: ApiCall) -> Removed:
    """Remove a template that no machine depends on."""
    thing, world = call.things["template"], call.world
    if thing["id"] == ZERO:
        raise refuse("template blank", call.dialect, BAD if call.dialect.modern else CONFLICT)
    if thing["status"] == "locked":
        raise refuse("template locked", call.dialect, action="remove")
    users = [
        vm["name"]
        for vm in world.of("vm", "template", thing["id"])
        if call.dialect.modern or any(not disk.get("cloned") for disk in world.of("disk", "vm", vm["id"]))
    ]
    leaving = [disk["name"] for disk in world.all("disk") if disk.get("based") == thing["id"] and not disk.get("vm")]
    if leaving and call.dialect.number == 4:
        raise refuse("template disks", call.dialect, names=", ".join(sorted(leaving)))
    if users:
        thin = any(disk.get("based") == thing["id"] for disk in world.all("disk"))
        situation = "template used by disks" if thin else "template used"
        raise refuse(situation, call.dialect, names=",".join(sorted(users)))
    world.move(thing, "template.remove", effect="template removed")
    return Removed()


@effect("template removed")
def discard(world: World, thing: Thing, _end: Thing) -> None:
    """Take a template out of the world."""
    for kind in ("disk", "nic"):
        for part in world.of(kind, "template", thing["id"]):
            world.remove(part)
    for vm in world.of("vm", "template", thing["id"]):
        world.change(vm, template=ZERO)
    versions.hand_over(world, thing)
    world.remove(thing)


def export(call: ApiCall) -> ActionDone:
    """Copy a template to an export domain, which lists it from then on."""
    domain, template = call.named_part("storage_domain", "storage_domain"), call.things["template"]
    if domain is None:
        raise Refused("Action [storageDomain.id|name] required for export", BAD, "Incomplete parameters")
    there = domain.get("templates", ())
    if any(one["id"] == template["id"] for one in there) and not call.yes("exclusive"):
        raise Refused("Cannot export Template. Template already exists on the Export Domain.")
    others = [one for one in there if one["id"] != template["id"]]
    call.world.change(domain, templates=[*others, pack(call.world, template)])
    call.world.move(template, "template.create")
    return ActionDone(TEMPLATE, template, pending=True)


def list_exported(call: ApiCall) -> Many:
    """List what was copied to an export domain, or what is on a data domain that the engine does not know."""
    domain = call.things["storage_domain"]
    if call.flag("unregistered") and call.dialect.knows((3, 5)):
        return Many(TEMPLATE, domain.get("unregistered", []))
    own = {disk["template"] for disk in call.world.of("disk", "storage_domain", domain["id"]) if disk.get("template")}
    known = [call.world.the("template", one) for one in sorted(own)]
    return Many(TEMPLATE, [*domain.get("templates", []), *known])


def import_copy(call: ApiCall) -> ActionDone:
    """Copy a template from an export domain to a data domain."""
    target, cluster = call.named_part("storage_domain", "storage_domain"), call.named_part("cluster", "cluster")
    if target is None or cluster is None:
        words = "cluster.id|name, storageDomain.id|name"
        raise Refused(f"Action [{words}] required for doImport", BAD, "Incomplete parameters")
    if target["type"] != "data" or target["status"] != "active":
        raise refuse("sd inaccessible", call.dialect, action="import", state=target["status"].title())
    template = unpack(call, _stored_template(call, "templates"), cluster, target)
    call.world.move(template, "template.create", effect="template ready")
    return ActionDone(TEMPLATE, template, pending=True)


def register(call: ApiCall) -> ActionDone:
    """Take a template into the engine whose disks stay where they are."""
    domain, cluster = call.things["storage_domain"], call.named_part("cluster", "cluster")
    if cluster is None:
        raise Refused("Action [cluster.id|name] required for register", BAD, "Incomplete parameters")
    kept = _stored_template(call, "unregistered")
    template = unpack(call, kept, cluster, domain)
    call.world.change(domain, unregistered=[one for one in domain["unregistered"] if one["id"] != kept["id"]])
    return ActionDone(TEMPLATE, template)


def _stored_template(call: ApiCall, where: str) -> Thing:
    """Find a template on a storage domain."""
    wanted = call.things["kept"]["id"]
    for one in call.things["storage_domain"].get(where, ()):
        if one["id"] == wanted:
            return dict(one)
    raise Gone


def disks(call: ApiCall) -> Many:
    """List a template's disks (v3)."""
    return Many(DISK, call.world.of("disk", "template", call.things["template"]["id"]))


def attachments(call: ApiCall) -> Many:
    """List what disks a template has (v4)."""
    return Many(ATTACHMENT, call.world.of("disk", "template", call.things["template"]["id"]))


ROUTES = (
    get("/templates", lists(TEMPLATE, "template"), "list templates"),
    post("/templates", create, "make a template from a machine"),
    get("/templates/{template}", shows(TEMPLATE), "show a template"),
    put("/templates/{template}", change, "change a template"),
    delete("/templates/{template}", remove, "remove a template"),
    verb("/templates/{template}/export", export, "copy to an export domain"),
    get("/storagedomains/{storage_domain}/templates", list_exported, "list the templates on it; unregistered"),
    verb("/storagedomains/{storage_domain}/templates/{kept}/import", import_copy, "copy from an export domain"),
    verb(
        "/storagedomains/{storage_domain}/templates/{kept}/register",
        register,
        "take in what is on a data domain",
        since3=(3, 5),
    ),
    get("/templates/{template}/disks", disks, "list its disks", since4=NEVER),
    get("/templates/{template}/disks/{disk}", shows(DISK), "show a disk", since4=NEVER),
    get("/templates/{template}/diskattachments/{disk}", shows(ATTACHMENT), "show how a disk is attached", since3=NEVER),
    get("/templates/{template}/diskattachments", attachments, "list what disks it has", since3=NEVER),
    creation(TEMPLATE),
)
