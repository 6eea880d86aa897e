"""Changes a virtual machine to match its row: only differences are sent, and what cannot be done is reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...engine.nouns import Nic, Ref, Vm
from ...engine.states import VmStatus
from ...messages import Data, Error, Message, Warn
from ...plan.jobs import Job, Step, Wait
from ...rows.vm import VmRow
from ...rows.vmnics import NicRow
from ...rows.vmsettings import VmSettings
from ...units import show_size
from .connections import is_there
from .diskmatch import too_large, too_small
from .guest import initialization_of
from .machines import ready
from .make import AT_REST, Making, values_of
from .placement import Placements

DONE, FAILED = "change vm completed.", "change vm failed."
LATER = "It takes effect at the next start"
_SAID = {"interface": "model", "mac": "MAC address"}
_WORDS = {"vnic_profile": "vNIC profile"}


def asked_of(making: Making) -> VmRow:
    """What has to be looked for before a machine can be compared with its row."""
    row = making.row
    return VmRow(
        row.node,
        hosts=row.hosts,
        not_hosts=row.not_hosts,
        cluster=row.cluster,
        os_type=row.os_type,
        settings=row.settings,
        nic_model=row.nic_model,
        topology=row.topology,
        interface=row.interface,
        disks=tuple(making.lacking_disks()),
        nics=tuple(nic for nic in row.nics or () if _is_to_be_moved(making, nic)),
    )


def _is_to_be_moved(making: Making, wanted: NicRow) -> bool:
    there = making.nic(wanted.name)
    if there is None or not is_there(making.manager, wanted, there):
        return True
    return bool(wanted.model) and wanted.model != (there.interface or "").lower()


@dataclass
class Converging:
    """One machine that is there.

    Attributes:
        making: Knows the machine, its row, and how to add what it lacks.
        more: Steps in the end: what it should be part of.
        placements: Where on its hypervisor it should be.
    """

    making: Making
    more: Sequence[Step] = ()
    placements: Placements | None = None
    later: bool = False

    def plan(self) -> Iterator[Job | Message]:
        """The messages about what cannot be done, then the job."""
        yield from self.warnings()
        yield from self.refusals()
        disks = list(self._disk_parts())
        parts = [*self.ahead(), *self.parts(), *disks, *self.place_steps(), *self.more]
        yield Job(self.making.row.node, [*self.first(), *parts, self.end(bool(disks))] if parts else [])

    def ahead(self) -> Iterator[Step]:
        """The steps before the machine itself is changed."""
        if self.placements is not None:
            yield from self.placements.ahead(self.making.row.node, self.making.place.hosts)

    def place_steps(self) -> Iterator[Step | Wait]:
        """The steps that place it on its hypervisor, when it is changed."""
        if self.placements is not None:
            self.later = self.later or self.placements.waits(self.making)
            yield from self.placements.steps(self.making, moved="placement_hosts" in self.differences())

    def first(self) -> Iterator[Wait]:
        """The waits before anything is changed."""
        if self.making.locked():
            yield Wait("wait until its disks are no longer locked", self.making.settled_goal, self.making.see)

    def end(self, disks: bool) -> Wait:
        """The last part: says that all is done; what is on disks is looked at only if something was done there."""
        if disks:
            return Wait("wait until its disks are made", self.making.settled_goal, self.check_result)
        return Wait("wait until it is no longer locked", self.making.unlocked_goal, lambda _: self.result())

    def parts(self) -> Iterator[Step | Wait]:
        """The steps for what differs in the machine itself and its NICs."""
        yield from self.change_parts(self.differences())
        yield from self._nic_parts()

    def change_parts(self, values: dict[str, Any]) -> Iterator[Step | Wait]:
        """The steps for other values of the machine itself; for none there are none."""
        making = self.making
        if values:
            yield from ready(making.manager, making.there, values, making.limit, making.see)
            yield Step(f"change {', '.join(sorted(values))}", partial(self.change, values), FAILED)

    def differences(self) -> dict[str, Any]:
        """The differences between the row and the machine itself."""
        values = values_of(self.making.row, self.making.place)
        current = self.making.there
        if "custom_properties" in values:
            values["custom_properties"] = _merge_properties(current.custom_properties, self.making.row.settings)
        values["placement_hosts"] = self._hosts()
        return {**current.differences(values), **self._guest(), **self._new_cluster()}

    def _hosts(self) -> tuple[Ref, ...]:
        """Where it may run: as now, with those that the row names, without those that it takes away."""
        now, place = self.making.there.placement_hosts, self.making.place
        on = self.making.there.host  # its present hypervisor, as rmigrate writes it, is not a request to bind it
        bound = on is None or self.making.row.affinity == "pinned"
        named = [host.ref for host in place.hosts if bound or on is None or host.id != on.id]
        away = {host.id for host in place.not_hosts}
        known = {ref.id for ref in now}
        if not self.making.manager.binds_to_several and any(ref.id not in known for ref in named):
            now = ()
        return tuple(ref for ref in (*now, *(ref for ref in named if ref.id not in known)) if ref.id not in away)

    def _guest(self) -> dict[str, Any]:
        """What should change of the guest's first start.

        Its password cannot be read back: it goes along when something else is new, not on every run.
        """
        guest, now = self.making.row.settings.guest, self.making.there.initialization
        if guest is None:
            return {}
        told = initialization_of(guest, "" if now else self.making.row.node)
        same = now is not None and not now.differences(told.replace(root_password=None).values())
        return {} if same else {"initialization": told}

    def _new_cluster(self) -> dict[str, Any]:
        """Its cluster, if it is another, and it is off."""
        off = self.making.there.status == VmStatus.DOWN
        return {"cluster": Ref(name=self.making.row.cluster)} if off and self._in_another_cluster() else {}

    def _in_another_cluster(self) -> bool:
        named = self.making.row.cluster
        return bool(named) and named != self.making.place.cluster.name

    def change(self, values: dict[str, Any]) -> None:
        """Send it; while the machine runs, an engine applies at once what it can and keeps the rest for later."""
        changed = self.making.manager.change(self.making.there, **values)
        self.later = self.later or changed is not None and bool(changed.next_run)

    def check_result(self, vm: Vm) -> list[Message]:
        """Compare its disks with what was asked."""
        self.making.check_sizes(vm)
        return self.result()

    def result(self) -> list[Message]:
        """chvm's message at the end."""
        return [Data(f"{DONE} {LATER}" if self.later else DONE, self.making.row.node)]

    def _nic_parts(self) -> Iterator[Step]:
        making = self.making
        for wanted in making.row.nics or ():
            if making.nic(wanted.name) is None:
                yield making.nic_step(wanted)
        for nic, values in self._nic_changes():
            if not self._is_held(nic, values):
                words = (_WORDS.get(word, word) for word in sorted(values))
                text = f"change NIC {nic.name}: {', '.join(words)}"
                yield Step(text, partial(making.change_nic, nic, **values))

    def _nic_changes(self) -> Iterator[tuple[Nic, dict[str, Any]]]:
        """Existing NICs with the differences from the row; without vm.nics the first NIC is meant."""
        making, row = self.making, self.making.row
        first = making.install_nic()
        if row.nics is None and first is not None:
            said = {"interface": row.nic_model, "mac": next(iter(row.macs), "")}
            pairs = [(first, {name: value for name, value in said.items() if value})]
        else:
            named = [(wanted, making.nic(wanted.name)) for wanted in row.nics or ()]
            pairs = [(nic, making.nic_values(wanted, nic)) for wanted, nic in named if nic is not None]
        for nic, values in pairs:
            differing = nic.differences(values)
            if differing:
                yield nic, differing

    def _is_held(self, nic: Nic, values: Mapping[str, Any]) -> bool:
        """Whether the engine would refuse it: a NIC of a running guest keeps its model and its address."""
        runs = self.making.there.status not in AT_REST
        return runs and nic.plugged is not False and bool({"interface", "mac"} & set(values))

    def refusals(self) -> Iterator[Message]:
        """What cannot be changed now; the rest is done."""
        node = self.making.row.node
        if self.placements is not None:
            yield from self.placements.refusals(node)
        held = [(nic, values) for nic, values in self._nic_changes() if self._is_held(nic, values)]
        for nic, values in held:
            words = " and ".join(_SAID[word] for word in ("interface", "mac") if word in values)
            yield Error(f"NIC {nic.name} keeps its {words} while the machine runs. Run: rpower {node} off", node)

    def _disk_parts(self) -> Iterator[Step | Wait]:
        making = self.making
        there = making.disks_by_part()
        for wanted in making.row.disks:
            disk = there.get(wanted.name)
            if disk is not None and too_small(disk, wanted) and not making.no_growth():
                text = f"resize disk {disk.name} to {show_size(wanted.size)}"
                yield Step(text, partial(making.grow, disk, wanted.size))
        for number, wanted in enumerate(making.lacking_disks()):
            yield from making.disk_steps(wanted, number)

    def warnings(self) -> Iterator[Message]:
        """Values of the row that the machine cannot get."""
        node = self.making.row.node
        for name, disk in self.making.disks_by_part().items():
            wanted = next(row for row in self.making.row.disks if row.name == name)
            if too_large(disk, wanted):
                yield Warn(
                    f"disk {disk.name} has {show_size(disk.size or 0)}, more than the {show_size(wanted.size)} of "
                    "vm.storage; disks do not shrink",
                    node,
                )
            elif too_small(disk, wanted) and self.making.no_growth():
                yield Warn(
                    f"disk {disk.name} has {show_size(disk.size or 0)}, less than the {show_size(wanted.size)} of "
                    f"vm.storage; {self.making.no_growth()}",
                    node,
                )
        if self._in_another_cluster() and self.making.there.status != VmStatus.DOWN:
            here, named = self.making.place.cluster.name, self.making.row.cluster
            yield Warn(f"it is in the cluster {here}, not {named}, and moves only when it is off", node)


def _merge_properties(now: Mapping[str, str] | None, settings: VmSettings) -> dict[str, str]:
    """Custom properties as they are, with what the row says of them."""
    wanted = {**(now or {}), **settings.values["custom_properties"]}
    return {name: value for name, value in wanted.items() if value is not None}
