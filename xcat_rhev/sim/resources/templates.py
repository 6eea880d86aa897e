"""Templates: made from a machine that is down."""

from __future__ import annotations

from ..answers import Done, Many, One, Removed
from ..call import SHAPES, Call, require
from ..dialect import NEVER, Shape, Thing, named, ref, v3only
from ..faults import BAD, Gone, Refused, refuse
from ..routing import delete, get, post, put, verb
from ..states import effect
from ..world import ZERO, World
from .common import creation, lists, shows
from .disks import ATTACHMENT_BODY, OF_VM
from .disks import shown as disk_shown
from .leftovers import packed, unpack
from .vms import copy_parts
from .vmshape import MACHINE

TEMPLATE = Shape(
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
        ref("vm"),
        v3only("clone_permissions", "bool", "permissions/clone"),
        ref("base", "template", "version/base_template", "version/base_template", since3=(3, 4)),
        named("version_number", "int", "version/version_number", "version/version_number", since3=(3, 4), fixed=True),
        named("version_name", v3="version/version_name", v4="version/version_name", since3=(3, 4)),
    ),
    order30="vm type status memory cpu os cluster storage_domain creation_time origin high_availability display "
    "stateless timezone domain usb",
    order36="type status memory cpu cpu_shares bios os cluster storage_domain creation_time origin stateless "
    "delete_protected high_availability display console timezone usb soundcard_enabled virtio_scsi io "
    "custom_properties memory_policy vm version",
    view=lambda world, thing, call: shown(thing, call),
    cached=True,
)
SHAPES["template"] = TEMPLATE
DISK = Shape(
    "disk",
    "disk",
    "disks",
    "/templates/{template}/disks/{disk}",
    OF_VM.fields,
    order30=OF_VM.order30,
    order36=OF_VM.order36,
    view=lambda world, thing, call: disk_shown(thing),
)
ATTACHMENT = Shape(
    "disk",
    "disk_attachment",
    "disk_attachments",
    "/templates/{template}/diskattachments/{disk}",
    ATTACHMENT_BODY.fields,
    view=lambda world, thing, call: {**thing, "disk": thing["id"]},
    basics=(),
)


def shown(thing: Thing, call: Call) -> Thing:
    """Show a template; before 3.1 it has neither custom properties nor a memory policy."""
    base = thing.get("base") or thing["id"]
    view = {**thing, "base": base, "vm": None}
    if call.dialect.version < (3, 1):
        view.update(custom_properties=[], memory_guaranteed=None)
    return view


def created(call: Call) -> One:
    """Make a template from a machine; both are locked until it is there."""
    values, world = call.fresh(TEMPLATE), call.world
    require(values, ("Template", "Template"), ("name", "vm:vm.id|name"), call.dialect)
    vm = call.look_up("vm", values.pop("vm"))
    if vm["status"] != "down":
        raise refuse(
            "vm locked" if vm["status"] == "image_locked" else "template from running", call.dialect, action="create"
        )
    locked = [disk["name"] for disk in world.of("disk", "vm", vm["id"]) if disk["status"] == "locked"]
    if locked:
        raise refuse("disks locked", call.dialect, action="create Template from", names=", ".join(locked))
    base = call.look_up("template", values.pop("base")) if values.get("base") else None
    if base is None and world.exactly("template", values["name"]):
        raise refuse("template name", call.dialect)
    cluster = (
        call.look_up("cluster", values.pop("cluster")) if values.get("cluster") else world.the("cluster", vm["cluster"])
    )
    storage = call.look_up("storage_domain", values.pop("storage_domain")) if values.get("storage_domain") else None
    values.pop("clone_permissions", None)
    keys = {one.key for one in MACHINE} - {"status", "status_detail", "storage_domain", "cluster", "creation_time"}
    kept = {key: vm[key] for key in keys if vm.get(key) is not None and not key.startswith("display_p")}
    number = 1 + len([one for one in world.all("template") if base and one.get("base") == base["id"]]) + bool(base)
    thing = world.add(
        "template", **{**kept, "description": "", "version_name": "base version" if base is None else "", **values},
        cluster=cluster["id"], creation_time=world.now(), base=base["id"] if base else None, version_number=number,
    )
    copy_parts(world, vm, thing, storage)
    world.event(36, "normal", f"Creation of Template {thing['name']} from VM {vm['name']} was initiated.", vm=vm["id"])
    world.move(vm, "vm.lock")
    world.move(thing, "template.create", effect="template ready")
    return One(TEMPLATE, thing, 202, pending=True)


@effect("template ready")
def ready(world: World, thing: Thing, _end: Thing) -> None:
    """Say that a template is there."""
    text = f"Creation of Template {thing['name']} has been completed."
    world.event(52, "normal", text, template=thing["id"])


def changed(call: Call) -> One:
    """Change a template."""
    thing, world = call.things["template"], call.world
    values = call.changes(TEMPLATE)
    for key in ("vm", "cluster", "storage_domain", "base", "clone_permissions"):
        values.pop(key, None)
    if thing["id"] == ZERO:
        raise Refused("Cannot edit Template. Editing Blank Template is not allowed.")
    other = world.exactly("template", values.get("name", ""))
    if other is not None and other is not thing:
        raise refuse("template name", call.dialect)
    world.change(thing, **values)
    return One(TEMPLATE, thing)


def removed(call: Call) -> Removed:
    """Remove a template that no machine stands on."""
    thing, world = call.things["template"], call.world
    if thing["id"] == ZERO:
        raise refuse("template blank", call.dialect)
    if thing["status"] == "locked":
        raise refuse("template locked", call.dialect, action="remove")
    users = [
        vm["name"]
        for vm in world.of("vm", "template", thing["id"])
        if any(not disk.get("cloned") for disk in world.of("disk", "vm", vm["id"]))
    ]
    if users:
        raise refuse("template used", call.dialect, names=",".join(sorted(users)))
    world.move(thing, "template.remove", effect="template removed")
    return Removed()


@effect("template removed")
def gone(world: World, thing: Thing, _end: Thing) -> None:
    """Take a template out of the world."""
    for kind in ("disk", "nic"):
        for part in world.of(kind, "template", thing["id"]):
            world.remove(part)
    for vm in world.of("vm", "template", thing["id"]):
        world.change(vm, template=ZERO)
    world.remove(thing)


def export(call: Call) -> Done:
    """Copy a template to an export domain, which lists it from then on."""
    domain, template = call.named_part("storage_domain", "storage_domain"), call.things["template"]
    if domain is None:
        raise Refused("Action [storageDomain.id|name] required for export", BAD, "Incomplete parameters")
    there = domain.get("templates", ())
    if any(one["id"] == template["id"] for one in there) and not call.yes("exclusive"):
        raise Refused("Cannot export Template. Template already exists on the Export Domain.")
    others = [one for one in there if one["id"] != template["id"]]
    call.world.change(domain, templates=[*others, packed(call.world, template)])
    call.world.move(template, "template.create")
    return Done(TEMPLATE, template, pending=True)


def exported(call: Call) -> Many:
    """List what was copied to an export domain, or what is on a data domain that the engine does not know."""
    domain = call.things["storage_domain"]
    if call.flag("unregistered") and call.dialect.knows((3, 5)):
        return Many(TEMPLATE, domain.get("unregistered", []))
    own = {disk["template"] for disk in call.world.of("disk", "storage_domain", domain["id"]) if disk.get("template")}
    known = [call.world.the("template", one) for one in sorted(own)]
    return Many(TEMPLATE, [*domain.get("templates", []), *known])


def imported(call: Call) -> Done:
    """Copy a template from an export domain to a data domain."""
    target, cluster = call.named_part("storage_domain", "storage_domain"), call.named_part("cluster", "cluster")
    if target is None or cluster is None:
        words = "cluster.id|name, storageDomain.id|name"
        raise Refused(f"Action [{words}] required for doImport", BAD, "Incomplete parameters")
    if target["type"] != "data" or target["status"] != "active":
        raise refuse("sd inaccessible", call.dialect, action="import", state=target["status"].title())
    template = unpack(call.world, _kept(call, "templates"), cluster, target)
    call.world.move(template, "template.create", effect="template ready")
    return Done(TEMPLATE, template, pending=True)


def registered(call: Call) -> Done:
    """Take a template into the engine whose disks stay where they are."""
    domain, cluster = call.things["storage_domain"], call.named_part("cluster", "cluster")
    if cluster is None:
        raise Refused("Action [cluster.id|name] required for register", BAD, "Incomplete parameters")
    kept = _kept(call, "unregistered")
    template = unpack(call.world, kept, cluster, domain)
    call.world.change(domain, unregistered=[one for one in domain["unregistered"] if one["id"] != kept["id"]])
    return Done(TEMPLATE, template)


def _kept(call: Call, where: str) -> Thing:
    """Find a template on a storage domain."""
    wanted = call.things["kept"]["id"]
    for one in call.things["storage_domain"].get(where, ()):
        if one["id"] == wanted:
            return dict(one)
    raise Gone


def disks(call: Call) -> Many:
    """List a template's disks (v3)."""
    return Many(DISK, call.world.of("disk", "template", call.things["template"]["id"]))


def attachments(call: Call) -> Many:
    """List what disks a template has (v4)."""
    return Many(ATTACHMENT, call.world.of("disk", "template", call.things["template"]["id"]))


ROUTES = (
    get("/templates", lists(TEMPLATE, "template"), "list templates"),
    post("/templates", created, "make a template from a machine"),
    get("/templates/{template}", shows(TEMPLATE), "show a template"),
    put("/templates/{template}", changed, "change a template"),
    delete("/templates/{template}", removed, "remove a template"),
    verb("/templates/{template}/export", export, "copy to an export domain"),
    get("/storagedomains/{storage_domain}/templates", exported, "list the templates on it; unregistered"),
    verb("/storagedomains/{storage_domain}/templates/{kept}/import", imported, "copy from an export domain"),
    verb("/storagedomains/{storage_domain}/templates/{kept}/register", registered, "take in what is on a data domain",
         since3=(3, 5)),
    get("/templates/{template}/disks", disks, "list its disks", since4=NEVER),
    get("/templates/{template}/disks/{disk}", shows(DISK), "show a disk", since4=NEVER),
    get("/templates/{template}/diskattachments/{disk}", shows(ATTACHMENT), "show how a disk is attached", since3=NEVER),
    get("/templates/{template}/diskattachments", attachments, "list what disks it has", since3=NEVER),
    creation(TEMPLATE),
)
