"""rshutdown: the same as `rpower softoff`, under the name that other kinds of nodes have."""

from __future__ import annotations

from ..declare.command import Command, Place
from ..plan.context import Context, Plan
from .vm import power

SPEC = Command(
    name="rshutdown",
    summary="shut guests down, as rpower softoff does",
    usage="noderange",
    place=Place.MANAGER,
    routes=("nodehm:power,mgt",),
    description="Each guest is asked to shut down, and the command ends when the machines are off.",
    examples=(
        ("rshutdown vm1-vm3", "shut three guests down"),
        ("rshutdown web --timeout 900", "wait a quarter of an hour for them"),
        ("rpower web softoff", "the same, under the other name"),
    ),
)


def plan(context: Context) -> Plan:
    """Plan as rpower softoff does."""
    yield from power.plan(context, "softoff")
