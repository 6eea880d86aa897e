"""Hosts: added or registered by themselves, approved, activated, put into maintenance, removed."""

from __future__ import annotations

import re

from ..answers import ActionDone, One, Removed
from ..call import ApiCall, require
from ..dialect import Thing
from ..faults import BAD, Refused, not_found, refuse
from ..routing import delete, get, post, put, verb
from ..sshkey import logs_in
from ..states import EFFECTS, effect
from ..world import World
from . import gluster
from .common import lists
from .hostnics import bring_parts
from .hostshape import HOST, hardware
from .unnamed import drop_labels
from .vmpower import RUNNING, hosts_for, move_to

#: Where a host's daemon listens unless somebody chose another port.
VDSM_PORT = 54321
#: States in which a host may be changed, removed, or installed again.
IDLE = frozenset({"maintenance", "down", "install_failed", "pending_approval", "non_responsive", "error"})
#: Machines that the engine does not migrate for a host's maintenance; before v4 also those that people may migrate.
_ROOTED = frozenset({"pinned"})
_ROOTED_3 = _ROOTED | {"user_migratable"}


def default_cluster(world: World) -> Thing:
    """Give the cluster of a host for which none was named: `Default`, else the first.

    Raises:
        Refused: There is no cluster at all.
    """
    found = world.exactly("cluster", "Default") or next(iter(world.all("cluster")), None)
    if found is None:
        raise not_found("Cluster", "name=Default")
    return found


def show(call: ApiCall) -> One:
    """Show a host; v3 of 4.x always with its statistics."""
    three = call.dialect.number == 3 and call.dialect.modern
    return One(HOST, call.things["host"], inside=("statistics",) if three else ())


def create(call: ApiCall) -> One:
    """Add a host; the engine logs in there and installs it."""
    values = call.fresh(HOST)
    wanted = ["name", "address"]
    if not call.dialect.modern:
        wanted.append("root_password" if call.dialect.version < (3, 3) else "root_password|ssh_method:rootPassword|ssh")
    require(values, ("Host", "Host"), wanted, call.dialect)
    world = call.world
    if call.dialect.number == 4:
        _check_access(values)
    elif call.dialect.modern and not {"root_password", "ssh_method"} & set(values):
        raise Refused("Cannot install Host with empty password.", BAD)
    said = values.pop("cluster", None)
    cluster = call.look_up("cluster", said) if said else default_cluster(world)
    if world.exactly("host", values["name"]):
        raise refuse("host name", call.dialect)
    if any(host["address"] == values["address"] for host in world.all("host")):
        raise refuse("host address", call.dialect)
    kept = {key: value for key, value in values.items() if key not in {"root_password", "ssh_password"}}
    thing = world.add(
        "host",
        **{**hardware(values["name"], len(world.things["host"])), "type": "rhel", "description": "", **kept},
        cluster=cluster["id"],
        status="installing",
    )
    bring_parts(world, thing)
    world.event(42, "normal", f"Host {thing['name']} was added by admin@internal.", host=thing["id"])
    by_key = values.get("ssh_method") == "publickey"
    _log_in(call, thing, "host.install" if call.flag("activate", True) else "host.install_only", by_key)
    return One(HOST, thing, 201)


def _log_in(call: ApiCall, host: Thing, operation: str, by_key: bool) -> None:
    """Begin what an engine does on a host, unless its key does not open it."""
    if by_key and call.settings and call.settings.ssh_key and not logs_in(call.settings.ssh_key, host):
        failed = f"Host {host['name']} installation failed. Failed to authenticate session with host."
        call.world.move(host, "host.no_login", failed=failed, code=505)
        return
    call.world.move(host, operation, effect="host up")


_ADDRESS = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9:._-]*[A-Za-z0-9:])?")


def _check_access(values: Thing) -> None:
    """Refuse a new host that an engine can never log in to."""
    if not _ADDRESS.fullmatch(values["address"]):
        raise Refused("Host address must be a FQDN or a valid IP address, Attribute: vdsStatic.hostName", BAD)
    if not (values.get("root_password") or values.get("ssh_password") or values.get("ssh_method") == "publickey"):
        raise Refused("Cannot install Host with empty password.", BAD)


@effect("host up")
def came_up(world: World, host: Thing, _end: Thing) -> None:
    """Let a host that came up do the storage manager's work if nobody does."""
    if host["status"] != "up":
        return
    gluster.come_back(world, host)
    world.event(13, "normal", f"Status of host {host['name']} was set to Up.", host=host["id"])
    cluster = world.get("cluster", host["cluster"]) or {}
    choose_spm(world, cluster.get("data_center"))


def hosts_of(world: World, center_id: str | None) -> list[Thing]:
    """Give the hosts of all clusters of a data center."""
    return [
        host
        for cluster in world.of("cluster", "data_center", center_id)
        for host in world.of("host", "cluster", cluster["id"])
    ]


def choose_spm(world: World, center_id: str | None) -> None:
    """See that one host of a data center with storage that is up manages its storage."""
    hosts = hosts_of(world, center_id)
    center = world.get("data_center", center_id)
    if center is None or any(host["spm"] and host["status"] == "up" for host in hosts):
        return
    for host in hosts:
        if host["spm"]:
            world.change(host, spm=False)
    up = [host for host in hosts if host["status"] == "up"]
    if up and any(one.get("master") for one in world.of("storage_domain", "data_center", center_id)):
        world.change(up[0], spm=True)


def change(call: ApiCall) -> One:
    """Change a host; where it is and what it belongs to only while it does nothing."""
    host, world = call.things["host"], call.world
    values = call.changes(HOST)
    if values.get("cluster"):
        values["cluster"] = call.look_up("cluster", values["cluster"])["id"]
    moved = any(values.get(key, host.get(key)) != host.get(key) for key in ("address", "cluster"))
    if moved and host["status"] not in IDLE:
        raise refuse("host edit", call.dialect)
    if values.get("port", VDSM_PORT) != host.get("port", VDSM_PORT):  # an untold one is taken for the usual one
        raise Refused("The Host Port number cannot be changed without reinstalling the Host.", BAD)
    other = world.exactly("host", values.get("name", ""))
    if other is not None and other is not host:
        raise refuse("host name", call.dialect)
    fencing_inside(call, host, values)
    for key in ("root_password", "ssh_password"):
        values.pop(key, None)
    world.change(host, **values)
    drop_labels(call, "hosts", host)
    return One(HOST, host)


def fencing_inside(call: ApiCall, host: Thing, values: Thing) -> None:
    """Take the fence agent that v3 has inside its host, up to 3.5; without any agent fencing cannot be enabled."""
    told = {key: values.pop(f"pm_{key}", None) for key in ("type", "address", "username", "options")}
    values.pop("pm_password", None)
    agents = call.world.of("agent", "host", host["id"])
    if (told["type"] or told["address"]) and not call.dialect.knows((3, 6)):
        given = {key: value for key, value in told.items() if value is not None}
        if agents:
            call.world.change(agents[0], **given)
        else:
            usual = {"type": "ipmilan", "address": "", "username": "", "options": [], "order": 1}
            call.world.add("agent", **{**usual, **given}, host=host["id"])
    elif values.get("pm_enabled") and not agents:
        raise refuse("agent", call.dialect, BAD)


def remove(call: ApiCall) -> Removed:
    """Remove a host that does nothing."""
    host, world = call.things["host"], call.world
    force = call.flag("force") and call.dialect.knows((4, 3)) and host["status"] != "up"
    if host["status"] not in IDLE and not force:
        raise refuse("host operational", call.dialect)
    if world.of("vm", "host", host["id"]):
        raise refuse("host runs vms", call.dialect)
    for kind in ("host_nic", "attachment", "agent"):
        for part in world.of(kind, "host", host["id"]):
            world.remove(part)
    world.remove(host)
    world.event(44, "normal", f"Host {host['name']} was removed by admin@internal.")
    return Removed()


def approve(call: ApiCall) -> ActionDone:
    """Take in a host that registered itself."""
    host = call.things["host"]
    if host["status"] not in {"pending_approval", "install_failed"}:
        raise refuse("host approve status", call.dialect)
    cluster = call.named_part("cluster", "cluster")
    if cluster is not None:
        call.world.change(host, cluster=cluster["id"])
    idle = call.dialect.number == 4 and not (call.yes("activate", True) and call.flag("activate", True))
    call.world.move(host, "host.install_only" if idle else "host.approve", effect="host up")
    call.world.event(20, "normal", f"Host {host['name']} was approved.", host=host["id"])
    return ActionDone(HOST, host)


def activate(call: ApiCall) -> ActionDone:
    """Let a host work; without the networks its cluster requires it comes to be non-operational."""
    host, world = call.things["host"], call.world
    if host["status"] == "up":
        raise refuse("host up", call.dialect)
    if host["status"] not in {
        "maintenance",
        "non_operational",
        "down",
        "preparing_for_maintenance",
        "error",
        "install_failed",
    }:
        raise refuse("host activate status", call.dialect)
    world.change(host, status_detail=None)
    missing = missing_networks(world, host)
    if missing:
        world.move(host, "host.unusable", status_detail="network_unreachable")
        text = f"Host {host['name']} does not comply with the cluster networks, the following networks are missing: "
        world.event(519, "error", text + f"'{','.join(missing)}'", host=host["id"])
    else:
        world.move(host, "host.activate", effect="host up")
    return ActionDone(HOST, host)


def missing_networks(world: World, host: Thing) -> list[str]:
    """Name the required networks of the cluster that no NIC of the host has."""
    has = {nic.get("network") for nic in world.of("host_nic", "host", host["id"])}
    required = [one for one in world.of("cluster_network", "cluster", host["cluster"]) if one["required"]]
    return [world.the("network", one["network"])["name"] for one in required if one["network"] not in has]


#: As MaintenanceNumberOfVdssCommand has it.
_UNFIT_FOR_MAINTENANCE = frozenset(
    "pending_approval installing installing_os preparing_for_maintenance kdumping connecting initializing reboot "
    "unassigned".split()
)


def deactivate(call: ApiCall) -> ActionDone:
    """Put a host into maintenance: its machines migrate; one that finds no other host keeps it preparing for ever."""
    host, world = call.things["host"], call.world
    if host["status"] == "maintenance":
        raise refuse("host in maintenance", call.dialect)
    if host["status"] in _UNFIT_FOR_MAINTENANCE:
        raise refuse("host maintenance status", call.dialect)
    staying = _ROOTED if call.dialect.number == 4 else _ROOTED_3
    rooted = [vm["name"] for vm in world.of("vm", "host", host["id"]) if vm.get("affinity") in staying]
    if rooted:
        raise refuse("host rooted", call.dialect, host=host["name"], names=" , ".join(rooted))
    without = call.dialect.number == 4 and (call.flag("stop_gluster_service") or bool(host.get("upgrading")))
    if without:
        gluster.check_healed(world, host)
    world.change(host, status_detail=None, stops_gluster=without)
    for vm in world.of("vm", "host", host["id"]):
        targets = hosts_for(world, vm, host["id"])
        if targets and vm["status"] == "up":
            move_to(world, vm, targets[0])
    world.move(host, "host.deactivate", effect="host idle")
    return ActionDone(HOST, host)


@effect("host idle")
def went_idle(world: World, host: Thing, _end: Thing) -> None:
    """Leave a host that still runs something where it was, and look again later."""
    if host["status"] != "maintenance":
        return
    if any(vm["status"] in RUNNING for vm in world.of("vm", "host", host["id"])):
        world.change(host, status="preparing_for_maintenance")
        world.schedule.add(world.now() + 0.2, host, (("maintenance", 0),), {"effect": "host idle"})
        return
    if host.get("stops_gluster"):
        gluster.stop(world, host)
    world.event(11, "normal", f"Host {host['name']} was switched to Maintenance mode.", host=host["id"])
    if host["spm"]:
        world.change(host, spm=False)
        choose_spm(world, (world.get("cluster", host["cluster"]) or {}).get("data_center"))
    if host.get("upgrading"):
        EFFECTS["host to upgrade"](world, host, {})


def install(call: ApiCall) -> ActionDone:
    """Install a host again; since 4.3 it stays in maintenance unless the caller wants it to be active."""
    host = call.things["host"]
    if host["status"] not in {"maintenance", "install_failed"}:
        raise refuse("host install", call.dialect)
    if call.dialect.version < (3, 3) and not (call.text("root_password") or call.text("image")):
        raise Refused("Action [rootPassword] required for install", BAD, "Incomplete parameters")
    by_key = call.text("ssh/authentication_method").lower() == "publickey"
    if not (by_key or call.text("root_password") or call.text("ssh/user/password") or call.text("image")):
        raise refuse("host password", call.dialect, BAD)
    active = call.dialect.version < (4, 3) or call.yes("activate", call.flag("activate"))
    _log_in(call, host, "host.install" if active else "host.install_only", by_key)
    return ActionDone(HOST, host)


def accept(call: ApiCall) -> ActionDone:
    """Accept a verb whose effect cannot be seen from outside."""
    return ActionDone(HOST, call.things["host"])


def force_spm(call: ApiCall) -> ActionDone:
    """Let this host manage the storage."""
    host, world = call.things["host"], call.world
    if host["status"] != "up":
        raise Refused(f"Cannot force select SPM. The Host {host['name']} is not active.")
    for other in hosts_of(world, world.the("cluster", host["cluster"])["data_center"]):
        if other["spm"]:
            world.change(other, spm=False)
    world.change(host, spm=True)
    return ActionDone(HOST, host)


ROUTES = (
    get("/hosts", lists(HOST, "host"), "list hosts; search, max, follow / detail"),
    post("/hosts", create, "add a host"),
    get("/hosts/{host}", show, "show a host"),
    put("/hosts/{host}", change, "change a host; fencing up to 3.5"),
    delete("/hosts/{host}", remove, "remove a host"),
    verb("/hosts/{host}/approve", approve, "take in a host that registered itself"),
    verb("/hosts/{host}/activate", activate, "let it work"),
    verb("/hosts/{host}/deactivate", deactivate, "put it into maintenance"),
    verb("/hosts/{host}/install", install, "install it again"),
    verb("/hosts/{host}/commitnetconfig", accept, "keep its network configuration"),
    verb("/hosts/{host}/forceselectspm", force_spm, "let it manage the storage", since3=(3, 3)),
    verb("/hosts/{host}/refresh", accept, "read its capabilities again", since3=(3, 6)),
)
