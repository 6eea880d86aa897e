"""chvm --export and mkvm --import: machines in OVA files on a hypervisor."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from ...engine.nouns import Cluster, Event, Host, OvaImport, Ref, StorageDomain, Vm
from ...engine.states import VM_OFF, VM_SETTLED, DomainStatus, VmStatus
from ...engine.waiting import Goal
from ...errors import FailedState, NotFound, RhevError, Usage
from ...messages import Data, Error, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...rows.vm import VmRow, read_rows
from .machines import errors, find, find_named

#: Seconds that a copy of all disks may take.
LIMIT = 6 * 3600.0
#: The events that tell how an export ended (AuditLogType).
_DONE, _FAILED = 1224, 1225
_EVENTS = 100
#: Where a machine is made whose row names no cluster.
_CLUSTER = "Default"


def place_of(context: Context, option: str) -> tuple[Host, str]:
    """The hypervisor and the folder or file on it that an option names.

    Raises:
        Usage: It is written otherwise, or the manager is too old.
        NotFound: There is no such hypervisor.
    """
    if late := context.manager.too_new("exports to OVA files"):
        raise Usage(late)
    name, _, path = context.options[option].partition(":")
    if not name or not path.startswith("/"):
        raise Usage(f"--{option} {context.options[option]}: write HYPERVISOR:/FOLDER, or HYPERVISOR:/FOLDER/NAME.ova")
    host = context.manager.find(Host, [name]).get(name)
    if host is None:
        raise NotFound(f"no hypervisor {name} on {context.manager.name}", "Run: lsvm all -a -s")
    if path.endswith(".ova") and len(context.request.nodes) > 1:
        raise Usage(f"--{option}: several machines do not fit into one file", "Name a folder")
    return host, posixpath.normpath(path)


def _file(path: str, node: str) -> str:
    return path if path.endswith(".ova") else f"{path}/{node}.ova"


def plan_export(context: Context) -> Plan:
    """Write machines into files."""
    host, path = place_of(context, "export")
    found = find(context)
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
        elif vm.status not in (VmStatus.UP, VmStatus.DOWN):
            yield Error(f"the machine is {vm.status}; it has to be up or down", node)
        else:
            yield Job(node, list(_Exporting(context, vm, host, _file(path, node)).parts()))


@dataclass
class _Exporting:
    """The export of one machine."""

    context: Context
    vm: Vm
    host: Host
    path: str
    _since: int = field(default=0, init=False)
    _trouble: str = field(default="", init=False)

    def parts(self) -> Iterator[Step | Wait]:
        """The steps; an event of the manager says that it is done."""
        yield Step(f"export to {self.path} on {self.host.name}", self._begin)
        limit = self.context.limit(LIMIT)
        goal = partial(Goal, self.vm, VM_SETTLED, limit=limit, settled=True, also=self._is_over)
        yield Wait("wait until it is written", goal, self._end)

    def _begin(self) -> None:
        self._since = max((int(event.id or 0) for event in self.context.manager.newest_events(1)), default=0)
        where, name = posixpath.split(self.path)
        self.context.manager.act(self.vm, "export", host=self.host.ref, directory=where, filename=name)

    def _is_over(self, _: Vm) -> bool:
        try:
            events = [each for each in self.context.manager.newest_events(_EVENTS) if self._is_about(each)]
        except RhevError:
            return False  # decided at the next check
        failed = [each.description or "no reason" for each in events if each.code == _FAILED]
        self._trouble = failed[0] if failed else ""
        return bool(events)

    def _is_about(self, event: Event) -> bool:
        mine = f" {self.vm.name} " in (event.description or "")
        return int(event.id or 0) > self._since and event.code in (_DONE, _FAILED) and mine

    def _end(self, _: object) -> list[Data]:
        if self._trouble:
            raise FailedState(self._trouble)
        return [Data(f"exported to {self.path} on {self.host.name}.", self.vm.name)]


def plan_import(context: Context) -> Plan:
    """Make machines of files."""
    host, path = place_of(context, "import")
    rows, faults = read_rows(context.xcat, context.nodes)
    yield from errors(faults)
    found = find_named(context, list(rows))
    clusters = context.manager.find(Cluster, {row.cluster or _CLUSTER for row in rows.values()})
    for node, row in rows.items():
        if node in found:
            yield Job(node, idle="the machine is there already. There is nothing to do")
        elif (row.cluster or _CLUSTER) not in clusters:
            yield Error(f"cannot find the cluster: {row.cluster or _CLUSTER}", node)
        else:
            cluster = clusters[row.cluster or _CLUSTER]
            yield Job(node, list(_import_parts(context, row, host, _file(path, node), cluster)))


def _import_parts(context: Context, row: VmRow, host: Host, path: str, cluster: Cluster) -> Iterator[Step | Wait]:
    domain = _domain(context, row, cluster)
    wanted = OvaImport(
        name=row.node,
        vm=Ref(name=row.node),
        provider="kvm",
        url=f"ova://{path}",
        cluster=Ref(cluster.id),
        storage_domain=Ref(domain.id),
        host=Ref(host.id),
    )
    made: list[Vm] = []
    yield Step(f"make it of {path} on {host.name}", lambda: made.append(context.manager.import_ova(wanted)))
    limit = context.limit(LIMIT)
    yield Wait(
        "wait until its disks are copied",
        lambda: Goal(made[0], VM_OFF, frozenset({VmStatus.IMAGE_ILLEGAL}), limit=limit, settled=True),
        lambda _: [Data(f"made of {path} on {host.name}.", row.node)],
    )


def _domain(context: Context, row: VmRow, cluster: Cluster) -> StorageDomain:
    """The domain of the first disk in the row, or the only one.

    Raises:
        Usage: There are several, and the row names none.
        NotFound: There is none.
    """
    center = cluster.data_center
    here = context.manager.list(StorageDomain, under=center) if center else []
    data = [each for each in here if each.type == "data" and each.status == DomainStatus.ACTIVE]
    named = next((disk.domain for disk in row.disks if disk.domain), "")
    fits = [each for each in data if not named or each.name == named]
    if not fits:
        raise NotFound(f"there is no active data domain {named}".strip(), few(each.name for each in data) or "none")
    if len(fits) > 1:
        hint = f"Run: chtab node={row.node} vm.storage={fits[0].name}:1g"
        raise Usage(f"vm.storage has to say on which domain: {few(each.name for each in fits)}", hint)
    return fits[0]
