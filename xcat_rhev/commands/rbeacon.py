"""rbeacon: reports for each node that there is no light to switch."""

from __future__ import annotations

from ..declare.command import Command, CommandWords, Place
from ..messages import Error
from ..plan.context import Context, Plan

SPEC = Command(
    name="rbeacon",
    summary="says that there is no beacon light",
    usage="noderange on|off|blink|stat",
    place=Place.HERE,
    routes=("nodehm:mgt",),
    words=CommandWords(most=1, known=("on", "off", "blink", "stat")),
    arguments={"on, off, blink, stat": "what other kinds of nodes do"},
    description=(
        "Virtual machines have no beacon light. That of a hypervisor is its power management's: give the node that as "
        "nodehm.mgt, such as ipmi, and xCAT's own plugin switches it."
    ),
    examples=(
        ("rbeacon vm1 on", "an error that says so"),
        ("lsvm vm1 -s", "on which hypervisor a machine runs"),
        ("rbeacon rhevh1 on", "that hypervisor's light, if its nodehm.mgt is ipmi"),
    ),
)


def plan(context: Context) -> Plan:
    """One error for each node."""
    for node in context.nodes:
        yield Error(f"a virtual machine has no beacon light. Run: lsvm {node} -s, for its hypervisor", node)
