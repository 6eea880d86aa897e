"""What an engine of 3.x does not have yet is said before anything is begun, dry or not."""

from __future__ import annotations

import pytest

from vesim import Site, starting, version_name
from vmsite import VmSite
from xcat_rhev.engine.arrivals import ARRIVALS

THREES = [(3, minor) for minor in range(7)]
#: What rows ask of machines -> the version that has it, and what is said before.
ROWS = [
    ({"storage": "data1:1g", "storagemodel": "scsi"}, "disk bus virtio_scsi"),
    ({"storage": "data1:1g", "storagemodel": "spapr_vscsi"}, "disk bus spapr_vscsi"),
    ({"storage": "data1:1g", "storagemodel": "sata"}, "disk bus sata"),
    ({"nicmodel": "spapr_vlan"}, "NIC model spapr_vlan"),
    ({"nics": "rhevm:eth0:yes:e1000e"}, "NIC model e1000e"),
    ({"nics": "rhevm:eth0|-:eth1"}, "NIC without a network"),
    ({"cpus": "1:2:2"}, "threads of virtual CPUs"),
    ({"othersettings": "type:high_performance"}, "machine type high_performance"),
    ({"othersettings": "affinity_groups:near"}, "affinity groups"),
    ({"host": "rhevh1,rhevh2"}, "several hypervisors for one machine"),
]
#: The same for things around machines.
LINES = [
    ("cfgve -t dc -m MGR -o dc2 -c -k posixfs", "storage type posixfs"),
    ("cfgve -t dc -m MGR -o dc2 -c -k glusterfs", "storage type glusterfs"),
    ("cfgve -t sd -m MGR -o sd1 -c", "storage type glusterfs"),
    ("cfgve -t nw -m MGR -o lan -c --mtu 9000", "MTUs of networks"),
    ("cfgve -t nw -m MGR -o lan -c --nonvm", "networks for hosts only"),
]


@pytest.fixture(scope="module", params=THREES, ids=version_name)
def site(request, tmp_path_factory):
    with starting(tmp_path_factory) as start:
        yield start(request.param, VmSite)


def begun(site: Site) -> list[str]:
    """The requests that would have changed something."""
    return [call for call in site.front.counts.report()["requests"] if not call.startswith("GET")]


def refused(site: Site, line: str, nodes: list[str], what: str) -> None:
    number, since = (".".join(map(str, version)) for version in (site.version, ARRIVALS[what]))
    for each in (f"{line} --dry-run", line):
        site.ok("lsve -t dc -m MGR")  # the session is warm
        site.front.counts.clear()
        said = site.wrong(each, nodes)
        assert any(f"the manager is {number}; {what} came with {since}" in text for text in said), said
        assert begun(site) == []


@pytest.mark.parametrize(("columns", "what"), ROWS, ids=[what for _, what in ROWS])
def test_what_rows_ask_of_machines(site, columns, what):
    made, new = (f"{word}-{what.replace(' ', '-')}" for word in ("made", "new"))
    site.node(new, **columns)
    if site.version >= ARRIVALS[what]:
        assert "came with" not in str(site.say("mkvm --dry-run", [new]))
        return
    site.made(made)
    site.row("vm", made, **columns)
    refused(site, "mkvm", [new], what)
    refused(site, "chvm", [made], what) if "storage" not in columns else None
    assert site.count("vm", new) == 0


@pytest.mark.parametrize(("line", "what"), LINES, ids=[f"{line.split()[2]}-{what}" for line, what in LINES])
def test_what_is_made_around_machines(site, line, what):
    site.row("virtsd", "sd1", stype="glusterfs", location="gluster1:/vol", host="rhevh1")
    if site.version >= ARRIVALS[what]:
        assert "came with" not in str(site.say(f"{line} --dry-run"))
        return
    refused(site, line, [], what)


def test_systems_of_guests_that_an_engine_does_not_know(site):
    site.node("guest", guestostype="rhel_8x64")
    (said,) = site.wrong("mkvm", ["guest"])
    assert "knows no operating system rhel_8x64" in said and "rhel_6x64" in said
    site.row("vm", "guest", guestostype="rhel_6x64")
    site.ok("mkvm", ["guest"])
    assert site.vm("guest")["os_type"] == "rhel_6x64"


@pytest.mark.parametrize("site", [(3, 0), (3, 1), (3, 2)], indirect=True, ids=version_name)
def test_disks_of_a_template_that_would_have_to_grow(site):
    site.made("small", storage="data1:1g")
    site.ok("clonevm -t tiny", ["small"])
    site.node("large", master="tiny", storage="data1:3g")
    for line in ("mkvm --dry-run", "mkvm", "clonevm -b tiny -d"):
        assert (
            f"1 GiB, not 3 GiB; the manager is 3.{site.version[1]}; disks grow since 3.3"
            in site.wrong(line, ["large"])[0]
        )
    assert site.count("vm", "large") == 0


@pytest.mark.parametrize("site", [(3, 0), (3, 3)], indirect=True, ids=version_name)
def test_template_versions_are_named_as_what_is_lacking(site):
    site.node("versioned", master="gold@2")
    assert "template versions came with 3.4" in site.wrong("mkvm", ["versioned"])[0]
