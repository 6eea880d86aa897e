"""Looks for what a create may have made whose answer was lost."""

from __future__ import annotations

from .catalog import Catalog
from .documents.noun import N
from .nouns import DataCenter, Noun, Ref, Vm


def find_made(catalog: Catalog, new: N, under: Noun | Ref | None) -> N | None:
    """Look among what is there: by name and data center, else by all that can be compared.

    Args:
        catalog: Asks the manager.
        new: What was to be made.
        under: What it was to belong to.
    """
    if new.name and under is None:
        hits = catalog.look(type(new), [new.name])
    else:
        hits = [each for each in catalog.list(type(new), under=under) if not new.name or each.name == new.name]
    return next((each for each in hits if _is_it(catalog, each, new)), None)


def _is_it(catalog: Catalog, found: Noun, new: Noun) -> bool:
    """Whether the manager shows no other values for it. It never shows a password."""
    if new.id and found.id != new.id:
        return False
    if new.name:
        return _in_its_center(catalog, found, new)
    told = {name: value for name, value in new.values().items() if getattr(found, name) and "password" not in name}
    return not found.differences(told)


def _in_its_center(catalog: Catalog, found: Noun, new: Noun) -> bool:
    """The same name may be used in several data centers; one is asked for by id or name, and answered by id."""
    asked: Ref | None = getattr(new, "data_center", None)
    there: Ref | None = getattr(found, "data_center", None)
    if isinstance(new, Vm) and isinstance(found, Vm):
        if not (found.cluster and new.cluster) or found.cluster.id == new.cluster.id:
            return True
        return len({catalog.center_of(vm) for vm in (found, new)} - {""}) < 2
    if not asked or not there:
        return True
    return there.id == asked.id if asked.id else catalog.name_of(DataCenter, there) == asked.name
