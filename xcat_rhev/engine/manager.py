"""The facade of one manager: all that a command may ask of it, with lists of its own for the time of one request."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Callable

from ..abort import Abort
from ..clock import Clock
from ..secret import Secret
from . import host_parts, storage, vm_parts
from .calls import Calls
from .catalog import Catalog, quoted
from .console import Console
from .faults import Checked
from .layers import Counted, Counts, LoggedIn, Retried, Stoppable, Traced
from .nouns import (
    AffinityGroup,
    Answer,
    DataCenter,
    Disk,
    Event,
    FenceAgent,
    Host,
    HostNic,
    Iscsi,
    NetworkAttachment,
    Nic,
    Noun,
    Ref,
    StorageDomain,
    Template,
    Vm,
)
from .nouns_base import N
from .session import Session
from .settling import find_made
from .transport import Sender

__all__ = ["Console", "Manager", "quoted"]


class Manager:
    """One manager, for the time of one request. May be used by several threads.

    Args:
        session: The shared connection.
        clock: Time.
        say: Takes trace lines without secrets, or None.
        counts: What it cost to find it.
        notes: What a person should know, e.g. that a CA was fetched.
        aborted: Set when nobody wants an answer any more.

    Attributes:
        name: As the tables write it.
        dialect: 3 or 4.
        version: The engine's version, as (4, 5).
        keeps_disks: It can have disks that belong to no VM.
        grows_disks: It can make disks larger.
        joins_consoles: Its host has a proxy for serial consoles.
        workers: How many requests at once.
        notes: What a person should know about the connection.
        counts: What the request cost so far; as text `5 requests, 1 connection`.
        calls: For the engine room alone: requests about any noun.
        catalog: For the engine room alone: names and lists.
        made: For the engine room alone: ids of disks that were made through this facade.
    """

    def __init__(
        self, session: Session, clock: Clock, say: Callable[[str], None] | None = None,
        counts: Counts | None = None, notes: Sequence[str] = (), aborted: Abort | None = None,
    ) -> None:
        self.name, self.workers = session.access.name, session.access.workers
        self.dialect, self.version = session.dialect.major, session.dialect.version
        self.keeps_disks, self.grows_disks, self.joins_consoles = map(
            session.dialect.has, ("disks", "growing_disks", "console_proxy"))
        self.clock, self.notes, self.counts = clock, tuple(notes), counts or Counts()
        counted = Counted(Stoppable(session.http, aborted or Abort()), self.counts)
        sender: Sender = Traced(counted, say) if say else counted
        sender = Retried(Checked(LoggedIn(sender, session.login), self.name), clock)
        self.calls = Calls(sender, session.base, session.dialect, self.name, clock)
        self.catalog = Catalog(self.calls, self.workers)
        self.made: set[str] = set()

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
        self, noun: type[N], *, under: Noun | Ref | None = None, where: str = "", details: bool = False,
        also: type[Noun] | None = None,
    ) -> builtins.list[N]:
        """Read a whole collection.

        Args:
            noun: Of what.
            under: What it belongs to: NICs of a host, storage domains of a data center ...
            where: In the search language, names as `quoted()` writes them.
            details: As for `find`.
            also: As for `look`.
        """
        return self.catalog.list(noun, under=under, where=where, details=details, also=also)

    def look(
        self, noun: type[N], names: Iterable[str], *, details: bool = False, everything: bool = False,
        also: type[Noun] | None = None, only: Collection[str] = (),
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
        """
        return self.catalog.look(noun, names, details=details, everything=everything, also=also, only=only)

    def lacks(self, noun: type[Noun], names: Iterable[str]) -> builtins.list[str]:
        """Those of a kind's attributes that this manager's API has no place for."""
        dialect = self.calls.dialect
        fields = [(name, noun.FIELDS[name]) for name in names]
        return [name for name, field in fields
                if not field.quiet and (field.spelling[dialect.major] is None or not dialect.since(field.since))]

    def get(self, noun: type[N], id: str, *, under: Noun | Ref | None = None) -> N:
        """Read one thing by id.

        Raises:
            NotFound: It is not there.
        """
        return self.calls.get(noun, self.calls.path(noun(id=id), under) if under is not None or noun.TOP
                              else f"{self.calls.collection(noun)}/{id}")

    def name_of(self, noun: type[N], ref: Ref | None) -> str:
        """The name behind a reference, from one list per kind; empty for none."""
        return self.catalog.name_of(noun, ref)

    def events(self, about: Noun, limit: int = 5) -> builtins.list[Event]:
        """The newest events about a thing; none for kinds that the search language has no word for."""
        return self.catalog.events(about, limit)

    def create(self, new: N, *, under: Noun | Ref | None = None, **params: Any) -> N:
        """Make a thing; if the answer was lost, by looking whether it is there.

        Args:
            new: What it shall be.
            under: What it shall belong to.
            params: v4's query parameters, as `activate=False` of a host.

        Raises:
            Conflict: The name is in use, or a state forbids it.
            Usage: The dialect knows no such value.
        """
        if isinstance(new, Vm) and new.clone and self.dialect == 4:
            params.setdefault("clone", True)
        if isinstance(new, AffinityGroup) and under is not None:
            # v3's schema wants the cluster said again inside.
            new = new.replace(cluster=Ref(under.id))
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
        """
        differing = current.differing(wanted)
        if not differing:
            return None
        if isinstance(current, Vm):
            differing = {**differing, **vm_parts.kept_along(current, differing)}
        changed = self.calls.change(current, self.calls.path(current, under), differing)
        self.catalog.forget(type(current))
        return changed

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

    def add_disk(self, vm: Vm, disk: Disk) -> Disk:
        """Make a disk for a VM, or attach one that is there; it is locked for a while."""
        return vm_parts.add_disk(self, vm, disk)

    def change_disk(self, vm: Vm, disk: Disk, **wanted: Any) -> Disk | None:
        """Change a disk; None if nothing differed."""
        differing = disk.differing(wanted)
        return self.calls.change(disk, self.calls.path(disk, vm), differing) if differing else None

    def remove_disk(self, vm: Vm, disk: Disk, *, keep: bool = False) -> None:
        """Remove a disk, or with `keep` only take it off the VM."""
        vm_parts.remove_disk(self, vm, disk, keep)

    def add_nic(self, vm: Vm, nic: Nic) -> Nic:
        """Make a NIC for a VM.

        Args:
            vm: With its cluster.
            nic: `network` may hold a name alone; it is looked up in the VM's data center.

        Raises:
            NotFound: No such network there, or none for VMs.
        """
        return vm_parts.add_nic(self, vm, nic)

    def change_nic(self, vm: Vm, nic: Nic, **wanted: Any) -> Nic | None:
        """Change a NIC; None if nothing differed."""
        return vm_parts.change_nic(self, vm, nic, wanted)

    def remove_nic(self, vm: Vm, nic: Nic) -> None:
        """Remove a NIC."""
        self.calls.remove(nic, self.calls.path(nic, vm))

    def change_cdrom(self, vm: Vm, iso: str = "", *, current: bool = False) -> None:
        """Put an ISO into a VM's drive, or take it out.

        Args:
            vm: Whose drive.
            iso: The id of a file on an ISO domain, which is its name; empty for none.
            current: For this run alone.
        """
        vm_parts.change_cdrom(self, vm, iso, current)

    def attach_storage(self, data_center: DataCenter, domain: StorageDomain) -> StorageDomain:
        """Attach a storage domain to a data center; wait for `maintenance` or `active` there."""
        return storage.attach(self, data_center, domain)

    def activate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Activate a storage domain in its data center."""
        storage.switch(self, data_center, domain, "activate")

    def deactivate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Put a storage domain into maintenance."""
        storage.switch(self, data_center, domain, "deactivate")

    def detach_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        """Detach a storage domain; refused for a local one where that would format it."""
        storage.detach(self, data_center, domain)

    def unregistered_domains(
        self, host: Host, portal: Mapping[str, Any] | None = None, targets: Sequence[str] = ()
    ) -> builtins.list[StorageDomain]:
        """Find block domains that a host sees and the manager does not have, with id, name and volume group.

        Args:
            host: Who looks.
            portal: For iSCSI: address, port, username, password (a Secret). None looks at Fibre Channel.
            targets: The portal's targets to log in to.

        Raises:
            Usage: The engine is older than 3.5.
        """
        return storage.unregistered_domains(self, host, dict(portal or {}), targets)

    def unregistered_templates(self, domain: StorageDomain) -> builtins.list[Template]:
        """List the templates on a data domain that the manager does not have; `act` with `register` takes one in.

        Raises:
            Usage: The engine is older than 3.5.
        """
        return storage.unregistered_templates(self, domain)

    def set_fencing(self, host: Host, agent: FenceAgent) -> bool:
        """Set and enable a host's fence agent; False if it was so already, its password aside."""
        return host_parts.set_fencing(self, host, agent)

    def fence(self, host: Host, kind: str) -> str:
        """Fence a host: manual, restart, start, stop; or status, which answers on or off."""
        return host_parts.fence(self, host, kind)

    def reinstall(self, host: Host, activate: bool, **login: Any) -> None:
        """Install a host again.

        Args:
            host: In maintenance, or one whose installation failed.
            activate: It shall be up afterwards. False leaves that to the engine: up before 4.3, in maintenance since.
            login: root_password (a Secret), or ssh (an `Ssh`).
        """
        host_parts.reinstall(self, host, activate, login)

    def upgrade_of(self, host: Host, image: str = "") -> tuple[str, dict[str, Any]]:
        """How a host is upgraded: the action for `act`, and its parameters.

        Args:
            host: Which one.
            image: For a RHEV-H: the ISO's file name on the manager.

        Raises:
            Usage: The engine cannot do it, or needs an image, or has no use for one.
        """
        return host_parts.upgrade_of(self, host, image)

    @property
    def can_use_ssh_users(self) -> bool:
        """Can it log in to hosts by its SSH key, or as another user than root? Before 3.3 it needs root's password."""
        return self.calls.dialect.has("ssh")

    @property
    def can_look_for_upgrades(self) -> bool:
        """Can it be told to look for upgrades of a host (`upgradecheck`)? Before 4.1 it looks by itself, daily."""
        return self.calls.dialect.has("upgrade_check")

    def host_networks(self, host: Host) -> builtins.list[NetworkAttachment]:
        """Which logical network is on which NIC of a host, with names."""
        return host_parts.host_networks(self, host)

    def set_host_networks(
        self, host: Host, wanted: Sequence[NetworkAttachment], *, bonds: Sequence[HostNic] = (),
        removed: Sequence[NetworkAttachment] = (), check: bool = True,
    ) -> bool:
        """Put networks on a host's NICs and save that; False if all was so already.

        Args:
            host: Which host.
            wanted: Made by `NetworkAttachment.on`; networks that are not named stay as they are.
            bonds: To make or change, as `HostNic(name="bond0", bonding=Bonding(options=..., slaves=...))`.
            removed: From `host_networks`, to take off first.
            check: Let the engine take the change back when it loses the host by it.
        """
        return host_parts.set_host_networks(self, host, host_parts.Wanted(wanted, bonds, removed, check))

    def pending(self, vm: Vm) -> Vm:
        """A VM as it will be from its next start on; the same as it is where the engine keeps no such thing."""
        return vm_parts.pending(self, vm)

    def plug_disk(self, vm: Vm, disk: Disk, active: bool) -> None:
        """Let the guest see a disk, or not; a running VM's disk has to be unplugged before it is taken off."""
        vm_parts.plug_disk(self, vm, disk, active)

    def console(self, vm: Vm, seconds: int, password: Secret | None = None) -> Console:
        """Where a running VM's console is, with a fresh ticket that lives so many seconds, or with that password."""
        return vm_parts.console(self, vm, seconds, password)

    def cpu_types(self, version: str = "") -> builtins.list[str]:
        """The CPU families that clusters of a compatibility level may have: maker by maker, of each the weakest first.

        Args:
            version: The level, as `4.7`; empty for the newest.

        Raises:
            NotFound: The manager knows no such level.
        """
        return self.catalog.level(version).families
