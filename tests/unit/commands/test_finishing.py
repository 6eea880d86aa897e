"""Reports that come together: worked on together, each answered for itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fakes import FakeHost
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands.finish.reports import PAUSE, Queue, Report, move_on, note, queue_of
from xcat_rhev.errors import Locked
from xcat_rhev.messages import Data, Error, Message

INSTALL = "install rhevh7.3-x86_64-compute"


class Xcat(FakeHost):
    """An xCAT whose nodeset can be held up and can fail for some nodes.

    Attributes:
        gate: nodeset waits until it is set.
        began: Set when a nodeset has begun.
        bad: Node -> how often nodeset still fails for it; the node `` fails for all together.
        explode: How many of the next nodesets break down in a way that nobody foresaw.
    """

    def __init__(self, count: int, tables: Mapping[str, Sequence[Mapping[str, str]]] | None = None) -> None:
        nodes = [f"n{number}" for number in range(count)]
        super().__init__(
            {
                "nodelist": [{"node": node} for node in nodes],
                "chain": [{"node": node, "currstate": INSTALL} for node in nodes],
                **(tables or {}),
            }
        )
        self.gate, self.began = threading.Event(), threading.Event()
        self.gate.set()
        self.bad: dict[str, int] = {}
        self.explode = 0

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        self.runs.append((command, tuple(nodes), tuple(args)))
        if command == "updatenodestat":
            self.set_node_attrs("nodelist", {node: {"status": args[0]} for node in nodes})
            return
        self.began.set()
        self.gate.wait(300)
        if self.explode:
            self.explode -= 1
            raise ZeroDivisionError
        failing = [node for node in nodes if self.bad.get(node, 0) > 0]
        for node in failing:
            self.bad[node] -= 1
            yield Error("cannot write", node)
        if failing or self.bad.get("", 0) > 0:
            self.bad[""] = self.bad.get("", 0) - (not failing)
            yield Error("Failed to generate pxe configurations for some node(s)")
        self.set_node_attrs("chain", {node: {"currstate": "boot"} for node in nodes if node not in failing})

    def sets(self) -> list[tuple[str, ...]]:
        return [nodes for command, nodes, _ in self.runs if command == "nodeset"]


def test_what_comes_meanwhile_goes_together() -> None:
    xcat, queue = Xcat(20), Queue()
    xcat.gate.clear()
    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(queue.finish, xcat, ManualClock(), Report("n0", "a"))
        assert xcat.began.wait(300)
        others = [pool.submit(queue.finish, xcat, ManualClock(), Report(f"n{n}", "a")) for n in range(1, 20)]
        end = time.monotonic() + 300
        while len(queue._waiting) < 19 and time.monotonic() < end:
            time.sleep(0.001)
        xcat.gate.set()
        answers = [future.result() for future in (first, *others)]
    assert answers == [Data("booted", f"n{n}") for n in range(20)]
    assert [len(nodes) for nodes in xcat.sets()] == [1, 19]


def test_one_node_twice_in_a_batch_moves_once() -> None:
    xcat = Xcat(2)
    answers = move_on(xcat, ManualClock(), [Report("n0", "a"), Report("n1", "b"), Report("n0", "a")])
    assert answers == {"n0": Data("booted", "n0"), "n1": Data("booted", "n1")}
    assert xcat.sets() == [("n0", "n1")]


def test_a_bad_node_does_not_hold_the_others_back() -> None:
    xcat, clock = Xcat(5), ManualClock()
    xcat.bad = {"n3": 99}
    answers = move_on(xcat, clock, [Report(f"n{n}", "a") for n in range(5)])
    assert [node for node, answer in answers.items() if isinstance(answer, Error)] == ["n3"]
    assert xcat.sets() == [("n0", "n1", "n2", "n3", "n4"), ("n3",), ("n3",)]
    assert clock.slept == [PAUSE, PAUSE]
    assert [xcat.row("nodelist", f"n{n}").get("status") for n in range(5)] == ["booted"] * 3 + ["failed", "booted"]


def test_a_word_about_all_makes_each_try_alone() -> None:
    xcat = Xcat(3)
    xcat.bad = {"": 1}
    answers = move_on(xcat, ManualClock(), [Report(f"n{n}", "a") for n in range(3)])
    assert all(isinstance(answer, Data) for answer in answers.values())
    assert xcat.sets() == [("n0", "n1", "n2"), ("n0",), ("n1",), ("n2",)]


def test_states_are_told_apart_within_a_batch() -> None:
    xcat = Xcat(4)
    states = {"n1": "boot", "n2": "standby", "n3": "boot"}
    xcat.set_node_attrs("chain", {node: {"currstate": state} for node, state in states.items()})
    xcat.set_node_attrs("nodelist", {"n3": {"status": "booted"}})
    answers = move_on(xcat, ManualClock(), [Report(f"n{n}", "a") for n in range(4)])
    assert [type(answers[f"n{n}"]) for n in range(4)] == [Data, Data, Error, Data]
    verbs = {nodes: args for command, nodes, args in xcat.runs if command == "nodeset"}
    assert verbs == {("n0",): ("next",), ("n1",): ("boot",)}


def test_whoever_breaks_down_does_not_take_the_others_with_him() -> None:
    xcat, queue = Xcat(3), Queue()
    xcat.explode = 1
    xcat.gate.clear()
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(queue.finish, xcat, ManualClock(), Report(f"n{n}", "a")) for n in range(3)]
        assert xcat.began.wait(300)
        xcat.gate.set()
        problems = [type(future.exception()) for future in futures]
    assert problems.count(ZeroDivisionError) == 1
    assert problems.count(type(None)) == 2


def test_a_note_that_cannot_be_written_changes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    xcat = Xcat(1)
    write = xcat.set_node_attrs

    def locked(table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        if "appstatus" in values["n0"]:
            raise Locked("nodelist is in use")
        write(table, values)

    monkeypatch.setattr(xcat, "set_node_attrs", locked)
    assert move_on(xcat, ManualClock(), [Report("n0", "a")]) == {"n0": Data("booted", "n0")}


def test_each_xcat_has_its_own_queue() -> None:
    one, other = (Xcat(1, {"site": [{"key": "master", "value": value}]}) for value in ("10.0.0.1", "10.0.0.2"))
    assert queue_of(one) is queue_of(one)
    assert queue_of(one) is not queue_of(other)


@pytest.mark.parametrize(
    ("present", "after"),
    [
        ("", "a=1"),
        ("b=2", "b=2,a=1"),
        ("a=0,b=2", "a=1,b=2"),
        ("nonsense,,=,a", "a=1"),
        ("a=", "a=1"),
    ],
)
def test_notes_are_merged(present: str, after: str) -> None:
    xcat = Xcat(1)
    xcat.set_node_attrs("nodelist", {"n0": {"appstatus": present}})
    note(xcat, {"n0": {"a": "1"}})
    assert xcat.row("nodelist", "n0")["appstatus"] == after
