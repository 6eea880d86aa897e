"""Requests that the commands about hosts and virtual environments cost, exactly; those of a new session not counted."""

from __future__ import annotations

import shutil

import pytest

from vesim import VERSIONS, Site, version_name
from xcat_rhev.sim.register import register

TEN = [f"new{n}" for n in range(1, 11)]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(params=VERSIONS, ids=version_name)
def version(request):
    return request.param


@pytest.fixture
def site(certificates, version):
    """Three hosts in use, ten that wait to be approved, and rows for two storage domains."""
    shutil.rmtree(certificates / "rhevm", ignore_errors=True)
    site = Site(certificates, version, hosts=3, vms=2)
    for number, node in enumerate(TEN, 1):
        register(site.world, node, f"10.8.0.{number}", f"u{number}_x")
        site.row("hypervisor", node, type="rhevh", mgr=site.manager, interface="nw1:eth1:none")
        site.row("nodehm", node, mgt="ipmi")
        site.row("ipmi", node, bmc=f"bmc{number}", username="u", password="p")
    for number in (1, 2):
        site.row("virtsd", f"sd{number}", stype="nfs", location=f"nfs1:/s{number}", host="rhevh1")
    yield site
    site.close()


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
    assert total(site, "cfgve -t cl -m MGR -o c1,c2 -r") == 1 + 3 * 2


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


def test_power_management_of_ten_hosts(site, version):
    site.ok("chhypervisor -a", TEN)
    assert total(site, "chhypervisor -p", TEN) == 1 + 10 * (4 if version >= (4, 0) else 2)


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
