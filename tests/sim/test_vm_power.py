"""rpower: what is on goes off and comes back, through all that is in between."""

from __future__ import annotations

import pytest

from vmsite import each_version
from xcat_rhev.messages import Error

site = each_version()


@pytest.mark.parametrize("word", ["stat", "state", "status"])
def test_the_state_is_shown(site, word):
    site.made("vm1")
    assert site.ok(f"rpower {word}", ["vm1"]) == ["vm1: off"]


def test_on_and_off_and_nothing_to_do_the_second_time(site):
    site.made("vm1")
    for word in ("on", "off"):
        assert site.ok(f"rpower {word}", ["vm1"]) == [f"vm1: {word}"]
        site.clock.advance(30)
        site.front.counts.clear()
        assert site.ok(f"rpower {word}", ["vm1"]) == [f"vm1: {word}"]
        assert not any(line.startswith("POST") for line in site.front.counts.report()["requests"])


def test_softoff_asks_the_guest(site):
    site.running("vm1")
    trace = site.ok("rpower softoff -V", ["vm1"])
    assert any("/shutdown" in line for line in trace) and "vm1: softoff" in trace
    assert site.vm("vm1")["status"] == "down"


@pytest.mark.parametrize("word", ["boot", "cycle", "reset"])
def test_a_running_machine_is_started_anew(site, word):
    site.running("vm1")
    began = site.vm("vm1")["start_time"]
    assert site.ok(f"rpower {word}", ["vm1"]) == [f"vm1: {word}"]
    site.clock.advance(30)
    assert (site.vm("vm1")["status"], site.vm("vm1")["start_time"] > began) == ("up", True)


@pytest.mark.parametrize("word", ["boot", "cycle"])
def test_boot_starts_what_is_off(site, word):
    site.made("vm1")
    assert site.ok(f"rpower {word}", ["vm1"]) == [f"vm1: {word}"]
    assert site.ok("rpower stat", ["vm1"])[0] in ("vm1: wait_for_launch", "vm1: powering_up", "vm1: on")


def test_reset_does_not_start_what_is_off(site):
    site.made("vm1")
    assert site.wrong("rpower reset", ["vm1"]) == [
        "vm1: the machine is off, so there is nothing to reset. Run: rpower vm1 on"
    ]


def test_suspend_and_resume(site):
    site.running("vm1")
    assert site.ok("rpower suspend", ["vm1"]) == ["vm1: suspended"]
    assert site.ok("rpower suspend", ["vm1"]) == ["vm1: suspended"]
    assert site.ok("rpower stat", ["vm1"]) == ["vm1: suspended"]
    assert site.ok("rpower resume", ["vm1"]) == ["vm1: on"]


def test_off_takes_a_suspended_machine_down(site):
    site.running("vm1")
    site.ok("rpower suspend", ["vm1"])
    assert site.ok("rpower off", ["vm1"]) == ["vm1: off"]


def test_on_waits_for_a_machine_on_its_way_down(site):
    site.running("vm1")
    site.ok("rpower off --nowait", ["vm1"])
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_a_guest_that_does_not_listen_is_told_after_the_limit(site):
    site.running("vm1")
    site.faults([{"do": "never", "state": "vm.shutdown"}])
    (error,) = site.wrong("rpower softoff --timeout 20", ["vm1"])
    assert "vm1 is still powering_down after 20 s" in error


def test_one_that_fails_leaves_the_others_alone(site):
    site.made("vm1", "vm2", "vm3")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/start", "times": 1}])
    said = site.say("rpower on", ["vm1", "vm2", "vm3"])
    errors = [message for message in said if isinstance(message, Error)]
    assert len(errors) == 1
    assert sorted(message.node for message in said) == ["vm1", "vm2", "vm3"]


@pytest.mark.parametrize("words", ["", "explode", "on off"])
def test_unknown_words_do_nothing(site, words):
    site.made("vm1")
    site.front.counts.clear()
    assert site.wrong(f"rpower {words}", ["vm1"])
    assert not any(line.startswith("POST") for line in site.front.counts.report()["requests"])


def test_a_hypervisor_without_power_management_says_so(site):
    site.hypervisor("rhevh1")
    assert site.wrong("rpower off", ["rhevh1"])[0].startswith("rhevh1: ")
    assert "does not exist for a hypervisor" in site.wrong("rpower suspend", ["rhevh1"])[0]


def test_a_machine_whose_host_has_died(site):
    site.running("vm1")
    host = site.host_of("vm1")
    site.world.change(site.thing("host", host), status="non_responsive")
    site.faults([{"do": "status", "method": "POST", "path": "/vms/*/stop", "status": 409, "text": "Operation Failed"}])
    (error,) = site.wrong("rpower off", ["vm1"])
    assert error.endswith(f". Its host {host} is non_responsive")
