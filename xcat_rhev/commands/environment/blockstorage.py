"""LUNs: found through a host, and checked before a storage domain is made on them or taken over from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...engine.manager import Manager
from ...engine.nouns import Host, HostStorage, LogicalUnit, StorageDomain
from ...engine.states import UnitStatus
from ...errors import Conflict, NotFound, Usage
from ...messages import few
from ...ordering import natural
from ...rows.storage import StorageRow


def prepare(manager: Manager, host: Host, row: StorageRow) -> StorageRow:
    """Make sure that a host sees the LUNs of a domain and that they are free; an iSCSI target needs a login first.

    Args:
        manager: The manager.
        host: The host that does it.
        row: A block domain.

    Returns:
        The row with target and LUNs filled in.

    Raises:
        NotFound: The portal does not offer the target, or the host does not see a LUN.
        Usage: The row leaves open which target or LUN, and there are several; the hint lists them.
        Conflict: A LUN belongs to another storage domain.
    """
    if row.storage == "iscsi":
        portal = _portal(row)
        row = replace(row, target=_target(row, _targets(manager, host, portal)))
        manager.act(host, "iscsilogin", target=row.target, **portal)
    return replace(row, luns=_luns(row, _visible(manager, host, row.storage)))


def find(manager: Manager, host: Host, row: StorageRow) -> StorageDomain:
    """Find the domain on block storage that a row means and that the manager does not have.

    It is the one on the row's LUNs; of several the one of the row's name; without LUNs the one of that name, or the
    only one there is.

    Args:
        manager: The manager.
        host: The host that looks, and logs in to the portal's targets for it.
        row: A block domain.

    Raises:
        NotFound: There is none.
        Usage: There are several, or the engine is too old.
    """
    targets: Sequence[str] = ()
    if row.storage == "iscsi":
        offered = _targets(manager, host, _portal(row))
        targets = [_target(row, offered)] if row.target else offered
    found = manager.unregistered_domains(host, _portal(row), targets)
    on = {unit.id or "": unit.group for unit in _visible(manager, host, row.storage).values()}
    fits = [each for each in found if not row.luns or any(on.get(lun) == each.group for lun in row.luns)]
    own = [each for each in fits if each.name == row.name] or fits
    if len(own) == 1:
        return own[0]
    where = _where(row)
    shown = [f"{each.name} ({few(lun for lun, group in on.items() if group == each.group)})" for each in found]
    if not own:
        raise NotFound(
            f"{where} holds no storage domain to take over",
            f"It has: {', '.join(sorted(shown, key=natural)) or 'none'}",
        )
    raise Usage(
        f"{where} holds several storage domains: {', '.join(sorted(shown, key=natural))}",
        "Name a LUN in virtsd.location",
    )


def _where(row: StorageRow) -> str:
    if row.luns:
        return f"LUN {', '.join(row.luns)}"
    return f"the portal {row.address}:{row.port}" + (f", target {row.target}," if row.target else "")


def _portal(row: StorageRow) -> dict[str, Any]:
    """How the portal of an iSCSI domain is reached; nothing for Fibre Channel."""
    if row.storage != "iscsi":
        return {}
    secret = {"username": row.user, "password": row.password} if row.user else {}
    return {"address": row.address, "port": row.port, **secret}


def _targets(manager: Manager, host: Host, portal: Mapping[str, Any]) -> list[str]:
    answer = manager.act(host, "iscsidiscover", **portal)
    return sorted({each.target for each in answer.targets if each.target}, key=natural)


def _target(row: StorageRow, offered: list[str]) -> str:
    where = f"the portal {row.address}:{row.port}"
    if row.target:
        if row.target not in offered:
            raise NotFound(f"{where} has no target {row.target}", f"It has: {', '.join(offered) or 'none'}")
        return row.target
    if len(offered) != 1:
        raise Usage(f"{where} has {len(offered)} targets: {', '.join(offered)}", "Add |target=... to virtsd.location")
    return offered[0]


def _visible(manager: Manager, host: Host, storage: str) -> dict[str, LogicalUnit]:
    """What a host sees of one storage type, by LUN."""
    return {
        unit.id or "": unit
        for each in manager.list(HostStorage, under=host)
        if each.type in (storage, None)
        for unit in each.logical_units
    }


def _luns(row: StorageRow, seen: Mapping[str, LogicalUnit]) -> tuple[str, ...]:
    """The LUNs to use: those of the row, or the only one that is free."""
    if row.luns:
        _check(row, seen)
        return row.luns
    free = _free(unit for unit in seen.values() if unit.target == row.target)
    if len(free) != 1:
        raise Usage(f"target {row.target} has these free LUNs: {_list_text(free)}", "Add |lun=... to virtsd.location")
    return (free[0],)


def _check(row: StorageRow, seen: Mapping[str, LogicalUnit]) -> None:
    unseen = [lun for lun in row.luns if lun not in seen]
    if unseen:
        raise NotFound(
            f"host {row.host} does not see LUN {', '.join(unseen)}",
            f"These are free: {_list_text(_free(seen.values()))}",
        )
    taken = [lun for lun in row.luns if _in_use(seen[lun])]
    if taken:
        raise Conflict(
            f"LUN {', '.join(taken)} belongs to a storage domain already",
            "Give -i instead of -c to take over a domain that no manager has any more",
        )


def _free(units: Iterable[LogicalUnit]) -> list[str]:
    return sorted(unit.id for unit in units if unit.id and not _in_use(unit))


def _list_text(luns: Sequence[str]) -> str:
    return few(luns) or "none"


def _in_use(unit: LogicalUnit) -> bool:
    return bool(unit.domain) or unit.status == UnitStatus.USED


def units(row: StorageRow) -> tuple[LogicalUnit, ...]:
    """The LUNs of a domain to be made; empty for storage that has none."""
    secret = {"username": row.user, "password": row.password} if row.user else {}
    portal = {"address": row.address, "port": row.port, "target": row.target} if row.storage == "iscsi" else {}
    return tuple(LogicalUnit(id=lun, **portal, **secret) for lun in row.luns)
