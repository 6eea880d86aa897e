"""vm.othersettings with its console and lease, and options of mkvm that meet a machine which is there."""

from __future__ import annotations

import pytest

from vmsite import each_version

GIB = 1 << 30


site = each_version()
since_console = each_version([(3, 6), (4, 0), (4, 2), (4, 5)])
since_labels = each_version([(4, 1), (4, 2), (4, 3), (4, 5)])
modern = each_version([(4, 5)])


# the serial console --------------------------------------------------------------------------------------------------


def test_a_serial_console_is_made_and_converged_and_not_sent_twice(since_console):
    site = since_console
    site.made("vm1", "vm2", othersettings="console:yes")
    assert [site.vm(node)["console_enabled"] for node in ("vm1", "vm2")] == [True, True]
    site.front.counts.clear()
    assert site.ok("chvm", ["vm1", "vm2"]) == ["vm1: nothing to do", "vm2: nothing to do"]
    assert sum(number for line, number in site.front.counts.report()["requests"].items() if "/vms" in line) == (
        1 if site.version != (4, 0) else 5
    ), "one search; before 4.2 disks and NICs are asked for machine by machine"
    site.node("vm1", othersettings="console:no")
    assert site.ok("chvm", ["vm1"]) == ["vm1: change vm completed."]
    assert site.vm("vm1")["console_enabled"] is False
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_a_running_machine_gets_its_console_at_the_next_start(since_console):
    site = since_console
    site.running("vm1")
    assert "its serial console is off" in site.wrong("getcons", ["vm1"])[0]
    site.node("vm1", othersettings="console:yes")
    for _ in range(2):  # no engine shows a console that waits, so it is sent again
        assert site.ok("chvm", ["vm1"]) == ["vm1: change vm completed. It takes effect at the next start"]
    site.ok("rpower off", ["vm1"])
    site.ok("rpower on", ["vm1"])
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    assert any(line.startswith("vm1: ssh -t -p 2222 ") for line in site.ok("getcons", ["vm1"]))


def test_a_serial_console_outlives_other_changes(since_console):
    site = since_console
    site.made("vm1", othersettings="console:yes")
    site.node("vm1", othersettings="", memory="3g")
    assert site.ok("chvm", ["vm1"]) == ["vm1: change vm completed."]
    assert site.vm("vm1")["console_enabled"] is True, "engines up to 4.3 take it away unless it is named"
    site.ok("rsetboot cd -p", ["vm1"])
    site.ok("chvm --cpus 2", ["vm1"])
    assert site.vm("vm1")["console_enabled"] is True
    site.ok("rpower on", ["vm1"])
    site.clock.advance(60)
    site.node("vm1", memory="2g")
    site.ok("chvm", ["vm1"])
    site.ok("rsetboot net -p", ["vm1"])
    site.ok("chvm --mem 4g", ["vm1"])
    site.ok("rpower off", ["vm1"])
    assert site.vm("vm1")["console_enabled"] is True
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_consoles_of_many_are_read_with_one_search(since_console):
    site = since_console
    nodes = site.made(*(f"vm{number}" for number in range(1, 6)), othersettings="console:yes", bootorder="hd")
    searches = 1 + (site.version < (4, 4))
    assert site.cost("rsetboot net -p", nodes)["GET /vms"] == searches
    assert site.cost("chvm --mem 3g", nodes)["GET /vms"] == searches + 1, "the last looks whether it is unlocked"
    assert {site.vm(node)["console_enabled"] for node in nodes} == {True}
    assert site.cost("rsetboot net -p", nodes) == {"GET /vms": 1}, "nothing is changed, so nothing more is read"


# affinity labels -----------------------------------------------------------------------------------------------------


def test_affinity_labels_outlive_changes(since_labels):
    site = since_labels
    site.made("vm1", "vm2")
    site.ok(f"cfgve -t affinitylabel -m {site.manager} -o gpu -c --set vms=vm1,vm2 --set hosts=rhevh1")
    before = [*site.thing("affinity_label", "gpu")["vms"]]
    site.node("vm1", memory="3g")
    site.ok("chvm", ["vm1"])
    site.ok("rsetboot cd -p", ["vm1", "vm2"])
    assert sorted(site.thing("affinity_label", "gpu")["vms"]) == sorted(before), "engines 4.1 to 4.3 take them away"
    host = site.hypervisor("rhevh1")
    site.row("nodehm", host, mgt="ipmi")
    site.row("ipmi", host, bmc="10.0.0.1", username="admin", password="secret")
    site.ok("chhypervisor -p", [host])
    assert site.thing("affinity_label", "gpu")["hosts"] == [site.thing("host", "rhevh1")["id"]]


# the lease -----------------------------------------------------------------------------------------------------------


def test_a_lease_is_made_changed_and_taken_away(modern):
    domain = modern.thing("storage_domain", "data1")["id"]
    modern.made("vm1", othersettings="ha:yes;lease:data1")
    assert modern.vm("vm1")["lease"] == domain
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    modern.node("vm1", othersettings="ha:yes;lease:none")
    assert modern.ok("chvm", ["vm1"]) == ["vm1: change vm completed."]
    assert modern.vm("vm1")["lease"] is None
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    modern.running("vm2")
    modern.node("vm2", othersettings="ha:yes;lease:data1")
    assert modern.ok("chvm", ["vm2"]) == ["vm2: change vm completed."], "a running machine takes it at once"
    assert modern.vm("vm2")["lease"] == domain


def test_a_lease_that_is_nobodys_business_stays(modern):
    modern.made("vm1", othersettings="ha:yes;lease:data1")
    modern.node("vm1", othersettings="ha:yes", memory="3g")
    modern.ok("chvm", ["vm1"])
    assert modern.vm("vm1")["lease"] == modern.thing("storage_domain", "data1")["id"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lease:data1", "lease: managers give one to highly available machines only; write ha:yes as well"),
        ("ha:no;lease:data1", "write ha:yes as well"),
        ("ha:yes;lease:nowhere", "lease: no active storage domain nowhere. There is: data1"),
    ],
)
def test_a_lease_that_cannot_be_is_said_before_anything_is_made(modern, text, told):
    modern.node("vm1", othersettings=text)
    assert told in modern.wrong("mkvm", ["vm1"])[0]
    assert modern.count("vm", "vm1") == 0


@pytest.mark.parametrize(
    ("site", "text", "lacking"),
    [
        (
            (3, 0),
            "ha:yes;lease:data1;console:yes;init:cloud-init;delete_protected:yes",
            "delete_protected, console, initialization, lease",
        ),
        ((3, 6), "ha:yes;lease:data1;console:yes;init:cloud-init;delete_protected:yes", "lease"),
        ((4, 0), "ha:yes;lease:data1", "lease"),
    ],
    indirect=["site"],
)
def test_a_manager_too_old_for_it_says_so_before_anything_is_made(site, text, lacking):
    site.node("vm1", othersettings=text)
    site.node("vm2", storage="nowhere:1g", othersettings="lease:x")
    errors = site.wrong("mkvm", ["vm1", "vm2"])
    assert (
        f"vm1: the manager is {site.version[0]}.{site.version[1]}, which has no {lacking} for machines. "
        "Take that out of vm.othersettings"
    ) in errors
    assert any(error.startswith("vm2: ") for error in errors), "all mistakes are told together"
    assert site.count("vm", "vm1") == 0
    site.made("vm3")
    site.node("vm3", othersettings="ha:yes;lease:data1")
    assert "which has no lease for machines" in site.wrong("chvm", ["vm3"])[0]


# options that meet a machine which is there ---------------------------------------------------------------------------


def test_what_was_typed_and_is_otherwise_is_said_and_not_written(site):
    site.made("vm1", memory="1g", storage="data1:1g")
    said = [message.text for message in site.say("mkvm -s 5 --mem 2g --cpus 4", ["vm1"])]
    assert said == [
        "it exists with other memory, CPUs, disk sizes and is not changed. "
        "Run chvm to change it, or give -f to make it again",
        "virtual machine has been created. There is nothing to do",
    ]
    assert (site.vm("vm1")["memory"], site.row_of("vm1")["memory"]) == (GIB, "1g")
    assert site.ok("mkvm -s 1 --mem 1g --cpus 1", ["vm1"]) == [
        "vm1: virtual machine has been created. There is nothing to do"
    ]


def test_another_template_than_that_which_it_was_made_from_is_said(site):
    site.made("vm1")
    site.ok("clonevm -t web", ["vm1"])
    site.node("vm2")
    site.ok("clonevm -b web", ["vm2"])
    site.ok("clonevm -t db", ["vm1"])
    assert "it exists with other template and is not changed." in site.ok("clonevm -b db", ["vm2"])[0]
    assert site.row_of("vm2")["master"] == "web"


def test_the_chosen_storage_domain_is_written_with_the_sizes(site):
    site.node("vm1")
    site.ok("mkvm -s 2,512m", ["vm1"])
    assert site.row_of("vm1")["storage"] == "data1:2g:system|data1:512m:data"
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_a_machine_that_was_cut_off_is_completed_with_the_options(site):
    site.node("vm1")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/disk*"}])
    assert "Add disk failed for virtual machine." in site.wrong("mkvm -s 2 --mem 1g", ["vm1"])[0]
    site.mend()
    assert site.ok("mkvm -s 2 --mem 1g", ["vm1"]) == ["vm1: Succeeded"]
    assert site.row_of("vm1") == {"memory": "1g", "storage": "data1:2g:system"}


@pytest.mark.parametrize("words", ["-d 1 -p 1", "-p 1,1", "-p 1 --resize 1=9", "--resize 1=5,1=9"])
def test_a_disk_that_is_named_twice_is_refused(site, words):
    site.made("vm1", storage="data1:1g|data1:1g")
    assert any("named twice" in error for error in site.wrong(f"chvm {words}", ["vm1"]))
    assert len(site.parts("disk", "vm1")) == 2


# xCAT's words for KVM ------------------------------------------------------------------------------------------------


def test_cpus_are_pinned_and_passed_through_and_read_back(modern):
    modern.made(
        "vm1",
        host="rhevh1",
        cpus="2:2",
        othersettings="vcpupin:'0-3,^2';cpumode:host-passthrough;machine:pc-q35-rhel8.6.0",
    )
    there = modern.vm("vm1")
    assert [(pin["vcpu"], pin["cpu_set"]) for pin in there["vcpu_pins"]] == [(n, "0-3,^2") for n in range(4)]
    assert (there["cpu_mode"], there["machine_type"]) == ("host_passthrough", "pc-q35-rhel8.6.0")
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    modern.node("vm1", othersettings="vcpupin:4-7;cpumode:custom")
    assert modern.ok("chvm", ["vm1"]) == ["vm1: change vm completed."]
    assert {pin["cpu_set"] for pin in modern.vm("vm1")["vcpu_pins"]} == {"4-7"}
    assert modern.vm("vm1")["machine_type"] == "pc-q35-rhel8.6.0", "what is not written stays"
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_chvm_pins_the_cpus_that_a_machine_has(modern):
    modern.made("vm1", host="rhevh1", cpus="2:2", othersettings="ha:yes")
    assert modern.ok("chvm --cpupin 0-15,^8", ["vm1"]) == ["vm1: change vm completed."]
    assert [pin["cpu_set"] for pin in modern.vm("vm1")["vcpu_pins"]] == ["0-15,^8"] * 4
    assert modern.row_of("vm1")["othersettings"] == "ha:yes;vcpupin:0-15,^8"
    assert modern.ok("chvm --cpupin 0-15,^8", ["vm1"]) == ["vm1: nothing to do"]
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]
    assert modern.wrong("chvm --cpupin all", ["vm1"]) == [
        "--cpupin: 'all' is not a set of CPUs. Write numbers and ranges, as 0-15,^8"
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("vcpupin:all", "vcpupin: 'all' is not a set of CPUs"),
        ("cpumode:fast", "cpumode: 'fast' is not a CPU mode"),
        ("vcpupin:0-3", "vcpupin needs to know how many CPUs there are"),
    ],
)
def test_placement_that_cannot_be_is_one_line(modern, settings, said):
    modern.node("vm1", host="rhevh1", othersettings=settings)
    (wrong,) = modern.wrong("mkvm", ["vm1"])
    assert said in wrong
