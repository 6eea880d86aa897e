"""Disks that are not like those that we make: LUNs, shared ones, several of one name, illegal ones, and kept ones."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import MODERN, each_version
from xcat_rhev.sim.resources.sharing import share

GIB, MIB = 1 << 30, 1 << 20
NOTHING = ["vm1: nothing to do"]

site = each_version()
modern = each_version(MODERN)


def disk(site, node, name, size, **values):
    """Give a machine a disk past all commands; without a size a LUN."""
    usual = {
        "actual_size": 0,
        "status": "ok",
        "format": "cow",
        "sparse": True,
        "storage_domain": site.thing("storage_domain", "data1")["id"],
    }
    if size is None:
        usual = {**dict.fromkeys(usual), "luns": [{"id": "360a98000", "size": 100 * GIB}]}
    usual.update(interface="virtio", bootable=False, active=True, shareable=False, wipe_after_delete=False)
    vm = site.vm(node)["id"] if node else None
    return site.world.add("disk", **{**usual, **values}, name=name, size=size, vm=vm)


def sizes(site, node="vm1"):
    return {one["name"]: one["size"] for one in site.parts("disk", node)}


def rescanned(site):
    site.hypervisor("rhevh1")
    site.ok("rscan -w", ["rhevh1"])
    return site.row_of("vm1")


def test_disks_are_known_by_name_wherever_they_stand(modern):
    modern.made("vm1", storage="none")
    for name, size in (("vm1_Disk2", 50 * MIB), ("vm1_Disk3", 30 * MIB), ("deb10_Disk1", 11 * GIB)):
        disk(modern, "vm1", name, size)
    before = sizes(modern)
    row = rescanned(modern)
    assert row["storage"] == "data1:11g:data=deb10_Disk1|data1:50m:data=vm1_Disk2|data1:30m:data=vm1_Disk3"
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    modern.node("vm1", storage="data1:50m:data|data1:11g:data|data1:30m:data")
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    assert sizes(modern) == before


def test_two_disks_of_one_name_are_told_apart_by_id(modern):
    modern.made("vm1", storage="none")
    small, large = disk(modern, "vm1", "data", 3 * GIB), disk(modern, "vm1", "data", 100 * GIB)
    (error,) = modern.wrong("chvm -p data", ["vm1"])
    assert all(word in error for word in (small["id"], large["id"], "3 GiB on data1", "100 GiB on data1"))
    row = rescanned(modern)
    assert small["id"] in row["storage"] and large["id"] in row["storage"]
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    modern.node("vm1", storage="data1:3g:data=data")
    assert "2 disks have this name" in modern.wrong("chvm", ["vm1"])[0]
    assert "2 disks have this name" in modern.wrong("mkvm", ["vm1"])[0]
    modern.node("vm1", storage=row["storage"])
    modern.ok(f"chvm -p {small['id']}", ["vm1"])
    assert sizes(modern) == {"data": 100 * GIB}


def test_an_id_that_the_machine_does_not_have_makes_nothing(modern):
    modern.made("vm1", storage="none")
    modern.node("vm1", storage="data1:3g:data=52b4ab2c-5e96-46f9-b764-7cad2b7c30aa")
    assert "it has no disk 52b4ab2c" in modern.wrong("chvm", ["vm1"])[0]
    assert sizes(modern) == {}


def test_a_lun_is_shown_and_never_waited_for(modern):
    modern.made("vm1")
    made = disk(modern, "vm1", "raw", None)
    shown = {message.desc: message.text for message in modern.say("rinv disk", ["vm1"])}
    assert shown["Disk raw"] == "LUN of 100 GiB, virtio"
    assert f"data={made['id']}" in rescanned(modern)["storage"]
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    before = modern.clock.now()
    assert modern.ok("chvm --mem 1g", ["vm1"]) == ["vm1: change vm completed."]
    assert modern.clock.now() - before < 60
    assert "is a LUN" in modern.wrong("chvm --resize raw=200", ["vm1"])[0]


def test_a_shared_disk_is_attached_by_its_row_and_outlives_its_machines(modern):
    modern.made("vm1", "vm2", storage="none")
    shared = disk(modern, "vm1", "quorum", GIB, shareable=True)
    modern.node("vm2", storage=f"data={shared['id']}")
    assert modern.ok("chvm", ["vm2"]) == ["vm2: change vm completed."]
    assert modern.ok("chvm", ["vm2"]) == ["vm2: nothing to do"]
    assert modern.ok("mkvm", ["vm2"])[0].endswith("There is nothing to do")
    modern.ok("rmvm -p", ["vm1", "vm2"])
    assert modern.count("disk", "quorum") == 1


@pytest.mark.parametrize("words", ["data=nosuch", "data=52b4ab2c-5e96-46f9-b764-7cad2b7c30aa"])
def test_a_disk_to_attach_that_is_not_there_is_said_before_anything_is_made(modern, words):
    modern.node("vm1", storage=words)
    (error,) = modern.wrong("mkvm", ["vm1"])
    assert "has no disk" in error and "lsve -t disk" in error
    assert modern.count("vm", "vm1") == 0


def test_kept_disks_are_listed_attached_and_removed(modern):
    modern.made("vm1", storage="data1:1g|data1:2g")
    modern.made("vm2", storage="data1:1g")
    modern.ok("rmvm", ["vm1"])
    listed = "\n".join(modern.ok("lsve -t disk -m MGR"))
    assert "disks: [vm1_Disk1]" in listed and "vms: vm2" in listed
    assert modern.ok("chvm --attach vm1_Disk2", ["vm2"]) == ["vm2: change vm completed."]
    assert modern.row_of("vm2")["storage"] == "data1:1g|data1:2g:data=vm1_Disk2"
    assert modern.ok("chvm --attach vm1_Disk2", ["vm2"]) == ["vm2: nothing to do"]
    assert modern.ok("chvm", ["vm2"]) == ["vm2: nothing to do"]
    assert "Run: chvm vm2 -p vm1_Disk2" in modern.wrong("cfgve -t disk -m MGR -o vm1_Disk2 -r")[0]
    assert modern.ok("cfgve -t disk -m MGR -o vm1_Disk1 -r") == ["vm1_Disk1: succeeded."]
    assert modern.count("disk", "vm1_Disk1") == 0
    assert modern.ok("cfgve -t disk -m MGR -o vm1_Disk1 -r")[0].endswith("nothing to do")


def test_a_kept_disk_is_named_by_id_where_its_name_is_not_its_own(modern):
    one, two = disk(modern, None, "data", GIB), disk(modern, None, "data", 2 * GIB)
    modern.made("vm1", storage="none")
    for line in ("cfgve -t disk -m MGR -o data -r", "chvm --attach data"):
        (error,) = modern.wrong(line, ["vm1"])
        assert one["id"] in error and two["id"] in error
    modern.ok(f"chvm --attach {two['id']}", ["vm1"])
    assert sizes(modern) == {"data": 2 * GIB}
    modern.ok(f"cfgve -t disk -m MGR -o {one['id']} -r")


@only((3, 0))
def test_before_3_1_no_disk_is_by_itself_and_that_is_said(site):
    site.made("vm1")
    assert "RHEV 3.0" in site.wrong("lsve -t disk -m MGR")[0]
    assert "RHEV 3.0" in site.wrong("chvm --attach data", ["vm1"])[0]
    assert "rmvm vm1 -p" in site.wrong("rmvm --dry-run", ["vm1"])[0]


def test_a_machine_with_an_illegal_image_can_be_removed(site):
    site.made("vm1")
    site.world.change(site.vm("vm1"), status="image_illegal")
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]
    assert site.count("vm", "vm1") == 0


def test_the_hint_for_a_protected_machine_leads_out(modern):
    modern.made("vm1", othersettings="ha:yes;delete_protected:yes")
    (error,) = modern.wrong("rmvm -p", ["vm1"])
    text = error.partition("vm.othersettings=")[2].partition("'")[0]
    assert text == "ha:yes;delete_protected:no" and "then chvm vm1" in error
    modern.node("vm1", othersettings=text)
    modern.ok("chvm", ["vm1"])
    assert modern.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]


def test_a_disk_of_another_machine_is_shared_by_nobodys_command(modern):
    modern.made("vm1", "vm2", storage="none")
    shared = disk(modern, "vm1", "quorum", GIB, shareable=True)
    share(modern.world, shared, modern.vm("vm2"), {"bootable": False})
    row = rescanned(modern)
    assert row["storage"] == f"data={shared['id']}" == modern.row_of("vm2")["storage"]
    assert modern.ok("chvm", ["vm1", "vm2"]) == ["vm1: nothing to do", "vm2: nothing to do"]


# disks that a template brings ----------------------------------------------------------------------------------------


def second_domain(site):
    usual = {
        key: value
        for key, value in site.thing("storage_domain", "data1").items()
        if key not in ("kind", "id", "v", "turn", "name", "master")
    }
    return site.world.add("storage_domain", **usual, name="data2", master=False)


def template(site, **columns):
    site.made("vm1", **columns)
    site.ok("clonevm -t web", ["vm1"])


def test_a_template_s_disks_of_other_sizes_grow_and_none_is_added(modern):
    template(modern, storage="data1:1g|data1:2g")
    modern.node("vm2", master="web", storage="data1:4g|data1:5g")
    modern.ok("mkvm", ["vm2"])
    assert sorted(one["size"] for one in modern.parts("disk", "vm2")) == [4 * GIB, 5 * GIB]


def test_the_disks_of_a_template_are_called_by_number_when_others_were_added(modern):
    template(modern, storage="data1:1g:system|data1:2g:data")
    modern.node("vm2", master="web", storage="data1:1g:system|data1:2g:data")
    modern.ok("mkvm", ["vm2"])
    assert modern.ok("chvm -a 1,2", ["vm2"]) == ["vm2: change vm completed."]
    assert sizes(modern, "vm2") == {
        "vm1_Disk1": 1 * GIB, "vm1_Disk2": 2 * GIB, "vm2_Disk3": 1 * GIB, "vm2_Disk4": 2 * GIB
    }  # fmt: skip
    assert modern.ok("chvm", ["vm2"]) == ["vm2: nothing to do"]
    modern.ok("chvm --resize 1=3g,3=5g", ["vm2"])
    modern.ok("chvm -p 2", ["vm2"])
    assert sizes(modern, "vm2") == {"vm1_Disk1": 3 * GIB, "vm2_Disk3": 5 * GIB, "vm2_Disk4": 2 * GIB}
    assert modern.ok("chvm", ["vm2"]) == ["vm2: nothing to do"]


def test_a_machine_that_hangs_on_its_template_has_its_disks_there(modern):
    second_domain(modern)
    template(modern, storage="data1:1g")
    modern.node("vm2", master="web", storage="data2:1g")
    (error,) = modern.wrong("mkvm", ["vm2"])
    assert "on data1, not on data2" in error and "clonevm vm2 -b web -d" in error
    assert modern.count("vm", "vm2") == 0


def test_an_independent_machine_has_its_disks_where_and_as_its_row_says(modern):
    there = second_domain(modern)
    template(modern, storage="data1:1g")
    modern.node("vm2", storage="data2:1g", storagemodel="virtio:raw", storageformat="fullraw")
    modern.ok("clonevm -b web -d", ["vm2"])
    (one,) = modern.parts("disk", "vm2")
    assert (one["storage_domain"], one["format"], one["sparse"]) == (there["id"], "raw", False)


def test_a_template_s_nic_and_type_are_what_the_row_says_or_stay(modern):
    modern.made("vm1", othersettings="type:desktop", nics=f"{modern.network}:eth0", nicmodel="virtio")
    modern.ok("clonevm -t web", ["vm1"])
    modern.node("vm2", master="web", nics="-:eth0:yes:e1000")
    modern.ok("mkvm", ["vm2"])
    (nic,) = modern.parts("nic", "vm2")
    assert (nic["interface"], nic["network"], modern.vm("vm2")["type"]) == ("e1000", None, "desktop")
