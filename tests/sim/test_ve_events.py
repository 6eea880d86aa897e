"""lsve --events: what a manager has noted since an event, and what that says of nodes."""

from __future__ import annotations

import json

import pytest

from vesim import only
from vmsite import MODERN, each_version

site = each_version()


def asked(site, after):
    """The events after a number, and the newest number."""
    *events, last = map(json.loads, site.ok(f"lsve -m MGR --events {after}"))
    assert last.keys() == {"manager", "newest"}
    assert all(each["manager"] == site.manager for each in [*events, last])
    return events, last["newest"]


def listed(site, *nodes, status="booted"):
    """Nodes are in nodelist, with a status."""
    for node in nodes:
        site.row("nodelist", node, groups="all", status=status)


def test_each_event_once_the_oldest_first_with_node_state_and_what_its_status_becomes(site):
    site.running("vm1", "vm2", storage="", memory="1g")
    listed(site, "vm1", "vm2")
    assert asked(site, "now")[0] == []
    newest = asked(site, "now")[1]
    site.ok("rpower off", ["vm1"])
    site.host.set_node_attrs("nodelist", {"vm1": {"status": "booted"}})
    events, last = asked(site, newest)
    assert [each["id"] for each in events] == [*range(newest + 1, last + 1)]
    assert {each.get("node") for each in events} == {"vm1"}
    assert {(each["state"], each["status"]) for each in events} == {("down", "unreachable")}
    assert asked(site, last) == ([], last)


def test_more_than_one_page_of_events(site):
    newest = asked(site, "now")[1]
    for number in range(650):
        site.world.event(1, "normal", f"number {number}")
    events, last = asked(site, newest)
    assert [each["description"] for each in events] == [f"number {number}" for number in range(650)]
    assert last == newest + 650


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        ("up", "unreachable", "alive"),
        ("up", "powering-on", "alive"),
        ("up", "", "alive"),
        ("up", "booted", None),
        ("up", "installing", None),
        ("powering_up", "unreachable", "alive"),
        ("down", "alive", "unreachable"),
        ("down", "installing", None),
        ("down", "powering-off", None),
        ("down", "", None),
        ("paused", "booted", "unreachable"),
        ("not_responding", "alive", "unreachable"),
        ("unknown", "alive", "unreachable"),
        ("powering_down", "alive", None),
    ],
)
@only((4, 5))
def test_what_a_machines_state_makes_of_its_status(site, state, before, after):
    site.made("vm1", storage="", memory="1g")
    listed(site, "vm1", status=before)
    newest = asked(site, "now")[1]
    site.world.change(site.thing("vm", "vm1"), status=state)
    site.world.event(126, "warning", "something happened", vm=site.thing("vm", "vm1")["id"])
    ((event,), _) = asked(site, newest)
    assert (event["node"], event["state"], event.get("status")) == ("vm1", state, after)
    site.host.set_row("site", {"key": "nodestatus"}, {"value": "n"})
    assert "status" not in asked(site, newest)[0][0]


@pytest.mark.parametrize(
    ("state", "before", "after"),
    [
        ("non_responsive", "booted", "unreachable"),
        ("up", "unreachable", "alive"),
        ("connecting", "booted", None),
        ("maintenance", "booted", None),
        ("non_operational", "booted", None),
    ],
)
@only(*MODERN)
def test_what_a_hypervisors_state_makes_of_its_status(site, state, before, after):
    listed(site, site.hypervisor("rhevh1"), status=before)
    newest = asked(site, "now")[1]
    site.world.change(site.thing("host", "rhevh1"), status=state)
    site.world.event(9027, "error", "Host rhevh1 is not responding.", host=site.thing("host", "rhevh1")["id"])
    ((event,), _) = asked(site, newest)
    assert (event["node"], event["state"], event.get("status")) == ("rhevh1", state, after)
    assert (event["code"], event["severity"]) == (9027, "error")


@only((4, 5))
def test_nodes_of_other_managers_and_strangers_are_not_named(site):
    site.made("vm1", storage="", memory="1g")
    listed(site, "vm1")
    site.row("vm", "vm1", mgr="other.example.com")
    newest = asked(site, "now")[1]
    site.world.event(1, "normal", "of another's node", vm=site.thing("vm", "vm1")["id"])
    ((event,), _) = asked(site, newest)
    assert event["vm"] == "vm1"
    assert "node" not in event


@only((4, 5))
def test_a_quiet_manager_costs_one_request(site):
    newest = asked(site, "now")[1]
    assert site.cost(f"lsve -m MGR --events {newest}") == {"GET /events": 1}


@only((4, 5))
@pytest.mark.parametrize("text", ["soon", "-1", "9" * 30])
def test_what_is_no_number_is_said(site, text):
    (said,) = site.wrong(f"lsve -m MGR --events '{text}'")
    assert said == f"--events {text}: not the number of an event. Write a number, or now"


@only((4, 5))
def test_the_official_sdk_reads_the_same(site):
    from sdkhelp import connected

    site.made("vm1", storage="", memory="1g")
    with connected(site) as system:
        theirs = {int(event.id): (event.code, event.description) for event in system.events_service().list()}
    assert {each["id"]: (each["code"], each["description"]) for each in asked(site, 0)[0]} == theirs
