"""rpower of hypervisors: the manager's fencing, and the state that comes of it."""

from __future__ import annotations

import pytest

from vmsite import each_version

site = each_version()


def fenced(site, *names):
    """Hypervisors with power management."""
    for name in names:
        site.hypervisor(name)
        host = site.thing("host", name)
        site.world.change(host, pm_enabled=True)
        site.world.add("agent", type="ipmilan", address="10.1.1.1", username="u", options=[], order=1, host=host["id"])
    return list(names)


def state(site, name):
    site.world.settle()
    return site.thing("host", name)["status"]


def fences(site):
    return [line for line in site.front.counts.report()["requests"] if line.endswith("/fence")]


def test_off_and_on_end_in_their_states_and_are_not_done_twice(site):
    (host,) = fenced(site, "rhevh2")
    for word, wanted in (("off", "down"), ("on", "up")):
        assert site.ok(f"rpower {word}", [host]) == [f"rhevh2: {word}"]
        assert state(site, host) == wanted
        assert site.ok("rpower stat", [host]) == [f"rhevh2: {word}"]
        site.front.counts.clear()
        assert site.ok(f"rpower {word}", [host]) == [f"rhevh2: {word}"]
        assert not fences(site)


@pytest.mark.parametrize("word", ["reset", "boot", "cycle"])
def test_a_hypervisor_is_started_anew(site, word):
    (host,) = fenced(site, "rhevh2")
    assert site.ok(f"rpower {word}", [host]) == [f"rhevh2: {word}"]
    assert state(site, host) == "up"


def test_one_that_was_in_maintenance_goes_back_there(site):
    (host,) = fenced(site, "rhevh2")
    site.ok("chhypervisor -d", [host])
    assert site.ok("rpower reset", [host]) == ["rhevh2: reset"]
    assert state(site, host) == "maintenance"


def test_boot_starts_one_that_is_off(site):
    (host,) = fenced(site, "rhevh2")
    site.ok("rpower off", [host])
    assert site.ok("rpower boot", [host]) == ["rhevh2: boot"]
    assert state(site, host) == "up"


def test_without_power_management_the_command_that_sets_it_is_named(site):
    site.hypervisor("rhevh1")
    assert site.ok("rpower stat", ["rhevh1"]) == ["rhevh1: on"], "its agent answers"
    for word in ("off", "reset"):
        (error,) = site.wrong(f"rpower {word}", ["rhevh1"])
        # 4.x words it otherwise
        assert "Power Management is not enabled on Host" in error or "fence" in error
        assert error.endswith(". Run: chhypervisor rhevh1 -p")
    assert site.wrong("rpower suspend", ["rhevh1"]) == [
        "rhevh1: 'suspend' does not exist for a hypervisor. Use on, off, boot or stat"
    ]


def test_machines_and_hypervisors_of_one_range(site):
    site.running("vm1")
    host = next(name for name in ("rhevh1", "rhevh2") if name != site.host_of("vm1"))
    fenced(site, host)
    assert sorted(site.ok("rpower off", ["vm1", host])) == sorted([f"{host}: off", "vm1: off"])
    site.hypervisor("rhevh9")
    assert "no host of that name" in site.wrong("rpower stat", ["vm1", "rhevh9"])[0]


def test_a_fence_action_soon_after_another_is_tried_until_the_manager_takes_it(site):
    (host,) = fenced(site, "rhevh2")
    text = "Power Management operation Start is still running, please retry in 90 Sec."
    site.faults([{"do": "status", "status": 409, "method": "POST", "path": "/hosts/*/fence", "text": text, "times": 9}])
    began = site.clock.now()
    assert site.ok("rpower off", [host]) == ["rhevh2: off"]
    assert site.clock.now() - began > 20


def test_one_that_does_not_come_back_is_told(site):
    (host,) = fenced(site, "rhevh2")
    site.faults([{"do": "never", "state": "host.restart"}])
    (error,) = site.wrong("rpower reset --timeout 30", [host])
    assert error.startswith("rhevh2: host rhevh2 is still reboot after 30 s, wanted maintenance or")


def test_a_machine_whose_hypervisor_type_is_rhevm_is_a_machine(site):
    site.made("vm1")
    site.row("hypervisor", "vm1", type="rhevm")
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]
    assert site.ok("rmvm -f -p", ["vm1"]) == ["vm1: succeeded."]
