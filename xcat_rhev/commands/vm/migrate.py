"""Moves a running machine to another hypervisor, and checks the result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Callable

from ...engine.manager import Manager
from ...engine.nouns import Host, Vm
from ...engine.states import VM_MOVABLE, VM_OFF, VmStatus
from ...engine.waiting import Goal
from ...errors import FailedState, RhevError
from ...messages import Message
from ...plan.jobs import Step, Wait
from .machines import uncertain

#: Seconds that a move usually takes at most.
LIMIT = 900.0


def refusal(vm: Vm) -> str:
    """Why a machine cannot move, or nothing."""
    if vm.status == VmStatus.MIGRATING:
        return "the machine is being migrated already. Look again when it has arrived"
    if vm.status not in VM_MOVABLE and uncertain(vm):
        return uncertain(vm)
    if vm.status not in VM_MOVABLE:
        return f"the machine is {vm.status}; only one that runs can move. Set vm.host and run chvm"
    if vm.affinity == "pinned":
        return "the machine is pinned to its host. Set placement_affinity in vm.virtflags and run chvm"
    return ""


@dataclass
class Move:
    """The move of one machine.

    Attributes:
        manager: Where it is.
        vm: The machine as it was before.
        target: Where it should go; None lets the manager choose.
        limit: Seconds to wait.
    """

    manager: Manager
    vm: Vm
    target: Host | None
    limit: float

    def parts(self, arrived: Callable[[str], Iterable[Message]]) -> list[Step | Wait]:
        """The steps.

        Args:
            arrived: What to report and do when it is there; gets the name of its new host.
        """
        where = self.target.name if self.target else "where the manager likes"
        failed = f"failed to migrate to {where}."
        return [
            Step(f"migrate to {where}", self.go, failed),
            Wait("wait until it runs there", self.goal, lambda vm: arrived(self.destination(vm)), self.explain, failed),
        ]

    def go(self) -> None:
        """Ask the manager to move it; with force, for machines that are only moved by hand."""
        if self.target is None:
            self.manager.act(self.vm, "migrate", force=True)
        else:
            self.manager.act(self.vm, "migrate", host=self.target.ref, force=True)

    def goal(self) -> Goal:
        """The goal that it runs; its host is checked then, because a failed move ends where it began."""
        return Goal(self.vm, VM_MOVABLE, failed=VM_OFF, limit=self.limit)

    def destination(self, vm: Vm) -> str:
        """The name of its new host.

        Raises:
            FailedState: It is still where it was, or somewhere else.
        """
        was, now = self.vm.host, vm.host
        if self.target is not None and now is not None and now.id == self.target.id:
            return self.target.name
        if now is None or was is not None and now.id == was.id or self.target is not None:
            raise self.explain(FailedState(f"{vm.name} did not move; it is {vm.status} on {self.name_of(vm)}"))
        return self.name_of(vm)

    def name_of(self, vm: Vm) -> str:
        """The name of a machine's host."""
        return self.manager.name_of(Host, vm.host) or "no host"

    def explain(self, problem: RhevError) -> RhevError:
        """A failure with what the manager says about it."""
        if not isinstance(problem, FailedState) or problem.hint:
            return problem
        said = next(
            (
                event.description
                for event in self.manager.events(self.vm, 3)
                if event.severity in ("error", "alert", "warning") and event.description
            ),
            "",
        )
        return FailedState(f"{problem.text}: {said}") if said and said not in problem.text else problem
