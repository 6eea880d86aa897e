"""Machines in OVA files on hypervisors: chvm --export and mkvm --import."""

from __future__ import annotations

import pytest

from vmsite import VmSite, each_version

site = each_version(((4, 5),))


def test_a_machine_goes_into_a_file_and_another_comes_out_of_it(site: VmSite) -> None:
    site.made("vm1", storage="data1:2g|data1:1g", memory="3g")
    assert site.ok("chvm --export rhevh1:/var/tmp/", ["vm1"]) == ["vm1: exported to /var/tmp/vm1.ova on rhevh1."]
    assert "/var/tmp/vm1.ova" in site.thing("host", "rhevh1")["ovas"]
    site.node("vm2")
    said = site.ok("mkvm --import rhevh1:/var/tmp/vm1.ova", ["vm2"])
    assert said == ["vm2: made of /var/tmp/vm1.ova on rhevh1."]
    vm = site.vm("vm2")
    assert (vm["memory"], vm["status"]) == (3 << 30, "down")
    assert [disk["size"] for disk in site.parts("disk", "vm2")] == [2 << 30, 1 << 30]
    assert all(disk["status"] == "ok" for disk in site.parts("disk", "vm2"))
    mine = {nic["mac"] for nic in site.parts("nic", "vm2")}
    assert mine and not mine & {nic["mac"] for nic in site.parts("nic", "vm1")}
    assert site.ok("mkvm --import rhevh1:/var/tmp/vm1.ova", ["vm2"])[0].endswith("There is nothing to do")
    assert site.sent("external_vm_import").findtext("url") == "ova:///var/tmp/vm1.ova"


def test_several_machines_that_run_go_into_files_of_their_own(site: VmSite) -> None:
    site.running("vm1", "vm2")
    said = site.ok("chvm --export rhevh2:/var/tmp", ["vm1", "vm2"])
    assert sorted(said) == [f"vm{n}: exported to /var/tmp/vm{n}.ova on rhevh2." for n in (1, 2)]
    site.ok("rpower off", ["vm1", "vm2"])
    site.ok("rmvm -p", ["vm1", "vm2"])
    site.ok("mkvm --import rhevh2:/var/tmp", ["vm1", "vm2"])
    assert {site.vm(name)["status"] for name in ("vm1", "vm2")} == {"down"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("chvm --export rhevh1:tmp", "--export rhevh1:tmp: write HYPERVISOR:/FOLDER"),
        ("chvm --export /tmp", "--export /tmp: write HYPERVISOR:/FOLDER"),
        ("chvm --export none:/tmp", "vm1: no hypervisor none on "),
        ("chvm --export rhevh1:/nowhere", "vm1: Cannot export VM. Invalid target folder: /nowhere on Host rhevh1"),
        ("mkvm --import rhevh1:/tmp -f", "--import takes what is in the file"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(site: VmSite, line: str, said: str) -> None:
    site.made("vm1")
    (told,) = site.wrong(line, ["vm1"])
    assert told.startswith(said)


def test_a_file_that_is_not_there_and_one_for_two(site: VmSite) -> None:
    site.nodes("vm8", "vm9")
    (said,) = site.wrong("mkvm --import rhevh1:/tmp", ["vm9"])
    assert said == "vm9: Cannot import VM. Failed to load VM configuration from the OVA."
    (said,) = site.wrong("mkvm --import rhevh1:/tmp/a.ova", ["vm8", "vm9"])
    assert said == "--import: several machines do not fit into one file. Name a folder"


def test_a_dry_run_and_what_it_costs(site: VmSite) -> None:
    site.made("vm1")
    said = site.ok("chvm --export rhevh1:/var/tmp --dry-run", ["vm1"])
    assert said == ["vm1: export to /var/tmp/vm1.ova on rhevh1", "vm1: wait until it is written"]
    assert "ovas" not in site.thing("host", "rhevh1")
    cost = site.cost("chvm --export rhevh1:/var/tmp", ["vm1"])
    assert (cost["GET /hosts"], cost["POST /vms/{id}/export"]) == (1, 1)
    site.node("vm2")
    cost = site.cost("mkvm --import rhevh1:/var/tmp/vm1.ova", ["vm2"])
    assert cost["POST /externalvmimports"] == 1


@pytest.mark.parametrize("site", [(3, 0), (3, 6), (4, 1)], indirect=True, ids=str)
def test_engines_before_have_none(site: VmSite) -> None:
    site.made("vm1")
    version = ".".join(map(str, site.version))
    for line in ("chvm --export rhevh1:/tmp", "mkvm --import rhevh1:/tmp"):
        assert site.wrong(line, ["vm1"]) == [f"the manager is {version}; exports to OVA files came with 4.2"]
