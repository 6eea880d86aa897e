"""Writes that come together are made as one, and each writer comes back only when its own is made."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from xcat_rhev.errors import Locked
from xcat_rhev.xcat.write_coalescing import Coalescer


class Table:
    """Takes its time; the first write waits until it is let go."""

    def __init__(self, problem=None):
        self.writes, self.begun, self.go, self.problem = [], threading.Event(), threading.Event(), problem

    def write(self, table, values):
        self.writes.append((table, {node: dict(row) for node, row in values.items()}))
        self.begun.set()
        assert self.go.wait(300)
        if self.problem:
            raise self.problem


@pytest.fixture
def table():
    return Table()


def together(gathering, table, others):
    """Begin a first write, let the others come while it is under way, then let all go on."""
    with ThreadPoolExecutor(len(others) + 1) as pool:
        writers = [pool.submit(gathering.put, "mac", {"first": {"mac": "1"}})]
        assert table.begun.wait(300)
        writers += [pool.submit(gathering.put, name, values) for name, values in others]
        while sum(len(batch._values) for batch in gathering._open.values()) < len(others):
            time.sleep(0.001)
        table.go.set()
        return [writer.exception(10) for writer in writers]


def test_one_write_is_made_at_once(table):
    table.go.set()
    Coalescer(table.write).put("mac", {"vm1": {"mac": "1"}})
    assert table.writes == [("mac", {"vm1": {"mac": "1"}})]


def test_those_who_come_meanwhile_write_together(table):
    others = [("mac", {f"vm{number}": {"mac": str(number)}}) for number in range(7)]
    assert together(Coalescer(table.write), table, others) == [None] * 8
    assert len(table.writes) == 2
    assert table.writes[1] == ("mac", {f"vm{number}": {"mac": str(number)} for number in range(7)})


def test_tables_are_written_apart(table):
    together(Coalescer(table.write), table, [("mac", {"vm1": {"mac": "1"}}), ("vm", {"vm1": {"host": "h"}})])
    assert sorted(table.writes[1:]) == [("mac", {"vm1": {"mac": "1"}}), ("vm", {"vm1": {"host": "h"}})]


def test_columns_of_one_node_come_together():
    written = []
    gathering = Coalescer(lambda table, values: written.append(values))
    gathering.put("vm", {"vm1": {"host": "a"}})
    gathering.put("vm", {"vm1": {"host": "b"}})
    assert written == [{"vm1": {"host": "a"}}, {"vm1": {"host": "b"}}]


def test_an_error_reaches_all_who_wrote_together_and_nobody_after_them():
    table = Table(Locked("the table mac is held by another program"))
    gathering = Coalescer(table.write)
    problems = together(gathering, table, [("mac", {"vm1": {"mac": "1"}}), ("mac", {"vm2": {"mac": "2"}})])
    assert problems == [table.problem] * 3
    table.problem = None
    gathering.put("mac", {"vm3": {"mac": "3"}})
    assert table.writes[-1] == ("mac", {"vm3": {"mac": "3"}})
