"""What the commands for virtual machines cost: requests, counted by the simulator and asserted exactly.

Looks while waiting are `GET /vms` beyond those for finding the machines; they depend on time alone, not on how many
machines there are, and are left out of the sums.
"""

from __future__ import annotations

from math import ceil

import pytest

from vesim import VERSIONS, version_name
from vmsite import VmSite

BATCH = 100


@pytest.fixture(params=VERSIONS, ids=version_name)
def site(request, tmp_path_factory):
    made = VmSite(tmp_path_factory, request.param)
    yield made
    made.close()


@pytest.fixture
def crowd(request, tmp_path_factory):
    made = VmSite(tmp_path_factory, (4, 5), vms=request.param, running=50)
    for number in range(1, request.param + 1):
        made.node(f"vm{number}")
    yield made
    made.close()


def names(count):
    return [f"vm{number}" for number in range(1, count + 1)]


def total(cost, *kinds):
    """Requests of those kinds; of all without kinds."""
    return sum(count for line, count in cost.items() if not kinds or line in kinds)


def without_looks(cost, finding=1):
    """All requests, those that only looked whether something was ready left out."""
    return total(cost) - cost["GET /vms"] + finding


@pytest.mark.parametrize(("version", "count", "searches"), [
    ((3, 0), 99, 1), ((3, 0), 100, 2), ((3, 6), 101, 1), ((4, 5), 1, 1), ((4, 5), 101, 1), ((4, 5), 250, 2),
])
def test_stat_is_one_search_per_batch(tmp_path_factory, version, count, searches):
    """A batch is 99 names where lists are cut at 100 rows, else 125."""
    site = VmSite(tmp_path_factory, version, vms=count)
    try:
        nodes = site.nodes(*names(count))
        assert site.cost("rpower stat", nodes) == {"GET /vms": searches}
        assert site.cost("rsetboot stat", nodes) == {"GET /vms": searches}
    finally:
        site.close()


@pytest.mark.parametrize(("disks", "nics"), [(0, 1), (1, 1), (2, 2)])
def test_making_machines(site, disks, nics):
    count = 7
    nodes = site.nodes(
        *names(count), storage="|".join(["data1:1g"] * disks), host="rhevh1",
        nics="|".join(f"{site.network}:eth{number}" for number in range(nics)),
    )
    cost = site.cost("mkvm", nodes)
    assert cost["POST /vms"] == count
    assert sum(many for line, many in cost.items() if line.startswith("POST") and "disk" in line) == count * disks
    assert sum(many for line, many in cost.items() if line.startswith("POST") and "nics" in line) == count * nics
    assert without_looks(cost) <= count * (1 + disks + nics) + 2 * ceil(count / BATCH) + 6
    again = site.cost("mkvm", nodes)
    assert total(again) <= ceil(count / BATCH) + 4
    assert not any(line.startswith(("POST", "PUT", "DELETE")) for line in again)


def test_looks_do_not_grow_with_the_machines(tmp_path_factory):
    looks = []
    for count in (1, 30):
        site = VmSite(tmp_path_factory, (4, 5))
        try:
            looks.append(site.cost("mkvm", site.nodes(*names(count), storage="data1:1g"))["GET /vms"])
        finally:
            site.close()
    assert looks[1] <= looks[0] + 6


def test_converging_what_is_right(site):
    nodes = site.made(*names(5), host="rhevh1", cluster="Default", nics=f"{site.network}:eth0")
    again = site.cost("chvm", nodes)
    assert total(again) <= 1 + 4
    assert not any(line.startswith(("POST", "PUT", "DELETE")) for line in again)


def test_changing_memory_is_one_request_each(site):
    nodes = site.made(*names(5))
    cost = site.cost("chvm --mem 1g", nodes)
    assert cost["PUT /vms/{id}"] == 5
    assert without_looks(cost) <= 5 + 3


def test_removing(site):
    nodes = site.made(*names(5))
    cost = site.cost("rmvm -p", nodes)
    assert (cost["DELETE /vms/{id}"], without_looks(cost)) == (5, 5 + 1)


def test_removing_what_runs_is_two_each(site):
    nodes = site.running(*names(5))
    assert without_looks(site.cost("rmvm -fp", nodes)) == 2 * 5 + 1


def test_power(site):
    nodes = site.made(*names(5))
    assert without_looks(site.cost("rpower on", nodes)) == 5 + 1
    site.clock.advance(60)
    assert without_looks(site.cost("rpower boot", nodes)) == 2 * 5 + 1
    assert site.cost("rpower on", nodes) == {"GET /vms": 1}


def test_boot_order(site):
    nodes = site.made(*names(5), bootorder="net")
    assert site.cost("rsetboot hd -p", nodes) == {"GET /vms": 1, "PUT /vms/{id}": 5}
    assert site.cost("rsetboot hd -p", nodes) == {"GET /vms": 1}
    assert site.cost("rsetboot net", nodes) == {"GET /vms": 1}


def test_migration(site):
    nodes = site.running(*names(5), host="rhevh1", virtflags="placement_affinity=migratable")
    cost = site.cost("rmigrate rhevh2", nodes)
    assert (cost["POST /vms/{id}/migrate"], cost["GET /hosts"], without_looks(cost)) == (5, 1, 5 + 2)


@pytest.mark.parametrize("crowd", [1000], indirect=True)
def test_listing_a_thousand(crowd):
    cost = crowd.cost("lsvm", names(1000))
    assert (cost["GET /vms"], total(cost) <= 30) == (8, True)
    assert total(crowd.cost("lsvm -s", names(1000))) <= 30
    assert total(crowd.cost("rinv", names(1000))) <= 30


@pytest.mark.parametrize("crowd", [300], indirect=True)
def test_scanning_a_manager_costs_the_same_however_much_it_has(crowd):
    assert total(crowd.cost("rscan", ["vm1"])) <= 8


@pytest.mark.parametrize("version", [(3, 0), (3, 6)], ids=version_name)
def test_listing_in_v3(tmp_path_factory, version):
    site = VmSite(tmp_path_factory, version, vms=150)
    try:
        cost = site.cost("lsvm", site.nodes(*names(150)))
        assert (cost["GET /vms"], total(cost) <= 2 + 4) == (2, True)
    finally:
        site.close()


def test_clones(site):
    (first,) = site.made("vm1")
    site.ok("clonevm -t web", [first])
    nodes = site.nodes("vm2", "vm3", "vm4")
    cost = site.cost("clonevm -b web", nodes)
    assert cost["POST /vms"] == 3
    assert without_looks(cost) <= 3 + 2 + 6
