"""cfgve -t nw: logical networks. The same name may exist in several data centers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Network, Ref
from ...errors import Ambiguous, NotFound, Usage
from ...messages import Error
from ...ordering import natural
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from .kind import DEFAULT, Kind, Verb, as_asked, data_center, is_in, one_step, with_values

_ASKED = frozenset({"data_center", "vlan", "mtu", "nonvm", "description"})


def create(context: Context, names: Sequence[str]) -> Plan:
    """Make those that are missing; existing ones have to match."""
    yield from _converge(context, names, update=False)


def update(context: Context, names: Sequence[str]) -> Plan:
    """Change those that are there."""
    yield from _converge(context, names, update=True)


def _converge(context: Context, names: Sequence[str], update: bool) -> Plan:
    wanted = _wishes(context.options)
    late = too_new(context.manager, wanted)
    if late:
        yield from (Error(late, name) for name in names)
        return
    where = data_center(context, context.options.get("data_center", DEFAULT))
    all_networks = context.manager.list(Network)
    for name in names:
        there = next((nw for nw in all_networks if nw.name == name and is_in(nw.data_center, where)), None)
        if there is None and update:
            yield Error(f"cannot find the network in data center {where.name}. Give -c to make it", name)
        elif there is None:
            new = Network(name=name, data_center=Ref(id=where.id or "", name=where.name or ""), **wanted)
            yield one_step(
                name,
                f"create network in {where.name}{with_values(wanted)}",
                partial(context.manager.create, new),
                "succeeded",
            )
        else:
            yield _change(context, there, wanted, update)


def too_new(manager: Manager, wanted: Mapping[str, Any]) -> str:
    """What a network asks for and its manager is too old for; nothing if it has all."""
    asked = {"mtu": "MTUs of networks"} if wanted.get("mtu") else {}
    if wanted.get("usages") == ():
        asked["usages"] = "networks for hosts only"
    return next(filter(None, map(manager.too_new, asked.values())), "")


def _change(context: Context, there: Network, wanted: dict[str, Any], update: bool) -> Job | Error:
    differing = there.differences(wanted)
    if not there.vm_network:
        differing.pop("usages", None)  # it may have other usages, as long as machines do not use it
    return as_asked(context, there, differing, update)


def _wishes(options: Any) -> dict[str, Any]:
    """The values that were asked for, as fields.

    Raises:
        Usage: A VLAN or MTU out of range.
    """
    wanted: dict[str, Any] = {}
    if "vlan" in options:
        wanted["vlan"] = _number(options["vlan"], "-n", 1, 4094)
    if "mtu" in options:
        wanted["mtu"] = _number(options["mtu"], "--mtu", 68, 65521)
    if "nonvm" in options:
        wanted["usages"] = ()
    if "description" in options:
        wanted["description"] = options["description"]
    return wanted


def _number(text: str, flag: str, lowest: int, highest: int) -> int:
    if not (text.isdigit() and lowest <= int(text) <= highest):
        raise Usage(f"{flag} {text}: not a number from {lowest} to {highest}")
    return int(text)


def attach(context: Context, names: Sequence[str]) -> Plan:
    """Attach networks to a cluster."""
    cluster = _cluster(context)
    attached = {nw.id: nw for nw in context.manager.list(Network, under=cluster)}
    required = "required" in context.options
    for name, network in _of_cluster(context, names, cluster):
        if isinstance(network, Error):
            yield network
            continue
        there = attached.get(network.id)
        if there is not None and required and there.required is False:  # RHEV 3.0 requires them all
            change = partial(context.manager.change, there, under=cluster, required=True)
            yield one_step(name, f"make it required in cluster {cluster.name}", change, "succeeded")
        elif there is not None:
            yield Job(name)
        else:
            new = Network(id=network.id, name=name, required=required)
            yield one_step(
                name,
                f"attach to cluster {cluster.name}",
                partial(context.manager.create, new, under=cluster),
                "succeeded",
            )


def detach(context: Context, names: Sequence[str]) -> Plan:
    """Detach networks from a cluster."""
    cluster = _cluster(context)
    attached = {nw.id: nw for nw in context.manager.list(Network, under=cluster)}
    for name, network in _of_cluster(context, names, cluster):
        if isinstance(network, Error):
            yield network
        elif network.id not in attached:
            yield Job(name)
        else:
            yield one_step(
                name,
                f"detach from cluster {cluster.name}",
                partial(context.manager.remove, attached[network.id], under=cluster),
            )


def _cluster(context: Context) -> Cluster:
    name = context.options.get("cluster", DEFAULT)
    found = context.manager.find(Cluster, [name]).get(name)
    if found is None:
        raise NotFound(f"cannot find the cluster: {name}", "Give -l with one of those that lsve -t cl shows")
    return found


def _of_cluster(context: Context, names: Sequence[str], cluster: Cluster) -> list[tuple[str, Network | Error]]:
    """The networks of those names in the cluster's own data center."""
    home = cluster.data_center
    own = {
        nw.name: nw
        for nw in context.manager.list(Network)
        if home is None or nw.data_center is None or nw.data_center.id == home.id
    }
    missing = f"cannot find the network in the data center of cluster {cluster.name}"
    return [(name, own.get(name) or Error(missing, name)) for name in names]


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove networks from their data center."""
    only = context.options.get("data_center")
    where = data_center(context, only) if only else None
    all_networks = context.manager.list(Network)
    for name in names:
        found = [nw for nw in all_networks if nw.name == name and (where is None or is_in(nw.data_center, where))]
        if not found:
            yield Job(name, idle="there is no such network: nothing to do")
        elif len(found) > 1:
            yield Error(str(_ambiguous(context, name, found)), name)
        else:
            yield one_step(name, "remove network", partial(context.manager.remove, found[0]))


def _ambiguous(context: Context, name: str, found: list[Network]) -> Ambiguous:
    homes = sorted((context.manager.name_of(DataCenter, nw.data_center) for nw in found), key=natural)
    return Ambiguous(f"networks of that name are in {', '.join(homes)}", "Give -d with one of them")


KIND = Kind(
    "network",
    {
        "create": Verb(create, _ASKED),
        "update": Verb(update, _ASKED),
        "attach": Verb(attach, frozenset({"cluster", "required"})),
        "detach": Verb(detach, frozenset({"cluster"})),
        "remove": Verb(remove, frozenset({"data_center", "force"})),
    },
)
