"""chhypervisor --rolling: the hosts of each cluster in turn, the next one when the one before is back.

Obstacles of a host are checked when its turn comes, because the machines of one host move to the others. The first
failure ends a cluster's turns; the same command, typed again after the repair, skips what is done. For that
time the cluster has the scheduling policy for maintenance, under which no machine is moved to a host or started there
but for need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Callable

from ...engine.nouns import Cluster, Host
from ...engine.states import HOST_INSTALLABLE, HOST_UP
from ...errors import Denied, Usage
from ...messages import Data, Error, error_of
from ...plan.context import Context, Plan, Planned
from ...plan.jobs import Job, Step
from . import clusterwork, glusterwork, state
from . import lookup as found
from .clusterwork import ClusterWork
from .notes import Notes, mark

Action = Callable[[Context], Plan]


@dataclass(frozen=True)
class HostTurns:
    """How the hosts of a cluster have their turns.

    Attributes:
        action: Does it for one host.
        says: What it does.
        away: The host has to be in maintenance for it, and is taken there and back.
        cluster: The hosts' cluster; None where the manager does not tell it.
        notes: What is open.
    """

    action: Action
    says: str
    away: bool
    cluster: Cluster | None
    notes: Notes = field(compare=False)

    @property
    def heals(self) -> bool:
        """Whether its hosts serve volumes that have to heal after each host, because the work stops Gluster."""
        return bool(self.cluster and self.cluster.gluster) and (self.away or self.says == "upgrade")


def plan(context: Context, action: Action, says: str, away: bool = False) -> Plan:
    """Put hosts into turns.

    Args:
        context: The command.
        action: Does it for one host.
        says: What it does.
        away: The host has to be in maintenance for it: it goes there, and comes back.

    Raises:
        Usage: The number of hosts at a time is not valid.
    """
    at_once = _at_once(context.words)
    hosts, wrong = found.look(context, context.nodes)
    for node in context.nodes:
        if node not in hosts:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
    clusters = {each.id: each for each in context.manager.all(Cluster)} if hosts else {}
    for cluster_id, nodes in _by_cluster(hosts).items():
        turns = HostTurns(action, says, away, clusters.get(cluster_id), Notes(context.manager))
        yield from _of_cluster(context, turns, {node: hosts[node] for node in nodes}, at_once)


def _of_cluster(context: Context, turns: HostTurns, hosts: Mapping[str, Host], at_once: int) -> Iterator[Job]:
    """The turns of one cluster, with what comes before and after."""
    log = _TurnLog(context, turns, hosts)
    for node in log.done:
        yield Job(node, idle=f"{turns.says} was done before the turns were cut off: nothing to do")
    nodes = [node for node in hosts if node not in log.done]
    work = ClusterWork(context, turns.cluster, [*hosts.values()]) if turns.cluster else None
    first = [*work.before()] if work else []
    yield from [*log.begin(), *first]
    for number, node in enumerate(nodes):
        step = partial(_begin, turns, replace(context, nodes=(node,)))
        before = {*map(_key, nodes[: max(0, number - at_once + 1)]), *(job.key for job in first)}
        says = f"turn {number + 1} of {len(nodes)}: {turns.says}"
        yield Job(node, [Step(says, step)], key=_key(node), after=frozenset(before))
    yield from log.end(nodes)
    if work:
        yield from work.after([*map(_key, nodes)], turns.notes)


class _TurnLog:
    """Which hosts had their turns, for work that leaves no trace on the hosts themselves.

    Args:
        context: The command.
        turns: What is done.
        hosts: All hosts of the turns, by node.

    Attributes:
        done: The nodes that had theirs before the same was typed again.
    """

    def __init__(self, context: Context, turns: HostTurns, hosts: Mapping[str, Host]) -> None:
        self._turns, self._hosts, self._mark = turns, hosts, mark(turns.says, hosts.values())
        self._keeps = turns.away and turns.cluster is not None and context.manager.takes_events
        open_ = turns.notes.turns_done(turns.cluster, self._mark) if self._keeps and turns.cluster else None
        self._is_open = open_ is not None
        self.done = [node for node, host in hosts.items() if host.id in (open_ or ())]

    def begin(self) -> Iterator[Job]:
        """Note that they begin, unless they go on."""
        cluster = self._turns.cluster
        if self._keeps and cluster and not self._is_open:
            yield self._note(cluster.name, partial(self._turns.notes.turns_begin, cluster, self._mark))

    def end(self, nodes: Sequence[str]) -> Iterator[Job]:
        """Note for each host that it is done, and in the end for all."""
        cluster = self._turns.cluster
        if self._keeps and cluster:
            for node in nodes:
                write = partial(self._turns.notes.turn_is_done, self._hosts[node], self._mark)
                yield self._note(node, write, _key(node))
            over = partial(self._turns.notes.turns_are_over, cluster, self._mark)
            yield self._note(cluster.name, over, *map(_key, nodes))

    def _note(self, name: str, write: Callable[[], None], *after: str) -> Job:
        """Who may not write into the manager's log has no turns that go on."""

        def note() -> None:
            with suppress(Denied):
                write()

        return Job(name, [Step("", note)], after=frozenset(after))


def _begin(turns: HostTurns, context: Context) -> Iterator[Planned]:
    """What has to be out of a host's way before its turn."""
    (node,) = context.nodes
    host = found.look(context, [node])[0].get(node) if turns.heals or "stop_pinned" in context.options else None
    jobs: list[Job] = []
    if host is not None and turns.heals and turns.cluster:
        jobs.append(Job(node, [*glusterwork.others_up(context, turns.cluster, host)], key=f"bricks beside {node}"))
    if host is not None and "stop_pinned" in context.options and host.status not in HOST_INSTALLABLE:
        jobs += clusterwork.leave(context, host, turns.notes)
    jobs = [job for job in jobs if job.parts]
    after = frozenset(job.key for job in jobs)
    if not jobs:
        yield from _turn(turns, context)
        return
    yield from jobs
    yield Job(node, [Step("begin", partial(_turn, turns, context))], after=after)


def _turn(turns: HostTurns, context: Context) -> Iterator[Planned]:
    """What is to be done with a host, now that its turn has come."""
    away = turns.away or turns.heals
    yield from _with_idle(_in_maintenance(turns, context) if away else turns.action(context))


def _in_maintenance(turns: HostTurns, context: Context) -> Plan:
    """The same for a host that has to be in maintenance for it: deactivate it first, and activate it afterwards."""
    (node,) = context.nodes
    hosts, wrong = found.look(context, [node])
    host = hosts.get(node)
    if host is None:
        yield error_of(wrong.get(node) or found.not_found(context, node), node)
    elif host.status in HOST_INSTALLABLE:
        yield from turns.action(context)
    elif far := found.out_of_reach(node, host):
        yield far
    elif obstacle := state.in_the_way(context, [host]).get(host.id or ""):
        yield Error(obstacle, node)
    else:
        yield from _there_and_back(turns, context, host)


def _there_and_back(turns: HostTurns, context: Context, host: Host) -> Iterator[Job]:
    (node,) = context.nodes
    empty, done = f"maintenance of {node}", f"work on {node}"
    gluster = turns.cluster if turns.heals and context.manager.stops_gluster else None
    leaving = glusterwork.Departure(context, gluster, host).parts() if gluster else state.evacuation(context, host)
    yield Job(node, [*leaving], key=empty)
    yield Job(node, [Step("begin", lambda: _with_idle(turns.action(context)))], key=done, after=frozenset({empty}))
    yield Job(node, [Step("activate", partial(_back, context))], after=frozenset({done}))


def _with_idle(items: Plan) -> Iterator[Planned]:
    """The same; jobs without work say that."""
    for item in items:
        yield Data(item.idle, item.node) if isinstance(item, Job) and not item.parts else item


def _back(context: Context) -> Iterator[Job]:
    """Bring a host into use, unless its manager has done so: engines before 4.3 do after an installation."""
    (node,) = context.nodes
    host = found.look(context, [node])[0].get(node)
    if host is not None and host.status not in HOST_UP:
        yield Job(node, list(state.activation(context, node, host, "up")))


def _by_cluster(hosts: Mapping[str, Host]) -> dict[str, list[str]]:
    """The nodes of each cluster: those with the fewest machines first, the storage pool manager last."""
    clusters: dict[str, list[str]] = {}
    for node in sorted(hosts, key=lambda each: (hosts[each].spm, hosts[each].total or 0)):
        cluster = hosts[node].cluster
        clusters.setdefault(cluster.id if cluster else "", []).append(node)
    return clusters


def _key(node: str) -> str:
    return f"host {node}"


def _at_once(words: Sequence[str]) -> int:
    number = words[0] if words else "1"
    if not (number.isdigit() and 0 < int(number) <= 100):
        raise Usage(f"--rolling {number}: not a number of hosts at a time", "Write a number from 1 to 100")
    return int(number)
