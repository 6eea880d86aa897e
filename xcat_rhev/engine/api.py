"""Requests about any kind of thing to one manager, with lists of its own for the time of one request."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Callable, TypeVar, cast

from ..abort import Abort
from ..clock import Clock
from . import vm_update
from .arrivals import arrival, departure, guest_systems
from .calls import Calls
from .catalog import Catalog
from .documents.noun import N
from .find_created import find_made
from .nouns import AffinityGroup, Answer, Event, Host, Iscsi, Noun, Ref, Vm
from .templates import Templates
from .unnamed import Unnamed
from .wire.faults import Checked
from .wire.layers import Attended, Counted, LoggedIn, Patient, RequestCounts, Retried, Traced
from .wire.patience import Patience
from .wire.pulse import Pulse
from .wire.session import Session
from .wire.transport import Sender

A = TypeVar("A")
B = TypeVar("B")


class Api:
    """One manager, for the time of one request. May be used by several threads.

    Args:
        session: The shared connection.
        clock: Time.
        say: Takes trace lines without secrets, or None.
        counts: What it cost to find it.
        patience: How one waits; without it until all is done.

    Attributes:
        name: As the tables write it.
        dialect: 3 or 4.
        version: The engine's version, as (4, 5).
        keeps_disks: It can have disks that belong to no VM.
        grows_disks: It can make disks larger.
        binds_to_several: Its machines may be bound to several hosts.
        joins_consoles: Its host has a proxy for serial consoles.
        workers: How many requests at once.
        counts: What the request cost so far; as text `5 requests, 1 connection`.
        patience: How one waits.
        calls: For the engine room alone: requests about any noun.
        catalog: For the engine room alone: names and lists.
        unnamed: For the engine room alone: what changes would take away.
        made: For the engine room alone: ids of disks that were made through this facade.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        say: Callable[[str], None] | None = None,
        counts: RequestCounts | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.name, self.workers = session.access.name, session.access.workers
        self.dialect, self.version = session.dialect.major, session.dialect.version
        self.keeps_disks, self.grows_disks, self.joins_consoles, self.binds_to_several = map(
            session.dialect.has, ("disks", "growing_disks", "console_proxy", "several_hosts")
        )
        self.clock, self.counts = clock, counts or RequestCounts()
        self.patience = patience or Patience(clock, Abort(), Pulse(self.name, clock))
        counted = Counted(Attended(session.http, self.patience), self.counts)
        sender: Sender = Traced(counted, say) if say else counted
        checked = Checked(LoggedIn(sender, session.login), self.name, session.base, session.login.user)
        sender = Patient(Retried(checked, self.patience), self.patience)
        self._http = session.http
        self.calls = Calls(sender, session.base, session.dialect, self.name, self.patience)
        self.catalog = Catalog(self.calls, self.workers, session.clusters)
        self.unnamed = Unnamed(self.calls, self.catalog)
        self.made: set[str] = set()

    def own_certificates(self) -> tuple[datetime | None, datetime | None]:
        """When the manager's own certificate and its CA's end; see `certificates.ends`."""
        return self._http.certificate_ends()

    def find(
        self, noun: type[N], names: Iterable[str], *, details: bool = False, also: type[Noun] | None = None
    ) -> dict[str, N]:
        """Find things by exact name, with one search per hundred; those that are not there are missing.

        Args:
            noun: Of what.
            names: Names; a host's may be its address, or either without its domain.
            details: For Vm: disks and NICs filled; for Host: NICs.
            also: As for `look`.

        Raises:
            Ambiguous: A name fits several.
        """
        return self.catalog.find(noun, names, details=details, also=also)

    def one(self, noun: type[N], name: str, *, data_center: str = "") -> N:
        """Find one thing by exact name.

        Args:
            noun: Of what.
            name: Its name.
            data_center: The name of the data center it must be in. A storage domain then has its state there.

        Raises:
            NotFound: No such thing.
            Ambiguous: Several.
        """
        return self.catalog.one(noun, name, data_center=data_center)

    def list(
        self,
        noun: type[N],
        *,
        under: Noun | Ref | None = None,
        where: str = "",
        details: bool = False,
        everything: bool = False,
        also: type[Noun] | None = None,
        only: Collection[str] = (),
    ) -> builtins.list[N]:
        """Read a whole collection.

        Args:
            noun: Of what.
            under: What it belongs to: NICs of a host, storage domains of a data center ...
            where: In the search language, names as `quote()` writes them.
            details: As for `find`.
            everything: As for `look`.
            also: As for `look`.
            only: As for `look`.
        """
        more: dict[str, Any] = {"details": details, "everything": everything, "also": also, "only": only}
        return self.catalog.list(noun, under=under, where=where, **more)

    def look(
        self,
        noun: type[N],
        names: Iterable[str],
        *,
        details: bool = False,
        everything: bool = False,
        also: type[Noun] | None = None,
        only: Collection[str] = (),
        any_case: bool = False,
    ) -> builtins.list[N]:
        """Find all things with these names, also several with the same.

        Args:
            noun: Of what.
            names: Exact names.
            details: As for `find`.
            everything: Also what engines leave out because it costs them more: a VM's serial console.
            also: Filled too: a Vm's Snapshot or Cdrom (before 4.2 a request each), a Host's FenceAgent (since 4.0).
            only: The attributes that are wanted besides name and id, in place of all: thousands are read twice as
                fast. Asking the answer for another one is an error. Without details.
            any_case: Names in other letters as well, large for small.
        """
        more: dict[str, Any] = {"details": details, "everything": everything, "also": also, "only": only}
        return self.catalog.look(noun, names, any_case=any_case, **more)

    def each(self, work: Callable[[A], B], over: Sequence[A]) -> builtins.list[B]:
        """Do several requests side by side, as many as the manager may get at once."""
        return self.catalog.each(work, over)

    def all(self, noun: type[N], under: Noun | None = None) -> builtins.list[N]:
        """All things of a kind, or those in something, listed once for the time of this request."""
        return builtins.list(self.catalog.all(noun, under).values())

    def too_new(self, what: str) -> str:
        """Say that this manager does not have something yet, or no longer; nothing if it does.

        Args:
            what: As `arrivals.ARRIVALS` or `DEPARTURES` has it.
        """
        since, until = arrival(self.calls.dialect, what), departure(self.calls.dialect, what)
        version = ".".join(map(str, self.version))
        if until:
            return f"the manager is {version}; {what} went away with {until[0]}.{until[1]}"
        return f"the manager is {version}; {what} came with {since[0]}.{since[1]}" if since else ""

    @property
    def guest_systems(self) -> builtins.list[str]:
        """The operating systems of guests that it is known to know where it cannot be asked; else nothing."""
        dialect = self.calls.dialect
        return [] if dialect.has("operating_systems") else guest_systems(dialect)

    def lacks(self, noun: type[Noun], names: Iterable[str]) -> builtins.list[str]:
        """Those of a kind's attributes that this manager's API has no place for."""
        dialect = self.calls.dialect
        fields = [(name, noun.FIELDS[name]) for name in names]
        return [
            name
            for name, field in fields
            if not field.quiet and (field.spelling_in(dialect) is None or not dialect.since(field.since))
        ]

    def get(self, noun: type[N], id: str, *, under: Noun | Ref | None = None) -> N:
        """Read one thing by id.

        Raises:
            NotFound: It is not there.
        """
        return self.calls.get(
            noun,
            self.calls.path(noun(id=id), under)
            if under is not None or noun.TOP
            else f"{self.calls.collection(noun)}/{id}",
        )

    def name_of(self, noun: type[N], ref: Ref | None) -> str:
        """The name behind a reference, from one list per kind; empty for none."""
        return self.catalog.name_of(noun, ref)

    def templates(self, texts: Iterable[str]) -> Templates:
        """Find templates by what people call them: `name`, `name@3`, `center/name`, or an id."""
        return self.catalog.templates(texts)

    def is_template(self, ref: Ref, text: str) -> bool:
        """Whether that is a name of the referenced template."""
        return self.catalog.is_template(ref, text)

    def template_label(self, ref: Ref | None) -> str:
        """What to write for a template so that it is found again: its name, with `@3` where it has several versions."""
        return self.catalog.template_label(ref)

    def center_of(self, noun: Noun) -> str:
        """The id of the data center of a thing that belongs to one, or to a cluster in one; empty if unknown."""
        return self.catalog.center_of(noun)

    def is_in(self, vm: Vm, cluster: str) -> bool:
        """Whether a machine is in the cluster of that name, as far as is known without a request."""
        return self.catalog.is_in(vm, cluster)

    def events(self, about: Noun, limit: int = 5) -> builtins.list[Event]:
        """The newest events about a thing; none for kinds that the search language has no word for."""
        return self.catalog.events(about, limit)

    def newest_events(self, limit: int) -> builtins.list[Event]:
        """The newest events about anything."""
        return self.calls.list(Event, self.calls.collection(Event), limit=limit)

    def is_made_by_us(self, vm: Vm) -> bool:
        """See `Catalog.is_made_by_us`."""
        return self.catalog.is_made_by_us(vm)

    def events_of(self, codes: Iterable[int]) -> builtins.list[Event]:
        """The newest events of some kinds, by the engine's numbers for them."""
        return self.catalog.events_of(codes)

    def create(self, new: N, *, under: Noun | Ref | None = None, **params: Any) -> N:
        """Make a thing; if the answer was lost, by looking whether it is there.

        Args:
            new: What it should be.
            under: What it should belong to.
            params: v4's query parameters, as `activate=False` of a host.

        Raises:
            Conflict: The name is in use, or a state forbids it.
            Usage: The dialect knows no such value.
        """
        if isinstance(new, Vm) and new.clone and self.dialect == 4:
            params.setdefault("clone", True)
        if isinstance(new, Vm) and new.disks and self.dialect == 4:
            # A template's disk is named inside the attachment that the machine gets.
            disks = [disk.replace(id=None, disk_id=disk.id) for disk in new.disks]
            new = new.replace(disks=disks)
        if isinstance(new, AffinityGroup) and under is not None:
            # v3's schema wants the cluster said again inside, and both words.
            new = new.replace(cluster=Ref(under.id), positive=new.positive is not False, enforcing=bool(new.enforcing))
        path = self.calls.collection(type(new), under)
        made = self.calls.create(new, path, lambda: find_made(self.catalog, new, under), **params)
        self.catalog.forget(type(new))
        return made

    def change(self, current: N, *, under: Noun | Ref | None = None, **wanted: Any) -> N | None:
        """Send what differs from what is; None if nothing did, and nothing was sent.

        Args:
            current: The thing as it was read.
            under: What it was listed under, if it has no address of its own.
            wanted: Values by attribute. A Secret always differs, for it cannot be read back.

        Returns:
            It as it is then; of a VM that runs, `next_run` says that something of this waits for its next start.

        Raises:
            Conflict: Its state forbids it, or the manager says that it is done and it is not.
        """
        differing = current.differences(wanted)
        if not differing:
            return None
        changed: Noun
        labels = self.unnamed.labels_of(current)
        if isinstance(current, Vm):
            changed = vm_update.change(self.calls, current, differing, self.unnamed.console(current, differing))
        else:
            along = self._said_again(current, under)
            changed = self.calls.change(current, self.calls.path(current, under), {**along, **differing})
        self.unnamed.give_back(current, labels)
        self.catalog.forget(type(current))
        return cast("N", changed)

    def expect_changes(self, vms: Iterable[Vm]) -> None:
        """Machines are going to be changed: what has to be known for that is read for many of them at once."""
        self.unnamed.expect(vms)

    def _said_again(self, current: Noun, under: Noun | Ref | None) -> dict[str, Any]:
        """What a change has to say besides: engines or their schemas want it."""
        if isinstance(current, AffinityGroup) and under is not None and self.dialect == 3:
            return {"cluster": Ref(under.id), "positive": current.positive, "enforcing": current.enforcing}
        return current.kept_along if isinstance(current, Host) else {}

    def remove(self, obj: Noun, *, under: Noun | Ref | None = None, **params: Any) -> None:
        """Remove a thing; one that is gone already is fine.

        Args:
            obj: The thing. A storage domain is removed from the manager, even if it was read below a data center.
            under: Remove it from there alone, as a network from a cluster.
            params: force, detach_only (a VM's disks stay), host (a Ref), format, destroy.
        """
        self.calls.remove(obj, self.calls.path(obj, under), **params)
        self.catalog.forget(type(obj))

    def act(self, obj: Noun, verb: str, *, under: Noun | Ref | None = None, **params: Any) -> Answer:
        """Carry out an action. That it is complete means that it was accepted: wait for the state.

        Args:
            obj: The thing.
            verb: start, stop, migrate, approve ...
            under: What the thing was listed under, if it has no address of its own.
            params: By element: a Ref, a Record or noun, a sequence of nouns, a Secret, a text, a number, a bool.
                For iSCSI discovery and login: address, port, target, username, password.

        Raises:
            Conflict: Its state forbids it.
        """
        if verb in ("iscsidiscover", "discoveriscsi", "iscsilogin"):
            params = {"iscsi": Iscsi(**params)}
        return self.calls.act(f"{self.calls.path(obj, under)}/{verb}", **params)
