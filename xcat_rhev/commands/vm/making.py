"""A virtual machine on its way to what its row says: what it still lacks, and the steps that give it that.

Nothing is made twice: a machine that is there already, whole or half, goes through the same steps and is only given
what it lacks. What it will get from its template is not known before it is made, so each step looks first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import AffinityGroup, Disk, Lease, Nic, Ref, Tag, Template, Vm
from ...engine.waiting import GONE, Goal
from ...errors import Conflict, NotFound
from ...jobs import Job, Step, Wait
from ...messages import Data, Error
from ...units import GIB, show_size
from ...xcat.host import Host as Xcat
from .rows import BLANK, DEFAULT_BOOT, DEFAULT_MEMORY, DiskRow, NicRow, VmRow
from .settings import NO_LEASE
from .surroundings import NOWHERE, Place

#: The states in which nobody is at work on a machine's disks.
SETTLED = frozenset({
    "down", "up", "powering_up", "paused", "suspended", "reboot_in_progress", "wait_for_launch", "not_responding",
    "powering_down", "migrating",
})
DOWN = frozenset({"down"})
#: Seconds that copying a template's disks may take.
LIMIT = 1800.0
USUAL_NIC = "virtio"
THERE = "virtual machine has been created. There is nothing to do"
#: rhevm.pm's texts.
NO_DISK = "Add disk failed for virtual machine."
NOT_DOWN = 'failed to waiting the vm gets to "down" state.'


@dataclass
class Making:
    """One machine.

    Attributes:
        manager: Where it is, or is to be.
        xcat: Where a drawn MAC address is written down.
        row: What it shall be.
        vm: The machine as last seen, None before it is made.
        limit: Seconds for each wait.
        place: What its row names, once it was looked for; not needed for a machine that lacks nothing.
        detached: Make it independent of its template.
        nics, disks: As last seen.
    """

    manager: Manager
    xcat: Xcat
    row: VmRow
    vm: Vm | None
    limit: float
    place: Place = NOWHERE
    detached: bool = False
    nics: list[Nic] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.vm is not None:
            self.see(self.vm)

    def see(self, vm: Vm) -> None:
        """Take notice of the machine as it is now."""
        self.vm = vm
        if vm.disks is not None:
            self.disks = list(vm.disks)
        if vm.nics is not None:
            self.nics = list(vm.nics)

    @property
    def there(self) -> Vm:
        """The machine, once it is made."""
        if self.vm is None:
            raise NotFound(f"the virtual machine {self.row.node} has not been made")
        return self.vm

    # What it lacks

    def assigned(self) -> dict[str, Disk]:
        """Which disk is which part of vm.storage, by the part's name: the one so called, else the boot disk for the
        boot disk, else one that is alike."""
        left = {disk.id: disk for disk in self.disks}
        found: dict[str, Disk] = {}
        for fits in (_so_called, _boots_too, _is_alike):
            for wanted in self.row.disks:
                hit = next((disk for disk in left.values() if fits(disk, wanted)), None)
                if wanted.name not in found and hit is not None:
                    found[wanted.name] = left.pop(hit.id)
        return found

    def lacking_disks(self) -> list[DiskRow]:
        """Parts of vm.storage without a disk."""
        there = self.assigned()
        return [wanted for wanted in self.row.disks if wanted.name not in there]

    def nic(self, name: str) -> Nic | None:
        """Its NIC of that name."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def lacking_nics(self) -> list[NicRow]:
        """Parts of vm.nics without a NIC."""
        return [wanted for wanted in self.row.nics or () if self.nic(wanted.name) is None]

    def install_nic(self) -> Nic | None:
        """The NIC that the node is installed through; without vm.nics the first."""
        named = next((nic.name for nic in self.row.nics or () if nic.install), None)
        return self.nic(named) if named else next(iter(self.nics), None)

    def mac_is_right(self) -> bool:
        """Does mac.mac have the address of the NIC that the node is installed through?"""
        nic = self.install_nic()
        return nic is None or bool(self.row.macs) or not nic.mac

    def complete(self) -> bool:
        """It is there and lacks nothing."""
        return (self.vm is not None and self.vm.status != "image_locked" and not self.lacking_disks()
                and not self.lacking_nics() and self.mac_is_right())

    def asked(self) -> VmRow:
        """What has to be looked for before it can be made or completed."""
        if self.vm is None:
            return self.row
        return VmRow(self.row.node, disks=tuple(self.lacking_disks()), nics=tuple(self.lacking_nics()))

    # The steps

    def job(self, old: Vm | None, record: Sequence[Step] = ()) -> Job | Error:
        """All of it.

        Args:
            old: A machine of that name that is to be removed first.
            record: Steps that write to tables, in the end.
        """
        node = self.row.node
        if old is not None and old.status != "down":
            return Error(f"the machine is {old.status}, so it is not removed. Run: rpower {node} off", node)
        parts = [*self._cleared(old)] if old is not None else []
        end = Wait("wait until its disks are made", self.settled, lambda _: [Data("Succeeded", node)])
        return Job(node, [*parts, *self.parts(), *record, end])

    def _cleared(self, old: Vm) -> Iterator[Step | Wait]:
        yield Step("remove the machine that is there, with its disks", partial(self.manager.remove, old))
        yield Wait("wait until it is gone", partial(Goal, old, frozenset({GONE}), limit=self.limit))

    def parts(self) -> Iterator[Step | Wait]:
        """All that makes it, or completes it."""
        if self.vm is None:
            yield Step(self._described(), self.make, "create virtual machine failed.")
            yield Wait(f"wait until {self.row.node} is down", self._unless_idle, self.see, failed=NOT_DOWN)
        elif self.vm.status == "image_locked":
            yield Wait("wait until its disks are no longer locked", self.settled, self.see)
        for nic in self.lacking_nics():
            yield Step(f"add NIC {nic.name} on {self.place.network(nic.network).name}", partial(self.add_nic, nic))
        for number, disk in enumerate(self.lacking_disks()):
            if number:
                yield Wait("wait until the disk is made", self.settled, self.see)
            domain = self.place.domain(disk.domain).name
            text = f"add disk {disk.name} of {show_size(disk.size)} on {domain}"
            yield Step(text, partial(self.add_disk, disk), NO_DISK)
        if not self.row.macs:
            yield Step("write its MAC address to mac.mac", self.write_mac)
        elif self.vm is None and self.row.nics is None:
            yield Step(f"give its NIC the address {self.row.macs[0]}", self.set_mac)
        yield from self.memberships()

    def memberships(self) -> Iterator[Step | Wait]:
        """Tags and affinity groups."""
        if self.row.settings.tags:
            yield Step(f"tag it {', '.join(self.row.settings.tags)}", self.add_tags)
        for name in self.row.settings.affinity_groups or ():
            yield Step(f"put it in the affinity group {name}", partial(self.join, name))

    def _described(self) -> str:
        row = self.row
        template = f" from {row.template}" if row.template else ""
        return f"make the virtual machine {row.node} in {self.place.cluster.name}{template}"

    def settled(self) -> Goal:
        """Nobody is at work on its disks any more."""
        return Goal(self.there, SETTLED, limit=self.limit, settled=True)

    def _unless_idle(self) -> Goal | None:
        """A machine that was made from nothing is ready at once, but for the oldest engines."""
        idle = self.there.status == "down" and not self.row.template
        return None if idle else Goal(self.there, DOWN, limit=self.limit, settled=True)

    def make(self) -> None:
        """Make the machine, without disks and NICs."""
        row, place = self.row, self.place
        values = values_of(row, place)
        if not row.template:
            values = {**_from_nothing(), **values}
        values.update(_guaranteed(values.get("memory"), place.template))
        template = place.template.ref if place.template else Ref(name=BLANK)
        if self.detached:
            values["clone"] = True
        new = Vm(name=row.node, type="server", cluster=place.cluster.ref, template=template, **values)
        self.see(self.manager.create(new))

    def add_nic(self, wanted: NicRow) -> None:
        """Add a NIC, unless the template brought it."""
        mac = self.row.mac_of(wanted.name)
        there = self.nic(wanted.name)
        if there is None:
            new = Nic(
                name=wanted.name, network=self.place.network(wanted.network).ref, mac=mac or None,
                interface=self.row.nic_model or USUAL_NIC, plugged=True, linked=True,
            )
            self.nics.append(self.manager.add_nic(self.there, new))
        elif mac:
            self.change_nic(there, mac=mac)

    def change_nic(self, nic: Nic, **wanted: Any) -> None:
        """Change a NIC in what differs."""
        self.manager.change_nic(self.there, nic, **wanted)

    def no_growth(self) -> str:
        """Why a disk of this manager cannot be made larger, or nothing."""
        version = ".".join(map(str, self.manager.version))
        return "" if self.manager.grows_disks else f"the manager is {version}; disks grow since 3.3"

    def grow(self, disk: Disk, size: int) -> None:
        """Make a disk larger, in bytes."""
        if self.no_growth():
            raise Conflict(f"disk {disk.name} has {show_size(disk.size or 0)}: {self.no_growth()}")
        self.manager.change_disk(self.there, disk, size=size)

    def add_disk(self, wanted: DiskRow) -> None:
        """Add a disk, or make the one larger that the template brought."""
        there = self.assigned().get(wanted.name)
        if there is None:
            self.disks.append(self.manager.add_disk(self.there, self.new_disk(wanted)))
        elif (there.size or 0) < wanted.size:
            self.grow(there, wanted.size)

    def new_disk(self, wanted: DiskRow) -> Disk:
        """The disk that a part of vm.storage asks for."""
        row = self.row
        return Disk(
            name=wanted.name, alias=wanted.name, size=wanted.size, bootable=wanted.bootable, interface=row.interface,
            format=row.format, sparse=row.sparse, active=True, type="system" if wanted.bootable else "data",
            storage_domains=(self.place.domain(wanted.domain).ref,),
        )

    def write_mac(self) -> None:
        """Write the address that the engine drew to mac.mac, so that the node can be installed."""
        nic = self._first_nic()
        if nic is not None and nic.mac:
            self.xcat.set_node_attrs("mac", {self.row.node: {"mac": nic.mac}})

    def set_mac(self) -> None:
        """Give the NIC that came with the template the address that mac.mac has."""
        nic = self._first_nic()
        if nic is not None:
            self.change_nic(nic, mac=self.row.macs[0])

    def _first_nic(self) -> Nic | None:
        if not self.nics:
            self.nics = self.manager.list(Nic, under=self.there)
        return self.install_nic()

    def add_tags(self) -> None:
        """Give it the tags that it lacks; a tag that the manager does not know is made."""
        has = {tag.name for tag in self.manager.list(Tag, under=self.there)}
        lacking = [name for name in self.row.settings.tags or () if name not in has]
        known = {tag.name for tag in self.manager.list(Tag)} if lacking else set()
        for name in lacking:
            if name not in known:
                self.manager.create(Tag(name=name))
            self.manager.create(Tag(name=name), under=self.there)

    def join(self, name: str) -> None:
        """Put it in an affinity group of its cluster."""
        groups = {group.name: group for group in self.manager.list(AffinityGroup, under=self.place.cluster)}
        if name not in groups:
            raise NotFound(f"the cluster {self.place.cluster.name} has no affinity group {name}")
        group = groups[name]
        if self.there.id not in {ref.id for ref in self.manager.list(Vm, under=group)}:
            self.manager.create(Vm(id=self.there.id), under=group)


def _guaranteed(memory: int | None, template: Template | None) -> dict[str, int]:
    """A template's guaranteed memory comes along, and engines refuse one above the memory itself; Blank has 1 GiB."""
    brought = (template.memory if template else None) or GIB
    return {"memory_guaranteed": memory} if memory and memory < brought else {}


def _so_called(disk: Disk, wanted: DiskRow) -> bool:
    number = wanted.name.rpartition("_Disk")[2]
    return wanted.name in (disk.name, disk.alias) or disk.name == f"Disk {number}"  # as engine 3.0 calls them


def _boots_too(disk: Disk, wanted: DiskRow) -> bool:
    return wanted.bootable and bool(disk.bootable)


def _is_alike(disk: Disk, wanted: DiskRow) -> bool:
    domains = {ref.name for ref in disk.storage_domains}
    here = not wanted.domain or wanted.domain in domains or not any(domains)
    return here and disk.size == wanted.size and bool(disk.bootable) == wanted.bootable


def values_of(row: VmRow, place: Place) -> dict[str, Any]:
    """What a row says about a machine itself, by the names that `Vm` has; what it does not say is absent."""
    values: dict[str, Any] = dict(row.settings.values)
    said = {
        "memory": row.memory, "boot": row.boot, "display_type": row.display, "affinity": row.affinity,
        "os_type": row.os_type, "placement_hosts": (place.host.ref,) if place.host else (),
        "initialization": row.settings.initialization,
    }
    values.update({name: value for name, value in said.items() if value})
    lease = row.settings.lease
    if lease:
        values["lease"] = Lease(storage_domain=None if lease == NO_LEASE else place.domains[lease].ref)
    if row.topology:
        values.update(zip(("sockets", "cores", "threads"), row.topology))
    return values


def _from_nothing() -> dict[str, Any]:
    return {"memory": DEFAULT_MEMORY, "sockets": 1, "cores": 1, "boot": DEFAULT_BOOT, "display_type": "vnc",
            "affinity": "migratable"}
