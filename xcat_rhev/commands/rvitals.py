"""rvitals: how busy virtual machines and hypervisors are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from ..engine.nouns import Host, Statistic, Vm
from ..errors import Usage
from ..jobs import Job, Step
from ..messages import Data
from ..units import show_size
from .common import Command, Context, Place, Plan
from .vm.machines import find

SPEC = Command(
    name="rvitals",
    summary="state, CPU and memory use of virtual machines and hypervisors",
    usage="noderange [all|state|cpu|mem]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*)", "nodehm:mgt"),
    arguments={"all": "everything; also without a word", "state": "the manager's word for its state",
               "cpu": "how busy its CPUs are", "mem": "how much memory is used"},
    examples=(("rvitals vm1-vm9 cpu", "who is busy"),),
)

KINDS = ("state", "cpu", "mem")
#: The engine's names (API guide, statistics) and ours.
SHOWN: Mapping[str, tuple[str, str]] = {
    "cpu.current.guest": ("cpu", "CPU of the guest"),
    "cpu.current.hypervisor": ("cpu", "CPU of the hypervisor for it"),
    "cpu.current.total": ("cpu", "CPU in all"),
    "cpu.current.user": ("cpu", "CPU of users"),
    "cpu.current.system": ("cpu", "CPU of the system"),
    "cpu.current.idle": ("cpu", "CPU idle"),
    "cpu.load.avg.5m": ("cpu", "Load of five minutes"),
    "memory.installed": ("mem", "Memory installed"),
    "memory.total": ("mem", "Memory in all"),
    "memory.used": ("mem", "Memory used"),
    "memory.free": ("mem", "Memory free"),
    "swap.used": ("mem", "Swap used"),
    "ksm.cpu.current": ("cpu", "CPU of page sharing"),
}


def plan(context: Context) -> Plan:
    """Find everything with one search per kind; each is then asked for its own statistics."""
    kinds = _kinds(context)
    machines = find(context)
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest) if rest else {}
    for node in context.nodes:
        noun: Vm | Host | None = machines.get(node) or hosts.get(node)
        if noun is None:
            yield machines.lack(node)
            continue
        if "state" in kinds:
            yield Data(noun.status or "unknown", node, "State")
        if set(kinds) - {"state"}:
            yield Job(node, [Step("ask for its statistics", partial(_ask, context, node, noun, kinds))])


def _kinds(context: Context) -> tuple[str, ...]:
    words = tuple({"memory": "mem", "power": "state"}.get(word, word) for word in context.words)
    unknown = [word for word in words if word not in (*KINDS, "all")]
    if unknown:
        raise Usage(f"rvitals does not know '{unknown[0]}'", f"Usage: rvitals {SPEC.usage}")
    return KINDS if not words or "all" in words else words


def _ask(context: Context, node: str, noun: Vm | Host, kinds: Iterable[str]) -> Iterator[Data]:
    for statistic in context.manager.list(Statistic, under=noun):
        kind, desc = SHOWN.get(statistic.name, ("", ""))
        if kind in kinds and statistic.value is not None:
            yield Data(_shown(statistic, statistic.value), node, desc)


def _shown(statistic: Statistic, value: float) -> str:
    unit = (statistic.unit or "none").lower()
    if unit == "bytes":
        return show_size(value)
    return f"{value:g} %" if unit == "percent" else f"{value:g}"
