"""The power of hypervisors, by the fencing that their manager has for them.

The manager keeps a fence action open until the power management has done it, and knows of the hypervisor's state only
what its daemon says; so the end of a command is a state of the hypervisor, and `stat` asks the power management itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...engine.nouns import Host
from ...engine.waiting import Goal
from ...errors import Conflict, RhevError
from ...jobs import Job, Step, Wait
from ...messages import Data, Error
from ..common import Context, Plan, Planned

#: rpower's word -> the manager's.
KINDS = {"on": "start", "off": "stop", "reset": "restart", "boot": "restart", "cycle": "restart"}
OFF = "down"
#: States of a hypervisor that has power and has answered since; one that rests in maintenance goes back there.
BACK = frozenset({"up", "maintenance", "non_operational", "pending_approval"})
#: Seconds that a hypervisor may take to start.
LIMIT = 1200.0


def plan(context: Context, word: str, nodes: list[str], asking: bool) -> Plan:
    """Find all hypervisors with one search, then say what each needs.

    Args:
        context: The command's.
        word: rpower's.
        nodes: The hypervisors.
        asking: The word asks for the state.
    """
    found = context.manager.find(Host, nodes) if nodes else {}
    for node in nodes:
        host = found.get(node)
        if host is None:
            yield Error(f"no host of that name on {context.manager.name}. Run: chhypervisor {node} -a", node)
        elif asking:
            yield Job(node, [Step("ask the power management", _Fencing(context, host, node).ask)])
        elif word not in KINDS:
            yield Error(f"'{word}' does not exist for a hypervisor. Use on, off, boot or stat", node)
        else:
            yield _Fencing(context, host, node).job(word)


@dataclass(frozen=True)
class _Fencing:
    """One hypervisor.

    Attributes:
        context: The command's.
        host: The hypervisor.
        node: Its name in xCAT.
    """

    context: Context
    host: Host
    node: str

    def job(self, word: str) -> Planned:
        """Switch it, and wait for what comes of that."""
        down = self.host.status == OFF
        if word == "off":
            return Job(self.node, idle=word) if down else self._switched(word, "stop", frozenset({OFF}))
        if word == "on" and self.host.status in BACK:
            return Job(self.node, idle=word)
        return self._switched(word, "start" if down else KINDS[word], BACK)

    def _switched(self, word: str, kind: str, wanted: frozenset[str]) -> Job:
        goal = partial(Goal, self.host, wanted, limit=self.context.limit(LIMIT))
        return Job(self.node, [
            Step(f"fence: {kind}", partial(self._switch, kind)),
            Wait(f"wait until {'/'.join(sorted(wanted))}", goal, lambda _: [Data(word, self.node)]),
        ])

    def _switch(self, kind: str) -> None:
        self._fence(kind)

    def ask(self) -> list[Data]:
        """The state, as the power management sees it."""
        return [Data(self._fence("status"), self.node)]

    def _fence(self, kind: str) -> str:
        try:
            return self.context.manager.fence(self.host, kind)
        except Conflict as problem:
            raise self._explained(problem) from None

    def _explained(self, problem: Conflict) -> RhevError:
        """The refusal that everybody meets first, with what to do about it."""
        if "ower Management is not enabled" not in problem.text:
            return problem
        return Conflict(problem.text.strip("[] ."), f"Run: chhypervisor {self.node} -p")
