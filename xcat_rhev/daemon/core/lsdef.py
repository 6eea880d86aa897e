"""lsdef: objects and their attributes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence

from ...declare.command import CommandWords, Option
from ...errors import Usage
from ...messages import Info
from ...ordering import natural
from ...xcat import nics, schema
from .. import objects
from ..attributes import KINDS, ObjectKind
from ..objects import Attributes
from ..reply import Output, Reply
from . import describing, templates
from .criteria import condition, split_condition
from .declare import CommandCall, Core, own_command, refusal
from .object_args import OBJECT_OPTIONS

#: Types that `-a` leaves out: secrets, and logs, which are long.
_NOT_OF_ALL = {"passwd", "auditlog", "eventlog"}
#: Options that do not go together.
_APART = (("long", "short"), ("attributes", "nics"), ("attributes", "osimage"), ("stanza", "osimage"))


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `lsdef`.

    Raises:
        Usage: Options that do not go together, an unknown type, several nodes without a comma.
    """
    _check(call)
    kinds = _kinds(call)
    lines = ["# <xCAT data object stanza file>"] if "stanza" in call.options else []
    count, head = 0, len(lines)
    for kind in kinds:
        wanted, present = _templates(call, kind) if "template" in call.options else _objects(call, kind)
        if kind.name == "node" and "stanza" not in call.options:
            present = objects.with_defaults(call.tables, present)
        for name in wanted:
            if name not in present and _has_names(call):
                yield refusal(_not_found(call, kind, name))
        found = _visible(call, kind, present)
        yield from _wrong_attributes(call, kind)
        for name in sorted(found, key=natural):
            lines += _lines(call, kind, name, found[name], many=len(kinds) > 1)
            if "osimage" in call.options and kind.name == "node":
                lines += yield from _image(call, name, found[name])
        count += len(found)
    if len(lines) > head:
        yield Reply({"info": lines, "numofnodes": str(count)})
    elif _has_names(call) or count or "where" in call.options:
        yield Info("No object definitions have been found")
    else:
        yield Info("Could not find any object definitions to display.")


def _kinds(call: CommandCall) -> list[ObjectKind]:
    if "all" in call.options and "type" not in call.options:
        return [KINDS[name] for name in sorted(KINDS.keys() - _NOT_OF_ALL)]
    return [objects.kind_of(name) for name in call.options.get("type", "node").split(",")]


def _check(call: CommandCall) -> None:
    for one, other in _APART:
        if {one, other} <= call.options.keys():
            flags = {option.name: option.flags[0] for option in LSDEF.spec.options}
            raise Usage(f"The flags '{flags[one]}' and '{flags[other]}' cannot be used together.")
    if "compress" in call.options and "attributes" not in call.options:
        raise Usage("The flags '-c' and '-i' must be used together.")
    if "all" in call.options and _has_names(call):
        raise Usage("Cannot use '-a' with '-o', a noderange or file input.")
    if len(call.words) > 1:
        raise Usage("noderange can not contain spaces.")


def _has_names(call: CommandCall) -> bool:
    return bool(_text(call))


def _text(call: CommandCall) -> str:
    return call.options.get("objects", "") or (call.words[0] if call.words else "")


def _names(call: CommandCall, kind: ObjectKind) -> Sequence[str]:
    text = _text(call)
    if not text:
        return objects.names(call.tables, kind)
    if kind.name == "node":
        expanded = call.tables.expand(text)
        if not expanded.nodes and not expanded.missing:
            raise Usage(f"No node in '{text}', check the noderange syntax.")
        return expanded.nodes + expanded.missing
    return list(filter(None, text.split(",")))


def _objects(call: CommandCall, kind: ObjectKind) -> tuple[Sequence[str], dict[str, Attributes]]:
    wanted = _names(call, kind)
    return wanted, objects.read(call.tables, kind, wanted)


def _templates(call: CommandCall, kind: ObjectKind) -> tuple[Sequence[str], dict[str, Attributes]]:
    there = templates.of(kind)
    wanted = list(filter(None, _text(call).split(","))) or list(there)
    return wanted, {name: there[name] for name in wanted if name in there}


def _not_found(call: CommandCall, kind: ObjectKind, name: str) -> str:
    if "template" in call.options:
        return f"Could not find {name} in xCAT templates."
    if kind.name in schema.NUMBERED:
        return f"Could not get xCAT object definitions. {kind.name} has no record {name}."
    return f"Could not find an object named '{name}' of type '{kind.name}'."


def _image(call: CommandCall, node: str, row: Attributes) -> Generator[Output, None, list[str]]:
    """The attributes of the image that a node gets."""
    name = row.get("provmethod", "")
    found = objects.read(call.tables, KINDS["osimage"], (name,)).get(name, {})
    if not found:
        yield refusal(
            f"Missing attributes for node {node}, check the node attributes 'os', 'arch','profile' and 'provmethod'."
        )
    return [f"    {attribute}={value}" for attribute, value in sorted(found.items())]


def _visible(call: CommandCall, kind: ObjectKind, found: dict[str, Attributes]) -> dict[str, Attributes]:
    """Leave out hidden nodes, and what does not fulfil `-w`."""
    if kind.name == "node" and "hidden" not in call.options:
        found = {name: row for name, row in found.items() if row.get("hidden") != "1"}
    for text in call.options.get("where", ()):
        attribute, sign, value = split_condition(text)
        if attribute != kind.key:
            objects.check(kind, (attribute,))
        fits = condition(sign, value)
        seen = {name: name if attribute == kind.key else row.get(attribute) for name, row in found.items()}
        # whatever the sign: an object without the attribute fulfils no condition on it
        found = {name: row for name, row in found.items() if (it := seen[name]) and fits(it)}
    return found


def _choose(call: CommandCall, kind: ObjectKind, row: Mapping[str, str]) -> list[str]:
    """The attributes that `-i` or `--nics` names, or all that have a value."""
    if "nics" in call.options:
        return sorted(attribute for attribute in row if attribute.startswith("nic"))
    if not call.options.get("attributes", ""):
        return sorted(row)
    chosen = sorted(call.options.get("attributes", "").split(","))
    if kind.name == "site":
        return [name for name in chosen if name in row]
    return [name for name in chosen if objects.is_known(kind, name)]


def _wrong_attributes(call: CommandCall, kind: ObjectKind) -> Iterator[Output]:
    for name in filter(None, call.options.get("attributes", "").split(",")):
        try:
            objects.check(kind, (name,))
        except Usage as problem:
            yield refusal(problem.text)


def _lines(call: CommandCall, kind: ObjectKind, name: str, row: Mapping[str, str], many: bool) -> Iterator[str]:
    detailed = {"long", "stanza", "attributes", "nics", "osimage"} & call.options.keys()
    long = bool(detailed) or (_has_names(call) and "short" not in call.options)
    compressed = "compress" in call.options
    if "stanza" in call.options:
        yield f"\n{name}:"
        yield f"    objtype={kind.name}"
    elif not long or "short" in call.options:
        yield f"{name}{' ' if 'all' in call.options else '  '}({kind.name})"
        return
    elif not compressed:
        yield f"Object name: {name}" + (f"  ({kind.name})" if many else "")
    lead = f"{name}: " if compressed else "    "
    for attribute in _choose(call, kind, row):
        place = _place(kind, attribute) if "verbose" in call.options else ""
        for text in _pairs(attribute, row):
            yield lead + text + place


def _place(kind: ObjectKind, attribute: str) -> str:
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
    if not name.startswith("nic") or "!" not in value or nics.is_whole(value):
        return [f"{attribute}={value}"]
    return [f"{name}.{card}={text}" for card, text in nics.cards(value).items() if part in ("", card)]


LSDEF = Core(
    own_command(
        "lsdef",
        "objects and their attributes",
        (
            "lsdef [-l | -s] [-a] [-S] [-V] [-t type] [-o objnames | noderange] [-i attr-list] [-c] [-w attr==val] "
            "[-z]",
            "lsdef [--nics | --osimage] noderange",
            "lsdef -h -t type [-i attr-list]",
        ),
        (
            *OBJECT_OPTIONS,
            Option(("-S",), "hidden", "hidden nodes as well"),
            Option(("--nics",), "nics", "the attributes of network cards"),
            Option(("--osimage",), "osimage", "the attributes of the nodes' images"),
            Option(("--template",), "template", "templates that mkdef takes, instead of objects"),
        ),
        CommandWords(most=None),
    ),
    run,
    describe=describing.describe,
)
