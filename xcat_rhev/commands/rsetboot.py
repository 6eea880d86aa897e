"""rsetboot: what virtual machines boot from, at their next start or for good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ..engine.nouns import Vm
from ..errors import Usage
from ..jobs import Job, Step
from ..messages import Data, Error
from .common import Command, Context, Option, Place, Plan, Planned
from .vm.bootonce import BootOnce, read_notes
from .vm.machines import find, stored
from .vm.words import boot_order

SPEC = Command(
    name="rsetboot",
    summary="what virtual machines boot from",
    usage="noderange [net|hd|cd|default|stat] [-p]",
    place=Place.MANAGER,
    routes=("nodehm:mgt",),
    options=(
        Option(("-p", "--persistent"), "persistent", "for good, not for the next start alone"),
        Option(("-u",), "uefi", "refused: whether a machine has UEFI is a matter of its cluster"),
    ),
    arguments={
        "net, network": "from the network",
        "hd": "from the hard disk",
        "cd": "from the CD drive",
        "net,hd": "several in order",
        "def, default": "as vm.bootorder says, and no longer otherwise at the next start",
        "stat": "show the order; also without a word",
    },
    description=(
        "Without -p the order holds for the next start by rpower alone: it is noted in vm.othersettings as bootonce, "
        "and rpower takes it from there. With -p the machine itself is changed and vm.bootorder is written; a running "
        "machine takes that at its next start."
    ),
    examples=(("rsetboot vm1-vm3 net", "the next start is from the network"), ("rsetboot vm1 net,hd -p", "for good")),
)

ASKING = ("", "stat")
DEFAULT = ("def", "default")
DONE = "set boot order completed."


def plan(context: Context) -> Plan:
    """Find all machines with one search, then say what each needs."""
    found = find(context)
    notes = read_notes(context.host, context.nodes)
    orders = context.attrs("vm", "bootorder")
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif "uefi" in context.options:
            yield Error("whether a machine has UEFI is a matter of its cluster. Leave -u away", node)
        else:
            machine = _Machine(context, stored(context, vm), notes[node], orders[node].get("bootorder", ""))
            yield machine.planned(",".join(context.words))


@dataclass(frozen=True)
class _Machine:
    """A machine, with what the tables say about its boot order."""

    context: Context
    vm: Vm
    note: BootOnce
    row: str

    def planned(self, word: str) -> Planned:
        """What to do about it."""
        if word in ASKING:
            return Data(self.shown(), self.note.node)
        try:
            wanted = () if word in DEFAULT else boot_order(word)
            usual = boot_order(self.row) if word in DEFAULT and self.row else ()
        except Usage as problem:
            return Error(str(problem), self.note.node)
        if "persistent" in self.context.options:
            return self.job((), wanted or usual, self.row if word in DEFAULT else ",".join(wanted))
        return self.job(wanted, usual, self.row)

    def shown(self) -> str:
        """Its order, and that of the next start where it is another."""
        order = ",".join(self.vm.boot)
        return f"{','.join(self.note.noted)} at the next start, then {order}" if self.note.noted else order

    def job(self, once: tuple[str, ...], wanted: tuple[str, ...], row: str) -> Job:
        """Note the order of the next start, change the machine's own, write the row; only what differs."""
        steps = []
        if wanted and wanted != self.vm.boot:
            steps.append(Step(f"boot from {', '.join(wanted)}", partial(self.change, wanted)))
        if row != self.row:
            steps.append(Step("write vm.bootorder", partial(self.write_row, row)))
        if once != self.note.noted:
            text = f"note {', '.join(once)} for the next start" if once else "forget the note for the next start"
            steps.append(Step(text, partial(self.note.write, self.context.host, once)))
        return Job(self.note.node, [*steps, Step("", self.done)] if steps else [])

    def change(self, order: tuple[str, ...]) -> None:
        self.context.manager.change(self.vm, boot=order)

    def write_row(self, row: str) -> None:
        self.context.host.set_node_attrs("vm", {self.note.node: {"bootorder": row}})

    def done(self) -> list[Data]:
        return [Data(DONE, self.note.node)]
