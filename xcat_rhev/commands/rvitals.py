"""rvitals: how busy virtual machines and hypervisors are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..declare.command import HYPERVISOR_ROUTES, Command, CommandWords, Place
from ..engine.nouns import Host, Statistic, Vm
from ..engine.states import HOST_TALKING, VM_UNCERTAIN
from ..messages import Data
from ..plan.context import Context, Plan
from ..units import show_size
from .hypervisor import certificates
from .vm.machines import find, lack_either

#: What it shows without a word.
KINDS = ("state", "cpu", "mem")
#: What it shows for this word only, because it costs another request.
CERTIFICATE = "cert"
#: What users type -> what it means.
_SYNONYMS = {"memory": "mem", "power": "state"}

SPEC = Command(
    name="rvitals",
    summary="state, CPU and memory use of virtual machines and hypervisors",
    usage="noderange [all|state|cpu|mem|cert]",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    words=CommandWords(most=None, known=("all", *KINDS, CERTIFICATE, *_SYNONYMS)),
    arguments={
        "all": "state, cpu and mem; the default",
        "state": "the manager's word for its state",
        "cpu": "how busy its CPUs are",
        "mem": "how much memory is used",
        "cert": "when the certificates of hypervisors, of their manager and of its CA end; for this word only",
    },
    description=(
        "A manager's API does not show when hypervisors' certificates end. It writes an event a day about each "
        "hypervisor that is up: from a year before the end on (4.5), or from a month before (3.6 to 4.4). These events "
        "are read; before 3.6 there are none. The manager's own certificate and its CA's are read from TLS. From sixty "
        "days before an end there is a warning that says what to run; the state of a hypervisor that does not answer "
        "because its certificate has ended says so."
    ),
    examples=(
        ("rvitals vm1-vm9 cpu", "who is busy"),
        ("rvitals vm1 state", "its state, and why it is in it"),
        ("rvitals rhevh1-rhevh9 mem", "how full the hypervisors are"),
        ("rvitals rhevh1-rhevh9 cert", "whose certificate ends soon, for a nightly job"),
    ),
)

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
    """Find everything with one search per kind, with the statistics where the manager puts them inside."""
    kinds = _kinds(context)
    also = Statistic if {"cpu", "mem"} & set(kinds) else None
    machines = find(context, also=also)
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest, also=also) if rest else {}
    if CERTIFICATE in kinds:
        yield from certificates.for_machines([*machines])
        yield from certificates.show(context, hosts)
    for node in context.nodes:
        noun: Vm | Host | None = machines.get(node) or hosts.get(node)
        if noun is None:
            yield lack_either(context, machines, node)
            continue
        if "state" in kinds:
            for desc in ("State", "System State"):  # ours, and what xCAT's plugins for hardware call it
                yield Data(_state(noun), node, desc, fields=(("state", noun.status or "unknown"), ("id", noun.id)))
        if also and _is_silent(noun):
            yield Data(f"none, because it is {noun.status}", node, "Measurements")
        else:
            yield from _measurements(node, noun.statistics or (), kinds)


def _kinds(context: Context) -> tuple[str, ...]:
    words = tuple(_SYNONYMS.get(word, word) for word in context.words)
    own = (CERTIFICATE,) if CERTIFICATE in words else ()
    return (*KINDS, *own) if not words or "all" in words else words


def _state(noun: Vm | Host) -> str:
    """The manager's word, and its reason."""
    return f"{noun.status or 'unknown'}{f' ({noun.status_detail})' if noun.status_detail else ''}"


def _is_silent(noun: Vm | Host) -> bool:
    """Whether it is not measured now; the manager then still shows the last values, or zeros."""
    return noun.status not in HOST_TALKING if isinstance(noun, Host) else noun.status in VM_UNCERTAIN


def _measurements(node: str, statistics: Iterable[Statistic], kinds: Iterable[str]) -> Iterator[Data]:
    for statistic in statistics:
        kind, desc = SHOWN.get(statistic.name, ("", ""))
        if kind in kinds and statistic.value is not None:
            yield Data(
                _format(statistic, statistic.value),
                node,
                desc,
                fields=(("value", statistic.value), ("unit", (statistic.unit or "none").lower())),
            )


def _format(statistic: Statistic, value: float) -> str:
    unit = (statistic.unit or "none").lower()
    if unit == "bytes":
        return show_size(value)
    return f"{value:g} %" if unit == "percent" else f"{value:g}"
