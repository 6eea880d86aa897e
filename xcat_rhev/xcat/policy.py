"""Whether somebody may run a command, by the rows of the policy table."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from ..errors import RhevError, Usage
from . import perlre
from .host import Row

_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_ALLOWING = ("allow", "accept", "trusted")


class Asker(NamedTuple):
    """The user or host that asks.

    Attributes:
        name: From the certificate, a password or a token; None for somebody unknown.
        host: The short name of the host that the request came from, empty if it has none; or what finds it out, which
            is called only if it decides something.
        remote: The hosts on whose behalf a front end asks; they then count instead of `host`.
    """

    name: str | None
    host: str | Callable[[], str] = ""
    remote: tuple[str, ...] = ()

    def hosts(self) -> tuple[str, ...]:
        """The hosts that a row may name."""
        return self.remote or (self.host if isinstance(self.host, str) else self.host(),)


class Query(NamedTuple):
    """What is asked.

    Attributes:
        command: The command.
        nodes: The nodes of the request; none if it names none.
        args: The arguments.
    """

    command: str
    nodes: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class Decision(NamedTuple):
    """The answer.

    Attributes:
        allowed: Whether it may be run.
        priority: Of the row that decided; empty if none did, which denies.
        rule: That row's word.
        remaining: The nodes for which no earlier row had allowed it already.
    """

    allowed: bool
    priority: str = ""
    rule: str = ""
    remaining: tuple[str, ...] = ()


def decide(rows: Iterable[Row], asker: Asker, asked: Query, expand: Callable[[str], Collection[str]]) -> Decision:
    """Find the row that decides.

    Rows with a noderange concern requests for nodes only. One that allows a part of the nodes leaves the rest to later
    rows; one that denies a part denies all. A row without a rule denies.

    Args:
        rows: The enabled rows of the policy table, in any order.
        asker: The user or host that asks.
        asked: What is asked.
        expand: Works out a row's noderange.

    Raises:
        Usage: A row that has to be looked at has an impossible pattern or noderange; nothing is allowed then.
    """
    left = asked.nodes
    for row in sorted(rows, key=_priority):
        if not _concerns(row, asker, asked):
            continue
        if _has_value(row, "noderange"):
            covered = _nodes_of_row(row, left, expand)
            if not covered:
                continue
            if len(covered) < len(left) and _allows(row):
                left = tuple(node for node in left if node not in covered)
                continue
        return Decision(_allows(row), row.get("priority", ""), row.get("rule", ""), left)
    return Decision(False, remaining=left)


def needs_nodes(rows: Iterable[Row], asker: Asker, asked: Query) -> bool:
    """Whether the nodes of a request matter: the first row that concerns it may be one for nodes.

    Args:
        rows: The enabled rows of the policy table.
        asker: The user or host that asks.
        asked: What is asked, its nodes not worked out yet.
    """
    first = next((row for row in sorted(rows, key=_priority) if _may_concern(row, asker, asked)), {})
    return _has_value(first, "noderange")


def _may_concern(row: Row, asker: Asker, asked: Query) -> bool:
    try:
        return _concerns(row, asker, asked)
    except RhevError:  # `decide` says so, if it comes to this row
        return True


def trusted(rows: Iterable[Row], name: str | None) -> bool:
    """Whether a peer may say on whose behalf it asks.

    Args:
        rows: The enabled rows of the policy table.
        name: The peer's name.
    """
    return any(name and row.get("name") == name and "trusted" in row.get("rule", "").lower() for row in rows)


def _priority(row: Row) -> float:
    """Text counts as the number that it begins with, as in Perl."""
    found = _NUMBER.match(row.get("priority", ""))
    return float(found[0]) if found else 0.0


def _has_value(row: Row, column: str) -> bool:
    return row.get(column, "*") not in ("", "*")


def _allows(row: Row) -> bool:
    return any(word in row.get("rule", "").lower() for word in _ALLOWING)


def _concerns(row: Row, asker: Asker, asked: Query) -> bool:
    """Whether all columns but the noderange fit; `time` has never had a meaning."""
    if row.get("name") and not (asker.name and row["name"] in ("*", asker.name)):
        return False
    if _has_value(row, "commands") and asked.command not in row["commands"].split(","):
        return False
    if _has_value(row, "parameters") and not _fits(row, asked.args):
        return False
    return not _has_value(row, "host") or row["host"] in asker.hosts()


def _fits(row: Row, args: Sequence[str]) -> bool:
    where = f"the policy row {row.get('priority', '')}"
    return perlre.prepare(row["parameters"], where).search(" ".join(args)) is not None


def _nodes_of_row(row: Row, nodes: Sequence[str], expand: Callable[[str], Collection[str]]) -> set[str]:
    """The nodes that a row's noderange has in common with those asked for."""
    if not nodes:
        return set()
    try:
        return set(expand(row["noderange"])).intersection(nodes)
    except RhevError as problem:
        raise Usage(f"the policy row {row.get('priority', '')} has a wrong noderange: {problem}") from None
