"""tabdump: tables as CSV, or a list of tables."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from ...abort import check
from ...declare.command import CommandWords, Option
from ...errors import RhevError, Usage
from ...files import write_new
from ...xcat import rows, schema
from .. import foreigntables
from ..reply import Output, Reply
from ..store import RawRow
from .declare import CommandCall, Core, own_command, refusal

_CONDITION = re.compile(r"([^=!<>~]+)(==|!=|=~|!~|<=|>=|<|>)(.*)", re.DOTALL)


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `tabdump [-d] [-f FILE] [-n COUNT] [-w CONDITION] [TABLE]`."""
    if not call.words:
        yield from _list(call)
        return
    name = call.words[0]
    other = None if name in schema.SHOWN else foreigntables.find(call.tables, name)
    table = schema.TABLES[name] if name in schema.SHOWN else other[0] if other else None
    if "describe" in call.options:
        if table is None:
            yield refusal(f"table {name} does not exist.")
        else:
            yield Reply({"data": [f"{column}:\t{_describe(table, column)}" for column in table.columns]})
        return
    if table is None:
        yield refusal(f"No such table: {name}")
        return
    try:
        pieces = _pieces(call, table, other[1] if other else None)
        if "file" in call.options:
            yield from _to_file(call, [line for lines in pieces for line in lines])
        else:
            yield from (Reply({"data": lines}) for lines in pieces)
    except RhevError as problem:
        yield refusal(str(problem))


def _pieces(call: CommandCall, table: schema.Table, kept_rows: Sequence[RawRow] | None) -> Iterator[Sequence[str]]:
    """The lines, piece by piece: the audit log may be large. The first begins with the names of the columns.

    Args:
        call: The command.
        table: The table.
        kept_rows: The rows of one that is kept for another xCAT.

    Raises:
        RhevError: An option is wrong, or the table cannot be read.
    """
    fits, count, head = _conditions(call, table), _count(call, table), 0
    last: deque[RawRow] = deque(maxlen=count)
    for page in _pages(call, table, kept_rows):
        check(call.request.aborted)
        found = [row for row in page if all(fit(row) for fit in fits)]
        if count:
            last.extend(found)
        elif found or not head:
            yield rows.write_csv(_as_elsewhere(table, found), found)[head:]
            head = 1
    if count:
        yield rows.write_csv(table, last)


def _pages(call: CommandCall, table: schema.Table, kept_rows: Sequence[RawRow] | None) -> Iterable[Sequence[RawRow]]:
    if kept_rows is not None:
        return [kept_rows]
    return call.tables.store.pages(table.name) if table.name in schema.NUMBERED else [call.tables.raw(table.name)]


def _list(call: CommandCall) -> Iterator[Output]:
    if "file" in call.options:
        yield refusal("table name missing from the command input. ")
    elif "describe" in call.options:
        tables = map(schema.TABLES.__getitem__, schema.SHOWN)
        yield Reply({"data": [f"{table.name}:\t{', '.join(table.columns)}" for table in tables]})
    else:
        yield Reply({"data": sorted([*schema.SHOWN, *foreigntables.names(call.tables)])})


def _describe(table: schema.Table, column: str) -> str:
    return "key column" if column in table.keys else f"column of {table.name}"


def _conditions(call: CommandCall, table: schema.Table) -> list[Callable[[RawRow], bool]]:
    """What `-w` asks of a row."""
    fits: list[Callable[[RawRow], bool]] = []
    for text in call.options.get("where", ()):
        condition = _CONDITION.fullmatch(text)
        if not condition:
            raise Usage(f"Unsupported operator:{text} on -w flag input", "Use ==, !=, =~, !~, <, <=, > or >=")
        column, operator, value = condition.groups()
        if column not in table.columns:
            raise Usage(f'No column "{column}" in table "{table.name}"')
        fits.append(lambda row, c=column, o=operator, v=value: _holds(row[c], o, v))  # type: ignore[misc]
    return fits


def _as_elsewhere(table: schema.Table, found: Sequence[RawRow]) -> schema.Table:
    """The table without those columns of ours that hold nothing, so that any xCAT can restore what is shown."""
    unused = {column for column in schema.OURS.get(table.name, ()) if not any(row[column] for row in found)}
    return table._replace(columns=tuple(column for column in table.columns if column not in unused))


def _count(call: CommandCall, table: schema.Table) -> int:
    """How many rows `-n` leaves; 0 for all."""
    if "lines" not in call.options:
        return 0
    if table.name not in schema.NUMBERED:
        raise Usage(
            f"{table.name} table is not supported in tabdump -n. You may only use this option on the auditlog "
            "or the eventlog."
        )
    text = call.options["lines"]
    if not text.isdecimal() or not int(text):
        raise Usage(f"'{text}' is not a number of records")
    return int(text)


def _holds(value: str | None, operator: str, wanted: str) -> bool:
    """As the database compares: where there is no value, nothing holds; `=~` is its LIKE."""
    if value is None:
        return False
    if operator in ("=~", "!~"):
        return bool(_like(wanted).fullmatch(value)) == (operator == "=~")
    return {
        "==": value == wanted,
        "!=": value != wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        ">": value > wanted,
        ">=": value >= wanted,
    }[operator]


@lru_cache
def _like(pattern: str) -> re.Pattern[str]:
    """SQL's LIKE: `%` is anything, `_` any one letter; capitals do not matter, as in SQLite."""
    begin, *pieces = ("".join("." if c == "_" else re.escape(c) for c in piece) for piece in re.split("%+", pattern))
    text, end = begin, f".*{pieces.pop()}" if pieces else ""
    for number, piece in enumerate(pieces):
        # Found once, a piece stays where it is, as nothing inside a look ahead is tried again: `.*a.*b.*c` would take a
        # long value to pieces in every possible way.
        text += f"(?=(?P<p{number}>.*?{piece}))(?P=p{number})"
    return re.compile(text + end, re.DOTALL | re.IGNORECASE | re.ASCII)


def _to_file(call: CommandCall, lines: Sequence[str]) -> Iterator[Output]:
    """Write a new file; whoever is not root has the lines and can write them with rights of his own."""
    name, path = call.words[0], Path(call.request.cwd, call.options["file"])
    if not call.request.by_root:
        yield refusal(f"Error on tabdump of {name}. Only root may let xcatd write files. Run: tabdump {name} > FILE")
        return
    try:
        write_new(path, "".join(f"{line}\n" for line in lines).encode(), 0o600)
    except OSError as problem:
        yield refusal(f"Error on tabdump of {name} to {path}. Unable to open the file for write. {problem.strerror}")
    except RhevError as problem:
        yield refusal(f"Error on tabdump of {name} to {path}. {problem}")


TABDUMP = Core(
    own_command(
        "tabdump",
        "tables as CSV, or a list of tables",
        (
            "Usage: tabdump [-d] [table]",
            "       tabdump      [table]",
            "       tabdump [-f <filename>]  [table]",
            "       tabdump [-n <# of records>]  [auditlog | eventlog]",
            "       tabdump [-w attr==val [-w attr=~val] ...] [table]",
            "       tabdump [-w attr==val [-w attr=~val] ...] [-f <filename>] [table]",
            "       tabdump [-?|-h|--help]",
            "       tabdump {-v|--version}",
            "       tabdump ",
        ),
        (
            Option(("-d",), "describe", "what the columns are"),
            Option(("-n", "--lines"), "lines", "the last records of a log", value="COUNT"),
            Option(("-f",), "file", "into a new file", value="FILE"),
            Option(("-w",), "where", "the rows that fulfil a condition", value="CONDITION", many=True),
        ),
        CommandWords(most=1),
    ),
    run,
)
