"""Quotas of a data center, and their limits for clusters and storage domains."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall
from ..dialect import SimShape, Thing, Version, ref, sim_field
from ..faults import BAD, Refused
from ..routing import Handler, Route, delete, get, post
from ..world import COMES_ALONG, World
from .common import called_so, with_id
from .plain import Plain
from .vmshape import derive_id

_PERCENT = ("cluster_soft_limit_pct", "cluster_hard_limit_pct", "storage_soft_limit_pct", "storage_hard_limit_pct")
QUOTA = SimShape(
    "quota",
    "quota",
    "quotas",
    "/datacenters/{data_center}/quotas/{quota}",
    (ref("data_center"), *(sim_field(word, "int") for word in _PERCENT)),
)
_OWN = "/datacenters/{data_center}/quotas/{quota}"
OF_CLUSTER = SimShape(
    "quota_cluster_limit",
    "quota_cluster_limit",
    "quota_cluster_limits",
    f"{_OWN}/quotaclusterlimits/{{limit}}",
    (
        ref("quota"),
        ref("cluster"),
        sim_field("vcpu_limit", "int"),
        sim_field("vcpu_usage", "int", fixed=True),
        sim_field("memory_limit"),
        sim_field("memory_usage", fixed=True),
    ),
    basics=(),
)
OF_DOMAIN = SimShape(
    "quota_storage_limit",
    "quota_storage_limit",
    "quota_storage_limits",
    f"{_OWN}/quotastoragelimits/{{limit}}",
    (ref("quota"), ref("storage_domain"), sim_field("limit", "int"), sim_field("usage", fixed=True)),
    basics=(),
)
#: Elements have other names in v3, addresses have not.
_AS_IN_3 = {
    "quota_cluster_limit": replace(OF_CLUSTER, tag="cluster_quota_limit", plural="cluster_quota_limits"),
    "quota_storage_limit": replace(OF_DOMAIN, tag="storage_quota_limit", plural="storage_quota_limits"),
}


def _of_center(world: World, center: Thing) -> None:
    """Make the quota that comes with a data center: without limits, so that nothing is refused."""
    world.add(
        "quota",
        id=derive_id("quota", center["id"]),
        name="Default",
        description="Default unlimited quota",
        data_center=center["id"],
        is_default=True,
        **dict(zip(_PERCENT, (80, 20, 80, 20))),
    )


def _own(_call: ApiCall, _values: Thing, there: Thing | None) -> None:
    if there is not None and there.get("is_default"):
        raise Refused("Cannot edit Quota. Default quota cannot be changed.")


def _last(_call: ApiCall, quota: Thing) -> None:
    if quota.get("is_default"):
        raise Refused("Cannot remove Quota. Default quota cannot be changed.")


def _in_dialect(call: ApiCall, shape: SimShape) -> SimShape:
    """The shape as the call's dialect has it."""
    return _AS_IN_3[shape.kind] if call.dialect.number == 3 else shape


def _with_limit_id(call: ApiCall, one: Thing, on: str) -> Thing:
    """A limit under its id: that of what it is for, or the quota's where all are meant."""
    return with_id(one, one.get(on) or call.things["quota"]["id"])


def _limits(shape: SimShape, on: str) -> Handler:
    def handle(call: ApiCall) -> Many:
        there = call.world.of(shape.kind, "quota", call.things["quota"]["id"])
        return Many(_in_dialect(call, shape), [_with_limit_id(call, one, on) for one in there])

    return handle


def _limit(shape: SimShape, on: str) -> Handler:
    def handle(call: ApiCall) -> One:
        return One(
            _in_dialect(call, shape), _with_limit_id(call, called_so(call, shape.kind, "quota", on, "limit"), on)
        )

    return handle


def _set_limit(shape: SimShape, on: str) -> Handler:
    """Make a handler that sets a limit, of one thing or of all; a second one of the same replaces the first."""

    def handle(call: ApiCall) -> One:
        quota, values = call.things["quota"], call.read(_in_dialect(call, shape))
        _own(call, values, quota)
        target = call.look_up(on, values.pop(on))["id"] if values.get(on) else None
        values.pop("id", None)
        there = call.world.of(shape.kind, "quota", quota["id"])
        if any(bool(one.get(on)) != bool(target) for one in there):
            words = "Limitation can not be configured as specific and general for the same Quota."
            more = (
                "Please choose whether the limitation should be enforced on the Data Center (global) or for specific "
                "storage domain or cluster."
            )
            raise Refused(f"Cannot edit Quota. {words} {more}")
        for one in there:
            if one.get(on) == target:
                call.world.remove(one)
        usage: Thing = {"vcpu_usage": 0, "memory_usage": "0.0"} if on == "cluster" else {"usage": "0.0"}
        usual: Thing = {"vcpu_limit": -1, "memory_limit": "-1.0"} if on == "cluster" else {"limit": -1}
        if "memory_limit" in values:
            values["memory_limit"] = str(_read_number(values["memory_limit"]))
        made = call.world.add(shape.kind, **{**usual, **usage, **values, "quota": quota["id"], on: target})
        return One(_in_dialect(call, shape), _with_limit_id(call, made, on))

    return handle


def _read_number(text: str) -> float:
    """A limit in GiB, as a document says it."""
    try:
        return float(text)
    except ValueError:
        raise Refused(f"For input string: '{text}'", BAD, listed=False) from None


def _drop_limit(kind: str, on: str) -> Handler:
    def handle(call: ApiCall) -> Removed:
        call.world.remove(called_so(call, kind, "quota", on, "limit"))
        return Removed()

    return handle


_SINCE3: Version = (3, 6)


def _routes(shape: SimShape, on: str) -> Iterable[Route]:
    SHAPES[shape.kind] = shape
    path = shape.path.rpartition("/")[0]
    yield get(path, _limits(shape, on), "list its limits", since3=_SINCE3)
    yield post(path, _set_limit(shape, on), "set a limit", since3=_SINCE3)
    yield get(shape.path, _limit(shape, on), "show a limit", since3=_SINCE3)
    yield delete(shape.path, _drop_limit(shape.kind, on), "take a limit away", since3=_SINCE3)


COMES_ALONG["data_center"] = _of_center
_QUOTA = Plain(
    *(QUOTA, "Quota", "Quota"),
    owner="data_center",
    usual=dict.fromkeys(_PERCENT, 0),
    check=_own,
    last=_last,
    since3=_SINCE3,
)
ROUTES = (
    *_QUOTA.routes("/datacenters/{data_center}/quotas"),
    *_routes(OF_CLUSTER, "cluster"),
    *_routes(OF_DOMAIN, "storage_domain"),
)
