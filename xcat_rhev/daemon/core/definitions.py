"""mkdef, chdef, lsdef and rmdef: nodes, groups, images, networks, policies, passwords and the site as objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from ...declare.command import CommandWords, Option
from ...errors import Aborted, RhevError, Usage
from ...messages import Info, Warn
from ...ordering import natural
from ...xcat import nics
from .. import objects
from ..attributes import ObjectKind
from ..reply import Output, Reply
from . import describing, templates
from .declare import CommandCall, Core, own_command, refusal
from .object_args import OBJECT_OPTIONS, ObjectArgs, conditions, read

#: What an object may be called: xCAT's rule, and a colon for passwords.
_NAME = re.compile(r"[\w.:/+-]+", re.ASCII)
#: The values of nodehm.mgt with which a BMC is asked.
_OF_BMC = ("ipmi", "openbmc")
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


def make(call: CommandCall) -> Iterator[Output]:
    """Answer `mkdef`."""
    if "plus" in call.options or "minus" in call.options:
        yield refusal("The '-p' and '-m' options are not valid for the mkdef command.")
        return
    if not call.words and not call.options:
        yield MKDEF.help()
        return
    asked = read(call)
    unknown = list(_unknown(asked))
    yield from unknown
    if _says_nothing(call, asked) and asked[0].kind.name != "group":
        groups = "The 'groups' attribute is required when creating node definitions."
        yield refusal(
            "No object definitions have been created or modified: no attributes were specified."
            + (f" {groups}" if asked[0].kind.name == "node" else "")
        )
        return
    done, wrong = 0, bool(unknown)
    for kind, several in _together(asked):
        made = _objects_to_make(call, kind, several)
        yield from (Warn(problem) for problem in made.exist)
        yield from _capitals(kind, made.wanted)
        yield from _without_defaults(call, kind, made.wanted)
        problems = made.problems + _write(call, kind, made)
        yield from (refusal(problem) for problem in problems)
        done += len(made.wanted)
        wrong = wrong or bool(problems)
    yield from _summary(done, wrong, failed=not done)


def change(call: CommandCall) -> Iterator[Output]:
    """Answer `chdef`."""
    if "force" in call.options:
        yield refusal("The '-f' option is not valid for the chdef command.")
        return
    if not call.words and not call.options:
        yield CHDEF.help()
        return
    if "new_name" in call.options:
        yield from _rename(call)
        return
    asked = read(call)
    unknown = list(_unknown(asked))
    yield from unknown
    if _says_nothing(call, asked):
        yield from _summary(0, wrong=bool(unknown), failed=False)
        return
    done, new, wrong = 0, [], bool(unknown)
    for kind, several in _together(asked):
        present = objects.read(call.tables, kind, [name for each in several for name in each.names])
        made = _objects_to_change(call, several, present)
        yield from _without_defaults(call, kind, made.wanted)
        problems = made.problems + _write(call, kind, made)
        yield from (refusal(problem) for problem in problems)
        wrong = wrong or bool(problems)
        new += [name for name in made.wanted if name not in present]
        done += len(made.wanted)
    yield from _summary(done, wrong, failed=False)
    if new:
        yield Info(f"New object definitions '{','.join(new)}' have been created.")


def remove(call: CommandCall) -> Iterator[Output]:
    """Answer `rmdef`."""
    if not call.words and not call.options:
        yield RMDEF.help()
        return
    if "all" in call.options and "force" not in call.options:
        yield refusal("You must use the '-f' option when using the '-a' option.")
        return
    done = 0
    for asked in read(call):
        present = set(objects.names(call.tables, asked.kind))
        for name in asked.names:
            if name not in present:
                yield refusal(f"Could not find an object named '{name}' of type '{asked.kind.name}'.")
        found = [name for name in asked.names if name in present]
        if found and "cleanup" in call.options and asked.kind.name == "node":
            yield from call.host.ask("nodeset", found, ("offline",))
        if found:
            objects.remove(call.tables, asked.kind, found)
        done += len(found)
    if done:
        yield Reply({"info": f"{done} object definitions have been removed.", "numofnodes": str(done)})
    else:
        yield Info("No objects have been removed from the xCAT database.")


def _unknown(asked: Iterable[ObjectArgs]) -> Iterator[Output]:
    """What a stanza file says that there is not: the attribute is left out, all else is done."""
    for each in asked:
        for attribute in each.unknown:
            yield refusal(
                f"{', '.join(each.names)}: '{attribute}' is not a valid attribute name for an object type of "
                f"'{each.kind.name}'. Skipping to the next attribute."
            )


def _together(asked: Iterable[ObjectArgs]) -> Iterator[tuple[ObjectKind, list[ObjectArgs]]]:
    """Nodes that follow each other are written at once: a transaction costs the same for many. Others one by one."""
    for nodes, several in groupby(asked, lambda each: each.kind.name == "node"):
        for batch in [list(several)] if nodes else [[each] for each in several]:
            yield batch[0].kind, batch


def _objects_to_make(call: CommandCall, kind: ObjectKind, several: Iterable[ObjectArgs]) -> _Made:
    """Which objects mkdef writes, with what."""
    made = _Made({}, [], [], [])
    present = set(objects.names(call.tables, kind))
    template = _template(call, kind)
    for asked in several:
        asked = asked._replace(values=templates.fill(template, asked.values))
        for name in asked.names:
            if name in present and "force" not in call.options and kind.name != "site":
                made.exist.append(
                    f"A definition for '{name}' already exists. No changes will be made.  "
                    "Run again with '-f' option to force replace."
                )
            else:
                _add(made, call, asked, name, {})
    made.anew.extend(name for name in made.wanted if name in present and kind.name != "site")
    return made


def _objects_to_change(
    call: CommandCall, several: Iterable[ObjectArgs], present: Mapping[str, Mapping[str, str]]
) -> _Made:
    """Which objects chdef writes, with what."""
    made = _Made({}, [], [], [])
    for asked in several:
        for name in asked.names:
            if name not in present and "minus" in call.options:
                made.problems.append(f"The '-m' option is not valid since the '{name}' definition does not exist.")
            else:
                _add(made, call, asked, name, present.get(name, {}))
    return made


def _add(made: _Made, call: CommandCall, asked: ObjectArgs, name: str, before: Mapping[str, str]) -> None:
    """Add what is written of one object, or why it cannot be."""
    try:
        if not before:
            _check_new(call, asked, name)
        _check_conditions(call, asked, name, before)
        dynamic = _dynamic(call, asked, name, before)
        made.wanted[name] = dynamic or _new_values(call, asked, name, before, _static(call, asked))
    except Usage as problem:
        made.problems.append(str(problem))


def _check_new(call: CommandCall, asked: ObjectArgs, name: str) -> None:
    """Make sure that there can be a new object of that name.

    Raises:
        Usage: There cannot.
    """
    if asked.kind.name == "node" and "." in name:
        raise Usage(f"The object name '{name}' is invalid, Cannot use '.' in node name.")
    if not _NAME.fullmatch(name):
        raise Usage(
            f"The object name '{name}' is invalid, please refer to \"man xcatdb\" for the valid "
            '"xCAT Object Name Format"'
        )
    if asked.kind.name == "node" and not asked.values.get("groups"):
        raise Usage(f"Attribute 'groups' is not specified for node '{name}', skipping to the next node.")
    if asked.kind.name == "network":
        _check_network(call, name, asked.values)
    if asked.kind.name == "policy" and not asked.values.get("rule"):
        raise Usage(f"Attribute 'rule' is not specified for policy '{name}', which would neither allow nor deny.")


def _check_network(call: CommandCall, name: str, values: Mapping[str, str]) -> None:
    where = {column: values.get(column, "") for column in ("net", "mask")}
    if not all(where.values()):
        raise Usage(f"Net or mask value should not be empty for xCAT network object '{name}'.")
    same = [row for row in call.tables.rows("networks", where) if row.get("netname") != name]
    if same:
        raise Usage(
            f"A network definition called '{same[0].get('netname', '')}' already exists that contains the same "
            f"net and mask values. Cannot create a definition for '{name}'."
        )


def _check_conditions(call: CommandCall, asked: ObjectArgs, name: str, before: Mapping[str, str]) -> None:
    """Make sure that attributes are set only where they mean something: those of a BMC where it is what is asked.

    Raises:
        Usage: One would mean nothing.
    """
    if asked.kind.name not in ("node", "group"):
        return
    given = sorted(a for a, value in asked.values.items() if value and asked.kind.columns.get(a, ("",))[0] == "ipmi")
    groups = (asked.values.get("groups") or before.get("groups", "")).split(",")
    rows = [row for group in groups for row in call.tables.by_node("nodehm").get(group, ())]
    known = {asked.values.get("mgt", before.get("mgt", "")), *(row.get("mgt", "") for row in rows)}
    if given and known.isdisjoint(_OF_BMC):
        raise Usage(
            f"Cannot set the attr='{given[0]}' attribute unless mgt value is {' or '.join(_OF_BMC)}.",
            f"Write mgt={_OF_BMC[0]} as well for {name}",
        )


def _template(call: CommandCall, kind: ObjectKind) -> Mapping[str, str]:
    """The attributes of the template or the object that `--template` names; in which state a node was is its own."""
    if "template" not in call.options:
        return {}
    name = call.options["template"]
    found = templates.of(kind).get(name) or objects.read(call.tables, kind, (name,)).get(name)
    if found is None:
        raise Usage(f"Could not find the template object named '{name}' of type '{kind.name}'.")
    return {attribute: value for attribute, value in found.items() if "status" not in attribute}


def _dynamic(call: CommandCall, asked: ObjectArgs, name: str, before: Mapping[str, str]) -> Mapping[str, str] | None:
    """What to write of a dynamic group, which is one by `-d`, by its stanza, or already; None for anything else."""
    chosen = conditions(call) if asked.kind.name == "group" else []
    kept = {"grouptype": "dynamic", "members": "dynamic"}
    if asked.kind.name == "group" and asked.values.get("grouptype") == "dynamic" and "dynamic" not in call.options:
        wherevals = asked.values.get("wherevals") or _AND.join(chosen) or before.get("wherevals", "")
        if not wherevals:
            raise Usage(f"The 'where' attributes and values were not provided for dynamic group '{name}'.")
        return {**asked.values, **kept, "wherevals": wherevals}
    if asked.kind.name != "group" or not ("dynamic" in call.options or before.get("grouptype") == "dynamic"):
        return None
    if asked.values:
        raise Usage(f"Can not assign attributes to dynamic node group '{name}'.")
    if not chosen:
        raise Usage(f"The 'where' attributes and values were not provided for dynamic group '{name}'.")
    present = before.get("wherevals", "").split(_AND) if {"plus", "minus"} & call.options.keys() else []
    if "minus" in call.options:
        return {**kept, "wherevals": _AND.join(each for each in present if each not in chosen)}
    return {**kept, "wherevals": _AND.join(dict.fromkeys(filter(None, [*present, *chosen])))}


def _static(call: CommandCall, asked: ObjectArgs) -> Mapping[str, str]:
    """The values to write; `-w` without `-d` chooses the members of a static group once and for all."""
    if asked.kind.name == "group" and (chosen := conditions(call)):
        return {"members": ",".join(sorted(call.tables.select(_AND.join(chosen)), key=natural)), **asked.values}
    return asked.values


def _without_defaults(call: CommandCall, kind: ObjectKind, wanted: dict[str, Mapping[str, str]]) -> Iterator[Warn]:
    """Take out of nodes' scripts what every node runs anyway."""
    for column, text in objects.default_scripts(call.tables).items() if kind.name == "node" else ():
        defaults = text.split(",")
        for name, values in wanted.items():
            scripts = values.get(column, "").split(",")
            for script in (one for one in scripts if one in defaults and name != "xcatdefaults"):
                yield Warn(f"{name}: {column} '{script}' is already included in the 'xcatdefaults'.")
            if column in values and name != "xcatdefaults":
                wanted[name] = {**values, column: ",".join(one for one in scripts if one not in defaults)}


def _write(call: CommandCall, kind: ObjectKind, made: _Made) -> list[str]:
    """Write objects; gives what to say if that failed, and then takes them out of `wanted`."""
    try:
        objects.write(call.tables, kind, made.wanted, made.anew)
    except Aborted:
        raise
    except RhevError as problem:
        made.wanted.clear()
        return [str(problem)]
    return []


def _says_nothing(call: CommandCall, asked: list[ObjectArgs]) -> bool:
    """Whether a command line names no attribute; dynamic groups have their conditions."""
    return not (any(each.values for each in asked) or {"stanza", "where", "template"} & call.options.keys())


def _new_values(
    call: CommandCall, asked: ObjectArgs, name: str, before: Mapping[str, str], values: Mapping[str, str]
) -> Mapping[str, str]:
    """What to write: the values, or with -p and -m the present lists with or without them; and the parts of nics."""
    made: dict[str, str] = {}
    for attribute, value in values.items():
        column, dot, part = attribute.partition(".")
        present = made.get(column, before.get(column, ""))
        nic = objects.of_cards(asked.kind, column)
        if nic and {"plus", "minus"} & call.options.keys():
            raise Usage("chdef does not support to change the nic related attributes with -m or -p flag.")
        if nic and dot:
            made[column] = _with_card(present, part, value, attribute)
        elif "plus" in call.options:
            made[column] = ",".join(dict.fromkeys(filter(None, [*present.split(","), *value.split(",")])))
        elif "minus" in call.options:
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


def _with_card(before: str, card: str, value: str, attribute: str) -> str:
    """Set one card's part of a column: `eth0!10.0.0.1,eth1!10.0.1.1`."""
    if nics.is_whole(before):
        column = attribute.partition(".")[0]
        raise Usage(f"{column} is one expression for all cards", f"Write all of it: {column}=VALUE")
    return nics.join({**nics.cards(before), card: value})


def _rename(call: CommandCall) -> Iterator[Output]:
    """Give one object another name, in every table that has a part of it."""
    asked = read(call)[0]
    new = call.options["new_name"]
    if len(asked.names) != 1:
        yield refusal("The '-n' option (changing object name) can only work on one object.")
        return
    (old,) = asked.names
    present = set(objects.names(call.tables, asked.kind))
    if old not in present:
        yield refusal(f"The {old} is not a valid object.")
    elif new in present:
        yield refusal(f"Object {new} already exists.")
    elif not _NAME.fullmatch(new) or (asked.kind.name == "node" and "." in new):
        yield refusal(
            f"The new object name '{new}' is not valid.Please refer to \"man xcatdb\" for the valid "
            '"xCAT Object Name Format" '
        )
    else:
        objects.rename(call.tables, asked.kind, old, new)
        yield Info(f"Changed the object name from {old} to {new}.")


def _capitals(kind: ObjectKind, names: Mapping[str, object]) -> Iterator[Output]:
    capitals = [name for name in names if name != name.lower()]
    if kind.name == "node" and capitals:
        yield Warn(
            f"The node name '{','.join(capitals)}' contains capital letters which may not be resolved "
            "correctly by the dns server."
        )


def _summary(count: int, wrong: bool, failed: bool) -> Iterator[Output]:
    text = f"{count or ('No' if not failed else 0)} object definitions have been created or modified."
    if wrong:
        yield refusal("One or more errors occured when attempting to create or modify xCAT object definitions.")
        if not count:
            return
    yield refusal(text) if failed else Reply({"info": text, "numofnodes": str(count)})


#: The options of mkdef, chdef and rmdef.
_OPTIONS = (
    *OBJECT_OPTIONS,
    Option(("-d", "--dynamic"), "dynamic", "a group whose members are found by conditions"),
    Option(("-f", "--force"), "force", "write objects again, or remove all"),
    Option(("-m", "--minus"), "minus", "take values out of lists"),
    Option(("-p", "--plus"), "plus", "add values to lists"),
    Option(("-u",), "usual", "by a template of xCAT's, which are not here"),
    Option(("-C", "--cleanup"), "cleanup", "nodeset offline first"),
    Option(("-n",), "new_name", "another name", value="NAME"),
    Option(
        ("--template",),
        "template",
        "the attributes of a template, or of another object",
        value="NAME",
    ),
)
MKDEF, CHDEF, RMDEF = (
    Core(
        own_command(
            name,
            summary,
            (f"{name} {usage}", f"{name} -h -t type [-i attr-list]"),
            _OPTIONS,
            CommandWords(most=None),
        ),
        run,
        describe=describing.describe,
    )
    for name, summary, usage, run in (
        (
            "mkdef",
            "make objects",
            "[-f] [-t type] [-o objnames | noderange] [-d -w attr==val] [-z] [--template name] attr=val [attr=val...]",
            make,
        ),
        (
            "chdef",
            "change objects",
            "[-p | -m] [-t type] [-o objnames | noderange] [-d -w attr==val] [-n newname] [-z] attr=val [attr=val...]",
            change,
        ),
        (
            "rmdef",
            "remove objects",
            "[-t type] [-o objnames | noderange] [-a -f] [-C|--cleanup: nodeset offline first]",
            remove,
        ),
    )
)
