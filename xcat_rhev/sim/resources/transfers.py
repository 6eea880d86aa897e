"""Images on their way in or out: the engine's side; the bytes go through the hosts' daemon (`sim/imageio.py`)."""

from __future__ import annotations

from pathlib import Path

from ..answers import ActionDone, Many, One
from ..call import SHAPES, ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, sim_field
from ..faults import BAD, Refused, refuse
from ..imageio import ImageDaemon, ImageTicket
from ..routing import get, post, verb
from ..states import effect
from ..world import World
from .vms import NOT_RUNNING

#: Seconds without a byte after which the engine stops a transfer, and after which a finished one is forgotten.
INACTIVITY, KEPT = 60, 900
#: Seconds between two looks of the engine.
PERIOD = 10.0
#: How much larger than its disk a qcow2 volume may be (StorageConstants).
_OVERHEAD, _HEADER = 1.1, 1 << 20
TRANSFER = SimShape(
    "image_transfer",
    "image_transfer",
    "image_transfers",
    "/imagetransfers/{image_transfer}",
    (
        ref("disk"),
        ref("image", "image"),
        ref("snapshot", "disk_snapshot"),
        ref("host"),
        ref("backup", "backup"),
        sim_field("direction", words="upload download"),
        sim_field("format", words="cow raw"),
        sim_field("inactivity_timeout", "int"),
        sim_field("timeout_policy", words="legacy pause cancel"),
        sim_field("shallow", "bool", usual=False),
        sim_field("status", v4="phase", fixed=True),
        sim_field("active", "bool", fixed=True),
        sim_field("transferred", "int", fixed=True),
        sim_field("transfer_url", fixed=True),
        sim_field("proxy_url", fixed=True),
    ),
    view=lambda world, thing, call: _show(world, thing),
    basics=(),
)
SHAPES["image_transfer"] = TRANSFER
_UNDER_WAY = frozenset({"initializing", "resuming", "transferring", "paused_system", "paused_user"})
_OVER = frozenset({"finished_success", "finished_failure", "finished_cleanup"})


def _show(world: World, thing: Thing) -> Thing:
    """A transfer with what its ticket says; the disk is told as an image alone."""
    daemon: ImageDaemon = world.images
    ticket = daemon.tickets.get(thing["ticket"] or "")
    url, proxy = (daemon.host_url(ticket.id), daemon.url(ticket.id)) if ticket else (None, None)
    told = {"transfer_url": url, "proxy_url": proxy, "disk": None, "backup": None, "image": thing["of_disk"]}
    if ticket:
        world.change(thing, transferred=ticket.bytes_done, active=bool(ticket.active))
    return {**thing, **told}


def _look(world: World) -> None:
    """Forget what is long over, and stop what a host that was started anew knows nothing of."""
    for thing in world.all("image_transfer"):
        if thing["status"] in _OVER and world.now() > thing["ended"] + KEPT:
            world.remove(thing)
        elif thing["status"] == "transferring" and thing["ticket"] not in world.images.tickets:
            _stop(world, thing)


@effect("transfer under way")
def mind(world: World, thing: Thing, _end: Thing) -> None:
    """Look at it again in a while, as the engine does; stop what nobody goes on with."""
    if thing["status"] != "transferring":
        return
    ticket = world.images.tickets.get(thing["ticket"] or "")
    if ticket is None or not ticket.active and world.now() - ticket.touched > thing["inactivity_timeout"]:
        _stop(world, thing)
    else:
        world.schedule.add(world.now() + PERIOD, thing, (("", 0),), {"effect": "transfer under way"})


def _stop(world: World, thing: Thing) -> None:
    policy, upload = thing["timeout_policy"], thing["direction"] == "upload"
    if policy == "pause" or policy == "legacy" and upload:
        text = "Upload was paused by system. Reason: timeout due to transfer inactivity."
        world.event(1071, "error", text, disk=thing["of_disk"])
        world.change(thing, status="paused_system")
    else:
        world.event(1072, "error", "Download was canceled by system. Reason: timeout due to transfer inactivity.")
        world.move(thing, "transfer.stop", effect="transfer failed")


def list_transfers(call: ApiCall) -> Many:
    """List transfers."""
    _look(call.world)
    return Many(TRANSFER, call.world.all("image_transfer"))


def show(call: ApiCall) -> One:
    """Show one."""
    _look(call.world)
    return One(TRANSFER, call.things["image_transfer"])


def create(call: ApiCall) -> One:
    """Begin one: the disk is locked, and a host gets a ticket for it."""
    world, values = call.world, call.read(TRANSFER)
    said = values.get("disk") or values.get("image") or values.get("snapshot")
    if not said:
        told = "No matching signature found, make sure that mandatory attributes are provided."
        raise Refused(told, BAD, "Input validation failed.")
    disk = world.get("disk", said.get("id"))
    if disk is None or not disk.get("storage_domain"):
        raise refuse("disk no image", call.dialect, action="transfer")
    backup = values.get("backup")
    if backup is None:
        _refuse_busy(call, disk)
    host = next((one for one in world.all("host") if one["status"] == "up"), None)
    if host is None or world.images is None:
        raise Refused("Cannot transfer Virtual Disk. There is no active Host in the Data Center.")
    upload = values.get("direction") != "download"
    thing = world.add(
        "image_transfer",
        of_disk=disk["id"],
        host=host["id"],
        direction="upload" if upload else "download",
        format=values.get("format") or disk["format"],
        told_format=values.get("format"),
        backup=backup and backup.get("id"),
        inactivity_timeout=values.get("inactivity_timeout") or INACTIVITY,
        timeout_policy=values.get("timeout_policy") or "legacy",
        shallow=bool(values.get("shallow")),
        ticket=None,
        transferred=0,
        active=False,
        ended=0.0,
    )
    if backup is None:
        world.change(disk, status="locked")
    kind = thing["direction"].title()
    world.event(1031, "normal", f"Image {kind} with disk {disk['name']} was initiated by admin@internal-authz.")
    world.move(thing, "transfer.create", effect="transfer ready")
    return One(TRANSFER, thing, 201)


def _refuse_busy(call: ApiCall, disk: Thing) -> None:
    """Refuse for a disk that is being worked on, or that a running machine has."""
    if disk["status"] == "locked":
        raise refuse("disk locked", call.dialect, action="transfer", name=disk["name"])
    if disk["status"] == "illegal":
        told = f"The following attached disks are in ILLEGAL status: {disk['name']} - please remove them and try again."
        raise Refused(f"Cannot transfer Virtual Disk. {told}")
    vm = call.world.get("vm", disk.get("vm"))
    if vm is not None and vm["status"] not in NOT_RUNNING and disk.get("active"):
        told = f"The disk {disk['name']} is plugged to non-Down VMs: {vm['name']}"
        raise Refused(f"Cannot transfer Virtual Disk. {told}")


@effect("transfer ready")
def ready(world: World, thing: Thing, _end: Thing) -> None:
    """Give a host the ticket."""
    daemon: ImageDaemon = world.images
    disk = world.get("disk", thing["of_disk"])
    if disk is None:
        return
    path, size = _image(world, thing, disk)
    ticket = ImageTicket(world.new_id(), path, size, thing["direction"] == "upload", _before(world, thing))
    daemon.admit(ticket)
    world.change(thing, ticket=ticket.id)
    mind(world, thing, {})


def _image(world: World, thing: Thing, disk: Thing) -> tuple[Path, int]:
    """The file of a transfer, and how far it goes: a qcow2 volume as it is, everything else as the guest sees it."""
    contents, upload = world.images.contents, thing["direction"] == "upload"
    if thing["backup"]:
        return contents.frozen(disk["id"], thing["backup"]), disk["size"]
    if disk["format"] != "cow" or thing["told_format"] == "raw":
        return contents.raw(disk), disk["size"]
    path = contents.volume(disk, fresh=upload)
    domain = world.the("storage_domain", disk["storage_domain"])
    if upload and domain["storage_type"] in {"iscsi", "fcp"}:
        return path, disk.get("initial_size") or disk["size"]
    return path, int(disk["size"] * _OVERHEAD) + _HEADER if upload else path.stat().st_size


def _before(world: World, thing: Thing) -> Path | None:
    """How the disk was at the checkpoint from which a backup goes on."""
    backup = world.get("backup", thing["backup"])
    since = backup and backup.get("from_checkpoint_id")
    if not since:
        return None
    path: Path = world.images.contents.frozen(thing["of_disk"], since)
    return path if path.exists() else None


def _act(call: ApiCall, wanted: frozenset[str]) -> Thing | None:
    """The transfer if it is in one of these phases; engines pass over a verb that does not fit."""
    _look(call.world)
    thing = call.things["image_transfer"]
    return thing if thing["status"] in wanted else None


def finalize(call: ApiCall) -> ActionDone:
    """All has been sent: the ticket goes, and the disk is looked at."""
    thing = _act(call, _UNDER_WAY)
    if thing:
        call.world.move(thing, "transfer.finalize", effect="transfer finished")
    return ActionDone()


@effect("transfer finished")
def finish(world: World, thing: Thing, _end: Thing) -> None:
    """The disk can be used, if what was sent is what its format says."""
    disk = world.get("disk", thing["of_disk"])
    _end_ticket(world, thing)
    if disk is None:
        return
    upload = thing["direction"] == "upload"
    if upload and disk["format"] == "cow" and thing["told_format"] != "raw" and not world.images.contents.take(disk):
        world.change(disk, status="illegal")
        world.move(thing, "transfer.fail", effect="transfer failed")
        return
    if not thing["backup"]:
        world.change(disk, status="ok", **({"actual_size": thing["transferred"]} if upload else {}))
    kind = thing["direction"].title()
    world.event(1032, "normal", f"Image {kind} with disk {disk['name']} succeeded.")


def cancel(call: ApiCall) -> ActionDone:
    """Nobody wants it any more; what was to be filled is removed."""
    thing = _act(call, _UNDER_WAY)
    if thing:
        call.world.move(thing, "transfer.cancel", effect="transfer failed")
    return ActionDone()


@effect("transfer failed")
def fail(world: World, thing: Thing, _end: Thing) -> None:
    """A disk that was to be filled goes; one that was read stays."""
    disk = world.get("disk", thing["of_disk"])
    _end_ticket(world, thing)
    if disk is not None:
        kind = thing["direction"].title()
        world.event(1034, "error", f"Image {kind} with disk {disk['name']} failed.")
        if thing["direction"] == "upload":
            world.change(disk, status="ok")
            world.move(disk, "disk.remove", effect="disk removed")
        elif not thing["backup"]:
            world.change(disk, status="ok")


def _end_ticket(world: World, thing: Thing) -> None:
    ticket = world.images.tickets.pop(thing["ticket"] or "", None)
    transferred = ticket.bytes_done if ticket else thing["transferred"]
    world.change(thing, ticket=None, active=False, ended=world.now(), transferred=transferred)


def pause(call: ApiCall) -> ActionDone:
    """Stop for a while; the ticket stays."""
    thing = _act(call, frozenset({"initializing", "resuming", "transferring"}))
    if thing:
        call.world.change(thing, status="paused_user")
    return ActionDone()


def resume(call: ApiCall) -> ActionDone:
    """Go on, unless the host has forgotten its ticket."""
    thing = _act(call, frozenset({"paused_system", "paused_user"}))
    ticket = call.world.images.tickets.get(thing["ticket"] or "") if thing else None
    if thing and ticket:
        ticket.touched = call.world.now()
        call.world.move(thing, "transfer.resume", effect="transfer under way")
    return ActionDone()


def extend(call: ApiCall) -> ActionDone:
    """Keep it alive."""
    _act(call, _UNDER_WAY)
    return ActionDone()


_ONE = "/imagetransfers/{image_transfer}"
_V4 = {"since3": NEVER}
ROUTES = (
    get("/imagetransfers", list_transfers, "list images on their way in or out", **_V4),
    post("/imagetransfers", create, "begin to send or to fetch an image", **_V4),
    get(_ONE, show, "show one", **_V4),
    verb(f"{_ONE}/finalize", finalize, "all has been sent", **_V4),
    verb(f"{_ONE}/cancel", cancel, "give it up; a disk that was to be filled goes", **_V4),
    verb(f"{_ONE}/pause", pause, "stop for a while", **_V4),
    verb(f"{_ONE}/resume", resume, "go on", **_V4),
    verb(f"{_ONE}/extend", extend, "keep it alive", **_V4),
)
