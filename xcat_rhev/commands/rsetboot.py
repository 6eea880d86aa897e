"""rsetboot: what virtual machines boot from, at their next start or for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from ..declare.command import Command, CommandWords, Option, Place
from ..engine.nouns import Vm
from ..errors import Usage
from ..messages import Data, Error
from ..plan.context import Context, Plan, Planned
from ..plan.jobs import Job, Step, Wait
from ..rows.vmsettings import read_settings
from ..rows.vmwords import boot_order
from .vm.bootonce import BootOnce, read_notes
from .vm.machines import find, ready, stored_config, unseen

SPEC = Command(
    name="rsetboot",
    summary="what virtual machines boot from",
    usage="noderange [net|hd|cd|default|stat|state] [-p]",
    place=Place.MANAGER,
    routes=("nodehm:mgt",),
    options=(
        Option(("-p", "--persistent"), "persistent", "for all starts, not only for the next one"),
        Option(("-u",), "uefi", "refused: whether a machine has UEFI is set only in the manager"),
    ),
    words=CommandWords(most=None),
    arguments={
        "net, network": "from the network",
        "hd": "from the hard disk",
        "cd": "from the CD drive",
        "net,hd": "several in order",
        "def, default": "as vm.bootorder says, at the next start too",
        "stat, state": "show what the next start is from, and the order; the default",
    },
    description=(
        "Without -p the order holds only for the next start by rpower: it is noted in vm.othersettings as bootonce, "
        "and rpower takes it from there. With -p the machine itself is changed and vm.bootorder is written; a running "
        "machine takes that at its next start.\n\n"
        "Each answer has two lines: rhevm.pm's or the order in the manager's words, and what xCAT's other plugins say: "
        "Network, Hard Drive, CD/DVD, Default, boot override inactive. xCAT's REST service shows the second."
    ),
    examples=(
        ("rsetboot vm1-vm3 net", "the next start is from the network"),
        ("rsetboot vm1 net,hd -p", "for all starts"),
        ("rsetboot vm1-vm3 stat", "what the next start is from"),
    ),
)

ASKING = ("", "stat", "state", "status")
DEFAULT = ("def", "default")
#: Seconds that a machine may need to start.
_LIMIT = 300.0
DONE = "set boot order completed."
#: The manager's words -> those of xCAT's plugins for hardware, which scripts look for.
XCAT_WORDS = {"network": "Network", "hd": "Hard Drive", "cdrom": "CD/DVD"}
NO_NOTE, USUAL = "boot override inactive", "Default"
_FIRMWARE = (
    "whether a machine has UEFI comes from its cluster or template; since 4.3 the manager can set it for each machine, "
    "and no column does. Leave -u out"
)


def plan(context: Context) -> Plan:
    """Find all machines with one search, then plan a job for each."""
    found = find(context)
    notes = read_notes(context.xcat, context.nodes)
    orders = context.attrs("vm", "bootorder")
    if "uefi" not in context.options:
        context.manager.expect_changes(_to_change(context, found, orders))
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif "uefi" in context.options:
            yield Error(_FIRMWARE, node)
        else:
            machine = _Machine(context, stored_config(context, vm), notes[node], orders[node].get("bootorder", ""))
            yield from machine.plan_order(",".join(context.words))


def _to_change(context: Context, found: Mapping[str, Vm], rows: Mapping[str, Mapping[str, str]]) -> Iterator[Vm]:
    """The machines whose own order is going to be another."""
    word = ",".join(context.words)
    if word in ASKING or not (word in DEFAULT or "persistent" in context.options):
        return
    for node, vm in found.items():
        text = rows[node].get("bootorder", "") if word in DEFAULT else word
        try:
            order = boot_order(text) if text else ()
        except Usage:
            continue  # its own plan says so
        if order and order != vm.boot:
            yield vm


@dataclass
class _Machine:
    """A machine, with what the tables say about its boot order."""

    context: Context
    vm: Vm
    note: BootOnce
    row: str

    def plan_order(self, word: str) -> Iterator[Planned]:
        """The job that changes it."""
        if word in ASKING:
            yield Data(self.order_text(), self.note.node)
            yield self.in_xcat_words(self.note.noted, NO_NOTE)
            return
        try:
            wanted = () if word in DEFAULT else boot_order(word)
            usual = boot_order(self.row) if word in DEFAULT and self.row else ()
        except Usage as problem:
            yield Error(f"{problem}. Unsupported command: rsetboot {word}", self.note.node)
            return
        if "persistent" in self.context.options:
            job = self.job(wanted, (), wanted or usual, self.row if word in DEFAULT else ",".join(wanted))
        else:
            job = self.job(wanted, wanted, usual, self.row)
        if not job.parts:
            yield self.in_xcat_words(wanted, USUAL)
        yield job

    def in_xcat_words(self, order: tuple[str, ...], otherwise: str) -> Data:
        """An order in xCAT's words."""
        text = ", ".join(XCAT_WORDS[device] for device in order) or otherwise
        return Data(text, self.note.node, fields=(("boot", order),))

    def order_text(self) -> str:
        """Its order, and that of the next start where it is another."""
        order = ",".join(self.vm.boot)
        return f"{','.join(self.note.noted)} at the next start, then {order}" if self.note.noted else order

    def job(self, told: tuple[str, ...], once: tuple[str, ...], wanted: tuple[str, ...], row: str) -> Job:
        """Note the order of the next start, change the machine's own, write the row; only what differs.

        Args:
            told: The requested order; empty for the usual one.
            once: What to note.
            wanted: The machine's own; empty to leave it.
            row: What to write into vm.bootorder.
        """
        steps: list[Step | Wait] = []
        if wanted and wanted != self.vm.boot:
            steps += ready(self.context.manager, self.vm, {"boot": wanted}, self.context.limit(_LIMIT), self.see)
            steps.append(Step(f"boot from {', '.join(wanted)}", partial(self.change, wanted)))
        if row != self.row:
            steps.append(Step("write vm.bootorder", partial(self.write_row, row)))
        if once != self.note.noted:
            text = f"note {', '.join(once)} for the next start" if once else "forget the note for the next start"
            steps.append(Step(text, partial(self.note.write, self.context.xcat, once)))
        return Job(self.note.node, [*steps, Step("", partial(self.result, told))] if steps else [])

    def see(self, vm: Vm) -> None:
        self.vm = vm

    def change(self, order: tuple[str, ...]) -> None:
        settings, _ = read_settings(self.note.text, self.note.node)
        self.context.manager.change(self.vm, **unseen(self.vm, settings), boot=order)

    def write_row(self, row: str) -> None:
        self.context.xcat.set_node_attrs("vm", {self.note.node: {"bootorder": row}})

    def result(self, told: tuple[str, ...]) -> list[Data]:
        return [Data(DONE, self.note.node), self.in_xcat_words(told, USUAL)]
