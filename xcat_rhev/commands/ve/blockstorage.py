"""LUNs: found through a host, and checked before a storage domain is made of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Answer, Host, HostStorage, LogicalUnit
from ...errors import Conflict, NotFound, Usage
from ..storagerows import StorageRow


def login(manager: Manager, host: Host, row: StorageRow) -> StorageRow:
    """Discover the targets of a portal, log in to one, and find the LUNs.

    Args:
        manager: The manager.
        host: The host that does it.
        row: An iSCSI domain.

    Returns:
        The row with target and LUNs filled in.

    Raises:
        NotFound: The portal does not offer the target, or the host does not see a LUN.
        Usage: The row leaves open which target or LUN, and there are several; the hint lists them.
        Conflict: A LUN belongs to another storage domain.
    """
    portal: dict[str, Any] = {"address": row.address, "port": row.port}
    if row.user:
        portal.update(username=row.user, password=row.password)
    target = _target(row, _targets(manager.act(host, "iscsidiscover", **portal)))
    manager.act(host, "iscsilogin", target=target, **portal)
    return replace(row, target=target, luns=_luns(manager, host, replace(row, target=target)))


def _targets(answer: Answer) -> list[str]:
    return sorted({each.target for each in answer.targets if each.target})


def _target(row: StorageRow, offered: list[str]) -> str:
    where = f"the portal {row.address}:{row.port}"
    if row.target:
        if row.target not in offered:
            raise NotFound(f"{where} has no target {row.target}", f"It has: {', '.join(offered) or 'none'}")
        return row.target
    if len(offered) != 1:
        raise Usage(f"{where} has {len(offered)} targets: {', '.join(offered)}", "Add |target=... to virtsd.location")
    return offered[0]


def _luns(manager: Manager, host: Host, row: StorageRow) -> tuple[str, ...]:
    seen = {unit.id: unit for storage in manager.list(HostStorage, under=host) for unit in storage.logical_units}
    if row.luns:
        return tuple(_free(row, seen.get(lun), lun) for lun in row.luns)
    free = [unit.id for unit in seen.values() if unit.target == row.target and not _taken(unit)]
    if len(free) != 1 or not free[0]:
        names = ", ".join(sorted(filter(None, free))) or "none"
        raise Usage(f"target {row.target} has these free LUNs: {names}", "Add |lun=... to virtsd.location")
    return (free[0],)


def _free(row: StorageRow, unit: LogicalUnit | None, lun: str) -> str:
    if unit is None:
        raise NotFound(f"host {row.host} does not see LUN {lun}", "Check virtsd.location and the access rights there")
    if _taken(unit):
        raise Conflict(f"LUN {lun} belongs to a storage domain already")
    return lun


def _taken(unit: LogicalUnit) -> bool:
    return bool(unit.domain) or unit.status == "used"


def units(row: StorageRow) -> tuple[LogicalUnit, ...]:
    """The LUNs of a domain to be made; empty for storage that has none."""
    secret = {"username": row.user, "password": row.password} if row.user else {}
    portal = {"address": row.address, "port": row.port, "target": row.target} if row.storage == "iscsi" else {}
    return tuple(LogicalUnit(id=lun, **portal, **secret) for lun in row.luns)
