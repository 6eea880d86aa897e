"""chhypervisor -e and -d, and what rmhypervisor does first: hosts into use and out of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from ...engine.nouns import Host
from ...engine.waiting import Goal
from ...errors import RhevError, TimedOut
from ...jobs import Job, Step, Wait
from ...messages import Data, Error, error_of
from ..common import Context, Plan
from ..ve.kind import named
from . import found
from .admit import COMING, FAILED, GRACE, UP

MAINTENANCE = frozenset({"maintenance"})
#: From these a host can be taken to maintenance.
LEAVING = frozenset({"preparing_for_maintenance"})
#: A host that was never taken in has nothing to be activated or deactivated.
OUTSIDE = frozenset({"pending_approval", "installing", "installing_os", "install_failed"})
#: A machine of this affinity does not leave its host.
PINNED = "pinned"
ACTIVATION_LIMIT = 600.0
#: Virtual machines migrate one after the other.
EVACUATION_LIMIT = 3600.0


def activate(context: Context) -> Plan:
    """Bring hosts into use."""
    hosts, wrong = found.look(context, context.nodes)
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.missing(context, node), node)
        elif host.status in OUTSIDE:
            yield Error(f"the host is {host.status}. Run: chhypervisor {node} -a", node)
        elif host.status in UP:
            yield Job(node, idle="up: nothing to do")
        else:
            yield Job(node, list(_activation(context, node, host)))


def _activation(context: Context, node: str, host: Host) -> Iterator[Step | Wait]:
    if host.status not in COMING:
        yield Step("activate", partial(_act, context, host, "activate"))
    goal = partial(Goal, host, UP, FAILED, grace=GRACE, limit=context.limit(ACTIVATION_LIMIT))
    yield Wait("wait until up", goal, lambda _: [Data("succeeded.", node)])


def deactivate(context: Context) -> Plan:
    """Take hosts to maintenance; their virtual machines migrate."""
    hosts, wrong = found.look(context, context.nodes)
    obstacles = in_the_way(context, list(hosts.values()))
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.missing(context, node), node)
        elif host.status in OUTSIDE:
            yield Error(f"the host is {host.status}. Run: chhypervisor {node} -a", node)
        elif host.status in MAINTENANCE:
            yield Job(node, idle="maintenance: nothing to do")
        elif obstacle := obstacles.get(host.id or ""):
            yield Error(obstacle, node)
        else:
            done = [Data("succeeded.", node)]
            yield Job(node, list(evacuation(context, host, done)))


def evacuation(context: Context, host: Host, done: Sequence[Data] = ()) -> Iterator[Step | Wait]:
    """The parts that take a host to maintenance.

    Args:
        context: The command.
        host: As it is now.
        done: What to say when it is there.
    """
    if host.status not in LEAVING:
        yield Step("deactivate", partial(_act, context, host, "deactivate"))
    goal = partial(Goal, host, MAINTENANCE, limit=context.limit(EVACUATION_LIMIT))
    yield Wait(
        "wait until in maintenance, its virtual machines migrated", goal, lambda _: done,
        partial(still_there, context, host),
    )


def in_the_way(context: Context, hosts: Sequence[Host]) -> dict[str, str]:
    """Why hosts cannot be emptied, by id: machines that are pinned to them, or that have no other host to go to.

    Args:
        context: The command.
        hosts: All hosts that shall be emptied.
    """
    leaving = [host for host in hosts if host.status not in MAINTENANCE]
    vms = found.vms_on(context, leaving)
    lonely = found.without_refuge(context, leaving)
    obstacles = {}
    for id, on in vms.items():
        pinned = [vm.name or "?" for vm in on if vm.affinity == PINNED]
        if pinned:
            obstacles[id] = _stay("virtual machines are pinned to the host and cannot migrate", pinned)
        elif id in lonely and on:
            text = "virtual machines cannot migrate, for no other host of their cluster is up and stays so"
            obstacles[id] = _stay(text, [vm.name or "?" for vm in on])
    return obstacles


def _stay(why: str, names: Sequence[str]) -> str:
    return f"{why}: {named(names)}. Run: rpower {','.join(names[:3])} off"


def still_there(context: Context, host: Host, problem: RhevError) -> RhevError:
    """When maintenance does not come, name the machines that hold the host back."""
    left = found.vms_on(context, [host.replace(total=None)]).get(host.id or "", [])
    if not left:
        return problem
    return TimedOut(
        f"{problem.text}; virtual machines are still on it: {named(vm.name for vm in left)}",
        "Migrate or stop them, then run the command again with a longer --timeout",
    )


def _act(context: Context, host: Host, verb: str) -> None:
    context.manager.act(host, verb)
