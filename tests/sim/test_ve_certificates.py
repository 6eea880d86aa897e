"""When certificates end, and new ones: rvitals and rinv cert, chhypervisor --renew, beside the official SDK."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from vesim import each_version, only, starting, version_name
from xcat_rhev.messages import Warn

site = each_version(((3, 6), (4, 4), (4, 5)), hosts=3, vms=1)
NODES = ["rhevh1", "rhevh2", "rhevh3"]


@pytest.fixture(autouse=True)
def named(request):
    if "site" in request.fixturenames:
        nodes(request.getfixturevalue("site"))


def nodes(site):
    for name in NODES:
        site.row("hypervisor", name, type="rhevh", mgr=site.manager)


def day(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).date().isoformat()


def said_by_event(site, name, days, code=845):
    """What the manager's daily look leaves."""
    what = "has expired" if days < 0 else "is about to expire"
    text = f"Host {name} certification {what} at {day(days)}. Please renew the host's certification."
    site.world.event(code, "alert", text, host=site.thing("host", name)["id"])


def renewed(site, nodes):
    """Renew hosts: what is said of them."""
    return [line for line in site.ok("chhypervisor --renew", nodes) if not line.startswith("Default: ")]


def certificates(site, name):
    return [line for line in site.ok("rvitals cert", [name]) if line.startswith(f"{name}: ")]


def test_the_end_is_what_the_newest_event_says(site):
    said_by_event(site, "rhevh1", 20)
    said_by_event(site, "rhevh1", 300)
    said_by_event(site, "rhevh2", 10, 879)
    assert certificates(site, "rhevh1") == [f"rhevh1: ends {day(300)}, in 300 days"]
    assert certificates(site, "rhevh2") == [
        f"rhevh2: ends {day(10)}, in 10 days",
        f"rhevh2: its certificate ends {day(10)}, in 10 days. Run: chhypervisor rhevh2 --renew",
    ]
    (untold,) = certificates(site, "rhevh3")
    assert untold.startswith("rhevh3: end not known: the manager reports it when it is near")
    assert site.ok("rinv cert", ["rhevh1"])[0] == f"rhevh1: ends {day(300)}, in 300 days"


def test_warnings_do_not_change_the_exit_code_and_go_to_standard_error(site):
    said_by_event(site, "rhevh1", 60)
    said_by_event(site, "rhevh2", 61)
    warned = [each for each in site.say("rvitals cert", NODES) if isinstance(each, Warn)]
    assert [each.node for each in warned] == ["rhevh1"]


def test_a_host_whose_certificate_has_ended_is_told_apart_from_a_dead_one(site):
    said_by_event(site, "rhevh1", -3, 877)
    for name in NODES[:2]:
        site.world.change(site.thing("host", name), status="non_responsive")
    assert certificates(site, "rhevh1")[1] == (
        f"rhevh1: its certificate ended {day(-3)}, 3 days ago, which is why the host does not answer its manager. "
        "Run: chhypervisor rhevh1 --renew"
    )
    assert len(certificates(site, "rhevh2")) == 1


def test_the_certificates_of_the_manager_and_of_its_ca_come_from_tls(site):
    lines = [line for line in site.ok("rvitals cert", NODES) if line.startswith(f"{site.manager}: ")]
    assert len(lines) == 2 and all(": ends 20" in line for line in lines)


def test_machines_have_none(site):
    site.row("vm", "vm1", mgr=site.manager)
    assert "vm1: none: it is a virtual machine" in site.ok("rvitals cert", ["vm1"])


def test_cert_costs_one_question_more_and_nothing_without_the_word(site):
    assert site.cost("rvitals state", NODES) == {"GET /hosts": 1, "GET /vms": 1}
    assert site.cost("rvitals cert", NODES) == {"GET /events": 1, "GET /hosts": 1, "GET /vms": 1}


def test_renewing_goes_through_maintenance_and_is_not_done_twice(site):
    before = site.world.now()
    said = renewed(site, NODES)
    order = ["rhevh2", "rhevh3", "rhevh1"]  # who manages the storage comes last
    assert said == [f"{name}: {text}" for name in order for text in ("certificate renewed.", "up")]
    for name in NODES:
        host = site.thing("host", name)
        assert host["status"] == "up" and host["certificate_ends"] > before + 300 * 86400
    again = renewed(site, NODES)
    assert sorted(line.partition(" 20")[0] for line in again) == [f"{name}: renewed" for name in NODES]
    assert "renewed" in certificates(site, "rhevh1")[0]


def test_who_rested_rests_on(site):
    site.ok("chhypervisor -d", ["rhevh2"])
    site.ok("chhypervisor --renew", NODES)
    assert [site.thing("host", name)["status"] for name in NODES] == ["up", "maintenance", "up"]


def test_the_first_failure_ends_the_turns_and_typing_it_again_goes_on(site):
    pinned = site.world.all("vm")[0]
    site.row("vm", pinned["name"], mgr=site.manager)
    site.ok("rpower on", [pinned["name"]])
    site.world.change(pinned, affinity="pinned", host=site.thing("host", NODES[1])["id"])
    wrong = site.wrong("chhypervisor --renew", NODES)
    assert wrong[0].startswith("rhevh2: virtual machines are pinned to the host and cannot migrate")
    assert wrong[1:] == ["rhevh1: not begun, because it needs what failed: host rhevh2"]
    assert [bool(site.thing("host", name).get("certificate_ends")) for name in NODES] == [False, False, True]
    site.ok("rpower off", [pinned["name"]])
    site.ok("chhypervisor --renew", NODES)
    assert all(site.thing("host", name).get("certificate_ends") for name in NODES)


@only((4, 4), (4, 5))
def test_a_silent_host_can_be_renewed_since_4_5(site):
    site.world.change(site.thing("host", "rhevh1"), status="non_responsive")
    assert site.ok("chhypervisor --renew", ["rhevh1"]) == ["rhevh1: certificate renewed.", "rhevh1: up"]
    rested = any("switched to Maintenance" in event["description"] for event in site.world.all("event"))
    assert rested is (site.version == (4, 4))


@only((4, 5))
def test_a_failure_ends_the_wait_although_the_host_goes_on_installing(site, monkeypatch):
    host = site.thing("host", "rhevh1")
    event = site.world.event

    def written(code, *said, **about):
        made = event(code, *said, **about)
        if code == 880:  # a real manager whose own tools fail says so, and forgets about the host
            event(882, "error", "Failed to enroll certificate for host rhevh1.", host=host["id"])
        return made

    monkeypatch.setattr(site.world, "event", written)
    monkeypatch.setitem(site.world.paths, "host.enroll", (("installing", 1e12), ("maintenance", 0)))
    assert site.wrong("chhypervisor --renew", ["rhevh1"]) == ["rhevh1: Failed to enroll certificate for host rhevh1."]


@pytest.mark.parametrize("version", [(3, 0), (3, 5)], ids=version_name)
def test_before_3_6_it_is_refused_in_words(tmp_path_factory, version):
    with starting(tmp_path_factory) as start:
        site = start(version, hosts=2)
        nodes(site)
        (said,) = site.wrong("chhypervisor --renew", ["rhevh1"])
        assert "certificates of hosts came with 3.6" in said and "--reinstall --rolling" in said
        assert "came with 3.6" in certificates(site, "rhevh1")[0]


@only((4, 5))
def test_the_simulators_manager_looks_daily_and_says_it_once_a_day(site):
    host = site.thing("host", "rhevh1")
    site.world.change(host, certificate_ends=site.world.now() + 30.5 * 86400)
    for _ in range(2):
        assert "ends 2023-12-15" in certificates(site, "rhevh1")[0] or "ended" in certificates(site, "rhevh1")[0]
    codes = [event["code"] for event in site.world.all("event") if event["code"] in (845, 877, 879)]
    assert codes == [845]


@only((4, 5))
def test_the_official_sdk_enrolls_the_same(site):
    from sdkhelp import connected

    for name in NODES[:2]:
        site.ok("chhypervisor -d", [name])
    site.ok("chhypervisor --renew", ["rhevh1"])
    with connected(site) as system:
        hosts = system.hosts_service()
        service = hosts.host_service(site.thing("host", "rhevh2")["id"])
        service.enroll_certificate()
        site.clock.sleep(5)
        ours = hosts.host_service(site.thing("host", "rhevh1")["id"]).get()
        assert ours.status == service.get().status
    codes = {
        name: [each["code"] for each in site.world.all("event") if each.get("host") == site.thing("host", name)["id"]]
        for name in NODES[:2]
    }
    assert codes["rhevh1"][-2:] == codes["rhevh2"][-2:] == [880, 881]
