"""tabprune: the oldest records of a log, or all rows of a table."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress

from ...declare.command import CommandWords, Option
from ...errors import RhevError, Usage
from ...messages import Data
from ...xcat import rows, schema
from ..reply import Output, Reply
from ..store import RawRow
from .declare import CommandCall, Core, own_command, refusal

_WAYS = ("recid", "count", "percent", "days", "all")
_DAY = 86400
#: How records say when they were written; the second one is in the logs of older xCATs.
_TIMES = ("%Y-%m-%d %H:%M:%S", "%m-%d-%Y %H:%M:%S")


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `tabprune TABLE [-V] -i RECID | -n COUNT | -p PERCENT | -d DAYS | -a`."""
    ways = [name for name in _WAYS if name in call.options]
    if len(call.words) != 1 or len(ways) != 1:
        yield TABPRUNE.help(1)
        return
    name, way = call.words[0], ways[0]
    table = schema.TABLES.get(name)
    if table is None or (way != "all" and name not in schema.NUMBERED):
        yield refusal(
            f"{name} table is not supported in tabprune. You may only use this command on the auditlog or the eventlog."
        )
        return
    try:
        yield from _prune(call, table, way)
    except RhevError as problem:
        yield refusal(str(problem))
    else:
        if "verbose" not in call.options:
            yield Data(f"tabprune of {name} complete.")


def _prune(call: CommandCall, table: schema.Table, way: str) -> Iterator[Output]:
    """Remove records, and show them first if that is wanted."""
    store = call.tables.store
    upto = None if way == "all" else _last(call, table, way)
    if upto == 0:
        return
    if "verbose" in call.options:
        head = True
        for page in store.pages(table.name):
            going = [row for row in page if upto is None or _number(table, row) <= upto]
            if going:
                yield Reply({"data": rows.write_csv(table, going)[0 if head else 1 :]})
                head = False
    with store.change(table.name) as change:
        if upto is None:
            change.drop()
        else:
            change.drop_upto(upto)
    call.tables.forget(table.name)


def _last(call: CommandCall, table: schema.Table, way: str) -> int:
    """The number of the last record to be removed; 0 for none.

    Raises:
        Usage: What is behind the option is not a number.
    """
    text = call.options[way]
    if not text.isdecimal():
        raise Usage(f"'{text}' is not a number")
    if way == "recid":
        return max(0, int(text) - 1)
    numbers, oldest = [], time.time() - int(text) * _DAY
    for page in call.tables.store.pages(table.name):
        numbers += [_number(table, row) for row in page if way != "days" or _when(row) < oldest]
    count = {"count": int(text), "percent": len(numbers) * min(int(text), 100) // 100, "days": len(numbers)}[way]
    return numbers[min(count, len(numbers)) - 1] if count and numbers else 0


def _number(table: schema.Table, row: RawRow) -> int:
    return int(row[table.keys[0]] or 0)


def _when(row: RawRow) -> float:
    """When a record was written; one without a readable time is new."""
    text = row.get("audittime") or row.get("eventtime") or ""
    for form in _TIMES:
        with suppress(ValueError):
            return time.mktime(time.strptime(text, form))
    return time.time()


TABPRUNE = Core(
    own_command(
        "tabprune",
        "remove the oldest records of a log, or all rows of a table",
        (
            "Usage: tabprune auditlog|eventlog [-V] [-i <recid> | -n <number of records> | -p <percentage> | "
            "-d <number of days> | -a]",
            "       tabprune <tablename> -a",
            "       tabprune [-h|--help] [-v|--version]",
        ),
        (
            Option(("-i",), "recid", "those before this record", value="RECID"),
            Option(("-n",), "count", "this number of records", value="COUNT"),
            Option(("-p",), "percent", "this percentage of the records", value="PERCENT"),
            Option(("-d",), "days", "the records that are older than this number of days", value="DAYS"),
            Option(("-a",), "all", "all rows"),
        ),
        CommandWords(most=None),
    ),
    run,
)
