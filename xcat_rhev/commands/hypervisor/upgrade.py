"""chhypervisor --upgrade: hosts get the newest version of their packages, or a RHEV-H the image of an ISO."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ...engine.nouns import Host
from ...engine.states import (
    HOST_BEING_INSTALLED,
    HOST_FAILED,
    HOST_INSTALLABLE,
    HOST_RESTING,
    HOST_UP,
    HOST_UPGRADABLE,
    HostStatus,
)
from ...engine.waiting import Goal
from ...errors import FailedState, RhevError
from ...messages import Data, Error, error_of
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from . import lookup as found
from . import state
from .admit import GRACE, LIMIT, with_events

CHECK_LIMIT = 300.0
#: The engine's events at the end of a check: done, failed, not possible in this state (AuditLogType).
_CHECKED, _CHECK_FAILED = (885, 839, 887), (839, 887)


def upgrade(context: Context) -> Plan:
    """Check for upgrades where the manager knows of none, install them, and wait until the host is back."""
    hosts, wrong = found.look(context, context.nodes)
    obstacles = state.in_the_way(context, list(hosts.values()))
    image = context.options.get("image", "")
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
            continue
        if far := found.out_of_reach(node, host):
            yield far
            continue
        try:
            verb, params = context.manager.upgrade_of(host, image)
        except RhevError as problem:
            yield error_of(problem, node)
            continue
        begins = HOST_UPGRADABLE if verb == "upgrade" else HOST_INSTALLABLE
        if host.status not in begins:
            yield Error(f"the host is {host.status}, but must be {' or '.join(sorted(begins))}", node)
        elif obstacle := obstacles.get(host.id or ""):
            yield Error(obstacle, node)
        elif image or host.update_available or context.manager.can_look_for_upgrades:
            yield Job(node, list(_Upgrade(context, node, host, verb, params).parts()))
        else:
            yield Job(node, idle="the manager, which looks once a day, knows of no upgrade for it: nothing to do")


class _Upgrade:
    """The upgrade of one host.

    Args:
        context: The command.
        node: Its name here.
        host: As it is now.
        verb: The manager's action.
        params: Its parameters.
    """

    def __init__(self, context: Context, node: str, host: Host, verb: str, params: dict[str, Any]) -> None:
        self._context, self._node, self._host = context, node, host
        self._verb, self._params = verb, params
        self._needed = bool(params.get("image") or host.update_available)
        self._since = 0
        self._trouble = ""
        self._back = HOST_UP if host.status == HostStatus.UP else HOST_UP | HOST_RESTING

    def parts(self) -> Iterator[Step | Wait]:
        """What is to be done."""
        if not self._needed:
            yield Step("look for upgrades", self._look)
            goal = partial(
                Goal, self._host, HOST_UPGRADABLE, limit=self._context.limit(CHECK_LIMIT), also=self._check_is_over
            )
            yield Wait("wait until it is known whether there are any", goal, self._check_result)
        yield Step(self._verb, self._begin)
        if self._params.get("image"):
            under_way = HOST_BEING_INSTALLED
            leaves = partial(Goal, self._host, under_way, limit=self._context.limit(LIMIT))
            yield Wait(f"wait until the {self._verb} has begun", leaves)
        words = " or ".join(sorted(self._back))
        yield Wait(
            f"wait until upgraded and {words}", self._goal, lambda host: [Data(host.status, self._node)], self._explain
        )

    def _events(self) -> list[Any]:
        return self._context.manager.events(self._host, 10)

    def _look(self) -> None:
        self._since = max((int(event.id or 0) for event in self._events()), default=0)
        self._context.manager.act(self._host, "upgradecheck")

    def _check_is_over(self, host: Host) -> bool:
        """Whether the manager's check is over. It always writes an event at the end of a check."""
        if host.update_available:
            return True
        try:
            ends = [each for each in self._events() if int(each.id or 0) > self._since and each.code in _CHECKED]
        except RhevError:
            return False  # decided at the next check
        self._trouble = next((each.description or "" for each in ends if each.code in _CHECK_FAILED), "")
        return bool(ends)

    def _check_result(self, host: Any) -> list[Data]:
        if self._trouble:
            raise FailedState(f"the manager could not look for upgrades: {self._trouble}")
        self._needed = bool(host.update_available)
        return [] if self._needed else [Data("no upgrade is available: nothing to do", self._node)]

    def _begin(self) -> list[Data]:
        if not self._needed:
            return []
        self._context.manager.act(self._host, self._verb, **self._params)
        return [Data("upgrade begun.", self._node)]

    def _goal(self) -> Goal | None:
        if not self._needed:
            return None
        usual = LIMIT + (state.EVACUATION_LIMIT if self._host.status == HostStatus.UP else 0)
        done = None if self._params.get("image") else _has_no_updates
        return Goal(self._host, self._back, HOST_FAILED, GRACE, self._context.limit(usual), also=done)

    def _explain(self, problem: RhevError) -> RhevError:
        """The machines that are still on the host, else the manager's events."""
        held = state.still_there(self._context, self._host, problem)
        return with_events(self._context, self._host, problem) if held is problem else held


def _has_no_updates(host: Host) -> bool:
    """An engine forgets about the updates when they are installed."""
    return not host.update_available
