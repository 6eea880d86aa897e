"""rmhypervisor: hosts leave their manager."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..engine.nouns import Host
from ..engine.waiting import GONE, Goal
from ..errors import Usage
from ..jobs import Job, Step, Wait
from ..messages import Data, Error, error_of
from .common import Command, Context, Option, Place, Plan
from .hypervisor import found, state

SPEC = Command(
    name="rmhypervisor",
    summary="remove the virtualization hosts",
    usage="noderange [-f]",
    place=Place.MANAGER,
    routes=("hypervisor:type=(rhev.*|ovirt.*)", "nodetype:os=(rhev.*|rhvh.*|ovirt.*)"),
    options=(Option(("-f", "--force"), "force", "take it to maintenance first; its virtual machines migrate"),),
    description=(
        "A host can be removed from maintenance, or when it is down, not installed, or not approved. With -f it is "
        "taken to maintenance first, as long as --timeout allows; a virtual machine that cannot migrate stops that."
    ),
    examples=(("rmhypervisor host1 -f", "remove host1, which is up"),),
)

#: The manager lets a host go from these.
REMOVABLE = frozenset({"maintenance", "down", "install_failed", "pending_approval", "non_responsive", "error"})


def plan(context: Context) -> Plan:
    """Say what is in the way, or remove."""
    if context.words:
        raise Usage(f"rmhypervisor does not know '{' '.join(context.words)}'", f"Usage: rmhypervisor {SPEC.usage}")
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
        elif host.status in REMOVABLE or "force" in context.options:
            yield Job(node, list(_parts(context, node, host)))
        else:
            yield Error(f"the host is {host.status}. Give -f to take it to maintenance first", node)


def _parts(context: Context, node: str, host: Host) -> Iterator[Step | Wait]:
    if host.status not in REMOVABLE:
        yield from state.evacuation(context, host)
    yield Step("remove host", partial(_remove, context, host))
    goal = partial(Goal, host, frozenset({GONE}), limit=context.limit(60))
    yield Wait("wait until gone", goal, lambda _: [Data("succeeded.", node)])


def _remove(context: Context, host: Host) -> None:
    context.manager.remove(host)
