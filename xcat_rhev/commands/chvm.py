"""chvm: change virtual machines, to what their rows say or in what the options name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.nouns import Cdrom, Snapshot, Vm
from ..engine.states import VmStatus
from ..errors import Usage
from ..messages import Error
from ..plan.context import Context, Plan, Planned
from ..plan.jobs import Job, Step, Wait
from ..rows.placement import cpu_set
from ..rows.vm import VmRow, read_rows
from ..rows.vmwords import topology
from ..units import parse_memory
from .vm import backups, ova, restore
from .vm.converge import Converging, asked_of
from .vm.diskoptions import DiskOptions, Editing
from .vm.images import Images
from .vm.isos import IsoImage
from .vm.keeping import read_keep
from .vm.machines import NOT_CREATED, errors, find, find_named, stored_config, unseen
from .vm.make import LIMIT, Making, pin_all
from .vm.memberships import Memberships
from .vm.placement import Placements
from .vm.placeoptions import Placing
from .vm.snapshots import OPTIONS as SNAPSHOTS
from .vm.snapshots import Snapshots
from .vm.surroundings import NOWHERE, survey
from .vm.surroundings import VmPlace as Where

SPEC = Command(
    name="chvm",
    summary="change virtual machines",
    usage="noderange [-a SIZE] [--attach DISK] [-d DISK] [-p DISK] [--resize DISK=SIZE] [--mem SIZE] [--cpus NUMBER] "
    "[--cpupin CPUS] [--membind NODES] [--devpassthru DEVICE[,DEVICE...]] [--devdetach DEVICE[,DEVICE...]] "
    "[--optical ISO | --eject] | --snapshot NAME [--keep N|AGE] | --revert NAME | --rmsnapshot NAME | "
    "--backup FOLDER [--full] [--keep N|AGE] | --restore FOLDER [--at NAME] | "
    "--export HYPERVISOR:/FOLDER",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(
            ("-a", "--add"),
            "add",
            "add disks: sizes in GiB unless a suffix says otherwise, joined by commas; "
            "DOMAIN:SIZE for another storage domain than the first disk's",
            value="SIZE",
        ),
        Option(("-d", "--detach"), "detach", "take disks off and keep them", value="DISK"),
        Option(("--attach",), "attach", "attach disks that are there, by name or id", value="DISK"),
        Option(("-p", "--purge"), "purge", "remove disks", value="DISK"),
        Option(("--resize",), "resize", "make disks larger", value="DISK=SIZE"),
        Option(("--mem", "--memory"), "mem", "memory, in MiB unless a suffix says otherwise", value="SIZE"),
        Option(("--cpus", "--cpu"), "cpus", "sockets, cores of each, threads of each", value="NUMBER"),
        Option(("--cpupin",), "cpupin", "the CPUs of its hypervisor that its own run on, as 0-15,^8", value="CPUS"),
        Option(
            ("--membind",), "membind", "the NUMA nodes of its hypervisor that its memory is on; or none", value="NODES"
        ),
        Option(
            ("--devpassthru",), "devpassthru", "devices of its hypervisor for it alone; it must be off", value="DEVICE"
        ),
        Option(("--devdetach",), "devdetach", "take such devices off; it must be off", value="DEVICE"),
        Option(("--optical", "--cdrom", "--dvd"), "optical", "put a CD image in, by its name", value="ISO"),
        Option(("--eject",), "eject", "take the CD out"),
        Option(("--snapshot",), "snapshot", "take a snapshot", value="NAME"),
        Option(("--keep",), "keep", "with --snapshot, one of a series, and --backup: so many stay", value="N|AGE"),
        Option(("--backup",), "backup", "write what is on the disks into a folder", value="FOLDER"),
        Option(("--full",), "full", "with --backup: all, not what has changed since the last one"),
        Option(
            ("--restore",),
            "restore",
            "give the machine the disks of a backup; it must be off and have no snapshots",
            value="FOLDER",
        ),
        Option(("--at",), "at", "with --restore: which backup, if not the newest", value="NAME"),
        Option(("--export",), "export", "write it into NODE.ova on a hypervisor", value="HYPERVISOR:/FOLDER"),
        Option(("--revert",), "revert", "go back to a snapshot; the machine must be off", value="NAME"),
        Option(("--rmsnapshot",), "rmsnapshot", "remove a snapshot", value="NAME"),
    ),
    description=(
        "Without options each machine is brought to what the tables say (see mkvm): what differs is changed, "
        "disks and NICs that are lacking are added, disks that are too small are made larger. Nothing is taken "
        "away but what the row names with a minus (see mkvm), and nothing is sent that did not change. With "
        "options only what they name is changed, and written to the vm table.\n\n"
        "A disk is named by its name, its id, or its number, the N of vm1_DiskN, else the N-th of vm.storage; "
        "where several have the name, by its id. --attach takes disks that belong to no machine, shared ones, and "
        "LUNs; lsve -t disk lists them. A running machine is changed at once where the manager can; the command "
        "says when a change waits for the next start.\n\n"
        "--snapshot NAME --keep 7 takes a snapshot that is called NAME and the date in UTC, as "
        "nightly-20261201-020000, and removes the oldest of those called so until seven are left; --keep 14d those "
        "that are older than fourteen days (h hours, d days, w weeks). The old ones go when the new one is there; "
        "snapshots of other names stay.\n\n"
        "--backup writes into FOLDER/NODE/DATE: all that is on the disks, the first time, and then what has changed "
        "since the last backup there, for disks that are qcow2; machines may run meanwhile. With --keep 7 those go "
        "that are older than the seven newest, once no newer one is built on them, and every seventh has all again; "
        "with --keep 14d those that are older than fourteen days. --restore puts a disk "
        "together of these files, gives it to the machine in place of the one of that name, and keeps that under "
        "another name. --export lets the manager write an OVA file on a hypervisor, into a folder that is there; "
        "mkvm --import makes a machine of it.\n\n"
    ),
    examples=(
        ("chvm vm1-vm9", "as the tables say"),
        ("chvm vm1 -a 8,16 --mem 4g --cpus 2", "two more disks, other memory and CPUs"),
        ("chvm vm1 --cpupin 0-15,^8", "its CPUs run on these of its hypervisor"),
        ("chvm vm1 --membind 0", "its memory is on the first NUMA node of its hypervisor"),
        ("chvm vm1 --devpassthru pci_0000_3b_00_0", "a device of its hypervisor, as rinv HYPERVISOR devices names it"),
        ("chvm vm1 --resize 1=40g", "a larger first disk"),
        ("chvm web --backup /backup", "what has changed on their disks since the last time, into files"),
        ("chvm web --backup /backup --keep 14d", "the same each night, and what is older than two weeks goes"),
        ("chvm web1 --restore /backup --at 20261201-020000", "its disks as they were then"),
        ("chvm web1 --export rhevh1:/var/tmp", "an OVA file of it, on a hypervisor"),
        ("chvm web --snapshot nightly --keep 7", "a snapshot of each night, the last seven"),
        ("chvm vm1 --attach vm7_Disk2", "a disk that rmvm vm7 has kept"),
    ),
)

#: Options that say where on its hypervisor a machine is.
PLACING = ("membind", "devpassthru", "devdetach")
EDITS = ("add", "attach", "detach", "purge", "resize", "mem", "cpus", "cpupin", *PLACING, "optical", "eject")
#: What is done with files, by option.
_FILES = {"backup": backups.plan, "restore": restore.plan, "export": ova.plan_export}


def plan(context: Context) -> Plan:
    """Converge, or do what the options name."""
    snapshots = [name for name in (*SNAPSHOTS, *_FILES) if name in context.options]
    edits = [name for name in EDITS if name in context.options]
    if len(snapshots) + bool(edits) > 1 or {"optical", "eject"} <= set(edits):
        raise Usage("these options do not go together", f"Usage: chvm {SPEC.usage}")
    if "keep" in context.options and snapshots not in (["snapshot"], ["backup"]):
        raise Usage("--keep goes with --snapshot or --backup", f"Usage: chvm {SPEC.usage}")
    if "full" in context.options and snapshots != ["backup"] or "at" in context.options and snapshots != ["restore"]:
        raise Usage("--full goes with --backup, and --at with --restore", f"Usage: chvm {SPEC.usage}")
    if snapshots and snapshots[0] in _FILES:
        yield from _FILES[snapshots[0]](context)
    elif snapshots:
        yield from _snapshots(context)
    else:
        yield from _edit(context) if edits else _converge(context)


def _converge(context: Context) -> Plan:
    rows, faults = read_rows(context.xcat, context.nodes)
    yield from errors(faults)
    consoles = any({"console", "tpm"} & set(row.settings.values) for row in rows.values())
    found = find_named(context, list(rows), details=True, everything=consoles)
    yield from (found.lack(node, NOT_CREATED) for node in rows if node not in found)
    machines = {
        node: Making(context.manager, context.xcat, row, stored_config(context, found[node]), context.limit(LIMIT))
        for node, row in rows.items()
        if node in found
    }
    bad = {node: making.faults() for node, making in machines.items() if making.faults()}
    yield from errors(bad)
    asked = {node: asked_of(making) for node, making in machines.items() if node not in bad}
    members = Memberships(context.manager, rows, found)
    placements = Placements(context.manager, {node: rows[node] for node in asked}, found)
    places, faults = survey(context.manager, asked, found, members=members, placed=placements.faults)
    yield from errors(faults)
    for node, place in places.items():
        machines[node].place, machines[node].row = place, placements.fill_in(rows[node])
    context.manager.expect_changes(machines[node].there for node in places if Converging(machines[node]).differences())
    for node, place in places.items():
        more = list(members.steps(node, place.cluster, machines[node].get))
        yield from Converging(machines[node], more, placements).plan()


def _snapshots(context: Context) -> Plan:
    keep = read_keep(context.options["keep"]) if "keep" in context.options else None
    now = datetime.now(timezone.utc)
    found = find(context, also=Snapshot)
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node, NOT_CREATED)
        else:
            snapshots = Snapshots(context.manager, vm, vm.snapshots or (), context.limit(LIMIT))
            yield snapshots.rotate(context.options["snapshot"], keep, now) if keep else snapshots.job(context.options)


def _edit(context: Context) -> Plan:
    asked, values, told = DiskOptions.of(context.options), _values(context), Placing.of(context.options)
    rows, faults = read_rows(context.xcat, context.nodes)
    if asked:
        yield from errors(faults)
    discs = Cdrom if {"optical", "eject"} & set(context.options) else None
    found = find(context, details=bool(asked), also=discs)
    good = [node for node in context.nodes if node in found and (node in rows or not asked)]
    images = Images(context.manager, asked.attach if good else ())
    iso = IsoImage(context.manager, context.options.get("optical", "") if good else "")
    if iso.fault:
        yield Error(iso.fault)
        return
    places: Mapping[str, Where] = {}
    if asked.add:
        plain = {node: VmRow(node, nics=()) for node in good}
        places, faults = survey(context.manager, plain, found, storage=True)
        yield from errors(faults)
    texts = context.attrs("vm", "storage", "memory", "cpus", "othersettings")
    placements = Placements(context.manager, {node: told.row(node, rows.get(node), values) for node in good}, found)
    wrong = {node: [*told.faults(rows.get(node), values), *placements.faults(node, ())] for node in good}
    yield from errors(wrong)
    context.manager.expect_changes(
        found[node] for node in good if found[node].differences(_own_values(values, found[node]))
    )
    for node in context.nodes:
        if node not in found:
            yield found.lack(node, NOT_CREATED)
        elif node in good and not wrong[node]:
            making = Making(
                context.manager,
                context.xcat,
                rows.get(node, VmRow(node)),
                stored_config(context, found[node]),
                context.limit(LIMIT),
                places.get(node, NOWHERE),
            )
            yield from _Edit(context, making, asked, images, iso, values, texts[node], told, placements).plan()


def _values(context: Context) -> dict[str, Any]:
    """The values of --mem, --cpus and --cpupin as attributes of `Vm`.

    The number of a machine's CPUs is not known yet.
    """
    values: dict[str, Any] = {}
    if "mem" in context.options:
        values["memory"] = parse_memory(context.options["mem"], "--mem")
    if "cpus" in context.options:
        values.update(zip(("sockets", "cores", "threads"), topology(context.options["cpus"], "--cpus")))
    if "cpupin" in context.options:
        try:
            values["cpu_pins"] = cpu_set(context.options["cpupin"])
        except Usage as problem:
            raise Usage(f"--cpupin: {problem.text}", problem.hint) from None
        lacking = context.manager.lacks(Vm, ("cpu_pins",))
        if lacking:
            raise Usage("--cpupin: the manager is 3.0, which pins no CPUs")
    return values


def _own_values(values: Mapping[str, Any], vm: Vm, fitted: object = None) -> dict[str, Any]:
    """The same for one machine: each of its CPUs, those that --cpus asks for included, is pinned.

    Args:
        values: What was typed.
        vm: The machine.
        fitted: The CPUs that were chosen for it, where its row wants that.
    """
    if fitted:
        return {**values, "cpu_pins": fitted}
    if "cpu_pins" not in values:
        return dict(values)
    counts = (values.get(name) or getattr(vm, name) or 1 for name in ("sockets", "cores", "threads"))
    return {**values, "cpu_pins": pin_all(values["cpu_pins"], math.prod(counts))}


@dataclass
class _Edit:
    """What the options name, for one machine."""

    context: Context
    making: Making
    asked: DiskOptions
    images: Images
    iso: IsoImage
    values: Mapping[str, Any]
    texts: Mapping[str, str]
    told: Placing
    placements: Placements

    def plan(self) -> Iterator[Planned]:
        editing = Editing(self.making, self.texts.get("storage", ""), self.images)
        disks = editing.parts(self.asked)
        node = self.making.row.node
        if editing.faults:
            yield from (Error(fault, node) for fault in editing.faults)
            return
        converging = Converging(self.making, placements=self.placements, later=self.placements.waits(self.making))
        yield from self.placements.refusals(node)
        parts = [*converging.ahead(), *self.own_parts(converging), *disks, *self.placements.steps(self.making)]
        yield Job(node, [*converging.first(), *parts, converging.end(bool(disks))] if parts else [])

    def own_parts(self, converging: Converging) -> Iterator[Step | Wait]:
        """Memory, CPUs, and the CD."""
        row = self.placements.fill_in(self.told.row(self.making.row.node, self.making.row, self.values))
        values = _own_values(self.values, self.making.there, row.settings.values.get("cpu_pins"))
        differing = self.making.there.differences(values)
        if differing:
            yield from converging.change_parts({**unseen(self.making.there, self.making.row.settings), **differing})
        columns = {"memory": self.context.options.get("mem", ""), "cpus": self.context.options.get("cpus", "")}
        own = self.texts.get("othersettings", "")
        settings = self.told.settings_text(own, self.values.get("cpu_pins", ""))
        texts = {column: text for column, text in columns.items() if text and text != self.texts.get(column)}
        if settings != own:
            texts["othersettings"] = settings
        if texts:
            names = ", ".join(f"vm.{column}" for column in texts)
            yield Step(f"write {names}", partial(self.context.xcat.set_node_attrs, "vm", {self.making.row.node: texts}))
        iso = self.iso.file
        if (iso or "eject" in self.context.options) and not self._has_cd(iso):
            yield Step(f"put in the CD {self.iso.name}" if iso else "take the CD out", partial(self.cd, iso))

    def _has_cd(self, iso: str) -> bool:
        """Whether that disc is in the drive already, in the machine's stored settings."""
        drives = [drive.file.id if drive.file else "" for drive in self.making.there.cdroms or ()]
        return self.making.there.status == VmStatus.DOWN and drives[:1] == [iso]

    def cd(self, iso: str) -> None:
        """A running machine gets it at once, and both keep it for later starts."""
        vm = self.making.there
        self.context.manager.change_cdrom(vm, iso)
        if vm.status != VmStatus.DOWN:
            self.context.manager.change_cdrom(vm, iso, current=True)
