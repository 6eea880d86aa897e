"""Storage domains that could be made and not attached are refused before anything is made."""

from __future__ import annotations

from vesim import each_version

site = each_version(hosts=2)


def refused(site, name):
    site.front.counts.clear()
    said = site.wrong(f"cfgve -t sd -m MGR -o {name} -c")
    assert not [call for call in site.front.counts.report()["requests"] if not call.startswith("GET")]
    assert not site.world.by_name("storage_domain", name)
    return said


def test_a_host_of_another_data_center(site):
    site.ok("cfgve -t dc -m MGR -o dc2 -c -k nfs")
    site.row("virtsd", "sd2", stype="nfs", location="nfs1:/sd2", host="rhevh1", datacenter="dc2")
    assert refused(site, "sd2") == [
        "sd2: the host rhevh1 is in data center Default, not dc2. "
        "Run: chtab node=sd2 virtsd.host=HOST, or virtsd.datacenter=Default"
    ]


def test_a_second_iso_domain(site):
    site.row("virtsd", "iso1", stype="nfs", sdtype="iso", location="nfs1:/iso1", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o iso1 -c")
    site.row("virtsd", "iso2", stype="nfs", sdtype="iso", location="nfs1:/iso2", host="rhevh1")
    assert refused(site, "iso2") == [
        "iso2: the data center Default has the iso domain iso1 already, and can have only one"
    ]
    site.row("virtsd", "exp1", stype="nfs", sdtype="export", location="nfs1:/exp1", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o exp1 -c")
