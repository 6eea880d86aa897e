"""The hosts of nodes at a manager, and the virtual machines on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...engine.manager import any_of
from ...engine.nouns import Host, Vm
from ...engine.states import HostStatus
from ...errors import Ambiguous, NotFound, RhevError
from ...messages import Error
from ...plan.context import Context


def look(context: Context, nodes: Sequence[str], details: bool = False) -> tuple[dict[str, Host], dict[str, RhevError]]:
    """Find the hosts of nodes by the node's name, also where the manager has it with a domain, or by its address.

    Args:
        context: The command.
        nodes: The nodes.
        details: With their NICs.

    Returns:
        Hosts by node, and for nodes that fit several hosts the error; nodes without a host are in neither.
    """
    search = _Search(context, details)
    search.add({node: node for node in nodes})
    left = [node for node in nodes if node not in search.found and node not in search.wrong]
    if left:
        addresses = context.xcat.node_attrs("hosts", left, ["ip"])
        search.add({addresses[node]["ip"]: node for node in left if addresses[node].get("ip")})
    return search.found, search.wrong


class _Search:
    """Gathers what the searches find, by node.

    Args:
        context: The command.
        details: Ask for the hosts' NICs as well.
    """

    def __init__(self, context: Context, details: bool) -> None:
        self._manager, self._details = context.manager, details
        self.found: dict[str, Host] = {}
        self.wrong: dict[str, RhevError] = {}

    def add(self, names: dict[str, str]) -> None:
        """Look for names, each of which stands for a node."""
        try:
            hosts = self._manager.find(Host, list(names), details=self._details) if names else {}
        except Ambiguous:
            hosts = self._one_by_one(names)
        self.found.update({names[name]: host for name, host in hosts.items()})

    def _one_by_one(self, names: dict[str, str]) -> dict[str, Host]:
        """Search names one by one, so that an ambiguous one does not affect the others."""
        hosts = {}
        for name, node in names.items():
            try:
                hosts.update(self._manager.find(Host, [name], details=self._details))
            except Ambiguous as problem:
                self.wrong[node] = problem
        return hosts


def not_found(context: Context, node: str) -> NotFound:
    """The error for a host that the manager does not have."""
    return NotFound(f"host was not created on {context.manager.name}", f"Run: chhypervisor {node} -a")


#: States in which nothing can be done with a host: why, and what to do.
_OUT_OF_REACH: Mapping[str, tuple[str, str]] = {
    HostStatus.NON_RESPONSIVE: (
        "it does not answer the manager",
        "Run: rpower {node} boot, or look at its network and its daemon vdsmd; rvitals {node} cert tells whether its "
        "certificate has ended",
    ),
    HostStatus.KDUMPING: (
        "its kernel has crashed and writes a dump, after which the manager restarts it",
        "Look again in some minutes: rvitals {node}",
    ),
}


def out_of_reach(node: str, host: Host) -> Error | None:
    """Why nothing can be done with a host now, and what to do; None if it can be reached."""
    why, run = _OUT_OF_REACH.get(host.status or "", ("", ""))
    return Error(f"the host is {host.status}: {why}. {run.format(node=node)}", node) if why else None


def refuges(context: Context, leaving: Iterable[Host]) -> dict[str, list[Host]]:
    """The hosts of the same cluster that are up and stay, by the id of each host with machines.

    Args:
        context: The command.
        leaving: The hosts that leave, all of them; where none has a machine the manager is not asked.
    """
    busy = [host for host in leaving if host.total and host.cluster]
    if not busy:
        return {}
    gone = {host.id for host in leaving}
    open_: dict[str, list[Host]] = {}
    for host in context.manager.list(Host):
        if host.cluster and host.status == HostStatus.UP and host.id not in gone:
            open_.setdefault(host.cluster.id, []).append(host)
    return {host.id: open_.get(host.cluster.id, []) if host.cluster else [] for host in busy}


def vms_on(context: Context, hosts: Iterable[Host]) -> dict[str, list[Vm]]:
    """The virtual machines that run on hosts, by the host's id; one search for up to fifty hosts.

    Args:
        context: The command.
        hosts: The hosts; those that report no machines are skipped.
    """
    busy = [host for host in hosts if host.total != 0]
    on: dict[str, list[Vm]] = {host.id or "": [] for host in busy}
    for where in any_of("Host.name", [host.name for host in busy]):
        for vm in context.manager.list(Vm, where=where):
            if vm.host and vm.host.id in on:
                on[vm.host.id].append(vm)
    return on
