"""Handlers that every noun needs, made from its shape."""

from __future__ import annotations

from ..answers import Many, One, Raw
from ..call import ApiCall
from ..dialect import SimShape, Thing
from ..faults import Gone, Refused
from ..render import document, fault
from ..routing import Handler, Route, get


def lists(shape: SimShape, searched: str = "") -> Handler:
    """Make a handler that lists all things of a noun.

    Args:
        shape: The noun.
        searched: What the search language calls it; empty where the list cannot be searched.
    """
    return lambda call: Many(shape, call.world.all(shape.kind), searched)


def shows(shape: SimShape) -> Handler:
    """Make a handler that shows the thing which the path names."""
    return lambda call: One(shape, call.things[shape.kind])


def lists_of(shape: SimShape, owner: str, key: str = "") -> Handler:
    """Make a handler that lists the things of an owner in the path.

    Args:
        shape: The noun.
        owner: The owner's kind in the path.
        key: By which the things know their owner, if not by its kind.
    """
    return lambda call: Many(shape, call.world.of(shape.kind, key or owner, call.things[owner]["id"]))


def with_id(thing: Thing, name: str) -> Thing:
    """The same thing under the id by which its owner's list knows it, which other owners' lists have as well."""
    return {**thing, "id": name}


def called_so(call: ApiCall, kind: str, owner: str, key: str, word: str) -> Thing:
    """Find what the path calls by such an id.

    Args:
        call: Its path has the id under `word`.
        kind: What is looked for.
        owner: The kind of its owner, which the path names too.
        key: The value of the thing that is its id there; the owner's id where it is empty.
        word: The path's.

    Raises:
        Gone: There is none.
    """
    own = call.things[owner]["id"]
    for one in call.world.of(kind, owner, own):
        if (one.get(key) or own) == call.things[word]["id"]:
            return one
    raise Gone


def empty(shape: SimShape) -> Handler:
    """Make a handler for a list that has nothing in this simulator."""
    return lambda _call: Many(shape, ())


def creation(shape: SimShape) -> Route:
    """Give the address at which a creation that took tasks says how it is."""

    def show(call: ApiCall) -> Raw:
        thing = call.things[shape.kind]
        busy = thing["status"] in {"locked", "image_locked"}
        word = "in_progress" if busy else "failed" if thing["status"] == "illegal" else "complete"
        status = f"<status>{word}</status>" if call.dialect.number == 4 else f"<status><state>{word}</state></status>"
        failed = fault(call.dialect, Refused("The creation failed")) if word == "failed" else ""
        return Raw(document(f'<creation id="{thing["id"]}">{status}{failed}</creation>'))

    return get(f"{shape.path}/creation_status/{{task}}", show, "how a creation stands")


def task_of(shape: SimShape) -> Route:
    """Give the address at which an action that took tasks says how it is; unknown tasks count as complete."""

    def show(call: ApiCall) -> Raw:
        if call.routes.find("POST", f"{shape.path}/{call.things['verb']['id']}", call.dialect) is None:
            raise Gone
        thing = call.things[shape.kind]
        busy = call.world.schedule.moves(thing)
        word = "in_progress" if busy else "complete"
        status = f"<status>{word}</status>" if call.dialect.number == 4 else f"<status><state>{word}</state></status>"
        return Raw(document(f'<action id="{call.things["task"]["id"]}">{status}</action>'))

    return get(f"{shape.path}/{{verb}}/{{task}}", show, "how an action stands")
