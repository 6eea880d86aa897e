"""reventlog: what the manager noted, of machines and hypervisors."""

from __future__ import annotations

import re
from typing import Any

import pytest

from vesim import only
from vmsite import each_version
from xcat_rhev.messages import Data, Warn

site = each_version()
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (normal|warning|error|alert): \S.*")


def texts(messages: list[Any], node: str) -> list[str]:
    return [message.text for message in messages if isinstance(message, Data) and message.node == node]


def test_what_happened_to_a_machine_the_newest_last(site: Any) -> None:
    site.running("vm1", "vm2", storage="", memory="1g")
    site.ok("rpower off", ["vm1"])
    told = texts(site.say("reventlog", ["vm1", "vm2"]), "vm1")
    assert told
    assert all(map(LINE.fullmatch, told))
    assert told == sorted(told, key=lambda text: text[:19])
    assert texts(site.say("reventlog 1", ["vm1"]), "vm1") == told[-1:]


def test_a_hypervisor_has_events_too(site: Any) -> None:
    node = site.hypervisor("rhevh1")
    site.ok("chhypervisor -d", [node])
    assert all(map(LINE.fullmatch, texts(site.say("reventlog", [node]), node)))


def test_problems_alone_and_nothing_to_tell(site: Any) -> None:
    site.made("vm1", storage="", memory="1g")
    assert texts(site.say("reventlog --problems", ["vm1"]), "vm1") == ["no such events"]
    assert texts(site.say("reventlog all --since 2099-01-01", ["vm1"]), "vm1") == ["no such events"]


@only((4, 5))
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("frobnicate",), "reventlog does not know 'frobnicate'"),
        (("0",), "Write a number from 1 to 1000, or all"),
        (("1", "2"), "reventlog takes one word at most, not '1 2'"),
        (("--since", "yesterday"), "--since yesterday: not a time"),
        (("--since", "9999999d"), "--since 9999999d: not a time"),
    ],
)
def test_wrong_words(site: Any, words: tuple[str, ...], said: str) -> None:
    site.node("vm1")
    assert said in "\n".join(str(message) for message in site.say(" ".join(("reventlog", *words)), ["vm1"]))


def test_a_machine_that_is_not_there(site: Any) -> None:
    site.node("gone")
    assert [message.node for message in site.say("reventlog", ["gone"])] == ["gone"]


def test_what_stopped_by_itself_is_said_with_its_last_reason(site: Any) -> None:
    site.running("vm1", "vm2", storage="", memory="1g")
    site.ok("rpower off", ["vm1", "vm2"])
    for name in ("vm1", "vm2"):
        site.world.event(61, "normal", f"VM {name} is down.", vm=site.vm(name)["id"])
    site.world.event(119, "error", "VM vm1 is down with error. Lost connection with qemu.", vm=site.vm("vm1")["id"])
    for line in ("rpower stat", "lsvm -s"):
        (warning,) = [each for each in site.say(line, ["vm1", "vm2"]) if isinstance(each, Warn)]
        assert warning.node == "vm1"
        assert warning.text.startswith("it stopped by itself at ")
        assert warning.text.endswith(": VM vm1 is down with error. Lost connection with qemu. Run: reventlog vm1")
    site.ok("rpower on", ["vm1"])
    assert not [each for each in site.say("rpower stat", ["vm1", "vm2"]) if isinstance(each, Warn)]


def test_a_manager_that_tells_no_events_costs_the_reason_alone(site: Any) -> None:
    site.made("vm1", storage="", memory="1g")
    site.faults([{"do": "status", "status": 500, "path": "/events*"}])
    assert site.ok("rpower stat", ["vm1"]) == ["vm1: off"]
