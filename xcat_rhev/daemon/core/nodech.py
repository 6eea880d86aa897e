"""nodeadd, nodech and noderm: columns of nodes in many tables at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ...declare.command import CommandWords, Option
from ...errors import NotFound, RhevError, Usage
from ...messages import Warn
from ...xcat import rows, schema
from ..reply import Output, Reply
from ..tables import Tables
from .criteria import SHORT, column_of, read
from .declare import CommandCall, Core, own_command, refusal

#: `column=value`, `column,=value` (put in front), `column^=value` (take out); `=@` is an unmistakable `=`.
ASSIGNMENT = re.compile(r"([^=]*?)([,^]?)=@?(.*)", re.DOTALL)
CONDITION = re.compile(r"[^=]*(==|!=|=~|!~)")


def add(call: CommandCall) -> Iterator[Output]:
    """Answer `nodeadd NODERANGE groups=GROUPS [TABLE.COLUMN=VALUE]...`."""
    if len(call.words) < 2:
        yield NODEADD.help(1)
        return
    nodes = call.tables.expand(call.words[0], verify=False).nodes
    capitals = [node for node in nodes if node != node.lower()]
    if capitals:
        yield Warn(
            f"The node name '{','.join(capitals)}' contains capital letters which may not be resolved "
            "correctly by the dns server."
        )
    wrong = [node for node in nodes if not re.fullmatch(r"\w[\w.-]*", node)]
    if wrong or not nodes:
        yield refusal(f"'{','.join(wrong) or call.words[0]}' cannot be the name of a node")
        return
    if not any(re.match(r"(nodelist\.groups|groups|tags),?=[^=~]", word) for word in call.words[1:]):
        yield refusal(f"{call.words[0]} would be in no group. Add groups=all, or other groups")
        return
    yield from _assign(call, nodes, call.words[1:])


def change(call: CommandCall) -> Iterator[Output]:
    """Answer `nodech NODERANGE TABLE.COLUMN=VALUE...` and `nodech -d NODERANGE TABLE...`."""
    if not call.words or not call.request.nodes:
        yield NODECH.help(1)
    elif "delete" in call.options:
        yield from _delete(call, call.request.nodes, call.words)
    else:
        yield from _assign(call, call.request.nodes, call.words)


def remove(call: CommandCall) -> Iterator[Output]:
    """Answer `noderm NODERANGE`: take the nodes out of every table."""
    if not call.request.nodes:
        yield NODERM.help(1)
        return
    keyed = [table.name for table in schema.TABLES.values() if "node" in table.keys]
    keyed.sort(key="nodelist".__eq__)  # nodelist last: after a failure the rest can be removed by the same command
    yield from _delete(call, call.request.nodes, keyed)


def _delete(call: CommandCall, nodes: Sequence[str], tables: Sequence[str]) -> Iterator[Output]:
    for table in tables:
        if "=" in table or "." in table:
            yield refusal(". and = not valid in delete mode.")
        elif "node" not in schema.TABLES.get(table, schema.Table("", (), ())).columns:
            yield refusal(f"ERROR: Unable to open table {table} in configuration")
        elif any(node in call.tables.by_node(table) or _hides(call.tables, table, node) for node in nodes):
            call.tables.drop(table, *({"node": node} for node in nodes))


def _hides(tables: Tables, table: str, node: str) -> bool:
    """Whether a table has a disabled row of a node."""
    return any(row["node"] == node for row in tables.raw(table))


def _assign(call: CommandCall, nodes: Sequence[str], words: Sequence[str]) -> Iterator[Output]:
    """Write columns of the nodes that fulfil the conditions among the words."""
    updates: dict[str, list[tuple[str, str, str]]] = {}
    for word in words:
        if CONDITION.match(word) and not re.match(r"[^=]*=@", word):
            nodes = _filter(call.tables, nodes, word)
            continue
        found = ASSIGNMENT.fullmatch(word)
        if not found:
            yield refusal(f"Malformed argument {word} ignored.")
            continue
        try:
            table, column = column_of_nodes(found[1])
        except RhevError as problem:
            yield refusal(problem.text)
            return
        updates.setdefault(table, []).append((column, found[2], found[3]))
    for table, changes in updates.items():
        yield from _refuse_dynamic(call.tables, table, changes)
        _write(call.tables, table, nodes, changes)


def column_of_nodes(label: str) -> tuple[str, str]:
    """Find the column of nodes that a word names.

    Raises:
        NotFound: There is none.
        Usage: The rows of its table belong to no node.
    """
    try:
        table, column = column_of(label)
    except NotFound:
        table, _, column = ".".join(SHORT.get(label, (label,))).partition(".")
        raise NotFound(schema.no_column(f"{table}.{column}")) from None
    if "node" not in schema.TABLES[table].columns:
        raise Usage(f"{label} is not an attribute of nodes: the rows of table {table} belong to no node")
    return table, column


def _filter(tables: Tables, nodes: Sequence[str], condition: str) -> list[str]:
    (column,) = read(condition)
    values = tables.node_attrs(column.table, nodes, (column.column,))
    assert column.fits is not None
    return [node for node in nodes if column.fits(values[node].get(column.column, ""))]


def _refuse_dynamic(tables: Tables, table: str, changes: Sequence[tuple[str, str, str]]) -> Iterator[Output]:
    for column, _, value in changes:
        for group in value.split(",") if (table, column) == ("nodelist", "groups") else ():
            if tables.dynamic_group(group) is not None:
                yield Reply(
                    {
                        "data": f"nodegroup {group} is a dynamic node group, should not add a node into a dynamic "
                        "node group statically.\n"
                    }
                )


def _write(tables: Tables, table: str, nodes: Sequence[str], changes: Sequence[tuple[str, str, str]]) -> None:
    """Write one table in one transaction, so that what is read for adding to a list is what gets replaced."""
    with tables.store.change(table) as change_:
        tables.forget(table)
        present = {node: dict(row) for node, row in _effective(tables, table, nodes, changes).items()}
        change_.put_all("node", {node: _new_row(present[node], changes) for node in nodes})
    tables.forget(table)


def _new_row(present: Mapping[str, str], changes: Sequence[tuple[str, str, str]]) -> dict[str, str | None]:
    made: dict[str, str | None] = {}
    for column, sign, value in changes:
        made[column] = _new_value(made.get(column) or present.get(column, ""), sign, value)
    return made


def _effective(
    tables: Tables, table: str, nodes: Sequence[str], changes: Sequence[tuple[str, str, str]]
) -> Mapping[str, Mapping[str, str]]:
    columns = [column for column, sign, _ in changes if sign]
    return tables.node_attrs(table, nodes, columns) if columns else {node: {} for node in nodes}


def _new_value(before: str, sign: str, value: str) -> str:
    """The new value of a column. An empty one is stored as a pattern that stops inheritance from groups."""
    items = [item for item in before.split(",") if item]
    if sign == ",":
        for item in filter(None, value.split(",")):
            if item not in items:
                items.insert(0, item) if before else items.append(item)
        return ",".join(items)
    if sign == "^":
        gone = value.split(",")
        return ",".join(item for item in items if item not in gone) or rows.NOTHING
    return value or rows.NOTHING


NODEADD = Core(
    own_command(
        "nodeadd",
        "define nodes",
        (
            "Usage: nodeadd <noderange> groups=<groupnames> [table.column=value] [...]",
            "       nodeadd {-v | --version}",
            "       nodeadd [-? | -h | --help]",
        ),
        (),
        CommandWords(most=None),
    ),
    add,
)
NODECH = Core(
    own_command(
        "nodech",
        "change columns of nodes",
        (
            "Usage: nodech <noderange> table.column=value [...]",
            "       nodech {-d | --delete} <noderange> <table> [...]",
            "       nodech {-v | --version}",
            "       nodech [-? | -h | --help]",
        ),
        (Option(("-d", "--delete"), "delete", "remove the nodes from tables"),),
        CommandWords(most=None),
    ),
    change,
)
NODERM = Core(
    own_command(
        "noderm",
        "remove nodes from every table",
        ("Usage:", "  noderm noderange", "  noderm {-v|--version}", "  noderm [-?|-h|--help]"),
        (),
        CommandWords(),
    ),
    remove,
)
