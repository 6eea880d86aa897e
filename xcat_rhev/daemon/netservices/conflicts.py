"""Machines that claim the same address, MAC address or name: DHCP can give each to one only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ...messages import Error, Warn
from ..reply import Output
from .reservations import Reservation


def settle(
    machines: dict[str, list[Reservation]], fresh: Sequence[Reservation], together: Collection[str]
) -> Iterator[Output]:
    """Add a node's reservations.

    What another node has from before goes, as the newest command counts; of nodes that are asked for together the first
    one keeps it.

    Args:
        machines: Node -> its reservations; changed.
        fresh: Those of one node.
        together: The nodes that the command is for.
    """
    for machine in fresh:
        others = [other for several in machines.values() for other in several]
        rivals = [(other, what) for other in others if (what := _common(machine, other))]
        lost = next(((other, what) for other, what in rivals if other.node in together), None)
        if lost:
            yield Error(
                f"{lost[1]} belongs to node {lost[0].node} already: there is no second reservation", machine.node
            )
            continue
        for other, what in rivals:
            machines[other.node].remove(other)
            yield Warn(f"{what} belonged to node {other.node}; that reservation was removed", machine.node)
        machines.setdefault(machine.node, []).append(machine)


def _common(one: Reservation, other: Reservation) -> str:
    """What two reservations have both; empty if nothing."""
    mac = next((mac for mac in one.macs if mac in other.macs), "")
    if mac:
        return f"MAC address {mac}"
    if one.address and one.address == other.address:
        return f"address {one.address}"
    return f"name {one.name}" if one.name == other.name else ""
