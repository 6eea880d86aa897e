"""Which of the two dialects is spoken, and how a noun's document looks in each: fields as data, no code per version.

A field's place is a path: `cpu/topology@sockets` is an attribute, `os/boot/devices/device[]` a repeated element.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

Thing = dict[str, Any]
Version = tuple[int, int]

ALWAYS: Version = (3, 0)
NEVER: Version = (99, 0)
#: Engines of 4.x speak v3 as well, up to 4.3.
MODERN: Version = (4, 0)


@dataclass(frozen=True)
class SimDialect:
    """One way of speaking.

    Attributes:
        number: 3 or 4.
        version: The engine version that is pretended, e.g. (3, 6).
        base: What every href begins with, e.g. `/ovirt-engine/api`.
        engine: The version behind it, where that is another: engines up to 4.3 speak v3 as 3.6 did.
    """

    number: int
    version: Version
    base: str
    engine: Version = ALWAYS

    @property
    def behind(self) -> Version:
        """The version of the engine that answers, in whichever dialect."""
        return max(self.version, self.engine)

    @property
    def modern(self) -> bool:
        """Whether an engine of 4.x answers, in either dialect."""
        return self.behind >= MODERN

    def knows(self, since: Version, until: Version = NEVER) -> bool:
        """Tell whether something that came with one version and went with another is there."""
        return since <= self.version < until


@dataclass(frozen=True)
class SimField:
    """One value of a noun and where it is in each dialect's document.

    Attributes:
        key: Its name in the world.
        kind: `text`, `int`, `bool`, `date`, `secret` (read, never shown) or `ref`.
        v3, v4: Its path, or empty where the dialect does not have it.
        since3, until3, since4, until4: The versions that have it.
        to: For a `ref`, the kind of thing that it names.
        item: For a repeated element with parts of its own, those parts.
        fixed: Bodies may hold it, but it is not set by them.
        words: The words allowed, for an enum; others are refused.
        came: Those of them that came with a later version than the first: `virtio_scsi@3.3` in a declaration.
        lax: Words that are none are passed over, as engines before 3.2 do (validateEnums came then).
        exact: Words count as they are written; v3 takes them in capitals too.
        usual: What is shown where the thing has no value.
        full: That is shown only where all content is asked for, and in what answers a POST or PUT.
        behind: The first engine whose v3 has it; engines of 4.x show more in v3 than 3.6 did.
        bare: A `ref` that v3 of 4.x writes without an address.
    """

    key: str
    kind: str = "text"
    v3: str = ""
    v4: str = ""
    since3: Version = ALWAYS
    until3: Version = NEVER
    since4: Version = ALWAYS
    until4: Version = NEVER
    to: str = ""
    item: tuple[SimField, ...] = ()
    fixed: bool = False
    words: frozenset[str] = frozenset()
    exact: bool = False
    came: tuple[tuple[str, Version], ...] = ()
    lax: bool = False
    usual: Any = None
    full: bool = False
    behind: Version = ALWAYS
    bare: bool = False

    def of(self, dialect: SimDialect) -> SimField:
        """Give the field with the words that one version knows."""
        if not self.words:
            return self
        later = {word for word, since in self.came if not dialect.version >= since}
        lax = dialect.number == 3 and dialect.version < (3, 2)
        return replace(self, words=self.words - later, exact=dialect.number == 4, lax=lax)

    def path(self, dialect: SimDialect) -> str:
        """Give its place in one dialect, empty if it has none there."""
        if dialect.number == 3:
            behind = max(dialect.version, dialect.engine) >= self.behind
            return self.v3 if behind and dialect.knows(self.since3, self.until3) else ""
        return self.v4 if dialect.knows(self.since4, self.until4) else ""


def sim_field(key: str, kind: str = "text", v3: str | None = None, v4: str | None = None, **more: Any) -> SimField:
    """Declare a field; a path that is not given is the field's own name.

    Args:
        key: As in `Field`.
        kind: As in `Field`.
        v3: As in `Field`; empty: not in that dialect.
        v4: As in `Field`; empty: not in that dialect.
        **more: The other attributes of `Field`.
    """
    parts = [word.partition("@") for word in more.pop("words", "").split()]
    words = frozenset(word for word, _, _ in parts)
    came = tuple((word, _version(since)) for word, _, since in parts if since)
    return SimField(key, kind, key if v3 is None else v3, key if v4 is None else v4, words=words, came=came, **more)


def _version(text: str) -> Version:
    major, minor = map(int, text.split("."))
    return major, minor


def ref(key: str, to: str = "", v3: str | None = None, v4: str | None = None, **more: Any) -> SimField:
    """Declare a reference to another thing; `to` is its kind, the field's own name if not given."""
    return sim_field(key, "ref", v3, v4, to=to or key, **more)


def v3only(key: str, kind: str = "text", path: str = "", **more: Any) -> SimField:
    """Declare a field that v4 does not have."""
    return sim_field(key, kind, path or key, "", **more)


def v4only(key: str, kind: str = "text", path: str = "", **more: Any) -> SimField:
    """Declare a field that v3 does not have."""
    return sim_field(key, kind, "", path or key, **more)


#: What every resource has.
NAME = sim_field("name")
DESCRIPTION = sim_field("description")
COMMENT = sim_field("comment", since3=(3, 3))
CREATION = sim_field("creation_status", v3="creation_status/state", v4="creation_status", fixed=True)
BASICS = (NAME, DESCRIPTION, COMMENT, CREATION)
#: ... of those kinds whose empty description and comment are shown as empty elements since 4.0.
SAID = (NAME, replace(DESCRIPTION, usual=""), replace(COMMENT, usual=""), CREATION)


def _same(_world: Any, thing: Thing, _call: Any) -> Thing:
    return thing


@dataclass(frozen=True, eq=False)
class SimShape:
    """How one noun is written and read.

    Attributes:
        kind: The kind of thing in the world.
        tag: The element's name.
        plural: The collection's element.
        path: Where one of them is, e.g. `/vms/{vm}`.
        fields: Its own fields, after the basic ones, in the order of the v3 schema.
        order30, order36: The v3 schema's order of the own elements where it differs between those versions, or where
            elements have a place that is filled only on demand (disks, statistics).
        view: Makes what is shown from what is stored: `view(world, thing, call)`.
        cached: What is shown depends on the thing alone, so a text may be kept until the thing changes.
        basics: The fields that every resource has, less those that this one lacks.
        renamed: The element's name in v3 where it differs: (tag, plural).
    """

    kind: str
    tag: str
    plural: str
    path: str
    fields: tuple[SimField, ...]
    order30: str = ""
    order36: str = ""
    view: Callable[[Any, Thing, Any], Thing] = field(default=_same)
    cached: bool = False
    basics: tuple[SimField, ...] = BASICS


class Node:
    """One element of a document: its attributes, its children, its text, and whether it repeats."""

    __slots__ = ("attributes", "kids", "many", "tag", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.attributes: dict[str, SimField] = {}
        self.kids: dict[str, Node] = {}
        self.text: SimField | None = None
        self.many: SimField | None = None

    def place(self, field_: SimField, path: str, dialect: SimDialect) -> None:
        """Hang a field into this element at a path."""
        steps, _, attribute = path.partition("@")
        node = self
        for step in filter(None, steps.split("/")):
            node = node.kids.setdefault(step.removesuffix("[]"), Node(step.removesuffix("[]")))
            if step.endswith("[]"):
                node.many = field_
        node._hold(field_, attribute, dialect, "[]" in steps)

    def _hold(self, held: SimField, attribute: str, dialect: SimDialect, repeated: bool) -> None:
        """Take a field as attribute, as parts, or as text; a repeated scalar has no key inside its element."""
        inner = SimField("", held.kind, to=held.to, words=held.words, came=held.came) if repeated else held
        inner = inner.of(dialect)
        if attribute:
            self.attributes[attribute] = inner
        elif held.item:
            for part in held.item:
                if part.path(dialect):
                    self.place(part, part.path(dialect), dialect)
        else:
            self.text = inner


_TREES: dict[tuple[int, SimDialect], Node] = {}


def tree(shape: SimShape, dialect: SimDialect) -> Node:
    """Give the document of a noun in one dialect; made once.

    Returns:
        The root element; its children are the noun's own elements in the order in which they are written.
    """
    key = (id(shape), dialect)
    if key not in _TREES:
        _TREES[key] = _compile(shape, dialect)
    return _TREES[key]


def _compile(shape: SimShape, dialect: SimDialect) -> Node:
    root = Node(shape.tag)
    for one in (*shape.basics, *shape.fields):
        path = one.path(dialect)
        if path:
            root.place(one, path, dialect)
    own = [tag for tag in root.kids if tag not in _FRAME]
    wanted = _order(shape, dialect, own)
    slots = {tag: root.kids.get(tag) or Node(tag) for tag in (*_FRAME, *wanted)}
    root.kids = {tag: node for tag, node in slots.items() if tag not in _FRAME or tag in root.kids}
    return root


_FRAME = ("name", "description", "comment", "creation_status")


def _order(shape: SimShape, dialect: SimDialect, own: list[str]) -> list[str]:
    if dialect.number == 4:
        return sorted(own)
    order = (shape.order30 if dialect.version < (3, 1) else shape.order36) or " ".join(own)
    return [*order.split(), *(tag for tag in own if tag not in order.split())]
