"""Affinity labels: machines run on the hosts that have the same label."""

from __future__ import annotations

import re
from typing import Any

from ..answers import Many, One, Removed
from ..call import ApiCall
from ..dialect import NEVER, SimShape, Thing, ref, v4only
from ..faults import Gone, Refused
from ..render import reference
from ..routing import Handler, delete, get, post
from .affinity import MEMBER
from .hostshape import HOST
from .plain import Plain

LABEL = SimShape(
    "affinity_label",
    "affinity_label",
    "affinity_labels",
    "/affinitylabels/{affinity_label}",
    (
        v4only("read_only", "bool", usual=False),
        v4only("has_implicit_affinity_group", "bool", usual=False, since4=(4, 3)),
        ref("hosts", "host", "", "hosts/host[]"),
        ref("vms", "vm", "", "vms/vm[]"),
    ),
)
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def _check_name(call: ApiCall, values: Thing, there: Thing | None) -> None:
    if not _NAME.fullmatch(values["name"]):
        text = "The name for affinity label is invalid. Only letters, numbers, '-', and '_' are valid characters."
        raise Refused(text)
    if there is None:
        values.update(hosts=[], vms=[])  # they come in by themselves


def _empty(_call: ApiCall, label: Thing) -> None:
    if label["hosts"] or label["vms"]:
        raise Refused("Cannot delete affinity label, remove it from all entities first.")


def _members(shape: SimShape, key: str) -> Handler:
    def handle(call: ApiCall) -> Many:
        there = (call.world.get(shape.kind, one) for one in call.things["affinity_label"][key])
        return Many(shape, [one for one in there if one])

    return handle


def _join(shape: Any, key: str) -> Handler:
    def handle(call: ApiCall) -> One:
        label, thing = call.things["affinity_label"], call.look_up(shape.kind, reference(call.body))
        call.world.change(label, **{key: [*dict.fromkeys([*label[key], thing["id"]])]})
        return One(shape, thing, 201)

    return handle


def _leave(kind: str, key: str) -> Handler:
    def handle(call: ApiCall) -> Removed:
        label, thing = call.things["affinity_label"], call.things[kind]
        if thing["id"] not in label[key]:
            raise Gone
        call.world.change(label, **{key: [one for one in label[key] if one != thing["id"]]})
        return Removed()

    return handle


_LABEL = Plain(
    *(LABEL, "Label", "AffinityLabel"),
    taken="Cannot add affinity label with a conflicting NAME.",
    check=_check_name,
    last=_empty,
)
_ONE = "/affinitylabels/{affinity_label}"
ROUTES = (
    *_LABEL.routes("/affinitylabels"),
    *(
        route
        for shape, kind, key in ((HOST, "host", "hosts"), (MEMBER, "vm", "vms"))
        for route in (
            get(f"{_ONE}/{key}", _members(shape, key), f"list its {key}", since3=NEVER),
            post(f"{_ONE}/{key}", _join(shape, key), f"give it to a {kind}", since3=NEVER),
            delete(f"{_ONE}/{key}/{{{kind}}}", _leave(kind, key), f"take it off a {kind}", since3=NEVER),
        )
    ),
)
