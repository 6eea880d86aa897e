"""Objects as lsdef shows them, made of rows of several tables; reading, writing and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..abort import check as check_wanted
from ..errors import NotFound, Usage
from ..ordering import natural
from ..xcat import nics, schema
from ..xcat.commandnames import did_you_mean
from .attributes import KINDS, SITE, ObjectKind
from .store import Change
from .tables import Tables

#: Attribute -> value.
Attributes = dict[str, str]
#: Columns of scripts.
SCRIPTS = ("postscripts", "postbootscripts")
#: Attribute -> new value; empty takes it away.
Changes = Mapping[str, str]


def kind_of(name: str) -> ObjectKind:
    """Find a type.

    Raises:
        Usage: There is none of that name.
    """
    if name not in KINDS:
        raise Usage(f"Type '{name}' is not a valid xCAT object type", f"Types are: {', '.join(sorted(KINDS))}")
    return KINDS[name]


def names(tables: Tables, kind: ObjectKind) -> list[str]:
    """The objects of a type, sorted."""
    if kind.name == "site":
        return [SITE]
    if kind.name == "node":
        return sorted(tables.nodes(), key=natural)
    found = {_name(kind, row) for row in tables.records(kind.table)}
    return sorted(found | set(tables.groups()) if kind.name == "group" else found, key=natural)


def read(tables: Tables, kind: ObjectKind, chosen: Sequence[str]) -> dict[str, Attributes]:
    """Read objects; those that do not exist are left out."""
    present = set(names(tables, kind))
    chosen = [name for name in chosen if name in present]
    if kind.name == "site":
        values = {row["key"]: row.get("value", "") for row in tables.rows("site")}
        return {name: dict(values) for name in chosen}
    found: dict[str, Attributes] = {name: {} for name in chosen}
    for table, columns in _by_table(kind, kind.columns).items():
        rows = _rows(tables, kind, table, chosen, tuple(columns.values()))
        for name in chosen:
            found[name].update((a, rows[name][c]) for a, c in columns.items() if c in rows.get(name, {}))
    if kind.name == "group":
        for name in chosen:
            _complete_group(tables, name, found[name])
    return found


def default_scripts(tables: Tables) -> Mapping[str, str]:
    """What every node runs before its own scripts: the row `xcatdefaults` of postscripts, which is not a node."""
    rows = tables.rows("postscripts", {"node": "xcatdefaults"})
    return {column: row[column] for row in rows for column in SCRIPTS if column in row}


def with_defaults(tables: Tables, nodes: Mapping[str, Attributes]) -> dict[str, Attributes]:
    """Nodes with the scripts that they run by default in front of their own."""
    defaults = default_scripts(tables)
    return {
        name: {
            **row,
            **{column: f"{text},{row[column]}" if row.get(column) else text for column, text in defaults.items()},
        }
        for name, row in nodes.items()
    }


def check(kind: ObjectKind, attributes: Iterable[str]) -> None:
    """Make sure that a type has attributes.

    Raises:
        Usage: It does not have one of them.
    """
    for attribute in attributes:
        if not is_known(kind, attribute):
            raise Usage(
                f"'{attribute}' is not a valid attribute name for an object type of '{kind.name}'"
                + (did_you_mean(attribute, kind.columns) or ".")
            )


def is_known(kind: ObjectKind, attribute: str) -> bool:
    """Whether a type has an attribute; those of nics have one for each card, such as `nicips.eth0`."""
    if kind.name == "site" or attribute in kind.columns or (kind.name, attribute) == ("passwd", "username"):
        return True
    column, _, card = attribute.partition(".")
    return bool(card) and of_cards(kind, column)


def of_cards(kind: ObjectKind, attribute: str) -> bool:
    """Whether an attribute's value has parts for a node's cards."""
    return kind.columns.get(attribute, ("",))[0] == nics.TABLE


def write(tables: Tables, kind: ObjectKind, objects: Mapping[str, Changes], anew: Sequence[str] = ()) -> None:
    """Write attributes of objects, table by table, each in one transaction; a new object gets its own row.

    Args:
        tables: Where.
        kind: The type of the objects.
        objects: Object -> its changes.
        anew: Those that lose what else they have, in the same transactions: what cannot be written loses nothing.

    Raises:
        Usage: No such attribute, or a node that does not exist among a group's members.
    """
    for changes in objects.values():
        check(kind, changes)
    if kind.name == "site":
        for changes in objects.values():
            _write_site(tables, changes)
        return
    if kind.name == "group":
        objects = {name: _membership(tables, name, changes, name in anew) for name, changes in objects.items()}
    updates = _updates(kind, objects)
    for table in [*updates, *(place for place in _places(kind) if anew and place not in updates)]:
        check_wanted(tables.aborted)
        with tables.store.change(table) as change:
            if anew:
                change.drop(*(_key(kind, table, name) for name in anew))
            _put(change, kind, table, updates.get(table, {}))
        tables.forget(table)


def _updates(kind: ObjectKind, objects: Mapping[str, Changes]) -> dict[str, dict[str, dict[str, str | None]]]:
    """Table -> object -> column -> new value."""
    updates: dict[str, dict[str, dict[str, str | None]]] = {kind.table: {name: {} for name in objects}}
    for name, changes in objects.items():
        for attribute, value in changes.items():
            table, column = kind.columns.get(attribute, (kind.table, attribute))
            updates.setdefault(table, {}).setdefault(name, {})[column] = value or None
    return updates


def _put(change: Change, kind: ObjectKind, table: str, rows: Mapping[str, Mapping[str, str | None]]) -> None:
    if kind.name == "passwd":
        for name, row in rows.items():
            change.put(_key(kind, table, name), row)
    else:
        change.put_all(next(iter(_key(kind, table, ""))), rows)


def remove(tables: Tables, kind: ObjectKind, chosen: Sequence[str]) -> None:
    """Remove objects from all tables that have a part of them.

    Raises:
        Usage: The site, which cannot be removed.
    """
    if kind.name == "site":
        raise Usage("The site definition cannot be removed", "Remove an attribute with: chdef -t site clustersite KEY=")
    if kind.name == "group":
        for name in chosen:
            _set_members(tables, name, (), clear=True)
    for table in _places(kind):
        check_wanted(tables.aborted)
        tables.drop(table, *(_key(kind, table, name) for name in chosen))


def rename(tables: Tables, kind: ObjectKind, old: str, new: str) -> None:
    """Give an object another name in every table that has a part of it.

    Raises:
        Usage: The site, which has one name.
    """
    if kind.name == "site":
        raise Usage("The site definition cannot be renamed")
    for table in _places(kind):
        key = _key(kind, table, old)
        if any(all(row.get(c) == v for c, v in key.items()) for row in tables.raw(table)):
            with tables.store.change(table) as change:
                change.put(key, dict(_key(kind, table, new)))
            tables.forget(table)


def members(tables: Tables, group: str) -> list[str]:
    """The nodes of a group, static or dynamic, sorted."""
    dynamic = tables.dynamic_group(group)
    return sorted(tables.groups().get(group, ()) if dynamic is None else dynamic, key=natural)


def _places(kind: ObjectKind) -> list[str]:
    """The tables that can have a part of an object; its own last, so that a repeat mends a failure before."""
    places = {table for table, _ in kind.columns.values()} | {kind.table}
    if kind.name == "node":
        places |= {table.name for table in schema.TABLES.values() if table.node_keyed}
    return sorted(places, key=kind.table.__eq__)


def _write_site(tables: Tables, changes: Changes) -> None:
    for key, value in changes.items():
        if value:
            tables.put("site", {"key": key}, {"value": value})
        else:
            tables.drop("site", {"key": key})


def _name(kind: ObjectKind, row: Mapping[str, str]) -> str:
    name = row.get(kind.key, "")
    return f"{name}:{row['username']}" if kind.name == "passwd" and row.get("username") else name


def _key(kind: ObjectKind, table: str, name: str) -> dict[str, str]:
    """The key of an object's row in one of its tables."""
    if kind.name == "passwd":
        key, _, user = name.partition(":")
        return {"key": key, "username": user}
    if table == kind.table:
        return {kind.key: name}
    return {schema.TABLES[table].keys[0]: name}


def _by_table(kind: ObjectKind, attributes: Iterable[str]) -> dict[str, dict[str, str]]:
    """Table -> attribute -> column."""
    found: dict[str, dict[str, str]] = {}
    for attribute in attributes:
        table, column = kind.columns[attribute]
        found.setdefault(table, {})[attribute] = column
    return found


def _rows(
    tables: Tables, kind: ObjectKind, table: str, chosen: Sequence[str], columns: Sequence[str]
) -> Mapping[str, Mapping[str, str]]:
    """One table's part of objects: for nodes with what their groups give, for others as it is stored."""
    if kind.name == "node":
        return tables.node_attrs(table, chosen, columns)
    if table == kind.table:
        return {_name(kind, row): row for row in tables.records(table)}
    key = schema.TABLES[table].keys[0]
    return {row.get(key, ""): row for row in tables.rows(table)}


def _complete_group(tables: Tables, name: str, attributes: Attributes) -> None:
    attributes["members"] = ",".join(members(tables, name))


def _membership(tables: Tables, group: str, changes: Changes, anew: bool) -> Changes:
    """Carry out a change of a static group's members, which is one of its nodes; give what its row gets.

    A group that is made anew keeps its place in the lists of nodes that stay in it: what they inherit depends on it.
    """
    static = changes.get("grouptype") != "dynamic"
    if anew and not (static and "members" in changes):
        _set_members(tables, group, (), clear=True)
    if not static:
        return changes
    known = not anew and any(row.get("groupname") == group for row in tables.rows("nodegroup"))
    if "members" not in changes:
        return changes if known else {"grouptype": "static", **changes}
    wanted = tables.expand(changes["members"])
    if wanted.missing:
        raise NotFound(f"Could not find a node named '{','.join(wanted.missing)}'", "Make the nodes first, with mkdef")
    _set_members(tables, group, wanted.nodes, clear=True)
    return {"grouptype": "static", **changes, "members": "static"}


def _set_members(tables: Tables, group: str, nodes: Sequence[str], clear: bool) -> None:
    """Put a group into the nodes' lists, behind those that are there, and out of all others' lists."""
    with tables.store.change("nodelist") as change:
        tables.forget("nodelist")
        for node, its_groups in tables.memberships().items():
            wanted = [name for name in its_groups if name != group or node in nodes]
            if node in nodes and group not in wanted:
                wanted.append(group)
            if tuple(wanted) != tuple(its_groups) and (clear or node in nodes):
                change.put({"node": node}, {"groups": ",".join(wanted)})
    tables.forget("nodelist")
