"""Upgrades of hosts: looked for, and carried out after the machines on a host have left it."""

from __future__ import annotations

from ..answers import ActionDone
from ..call import ApiCall
from ..dialect import NEVER, SimDialect, Thing
from ..faults import BAD, refuse
from ..routing import verb
from ..states import effect
from ..world import World
from .hosts import deactivate
from .hostshape import CHECKED_BY_HAND, HOST, update_known

_BEGINS = frozenset({"up", "maintenance", "non_operational", "install_failed"})


def _is_image(host: Thing, dialect: SimDialect) -> bool:
    """Whether the host runs from an image, which an ISO on the manager replaces. The last engine for it is 4.1."""
    return host["type"] == "rhev_h" and dialect.version < (4, 2)


def check(call: ApiCall) -> ActionDone:
    """Look for updates, which takes a moment; the event at its end says so also when there are none."""
    host, world = call.things["host"], call.world
    if host["status"] not in _BEGINS:
        raise refuse("host upgrade check", call.dialect)
    world.event(884, "normal", f"Started to check for available updates on host {host['name']}.", host=host["id"])
    world.schedule.add(world.now() + 0.6, host, (("", 0),), {"effect": "host checked"})
    return ActionDone(HOST, host)


@effect("host checked")
def finish_check(world: World, host: Thing, _end: Thing) -> None:
    """Say what was found."""
    found = bool(host.get("updates"))
    world.change(host, update_available=found)
    word = "found updates for packages vdsm" if found else "no updates available"
    text = f"Check for available updates on host {host['name']} was completed successfully with message '{word}.'"
    world.event(885, "normal", text, host=host["id"])


def upgrade(call: ApiCall) -> ActionDone:
    """Upgrade a host; one that is in use goes to maintenance for it and comes back."""
    host, world = call.things["host"], call.world
    if host["status"] not in _BEGINS:
        raise refuse("host upgrade status", call.dialect)
    if _is_image(host, call.dialect):
        if not call.text("image"):
            raise refuse("host image", call.dialect, BAD)
    elif not update_known(host, call.dialect):
        raise refuse("host no updates", call.dialect)
    world.event(840, "normal", f"Host {host['name']} upgrade was started (User: admin@internal).", host=host["id"])
    back = host["status"] == "up"
    world.change(host, upgrading="up" if back else "maintenance")
    if host["status"] in {"maintenance", "install_failed"}:
        begin(world, host, {})
    else:
        deactivate(call)
    return ActionDone(HOST, host)


@effect("host to upgrade")
def begin(world: World, host: Thing, _end: Thing) -> None:
    """Install the new packages on a host that nothing runs on."""
    back = host.get("upgrading") == "up"
    world.move(host, "host.upgrade" if back else "host.upgrade_idle", effect="host upgraded", upgrading=None)


@effect("host upgraded")
def finish_upgrade(world: World, host: Thing, _end: Thing) -> None:
    """Say that it is done."""
    world.change(host, updates=False, update_available=False, os_full="7.9 - 2")
    text = f"Host {host['name']} upgrade was completed successfully."
    world.event(842, "normal", text, host=host["id"])


ROUTES = (
    verb("/hosts/{host}/upgrade", upgrade, "upgrade it; it leaves and comes back", since3=(3, 6)),
    verb("/hosts/{host}/upgradecheck", check, "look for upgrades", since3=NEVER, since4=CHECKED_BY_HAND),
)
