"""chvm: change virtual machines, to what their rows say or in what the options name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..engine.manager import quoted
from ..engine.nouns import AffinityGroup, Cdrom, Cluster, Snapshot, Vm
from ..errors import Usage
from ..jobs import Job, Step, Wait
from ..messages import Error
from ..units import parse_memory
from .common import VM_ROUTES, Command, Context, Option, Place, Plan, Planned
from .vm.converging import FAILED, Converging, asked_of
from .vm.editing import Asked, Editing
from .vm.machines import NOT_CREATED, errors, find, find_named, no_words, stored
from .vm.making import LIMIT, Making
from .vm.rows import VmRow, read_rows
from .vm.snapshots import OPTIONS as SNAPSHOTS
from .vm.snapshots import Snapshots
from .vm.surroundings import NOWHERE, survey
from .vm.surroundings import Place as Where
from .vm.words import topology

SPEC = Command(
    name="chvm",
    summary="change virtual machines",
    usage="noderange [-a SIZE] [-d DISK] [-p DISK] [--resize DISK=SIZE] [--mem SIZE] [--cpus NUMBER] "
          "[--optical ISO | --eject] | --snapshot NAME | --revert NAME | --rmsnapshot NAME",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(("-a", "--add"), "add", "add disks: sizes in GiB unless a suffix says otherwise, joined by commas; "
               "DOMAIN:SIZE for another storage domain than the first disk's", value="SIZE"),
        Option(("-d", "--detach"), "detach", "take disks off and keep them", value="DISK"),
        Option(("-p", "--purge"), "purge", "remove disks", value="DISK"),
        Option(("--resize",), "resize", "make disks larger", value="DISK=SIZE"),
        Option(("--mem", "--memory"), "mem", "memory, in MiB unless a suffix says otherwise", value="SIZE"),
        Option(("--cpus", "--cpu"), "cpus", "sockets, cores of each, threads of each", value="NUMBER"),
        Option(("--optical", "--cdrom", "--dvd"), "optical", "put a CD image of an ISO domain in", value="ISO"),
        Option(("--eject",), "eject", "take the CD out"),
        Option(("--snapshot",), "snapshot", "take a snapshot", value="NAME"),
        Option(("--revert",), "revert", "go back to a snapshot; the machine must be off", value="NAME"),
        Option(("--rmsnapshot",), "rmsnapshot", "remove a snapshot", value="NAME"),
    ),
    description=(
        "Without options each machine is brought to what the tables say (see mkvm): what differs is changed, disks and "
        "NICs that are lacking are added, disks that are too small are made larger. Nothing is taken away, and nothing "
        "is sent that did not change. With options only what they name is changed, and written to the vm table.\n\n"
        "A disk is named by its name, its id, or its number, the N of vm1_DiskN. A running machine is changed at once "
        "where the manager can; the command says when a change waits for the next start."
    ),
    examples=(
        ("chvm vm1-vm9", "as the tables say"),
        ("chvm vm1 -a 8,16 --mem 4g --cpus 2", "two more disks, other memory and CPUs"),
        ("chvm vm1 --resize 1=40g", "a larger first disk"),
    ),
)

EDITS = ("add", "detach", "purge", "resize", "mem", "cpus", "optical", "eject")


def plan(context: Context) -> Plan:
    """Converge, or do what the options name."""
    no_words(context, f"chvm {SPEC.usage}")
    snapshots = [name for name in SNAPSHOTS if name in context.options]
    edits = [name for name in EDITS if name in context.options]
    if len(snapshots) + bool(edits) > 1 or {"optical", "eject"} <= set(edits):
        raise Usage("these options do not go together", f"Usage: chvm {SPEC.usage}")
    if snapshots:
        yield from _snapshots(context)
    else:
        yield from _edit(context) if edits else _converge(context)


def _converge(context: Context) -> Plan:
    rows, faults = read_rows(context.host, context.nodes)
    yield from errors(faults)
    consoles = any("console" in row.settings.values for row in rows.values())
    found = find_named(context, list(rows), details=True, everything=consoles)
    yield from (found.lack(node, NOT_CREATED) for node in rows if node not in found)
    machines = {node: Making(context.manager, context.host, row, stored(context, found[node]), context.limit(LIMIT))
                for node, row in rows.items() if node in found}
    asked = {node: asked_of(making) for node, making in machines.items()}
    places, faults = survey(context.manager, asked, found)
    yield from errors(faults)
    lacking = _Lacking(context, {node: rows[node] for node in places}, found)
    for node, place in places.items():
        machines[node].place = place
        yield from Converging(machines[node], lacking.tags(node), lacking.groups(node)).plan()


class _Lacking:
    """Tags and affinity groups that rows name: who has them is asked once for each, not for each machine."""

    def __init__(self, context: Context, rows: Mapping[str, VmRow], found: Mapping[str, Vm]) -> None:
        self._manager, self._rows, self._found = context.manager, rows, found
        self._tagged = {tag: self._with_tag(tag) for tag in _all(row.settings.tags for row in rows.values())}
        clusters = {vm.cluster.id: vm.cluster.name for node, vm in found.items()
                    if vm.cluster and node in rows and rows[node].settings.affinity_groups}
        self._members = {
            (id, group.name): {vm.id for vm in context.manager.list(Vm, under=group)}
            for id, name in clusters.items()
            for group in context.manager.list(AffinityGroup, under=Cluster(id=id, name=name))
        }

    def _with_tag(self, tag: str) -> set[str]:
        return {vm.id for vm in self._manager.list(Vm, where=f"tag={quoted(tag)}")}

    def tags(self, node: str) -> tuple[str, ...]:
        wanted = self._rows[node].settings.tags or ()
        return tuple(tag for tag in wanted if self._found[node].id not in self._tagged[tag])

    def groups(self, node: str) -> tuple[str, ...]:
        vm = self._found[node]
        home = vm.cluster.id if vm.cluster else ""
        wanted = self._rows[node].settings.affinity_groups or ()
        return tuple(name for name in wanted if vm.id not in self._members.get((home, name), ()))


def _all(values: Iterable[tuple[str, ...] | None]) -> set[str]:
    return {each for value in values for each in value or ()}


def _snapshots(context: Context) -> Plan:
    found = find(context, also=Snapshot)
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node, NOT_CREATED)
        else:
            yield Snapshots(context.manager, vm, vm.snapshots or (), context.limit(LIMIT)).job(context.options)


def _edit(context: Context) -> Plan:
    asked, values = Asked.of(context.options), _values(context)
    rows, faults = read_rows(context.host, context.nodes)
    if asked:
        yield from errors(faults)
    found = find(context, details=True, also=Cdrom if {"optical", "eject"} & set(context.options) else None)
    good = [node for node in context.nodes if node in found and (node in rows or not asked)]
    places: Mapping[str, Where] = {}
    if asked.add:
        plain = {node: VmRow(node) for node in good}
        places, faults = survey(context.manager, plain, found, storage=True)
        yield from errors(faults)
    texts = context.attrs("vm", "storage", "memory", "cpus")
    for node in context.nodes:
        if node not in found:
            yield found.lack(node, NOT_CREATED)
        elif node in good:
            making = Making(
                context.manager, context.host, rows.get(node, VmRow(node)), stored(context, found[node]),
                context.limit(LIMIT), places.get(node, NOWHERE),
            )
            yield from _Edit(context, making, asked, values, texts[node]).plan()


def _values(context: Context) -> dict[str, Any]:
    """What --mem and --cpus say, by the names that `Vm` has."""
    values: dict[str, Any] = {}
    if "mem" in context.options:
        values["memory"] = parse_memory(context.options["mem"], "--mem")
    if "cpus" in context.options:
        values.update(zip(("sockets", "cores", "threads"), topology(context.options["cpus"], "--cpus")))
    return values


@dataclass
class _Edit:
    """What the options name, for one machine."""

    context: Context
    making: Making
    asked: Asked
    values: Mapping[str, Any]
    texts: Mapping[str, str]

    def plan(self) -> Iterator[Planned]:
        editing = Editing(self.making, self.texts.get("storage", ""))
        disks = editing.parts(self.asked)
        node = self.making.row.node
        if editing.faults:
            yield from (Error(fault, node) for fault in editing.faults)
            return
        converging = Converging(self.making)
        parts = [*self.own_parts(converging), *disks]
        if self.making.there.status == "image_locked" and parts:
            parts.insert(0, Wait("wait until its disks are no longer locked", self.making.settled, self.making.see))
        end = Wait("wait until its disks are made", self.making.settled, lambda _: converging.said())
        yield Job(node, [*parts, end] if parts else [])

    def own_parts(self, converging: Converging) -> Iterator[Step | Wait]:
        """Memory, CPUs, and the CD."""
        differing = self.making.there.differing(self.values)
        if differing:
            yield Step(f"change {', '.join(sorted(differing))}", partial(converging.change, differing), FAILED)
        columns = {"memory": self.context.options.get("mem", ""), "cpus": self.context.options.get("cpus", "")}
        texts = {column: text for column, text in columns.items() if text and text != self.texts.get(column)}
        if texts:
            names = ", ".join(f"vm.{column}" for column in texts)
            yield Step(f"write {names}", partial(self.context.host.set_node_attrs, "vm", {self.making.row.node: texts}))
        iso = self.context.options.get("optical", "")
        if (iso or "eject" in self.context.options) and not self._has_cd(iso):
            yield Step(f"put in the CD {iso}" if iso else "take the CD out", partial(self.cd, iso))

    def _has_cd(self, iso: str) -> bool:
        """Is that disc in the drive already? What a running machine has in it now is not asked."""
        drives = [drive.file.id if drive.file else "" for drive in self.making.there.cdroms or ()]
        return self.making.there.status == "down" and drives[:1] == [iso]

    def cd(self, iso: str) -> None:
        """A running machine gets it at once, and both keep it for later starts."""
        vm = self.making.there
        self.context.manager.change_cdrom(vm, iso)
        if vm.status != "down":
            self.context.manager.change_cdrom(vm, iso, current=True)
