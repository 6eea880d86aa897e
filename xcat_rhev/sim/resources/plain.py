"""Kinds of which an engine keeps what it is given: said once, with their calls made from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..answers import Many, One, Removed
from ..call import SHAPES, ApiCall, require
from ..dialect import NEVER, SimField, SimShape, Thing, Version
from ..faults import CONFLICT, NAME_TAKEN, TAKEN, Refused
from ..routing import Route, delete, get, post, put
from .common import shows

#: Looks at what is wanted: the call, the values as they would be, and the thing as it is, None for a new one.
Check = Callable[[ApiCall, Thing, "Thing | None"], None]


def _anything(_call: ApiCall, _values: Thing, _there: Thing | None) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Plain:
    """A kind.

    Attributes:
        shape: How it is written.
        called: What refusals call it.
        type: What the checker of bodies calls it.
        needed: As `require` takes it.
        owner: The kind of what it belongs to, where its path names one.
        usual: What it has unless that is said.
        unique: No two of one owner have a name; with the engine's words for it, where they are its own.
        taken: Those words.
        check: Refuses what cannot be.
        last: Refuses to remove one.
        since3, since4: When it came.
        edits: It can be changed.
        searched: What the search language calls it; empty where lists cannot be searched.
    """

    shape: SimShape
    called: str
    type: str
    needed: tuple[str, ...] = ("name",)
    owner: str = ""
    usual: Mapping[str, Any] = field(default_factory=dict)
    unique: bool = True
    taken: str = NAME_TAKEN
    check: Check = _anything
    last: Callable[[ApiCall, Thing], None] = lambda _call, _thing: None
    since3: Version = NEVER
    since4: Version = (4, 0)
    edits: bool = True
    searched: str = ""

    def list_all(self, call: ApiCall) -> Many:
        """List them, of the owner in the path if there is one."""
        return Many(self.shape, self._all(call), self.searched)

    def _all(self, call: ApiCall) -> list[Thing]:
        if self.owner and self.owner in call.things:
            return call.world.of(self.shape.kind, self.owner, call.things[self.owner]["id"])
        return call.world.all(self.shape.kind)

    def create(self, call: ApiCall) -> One:
        """Make one."""
        values = call.fresh(self.shape)
        if self.owner and self.owner in call.things:
            values[self.owner] = {"id": call.things[self.owner]["id"]}
        require(values, (self.type, self.type), self.needed, call.dialect)
        values = {**self.usual, **self._resolve(call, values)}
        self._check_name(call, values, None)
        self.check(call, values, None)
        return One(self.shape, call.world.add(self.shape.kind, **values), 201)

    def update(self, call: ApiCall) -> One:
        """Change one; what it belongs to stays."""
        thing = call.things[self.shape.kind]
        values = self._resolve(call, call.changes(self.shape))
        values.pop(self.owner, None)
        self._check_name(call, {**thing, **values}, thing)
        self.check(call, {**thing, **values}, thing)
        call.world.change(thing, **values)
        return One(self.shape, thing)

    def delete(self, call: ApiCall) -> Removed:
        """Remove one."""
        thing = call.things[self.shape.kind]
        self.last(call, thing)
        call.world.remove(thing)
        return Removed()

    def _resolve(self, call: ApiCall, values: Thing) -> Thing:
        """The values, with ids for what they refer to."""
        told = {one.key: _ids(call, one, values[one.key]) for one in self.shape.fields if _refers(one, values)}
        return {**values, **told}

    def _check_name(self, call: ApiCall, values: Thing, own: Thing | None) -> None:
        """Refuse a name that another of the same owner has."""
        named = call.world.by_name(self.shape.kind, values.get("name") or "") if self.unique else []
        there = [one for one in named if one is not own and one["name"] == values["name"]]
        if any(not self.owner or one.get(self.owner) == values.get(self.owner) for one in there):
            words = self.taken.format(action="edit" if own else "add", type=self.called)
            raise Refused(words, TAKEN if self.taken is NAME_TAKEN else CONFLICT)

    def routes(self, *paths: str) -> tuple[Route, ...]:
        """The calls, at each of its addresses."""
        since = {"since3": self.since3, "since4": self.since4}
        SHAPES.setdefault(self.shape.kind, self.shape)
        return tuple(route for path in paths for route in self._at(path, since))

    def _at(self, path: str, since: Mapping[str, Version]) -> Iterable[Route]:
        one = f"{path}/{{{self.shape.kind}}}"
        yield get(path, self.list_all, f"list each {self.called}", **since)
        yield post(path, self.create, f"make a {self.called}", **since)
        yield get(one, shows(self.shape), "show it", **since)
        if self.edits:
            yield put(one, self.update, "change it", **since)
        yield delete(one, self.delete, "remove it", **since)


def _refers(one: SimField, values: Thing) -> bool:
    return one.kind == "ref" and one.key in values


def _ids(call: ApiCall, one: SimField, said: Any) -> Any:
    """The id of what is referred to, several for a list; nothing for an empty reference."""
    if isinstance(said, list):
        return [_ids(call, one, each) for each in said]
    if isinstance(said, dict):
        return call.look_up(one.to, said)["id"] if said.get("id") or said.get("name") else None
    return said
