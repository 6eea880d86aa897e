"""cfgve --from: storage domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ...engine.states import CenterStatus, DomainStatus
from ...messages import Error, Warn
from ...plan.context import Context, Plan
from ...rows.storage import StorageRow, read_storage
from . import sdmake
from .describedcenter import DescribedDataCenter, home_key, host_key
from .order import DescribedPart


def faults(context: Context, names: list[str], complete: bool) -> Iterator[Error]:
    """What is wrong with described rows; without the hints, which are about tables and not about a file."""
    for name, texts in read_storage(context.xcat, names, complete=complete)[1].items():
        yield from (Error(text.partition(". Run: ")[0].replace("virtsd.", ""), name) for text in texts)


def parts(this: DescribedDataCenter, elsewhere: frozenset[str]) -> Iterator[DescribedPart]:
    """The domains of the data center.

    Args:
        this: The data center.
        elsewhere: Domains that another data center of the description makes; ISO domains may be in several.
    """
    rows, _ = read_storage(this.context.xcat, list(this.center.storage_domains), complete=False)
    if not rows:
        return
    scene = sdmake.look(this.context, rows)
    leader = _leader(this, rows)
    for name, row in rows.items():
        after = {home_key(this.center.name), host_key(row.host)}
        if leader and name != leader:
            after.add(_key(this, leader))
        later = ""
        if name in elsewhere and _building(this, scene, row).seen is None:
            after.add(sdmake.key(name))
            later = f"attach to data center {this.center.name}"
        plan = partial(_domain, this, scene, row, name in elsewhere)
        yield DescribedPart(
            name, _key(this, name) if name in elsewhere else sdmake.key(name), plan, frozenset(after), later
        )


def _key(this: DescribedDataCenter, name: str) -> str:
    return f"{sdmake.key(name)} in {this.center.name}"


def _domain(this: DescribedDataCenter, scene: sdmake.Scene, row: StorageRow, elsewhere: bool) -> Plan:
    if elsewhere:  # it may have been made since
        scene = sdmake.look(this.context, {row.name: row})
    there = scene.domains.get(row.name)
    if there is None:
        wrong = list(faults(this.context, [row.name], complete=True))
    else:
        texts = sdmake.others(there, row)
        wrong = [Error(f"storagedomains has been defined in the rhevm with {text}", row.name) for text in texts]
    yield from wrong
    building = _building(this, scene, row)
    if building.seen is not None and building.seen.status == DomainStatus.UNKNOWN:
        yield Warn("the manager does not know the state of the storage domain, so it is not changed", row.name)
    elif not wrong:
        yield building.job()


def _building(this: DescribedDataCenter, scene: sdmake.Scene, row: StorageRow) -> sdmake.Building:
    return sdmake.Building(scene, row, False, row.name not in this.center.resting)


def _leader(this: DescribedDataCenter, rows: Mapping[str, StorageRow]) -> str:
    """The data domain that initializes the data center, if it is not initialized yet."""
    if this.home is not None and this.home.status != CenterStatus.UNINITIALIZED:
        return ""
    return next((name for name, row in rows.items() if row.kind == "data"), "")
