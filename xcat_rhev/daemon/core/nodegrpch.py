"""nodegrpch: columns of groups, which their nodes then inherit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...declare.command import CommandWords, Option
from ...errors import RhevError, Usage
from ...xcat import rows
from .. import objects
from ..reply import Output
from ..tables import Tables
from .declare import CommandCall, Core, own_command, refusal
from .nodech import ASSIGNMENT, CONDITION, column_of_nodes

#: Table -> column -> value.
_Updates = dict[str, "dict[str, str]"]


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `nodegrpch GROUP[,GROUP]... [TABLE.COLUMN=VALUE]...` and `nodegrpch -d GROUP[,GROUP]... TABLE...`."""
    if not call.words:
        yield NODEGRPCH.help(1)
        return
    groups = list(dict.fromkeys(filter(None, call.words[0].split(","))))
    try:
        _check(call.tables, groups)
        if "delete" in call.options:
            _delete(call.tables, groups, call.words[1:])
        else:
            for table, values in _updates(call.words[1:]).items():
                _write(call.tables, table, groups, values)
    except RhevError as problem:
        yield refusal(str(problem))


def _check(tables: Tables, groups: Sequence[str]) -> None:
    """A row of a node is not changed by mistake.

    Raises:
        Usage: A name is a node's, or none at all.
    """
    nodes = [name for name in groups if name in tables.nodes()]
    if nodes:
        raise Usage(f"{','.join(nodes)}: a node and no group", "Run: nodech")
    if not groups or any(set(name) & set("@+-^~[]/ ") for name in groups):
        raise Usage("nodegrpch takes names of groups", "Write them with commas between them")


def _updates(words: Sequence[str]) -> _Updates:
    """Read the assignments, all of them before anything is written.

    Raises:
        Usage: A word is none, or adds to a list.
        NotFound: No such column.
    """
    updates: _Updates = {}
    for word in words:
        found = ASSIGNMENT.fullmatch(word)
        if not found or (CONDITION.match(word) and not found[0].startswith(f"{found[1]}=@")):
            raise Usage(f"Malformed argument {word} ignored.")
        if found[2]:
            raise Usage(",= and ^= are not supported by nodegrpch")
        table, column = column_of_nodes(found[1])
        if (table, column) == ("nodelist", "groups"):
            raise Usage("Group membership is not changeable via nodegrpch")
        if table == "nodelist" or column == "node":
            raise Usage(f"{found[1]} is not inherited from groups")
        updates.setdefault(table, {})[column] = found[3] or rows.NOTHING
    return updates


def _write(tables: Tables, table: str, groups: Sequence[str], values: Mapping[str, str]) -> None:
    """Write the groups' rows, and take the same columns out of those of their nodes, which would hide them."""
    members = {node for group in groups for node in objects.members(tables, group)}
    with tables.store.change(table) as change:
        change.put_all("node", {group: dict(values) for group in groups})
        own = {row["node"] or "" for row in change.rows() if any(row[column] for column in values)}
        change.put_all("node", {node: dict.fromkeys(values) for node in sorted(own & members)})
    tables.forget(table)


def _delete(tables: Tables, groups: Sequence[str], names: Sequence[str]) -> None:
    """Remove the groups' rows from tables.

    Raises:
        Usage: A word is not a table of nodes.
    """
    for name in names:
        if "=" in name or "." in name:
            raise Usage(". and = not valid in delete mode.")
        try:
            column_of_nodes(f"{name}.node")
        except RhevError:
            raise Usage(f"ERROR: Unable to open table {name} in configuration") from None
    for name in names:
        tables.drop(name, *({"node": group} for group in groups))


NODEGRPCH = Core(
    own_command(
        "nodegrpch",
        "change columns of groups",
        (
            "Usage: nodegrpch <group1,group2,...> [table.column=value] [...]",
            "       nodegrpch {-v | --version}",
            "       nodegrpch [-? | -h | --help]",
        ),
        (Option(("-d", "--delete"), "delete", "remove the groups' rows from tables"),),
        CommandWords(most=None),
    ),
    run,
)
