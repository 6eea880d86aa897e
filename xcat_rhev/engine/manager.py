"""The facade of one manager: what a command may ask of it. The signatures are the contract with the commands."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from ..clock import Clock
from ..secret import Secret
from .nouns import (
    Answer,
    DataCenter,
    Disk,
    Event,
    FenceAgent,
    Host,
    NetworkAttachment,
    Nic,
    Noun,
    Ref,
    StorageDomain,
    Vm,
)
from .nouns_base import N


@dataclass(frozen=True)
class Access:
    """How a manager is reached, as tables say it."""

    name: str
    user: str
    password: Secret
    folder: Path
    ca: str = ""
    insecure: bool = False
    old_tls: bool = False
    workers: int = 8
    connect_timeout: float = 5.0
    api: str = ""


@dataclass(frozen=True)
class Console:
    """Where a VM's console is.

    Attributes:
        protocol: vnc, spice.
        address: The host to connect to.
        port: Plain port, or None.
        secure_port: TLS port, or None.
        ticket: The password.
        seconds: How long the ticket lives.
    """

    protocol: str
    address: str
    port: int | None
    secure_port: int | None
    ticket: Secret
    seconds: int


class Manager:
    """One manager, for the time of one request."""

    name: str
    dialect: int
    version: tuple[int, int]
    workers: int
    clock: Clock

    def counts(self) -> str:
        raise NotImplementedError

    def find(self, noun: type[N], names: Iterable[str], *, details: bool = False) -> dict[str, N]:
        raise NotImplementedError

    def one(self, noun: type[N], name: str, *, data_center: str = "") -> N:
        raise NotImplementedError

    def list(
        self, noun: type[N], *, under: Noun | Ref | None = None, where: str = "", details: bool = False
    ) -> builtins.list[N]:
        raise NotImplementedError

    def look(self, noun: type[N], names: Iterable[str], *, details: bool = False) -> builtins.list[N]:
        raise NotImplementedError

    def get(self, noun: type[N], id: str, *, under: Noun | Ref | None = None) -> N:
        raise NotImplementedError

    def name_of(self, noun: type[N], ref: Ref | None) -> str:
        raise NotImplementedError

    def events(self, about: Noun, limit: int = 5) -> builtins.list[Event]:
        raise NotImplementedError

    def create(self, new: N, *, under: Noun | Ref | None = None, **params: Any) -> N:
        raise NotImplementedError

    def change(self, current: N, **wanted: Any) -> N | None:
        raise NotImplementedError

    def remove(self, obj: Noun, *, under: Noun | Ref | None = None, **params: Any) -> None:
        raise NotImplementedError

    def act(self, obj: Noun, verb: str, *, under: Noun | Ref | None = None, **params: Any) -> Answer:
        raise NotImplementedError

    def add_disk(self, vm: Vm, disk: Disk) -> Disk:
        raise NotImplementedError

    def change_disk(self, vm: Vm, disk: Disk, **wanted: Any) -> Disk | None:
        raise NotImplementedError

    def remove_disk(self, vm: Vm, disk: Disk, *, keep: bool = False) -> None:
        raise NotImplementedError

    def add_nic(self, vm: Vm, nic: Nic) -> Nic:
        raise NotImplementedError

    def change_nic(self, vm: Vm, nic: Nic, **wanted: Any) -> Nic | None:
        raise NotImplementedError

    def remove_nic(self, vm: Vm, nic: Nic) -> None:
        raise NotImplementedError

    def attach_storage(self, data_center: DataCenter, domain: StorageDomain) -> StorageDomain:
        raise NotImplementedError

    def activate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        raise NotImplementedError

    def deactivate_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        raise NotImplementedError

    def detach_storage(self, data_center: DataCenter, domain: StorageDomain) -> None:
        raise NotImplementedError

    def set_fencing(self, host: Host, agent: FenceAgent) -> bool:
        raise NotImplementedError

    def fence(self, host: Host, kind: str) -> str:
        raise NotImplementedError

    def host_networks(self, host: Host) -> builtins.list[NetworkAttachment]:
        raise NotImplementedError

    def set_host_networks(self, host: Host, wanted: Sequence[NetworkAttachment], *, check: bool = True) -> bool:
        raise NotImplementedError

    def console(self, vm: Vm, seconds: int) -> Console:
        raise NotImplementedError

    def cpu_types(self, version: str = "") -> builtins.list[str]:
        raise NotImplementedError


class Managers:
    """Warm sessions with managers; one per process, used by many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def open(self, access: Access, say: Callable[[str], None] | None = None) -> Manager:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError
