"""rmigrate: move running virtual machines to another hypervisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ..declare.command import VM_ROUTES, Command, CommandWords, Option, Place
from ..engine.nouns import Host, Vm
from ..engine.states import HostStatus
from ..errors import Usage
from ..messages import Data, Error
from ..plan.context import Context, Plan, Planned
from ..plan.jobs import Job
from ..rows.vmwords import split_list
from .vm import storagemove
from .vm.machines import find
from .vm.migrate import LIMIT, Move, refusal

SPEC = Command(
    name="rmigrate",
    summary="move running virtual machines to another hypervisor",
    usage="noderange [target_host|any] | noderange -s DOMAIN",
    place=Place.MANAGER,
    routes=VM_ROUTES,
    words=CommandWords(most=1),
    options=(Option(("-s", "--storage"), "storage", "move its disks to that storage domain", value="DOMAIN"),),
    arguments={
        "target_host": "the hypervisor to move to; without one, the least busy of vm.migrationdest",
        "any": "the manager chooses",
    },
    description=(
        "Machines move while they run. The command ends when they run on the other hypervisor, and writes that one to "
        "vm.host. If a machine runs there already, there is nothing to do; one that is off cannot move: set "
        "vm.host.\n\n-s moves the disks instead: those of a machine one after the other, while it runs or not. LUNs "
        "and disks of several machines stay. vm.storage gets the name of the new domain. Managers can do that since "
        "3.2."
    ),
    examples=(
        ("rmigrate vm1 rhevh2", "move to rhevh2"),
        ("rmigrate vm1-vm9 any", "wherever the manager chooses"),
        ("rmigrate vm1-vm9 -s data2", "move their disks to data2"),
    ),
)

ANY = "any"


def plan(context: Context) -> Plan:
    """Find all machines and all named hypervisors, then choose a target for each machine."""
    if "storage" in context.options:
        yield from _storage(context)
        return
    targets = _targets(context)
    found = find(context)
    names = sorted({name for names in targets.values() for name in names} - {ANY})
    hosts = context.manager.find(Host, names) if names else {}
    load = {name: host.active or 0 for name, host in hosts.items()}
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif not targets[node]:
            yield Error(
                f"Needs a target host. Run: rmigrate {node} HOST, or chtab node={node} vm.migrationdest=HOST,HOST", node
            )
        else:
            yield _Choice(context, node, vm, hosts, load).plan_job(targets[node])


def _storage(context: Context) -> Plan:
    """Move disks.

    Raises:
        Usage: A hypervisor was named, too.
    """
    if context.words:
        raise Usage(
            f"rmigrate -s moves disks, and not to '{context.words[0]}' as well", f"Usage: rmigrate {SPEC.usage}"
        )
    yield from storagemove.plan(context, context.options["storage"])


def _targets(context: Context) -> dict[str, tuple[str, ...]]:
    """The names of the possible targets of each node."""
    if context.words:
        return {node: context.words for node in context.nodes}
    rows = context.attrs("vm", "migrationdest")
    return {node: split_list(rows[node].get("migrationdest", "")) for node in context.nodes}


@dataclass(frozen=True)
class _Choice:
    """Where a machine goes.

    Attributes:
        hosts: The named hypervisors that the manager has.
        load: How many machines each of them has, including those that will move there.
    """

    context: Context
    node: str
    vm: Vm
    hosts: Mapping[str, Host]
    load: dict[str, int]

    def plan_job(self, names: Sequence[str]) -> Planned:
        """The job, or why it cannot move."""
        text = refusal(self.vm)
        if text:
            return Error(text, self.node)
        if ANY in names:
            return self.job(None, "")
        here = next((name for name in names if self.runs_on(name)), "")
        if here:
            return Job(self.node, idle=f"Guest is already on host {here}. There is nothing to do")
        problems = [self.unfit(name) for name in names]
        fit = [name for name, problem in zip(names, problems) if not problem]
        if not fit:
            return Error("; ".join(problems), self.node)
        best = min(fit, key=lambda name: self.load[name])
        self.load[best] += 1
        return self.job(self.hosts[best], best)

    def runs_on(self, name: str) -> bool:
        return name in self.hosts and self.vm.host is not None and self.hosts[name].id == self.vm.host.id

    def unfit(self, name: str) -> str:
        """Why it cannot move there, or nothing."""
        host = self.hosts.get(name)
        if host is None:
            return f"{name}: host was not defined in the rhevm. The manager is {self.context.manager.name}"
        if host.status != HostStatus.UP:
            return f"{name} is {host.status}, not up. Run: chhypervisor {name} -e"
        if host.cluster and self.vm.cluster and host.cluster.id != self.vm.cluster.id:
            return f"{name} is in another cluster"
        return ""

    def job(self, host: Host | None, name: str) -> Job:
        move = Move(self.context.manager, self.vm, host, self.context.limit(LIMIT))
        return Job(self.node, move.parts(partial(self.record_host, name)))

    def record_host(self, typed: str, name: str) -> list[Data]:
        """Write vm.host; hypervisors keep the name that they have as nodes."""
        self.context.xcat.set_node_attrs("vm", {self.node: {"host": typed or name}})
        return [Data(f"migrated to {typed or name}: up.", self.node)]
