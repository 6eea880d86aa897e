"""lsdef: objects and their attributes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from ...errors import Usage
from ...messages import Info
from ...xcat import schema
from .. import objects
from ..attributes import KINDS, Kind
from ..objects import Attributes
from . import describing
from .criteria import condition, split_condition
from .declare import Call, Core, Said, Shape, refused

#: Options that do not go together.
_APART = (("l", "s"), ("i", "n"), ("i", "O"), ("z", "O"))
_SPELLED = {"n": "--nics", "O": "--osimage"}


def run(call: Call) -> Iterator[Said]:
    """Answer `lsdef`.

    Raises:
        Usage: Options that do not go together, an unknown type, several nodes without a comma.
    """
    _check(call)
    if "T" in call.options:
        yield Info("Could not find any objects to display.")  # templates are an xCAT installation's
        return
    kinds = _kinds(call)
    lines = ["# <xCAT data object stanza file>"] if "z" in call.options else []
    count, head = 0, len(lines)
    for kind in kinds:
        wanted = _names(call, kind)
        present = objects.read(call.tables, kind, wanted)
        if kind.name == "node" and "z" not in call.options:
            present = objects.with_defaults(call.tables, present)
        for name in wanted:
            if name not in present and _named(call):
                yield refused(f"Could not find an object named '{name}' of type '{kind.name}'.")
        found = _visible(call, kind, present)
        yield from _wrong_attributes(call, kind)
        for name in sorted(found):
            lines += _lines(call, kind, name, found[name], many=len(kinds) > 1)
            if "O" in call.options and kind.name == "node":
                lines += yield from _image(call, name, found[name])
        count += len(found)
    if len(lines) > head:
        yield Shape({"info": lines, "numofnodes": str(count)})
    elif _named(call) or count or "w" in call.options:
        yield Info("No object definitions have been found")
    else:
        yield Info("Could not find any object definitions to display.")


def _kinds(call: Call) -> list[Kind]:
    if "a" in call.options and "t" not in call.options:
        return [KINDS[name] for name in sorted(KINDS) if name != "passwd"]
    return [objects.kind_of(name) for name in call.last("t", "node").split(",")]


def _check(call: Call) -> None:
    for one, other in _APART:
        if {one, other} <= call.options.keys():
            flags = (_SPELLED.get(letter, f"-{letter}") for letter in (one, other))
            raise Usage("The flags '{}' and '{}' cannot be used together.".format(*flags))
    if "c" in call.options and "i" not in call.options:
        raise Usage("The flags '-c' and '-i' must be used together.")
    if "a" in call.options and _named(call):
        raise Usage("Cannot use '-a' with '-o', a noderange or file input.")
    if len(call.words) > 1:
        raise Usage("noderange can not contain spaces.")


def _named(call: Call) -> bool:
    return bool(_text(call))


def _text(call: Call) -> str:
    return call.last("o") or (call.words[0] if call.words else "")


def _names(call: Call, kind: Kind) -> Sequence[str]:
    text = _text(call)
    if not text:
        return objects.names(call.tables, kind)
    if kind.name == "node":
        expanded = call.tables.expand(text)
        return expanded.nodes + expanded.missing
    return list(filter(None, text.split(",")))


def _image(call: Call, node: str, row: Attributes) -> Generator[Said, None, list[str]]:
    """The attributes of the image that a node gets."""
    name = row.get("provmethod", "")
    found = objects.read(call.tables, KINDS["osimage"], (name,)).get(name, {})
    if not found:
        yield refused(f"Missing attributes for node {node}, check the node attributes 'os', 'arch','profile' and "
                      "'provmethod'.")
    return [f"    {attribute}={value}" for attribute, value in sorted(found.items())]


def _visible(call: Call, kind: Kind, found: dict[str, Attributes]) -> dict[str, Attributes]:
    """Leave out hidden nodes, and what does not fulfil `-w`."""
    if kind.name == "node" and "S" not in call.options:
        found = {name: row for name, row in found.items() if row.get("hidden") != "1"}
    for text in call.options.get("w", []):
        attribute, sign, value = split_condition(text)
        if attribute != kind.key:
            objects.check(kind, (attribute,))
        fits = condition(sign, value)
        seen = {name: name if attribute == kind.key else row.get(attribute) for name, row in found.items()}
        # whatever the sign: an object without the attribute fulfils no condition on it
        found = {name: row for name, row in found.items() if (it := seen[name]) and fits(it)}
    return found


def _chosen(call: Call, kind: Kind, row: Mapping[str, str]) -> list[str]:
    """The attributes that `-i` or `--nics` names, or all that have a value."""
    if "n" in call.options:
        return sorted(attribute for attribute in row if attribute.startswith("nic"))
    if not call.last("i"):
        return sorted(row)
    chosen = sorted(call.last("i").split(","))
    if kind.name == "site":
        return [name for name in chosen if name in row]
    return [name for name in chosen if name.partition(".")[0] in kind.columns]


def _wrong_attributes(call: Call, kind: Kind) -> Iterator[Said]:
    for name in filter(None, call.last("i").split(",")):
        try:
            objects.check(kind, (name,))
        except Usage as problem:
            yield refused(problem.text)


def _lines(call: Call, kind: Kind, name: str, row: Mapping[str, str], many: bool) -> Iterator[str]:
    long = bool({"l", "z", "i", "n", "O"} & call.options.keys()) or (_named(call) and "s" not in call.options)
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
    for attribute in _chosen(call, kind, row):
        place = _place(kind, attribute) if "V" in call.options else ""
        for text in _pairs(attribute, row):
            yield lead + text + place


def _place(kind: Kind, attribute: str) -> str:
    """Where an attribute is stored, as `-V` shows it; nothing for what is worked out, such as a group's members."""
    if kind.name == "site":
        return f"\t(Table:site - Key:{attribute})"
    table, column = kind.columns[attribute.partition(".")[0]]
    if kind.name == "group" and table == kind.table:
        return ""
    key = kind.key if table == kind.table else schema.TABLES[table].keys[0]
    return f"\t(Table:{table} - Key:{'' if key == 'node' else ' '}{key} - Column:{column})"


def _pairs(attribute: str, row: Mapping[str, str]) -> list[str]:
    """`attribute=value`; for the columns of nics one for each interface: `nicips.eth0=10.0.0.1`."""
    name, _, part = attribute.partition(".")
    value = row.get(attribute, row.get(name, ""))
    if not name.startswith("nic") or "!" not in value:
        return [f"{attribute}={value}"]
    pieces = [piece.partition("!") for piece in value.split(",")]
    return [f"{name}.{nic}={text}" for nic, _, text in pieces if part in ("", nic)]


LSDEF = Core(
    "lsdef",
    ("lsdef [-l | -s] [-a] [-S] [-V] [-t type] [-o objnames | noderange] [-i attr-list] [-c] [-w attr==val] [-z]",
     "lsdef [--nics | --osimage] noderange", "lsdef -h -t type [-i attr-list]"),
    run, letters="aclszSNi:o:t:w:", long={
        "all": "a", "compress": "c", "long": "l", "short": "s", "stanza": "z", "nocache": "N", "nics": "n",
        "osimage": "O", "template": "T",
    }, describe=describing.describe,
)
