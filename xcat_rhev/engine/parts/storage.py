"""A storage domain's life inside a data center, the only place where it has a real state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...errors import Conflict, Usage
from ..documents.bodies import Words
from ..nouns import DataCenter, Host, Iscsi, StorageDomain, Template

if TYPE_CHECKING:
    from ..api import Api


def attach(api: Api, center: DataCenter, domain: StorageDomain) -> StorageDomain:
    """Attach a storage domain; it may end in maintenance (3.0) or active (the first one, and all since 3.1)."""
    calls = api.calls
    path = calls.collection(StorageDomain, center)

    def settle() -> StorageDomain | None:
        return next((each for each in api.list(StorageDomain, under=center) if each.id == domain.id), None)

    return calls.create(StorageDomain(id=domain.id), path, settle)


def switch(api: Api, center: DataCenter, domain: StorageDomain, verb: str) -> None:
    """Activate or deactivate."""
    api.calls.act(f"{api.calls.path(domain, center)}/{verb}")


def detach(api: Api, center: DataCenter, domain: StorageDomain) -> None:
    """Detach; it must be in maintenance.

    Raises:
        Conflict: A local domain of 3.6 or later, which this would format.
    """
    if domain.storage_type == "localfs" and api.calls.dialect.has("detaching_formats"):
        raise Conflict(
            f"storage domain {domain.name} is local: to detach it is to format it",
            "Remove it instead if that is what you want",
        )
    api.calls.remove(domain, api.calls.path(domain, center))


def unregistered_domains(api: Api, host: Host, portal: dict[str, Any], targets: Sequence[str]) -> list[StorageDomain]:
    """Find block domains that a host sees and the manager does not have.

    Raises:
        Usage: The engine is too old.
    """
    _can_take_over(api)
    named: dict[str, Any] = {}
    if portal:
        # Engines look at the list of targets alone (BackendHostResource); v4's model names none.
        tag = "iscsi_target" if api.dialect == 3 else "iscsi_targets"
        named = {"iscsi": Iscsi(**portal), tag: Words("iscsi_target", tuple(targets))}
    path = f"{api.calls.path(host)}/unregisteredstoragedomainsdiscover"
    return [*api.calls.act(path, **named).storage_domains]


def unregistered_templates(api: Api, domain: StorageDomain) -> list[Template]:
    """List the templates on a data domain that the manager does not have.

    Raises:
        Usage: The engine is too old.
    """
    _can_take_over(api)
    return api.calls.list(Template, api.calls.collection(Template, domain), unregistered="true")


def _can_take_over(api: Api) -> None:
    if not api.calls.dialect.has("unregistered"):
        version = ".".join(map(str, api.version))
        raise Usage(f"manager {api.name} is of version {version}; what is on storage can be found since 3.5 only")
