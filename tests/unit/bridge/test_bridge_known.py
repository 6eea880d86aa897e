"""What the shim has said is not asked for again, until something is written or some seconds are over."""

import time

import pytest

from xcat_rhev.bridge import host as module
from xcat_rhev.bridge.host import BridgeHost

READ = {
    "vm": {
        "columns": ["cluster", "mgr"],
        "lines": [["vm1,vm3", "", "rhevm1"], ["vm2", "c2", "rhevm2:8443"]],
    }
}


class Perl:
    """The shim's end; keeps what it is asked."""

    def __init__(self):
        self.asked = []

    def call(self, question, *arguments):
        self.asked.append((question, *arguments))
        if question == "node_attrs":
            return {node: {"mgr": "anew"} for node in arguments[1]}
        return f"value of {arguments[0]}" if question == "site" else [{"key": "rhevm"}]


@pytest.fixture
def perl():
    return Perl()


@pytest.fixture
def host(perl):
    return BridgeHost(perl, READ)


def test_rows_that_came_with_the_request_are_not_asked_for(host, perl):
    assert host.node_attrs("vm", ["vm3", "vm2"], ["mgr", "cluster"]) == {
        "vm3": {"mgr": "rhevm1"},
        "vm2": {"mgr": "rhevm2:8443", "cluster": "c2"},
    }
    assert host.node_attrs("vm", ["vm1"], ["cluster"]) == {"vm1": {}}
    assert perl.asked == []


@pytest.mark.parametrize(
    ("table", "nodes", "columns"),
    [
        ("vm", ["vm1", "vm4"], ["mgr"]),
        ("vm", ["vm1"], ["mgr", "memory"]),
        ("hypervisor", ["vm1"], ["mgr"]),
        ("vm", ["vm1,vm3"], ["mgr"]),
    ],
)
def test_what_did_not_come_is_asked_for(host, perl, table, nodes, columns):
    assert host.node_attrs(table, nodes, columns) == {node: {"mgr": "anew"} for node in nodes}
    assert perl.asked == [("node_attrs", table, nodes, columns)]


def test_who_changes_an_answer_changes_it_for_nobody_else(host):
    host.node_attrs("vm", ["vm1"], ["mgr"])["vm1"]["mgr"] = "mine"
    assert host.node_attrs("vm", ["vm1", "vm3"], ["mgr"]) == {"vm1": {"mgr": "rhevm1"}, "vm3": {"mgr": "rhevm1"}}


def test_several_managers_ask_once_for_what_the_site_says(host, perl):
    for _ in range(3):
        assert host.site("rhevmca") == "value of rhevmca"
        assert host.rows("passwd", {"key": "rhevm"}) == [{"key": "rhevm"}]
    assert perl.asked == [("site", "rhevmca"), ("rows", "passwd", {"key": "rhevm"})]


def test_rows_of_other_tables_are_read_each_time(host, perl):
    host.rows("mac")
    host.rows("mac")
    assert perl.asked == [("rows", "mac", {})] * 2


WRITES = {
    "of nodes": lambda host: host.set_node_attrs("vm", {"vm9": {"mgr": "x"}}),
    "of a row": lambda host: host.set_row("site", {"key": "a"}, {"value": "b"}),
    "that removes a row": lambda host: host.delete_row("site", {"key": "a"}),
    "by another command": lambda host: list(host.run("chdef")),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_after_a_write_all_is_asked_for_anew(host, perl, write):
    host.site("rhevmca")
    perl.call = lambda question, *arguments: perl.asked.append(question)
    write(host)
    perl.asked.clear()
    host.site("rhevmca")
    host.node_attrs("vm", ["vm1"], ["mgr"])
    assert perl.asked == ["site", "node_attrs"]


def test_what_was_said_some_seconds_ago_is_asked_for_anew(host, perl, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + module.KEPT + 1)
    assert host.node_attrs("vm", ["vm1"], ["mgr"]) == {"vm1": {"mgr": "anew"}}
    host.site("a")
    host.site("a")
    assert perl.asked == [("node_attrs", "vm", ["vm1"], ["mgr"]), ("site", "a")]
