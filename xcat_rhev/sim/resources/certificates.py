"""Certificates of hosts: enrolled again, and looked at once a day, which leaves an event where the end is near."""

from __future__ import annotations

import time

from ..answers import ActionDone
from ..call import ApiCall
from ..dialect import SimDialect, Thing
from ..faults import refuse
from ..routing import verb
from ..states import effect
from ..world import World
from .hostshape import HOST

DAY = 86400.0
#: Days that a new certificate lasts (VdsCertificateValidityInDays): of 4.4, and of all others.
YEAR, FIVE_YEARS = 398, 1827
#: Days before the end at which an engine begins to warn, and to raise alarm (config values of 4.5, and of 3.6 to 4.4).
WARNS, WARNED = (365, 30), (30, 7)
ENDED, ALARM, WARNING = 877, 879, 845


def enroll(call: ApiCall) -> ActionDone:
    """Give a host a new certificate, which takes a moment; since 4.5 also one that does not answer."""
    host, world = call.things["host"], call.world
    silent = {"non_responsive"} if call.dialect.version >= (4, 5) else set()
    if host["status"] not in {"maintenance", "install_failed"} | silent:
        raise refuse("host enroll", call.dialect)
    text = f"Enrolling certificate for host {host['name']} was started (User: admin@internal)."
    world.event(880, "normal", text, host=host["id"])
    until = world.now() + (YEAR if call.dialect.version == (4, 4) else FIVE_YEARS) * DAY
    world.move(host, "host.enroll", effect="host enrolled", certificate_ends=until, certificate_told=None)
    return ActionDone(HOST, host)


@effect("host enrolled")
def finish_enrollment(world: World, host: Thing, _end: Thing) -> None:
    """Say that it has its new certificate."""
    text = f"Enrolling certificate for host {host['name']} was completed successfully (User: admin@internal)."
    world.event(881, "normal", text, host=host["id"])


def look(world: World, dialect: SimDialect) -> None:
    """Look at the certificates of all hosts that answer, once a day; called before events are shown."""
    if not dialect.knows((3, 6)):
        return
    for host in world.all("host"):
        due = host.get("certificate_told") is None or world.now() - host["certificate_told"] >= DAY
        if host.get("certificate_ends") and due and host["status"] in {"up", "non_operational"}:
            world.change(host, certificate_told=world.now())
            _tell(world, dialect, host)


def _tell(world: World, dialect: SimDialect, host: Thing) -> None:
    left = (host["certificate_ends"] - world.now()) / DAY
    warns, alarms = WARNS if dialect.version >= (4, 5) else WARNED
    code = ENDED if left < 0 else ALARM if left < alarms else WARNING
    if left > warns:
        return
    what = "has expired" if code == ENDED else "is about to expire"
    date = time.strftime("%Y-%m-%d", time.gmtime(host["certificate_ends"]))
    text = f"Host {host['name']} certification {what} at {date}. Please renew the host's certification."
    world.event(code, "warning" if code == WARNING else "alert", text, host=host["id"])


ROUTES = (verb("/hosts/{host}/enrollcertificate", enroll, "renew its certificate", since3=(3, 6)),)
