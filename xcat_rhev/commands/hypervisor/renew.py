"""chhypervisor --renew: hosts get new certificates, one after the other; in maintenance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...engine.nouns import Host
from ...engine.states import HOST_INSTALLABLE, HOST_OUTSIDE, HostStatus
from ...engine.waiting import Goal
from ...errors import FailedState, RhevError, Usage
from ...messages import Data, Error, error_of
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from . import lookup as found
from . import state

LIMIT = 600.0
_AT_WORK = HOST_INSTALLABLE | {HostStatus.INSTALLING}


def renew(context: Context) -> Plan:
    """Enrol the certificates of hosts again; a host that was up is activated again."""
    hosts, wrong = found.look(context, context.nodes)
    obstacles = state.in_the_way(context, [each for each in hosts.values() if _leaves(context, each)])
    known = context.manager.certificates_of([*hosts.values()])
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
        elif host.status in HOST_OUTSIDE - HOST_INSTALLABLE:
            yield Error(f"the host is {host.status}. Run: chhypervisor {node} -a", node)
        elif obstacle := obstacles.get(host.id or ""):
            yield Error(obstacle, node)
        elif day := known[host.id or ""].renewed:
            yield Job(node, idle=f"renewed {day}: nothing to do")
        else:
            yield Job(node, list(_Renewal(context, node, host).parts()))


def check(context: Context) -> None:
    """Refuse it where the manager cannot.

    Raises:
        Usage: It is older than 3.6.
    """
    if late := context.manager.too_new("certificates of hosts"):
        raise Usage(late, "Install the hosts again: chhypervisor NODERANGE --reinstall --rolling")


def _leaves(context: Context, host: Host) -> bool:
    """Whether it has to go to maintenance first."""
    silent = host.status == HostStatus.NON_RESPONSIVE and context.manager.enrolls_silent_hosts
    return host.status not in HOST_INSTALLABLE and not silent


class _Renewal:
    """The new certificate of one host.

    Args:
        context: The command.
        node: Its name here.
        host: As it is now.
    """

    def __init__(self, context: Context, node: str, host: Host) -> None:
        self._context, self._node, self._host = context, node, host
        self._since = 0
        self._trouble: str | None = None

    def parts(self) -> Iterator[Step | Wait]:
        """What is to be done."""
        if _leaves(self._context, self._host):
            yield from state.evacuation(self._context, self._host)
        yield Step("renew its certificate", self._begin)
        goal = partial(Goal, self._host, _AT_WORK, limit=self._context.limit(LIMIT), also=self._is_over)
        yield Wait("wait until it is renewed", goal, self._over)
        if self._host.status not in HOST_INSTALLABLE:
            yield from state.activation(self._context, self._node, self._host, "up")

    def _begin(self) -> None:
        events = self._context.manager.events(self._host, 1)
        self._since = max((int(event.id or 0) for event in events), default=0)
        self._context.manager.act(self._host, "enrollcertificate")

    def _is_over(self, host: Host) -> bool:
        """Whether an event says how it ended.

        Where the manager's own tools fail, the host stays in the state installing (4.5.8).
        """
        try:
            self._trouble = self._context.manager.enrolment_outcome(self._host, self._since)
        except RhevError:
            return False  # decided at the next check
        return bool(self._trouble) or self._trouble is not None and host.status in HOST_INSTALLABLE

    def _over(self, _: object) -> list[Data]:
        if self._trouble:
            raise FailedState(self._trouble)
        return [Data("certificate renewed.", self._node)]
