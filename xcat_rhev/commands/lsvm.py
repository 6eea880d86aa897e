"""lsvm: what virtual machines and hypervisors are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from ..engine.manager import quoted
from ..engine.nouns import FenceAgent, Host, Noun, Snapshot, Vm
from ..messages import Data, Error, Message
from ..units import show_size
from .common import Command, Context, Option, Place, Plan
from .vm.listing import Listed, as_object, lines, of_vm
from .vm.machines import find, no_words

SPEC = Command(
    name="lsvm",
    summary="list virtual machines and hypervisors",
    usage="noderange [-s] [-a] [--snapshots] [--json]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*)", "nodehm:mgt"),
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
    no_words(context, f"lsvm {SPEC.usage}")
    if "all" in context.options or _the_manager(context):
        yield from _everything(context)
        return
    types = context.attrs("hypervisor", "type")
    machines = find(context, details=True, also=_also(context))
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest, details=True, also=_agents(context)) if rest else {}
    guests = _guests(context, [host for host in hosts.values()])
    yield from _heading(context)
    for node in context.nodes:
        if node in machines:
            yield from _show(context, of_vm(machines[node]))
        elif node in hosts:
            yield from _show(context, _hypervisor(hosts[node], guests))
        elif types[node].get("type"):
            yield _no_host(context, node)
        else:
            yield machines.lack(node)


def _the_manager(context: Context) -> bool:
    """Does a node stand for the manager itself?"""
    name = context.manager.name.rpartition(":")[0] or context.manager.name
    return any(node in (name, name.partition(".")[0]) for node in context.nodes)


def _everything(context: Context) -> Iterator[Message]:
    hosts = context.manager.list(Host, details=True, also=_agents(context))
    machines = context.manager.list(Vm, details=True, also=_also(context))
    yield from _heading(context)
    for host in hosts:
        yield from _show(context, Listed(host, host.nics or ()))
    for vm in machines:
        yield from _show(context, of_vm(vm))


def _guests(context: Context, hosts: Sequence[Host]) -> list[Vm]:
    """The machines that run on some hypervisors."""
    if not hosts:
        return []
    where = " or ".join(f"Host.name={quoted(host.name)}" for host in hosts)
    return context.manager.list(Vm, where=where)


def _hypervisor(host: Host, guests: Iterable[Vm]) -> Listed:
    own: list[Noun] = [vm for vm in guests if vm.host and vm.host.id == host.id]
    return Listed(host, [*(host.nics or ()), *own])


def _also(context: Context) -> type[Noun] | None:
    return Snapshot if "snapshots" in context.options else None


def _agents(context: Context) -> type[Noun] | None:
    return None if "short" in context.options and "as_json" not in context.options else FenceAgent


def _no_host(context: Context, node: str) -> Message:
    return Error(f"host was not defined in the rhevm. The manager is {context.manager.name}", node)


def _heading(context: Context) -> Iterator[Message]:
    if "short" in context.options and "as_json" not in context.options:
        yield Data(_COLUMNS.format("name", "state", "host", "cpus", "memory", "disks", "nics"))


#: Of the short table.
_COLUMNS = "{:<16} {:<13} {:<16} {:>4} {:>9} {:>5} {:>4}"


def _show(context: Context, listed: Listed) -> Iterator[Message]:
    """One thing, without its node in front of each line: rhevm.pm's layout, which scripts read."""
    if "as_json" in context.options:
        yield Data(json.dumps(as_object(listed, context.manager), ensure_ascii=False))
    elif "short" in context.options and isinstance(listed.noun, (Vm, Host)):
        yield Data(_short(context, listed.noun))
    else:
        yield from map(Data, lines(listed, context.manager))


def _short(context: Context, noun: Vm | Host) -> str:
    on, disks = "-", "-"
    if isinstance(noun, Vm):
        on, disks = context.manager.name_of(Host, noun.host) or "-", str(len(noun.disks or ()))
    cpus = (noun.sockets or 1) * (noun.cores or 1) * (noun.threads or 1)
    memory, nics = show_size(noun.memory or 0), len(noun.nics or ())
    return _COLUMNS.format(noun.name, noun.status or "unknown", on, cpus, memory, disks, nics)
