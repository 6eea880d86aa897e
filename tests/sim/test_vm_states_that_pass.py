"""States that pass are waited for, states that nobody can know are told, and refusals lead somewhere."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import VmSite, each_version

site = each_version()


def put(site: VmSite, kind: str, name: str, status: str) -> None:
    site.world.settle()
    site.world.change(site.thing(kind, name), status=status)


def test_a_machine_is_suspended_right_after_its_reset(site):
    site.running("vm1")
    site.ok("rpower reset", ["vm1"])
    assert site.vm("vm1")["status"] != "up"
    assert site.ok("rpower suspend", ["vm1"]) == ["vm1: suspended"]
    assert site.ok("rpower resume", ["vm1"]) == ["vm1: on"]
    assert site.ok("rpower suspend", ["vm1"]) == ["vm1: suspended"]


def test_a_machine_that_dies_on_its_way_up_is_not_waited_for(site):
    site.running("vm1")
    for on_its_way in ("powering_up", "migrating", "wait_for_launch", "reboot_in_progress"):
        site.world.move(site.thing("vm", "vm1"), "vm.stop")
        site.world.change(site.thing("vm", "vm1"), status=on_its_way)
        begun = site.clock.now()
        assert "VM vm1 is down" in site.wrong("rpower suspend", ["vm1"])[0]
        assert site.clock.now() - begun < 120
        site.ok("rpower on", ["vm1"])


@pytest.mark.parametrize(
    ("status", "leads"),
    [
        ("unknown", "rpower HYPERVISOR boot, or try again later"),
        ("not_responding", "Run: rpower vm1 off, or try again"),
    ],
)
@pytest.mark.parametrize("line", ["rpower suspend", "rmigrate rhevh1", "clonevm -t t1", "rmvm", "mkvm -f"])
@only((4, 5))
def test_a_state_that_nobody_knows_is_told_at_once(site, line, status, leads):
    site.running("vm1")
    put(site, "vm", "vm1", status)
    begun = site.clock.now()
    (said,) = site.wrong(line, ["vm1"])
    assert "its state is not known now" in said and leads in said
    assert site.clock.now() == begun and site.thing("vm", "vm1")["status"] == status


def test_power_of_what_does_not_answer(site):
    site.running("vm1", "vm2")
    put(site, "vm", "vm1", "unknown")
    put(site, "vm", "vm2", "not_responding")
    for word in ("on", "off", "reset", "softoff"):
        assert (
            "its state is not known now, because its hypervisor does not answer"
            in (site.wrong(f"rpower {word}", ["vm1"])[0])
        )
    assert site.ok("rpower stat", ["vm1", "vm2"]) == ["vm1: unknown", "vm2: not_responding"]
    assert site.ok("rpower off", ["vm2"]) == ["vm2: off"]


@pytest.mark.parametrize(
    "line", ["rpower stat", "lsvm", "chvm", "rinv", "rmigrate rhevh1", "clonevm -t t1", "rsetboot hd"]
)
@only((3, 0), (4, 5))
def test_a_machine_that_is_there_in_other_letters_is_named(site, line):
    site.made("vm1", "Vm1", "other")
    for node in ("VM1", "OTHER", "none"):
        site.node(node)
    (said,) = site.wrong(line, ["VM1"])
    assert "It has vm1 and Vm1, which is another name to it" in said or "It has Vm1 and vm1" in said
    (said,) = site.wrong(line, ["OTHER"])
    assert "It has other, which" in said and "mkvm" not in said
    (said,) = site.wrong(line, ["none"])
    assert "Run: mkvm none" in said


@pytest.mark.parametrize("line", ["chhypervisor -e", "chhypervisor --reinstall", "chhypervisor --upgrade"])
@only((3, 6), (4, 5))
def test_a_hypervisor_out_of_reach_leads_on(site, line):
    site.hypervisor("rhevh1")
    put(site, "host", "rhevh1", "non_responsive")
    (said,) = site.wrong(line, ["rhevh1"])
    assert "the host is non_responsive: it does not answer the manager. Run: rpower rhevh1 boot" in said
    put(site, "host", "rhevh1", "kdumping")
    for each in (line, "chhypervisor -d", "rmhypervisor", "rmhypervisor -f"):
        (said,) = site.wrong(each, ["rhevh1"])
        assert "writes a dump, after which the manager restarts it. Look again in some minutes: rvitals rhevh1" in said
    assert site.thing("host", "rhevh1")["status"] == "kdumping"


@pytest.mark.slow
@only((4, 5))
def test_an_ipv6_address_whose_port_has_no_brackets(site):
    site.host.set_node_attrs("vm", {"vm1": {"mgr": "fd00::1:8443"}})
    (said,) = site.wrong("rpower stat", ["vm1"])
    assert "If 8443 is its port, write [fd00::1]:8443" in said
    site.host.set_node_attrs("vm", {"vm2": {"mgr": "fd00::zz"}})
    (said,) = site.wrong("rpower stat", ["vm2"])
    assert "Write host, host:port or [IPv6 address]:port in vm.mgr" in said
