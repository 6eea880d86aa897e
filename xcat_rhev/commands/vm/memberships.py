"""Tags and affinity groups that rows name: the members of each are requested once, not for each machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Callable

from ...engine.manager import Manager
from ...engine.nouns import AffinityGroup, Cluster, Tag, Vm
from ...errors import Conflict
from ...ordering import natural
from ...plan.jobs import Step
from ...rows.vm import VmRow


@dataclass(frozen=True)
class Lacking:
    """Tags and groups that one machine should get or leave.

    Attributes:
        tags, groups: Names of what it lacks.
        surplus_tags, surplus_groups: Names of what it should leave.
    """

    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    surplus_tags: tuple[str, ...] = ()
    surplus_groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tags or self.groups or self.surplus_tags or self.surplus_groups)


class Memberships:
    """The tags and affinity groups of a command's machines. May be used by several threads.

    Args:
        manager: The manager.
        rows: What the machines should be, by node.
        machines: Those that exist, by node.
    """

    def __init__(self, manager: Manager, rows: Mapping[str, VmRow], machines: Mapping[str, Vm]) -> None:
        self._manager, self._rows, self._machines = manager, rows, machines
        self._guard = threading.Lock()
        self._known: set[str] | None = None
        self._tags: dict[str, dict[str, Tag]] | None = None
        self._groups: dict[str, dict[str, AffinityGroup]] = {}
        self._members: dict[str, set[str]] = {}

    def shortfall(self, node: str) -> Lacking:
        """What a machine lacks: one that is to be made lacks all that its row names."""
        settings, vm = self._rows[node].settings, self._machines.get(node)
        if vm is None or vm.cluster is None:
            return Lacking(settings.tags, settings.affinity_groups)
        home = Cluster(id=vm.cluster.id)
        return Lacking(
            tuple(name for name in settings.tags if name not in self._tags_of(vm)),
            tuple(name for name in settings.affinity_groups if vm.id not in self._in_group(home, name)),
            tuple(name for name in settings.not_tags if name in self._tags_of(vm)),
            tuple(name for name in settings.not_groups if vm.id in self._in_group(home, name)),
        )

    def faults(self, node: str, cluster: Cluster) -> Iterator[str]:
        """The affinity groups that a row names and its cluster does not have."""
        known = self._groups_of(cluster) if self._rows[node].settings.affinity_groups else {}
        for name in self._rows[node].settings.affinity_groups:
            if name not in known:
                there = ", ".join(sorted(known, key=natural)) or "none"
                home = self._manager.name_of(Cluster, cluster.ref)
                yield f"the cluster {home} has no affinity group {name}. It has: {there}"

    def steps(self, node: str, cluster: Cluster, get: Callable[[], Vm]) -> Iterator[Step]:
        """What gives a machine what it lacks.

        Args:
            node: The machine's name.
            cluster: Where it is.
            get: Gives the machine, which may be made by then only.
        """
        lacking = self.shortfall(node)
        if lacking.tags:
            yield Step(f"tag it {', '.join(lacking.tags)}", partial(self._tag, lacking.tags, get))
        for name in lacking.groups:
            yield Step(f"put it in the affinity group {name}", partial(self._join, cluster, name, get))
        if lacking.surplus_tags:
            yield Step(f"take the tag {', '.join(lacking.surplus_tags)} off", partial(self._untag, lacking, get))
        for name in lacking.surplus_groups:
            yield Step(f"take it out of the affinity group {name}", partial(self._leave, cluster, name, get))

    def _tags_of(self, vm: Vm) -> dict[str, Tag]:
        """A machine's tags by name. A search by tag finds a machine of several tags by one of them alone (4.5)."""
        if self._tags is None:
            told = {
                node: row.settings for node, row in self._rows.items() if row.settings.tags or row.settings.not_tags
            }
            named = [vm.name for node, vm in self._machines.items() if node in told]
            found = self._manager.look(Vm, named, also=Tag)
            self._tags = {each.id: {tag.name: tag for tag in each.tags or ()} for each in found}
        return self._tags.get(vm.id, {})

    def _groups_of(self, cluster: Cluster) -> dict[str, AffinityGroup]:
        if cluster.id not in self._groups:
            found = self._manager.list(AffinityGroup, under=cluster)
            self._groups[cluster.id] = {group.name: group for group in found}
        return self._groups[cluster.id]

    def _in_group(self, cluster: Cluster, name: str) -> set[str]:
        group = self._groups_of(cluster).get(name)
        if group is None:
            return set()
        if group.id not in self._members:
            self._members[group.id] = {vm.id for vm in self._manager.list(Vm, under=group)}
        return self._members[group.id]

    def _tag(self, names: tuple[str, ...], get: Callable[[], Vm]) -> None:
        vm = get()
        for name in names:
            self._make(name)
            self._manager.create(Tag(name=name), under=vm)

    def _untag(self, lacking: Lacking, get: Callable[[], Vm]) -> None:
        vm = get()
        for name in lacking.surplus_tags:
            self._manager.remove(self._tags_of(vm)[name], under=vm)

    def _leave(self, cluster: Cluster, name: str, get: Callable[[], Vm]) -> None:
        self._manager.remove(Vm(id=get().id), under=self._groups_of(cluster)[name])

    def _make(self, name: str) -> None:
        """Make a missing tag; one thread does it, the others wait."""
        with self._guard:
            if self._known is None:
                self._known = self._names()
            if name in self._known:
                return
            try:
                self._manager.create(Tag(name=name))
            except Conflict:
                if name not in self._names():  # and no other user has made it
                    raise
            self._known.add(name)

    def _names(self) -> set[str]:
        return {tag.name for tag in self._manager.list(Tag)}

    def _join(self, cluster: Cluster, name: str, get: Callable[[], Vm]) -> None:
        self._manager.create(Vm(id=get().id), under=self._groups_of(cluster)[name])
