"""cfgve against a manager in memory: what is made, what is left alone, what is refused."""

import pytest

from fakeengine import FakeEngine, run, texts
from xcat_rhev.commands import cfgve
from xcat_rhev.engine.nouns import (
    Answer,
    Cluster,
    DataCenter,
    Disk,
    Host,
    HostStorage,
    LogicalUnit,
    Network,
    Ref,
    StorageDomain,
    Template,
    Vm,
)
from xcat_rhev.errors import Conflict, NotFound, Usage

NFS = {"stype": "nfs", "location": "nfs1:/data", "host": "rhevh1", "datacenter": "dc1"}


def an_engine(*more):
    engine = FakeEngine(
        DataCenter(id="dc", name="dc1", status="up", local=False, version="4.7"),
        Cluster(id="cl", name="cl1", data_center=Ref("dc")),
        Host(id="h1", name="rhevh1", status="up", cluster=Ref("cl")),
        *more,
    )
    return engine


def cfg(engine, line, **virtsd):
    rows = [{"node": name, **row} for name, row in virtsd.items()]
    return texts(run(cfgve, engine, line, tables={"virtsd": rows}))


def with_domain(state, storage="nfs", **more):
    engine = an_engine(StorageDomain(id="sd", name="sd1", type="data", storage_type=storage, **more))
    if state != "unattached":
        engine.attached["dc", "sd"] = state
    return engine


def add_active(engine, name="other"):
    engine.put(StorageDomain(id=name, name=name, type="data"))
    engine.attached["dc", name] = "active"


def add_vm(engine, domain, name="vm1", status="up"):
    engine.put(Vm(name=name, status=status, cluster=Ref("cl"), disks=(Disk(storage_domains=(Ref(domain),)),)))


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
    ],
)
def test_wrong_words_do_nothing(line, named):
    engine = an_engine()
    with pytest.raises(Usage) as caught:
        cfg(engine, line)
    assert named in str(caught.value)
    assert not engine.calls


def test_the_parser_refuses_storage_types_that_do_not_exist():
    with pytest.raises(Usage, match="nfs, fcp, iscsi"):
        cfg(an_engine(), "-t dc -o x -c -k cifs")


# Data centers.


def test_data_centers_are_made_once():
    engine = FakeEngine()
    assert cfg(engine, "-t dc -o a,b,a -c -k nfs --compat 4.6") == ["a: succeeded", "b: succeeded"]
    assert engine.by_name(DataCenter, "a").values().items() >= {"local": False, "version": "4.6"}.items()
    assert cfg(engine, "-t dc -o a,b -c -k fcp") == ["a: nothing to do", "b: nothing to do"]
    assert len(engine.calls) == 2


def test_a_data_center_of_the_other_sort_is_no_success():
    engine = FakeEngine(DataCenter(name="a", local=True))
    assert cfg(engine, "-t dc -o a -c -k nfs") == ["!a: data center has been created with localfs storage, not nfs"]


def test_one_failing_object_leaves_the_others_alone():
    engine = FakeEngine()
    engine.refuse["create", "data center a"] = Conflict("Data Center name exists")
    assert cfg(engine, "-t dc -o a,b -c -k nfs") == ["!a: Data Center name exists", "b: succeeded"]


def test_an_empty_data_center_is_removed_and_the_second_time_there_is_nothing_to_do():
    engine = FakeEngine(DataCenter(name="a"))
    assert cfg(engine, "-t dc -o a -r") == ["a: succeeded."]
    assert cfg(engine, "-t dc -o a -r") == ["a: there is no such data center: nothing to do"]


def test_a_data_center_with_running_machines_stays_even_by_force():
    engine = an_engine()
    add_vm(engine, "sd")
    (said,) = cfg(engine, "-t dc -o dc1 -r -f")
    assert said == "!dc1: virtual machines are not down: vm1. Run: rpower vm1 off"
    assert not engine.calls


def test_a_data_center_with_active_storage_needs_force():
    engine = with_domain("active")
    (said,) = cfg(engine, "-t dc -o dc1 -r")
    assert "storage domains are active in it: sd1" in said
    assert cfg(engine, "-t dc -o dc1 -r -f") == ["dc1: succeeded."]
    assert engine.calls == [("remove", "data center dc1", "force")]


# Clusters.


def test_a_cluster_takes_the_managers_first_cpu_type_and_the_data_centers_version():
    engine = an_engine()
    assert cfg(engine, "-t cl -o cl2 -c -d dc1") == ["cl2: succeeded"]
    made = engine.by_name(Cluster, "cl2")
    assert (made.cpu_type, made.version, made.data_center.id) == ("Intel Nehalem Family", "4.7", "dc")
    assert cfg(engine, "-t cl -o cl2 -c -d dc1") == ["cl2: nothing to do"]


def test_a_wrong_cpu_type_lists_those_that_exist():
    with pytest.raises(Usage) as caught:
        cfg(an_engine(), "-t cl -o cl2 -c -d dc1 -p Penryn")
    assert "It offers: Intel Nehalem Family, Intel Westmere Family, AMD Opteron G4" in str(caught.value)


def test_a_cluster_in_a_data_center_that_is_not_there():
    with pytest.raises(NotFound, match="failed to get datacenter: dc9"):
        cfg(an_engine(), "-t cl -o cl2 -c -d dc9")


def test_a_cluster_of_that_name_in_another_data_center():
    engine = an_engine(DataCenter(id="dc2", name="dc2"))
    assert cfg(engine, "-t cl -o cl1 -c -d dc2") == ["!cl1: cluster has been created in data center dc1, not dc2"]


def test_a_cluster_with_hosts_or_machines_stays():
    engine = an_engine()
    (said,) = cfg(engine, "-t cl -o cl1 -r -f")
    assert said == "!cl1: hosts are in it: rhevh1. Run: rmhypervisor rhevh1 -f"
    engine.remove(engine.by_name(Host, "rhevh1"))
    add_vm(engine, "sd", status="down")
    (said,) = cfg(engine, "-t cl -o cl1 -r")
    assert said == "!cl1: virtual machines are in it: vm1. Run: rmvm vm1"
    engine.remove(engine.by_name(Vm, "vm1"))
    assert cfg(engine, "-t cl -o cl1 -r") == ["cl1: succeeded."]


# Storage domains.


def test_a_domain_is_created_attached_and_activated():
    engine = an_engine()
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["sd1: create storage domain succeeded."]
    assert [call[0] for call in engine.calls] == ["create", "attach", "activate"]
    made = engine.by_name(StorageDomain, "sd1")
    assert (made.type, made.storage_type, made.address, made.path) == ("data", "nfs", "nfs1", "/data")
    assert engine.attached["dc", made.id] == "active"


def test_a_domain_that_attaching_activates_is_not_activated_again():
    engine = an_engine()
    engine.to_come["storage_domain-1"] = ["locked", "active"]
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["sd1: create storage domain succeeded."]
    assert [call[0] for call in engine.calls] == ["create", "attach"]


def test_a_finished_domain_is_left_alone():
    engine = with_domain("active", address="nfs1", path="/data")
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["sd1: nothing to do"]
    assert not engine.calls


@pytest.mark.parametrize(
    ("state", "calls"),
    [
        ("unattached", ["attach", "activate"]),
        ("maintenance", ["activate"]),
        ("inactive", ["activate"]),
        ("locked", ["activate"]),
    ],
)
def test_a_half_made_domain_is_completed(state, calls):
    engine = with_domain(state)
    engine.to_come["sd"] = ["locked", "maintenance"]
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["sd1: create storage domain succeeded."]
    assert [call[0] for call in engine.calls] == calls
    assert engine.attached["dc", "sd"] == "active"


def test_activation_that_somebody_else_began_is_waited_for():
    engine = with_domain("maintenance")
    engine.refuse["activate", "storage domain sd1"] = Conflict("Storage Domain is locked")
    engine.to_come["sd"] = ["active"]
    engine.attached["dc", "sd"] = "locked"
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["sd1: create storage domain succeeded."]


def test_activation_that_is_refused_is_an_error():
    engine = with_domain("maintenance")
    engine.refuse["activate", "storage domain sd1"] = Conflict("no SPM")
    assert cfg(engine, "-t sd -o sd1 -c", sd1=NFS) == ["!sd1: no SPM"]


def test_local_storage_comes_attached():
    engine = an_engine()
    create = engine.create

    def create_attached(new, **more):
        made = create(new, **more)
        engine.attached["dc", made.id] = "active"
        return made

    engine.create = create_attached
    assert cfg(engine, "-t sd -o sd1 -c", sd1={**NFS, "stype": "localfs", "location": ""}) == [
        "sd1: create storage domain succeeded."
    ]
    assert [call[0] for call in engine.calls] == ["create"]


def test_all_that_is_wrong_with_all_rows_is_said_and_the_good_one_is_made():
    engine = an_engine(Host(name="rhevh2", status="maintenance"))
    said = cfg(
        engine,
        "-t sd -o sd1,sd2,sd3,sd4 -c",
        sd1=NFS,
        sd2={"stype": "nfs"},
        sd3={**NFS, "host": "rhevh9", "datacenter": "dc9"},
        sd4={**NFS, "host": "rhevh2"},
    )
    assert [line.split(":")[0] for line in said] == ["!sd2", "!sd2", "!sd3", "!sd3", "!sd4", "sd1"]
    assert "Run: cfgve -t dc -m rhevm.example.com -o dc9 -c -k nfs" in said[2]
    assert "cannot find the host rhevh9" in said[3]
    assert "the host rhevh2 is maintenance, but must be up. Run: chhypervisor rhevh2 -e" in said[4]


def test_a_domain_of_that_name_but_of_other_storage():
    engine = with_domain("active", storage="iscsi", address="nfs2", path="/data")
    said = cfg(engine, "-t sd -o sd1 -c", sd1=NFS)
    assert said == [
        "!sd1: storagedomains has been defined in the rhevm with storage type iscsi, not nfs",
        "!sd1: storagedomains has been defined in the rhevm with address nfs2, not nfs1",
    ]


def test_a_domain_in_another_data_center():
    engine = an_engine(DataCenter(id="dc2", name="dc2"), StorageDomain(id="sd", name="sd1", data_centers=(Ref("dc2"),)))
    (said,) = cfg(engine, "-t sd -o sd1 -c", sd1=NFS)
    assert said == "!sd1: it is attached to data center dc2, not dc1. Give -s, then -b to detach it"


def test_in_an_empty_data_center_a_data_domain_goes_before_all_others():
    engine = an_engine()
    engine.set(engine.by_name(DataCenter, "dc1"), status="uninitialized")
    iso, other = {**NFS, "sdtype": "iso", "location": "nfs1:/iso"}, {**NFS, "location": "nfs1:/other"}
    said = cfg(engine, "-t sd -o iso1,sd1,sd2 -c", iso1=iso, sd1=NFS, sd2=other)
    assert said[0] == "sd1: create storage domain succeeded."
    assert sorted(said[1:]) == [f"{name}: create storage domain succeeded." for name in ("iso1", "sd2")]
    assert engine.by_name(DataCenter, "dc1").status == "up"


def test_the_others_are_not_begun_when_the_first_data_domain_fails():
    engine = an_engine()
    engine.set(engine.by_name(DataCenter, "dc1"), status="uninitialized")
    engine.refuse["create", "storage domain sd1"] = Conflict("no such export")
    assert cfg(engine, "-t sd -o iso1,sd1 -c", iso1={**NFS, "sdtype": "iso"}, sd1=NFS) == [
        "!sd1: no such export",
        "!iso1: not begun, because it needs what failed: storage domain sd1",
    ]


def test_importing_marks_the_new_domain():
    engine = an_engine()
    assert cfg(engine, "-t sd -o sd1 -i", sd1=NFS) == ["sd1: import storage domain succeeded."]
    assert engine.by_name(StorageDomain, "sd1").import_ is True


ISCSI = {**NFS, "stype": "iscsi", "location": "10.0.0.5|target=iqn.x:t1|lun=36a"}


def _unit(name, **more):
    return LogicalUnit(id=name, target="iqn.x:t1", **more)


def an_iscsi_engine(*units):
    engine = an_engine(HostStorage(id="s", logical_units=units or (LogicalUnit(id="36a", target="iqn.x:t1"),)))
    engine.answers["iscsidiscover"] = Answer(target_names=("iqn.x:t1",))
    return engine


def test_iscsi_is_discovered_logged_in_and_made_of_its_lun():
    engine = an_iscsi_engine()
    assert cfg(engine, "-t sd -o sd1 -c", sd1=ISCSI) == ["sd1: create storage domain succeeded."]
    assert [call[0] for call in engine.calls] == ["iscsidiscover", "iscsilogin", "create", "attach", "activate"]
    (unit,) = engine.by_name(StorageDomain, "sd1").logical_units
    assert (unit.id, unit.address, unit.port, unit.target) == ("36a", "10.0.0.5", 3260, "iqn.x:t1")


def holding(*domains):
    """An engine whose host sees two LUNs, with domains on them that no manager has."""
    units = [_unit(name, status="used", group=f"vg-{name}") for name in ("36a", "36b")]
    engine = an_iscsi_engine(*units)
    engine.on_storage = [StorageDomain(id=f"id-{name}", name=name, type="data", group=group) for name, group in domains]
    return engine


@pytest.mark.parametrize(
    ("location", "taken"),
    [("10.0.0.5|lun=36b", "id-two"), ("10.0.0.5|target=iqn.x:t1|lun=36b,36c", "id-two"), ("10.0.0.5", "id-sd1")],
)
def test_of_the_block_domains_the_one_on_the_lun_or_of_the_name_is_taken_over(location, taken):
    engine = holding(("sd1", "vg-36a"), ("two", "vg-36b"))
    said = cfg(engine, "-t sd -o sd1 -i", sd1={**ISCSI, "location": location})
    assert said == ["sd1: import storage domain succeeded."]
    assert [call[0] for call in engine.calls] == [
        "iscsidiscover",
        "unregistered_domains",
        "create",
        "attach",
        "activate",
    ]
    made = engine.by_name(StorageDomain, "sd1")
    assert (made.id, made.import_, made.luns) == (taken, True, ())


@pytest.mark.parametrize(
    ("domains", "location", "named"),
    [
        ((), "10.0.0.5", "the portal 10.0.0.5:3260 holds no storage domain to take over. It has: none"),
        ((("one", "vg-36a"),), "10.0.0.5|lun=36b", "LUN 36b holds no storage domain to take over. It has: one (36a)"),
        (
            (("one", "vg-36a"), ("two", "vg-36b")),
            "10.0.0.5|target=iqn.x:t1",
            "target iqn.x:t1, holds several storage domains: one (36a), two (36b). Name a LUN in virtsd.location",
        ),
    ],
)
def test_a_block_domain_that_is_not_there_or_not_told_from_others(domains, location, named):
    engine = holding(*domains)
    (said,) = cfg(engine, "-t sd -o sd1 -i", sd1={**ISCSI, "location": location})
    assert named in said and "create" not in [call[0] for call in engine.calls]


def test_fibre_channel_luns_are_looked_at_before_a_domain_is_made_of_them():
    engine = an_engine(
        HostStorage(id="s", type="fcp", logical_units=(LogicalUnit(id="36a"), LogicalUnit(id="36b"))),
        HostStorage(id="i", type="iscsi", logical_units=(LogicalUnit(id="36c"),)),
    )
    (said,) = cfg(engine, "-t sd -o sd1 -c", sd1={**NFS, "stype": "fcp", "location": "36c,36a,36d"})
    assert said == "!sd1: host rhevh1 does not see LUN 36c, 36d. These are free: 36a, 36b"
    assert cfg(engine, "-t sd -o sd1 -c", sd1={**NFS, "stype": "fcp", "location": "36a"}) == [
        "sd1: create storage domain succeeded."
    ]


def test_iscsi_takes_the_only_target_and_the_only_free_lun():
    engine = an_iscsi_engine(
        LogicalUnit(id="36a", target="iqn.x:t1", domain="other"),
        LogicalUnit(id="36b", target="iqn.x:t1"),
        LogicalUnit(id="36c", target="iqn.x:t2"),
    )
    assert cfg(engine, "-t sd -o sd1 -c", sd1={**ISCSI, "location": "10.0.0.5"}) == [
        "sd1: create storage domain succeeded."
    ]
    assert engine.by_name(StorageDomain, "sd1").logical_units[0].id == "36b"


@pytest.mark.parametrize(
    ("units", "location", "named"),
    [
        ((), "10.0.0.5|target=iqn.x:t9", "has no target iqn.x:t9. It has: iqn.x:t1"),
        ((_unit("a"), _unit("b")), "10.0.0.5", "has these free LUNs: a, b. Add |lun=..."),
        ((), "10.0.0.5|lun=36z", "host rhevh1 does not see LUN 36z"),
        ((_unit("36a", status="used"),), "10.0.0.5|lun=36a", "belongs to a storage domain"),
    ],
)
def test_iscsi_that_cannot_be(units, location, named):
    engine = an_iscsi_engine(*units)
    (said,) = cfg(engine, "-t sd -o sd1 -c", sd1={**ISCSI, "location": location})
    assert said.startswith("!sd1: ") and named in said
    assert "create" not in [call[0] for call in engine.calls]


def test_activate_deactivate_attach_detach():
    engine = with_domain("unattached")
    add_active(engine)
    assert cfg(engine, "-t sd -o sd1 -g") == ["!sd1: it is not attached to a data center. Give -a to attach it"]
    assert cfg(engine, "-t sd -o sd1 -a", sd1=NFS) == ["sd1: succeeded."]
    assert cfg(engine, "-t sd -o sd1 -a", sd1=NFS) == ["sd1: nothing to do"]
    assert cfg(engine, "-t sd -o sd1 -g") == ["sd1: succeeded."]
    assert cfg(engine, "-t sd -o sd1 -g") == ["sd1: nothing to do"]
    assert cfg(engine, "-t sd -o sd1 -b") == ["!sd1: it is active, but must be in maintenance. Give -s first"]
    assert cfg(engine, "-t sd -o sd1 -s") == ["sd1: succeeded."]
    assert cfg(engine, "-t sd -o sd1 -s") == ["sd1: it is maintenance: nothing to do"]
    assert cfg(engine, "-t sd -o sd1 -b") == ["sd1: succeeded."]
    assert cfg(engine, "-t sd -o sd1 -b") == ["sd1: nothing to do"]


@pytest.mark.parametrize("verb", ["-g", "-s", "-a", "-b"])
def test_verbs_on_a_domain_that_is_not_there(verb):
    (said,) = cfg(an_engine(), f"-t sd -o sd9 {verb}")
    assert said.startswith("!sd9: failed to get storagedomains: sd9. Run: cfgve -t sd")


def test_a_domain_with_running_machines_is_not_deactivated():
    engine = with_domain("active")
    add_vm(engine, "sd")
    assert cfg(engine, "-t sd -o sd1 -s") == ["!sd1: virtual machines run from it: vm1. Run: rpower vm1 off"]


def test_machines_on_a_domain_of_a_similar_name_do_not_count():
    engine = with_domain("active")
    add_vm(engine, "another")
    assert cfg(engine, "-t sd -o sd1 -s") == ["sd1: succeeded."]


def test_detaching_local_storage_is_refused_for_it_formats():
    engine = with_domain("maintenance", storage="localfs")
    (said,) = cfg(engine, "-t sd -o sd1 -b")
    assert said.startswith("!sd1: detaching local storage removes and formats it")


def test_attaching_to_a_second_data_center_is_refused():
    engine = with_domain("maintenance")
    engine.put(DataCenter(id="dc2", name="dc2"))
    (said,) = cfg(engine, "-t sd -o sd1 -a -d dc2")
    assert said == "!sd1: it is attached to data center dc1, not dc2. Give -b first"


def test_removal_by_force_goes_through_all_states_and_formats():
    engine = with_domain("active")
    add_active(engine)
    add_vm(engine, "sd", status="down")
    assert cfg(engine, "-t sd -o sd1 -r -f") == [
        "sd1: the disks of vm1 go with it",
        "sd1: delete storage domain succeeded.",
    ]
    assert [call[0] for call in engine.calls] == ["deactivate", "detach", "remove"]
    assert engine.calls[-1] == ("remove", "storage domain sd1", "format", "host")


def test_removal_without_force_does_not_format_and_needs_an_unattached_domain():
    engine = with_domain("active")
    (said,) = cfg(engine, "-t sd -o sd1 -r")
    assert "it is active in data center dc1. Give -s and -b first, or -f" in said
    engine = with_domain("unattached")
    assert cfg(engine, "-t sd -o sd1 -r") == ["sd1: delete storage domain succeeded."]
    assert engine.calls == [("remove", "storage domain sd1", "host")]
    assert cfg(engine, "-t sd -o sd1 -r") == ["sd1: there is no such storage domain: nothing to do"]


def test_the_last_active_data_domain_stays_even_by_force():
    engine = with_domain("active")
    engine.put(StorageDomain(id="iso", name="iso1", type="iso"))
    engine.attached["dc", "iso"] = "active"
    (said,) = cfg(engine, "-t sd -o sd1 -r -f")
    assert "it is the last active data domain of data center dc1. Remove the data center first" in said
    assert "-o sd1 -s, then cfgve -t dc" in said  # engines remove no data center that is up, not even by force
    assert not engine.calls


def test_a_domain_with_running_machines_stays_even_by_force():
    engine = with_domain("active")
    add_active(engine)
    add_vm(engine, "sd")
    assert cfg(engine, "-t sd -o sd1 -r -f") == ["!sd1: virtual machines run from it: vm1. Run: rpower vm1 off"]
    assert not engine.calls


def test_local_storage_is_removed_where_it_is_attached():
    engine = with_domain("maintenance", storage="localfs")

    def remove(obj, *, under=None, **params):
        engine.calls.append(("remove", str(obj), str(under)))
        engine.attached.pop(("dc", "sd"), None)

    engine.remove = remove
    assert cfg(engine, "-t sd -o sd1 -r -f") == ["sd1: delete storage domain succeeded."]
    assert engine.calls == [
        ("remove", "storage domain sd1", "data center dc1"),
        ("remove", "storage domain sd1", "None"),
    ]


def test_a_lost_domain_is_forgotten_without_a_host():
    engine = FakeEngine(StorageDomain(id="sd", name="sd1", status="unattached"))
    (said,) = cfg(engine, "-t sd -o sd1 -r")
    assert "no host to do it. Run: chtab node=sd1 virtsd.host=HOST" in said
    assert cfg(engine, "-t sd -o sd1 -r --destroy") == ["sd1: delete storage domain succeeded."]
    assert engine.calls == [("remove", "storage domain sd1", "destroy")]


# Networks.


def test_a_network_is_made_compared_and_changed():
    engine = an_engine()
    assert cfg(engine, "-t nw -o nw1 -c -d dc1 -n 100") == ["nw1: succeeded"]
    assert engine.by_name(Network, "nw1").vlan == 100
    assert cfg(engine, "-t nw -o nw1 -c -d dc1 -n 100") == ["nw1: nothing to do"]
    (said,) = cfg(engine, "-t nw -o nw1 -c -d dc1 -n 101")
    assert said == "!nw1: network has been created, but not with VLAN 101. Give -u instead of -c to change it"
    assert cfg(engine, "-t nw -o nw1 -u -d dc1 -n 101 --mtu 9000") == ["nw1: succeeded"]
    assert (engine.by_name(Network, "nw1").vlan, engine.by_name(Network, "nw1").mtu) == (101, 9000)
    assert cfg(engine, "-t nw -o nw9 -u -d dc1") == [
        "!nw9: cannot find the network in data center dc1. Give -c to make it"
    ]


def test_the_same_name_in_another_data_center_is_another_network():
    engine = an_engine(DataCenter(id="dc2", name="dc2"), Network(name="nw1", data_center=Ref("dc2")))
    assert cfg(engine, "-t nw -o nw1 -c -d dc1") == ["nw1: succeeded"]
    (said,) = cfg(engine, "-t nw -o nw1 -r")
    assert said == "!nw1: networks of that name are in dc1, dc2. Give -d with one of them"
    assert cfg(engine, "-t nw -o nw1 -r -d dc2") == ["nw1: succeeded."]
    assert engine.by_name(Network, "nw1").data_center.id == "dc"


def test_networks_are_attached_not_required_unless_asked_and_detached():
    engine = an_engine(Network(id="n1", name="nw1", data_center=Ref("dc")), Network(id="n2", name="nw2"))
    assert cfg(engine, "-t nw -o nw1,nw9 -a -l cl1") == [
        "!nw9: cannot find the network in the data center of cluster cl1",
        "nw1: succeeded",
    ]
    assert cfg(engine, "-t nw -o nw2 -a -l cl1 --required") == ["nw2: succeeded"]
    assert engine.networks["cl"] == {"n1": False, "n2": True}
    assert cfg(engine, "-t nw -o nw1 -a -l cl1") == ["nw1: nothing to do"]
    assert cfg(engine, "-t nw -o nw1 -a -l cl1 --required") == ["nw1: succeeded"]
    assert engine.networks["cl"]["n1"] is True
    assert cfg(engine, "-t nw -o nw1 -b -l cl1") == ["nw1: succeeded."]
    assert cfg(engine, "-t nw -o nw1 -b -l cl1") == ["nw1: nothing to do"]


def test_a_network_for_hosts_alone():
    engine = an_engine()
    assert cfg(engine, "-t nw -o nw1 -c -d dc1 --nonvm") == ["nw1: succeeded"]
    assert engine.by_name(Network, "nw1").vm_network is False
    assert cfg(engine, "-t nw -o nw1 -c -d dc1 --nonvm") == ["nw1: nothing to do"]
    cfg(engine, "-t nw -o nw2 -c -d dc1")
    assert cfg(engine, "-t nw -o nw2 -u -d dc1 --nonvm") == ["nw2: succeeded"]
    assert engine.by_name(Network, "nw2").vm_network is False


def test_a_cluster_that_is_not_there():
    with pytest.raises(NotFound, match="cannot find the cluster: Default"):
        cfg(an_engine(), "-t nw -o nw1 -a")


# Templates.


def test_a_template_that_machines_need_stays():
    engine = an_engine(Template(id="t1", name="tpl1"), Template(id="t2", name="tpl2"))
    engine.put(Vm(name="vm1", template=Ref("t1"), status="down"))
    assert cfg(engine, "-t tpl -o tpl1,tpl2,tpl3 -r") == [
        "!tpl1: virtual machines are built on it: vm1",
        "tpl3: there is no such template: nothing to do",
        "tpl2: succeeded.",
    ]


def test_the_empty_template_stays():
    engine = an_engine(Template(id="00000000-0000-0000-0000-000000000000", name="Blank"))
    (said,) = cfg(engine, "-t tpl -o Blank -r")
    assert "cannot be removed" in said


def with_export():
    engine = with_domain("active", master=True)
    engine.put(StorageDomain(id="exp", name="exp1", type="export"))
    engine.put(Template(id="t1", name="tpl1", status="locked"))
    engine.on_export = [Template(id="t2", name="tpl2"), Template(id="t3", name="tpl3")]
    return engine


def test_a_template_is_exported_once_unless_forced():
    engine = with_export()
    assert cfg(engine, "-t tpl -o tpl1,tpl9 -x exp1") == ["!tpl9: cannot find the template", "tpl1: succeeded."]
    engine.on_export.append(engine.by_name(Template, "tpl1"))
    assert "nothing to do, unless -f" in cfg(engine, "-t tpl -o tpl1 -x exp1")[0]
    assert cfg(engine, "-t tpl -o tpl1 -x exp1 -f") == ["tpl1: succeeded."]


def test_a_template_is_imported_to_the_master_domain():
    engine = with_export()
    said = cfg(engine, "-t tpl -o tpl2,tpl8 -i --from-domain exp1 -l cl1")
    assert said == ["!tpl8: there is no such template on exp1. It has: tpl2, tpl3", "tpl2: succeeded."]
    assert cfg(engine, "-t tpl -o tpl2 -i --from-domain exp1 -l cl1") == ["tpl2: nothing to do"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("-x sd1", "sd1 is a domain of type data. Name an export domain"),
        ("-x nowhere", "nowhere is not a domain"),
        ("-i --from-domain exp1 -l cl1 --to-domain sd9", "has no active data domain sd9. It has: sd1"),
        ("-i --from-domain exp1 -l cl9", "cannot find the cluster: cl9"),
    ],
)
def test_templates_that_cannot_be_copied(line, named):
    with pytest.raises(NotFound) as caught:
        cfg(with_export(), f"-t tpl -o tpl1 {line}")
    assert named in str(caught.value)


def test_import_needs_to_know_from_where():
    with pytest.raises(Usage, match="--from-domain"):
        cfg(with_export(), "-t tpl -o tpl1 -i")


# What is there with other values.


@pytest.mark.parametrize("kind", ["dc", "cl"])
def test_what_is_there_otherwise_is_no_success_and_changed_on_demand(kind):
    noun, make = {"dc": ("data center", "-k nfs"), "cl": ("cluster", "-d dc1")}[kind]
    home = DataCenter(id="dc", name="dc1", status="up", local=False, version="4.6", description="old")
    cluster = Cluster(id="cl", name="x1", data_center=Ref("dc"), version="4.6", description="old")
    engine = FakeEngine(home, cluster)
    name = {"dc": "dc1", "cl": "x1"}[kind]
    line = f"-t {kind} -o {name} -c {make}"
    assert cfg(engine, line) == [f"{name}: nothing to do"]
    assert cfg(engine, f"{line} --compat 4.7 --description new") == [
        f"!{name}: {noun} has been created, but not with compatibility version 4.7, description new. "
        "Give -u instead of -c to change it"
    ]
    assert not engine.calls
    change = f"-t {kind} -o {name} -u --compat 4.7 --description new"
    assert cfg(engine, change) == [f"{name}: succeeded"]
    assert engine.calls == [("change", f"{noun} {name}", "description", "version")]
    assert cfg(engine, change) == [f"{name}: nothing to do"]
    assert "there is no such" in cfg(engine, f"-t {kind} -o none -u --compat 4.7")[0]


def test_another_cpu_type_of_a_cluster_is_no_success():
    home = DataCenter(id="dc", name="dc1", status="up", local=False, version="4.7")
    engine = FakeEngine(home, Cluster(id="cl", name="x1", data_center=Ref("dc"), cpu_type="Nehalem"))
    engine.cpus = ["Nehalem", "EPYC"]
    assert cfg(engine, "-t cl -o x1 -c -d dc1 -p nehalem") == ["x1: nothing to do"]
    assert "not with CPU type EPYC" in cfg(engine, "-t cl -o x1 -c -d dc1 -p EPYC")[0]
    assert cfg(engine, "-t cl -o x1 -u -p EPYC") == ["x1: succeeded"]
    assert "CPU type 'Z80' is not offered" in cfg(engine, "-t cl -o x1 -u -p Z80")[0]


def test_a_cluster_that_has_lost_its_data_center_gets_one():
    home = DataCenter(id="dc", name="dc1", status="up", local=False)
    engine = FakeEngine(home, Cluster(id="cl", name="x1"))
    assert cfg(engine, "-t cl -o x1 -c -d dc1") == ["x1: succeeded"]
    assert engine.by_name(Cluster, "x1").data_center.id == "dc"


def test_what_a_removed_data_center_leaves_behind_is_said():
    home = DataCenter(id="dc", name="dc1", local=False)
    said = cfg(FakeEngine(home, Cluster(id="cl", name="x1", data_center=Ref("dc"))), "-t dc -o dc1 -r")
    assert said[0].startswith("dc1: it leaves clusters without a data center: x1. To give one another, run: cfgve")
    assert said[1] == "dc1: succeeded."
