"""Disk profiles: the limits for disks of a storage domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import DiskProfile, Qos, StorageDomain
from ..plainkind import PlainKind
from ..settings import nested_reference, reference


@dataclass(frozen=True)
class _Profiles(PlainKind):
    """The engine makes one with each storage domain."""

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether it is unchanged since it came with its storage domain."""
        return manager.name_of(StorageDomain, noun.storage_domain) == noun.name and not noun.qos


KIND = _Profiles(
    "disk profile",
    DiskProfile,
    (reference("storage_domain", StorageDomain, needed=True, identity=True), nested_reference("qos", Qos)),
    came="disk profiles",
)
