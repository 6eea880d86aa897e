"""The power of hypervisors, by their manager's fencing.

The manager keeps a fence action open until the power management has done it, and knows the hypervisor's state only from
its daemon; so the end of a command is a state of the hypervisor, and `stat` asks the power management itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...engine.nouns import Host
from ...engine.states import HOST_BACK, HOST_TALKING, HostStatus
from ...engine.waiting import Goal
from ...errors import Conflict, RhevError
from ...messages import Data, Error, Message
from ...plan.context import Context, Plan, Planned
from ...plan.jobs import Job, Step, Wait
from ...rows.nodestatus import POWERING_OFF, POWERING_ON, PowerStatus

#: rpower's word -> the manager's.
KINDS = {"on": "start", "off": "stop", "reset": "restart", "boot": "restart", "cycle": "restart"}
#: Refusals of engines, and the option of chhypervisor that helps: no power management (3.0 to 3.6, then 4.x for a
#: status and for an action), and a hypervisor that is not in maintenance.
_REMEDIES = {
    "ower Management is not enabled": "-p",
    "Invalid fence agents defined": "-p",
    "fence is disabled": "-p",
    "in Maintenance mode": "-d",
}
#: Seconds that a hypervisor may take to start.
LIMIT = 1200.0


def plan(context: Context, word: str, nodes: list[str], asking: bool, status: PowerStatus) -> Plan:
    """Find all hypervisors with one search, then plan a job for each.

    Args:
        context: The command's.
        word: rpower's.
        nodes: The hypervisors.
        asking: The word asks for the state.
        status: Writes nodelist.status.
    """
    found = context.manager.find(Host, nodes) if nodes else {}
    for node in nodes:
        host = found.get(node)
        if host is None:
            yield Error(f"no host of that name on {context.manager.name}. Run: chhypervisor {node} -a", node)
        elif asking:
            yield Job(node, [Step("ask the power management", _Fencing(context, host, node, status).ask)])
        elif word not in KINDS:
            yield Error(f"'{word}' does not exist for a hypervisor. Use on, off, boot or stat", node)
        else:
            yield _Fencing(context, host, node, status).job(word)


def restart(context: Context) -> Plan:
    """Restart hypervisors by their power management, and wait until they are back."""
    yield from plan(context, "boot", list(context.nodes), asking=False, status=PowerStatus(context.xcat, context.nodes))


@dataclass(frozen=True)
class _Fencing:
    """One hypervisor.

    Attributes:
        context: The command's.
        host: The hypervisor.
        node: Its name in xCAT.
        status: Writes nodelist.status.
    """

    context: Context
    host: Host
    node: str
    status: PowerStatus

    def job(self, word: str) -> Planned:
        """Switch it, and wait for the result."""
        down = self.host.status == HostStatus.DOWN
        if word == "off":
            return Job(self.node, idle=word) if down else self._switch_job(word, "stop", frozenset({HostStatus.DOWN}))
        if word == "on" and self.host.status in HOST_BACK:
            return Job(self.node, idle=word)
        return self._switch_job(word, "start" if down else KINDS[word], HOST_BACK)

    def _switch_job(self, word: str, kind: str, wanted: frozenset[str]) -> Job:
        goal = partial(Goal, self.host, wanted, limit=self.context.limit(LIMIT))
        return Job(
            self.node,
            [
                Step(f"fence: {kind}", partial(self._switch, kind)),
                Wait(f"wait until {'/'.join(sorted(wanted))}", goal, lambda _: [Data(word, self.node)]),
            ],
        )

    def _switch(self, kind: str) -> list[Message]:
        self._fence(kind)
        return self.status.write(self.node, POWERING_OFF if kind == "stop" else POWERING_ON)

    def ask(self) -> list[Data]:
        """The state from the power management; without one, from the manager's state of the host."""
        try:
            return [self._answer(self._fence("status"))]
        except Conflict:
            if self.host.pm_enabled:
                raise
            return [self._answer("on" if self.host.status in HOST_TALKING else self.host.status or "unknown")]

    def _answer(self, state: str) -> Data:
        fields = ("state", state), ("status", self.host.status or "unknown"), ("id", self.host.id)
        return Data(state, self.node, fields=fields)

    def _fence(self, kind: str) -> str:
        try:
            return self.context.manager.fence(self.host, kind)
        except Conflict as problem:
            raise self._explain(problem) from None

    def _explain(self, problem: Conflict) -> RhevError:
        """Add a hint to the most common refusals."""
        for said, option in _REMEDIES.items():
            if said in problem.text:
                return Conflict(problem.text.strip("[] ."), f"Run: chhypervisor {self.node} {option}")
        return problem
