"""A virtual machine brought to what its row says: only what differs is sent, and what cannot be done is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...engine.nouns import Nic, Ref
from ...jobs import Job, Step, Wait
from ...messages import Data, Message, Warning
from ...units import show_size
from .making import NO_DISK, Making, values_of
from .rows import NicRow, VmRow

DONE, FAILED = "change vm completed.", "change vm failed."
LATER = "It takes effect at the next start"


def asked_of(making: Making) -> VmRow:
    """What has to be looked for before a machine can be compared with its row."""
    row = making.row
    return VmRow(
        row.node, host=row.host, cluster=row.cluster, settings=row.settings, disks=tuple(making.lacking_disks()),
        nics=tuple(nic for nic in row.nics or () if _other_network(nic, making.nic(nic.name))),
    )


def _other_network(wanted: NicRow, there: Nic | None) -> bool:
    """Is it not there, or on another network? A NIC that is there and whose row names none is right where it is."""
    return there is None or bool(wanted.network) and (there.network is None or there.network.name != wanted.network)


@dataclass
class Converging:
    """One machine that is there.

    Attributes:
        making: Knows the machine, its row, and how to add what it lacks.
        tags_lacking: Tags that it shall have and has not.
        groups_lacking: Affinity groups that it shall be in and is not.
    """

    making: Making
    tags_lacking: tuple[str, ...] = ()
    groups_lacking: tuple[str, ...] = ()
    later: bool = False

    def plan(self) -> Iterator[Job | Message]:
        """What is to be done, after what cannot."""
        yield from self.warnings()
        parts = list(self.parts())
        if parts:
            end = Wait("wait until its disks are made", self.making.settled, lambda _: self.said())
            yield Job(self.making.row.node, [*parts, end])
        else:
            yield Job(self.making.row.node)

    def parts(self) -> Iterator[Step | Wait]:
        """The steps for what differs."""
        making = self.making
        values = self.differing()
        if making.there.status == "image_locked":
            yield Wait("wait until its disks are no longer locked", making.settled, making.see)
        if values:
            yield Step(f"change {', '.join(sorted(values))}", partial(self.change, values), FAILED)
        yield from self._nic_parts()
        yield from self._disk_parts()
        for name in self.groups_lacking:
            yield Step(f"put it in the affinity group {name}", partial(making.join, name))
        if self.tags_lacking:
            yield Step(f"tag it {', '.join(self.tags_lacking)}", making.add_tags)

    def differing(self) -> dict[str, Any]:
        """What the row says otherwise about the machine itself."""
        values = values_of(self.making.row, self.making.place)
        told = values.get("initialization")
        current = self.making.there
        differing = current.differing({key: value for key, value in values.items() if key != "initialization"})
        # The guest's password cannot be read back: it goes along when something else is new, not on every run.
        if told and (current.initialization is None
                     or current.initialization.differing(told.replace(root_password=None).values())):
            differing["initialization"] = told
        if self._in_another_cluster() and current.status == "down":
            differing["cluster"] = Ref(name=self.making.row.cluster)
        return differing

    def _in_another_cluster(self) -> bool:
        named = self.making.row.cluster
        return bool(named) and named != self.making.place.cluster.name

    def change(self, values: dict[str, Any]) -> None:
        """Send it; while the machine runs, an engine applies at once what it can and keeps the rest for later."""
        changed = self.making.manager.change(self.making.there, **values)
        self.later = changed is not None and bool(changed.next_run)

    def said(self) -> list[Message]:
        """What chvm says in the end."""
        return [Data(f"{DONE} {LATER}" if self.later else DONE, self.making.row.node)]

    def _nic_parts(self) -> Iterator[Step]:
        making = self.making
        for wanted in making.row.nics or ():
            there = making.nic(wanted.name)
            if there is None:
                network = making.place.network(wanted.network).name
                yield Step(f"add NIC {wanted.name} on {network}", partial(making.add_nic, wanted))
                continue
            values = there.differing(self._nic_values(wanted, there))
            if values:
                yield Step(f"change NIC {wanted.name}: {', '.join(sorted(values))}",
                           partial(making.change_nic, there, **values))
        if making.row.nics is None and making.row.macs and making.install_nic() is not None:
            yield from self._first_nic_parts()

    def _first_nic_parts(self) -> Iterator[Step]:
        nic = self.making.install_nic()
        if nic is not None and (nic.mac or "").lower() != self.making.row.macs[0]:
            yield Step(f"give NIC {nic.name} the address {self.making.row.macs[0]}", self.making.set_mac)

    def _nic_values(self, wanted: NicRow, there: Nic) -> dict[str, Any]:
        row = self.making.row
        values: dict[str, Any] = {"interface": row.nic_model, "mac": row.mac_of(wanted.name)}
        if _other_network(wanted, there):
            values["network"] = self.making.place.network(wanted.network).ref
        return {key: value for key, value in values.items() if value}

    def _disk_parts(self) -> Iterator[Step | Wait]:
        making = self.making
        there = making.assigned()
        lacking = [wanted for wanted in making.row.disks if wanted.name not in there]
        for wanted in making.row.disks:
            disk = there.get(wanted.name)
            if disk is not None and (disk.size or 0) < wanted.size and not making.no_growth():
                text = f"resize disk {disk.name} to {show_size(wanted.size)}"
                yield Step(text, partial(making.grow, disk, wanted.size))
        for number, wanted in enumerate(lacking):
            if number:
                yield Wait("wait until the disk is made", making.settled, making.see)
            domain = making.place.domain(wanted.domain).name
            text = f"add disk {wanted.name} of {show_size(wanted.size)} on {domain}"
            yield Step(text, partial(making.add_disk, wanted), NO_DISK)

    def warnings(self) -> Iterator[Message]:
        """What the row says and the machine cannot become."""
        node = self.making.row.node
        for name, disk in self.making.assigned().items():
            wanted = next(row for row in self.making.row.disks if row.name == name)
            if (disk.size or 0) > wanted.size:
                yield Warning(
                    f"disk {disk.name} has {show_size(disk.size or 0)}, more than the {show_size(wanted.size)} of "
                    "vm.storage; disks do not shrink", node,
                )
            elif (disk.size or 0) < wanted.size and self.making.no_growth():
                yield Warning(
                    f"disk {disk.name} has {show_size(disk.size or 0)}, less than the {show_size(wanted.size)} of "
                    f"vm.storage; {self.making.no_growth()}", node,
                )
        if self._in_another_cluster() and self.making.there.status != "down":
            here, named = self.making.place.cluster.name, self.making.row.cluster
            yield Warning(f"it is in the cluster {here}, not {named}, and moves only when it is off", node)
