"""cfgve --diff: what differs between a manager and a description, both ways. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Host, Network, Noun, StorageDomain, Vm
from ...engine.states import HostStatus
from ...messages import Data, Message
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from ...rows.description import Center, DescribedThing
from . import converge, plaindescription
from .export import can_be_told, comes_along
from .kind import is_in

#: The exit code where something differs; 1 is for errors.
DIFFERS = 2


def plan(context: Context, centers: Sequence[Center], things: Sequence[DescribedThing] = ()) -> Plan:
    """Report what `--from` would do, and what the manager has that is not described.

    Args:
        context: The command.
        centers: The described data centers.
        things: Described objects of other kinds.
    """
    for item in converge.plan(context, centers, things, comparing=True):
        if isinstance(item, Job):
            yield from _differences(item)
        else:
            yield item
    for center in centers:
        yield from _surplus(context.manager, center)
    yield from plaindescription.surplus(context.manager, things, DIFFERS)


def _differences(job: Job) -> Iterator[Message]:
    """What a job would do; no message for a job with nothing to do."""
    for part in job.parts:
        if part.says:
            yield Data(part.says, job.node, code=DIFFERS)


def _surplus(manager: Manager, center: Center) -> Iterator[Message]:
    """What a data center has that is not described. A section that the description leaves out is not compared."""
    home = next((each for each in manager.all(DataCenter) if each.name == center.name), None)
    if home is None:
        return
    for section, there in _SECTIONS.items():
        described: Mapping[str, Any] = getattr(center, section)
        for noun in there(manager, home) if described else ():
            if noun.name not in described:
                yield Data(f"{noun.word()} is not in the description", noun.name or "", code=DIFFERS)


def _clusters(manager: Manager, home: DataCenter) -> list[Cluster]:
    return [each for each in manager.all(Cluster) if is_in(each.data_center, home)]


def _networks(manager: Manager, home: DataCenter) -> list[Network]:
    """Networks that are not described, without the one that comes with every data center."""
    return [each for each in manager.all(Network) if is_in(each.data_center, home) and not comes_along(each)]


def _hosts(manager: Manager, home: DataCenter) -> list[Host]:
    approved = (each for each in manager.all(Host) if each.status != HostStatus.PENDING_APPROVAL)
    return _in_clusters(manager, home, approved)


def _domains(manager: Manager, home: DataCenter) -> list[StorageDomain]:
    return [each for each in manager.list(StorageDomain, under=home) if can_be_told(each)]


def _vms(manager: Manager, home: DataCenter) -> list[Vm]:
    return _in_clusters(manager, home, manager.all(Vm))


def _in_clusters(manager: Manager, home: DataCenter, nouns: Iterable[Any]) -> list[Any]:
    ids = {each.id for each in _clusters(manager, home)}
    return [each for each in nouns if each.cluster and each.cluster.id in ids]


_SECTIONS: Mapping[str, Callable[[Manager, DataCenter], Sequence[Noun]]] = {
    "clusters": _clusters,
    "networks": _networks,
    "hosts": _hosts,
    "storage_domains": _domains,
    "vms": _vms,
}
