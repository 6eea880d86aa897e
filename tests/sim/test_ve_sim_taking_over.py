"""What is on storage and not in the manager any more: domains and templates that come back."""

from __future__ import annotations

import pytest

from vesim import VERSIONS, Site, each_version, lun_of

LUN = "3600a098000000001"
OTHER = "3600a098000000002"
TARGET = "iqn.2026-01.com.example:10.0.0.5"
#: The versions that can find what is on storage, and the one that cannot.
TAKING, OLD = VERSIONS[1:], VERSIONS[0]


site = each_version(hosts=2, vms=2)
newer = each_version(TAKING, hosts=2, vms=2)
older = each_version([OLD], hosts=2, vms=2)


def leave(site: Site, name: str, **row: str) -> str:
    """Make a domain and let it go without formatting it; its id."""
    site.row("virtsd", name, host="rhevh1", **row)
    site.ok(f"cfgve -t sd -m MGR -o {name} -c")
    known: str = site.thing("storage_domain", name)["id"]
    for verb in "sbr":
        site.ok(f"cfgve -t sd -m MGR -o {name} -{verb}")
    assert site.world.by_name("storage_domain", name) == []
    return known


@pytest.mark.parametrize(
    ("stype", "location", "again"),
    [
        ("fcp", LUN, LUN),
        ("fcp", f"{LUN},{OTHER}", OTHER),
        ("iscsi", f"10.0.0.5|lun={lun_of(5)}", "10.0.0.5"),
        ("iscsi", f"10.0.0.5|lun={lun_of(5)}", f"10.0.0.5|target={TARGET}|lun={lun_of(5)}"),
    ],
)
def test_a_block_domain_comes_back_with_its_id_and_luns(newer, stype, location, again):
    known = leave(newer, "sd1", stype=stype, location=location)
    newer.row("virtsd", "sd1", location=again)
    said = newer.ok("cfgve -t sd -m MGR -o sd1 -i --dry-run")
    assert "look for the domain through" in said[0] and len(said) == 6
    assert newer.ok("cfgve -t sd -m MGR -o sd1 -i") == ["sd1: import storage domain succeeded."]
    there = newer.thing("storage_domain", "sd1")
    assert (there["id"], there["status"], there["storage_type"]) == (known, "active", stype)
    assert len(there["luns"]) == location.count(",") + 1
    assert newer.ok("cfgve -t sd -m MGR -o sd1 -i") == ["sd1: nothing to do"]
    shown = newer.ok("lsve -t sd -m MGR -o sd1")
    assert f"  storage_lun: {','.join(lun['id'] for lun in there['luns'])}" in shown
    assert (f"  storage_target: {TARGET}" in shown) == (stype == "iscsi")


def test_a_lun_with_a_domain_on_it_is_not_made_another_one_of(newer):
    leave(newer, "sd1", stype="fcp", location=LUN)
    (said,) = newer.wrong("cfgve -t sd -m MGR -o sd1 -c")
    assert f"LUN {LUN} belongs to a storage domain already. Give -i" in said


def test_of_several_domains_the_one_of_that_name_or_on_that_lun_is_taken(newer):
    leave(newer, "sd1", stype="iscsi", location=f"10.0.0.5|lun={lun_of(5)}")
    second = lun_of(5)[:-1] + "2"
    leave(newer, "sd2", stype="iscsi", location=f"10.0.0.5|lun={second}")
    newer.row("virtsd", "new", stype="iscsi", location="10.0.0.5", host="rhevh1")
    (said,) = newer.wrong("cfgve -t sd -m MGR -o new -i")
    assert f"holds several storage domains: sd1 ({lun_of(5)}), sd2 ({second}). Name a LUN" in said
    newer.row("virtsd", "new", location=f"10.0.0.5|lun={second}")
    newer.ok("cfgve -t sd -m MGR -o new -i")
    assert newer.thing("storage_domain", "new")["luns"][0]["id"] == second
    newer.row("virtsd", "sd1", location="10.0.0.5")
    newer.ok("cfgve -t sd -m MGR -o sd1 -i")


def test_what_is_not_there_is_told_with_what_is(newer):
    leave(newer, "sd1", stype="fcp", location=LUN)
    newer.row("virtsd", "sd2", stype="fcp", location=OTHER, host="rhevh1")
    (said,) = newer.wrong("cfgve -t sd -m MGR -o sd2 -i")
    assert f"LUN {OTHER} holds no storage domain to take over. It has: sd1 ({LUN})" in said
    newer.row("virtsd", "sd3", stype="iscsi", location="10.0.0.5|target=iqn.no", host="rhevh1")
    assert "has no target iqn.no. It has: iqn." in newer.wrong("cfgve -t sd -m MGR -o sd3 -i")[0]


def test_block_domains_cannot_be_found_before_3_5(older):
    older.row("virtsd", "sd1", stype="fcp", location=LUN, host="rhevh1")
    (said,) = older.wrong("cfgve -t sd -m MGR -o sd1 -i")
    assert "is of version 3.0; what is on storage can be found since 3.5 only" in said
    assert older.world.by_name("storage_domain", "sd1") == []


@pytest.mark.parametrize("stype", ["nfs", "posixfs", "glusterfs"])
def test_a_file_domain_comes_back_with_its_id(newer, stype):
    location = {"nfs": "nfs1:/one", "posixfs": "/dev/sdb|vfs=xfs", "glusterfs": "g1:/vol"}[stype]
    known = leave(newer, "sd1", stype=stype, location=location)
    assert newer.ok("cfgve -t sd -m MGR -o sd1 -i") == ["sd1: import storage domain succeeded."]
    assert newer.thing("storage_domain", "sd1")["id"] == known


def test_a_formatted_domain_does_not_come_back(site):
    site.row("virtsd", "sd1", stype="fcp", location=LUN, host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o sd1 -c")
    site.ok("cfgve -t sd -m MGR -o sd1 -r -f")
    assert site.world.all("leftover") == []
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]


# Templates.


def a_template(site: Site) -> str:
    """A template of a machine with a disk; its id."""
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t tpl1", ["vm1"])
    known: str = site.thing("template", "tpl1")["id"]
    assert site.world.of("disk", "template", known)
    return known


def test_a_template_goes_to_an_export_domain_and_comes_back(site):
    site.row("virtsd", "exp1", stype="nfs", sdtype="export", location="nfs1:/exp", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o exp1 -c")
    known = a_template(site)
    site.ok("cfgve -t tpl -m MGR -o tpl1 -x exp1")
    assert site.ok("cfgve -t tpl -m MGR -o tpl1 -x exp1 -f") == ["tpl1: succeeded."]
    assert site.ok("cfgve -t tpl -m MGR -o tpl1 -i --from-domain exp1") == ["tpl1: nothing to do"]
    site.ok("cfgve -t tpl -m MGR -o tpl1 -r")
    assert site.ok("cfgve -t tpl -m MGR -o tpl1 -i --from-domain exp1") == ["tpl1: succeeded."]
    there = site.thing("template", "tpl1")
    assert (there["id"], there["status"]) == (known, "ok")
    (disk,) = site.world.of("disk", "template", known)
    assert disk["storage_domain"] == site.thing("storage_domain", "data1")["id"]
    site.row("vm", "new1", mgr=site.manager, master="tpl1")
    site.ok("mkvm", ["new1"])
    assert site.thing("vm", "new1")["template"] == known


def test_a_template_is_copied_to_the_named_data_domain_for_the_named_cluster(site):
    for name, kind in (("exp1", "export"), ("sd1", "data")):
        site.row("virtsd", name, stype="nfs", sdtype=kind, location=f"nfs1:/{name}", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o exp1,sd1 -c")
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    known = a_template(site)
    site.ok("cfgve -t tpl -m MGR -o tpl1 -x exp1")
    site.ok("cfgve -t tpl -m MGR -o tpl1 -r")
    line = "cfgve -t tpl -m MGR -o tpl1,tpl9 -i --from-domain exp1 --to-domain sd1 -l cl2"
    assert site.wrong(line) == ["tpl9: there is no such template on exp1. It has: tpl1"]
    assert site.thing("template", "tpl1")["cluster"] == site.thing("cluster", "cl2")["id"]
    (disk,) = site.world.of("disk", "template", known)
    assert disk["storage_domain"] == site.thing("storage_domain", "sd1")["id"]
    assert "no active data domain exp1" in site.wrong(line.replace("sd1", "exp1").replace("tpl1,", ""))[0]


def test_a_template_comes_back_with_its_data_domain(newer):
    known = a_template(newer)
    data1 = newer.thing("storage_domain", "data1")
    # a second domain takes over as master, so that the first one can go
    newer.row("virtsd", "sd1", stype="nfs", location="nfs1:/sd1", host="rhevh1")
    newer.ok("cfgve -t sd -m MGR -o sd1 -c")
    newer.row("virtsd", "data1", stype="nfs", location=f"{data1['address']}:{data1['path']}", host="rhevh1")
    for verb in "sbr":
        newer.ok(f"cfgve -t sd -m MGR -o data1 -{verb}")
    assert newer.world.by_name("template", "tpl1") == []
    newer.ok("cfgve -t sd -m MGR -o data1 -i")
    said = newer.wrong("cfgve -t tpl -m MGR -o tpl1 -i --from-domain data1 --to-domain sd1")
    assert "--to-domain has no effect here. The disks stay on data1" in said[0]
    assert newer.ok("cfgve -t tpl -m MGR -o tpl1 -i --from-domain data1") == ["tpl1: succeeded."]
    assert newer.thing("template", "tpl1")["id"] == known
    assert newer.world.of("disk", "template", known)
    assert newer.ok("cfgve -t tpl -m MGR -o tpl1 -i --from-domain data1") == ["tpl1: nothing to do"]
    (said,) = newer.wrong("cfgve -t tpl -m MGR -o tpl2 -i --from-domain data1")
    assert said == "tpl2: there is no template that the manager does not know on data1. It has: none"


def test_templates_of_a_data_domain_cannot_be_found_before_3_5(older):
    assert "since 3.5 only" in older.wrong("cfgve -t tpl -m MGR -o tpl1 -i --from-domain data1")[0]
