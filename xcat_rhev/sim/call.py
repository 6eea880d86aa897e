"""One call as a handler sees it: the things of its path, its parameters, its body read in its dialect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import names
from .dialect import SimDialect, SimShape, Thing
from .faults import BAD, MISSING, Gone, Refused, Unreadable, incomplete, not_found
from .render import read, reference
from .world import World

_TRUE = frozenset({"", "true", "t", "yes", "y", "1"})
#: What the engine calls a kind of thing that it did not find, where that is not its own name.
CALLED = {"host": "Hosts"}
#: ... and since 4.0, where each collection has words of its own: by id, by name.
MISSING_SINCE_4 = {
    "data_center": ("Datacenter: id={}", "Datacenter: name={}"),
    "cluster": ("GetClusterById", "Cluster: name={}"),
    "template": ("GetVmTemplate", "GetVmTemplate"),
    "storage_domain": ("Storage: {}", "Storage: name={}"),
    "vm": ("{}", "{}"),
    "tag": ("{}", "{}"),
}
_UUID = re.compile(r"[0-9a-fA-F]{1,8}(-[0-9a-fA-F]{1,4}){3}-[0-9a-fA-F]{1,12}")
#: Shapes by kind, for references that are followed.
SHAPES: dict[str, SimShape] = {}


@dataclass
class ApiCall:
    """What a handler gets.

    Attributes:
        world: The engine's data.
        dialect: How it is spoken to.
        things: The things that the path names, by kind.
        params: Query and matrix parameters.
        body: The body's root element, if there is one.
        headers: By lower-case name.
        where: The address that was called.
        strict: What the dialect does not know is refused by name.
        routes: For what is followed.
        cache: Texts of things, kept until they change.
        settings: What the simulator was started with.
        admin: Its caller is an administrator.
    """

    world: World
    dialect: SimDialect
    things: dict[str, Thing] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    strict: bool = False
    routes: Any = None
    cache: dict[Any, tuple[int, str]] = field(default_factory=dict)
    settings: Any = None
    admin: bool = True

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """Read a boolean parameter; an empty value counts as true, another word is ignored."""
        if name not in self.params:
            return otherwise
        return self.params[name].lower() in _TRUE

    @property
    def everything(self) -> bool:
        """Whether the request asks for all content."""
        return self.headers.get("all-content", "").lower() == "true" or self.flag("all_content")

    def number(self, name: str) -> int | None:
        """Read a parameter that is a number; others are ignored."""
        text = self.params.get(name, "")
        return int(text) if text.lstrip("-").isdigit() else None

    def read(self, shape: SimShape, element: Any = None) -> Thing:
        """Read the body as a thing of one noun.

        Args:
            shape: How that noun is written.
            element: A part of the body; the body itself if not given.

        Raises:
            Refused: A value of the wrong type; or, when strict, something that the dialect does not know.
        """
        element = self.body if element is None else element
        if element is None:
            raise Unreadable("The request body is empty", BAD, "Invalid value")
        if element.tag != shape.tag:
            raise Refused(f"Cannot construct {shape.tag} from {element.tag}", BAD, "usage")
        values, unknown = read(shape, self.dialect, element)
        if unknown and self.strict:
            raise strictly(unknown, self.dialect)
        fixed = {one.key for one in shape.fields if one.fixed}
        return {key: value for key, value in values.items() if key not in fixed}

    def fresh(self, shape: SimShape) -> Thing:
        """Read the body as a thing that is to be made: an id in it does not count."""
        values = self.read(shape)
        values.pop("id", None)
        names.check(shape.kind, values.get("name"), "add", self.dialect)
        return values

    def changes(self, shape: SimShape) -> Thing:
        """Read the body as what should change of the thing that the path names.

        Raises:
            Refused: The body is about another thing.
        """
        values = self.read(shape)
        if values.pop("id", self.things[shape.kind]["id"]) != self.things[shape.kind]["id"]:
            raise Refused("Attempt to set immutable field: id", reason="Broken immutability constraint")
        names.check(shape.kind, values.get("name"), "edit", self.dialect)
        return values

    def part(self, path: str) -> Any:
        """Give an element of the body by its path, or None."""
        return None if self.body is None else self.body.find(path)

    def text(self, path: str) -> str:
        """Give the text of an element of the body, or nothing."""
        return "" if self.body is None else (self.body.findtext(path) or "").strip()

    def yes(self, path: str, otherwise: bool = False) -> bool:
        """Give the truth of an element of the body."""
        text = self.text(path).lower()
        return text in {"true", "1"} if text else otherwise

    def look_up(self, kind: str, said: Thing | None, **where: Any) -> Thing:
        """Find what a reference in a body means.

        Args:
            kind: The kind of thing.
            said: `{"id": ..., "name": ...}`; an id wins.
            **where: What a thing found by its name must have, e.g. its data center.

        Raises:
            Refused: There is no such thing.
        """
        said = said or {}
        if "id" in said:
            self.uuid(said["id"])
            found = self.world.get(kind, said["id"])
        else:
            found = self.world.exactly(kind, said.get("name", ""), **where)
        if found is None:
            raise self._not_found(kind, said)
        return found

    def _not_found(self, kind: str, said: Thing) -> Refused:
        """Say in the engine's words that a reference leads nowhere."""
        by_id = "id" in said
        known = MISSING_SINCE_4.get(kind) if self.dialect.modern else None
        if known:
            return Refused(
                f"Entity not found: {known[not by_id].format(said.get('id') or said.get('name', ''))}",
                MISSING,
                listed=False,
            )
        missing = said["id"] if by_id else f"name={said.get('name', '')}"
        return not_found(CALLED.get(kind, kind.title().replace("_", "")), missing)

    def uuid(self, text: str) -> None:
        """Refuse an id that has not the form of one.

        Raises:
            Refused: As Java's class says it.
        """
        if self.dialect.modern and not _UUID.fullmatch(text):
            raise Refused(f"Invalid UUID string: {text}", BAD, "Operation failed")

    def named_part(self, kind: str, path: str, **where: Any) -> Thing | None:
        """Find the thing that an element of the body refers to, if the element is there."""
        said = reference(self.part(path))
        return self.look_up(kind, said, **where) if said else None

    def on(self, **things: Thing) -> ApiCall:
        """Give the same call as made at another place."""
        return replace(self, things={**self.things, **things})


def strictly(unknown: Iterable[str], dialect: SimDialect) -> Refused:
    """Refuse by name what an engine would ignore without a word."""
    return Refused(f"API v{dialect.number} does not know: {', '.join(unknown)}", BAD, "Strict mode", listed=False)


#: Types whose bodies v4 looks at before anything else is done, one parameter after the other: what that calls them.
MANDATORY = {
    "DataCenter": "data_center",
    "Cluster": "cluster",
    "Network": "network",
    "VnicProfile": "profile",
    "Nic": "nic",
    "Tag": "tag",
    "Snapshot": "snapshot",
    "Agent": "agent",
    "AffinityGroup": "group",
}
#: Types of which the first thing that is missing is told alone: in which order they are looked for.
_ONE_AT_A_TIME = {
    "Vm": ["cluster.id|name", "template.id|name", "name"],
    "Host": ["name", "address", "rootPassword|ssh", "root_password"],
}
_BOTH = "Parameters '{}.id' or '{}.name' are mandatory but both were not provided."
_MANDATORY_TOGETHER = {
    ("Cluster", "dataCenter.name|id"): _BOTH.format("cluster.data_center", "cluster.data_center"),
    ("Network", "name"): _BOTH.format("network", "network"),
}


def require(
    values: Thing, what: tuple[str, str], wanted: Iterable[str], dialect: SimDialect, method: str = "add"
) -> None:
    """Refuse a body that lacks something.

    Args:
        values: What was read.
        what: The type's name in v3 and in v4.
        dialect: Decides what is told, and how.
        method: What the body is for, in the checker's words.
        wanted: `key` or `key:words`, where words is how the checker names it; `a|b` either.

    Raises:
        Refused: Naming all that is missing.
    """
    missing = []
    mandatory = MANDATORY.get(what[1], "") if dialect.number == 4 else ""
    for entry in wanted:
        keys, _, words = entry.partition(":")
        if not any(values.get(key) not in (None, "", {}) for key in keys.split("|")):
            missing.append(words or keys)
    if dialect.modern and what[1] in _ONE_AT_A_TIME:
        missing, what = sorted(missing, key=_ONE_AT_A_TIME[what[1]].index)[:1], (what[1], what[1])
    together = (what[1], *missing[:1]) in _MANDATORY_TOGETHER
    if missing and mandatory and (together or not missing[0].startswith("dataCenter")):
        text = _MANDATORY_TOGETHER.get(
            (what[1], missing[0]), f"Parameter '{mandatory}.{missing[0]}' is mandatory but was not provided."
        )
        raise Refused(text, BAD, "Input validation failed.")
    if missing:
        raise incomplete(what[dialect.modern], missing, method)


def item_of(call: ApiCall, kind: str, thing_id: str) -> Thing:
    """Give the thing that a path names.

    Raises:
        Gone: There is none, or its owner in the path is another.
    """
    thing = call.world.get(kind, thing_id)
    if thing is None:
        raise Gone
    return thing
