"""cfgve -t sd: storage domains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...engine.nouns import DataCenter, Host, StorageDomain
from ...engine.states import DOMAIN_ACTIVE, DOMAIN_LEAVING, DOMAIN_MOVING, DOMAIN_RESTING, HostStatus
from ...engine.waiting import GONE, Goal
from ...errors import NotFound
from ...messages import Error, Warn, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from . import sdlookup, sdmake
from .kind import DEFAULT, Kind, Verb, data_center, is_in, success
from .sdlookup import Found

LIMIT = 300.0
#: Seconds for which the manager may still show the old state of a domain on its way to maintenance.
GRACE = 60.0


def activate(context: Context, names: Sequence[str]) -> Plan:
    """Activate domains that are in maintenance."""
    for found in sdlookup.look(context, names):
        if found.domain is None:
            yield error_of(sdlookup.not_found(context, found.name), found.name)
        elif found.home is None:
            yield Error("it is not attached to a data center. Give -a to attach it", found.name)
        elif found.status in DOMAIN_ACTIVE:
            yield Job(found.name)
        else:
            switching = _Switching(context, found.home, found.domain, found.status)
            yield Job(found.name, list(switching.work(found.name)))


@dataclass
class _Switching:
    """Brings a domain to the state active or maintenance, whoever started that.

    Attributes:
        context: The command.
        home: Its data center.
        domain: The domain.
        status: Its state when it was last read.
    """

    context: Context
    home: DataCenter
    domain: StorageDomain
    status: str

    def work(self, name: str) -> Iterator[Step | Wait]:
        """Activate it."""
        yield from self._wait_for_rest(DOMAIN_MOVING | DOMAIN_LEAVING)
        yield Step("activate", self._activate)
        yield _until(self.context, DOMAIN_ACTIVE, self.home, self.domain, name)

    def rest(self, name: str = "") -> Iterator[Step | Wait]:
        """Take it to maintenance; with a name, report success."""
        yield from self._wait_for_rest(DOMAIN_MOVING)
        if self.status not in DOMAIN_LEAVING:
            yield Step("deactivate", self._deactivate)
        yield _until(self.context, DOMAIN_RESTING, self.home, self.domain, name, failed=DOMAIN_ACTIVE)

    def _wait_for_rest(self, moving: frozenset[str]) -> Iterator[Wait]:
        """Wait for the action under way: until then an engine refuses everything else."""
        if self.status in moving:
            goal = partial(
                Goal,
                self.domain,
                (DOMAIN_ACTIVE | DOMAIN_RESTING | DOMAIN_LEAVING) - moving,
                limit=self.context.limit(LIMIT),
                under=self.home,
            )
            yield Wait(f"wait until it is no longer {self.status}", goal, self._look)

    def _look(self, now: StorageDomain) -> None:
        self.status = now.status or "unknown"

    def _activate(self) -> None:
        if self.status not in DOMAIN_ACTIVE:
            self.context.manager.activate_storage(self.home, self.domain)

    def _deactivate(self) -> None:
        if self.status not in DOMAIN_RESTING | DOMAIN_LEAVING:
            self.context.manager.deactivate_storage(self.home, self.domain)


def _until(
    context: Context,
    wanted: frozenset[str],
    home: DataCenter,
    domain: StorageDomain,
    name: str = "",
    failed: frozenset[str] = frozenset(),
) -> Wait:
    """Wait for a state inside a data center; with a name, report success."""
    goal = partial(Goal, domain, wanted, failed, grace=GRACE, limit=context.limit(LIMIT), under=home)
    return Wait(f"wait until {'/'.join(sorted(wanted))}", goal, lambda _: success(name) if name else None)


def deactivate(context: Context, names: Sequence[str]) -> Plan:
    """Take domains to maintenance, unless running machines need them."""
    for found in sdlookup.look(context, names):
        if found.domain is None:
            yield error_of(sdlookup.not_found(context, found.name), found.name)
        elif found.home is None or found.status in DOMAIN_RESTING:
            yield Job(found.name, idle=f"it is {found.status}: nothing to do")
        elif running := sdlookup.running_on(context, found):
            yield Error(sdlookup.in_use(running), found.name)
        else:
            switching = _Switching(context, found.home, found.domain, found.status)
            yield Job(found.name, list(switching.rest(found.name)))


def attach(context: Context, names: Sequence[str]) -> Plan:
    """Attach domains to the data center that virtsd names."""
    rows = {row.get("node"): row.get("datacenter", DEFAULT) for row in context.xcat.rows("virtsd")}
    for found in sdlookup.look(context, names):
        if found.domain is None:
            yield error_of(sdlookup.not_found(context, found.name), found.name)
            continue
        try:
            home = data_center(context, context.options.get("data_center") or rows.get(found.name, DEFAULT))
        except NotFound as problem:
            yield error_of(problem, found.name)
            continue
        if found.home is None:
            yield Job(found.name, list(_attachment(context, home, found.domain, found.name)))
        elif is_in(found.home.ref, home):
            yield Job(found.name)
        else:
            yield Error(f"it is attached to data center {found.home.name}, not {home.name}. Give -b first", found.name)


def _attachment(context: Context, home: DataCenter, domain: StorageDomain, name: str) -> Iterator[Step | Wait]:
    yield Step(f"attach to data center {home.name}", partial(_ignore, context.manager.attach_storage, home, domain))
    yield _until(context, DOMAIN_ACTIVE | DOMAIN_RESTING, home, domain, name)


def _ignore(do: Any, *args: Any) -> None:
    """Do it and ignore its answer, which is not a list of messages."""
    do(*args)


def detach(context: Context, names: Sequence[str]) -> Plan:
    """Detach domains that are in maintenance."""
    for found in sdlookup.look(context, names):
        if found.domain is None:
            yield error_of(sdlookup.not_found(context, found.name), found.name)
        elif found.home is None:
            yield Job(found.name)
        elif found.domain.storage_type == "localfs":
            yield Error(
                "detaching local storage removes and formats it. Give -r -f if that is what you want", found.name
            )
        elif found.status not in DOMAIN_RESTING:
            yield Error(f"it is {found.status}, but must be in maintenance. Give -s first", found.name)
        else:
            yield Job(found.name, list(_detachment(context, found.home, found.domain, found.name)))


def _detachment(context: Context, home: DataCenter, domain: StorageDomain, name: str = "") -> Iterator[Step | Wait]:
    yield Step(f"detach from data center {home.name}", partial(context.manager.detach_storage, home, domain))
    yield _until(context, frozenset({GONE}), home, domain, name)


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove domains; with -f through all states, formatting them."""
    everything = sdlookup.look(context, names)
    hosts = _removers(context, everything)
    for found in everything:
        if found.domain is None:
            yield Job(found.name, idle="there is no such storage domain: nothing to do")
            continue
        obstacle = _obstacle(context, found)
        host = hosts.get(found.name)
        if obstacle:
            yield Error(obstacle, found.name)
        elif host is None and "destroy" not in context.options:
            yield Error(f"no host to do it. Run: chtab node={found.name} virtsd.host=HOST", found.name)
        else:
            lost = sdlookup.resting_on(context, found) if "force" in context.options else []
            if lost:
                yield Warn(f"the disks of {few(lost)} go with it", found.name)
            yield Job(found.name, list(_removal(context, found, found.domain, host)))


def _obstacle(context: Context, found: Found) -> str:
    """What is in the way of its removal, or nothing."""
    if found.home is None:
        return ""
    if "force" not in context.options:
        return (
            f"it is {found.status} in data center {found.home.name}. "
            "Give -s and -b first, or -f for all of it, formatting included"
        )
    if sdlookup.is_last_active(found):
        local = found.domain is not None and found.domain.storage_type == "localfs"
        both = f"{found.home.name},{found.name}" if local else found.home.name
        return (
            f"it is the last active data domain of data center {found.home.name}. Remove the data center "
            f"{'with it' if local else 'first'}: cfgve -t sd -m {context.manager.name} -o {found.name} -s, "
            f"then cfgve -t dc -m {context.manager.name} -o {both} -r -f"
        )
    running = sdlookup.running_on(context, found)
    return sdlookup.in_use(running) if running else ""


def _removers(context: Context, everything: Sequence[Found]) -> dict[str, Host]:
    """For each domain a host that is up to do it: the one that virtsd names, else one of its data center, else any."""
    wanted = {row.get("node"): row.get("host", "") for row in context.xcat.rows("virtsd")}
    there = [found for found in everything if found.domain is not None]
    if not there:
        return {}
    hosts = [host for host in context.manager.list(Host) if host.status == HostStatus.UP]
    named_hosts = context.manager.find(Host, sorted({wanted.get(found.name) or "" for found in there} - {""}))
    chosen = {}
    for found in there:
        mine = named_hosts.get(wanted.get(found.name, ""))
        if mine is not None and mine.status == HostStatus.UP:
            chosen[found.name] = mine
        elif hosts:
            chosen[found.name] = hosts[0]
    return chosen


def _removal(context: Context, found: Found, domain: StorageDomain, host: Host | None) -> Iterator[Step | Wait]:
    if found.home is not None:
        if found.status not in DOMAIN_RESTING:
            yield from _Switching(context, found.home, domain, found.status).rest()
        if domain.storage_type == "localfs":
            # Engines from 3.6 on format local storage when it is detached, which is what -f asks for.
            yield Step("detach", partial(context.manager.remove, domain, under=found.home))
            yield _until(context, frozenset({GONE}), found.home, domain)
        else:
            yield from _detachment(context, found.home, domain)
    destroy, format_it = ("destroy" in context.options), ("force" in context.options)
    says = "forget" if destroy else "remove and format" if format_it else "remove"

    def step() -> Any:
        by = host.ref if host else None
        if destroy:
            context.manager.remove(domain, host=by, destroy=True)
        else:
            context.manager.remove(domain, host=by, format=format_it)
        return success(found.name, "delete storage domain succeeded.")

    yield Step(f"{says} storage domain", step)


KIND = Kind(
    "storage domain",
    {
        "create": Verb(sdmake.create),
        "import": Verb(sdmake.import_),
        "activate": Verb(activate),
        "deactivate": Verb(deactivate),
        "attach": Verb(attach, frozenset({"data_center"})),
        "detach": Verb(detach),
        "remove": Verb(remove, frozenset({"force", "destroy"})),
    },
)
