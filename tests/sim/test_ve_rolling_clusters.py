"""chhypervisor --rolling and its cluster: the scheduling policy, machines that are pinned to hosts, Gluster."""

from __future__ import annotations

import pytest

from vesim import each_version, only
from xcat_rhev.commands.hypervisor.clusterwork import ClusterWork

site = each_version(((3, 0), (3, 6), (4, 5)), hosts=3, vms=2)
NODES = ["rhevh1", "rhevh2", "rhevh3"]
#: Who manages the storage comes last.
ORDER = ["rhevh2", "rhevh3", "rhevh1"]
SET = "Default: scheduling policy cluster_maintenance, evenly_distributed before"
BACK = "Default: scheduling policy evenly_distributed again"


@pytest.fixture(autouse=True)
def named(site):
    for name in NODES:
        site.row("hypervisor", name, type="rhevh", mgr=site.manager, user="root", password="geheim")
    for name in ("vm1", "vm2"):
        site.row("vm", name, mgr=site.manager)


@pytest.fixture
def balanced(site):
    """The cluster has a policy of somebody's choice, with values of its own."""
    (chosen,) = [each for each in site.world.all("scheduling_policy") if each["name"] == "evenly_distributed"]
    values = [{"name": "HighUtilization", "value": "66"}, {"name": "CpuOverCommitDurationMinutes", "value": "3"}]
    site.world.change(cluster(site), scheduling_policy=chosen["id"], policy_properties=values)
    return chosen["id"], values


def cluster(site):
    return site.thing("cluster", "Default")


def policy(site):
    """What the cluster has now."""
    return cluster(site)["scheduling_policy"], cluster(site)["policy_properties"]


def name_of_policy(site):
    return site.world.the("scheduling_policy", cluster(site)["scheduling_policy"])["name"]


@pytest.fixture
def cut_off(monkeypatch):
    """Runs end before what comes at their end, as one that was killed does."""

    def cut():
        monkeypatch.setattr(ClusterWork, "after", lambda *_: iter(()))
        return monkeypatch.undo

    return cut


def pin(site, name, host):
    """Let a machine run on a host that it does not leave."""
    site.ok("rpower on", [name])
    vm = site.thing("vm", name)
    site.world.change(vm, affinity="pinned", pinned=[site.thing("host", host)["id"]])
    site.world.change(vm, host=site.thing("host", host)["id"])
    return vm


@only((4, 5))
def test_the_policy_for_maintenance_is_set_for_that_time_and_what_was_comes_back(site, balanced):
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)
    assert (lines[0], lines[-1]) == (SET, BACK)
    assert policy(site) == balanced


@only((4, 5))
def test_the_policy_comes_back_after_a_failure(site, balanced):
    site.world.change(site.thing("host", "rhevh2"), status="non_responsive")
    lines = site.lines("chhypervisor --reinstall --rolling", NODES)
    assert lines[0] == SET and lines[-1] == BACK and any(line.startswith("!rhevh2: ") for line in lines)
    assert policy(site) == balanced


@only((4, 5))
def test_the_policy_comes_back_when_the_same_is_typed_again(site, balanced, cut_off):
    mend = cut_off()
    assert BACK not in site.ok("chhypervisor --upgrade --rolling", NODES)
    assert name_of_policy(site) == "cluster_maintenance"
    mend()
    lines = site.ok("chhypervisor --upgrade --rolling", NODES)
    assert sorted(lines) == sorted([*(f"{name}: no upgrade is available: nothing to do" for name in NODES), BACK])
    assert policy(site) == balanced


@only((4, 5))
def test_a_policy_that_is_nobodys_or_was_set_meanwhile_stays(site, balanced):
    site.ok("chhypervisor --renew", NODES[:1])  # what was noted for that is closed
    (ours,) = [each for each in site.world.all("scheduling_policy") if each["name"] == "cluster_maintenance"]
    site.world.change(cluster(site), scheduling_policy=ours["id"])
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)
    assert not [line for line in lines if line.startswith("Default: ")]
    assert name_of_policy(site) == "cluster_maintenance"


@only((4, 5))
def test_who_may_not_set_it_works_without_it(site, balanced):
    site.faults([{"do": "status", "method": "POST", "path": "/events", "status": 403}])
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)
    assert lines[0].startswith("Default: the scheduling policy stays evenly_distributed: ")
    assert policy(site) == balanced


@only((4, 5))
def test_it_costs_a_list_and_two_requests_before_and_after(site, balanced):
    for name in NODES:
        site.ok("chhypervisor -d", [name])
    resting = site.cost("chhypervisor --renew", NODES)
    site.ok("chhypervisor -e", NODES)
    site.clock.sleep(86400)
    assert "PUT /clusters/{id}" not in resting and "POST /events" not in resting
    working = site.cost("chhypervisor --reinstall --rolling", NODES)
    assert (working["PUT /clusters/{id}"], working["POST /events"]) == (2, 7)  # five are of the turns
    assert (working["GET /schedulingpolicies"], working["GET /clusters"], working["GET /clusters/{id}"]) == (1, 1, 1)


@only((4, 5))
def test_under_that_policy_only_highly_available_machines_start(site, cut_off):
    cut_off()
    site.ok("chhypervisor --reinstall --rolling", NODES)
    (wrong,) = site.wrong("rpower on", ["vm1"])
    assert "the cluster is in maintenance and only highly available VMs are allowed to start" in wrong
    site.world.change(site.thing("vm", "vm2"), ha=True)
    site.ok("rpower on", ["vm2"])


@only((3, 6), (4, 5))
def test_turns_that_were_cut_off_go_on_with_the_hosts_that_are_left(site):
    site.world.change(site.thing("host", "rhevh3"), status="non_responsive")
    assert site.wrong("chhypervisor --reinstall --rolling", NODES)[0].startswith("rhevh3: the host is non_responsive")
    site.world.change(site.thing("host", "rhevh3"), status="up")
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)
    assert "rhevh2: reinstall was done before the turns were cut off: nothing to do" in lines
    assert sorted(line for line in lines if "begun" in line) == ["rhevh1: install begun.", "rhevh3: install begun."]
    lines = site.ok("chhypervisor --reinstall --rolling", NODES)  # all were done: anew
    assert sorted(line for line in lines if "begun" in line) == [f"{name}: install begun." for name in NODES]
    assert len([line for line in site.ok("chhypervisor --reinstall --rolling", NODES[:2]) if "begun" in line]) == 2


def test_pinned_machines_are_in_the_way_unless_they_may_be_shut_down(site):
    pin(site, "vm1", "rhevh2")
    (wrong, *_) = site.wrong("chhypervisor --reinstall --rolling", NODES)
    assert wrong == ("rhevh2: virtual machines are pinned to the host and cannot migrate: vm1. Run: rpower vm1 off")
    lines = site.ok("chhypervisor --reinstall --rolling --stop-pinned", NODES)
    assert lines.index("vm1: shut down for the work on its host") < lines.index("rhevh2: install begun.")
    assert lines[-1] == "vm1: started again"
    assert site.thing("vm", "vm1")["status"] in ("up", "powering_up")
    assert [site.thing("host", name)["status"] for name in NODES] == ["up"] * 3


@only((3, 6), (4, 5))
def test_machines_that_the_other_hosts_have_no_memory_for_are_in_the_way(site, monkeypatch):
    site.ok("rpower on", ["vm1"])
    site.clock.sleep(60)  # it is up, and can move
    vm = site.thing("vm", "vm1")
    node = next(name for name in NODES if site.thing("host", name)["id"] == vm["host"])
    site.world.change(vm, memory_guaranteed=vm["memory"])
    for name in NODES:
        site.world.change(site.thing("host", name), max_scheduling_memory=vm["memory"] - 1)
    (wrong, *_) = site.wrong("chhypervisor --reinstall --rolling", [node])
    text = "virtual machines cannot migrate, because no other host has memory for them: vm1. Run: rpower vm1 off"
    assert wrong == f"{node}: {text}"
    for name in NODES:
        site.world.change(site.thing("host", name), max_scheduling_memory=vm["memory"])
    site.ok("chhypervisor --reinstall --rolling", [node])


@only((4, 5))
def test_machines_that_an_affinity_group_binds_to_the_host_are_in_the_way(site):
    site.ok("rpower on", ["vm1"])
    site.clock.sleep(60)
    node = next(name for name in NODES if site.thing("host", name)["id"] == site.thing("vm", "vm1")["host"])
    group = "cfgve -t affinitygroup -m MGR -o bound -l Default"
    rule = "--set hosts_rule=yes --set hosts_positive=yes --set hosts_enforcing=yes"
    site.ok(f"{group} -c --set vms=vm1 --set hosts={node} {rule}")
    (wrong, *_) = site.wrong("chhypervisor --reinstall --rolling", [node])
    assert wrong.startswith(f"{node}: the affinity group bound binds virtual machines to hosts that are away: vm1.")
    site.ok(f"{group} -u --set hosts={','.join(NODES)}")
    site.ok("chhypervisor --reinstall --rolling", [node])


@only((3, 6), (4, 5))
def test_what_was_shut_down_is_started_when_the_same_is_typed_again_and_only_once(site, cut_off):
    pin(site, "vm1", "rhevh2")
    mend = cut_off()
    site.ok("chhypervisor --reinstall --rolling --stop-pinned", NODES)
    assert site.thing("vm", "vm1")["status"] == "down"
    mend()
    assert site.ok("chhypervisor --reinstall --rolling --stop-pinned", NODES)[-1] == "vm1: started again"
    site.ok("rpower off", ["vm1"])  # by its owner
    lines = site.ok("chhypervisor --reinstall --rolling --stop-pinned", NODES)
    assert not [line for line in lines if line.startswith("vm1: ")]


@only((4, 5))
def test_a_guest_that_does_not_shut_down_ends_the_turns(site, monkeypatch):
    pin(site, "vm1", "rhevh2")
    monkeypatch.setitem(site.world.paths, "vm.shutdown", (("up", 0),))
    wrong = site.wrong("chhypervisor --reinstall --rolling --stop-pinned", NODES)
    assert wrong[0].startswith("vm1: VM vm1 is still up after 600 s") and "Run: rpower vm1 off" in wrong[0]
    assert site.thing("host", "rhevh3")["status"] == "up"


@only((4, 5))
@pytest.mark.parametrize("line", ["-d --stop-pinned", "--upgrade --stop-pinned"])
def test_stopping_pinned_machines_belongs_to_turns(site, line):
    (wrong,) = site.wrong(f"chhypervisor {line}", NODES)
    assert wrong == "--stop-pinned can only be used with --rolling, --renew and --reboot"


def serve(site):
    """Let the cluster's hosts serve a Gluster volume."""
    site.world.change(cluster(site), gluster_service=True)
    volume = site.world.add("gluster_volume", name="data", cluster=cluster(site)["id"], status="up")
    for name in NODES:
        server = site.thing("host", name)["id"]
        more = {"server_id": server, "brick_dir": "/b", "status": "up"}
        site.world.add("gluster_brick", name=f"{name}:/b", gluster_volume=volume["id"], **more)


@pytest.fixture
def bricks(site, monkeypatch):
    """How many bricks were missing at the same time at most, and how many not healed when one went."""
    serve(site)
    seen = {"down": 0, "unhealed": 0}
    change = site.world.change

    def watched(thing, **values):
        if thing["kind"] == "gluster_brick" and values.get("status") == "down":
            others = [each for each in site.world.all("gluster_brick") if each is not thing]
            seen["unhealed"] += any(each.get("heals_until", 0.0) > site.world.now() for each in others)
        change(thing, **values)
        seen["down"] = max(seen["down"], sum(each["status"] == "down" for each in site.world.all("gluster_brick")))

    monkeypatch.setattr(site.world, "change", watched)
    return seen


@only((4, 5))
@pytest.mark.parametrize("line", ["--reinstall --rolling", "--upgrade --rolling"])
def test_gluster_is_healed_before_the_next_host_goes(site, bricks, line):
    site.front.counts.clear()
    site.ok(f"chhypervisor {line}", NODES)
    assert bricks == {"down": 1, "unhealed": 0}
    calls = site.front.counts.report()["requests"]
    assert calls["POST /hosts/{id}/deactivate"] > 3  # some were refused while volumes healed
    assert [site.thing("host", name)["status"] for name in NODES] == ["up"] * 3


@only((4, 5))
def test_a_volume_that_does_not_heal_ends_the_turns(site, bricks):
    for brick in site.world.all("gluster_brick"):
        site.world.change(brick, heals_until=site.world.now() + 1e9)
    (wrong, *_) = site.wrong("chhypervisor --reinstall --rolling", NODES)
    assert wrong.startswith("rhevh2: Gluster is not healed: ") and "Unsynced entries present" in wrong
    assert bricks["down"] == 0 and site.thing("host", "rhevh2")["status"] == "up"


@only((3, 6), (4, 5))
def test_bricks_of_other_hosts_are_waited_for(site, bricks):
    brick = next(each for each in site.world.all("gluster_brick") if each["name"] == "rhevh3:/b")
    site.world.change(brick, status="down")
    (wrong, *_) = site.wrong("chhypervisor --reinstall --rolling", NODES)
    assert wrong.startswith("rhevh2: brick rhevh3:/b is still down after 3600 s, wanted up")
    assert site.thing("host", "rhevh2")["status"] == "up"
