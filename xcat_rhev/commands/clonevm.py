"""clonevm: a template from a virtual machine, virtual machines from a template."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..declare.command import VM_ROUTES, Command, Option, Place
from ..engine.nouns import Template, Vm
from ..engine.states import IMAGE_BROKEN, IMAGE_OK, VM_OFF, ImageStatus, VmStatus
from ..engine.waiting import GONE, Goal
from ..errors import Usage
from ..messages import Data, Error, Message
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step, Wait
from ..rows.vm import Typed, read_rows
from .vm.batch import apart, make
from .vm.machines import errors, find, uncertain
from .vm.make import Making

SPEC = Command(
    name="clonevm",
    summary="a template from a virtual machine, virtual machines from a template",
    usage="noderange -t TEMPLATE [-d] [-f] | -b TEMPLATE [-d] [-f]",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    alone=True,
    options=(
        Option(
            ("-t", "--template"),
            "template",
            "the template to make; the noderange is one machine, and off",
            value="TEMPLATE",
        ),
        Option(("-b", "--base"), "base", "the template to make the noderange from", value="TEMPLATE"),
        Option(
            ("-d", "--detached"),
            "detached",
            "with -b: copy its disks, so that the template can be removed; a "
            "machine never depends on the template that was made from it",
        ),
        Option(("-f", "--force"), "force", "remove first what has that name: the template, or machines that are off"),
    ),
    description=(
        "With -b machines are made as mkvm makes them, with vm.master replaced; without -d they depend on the "
        "template, which is written to vm.master. A manager makes no template of a machine that runs, -f or not.\n\n"
        "The command ends when the template, or every machine, can be used."
    ),
    examples=(
        ("clonevm vm1 -t web", "make the template web from vm1"),
        ("clonevm vm2-vm30 -b web", "and use it"),
        ("clonevm db2 -b db1-backup -d", "copy its disks, so that db2 does not depend on the template"),
    ),
)

#: Seconds that copying disks may take.
COPY_LIMIT = 3600.0


def plan(context: Context) -> Plan:
    """Plan one of the two directions."""
    template, base = (str(context.options.get(name, "")) for name in ("template", "base"))
    if bool(template) == bool(base):
        raise Usage("clonevm needs either -t or -b", f"Usage: clonevm {SPEC.usage}")
    yield from _to_template(context, template) if template else _from_template(context, base)


def _to_template(context: Context, name: str) -> Plan:
    if len(context.request.nodes) > 1:
        raise Usage(f"{len(context.request.nodes)} machines cannot all become the template {name}", "Name one")
    (node,) = context.nodes
    found = find(context)
    vm = found.get(node)
    there = context.manager.templates([name]).only(name)
    if vm is None:
        yield found.lack(node)
    elif there is not None and there.status == ImageStatus.OK and "force" not in context.options:
        yield Job(node, idle=f"{name}: {there.status}. There is nothing to do; -f makes it again")
    elif text := uncertain(vm):
        yield Error(text, node)
    elif vm.status not in (VmStatus.DOWN, VmStatus.IMAGE_LOCKED):
        yield Error(f"vm needs to be shutdown to run the clone. It is {vm.status}. Run: rpower {node} off", node)
    else:
        yield Job(node, list(_template_parts(context, vm, name, there)))


def _template_parts(context: Context, vm: Vm, name: str, there: Template | None) -> Iterator[Step | Wait]:
    maker = _Maker(context, vm, name, there)
    if there is not None and "force" in context.options:
        yield Step(f"remove the template {name}", maker.clear)
        yield Wait("wait until it is gone", maker.removal_goal)
    if vm.status != VmStatus.DOWN:
        yield Wait("wait until its disks are no longer locked", maker.idle)
    if there is None or "force" in context.options:
        yield Step(f"make the template {name}", maker.make)
    yield Wait("wait until its disks are copied", maker.ready, maker.result)


class _Maker:
    """The job of one template."""

    def __init__(self, context: Context, vm: Vm, name: str, there: Template | None) -> None:
        self.context, self.vm, self.name, self.template = context, vm, name, there
        self.limit = context.limit(COPY_LIMIT)

    def clear(self) -> None:
        assert self.template is not None
        self.context.manager.remove(self.template)

    def removal_goal(self) -> Goal:
        assert self.template is not None
        return Goal(self.template, frozenset({GONE}), limit=self.limit)

    def idle(self) -> Goal:
        return Goal(self.vm, VM_OFF, limit=self.limit, settled=True)

    def make(self) -> None:
        self.template = self.context.manager.create(Template(name=self.name, vm=self.vm.ref))

    def ready(self) -> Goal:
        assert self.template is not None
        return Goal(self.template, IMAGE_OK, failed=IMAGE_BROKEN, limit=self.limit)

    def result(self, template: Template) -> list[Message]:
        return [Data(f"{self.name}: {template.status}.", self.vm.name)]


def _from_template(context: Context, base: str) -> Plan:
    typed = Typed(master=base)
    rows, faults = read_rows(context.xcat, context.nodes, typed)
    yield from errors(faults)
    detached = "detached" in context.options
    yield from make(context, rows, typed, partial(_write_master, context, typed, detached), detached)


def _write_master(context: Context, typed: Typed, detached: bool, making: Making) -> Iterator[Step]:
    if not detached and not apart(making, typed):
        master = {making.row.node: {"master": typed.master}}
        yield Step("write vm.master", partial(context.xcat.set_node_attrs, "vm", master))
