"""rmhypervisor: hosts leave their manager."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..declare.command import HOST_ROUTES, Command, Option, Place
from ..engine.nouns import Host
from ..engine.states import HOST_REMOVABLE, HostStatus
from ..engine.waiting import GONE, Goal
from ..messages import Data, Error, error_of
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step, Wait
from .hypervisor import lookup as found
from .hypervisor import state

SPEC = Command(
    name="rmhypervisor",
    summary="remove the virtualization hosts",
    usage="noderange [-f]",
    place=Place.MANAGER,
    routes=HOST_ROUTES,
    options=(Option(("-f", "--force"), "force", "take it to maintenance first; its virtual machines migrate"),),
    description=(
        "A host can be removed from maintenance, or when it is down, not installed, or not approved. With -f it is "
        "taken to maintenance first, as long as --timeout allows; a virtual machine that cannot migrate stops that."
    ),
    examples=(
        ("rmhypervisor host1 -f", "remove host1, which is up"),
        ("rmhypervisor host1-host3 -f --timeout 3600", "three, and wait up to an hour for their machines to move"),
        ("rmhypervisor host1", "remove host1, which is in maintenance or down"),
    ),
)


def plan(context: Context) -> Plan:
    """Report the obstacle, or remove."""
    hosts, wrong = found.look(context, context.nodes)
    obstacles = state.in_the_way(context, list(hosts.values()))
    for node in context.nodes:
        host = hosts.get(node)
        if node in wrong:
            yield error_of(wrong[node], node)
        elif host is None:
            yield Job(node, idle="there is no such host: nothing to do")
        elif obstacle := obstacles.get(host.id or ""):
            yield Error(obstacle, node)
        elif host.status == HostStatus.KDUMPING and (far := found.out_of_reach(node, host)):
            yield far
        elif host.status in HOST_REMOVABLE or "force" in context.options:
            yield Job(node, list(_parts(context, node, host)))
        else:
            yield Error(f"the host is {host.status}. Give -f to take it to maintenance first", node)


def _parts(context: Context, node: str, host: Host) -> Iterator[Step | Wait]:
    if host.status not in HOST_REMOVABLE:
        yield from state.evacuation(context, host)
    yield Step("remove host", partial(_remove, context, host))
    goal = partial(Goal, host, frozenset({GONE}), limit=context.limit(60))
    yield Wait("wait until gone", goal, lambda _: [Data("succeeded.", node)])


def _remove(context: Context, host: Host) -> None:
    context.manager.remove(host)
