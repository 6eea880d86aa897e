"""MAC pools: the one that every engine has, and those that people make."""

from __future__ import annotations

from ..answers import One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, sim_field
from ..faults import BAD, Refused, name_taken
from ..routing import delete, get, post, put
from .common import lists, shows

POOL = SimShape(
    "mac_pool",
    "mac_pool",
    "mac_pools",
    "/macpools/{mac_pool}",
    (
        sim_field("allow_duplicates", "bool"),
        sim_field("default_pool", "bool"),
        sim_field("ranges", v3="ranges/range[]", v4="ranges/range[]", item=(sim_field("from"), sim_field("to"))),
    ),
)
SHAPES["mac_pool"] = POOL


def create(call: ApiCall) -> One:
    """Make a MAC pool."""
    values = call.fresh(POOL)
    require(values, ("MacPool", "MacPool"), ("name",), call.dialect)
    _check(call, values, None)
    if values.get("default_pool"):
        raise Refused("Cannot create MAC Pool. Setting default MAC Pool is not supported.")
    usual = {"description": "", "allow_duplicates": False, "default_pool": False}
    return One(POOL, call.world.add("mac_pool", **{**usual, **values}), 201)


def change(call: ApiCall) -> One:
    """Change a MAC pool."""
    pool, values = call.things["mac_pool"], call.changes(POOL)
    _check(call, {**pool, **values}, pool)
    if values.get("default_pool", pool["default_pool"]) != pool["default_pool"]:
        raise Refused("Cannot edit MAC Pool. Changing default MAC Pool is not supported.")
    call.world.change(pool, **values)
    return One(POOL, pool)


def _check(call: ApiCall, values: Thing, own: Thing | None) -> None:
    action = "edit" if own else "create"
    others = [each for each in call.world.all("mac_pool") if each is not own]
    if any(each["name"] == values["name"] for each in others):
        raise name_taken("MAC Pool", call.dialect, action)
    if not values.get("ranges"):
        raise Refused(f"Cannot {action} MAC Pool. MAC Pool must contain at least one MAC address range.")
    if not all(each.get("from") and each.get("to") for each in values["ranges"]):
        raise Refused("MacPool [ranges.from, ranges.to] required", BAD, "Incomplete parameters")
    clashing = [each["name"] for each in others if _overlap(each["ranges"], values["ranges"])]
    if clashing and call.dialect.knows((4, 2)):
        names = ", ".join(f"'{name}'" for name in clashing)
        words = f"MAC pool cannot contain ranges which overlap with ranges in MAC pools: {names}"
        raise Refused(f"Cannot {action} MAC Pool. {words}")


def _overlap(some: list[Thing], others: list[Thing]) -> bool:
    return any(
        one["from"].lower() <= other["to"].lower() and other["from"].lower() <= one["to"].lower()
        for one in some
        for other in others
    )


def remove(call: ApiCall) -> Removed:
    """Remove a MAC pool that is not the engine's own."""
    if call.things["mac_pool"]["default_pool"]:
        raise Refused("Cannot remove MAC Pool. Default MAC Pool cannot be removed.")
    call.world.remove(call.things["mac_pool"])
    return Removed()


_SINCE = {"since3": (3, 6)}
ROUTES = (
    get("/macpools", lists(POOL), "list MAC pools", **_SINCE),
    post("/macpools", create, "make a MAC pool", **_SINCE),
    get("/macpools/{mac_pool}", shows(POOL), "show a MAC pool", **_SINCE),
    put("/macpools/{mac_pool}", change, "change a MAC pool", **_SINCE),
    delete("/macpools/{mac_pool}", remove, "remove a MAC pool", **_SINCE),
)
