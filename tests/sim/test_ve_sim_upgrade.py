"""chhypervisor --upgrade and --reinstall, waited for until the host is back."""

from __future__ import annotations

import pytest

from vesim import Site, starting, version_name


@pytest.fixture
def start(tmp_path_factory):
    def begin(version, kind="rhel", **options):
        site = start_one(version, **{"hosts": 2, "vms": 2, **options})
        for number in (1, 2):
            site.row("hypervisor", f"rhevh{number}", type="rhevh", mgr=site.manager)
            site.world.change(site.thing("host", f"rhevh{number}"), type=kind)
        return site

    with starting(tmp_path_factory) as start_one:
        yield begin


BY_HAND, BY_ITSELF, BEFORE = [(4, 1), (4, 2), (4, 5)], [(3, 6), (4, 0)], [(3, 0), (3, 5)]


def states(site: Site, name: str) -> list[str]:
    """What the manager noted about a host since, oldest first."""
    known = site.thing("host", name)["id"]
    return [event["description"] for event in site.world.all("event") if event.get("host") == known]


@pytest.mark.parametrize("version", BY_HAND, ids=version_name)
@pytest.mark.parametrize("before", ["up", "maintenance"])
def test_a_host_is_looked_at_upgraded_and_back_where_it_was(start, version, before):
    site = start(version)
    if before == "maintenance":
        site.ok("chhypervisor -d", ["rhevh1"])
    assert site.ok("chhypervisor --upgrade", ["rhevh1"]) == ["rhevh1: upgrade begun.", f"rhevh1: {before}"]
    host = site.thing("host", "rhevh1")
    assert (host["status"], host["updates"], host["os_full"]) == (before, False, "7.9 - 2")
    assert any("upgrade was completed" in text for text in states(site, "rhevh1"))
    again = site.ok("chhypervisor --upgrade", ["rhevh1"])
    assert again == ["rhevh1: no upgrade is available: nothing to do"]


@pytest.mark.parametrize("version", BY_ITSELF, ids=version_name)
def test_before_4_1_a_manager_knows_by_itself(start, version):
    site = start(version)
    assert site.ok("chhypervisor --upgrade", ["rhevh1"]) == ["rhevh1: upgrade begun.", "rhevh1: up"]
    assert site.thing("host", "rhevh1")["updates"] is False
    (said,) = site.ok("chhypervisor --upgrade", ["rhevh1"])
    assert said == "rhevh1: the manager, which looks once a day, knows of no upgrade for it: nothing to do"


@pytest.mark.parametrize("version", BEFORE, ids=version_name)
def test_before_3_6_a_manager_upgrades_no_hosts_with_packages(start, version):
    site = start(version)
    (said,) = site.wrong("chhypervisor --upgrade", ["rhevh1"])
    assert f"a manager of version {version[0]}.{version[1]} upgrades no hosts. Update the packages on the host" in said


@pytest.mark.parametrize("version", [(3, 0), (3, 5), (3, 6), (4, 1)], ids=version_name)
def test_a_rhev_h_is_upgraded_from_an_iso_on_the_manager(start, version):
    site = start(version, kind="rhev_h")
    (said,) = site.wrong("chhypervisor --upgrade", ["rhevh1"])
    assert "a RHEV-H is upgraded from an ISO file on its manager. Give --image" in said
    if version < (3, 6):
        (said,) = site.wrong("chhypervisor --upgrade --image i.iso", ["rhevh1"])
        assert "must be install_failed or maintenance" in said
        site.ok("chhypervisor -d", ["rhevh1"])
    said = site.ok("chhypervisor --upgrade --image rhevh-6.6.iso", ["rhevh1"])
    assert said == ["rhevh1: upgrade begun.", "rhevh1: up"]
    assert site.thing("host", "rhevh1")["status"] == "up"


def test_a_host_with_packages_takes_no_image(start):
    site = start((4, 5))
    assert "--image has no effect here" in site.wrong("chhypervisor --upgrade --image i.iso", ["rhevh1"])[0]
    assert "--image can only be used with --upgrade" in site.wrong("chhypervisor -e --image i.iso", ["rhevh1"])[0]


def test_an_upgrade_that_fails_is_told_with_the_managers_event(start):
    site = start((4, 5))
    site.faults([{"do": "fail", "state": "host.upgrade", "name": "rhevh1", "text": "Failed to upgrade Host rhevh1."}])
    (said,) = site.wrong("chhypervisor --upgrade", ["rhevh1"])
    assert "is install_failed" in said and "Failed to upgrade Host rhevh1." in said


def test_a_machine_that_cannot_leave_stops_an_upgrade_before_it_begins(start):
    site = start((4, 5), running=100)
    host = site.thing("host", "rhevh1")
    (vm, *_) = site.world.of("vm", "host", host["id"])
    site.world.change(vm, affinity="pinned")
    (said,) = site.wrong("chhypervisor --upgrade", ["rhevh1"])
    assert f"virtual machines are pinned to the host and cannot migrate: {vm['name']}" in said
    assert host["status"] == "up"


def test_several_hosts_at_once_and_one_that_is_not_there(start):
    site = start((4, 5))
    site.row("hypervisor", "gone1", type="rhevh", mgr=site.manager)
    said = site.say("chhypervisor --upgrade", ["rhevh1", "rhevh2", "gone1"])
    shown = sorted(f"{message.node}: {message.text}" for message in said)
    assert shown[0].startswith("gone1: host was not created")
    assert [line for line in shown if line.endswith(": up")] == ["rhevh1: up", "rhevh2: up"]


def test_nowait_ends_when_the_upgrade_has_begun(start):
    site = start((4, 5))
    assert site.ok("chhypervisor --upgrade --nowait", ["rhevh1"]) == ["rhevh1: upgrade begun.", "rhevh1: accepted"]
    assert site.thing("host", "rhevh1")["status"] == "preparing_for_maintenance"


def test_a_dry_run_of_an_upgrade(start):
    site = start((4, 5))
    assert site.ok("chhypervisor --upgrade --dry-run", ["rhevh1"]) == [
        "rhevh1: look for upgrades",
        "rhevh1: wait until it is known whether there are any",
        "rhevh1: upgrade",
        "rhevh1: wait until upgraded and up",
    ]


@pytest.mark.parametrize("version", [(3, 0), (3, 6), (4, 2), (4, 5)], ids=version_name)
@pytest.mark.parametrize("user", ["root", "admin"])
def test_a_reinstallation_with_a_password(start, version, user):
    site = start(version)
    site.row("hypervisor", "rhevh1", password="geheim", user=user)
    assert "must be in maintenance" in site.wrong("chhypervisor --reinstall", ["rhevh1"])[0]
    site.ok("chhypervisor -d", ["rhevh1"])
    if version == (3, 0) and user != "root":
        assert site.wrong("chhypervisor --reinstall", ["rhevh1"])
        return
    back = "up" if version < (4, 3) else "maintenance"
    assert site.ok("chhypervisor --reinstall", ["rhevh1"]) == ["rhevh1: install begun.", f"rhevh1: {back}"]


@pytest.mark.parametrize("version", [(3, 6), (4, 5)], ids=version_name)
def test_a_reinstallation_with_the_managers_own_key(start, version):
    site = start(version)
    site.ok("chhypervisor -d", ["rhevh1"])
    assert site.ok("chhypervisor --reinstall", ["rhevh1"])[0] == "rhevh1: install begun."
