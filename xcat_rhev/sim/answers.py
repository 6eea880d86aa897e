"""One call, and the few forms an answer has; what a handler gives is written down in one place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import search
from .dialect import Dialect, Shape, Thing, tree
from .faults import BAD, BROKEN, Gone, Refused, incomplete, not_found
from .render import Writer, collected, document, href, link, read, reference
from .world import World

_TRUE = frozenset({"", "true", "t", "yes", "y", "1"})
#: What the engine calls a kind of thing that it did not find, where that is not its own name.
CALLED = {"host": "Hosts"}
#: Shapes by kind, for references that are followed.
SHAPES: dict[str, Shape] = {}
#: The v3 schema's order of an action's parts.
ACTION_PARTS = (
    "link async grace_period host network root_password ssh image fence_type ticket proxy_ticket iscsi storage_domain "
    "cluster discard_snapshots exclusive vm snapshot template host_nics modified_network_attachments "
    "removed_network_attachments synchronized_network_attachments modified_bonds removed_bonds modified_labels "
    "removed_labels check_connectivity connectivity_timeout pause force option clone disks job maintenance_enabled "
    "storage_domains disk reason logical_units use_sysprep use_cloud_init status fault "
    "iscsi_target power_management is_attached"
).split()
#: What v4 knows beyond those, as parameters of actions.
ACTION_PARTS_4 = frozenset(
    "activate reboot use_ignition use_initialization volatile stop_gluster_service migrate_vms_in_affinity_closure "
    "commit_on_success maintenance_after_restart host_nic restore_memory filename directory undeploy_hosted_engine "
    "discard_snapshots quota filter authorized_key upgrade_action attachment iscsi_targets discovered_targets seal "
    "synchronized_network_attachments all_content remote_viewer_connection_file allow_partial_import lease".split()
)


@dataclass
class Call:
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
    """

    world: World
    dialect: Dialect
    things: dict[str, Thing] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    strict: bool = False
    routes: Any = None
    cache: dict[Any, tuple[int, str]] = field(default_factory=dict)
    settings: Any = None

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """Read a boolean parameter; an empty value counts as true, another word is ignored."""
        if name not in self.params:
            return otherwise
        return self.params[name].lower() in _TRUE

    def number(self, name: str) -> int | None:
        """Read a parameter that is a number; others are ignored."""
        text = self.params.get(name, "")
        return int(text) if text.lstrip("-").isdigit() else None

    def read(self, shape: Shape, element: Any = None) -> Thing:
        """Read the body as a thing of one noun.

        Args:
            shape: How that noun is written.
            element: A part of the body; the body itself if not given.

        Raises:
            Refused: A value that is none; or, when strict, something that the dialect does not know.
        """
        element = self.body if element is None else element
        if element is None:
            raise Refused("The request body is empty", BAD, "Invalid value")
        if element.tag != shape.tag:
            raise Refused(f"Cannot construct {shape.tag} from {element.tag}", BAD, "usage")
        values, unknown = read(shape, self.dialect, element)
        if unknown and self.strict:
            raise strictly(unknown, self.dialect)
        fixed = {one.key for one in shape.fields if one.fixed}
        return {key: value for key, value in values.items() if key not in fixed}

    def fresh(self, shape: Shape) -> Thing:
        """Read the body as a thing that is to be made: an id in it does not count."""
        values = self.read(shape)
        values.pop("id", None)
        return values

    def changes(self, shape: Shape) -> Thing:
        """Read the body as what shall change of the thing that the path names.

        Raises:
            Refused: The body is about another thing.
        """
        values = self.read(shape)
        if values.pop("id", self.things[shape.kind]["id"]) != self.things[shape.kind]["id"]:
            raise Refused("Attempt to set immutable field: id", reason="Broken immutability constraint")
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
            found = self.world.get(kind, said["id"])
            missing = said["id"]
        else:
            found = self.world.exactly(kind, said.get("name", ""), **where)
            missing = f"name={said.get('name', '')}"
        if found is None:
            raise not_found(CALLED.get(kind, kind.title().replace("_", "")), missing)
        return found

    def named_part(self, kind: str, path: str, **where: Any) -> Thing | None:
        """Find the thing that an element of the body refers to, if the element is there."""
        said = reference(self.part(path))
        return self.look_up(kind, said, **where) if said else None

    def on(self, **things: Thing) -> Call:
        """Give the same call as made at another place."""
        return replace(self, things={**self.things, **things})


def strictly(unknown: Iterable[str], dialect: Dialect) -> Refused:
    """Refuse by name what an engine would ignore without a word."""
    return Refused(f"API v{dialect.number} does not know: {', '.join(unknown)}", BAD, "Strict mode", listed=False)


def require(values: Thing, what: tuple[str, str], wanted: Iterable[str], dialect: Dialect) -> None:
    """Refuse a body that lacks something.

    Args:
        values: What was read.
        what: The type's name in v3 and in v4.
        wanted: `key` or `key:words`, where words is how the checker names it; `a|b` either.

    Raises:
        Refused: Naming all that is missing.
    """
    missing = []
    for entry in wanted:
        keys, _, words = entry.partition(":")
        if not any(values.get(key) not in (None, "", {}) for key in keys.split("|")):
            missing.append(words or keys)
    if missing:
        raise incomplete(what[dialect.number == 4], missing)


@dataclass
class Many:
    """A collection; search, paging and following are done when it is written."""

    shape: Shape
    things: Iterable[Thing]
    searched: str = ""


@dataclass
class One:
    """A resource, with 200, or with 201 or 202 if it was made by this call."""

    shape: Shape
    thing: Thing
    status: int = 200
    pending: bool = False


@dataclass
class Done:
    """The answer to an action: outputs by element, the resource that it was done to, 202 while tasks run."""

    shape: Shape | None = None
    thing: Thing | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    pending: bool = False


@dataclass
class Removed:
    """The answer to a DELETE."""

    about: str = ""


@dataclass
class Raw:
    """An answer with a body of its own."""

    body: bytes
    status: int = 200
    content_type: str = "application/xml"
    headers: dict[str, str] = field(default_factory=dict)


def write(call: Call, answer: Any) -> Raw:
    """Write an answer in the call's dialect."""
    written: Raw = _FORMS[type(answer)](call, answer)
    return written


def _many(call: Call, answer: Many) -> Raw:
    things = list(answer.things)
    if answer.searched:
        things = search.page(call, answer.searched, things)
    elif call.number("max") is not None and call.dialect.number == 4:
        things = things[: max(call.number("max") or 0, 0)]
    inside = _followed(call)
    return Raw(collected(answer.shape.plural, [text_of(call, answer.shape, thing, inside) for thing in things]))


def _one(call: Call, answer: One) -> Raw:
    shape, thing = answer.shape, answer.thing
    where = address(call, shape, thing)
    made = {"Location": f"https://{call.headers.get('host', '')}{where}"} if answer.status > 200 else {}
    if not answer.pending:
        return Raw(document(text_of(call, shape, thing, _followed(call))), answer.status, headers=made)
    shown = {**shape.view(call.world, thing, call), "creation_status": "pending"}
    text = writer(call).thing(shape, shown, where)
    follow = link("creation_status", f"{where}/creation_status/{thing['id']}")
    at = text.find("</creation_status>") + len("</creation_status>")
    return Raw(document(text[:at] + follow + text[at:]), 202, headers=made)


def _done(call: Call, answer: Done) -> Raw:
    pending = answer.pending or call.flag("async") or "202-accepted" in call.headers.get("x-ovirt-expect", "")
    state = "in_progress" if pending else "complete"
    parts = {**_echo(call), **answer.outputs, "status": _status(call.dialect, state)}
    if pending:
        parts["async"] = "<async>true</async>"
        parts["link"] = link("parent", call.where.rpartition("/")[0]) + link("replay", call.where)
    if call.dialect.number == 4:
        job = call.world.job("Action")
        parts["job"] = f'<job href="{href(call.dialect, "job", job["id"])}" id="{job["id"]}"/>'
        if answer.shape and answer.thing:
            parts[answer.shape.tag] = writer(call).ref(answer.shape.tag, answer.shape.kind, answer.thing["id"])
    task = f' href="{call.where}/{answer.thing["id"]}" id="{answer.thing["id"]}"' if pending and answer.thing else ""
    return Raw(document(f"<action{task}>{_ordered(parts, call.dialect)}</action>"), 202 if pending else 200)


def refused_action(call: Call, fault_text: str) -> str:
    """Write the answer to an action that was refused: the fault stands inside the action."""
    parts = {**_echo(call), "status": _status(call.dialect, "failed"), "fault": fault_text}
    return f"<action>{_ordered(parts, call.dialect)}</action>"


def _status(dialect: Dialect, word: str) -> str:
    return f"<status>{word}</status>" if dialect.number == 4 else f"<status><state>{word}</state></status>"


def _echo(call: Call) -> dict[str, str]:
    """Give back the parameters of an action: simple ones and references; a password is not said again."""
    if call.body is None or call.body.tag != "action":
        return {}
    told: dict[str, str] = {}
    for child in call.body:
        plain = isinstance(child.tag, str) and not len(child) and child.tag in _ECHOED
        if plain and (child.text or child.get("id")):
            identity = f' id="{child.get("id")}"' if child.get("id") else ""
            told[child.tag] = f"<{child.tag}{identity}>{(child.text or '').strip()}</{child.tag}>"
    return told


_ECHOED = frozenset("async host network fence_type force pause cluster storage_domain".split())


def _ordered(parts: dict[str, str], dialect: Dialect) -> str:
    known = [parts[tag] for tag in ACTION_PARTS if tag in parts]
    return "".join(known + [text for tag, text in parts.items() if tag not in ACTION_PARTS and dialect.number == 4])


def _removed(call: Call, answer: Removed) -> Raw:
    if call.dialect.version < (3, 2) or (call.dialect.version < (3, 3) and call.body is None):
        return Raw(b"")
    return _done(call, Done())


_FORMS: dict[type, Any] = {Many: _many, One: _one, Done: _done, Removed: _removed, Raw: lambda _call, raw: raw}


def writer(call: Call) -> Writer:
    """Give a writer for a call."""
    return Writer(call.world, call.dialect, call.routes.offers)


def address(call: Call, shape: Shape, thing: Thing) -> str:
    """Give the href of a thing at its shape's path."""
    words = shape.path.split("/")
    for at, word in enumerate(words[:-1]):
        if word.startswith("{"):
            key = word[1:-1]
            words[at] = thing.get(key) or call.things[key]["id"]
    words[-1] = str(thing["id"]) if words[-1].startswith("{") else words[-1]
    return call.dialect.base + "/".join(words)


def text_of(call: Call, shape: Shape, thing: Thing, follow: list[list[str]] | None = None) -> str:
    """Write one thing, with what is followed inside.

    Args:
        call: Whose dialect and parameters count.
        shape: How its noun is written.
        thing: What to write.
        follow: Paths of links and references, e.g. `[["nics"], ["diskattachments", "disk"]]`.
    """
    plain = shape.cached and not follow and "next_run" not in call.params and "current" not in call.params
    key = (shape.path, call.dialect, thing["id"])
    if plain and call.cache.get(key, (-1, ""))[0] == thing["v"]:
        return call.cache[key][1]
    shown = shape.view(call.world, thing, call)
    text = writer(call).thing(shape, shown, address(call, shape, thing), _inside(call, shape, thing, follow or []))
    if plain:
        call.cache[key] = (thing["v"], text)
    return text


def _followed(call: Call) -> list[list[str]]:
    """Read what is to be shown inside: `follow` since 4.2, `detail` in v3's media type."""
    if call.dialect.number == 4:
        told = call.params.get("follow", "") if call.dialect.knows((4, 2)) else ""
        return [path.strip().lower().split(".") for path in told.split(",") if path.strip()]
    details = [part.partition("=")[2] for part in call.headers.get("accept", "").split(";") if "detail=" in part]
    return [[word] for detail in details for word in detail.strip().split("+") if word in _DETAILS]


_DETAILS = frozenset({"disks", "nics", "tags", "statistics"})


def _inside(call: Call, shape: Shape, thing: Thing, follow: list[list[str]]) -> dict[str, str]:
    inside: dict[str, str] = {}
    heads: dict[str, list[list[str]]] = {}
    for first, *rest in follow:
        heads.setdefault(first, []).extend([rest] if rest else [])
    for first, rests in heads.items():
        tag, text = _follow(call, shape, thing, first, rests)
        if text:
            inside[tag] = text
    return inside


def _follow(call: Call, shape: Shape, thing: Thing, word: str, rest: list[list[str]]) -> tuple[str, str]:
    """Write what a link or a reference leads to."""
    route = call.routes.under(shape.path, word, call.dialect)
    if call.dialect.number == 3 and word not in tree(shape, call.dialect).kids:
        return word, ""
    if route is not None:
        found = route.handler(call.on(**{shape.path.rpartition("{")[2][:-1]: thing}))
        inner = "".join(text_of(call.on(**{shape.kind: thing}), found.shape, one, rest) for one in found.things)
        plural = found.shape.plural
        tag = (
            plural if plural.replace("_", "") == word.replace("_", "") else word
        )  # a host's NICs are host_nic in <nics>
        return tag, f"<{tag}>{inner}</{tag}>"
    for field_ in shape.fields:
        if field_.kind == "ref" and field_.key.replace("_", "") == word.replace("_", "") and field_.to in SHAPES:
            shown = shape.view(call.world, thing, call)
            target = call.world.get(field_.to, shown.get(field_.key))
            return field_.key, text_of(call, SHAPES[field_.to], target, rest) if target else ""
    raise Refused(f"Unable to find method to follow link '{word}'", BROKEN, listed=False)


def item_of(call: Call, kind: str, thing_id: str) -> Thing:
    """Give the thing that a path names.

    Raises:
        Gone: There is none, or its owner in the path is another.
    """
    thing = call.world.get(kind, thing_id)
    if thing is None:
        raise Gone
    return thing
