"""chhypervisor --rolling: who is away, in which order, and what a failure ends."""

from __future__ import annotations

import pytest

from vesim import each_version, only

site = each_version(((3, 0), (3, 6), (4, 5)), hosts=4, vms=2)
NODES = ["rhevh1", "rhevh2", "rhevh3", "rhevh4"]
#: Who manages the storage comes last.
ORDER = [*NODES[1:], NODES[0]]


@pytest.fixture(autouse=True)
def named(site):
    for name in NODES:
        site.row("hypervisor", name, type="rhevh", mgr=site.manager, user="root", password="geheim")


#: What is said of the cluster's scheduling policy, where there is one for maintenance.
AROUND = ["Default: scheduling policy cluster_maintenance, none before", "Default: scheduling policy none again"]


def policy(site):
    """What the cluster has: the policy's name, and its values."""
    cluster = site.thing("cluster", "Default")
    names = {each["id"]: each["name"] for each in site.world.all("scheduling_policy")}
    return names.get(cluster.get("scheduling_policy"), "none"), cluster.get("policy_properties")


def turned(site, lines):
    """The lines of the turns; those around them are as they have to be."""
    if site.version < (4, 0):
        return lines
    assert [lines[0], lines[-1]] == AROUND and policy(site)[0] == "none"
    return lines[1:-1]


def statuses(site):
    return [site.thing("host", name)["status"] for name in NODES]


@pytest.fixture
def away(site, monkeypatch):
    """The largest number of hosts that were not up at the same time, as the manager saw it."""
    most = [0]
    change = site.world.change

    def watched(thing, **values):
        change(thing, **values)
        most[0] = max(most[0], sum(status != "up" for status in statuses(site)))

    monkeypatch.setattr(site.world, "change", watched)
    return most


@only((4, 5))
def test_one_at_a_time_unless_more_are_asked_for(site, away):
    lines = turned(site, site.ok("chhypervisor --upgrade --rolling", NODES))
    assert lines == [f"{name}: {text}" for name in ORDER for text in ("upgrade begun.", "up")]
    assert away == [1]


@only((4, 5))
@pytest.mark.parametrize("number", [2, 3])
def test_never_more_than_that_many_are_away(site, away, number):
    site.ok(f"chhypervisor --renew --rolling {number}", NODES)
    assert statuses(site) == ["up"] * 4
    assert 2 <= away[0] <= number


def test_a_host_that_is_up_is_installed_again_and_comes_back_before_the_next_one(site, away):
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)
    assert [line.partition(":")[0] for line in lines if "install begun." in line] == ORDER
    assert statuses(site) == ["up"] * 4 and away == [1]


def test_a_dry_run_shows_the_order_and_does_nothing(site):
    site.front.counts.clear()
    lines = site.ok("chhypervisor --reinstall --rolling --dry-run", NODES)
    around = (
        ["Default: set scheduling policy cluster_maintenance in place of none"],
        ["Default: put the scheduling policy back"],
    )
    before, after = around if site.version >= (4, 0) else ([], [])
    assert lines == [*before, *(f"{name}: turn {at} of 4: reinstall" for at, name in enumerate(ORDER, 1)), *after]
    assert not [
        call
        for call in site.front.counts.report()["requests"]
        if not call.startswith(("GET", "POST /ovirt-engine/sso"))
    ]


@only((3, 6), (4, 5))
def test_hosts_are_restarted_by_their_power_management_when_they_are_empty(site, away):
    for name in NODES:
        site.row("ipmi", name, bmc=f"{name}-bmc", username="u", password="p")
    (said,) = site.wrong("chhypervisor --reboot", NODES[:1])[:1]
    assert "Run: chhypervisor rhevh1 -p" in said
    site.ok("chhypervisor -e", NODES[:1])
    for name in NODES:
        host = site.thing("host", name)
        site.world.add("agent", type="ipmilan", address="b", username="u", options=[], order=1, host=host["id"])
        site.world.change(host, pm_enabled=True)
    lines = turned(site, site.ok("chhypervisor --reboot", NODES))
    assert sorted(lines) == sorted(f"{name}: {text}" for name in NODES for text in ("boot", "up"))
    assert statuses(site) == ["up"] * 4 and away == [1]


def test_machines_move_to_the_hosts_whose_turn_is_not_now(site):
    for name in ("vm1", "vm2"):
        site.row("vm", name, mgr=site.manager)
        site.ok("rpower on", [name])
    site.ok("chhypervisor --reinstall --rolling", NODES)
    assert [vm["status"] for vm in site.world.all("vm")] == ["up", "up"]


def test_the_first_failure_ends_the_turns_of_its_cluster_alone(site):
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    second = site.thing("cluster", "cl2")["id"]
    site.world.change(site.thing("host", "rhevh4"), cluster=second)
    site.world.change(site.thing("host", "rhevh2"), status="non_responsive")
    wrong = site.wrong("chhypervisor --reinstall --rolling", NODES)
    assert wrong[0].startswith("rhevh2: the host is non_responsive: it does not answer the manager")
    assert wrong[1:] == [
        f"{name}: not begun, because it needs what failed: host rhevh2" for name in ("rhevh3", "rhevh1")
    ]
    assert statuses(site) == ["up", "non_responsive", "up", "up"]


@only((4, 5))
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--upgrade --rolling 0", "--rolling 0: not a number of hosts at a time"),
        ("--upgrade --rolling two", "--rolling two: not a number of hosts at a time"),
        ("-e --rolling", "--rolling can only be used with --upgrade, --reinstall, --renew, --reboot"),
        ("--upgrade 2", "chhypervisor does not know '2'"),
        ("--rolling", "chhypervisor needs exactly one of its options"),
        ("--renew --upgrade", "chhypervisor needs exactly one of its options"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(site, line, said):
    (wrong,) = site.wrong(f"chhypervisor {line}", NODES)
    assert wrong.startswith(said)


@only((4, 5))
def test_who_is_not_there_is_said_and_the_others_are_done(site):
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager)
    wrong = site.wrong("chhypervisor --upgrade --rolling", ["rhevh9", "rhevh1"])
    assert wrong == [f"rhevh9: host was not created on {site.manager}. Run: chhypervisor rhevh9 -a"]
    assert site.thing("host", "rhevh1")["updates"] is False
