"""Write the documents of both dialects from the world, and read the bodies that come in."""

from __future__ import annotations

import time
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from .dialect import Node, SimDialect, SimField, SimShape, Thing, tree
from .faults import BAD, Refused, Unreadable, bad_value

HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_QUOTES = {'"': "&quot;"}
_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})

#: Where a reference leads: kind of thing -> path; what is not here has no address of its own.
PLACES = {
    "vm": "vms",
    "host": "hosts",
    "cluster": "clusters",
    "data_center": "datacenters",
    "network": "networks",
    "storage_domain": "storagedomains",
    "template": "templates",
    "tag": "tags",
    "disk": "disks",
    "job": "jobs",
    "vnic_profile": "vnicprofiles",
    "mac_pool": "macpools",
    "user": "users",
    "group": "groups",
    "role": "roles",
    "scheduling_policy_unit": "schedulingpolicyunits",
    "affinity_label": "affinitylabels",
    "vm_pool": "vmpools",
    "event": "events",
    "cpu_profile": "cpuprofiles",
    "scheduling_policy": "schedulingpolicies",
    "icon": "icons",
    "disk_profile": "diskprofiles",
    "network_filter": "networkfilters",
    "image": "images",
    "image_transfer": "imagetransfers",
}


#: Lists that are shown with nothing in them, for that says something: a network without `vm` is not for machines.
_TELLING = frozenset({"usages"})


def _told_empty(node: Node, values: Thing) -> bool:
    """Whether it is such a list, and known to be empty."""
    return node.tag in _TELLING and any(values.get(kid.many.key) == [] for kid in node.kids.values() if kid.many)


def iso(moment: float) -> str:
    """Write a moment as xs:dateTime with milliseconds and an offset.

    Args:
        moment: Seconds since 1970.
    """
    whole = time.gmtime(moment)
    return time.strftime("%Y-%m-%dT%H:%M:%S", whole) + f".{int(moment % 1 * 1000):03d}Z"


def href(dialect: SimDialect, kind: str, thing_id: str) -> str:
    """Give the address of a thing that is at the top."""
    return f"{dialect.base}/{PLACES[kind]}/{thing_id}"


def link(rel: str, address: str) -> str:
    """Write one link."""
    return f'<link rel="{rel}" href="{escape(address, _QUOTES)}"/>'


class Writer:
    """Write the things of one answer.

    Args:
        world: Where the things are.
        dialect: How to write them.
        routes: Gives (actions, links) of a shape's path in the dialect: `routes(path, dialect)`.
    """

    def __init__(self, world: Any, dialect: SimDialect, routes: Any) -> None:
        self._world = world
        self.dialect = dialect
        self._routes = routes

    def thing(self, shape: SimShape, shown: Thing, address: str, inside: dict[str, str] | None = None) -> str:
        """Write one thing as a document.

        Args:
            shape: How its noun is written.
            shown: What to write.
            address: Its href.
            inside: Element -> text that is in its place (sub-collections and references that were followed).
        """
        root = tree(shape, self.dialect)
        inside = inside or {}
        parts = {tag: inside.get(tag) or self._node(node, shown) for tag, node in root.kids.items()}
        own = "".join(text for tag, text in {**parts, **inside}.items() if tag not in _BASE)
        ahead, behind = self._frame(shape, parts, address, own)
        identity = f' id="{escape(str(shown["id"]), _QUOTES)}"' if "id" in shown else ""
        own_attributes = self._attributes(root, shown)
        return f'<{shape.tag} href="{address}"{identity}{own_attributes}>{ahead}{behind}</{shape.tag}>'

    def _frame(self, shape: SimShape, parts: dict[str, str], address: str, own: str) -> tuple[str, str]:
        """Put names, actions and links where this version has them."""
        verbs, rels = self._routes(shape.path, self.dialect)
        actions = "".join(link(verb, f"{address}/{verb}") for verb in verbs)
        actions = f"<actions>{actions}</actions>" if verbs else ""
        links = "".join(link(rel, f"{address}/{where}") for rel, where in rels)
        base = {tag: parts.get(tag) or "" for tag in _BASE}
        if self.dialect.number == 4:
            return actions + "".join(base.values()), own + links
        if self.dialect.version < (3, 1):
            return base["name"] + base["description"] + actions + base["creation_status"], links + own
        return actions + "".join(base.values()), links + own

    def _node(self, node: Node, values: Thing) -> str:
        """Write one element, or nothing if it holds nothing."""
        if node.many is not None:
            key = node.many.key
            items = values.get(key) or ()
            return "".join(self._single(node, one if node.many.item else {"": one}) for one in items)
        return self._single(node, values)

    def _single(self, node: Node, values: Thing) -> str:
        field = node.text
        if field is not None and field.kind == "ref":
            inner = "".join([self._node(kid, values) for kid in node.kids.values()])
            return self.ref(node.tag, field.to, values.get(field.key), inner, field.bare)
        attributes = self._attributes(node, values)
        inner = "".join([self._node(kid, values) for kid in node.kids.values()])
        if field is not None and values.get(field.key) is not None and field.kind != "secret":
            inner += self.value(field, values[field.key])
            if not inner and self.dialect.number == 4:
                return f"<{node.tag}{attributes}/>"
        elif not attributes and not inner and not _told_empty(node, values):
            return self._empty(node, values)
        return f"<{node.tag}{attributes}>{inner}</{node.tag}>" if inner else f"<{node.tag}{attributes}/>"

    def _empty(self, node: Node, values: Thing) -> str:
        """Write nothing, or an empty element where v4 shows a list that has nothing in it."""
        told = self.dialect.number == 4 and any(
            kid.many is not None and kid.many.usual == [] and values.get(kid.many.key) == []
            for kid in node.kids.values()
        )
        return f"<{node.tag}/>" if told else ""

    def _attributes(self, node: Node, values: Thing) -> str:
        """Write an element's attributes besides the id and the address that every thing has."""
        return "".join(
            f' {name}="{self.value(one, values.get(one.key))}"'
            for name, one in node.attributes.items()
            if values.get(one.key) is not None
        )

    def value(self, field: SimField, value: Any) -> str:
        """Write one scalar."""
        if field.kind == "bool":
            return "true" if value else "false"
        if field.kind == "date":
            return iso(value)
        return escape(str(value), _QUOTES)

    def ref(self, tag: str, kind: str, thing_id: str | None, inner: str = "", bare: bool = False) -> str:
        """Write a reference: `<host id href/>`, with a name inside where that is shown; nothing if it leads nowhere."""
        if not thing_id:
            return ""
        three = self.dialect.number == 3 and self.dialect.modern
        where = "" if bare and three else self._world.address(self.dialect, kind, thing_id)
        if kind == "host" and three:  # so engines of 4.x write it in v3
            inner = f"{inner}<live_snapshot_support>true</live_snapshot_support>"
        start = f'<{tag} href="{where}" id="{thing_id}"' if where else f'<{tag} id="{thing_id}"'
        return f"{start}>{inner}</{tag}>" if inner else f"{start}/>"


_BASE = ("name", "description", "comment", "creation_status")


def read(shape: SimShape, dialect: SimDialect, element: Any) -> tuple[Thing, list[str]]:
    """Read what a body says about a thing.

    Args:
        shape: How its noun is written.
        dialect: What the body is read as.
        element: The body's root.

    Returns:
        The values by key (only those that are there; a reference as `{"id": ..., "name": ...}`), and the paths of what
        this dialect does not know, which an engine ignores without a word.

    Raises:
        Refused: What should be a number or an enum word is not one.
    """
    found: Thing = {}
    unknown: list[str] = []
    _read(tree(shape, dialect), element, found, unknown, shape.tag)
    if element.get("id"):
        found["id"] = element.get("id")
    return found, unknown


#: What a client may send back of what it was given; it says nothing and is not refused even in strict mode.
_ECHOED = frozenset({"link", "actions", "creation_status"})
_ECHOED_ATTRIBUTES = frozenset({"id", "href", "rel"})


def _read(node: Node, element: Any, found: Thing, unknown: list[str], path: str) -> None:
    if node.text is not None and node.text.kind == "ref":
        found[node.text.key] = reference(element)
        return
    for name, text in element.attrib.items():
        if name in node.attributes:
            field = node.attributes[name]
            _take(field, text, found, unknown, f"{path}@{name}")
        elif name not in _ECHOED_ATTRIBUTES:
            unknown.append(f"{path}@{name}")
    if node.text is not None and (element.text or "").strip():
        _take(node.text, element.text, found, unknown, path)
    elif node.text is not None and not node.kids and not len(element):
        found[node.text.key] = scalar(node.text, element.text or "")
    if not len(element):  # <usages/> says that there are none
        found.update({kid.many.key: [] for kid in node.kids.values() if kid.many and len(node.kids) == 1})
    for child in element.iterchildren(etree.Element):
        _read_child(node, child, found, unknown, f"{path}/{child.tag}")


def _take(field: SimField, text: str, found: Thing, unknown: list[str], path: str) -> None:
    if field.lax and text.strip().lower() not in field.words:
        unknown.append(f"{path}={text.strip()}")
    else:
        found[field.key] = scalar(field, text)


def _read_child(node: Node, child: Any, found: Thing, unknown: list[str], path: str) -> None:
    kid = node.kids.get(child.tag)
    if kid is None:
        if child.tag not in _ECHOED:
            unknown.append(path)
    elif kid.many is not None:
        item: Thing = {}
        _read(kid, child, item, unknown, path)
        if item:  # v3 ignores a <boot/> without a device
            found.setdefault(kid.many.key, []).append(item if kid.many.item else item[""])
    else:
        _read(kid, child, found, unknown, path)


def reference(element: Any) -> Thing:
    """Read `<cluster id="..."/>` or `<cluster><name>..</name></cluster>`; an id wins, and no element says nothing."""
    if element is None:
        return {}
    said = {"id": element.get("id") or element.findtext("id"), "name": element.findtext("name")}
    found = {key: text.strip() for key, text in said.items() if text and text.strip()}
    return found or ({"id": ""} if element.get("id") == "" else {})


def scalar(field: SimField, text: str) -> Any:
    """Read one value.

    Raises:
        Refused: It is not a number, no truth value, or not one of the enum's words.
    """
    text = text.strip() if field.kind != "text" or field.words else text
    if field.kind == "int":
        if not text.lstrip("-").isdigit():
            raise Unreadable(f'For input string: "{text}"', BAD, "Invalid value")
        return int(text)
    if field.kind == "bool":
        if text.lower() not in _TRUE | _FALSE:
            raise bad_value(text, "Boolean")
        return text.lower() in _TRUE
    if field.words and (text if field.exact else text.lower()) not in field.words:
        raise bad_value(text, field.key.title().replace("_", ""))
    return text.lower() if field.words else text


def parse(body: bytes) -> Any:
    """Read a body as XML, without entities, DTD or network.

    Raises:
        Refused: It is not well-formed; an engine answers 400.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"Request syntactically incorrect: {error}", BAD, "usage") from error


def document(text: str) -> bytes:
    """Make the bytes of an answer."""
    return (HEAD + text).encode()


def write_collection(plural: str, texts: list[str]) -> bytes:
    """Make the bytes of a collection; an empty one is an empty element."""
    if not texts:
        return document(f"<{plural}/>")
    return b"".join([document(f"<{plural}>"), *map(str.encode, texts), f"</{plural}>".encode()])


def fault(dialect: SimDialect, refusal: Refused) -> str:
    """Write a fault: reason and detail in v3, alphabetically in v4."""
    reason = f"<reason>{escape(refusal.reason)}</reason>"
    detail = f"<detail>{escape(refusal.detail)}</detail>" if refusal.detail else ""
    return f"<fault>{detail}{reason}</fault>" if dialect.number == 4 else f"<fault>{reason}{detail}</fault>"
