"""Quotas: what the users of a data center may take together; `data_center.quota_mode` decides whether that counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Callable

from ....engine.manager import Manager
from ....engine.nouns import Cluster, DataCenter, Noun, Quota, QuotaClusterLimit, QuotaStorageLimit, Ref, StorageDomain
from ....errors import Usage
from ....plan.context import Context
from ..plainkind import PlainKind
from ..settings import Collected, find_named, number, words

#: All clusters or storage domains of the data center together.
_ALL = "*"
_UNLIMITED = -1


def _entries(word: str, form: str, typed: str) -> list[tuple[str, list[int]]]:
    """A name and its numbers, for each part of `cl1:16:64,cl2:8:32`.

    Raises:
        Usage: One has another form.
    """
    found = []
    for each in words(typed):
        name, *numbers = each.split(":")
        bad = any(one and not one.removeprefix("-").isdecimal() for one in numbers)
        if len(numbers) != form.count(":") or not name or bad:
            raise Usage(f"--set {word}={typed}: not of the form {form}; * stands for all, nothing for no limit")
        found.append((name, [int(one) if one else _UNLIMITED for one in numbers]))
    return found


def _place(context: Context, word: str, noun: type[Noun], name: str) -> Ref | None:
    return None if name == _ALL else find_named(context, word, noun, name)[0].ref


def _of_clusters(context: Context, typed: str) -> Sequence[Noun]:
    return [
        QuotaClusterLimit(
            cluster=_place(context, "cluster_limits", Cluster, name), vcpu_limit=vcpus, memory_limit=float(memory)
        )
        for name, (vcpus, memory) in _entries("cluster_limits", "CLUSTER:VCPUS:GIB", typed)
    ]


def _of_domains(context: Context, typed: str) -> Sequence[Noun]:
    return [
        QuotaStorageLimit(storage_domain=_place(context, "storage_limits", StorageDomain, name), limit=most)
        for name, (most,) in _entries("storage_limits", "DOMAIN:GIB", typed)
    ]


def _key(noun: type[Noun], each: Any) -> tuple[object, ...]:
    if noun is Cluster:
        return (each.cluster.id if each.cluster else "", each.vcpu_limit, each.memory_limit)
    return (each.storage_domain.id if each.storage_domain else "", each.limit)


def _show(noun: type[Noun], each: Any, manager: Manager) -> str:
    """As it is typed."""
    place = each.cluster if noun is Cluster else each.storage_domain
    numbers = (each.vcpu_limit, each.memory_limit) if noun is Cluster else (each.limit,)
    told = ("" if one is None or one == _UNLIMITED else f"{one:g}" for one in numbers)
    return ":".join([manager.name_of(noun, place) if place else _ALL, *told])


def _limits(word: str, noun: type[Noun], on: type[Noun], read: Callable[[Context, str], Sequence[Noun]]) -> Collected:
    return Collected(word, noun, read, partial(_key, on), partial(_show, on))


#: One that limits nothing comes with each data center.
KIND = PlainKind(
    "quota",
    Quota,
    (
        *map(number, ("cluster_soft_limit_pct", "cluster_hard_limit_pct")),
        *map(number, ("storage_soft_limit_pct", "storage_hard_limit_pct")),
    ),
    members=(
        _limits("cluster_limits", QuotaClusterLimit, Cluster, _of_clusters),
        _limits("storage_limits", QuotaStorageLimit, StorageDomain, _of_domains),
    ),
    came="quotas",
    home=DataCenter,
    hidden=frozenset({"Default"}),
)
