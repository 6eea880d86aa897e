"""mkvm, clonevm, rmvm: machines come, come from templates, and go."""

from __future__ import annotations

import json
import re

import pytest

from vesim import only
from vmsite import MODERN, each_version
from xcat_rhev.messages import Error, Warn

GIB = 1 << 30


site = each_version()
modern = each_version(MODERN)


# mkvm ----------------------------------------------------------------------------------------------------------------


def test_a_machine_is_what_its_row_says(site):
    bus = "ide" if site.version < (4, 4) else "sata"  # what a machine has changed with its chipset
    site.node(
        "vm1",
        memory="3g",
        cpus="2:4",
        storage="data1:20g:system|data1:512m:data",
        storagemodel=f"{bus}:raw",
        nics=f"{site.network}:eth0:yes|{site.network}:eth1",
        nicmodel="e1000",
        bootorder="hd,net",
        vidproto="spice",
        host="rhevh2",
        virtflags="placement_affinity=user_migratable",
        othersettings="ha:yes;ha_priority:7",
    )
    assert site.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    vm = site.vm("vm1")
    assert (vm["memory"], vm["sockets"], vm["cores"], vm["boot"]) == (3 * GIB, 2, 4, ["hd", "network"])
    assert (vm["display_type"], vm["affinity"], vm["status"]) == ("spice", "user_migratable", "down")
    first, second = site.parts("disk", "vm1")
    assert (first["size"], first["bootable"], second["size"], second["bootable"]) == (20 * GIB, True, GIB // 2, False)
    assert {disk["interface"] for disk in (first, second)} == {bus}
    nics = [(nic["name"], nic["interface"]) for nic in site.parts("nic", "vm1")]
    assert nics == [("eth0", "e1000"), ("eth1", "e1000")]


@only((4, 5))
def test_a_bus_that_the_chipset_lacks_is_said_before_anything_is_made(site):
    site.node("vm1", storage="data1:1g", storagemodel="ide")
    assert site.wrong("mkvm", ["vm1"]) == [
        "vm1: machines of the cluster Default have the chipset q35, which has no ide. "
        "Run: chtab node=vm1 vm.storagemodel=virtio"
    ]
    assert site.count("vm", "vm1") == 0
    site.world.change(site.thing("cluster", "Default"), bios_type="i440fx_sea_bios")
    assert site.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    site.node("vm2", storage="data1:1g", storagemodel="sata")
    assert "i440fx, which has no sata" in site.wrong("mkvm", ["vm2"])[0]


def test_a_row_that_says_next_to_nothing_is_enough(site):
    site.node("vm1")
    site.ok("mkvm", ["vm1"])
    vm = site.vm("vm1")
    assert (vm["memory"], vm["boot"], vm["display_type"]) == (2 * GIB, ["network", "hd"], "vnc")
    assert (len(site.parts("disk", "vm1")), len(site.parts("nic", "vm1"))) == (0, 1)


def test_without_a_network_the_nic_is_on_that_of_the_management_however_it_is_called(site):
    network = site.thing("network", site.network)
    if site.version >= (3, 6):  # older ones do not tell
        site.world.change(network, name="control")
    site.node("vm1")
    site.ok("mkvm", ["vm1"])
    (nic,) = site.parts("nic", "vm1")
    assert nic["network"] == network["id"]


def test_little_memory_is_not_less_than_what_is_guaranteed(site):
    site.made("vm1", memory="512m")
    assert site.vm("vm1")["memory_guaranteed"] == site.vm("vm1")["memory"] == GIB // 2
    site.made("vm2", memory="4g")
    site.ok("clonevm -t web", ["vm2"])
    site.node("vm3", master="web", memory="1g")
    site.ok("mkvm", ["vm3"])
    assert site.vm("vm3")["memory_guaranteed"] <= GIB


def test_the_drawn_address_is_written_to_the_mac_table(site):
    site.made("vm1", nics=f"{site.network}:eth0|{site.network}:eth1:yes")
    assert site.row_of("vm1", "mac") == {"mac": site.parts("nic", "vm1")[1]["mac"]}


def test_the_address_of_the_mac_table_is_used_and_not_written_again(site):
    site.node("vm1")
    site.row("mac", "vm1", mac="52:54:00:AA:BB:01!vm1")
    site.ok("mkvm", ["vm1"])
    assert site.parts("nic", "vm1")[0]["mac"].lower() == "52:54:00:aa:bb:01"
    assert site.row_of("vm1", "mac") == {"mac": "52:54:00:AA:BB:01!vm1"}


def test_the_second_run_finds_nothing_to_do(site):
    site.made("vm1", "vm2")
    before = len(site.host.writes)
    assert site.ok("mkvm", ["vm1", "vm2"]) == [
        f"{node}: virtual machine has been created. There is nothing to do" for node in ("vm1", "vm2")
    ]
    assert len(site.host.writes) == before


def test_a_half_made_machine_is_completed(site):
    site.node("vm1", storage="data1:1g|data1:2g")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/disk*", "after": 1}])
    assert "vm1" in site.wrong("mkvm", ["vm1"])[0]
    assert len(site.parts("disk", "vm1")) == 1
    site.mend()
    assert site.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB, 2 * GIB]
    assert (site.count("vm", "vm1"), len(site.parts("nic", "vm1"))) == (1, 1)
    assert site.row_of("vm1", "mac") == {"mac": site.parts("nic", "vm1")[0]["mac"]}


def test_a_machine_that_was_cut_off_before_its_tags_gets_them(site):
    site.node("vm1", storage="data1:1g", othersettings="tags:web")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/disk*"}])
    site.wrong("mkvm", ["vm1"])
    site.mend()
    site.ok("mkvm", ["vm1"])
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


@pytest.mark.parametrize("path", ["/vms", "/vms/*/disk*", "/vms/*/nics"])
def test_a_lost_answer_makes_nothing_twice(site, path):
    site.node("vm1", storage="data1:1g|data1:1g")
    site.faults([{"do": "drop-after", "method": "POST", "path": path, "times": 1}])
    assert site.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]
    counts = site.count("vm", "vm1"), len(site.parts("disk", "vm1")), len(site.parts("nic", "vm1"))
    assert counts == (1, 2, 1)


def test_all_mistakes_of_the_range_are_told_and_the_good_node_is_made(site):
    site.node("vm1", memory="lots", cpus="two")
    site.node("vm2", cluster="Nowhere")
    site.node("vm3", master="notemplate", host="nohost", storage="nodomain:1g", nics="nonet:eth0")
    site.node("vm4")
    said = site.say("mkvm", ["vm1", "vm2", "vm3", "vm4"])
    errors = [(message.node, message.text) for message in said if isinstance(message, Error)]
    told = {node: [text for whose, text in errors if whose == node] for node in ("vm1", "vm2", "vm3", "vm4")}
    assert [len(told[node]) for node in ("vm1", "vm2", "vm3", "vm4")] == [2, 1, 4, 0]
    assert told["vm2"][0].startswith("cannot find the cluster: Nowhere.")
    assert told["vm3"][0].startswith("cannot find the template: notemplate.")
    assert told["vm3"][1].startswith("Cannot find nohost in the rhevm.")
    assert told["vm3"][2].startswith("Could not get the storage domain nodomain.")
    assert told["vm3"][3].startswith("Could not get the network nonet.")
    assert site.vm("vm4")["status"] == "down"
    assert [site.count("vm", name) for name in ("vm1", "vm2", "vm3")] == [0, 0, 0]


def test_typed_options_are_written_and_chvm_does_not_take_them_back(site):
    site.node("vm1", memory="1g", storage="data1:1g")
    site.ok("mkvm -s 3,512m --mem 2g --cpus 2:2", ["vm1"])
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [3 * GIB, GIB // 2]
    assert site.row_of("vm1") == {"memory": "2g", "cpus": "2:2", "storage": "data1:3g:system|data1:512m:data"}
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_without_a_domain_the_only_one_is_taken(site):
    site.node("vm1")
    site.ok("mkvm -s 2", ["vm1"])
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [2 * GIB]


def test_force_replaces_a_machine_that_is_off(site):
    site.made("vm1")
    old = site.vm("vm1")["id"]
    assert site.ok("mkvm -f", ["vm1"]) == ["vm1: Succeeded"]
    assert site.vm("vm1")["id"] != old
    assert len(site.parts("disk", "vm1")) == 1


def test_force_leaves_a_running_machine_alone(site):
    site.running("vm1")
    (error,) = site.wrong("mkvm -f", ["vm1"])
    assert error == "vm1: the machine is up, so it is not removed. Run: rpower vm1 off"


def test_a_dry_run_shows_and_does_nothing(site):
    site.node("vm1", storage="data1:1g")
    lines = site.ok("mkvm --dry-run", ["vm1"])
    assert lines == [
        "vm1: make the virtual machine vm1 in Default",
        "vm1: wait until vm1 is down",
        f"vm1: add NIC eth0 on {site.network}",
        "vm1: add disk vm1_Disk1 of 1 GiB on data1",
        "vm1: write its MAC address to mac.mac",
        "vm1: wait until its disks are made",
    ]
    assert (site.count("vm", "vm1"), site.row_of("vm1", "mac")) == (0, {})


def test_nowait_ends_before_the_disk_is_made(site):
    site.node("vm1", storage="data1:1g")
    site.ok("mkvm --nowait", ["vm1"])
    assert site.parts("disk", "vm1")[0]["status"] == "locked"


def test_json_is_one_object_a_line(site):
    site.node("vm1", storage="none")
    assert [json.loads(line) for line in site.ok("mkvm --json", ["vm1"])] == [
        {"kind": "data", "node": "vm1", "text": "Succeeded"}
    ]


def test_a_machine_without_a_disk_is_warned_of(site):
    site.node("vm1", storage="")
    site.node("vm2", storage="none")
    (warning,) = [each for each in site.say("mkvm", ["vm1", "vm2"]) if isinstance(each, Warn)]
    assert (warning.node, warning.text.partition(".")[0]) == ("vm1", "it has no disk, because vm")


def test_a_disk_that_cannot_be_made_is_an_error_of_its_node_alone(site):
    site.node("vm1", storage="data1:1g")
    site.node("vm2", storage="data1:1g")
    site.faults([{"do": "fail", "state": "disk.create", "text": "Low disk space.", "times": 1}])
    said = site.say("mkvm", ["vm1", "vm2"])
    (error,) = [message for message in said if isinstance(message, Error)]
    assert "is illegal" in error.text
    assert [message.text for message in said if message.node != error.node] == ["Succeeded"]


def test_a_disk_that_is_never_made_ends_with_the_limit(site):
    site.node("vm1", storage="data1:1g")
    site.faults([{"do": "never", "state": "disk.create"}])
    (error,) = site.wrong("mkvm --timeout 30", ["vm1"])
    # --timeout bounds the whole command, and some of it passed before the wait began
    assert re.search(r"vm1 is still image_locked after (29|30) s", error) and "--timeout" in error


def test_words_that_mean_nothing_are_refused(site):
    site.node("vm1")
    assert "mkvm does not know 'vmcpus=2'" in site.wrong("mkvm vmcpus=2", ["vm1"])[0]
    assert site.count("vm", "vm1") == 0


def test_tags_are_made_and_given(site):
    site.node("vm1", othersettings="tags:web,prod")
    site.ok("mkvm", ["vm1"])
    given = site.world.of("tagging", "owner", site.vm("vm1")["id"])
    assert {site.world.the("tag", each["tag"])["name"] for each in given} == {"web", "prod"}


def test_an_affinity_group_that_is_not_there_is_an_error_of_the_node(modern):
    modern.node("vm1", othersettings="affinity_groups:apart")
    assert modern.wrong("mkvm", ["vm1"]) == ["vm1: the cluster Default has no affinity group apart. It has: none"]


def test_an_affinity_group_is_joined(modern):
    cluster = modern.thing("cluster", "Default")
    modern.world.add("affinity_group", name="apart", cluster=cluster["id"], positive=False, enforcing=False, vms=[])
    modern.node("vm1", othersettings="affinity_groups:apart")
    modern.ok("mkvm", ["vm1"])
    assert modern.thing("affinity_group", "apart")["vms"] == [modern.vm("vm1")["id"]]
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_the_guest_is_told_what_the_row_says(modern):
    modern.host.set_row("passwd", {"key": "guests", "username": "root"}, {"password": "sesame-street"})
    modern.node("vm1", othersettings="hostname:web1;password:guests;nic:eth0,static,10.0.0.5,255.255.255.0,10.0.0.1")
    said = modern.ok("mkvm -V", ["vm1"])
    assert not any("sesame-street" in line for line in said)
    assert any("<host_name>web1</host_name>" in line for line in said)


@only((3, 0))
def test_a_guest_cannot_be_told_anything_before_3_4(site):
    site.node("vm1", othersettings="hostname:web1")
    assert "3.0" in site.wrong("mkvm", ["vm1"])[0]
    assert site.count("vm", "vm1") == 0


# clonevm -------------------------------------------------------------------------------------------------------------


def test_a_template_is_made_and_is_there_the_second_time(site):
    site.made("vm1")
    assert site.ok("clonevm -t web", ["vm1"]) == ["vm1: web: ok."]
    assert site.ok("clonevm -t web", ["vm1"]) == ["vm1: web: ok. There is nothing to do; -f makes it again"]
    assert site.count("template", "web") == 1


def test_force_makes_a_template_anew(site):
    site.made("vm1")
    site.ok("clonevm -t web", ["vm1"])
    old = site.thing("template", "web")["id"]
    assert site.ok("clonevm -t web -f", ["vm1"]) == ["vm1: web: ok."]
    assert site.thing("template", "web")["id"] != old


def test_a_running_machine_is_no_template(site):
    site.running("vm1")
    assert site.wrong("clonevm -t web", ["vm1"]) == [
        "vm1: vm needs to be shutdown to run the clone. It is up. Run: rpower vm1 off"
    ]


def test_several_machines_do_not_become_one_template(site):
    site.made("vm1", "vm2")
    assert "2 machines cannot all become the template web" in site.wrong("clonevm -t web", ["vm1", "vm2"])[0]


@pytest.mark.parametrize("words", ["", "-t a -b b", "-t ''", "-b ''"])
def test_directions_are_not_mixed(site, words):
    site.made("vm1")
    assert site.wrong(f"clonevm {words}", ["vm1"])


def test_machines_from_a_template(site):
    site.made("vm1", storage="data1:2g", memory="1g")
    site.ok("clonevm -t web", ["vm1"])
    site.nodes("vm2", "vm3")
    assert sorted(site.ok("clonevm -b web", ["vm2", "vm3"])) == ["vm2: Succeeded", "vm3: Succeeded"]
    for node in ("vm2", "vm3"):
        assert (site.vm(node)["status"], site.vm(node)["memory"]) == ("down", GIB)
        assert [disk["size"] for disk in site.parts("disk", node)] == [2 * GIB]
        assert site.row_of(node)["master"] == "web"
        assert site.row_of(node, "mac")["mac"] == site.parts("nic", node)[0]["mac"]
    assert site.parts("nic", "vm2")[0]["mac"] != site.parts("nic", "vm3")[0]["mac"]
    assert "nothing to do" in site.ok("clonevm -b web", ["vm2"])[0]


def test_a_detached_machine_does_not_hang_on_its_template(site):
    site.made("vm1")
    site.ok("clonevm -t web", ["vm1"])
    site.node("vm2")
    site.ok("clonevm -b web -d", ["vm2"])
    assert "master" not in site.row_of("vm2")


def test_the_boot_disk_of_a_template_grows_to_what_the_row_says(modern):
    modern.made("vm1", storage="data1:2g")
    modern.ok("clonevm -t web", ["vm1"])
    modern.node("vm2", master="web", storage="data1:6g:system|data1:1g:data")
    modern.ok("mkvm", ["vm2"])
    assert sorted(disk["size"] for disk in modern.parts("disk", "vm2")) == [GIB, 6 * GIB]
    assert modern.ok("mkvm", ["vm2"])[0].endswith("There is nothing to do")


def test_the_nic_of_a_template_gets_the_address_of_the_mac_table(site):
    site.made("vm1")
    site.ok("clonevm -t web", ["vm1"])
    site.node("vm2", master="web")
    site.row("mac", "vm2", mac="52:54:00:aa:bb:02")
    site.ok("mkvm", ["vm2"])
    assert [nic["mac"].lower() for nic in site.parts("nic", "vm2")] == ["52:54:00:aa:bb:02"]


# rmvm ----------------------------------------------------------------------------------------------------------------


def test_a_machine_goes_with_its_disks(site):
    site.made("vm1")
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]
    assert (site.count("vm", "vm1"), site.count("disk", "vm1_Disk1")) == (0, 0)


@only(*MODERN)
def test_a_machine_goes_and_its_disks_stay(site):
    site.made("vm1")
    assert site.ok("rmvm", ["vm1"]) == ["vm1: succeeded.", "vm1: kept its disks: vm1_Disk1"]
    assert (site.count("vm", "vm1"), site.count("disk", "vm1_Disk1")) == (0, 1)


@only((3, 0))
def test_before_3_1_disks_cannot_stay_and_nothing_is_lost_by_surprise(site):
    site.made("vm1")
    (error,) = site.wrong("rmvm", ["vm1"])
    assert "3.0 cannot" in error and "rmvm vm1 -p" in error
    assert site.count("vm", "vm1") == 1


def test_a_running_machine_stays_unless_forced(site):
    site.running("vm1")
    assert site.wrong("rmvm -p", ["vm1"]) == ["vm1: the machine is up. Run: rmvm vm1 -f, or rpower vm1 off first"]
    assert site.ok("rmvm -fp", ["vm1"]) == ["vm1: succeeded."]
    assert site.count("vm", "vm1") == 0


def test_a_missing_machine_is_nothing_to_do_however_often(site):
    site.node("vm1")
    for _ in range(2):
        assert site.ok("rmvm -p", ["vm1"]) == ["vm1: node was not defined in the rhevm. There is nothing to do"]


def test_a_protected_machine_is_refused_by_name(modern):
    modern.made("vm1", othersettings="delete_protected:yes")
    assert "protected against deletion" in modern.wrong("rmvm -p", ["vm1"])[0]


def test_the_lost_answer_of_a_removal_is_settled_by_looking(site):
    site.made("vm1")
    site.faults([{"do": "drop-after", "method": "DELETE", "times": 1}])
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]
