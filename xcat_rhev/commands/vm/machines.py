"""The machines of a command: found with one search, and the errors for those that are missing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Noun, Ref, Vm
from ...engine.states import VM_STARTING, VmStatus
from ...engine.waiting import Goal
from ...messages import Error
from ...plan.context import Context
from ...plan.jobs import Wait
from ...rows.vmsettings import VmSettings

#: rhevm.pm's texts, which scripts look for; the second is chvm's.
NOT_DEFINED = "node was not defined in the rhevm."
NOT_CREATED = "virtual machine was not created."
NO_HOST = "host was not defined in the rhevm."


class Machines(dict[str, Vm]):
    """Machines by node, and the nodes whose name fits several; those are an error of their own and are not touched.

    Args:
        found: What the manager has with these names.
        manager: The manager that has them.
        nodes: All that were looked for.
    """

    def __init__(self, found: Iterable[Vm], manager: Manager, nodes: Sequence[str] = ()) -> None:
        super().__init__()
        self._manager, self._nodes = manager, nodes
        self._alike: dict[str, list[str]] | None = None
        self.several: dict[str, list[Vm]] = {}
        for vm in found:
            if self.setdefault(vm.name, vm).id != vm.id:
                self.several.setdefault(vm.name, [self[vm.name]]).append(vm)
        for name in self.several:
            del self[name]

    def lack(self, node: str, text: str = NOT_DEFINED) -> Error:
        """The error for a node that has no machine here."""
        manager = self._manager
        if node in self.several:
            return Error(twins(manager, node, self.several[node]), node)
        if node in self.alike():
            others = " and ".join(self.alike()[node])
            return Error(
                f"{text} The manager is {manager.name}. It has {others}, which is another name to it. "
                "Name the node as the machine is named",
                node,
            )
        return Error(f"{text} The manager is {manager.name}. Run: mkvm {node}", node)

    def alike(self) -> dict[str, list[str]]:
        """Names that differ only in upper and lower case, by the node that is missing; requested once."""
        if self._alike is None:
            self._alike = {}
            lacking = {node.casefold(): node for node in self._nodes if node not in self and node not in self.several}
            for vm in self._manager.look(Vm, lacking.values(), only={"status"}, any_case=True) if lacking else ():
                if vm.name.casefold() in lacking:
                    self._alike.setdefault(lacking[vm.name.casefold()], []).append(vm.name)
        return self._alike


def lack_either(context: Context, machines: Machines, node: str) -> Error:
    """The error for a node that is neither a machine nor a hypervisor of this manager."""
    machine = context.attrs_of([node], "vm", "mgr")[node].get("mgr")
    if machine or node in machines.several or not context.attrs_of([node], "hypervisor", "type")[node].get("type"):
        return machines.lack(node)
    return Error(f"{NO_HOST} The manager is {context.manager.name}. Run: chhypervisor {node} -a", node)


def twins(manager: Manager, name: str, machines: Sequence[Vm]) -> str:
    """The error that a name fits several machines, with how to choose one."""
    shown = "; ".join(f"{vm.id} in the cluster {manager.name_of(Cluster, vm.cluster) or '?'}" for vm in machines)
    return (
        f"the manager {manager.name} has several machines named {name}, so none is touched: {shown}. "
        f"Run: chtab node={name} vm.cluster=CLUSTER"
    )


def find(context: Context, details: bool = False, also: type[Noun] | None = None) -> Machines:
    """The machines of this group that the manager has, by node.

    Args:
        context: The command's.
        details: With their disks and NICs.
        also: With their snapshots, or with their CD drives.
    """
    return find_named(context, context.nodes, details, also=also)


def find_named(
    context: Context,
    nodes: Sequence[str],
    details: bool = False,
    everything: bool = False,
    also: type[Noun] | None = None,
    only: Collection[str] = (),
) -> Machines:
    """The same for some of the nodes; for none nothing is asked.

    Args:
        context: The command's.
        nodes: Some of its nodes.
        details: With their disks and NICs.
        everything: Serial consoles are read as well.
        also: With their snapshots or CD drives.
        only: The attributes that are wanted besides name and id, in place of all; without details.
    """
    manager = context.manager
    if not nodes:
        return Machines([], manager)
    homes = homes_of(context, nodes)
    wanted = {*only, "cluster"} if only else only  # it distinguishes machines of one name
    found = manager.look(Vm, nodes, details=details, everything=everything, also=also, only=wanted)
    return Machines([vm for vm in found if vm.name not in homes or homes[vm.name].has(manager, vm)], manager, nodes)


@dataclass(frozen=True)
class VmHome:
    """The place of a machine in its row; machines of one name may be in several data centers.

    Attributes:
        cluster: The name of its cluster, or empty.
        center: The name of its data center, or empty.
    """

    cluster: str
    center: str

    def has(self, manager: Manager, vm: Vm) -> bool:
        """Whether a machine of the node's name is this node's.

        It may have moved to another cluster of its data center.
        """
        if self.cluster and manager.is_in(vm, self.cluster):
            return True
        center = manager.center_of(vm)
        if self.center and manager.name_of(DataCenter, Ref(center)) != self.center:
            return False
        named = [each for each in manager.all(Cluster) if self.cluster and each.name == self.cluster]
        return all(manager.center_of(cluster) == center for cluster in named)


def homes_of(context: Context, nodes: Sequence[str]) -> dict[str, VmHome]:
    """Where rows say that their machines are; nodes whose rows do not say are missing."""
    rows = context.attrs_of(nodes, "vm", "cluster", "datacenter")
    return {node: VmHome(row.get("cluster", ""), row.get("datacenter", "")) for node, row in rows.items() if row}


def stored_config(context: Context, vm: Vm) -> Vm:
    """As `stored_at`."""
    return stored_at(context.manager, vm)


def stored_at(manager: Manager, vm: Vm) -> Vm:
    """A machine with the settings that it keeps: engines show those of this run, and keep changes for the next."""
    if not (vm.next_run or vm.run_once):
        return vm
    runs = {name: value for name, value in vm.values().items() if Vm.FIELDS[name].inlined or name in _OF_THIS_RUN}
    return manager.next_run_of(vm).replace(**runs)


def unseen(vm: Vm, settings: VmSettings) -> dict[str, Any]:
    """Values of its row to send again with a change of a running machine.

    Managers forget a serial console that waits for the next start when something else is changed, and do not show it.
    """
    wanted = settings.values.get("console")
    return {"console": wanted} if vm.next_run and wanted is not None and wanted != bool(vm.console) else {}


#: What always belongs to the present run.
_OF_THIS_RUN = ("status", "status_detail", "host", "next_run", "run_once")


#: So often it is looked whether the manager is done with a machine: half a minute.
_LOOKS = 10
#: So often whether it has written what waited, once it says that nothing does: some minutes. 16 seconds were seen.
_WRITES = 40
#: So often where its events do not tell that.
_CALM = 3


class Done:
    """Whether the manager is done with a machine that is up, or down.

    It reports up a moment before the start is complete, and down a moment before it applies pending changes. It
    skips these if another action holds the machine. So both waits are limited.

    Args:
        launching: Tells whether a machine that is up is still being started; None where that does not matter.
        written: Tells whether what waited is written; None where nothing does.
    """

    def __init__(
        self,
        launching: Callable[[Vm], bool] | None = None,
        written: Callable[[Vm], bool | None] | None = None,
    ) -> None:
        self._launching, self._written = launching, written
        self._held = self._calm = 0

    def __call__(self, vm: Vm) -> bool:
        """Check its present state."""
        if not self._is_held(vm):
            return True
        self._held += 1
        return self._held > (_LOOKS if vm.next_run or vm.status == VmStatus.UP else _WRITES)

    def _is_held(self, vm: Vm) -> bool:
        if vm.status == VmStatus.UP and self._launching is not None:
            return self._launching(vm)
        if vm.status != VmStatus.DOWN:
            return False
        return bool(vm.next_run) or (self._written is not None and self._is_being_written(self._written(vm)))

    def _is_being_written(self, written: bool | None) -> bool:
        self._calm += written is None
        return written is False or 0 < self._calm < _CALM


def ready(
    manager: Manager, vm: Vm, wanted: Mapping[str, Any], limit: float, seen: Callable[[Vm], None]
) -> Iterator[Wait]:
    """A wait until a machine is up, or completely off, because the manager would lose changes before that.

    Args:
        manager: Where it is.
        vm: The machine as last seen.
        wanted: What should be changed.
        limit: Seconds.
        seen: Is given the machine in its new state.
    """
    if manager.is_too_early(vm, wanted):
        done = Done(manager.is_launching, manager.has_written if vm.next_run else None)
        states, only = frozenset(VmStatus) - VM_STARTING, frozenset({"status", "next_run"})
        goal = Goal(vm, states, limit=limit, also=done, only=only)
        text = "wait until its changes are made" if vm.status == VmStatus.DOWN else "wait until it has started"
        yield Wait(text, lambda: goal, lambda now: seen(vm.replace(status=now.status, next_run=now.next_run)))


#: Why a machine's state is not known, and what to do about it.
_UNCERTAIN: Mapping[str, tuple[str, str]] = {
    VmStatus.UNKNOWN: (
        "its hypervisor does not answer",
        "lsvm {node} for its name, then rpower HYPERVISOR boot, or try again later",
    ),
    VmStatus.NOT_RESPONDING: (
        "its process does not answer its hypervisor",
        "rpower {node} off, or try again later",
    ),
}


def uncertain(vm: Vm) -> str:
    """Why nothing is done to a machine whose state is not known; None if it is known."""
    why, run = _UNCERTAIN.get(vm.status or "", ("", ""))
    if not why:
        return ""
    return f"its state is not known now, because {why}, so nothing is done. Run: {run.format(node=vm.name)}"


def errors(faults: Mapping[str, list[str]]) -> Iterator[Error]:
    """One error for each fault of each node."""
    for node, texts in faults.items():
        for text in texts:
            yield Error(text, node)
