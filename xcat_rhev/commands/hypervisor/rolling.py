"""chhypervisor --rolling: the hosts of each cluster in turn, the next one when the one before is back.

What is in the way of a host is looked at when its turn comes, for the machines of one move to the others. The first
failure ends a cluster's turns; who mends it types the same again, and what is done already is not done twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Callable

from ...engine.nouns import Host
from ...engine.states import HOST_INSTALLABLE, HOST_UP
from ...errors import Usage
from ...messages import Data, Error, error_of
from ...plan.context import Context, Plan, Planned
from ...plan.jobs import Job, Step
from . import lookup as found
from . import state

Action = Callable[[Context], Plan]


def plan(context: Context, action: Action, says: str) -> Plan:
    """Put hosts into turns.

    Args:
        context: The command.
        action: Does it for one host.
        says: What it does.

    Raises:
        Usage: The number of hosts at a time is none.
    """
    at_once = _at_once(context.words)
    hosts, wrong = found.look(context, context.nodes)
    for node in context.nodes:
        if node not in hosts:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
    for nodes in _by_cluster(hosts):
        for number, node in enumerate(nodes):
            step = partial(_turn, action, replace(context, nodes=(node,)))
            before = frozenset(map(_key, nodes[: max(0, number - at_once + 1)]))
            yield Job(node, [Step(f"turn {number + 1} of {len(nodes)}: {says}", step)], key=_key(node), after=before)


def in_maintenance(action: Action) -> Action:
    """The same for a host that has to be in maintenance for it: it goes there, and comes back."""
    return partial(_in_maintenance, action)


def _in_maintenance(action: Action, context: Context) -> Plan:
    (node,) = context.nodes
    hosts, wrong = found.look(context, [node])
    host = hosts.get(node)
    if host is None:
        yield error_of(wrong.get(node) or found.not_found(context, node), node)
    elif host.status in HOST_INSTALLABLE:
        yield from action(context)
    elif far := found.out_of_reach(node, host):
        yield far
    elif obstacle := state.in_the_way(context, [host]).get(host.id or ""):
        yield Error(obstacle, node)
    else:
        yield from _there_and_back(action, context, host)


def _there_and_back(action: Action, context: Context, host: Host) -> Iterator[Job]:
    (node,) = context.nodes
    empty, done = f"maintenance of {node}", f"work on {node}"
    yield Job(node, list(state.evacuation(context, host)), key=empty)
    yield Job(node, [Step("begin", partial(_turn, action, context))], key=done, after=frozenset({empty}))
    yield Job(node, [Step("activate", partial(_back, context))], after=frozenset({done}))


def _back(context: Context) -> Iterator[Job]:
    """Bring a host into use, unless its manager has done so: engines before 4.3 do after an installation."""
    (node,) = context.nodes
    host = found.look(context, [node])[0].get(node)
    if host is not None and host.status not in HOST_UP:
        yield Job(node, list(state.activation(context, node, host, "up")))


def _turn(action: Action, context: Context) -> Iterator[Planned]:
    """What is to be done with a host, now that its turn has come."""
    for item in action(context):
        yield Data(item.idle, item.node) if isinstance(item, Job) and not item.parts else item


def _by_cluster(hosts: Mapping[str, Host]) -> list[list[str]]:
    """The nodes of each cluster: those with the fewest machines first, who manages the storage last."""
    clusters: dict[str, list[str]] = {}
    for node in sorted(hosts, key=lambda each: (hosts[each].spm, hosts[each].total or 0)):
        cluster = hosts[node].cluster
        clusters.setdefault(cluster.id if cluster else "", []).append(node)
    return [*clusters.values()]


def _key(node: str) -> str:
    return f"host {node}"


def _at_once(words: Sequence[str]) -> int:
    number = words[0] if words else "1"
    if not (number.isdigit() and 0 < int(number) <= 100):
        raise Usage(f"--rolling {number}: not a number of hosts at a time", "Write a number from 1 to 100")
    return int(number)
