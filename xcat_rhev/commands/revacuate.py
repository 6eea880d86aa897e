"""revacuate: move all virtual machines off hypervisors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ..declare.command import HYPERVISOR_ROUTES, Command, Place
from ..engine.nouns import Host, Vm
from ..engine.states import HostStatus
from ..messages import Data, Error
from ..plan.context import Context, Plan, Planned
from ..plan.jobs import Job
from .vm.guests import guests_of
from .vm.migrate import LIMIT, Move, refusal

SPEC = Command(
    name="revacuate",
    summary="move all virtual machines off hypervisors",
    usage="noderange",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    description=(
        "Every machine that runs on the hypervisors moves to another one of the same cluster that is not among them: "
        "to one that the manager chooses; if several hypervisors are named, to the least busy one. The command ends "
        "when all have moved; a machine that stays is an error which says why. vm.host of those that moved is written."
    ),
    examples=(
        ("revacuate rhevh1", "free rhevh1, for its update"),
        ("revacuate rhevh1-rhevh3", "free three, by way of the others of their cluster"),
        ("revacuate rhevh1 --dry-run", "show which machines would move"),
    ),
)


def plan(context: Context) -> Plan:
    """Find what runs there and where it can go, each with one search."""
    found = context.manager.find(Host, context.nodes)
    guests = guests_of(context.manager, found.values())
    names = {host.id for host in found.values()}
    others = [host for host in context.manager.list(Host) if host.id not in names] if len(found) > 1 else []
    leaving = _Leaving(context, others, {host.id: host.active or 0 for host in others})
    for node in context.nodes:
        host = found.get(node)
        if host is None:
            yield Error(f"host was not defined in the rhevm. The manager is {context.manager.name}", node)
            continue
        own = [vm for vm in guests if vm.host and vm.host.id == host.id]
        if not own:
            yield Job(node, idle="no virtual machine runs there. There is nothing to do")
        for vm in own:
            yield leaving.plan_job(node, vm, one=len(found) == 1)


@dataclass(frozen=True)
class _Leaving:
    """Where machines can go.

    Attributes:
        others: Hypervisors that are not evacuated.
        load: How many machines each of them has, by id, including those that will move there.
    """

    context: Context
    others: Sequence[Host]
    load: dict[str, int] = field(default_factory=dict)

    def plan_job(self, node: str, vm: Vm, one: bool) -> Planned:
        """The job of one machine, or why it stays."""
        text = refusal(vm)
        target = None if one else self._target(vm)
        if not text and not one and target is None:
            text = "no other hypervisor of its cluster is up"
        if text:
            return Error(f"stays on {node}: {text}", vm.name)
        move = Move(self.context.manager, vm, target, self.context.limit(LIMIT))
        return Job(
            vm.name, [replace(part, failed=f"stays on {node}:") for part in move.parts(partial(self._write_host, vm))]
        )

    def _target(self, vm: Vm) -> Host | None:
        fit = [
            host
            for host in self.others
            if host.status == HostStatus.UP and host.cluster and vm.cluster and host.cluster.id == vm.cluster.id
        ]
        best = min(fit, key=lambda host: self.load[host.id], default=None)
        if best is not None:
            self.load[best.id] += 1
        return best

    def _write_host(self, vm: Vm, name: str) -> list[Data]:
        """Write vm.host, if the machine is a node."""
        if self.context.xcat.node_attrs("vm", [vm.name], ["mgr"])[vm.name]:
            self.context.xcat.set_node_attrs("vm", {vm.name: {"host": name}})
        return [Data(f"migrated to {name}: up.", vm.name)]
