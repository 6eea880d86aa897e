"""rpower writes nodelist.status for what was done, as xCAT's own power plugins do."""

from __future__ import annotations

import re

import pytest

from vmsite import MODERN, each_version
from xcat_rhev.errors import BadAnswer

site = each_version(MODERN)


def status(site, node="vm1"):
    return site.host.row("nodelist", node).get("status", "")


def set_status(site, node="vm1", word="booted"):
    site.host.set_node_attrs("nodelist", {node: {"status": word, "statustime": "01-01-2020 00:00:00"}})
    site.host.writes.clear()


def written(site):
    """What was written to nodelist, in order."""
    return [values["status"] for table, _, values in site.host.writes if table == "nodelist"]


@pytest.mark.parametrize(
    ("word", "began", "statuses"),
    [
        ("on", "off", ["powering-on"]),
        ("on", "on", []),
        ("off", "on", ["powering-off"]),
        ("off", "off", []),
        ("softoff", "on", ["powering-off"]),
        ("softoff", "off", []),
        ("reset", "on", ["powering-off", "powering-on"]),
        ("boot", "on", ["powering-off", "powering-on"]),
        ("boot", "off", ["powering-on"]),
        ("cycle", "off", ["powering-on"]),
        ("suspend", "on", []),
        ("stat", "on", []),
        ("off --nowait", "on", ["powering-off"]),
        ("on --dry-run", "off", []),
    ],
)
def test_what_is_done_is_written_and_nothing_else(site, word, began, statuses):
    site.running("vm1") if began == "on" else site.made("vm1")
    set_status(site)
    site.ok(f"rpower {word}", ["vm1"])
    assert written(site) == statuses
    assert status(site) == (statuses or ["booted"])[-1]
    if statuses:
        assert re.fullmatch(r"\d\d-\d\d-\d{4} \d\d:\d\d:\d\d", site.host.row("nodelist", "vm1")["statustime"])


@pytest.mark.parametrize("word", ["resume", "on"])
def test_a_machine_that_wakes_does_not_boot(site, word):
    site.running("vm1")
    site.ok("rpower suspend", ["vm1"])
    set_status(site)
    site.ok(f"rpower {word}", ["vm1"])
    assert written(site) == []


def test_a_refused_one_keeps_its_status_and_the_others_do_not(site):
    site.made("vm1", "vm2")
    set_status(site, "vm1")
    set_status(site, "vm2")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/start", "times": 1}])
    assert len(site.say("rpower on", ["vm1", "vm2"])) == 2
    assert sorted([status(site, "vm1"), status(site, "vm2")]) == ["booted", "powering-on"]


@pytest.mark.parametrize(("word", "before"), [("on", "booted"), ("on", ""), ("reset", "powering-off")])
def test_a_machine_that_does_not_come_up_has_the_status_of_before(site, word, before):
    site.made("vm1") if word == "on" else site.running("vm1")
    set_status(site, word=before if word == "on" else "booted")
    site.world.paths = {**site.world.paths, "vm.start": (("wait_for_launch", 30), ("down", 0))}
    assert "vm1 is down" in site.wrong(f"rpower {word}", ["vm1"])[0]
    assert status(site) == before


@pytest.mark.parametrize("value", ["n", "N", "0", "no"])
def test_a_site_may_want_none(site, value):
    site.host.set_row("site", {"key": "nodestatus"}, {"value": value})
    site.made("vm1")
    set_status(site)
    site.ok("rpower on", ["vm1"])
    assert written(site) == []


def test_hypervisors_too(site):
    host = site.hypervisor("rhevh2")
    found = site.thing("host", host)
    site.world.change(found, pm_enabled=True)
    site.world.add("agent", type="ipmilan", address="10.1.1.1", username="u", options=[], order=1, host=found["id"])
    for word, wanted in (("off", "powering-off"), ("on", "powering-on"), ("boot", "powering-on")):
        set_status(site, host)
        site.ok(f"rpower {word}", [host])
        assert status(site, host) == wanted
        if word != "boot":
            set_status(site, host)
            site.ok(f"rpower {word}", [host])
            assert status(site, host) == "booted", "it was so already"


def test_a_table_that_cannot_be_written_is_a_warning(site, monkeypatch):
    site.made("vm1")
    write = site.host.set_node_attrs

    def refuse(table, values):
        if table == "nodelist":
            raise BadAnswer("the database is read-only")
        write(table, values)

    monkeypatch.setattr(site.host, "set_node_attrs", refuse)
    assert site.ok("rpower on", ["vm1"]) == [
        "vm1: nodelist.status is not written: the database is read-only",
        "vm1: on",
    ]
