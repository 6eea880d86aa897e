"""cfgve -t cl: clusters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...engine.manager import any_of
from ...engine.nouns import Cluster, DataCenter, Host, Ref, Vm
from ...errors import RhevError, Usage
from ...messages import Error, error_of, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from .kind import DEFAULT, Kind, Verb, as_asked, compat, data_center, is_in, one_step, with_values


def create(context: Context, names: Sequence[str]) -> Plan:
    """Make those that are not there, with a CPU type that the manager offers."""
    home = context.options.get("data_center")
    if not home:
        raise Usage("the datacenter for the cluster must be specified", f"Give -d, for example -d {DEFAULT}")
    where = data_center(context, home)
    found = context.manager.find(Cluster, names)
    missing = [name for name in names if name not in found]
    asked = compat(context)
    level = asked or where.version or ""
    cpu = cpu_type(context, context.options.get("cpu", ""), level) if missing else ""
    for name in names:
        there = found.get(name)
        if there is None:
            wanted = wanted_cluster(name, where, cpu, level, context.options.get("description"))
            yield one_step(
                name,
                f"create cluster in {home} with CPU type {cpu or 'of its first host'}",
                partial(context.manager.create, wanted),
                "succeeded",
            )
        elif there.data_center and not is_in(there.data_center, where):
            other = context.manager.name_of(DataCenter, there.data_center)
            yield Error(f"cluster has been created in data center {other}, not {home}", name)
        else:
            yield _compare(context, there, asked, where, update=False)


def update(context: Context, names: Sequence[str]) -> Plan:
    """Change those that are there."""
    asked = compat(context)
    found = context.manager.find(Cluster, names)
    for name in names:
        there = found.get(name)
        if there is None:
            yield Error("there is no such cluster. Give -c to make it", name)
        else:
            yield _compare(context, there, asked, None, update=True)


def _compare(context: Context, there: Cluster, level: str, where: DataCenter | None, update: bool) -> Job | Error:
    """What becomes of a cluster that is there.

    Args:
        context: The command.
        there: The cluster.
        level: The requested compatibility version, or empty.
        where: The data center it should be in; only a cluster that has lost its data center gets another one.
        update: -u was given.
    """
    wanted: dict[str, Any] = {"version": level or None, "description": context.options.get("description")}
    if context.options.get("cpu"):
        try:
            wanted["cpu_type"] = cpu_type(context, context.options["cpu"], level or there.version or "")
        except RhevError as problem:
            return error_of(problem, there.name or "")
    differing = there.differences({key: value for key, value in wanted.items() if value is not None})
    if there.data_center or where is None:
        return as_asked(context, there, differing, update)
    move = partial(context.manager.change, there, data_center=where.ref, **differing)
    return one_step(
        there.name or "", f"put it into data center {where.name}{with_values(differing)}", move, "succeeded"
    )


def cpu_type(context: Context, wanted: str, level: str) -> str:
    """The CPU type of a new cluster: the wanted one if the manager offers it, else the first that it offers.

    Args:
        context: For the manager.
        wanted: As typed, or empty.
        level: The compatibility version, `4.7`, or empty for the newest.

    Returns:
        The exact name; empty when the manager lists none and chooses it by itself.

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
    return Cluster(name=name, data_center=home, cpu_type=cpu or None, version=level or None, description=description)


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove those that hold neither hosts nor virtual machines."""
    found = context.manager.find(Cluster, names)
    hosts, vms = (_inside(context, kind, list(found.values())) for kind in (Host, Vm))
    for name in names:
        there = found.get(name)
        if there is None:
            yield Job(name, idle="there is no such cluster: nothing to do")
            continue
        obstacle = _obstacle(hosts.get(there.id, []), vms.get(there.id, []))
        if obstacle:
            yield Error(obstacle, name)
        else:
            yield one_step(name, "remove cluster", partial(context.manager.remove, there))


def _inside(context: Context, kind: type[Host] | type[Vm], clusters: Sequence[Cluster]) -> dict[str, list[str]]:
    """The names of hosts or machines by their cluster's id; one search for up to fifty clusters."""
    inside: dict[str, list[str]] = {}
    for where in any_of("cluster", [cluster.name for cluster in clusters]):
        found: Sequence[Host | Vm] = context.manager.list(kind, where=where)
        for each in found:
            if each.cluster:
                inside.setdefault(each.cluster.id, []).append(each.name)
    return inside


def _obstacle(hosts: Sequence[str], vms: Sequence[str]) -> str:
    """What is in the way of a cluster's removal, or nothing."""
    if hosts:
        return f"hosts are in it: {few(hosts)}. Run: rmhypervisor {','.join(hosts[:3])} -f"
    return f"virtual machines are in it: {few(vms)}. Run: rmvm {','.join(vms[:3])}" if vms else ""


KIND = Kind(
    "cluster",
    {
        "create": Verb(create, frozenset({"data_center", "cpu", "compat", "description"})),
        "update": Verb(update, frozenset({"cpu", "compat", "description"})),
        "remove": Verb(remove, frozenset({"force"})),
    },
)
