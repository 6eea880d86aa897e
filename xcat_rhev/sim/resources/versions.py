"""Versions of a template: they share its name, and the newest stands for it."""

from __future__ import annotations

from ..call import ApiCall
from ..dialect import Thing
from ..world import World


def family(world: World, template: Thing) -> list[Thing]:
    """Give all versions of a template, the oldest first."""
    base = template.get("base") or template["id"]
    own = [one for one in world.all("template") if base in (one["id"], one.get("base"))]
    return sorted(own, key=lambda one: one["version_number"])


def next_number(world: World, base: Thing) -> int:
    """Give the number of a version that is made now; numbers of versions that are gone come again at the end alone."""
    return 1 + max(int(one["version_number"]) for one in family(world, base))


def home(world: World, template: Thing) -> str | None:
    """Give the id of a template's data center; the empty one is in all of them."""
    cluster = world.get("cluster", template.get("cluster"))
    return cluster["data_center"] if cluster else None


def look_up(call: ApiCall, said: Thing | None, cluster: Thing) -> Thing:
    """Find the template that a body names: by name the newest version in the cluster's data center.

    Raises:
        Refused: There is none.
    """
    world, name = call.world, (said or {}).get("name", "")
    if "id" not in (said or {}):
        centers = (None, cluster["data_center"])
        fits = [one for one in world.by_name("template", name) if one["name"] == name and home(world, one) in centers]
        said = {"name": name} if not fits else {"id": max(fits, key=lambda one: one["version_number"])["id"]}
        if not fits and world.by_name("template", name):
            said = {"name": f"{name} in that data center"}
    return call.look_up("template", said)


def hand_over(world: World, template: Thing) -> None:
    """Let the next version be the base of a family whose first one goes; it keeps its number."""
    heirs = [one for one in family(world, template) if one is not template]
    if template.get("base") or not heirs:
        return
    world.change(heirs[0], base=None)
    for one in heirs[1:]:
        world.change(one, base=heirs[0]["id"])
