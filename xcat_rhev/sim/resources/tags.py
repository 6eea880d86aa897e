"""Tags, and what they are tied to."""

from __future__ import annotations

import re

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import SimShape, Thing, ref
from ..faults import BAD, CONFLICT, Gone, name_taken, refuse
from ..render import reference
from ..routing import Handler, delete, get, post, put
from ..world import ZERO, World
from .common import lists, shows

_NAME = re.compile(r"[A-Za-z0-9_-]+")
TAG = SimShape(
    "tag",
    "tag",
    "tags",
    "/tags/{tag}",
    (ref("host", fixed=True), ref("vm", fixed=True), ref("parent", "tag", "parent/tag", "parent")),
)


def _without_description(tag: Thing, call: ApiCall) -> Thing:
    """Show that a tag has no description, but not in the answer to who ties it."""
    return {"description": tag.get("description") or ""} if call.body is None and call.dialect.number == 4 else {}


OF_VM = SimShape(
    "tag",
    "tag",
    "tags",
    "/vms/{vm}/tags/{tag}",
    TAG.fields,
    view=lambda w, t, c: {**t, **_without_description(t, c), "vm": c.things["vm"]["id"]},
)
OF_HOST = SimShape(
    "tag",
    "tag",
    "tags",
    "/hosts/{host}/tags/{tag}",
    TAG.fields,
    view=lambda w, t, c: {**t, "host": c.things["host"]["id"]},
)
SHAPES["tag"] = TAG


def create(call: ApiCall) -> One:
    """Make a tag, below root unless another parent is named."""
    values = call.fresh(TAG)
    require(values, ("Tag", "Tag"), ("name",), call.dialect)
    if not _NAME.fullmatch(values["name"]):
        raise refuse("tag invalid", call.dialect, BAD)
    if call.world.exactly("tag", values["name"]):
        raise name_taken("Tag", call.dialect)
    parent = call.look_up("tag", values["parent"])["id"] if values.get("parent") else ZERO
    return One(TAG, call.world.add("tag", **{**values, "parent": parent}), 201)


def change(call: ApiCall) -> One:
    """Change a tag."""
    thing = call.things["tag"]
    values = call.changes(TAG)
    if values.get("parent"):
        values["parent"] = call.look_up("tag", values["parent"])["id"]
    call.world.change(thing, **values)
    return One(TAG, thing)


def remove(call: ApiCall) -> Removed:
    """Remove a tag and untie it everywhere."""
    thing = call.things["tag"]
    if thing["id"] == ZERO:
        raise refuse("tag root", call.dialect, BAD if call.dialect.modern else CONFLICT)
    _forget(call.world, thing)
    return Removed()


def _forget(world: World, tag: Thing) -> None:
    """Take a tag out of the world, with those below it."""
    for tie in world.of("tagging", "tag", tag["id"]):
        world.remove(tie)
    world.remove(tag)
    for child in [one for one in world.all("tag") if one.get("parent") == tag["id"]]:
        if world.get("tag", child["id"]):  # a ring of parents ends here
            _forget(world, child)


def ties_of(shape: SimShape, kind: str) -> Handler:
    """Make a handler that lists the tags of a thing."""

    def handle(call: ApiCall) -> Many:
        ties = call.world.of("tagging", "owner", call.things[kind]["id"])
        return Many(shape, [call.world.the("tag", tie["tag"]) for tie in ties])

    return handle


def tie(shape: SimShape, kind: str) -> Handler:
    """Make a handler that ties a tag to a thing."""

    def handle(call: ApiCall) -> One:
        tag = call.look_up("tag", reference(call.body))
        owner = call.things[kind]["id"]
        if _tie(call, owner, tag) is not None:
            if call.dialect.modern:
                return One(shape, tag, 201)
            raise refuse("tag used", call.dialect)
        call.world.add("tagging", tag=tag["id"], owner=owner)
        return One(shape, tag, 201)

    return handle


def _tie(call: ApiCall, owner: str, tag: Thing) -> Thing | None:
    return next((one for one in call.world.of("tagging", "owner", owner) if one["tag"] == tag["id"]), None)


def tied(shape: SimShape, kind: str) -> Handler:
    """Make a handler that shows a tag of a thing."""

    def handle(call: ApiCall) -> One:
        if _tie(call, call.things[kind]["id"], call.things["tag"]) is None:
            raise Gone
        return One(shape, call.things["tag"])

    return handle


def untie(kind: str) -> Handler:
    """Make a handler that unties a tag from a thing."""

    def handle(call: ApiCall) -> Removed:
        found = _tie(call, call.things[kind]["id"], call.things["tag"])
        if found is None:
            raise Gone
        call.world.remove(found)
        return Removed()

    return handle


ROUTES = (
    get("/tags", lists(TAG), "list tags"),
    post("/tags", create, "make a tag"),
    get("/tags/{tag}", shows(TAG), "show a tag"),
    put("/tags/{tag}", change, "change a tag"),
    delete("/tags/{tag}", remove, "remove a tag"),
    get("/vms/{vm}/tags", ties_of(OF_VM, "vm"), "list its tags"),
    post("/vms/{vm}/tags", tie(OF_VM, "vm"), "tie a tag to it"),
    get("/vms/{vm}/tags/{tag}", tied(OF_VM, "vm"), "show a tag of it"),
    delete("/vms/{vm}/tags/{tag}", untie("vm"), "untie a tag"),
    get("/hosts/{host}/tags", ties_of(OF_HOST, "host"), "list its tags"),
    post("/hosts/{host}/tags", tie(OF_HOST, "host"), "tie a tag to it"),
    get("/hosts/{host}/tags/{tag}", tied(OF_HOST, "host"), "show a tag of it"),
    delete("/hosts/{host}/tags/{tag}", untie("host"), "untie a tag"),
)
