"""lsdef: objects and their attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...errors import Usage
from ...messages import Info
from .. import objects
from ..attributes import KINDS, Kind
from ..objects import Attributes
from .criteria import condition, split_condition
from .declare import Call, Core, Said, Shape, refused


def run(call: Call) -> Iterator[Said]:
    """Answer `lsdef`."""
    if "l" in call.options and "s" in call.options:
        yield refused("The flags '-l' and '-s' cannot be used together.")
        return
    kinds = [objects.kind_of(name) for name in call.last("t", "node").split(",")]
    if "a" in call.options and "t" not in call.options:
        kinds = [KINDS[name] for name in sorted(KINDS) if name != "passwd"]
    lines = ["# <xCAT data object stanza file>"] if "z" in call.options else []
    count, head = 0, len(lines)
    for kind in kinds:
        wanted = _names(call, kind)
        found = _visible(call, kind, objects.read(call.tables, kind, wanted))
        for name in wanted:
            if name not in found and _named(call):
                yield refused(f"Could not find an object named '{name}' of type '{kind.name}'.")
        yield from _wrong_attributes(call, kind)
        for name in sorted(found):
            lines += _lines(call, kind, name, found[name], many=len(kinds) > 1)
        count += len(found)
    if len(lines) > head:
        yield Shape({"info": lines, "numofnodes": str(count)})
    elif _named(call) or count or "w" in call.options:
        yield Info("No object definitions have been found")
    else:
        yield Info("Could not find any object definitions to display.")


def _named(call: Call) -> bool:
    return bool(call.words or "o" in call.options)


def _names(call: Call, kind: Kind) -> Sequence[str]:
    text = call.last("o") or (call.words[0] if call.words else "")
    if not text or kind.name == "site":
        return objects.names(call.tables, kind)
    if kind.name == "node":
        expanded = call.tables.expand(text)
        return expanded.nodes + expanded.missing
    return list(filter(None, text.split(",")))


def _visible(call: Call, kind: Kind, found: dict[str, Attributes]) -> dict[str, Attributes]:
    """Leave out hidden nodes, and what does not fulfil `-w`."""
    if kind.name == "node" and "S" not in call.options:
        found = {name: row for name, row in found.items() if row.get("hidden") != "1"}
    for text in call.options.get("w", []):
        attribute, sign, value = split_condition(text)
        objects.check(kind, (attribute,))
        fits = condition(sign, value)
        # whatever the sign: an object without the attribute fulfils no condition on it
        found = {name: row for name, row in found.items() if row.get(attribute) and fits(row[attribute])}
    return found


def _chosen(call: Call, kind: Kind) -> list[str] | None:
    """The attributes that `-i` names, or None for all that have a value."""
    if "i" not in call.options:
        return None
    names = [name for name in call.last("i").split(",") if name]
    return sorted(n for n in names if kind.name == "site" or n.partition(".")[0] in kind.columns)


def _wrong_attributes(call: Call, kind: Kind) -> Iterator[Said]:
    for name in call.last("i").split(",") if "i" in call.options else ():
        try:
            objects.check(kind, (name,))
        except Usage as problem:
            yield refused(problem.text)


def _lines(call: Call, kind: Kind, name: str, row: Mapping[str, str], many: bool) -> Iterator[str]:
    chosen = _chosen(call, kind)
    long = "l" in call.options or "z" in call.options or chosen is not None or "nics" in call.options
    long = long or (_named(call) and "s" not in call.options)
    compressed = "c" in call.options
    if "z" in call.options:
        yield f"\n{name}:"
        yield f"    objtype={kind.name}"
    elif not long or "s" in call.options:
        yield f"{name}{' ' if 'a' in call.options else '  '}({kind.name})"
        return
    elif not compressed:
        yield f"Object name: {name}" + (f"  ({kind.name})" if many else "")
    lead = f"{name}: " if compressed else "    "
    for attribute in chosen if chosen is not None else sorted(row):
        for text in _pairs(attribute, row):
            yield lead + text


def _pairs(attribute: str, row: Mapping[str, str]) -> list[str]:
    """`attribute=value`; for the columns of nics one for each interface: `nicips.eth0=10.0.0.1`."""
    name, _, part = attribute.partition(".")
    value = row.get(name, "")
    if not name.startswith("nic") or "!" not in value:
        return [f"{attribute}={value}"]
    pieces = [piece.partition("!") for piece in value.split(",")]
    return [f"{name}.{nic}={text}" for nic, _, text in pieces if part in ("", nic)]


LSDEF = Core(
    "lsdef",
    ("lsdef [-l | -s] [-a] [-S] [-t type] [-o objnames | noderange] [-i attr-list] [-c] [-w attr==val] [-z]",),
    run, letters="aclszSNi:o:t:w:", long={
        "all": "a", "compress": "c", "long": "l", "short": "s", "stanza": "z", "nocache": "N",
    },
)
