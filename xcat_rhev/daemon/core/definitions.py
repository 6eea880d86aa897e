"""mkdef, chdef, lsdef and rmdef: nodes, groups, images, networks, policies, passwords and the site as objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...errors import Usage
from ...messages import Info, Warning
from .. import objects
from ..attributes import SITE, Kind
from .declare import Call, Core, Said, Shape, refused

_PAIR = re.compile(r"\s*(.*?)\s*=\s*(.*)", re.DOTALL)
#: What an object may be called: xCAT's rule, and a colon for passwords.
_NAME = re.compile(r"[\w.:/+-]+")


class Asked(NamedTuple):
    """What a command line says.

    Attributes:
        kind: The type of objects.
        names: The objects.
        values: Attribute -> value.
    """

    kind: Kind
    names: tuple[str, ...]
    values: Mapping[str, str]


def make(call: Call) -> Iterator[Said]:
    """Answer `mkdef`."""
    if "p" in call.options or "m" in call.options:
        yield refused("The '-p' and '-m' options are not valid for the mkdef command.")
        return
    if not call.words and not call.options:
        yield MKDEF.help()
        return
    if _says_nothing(call):
        groups = "The 'groups' attribute is required when creating node definitions."
        yield refused("No object definitions have been created or modified: no attributes were specified."
                      + (f" {groups}" if call.last("t", "node") == "node" else ""))
        return
    done, wrong = 0, False
    for asked in _asked(call):
        created, present, problems = _making(call, asked)
        yield from (Warning(problem) for problem in present)
        yield from (refused(problem) for problem in problems)
        yield from _capitals(asked.kind, created)
        objects.write(call.tables, asked.kind, created)
        done += len(created)
        wrong = wrong or bool(problems)
    yield from _summary(done, wrong, failed=not done)


def change(call: Call) -> Iterator[Said]:
    """Answer `chdef`."""
    if "f" in call.options:
        yield refused("The '-f' option is not valid for the chdef command.")
        return
    if not call.words and not call.options:
        yield CHDEF.help()
        return
    if "n" in call.options:
        yield from _rename(call)
        return
    if _says_nothing(call):
        yield from _summary(0, wrong=False, failed=False)
        return
    done, new, wrong = 0, [], False
    for asked in _asked(call):
        present = objects.read(call.tables, asked.kind, asked.names)
        wanted: dict[str, Mapping[str, str]] = {}
        for name in asked.names:
            needs_groups = asked.kind.name == "node" and "groups" not in asked.values
            if name not in present and ("m" in call.options or needs_groups):
                yield refused(_why_not_new(name, "m" in call.options))
                wrong = True
                continue
            wanted[name] = _changed(call, asked.kind, present.get(name, {}), asked.values)
            new += [] if name in present else [name]
        objects.write(call.tables, asked.kind, wanted)
        done += len(wanted)
    yield from _summary(done, wrong, failed=False)
    if new:
        yield Info(f"New object definitions '{','.join(new)}' have been created.")


def remove(call: Call) -> Iterator[Said]:
    """Answer `rmdef`."""
    if not call.words and not call.options:
        yield RMDEF.help()
        return
    if "a" in call.options and "f" not in call.options:
        yield refused("You must use the '-f' option when using the '-a' option.")
        return
    done = 0
    for asked in _asked(call):
        present = set(objects.names(call.tables, asked.kind))
        for name in asked.names:
            if name not in present:
                yield refused(f"Could not find an object named '{name}' of type '{asked.kind.name}'.")
        found = [name for name in asked.names if name in present]
        if found:
            objects.remove(call.tables, asked.kind, found)
        done += len(found)
    if done:
        yield Shape({"info": f"{done} object definitions have been removed.", "numofnodes": str(done)})
    else:
        yield Info("No objects have been removed from the xCAT database.")


def _making(call: Call, asked: Asked) -> tuple[dict[str, Mapping[str, str]], list[str], list[str]]:
    """Which objects mkdef writes, with what, and what it says about those that exist and those that cannot be."""
    present = set(objects.names(call.tables, asked.kind))
    wanted: dict[str, Mapping[str, str]] = {}
    exist, problems = [], []
    for name in asked.names:
        if not _NAME.fullmatch(name) or (asked.kind.name == "node" and "." in name):
            problems.append(f"The object name '{name}' is invalid, please refer to \"man xcatdb\" for the valid "
                            '"xCAT Object Name Format"')
        elif name in present and "f" not in call.options and asked.kind.name != "site":
            exist.append(f"A definition for '{name}' already exists. No changes will be made.  "
                            "Run again with '-f' option to force replace.")
        elif asked.kind.name == "node" and not asked.values.get("groups"):
            problems.append(f"Attribute 'groups' is not specified for node '{name}', skipping to the next node.")
        elif asked.kind.name == "network" and not (asked.values.get("net") and asked.values.get("mask")):
            problems.append(f"Net or mask value should not be empty for xCAT network object '{name}'.")
        else:
            wanted[name] = _changed(call, asked.kind, {}, asked.values)
    replaced = [name for name in wanted if name in present and asked.kind.name != "site"]
    if replaced:
        objects.remove(call.tables, asked.kind, replaced)
    return wanted, exist, problems


def _asked(call: Call) -> Iterator[Asked]:
    """Read a command line, or a stanza file from standard input."""
    if "z" in call.options and call.request.stdin:
        for name, values in stanzas(call.request.stdin).items():
            kind = objects.kind_of(values.pop("objtype", "node"))
            objects.check(kind, values)
            yield Asked(kind, (name,), values)
        return
    values = dict(_pair(word) for word in call.words if "=" in word)
    words = [word for word in call.words if "=" not in word]
    if len(words) > 1:
        raise Usage("noderange can not contain spaces.")
    kinds = call.last("t", "node").split(",")
    for name in kinds:
        kind = objects.kind_of(name)
        found = _names(call, kind, words)
        if kind.name == "passwd" and "username" in values:
            found = tuple(f"{one}:{values['username']}" for one in found if ":" not in one)
            values.pop("username")
        objects.check(kind, values)
        if not found:
            raise Usage("No object names were provided.")
        yield Asked(kind, found, values)


def _says_nothing(call: Call) -> bool:
    """Whether a command line names no attribute; dynamic groups have their conditions."""
    return not (any("=" in word for word in call.words) or {"z", "w"} & call.options.keys())


def _names(call: Call, kind: Kind, words: Sequence[str]) -> tuple[str, ...]:
    if "a" in call.options:
        return tuple(objects.names(call.tables, kind))
    if kind.name == "site":
        return (SITE,)
    text = call.last("o") or (words[0] if words else "")
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


def _changed(call: Call, kind: Kind, present: Mapping[str, str], values: Mapping[str, str]) -> Mapping[str, str]:
    """What to write: the values, or with -p and -m the present lists with or without them; and the parts of nics."""
    made: dict[str, str] = {}
    for attribute, value in values.items():
        name, dot, part = attribute.partition(".")
        before = made.get(name, present.get(name, ""))
        if dot and name.startswith("nic"):
            made[name] = _with_nic(before, part, value)
        elif "p" in call.options:
            made[name] = ",".join(dict.fromkeys(filter(None, [*before.split(","), *value.split(",")])))
        elif "m" in call.options:
            gone = value.split(",")
            made[name] = ",".join(item for item in before.split(",") if item not in gone)
        else:
            made[attribute] = value
    if "w" in call.options and kind.name == "group":
        conditions = "::".join(call.options["w"])
        made.update({"grouptype": "dynamic", "members": "dynamic", "wherevals": conditions})
    return made


def _with_nic(before: str, nic: str, value: str) -> str:
    """Set one network interface's part of a column: `eth0!10.0.0.1,eth1!10.0.1.1`."""
    parts = dict(part.partition("!")[::2] for part in before.split(",") if part)
    parts[nic] = value
    return ",".join(f"{name}!{text}" for name, text in parts.items() if text)


def _why_not_new(name: str, minus: bool) -> str:
    if minus:
        return f"The '-m' option is not valid since the '{name}' definition does not exist."
    return f"Attribute 'groups' is not specified for node '{name}', skipping to the next node."


def _rename(call: Call) -> Iterator[Said]:
    """Give one object another name, in every table that has a part of it."""
    asked = next(_asked(call))
    new = call.last("n")
    if len(asked.names) != 1:
        yield refused("The '-n' option (changing object name) can only work on one object.")
        return
    old, = asked.names
    present = set(objects.names(call.tables, asked.kind))
    if old not in present:
        yield refused(f"The {old} is not a valid object.")
    elif new in present:
        yield refused(f"Object {new} already exists.")
    elif not _NAME.fullmatch(new):
        yield refused(f"The new object name '{new}' is not valid.")
    else:
        objects.rename(call.tables, asked.kind, old, new)
        yield Info(f"Changed the object name from {old} to {new}.")


def _capitals(kind: Kind, names: Mapping[str, object]) -> Iterator[Said]:
    capitals = [name for name in names if name != name.lower()]
    if kind.name == "node" and capitals:
        yield Warning(f"The node name '{','.join(capitals)}' contains capital letters which may not be resolved "
                      "correctly by the dns server.")


def _summary(count: int, wrong: bool, failed: bool) -> Iterator[Said]:
    text = f"{count or ('No' if not failed else 0)} object definitions have been created or modified."
    if wrong:
        yield refused("One or more errors occured when attempting to create or modify xCAT object definitions.")
        if not count:
            return
    yield refused(text) if failed else Shape({"info": text, "numofnodes": str(count)})


def stanzas(text: str) -> dict[str, dict[str, str]]:
    """Read objects as `lsdef -z` writes them: a name with a colon, then indented pairs.

    Raises:
        Usage: A line is neither.
    """
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#") or line.strip() == "<xCAT data object stanza file>":
            continue
        if not line[0].isspace() and line.rstrip().endswith(":"):
            current = found.setdefault(line.strip()[:-1], {})
        elif current is not None and "=" in line:
            name, value = _pair(line.strip())
            current[name] = value
        else:
            raise Usage(f"Could not process file input data: {line.strip()}")
    return found


_LONG = {
    "all": "a", "compress": "c", "dynamic": "d", "force": "f", "long": "l", "short": "s", "minus": "m", "plus": "p",
    "stanza": "z", "nocache": "N", "cleanup": "C",
}
MKDEF, CHDEF, RMDEF = (
    Core(name, (f"{name} {usage}",), run, letters="acdflsmpuzCNn:o:t:w:", long=_LONG) for name, usage, run in (
        ("mkdef", "[-f] [-t type] [-o objnames | noderange] [-d -w attr==val] [-z] attr=val [attr=val...]", make),
        ("chdef", "[-p | -m] [-t type] [-o objnames | noderange] [-n newname] [-z] attr=val [attr=val...]", change),
        ("rmdef", "[-t type] [-o objnames | noderange] [-a -f]", remove),
    )
)
