"""Makes or completes a virtual machine as its row says.

Nothing is made twice: an existing machine, complete or not, goes through the same steps and only gets what it lacks.
What it gets from its template is not known before it is made, so each step checks first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Disk, Lease, Nic, Ref, Template, VcpuPin, Vm
from ...engine.states import VM_OFF, VM_SETTLED, ImageStatus, VmStatus
from ...engine.waiting import GONE, Goal
from ...errors import Conflict, FailedState, NotFound, RhevError
from ...messages import Data, Error
from ...ordering import natural
from ...plan.jobs import Job, Step, Wait
from ...rows.vm import BLANK, DEFAULT_BOOT, DEFAULT_MEMORY, VmRow
from ...rows.vmnics import NicRow
from ...rows.vmsettings import NO_LEASE
from ...rows.vmstorage import DiskRow
from ...units import GIB, show_size
from ...xcat.host import Xcat
from .connections import PASSED, NicConnection, is_there, model_of
from .diskmatch import assign, faults, in_order, too_small
from .guest import initialization_of
from .machines import uncertain
from .surroundings import NOWHERE, VmPlace
from .templatedisks import copies

#: The states in which no guest has the machine's NICs and disks; engines 4.x give no state where an image is illegal.
AT_REST = frozenset({VmStatus.DOWN, VmStatus.SUSPENDED, VmStatus.IMAGE_ILLEGAL, VmStatus.IMAGE_LOCKED, None})
_UNLOCKED = frozenset(VmStatus) - {VmStatus.IMAGE_LOCKED}
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
        row: Its row.
        vm: The machine as last read, None before it is made.
        limit: Seconds for each wait.
        place: What its row names, once it was looked for; not needed for a machine that lacks nothing.
        detached: Make it independent of its template.
        stranger: xCAT has no node of that name.
        nics, disks: As last seen.
        copied: It was made just now with the disks of its template.
        grown: The sizes that disks were asked to have, by id.
    """

    manager: Manager
    xcat: Xcat
    row: VmRow
    vm: Vm | None
    limit: float
    place: VmPlace = NOWHERE
    detached: bool = False
    stranger: bool = False
    nics: list[Nic] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)
    copied: bool = False
    grown: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.vm is not None:
            self.see(self.vm)

    def see(self, vm: Vm) -> None:
        """Store the machine as it is now."""
        self.vm = vm
        if vm.disks is not None:
            self.disks = list(vm.disks)
        if vm.nics is not None:
            self.nics = sorted(vm.nics, key=lambda nic: natural(nic.name))  # engines list them in no order

    @property
    def there(self) -> Vm:
        """The machine, once it is made."""
        if self.vm is None:
            raise NotFound(f"the virtual machine {self.row.node} has not been made")
        return self.vm

    # What it lacks

    def disks_by_part(self) -> dict[str, Disk]:
        """Which disk is which part of vm.storage, by the part's name."""
        found = assign(self.disks, self.row.disks)
        if self.copied:
            found.update(in_order(self.disks, self.row.disks, found))
        return found

    def faults(self) -> list[str]:
        """Errors in what its row says about its disks."""
        return list(faults(self.disks, self.row.disks)) if self.vm is not None else []

    def lacking_disks(self) -> list[DiskRow]:
        """Parts of vm.storage without a disk."""
        there = self.disks_by_part()
        return [wanted for wanted in self.row.disks if wanted.name not in there]

    def nic(self, name: str) -> Nic | None:
        """Its NIC of that name."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def lacking_nics(self) -> list[NicRow]:
        """Parts of vm.nics without a NIC."""
        wanted = self.row.new_nics() if self.vm is None else self.row.nics or ()
        return [nic for nic in wanted if self.nic(nic.name) is None]

    def install_nic(self) -> Nic | None:
        """The NIC that the node is installed through; without vm.nics that of mac.mac's address, else the first."""
        named = next((nic.name for nic in self.row.nics or () if nic.install), None)
        if named:
            return self.nic(named)
        addressed = (nic for nic in self.nics if (nic.mac or "").lower() in self.row.macs[:1])
        return next(addressed, None) or next(iter(self.nics), None)

    def mac_is_right(self) -> bool:
        """Whether mac.mac has the address of the NIC that the node is installed through."""
        nic = self.install_nic()
        return nic is None or bool(self.row.macs) or not nic.mac or self.stranger

    def locked(self) -> bool:
        """Whether the manager works on its disks. Since 4.x the machine itself is down meanwhile."""
        return self.there.status == VmStatus.IMAGE_LOCKED or ImageStatus.LOCKED in {disk.status for disk in self.disks}

    def disk_fault(self) -> str:
        """Which of its disks could not be made or read, and what to do about it; or nothing."""
        names = [disk.name or disk.id for disk in self.disks if disk.status == ImageStatus.ILLEGAL]
        if not names:
            return ""
        node, listed = self.row.node, ",".join(names)
        return f"disk {listed} is illegal: it could not be made or read. Run: chvm {node} -p {listed}, then mkvm {node}"

    def complete(self) -> bool:
        """Whether it exists and has its disks, NICs and address; `Memberships` checks tags and groups."""
        return (
            self.vm is not None
            and not self.locked()
            and not self.lacking_disks()
            and not self.lacking_nics()
            and self.mac_is_right()
        )

    def lookups(self) -> VmRow:
        """What has to be looked for before it can be made or completed."""
        if self.vm is None:
            return self.row
        row = self.row
        disks, nics = tuple(self.lacking_disks()), tuple(self.lacking_nics())
        return VmRow(row.node, disks=disks, nics=nics, nic_model=row.nic_model if nics else "", interface=row.interface)

    # The steps

    def job(self, old: Vm | None, more: Sequence[Step | Wait] = ()) -> Job | Error:
        """All of it.

        Args:
            old: A machine of that name that is to be removed first.
            more: Steps in the end: what it should be part of, what is written to tables.
        """
        node = self.row.node
        if old is not None and old.status != VmStatus.DOWN:
            return Error(
                uncertain(old) or f"the machine is {old.status}, so it is not removed. Run: rpower {node} off", node
            )
        parts = [*self._removal_steps(old)] if old is not None else []
        done = lambda _: [Data("Succeeded", node)]  # noqa: E731
        end = Wait("wait until its disks are made", self.settled_goal, done, otherwise=self._explain)
        return Job(node, [*parts, *self.parts(), *more, end])

    def _explain(self, problem: RhevError) -> RhevError:
        """A machine that the manager takes back, as one does that was stopped in between, leaves its disk behind."""
        gone = isinstance(problem, NotFound) and bool(self.disks)
        if not gone and "VM is not found" not in problem.text:
            return problem
        hint = f"The manager may have left its disk. Run: lsve -m {self.manager.name} -t disk --unused, then mkvm again"
        return type(problem)(problem.text, hint)

    def _removal_steps(self, old: Vm) -> Iterator[Step | Wait]:
        yield Step("remove the machine that is there, with its disks", partial(self.manager.remove, old))
        yield Wait("wait until it is gone", partial(Goal, old, frozenset({GONE}), limit=self.limit))

    def parts(self) -> Iterator[Step | Wait]:
        """The steps that make or complete it."""
        if self.vm is None:
            yield Step(self._description(), self.make, "create virtual machine failed.")
            yield Wait(f"wait until {self.row.node} is down", self._unless_idle, self.see, failed=NOT_DOWN)
        elif self.locked():
            yield Wait("wait until its disks are no longer locked", self.settled_goal, self.see)
        for nic in self.lacking_nics():
            yield self.nic_step(nic)
        for number, disk in enumerate(self.lacking_disks()):
            yield from self.disk_steps(disk, number)
        is_written = self.vm is not None and not self.lacking_nics() and self.mac_is_right()
        if not self.row.macs and not is_written:
            yield Step("write its MAC address to mac.mac", self.write_mac)
        elif self.vm is None and self.row.nics is None:
            yield Step(f"give its NIC the address {self.row.macs[0]}", self.set_mac)

    def nic_step(self, wanted: NicRow) -> Step:
        """Add a NIC."""
        return Step(f"add NIC {wanted.name} on {self._network_name(wanted)}", partial(self.add_nic, wanted))

    def _network_name(self, wanted: NicRow) -> str:
        to = self.connection(wanted)
        return str(to) if to else "no network"

    def connection(self, wanted: NicRow) -> NicConnection | None:
        """What a NIC should be connected to; None for nothing."""
        return None if wanted.network is None else self.place.connections.find(wanted.network)

    def disk_steps(self, wanted: DiskRow, number: int) -> Iterator[Step | Wait]:
        """Add a disk, after `number` others."""
        yield from self.between(number)
        if wanted.existing:
            yield Step(f"attach the disk {wanted.known}", partial(self.attach, wanted), NO_DISK)
            return
        domain = self.place.domain(wanted.domain).name
        text = f"add disk {wanted.name} of {show_size(wanted.size)} on {domain}"
        yield Step(text, partial(self.add_disk, wanted), NO_DISK)

    def get(self) -> Vm:
        """The machine, for steps that need it when it is made."""
        return self.there

    def _description(self) -> str:
        row = self.row
        template = f" from {row.template}" if row.template else ""
        return f"make the virtual machine {row.node} in {self.place.cluster.name}{template}"

    def between(self, number: int) -> Iterator[Wait]:
        """The wait before a disk is added, after `number` others: v4 engines make several at once."""
        if number and self.manager.dialect == 3:
            yield Wait("wait until the disk is made", self.settled_goal, self.see)

    def settled_goal(self) -> Goal:
        """The goal that no action on its disks runs any more."""
        return Goal(self.there, VM_SETTLED, limit=self.limit, settled=True)

    def unlocked_goal(self) -> Goal:
        """The goal that the machine itself is not locked."""
        return Goal(self.there, _UNLOCKED, limit=self.limit, only=frozenset({"status"}))

    def _unless_idle(self) -> Goal | None:
        """The wait, unless the machine was made without a template and is ready at once (not on the oldest engines)."""
        idle = self.there.status == VmStatus.DOWN and not self.row.template
        return None if idle else Goal(self.there, VM_OFF, limit=self.limit, settled=True)

    def make(self) -> None:
        """Make the machine, without disks and NICs."""
        row, place = self.row, self.place
        values = values_of(row, place)
        if row.settings.guest:
            values["initialization"] = initialization_of(row.settings.guest, row.node)
        if not row.template:
            values = {**_from_nothing(), **values}
        values.update(_guaranteed_memory(values.get("memory"), place.template))
        template = place.template.ref if place.template else Ref(name=BLANK)
        if self.detached:
            values["clone"] = True
        told = copies(row, place.template_disks, place.domains, self.detached)
        if told:
            values["disks"] = told
        new = Vm(name=row.node, cluster=place.cluster.ref, template=template, **values)
        self.copied = bool(row.template)
        self.see(self.manager.create(new))

    def add_nic(self, wanted: NicRow) -> None:
        """Add a NIC, or bring the one that the template brought to what the row says."""
        there = self.nic(wanted.name)
        if there is None:
            to = self.connection(wanted)
            new = Nic(
                name=wanted.name,
                mac=self.row.mac_of(wanted.name) or None,
                interface=model_of(wanted, to, self.row.nic_model) or USUAL_NIC,
                plugged=True,
                linked=True,
                **_connection_values(to),
            )
            self.nics.append(self.manager.add_nic(self.there, new))
        else:
            self.change_nic(there, **self.nic_values(wanted, there))

    def nic_values(self, wanted: NicRow, there: Nic) -> dict[str, Any]:
        """What the row says about a NIC that is there; what it does not say is absent."""
        moved = not is_there(self.manager, wanted, there)
        to = self.connection(wanted) if moved else None
        model = model_of(wanted, to, self.row.nic_model)
        if there.interface == PASSED and not wanted.model and not (to and to.passes_through):
            model = (self.row.nic_model or USUAL_NIC) if moved else ""  # its profile decides, not vm.nicmodel
        said = {"interface": model, "mac": self.row.mac_of(wanted.name)}
        values: dict[str, Any] = {name: value for name, value in said.items() if value}
        return {**values, **_connection_values(to)} if moved else values

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
        self.grown[disk.id] = size

    def check_sizes(self, vm: Vm) -> None:
        """Read the machine when its disks are no longer being changed.

        Raises:
            FailedState: One that was to grow has its old size.
        """
        self.see(vm)
        for disk in self.disks:
            wanted = self.grown.get(disk.id, 0)
            if (disk.size or 0) < wanted:
                raise FailedState(f"disk {disk.name} still has {show_size(disk.size or 0)}, not {show_size(wanted)}")

    def add_disk(self, wanted: DiskRow) -> None:
        """Add a disk, or make the one larger that the template brought."""
        there = self.disks_by_part().get(wanted.name)
        if there is None:
            try:
                self.disks.append(self.manager.add_disk(self.there, self.new_disk(wanted)))
            except RhevError as problem:
                raise self._explain(problem) from None
        elif too_small(there, wanted):
            self.grow(there, wanted.size)

    def attach(self, wanted: DiskRow) -> None:
        """Attach a disk that is there already."""
        image = self.place.images[wanted.known]
        how = Disk(id=image.id, bootable=wanted.bootable, interface=self.row.interface, active=True)
        self.disks.append(self.manager.add_disk(self.there, how))

    def new_disk(self, wanted: DiskRow) -> Disk:
        """The disk that a part of vm.storage asks for."""
        row = self.row
        return Disk(
            name=wanted.name,
            alias=wanted.name,
            size=wanted.size,
            bootable=wanted.bootable,
            interface=row.interface,
            format=row.format,
            sparse=row.sparse,
            active=True,
            type="system" if wanted.bootable else "data",
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


def _guaranteed_memory(memory: int | None, template: Template | None) -> dict[str, int]:
    """The machine inherits the template's guaranteed memory, and engines refuse more than the memory itself.

    Blank has 1 GiB.
    """
    brought = (template.memory if template else None) or GIB
    return {"memory_guaranteed": memory} if memory and memory < brought else {}


def _connection_values(to: NicConnection | None) -> dict[str, Any]:
    """A connection as `Nic` has it; the profile only where the row names it."""
    if to is None:
        return {"network": None}
    named = {"vnic_profile": to.profile.ref} if to.named and to.profile else {}
    return {"network": to.network.ref, **named}


def values_of(row: VmRow, place: VmPlace) -> dict[str, Any]:
    """What a row says about a machine itself, by the names that `Vm` has; what it does not say is absent."""
    values: dict[str, Any] = dict(row.settings.values)
    if "custom_properties" in values:
        pairs = values["custom_properties"].items()
        values["custom_properties"] = {name: value for name, value in pairs if value is not None}
    said = {
        "memory": row.memory,
        "boot": row.boot,
        "display_type": row.display,
        "affinity": row.affinity,
        "os_type": row.os_type,
        "placement_hosts": tuple(host.ref for host in place.hosts),
    }
    values.update({name: value for name, value in said.items() if value})
    lease = row.settings.lease
    if lease:
        values["lease"] = Lease(storage_domain=None if lease == NO_LEASE else place.domains[lease].ref)
    if row.topology:
        values.update(zip(("sockets", "cores", "threads"), row.topology))
    if isinstance(values.get("cpu_pins"), str):
        values["cpu_pins"] = pin_all(values["cpu_pins"], math.prod(row.topology or ()))
    return values


def pin_all(cpus: str, count: int) -> tuple[VcpuPin, ...]:
    """Every CPU of a machine on the same CPUs of its hypervisor.

    Args:
        cpus: As `0-15,^8`.
        count: How many it has.
    """
    return tuple(VcpuPin(vcpu=number, cpu_set=cpus) for number in range(count))


def _from_nothing() -> dict[str, Any]:
    return {
        "type": "server",
        "memory": DEFAULT_MEMORY,
        "sockets": 1,
        "cores": 1,
        "boot": DEFAULT_BOOT,
        "display_type": "vnc",
        "affinity": "migratable",
    }
