"""Storage domains that are there: where they are attached, and what needs them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...engine.manager import Manager, quote
from ...engine.nouns import DataCenter, Noun, StorageDomain, Vm
from ...engine.states import DOMAIN_ACTIVE, DomainStatus, VmStatus
from ...errors import NotFound
from ...messages import few
from ...plan.context import Context
from .kind import is_in


@dataclass(frozen=True)
class Found:
    """A storage domain and its place.

    Attributes:
        name: Its name.
        domain: As the manager lists it outside data centers; None if there is none.
        home: The data center it is attached to, or None.
        neighbours: All domains of that data center, this one included, with their real states.
    """

    name: str
    domain: StorageDomain | None = None
    home: DataCenter | None = None
    neighbours: tuple[StorageDomain, ...] = ()

    @property
    def inside(self) -> StorageDomain | None:
        """The domain with its real state, as its data center shows it; None if unattached."""
        own = self.domain.id if self.domain else None
        return next((sd for sd in self.neighbours if sd.id == own), None)

    @property
    def status(self) -> str:
        """Its real state; `unattached` outside data centers."""
        inside = self.inside
        return (inside.status or "unknown") if inside else DomainStatus.UNATTACHED


def look(context: Context, names: Sequence[str]) -> list[Found]:
    """Find domains and where they are attached; one list per data center that can hold one."""
    domains = context.manager.find(StorageDomain, names)
    homes = context.manager.list(DataCenter) if domains else []
    inside: dict[str, tuple[StorageDomain, ...]] = {}
    found = []
    for name in names:
        domain = domains.get(name)
        home = None
        for candidate in _candidates(domain, homes) if domain else ():
            key = candidate.id or ""
            if key not in inside:
                inside[key] = tuple(context.manager.list(StorageDomain, under=candidate))
            if domain and any(sd.id == domain.id for sd in inside[key]):
                home = candidate
                break
        found.append(Found(name, domain, home, inside.get(home.id or "", ()) if home else ()))
    return found


def _candidates(domain: StorageDomain, homes: Sequence[DataCenter]) -> Sequence[DataCenter]:
    """The data centers it may be in: RHEV 3.0 does not say, later ones do."""
    if domain.status == DomainStatus.UNATTACHED:
        return ()
    said = (*domain.data_centers, *((domain.data_center,) if domain.data_center else ()))
    return [home for home in homes if any(is_in(ref, home) for ref in said)] if said else homes


def with_states(manager: Manager, domains: Iterable[Noun]) -> list[StorageDomain]:
    """Add the states of domains, which only their data centers show; one list per data center that holds one.

    An ISO domain may be in several data centers and in another state in each. All of them are shown.
    """
    wanted = [each for each in domains if isinstance(each, StorageDomain)]
    attached = [each for each in wanted if each.status != DomainStatus.UNATTACHED]
    said = {ref.id for each in attached for ref in each.data_centers if ref.id}
    if any(not each.data_centers for each in attached):  # RHEV 3.0 to 3.5 do not say where a domain is
        said = {home.id or "" for home in manager.list(DataCenter)}
    states: dict[str, set[str]] = {}
    for home in sorted(said):
        for inside in manager.list(StorageDomain, under=DataCenter(id=home)):
            states.setdefault(inside.id or "", set()).add(inside.status or "unknown")
    return [each.replace(status=",".join(sorted(states.get(each.id or "", ()))) or each.status) for each in wanted]


def not_found(context: Context, name: str) -> NotFound:
    """There is no such domain."""
    return NotFound(f"failed to get storagedomains: {name}", f"Run: cfgve -t sd -m {context.manager.name} -o {name} -c")


def running_on(context: Context, found: Found) -> list[str]:
    """Names of the virtual machines that run from its disks."""
    return [vm.name or "?" for vm in _with_disks_on(context, found) if vm.status != VmStatus.DOWN]


def resting_on(context: Context, found: Found) -> list[str]:
    """Names of the virtual machines that are down and have disks on it."""
    return [vm.name or "?" for vm in _with_disks_on(context, found) if vm.status == VmStatus.DOWN]


def _with_disks_on(context: Context, found: Found) -> list[Vm]:
    own = found.domain.id if found.domain else ""
    vms = context.manager.list(Vm, where=f"Storage.name={quote(found.name)}", details=True)
    return [vm for vm in vms if any(ref.id == own for disk in vm.disks or () for ref in disk.storage_domains)]


def is_last_active(found: Found) -> bool:
    """Whether it is the only active data domain of its data center."""
    inside = found.inside
    if inside is None or inside.type != "data" or inside.status not in DOMAIN_ACTIVE:
        return False
    return not any(sd.type == "data" and sd.status in DOMAIN_ACTIVE for sd in found.neighbours if sd.id != inside.id)


def in_use(names: Sequence[str]) -> str:
    """Why a domain cannot be removed: machines run on it."""
    return f"virtual machines run from it: {few(names)}. Run: rpower {','.join(names[:3])} off"
