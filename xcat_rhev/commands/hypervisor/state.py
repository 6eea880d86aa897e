"""chhypervisor -e and -d, and what rmhypervisor does first: activate and deactivate hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ...engine.nouns import AffinityGroup, Cluster, Host, Vm
from ...engine.states import HOST_COMING, HOST_FAILED, HOST_LEAVING, HOST_OUTSIDE, HOST_RESTING, HOST_UP, HostStatus
from ...engine.waiting import Goal
from ...errors import RhevError, TimedOut
from ...messages import Data, Error, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from . import lookup as found
from .admit import GRACE

#: A machine with this affinity cannot migrate.
PINNED = "pinned"
ACTIVATION_LIMIT = 600.0
#: Virtual machines migrate one after the other.
EVACUATION_LIMIT = 3600.0


def activate(context: Context) -> Plan:
    """Activate hosts."""
    hosts, wrong = found.look(context, context.nodes)
    for node in context.nodes:
        host = hosts.get(node)
        if host is None or host.status in HOST_OUTSIDE:
            yield _refusal(context, node, host, wrong)
        elif host.status in HOST_UP:
            yield Job(node, idle="up: nothing to do")
        elif far := found.out_of_reach(node, host):
            yield far
        else:
            yield Job(node, list(activation(context, node, host)))


def _refusal(context: Context, node: str, host: Host | None, wrong: Mapping[str, RhevError]) -> Error:
    """The error for a host that the manager does not have, or that is not a working member of its cluster yet."""
    if host is None:
        return error_of(wrong.get(node) or found.not_found(context, node), node)
    way = "--reinstall" if host.status == HostStatus.INSTALL_FAILED else "-a"
    return Error(f"the host is {host.status}. Run: chhypervisor {node} {way}", node)


def activation(context: Context, node: str, host: Host, done: str = "succeeded.") -> Iterator[Step | Wait]:
    """The steps that activate a host, and the message then."""
    if host.status not in HOST_COMING:
        yield Step("activate", partial(_act, context, host, "activate"))
    goal = partial(Goal, host, HOST_UP, HOST_FAILED, grace=GRACE, limit=context.limit(ACTIVATION_LIMIT))
    yield Wait("wait until up", goal, lambda _: [Data(done, node)])


def deactivate(context: Context) -> Plan:
    """Take hosts to maintenance; their virtual machines migrate."""
    hosts, wrong = found.look(context, context.nodes)
    obstacles = in_the_way(context, list(hosts.values()))
    for node in context.nodes:
        host = hosts.get(node)
        if host is None or host.status in HOST_OUTSIDE:
            yield _refusal(context, node, host, wrong)
        elif host.status in HOST_RESTING:
            yield Job(node, idle="maintenance: nothing to do")
        elif obstacle := obstacles.get(host.id or ""):
            yield Error(obstacle, node)
        elif host.status == HostStatus.KDUMPING and (far := found.out_of_reach(node, host)):
            yield far
        else:
            done = [Data("succeeded.", node)]
            yield Job(node, list(evacuation(context, host, done)))


def evacuation(context: Context, host: Host, done: Sequence[Data] = ()) -> Iterator[Step | Wait]:
    """The steps that take a host to maintenance.

    Args:
        context: The command.
        host: As it is now.
        done: The message when it is there.
    """
    if host.status not in HOST_LEAVING:
        yield Step("deactivate", partial(_act, context, host, "deactivate"))
    goal = partial(Goal, host, HOST_RESTING, limit=context.limit(EVACUATION_LIMIT))
    yield Wait(
        "wait until in maintenance, its virtual machines migrated",
        goal,
        lambda _: done,
        partial(still_there, context, host),
    )


def in_the_way(context: Context, hosts: Sequence[Host]) -> dict[str, str]:
    """Why hosts cannot be emptied, by id: machines that are pinned to them, or that no other host can take.

    Args:
        context: The command.
        hosts: All hosts that should be emptied.
    """
    leaving = [host for host in hosts if host.status not in HOST_RESTING]
    vms = found.vms_on(context, leaving)
    refuges = found.refuges(context, leaving)
    obstacles = {}
    for host_id, on in vms.items():
        pinned = [vm.name or "?" for vm in on if vm.affinity == PINNED]
        if pinned:
            obstacles[host_id] = _stay("virtual machines are pinned to the host and cannot migrate", pinned)
        elif on and host_id in refuges and not refuges[host_id]:
            text = "virtual machines cannot migrate, because no other host of their cluster is up and stays up"
            obstacles[host_id] = _stay(text, [vm.name or "?" for vm in on])
        elif on and host_id in refuges and (why := without_room(context, on, refuges[host_id])):
            obstacles[host_id] = why
    return obstacles


def without_room(context: Context, vms: Sequence[Vm], hosts: Sequence[Host]) -> str:
    """Why a cluster's other hosts cannot hold machines for certain; empty where the manager may find a way.

    Args:
        context: The command.
        vms: Machines of one host.
        hosts: The other hosts that are up and stay.
    """
    room = [host.schedulable for host in hosts if host.schedulable is not None]
    if len(room) == len(hosts):
        large = [vm.name for vm in vms if _least(vm) > max(room)]
        if large:
            return _stay("virtual machines cannot migrate, because no other host has memory for them", large)
        if sum(map(_least, vms)) > sum(room):
            names = [vm.name for vm in vms]
            return _stay("virtual machines cannot migrate, because the other hosts have not memory for all", names)
    return _find_bound(context, vms, {host.id for host in hosts})


def _least(vm: Vm) -> int:
    """The memory that a machine needs wherever it runs, in bytes."""
    return vm.memory_guaranteed or vm.memory or 0


def _find_bound(context: Context, vms: Sequence[Vm], hosts: set[str]) -> str:
    """Which machines an enforcing affinity group binds to hosts that are not there."""
    cluster = vms[0].cluster
    if cluster is None or context.manager.lacks(AffinityGroup, ["hosts"]):
        return ""
    for group in context.manager.list(AffinityGroup, under=Cluster(id=cluster.id)):
        binds = group.hosts_enabled is not False and group.hosts_enforcing and group.hosts_positive
        if binds and group.hosts and not hosts & {host.id for host in group.hosts}:
            ids = {vm.id for vm in group.vms}
            if bound := [vm.name for vm in vms if vm.id in ids]:
                return _stay(f"the affinity group {group.name} binds virtual machines to hosts that are away", bound)
    return ""


def _stay(why: str, names: Sequence[str]) -> str:
    return f"{why}: {few(names)}. Run: rpower {','.join(names[:3])} off"


def still_there(context: Context, host: Host, problem: RhevError) -> RhevError:
    """If the host does not reach maintenance, name the machines that are still on it."""
    left = found.vms_on(context, [host.replace(total=None)]).get(host.id or "", [])
    if not left:
        return problem
    return TimedOut(
        f"{problem.text}; virtual machines are still on it: {few(vm.name for vm in left)}",
        "Migrate or stop them, then run the command again with a longer --timeout",
    )


def _act(context: Context, host: Host, verb: str) -> None:
    context.manager.act(host, verb)
