"""What the rows of a table mean for a node: own values, those of its groups, and regular expressions; and their CSV.

Pure functions over rows that somebody else has read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Optional

from ..errors import Usage
from . import perlre
from .expressions import formula
from .host import Row
from .schema import Table

#: A row as it is stored: a column may hold nothing (None, SQL's NULL) or an empty text, and these differ.
StoredRow = Mapping[str, Optional[str]]
#: What is left of a text, each line with its number.
Numbered = Iterator[tuple[int, str]]

_BYTE_ORDER_MARK = "\ufeff"

_NEXT = "+=NEXTRECORD"
_SUBSTITUTION = re.compile(r"/([^/]*)/([^/]*)/\Z")
#: `|replacement|` alone: every number of the name is a part, without its leading zeros.
_NUMBERS = re.compile(r"[^1-9]*([0-9]+)", re.ASCII)
#: What stops a value of a group from being inherited: it expands to nothing.
NOTHING = "|^.*$||"


def enabled(row: StoredRow) -> bool:
    """Whether a row counts. An empty `disable` disables; only NULL, `0` and `no` do not."""
    disable = row.get("disable")
    return disable is None or disable.lower() in ("0", "no")


def node_attrs(
    nodes: Iterable[str],
    columns: Sequence[str],
    rows: Mapping[str, Sequence[Row]],
    groups: Mapping[str, Sequence[str]],
    joined: Mapping[str, str] | None = None,
) -> dict[str, Row]:
    """Work out columns of nodes.

    Args:
        nodes: Which nodes.
        columns: Which columns.
        rows: Name of a node or group -> its enabled rows, without empty values.
        groups: Node -> its groups in the order of `nodelist.groups`; empty for tables that do not inherit.
        joined: Columns whose values of node and groups are joined, with the delimiter, as `hierarchical` gives them.

    Returns:
        A row for every node; a column without a value is absent.

    Raises:
        Usage: A value holds an impossible pattern.
    """
    found: dict[str, Row] = {}
    for node in nodes:
        row: Row = {}
        chain = [rows[name] for name in (node, *groups.get(node, ())) if name in rows]
        for column in columns if chain else ():
            value = expand_value(_merge(chain, column, (joined or {}).get(column)), node)
            if value:
                row[column] = value
        found[node] = row
    return found


def origins(node: str, column: str, rows: Mapping[str, Sequence[Row]], groups: Sequence[str]) -> str:
    """Which group a node's value comes from; empty for its own, or for none.

    Args:
        node: The node.
        column: The column.
        rows: As for `node_attrs`.
        groups: The node's groups.
    """
    for name in (node, *groups):
        if any(row.get(column) for row in rows.get(name, ())):
            return "" if name == node else name
    return ""


def hierarchical(value: str) -> dict[str, str]:
    """Read `site.hierarchicalattrs`: `attribute[:delimiter],...`; the delimiter is a comma if not given."""
    pairs = (item.strip().partition(":") for item in value.split(","))
    return {name.strip(): delimiter.strip() or "," for name, _, delimiter in pairs if name.strip()}


def expand_value(value: str, node: str) -> str:
    """Work out a value that is a regular expression on the node's name; others stay as they are.

    Args:
        value: `/pattern/replacement/`, or `|pattern|replacement|` and `|replacement|`, in which each parenthesised part
            is an expression over $1, $2, ...; a pattern that does not fit gives the node's name.
        node: The node's name.

    Returns:
        The value; empty means none.

    Raises:
        Usage: An impossible pattern.
    """
    if value[:1] == "/" and (found := _SUBSTITUTION.match(value)):
        return _replace(perlre.prepare(found[1], "a table value").search(node), lambda _: found[2], node)
    if value[:1] == "|" and value[-1:] == "|" and len(value) > 1:
        pattern, bar, replacement = value[1:-1].partition("|")
        if bar:
            return _replace(perlre.prepare(pattern, "a table value").search(node), _template(replacement), node)
        return _fill(pattern, _NUMBERS.findall(node))
    return value


def write_csv(table: Table, rows: Iterable[StoredRow]) -> list[str]:
    """Write a table as `tabdump` does, one text per row after the header; a value may hold newlines.

    Args:
        table: Its columns and their order.
        rows: As stored.
    """
    return [table.header, *(",".join(_quote(row.get(column)) for column in table.columns) for row in rows)]


def read_csv(lines: Iterable[str]) -> tuple[list[str], list[dict[str, str | None]]]:
    """Read what `tabrestore` gets.

    Args:
        lines: The header, which begins with `#`, and the rows; a quoted value may go on in the next line.

    Returns:
        The columns of the header, and the rows. Nothing between two commas is None, `""` is an empty text.

    Raises:
        Usage: No header, or a column twice in it; quotes that do not match, more values than columns or fewer, with the
            number of the line.
    """
    left = enumerate(lines, 1)
    header = next(left, (1, ""))[1].removeprefix(_BYTE_ORDER_MARK).replace('"', "").strip()
    if not header.startswith("#"):
        raise Usage("Data missing header line starting with #")
    columns = header[1:].split(",")
    twice = next((column for column in columns if columns.count(column) > 1), None)
    if twice is not None:
        raise Usage(f"The header line has the column '{twice}' twice")
    return columns, [_record(columns, number, line, left) for number, line in left if line.strip()]


def _merge(chain: Sequence[Sequence[Row]], column: str, delimiter: str | None) -> str:
    """The first value, or several in a row where the site or the values say so."""
    whole, found = "", False
    for rows in chain:
        value = next((row[column] for row in rows if row.get(column)), "")
        if not value:
            continue
        found = True
        whole += value + (delimiter + _NEXT if delimiter else "")
        if not whole.endswith(_NEXT):
            break
        whole = whole[: -len(_NEXT)]
    return _without_repeats(whole, delimiter) if found and delimiter else whole.replace(_NEXT, "")


def _without_repeats(whole: str, delimiter: str) -> str:
    parts = whole.replace(_NEXT, "").split(delimiter)
    while parts and not parts[-1]:
        parts.pop()
    return delimiter.join(dict.fromkeys(parts))


@lru_cache(maxsize=4096)
def _pieces_of(replacement: str) -> Sequence[tuple[str, Callable[[Sequence[str]], str]]]:
    """Prepare a replacement: literal texts, and what makes the text behind each."""
    return [(text, _calculation(inside) if inside else lambda _: "") for text, inside in _pieces(replacement)]


def _fill(replacement: str, parts: Sequence[str]) -> str:
    """A replacement with its expressions worked out over $1, $2, ..."""
    return "".join(text + calculate(parts) for text, calculate in _pieces_of(replacement))


def _template(replacement: str) -> Callable[[re.Match[str]], str]:
    return lambda found: _fill(replacement, [part or "" for part in found.groups()])


def _replace(found: re.Match[str] | None, make: Callable[[re.Match[str]], str], node: str) -> str:
    return node[: found.start()] + make(found) + node[found.end() :] if found else node


def _calculation(inside: str) -> Callable[[Sequence[str]], str]:
    """Prepare one parenthesised part. As in xCAT, one that cannot be worked out gives nothing."""
    try:
        calculate = formula(inside)
    except Usage:
        return lambda _: ""

    def safely(parts: Sequence[str]) -> str:
        try:
            return str(calculate(parts))
        except Usage:
            return ""

    return safely


def _pieces(replacement: str) -> Iterator[tuple[str, str]]:
    """Cut at outermost parentheses: a literal text and the expression behind it, if there is one."""
    begin, opened, depth = 0, 0, 0
    for found in re.finditer(r"[()]", replacement):
        if found[0] == "(":
            opened = opened if depth else found.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield replacement[begin:opened], replacement[opened : found.end()]
                begin = found.end()
    yield replacement[begin:], ""


def _quote(value: str | None) -> str:
    return '"' + value.replace('"', '""') + '"' if value else ""


def _record(columns: Sequence[str], number: int, line: str, more: Numbered) -> dict[str, str | None]:
    """Read one row, which starts in `line`."""
    record: dict[str, str | None] = {}
    rest, comma = line.rstrip(), ","
    for column in columns:
        if not comma:
            raise Usage(f"Too few fields on line {number}: {line.strip()}")
        if rest.startswith('"'):
            record[column], comma, rest = _unquote(rest, number, more)
        else:
            value, comma, rest = rest.partition(",")
            if '"' in value:
                raise Usage(f'CSV missing opening " for record with " characters on line {number}: {line.strip()}')
            record[column] = value or None
    if comma:
        raise Usage(f"Too many fields on line {number}: {line.strip()} | {rest}")
    return record


def _unquote(rest: str, number: int, more: Numbered) -> tuple[str, str, str]:
    """Take a quoted value off the front: the value, the comma behind it if there is one, and the rest."""
    parts: list[str] = []
    at = 1
    while True:
        quote = rest.find('"', at)
        if quote < 0:
            parts.append(rest[at:] + "\n")
            rest, at = _next_line(number, more), 0
        elif rest[quote + 1 : quote + 2] == '"':
            parts.append(rest[at : quote + 1])
            at = quote + 2
        elif rest[quote + 1 : quote + 2] in ("", ","):
            return "".join([*parts, rest[at:quote]]), rest[quote + 1 : quote + 2], rest[quote + 2 :]
        else:
            raise Usage(f'CSV unescaped " in record on line {number}: {rest}')


def _next_line(number: int, more: Numbered) -> str:
    found = next(more, None)
    if found is None:
        raise Usage(f'CSV unmatched " in record on line {number}')
    return found[1].rstrip()
