"""What machines belong to and no document of theirs tells: tags and affinity groups, asked once for each of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...engine.manager import Manager
from ...engine.nouns import AffinityGroup, Cluster, Vm
from ...ordering import natural


@dataclass(frozen=True)
class Belongings:
    """Names by a machine's id; machines that have none are missing."""

    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


def belongings(manager: Manager, machines: Sequence[Vm]) -> Belongings:
    """Ask for all affinity groups and who is in each; the machines bring their tags.

    Args:
        manager: The manager.
        machines: With their tags: a search by tag finds a machine of several tags by one of them alone (4.5).
    """
    tags = {vm.id: sorted((tag.name for tag in vm.tags or ()), key=natural) for vm in machines}
    return Belongings({id: names for id, names in tags.items() if names}, _invert(_groups_by_machine(manager)))


def _groups_by_machine(manager: Manager) -> dict[str, set[str]]:
    groups = [group for cluster in manager.all(Cluster) for group in manager.list(AffinityGroup, under=cluster)]
    found: dict[str, set[str]] = {}
    for group in groups:
        found.setdefault(group.name, set()).update(vm.id for vm in manager.list(Vm, under=group))
    return found


def _invert(members: Mapping[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(members, key=natural):
        for id in members[name]:
            found.setdefault(id, []).append(name)
    return found
