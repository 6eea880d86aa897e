"""cfgve, lsve, chhypervisor and rmhypervisor over HTTPS against the simulator, in three versions of the engine."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from importlib.util import find_spec

import pytest

from vesim import VERSIONS, starting, version_name
from xcat_rhev.messages import Error
from xcat_rhev.sim.register import register


@pytest.fixture(params=VERSIONS, ids=version_name)
def version(request):
    return request.param


@pytest.fixture
def start(tmp_path_factory, version):
    """A function that starts a site; it ends with the test."""
    with starting(tmp_path_factory) as begin:
        yield partial(begin, version)


@pytest.fixture
def empty(start):
    """A manager as its setup leaves it."""
    return start()


@pytest.fixture
def site(start):
    """A manager with two hosts that are up in `Default`, its data domain and three machines."""
    site = start(hosts=2, vms=3, running=0)
    for number in (1, 2):
        site.row("hypervisor", f"rhevh{number}", type="rhevh", mgr=site.manager)
    return site


def nfs(site, name, path, **more):
    site.row("virtsd", name, stype="nfs", location=f"nfs1:{path}", host="rhevh1", **more)


# Data centers and clusters.


def test_a_data_center_and_clusters_come_and_go(empty):
    assert empty.ok("cfgve -t dc -m MGR -o dc1 -c -k nfs") == ["dc1: succeeded"]
    assert empty.ok("cfgve -t dc -m MGR -o dc1 -c -k nfs") == ["dc1: nothing to do"]
    assert sorted(empty.ok("cfgve -t cl -m MGR -o cl1,cl2 -c -d dc1")) == ["cl1: succeeded", "cl2: succeeded"]
    assert empty.thing("cluster", "cl1")["data_center"] == empty.thing("data_center", "dc1")["id"]
    assert sorted(empty.ok("cfgve -t cl -m MGR -o cl1,cl2 -r")) == ["cl1: succeeded.", "cl2: succeeded."]
    assert empty.ok("cfgve -t dc -m MGR -o dc1 -r") == ["dc1: succeeded."]
    assert empty.ok("cfgve -t dc -m MGR -o dc1 -r") == ["dc1: there is no such data center: nothing to do"]


def test_compatibility_versions(empty, version):
    oldest, newest = {(3, 0): ("2.2", "3.0"), (3, 6): ("3.0", "3.6"), (4, 5): ("4.2", "4.8")}[version]
    for wrong in ("new", "4", "4.7.1", "-1.0"):
        assert (
            "not a compatibility version. Write it as 4.7"
            in empty.wrong(f"cfgve -t dc -m MGR -o dc1 -c -k nfs --compat={wrong}")[0]
        )
    for line in ("-t dc -o dc1 -c -k nfs", "-t cl -o c1 -c -d Default"):
        (said,) = empty.wrong(f"cfgve {line} -m MGR --compat 9.9")
        assert "knows no compatibility level 9.9. It knows " in said and newest in said
    empty.ok(f"cfgve -t dc -m MGR -o dc1 -c -k nfs --compat {oldest}")
    made = empty.thing("data_center", "dc1")
    assert f"{made['major']}.{made['minor']}" == oldest
    empty.ok("cfgve -t cl -m MGR -o c1 -c -d dc1")
    cluster = empty.thing("cluster", "c1")
    assert f"{cluster['major']}.{cluster['minor']}" == oldest


def test_cpu_types_are_listed_on_a_wrong_one_and_the_lowest_is_taken_for_none(empty, version):
    lowest = "Intel Conroe Family" if version < (4, 0) else "Intel Nehalem Family"
    (said,) = empty.wrong("cfgve -t cl -m MGR -o c1 -c -d Default -p 'Z80 Family'")
    assert "CPU type 'Z80 Family' is not offered by" in said and lowest in said
    empty.ok("cfgve -t cl -m MGR -o c1 -c -d Default")
    assert empty.thing("cluster", "c1")["cpu_type"] == lowest
    empty.ok("cfgve -t cl -m MGR -o c2 -c -d Default -p 'intel westmere FAMILY'")
    assert empty.thing("cluster", "c2")["cpu_type"] == "Intel Westmere Family"


@pytest.mark.parametrize("kind", ["nfs", "fcp", "iscsi", "posixfs", "glusterfs"])
def test_every_kind_of_shared_storage(empty, version, kind):
    line = f"cfgve -t dc -m MGR -o dc1 -c -k {kind}"
    if version < {"posixfs": (3, 1), "glusterfs": (3, 3)}.get(kind, (3, 0)):
        assert f"storage type {kind} came with 3." in empty.wrong(line)[0]
        return
    empty.ok(line)
    assert empty.ok(line) == ["dc1: nothing to do"]
    assert "created with" in empty.wrong("cfgve -t dc -m MGR -o dc1 -c -k localfs")[0]
    other = "cfgve -t dc -m MGR -o dc1 -c -k " + ("fcp" if kind == "nfs" else "nfs")
    if version < (3, 4):
        assert f"created with {kind} storage, not" in empty.wrong(other)[0]
    else:  # they only tell local from shared
        assert empty.ok(other) == ["dc1: nothing to do"]


def test_a_local_data_center(empty, version):
    empty.ok("cfgve -t dc -m MGR -o dc1 -c -k localfs")
    assert empty.thing("data_center", "dc1")["local"]
    assert "  storagetype: localfs" in empty.ok("lsve -t dc -m MGR -o dc1")


def test_a_wrong_cpu_type_is_answered_with_the_managers_own_list(empty):
    (said,) = empty.wrong("cfgve -t cl -m MGR -o cl1 -c -d Default -p 'Intel 8086'")
    assert "It offers: " in said and "Intel Nehalem Family" in said
    assert empty.ok("cfgve -t cl -m MGR -o cl1 -c -d Default -p 'intel nehalem family'") == ["cl1: succeeded"]
    assert empty.thing("cluster", "cl1")["cpu_type"] == "Intel Nehalem Family"


def test_a_cluster_gets_the_first_makers_weakest_cpu_type(empty, version):
    empty.ok("cfgve -t cl -m MGR -o cl1 -c -d Default")
    weakest = "Intel Nehalem Family" if version >= (4, 3) else "Intel Conroe Family"
    assert empty.thing("cluster", "cl1")["cpu_type"] == weakest


# Networks.


def test_networks_come_and_go(site):
    assert site.ok("cfgve -t nw -m MGR -o nw1 -c -n 100") == ["nw1: succeeded"]
    assert site.thing("network", "nw1")["vlan"] == 100
    assert site.ok("cfgve -t nw -m MGR -o nw1 -c -n 100") == ["nw1: nothing to do"]
    assert "VLAN 101" in site.wrong("cfgve -t nw -m MGR -o nw1 -c -n 101")[0]
    assert site.ok("cfgve -t nw -m MGR -o nw1 -u -n 101") == ["nw1: succeeded"]
    assert site.thing("network", "nw1")["vlan"] == 101
    assert site.ok("cfgve -t nw -m MGR -o nw1 -a") == ["nw1: succeeded"]
    assert site.ok("cfgve -t nw -m MGR -o nw1 -a") == ["nw1: nothing to do"]
    assert site.thing("host", "rhevh1")["status"] == "up"  # it is not required, so nobody minds
    assert site.ok("cfgve -t nw -m MGR -o nw1 -b") == ["nw1: succeeded."]
    assert site.ok("cfgve -t nw -m MGR -o nw1 -r") == ["nw1: succeeded."]
    assert site.world.by_name("network", "nw1") == []


def test_a_vm_network_has_a_profile_and_one_for_hosts_has_none(site, version):
    if version < (3, 3):
        return
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    site.ok("cfgve -t nw -m MGR -o san -c --nonvm")
    names = {profile["name"] for profile in site.world.all("vnic_profile")}
    assert "nw1" in names and "san" not in names


def test_what_the_manager_refuses_is_said_in_its_words(site):
    if site.version >= (4, 0):  # which lets several networks have one VLAN
        (said,) = site.wrong(f"cfgve -t nw -m MGR -o {'n' * 300} -c")
        assert "Attribute: network.name" in said
        return
    (said,) = site.wrong("cfgve -t nw -m MGR -o nw1,nw2 -c -n 7")
    assert "VLAN" in said.upper()
    assert len(site.world.by_name("network", "nw1")) + len(site.world.by_name("network", "nw2")) == 1


# Storage domains.


def test_an_nfs_domain_from_nothing_to_formatted(site):
    nfs(site, "sd1", "/one")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]
    assert site.thing("storage_domain", "sd1")["status"] == "active"
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: nothing to do"]
    assert site.ok("cfgve -t sd -m MGR -o sd1 -s") == ["sd1: succeeded."]
    assert site.thing("storage_domain", "sd1")["status"] == "maintenance"
    assert site.ok("cfgve -t sd -m MGR -o sd1 -b") == ["sd1: succeeded."]
    assert site.thing("storage_domain", "sd1")["status"] == "unattached"
    assert site.ok("cfgve -t sd -m MGR -o sd1 -a") == ["sd1: succeeded."]
    site.ok("cfgve -t sd -m MGR -o sd1 -g")
    assert site.thing("storage_domain", "sd1")["status"] == "active"
    assert site.ok("cfgve -t sd -m MGR -o sd1 -r -f") == ["sd1: delete storage domain succeeded."]
    assert site.world.by_name("storage_domain", "sd1") == []
    assert "nothing to do" in site.ok("cfgve -t sd -m MGR -o sd1 -r -f")[0]


@pytest.mark.parametrize("stop", ["-s", "-b"])
def test_a_half_made_domain_is_completed(site, stop):
    nfs(site, "sd1", "/one")
    site.ok("cfgve -t sd -m MGR -o sd1 -c")
    site.ok("cfgve -t sd -m MGR -o sd1 -s")
    if stop == "-b":
        site.ok("cfgve -t sd -m MGR -o sd1 -b")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]
    assert site.thing("storage_domain", "sd1")["status"] == "active"


@pytest.mark.parametrize(
    ("stype", "sdtype", "location", "since"),
    [
        ("nfs", "iso", "nfs1:/iso", (3, 0)),
        ("nfs", "export", "nfs1:/export", (3, 0)),
        ("nfs", "data", "[fd00::1]:/six|version=v4|options=soft", (3, 1)),
        ("posixfs", "data", "/dev/sdb1|vfs=xfs", (3, 1)),
        ("posixfs", "data", "ceph:/vol|vfs=ceph", (3, 1)),
        ("glusterfs", "data", "g1:/data", (3, 3)),
        ("fcp", "data", "3600a098000000001", (3, 0)),
    ],
)
def test_every_kind_of_storage(site, version, stype, sdtype, location, since):
    if version < since:
        return
    site.row("virtsd", "sd1", stype=stype, sdtype=sdtype, location=location, host="rhevh1")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]
    made = site.thing("storage_domain", "sd1")
    assert (made["storage_type"], made["type"], made["status"]) == (stype, sdtype, "active")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: nothing to do"]


def test_iscsi_is_logged_in_to_and_its_free_lun_taken(site, version):
    site.row("virtsd", "sd1", stype="iscsi", location="10.0.0.5", host="rhevh1")
    (said,) = site.wrong("cfgve -t sd -m MGR -o sd1 -c")
    assert "has these free LUNs: 36001405" in said and "Add |lun=" in said
    luns = said.partition("LUNs: ")[2].partition(". Add")[0].split(", ")
    site.row("virtsd", "sd1", location=f"10.0.0.5:3260|lun={luns[0]}")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]
    assert site.thing("storage_domain", "sd1")["luns"][0]["id"] == luns[0]
    if version >= (3, 1):  # before that nothing says who has a LUN
        site.row("virtsd", "sd2", stype="iscsi", location="10.0.0.5", host="rhevh2")
        assert site.ok("cfgve -t sd -m MGR -o sd2 -c") == ["sd2: create storage domain succeeded."]
        assert site.thing("storage_domain", "sd2")["luns"][0]["id"] == luns[1]


def test_what_a_version_does_not_have_is_an_error_and_makes_nothing(start, version):
    site = start(hosts=1)
    if version >= (3, 1):
        return
    site.row("virtsd", "sd1", stype="posixfs", location="/dev/sdb1|vfs=xfs", host="rhevh1")
    assert site.wrong("cfgve -t sd -m MGR -o sd1 -c")
    assert site.world.by_name("storage_domain", "sd1") == []


def test_local_storage_in_a_data_center_of_its_own(empty):
    empty.ok("cfgve -t dc -m MGR -o local1 -c -k localfs")
    empty.ok("cfgve -t cl -m MGR -o lcl -c -d local1")
    empty.row("hypervisor", "n1", type="rhevh", mgr=empty.manager, cluster="lcl", password="geheim")
    empty.ok("chhypervisor -a", ["n1"])
    empty.row("virtsd", "sd1", stype="localfs", host="n1", datacenter="local1")
    assert empty.ok("cfgve -t sd -m MGR -o sd1 -c") == ["sd1: create storage domain succeeded."]
    assert empty.thing("data_center", "local1")["status"] == "up"
    assert "detaching local storage" in empty.wrong("cfgve -t sd -m MGR -o sd1 -b")[0]
    # The engine formats local storage when its data center is removed: its name has to be typed.
    both = f"cfgve -t dc -m {empty.manager} -o local1,sd1 -r -f"
    for line in ("-t dc -o local1 -r -f", "-t dc -o local1,sd9 -r -f"):
        assert f"removing it formats its local storage sd1. If that is what you want, run: {both}" in "".join(
            empty.wrong(f"cfgve {line} -m MGR")
        )
    assert both in empty.wrong("cfgve -t sd -m MGR -o sd1 -r -f")[0]
    empty.ok("cfgve -t sd -m MGR -o sd1 -s")
    assert "removing it formats" in empty.wrong("cfgve -t dc -m MGR -o local1,sd1 -r")[0]
    assert empty.world.by_name("storage_domain", "sd1")
    assert empty.ok(both) == ["local1: succeeded."]
    assert empty.world.by_name("storage_domain", "sd1") == []


def test_several_domains_into_an_empty_data_center_at_once(empty):
    empty.ok("cfgve -t dc -m MGR -o dc1 -c -k nfs")
    empty.ok("cfgve -t cl -m MGR -o cl1 -c -d dc1")
    empty.row("hypervisor", "rhevh1", type="rhevh", mgr=empty.manager, cluster="cl1", password="geheim")
    empty.ok("chhypervisor -a", ["rhevh1"])
    for name, kind in (("iso1", "iso"), ("sd1", "data"), ("sd2", "data"), ("exp1", "export")):
        nfs(empty, name, f"/{name}", sdtype=kind, datacenter="dc1")
    said = empty.ok("cfgve -t sd -m MGR -o iso1,sd1,sd2,exp1 -c")
    assert len(said) == 4 and said[0].startswith("sd1: ")
    assert empty.thing("data_center", "dc1")["status"] == "up"
    assert empty.thing("storage_domain", "sd1")["master"]


def test_the_last_active_domain_and_one_with_running_machines_stay(site):
    (said,) = site.wrong("cfgve -t sd -m MGR -o data1 -r -f")
    assert "last active data domain" in said
    nfs(site, "sd1", "/one")
    site.ok("cfgve -t sd -m MGR -o sd1 -c")
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("rpower on", ["vm1"])
    (said,) = site.wrong("cfgve -t sd -m MGR -o data1 -r -f")
    assert "virtual machines run from it: vm1" in said
    assert site.thing("storage_domain", "data1")["status"] == "active"


def test_a_wrong_row_makes_no_request_that_changes_anything(site):
    site.row("virtsd", "sd1", stype="nfs", location="nowhere", sdtype="tape")
    before = len(site.world.all("storage_domain"))
    assert len(site.wrong("cfgve -t sd -m MGR -o sd1 -c")) == 3
    assert len(site.world.all("storage_domain")) == before


# Templates.


def test_a_template_goes_unless_machines_are_built_on_it(site):
    center = site.thing("data_center", "Default")
    assert center["status"] == "up"
    site.host.set_node_attrs("vm", {"vm1": {"mgr": site.manager}})
    site.ok("clonevm -t tpl1", ["vm1"])
    assert site.ok("cfgve -t tpl -m MGR -o tpl1 -r") == ["tpl1: succeeded."]
    assert "nothing to do" in site.ok("cfgve -t tpl -m MGR -o tpl1 -r")[0]
    assert "cannot be removed" in site.wrong("cfgve -t tpl -m MGR -o Blank -r")[0]


def test_a_template_is_exported(site):
    nfs(site, "exp1", "/exp", sdtype="export")
    site.ok("cfgve -t sd -m MGR -o exp1 -c")
    site.row("vm", "vm1", mgr=site.manager)
    site.ok("clonevm -t tpl1", ["vm1"])
    assert site.ok("cfgve -t tpl -m MGR -o tpl1 -x exp1") == ["tpl1: succeeded."]
    assert "nothing to do, unless -f" in site.ok("cfgve -t tpl -m MGR -o tpl1 -x exp1")[0]
    assert "data1 is a domain of type data" in site.wrong("cfgve -t tpl -m MGR -o tpl1 -x data1")[0]


def test_a_domain_of_another_manager_is_taken_over(site, version):
    nfs(site, "sd1", "/old")
    assert site.ok("cfgve -t sd -m MGR -o sd1 -i") == ["sd1: import storage domain succeeded."]
    assert site.thing("storage_domain", "sd1")["status"] == "active"


# Hosts.


def test_a_registered_host_is_approved(site):
    register(site.world, "rhevh9", "10.9.9.9", "uuid_52:54:00:00:00:09")
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager)
    assert site.ok("chhypervisor -a", ["rhevh9"]) == ["rhevh9: approved.", "rhevh9: up"]
    assert site.ok("chhypervisor -a", ["rhevh9"]) == ["rhevh9: up: nothing to do"]


def test_a_host_that_registered_with_its_full_name_is_found(site):
    register(site.world, "rhevh9.example.com", "10.9.9.9", "uuid_52:54:00:00:00:09")
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager)
    assert site.ok("chhypervisor -a", ["rhevh9"]) == ["rhevh9: approved.", "rhevh9: up"]


@pytest.mark.parametrize("user", ["root", "stack"])
@pytest.mark.parametrize("password", ["", "geheim"])
def test_a_host_is_added_with_a_password_or_the_managers_key(site, version, user, password):
    site.row("hypervisor", "kvm1", mgr=site.manager, user=user, password=password)
    site.row("hosts", "kvm1", ip="10.9.9.1")
    if version < (3, 3) and (user, password) != ("root", "geheim"):
        (said,) = site.wrong("chhypervisor -a", ["kvm1"])
        assert "logs in as root with a password, and knows no other way. Run: chtab node=kvm1" in said
        return
    assert site.ok("chhypervisor -a", ["kvm1"]) == ["kvm1: added.", "kvm1: up"]
    made = site.thing("host", "kvm1")
    assert made["address"] == "10.9.9.1"
    if password and user == "root":
        assert not made.get("ssh_method")
    else:
        assert made["ssh_method"] == ("password" if password else "publickey")
        assert made.get("ssh_user") == (None if user == "root" else user)


def test_a_longer_name_is_another_host(site):
    register(site.world, "rhevh99", "10.9.9.99", "uuid_52:54:00:00:00:99")
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager)
    assert "has not registered" in site.wrong("chhypervisor -a", ["rhevh9"])[0]


def test_an_installation_that_fails_is_told_with_the_managers_event(site):
    register(site.world, "rhevh9", "10.9.9.9", "uuid_52:54:00:00:00:09")
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager)
    text = "Host rhevh9 installation failed. Unexpected connection termination."
    site.faults([{"do": "fail", "state": "host.approve", "name": "rhevh9", "text": text}])
    said = site.wrong("chhypervisor -a", ["rhevh9"])
    assert "install_failed" in said[0] and "Unexpected connection termination" in said[0]
    site.mend()
    assert "--reinstall" in site.wrong("chhypervisor -a", ["rhevh9"])[0]
    site.row("hypervisor", "rhevh9", password="geheim")
    assert site.ok("chhypervisor --reinstall", ["rhevh9"])[-1] == "rhevh9: up"


def test_a_host_that_does_not_come_up_in_time_is_told_with_the_managers_events(site):
    site.row("hypervisor", "kvm1", mgr=site.manager, password="geheim")
    site.faults([{"do": "never", "state": "host.install"}])
    (said,) = site.wrong("chhypervisor -a --timeout 30", ["kvm1"])
    assert (
        re.search(r"kvm1 is still installing after (29|30) s", said) and "the manager says: Host kvm1 was added" in said
    )


def test_maintenance_and_back(site):
    assert site.ok("chhypervisor -d", ["rhevh1", "rhevh2"])
    assert site.thing("host", "rhevh1")["status"] == "maintenance"
    assert sorted(site.ok("chhypervisor -d", ["rhevh1", "rhevh2"])) == [
        "rhevh1: maintenance: nothing to do",
        "rhevh2: maintenance: nothing to do",
    ]
    assert sorted(site.ok("chhypervisor -e", ["rhevh1", "rhevh2"])) == ["rhevh1: succeeded.", "rhevh2: succeeded."]


def test_maintenance_that_never_comes_names_the_machines(start):
    site = start(hosts=2, vms=4, running=100)
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager)
    site.faults([{"do": "never", "state": "vm.migrate"}])
    on = [vm["name"] for vm in site.world.of("vm", "host", site.thing("host", "rhevh1")["id"])]
    (said,) = site.wrong("chhypervisor -d --timeout 30", ["rhevh1"])
    assert re.search(r"is still preparing_for_maintenance after (29|30) s", said)
    assert on and f"virtual machines are still on it: {', '.join(sorted(on))}. Migrate or stop them" in said


def test_machines_that_cannot_migrate_are_named_before_a_host_is_touched(start, version):
    site = start(hosts=2, vms=4, running=100)
    for number in (1, 2):
        site.row("hypervisor", f"rhevh{number}", type="rhevh", mgr=site.manager)
    both = ["rhevh1", "rhevh2"]
    said = sorted(site.wrong("chhypervisor -d", both))
    assert len(said) == 2 and all("no other host of their cluster is up and stays up: vm" in line for line in said)
    assert all("Run: rpower vm" in line for line in said)
    assert {site.thing("host", name)["status"] for name in both} == {"up"}
    (on, *_) = site.world.of("vm", "host", site.thing("host", "rhevh1")["id"])
    site.world.change(on, affinity="user_migratable")
    if version < (4, 0):  # the manager itself refuses, and names it
        assert f"non-migratable VMs are: {on['name']}" in site.wrong("chhypervisor -d", ["rhevh1"])[0]
        site.world.change(on, affinity="migratable")
    assert site.ok("chhypervisor -d", ["rhevh1"]) == ["rhevh1: succeeded."]
    assert "no other host of their cluster is up" in site.wrong("rmhypervisor -f", ["rhevh2"])[0]


def test_a_host_leaves(site):
    assert "Give -f" in site.wrong("rmhypervisor", ["rhevh2"])[0]
    assert site.ok("rmhypervisor -f", ["rhevh2"]) == ["rhevh2: succeeded."]
    assert site.world.by_name("host", "rhevh2") == []
    assert site.ok("rmhypervisor -f", ["rhevh2"]) == ["rhevh2: there is no such host: nothing to do"]


@pytest.mark.parametrize(
    "interface",
    [
        "nw1:eth1:none",
        "nw1:eth1:dhcp",
        "nw1:eth1:static:10.1.0.2:255.255.0.0",
        "nw1:bond0=eth1+eth2,mode=1:none",
        "vl:eth1.100:none",
        "vl:bond0.100=eth1+eth2:static:10.1.0.2:255.255.0.0|nw1:bond0:none",
    ],
)
def test_networks_bonds_and_vlans_of_a_host(site, version, interface):
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    site.ok("cfgve -t nw -m MGR -o vl -c -n 100")
    site.ok("cfgve -t nw -m MGR -o nw1,vl -a")
    site.ok("chhypervisor -d", ["rhevh1"])
    site.row("hypervisor", "rhevh1", interface=interface)
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: succeeded."]
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]
    assert site.ok("chhypervisor -e", ["rhevh1"]) == ["rhevh1: succeeded."]


def cards(site, name):
    """The cards of a host that have a network: name -> network and address."""
    known = site.thing("host", name)["id"]
    return {
        nic["name"]: (site.world.the("network", nic["network"])["name"], nic.get("ip_address"))
        for nic in site.world.of("host_nic", "host", known)
        if nic.get("network") and nic["name"] != "eth0"
    }


def test_vlans_stand_beside_an_untagged_network_and_move_with_their_addresses(site):
    site.ok("cfgve -t nw -m MGR -o nw1 -c")
    for vlan in (100, 200):
        site.ok(f"cfgve -t nw -m MGR -o v{vlan} -c -n {vlan}")
    site.ok("cfgve -t nw -m MGR -o nw1,v100,v200 -a")
    row = "nw1:eth1:none|v100:eth1:static:10.1.0.2:255.255.0.0|v200:eth1.200:dhcp"
    site.row("hypervisor", "rhevh1", interface=row)
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: succeeded."]
    assert cards(site, "rhevh1") == {
        "eth1": ("nw1", None),
        "eth1.100": ("v100", "10.1.0.2"),
        "eth1.200": ("v200", None),
    }
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]
    # another address is set where the VLAN is, and nothing else is touched
    site.row("hypervisor", "rhevh1", interface=row.replace("10.1.0.2", "10.1.0.3"))
    cost = site.cost("chhypervisor -n", ["rhevh1"])
    assert not any(call.endswith(("attach", "detach")) for call in cost)
    assert cards(site, "rhevh1")["eth1.100"] == ("v100", "10.1.0.3")
    # to another card
    site.row("hypervisor", "rhevh1", interface="nw1:eth1:none|v100:eth2:static:10.1.0.3:255.255.0.0|v200:eth1:dhcp")
    site.ok("chhypervisor -n", ["rhevh1"])
    assert cards(site, "rhevh1") == {
        "eth1": ("nw1", None),
        "eth2.100": ("v100", "10.1.0.3"),
        "eth1.200": ("v200", None),
    }
    site.row("hypervisor", "rhevh1", interface="v100:eth2.101:dhcp")
    (said,) = site.wrong("chhypervisor -n", ["rhevh1"])
    assert said == "rhevh1: network v100 has VLAN 100, but hypervisor.interface says eth2.101"


def test_networks_that_cannot_be(site):
    site.row("hypervisor", "rhevh1", interface="nonet:eth1:none|nw2:eth9:dhcp")
    site.ok("cfgve -t nw -m MGR -o nw2 -c")
    said = site.wrong("chhypervisor -n", ["rhevh1"])
    assert len(said) == 3
    assert any("nonet does not exist" in line for line in said)
    assert any(
        f"network nw2 is not in cluster Default. Run: cfgve -t nw -m {site.manager} -o nw2 -a -l Default" in line
        for line in said
    )
    assert any("does not have interface eth9" in line for line in said)


def test_power_management_of_a_host_with_another_port(site):
    site.row("nodehm", "rhevh1", mgt="ipmi")
    site.row("ipmi", "rhevh1", bmc="bmc1", username="u", password="p")
    site.world.change(site.thing("host", "rhevh1"), port=54399)
    assert site.ok("chhypervisor -p", ["rhevh1"])[1] == "rhevh1: power management answers: on"
    assert site.thing("host", "rhevh1")["port"] == 54399


def test_power_management_is_set_and_tried(site):
    for number in (1, 2):
        site.row("nodehm", f"rhevh{number}", mgt="ipmi" if number == 1 else "openbmc")
        site.row("ipmi" if number == 1 else "openbmc", f"rhevh{number}", bmc=f"bmc{number}", username="u", password="p")
    said = site.ok("chhypervisor -p", ["rhevh1", "rhevh2"])
    assert sorted(said) == [
        "rhevh1: Setting power management: bmc1",
        "rhevh1: power management answers: on",
        "rhevh2: Setting power management: bmc2",
        "rhevh2: power management answers: on",
    ]


# Showing.


def test_a_data_center_is_shown_alike_in_all_versions(site):
    lines = site.ok("lsve -t dc -m MGR -o Default")
    heads = [line for line in lines if line.endswith("]")]
    assert heads[0] == "datacenters: [Default]"
    assert heads[1] == "    clusters: [Default]"
    assert heads[2] == "    storagedomains: [data1]"
    assert heads[-1] == "    templates: [Blank]"
    assert "      status: active" in lines


def test_every_type_is_shown_as_text_and_json(site):
    for kind in ("dc", "cl", "sd", "nw", "tpl"):
        assert site.ok(f"lsve -t {kind} -m MGR")
        for line in site.ok(f"lsve -t {kind} -m MGR --json"):
            assert json.loads(line)["name"]
    found = json.loads(site.ok("lsve -t dc -m MGR -o Default --json")[0])
    assert found["storagedomains"][0]["status"] == "active"


def test_what_is_not_there_is_an_error(site):
    assert site.wrong("lsve -t cl -m MGR -o nowhere,Default") == [f"nowhere: cannot find the cluster on {site.manager}"]


@pytest.mark.skipif(
    not shutil.which("dot") or not find_spec("graphviz"), reason="Graphviz or its package is not installed"
)
def test_the_picture_has_everything(site, tmp_path):
    (said,) = site.ok("lsve -m MGR --graph site.svg", cwd=str(tmp_path))
    assert said == f"{tmp_path}/site.svg: written"
    text = (tmp_path / "site.svg").read_text()
    for word in ("rhevh1", "rhevh2", "vm1", "data1", "Default", "2 hosts, 3 virtual machines"):
        assert word in text
    # what a daemon writes as root because a client named it is never a file that is there
    assert "is there already" in site.wrong("lsve -m MGR --graph site.svg", cwd=str(tmp_path))[0]
    assert (tmp_path / "site.svg").read_text() == text


# Secrets.


def test_no_secret_is_shown_however_much_is_asked_for(site):
    secrets = {"ssh": "s3ntinel-ssh", "bmc": "s3ntinel-bmc", "chap": "s3ntinel-chap"}
    site.row("hypervisor", "kvm1", mgr=site.manager, type="rhevh", password=secrets["ssh"])
    site.row("nodehm", "rhevh1", mgt="ipmi")
    site.row("ipmi", "rhevh1", bmc="bmc1", username="u", password=secrets["bmc"])
    site.host.tables["passwd"].append({"key": "sd1", "username": "u", "password": secrets["chap"]})
    site.row("virtsd", "sd1", stype="iscsi", location="10.0.0.5|user=u", host="rhevh1")
    said = [
        *site.say("chhypervisor -a -V", ["kvm1"]),
        *site.say("chhypervisor -p -V", ["rhevh1"]),
        *site.say("cfgve -t sd -m MGR -o sd1 -c -V"),
        *site.say("chhypervisor -a --dry-run -V", ["kvm1"]),
    ]
    shown = "\n".join(message.text for message in said)
    assert "POST " in shown and "******" in shown
    for secret in (*secrets.values(), "secret</password>"):
        assert secret not in shown


# Order and outage.


def test_a_dry_run_changes_nothing(site):
    nfs(site, "sd1", "/one")
    assert len(site.ok("cfgve -t sd -m MGR -o sd1 -c --dry-run")) == 5
    assert site.ok("chhypervisor -d --dry-run", ["rhevh1"])[0] == "rhevh1: deactivate"
    assert site.ok("cfgve -t nw -m MGR -o nw1 -c --dry-run") == ["nw1: create network in Default"]
    assert site.world.by_name("storage_domain", "sd1") == []
    assert site.thing("host", "rhevh1")["status"] == "up"


def test_a_dead_manager_does_not_stop_the_others(site):
    site.row("hypervisor", "lost1", type="rhevh", mgr="127.0.0.1:1")
    said = site.say("chhypervisor -e", ["lost1", "rhevh1"])
    assert "rhevh1: up: nothing to do" in [f"{m.node}: {m.text}" for m in said]
    (error,) = [m for m in said if isinstance(m, Error)]
    assert error.node == "lost1" and "127.0.0.1:1" in error.text


def test_a_dead_manager_among_named_ones_does_not_stop_the_others(site):
    said = site.say(f"cfgve -t nw -m 127.0.0.1:1,{site.manager} -o nw1 -c")
    assert [m.text for m in said if not isinstance(m, Error)] == ["succeeded"]
    (error,) = [m for m in said if isinstance(m, Error)]
    assert "127.0.0.1:1" in error.text
    said = site.say(f"lsve -t cl -m {site.manager},127.0.0.1:1")
    assert any(m.text.startswith(f"managers: [{site.manager}]\nclusters: [Default]") for m in said)


def test_a_manager_that_is_not_there_is_one_line(site):
    (line,) = site.wrong("lsve -t dc -m 127.0.0.1:1")
    assert "127.0.0.1:1" in line and "Traceback" not in line
