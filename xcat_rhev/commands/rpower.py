"""rpower: the power of virtual machines, and of hypervisors by the manager's fencing."""

from __future__ import annotations

from ..declare.command import Command, CommandWords, Place
from ..plan.context import Context, Plan
from .vm import power

SPEC = Command(
    name="rpower",
    summary="power of virtual machines and hypervisors",
    usage="noderange [on|off|softoff|reset|boot|cycle|suspend|resume|stat|state|status]",
    place=Place.MANAGER,
    routes=("nodehm:power,mgt",),
    words=CommandWords(
        least=1,
        most=1,
        known=("on", "off", "softoff", "reset", "boot", "cycle", "suspend", "resume", "stat", "state", "status"),
    ),
    arguments={
        "on": "start; a suspended or paused machine goes on where it was",
        "off": "cut the power",
        "softoff": "ask the guest to shut down",
        "reset": "cut the power and start again; the machine must be running",
        "boot": "reset when running, start when not",
        "cycle": "the same as boot",
        "suspend": "write the memory to disk and stop",
        "resume": "go on after suspend or pause",
        "stat, state, status": "show on, off, or the manager's word for what is in between",
    },
    description=(
        "A command ends when the state is reached: off means that the manager says so. The command waits first "
        "while disks are locked, while a machine shuts down and, before suspend, while it starts. "
        "Power is on as soon as the machine runs, not when its guest is up. A node with hypervisor.type and without "
        "vm.mgr is a hypervisor: its power goes through the manager's fencing (chhypervisor -p), which cuts off its "
        "machines as well; on ends when it is up, or back in maintenance, and suspend, resume and softoff do not exist "
        "for it.\n\n"
        "When the manager has accepted it, nodelist.status of a node that is switched becomes powering-on or "
        "powering-off, unless site.nodestatus is n.\n\n"
        "The options -m, -t and -r, with which xCAT's own rpower watches installations of Power machines, do not exist "
        "here: nodelist.status shows how far an installation is."
    ),
    examples=(
        ("rpower vm1-vm3 on", "start three machines"),
        ("rpower vm1 softoff --timeout 600", "wait ten minutes"),
        ("rpower all stat", "the state of all, in one request for each hundred"),
    ),
)


def plan(context: Context) -> Plan:
    """Plan one power action."""
    yield from power.plan(context, context.words[0])
