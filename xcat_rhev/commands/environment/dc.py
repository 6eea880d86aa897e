"""cfgve -t dc: data centers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ...engine.manager import quote
from ...engine.nouns import Cluster, DataCenter, StorageDomain, Vm
from ...engine.states import DomainStatus, VmStatus
from ...errors import Usage
from ...messages import Error, Warn, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from ...rows.storage import CENTER_STORAGE
from .kind import Kind, Verb, as_asked, compat, is_in, one_step


def create(context: Context, names: Sequence[str]) -> Plan:
    """Make those that are not there."""
    storage = context.options.get("storage")
    if not storage:
        raise Usage(
            "the storage type needs to be specified by -k", f"It is localfs or one of {', '.join(CENTER_STORAGE[:-1])}"
        )
    level = compat(context)
    found = context.manager.find(DataCenter, names)
    for name in names:
        there = found.get(name)
        late = context.manager.too_new(f"storage type {storage}")
        if there is None and late:
            yield Error(late, name)
        elif there is None:
            wanted = wanted_data_center(name, storage, level or None, context.options.get("description"))
            yield one_step(
                name, f"create data center with {storage} storage", partial(context.manager.create, wanted), "succeeded"
            )
        elif is_other(there, storage):
            yield Error(f"data center has been created with {shown_storage(there)} storage, not {storage}", name)
        else:
            yield as_asked(context, there, there.differences(_wishes(context, level)), update=False)


def update(context: Context, names: Sequence[str]) -> Plan:
    """Change those that are there."""
    asked = _wishes(context, compat(context))
    found = context.manager.find(DataCenter, names)
    for name in names:
        there = found.get(name)
        if there is None:
            yield Error("there is no such data center. Give -c to make it", name)
        else:
            yield as_asked(context, there, there.differences(asked), update=True)


def _wishes(context: Context, level: str) -> dict[str, Any]:
    """The values of the given options only."""
    asked = {"version": level or None, "description": context.options.get("description")}
    return {key: value for key, value in asked.items() if value is not None}


def wanted_data_center(
    name: str, storage: str, compat: str | None = None, description: str | None = None
) -> DataCenter:
    """A data center to be made.

    Args:
        name: Its name.
        storage: One of `CENTER_STORAGE`; engines from 3.4 on only distinguish local and shared.
        compat: The compatibility version, `4.7`; None leaves it to the manager.
        description: For people.
    """
    local = storage == "localfs"
    return DataCenter(name=name, storage_type=storage, local=local, version=compat, description=description)


def is_other(data_center: DataCenter, storage: str) -> bool:
    """Whether it was made for other storage.

    Since 3.4 a data center is local or shared, and takes any shared storage.
    """
    if data_center.local is None and data_center.storage_type:
        return data_center.storage_type != storage
    return is_local(data_center) != (storage == "localfs")


def is_local(data_center: DataCenter) -> bool:
    """Whether it has local storage, in v3's or v4's notation."""
    return bool(data_center.local) or data_center.storage_type == "localfs"


def shown_storage(data_center: DataCenter) -> str:
    """The storage type as xCAT words it."""
    return data_center.storage_type or ("localfs" if data_center.local else "shared")


def remove(context: Context, names: Sequence[str]) -> Plan:
    """Remove those that nothing needs."""
    found = context.manager.find(DataCenter, names)
    clusters = context.manager.list(Cluster) if found else []
    local = {name: _local_storage(context, there) for name, there in found.items()}
    for name in names:
        there = found.get(name)
        if there is None:
            if not any(name in domains for domains in local.values()):
                yield Job(name, idle="there is no such data center: nothing to do")
            continue
        obstacle = _obstacle(context, there, clusters) or _format_warning(context, name, local[name], names)
        if obstacle:
            yield Error(obstacle, name)
        else:
            own = [cluster.name for cluster in clusters if is_in(cluster.data_center, there)]
            force = True if "force" in context.options else None
            if own and not force:
                line = f"cfgve -t cl -m {context.manager.name} -o {own[0]} -c -d DATACENTER"
                left = f"these clusters would have no data center: {few(own)}"
                yield Warn(f"{left}. To give a cluster another data center, run: {line}", name)
            yield one_step(name, "remove data center", partial(context.manager.remove, there, force=force))


def _local_storage(context: Context, there: DataCenter) -> list[str]:
    """Names of the domains that an engine formats when it removes their data center (RemoveStoragePoolCommand)."""
    if not is_local(there):
        return []
    domains = context.manager.list(StorageDomain, under=there)
    return [domain.name or "" for domain in domains if domain.storage_type == "localfs"]


def _format_warning(context: Context, name: str, local: Sequence[str], names: Sequence[str]) -> str:
    """The warning before local storage is formatted: its name has to be typed, with -f."""
    if not local or ("force" in context.options and set(local) <= set(names)):
        return ""
    line = f"cfgve -t dc -m {context.manager.name} -o {','.join([name, *local])} -r -f"
    return f"removing it formats its local storage {few(local)}. If that is what you want, run: {line}"


def _obstacle(context: Context, there: DataCenter, clusters: list[Cluster]) -> str:
    """What is in the way of its removal, or nothing."""
    own = {cluster.id for cluster in clusters if is_in(cluster.data_center, there)}
    vms = context.manager.list(Vm, where=f"datacenter={quote(there.name)}") if own else []
    running = [vm.name for vm in vms if vm.status != VmStatus.DOWN and vm.cluster and vm.cluster.id in own]
    if running:
        return f"virtual machines are not down: {few(running)}. Run: rpower {','.join(map(str, running[:3]))} off"
    if "force" in context.options:
        return ""
    active = [sd.name for sd in context.manager.list(StorageDomain, under=there) if sd.status == DomainStatus.ACTIVE]
    if active:
        return (
            f"storage domains are active in it: {few(active)}. "
            "Deactivate them first, the master last (cfgve -t sd -s): managers remove no data center that is up. "
            "Detach them as well (-b), or give -f to remove it with all that it holds"
        )
    return ""


KIND = Kind(
    "data center",
    {
        "create": Verb(create, frozenset({"storage", "compat", "description"})),
        "update": Verb(update, frozenset({"compat", "description"})),
        "remove": Verb(remove, frozenset({"force"})),
    },
)
