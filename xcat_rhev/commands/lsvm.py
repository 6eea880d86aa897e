"""lsvm: what virtual machines and hypervisors are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..declare.command import HYPERVISOR_ROUTES, Command, Option, Place
from ..engine.nouns import FenceAgent, Host, Noun, Snapshot, Vm
from ..messages import Data, Message
from ..plan.context import Context, Plan
from ..units import show_size
from .show.listing import Listing, Shown, by_name
from .vm.guests import guests_of
from .vm.laststop import warnings
from .vm.listing import LAYOUTS, of_vm
from .vm.machines import find, lack_either

SPEC = Command(
    name="lsvm",
    summary="list virtual machines and hypervisors",
    usage="noderange [-s] [-a] [--snapshots] [--json]",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    options=(
        Option(("-s", "--short"), "short", "one line for each machine: state, host, CPUs, memory, disks, NICs"),
        Option(("-a", "--all"), "all", "everything that the manager of the nodes has"),
        Option(("--snapshots",), "snapshots", "the machines' snapshots as well"),
        Option(("--json",), "as_json", "one JSON object a line for each machine or hypervisor, and for each failure"),
    ),
    description=(
        "A virtual machine is shown with its disks and NICs, a hypervisor with its NICs and the machines that run "
        "there, a node that has the manager's own name with all hypervisors and machines."
    ),
    examples=(("lsvm vm1", "one machine"), ("lsvm all -s", "a table"), ("lsvm rhevh1", "a hypervisor")),
)


def plan(context: Context) -> Plan:
    """Look everything up with one search per kind, then show it."""
    if "all" in context.options or _the_manager(context):
        yield from _everything(context)
        return
    machines = find(context, details=True, also=_also(context))
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest, details=True, also=_agents(context)) if rest else {}
    guests = guests_of(context.manager, hosts.values())
    yield from _heading(context)
    for node in context.nodes:
        if node in machines:
            yield from _show(context, of_vm(machines[node]))
        elif node in hosts:
            yield from _show(context, _hypervisor(hosts[node], guests))
        else:
            yield lack_either(context, machines, node)
    yield from warnings(context.manager, machines.values())


def _the_manager(context: Context) -> bool:
    """Whether a node stands for the manager itself."""
    name = context.manager.name.rpartition(":")[0] or context.manager.name
    return any(node in (name, name.partition(".")[0]) for node in context.nodes)


def _everything(context: Context) -> Iterator[Message]:
    hosts = context.manager.list(Host, details=True, also=_agents(context))
    machines = context.manager.list(Vm, details=True, also=_also(context))
    yield from _heading(context)
    for host in by_name(hosts):
        yield from _show(context, Shown(host, by_name(host.nics or ())))
    for vm in by_name(machines):
        yield from _show(context, of_vm(vm))


def _hypervisor(host: Host, guests: Iterable[Vm]) -> Shown:
    own: list[Noun] = [vm for vm in guests if vm.host and vm.host.id == host.id]
    return Shown(host, [*by_name(host.nics or ()), *by_name(own)])


def _also(context: Context) -> type[Noun] | None:
    return Snapshot if "snapshots" in context.options else None


def _agents(context: Context) -> type[Noun] | None:
    return None if "short" in context.options and "as_json" not in context.options else FenceAgent


def _heading(context: Context) -> Iterator[Message]:
    if "short" in context.options and "as_json" not in context.options:
        yield Data(_COLUMNS.format("name", "state", "host", "cpus", "memory", "disks", "nics"))


#: Of the short table.
_COLUMNS = "{:<16} {:<13} {:<16} {:>4} {:>9} {:>5} {:>4}"


def _show(context: Context, shown: Shown) -> Iterator[Message]:
    """One thing, in one message, without its node in front of each line: rhevm.pm's layout, which scripts read."""
    if "as_json" in context.options:
        yield Data(json.dumps(Listing(LAYOUTS, context.manager).as_object(shown), ensure_ascii=False))
    elif "short" in context.options and isinstance(shown.noun, (Vm, Host)):
        yield Data(_short(context, shown.noun))
    else:
        yield Data("\n".join(Listing(LAYOUTS, context.manager).lines(shown)))


def _short(context: Context, noun: Vm | Host) -> str:
    on, disks = "-", "-"
    if isinstance(noun, Vm):
        on, disks = context.manager.name_of(Host, noun.host) or "-", str(len(noun.disks or ()))
    cpus = (noun.sockets or 1) * (noun.cores or 1) * (noun.threads or 1)
    memory, nics = show_size(noun.memory or 0), len(noun.nics or ())
    return _COLUMNS.format(noun.name, noun.status or "unknown", on, cpus, memory, disks, nics)
