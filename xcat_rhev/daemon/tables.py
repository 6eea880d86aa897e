"""xCAT's reading rules over the stored tables: nodes, groups, inheritance, regex values, site, noderange.

One of these serves one request, with what it runs in turn: each table is read once, and again after the request wrote
to it, so that a request sees one state of a table and its own changes.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Collection, Mapping, Sequence, Set
from typing import Callable, Optional, TypeVar

from ..abort import check
from ..errors import Denied, NotFound
from ..ordering import natural
from ..xcat import nics, noderange, rows, schema
from ..xcat.host import Row
from .attributes import KINDS
from .core.criteria import condition, split_condition
from .nodefiles import Reach
from .nodefiles import read as read_node_file
from .store import RawRow, Store

T = TypeVar("T")
#: Nodes between two looks at whether somebody still wants the answer.
AT_ONCE = 1000
#: The newest records of a log, which count as objects.
RECORDS = 10_000
#: What may be the name of a node.
PLAIN = re.compile(r"[A-Za-z0-9][\w.:-]*", re.ASCII)


class Tables:
    """The tables as one request sees them. Also the `NodeWorld` of noderanges and the `Tables` of routing.

    Args:
        store: Where they are.
        own: Values of the site table that are different on this host.
    """

    def __init__(self, store: Store, own: Mapping[str, str] | None = None) -> None:
        self.store = store
        self._own = own or {}
        self._read: dict[str, tuple[RawRow, ...]] = {}
        #: What a noderange may ask for again and again: columns of all nodes, and members of dynamic groups.
        self._columns: dict[tuple[str, str], Mapping[str, str]] = {}
        self._dynamic: dict[str, Collection[str]] = {}
        self._reach = Reach.ALL
        #: Set when the answer is no longer wanted: long work then ends.
        self.aborted = threading.Event()

    def within(self, reach: Reach) -> Tables:
        """The same for somebody whose noderanges may not name every file; what has been read is shared."""
        same = Tables(self.store, self._own)
        same._read, same._columns, same._dynamic = self._read, self._columns, self._dynamic
        same._reach, same.aborted = reach, self.aborted
        return same

    # Whole tables.

    def raw(self, table: str) -> tuple[RawRow, ...]:
        """All rows as they are stored, disabled ones included.

        Raises:
            NotFound: No such table.
        """
        found = self._read.get(table)
        if found is None:
            check(self.aborted)
            found = self._read[table] = self.store.rows(table)
        return found

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """The rows that count, without the columns that hold nothing; none for a table that does not exist."""
        if table not in schema.TABLES:
            return []
        found = _that_count(self.raw(table))
        return [row for row in found if all(row.get(c, "") == v for c, v in (where or {}).items())]

    def records(self, table: str) -> Sequence[Row]:
        """The rows that count, as `rows`; of a log, which may fill the memory, the newest."""
        if table not in schema.NUMBERED:
            return self.rows(table)
        return deque((row for page in self.store.pages(table) for row in _that_count(page)), maxlen=RECORDS)

    def policy(self) -> Sequence[Row]:
        """The rows of the policy table, which every request asks for; they are never changed in place."""
        return self._cache("policy", "rows", _that_count)

    def site(self, key: str, default: str = "") -> str:
        """One value of the site table."""
        return self._own.get(key) or self._sites().get(key, "") or default

    def forget(self, table: str = "") -> None:
        """Read a table again the next time, or all of them."""
        self._columns.clear()
        self._dynamic.clear()
        if table:
            self._read.pop(table, None)
        else:
            self._read.clear()

    # Nodes and groups.

    def nodes(self) -> Set[str]:
        """All nodes."""
        return self.memberships().keys()

    def memberships(self) -> Mapping[str, Sequence[str]]:
        """Node -> its groups, in the order of `nodelist.groups`."""
        return self._cache(
            "nodelist",
            "memberships",
            lambda found: {
                row["node"] or "": tuple(filter(None, (row["groups"] or "").split(",")))
                for row in found
                if row["node"] and rows.enabled(row)
            },
        )

    def groups(self) -> Mapping[str, Collection[str]]:
        """Static groups: group -> its nodes."""
        return self._cache("nodelist", "groups", self._group)

    def empty_group(self, name: str) -> bool:
        """Whether the nodegroup table names a group that has no members."""
        return name in self._named_groups()

    def dynamic_group(self, name: str) -> Collection[str] | None:
        """The members of a group that is defined by conditions; None if there is no such group.

        Raises:
            Usage: A condition has an impossible pattern.
        """
        row = self._named_groups().get(name, {})
        if row.get("grouptype") != "dynamic":
            return None
        if name not in self._dynamic:
            self._dynamic[name] = self.select(row.get("wherevals", ""))
        return self._dynamic[name]

    def attribute(self, table: str, column: str) -> Mapping[str, str] | None:
        """A column's effective value for all nodes; None if there is no such column."""
        if table not in schema.TABLES or column not in schema.TABLES[table].columns:
            return None
        if (table, column) not in self._columns:
            found = self.node_attrs(table, tuple(self.nodes()), (column,))
            self._columns[table, column] = {node: row[column] for node, row in found.items() if column in row}
        return self._columns[table, column]

    def read_file(self, path: str) -> str | None:
        """The text of a file that a noderange names by `^`; what `site.excludenodes` names is read for everybody.

        Raises:
            Denied: This client may not name it.
        """
        excluded = self._reach is not Reach.ALL and f"^{path}" in self.exclusion().split(",")
        return read_node_file(path, Reach.ALL if excluded else self._reach)

    def exclusion(self) -> str:
        """The noderange that no noderange ever contains."""
        return self.site("excludenodes")

    def expand(self, text: str, verify: bool = True) -> noderange.Expanded:
        """Expand a noderange.

        Raises:
            Usage: It is not a noderange.
            Denied: It names a file that this client may not name, or an unknown client gives more than a list of names.
            Aborted: Nobody wants the nodes any more.
        """
        if self._reach is Reach.NONE:
            return self._plain_names(text)
        return noderange.expand(text, self, verify, self.aborted)

    def _plain_names(self, text: str) -> noderange.Expanded:
        """What somebody unknown may say: names of nodes. Patterns, groups and ranges can be made to take long.

        Raises:
            Denied: It says more than that.
        """
        names = dict.fromkeys(filter(None, text.split(",")))
        known = self.nodes() & names.keys()
        for name in names.keys() - known:
            if name.startswith("^"):
                raise Denied("a noderange that names a file needs an authenticated user")
            if not PLAIN.fullmatch(name):
                raise Denied("a noderange that is more than a list of nodes needs an authenticated user")
        missing = tuple(name for name in names if name not in known)
        nodes = tuple(sorted(known, key=natural))
        if nodes and self.exclusion():
            nodes = self.within(Reach.ALL).expand(",".join(nodes)).nodes
        return noderange.Expanded(nodes, missing)

    # Attributes of nodes.

    def attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> Mapping[str, Row] | None:
        """As `node_attrs`, for routing; None if there is no such table."""
        return self.node_attrs(table, nodes, columns) if table in schema.TABLES else None

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Columns of nodes by xCAT's rules; every asked node is a key.

        Raises:
            Aborted: Nobody wants them any more.
        """
        if table not in schema.TABLES:
            return {node: {} for node in nodes}
        inherits = {} if table == "nodelist" else self.memberships()
        joined = rows.hierarchical(self.site("hierarchicalattrs"))
        found: dict[str, Row] = {}
        for begin in range(0, len(nodes), AT_ONCE):
            check(self.aborted)
            some = nodes[begin : begin + AT_ONCE]
            found.update(rows.node_attrs(some, columns, self.by_node(table), inherits, joined))
        return nics.all_expanded(found) if table == nics.TABLE else found

    def by_node(self, table: str) -> Mapping[str, Sequence[Row]]:
        """Node or group -> its enabled rows."""
        return self._cache(table, "by_node", _index)

    # Writing.

    def put(self, table: str, key: Mapping[str, str], values: Mapping[str, Optional[str]]) -> None:
        """Change the rows with that key, or add one.

        Raises:
            NotFound: No such table or column.
        """
        self.check(table, (*key, *values))
        with self.store.change(table) as change:
            change.put(key, values)
        self.forget(table)

    def put_nodes(self, table: str, values: Mapping[str, Mapping[str, Optional[str]]]) -> None:
        """Write columns of several nodes in one transaction.

        Raises:
            NotFound: No such table or column.
        """
        self.check(table, {column for row in values.values() for column in row})
        with self.store.change(table) as change:
            change.put_all("node", values)
        self.forget(table)

    def drop(self, table: str, *keys: Mapping[str, str]) -> int:
        """Remove the rows with any of the keys.

        Returns:
            How many there were.
        """
        self.check(table, {column for key in keys for column in key})
        with self.store.change(table) as change:
            count = change.drop(*keys) if keys else 0
        self.forget(table)
        return count

    def check(self, table: str, columns: Collection[str]) -> None:
        """Make sure that a table has columns.

        Raises:
            NotFound: It, or one of them, does not exist.
        """
        known = self.store.table(table)
        for column in columns:
            if column not in known.c:
                raise NotFound(schema.no_column(f"{table}.{column}"))

    def _cache(self, table: str, what: str, make: Callable[[tuple[RawRow, ...]], T]) -> T:
        """Keep what is made of a whole table as long as the table is the same."""
        found = self.raw(table)
        shared = self.store.derived
        known = shared.get((table, what))
        if known is None or known[0] is not found:
            known = shared[table, what] = (found, make(found))
        made: T = known[1]
        return made

    def _sites(self) -> Mapping[str, str]:
        return self._cache(
            "site", "values", lambda found: {row["key"] or "": row["value"] or "" for row in found if rows.enabled(row)}
        )

    def _group(self, _: object) -> dict[str, set[str]]:
        groups: dict[str, set[str]] = {}
        for node, names in self.memberships().items():
            for name in names:
                groups.setdefault(name, set()).add(node)
        return groups

    def _named_groups(self) -> Mapping[str, Row]:
        return self._cache(
            "nodegroup", "by_name", lambda found: {row.get("groupname", ""): row for row in _that_count(found)}
        )

    def select(self, conditions: str) -> Collection[str]:
        """The nodes that fulfil all of a dynamic group's conditions, which are joined by `::`.

        A node without the attribute fulfils no condition on it, whatever its sign. What is not a condition is skipped.
        """
        chosen: set[str] | None = None
        for text in (each for each in conditions.split("::") if "=" in each or "~" in each):
            name, sign, wanted = split_condition(text)
            values, fits = self._lsdef_attribute(name), condition(sign, wanted)
            nodes = {node for node, value in values.items() if value and fits(value)}
            chosen = nodes if chosen is None else chosen & nodes
        return chosen or set()

    def _lsdef_attribute(self, name: str) -> Mapping[str, str]:
        """The values of an attribute by lsdef's name, or by that of its table and column."""
        if name == "node":
            return {node: node for node in self.nodes()}
        table, _, column = name.partition(".")
        return self.attribute(*KINDS["node"].columns.get(name, (table, column))) or {}


def _that_count(found: tuple[RawRow, ...]) -> list[Row]:
    return [_plain(row) for row in found if rows.enabled(row)]


def _plain(row: RawRow) -> Row:
    return {column: value for column, value in row.items() if value}


def _index(found: tuple[RawRow, ...]) -> dict[str, list[Row]]:
    index: dict[str, list[Row]] = {}
    for row in found:
        if rows.enabled(row):
            index.setdefault(row.get("node") or "", []).append(_plain(row))
    return index
