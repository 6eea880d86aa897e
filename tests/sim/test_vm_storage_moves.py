"""Disks at work: rmigrate -s, cfgve -t disk --move, --sparsify, --reduce; beside the official SDK."""

from __future__ import annotations

import json

import pytest

from vesim import each_version, only, starting, version_name

site = each_version(((3, 3), (3, 6), (4, 5)), hosts=2, vms=3)


def prepared(site):
    for name in ("vm1", "vm2", "vm3"):
        site.row("vm", name, mgr=site.manager, storage="data1:10g:system")
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager)
    site.row("virtsd", "data2", sdtype="data", stype="nfs", location="nas.example.com:/data2", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o data2 -c")


@pytest.fixture(autouse=True)
def second_domain(request):
    if "site" in request.fixturenames:
        prepared(request.getfixturevalue("site"))


def domain_of(site, vm):
    (disk,) = site.world.of("disk", "vm", site.thing("vm", vm)["id"])
    return site.world.the("storage_domain", disk["storage_domain"])["name"]


def test_the_disks_of_machines_move_whether_they_run_or_not_and_the_row_says_where(site):
    site.ok("rpower on", ["vm1"])
    lines = site.ok("rmigrate -s data2", ["vm1", "vm2"])
    assert sorted(lines) == [f"{vm}: disk {vm}_Disk1 moved to data2." for vm in ("vm1", "vm2")]
    assert [domain_of(site, vm) for vm in ("vm1", "vm2", "vm3")] == ["data2", "data2", "data1"]
    assert site.host.node_attrs("vm", ["vm1"], ["storage"])["vm1"]["storage"] == "data2:10g:system"
    assert site.thing("vm", "vm1")["status"] == "up"
    idle = site.ok("rmigrate -s data2", ["vm1"])
    assert idle == ["vm1: its disks are on data2 already. There is nothing to do"]
    assert site.ok("chvm", ["vm2"]) == ["vm2: nothing to do"]


def test_a_dry_run_says_what_moves_from_where_and_moves_nothing(site):
    lines = site.ok("rmigrate -s data2 --dry-run", ["vm1"])
    assert lines[0] == "vm1: move disk vm1_Disk1 (10 GiB) from data1 to data2"
    assert domain_of(site, "vm1") == "data1"


def test_a_move_that_fails_is_told_in_the_managers_words_and_the_row_stays(site):
    said = "User admin@internal has failed to move disk vm1_Disk1 to domain data2."
    site.world.verdict = lambda operation, _: said if operation == "disk.move" else ""
    assert site.wrong("rmigrate -s data2", ["vm1"]) == [f"vm1: {said}"]
    assert site.host.node_attrs("vm", ["vm1"], ["storage"])["vm1"]["storage"] == "data1:10g:system"


def test_what_cannot_be_is_said_before_anything_moves(site):
    assert "no storage domain data9" in site.wrong("rmigrate -s data9", ["vm1"])[0]
    assert "not to 'rhevh1' as well" in site.wrong("rmigrate rhevh1 -s data2", ["vm1"])[0]
    site.row("vm", "vm9", mgr=site.manager)
    assert site.wrong("rmigrate -s data2", ["vm9"])[0].startswith("vm9: ")


@only((3, 6), (4, 5))
def test_one_disk_is_moved_by_itself(site):
    assert site.ok("cfgve -t disk -m MGR -o vm1_Disk1 --move data2") == ["vm1_Disk1: succeeded."]
    assert domain_of(site, "vm1") == "data2"
    assert site.ok("cfgve -t disk -m MGR -o vm1_Disk1 --move data2") == ["vm1_Disk1: nothing to do"]
    assert site.wrong("cfgve -t disk -m MGR -o nix --move data2") == ["nix: there is no such disk. Run: lsve -t disk"]


@only((4, 5))
def test_room_is_given_back_and_volumes_get_smaller(site):
    (disk,) = site.world.of("disk", "vm", site.thing("vm", "vm1")["id"])
    site.world.change(disk, actual_size=8 << 30, sparse=True, format="cow")
    assert "not supported for QCOW2 disk vm1_Disk1" in site.wrong("cfgve -t disk -m MGR -o vm1_Disk1 --sparsify")[0]
    site.world.change(disk, format="raw")
    assert site.ok("cfgve -t disk -m MGR -o vm1_Disk1 --sparsify") == ["vm1_Disk1: succeeded."]
    assert disk["actual_size"] == 4 << 30
    (wrong,) = site.wrong("cfgve -t disk -m MGR -o vm1_Disk1 --reduce")
    assert "Reduce image isn't required for file based domains" in wrong
    site.world.change(site.world.the("storage_domain", disk["storage_domain"]), storage_type="fcp")
    assert site.ok("cfgve -t disk -m MGR -o vm1_Disk1 --reduce") == ["vm1_Disk1: succeeded."]
    site.ok("rpower on", ["vm1"])
    assert "At least one of the VMs is not down" in site.wrong("cfgve -t disk -m MGR -o vm1_Disk1 --sparsify")[0]


@only((3, 6), (4, 5))
def test_disks_that_belong_to_nobody_are_found(site):
    site.ok("rmvm", ["vm3"])
    lines = site.ok("lsve -t disk -m MGR --unused")
    assert [line for line in lines if line.startswith("disks: ")] == ["disks: [vm3_Disk1]"]
    (disk,) = (each for each in site.world.all("disk") if each["name"] == "vm3_Disk1")
    site.world.change(disk, content_type="ovf_store")
    assert site.version < (4, 0) or site.ok("lsve -t disk -m MGR --unused") == []
    assert site.wrong("lsve -t nw -m MGR --unused") == ["--unused can only be used with -t disk"]


@pytest.mark.parametrize(
    ("version", "line", "said"),
    [
        ((3, 1), "rmigrate -s data2", "moves of machines' disks came with 3.2"),
        ((3, 3), "cfgve -t disk -m MGR -o d --move data2", "moves of disks by themselves came with 3.4"),
        ((4, 0), "cfgve -t disk -m MGR -o d --sparsify", "sparsifying came with 4.1"),
        ((4, 1), "cfgve -t disk -m MGR -o d --reduce", "reducing disks came with 4.2"),
    ],
    ids=str,
)
def test_managers_that_cannot_say_so(tmp_path_factory, version, line, said):
    with starting(tmp_path_factory) as start:
        site = start(version, hosts=1, vms=3)
        prepared(site)
        (wrong,) = site.wrong(line, ["vm1"] if line.startswith("rmigrate") else [])
        assert said in wrong and version_name(version)[1:] in wrong


@only((4, 5))
def test_the_official_sdk_moves_the_same(site):
    from sdkhelp import connected, document, types

    site.ok("rmigrate -s data2", ["vm1"])
    ids = {name: site.world.of("disk", "vm", site.thing("vm", name)["id"])[0]["id"] for name in ("vm1", "vm2")}
    with connected(site) as system:
        disks = system.disks_service()
        disks.disk_service(ids["vm2"]).move(storage_domain=types.StorageDomain(name="data2"))
        site.clock.sleep(5)
        ours, theirs = (disks.disk_service(ids[name]).get() for name in ("vm1", "vm2"))
    assert ours.storage_domains[0].id == theirs.storage_domains[0].id
    assert document(ours, "_alias", "_image_id", "_vms") == document(theirs, "_alias", "_image_id", "_vms")
    assert {event["code"] for event in site.world.all("event")} >= {2008, 2010}


@only((3, 6), (4, 5))
def test_the_work_on_disks_costs_a_list_a_request_and_looks_and_a_dry_run_lists_alone(site):
    site.front.counts.clear()
    (said,) = site.ok("cfgve -t disk -m MGR -o vm1_Disk1 --move data2 --dry-run")[:1]
    assert said.startswith("vm1_Disk1: move") and not site.changes()
    cost = site.cost("cfgve -t disk -m MGR -o vm1_Disk1 --move data2")
    assert {call: count for call, count in cost.items() if not call.startswith("GET ")} == {"POST /disks/{id}/move": 1}
    moves = site.cost("rmigrate -s data2", ["vm2", "vm3"])
    assert {call: count for call, count in moves.items() if not call.startswith("GET ")} == {"POST /disks/{id}/move": 2}
    unused = site.cost("lsve -t disk -m MGR --unused")
    assert all(call.startswith("GET ") and count == 1 for call, count in unused.items()) and len(unused) <= 5
    if site.version >= (4, 2):
        (disk,) = site.world.of("disk", "vm", site.thing("vm", "vm1")["id"])
        site.world.change(disk, sparse=True, format="raw")
        for word in ("sparsify", "reduce"):
            assert site.ok(f"cfgve -t disk -m MGR -o vm1_Disk1 --{word} --dry-run")[0].startswith("vm1_Disk1: ")
            assert not site.changes()
        sparsify = site.cost("cfgve -t disk -m MGR -o vm1_Disk1 --sparsify")
        assert sparsify["POST /disks/{id}/sparsify"] == 1


@only((3, 6), (4, 5))
def test_programs_read_disks_that_belong_to_nobody_as_objects(site):
    site.ok("rmvm", ["vm3"])
    (line,) = site.ok("lsve -t disk -m MGR --unused --json")
    assert json.loads(line)["name"] == "vm3_Disk1"
