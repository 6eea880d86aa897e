"""Hosts that serve Gluster volumes: the next one goes when all bricks are up, and what was missed is healed.

No document tells whether something is not healed. The manager knows it, and refuses maintenance that stops Gluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...engine.nouns import Cluster, GlusterBrick, GlusterVolume, Host, Noun
from ...engine.states import BRICK_UP, HOST_RESTING
from ...engine.waiting import Goal
from ...errors import RhevError, TimedOut
from ...plan.context import Context
from ...plan.jobs import Step, Wait
from . import state

#: Seconds until what was missed while another host was away should be healed.
HEALING_LIMIT = 3600.0
_NOT_HEALED = "Unsynced entries"


def others_up(context: Context, cluster: Cluster, host: Host) -> Iterator[Wait]:
    """Wait for the bricks of the other hosts."""
    for volume in context.manager.list(GlusterVolume, under=cluster):
        for brick in context.manager.list(GlusterBrick, under=volume):
            if brick.status not in BRICK_UP and brick.server_id != host.id:
                goal = partial(_up, context, volume, brick)
                yield Wait(f"wait until the brick {brick.name or brick.id} of volume {volume.name} is up", goal)


def _up(context: Context, volume: Noun, brick: Noun) -> Goal:
    return Goal(brick, BRICK_UP, limit=context.limit(HEALING_LIMIT), under=volume)


class Departure:
    """A host goes to maintenance with its bricks, when the manager has found all healed.

    Args:
        context: The command.
        cluster: Its cluster.
        host: As it is now.
    """

    def __init__(self, context: Context, cluster: Cluster, host: Host) -> None:
        self._context, self._cluster, self._host = context, cluster, host
        self._open = ""
        self._trouble: RhevError | None = None

    def parts(self) -> Iterator[Step | Wait]:
        """What is to be done."""
        if self._host.status not in HOST_RESTING:
            states = frozenset({self._host.status or ""}) | HOST_RESTING
            goal = partial(
                Goal, self._host, states, limit=self._context.limit(HEALING_LIMIT), also=lambda _: self._went()
            )
            says = "wait until its Gluster volumes are healed, and deactivate"
            yield Wait(says, goal, lambda _: self._result(), self._explain)
            leaving = self._host.replace(status="preparing_for_maintenance")
            yield from state.evacuation(self._context, leaving)

    def _went(self) -> bool:
        """Whether the manager accepts it, or refuses it for another reason."""
        manager = self._context.manager
        try:
            if manager.can_look_at_healing:
                manager.act(self._cluster, "refreshglusterhealstatus")
            manager.deactivate(self._host, stop_gluster=True)
        except RhevError as problem:
            self._open = problem.text if _NOT_HEALED in problem.text else ""
            self._trouble = None if self._open else problem
            return not self._open
        return True

    def _result(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def _explain(self, problem: RhevError) -> RhevError:
        if not self._open or not isinstance(problem, TimedOut):
            return problem
        return TimedOut(f"Gluster is not healed: {self._open}", "Look at it with: gluster volume heal VOLUME info")
