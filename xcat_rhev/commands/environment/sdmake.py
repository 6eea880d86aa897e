"""cfgve -t sd -c and -i: a storage domain is made or taken over, attached and activated, as its virtsd row says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from ...engine.nouns import Cluster, DataCenter, Host, Noun, StorageDomain
from ...engine.states import DOMAIN_ACTIVE, DOMAIN_COMING, DOMAIN_LEAVING, DOMAIN_RESTING, CenterStatus, HostStatus
from ...engine.waiting import Goal
from ...errors import Conflict
from ...messages import Data, Error
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...rows.storage import STORAGE, StorageRow, read_storage
from . import blockstorage
from .kind import is_in, success

LIMIT = 300.0


@dataclass
class Scene:
    """What the tables and the manager say about the wanted domains, looked up once.

    Attributes:
        context: The command.
        rows: The virtsd rows without fault.
        domains: Domains by name, as the manager lists them outside data centers.
        homes: Data centers by name.
        hosts: Hosts by the node's name.
        inside: The domains of each data center, by the center's id and the domain's.
    """

    context: Context
    rows: Mapping[str, StorageRow]
    domains: Mapping[str, StorageDomain]
    homes: Mapping[str, DataCenter]
    hosts: Mapping[str, Host]
    inside: Mapping[str, Mapping[str, StorageDomain]]


def look(context: Context, rows: Mapping[str, StorageRow]) -> Scene:
    """Look up the domains of some rows, their hosts and data centers."""
    manager = context.manager
    domains = manager.find(StorageDomain, list(rows))
    homes = manager.find(DataCenter, sorted({row.data_center for row in rows.values()}))
    hosts = manager.find(Host, sorted({row.host for row in rows.values()} - {""}))
    inside = {}
    for home in homes.values() if domains else ():
        inside[home.id or ""] = {sd.id or "": sd for sd in manager.list(StorageDomain, under=home)}
    return Scene(context, rows, domains, homes, hosts, inside)


def create(context: Context, names: Sequence[str]) -> Plan:
    """Create, attach, activate; begin where the last attempt ended."""
    yield from _create(context, names, take_over=False)


def import_(context: Context, names: Sequence[str]) -> Plan:
    """Take over domains that another manager made, then attach and activate them."""
    yield from _create(context, names, take_over=True)


def _create(context: Context, names: Sequence[str], take_over: bool) -> Plan:
    rows, faults = read_storage(context.xcat, names)
    yield from (Error(text, name) for name, texts in faults.items() for text in texts)
    if not rows:
        return
    scene = look(context, rows)
    leaders = leaders_of(scene)
    for name, row in rows.items():
        wrong = list(_wrong(scene, row))
        if wrong:
            yield from (Error(text, name) for text in wrong)
        else:
            leader = leaders.get(row.data_center, name)
            yield Building(scene, row, take_over).job("" if leader == name else leader)


def leaders_of(scene: Scene) -> dict[str, str]:
    """For each empty data center the data domain that must come first, because it initializes the center."""
    leaders: dict[str, str] = {}
    for name, row in scene.rows.items():
        home = scene.homes.get(row.data_center)
        if row.kind == "data" and home is not None and home.status == CenterStatus.UNINITIALIZED:
            leaders.setdefault(row.data_center, name)
    return leaders


def _wrong(scene: Scene, row: StorageRow) -> Iterator[str]:
    """All reasons why a domain cannot be made."""
    manager = scene.context.manager.name
    home = scene.homes.get(row.data_center)
    if home is None:
        yield (
            f"failed to get datacenter: {row.data_center}. Run: cfgve -t dc -m {manager} -o {row.data_center} -c -k nfs"
        )
    host = scene.hosts.get(row.host)
    if host is None:
        yield f"cannot find the host {row.host} on {manager}. Run: chhypervisor {row.host} -a"
    elif host.status != HostStatus.UP:
        yield f"the host {row.host} is {host.status or 'unknown'}, but must be up. Run: chhypervisor {row.host} -e"
    there = scene.domains.get(row.name)
    if there is None and (late := scene.context.manager.too_new(f"storage type {row.storage}")):
        yield f"{late}. Run: chtab node={row.name} virtsd.stype=nfs"
    if there is None and host is not None and home is not None:
        yield from _unattachable(scene, row, host, home)
    if there is not None:
        yield from (f"storagedomains has been defined in the rhevm with {text}" for text in others(there, row))
        yield from _elsewhere(scene, row, there)


def _unattachable(scene: Scene, row: StorageRow, host: Host, home: DataCenter) -> Iterator[str]:
    """Why a domain could be made, but not attached: it would remain without a data center."""
    manager = scene.context.manager
    cluster = next((each for each in manager.all(Cluster) if host.cluster and each.id == host.cluster.id), None)
    if cluster is not None and not is_in(cluster.data_center, home):
        other = manager.name_of(DataCenter, cluster.data_center) or "none"
        yield (
            f"the host {row.host} is in data center {other}, not {home.name}. "
            f"Run: chtab node={row.name} virtsd.host=HOST, or virtsd.datacenter={other}"
        )
    if row.kind != "data":
        inside = scene.inside.get(home.id or "") or {sd.id: sd for sd in manager.list(StorageDomain, under=home)}
        same = next((sd.name for sd in inside.values() if sd.type == row.kind), None)
        if same:
            yield f"the data center {home.name} has the {row.kind} domain {same} already, and can have only one"


def others(there: StorageDomain, row: StorageRow) -> Iterator[str]:
    """How a domain of that name differs from its row."""
    pairs = (
        ("type", there.type, row.kind),
        ("storage type", there.storage_type, row.storage),
        ("address", there.address, row.address),
        ("path", there.path, row.path),
    )
    for what, have, want in pairs:
        if have and want and have != want:
            yield f"{what} {have}, not {want}"


def _elsewhere(scene: Scene, row: StorageRow, there: StorageDomain) -> Iterator[str]:
    homes = (*there.data_centers, *((there.data_center,) if there.data_center else ()))
    wanted = scene.homes.get(row.data_center)
    if homes and wanted is not None and not any(is_in(home, wanted) for home in homes):
        other = scene.context.manager.name_of(DataCenter, homes[0])
        yield f"it is attached to data center {other}, not {row.data_center}. Give -s, then -b to detach it"


@dataclass
class Building:
    """Makes one domain and activates it.

    Attributes:
        scene: What was found before.
        row: What it is to be.
        take_over: Import it rather than make it.
        active: It should be used; else it should be in maintenance.
    """

    scene: Scene
    row: StorageRow
    take_over: bool
    active: bool = True

    def __post_init__(self) -> None:
        self.manager = self.scene.context.manager
        self.found: StorageDomain | None = None
        self.made = self.scene.domains.get(self.row.name)
        home = self.scene.homes.get(self.row.data_center)
        self.seen = self.scene.inside.get(home.id or "", {}).get(self.made.id or "") if home and self.made else None

    @cached_property
    def host(self) -> Host:
        """The hypervisor that makes it. It is looked up when it is needed, because an earlier job may add it."""
        return self.scene.hosts.get(self.row.host) or self.manager.one(Host, self.row.host)

    @cached_property
    def home(self) -> DataCenter:
        """Its data center, likewise."""
        return self.scene.homes.get(self.row.data_center) or self.manager.one(DataCenter, self.row.data_center)

    def job(self, leader: str = "", after: frozenset[str] = frozenset()) -> Job:
        """What is left to do.

        Args:
            leader: A domain that must be finished before this one, or empty.
            after: Keys of other jobs that must be.
        """
        after = after | ({key(leader)} if leader else set())
        return Job(self.row.name, list(self._parts()), key=key(self.row.name), after=after)

    def _parts(self) -> Iterator[Step | Wait]:
        row = self.row
        status = self.seen.status if self.seen else None
        if status in (DOMAIN_ACTIVE if self.active else DOMAIN_RESTING):
            return
        if self.made is None:
            verb = "import" if self.take_over else "create"
            if STORAGE[row.storage].block:
                yield self._first_look()
            yield Step(f"{verb} {row.storage} {row.kind} domain through {row.host}", self._make)
        if self.seen is None:
            yield Step(f"attach to data center {row.data_center}", self._attach)
        resting = Wait("wait until it is in maintenance", partial(self._goal, DOMAIN_RESTING), self._report)
        if not self.active and status in DOMAIN_LEAVING:
            yield resting
            return
        if status not in DOMAIN_RESTING | DOMAIN_ACTIVE:
            yield Wait("wait until attached", partial(self._goal, DOMAIN_ACTIVE | DOMAIN_RESTING), self._look)
        if self.active:
            yield Step("activate", self._activate)
            yield Wait("wait until active", partial(self._goal, DOMAIN_ACTIVE), self._report)
        else:
            yield Step("deactivate", self._deactivate)
            yield resting

    def _domain(self) -> StorageDomain:
        assert self.made is not None, "made by an earlier step"
        return self.made

    def _goal(self, wanted: frozenset[str]) -> Goal:
        return Goal(self._domain(), wanted, limit=self.scene.context.limit(LIMIT), under=self.home)

    def _first_look(self) -> Step:
        """Block storage: the host has to see it before anything is made."""
        row = self.row
        through = f"the iSCSI portal {row.address}" if row.storage == "iscsi" else "Fibre Channel"
        if self.take_over:
            return Step(f"look for the domain through {through} of {row.host}", self._find)
        return Step(
            f"log {row.host} in to {through}" if row.storage == "iscsi" else f"look at the LUNs of {row.host}",
            self._prepare,
        )

    def _prepare(self) -> None:
        self.row = blockstorage.prepare(self.manager, self.host, self.row)

    def _find(self) -> None:
        self.found = blockstorage.find(self.manager, self.host, self.row)

    def _make(self) -> None:
        wanted = wanted_domain(self.row, self.host, self.take_over, self.found)
        self.made = self.manager.create(wanted)

    def _attach(self) -> None:
        """Attach, unless making it did: local storage comes attached."""
        inside = {sd.id for sd in self.manager.list(StorageDomain, under=self.home)}
        if self._domain().id not in inside:
            self.manager.attach_storage(self.home, self._domain())

    def _look(self, seen: Noun | None) -> None:
        self.seen = seen if isinstance(seen, StorageDomain) else None

    def _activate(self) -> None:
        """Activate, unless attaching it did, which it does from RHEV 3.1 on."""
        if self.seen is not None and self.seen.status in DOMAIN_ACTIVE:
            return
        try:
            self.manager.activate_storage(self.home, self._domain())
        except Conflict:
            now = self.manager.get(StorageDomain, self._domain().id or "", under=self.home)
            if now.status not in DOMAIN_ACTIVE | DOMAIN_COMING:
                raise

    def _deactivate(self) -> None:
        """Take it to maintenance, where RHEV 3.0 leaves it when it is attached."""
        if self.seen is None or self.seen.status not in DOMAIN_RESTING:
            self.manager.deactivate_storage(self.home, self._domain())

    def _report(self, _: Noun | None) -> list[Data]:
        word = "import" if self.take_over else "create"
        return success(self.row.name, f"{word} storage domain succeeded.")


def key(name: str) -> str:
    """What other jobs call the job that makes a domain."""
    return f"storage domain {name}"


def wanted_domain(
    row: StorageRow, host: Host, take_over: bool = False, found: StorageDomain | None = None
) -> StorageDomain:
    """A storage domain to be made.

    Args:
        row: What it is to be.
        host: The hypervisor that makes it.
        take_over: It exists already, made by another manager.
        found: Then, on block storage, what was found of it; its LUNs are not sent again.
    """
    if found is not None:
        return StorageDomain(
            id=found.id,
            name=row.name,
            type=found.type or row.kind,
            storage_type=row.storage,
            host=host.ref,
            import_=True,
        )
    return StorageDomain(
        name=row.name,
        type=row.kind,
        storage_type=row.storage,
        host=host.ref,
        address=None if row.storage == "iscsi" else row.address or None,
        path=row.path or None,
        vfs_type=row.vfs or None,
        nfs_version=row.version or None,
        mount_options=row.options or None,
        logical_units=blockstorage.units(row),
        import_=True if take_over else None,
    )
