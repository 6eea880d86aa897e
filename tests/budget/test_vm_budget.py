"""What the commands for virtual machines cost: requests, counted by the simulator and asserted exactly.

Looks while waiting are `GET /vms` beyond those for finding the machines; they depend on time alone, not on how many
machines there are, and are left out of the sums.
"""

from __future__ import annotations

from math import ceil

import pytest

from vesim import version_name
from vmsite import VmSite, each_version

BATCH = 100


site = each_version()


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


def networks(site):
    """The lists that tell the networks of NICs by name."""
    return {"GET /networks": 1} if site.version < (4, 0) else {"GET /networks": 1, "GET /vnicprofiles": 1}


def connections(site):
    """The lists that tell networks and vNIC profiles of NICs by name; 3.3 brought profiles."""
    return networks(site) if site.version < (3, 3) else {**networks(site), "GET /vnicprofiles": 1}


def without_looks(cost, finding=1):
    """All requests, those that only looked whether something was ready left out."""
    return total(cost) - cost["GET /vms"] - cost.get("GET /disks", 0) + finding


@pytest.mark.parametrize(
    ("version", "count", "searches"),
    [
        ((3, 0), 99, 1),
        ((3, 0), 100, 2),
        ((3, 0), 1000, 11),
        ((3, 6), 101, 1),
        ((3, 6), 1000, 8),
        ((4, 5), 1, 1),
        ((4, 5), 101, 1),
        ((4, 5), 250, 2),
        pytest.param((4, 5), 1000, 8, marks=pytest.mark.slow),
    ],
    ids=lambda value: version_name(value) if isinstance(value, tuple) else None,
)
def test_stat_is_one_search_per_batch(tmp_path_factory, version, count, searches):
    """A batch is 99 names where lists are cut at 100 rows, else 125."""
    site = VmSite(tmp_path_factory, version, vms=count)
    try:
        nodes = site.nodes(*names(count))
        assert site.cost("rpower stat", nodes) == {"GET /vms": searches, "GET /events": 1}, "why they are off"
        assert site.cost("rsetboot stat", nodes) == {"GET /vms": searches}
    finally:
        site.close()


def making(site, count, disks, nics):
    """What making machines costs, looks left out: what there is, one list of each kind; what is made, one call each."""
    disk = "POST /vms/{id}/disks" if site.version < (4, 0) else "POST /vms/{id}/diskattachments"
    cost = {
        "GET /clusters": 1,
        "GET /hosts": 1,
        "GET /clusters/{id}/networks": 1,
        "POST /vms": count,
        "POST /vms/{id}/nics": count * nics,
        **networks(site),
    }
    if disks:
        cost.update({"GET /datacenters/{id}/storagedomains": 1, disk: count * disks})
    return cost


@pytest.mark.parametrize(
    ("count", "disks", "nics"),
    [(1, 1, 1), (7, 0, 1), (7, 1, 1), (7, 2, 2), pytest.param(130, 1, 1, marks=pytest.mark.slow)],
)
def test_making_machines(site, count, disks, nics):
    nodes = site.nodes(
        *names(count),
        storage="|".join(["data1:1g"] * disks),
        host="rhevh1",
        nics="|".join(f"{site.network}:eth{number}" for number in range(nics)),
    )
    cost = site.cost("mkvm", nodes)
    del cost["GET /vms"]
    assert cost == making(site, count, disks, nics)
    searches = ceil(count / (125 if site.version > (3, 3) else 99))
    assert total(cost) + searches <= count * (1 + disks + nics) + 2 * ceil(count / BATCH) + 6
    assert site.cost("mkvm", nodes) == {"GET /vms": searches, **networks(site)}


def test_looks_do_not_grow_with_the_machines(tmp_path_factory):
    looks = []
    for count in (1, 30):
        site = VmSite(tmp_path_factory, (4, 5))
        try:
            looks.append(site.cost("mkvm", site.nodes(*names(count), storage="data1:1g"))["GET /vms"])
        finally:
            site.close()
    assert looks[1] <= looks[0] + 6


def test_changing_memory_is_one_request_each(site):
    nodes = site.made(*names(5))
    cost = site.cost("chvm --mem 1g", nodes)
    del cost["GET /vms"]
    assert cost == {"PUT /vms/{id}": 5}


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
    consoles = (3, 4) <= site.version < (4, 4)  # those that are changed are read with all that they have
    assert site.cost("rsetboot hd -p", nodes) == {"GET /vms": 1 + consoles, "PUT /vms/{id}": 5}
    assert site.cost("rsetboot hd -p", nodes) == {"GET /vms": 1}
    assert site.cost("rsetboot net", nodes) == {"GET /vms": 1}


def test_migration(site):
    nodes = site.running(*names(5), host="rhevh1", virtflags="placement_affinity=migratable")
    cost = site.cost("rmigrate rhevh2", nodes)
    assert (cost["POST /vms/{id}/migrate"], cost["GET /hosts"], without_looks(cost)) == (5, 1, 5 + 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "searches"), [((3, 0), 11), ((3, 6), 8), ((4, 5), 8)], ids=("v3.0", "v3.6", "v4.5")
)
def test_listing_a_thousand(tmp_path_factory, version, searches):
    """A search per batch, and one list of each kind whose names are shown."""
    site = VmSite(tmp_path_factory, version, vms=1000, running=50)
    shown = {
        "lsvm": ("hosts", "storagedomains", "events"),
        "lsvm -s": ("hosts", "events"),
        "rinv": ("hosts", "storagedomains", "clusters", "templates"),
    }
    try:
        nodes = site.nodes(*names(1000))
        for line, kinds in shown.items():
            cost = site.cost(line, nodes)
            of_nics = networks(site) if line == "lsvm -s" else connections(site)
            assert cost == {"GET /vms": searches, **of_nics, **{f"GET /{kind}": 1 for kind in kinds}}
            assert total(cost) <= 30
    finally:
        site.close()


def test_listing_hypervisors(site):
    """v4 has the fence agents of each host that is fenced in a list of its own."""
    nodes = [site.hypervisor(f"rhevh{number}") for number in (1, 2, 3)]
    unfenced = site.cost("lsvm", nodes)
    for host in site.world.all("host")[:2]:
        site.world.change(host, pm_enabled=True)
        site.world.add("agent", type="apc", address="10.1.1.1", username="a", options=[], order=1, host=host["id"])
    each = {"GET /hosts/{id}/fenceagents": 2} if site.version >= (4, 0) else {}
    assert site.cost("lsvm", nodes) == {**unfenced, **each}
    assert site.cost("lsvm -s", nodes) == unfenced


@pytest.mark.parametrize("crowd", [300], indirect=True)
def test_scanning_a_manager_costs_the_same_however_much_it_has(crowd):
    cost = crowd.cost("rscan", ["vm1"])
    assert total(cost) <= 7 and cost["GET /hosts"] == 1


def test_clones(site):
    (first,) = site.made("vm1")
    site.ok("clonevm -t web", [first])
    nodes = site.nodes("vm2", "vm3", "vm4")
    cost = site.cost("clonevm -b web", nodes)
    del cost["GET /vms"]
    assert cost == {"POST /vms": 3, "GET /clusters": 1, "GET /templates": 1, **networks(site)}


def check_second_run(site, line, nodes, *lists, searches=1):
    """Type a command again that has done its work: it may look, and changes nothing."""
    cost = site.cost(line, nodes)
    assert cost == {"GET /vms": searches, **dict.fromkeys(lists, 1)}, line
    assert total(cost) <= ceil(len(nodes) / BATCH) + 4


def test_the_second_run_of_what_changes_machines(site):
    nodes = site.made(
        *names(7),
        storage="data1:1g|data1:2g",
        host="rhevh1",
        cluster="Default",
        nics=f"{site.network}:eth0|{site.network}:eth1",
    )
    check_second_run(site, "mkvm", nodes, *networks(site))
    check_second_run(site, "chvm", nodes, "GET /clusters", "GET /hosts", *networks(site))
    grown = ["chvm --resize 1=5g"] * (site.version >= (3, 3))  # disks grow since then
    for line in ("chvm --mem 1g", "chvm --cpus 2", *grown):
        site.ok(line, nodes)
        check_second_run(site, line, nodes, *(networks(site) if "--resize" in line else ()))
    check_second_run(site, "rsetboot net", nodes)
    site.ok("rsetboot hd -p", nodes)
    check_second_run(site, "rsetboot hd -p", nodes)
    site.ok("rmvm -p", nodes)
    check_second_run(site, "rmvm -p", nodes)
    check_second_run(site, "rmvm -f -p", nodes)


def test_the_second_run_of_what_changes_their_power_and_place(site):
    nodes = site.made(*names(7), host="rhevh1", virtflags="placement_affinity=migratable")
    for word in ("on", "suspend", "resume", "softoff", "on", "off", "on"):
        site.ok(f"rpower {word}", nodes)
        site.clock.advance(60)
        check_second_run(site, f"rpower {word}", nodes)
    site.ok("rmigrate rhevh2", nodes)
    check_second_run(site, "rmigrate rhevh2", nodes, "GET /hosts")
    hypervisor = site.hypervisor("rhevh2")
    site.ok("revacuate", [hypervisor])
    check_second_run(site, "revacuate", [hypervisor], "GET /hosts")


def test_the_second_run_of_clones(site):
    first = site.made("vm1")
    site.ok("clonevm -t web", first)
    check_second_run(site, "clonevm -t web", first, "GET /templates")
    nodes = site.nodes(*names(8)[1:])
    site.ok("clonevm -b web", nodes)
    check_second_run(site, "clonevm -b web", nodes, "GET /templates", *networks(site))


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [300], indirect=True)
def test_the_second_run_on_several_batches(crowd):
    nodes = names(300)
    crowd.ok("rpower on", nodes)
    check_second_run(crowd, "rpower on", nodes, searches=3)
    check_second_run(crowd, "rsetboot net", nodes, searches=3)


def test_snapshots(site):
    """4.2 and later put them into the search for the machines; before, each machine's list is asked for."""
    nodes = site.made(*names(7))
    each = {} if site.version >= (4, 2) else {"GET /vms/{id}/snapshots": 7}
    assert site.cost("chvm --rmsnapshot before", nodes) == {"GET /vms": 1, **each}
    cost = site.cost("chvm --snapshot before", nodes)
    assert cost["POST /vms/{id}/snapshots"] == 7
    assert ("GET /vms/{id}/snapshots" in cost) == (site.version < (4, 2))
    assert site.cost("chvm --snapshot before", nodes) == {"GET /vms": 1, **each}
    listed = site.cost("lsvm --snapshots", nodes)
    assert listed == {"GET /vms": 1, "GET /storagedomains": 1, "GET /events": 1, **connections(site), **each}


def test_a_drive_that_is_empty_is_not_emptied(site):
    nodes = site.made(*names(7))
    each = {} if site.version >= (4, 2) else {"GET /vms/{id}/cdroms": 7}
    assert site.cost("chvm --eject", nodes) == {"GET /vms": 1, **each}
