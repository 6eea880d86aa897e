"""cfgve --from: data centers and clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ...engine.nouns import DataCenter, Ref
from ...errors import RhevError
from ...messages import Error, error_of
from ...plan.context import Plan
from . import cl, dc
from .describedcenter import DescribedDataCenter, cluster_key, home_key, network_key
from .order import DescribedPart


def data_center(this: DescribedDataCenter) -> Iterator[DescribedPart]:
    """The data center itself."""
    yield DescribedPart(this.center.name, home_key(this.center.name), partial(_data_center, this))


def parts(this: DescribedDataCenter) -> Iterator[DescribedPart]:
    """Its clusters."""
    for name, values in this.center.clusters.items():
        after = {home_key(this.center.name)}
        if values.get("management"):
            after.add(network_key(values["management"], this.center.name))
        yield DescribedPart(name, cluster_key(name), partial(_cluster, this, name, values), frozenset(after))


def _data_center(this: DescribedDataCenter) -> Plan:
    center, there = this.center, this.home
    late = this.manager.too_new(f"storage type {center.storage}")
    if there is None and late:
        yield Error(late, center.name)
    elif there is None:
        wanted = dc.wanted_data_center(center.name, center.storage, center.compat or None, center.description or None)
        yield this.create_job(f"create data center with {center.storage} storage", wanted)
    elif dc.is_other(there, center.storage):
        yield Error(
            f"data center has been created with {dc.shown_storage(there)} storage, not {center.storage}", center.name
        )
    else:
        yield from this.change(there, _values(center.compat, center.description))


def _cluster(this: DescribedDataCenter, name: str, values: Mapping[str, Any]) -> Plan:
    there = this.clusters.get(name)
    if there is None:
        yield from _new_cluster(this, name, values)
        return
    if there.data_center and not (this.home and there.data_center.id == this.home.id):
        yield Error(f"cluster has been created in another data center than {this.center.name}", name)
        return
    wanted = _values(values.get("compat"), values.get("description"))
    if values.get("cpu"):
        wanted["cpu_type"] = values["cpu"]
    if there.data_center:
        yield from this.change(there, wanted)
    else:  # its data center was removed
        yield this.job(
            name,
            f"put it into data center {this.center.name}",
            lambda: this.manager.change(there, data_center=this.home_now().ref, **wanted),
        )


def _new_cluster(this: DescribedDataCenter, name: str, values: Mapping[str, Any]) -> Plan:
    compat = values.get("compat") or this.center.compat or (this.home.version if this.home else "") or ""
    try:
        cpu = cl.cpu_type(this.context, values.get("cpu", ""), compat)
    except RhevError as problem:
        yield error_of(problem, name)
        return
    home = this.home or DataCenter(name=this.center.name)
    wanted = cl.wanted_cluster(name, home, cpu, compat, values.get("description"))
    if values.get("management"):
        wanted = wanted.replace(management_network=Ref(name=values["management"]))
    yield this.create_job(f"create cluster in {this.center.name} with CPU type {cpu}", wanted)


def _values(compat: str | None, description: str | None) -> dict[str, Any]:
    """The values that a description gives, and no others."""
    return {key: value for key, value in (("version", compat), ("description", description)) if value}
