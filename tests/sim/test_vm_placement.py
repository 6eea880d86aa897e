"""Where on their hypervisors machines are: NUMA nodes, huge pages, devices; beside the official SDK."""

from __future__ import annotations

import json

import pytest

from vmsite import VmSite, each_version

site = each_version([(3, 6), (4, 3), (4, 5)])
modern = each_version([(4, 5)])
old = each_version([(3, 0)])
GPU, VF = "pci_0000_3b_00_0", "pci_0000_5e_00_2"
DONE, NOTHING = ["vm1: change vm completed."], ["vm1: nothing to do"]


def nodes(site, vm="vm1"):
    """The NUMA nodes of a machine: index, MiB, its CPUs, those of the hypervisor."""
    found = site.parts("vm_numa_node", vm)
    return sorted(
        (
            each["index"],
            each["memory"],
            [core["index"] for core in each["cores"]],
            sorted(pin["index"] for pin in each["pins"]),
        )
        for each in found
    )


def devices(site, vm="vm1"):
    return {each["name"] for each in site.parts("vm_host_device", vm) if not each["placeholder"]}


def customs(site, vm="vm1"):
    return {each["name"]: each["value"] for each in site.vm(vm)["custom_properties"]}


def shown(site, line, node):
    """What rinv tells of a node, by what it is."""
    return {message.desc: message.text for message in site.say(line, [node])}


def made(site, **columns):
    columns = {"host": "rhevh1", "cpus": "2:2", "memory": "4g", "storage": "none", **columns}
    return site.made("vm1", virtflags="placement_affinity=pinned", **columns)


# NUMA nodes -----------------------------------------------------------------------------------------------------------


def test_memory_is_bound_changed_and_let_go(site):
    made(site, othersettings="membind:1")
    assert nodes(site) == [(0, 4096, [0, 1, 2, 3], [1])]
    assert site.ok("mkvm", ["vm1"])[0].endswith("There is nothing to do")
    assert site.ok("chvm", ["vm1"]) == NOTHING
    site.node("vm1", othersettings="membind:0-1")
    plan = site.ok("chvm --dry-run", ["vm1"])
    assert plan[:2] == ["vm1: take its NUMA nodes away", "vm1: bind it to NUMA node 0-1 of its hypervisor"]
    assert site.ok("chvm", ["vm1"]) == DONE
    assert nodes(site) == [(0, 4096, [0, 1, 2, 3], [0, 1])]
    site.node("vm1", memory="2g", cpus="2")
    assert site.ok("chvm", ["vm1"]) == DONE, "the old node would be too large for the machine"
    assert nodes(site) == [(0, 2048, [0, 1], [0, 1])]
    assert site.ok("chvm", ["vm1"]) == NOTHING
    site.node("vm1", othersettings="membind:none")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (nodes(site), site.ok("chvm", ["vm1"])) == ([], NOTHING)


def test_how_strictly_is_said_where_the_version_has_it(site):
    made(site, othersettings="membind:1")
    if site.version >= (4, 4):
        assert [each["tune_mode"] for each in site.parts("vm_numa_node", "vm1")] == ["strict"]
    else:
        assert site.vm("vm1")["numa_tune_mode"] == "strict"


def test_chvm_binds_memory_and_follows_its_size(site):
    made(site)
    assert site.ok("chvm --membind 1", ["vm1"]) == DONE
    assert site.row_of("vm1")["othersettings"] == "membind:1"
    assert site.ok("chvm --membind 1", ["vm1"]) == NOTHING
    assert site.ok("chvm --mem 2g", ["vm1"]) == DONE
    assert nodes(site) == [(0, 2048, [0, 1, 2, 3], [1])]
    assert site.ok("chvm", ["vm1"]) == NOTHING
    assert site.ok("chvm --membind none", ["vm1"]) == DONE
    assert (nodes(site), "othersettings" in site.row_of("vm1")) == ([], False)


def test_a_running_machine_is_bound_from_its_next_start_on(modern):
    modern.running("vm1", host="rhevh1", cpus="2", memory="1g", bootorder="hd")
    later = ["vm1: change vm completed. It takes effect at the next start"]
    assert modern.ok("chvm --membind 0", ["vm1"]) == later
    assert modern.ok("chvm", ["vm1"]) == NOTHING


def test_a_host_with_one_node_has_all_memory_there(modern):
    host = modern.thing("host", "rhevh1")
    modern.world.change(host, numa_nodes=1)
    made(modern, othersettings="membind:0")
    assert (nodes(modern), modern.ok("chvm", ["vm1"])) == ([], NOTHING)


def test_scanning_writes_it_back(site):
    made(site, othersettings=f"membind:0;hugepage:1g;devpassthrough:{VF}")
    words = site.row_of("vm1")["othersettings"]
    site.node("vm1", othersettings="")
    site.ok("rscan -w", ["vm1"])
    assert set(site.row_of("vm1")["othersettings"].split(";")) == set(words.split(";"))
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_a_description_says_it_and_makes_it_again(modern, tmp_path):
    pytest.importorskip("yaml")
    made(modern, othersettings=f"membind:0;hugepage:1g;devpassthrough:{VF}")
    before = nodes(modern), devices(modern), customs(modern)
    file = tmp_path / "site.yaml"
    file.write_text("\n".join(modern.ok("lsve -m MGR --export")))
    assert f"devpassthrough:{VF}" in file.read_text() and "membind:0" in file.read_text()
    assert modern.ok(f"cfgve --diff {file} -m MGR") == []
    modern.ok("rmvm -p", ["vm1"])
    modern.ok(f"cfgve --from {file} -m MGR")
    assert (nodes(modern), devices(modern), customs(modern)) == before


def test_scanning_costs_three_lists_more_for_a_pinned_machine_and_none_for_another(modern):
    modern.made("vm2", storage="none")
    free = modern.cost("rscan -n", ["vm2"])
    made(modern, othersettings=f"membind:0;devpassthrough:{VF}")
    pinned = modern.cost("rscan -n", ["vm2"])
    modern.made("vm3", storage="none")
    assert modern.cost("rscan -n", ["vm2"]) == pinned
    more = {call: count - free.get(call, 0) for call, count in pinned.items() if count != free.get(call, 0)}
    assert more == {f"GET /vms/{{id}}/{each}": 1 for each in ("numanodes", "hostdevices", "mediateddevices")}


# huge pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "kib"), [("hugepage:1g", "1048576"), ("hugepage:2m", "2048"), ("hugepage:4", "1048576")]
)
def test_huge_pages_by_size_and_by_number(modern, word, kib):
    made(modern, othersettings=f"{word};custom:sap_agent=true")
    assert customs(modern) == {"hugepages": kib, "sap_agent": "true"}
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    modern.node("vm1", othersettings="hugepage:none")
    assert modern.ok("chvm", ["vm1"]) == DONE
    assert customs(modern) == {"sap_agent": "true"}


# devices --------------------------------------------------------------------------------------------------------------


def test_devices_are_given_and_taken_off(site):
    made(site, othersettings="devpassthrough:0000:3b:00.0,usb_1_4")
    assert devices(site) == {GPU, "usb_1_4"}
    assert site.ok("chvm", ["vm1"]) == NOTHING
    assert site.ok(f"chvm --devpassthru {VF}", ["vm1"]) == DONE
    assert site.row_of("vm1")["othersettings"] == f"devpassthrough:0000:3b:00.0,usb_1_4,{VF}"
    assert site.ok(f"chvm --devpassthru {VF}", ["vm1"]) == NOTHING
    assert site.ok("chvm --devdetach 3b:00.0,usb_1_4", ["vm1"]) == DONE
    assert (devices(site), site.row_of("vm1")["othersettings"]) == ({VF}, f"devpassthrough:{VF}")
    site.node("vm1", othersettings=f"devpassthrough:-{VF}")
    assert site.ok("chvm --dry-run", ["vm1"])[0] == f"vm1: take the device {VF} off"
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (devices(site), site.ok("chvm", ["vm1"])) == (set(), NOTHING)


def test_what_only_came_with_its_group_does_not_count(modern):
    made(modern, othersettings="devpassthrough:pci_0000_af_00_0")
    there = {each["name"]: each["placeholder"] for each in modern.parts("vm_host_device", "vm1")}
    assert there == {"pci_0000_af_00_0": False, "pci_0000_af_00_1": True}
    assert modern.ok("chvm --devpassthru pci_0000_af_00_1", ["vm1"]) == DONE
    assert modern.ok("chvm --devdetach pci_0000_af_00_0,pci_0000_af_00_1", ["vm1"]) == DONE
    assert modern.parts("vm_host_device", "vm1") == []


def test_another_hypervisor_gives_the_devices_anew(modern):
    made(modern, othersettings=f"devpassthrough:{GPU}")
    modern.node("vm1", host="rhevh2,-rhevh1")
    assert modern.ok("chvm", ["vm1"]) == DONE
    (one,) = modern.parts("vm_host_device", "vm1")
    assert (one["name"], one["host"]) == (GPU, modern.thing("host", "rhevh2")["id"])


def test_a_running_machine_keeps_its_devices(modern):
    modern.running("vm1", host="rhevh1", memory="1g", bootorder="hd")
    (wrong,) = modern.wrong(f"chvm --devpassthru {GPU}", ["vm1"])
    assert wrong == f"vm1: devices are changed only while the machine is off: {GPU}. Run: rpower vm1 off"
    assert devices(modern) == set()


# what cannot be -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"othersettings": "membind:0"}, "membind needs a hypervisor. Run: chtab node=vm1 vm.host=HYPERVISOR"),
        ({"othersettings": "vcpupin:0-3", "cpus": "2"}, "vcpupin needs a hypervisor"),
        ({"othersettings": "membind:7", "host": "rhevh1"}, "rhevh1 has no NUMA node 7. It has 0-1"),
        ({"othersettings": "membind:x"}, "membind: 'x' is not a set of NUMA nodes"),
        ({"othersettings": "devpassthrough:GPU"}, "devpassthrough: 'GPU' is not a device of a hypervisor"),
        ({"othersettings": "devpassthrough:pci_9", "host": "rhevh1"}, "rhevh1 has no device pci_9. Run: rinv rhevh1"),
        (
            {"othersettings": f"devpassthrough:{GPU}", "host": "rhevh1,rhevh2"},
            "devpassthrough needs one hypervisor alone, not rhevh1, rhevh2",
        ),
        ({"othersettings": "hugepage:3", "memory": "4g"}, "4 GiB of memory cannot be 3 huge pages"),
        ({"othersettings": "hugepage:5g"}, "'5g' is not a size or number of huge pages"),
        ({"othersettings": "hugepage:1,bsr:2", "memory": "16g"}, "'bsr' belongs to partitions of POWER servers"),
        ({"othersettings": "hugepage:1g;custom:hugepages=2048"}, "hugepage and custom:hugepages say the same"),
        ({"othersettings": "fit:best"}, "'best' is not a value of fit. Write fit:numa"),
    ],
)
def test_it_is_one_line_and_nothing_is_made(modern, columns, said):
    modern.node("vm1", **columns)
    (wrong,) = modern.wrong("mkvm", ["vm1"])
    assert said in wrong
    assert modern.count("vm", "vm1") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--membind x", "--membind: 'x' is not a set of NUMA nodes"),
        ("--devpassthru x", "--devpassthru: 'x' is not a device of a hypervisor"),
        (f"--devpassthru {GPU} --devdetach {GPU}", "--devpassthru and --devdetach both name"),
        ("--membind 9", "rhevh1 has no NUMA node 9"),
        ("--devpassthru pci_9", "rhevh1 has no device pci_9"),
    ],
)
def test_options_that_cannot_be_are_one_line(modern, words, said):
    made(modern)
    (wrong,) = modern.wrong(f"chvm {words}", ["vm1"])
    assert said in wrong


def test_what_is_too_new_for_the_manager_is_said(old):
    old.node("vm1", host="rhevh1", othersettings="membind:0")
    assert "the manager is 3.0; NUMA nodes came with 3.5" in old.wrong("mkvm", ["vm1"])[0]
    old.node("vm1", othersettings=f"devpassthrough:{GPU}")
    assert "the manager is 3.0; devices of hypervisors came with 3.6" in old.wrong("mkvm", ["vm1"])[0]
    old.hypervisor("rhevh1")
    assert "NUMA nodes came with 3.5" in shown(old, "rinv numa", "rhevh1")["NUMA"]


# rinv -----------------------------------------------------------------------------------------------------------------


def test_what_a_hypervisor_has_is_shown(site):
    made(site, othersettings="membind:1")
    site.hypervisor("rhevh1")
    lines = shown(site, "rinv numa,devices", "rhevh1")
    assert lines["NUMA node 0"] == "CPUs 0-31, 128 GiB, distances 10 21"
    assert lines["NUMA node 1"] == "CPUs 32-63, 128 GiB, distances 21 10"
    assert lines["Device usb_1_4"] == "Kingston Technology DataTraveler 100 G3, 0951:1666"
    assert shown(site, "rinv numa", "vm1") == {"NUMA node 0": "CPUs 0-3, 4 GiB, on node 1 of its hypervisor, strict"}
    (first, _) = [json.loads(line) for line in site.ok("rinv numa --json", ["rhevh1"])]
    assert (first["index"], first["cpus"], first["bytes"]) == (0, "0-31", 128 << 30)


def test_who_has_a_device_and_what_it_can_be_cut_into(modern):
    modern.running("vm1", host="rhevh1", memory="1g", bootorder="hd", othersettings=f"devpassthrough:{GPU},{VF}")
    modern.hypervisor("rhevh1")
    lines = shown(modern, "rinv devices", "rhevh1")
    assert lines[f"Device {GPU}"].endswith(
        "10de:20b5, IOMMU group 30, vGPU types nvidia-471 (8 left) nvidia-474 (2 left), in use by vm1"
    )
    assert "virtual function of pci_0000_5e_00_0, in use by vm1" in lines[f"Device {VF}"]
    assert len(modern.ok("rinv devices", ["vm1"])) == 2


# the description file -------------------------------------------------------------------------------------------------

#: All words of this page that a version has.
ALL_WORDS = {
    (3, 6): f"vcpupin:0-3;membind:0;devpassthrough:{GPU},{VF};cpumode:host-passthrough;iothreads:2",
    (4, 3): f"vcpupin:0-3;membind:0;devpassthrough:{GPU},{VF};cpumode:host-passthrough;iothreads:2;hugepage:2m;"
    "machine:pc-q35-rhel8.6.0;type:high_performance;vgpu:nvidia-474",
    (4, 5): f"vcpupin:0-3;membind:0;devpassthrough:{GPU},{VF};cpumode:host-passthrough;iothreads:2;hugepage:2m;"
    "machine:pc-q35-rhel8.6.0;type:high_performance;vgpu:nvidia-474;bios:q35_ovmf;tpm:yes",
}


def test_what_is_exported_plans_nothing_and_makes_the_same_machine_again(site):
    pytest.importorskip("yaml")
    words = ALL_WORDS[site.version]
    made(site, storage="data1:1g", othersettings=words)
    site.hypervisor("rhevh1")
    text = "\n".join(site.ok("lsve -m MGR --export"))
    (told,) = (line for line in text.splitlines() if "othersettings:" in line)
    assert set(told.strip().removeprefix("othersettings: ").split(";")) == set(words.split(";"))
    assert site.ok("cfgve -m MGR --from - --dry-run", stdin=text) == ["Default: nothing to do"]
    assert site.ok("cfgve -m MGR --diff -", stdin=text) == []
    site.ok("rmvm -p", ["vm1"])
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["vm1: Succeeded"]
    assert (nodes(site), devices(site)) == ([(0, 4096, [0, 1, 2, 3], [0])], {GPU, VF})
    assert "\n".join(site.ok("lsve -m MGR --export")) == text


def test_options_show_what_they_would_do_and_answer_in_json(modern):
    made(modern, othersettings=f"membind:0;devpassthrough:{GPU}")
    modern.hypervisor("rhevh1")
    modern.front.counts.clear()
    said = modern.ok(f"chvm --devdetach {GPU} --membind 1 --cpupin 0-7 --dry-run", ["vm1"])
    for text in ("take its NUMA nodes away", "bind it to NUMA node 1 of its hypervisor", f"take the device {GPU} off"):
        assert f"vm1: {text}" in said
    assert modern.changes() == [] and nodes(modern)[0][3] == [0]
    (answer,) = modern.ok(f"chvm --devdetach {GPU} --membind 1 --cpupin 0-7 --json", ["vm1"])
    assert json.loads(answer) == {"kind": "data", "text": "change vm completed.", "node": "vm1"}
    assert (nodes(modern)[0][3], devices(modern)) == ([1], set())
    shown_in_json = [json.loads(line) for line in modern.ok("rinv devices --json", ["rhevh1"])]
    assert any(line.get("physical_function") == "pci_0000_5e_00_0" for line in shown_in_json)


# what it costs --------------------------------------------------------------------------------------------------------


def test_it_costs_a_look_at_each_machine_and_at_each_hypervisor(modern):
    names = modern.made("vm1", "vm2", host="rhevh1", storage="none", cpus="2", memory="1g", othersettings="membind:0")
    assert modern.cost("chvm", names) == {
        "GET /vms": 1,
        "GET /hosts": 2,
        "GET /clusters": 1,
        "GET /networks": 1,
        "GET /vnicprofiles": 1,
        "GET /vms/{id}/numanodes": 2,
        "GET /hosts/{id}/numanodes": 1,
    }
    modern.hypervisor("rhevh1")
    assert modern.cost("rinv numa,devices", ["rhevh1"]) == {
        "GET /vms": 1,
        "GET /hosts": 1,
        "GET /networks": 1,
        "GET /hosts/{id}/numanodes": 1,
        "GET /hosts/{id}/devices": 1,
    }


# the official SDK -----------------------------------------------------------------------------------------------------


def test_the_official_sdk_makes_the_same(modern):
    from sdkhelp import connected, document, types

    columns = {"host": "rhevh1", "cpus": "2", "memory": "1g", "storage": "none", "nics": "none"}
    modern.made("vm1", othersettings=f"membind:1;hugepage:2m;devpassthrough:{GPU}", **columns)
    modern.made("vm2", **columns)
    with connected(modern) as system:
        machines = {name: system.vms_service().list(search=f"name={name}")[0] for name in ("vm1", "vm2")}
        ours, theirs = (system.vms_service().vm_service(machines[name].id) for name in ("vm1", "vm2"))
        theirs.update(types.Vm(custom_properties=[types.CustomProperty(name="hugepages", value="2048")]))
        theirs.numa_nodes_service().add(
            types.VirtualNumaNode(
                index=0,
                memory=1024,
                cpu=types.Cpu(cores=[types.Core(index=0), types.Core(index=1)]),
                numa_tune_mode=types.NumaTuneMode.STRICT,
                numa_node_pins=[types.NumaNodePin(index=1)],
            )
        )
        theirs.host_devices_service().add(types.HostDevice(name=GPU))
        for service in ("numa_nodes_service", "host_devices_service"):
            (mine,), (other,) = (getattr(each, service)().list() for each in (ours, theirs))
            assert document(mine, "_vm") == document(other, "_vm"), service
        but = ("_creation_time", "_stop_time", "_original_template")
        assert document(ours.get(), *but) == document(theirs.get(), *but)
        host = system.hosts_service().host_service(modern.thing("host", "rhevh1")["id"])
        assert [each.index for each in host.numa_nodes_service().list()] == [0, 1]
        assert GPU in {each.name for each in host.devices_service().list()}


# fit:numa -------------------------------------------------------------------------------------------------------------


def pins(site, vm="vm1"):
    return [int(pin["cpu_set"]) for pin in sorted(site.vm(vm)["vcpu_pins"], key=lambda pin: pin["vcpu"])]


def test_a_machine_is_fitted_into_one_node_if_that_holds_it(site):
    made(site, othersettings="fit:numa")
    assert (pins(site), nodes(site)) == ([0, 1, 2, 3], [(0, 4096, [0, 1, 2, 3], [0])])
    assert site.ok("chvm", ["vm1"]) == NOTHING
    site.node("vm1", othersettings="fit:numa;membind:1")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (pins(site), nodes(site)) == ([32, 33, 34, 35], [(0, 4096, [0, 1, 2, 3], [1])])
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_cpus_are_not_pinned_by_hand_where_they_are_chosen(modern):
    made(modern, othersettings="fit:numa")
    pins = modern.vm("vm1")["vcpu_pins"]
    assert modern.wrong("chvm --cpupin 0-3", ["vm1"]) == [
        "vm1: --cpupin: fit:numa in vm.othersettings chooses its CPUs. Take that out first"
    ]
    assert (modern.vm("vm1")["vcpu_pins"], modern.row_of("vm1")["othersettings"]) == (pins, "fit:numa")


def test_machines_do_not_share_cpus_and_stay_where_they_are(modern):
    names = modern.made(
        *(f"vm{number}" for number in (1, 2, 3)),
        host="rhevh1",
        cpus="1:16",
        memory="8g",
        storage="none",
        othersettings="fit:numa",
    )
    there = {name: pins(modern, name) for name in names}
    assert len({cpu for cpus in there.values() for cpu in cpus}) == 48
    assert [len(nodes(modern, name)) for name in names] == [1, 1, 1]
    assert modern.ok("chvm", names) == [f"{name}: nothing to do" for name in names]
    modern.ok("rmvm -p", ["vm1"])
    assert modern.ok("chvm", names[1:]) == [f"{name}: nothing to do" for name in names[1:]], "nobody moves by itself"
    modern.node("vm2", cpus="1:20", memory="8g")
    assert modern.ok("chvm", ["vm2"]) == ["vm2: change vm completed."]
    assert not set(pins(modern, "vm2")) & set(pins(modern, "vm3")) and len(nodes(modern, "vm2")) == 1


def test_a_large_machine_takes_as_many_nodes_as_it_needs(modern):
    made(modern, cpus="2:20", memory="160g", othersettings="fit:numa;hugepage:1g")
    assert [(memory, on) for _, memory, _, on in nodes(modern)] == [(80 << 10, [0]), (80 << 10, [1])]
    assert pins(modern) == [*range(20), *range(32, 52)]
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    words = modern.row_of("vm1")["othersettings"]
    modern.ok("rscan -w", ["vm1"])
    assert set(modern.row_of("vm1")["othersettings"].split(";")) == set(words.split(";"))


def test_other_cpus_are_fitted_in_anew(modern):
    made(modern, othersettings="fit:numa")
    assert modern.ok("chvm --cpus 6 --mem 6g", ["vm1"]) == DONE
    assert (len(pins(modern)), nodes(modern)) == (6, [(0, 6144, [*range(6)], [0])])
    assert modern.ok("chvm", ["vm1"]) == NOTHING


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"cpus": "2:40"}, "80 CPUs with 4096 MiB are not free on the hypervisor rhevh1. There are node 0: 32 CPUs"),
        ({"memory": "300g"}, "4 CPUs with 307200 MiB are not free"),
        ({"othersettings": "fit:numa;vcpupin:0"}, "fit:numa chooses the CPUs; take vcpupin out"),
        ({"host": "rhevh1,rhevh2"}, "fit needs one hypervisor alone, not rhevh1, rhevh2"),
        ({"cpus": ""}, "fit needs to know how large it is. Run: chtab node=vm1 vm.cpus=N vm.memory=SIZE"),
    ],
)
def test_what_does_not_fit_is_one_line(modern, columns, said):
    modern.node("vm1", **{"host": "rhevh1", "cpus": "2:2", "memory": "4g", "othersettings": "fit:numa", **columns})
    (wrong,) = modern.wrong("mkvm", ["vm1"])
    assert said in wrong
    assert modern.count("vm", "vm1") == 0


# firmware and threads -------------------------------------------------------------------------------------------------


def test_firmware_tpm_and_threads_are_made_changed_and_read_back(modern):
    made(modern, othersettings="bios:q35-ovmf;tpm:yes;iothreads:2;type:high_performance")
    there = modern.vm("vm1")
    assert (there["bios_type"], there["tpm"], there["io_threads"]) == ("q35_ovmf", True, 2)
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    modern.node("vm1", othersettings="")
    modern.ok("rscan -w", ["vm1"])
    words = set(modern.row_of("vm1")["othersettings"].split(";"))
    assert words == {"bios:q35_ovmf", "tpm:yes", "iothreads:2", "type:high_performance"}
    modern.node("vm1", othersettings="bios:q35_sea_bios;tpm:no;iothreads:1")
    assert modern.ok("chvm", ["vm1"]) == DONE
    assert modern.ok("chvm", ["vm1"]) == NOTHING
    there = modern.vm("vm1")
    assert (there["bios_type"], there["tpm"], there["io_threads"]) == ("q35_sea_bios", False, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("bios:uefi", "bios: 'uefi' is not a chipset with firmware. Write one of i440fx_sea_bios"),
        ("iothreads:500", "'500' is not a number of I/O threads"),
        ("tpm:yes", "UEFI firmware is not enabled"),
    ],
)
def test_firmware_that_cannot_be_is_one_line(modern, words, said):
    modern.node("vm1", host="rhevh1", othersettings=words)
    (wrong,) = modern.wrong("mkvm", ["vm1"])
    assert said in wrong


def test_firmware_is_too_new_for_old_managers(old):
    old.node("vm1", othersettings="bios:q35_ovmf;tpm:yes;iothreads:2")
    (wrong,) = old.wrong("mkvm", ["vm1"])
    assert "the manager is 3.0, which has no bios_type, tpm, io_threads for machines" in wrong


def test_the_official_sdk_makes_the_same_firmware(modern):
    from sdkhelp import connected, document, types

    modern.made("vm1", storage="none", nics="none", memory="1g", othersettings="bios:q35_ovmf;tpm:yes;iothreads:2")
    modern.made("vm2", storage="none", nics="none", memory="1g")
    with connected(modern) as system:
        services = system.vms_service()
        ours, theirs = (services.vm_service(services.list(search=f"name={name}")[0].id) for name in ("vm1", "vm2"))
        theirs.update(types.Vm(bios=types.Bios(type=types.BiosType.Q35_OVMF), tpm_enabled=True, io=types.Io(threads=2)))
        but = ("_creation_time", "_stop_time")
        mine, other = (document(each.get(all_content=True), *but) for each in (ours, theirs))
        assert mine == other and "'_tpm_enabled': True" in mine


# virtual GPUs ---------------------------------------------------------------------------------------------------------

CARD, HALF = "nvidia-471", "nvidia-474"


def gpus(site, vm="vm1"):
    """The types of a machine's virtual GPUs, as its engine has them."""
    if site.version < (4, 5):
        return sorted(customs(site, vm).get("mdev_type", "").split(",")) if "mdev_type" in customs(site, vm) else []
    told = [each["spec_params"] for each in site.parts("vm_mediated_device", vm)]
    return sorted(param["value"] for params in told for param in params if param["name"] == "mdevType")


@pytest.fixture(params=[(4, 3), (4, 5)], ids=["v4.3", "v4.5"])
def gpu_site(request, tmp_path_factory):
    made_site = VmSite(tmp_path_factory, request.param)
    yield made_site
    made_site.close()


def test_virtual_gpus_are_given_changed_and_taken_away(gpu_site):
    site = gpu_site
    made(site, othersettings=f"vgpu:{CARD},{CARD}")
    assert gpus(site) == [CARD, CARD]
    assert site.ok("chvm", ["vm1"]) == NOTHING
    site.ok("rscan -w", ["vm1"])
    assert site.row_of("vm1")["othersettings"] == f"vgpu:{CARD},{CARD}"
    site.node("vm1", othersettings=f"vgpu:{CARD},{HALF}")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (gpus(site), site.ok("chvm", ["vm1"])) == ([CARD, HALF], NOTHING)
    site.node("vm1", othersettings="vgpu:none")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (gpus(site), site.ok("chvm", ["vm1"])) == ([], NOTHING)


def test_virtual_gpus_need_no_hypervisor_and_are_too_new_for_some(modern, old):
    modern.made("vm1", storage="none", othersettings=f"vgpu:{HALF}")
    assert gpus(modern) == [HALF]
    old.node("vm1", othersettings=f"vgpu:{HALF}")
    assert "the manager is 3.0; virtual GPUs came with 4.2. Take vgpu out" in old.wrong("mkvm", ["vm1"])[0]
    modern.node("vm2", othersettings="vgpu:a;b")
    assert any("holds 'b'" in error for error in modern.wrong("mkvm", ["vm2"]))
    modern.node("vm2", othersettings=f"custom:mdev_type={HALF}")
    assert f"Write vgpu:{HALF}" in modern.wrong("mkvm", ["vm2"])[0]


def test_the_official_sdk_gives_the_same_virtual_gpu(modern):
    from sdkhelp import connected, document, types

    modern.made("vm1", "vm2", storage="none")
    modern.node("vm1", othersettings=f"vgpu:{HALF}")
    modern.ok("chvm", ["vm1"])
    told = [types.Property(name="mdevType", value=HALF), types.Property(name="nodisplay", value="false")]
    with connected(modern) as system:
        both = [system.vms_service().vm_service(modern.vm(name)["id"]) for name in ("vm1", "vm2")]
        ours, theirs = (each.mediated_devices_service() for each in both)
        theirs.add(types.VmMediatedDevice(spec_params=told))
        (mine,), (other,) = ours.list(), theirs.list()
        assert document(mine, "_vm") == document(other, "_vm") and HALF in document(mine)
        asked = types.CustomProperty(name="mdev_type", value=f"{CARD},{CARD}")
        both[1].update(types.Vm(custom_properties=[asked]))
        assert len(theirs.list()) == 2 and not both[1].get().custom_properties, "4.5 makes devices of the property"
