"""mkvm: a machine is complete when its disks can be used and its NICs, tags and groups are there.

What cannot be is said before anything is made.
"""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from vmsite import MODERN, each_version
from xcat_rhev.commands.vm.make import Making
from xcat_rhev.engine.nouns import Disk, Vm
from xcat_rhev.errors import Conflict, NotFound
from xcat_rhev.rows.vm import VmRow
from xcat_rhev.rows.vmstorage import DiskRow

THERE = "virtual machine has been created. There is nothing to do"
site = each_version()
modern = each_version(MODERN)
newest = each_version(((4, 5),))


def group(site, name="apart"):
    """An affinity group of the cluster Default."""
    cluster = site.thing("cluster", "Default")["id"]
    return site.world.add(
        "affinity_group", name=name, cluster=cluster, positive=False, enforcing=True, description="", vms=[]
    )


def tags(site, name):
    ties = site.world.of("tagging", "owner", site.vm(name)["id"])
    return sorted(site.world.the("tag", tie["tag"])["name"] for tie in ties)


def made_by_others(site, node):
    """Let the engine's log say that somebody else made the machine."""
    about = [event for event in site.world.all("event") if event.get("vm") == site.vm(node)["id"]]
    assert about
    for event in about:
        site.world.change(event, correlation_id="a2311ead-ede0-4dbf-973b-3cb0e4497401")


def test_a_machine_whose_disks_are_still_being_made_is_waited_for(modern):
    modern.node("vm1", storage="data1:1g|data1:1g")
    modern.ok("mkvm --nowait", ["vm1"])
    assert "locked" in {disk["status"] for disk in modern.world.of("disk", "vm", modern.thing("vm", "vm1")["id"])}
    assert modern.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    assert {disk["status"] for disk in modern.parts("disk", "vm1")} == {"ok"}
    assert modern.ok("mkvm", ["vm1"]) == [f"vm1: {THERE}"]


def test_a_machine_that_was_cut_off_before_its_first_nic_gets_it_and_one_that_shall_have_none_gets_none(modern):
    modern.made("vm1", "vm2", "vm3")
    for node in ("vm1", "vm2", "vm3"):
        for nic in modern.parts("nic", node):
            modern.world.remove(nic)
    modern.host.tables["mac"] = []
    modern.node("vm2", nics="none")
    made_by_others(modern, "vm3")
    assert sorted(modern.ok("mkvm", ["vm1", "vm2", "vm3"])) == ["vm1: Succeeded", f"vm2: {THERE}", f"vm3: {THERE}"]
    (nic,) = modern.parts("nic", "vm1")
    assert (nic["name"], modern.row_of("vm1", "mac")["mac"]) == ("eth0", nic["mac"])
    assert modern.parts("nic", "vm2") == modern.parts("nic", "vm3") == []
    assert modern.ok("mkvm", ["vm1"]) == [f"vm1: {THERE}"]
    assert sorted(modern.ok("chvm", ["vm1", "vm2"])) == ["vm1: nothing to do", "vm2: nothing to do"]


def test_a_machine_whose_making_was_noted_by_an_engine_that_was_killed_meanwhile_gets_its_nic(newest):
    newest.made("vm1")
    for nic in newest.parts("nic", "vm1"):
        newest.world.remove(nic)
    newest.host.tables["mac"] = []
    for event in [each for each in newest.world.all("event") if each["code"] == 34]:
        newest.world.change(event, code=53)
    assert newest.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    assert [nic["name"] for nic in newest.parts("nic", "vm1")] == ["eth0"]


def test_a_disk_that_a_run_left_without_a_machine_is_told(newest):
    newest.made("vm1", "vm2", storage="data1:1g")
    newest.ok("chvm -d vm1_Disk1", ["vm1"])
    newest.ok("chvm -p vm2_Disk1", ["vm2"])
    for node in ("vm1", "vm2"):
        newest.node(node, storage="data1:1g")
    said = [message.text for message in newest.say("mkvm", ["vm1", "vm2"])]
    (warning,) = [text for text in said if "no machine has the disk" in text]
    assert "vm1_Disk1 (" in warning and "lsve -m" in warning and "-t disk --unused" in warning
    assert sorted(newest.ok("mkvm", ["vm1", "vm2"])) == [f"vm1: {THERE}", f"vm2: {THERE}"]


def test_a_machine_that_the_manager_takes_back_may_leave_its_disk():
    one = Making(
        SimpleNamespace(name="m", dialect=4), None, VmRow("vm1"), Vm(id="1", name="vm1", disks=[Disk(id="2")]), 9
    )
    end = one.job(None).parts[-1]
    assert "lsve -m m -t disk --unused" in end.otherwise(NotFound("VM vm1 is gone")).hint
    assert end.otherwise(Conflict("locked")).hint == ""


def test_a_disk_whose_machine_is_gone_meanwhile_may_be_left():
    said = Conflict("Cannot add Virtual Disk. VM is not found.")
    manager = SimpleNamespace(name="m", dialect=4, add_disk=Mock(side_effect=said))
    place = SimpleNamespace(domain=lambda _: SimpleNamespace(ref=None))
    row = VmRow("vm1", disks=(DiskRow("vm1_Disk1", "data1", 1 << 30, bootable=True),))
    one = Making(manager, None, row, Vm(id="1", name="vm1"), 9, place)
    with pytest.raises(Conflict) as raised:
        one.add_disk(row.disks[0])
    assert raised.value.text == said.text and "-t disk --unused, then mkvm again" in raised.value.hint


def test_a_machine_with_a_broken_disk_is_not_called_done(modern):
    modern.made("vm1")
    modern.world.change(modern.parts("disk", "vm1")[0], status="illegal")
    (error,) = modern.wrong("mkvm", ["vm1"])
    assert error.startswith("vm1: disk vm1_Disk1 is illegal: ") and "Run: chvm vm1 -p vm1_Disk1, then mkvm vm1" in error
    assert modern.ok("chvm -p vm1_Disk1", ["vm1"]) == ["vm1: change vm completed."]


def test_tags_and_groups_are_given_by_the_next_run(modern):
    modern.made("vm1")
    members = group(modern)
    modern.node("vm1", othersettings="tags:web,prod;affinity_groups:apart")
    assert modern.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    assert tags(modern, "vm1") == ["prod", "web"]
    assert members["vms"] == [modern.vm("vm1")["id"]]
    assert modern.ok("mkvm", ["vm1"]) == [f"vm1: {THERE}"]
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_a_tag_that_many_need_is_made_once(modern):
    nodes = modern.nodes(*(f"vm{number}" for number in range(1, 13)), storage="", othersettings="tags:new1,new2")
    modern.front.counts.clear()
    modern.ok("mkvm", nodes)
    asked = modern.front.counts.report()["requests"]
    assert asked["POST /tags"] == 2 and asked["GET /tags"] == 1
    assert all(tags(modern, node) == ["new1", "new2"] for node in nodes)


@pytest.mark.parametrize("othersettings, said", [
    ("affinity_groups:nogroup", "the cluster Default has no affinity group nogroup. It has: apart"),
    ("tags:a b,ok", "'a b' cannot be the name of a tag"),
    ("tags:über", "'über' cannot be the name of a tag"),
])  # fmt: skip
@pytest.mark.parametrize("command", ["mkvm", "mkvm --dry-run", "chvm"])
def test_names_that_cannot_be_are_refused_before_anything_is_done(modern, command, othersettings, said):
    group(modern)
    if command == "chvm":
        modern.made("vm1")
    modern.node("vm1", storage="data1:1g", memory="3g", othersettings=othersettings)
    modern.front.counts.clear()
    assert said in modern.wrong(command, ["vm1"])[0]
    asked = modern.front.counts.report()["requests"]
    assert not [line for line in asked if not line.startswith("GET") and "/sso/" not in line]


@pytest.mark.parametrize("word, near", [("rhel8", "rhel_8x64"), ("RHEL_8x64", "rhel_8x64"), ("nosuchos", "other")])
def test_an_operating_system_that_the_engine_does_not_know_is_refused(newest, word, near):
    newest.node("vm1", guestostype=word)
    (error,) = newest.wrong("mkvm", ["vm1"])
    assert f"knows no operating system {word}. Run: chtab node=vm1 vm.guestostype= with one of: " in error
    assert near in error and newest.count("vm", "vm1") == 0
    newest.node("vm1", guestostype="")
    newest.ok("mkvm", ["vm1"])
    newest.node("vm1", guestostype=word)
    assert "knows no operating system" in newest.wrong("chvm", ["vm1"])[0]


def test_an_operating_system_that_it_knows(newest):
    newest.made("vm1", guestostype="rhel_9x64")
    newest.front.counts.clear()
    assert newest.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    assert not [line for line in newest.front.counts.report()["requests"] if "operatingsystems" in line]
    newest.node("vm1", guestostype="unassigned")
    assert newest.ok("chvm", ["vm1"]) == ["vm1: change vm completed."]
    assert newest.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_a_disk_that_does_not_grow_is_an_error(newest):
    newest.made("vm1", storage="data1:1g")
    newest.faults([{"do": "deaf", "method": "PUT", "path": "/vms/*/diskattachments/*"}])
    assert "disk vm1_Disk1 still has 1 GiB, not 3 GiB" in newest.wrong("chvm --resize 1=3g", ["vm1"])[0]
    newest.mend()
    assert newest.ok("chvm --resize 1=3g", ["vm1"]) == ["vm1: change vm completed."]


def test_a_machine_with_several_tags_settles(site):
    """A search by tag finds it by one of them alone."""
    site.made("vm1", "vm2", othersettings="tags:web,prod")
    for command, said in (("mkvm", THERE), ("chvm", "nothing to do")):
        site.front.counts.clear()
        assert sorted(site.ok(command, ["vm1", "vm2"])) == [f"vm1: {said}", f"vm2: {said}"]
        asked = site.front.counts.report()["requests"]
        assert not any("tags" in line for line in asked), "they come with the search for the machines"
    site.node("vm2", othersettings="tags:web,prod,new")
    assert site.ok("chvm", ["vm2"]) == ["vm2: change vm completed."]
    assert tags(site, "vm2") == ["new", "prod", "web"]


def test_a_machine_is_gone_when_its_disks_are(newest):
    """Then the template that they were copied from can be removed."""
    newest.made("vm1")
    newest.ok("clonevm -t web", ["vm1"])
    newest.node("vm2", master="web")
    newest.ok("mkvm", ["vm2"])
    newest.ok("rmvm -p", ["vm2"])
    newest.ok("cfgve -t tpl -m MGR -o web -r")
    assert newest.count("template", "web") == newest.count("vm", "vm2") == 0


def test_shared_disks_do_not_go_with_one_of_their_machines(newest):
    newest.made("vm1")
    newest.world.change(newest.parts("disk", "vm1")[0], shareable=True)
    assert newest.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]
