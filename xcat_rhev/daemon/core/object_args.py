"""What mkdef, chdef and rmdef are asked for: objects and their attributes, on the command line or as stanzas."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...declare.command import Option
from ...errors import Usage
from ...xcat import schema
from .. import objects
from ..attributes import KINDS, SITE, ObjectKind
from .criteria import split_condition
from .declare import CommandCall

_PAIR = re.compile(r"\s*(.*?)\s*=\s*(.*)", re.DOTALL)
_LINE = re.compile(r"[^\r\n]+")
#: Objects in one stanza file. One after the other leaves other clients their turn; many millions fill the memory.
MOST = 200_000
_NO_NAMES = "No object names were provided."
_DEFAULTS = re.compile(r"default-([^-]+)")

#: The options that all commands about objects have.
OBJECT_OPTIONS = (
    Option(("-a", "--all"), "all", "all objects"),
    Option(("-c", "--compress"), "compress", "only the values, one on each line"),
    Option(("-l", "--long"), "long", "all attributes"),
    Option(("-s", "--short"), "short", "only the names"),
    Option(("-z", "--stanza"), "stanza", "as a stanza file"),
    Option(("-N", "--nocache"), "nocache", "accepted as in xCAT, without effect: nothing is cached"),
    Option(("-i",), "attributes", "these attributes", value="ATTRIBUTES"),
    Option(("-o",), "objects", "these objects", value="OBJECTS"),
    Option(("-t",), "type", "their type", value="TYPE"),
    Option(("-w",), "where", "those that fulfil a condition", value="CONDITION", many=True),
)


class ObjectArgs(NamedTuple):
    """Objects of one type.

    Attributes:
        kind: The type.
        names: The objects.
        values: Attribute -> value.
        unknown: Attributes of a stanza that the type does not have, which are left out.
    """

    kind: ObjectKind
    names: tuple[str, ...]
    values: Mapping[str, str]
    unknown: tuple[str, ...] = ()


def read(call: CommandCall) -> list[ObjectArgs]:
    """Read a command line, or a stanza file from standard input, and find every mistake before anything is written.

    Raises:
        Usage: Options that do not go together, an unknown type or attribute, no objects.
    """
    words = [word for word in call.words if "=" not in word]
    if "usual" in call.options:
        raise Usage("-u finds nothing: there are no templates and package lists here", "Name the attributes one by one")
    if "stanza" in call.options and (words or "objects" in call.options):
        raise Usage("Cannot use '-z' with '-o' or a noderange.")
    if "stanza" in call.options and "type" in call.options:
        raise Usage("Cannot combine '-t' and '-a', '-z', or '-x' options.")
    if len(words) > 1:
        raise Usage("noderange can not contain spaces.")
    return list(_from_stanzas(call) if "stanza" in call.options and call.request.stdin else _from_words(call, words))


def conditions(call: CommandCall) -> Sequence[str]:
    """The conditions that `-w` gives for the members of a group.

    Raises:
        Usage: One is not valid, or names no attribute of nodes.
    """
    texts: Sequence[str] = call.options.get("where", ())
    for text in texts:
        try:
            attribute, _, _ = split_condition(text)
        except Usage as problem:
            raise Usage("Incorrect selection string specified with -w flag.", problem.hint) from problem
        if not _of_nodes(attribute):
            raise Usage(f"Incorrect attribute '{attribute}' in the selection string specified with -w flag.")
    return texts


def _of_nodes(name: str) -> bool:
    """Whether nodes have an attribute of that name, lsdef's or that of a table's column."""
    table, _, column = name.partition(".")
    columns = schema.TABLES[table].columns if table in schema.TABLES else ()
    return name == "node" or name in KINDS["node"].columns or column in columns


def _from_stanzas(call: CommandCall) -> Iterator[ObjectArgs]:
    found = stanzas(call.request.stdin)
    if not found:
        raise Usage(_NO_NAMES)
    for name, values in found.items():
        if not values.get("objtype"):
            raise Usage(f"No objtype value was specified for '{name}'. Cannot create object definition.")
        kind = objects.kind_of(values.pop("objtype"))
        unknown = tuple(attribute for attribute in values if not objects.is_known(kind, attribute))
        known = {attribute: value for attribute, value in values.items() if attribute not in unknown}
        yield ObjectArgs(kind, (name,), known, unknown)


def _from_words(call: CommandCall, words: Sequence[str]) -> Iterator[ObjectArgs]:
    given = dict(_pair(word) for word in call.words if "=" in word)
    kinds = call.options.get("type", "node").split(",")
    if len(kinds) > 1 and given:
        raise Usage("Cannot combine multiple types with 'att=val' pairs on the command line.")
    for name in kinds:
        kind, values = objects.kind_of(name), dict(given)
        found = _names(call, kind, words)
        if kind.name == "passwd" and "username" in values:
            found = tuple(f"{one}:{values['username']}" for one in found if ":" not in one)
            values.pop("username")
        objects.check(kind, values)
        if not found:
            raise Usage(_NO_NAMES)
        yield ObjectArgs(kind, found, values)


def _names(call: CommandCall, kind: ObjectKind, words: Sequence[str]) -> tuple[str, ...]:
    if "all" in call.options:
        return tuple(objects.names(call.tables, kind))
    if kind.name == "site":
        return (SITE,)
    text = call.options.get("objects", "") or (words[0] if words else "")
    if kind.name != "node":
        return tuple(filter(None, text.split(",")))
    creates = call.request.command in ("mkdef", "chdef") and not text.startswith("/")
    found = call.tables.expand(text, verify=not creates)
    if found.missing and not creates:
        return found.nodes + found.missing  # named in the answer, one by one
    return found.nodes


def _pair(word: str) -> tuple[str, str]:
    found = _PAIR.fullmatch(word)
    if not found or not found[1]:
        raise Usage(f"Incorrect 'attr=val' pair - {word}.")
    return found[1], found[2]


def stanzas(text: str) -> dict[str, dict[str, str]]:
    """Read objects as `lsdef -z` writes them: a name with a colon, then indented pairs.

    What a stanza `default-TYPE:` holds counts for the objects of that type behind it that say nothing else.

    Raises:
        Usage: A line is neither, or there are too many objects.
    """
    found: dict[str, dict[str, str]] = {}
    defaults: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in (
        one[0].strip() for one in _LINE.finditer(text.removeprefix("\ufeff"))
    ):  # a list of millions would hold up everybody
        if not line or line.startswith("#") or line == "<xCAT data object stanza file>":
            continue
        if line.endswith(":") and "=" not in line:
            name = line[:-1].strip()
            default = _DEFAULTS.fullmatch(name)
            current = defaults.setdefault(default[1], {}) if default else found.setdefault(name, {})
            if len(found) > MOST:
                raise Usage(f"The file has more than {MOST} objects.", "Write it in several files")
        elif current is not None and "=" in line:
            name, value = _pair(line)
            value = _unquote(value)
            for attribute, usual in defaults.get(value, {}).items() if name == "objtype" else ():
                current.setdefault(attribute, usual)
            current[name] = value
        else:
            raise Usage(f"Could not process file input data: {line}")
    return found


def _unquote(value: str) -> str:
    value = value.strip()
    return value.removeprefix('"').removesuffix('"').strip()
