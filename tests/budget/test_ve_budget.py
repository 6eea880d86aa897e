"""Requests that the commands about hosts and virtual environments cost, exactly; those of a new session not counted."""

from __future__ import annotations

import pytest

from vesim import VERSIONS, each_version
from xcat_rhev.sim.register import register

TEN = [f"new{n}" for n in range(1, 11)]


used = each_version(hosts=3, vms=2)
#: A manager that can take over what is on storage, with three hosts and two templates of a data domain.
newer = each_version(VERSIONS[1:], hosts=3, vms=2)


@pytest.fixture
def version(used):
    return used.version


@pytest.fixture
def site(used):
    """Three hosts in use, ten that wait to be approved, and rows for two storage domains."""
    site = used
    for number, node in enumerate(TEN, 1):
        register(site.world, node, f"10.8.0.{number}", f"u{number}_x")
        site.row("hypervisor", node, type="rhevh", mgr=site.manager, interface="nw1:eth1:none")
        site.row("nodehm", node, mgt="ipmi")
        site.row("ipmi", node, bmc=f"bmc{number}", username="u", password="p")
    for number in (1, 2):
        site.row("virtsd", f"sd{number}", stype="nfs", location=f"nfs1:/s{number}", host="rhevh1")
    return site


def total(site, line, nodes=()):
    """How many requests a command cost that must succeed."""
    return sum(site.cost(line, list(nodes)).values())


def writes(site, line, nodes=()):
    """How many of them changed something."""
    return sum(count for call, count in site.cost(line, list(nodes)).items() if not call.startswith("GET "))


def test_data_centers_cost_one_search_and_one_call_each(site):
    assert total(site, "cfgve -t dc -m MGR -o a,b -c -k nfs") == 1 + 2
    assert total(site, "cfgve -t dc -m MGR -o a,b -c -k nfs") == 1
    assert total(site, "cfgve -t dc -m MGR -o a,b -r") == 2 + 2 * 2


def test_clusters_cost_three_lists_and_one_call_each(site):
    assert total(site, "cfgve -t cl -m MGR -o c1,c2 -c -d Default") == 3 + 2
    assert total(site, "cfgve -t cl -m MGR -o c1,c2 -c -d Default") == 2
    assert total(site, "cfgve -t cl -m MGR -o c1,c2 -r") == 3 + 2


def test_networks_cost_a_few_lists_and_one_call_each(site):
    assert total(site, "cfgve -t nw -m MGR -o nw1,nw2 -c") == 2 + 2
    assert total(site, "cfgve -t nw -m MGR -o nw1,nw2 -a") == 3 + 2
    assert total(site, "cfgve -t nw -m MGR -o nw1,nw2 -a") == 3
    assert total(site, "cfgve -t nw -m MGR -o nw1,nw2 -b") == 3 + 2
    assert total(site, "cfgve -t nw -m MGR -o nw1,nw2 -r") == 1 + 2


def test_storage_domains_cost_two_or_three_writes_each(site, version):
    assert writes(site, "cfgve -t sd -m MGR -o sd1,sd2 -c") == 2 * (3 if version < (3, 1) else 2)
    assert total(site, "cfgve -t sd -m MGR -o sd1,sd2 -c") == 4
    assert writes(site, "cfgve -t sd -m MGR -o sd1 -s") == 1
    assert writes(site, "cfgve -t sd -m MGR -o sd2 -r -f") == 3


def test_approving_ten_hosts(site):
    cost = site.cost("chhypervisor -a", TEN)
    assert cost.pop("POST /hosts/{id}/approve") == 10
    assert cost.pop("GET /clusters") == 1
    assert cost.pop("GET /hosts") <= 5  # one to find them, then one look at all of them per tick
    assert not cost
    assert total(site, "chhypervisor -a", TEN) == 2


def test_looking_at_the_networks_of_ten_hosts(site, version):
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    site.ok("cfgve -t nw -m MGR -o nw1 -a")
    site.ok("chhypervisor -a", TEN)
    site.ok("chhypervisor -n", TEN)
    # Only 4.2 and later give the NICs with the hosts, and only 3.6 and later have attachments.
    each = {(3, 0): 1, (3, 6): 2, (4, 5): 1}[version]
    assert total(site, "chhypervisor -n", TEN) == 4 + each * 10
    for node in TEN:
        site.row("hypervisor", node, interface="")
    site.front.counts.clear()
    assert len(site.wrong("chhypervisor -n", TEN)) == len(TEN)
    assert site.front.counts.report()["requests"] == {}  # a row that says nothing is refused before a manager is asked


def test_power_management_of_ten_hosts(site, version):
    site.ok("chhypervisor -a", TEN)
    assert total(site, "chhypervisor -p", TEN) == 1 + 10 * (4 if version >= (3, 6) else 2)


def test_ten_hosts_to_maintenance_and_away(site):
    site.ok("chhypervisor -a", TEN)
    cost = site.cost("chhypervisor -d", TEN)
    assert cost.pop("POST /hosts/{id}/deactivate") == 10
    assert cost.pop("GET /hosts") <= 4
    assert not cost  # they say that no machine is on them, so nobody is asked
    assert total(site, "rmhypervisor", TEN) == 1 + 10 + 1


def test_showing_costs_one_list_a_kind(site):
    assert total(site, "lsve -t dc -m MGR -o Default") == 5
    for kind in ("dc", "cl", "nw", "tpl"):
        assert total(site, f"lsve -t {kind} -m MGR") == 1


def test_the_states_of_storage_domains_cost_one_list_per_data_center_that_holds_one(site, version):
    site.ok("cfgve -t sd -m MGR -o sd1,sd2 -c")
    site.ok("cfgve -t dc -m MGR -o empty1,empty2 -c -k nfs")
    # Only 3.6 and later say where a domain is; before that all data centers are listed and looked into.
    more = 1 if version >= (3, 6) else 1 + 3
    assert total(site, "lsve -t sd -m MGR") == 1 + more
    assert total(site, "lsve -t sd -m MGR -o sd1") == 1 + more


def test_a_dry_run_changes_nothing(site):
    assert writes(site, "chhypervisor -a --dry-run", TEN) == 0
    assert writes(site, "cfgve -t sd -m MGR -o sd1,sd2 -c --dry-run") == 0


def test_taking_over_a_block_domain(newer):
    newer.row("virtsd", "sd1", stype="fcp", location="3600a098000000001", host="rhevh1")
    cost = newer.cost("cfgve -t sd -m MGR -o sd1 -c")
    assert cost.pop("GET /hosts/{id}/storage") == 1
    assert sum(count for call, count in cost.items() if not call.startswith("GET ")) == 2  # made and attached
    for verb in "sbr":
        newer.ok(f"cfgve -t sd -m MGR -o sd1 -{verb}")
    cost = newer.cost("cfgve -t sd -m MGR -o sd1 -i")
    assert cost.pop("POST /hosts/{id}/unregisteredstoragedomainsdiscover") == 1
    assert cost.pop("GET /hosts/{id}/storage") == 1
    assert sum(count for call, count in cost.items() if not call.startswith("GET ")) == 2


def test_templates_are_registered_with_three_lists_and_one_call_each(newer):
    for n in (1, 2):
        newer.row("vm", f"vm{n}", mgr=newer.manager)
        newer.ok(f"clonevm -t tpl{n}", [f"vm{n}"])
    newer.row("virtsd", "sd1", stype="nfs", location="nfs1:/sd1", host="rhevh1")
    newer.ok("cfgve -t sd -m MGR -o sd1 -c")
    data = newer.thing("storage_domain", "data1")
    newer.row("virtsd", "data1", stype="nfs", location=f"{data['address']}:{data['path']}", host="rhevh1")
    for verb in "sbri":
        newer.ok(f"cfgve -t sd -m MGR -o data1 -{verb}")
    cost = newer.cost("cfgve -t tpl -m MGR -o tpl1,tpl2 -i --from-domain data1")
    assert cost.pop("POST /storagedomains/{id}/templates/{id}/register") == 2
    assert cost.pop("GET /storagedomains/{id}/templates") == 1
    assert cost.pop("GET /templates") == 2  # what is there, and one look at both
    assert sum(cost.values()) == 2  # the domain and the cluster


def test_upgrading_three_hosts(newer):
    nodes = ["rhevh1", "rhevh2", "rhevh3"]
    for node in nodes:
        newer.row("hypervisor", node, type="rhevh", mgr=newer.manager)
        newer.world.change(newer.thing("host", node), type="rhel")
    cost = newer.cost("chhypervisor --upgrade", nodes)
    looks = cost.pop("POST /hosts/{id}/upgradecheck", 0)
    assert looks == (3 if newer.settings.api == "4" else 0)
    assert cost.pop("POST /hosts/{id}/upgrade") == 3
    assert cost.pop("GET /events", 0) <= looks * 4  # the newest before, and while the answer is awaited
    assert cost.pop("GET /hosts") <= 12
    assert not cost
    # Afterwards they are looked at again where that can be done, and nothing is changed.
    assert writes(newer, "chhypervisor --upgrade", nodes) == looks


def test_emptying_a_host_asks_once_where_its_machines_can_go(site):
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager)
    for n in (1, 2):
        site.row("vm", f"vm{n}", mgr=site.manager, host="rhevh1")
    site.ok("rpower on", ["vm1", "vm2"])
    cost = site.cost("chhypervisor -d --dry-run", ["rhevh1"])
    groups = {"GET /clusters/{id}/affinitygroups": 1} if site.version >= (4, 1) else {}  # those that bind to hosts
    assert cost == {"GET /hosts": 2, "GET /vms": 1, **groups}


def test_an_export_reads_each_list_once(site):
    pytest.importorskip("yaml")
    lists = {call: count for call, count in site.cost("lsve -m MGR --export").items() if "{" not in call}
    assert {"GET /hosts", "GET /users", "GET /vms"} <= lists.keys() and set(lists.values()) == {1}, lists


def test_a_description_that_holds_and_the_picture_cost_lists_alone(site):
    pytest.importorskip("yaml")
    text = "\n".join(message.text for message in site.say("lsve -m MGR --export"))
    assert "rhevh3" in text and TEN[0] not in text
    site.front.counts.clear()
    site.ok("cfgve -m MGR --from -", stdin=text)
    counted = site.front.counts.report()["requests"]
    assert all(call.startswith("GET ") for call in counted)
    nics = counted.pop("GET /hosts/{id}/nics", 0)
    assert nics in (0, 3)  # before 4.2 each host is asked for its own
    # However much there is: at most two lists a kind, one per data center, one per cluster.
    assert counted.pop("GET /hosts") == 2
    assert max(counted.values()) <= 2 and sum(counted.values()) <= 13
    assert sum(site.cost("lsve -m MGR --graph - --dry-run").values()) == 0
