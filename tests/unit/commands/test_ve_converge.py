"""cfgve --from against a manager in memory: what differs is changed, what cannot be is said, in the right order."""

import pytest

from fakeengine import FakeEngine, run, texts
from xcat_rhev.commands import cfgve
from xcat_rhev.engine.nouns import Cluster, DataCenter, Host, HostNic, Network, Ref, StorageDomain
from xcat_rhev.errors import Conflict

pytest.importorskip("yaml")


def an_engine(*more):
    engine = FakeEngine(
        DataCenter(id="dc", name="dc1", status="up", local=False, version="4.7"),
        Cluster(id="cl", name="cl1", data_center=Ref("dc"), cpu_type="Intel Nehalem Family"),
        Network(id="n1", name="nw1", data_center=Ref("dc"), vlan=100),
        Host(
            id="h1",
            name="rhevh1",
            status="up",
            cluster=Ref("cl"),
            nics=(HostNic(id="e0", name="eth0"), HostNic(id="e1", name="eth1")),
        ),
        StorageDomain(id="sd", name="sd1", type="data", storage_type="nfs", address="nfs1", path="/data"),
        *more,
    )
    engine.attached["dc", "sd"] = "active"
    engine.networks["cl"] = {"n1": False}
    return engine


WHOLE = """
data_centers:
  dc1:
    clusters: {cl1: {}}
    networks: {nw1: {vlan: 100, clusters: [cl1]}}
    hosts: {rhevh1: {cluster: cl1}}
    storage_domains: {sd1: {stype: nfs, location: "nfs1:/data", host: rhevh1}}
"""


def converge(engine, text, **tables):
    return texts(run(cfgve, engine, "--from -", tables=tables, stdin=text))


def test_what_is_as_described_is_left_alone():
    engine = an_engine()
    assert converge(engine, WHOLE) == ["dc1: nothing to do"]
    assert not engine.calls


def test_what_differs_is_changed_and_nothing_else():
    engine = an_engine()
    text = WHOLE.replace("vlan: 100", "vlan: 101, mtu: 9000").replace("cl1: {}", "cl1: {description: new}")
    assert sorted(converge(engine, text)) == ["cl1: succeeded", "nw1: succeeded"]
    assert sorted(engine.calls) == [("change", "cluster cl1", "description"), ("change", "network nw1", "mtu", "vlan")]
    assert converge(engine, text) == ["dc1: nothing to do"]


def test_a_network_that_hosts_must_have_is_demanded_last():
    engine = an_engine()
    text = WHOLE.replace("clusters: [cl1]", "clusters: [cl1], required: true").replace(
        "hosts: {rhevh1: {cluster: cl1}}", 'hosts: {rhevh1: {cluster: cl1, interface: "nw1:eth1:none"}}'
    )
    assert converge(engine, text) == ["rhevh1: succeeded.", "nw1: required in cl1."]
    assert engine.networks["cl"] == {"n1": True}
    assert converge(engine, text) == ["dc1: nothing to do"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("  dc1:\n", "  dc1:\n    storage: localfs\n"), "!dc1: data center has been created with shared storage"),
        (("cl1: {}", "cl1: {}, cl2: {cpu: Z80}"), "!cl2: CPU type 'Z80' is not offered by rhevm.example.com"),
        (("cl1: {}", "cl1: {}, other: {}"), "!other: cluster has been created in another data center than dc1"),
        (("nfs1:/data", "nfs2:/data"), "!sd1: storagedomains has been defined in the rhevm with address nfs1, not"),
        (("nfs1:/data", "nowhere"), "!sd1: location begins with 'nowhere'"),
        (("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth9:none"}'), "!rhevh1: does not have interface eth9"),
        (("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth1:bootp"}'), "!rhevh1: interface: the boot protocol"),
        (("hosts: {", "hosts: {new1: {cluster: cl1}, "), "!new1: host was not created: it has not registered"),
    ],
)
def test_what_cannot_be_is_said_and_the_rest_is_left_alone(change, named):
    engine = an_engine(Cluster(id="x", name="other", data_center=Ref("dc9")))
    said = converge(engine, WHOLE.replace(*change), nodetype=[{"node": "new1", "os": "rhevh6.6"}])
    assert said[0].startswith(named)
    assert not engine.calls


def test_all_that_is_wrong_with_described_rows_is_said_before_anything_is_asked():
    engine = FakeEngine()
    text = WHOLE.replace("nfs1:/data", "nowhere")
    text = text.replace("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth1:bootp"}')
    text += "    vms:\n      vm1: {cluster: cl1, memory: much}\n"
    said = converge(engine, text)
    assert [line.partition(":")[0] for line in said] == ["!rhevh1", "!sd1", "!vm1"]
    assert not any("Run: chtab node=sd1" in line for line in said)
    assert engine.asked == 0 and not engine.calls


def test_everything_from_nothing_in_the_order_of_what_stands_on_what():
    engine = FakeEngine()
    tables = {"hypervisor": [{"node": "rhevh1", "password": "geheim"}]}
    said = converge(engine, WHOLE, **tables)
    assert not [line for line in said if line.startswith("!")]
    made = [" ".join(call[:2]) for call in engine.calls]
    for earlier, later in (
        ("create data center dc1", "create cluster cl1"),
        ("create data center dc1", "create network nw1"),
        ("create cluster cl1", "create host rhevh1"),
        ("create host rhevh1", "create storage domain sd1"),
        ("create storage domain sd1", "attach storage domain sd1"),
    ):
        assert made.index(earlier) < made.index(later)
    assert engine.by_name(DataCenter, "dc1").status == "up"
    assert converge(engine, WHOLE, **tables) == ["dc1: nothing to do"]


def test_what_stands_on_a_failure_is_not_begun():
    engine = FakeEngine()
    engine.refuse["create", "cluster cl1"] = Conflict("no")
    said = converge(engine, WHOLE, hypervisor=[{"node": "rhevh1", "password": "geheim"}])
    assert "!cl1: no" in said
    assert "!rhevh1: not begun, because it needs what failed: cluster cl1" in said
    assert "!sd1: not begun, because it needs what failed: host rhevh1" in said
    assert engine.by_name(Network, "nw1") is not None


TWO_CENTERS = """
data_centers:
  dc1:
    clusters: {cl1: {}}
    storage_domains: {iso: {sdtype: iso, stype: nfs, location: "nfs1:/iso", host: rhevh1}}
  dc2:
    clusters: {}
    storage_domains: {iso: {sdtype: iso, stype: nfs, location: "nfs1:/iso", host: rhevh1}}
"""


def test_an_iso_domain_stands_in_two_data_centers():
    iso = StorageDomain(id="iso", name="iso", type="iso", storage_type="nfs", address="nfs1", path="/iso")
    engine = an_engine(iso, DataCenter(id="dc2", name="dc2", status="up", local=False))
    engine.attached["dc", "iso"] = "active"
    assert converge(engine, TWO_CENTERS) == ["dc1: nothing to do", "iso: create storage domain succeeded."]
    assert [call for call in engine.calls if call[0].startswith("create")] == []
    assert engine.attached["dc2", "iso"] == "active"
    assert converge(engine, TWO_CENTERS) == ["dc1: nothing to do", "dc2: nothing to do"]


def test_an_iso_domain_is_made_by_the_first_data_center_and_attached_to_the_other():
    engine = an_engine(DataCenter(id="dc2", name="dc2", status="up", local=False))
    converge(engine, TWO_CENTERS)
    calls = [call for call in engine.calls if call[0] in ("create", "attach")]
    assert [call[:2] for call in calls].count(("create", "storage domain iso")) == 1
    assert {center for center, domain in engine.attached if domain != "sd"} == {"dc", "dc2"}


@pytest.mark.parametrize("change", [("sdtype: iso, ", ""), ('"nfs1:/iso", host: rhevh1}}\n  dc2', '"n2:/x"}}\n  dc2')])
def test_no_other_domain_does(change):
    assert "the storage domain iso is described twice" in converge(an_engine(), TWO_CENTERS.replace(*change))[0]


def test_a_domain_that_is_there_needs_no_host_and_one_that_is_not_does():
    engine = an_engine()
    text = WHOLE.replace(", host: rhevh1", "").replace("sd1:", "sd2: {stype: nfs}, sd1:")
    said = converge(engine, text)
    assert said == ["!sd2: host is not set: a SPM host needs to be specified", "!sd2: location is not set"]
    assert not engine.calls
