"""cfgve against the simulator: what is made, what is left alone, what is refused."""

import pytest

from vesim import each_version, lun_of
from xcat_rhev.sim.resources.san import FIBRE
from xcat_rhev.sim.resources.vmshape import BLANK
from xcat_rhev.sim.world import ZERO

site = each_version(((4, 5),), hosts=1)

NFS = {"stype": "nfs", "location": "nfs1:/data", "host": "rhevh1"}
PORTAL = "10.0.0.5"
TARGET = f"iqn.2026-01.com.example:{PORTAL}"
FIRST, SECOND = lun_of(5), lun_of(5)[:-1] + "2"


def cfg(site, line, **virtsd):
    for name, row in virtsd.items():
        site.row("virtsd", name, **row)
    site.changes()
    said = site.lines(f"cfgve -m MGR {line}")
    return [each for each in said if not each.startswith("waiting for ")]  # a busy machine makes a command say so


def add_domain(site, state="active", name="sd1", **more):
    """A storage domain of the data center Default, or of none when it is unattached."""
    home = None if state == "unattached" else site.thing("data_center", "Default")["id"]
    place = {"type": "data", "storage_type": "nfs", "address": "nfs1", "path": "/data", "storage_format": "v5"}
    sizes = {"available": 1 << 40, "used": 0, "committed": 0, "block_size": 512}
    values = {**place, **sizes, "data_center": home, "master": False, "external_status": "ok", **more}
    return site.world.add("storage_domain", name=name, status=state, **values)


def add_vm(site, domain=None, name="vm1", status="up"):
    """A machine with a disk on a domain; one that is up runs on rhevh1."""
    cluster, host = site.thing("cluster", "Default"), site.thing("host", "rhevh1")
    on = {"host": host["id"]} if status == "up" else {}
    vm = site.world.add(
        "vm", **{**BLANK, "status": status, **on}, name=name, cluster=cluster["id"], template=ZERO, description=""
    )
    if domain:
        disk = {"size": 1 << 30, "format": "cow", "interface": "virtio", "bootable": True, "active": True}
        site.world.add(
            "disk", name=f"{name}_Disk1", vm=vm["id"], storage_domain=domain["id"], status="ok", used=1 << 30, **disk
        )
    return vm


def copied(site, thing, **values):
    """Another thing like one that is there."""
    like = {key: value for key, value in thing.items() if key not in ("kind", "id", "v", "turn")}
    return site.world.add(thing["kind"], **{**like, **values})


def state(site, name):
    site.world.settle()
    return site.thing("storage_domain", name)["status"]


def things(site, kind, name):
    site.world.settle()
    return site.world.by_name(kind, name)


# Words.


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-o x -c", "needs -t"),
        ("-t dc -c", "needs -o"),
        ("-t dc -o , -c", "needs -o"),
        ("-t dc -o x", "exactly one of -c -u -r for a data center"),
        ("-t dc -o x -c -r", "exactly one of -c -u -r"),
        ("--from x.yaml -o x", "-o/--objects cannot be used with --from"),
        ("--from x.txt", "not the name of a description"),
        ("-t dc -o x -a", "-a does not exist for a data center"),
        ("-t tpl -o x -c", "-c does not exist for a template"),
        ("-t dc -o x -c -k nfs -n 7", "-n/--vlan cannot be used with -c for a data center"),
        ("-t nw -o x -c -n 0", "not a number from 1 to 4094"),
        ("-t nw -o x -c -n 4095", "not a number from 1 to 4094"),
        ("-t nw -o x -c --mtu big", "--mtu big"),
        ("-t dc -o x -c", "the storage type needs to be specified by -k"),
        ("-t cl -o x -c", "the datacenter for the cluster must be specified"),
        ("-t dc -o x -c -k nfs rest", "'rest'"),
        ("-t dc -o x -c -k cifs", "nfs, fcp, iscsi"),
    ],
)
def test_wrong_words_do_nothing(site, line, named):
    (said,) = cfg(site, line)
    assert said.startswith("!") and named in said
    assert not site.changes()


# Data centers.


def test_data_centers_are_made_once(site):
    assert sorted(cfg(site, "-t dc -o a,b,a -c -k nfs --compat 4.6")) == ["a: succeeded", "b: succeeded"]
    made = site.thing("data_center", "a")
    assert (made["local"], made["major"], made["minor"]) == (False, 4, 6)
    assert sorted(cfg(site, "-t dc -o a,b -c -k fcp")) == ["a: nothing to do", "b: nothing to do"]
    assert not site.changes()


def test_a_data_center_of_the_other_sort_is_no_success(site):
    cfg(site, "-t dc -o a -c -k localfs")
    assert cfg(site, "-t dc -o a -c -k nfs") == ["!a: data center has been created with localfs storage, not nfs"]


def test_one_failing_object_leaves_the_others_alone(site):
    site.faults([{"do": "status", "method": "POST", "path": "/datacenters", "body": "<name>a<", "status": 409}])
    said = sorted(cfg(site, "-t dc -o a,b -c -k nfs"))
    assert said[0].startswith("!a: ") and said[1:] == ["b: succeeded"]


def test_an_empty_data_center_is_removed_and_the_second_time_there_is_nothing_to_do(site):
    cfg(site, "-t dc -o a -c -k nfs")
    assert cfg(site, "-t dc -o a -r") == ["a: succeeded."]
    assert cfg(site, "-t dc -o a -r") == ["a: there is no such data center: nothing to do"]


def test_a_data_center_with_running_machines_stays_even_by_force(site):
    add_vm(site)
    assert cfg(site, "-t dc -o Default -r -f") == ["!Default: virtual machines are not down: vm1. Run: rpower vm1 off"]
    assert not site.changes()


def test_a_data_center_with_active_storage_needs_force(site):
    (said,) = cfg(site, "-t dc -o Default -r")
    assert "storage domains are active in it: data1" in said and not site.changes()
    assert cfg(site, "-t dc -o Default -r -f") == ["Default: succeeded."]
    assert site.changes() == ["DELETE /datacenters/{id}"] and not things(site, "data_center", "Default")


def test_what_a_removed_data_center_leaves_behind_is_said(site):
    cfg(site, "-t dc -o dc1 -c -k nfs")
    cfg(site, "-t cl -o x1 -c -d dc1")
    said = cfg(site, "-t dc -o dc1 -r")
    assert said[0].startswith(
        "dc1: these clusters would have no data center: x1. To give a cluster another data center, "
    )
    assert said[1] == "dc1: succeeded."


# Clusters.


def test_a_cluster_takes_the_managers_first_cpu_type_and_the_data_centers_version(site):
    cfg(site, "-t dc -o dc1 -c -k nfs --compat 4.6")
    assert cfg(site, "-t cl -o cl2 -c -d dc1") == ["cl2: succeeded"]
    made = site.thing("cluster", "cl2")
    assert (made["cpu_type"], made["major"], made["minor"]) == ("Intel Nehalem Family", 4, 6)
    assert made["data_center"] == site.thing("data_center", "dc1")["id"]
    assert cfg(site, "-t cl -o cl2 -c -d dc1") == ["cl2: nothing to do"]


def test_a_wrong_cpu_type_lists_those_that_exist(site):
    (said,) = cfg(site, "-t cl -o cl2 -c -d Default -p Penryn")
    assert "It offers: Intel Nehalem Family, " in said and "AMD Opteron G4" in said


def test_a_cluster_in_a_data_center_that_is_not_there(site):
    assert "failed to get datacenter: dc9" in cfg(site, "-t cl -o cl2 -c -d dc9")[0]


def test_a_cluster_of_that_name_in_another_data_center(site):
    cfg(site, "-t dc -o dc2 -c -k nfs")
    assert cfg(site, "-t cl -o Default -c -d dc2") == [
        "!Default: cluster has been created in data center Default, not dc2"
    ]


def test_a_cluster_with_hosts_or_machines_stays(site):
    (said,) = cfg(site, "-t cl -o Default -r -f")
    assert said == "!Default: hosts are in it: rhevh1. Run: rmhypervisor rhevh1 -f"
    cfg(site, "-t cl -o cl1 -c -d Default")
    site.world.change(add_vm(site, status="down"), cluster=site.thing("cluster", "cl1")["id"])
    (said,) = cfg(site, "-t cl -o cl1 -r")
    assert said == "!cl1: virtual machines are in it: vm1. Run: rmvm vm1"
    site.world.remove(site.thing("vm", "vm1"))
    assert cfg(site, "-t cl -o cl1 -r") == ["cl1: succeeded."]


def test_another_cpu_type_of_a_cluster_is_no_success(site):
    line = "-t cl -o x1 -c -d Default -p"
    cfg(site, f"{line} 'Intel Nehalem Family'")
    assert cfg(site, f"{line} 'intel nehalem family'") == ["x1: nothing to do"]
    assert "not with CPU type Intel Westmere Family" in cfg(site, f"{line} 'Intel Westmere Family'")[0]
    assert cfg(site, "-t cl -o x1 -u -p 'Intel Westmere Family'") == ["x1: succeeded"]
    assert "CPU type 'Z80' is not offered" in cfg(site, "-t cl -o x1 -u -p Z80")[0]


def test_a_cluster_that_has_lost_its_data_center_gets_one(site):
    cfg(site, "-t cl -o x1 -c -d Default")
    site.world.change(site.thing("cluster", "x1"), data_center=None)
    assert cfg(site, "-t cl -o x1 -c -d Default") == ["x1: succeeded"]
    assert site.thing("cluster", "x1")["data_center"] == site.thing("data_center", "Default")["id"]


@pytest.mark.parametrize(
    ("kind", "noun", "make"), [("dc", "data center", "-k nfs"), ("cl", "cluster", "-d dc1")], ids=["dc", "cl"]
)
def test_what_is_there_otherwise_is_no_success_and_changed_on_demand(site, kind, noun, make):
    cfg(site, "-t dc -o dc1 -c -k nfs --compat 4.6")
    line = f"-t {kind} -o x1 -c {make}"
    cfg(site, f"{line} --compat 4.6 --description old")
    assert cfg(site, line) == ["x1: nothing to do"]
    assert cfg(site, f"{line} --compat 4.7 --description new") == [
        f"!x1: {noun} has been created, but not with compatibility version 4.7, description new. "
        "Give -u instead of -c to change it"
    ]
    assert not site.changes()
    change = f"-t {kind} -o x1 -u --compat 4.7 --description new"
    assert cfg(site, change) == ["x1: succeeded"]
    assert {child.tag for child in site.sent(noun.replace(" ", "_"))} == {"description", "version"}
    assert cfg(site, change) == ["x1: nothing to do"]
    assert "there is no such" in cfg(site, f"-t {kind} -o none -u --compat 4.7")[0]


# Storage domains.

MAKE, ATTACH = "POST /storagedomains", "POST /datacenters/{id}/storagedomains"
ACTIVATE = "POST /datacenters/{id}/storagedomains/{id}/activate"
DEACTIVATE, DETACH = ACTIVATE.replace("activate", "deactivate"), "DELETE /datacenters/{id}/storagedomains/{id}"
REMOVE = "DELETE /storagedomains/{id}"
CREATED = ["sd1: create storage domain succeeded."]


def test_a_domain_is_created_and_attached_which_activates_it(site):
    assert cfg(site, "-t sd -o sd1 -c", sd1=NFS) == CREATED
    assert site.changes() == [MAKE, ATTACH]
    made = site.thing("storage_domain", "sd1")
    assert [made[key] for key in ("type", "storage_type", "address", "path")] == ["data", "nfs", "nfs1", "/data"]
    assert state(site, "sd1") == "active"
    assert cfg(site, "-t sd -o sd1 -c") == ["sd1: nothing to do"]
    assert not site.changes()


def test_a_domain_that_attaching_leaves_in_maintenance_is_activated(site):
    site.world.paths = {**site.world.paths, "sd.attach_at_once": (("locked", 0.4), ("maintenance", 0))}
    cfg(site, "-t sd -o sd1 -c --timeout 30", sd1=NFS)
    assert site.changes() == [MAKE, ATTACH, ACTIVATE]


@pytest.mark.parametrize(
    ("before", "calls"),
    [("unattached", [ATTACH]), ("maintenance", [ACTIVATE]), ("inactive", [ACTIVATE]), ("locked", [ACTIVATE])],
)
def test_a_half_made_domain_is_completed(site, before, calls):
    domain = add_domain(site, before)
    if before == "locked":  # somebody attaches it
        site.world.move(domain, "sd.attach")
    assert cfg(site, "-t sd -o sd1 -c", sd1=NFS) == CREATED
    assert site.changes() == calls
    assert state(site, "sd1") == "active"


def test_activation_that_somebody_else_began_is_waited_for(site):
    site.world.move(add_domain(site, "maintenance"), "sd.activate", effect="sd active")
    assert cfg(site, "-t sd -o sd1 -c", sd1=NFS) == CREATED
    assert state(site, "sd1") == "active"


def test_activation_that_is_refused_is_an_error(site):
    add_domain(site, "maintenance")
    site.faults([{"do": "status", "method": "POST", "path": "*/activate", "status": 409}])
    (said,) = cfg(site, "-t sd -o sd1 -c", sd1=NFS)
    assert said.startswith("!sd1: ") and state(site, "sd1") == "maintenance"


def test_all_that_is_wrong_with_all_rows_is_said_and_the_good_one_is_made(site):
    copied(site, site.thing("host", "rhevh1"), name="rhevh2", address="10.9.0.99", status="maintenance", spm=False)
    said = cfg(
        site,
        "-t sd -o sd1,sd2,sd3,sd4 -c",
        sd1=NFS,
        sd2={"stype": "nfs"},
        sd3={**NFS, "host": "rhevh9", "datacenter": "dc9"},
        sd4={**NFS, "host": "rhevh2"},
    )
    assert [line.split(":")[0] for line in said] == ["!sd2", "!sd2", "!sd3", "!sd3", "!sd4", "sd1"]
    assert f"Run: cfgve -t dc -m {site.manager} -o dc9 -c -k nfs" in said[2]
    assert "cannot find the host rhevh9" in said[3]
    assert "the host rhevh2 is maintenance, but must be up. Run: chhypervisor rhevh2 -e" in said[4]


def test_a_domain_of_that_name_but_of_other_storage(site):
    add_domain(site, storage_type="posixfs", vfs_type="nfs", address="nfs2")
    assert cfg(site, "-t sd -o sd1 -c", sd1=NFS) == [
        "!sd1: storagedomains has been defined in the rhevm with storage type posixfs, not nfs",
        "!sd1: storagedomains has been defined in the rhevm with address nfs2, not nfs1",
    ]


def test_a_domain_in_another_data_center(site):
    cfg(site, "-t dc -o dc2 -c -k nfs")
    add_domain(site, data_center=site.thing("data_center", "dc2")["id"])
    (said,) = cfg(site, "-t sd -o sd1 -c", sd1=NFS)
    assert said == "!sd1: it is attached to data center dc2, not Default. Give -s, then -b to detach it"


def emptied(site):
    """The data center has no storage."""
    site.world.remove(site.thing("storage_domain", "data1"))
    site.world.change(site.thing("data_center", "Default"), status="uninitialized", storage_format=None)
    site.world.change(site.thing("host", "rhevh1"), spm=False)


def test_in_an_empty_data_center_a_data_domain_goes_before_all_others(site):
    emptied(site)
    iso, other = {**NFS, "sdtype": "iso", "location": "nfs1:/iso"}, {**NFS, "location": "nfs1:/other"}
    said = cfg(site, "-t sd -o iso1,sd1,sd2 -c", iso1=iso, sd1=NFS, sd2=other)
    assert said[0] == "sd1: create storage domain succeeded."
    assert sorted(said[1:]) == [f"{name}: create storage domain succeeded." for name in ("iso1", "sd2")]
    assert site.thing("data_center", "Default")["status"] == "up"


def test_the_others_are_not_begun_when_the_first_data_domain_fails(site):
    emptied(site)
    site.faults([{"do": "status", "method": "POST", "path": "/storagedomains", "status": 409}])
    said = cfg(site, "-t sd -o iso1,sd1 -c", iso1={**NFS, "sdtype": "iso", "location": "nfs1:/iso"}, sd1=NFS)
    assert len(said) == 2 and any(line.startswith("!sd1: ") for line in said)
    assert "!iso1: not begun, because it needs what failed: storage domain sd1" in said


def test_importing_marks_the_new_domain(site):
    assert cfg(site, "-t sd -o sd1 -i", sd1=NFS) == ["sd1: import storage domain succeeded."]
    assert described(site).findtext("import") == "true"


def described(site):
    """The storage domain that was to be made, as it was sent."""
    (made,) = (one for one in site.all_sent("storage_domain") if one.find("storage") is not None)
    return made


ISCSI = {"stype": "iscsi", "location": f"{PORTAL}|target={TARGET}|lun={FIRST}", "host": "rhevh1"}


def test_iscsi_is_discovered_logged_in_and_made_of_its_lun(site):
    assert cfg(site, "-t sd -o sd1 -c", sd1=ISCSI) == CREATED
    found, login, *rest = site.changes()
    assert found.endswith("discover") or found.endswith("discoveriscsi")
    assert login == "POST /hosts/{id}/iscsilogin" and rest == [MAKE, ATTACH]
    unit = described(site).find(".//logical_unit")
    told = [unit.findtext(key) for key in ("address", "port", "target")]
    assert (unit.get("id"), told) == (FIRST, [PORTAL, "3260", TARGET])


def left(site, name, lun):
    """A domain on a LUN that no manager has any more; its id."""
    vg = f"vg-{lun}"
    known = site.world.add(
        "leftover", name=name, type="data", storage_type="iscsi", luns=[{"id": lun}], vg=vg, storage_format="v5"
    )
    return known["id"]


@pytest.mark.parametrize(
    ("location", "taken"),
    [(f"{PORTAL}|lun={SECOND}", "two"), (f"{PORTAL}|target={TARGET}|lun={SECOND},36c", "two"), (PORTAL, "sd1")],
    ids=["lun", "luns", "name"],
)
def test_of_the_block_domains_the_one_on_the_lun_or_of_the_name_is_taken_over(site, location, taken):
    known = {"sd1": left(site, "sd1", FIRST), "two": left(site, "two", SECOND)}
    said = cfg(site, "-t sd -o sd1 -i", sd1={**ISCSI, "location": location})
    assert said == ["sd1: import storage domain succeeded."]
    calls = site.changes()
    assert calls[1].endswith("unregisteredstoragedomainsdiscover") and calls[2:4] == [MAKE, ATTACH]
    assert site.thing("storage_domain", "sd1")["id"] == known[taken]
    made = described(site)
    assert made.findtext("import") == "true" and made.find(".//logical_unit") is None


@pytest.mark.parametrize(
    ("domains", "location", "named"),
    [
        ((), PORTAL, f"the portal {PORTAL}:3260 holds no storage domain to take over. It has: none"),
        (
            (("one", FIRST),),
            f"{PORTAL}|lun={SECOND}",
            f"LUN {SECOND} holds no storage domain to take over. It has: one ({FIRST})",
        ),
        (
            (("one", FIRST), ("two", SECOND)),
            f"{PORTAL}|target={TARGET}",
            f"target {TARGET}, holds several storage domains: one ({FIRST}), two ({SECOND}). "
            "Name a LUN in virtsd.location",
        ),
    ],
    ids=["none", "other", "several"],
)
def test_a_block_domain_that_is_not_there_or_not_told_from_others(site, domains, location, named):
    for name, lun in domains:
        left(site, name, lun)
    (said,) = cfg(site, "-t sd -o sd1 -i", sd1={**ISCSI, "location": location})
    assert named in said and MAKE not in site.changes()


def test_fibre_channel_luns_are_looked_at_before_a_domain_is_made_of_them(site):
    row = {"stype": "fcp", "location": f"36c,{FIBRE[0]},36d", "host": "rhevh1"}
    (said,) = cfg(site, "-t sd -o sd1 -c", sd1=row)
    assert said == f"!sd1: host rhevh1 does not see LUN 36c, 36d. These are free: {', '.join(FIBRE)}"
    assert cfg(site, "-t sd -o sd1 -c", sd1={"location": FIBRE[0]}) == CREATED


def test_iscsi_takes_the_only_target_and_the_only_free_lun(site):
    left(site, "other", FIRST)
    assert cfg(site, "-t sd -o sd1 -c", sd1={**ISCSI, "location": PORTAL}) == CREATED
    assert [lun["id"] for lun in site.thing("storage_domain", "sd1")["luns"]] == [SECOND]


@pytest.mark.parametrize(
    ("used", "location", "named"),
    [
        ("", f"{PORTAL}|target=iqn.x:t9", f"has no target iqn.x:t9. It has: {TARGET}"),
        ("", PORTAL, f"has these free LUNs: {FIRST}, {SECOND}. Add |lun=..."),
        ("", f"{PORTAL}|lun=36z", "host rhevh1 does not see LUN 36z"),
        (FIRST, f"{PORTAL}|lun={FIRST}", "belongs to a storage domain"),
    ],
    ids=["target", "several", "none", "used"],
)
def test_iscsi_that_cannot_be(site, used, location, named):
    if used:
        left(site, "other", used)
    (said,) = cfg(site, "-t sd -o sd1 -c", sd1={**ISCSI, "location": location})
    assert said.startswith("!sd1: ") and named in said
    assert MAKE not in site.changes()


def test_activate_deactivate_attach_detach(site):
    add_domain(site, "unattached")
    assert cfg(site, "-t sd -o sd1 -g") == ["!sd1: it is not attached to a data center. Give -a to attach it"]
    assert cfg(site, "-t sd -o sd1 -a", sd1=NFS) == ["sd1: succeeded."]
    assert cfg(site, "-t sd -o sd1 -a") == ["sd1: nothing to do"]
    cfg(site, "-t sd -o sd1 -g")
    assert state(site, "sd1") == "active"
    assert cfg(site, "-t sd -o sd1 -g") == ["sd1: nothing to do"]
    assert cfg(site, "-t sd -o sd1 -b") == ["!sd1: it is active, but must be in maintenance. Give -s first"]
    assert cfg(site, "-t sd -o sd1 -s") == ["sd1: succeeded."]
    assert cfg(site, "-t sd -o sd1 -s") == ["sd1: it is maintenance: nothing to do"]
    assert cfg(site, "-t sd -o sd1 -g") == ["sd1: succeeded."]
    assert cfg(site, "-t sd -o sd1 -s") == ["sd1: succeeded."]
    assert cfg(site, "-t sd -o sd1 -b") == ["sd1: succeeded."]
    assert cfg(site, "-t sd -o sd1 -b") == ["sd1: nothing to do"]


@pytest.mark.parametrize("verb", ["-g", "-s", "-a", "-b"])
def test_verbs_on_a_domain_that_is_not_there(site, verb):
    (said,) = cfg(site, f"-t sd -o sd9 {verb}")
    assert said.startswith("!sd9: failed to get storagedomains: sd9. Run: cfgve -t sd")


def test_a_domain_with_running_machines_is_not_deactivated(site):
    add_vm(site, add_domain(site))
    assert cfg(site, "-t sd -o sd1 -s") == ["!sd1: virtual machines run from it: vm1. Run: rpower vm1 off"]


def test_machines_on_a_domain_of_a_similar_name_do_not_count(site):
    add_domain(site)
    add_vm(site, add_domain(site, name="sd11", path="/sd11"))
    assert cfg(site, "-t sd -o sd1 -s") == ["sd1: succeeded."]


def test_detaching_local_storage_is_refused_for_it_formats(site):
    add_domain(site, "maintenance", storage_type="localfs", address=None)
    (said,) = cfg(site, "-t sd -o sd1 -b")
    assert said.startswith("!sd1: detaching local storage removes and formats it")


def test_attaching_to_a_second_data_center_is_refused(site):
    add_domain(site, "maintenance")
    cfg(site, "-t dc -o dc2 -c -k nfs")
    (said,) = cfg(site, "-t sd -o sd1 -a -d dc2")
    assert said == "!sd1: it is attached to data center Default, not dc2. Give -b first"


def test_removal_by_force_goes_through_all_states_and_formats(site):
    add_vm(site, add_domain(site), status="down")
    assert cfg(site, "-t sd -o sd1 -r -f") == [
        "sd1: the disks of vm1 go with it",
        "sd1: delete storage domain succeeded.",
    ]
    assert site.changes() == [DEACTIVATE, DETACH, REMOVE]
    assert not site.world.all("leftover"), "it was formatted"


def test_removal_without_force_does_not_format_and_needs_an_unattached_domain(site):
    add_domain(site)
    (said,) = cfg(site, "-t sd -o sd1 -r")
    assert "it is active in data center Default. Give -s and -b first, or -f" in said
    site.world.change(site.thing("storage_domain", "sd1"), status="unattached", data_center=None)
    assert cfg(site, "-t sd -o sd1 -r") == ["sd1: delete storage domain succeeded."]
    assert site.changes() == [REMOVE]
    assert [one["name"] for one in site.world.all("leftover")] == ["sd1"]
    assert cfg(site, "-t sd -o sd1 -r") == ["sd1: there is no such storage domain: nothing to do"]


def test_the_last_active_data_domain_stays_even_by_force(site):
    add_domain(site, name="iso1", type="iso", path="/iso")
    (said,) = cfg(site, "-t sd -o data1 -r -f")
    assert "it is the last active data domain of data center Default. Remove the data center first" in said
    assert "-o data1 -s, then cfgve -t dc" in said  # engines remove no data center that is up, not even by force
    assert not site.changes()


def test_a_domain_with_running_machines_stays_even_by_force(site):
    add_vm(site, add_domain(site))
    assert cfg(site, "-t sd -o sd1 -r -f") == ["!sd1: virtual machines run from it: vm1. Run: rpower vm1 off"]
    assert not site.changes()


def test_local_storage_is_removed_where_it_is_attached(site):
    add_domain(site, "maintenance", storage_type="localfs", address=None)
    assert cfg(site, "-t sd -o sd1 -r -f") == ["sd1: delete storage domain succeeded."]
    assert site.changes()[0] == DETACH and not things(site, "storage_domain", "sd1")


def test_a_lost_domain_is_forgotten_without_a_host(site):
    emptied(site)
    site.world.change(site.thing("host", "rhevh1"), status="maintenance")
    add_domain(site, "unattached")
    (said,) = cfg(site, "-t sd -o sd1 -r")
    assert "no host to do it. Run: chtab node=sd1 virtsd.host=HOST" in said
    assert cfg(site, "-t sd -o sd1 -r --destroy") == ["sd1: delete storage domain succeeded."]
    assert site.changes() == [REMOVE]


# Networks.


def test_a_network_is_made_compared_and_changed(site):
    assert cfg(site, "-t nw -o nw1 -c -n 100") == ["nw1: succeeded"]
    assert site.thing("network", "nw1")["vlan"] == 100
    assert cfg(site, "-t nw -o nw1 -c -n 100") == ["nw1: nothing to do"]
    (said,) = cfg(site, "-t nw -o nw1 -c -n 101")
    assert said == "!nw1: network has been created, but not with VLAN 101. Give -u instead of -c to change it"
    assert cfg(site, "-t nw -o nw1 -u -n 101 --mtu 9000") == ["nw1: succeeded"]
    assert [site.thing("network", "nw1")[key] for key in ("vlan", "mtu")] == [101, 9000]
    assert cfg(site, "-t nw -o nw9 -u") == ["!nw9: cannot find the network in data center Default. Give -c to make it"]


def test_the_same_name_in_another_data_center_is_another_network(site):
    cfg(site, "-t dc -o dc2 -c -k nfs")
    cfg(site, "-t nw -o nw1 -c -d dc2")
    assert cfg(site, "-t nw -o nw1 -c -d Default") == ["nw1: succeeded"]
    (said,) = cfg(site, "-t nw -o nw1 -r")
    assert said.startswith("!nw1: networks of that name are in ") and said.endswith(". Give -d with one of them")
    assert cfg(site, "-t nw -o nw1 -r -d dc2") == ["nw1: succeeded."]
    assert site.thing("network", "nw1")["data_center"] == site.thing("data_center", "Default")["id"]


def inside(site):
    """Networks of the cluster Default besides ovirtmgmt -> whether they are required."""
    of = site.world.of("cluster_network", "cluster", site.thing("cluster", "Default")["id"])
    found = {site.world.the("network", each["network"])["name"]: each["required"] for each in of}
    return {name: required for name, required in found.items() if name != "ovirtmgmt"}


def test_networks_are_attached_not_required_unless_asked_and_detached(site):
    cfg(site, "-t nw -o nw1,nw2 -c")
    assert cfg(site, "-t nw -o nw1,nw9 -a") == [
        "!nw9: cannot find the network in the data center of cluster Default",
        "nw1: succeeded",
    ]
    assert cfg(site, "-t nw -o nw2 -a -l Default --required") == ["nw2: succeeded"]
    assert inside(site) == {"nw1": False, "nw2": True}
    assert cfg(site, "-t nw -o nw1 -a") == ["nw1: nothing to do"]
    assert cfg(site, "-t nw -o nw1 -a --required") == ["nw1: succeeded"]
    assert inside(site)["nw1"] is True
    assert cfg(site, "-t nw -o nw1 -b") == ["nw1: succeeded."]
    assert cfg(site, "-t nw -o nw1 -b") == ["nw1: nothing to do"]


def test_a_network_for_hosts_alone(site):
    assert cfg(site, "-t nw -o nw1 -c --nonvm") == ["nw1: succeeded"]
    assert site.sent("network").find("usages/usage") is None
    assert cfg(site, "-t nw -o nw1 -c --nonvm") == ["nw1: nothing to do"]
    cfg(site, "-t nw -o nw2 -c")
    assert cfg(site, "-t nw -o nw2 -u --nonvm") == ["nw2: succeeded"]
    assert site.sent("network").find("usages/usage") is None


def test_a_cluster_that_is_not_there(site):
    assert "cannot find the cluster: cl9" in cfg(site, "-t nw -o nw1 -a -l cl9")[0]


# Templates.


def add_template(site, name):
    blank = site.world.the("template", ZERO)
    return copied(site, blank, name=name, cluster=site.thing("cluster", "Default")["id"])


def test_a_template_that_machines_need_stays(site):
    needed = add_template(site, "tpl1")
    add_template(site, "tpl2")
    site.world.change(add_vm(site, status="down"), template=needed["id"])
    assert sorted(cfg(site, "-t tpl -o tpl1,tpl2,tpl3 -r")) == [
        "!tpl1: virtual machines are built on it: vm1",
        "tpl2: succeeded.",
        "tpl3: there is no such template: nothing to do",
    ]


def test_the_empty_template_stays(site):
    (said,) = cfg(site, "-t tpl -o Blank -r")
    assert "cannot be removed" in said


@pytest.fixture
def export(site):
    """An export domain with tpl2 and tpl3, which the manager does not have, and a template tpl1 that it has."""
    cfg(site, "-t sd -o exp1 -c", exp1={**NFS, "sdtype": "export", "location": "nfs1:/exp"})
    for name in ("tpl1", "tpl2", "tpl3"):
        add_template(site, name)
    cfg(site, "-t tpl -o tpl2,tpl3 -x exp1")
    cfg(site, "-t tpl -o tpl2,tpl3 -r")


def test_a_template_is_exported_once_unless_forced(site, export):
    assert cfg(site, "-t tpl -o tpl1,tpl9 -x exp1") == ["!tpl9: cannot find the template", "tpl1: succeeded."]
    assert "nothing to do, unless -f" in cfg(site, "-t tpl -o tpl1 -x exp1")[0]
    assert cfg(site, "-t tpl -o tpl1 -x exp1 -f") == ["tpl1: succeeded."]


def test_a_template_is_imported_to_the_master_domain(site, export):
    said = cfg(site, "-t tpl -o tpl2,tpl8 -i --from-domain exp1")
    assert said == ["!tpl8: there is no such template on exp1. It has: tpl2, tpl3", "tpl2: succeeded."]
    sent = site.sent("action")
    assert sent.find("storage_domain").get("id") == site.thing("storage_domain", "data1")["id"]
    assert cfg(site, "-t tpl -o tpl2 -i --from-domain exp1") == ["tpl2: nothing to do"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-x data1", "data1 is a domain of type data. Name an export domain"),
        ("-x nowhere", "nowhere is not a domain"),
        ("-i --from-domain exp1 --to-domain sd9", "has no active data domain sd9. It has: data1"),
        ("-i --from-domain exp1 -l cl9", "cannot find the cluster: cl9"),
        ("-i", "--from-domain"),
    ],
)
def test_templates_that_cannot_be_copied(site, export, line, named):
    (said,) = cfg(site, f"-t tpl -o tpl1 {line}")
    assert said.startswith("!") and named in said
