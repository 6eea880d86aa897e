"""chvm and rsetboot: machines become what their rows say, or what the options name."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import MODERN, each_version
from xcat_rhev.engine.nouns import Cdrom, Vm
from xcat_rhev.messages import Warn as Warned

GIB = 1 << 30
NOTHING = ["vm1: nothing to do"]
DONE = ["vm1: change vm completed."]
LATER = ["vm1: change vm completed. It takes effect at the next start"]


site = each_version()
modern = each_version(MODERN)


def writes(site):
    """What was sent that could change something."""
    sent = site.front.counts.report()["requests"]
    return [line for line in sent if not line.startswith("GET")]


# chvm by the row -----------------------------------------------------------------------------------------------------


def test_a_machine_that_is_right_is_sent_nothing(site):
    site.made(
        "vm1",
        memory="1g",
        cpus="2:2",
        storage="data1:2g|data1:1g",
        nics=f"{site.network}:eth0:yes",
        bootorder="net,hd",
        vidproto="vnc",
        host="rhevh1",
        cluster="Default",
        othersettings="ha:yes;tags:web",
        virtflags="placement_affinity=migratable",
    )
    site.front.counts.clear()
    assert site.ok("chvm", ["vm1"]) == NOTHING
    assert writes(site) == []


def test_another_affinity_leaves_the_machine_on_its_host(site):
    site.made("vm1", host="rhevh2")
    here = site.vm("vm1")["pinned"]
    site.node("vm1", virtflags="placement_affinity=pinned")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (site.vm("vm1")["affinity"], site.vm("vm1")["pinned"]) == ("pinned", here)
    assert len(here) == 1
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_memory_beyond_what_a_machine_was_made_for(site):
    site.made("vm1", memory="1g")
    assert site.ok("chvm --mem 8g", ["vm1"]) == DONE
    assert site.ok("chvm --mem 512m", ["vm1"]) == DONE
    assert site.vm("vm1")["memory"] == GIB // 2


def test_what_differs_is_sent_and_nothing_else(site):
    site.made("vm1", memory="1g", cpus="1:1", bootorder="net")
    site.node("vm1", memory="2g", bootorder="hd,net")
    trace = site.ok("chvm -V", ["vm1"])
    (put,) = [line for line in trace if line.startswith("PUT")]
    assert "<memory>2147483648</memory>" in put and "<os>" in put
    assert "<cpu>" not in put and "<template" not in put and "<name>" not in put
    vm = site.vm("vm1")
    assert (vm["memory"], vm["boot"], vm["sockets"]) == (2 * GIB, ["hd", "network"], 1)
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_lacking_parts_are_added(site):
    site.made("vm1", storage="data1:1g", nics=f"{site.network}:eth0:yes")
    site.node("vm1", storage="data1:1g|data1:3g", nics=f"{site.network}:eth0:yes|{site.network}:eth1")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB, 3 * GIB]
    assert [nic["name"] for nic in site.parts("nic", "vm1")] == ["eth0", "eth1"]
    assert site.ok("chvm", ["vm1"]) == NOTHING


@only(*MODERN)
def test_a_disk_grows(site):
    site.made("vm1", storage="data1:1g|data1:1g")
    site.node("vm1", storage="data1:4g|data1:1g")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [4 * GIB, GIB]
    assert site.ok("chvm", ["vm1"]) == NOTHING


@only((3, 0))
def test_before_3_1_a_disk_that_is_taken_off_would_be_lost_and_that_is_said(site):
    site.made("vm1", storage="data1:1g|data1:2g")
    assert site.wrong("chvm -d 2", ["vm1"]) == ["vm1: RHEV 3.0 cannot take the disk 2 off and keep it; -p removes it"]
    assert len(site.parts("disk", "vm1")) == 2


@only((3, 0))
def test_before_3_3_disks_do_not_grow_and_that_is_said(site):
    told = "the manager is 3.0; disks grow since 3.3"
    site.made("vm1", storage="data1:1g")
    assert told in site.wrong("chvm --resize 1=4", ["vm1"])[0]
    assert site.row_of("vm1")["storage"] == "data1:1g"
    site.ok("clonevm -t web", ["vm1"])
    site.node("vm1", storage="data1:4g")
    warning, idle = site.ok("chvm", ["vm1"])
    assert warning.endswith(f"has 1 GiB, less than the 4 GiB of vm.storage; {told}") and [idle] == NOTHING
    site.node("vm2", master="web", storage="data1:4g")
    assert told in site.wrong("mkvm", ["vm2"])[0]


def test_a_disk_does_not_shrink_and_that_is_said(site):
    site.made("vm1", storage="data1:4g")
    site.node("vm1", storage="data1:1g")
    said = site.say("chvm", ["vm1"])
    (warning,) = [message for message in said if isinstance(message, Warned)]
    assert "has 4 GiB, more than the 1 GiB of vm.storage; disks do not shrink" in warning.text
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [4 * GIB]


def test_nothing_is_taken_away(site):
    site.made("vm1", storage="data1:1g|data1:1g", nics=f"{site.network}:eth0|{site.network}:eth1")
    site.node("vm1", storage="data1:1g", nics=f"{site.network}:eth0")
    assert site.ok("chvm", ["vm1"]) == NOTHING
    assert (len(site.parts("disk", "vm1")), len(site.parts("nic", "vm1"))) == (2, 2)


def test_a_nic_gets_the_model_and_the_address_of_its_row(site):
    site.made("vm1")
    site.node("vm1", nicmodel="e1000")
    site.row("mac", "vm1", mac="52:54:00:aa:bb:09")
    assert site.ok("chvm", ["vm1"]) == DONE
    (nic,) = site.parts("nic", "vm1")
    assert (nic["interface"], nic["mac"].lower()) == ("e1000", "52:54:00:aa:bb:09")


def test_high_availability_goes_on_and_off(site):
    site.made("vm1", othersettings="ha:yes;ha_priority:50")
    site.node("vm1", othersettings="ha:no;ha_priority:50")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert site.vm("vm1")["ha"] is False if "ha" in site.vm("vm1") else True
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_a_tag_is_added_later(site):
    site.made("vm1")
    site.node("vm1", othersettings="tags:web")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert site.ok("chvm", ["vm1"]) == NOTHING


@only(*MODERN)
def test_a_running_machine_is_told_when_the_next_start_applies_it(site):
    site.running("vm1", bootorder="net", cpus="1:1")
    site.node("vm1", bootorder="hd", cpus="1:2")
    assert site.ok("chvm", ["vm1"]) == LATER
    site.front.counts.clear()
    assert site.ok("chvm", ["vm1"]) == NOTHING
    assert writes(site) == []
    site.ok("rpower off", ["vm1"])
    assert (site.vm("vm1")["boot"], site.vm("vm1")["cores"]) == (["hd"], 2)


@only((3, 0))
def test_before_3_5_a_running_machine_is_not_changed_and_the_engine_says_why(site):
    site.running("vm1", memory="1g")
    site.node("vm1", memory="2g")
    assert "VM is not down" in site.wrong("chvm", ["vm1"])[0]


def test_the_guests_password_is_not_a_difference(modern):
    modern.host.set_row("passwd", {"key": "guests", "username": "root"}, {"password": "sesame-street"})
    modern.made("vm1", othersettings="hostname:web1;password:guests")
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    modern.node("vm1", othersettings="hostname:web2;password:guests")
    trace = modern.ok("chvm -V", ["vm1"])
    assert any("web2" in line for line in trace) and not any("sesame-street" in line for line in trace)


def test_a_machine_that_is_not_there_names_the_command_that_makes_it(site):
    site.node("vm1")
    (error,) = site.wrong("chvm", ["vm1"])
    assert error.startswith("vm1: virtual machine was not created.") and "mkvm vm1" in error


def test_a_bad_row_stops_its_node_alone(site):
    site.made("vm1", "vm2")
    site.node("vm1", memory="lots")
    site.node("vm2", memory="3g")
    assert len(site.wrong("chvm", ["vm1", "vm2"])) == 1
    assert site.vm("vm2")["memory"] == 3 * GIB


# chvm by options -----------------------------------------------------------------------------------------------------


def test_memory_and_cpus_are_changed_and_written(site):
    site.made("vm1", memory="1g", bootorder="net")
    site.node("vm1", bootorder="hd")
    assert site.ok("chvm --mem 2g --cpus 2:2", ["vm1"]) == DONE
    vm = site.vm("vm1")
    assert (vm["memory"], vm["sockets"], vm["cores"], vm["boot"]) == (2 * GIB, 2, 2, ["network"])
    assert (site.row_of("vm1")["memory"], site.row_of("vm1")["cpus"]) == ("2g", "2:2")
    assert site.ok("chvm --mem 2g --cpus 2:2", ["vm1"]) == NOTHING


def test_disks_are_added_and_vm_storage_follows(site):
    site.made("vm1", storage="data1:1g")
    assert site.ok("chvm -a 2,data1:512m", ["vm1"]) == DONE
    assert sorted(disk["size"] for disk in site.parts("disk", "vm1")) == [GIB // 2, GIB, 2 * GIB]
    assert site.row_of("vm1")["storage"] == "data1:1g|data1:2g:data|data1:512m:data"
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_a_disk_is_removed_and_does_not_come_back(site):
    site.made("vm1", storage="data1:1g|data1:2g|data1:3g")
    assert site.ok("chvm -p 2", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB, 3 * GIB]
    assert site.row_of("vm1")["storage"] == "data1:1g|data1:3g"
    assert site.ok("chvm", ["vm1"]) == NOTHING


@only(*MODERN)
def test_a_disk_is_taken_off_and_kept(site):
    site.made("vm1", storage="data1:1g|data1:2g")
    assert site.ok("chvm -d vm1_Disk2", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB]
    assert site.count("disk", "vm1_Disk2") == 1


@only(*MODERN)
def test_a_disk_is_taken_off_a_running_machine(site):
    site.running("vm1", storage="data1:1g|data1:2g")
    assert site.ok("chvm -p 2", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB]


@only(*MODERN)
def test_a_disk_is_resized_and_vm_storage_follows(site):
    site.made("vm1", storage="data1:1g:system|data1:2g:data")
    assert site.ok("chvm --resize 1=4,vm1_Disk2=3g", ["vm1"]) == DONE
    assert [disk["size"] for disk in site.parts("disk", "vm1")] == [4 * GIB, 3 * GIB]
    assert site.row_of("vm1")["storage"] == "data1:4g:system|data1:3g:data"
    assert site.ok("chvm", ["vm1"]) == NOTHING


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-p 7", "it has no disk 7; it has "),
        ("-d nosuch", "it has no disk nosuch; it has "),
        ("--resize 1=512m", "disks do not shrink"),
        ("--resize 1=big", "--resize: 'big' is not a size"),
        ("-a nodomain:3g", "Could not get the storage domain nodomain"),
        ("-a big", "-a: 'big' is not a size"),
    ],
)
def test_what_cannot_be_done_is_an_error_of_the_node_and_nothing_is_done(site, words, said):
    site.made("vm1", storage="data1:1g")
    site.front.counts.clear()
    (error,) = site.wrong(f"chvm {words}", ["vm1"])
    assert error.startswith("vm1: ") and said in error
    assert writes(site) == []


@pytest.mark.parametrize(
    "words",
    [
        "--resize 1",
        "--mem lots",
        "--cpus two",
        "--optical a.iso --eject",
        "--snapshot a --mem 2g",
        "--snapshot a --revert a",
        "surplus",
    ],
)
def test_wrong_words_do_nothing(site, words):
    site.made("vm1")
    site.front.counts.clear()
    assert site.wrong(f"chvm {words}", ["vm1"])
    assert writes(site) == []


def test_several_disks_on_the_command_line_are_named_by_number_for_all_nodes(site):
    site.made("vm1", "vm2", storage="data1:1g|data1:2g")
    site.ok("chvm -p 2", ["vm1", "vm2"])
    assert [len(site.parts("disk", node)) for node in ("vm1", "vm2")] == [1, 1]


def an_iso(site, name="rescue.iso"):
    """An ISO on the data domain; gives what stands for it in a drive: its id, in v3 its name."""
    if site.version < (4, 2):
        return name
    world = site.world
    (domain,) = world.by_name("storage_domain", "data1")
    words = {"size": 1 << 20, "actual_size": 1 << 20, "status": "ok", "format": "raw", "sparse": False}
    return world.add("disk", name=name, content_type="iso", storage_domain=domain["id"], **words)["id"]


def test_a_cd_is_put_in_and_taken_out(site):
    site.made("vm1")
    iso = an_iso(site)
    assert site.ok("chvm --optical rescue.iso", ["vm1"]) == DONE
    (drive,) = drives(site)
    assert drive["file"] == iso
    assert site.ok(f"chvm --optical {iso}", ["vm1"]) == ["vm1: nothing to do"]
    assert site.ok("chvm --eject", ["vm1"]) == DONE
    assert not drives(site)[0].get("file")


def test_a_running_machine_gets_the_cd_at_once_and_keeps_it(site):
    site.running("vm1")
    an_iso(site)
    trace = site.ok("chvm --cdrom rescue.iso -V", ["vm1"])
    puts = [line for line in trace if line.startswith("PUT")]
    assert ["current" in line for line in puts] == [False, True]


@only((4, 5))  # managers before 4.2 keep the names of files on ISO domains to themselves
def test_a_cd_that_is_not_there_is_refused_before_anything(site):
    site.made("vm1")
    an_iso(site)
    assert "has no CD image nothing.iso" in site.wrong("chvm --optical nothing.iso --mem 3g", ["vm1"])[0]
    an_iso(site)
    assert "several CD images are named rescue.iso" in site.wrong("chvm --optical rescue.iso --mem 3g", ["vm1"])[0]
    assert not [line for line in writes(site) if line.startswith("PUT")]


def drives(site):
    """What the engine says of the machine's CD drives."""
    manager = site.managers.open(next(iter(site.managers._sessions)))
    return [
        {"file": drive.file.id if drive.file else ""} for drive in manager.list(Cdrom, under=manager.one(Vm, "vm1"))
    ]


# snapshots -----------------------------------------------------------------------------------------------------------


def test_a_running_machine_does_not_stand_still_for_a_snapshot(modern):
    modern.running("vm1")
    modern.ok("chvm --snapshot before", ["vm1"])
    (snapshot,) = modern.parts("snapshot", "vm1")
    assert snapshot["memory"] is False


def test_a_snapshot_is_taken_gone_back_to_and_removed(site):
    site.made("vm1")
    assert site.ok("chvm --snapshot before", ["vm1"]) == ["vm1: snapshot before: ok."]
    assert site.ok("chvm --snapshot before", ["vm1"])[0].endswith("There is nothing to do")
    assert any("snapshots: [before]" in line for line in site.ok("lsvm --snapshots", ["vm1"]))
    assert site.ok("chvm --revert before", ["vm1"]) == ["vm1: reverted to snapshot before."]
    assert site.ok("chvm --rmsnapshot before", ["vm1"]) == ["vm1: snapshot before: removed."]
    assert site.ok("chvm --rmsnapshot before", ["vm1"])[0].endswith("There is nothing to do")
    assert site.wrong("chvm --revert before", ["vm1"]) == ["vm1: it has no snapshot before; it has none"]


def test_a_running_machine_does_not_go_back(modern):
    modern.made("vm1")
    modern.ok("chvm --snapshot before", ["vm1"])
    modern.ok("rpower on", ["vm1"])
    (error,) = modern.wrong("chvm --revert before", ["vm1"])
    assert "Run: rpower vm1 off" in error


# rsetboot ------------------------------------------------------------------------------------------------------------


def test_the_order_is_shown(site):
    site.made("vm1", bootorder="net,hd")
    for words in ("stat", "state", "status", ""):
        assert site.ok(f"rsetboot {words}", ["vm1"]) == ["vm1: network,hd", "vm1: boot override inactive"]


def test_for_good_the_machine_and_its_row_are_changed(site):
    site.made("vm1", bootorder="net,hd")
    assert site.ok("rsetboot hd -p", ["vm1"]) == ["vm1: set boot order completed.", "vm1: Hard Drive"]
    assert (site.vm("vm1")["boot"], site.row_of("vm1")["bootorder"]) == (["hd"], "hd")
    assert site.ok("rsetboot hd -p", ["vm1"]) == ["vm1: Hard Drive", *NOTHING]
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_the_next_start_alone(site):
    site.made("vm1", bootorder="hd", othersettings="ha:yes")
    assert site.ok("rsetboot net", ["vm1"]) == ["vm1: set boot order completed.", "vm1: Network"]
    assert site.vm("vm1")["boot"] == ["hd"]
    assert site.ok("rsetboot stat", ["vm1"]) == ["vm1: network at the next start, then hd", "vm1: Network"]
    assert site.ok("rsetboot net", ["vm1"]) == ["vm1: Network", *NOTHING]
    trace = site.ok("rpower on -V", ["vm1"])
    (start,) = [line for line in trace if line.startswith("POST")]
    assert "network" in start
    assert site.row_of("vm1")["othersettings"] == "ha:yes"
    assert site.ok("rsetboot stat", ["vm1"]) == ["vm1: hd", "vm1: boot override inactive"]
    site.ok("rpower off", ["vm1"])
    (start,) = [line for line in site.ok("rpower on -V", ["vm1"]) if line.startswith("POST")]
    assert "network" not in start


def test_a_reset_takes_the_note_along(site):
    site.running("vm1", bootorder="hd")
    site.ok("rsetboot net", ["vm1"])
    trace = site.ok("rpower boot -V", ["vm1"])
    assert ["network" in line for line in trace if line.startswith("POST")] == [False, True]
    assert "othersettings" not in site.row_of("vm1")


def test_default_forgets_the_note_and_goes_back_to_the_row(site):
    site.made("vm1", bootorder="hd")
    site.ok("rsetboot net", ["vm1"])
    site.node("vm1", bootorder="cd,hd")
    assert site.ok("rsetboot default", ["vm1"]) == ["vm1: set boot order completed.", "vm1: Default"]
    assert site.vm("vm1")["boot"] == ["cdrom", "hd"]
    assert site.ok("rsetboot default", ["vm1"]) == ["vm1: Default", *NOTHING]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("net", "Network"),
        ("NETWORK", "Network"),
        ("hd", "Hard Drive"),
        ("cd", "CD/DVD"),
        ("cd,hd", "CD/DVD, Hard Drive"),
    ],
)
def test_the_words_of_other_plugins_are_said_too(site, words, said):
    site.made("vm1", bootorder="net")
    assert f"vm1: {said}" in site.ok(f"rsetboot {words}", ["vm1"])
    assert site.ok("rsetboot state", ["vm1"])[1] == f"vm1: {said}"
    assert site.ok("rsetboot default", ["vm1"])[1] == "vm1: Default"
    assert site.ok("rsetboot state", ["vm1"])[1] == "vm1: boot override inactive"


def test_a_wrong_device_is_an_error_of_every_node(site):
    site.made("vm1", "vm2")
    errors = site.wrong("rsetboot floppy", ["vm1", "vm2"])
    assert [error.split(":")[0] for error in errors] == ["vm1", "vm2"]
    assert all(error.endswith(". Unsupported command: rsetboot floppy") for error in errors)
    assert all("Supported boot device: net, hd, cd" in error for error in errors)


def test_one_missing_machine_does_not_stop_the_others(site):
    site.made("vm1")
    site.node("vm2")
    errors = site.wrong("rsetboot hd -p", ["vm1", "vm2"])
    assert len(errors) == 1 and errors[0].startswith("vm2: node was not defined in the rhevm.")
    assert site.vm("vm1")["boot"] == ["hd"]


def test_a_disk_is_gone_when_chvm_says_so(site):
    site.made("vm1", storage="data1:1g|data1:1g")
    assert site.ok("chvm -p 2", ["vm1"]) == DONE
    assert len(site.world.of("disk", "vm", site.world.by_name("vm", "vm1")[0]["id"])) == 1


@only(*MODERN)
def test_a_disk_whose_storage_fails_is_not_called_removed(site):
    site.made("vm1", storage="data1:1g|data1:1g")
    (id,) = [disk["id"] for disk in site.parts("disk", "vm1") if not disk["bootable"]]
    site.faults([{"do": "fail", "state": "disk.remove", "text": "no way"}])
    (error,) = site.wrong("chvm -p 2", ["vm1"])
    assert "disk vm1_Disk2 is illegal" in error and error.endswith(f"Run: chvm vm1 -p {id}")
    site.mend()
    assert site.ok(f"chvm -p {id}", ["vm1"]) == DONE
