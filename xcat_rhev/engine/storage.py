"""A storage domain's life inside a data center, the only place where it has a real state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Conflict
from .nouns import DataCenter, StorageDomain

if TYPE_CHECKING:
    from .manager import Manager


def attach(manager: Manager, center: DataCenter, domain: StorageDomain) -> StorageDomain:
    """Attach a storage domain; it may end in maintenance (3.0) or active (the first one, and all since 3.1)."""
    calls = manager.calls
    path = calls.collection(StorageDomain, center)

    def settle() -> StorageDomain | None:
        return next((each for each in manager.list(StorageDomain, under=center) if each.id == domain.id), None)

    return calls.create(StorageDomain(id=domain.id), path, settle)


def switch(manager: Manager, center: DataCenter, domain: StorageDomain, verb: str) -> None:
    """Activate or deactivate."""
    manager.calls.act(f"{manager.calls.path(domain, center)}/{verb}")


def detach(manager: Manager, center: DataCenter, domain: StorageDomain) -> None:
    """Detach; it must be in maintenance.

    Raises:
        Conflict: A local domain of 3.6 or later, which this would format.
    """
    if domain.storage_type == "localfs" and manager.calls.dialect.version >= (3, 6):
        raise Conflict(
            f"storage domain {domain.name} is local: to detach it is to format it",
            "Remove it instead if that is what you want",
        )
    manager.calls.remove(domain, manager.calls.path(domain, center))
