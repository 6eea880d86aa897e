"""cfgve -t cl: clusters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from ...engine.manager import quoted
from ...engine.nouns import Cluster, DataCenter, Host, Ref, Vm
from ...errors import Usage
from ...jobs import Job
from ...messages import Error
from ..common import Context, Plan
from .kind import DEFAULT, Kind, Verb, compat, data_center, is_in, named, one_step


def create(context: Context, names: Sequence[str]) -> Plan:
    """Make those that are not there, with a CPU type that the manager offers."""
    home = context.options.get("data_center")
    if not home:
        raise Usage("the datacenter for the cluster must be specified", f"Give -d, for example -d {DEFAULT}")
    where = data_center(context, home)
    found = context.manager.find(Cluster, names)
    missing = [name for name in names if name not in found]
    level = compat(context) or where.version or ""
    cpu = cpu_type(context, context.options.get("cpu", ""), level) if missing else ""
    for name in names:
        there = found.get(name)
        if there is None:
            wanted = wanted_cluster(name, where, cpu, level, context.options.get("description"))
            yield one_step(
                name, f"create cluster in {home} with CPU type {cpu or 'of its first host'}",
                partial(context.manager.create, wanted), "succeeded",
            )
        elif there.data_center and not is_in(there.data_center, where):
            other = context.manager.name_of(DataCenter, there.data_center)
            yield Error(f"cluster has been created in data center {other}, not {home}", name)
        else:
            yield Job(name)


def cpu_type(context: Context, wanted: str, level: str) -> str:
    """The CPU type of a new cluster: the wanted one if the manager offers it, else the first that it offers.

    Args:
        context: For the manager.
        wanted: As typed, or empty.
        level: The compatibility version, `4.7`, or empty for the newest.

    Returns:
        The exact name; empty when the manager names none and finds out by itself.

    Raises:
        Usage: The manager does not offer it; the hint lists those that it does.
    """
    offered = context.manager.cpu_types(level)
    if not wanted:
        return offered[0] if offered else ""
    exact = {name.lower(): name for name in offered}
    if wanted.lower() not in exact:
        raise Usage(
            f"CPU type '{wanted}' is not offered by {context.manager.name} for version {level or 'newest'}",
            f"It offers: {', '.join(offered)}",
        )
    return exact[wanted.lower()]


def wanted_cluster(
    name: str, where: DataCenter, cpu: str, level: str | None = None, description: str | None = None
) -> Cluster:
    """A cluster to be made.

    Args:
        name: Its name.
        where: Its data center.
        cpu: An exact CPU type, or empty.
        level: The compatibility version; empty leaves it to the manager.
        description: For people.
    """
    home = Ref(id=where.id or "", name=where.name or "")
    return Cluster(
        name=name, data_center=home, cpu_type=cpu or None, version=level or None, description=description
    )


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove those that hold neither hosts nor virtual machines."""
    found = context.manager.find(Cluster, names)
    for name in names:
        there = found.get(name)
        if there is None:
            yield Job(name, idle="there is no such cluster: nothing to do")
            continue
        obstacle = _obstacle(context, there)
        if obstacle:
            yield Error(obstacle, name)
        else:
            yield one_step(name, "remove cluster", partial(context.manager.remove, there))


def _obstacle(context: Context, there: Cluster) -> str:
    hosts = context.manager.list(Host, where=f"cluster={quoted(there.name)}")
    names = [host.name for host in hosts if host.cluster and host.cluster.id == there.id]
    if names:
        return f"hosts are in it: {named(names)}. Run: rmhypervisor {','.join(map(str, names[:3]))} -f"
    vms = context.manager.list(Vm, where=f"cluster={quoted(there.name)}")
    names = [vm.name for vm in vms if vm.cluster and vm.cluster.id == there.id]
    return f"virtual machines are in it: {named(names)}. Run: rmvm {','.join(map(str, names[:3]))}" if names else ""


KIND = Kind("cluster", {
    "create": Verb(create, frozenset({"data_center", "cpu", "compat", "description"})),
    "remove": Verb(remove, frozenset({"force"})),
})
