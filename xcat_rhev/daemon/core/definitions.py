"""mkdef, chdef, lsdef and rmdef: nodes, groups, images, networks, policies, passwords and the site as objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from ...errors import Aborted, RhevError, Usage
from ...messages import Info, Warning
from .. import objects
from ..attributes import Kind
from . import describing
from .asked import Asked, conditions, read
from .declare import Call, Core, Said, Shape, refused

#: What an object may be called: xCAT's rule, and a colon for passwords.
_NAME = re.compile(r"[\w.:/+-]+", re.ASCII)
#: Between the conditions of a dynamic group.
_AND = "::"


class _Made(NamedTuple):
    """What mkdef or chdef will write.

    Attributes:
        wanted: Object -> its new attributes.
        exist: What to say of objects that are left as they are.
        problems: What to say of objects that cannot be.
        anew: The objects that lose what they had.
    """

    wanted: dict[str, Mapping[str, str]]
    exist: list[str]
    problems: list[str]
    anew: list[str]


def make(call: Call) -> Iterator[Said]:
    """Answer `mkdef`."""
    if "p" in call.options or "m" in call.options:
        yield refused("The '-p' and '-m' options are not valid for the mkdef command.")
        return
    if not call.words and not call.options:
        yield MKDEF.help()
        return
    asked = read(call)
    if _says_nothing(call, asked) and asked[0].kind.name != "group":
        groups = "The 'groups' attribute is required when creating node definitions."
        yield refused("No object definitions have been created or modified: no attributes were specified."
                      + (f" {groups}" if asked[0].kind.name == "node" else ""))
        return
    done, wrong = 0, False
    for kind, several in _together(asked):
        made = _making(call, kind, several)
        yield from (Warning(problem) for problem in made.exist)
        yield from _capitals(kind, made.wanted)
        yield from _without_defaults(call, kind, made.wanted)
        problems = made.problems + _written(call, kind, made)
        yield from (refused(problem) for problem in problems)
        done += len(made.wanted)
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
    asked = read(call)
    if _says_nothing(call, asked):
        yield from _summary(0, wrong=False, failed=False)
        return
    done, new, wrong = 0, [], False
    for kind, several in _together(asked):
        present = objects.read(call.tables, kind, [name for each in several for name in each.names])
        made = _changing(call, several, present)
        yield from _without_defaults(call, kind, made.wanted)
        problems = made.problems + _written(call, kind, made)
        yield from (refused(problem) for problem in problems)
        wrong = wrong or bool(problems)
        new += [name for name in made.wanted if name not in present]
        done += len(made.wanted)
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
    for asked in read(call):
        present = set(objects.names(call.tables, asked.kind))
        for name in asked.names:
            if name not in present:
                yield refused(f"Could not find an object named '{name}' of type '{asked.kind.name}'.")
        found = [name for name in asked.names if name in present]
        if found and "C" in call.options and asked.kind.name == "node":
            yield from call.host.ask("nodeset", found, ("offline",))
        if found:
            objects.remove(call.tables, asked.kind, found)
        done += len(found)
    if done:
        yield Shape({"info": f"{done} object definitions have been removed.", "numofnodes": str(done)})
    else:
        yield Info("No objects have been removed from the xCAT database.")


def _together(asked: Iterable[Asked]) -> Iterator[tuple[Kind, list[Asked]]]:
    """Nodes that follow each other are written at once: a transaction costs the same for many. Others one by one."""
    for nodes, several in groupby(asked, lambda each: each.kind.name == "node"):
        for batch in [list(several)] if nodes else [[each] for each in several]:
            yield batch[0].kind, batch


def _making(call: Call, kind: Kind, several: Iterable[Asked]) -> _Made:
    """Which objects mkdef writes, with what."""
    made = _Made({}, [], [], [])
    present = set(objects.names(call.tables, kind))
    template = _template(call, kind)
    for asked in several:
        asked = asked._replace(values={**template, **asked.values})
        for name in asked.names:
            if name in present and "f" not in call.options and kind.name != "site":
                made.exist.append(f"A definition for '{name}' already exists. No changes will be made.  "
                                  "Run again with '-f' option to force replace.")
            else:
                _add(made, call, asked, name, {})
    made.anew.extend(name for name in made.wanted if name in present and kind.name != "site")
    return made


def _changing(call: Call, several: Iterable[Asked], present: Mapping[str, Mapping[str, str]]) -> _Made:
    """Which objects chdef writes, with what."""
    made = _Made({}, [], [], [])
    for asked in several:
        for name in asked.names:
            if name not in present and "m" in call.options:
                made.problems.append(f"The '-m' option is not valid since the '{name}' definition does not exist.")
            else:
                _add(made, call, asked, name, present.get(name, {}))
    return made


def _add(made: _Made, call: Call, asked: Asked, name: str, before: Mapping[str, str]) -> None:
    """Add what is written of one object, or why it cannot be."""
    try:
        if not before:
            _check_new(call, asked, name)
        dynamic = _dynamic(call, asked, name, before)
        made.wanted[name] = dynamic or _changed(call, asked, name, before, _static(call, asked))
    except Usage as problem:
        made.problems.append(str(problem))


def _check_new(call: Call, asked: Asked, name: str) -> None:
    """Make sure that there can be a new object of that name.

    Raises:
        Usage: There cannot.
    """
    if asked.kind.name == "node" and "." in name:
        raise Usage(f"The object name '{name}' is invalid, Cannot use '.' in node name.")
    if not _NAME.fullmatch(name):
        raise Usage(f"The object name '{name}' is invalid, please refer to \"man xcatdb\" for the valid "
                    '"xCAT Object Name Format"')
    if asked.kind.name == "node" and not asked.values.get("groups"):
        raise Usage(f"Attribute 'groups' is not specified for node '{name}', skipping to the next node.")
    if asked.kind.name == "network":
        _check_network(call, name, asked.values)


def _check_network(call: Call, name: str, values: Mapping[str, str]) -> None:
    where = {column: values.get(column, "") for column in ("net", "mask")}
    if not all(where.values()):
        raise Usage(f"Net or mask value should not be empty for xCAT network object '{name}'.")
    same = [row for row in call.tables.rows("networks", where) if row.get("netname") != name]
    if same:
        raise Usage(f"A network definition called '{same[0].get('netname', '')}' already exists that contains the same "
                    f"net and mask values. Cannot create a definition for '{name}'.")


def _template(call: Call, kind: Kind) -> Mapping[str, str]:
    """The attributes of the object that `--template` names; when a node was in which state is its own."""
    if "T" not in call.options:
        return {}
    name = call.last("T")
    found = objects.read(call.tables, kind, (name,)).get(name)
    if found is None:
        raise Usage(f"Could not find the template object named '{name}' of type '{kind.name}'.")
    return {attribute: value for attribute, value in found.items() if "status" not in attribute}


def _dynamic(call: Call, asked: Asked, name: str, before: Mapping[str, str]) -> Mapping[str, str] | None:
    """What to write of a dynamic group, which is one by `-d`, by its stanza, or already; None for anything else."""
    chosen = conditions(call) if asked.kind.name == "group" else []
    kept = {"grouptype": "dynamic", "members": "dynamic"}
    if asked.kind.name == "group" and asked.values.get("grouptype") == "dynamic" and "d" not in call.options:
        return {**asked.values, **kept}
    if asked.kind.name != "group" or not ("d" in call.options or before.get("grouptype") == "dynamic"):
        return None
    if asked.values:
        raise Usage(f"Can not assign attributes to dynamic node group '{name}'.")
    if not chosen:
        raise Usage(f"The 'where' attributes and values were not provided for dynamic group '{name}'.")
    present = before.get("wherevals", "").split(_AND) if {"p", "m"} & call.options.keys() else []
    if "m" in call.options:
        return {**kept, "wherevals": _AND.join(each for each in present if each not in chosen)}
    return {**kept, "wherevals": _AND.join(dict.fromkeys(filter(None, [*present, *chosen])))}


def _static(call: Call, asked: Asked) -> Mapping[str, str]:
    """The values to write; `-w` without `-d` chooses the members of a static group once and for all."""
    if asked.kind.name == "group" and (chosen := conditions(call)):
        return {"members": ",".join(sorted(call.tables.selected(_AND.join(chosen)))), **asked.values}
    return asked.values


def _without_defaults(call: Call, kind: Kind, wanted: dict[str, Mapping[str, str]]) -> Iterator[Warning]:
    """Take out of nodes' scripts what every node runs anyway."""
    for column, text in objects.default_scripts(call.tables).items() if kind.name == "node" else ():
        defaults = text.split(",")
        for name, values in wanted.items():
            scripts = values.get(column, "").split(",")
            for script in (one for one in scripts if one in defaults and name != "xcatdefaults"):
                yield Warning(f"{name}: {column} '{script}' is already included in the 'xcatdefaults'.")
            if column in values and name != "xcatdefaults":
                wanted[name] = {**values, column: ",".join(one for one in scripts if one not in defaults)}


def _written(call: Call, kind: Kind, made: _Made) -> list[str]:
    """Write objects; gives what to say if that failed, and then takes them out of `wanted`."""
    try:
        objects.write(call.tables, kind, made.wanted, made.anew)
    except Aborted:
        raise
    except RhevError as problem:
        made.wanted.clear()
        return [str(problem)]
    return []


def _says_nothing(call: Call, asked: list[Asked]) -> bool:
    """Whether a command line names no attribute; dynamic groups have their conditions."""
    return not (any(each.values for each in asked) or {"z", "w", "T"} & call.options.keys())


def _changed(
    call: Call, asked: Asked, name: str, before: Mapping[str, str], values: Mapping[str, str]
) -> Mapping[str, str]:
    """What to write: the values, or with -p and -m the present lists with or without them; and the parts of nics."""
    made: dict[str, str] = {}
    for attribute, value in values.items():
        column, dot, part = attribute.partition(".")
        present = made.get(column, before.get(column, ""))
        nic = asked.kind.name == "node" and column.startswith("nic")
        if nic and {"p", "m"} & call.options.keys():
            raise Usage("chdef does not support to change the nic related attributes with -m or -p flag.")
        if nic and dot:
            made[column] = _with_nic(present, part, value)
        elif "p" in call.options:
            made[column] = ",".join(dict.fromkeys(filter(None, [*present.split(","), *value.split(",")])))
        elif "m" in call.options:
            made[column] = _without(present, value, column, name)
        else:
            made[attribute] = value
    return made


def _without(present: str, value: str, attribute: str, name: str) -> str:
    """Take items out of a list."""
    items, gone = present.split(","), value.split(",")
    for item in gone if present else ():
        if item not in items:
            raise Usage(f"{item} is not in the attribute of '{attribute}' for the '{name}' definition.")
    return ",".join(item for item in items if item not in gone)


def _with_nic(before: str, nic: str, value: str) -> str:
    """Set one network interface's part of a column: `eth0!10.0.0.1,eth1!10.0.1.1`."""
    parts = dict(part.partition("!")[::2] for part in before.split(",") if part)
    parts[nic] = value
    return ",".join(f"{name}!{text}" for name, text in parts.items() if text)


def _rename(call: Call) -> Iterator[Said]:
    """Give one object another name, in every table that has a part of it."""
    asked = read(call)[0]
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
    elif not _NAME.fullmatch(new) or (asked.kind.name == "node" and "." in new):
        yield refused(f"The new object name '{new}' is not valid.Please refer to \"man xcatdb\" for the valid "
                      '"xCAT Object Name Format" ')
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


_LONG = {
    "all": "a", "compress": "c", "dynamic": "d", "force": "f", "long": "l", "short": "s", "minus": "m", "plus": "p",
    "stanza": "z", "nocache": "N", "cleanup": "C", "template=": "T",
}
MKDEF, CHDEF, RMDEF = (
    Core(
        name, (f"{name} {usage}", f"{name} -h -t type [-i attr-list]"), run, letters="acdflsmpuzCNi:n:o:t:w:",
        long=_LONG, describe=describing.describe,
    ) for name, usage, run in (
        ("mkdef", "[-f] [-t type] [-o objnames | noderange] [-d -w attr==val] [-z] [--template object] "
                  "attr=val [attr=val...]", make),
        ("chdef", "[-p | -m] [-t type] [-o objnames | noderange] [-d -w attr==val] [-n newname] [-z] "
                  "attr=val [attr=val...]", change),
        ("rmdef", "[-t type] [-o objnames | noderange] [-a -f] [-C|--cleanup: nodeset offline first]", remove),
    )
)
