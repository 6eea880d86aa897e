"""cfgve --from against the simulator: what differs is changed, what cannot be is said, in the right order."""

import pytest

from vesim import each_version

pytest.importorskip("yaml")

site = each_version(((4, 5),), hosts=0)
WHOLE = """
data_centers:
  dc1:
    clusters: {cl1: {}}
    networks: {nw1: {vlan: 100, clusters: [cl1]}}
    hosts: {rhevh1: {cluster: cl1}}
    storage_domains: {sd1: {stype: nfs, location: "nfs1:/data", host: rhevh1}}
"""


@pytest.fixture(autouse=True)
def password(site):
    site.row("hypervisor", "rhevh1", mgr=site.manager, password="geheim")


@pytest.fixture
def made(site):
    """The world as described."""
    assert not [line for line in converge(site, WHOLE) if line.startswith("!")]
    site.changes()


def converge(site, text):
    return site.lines("cfgve -m MGR --from -", stdin=text)


def state(site, domain, center="dc1"):
    """A storage domain's state in a data center."""
    site.world.settle()
    home = site.thing("data_center", center)["id"]
    return {each["name"]: each["status"] for each in site.world.of("storage_domain", "data_center", home)}.get(domain)


def test_what_is_as_described_is_left_alone(site, made):
    assert converge(site, WHOLE) == ["dc1: nothing to do"]
    assert not site.changes()


def test_what_differs_is_changed_and_nothing_else(site, made):
    text = WHOLE.replace("vlan: 100", "vlan: 101, mtu: 9000").replace("cl1: {}", "cl1: {description: new}")
    assert sorted(converge(site, text)) == ["cl1: succeeded", "nw1: succeeded"]
    assert sorted(site.changes()) == ["PUT /clusters/{id}", "PUT /networks/{id}"]
    network, cluster = site.sent("network"), site.sent("cluster")
    assert {child.tag for child in network} == {"vlan", "mtu"} and {child.tag for child in cluster} == {"description"}
    assert converge(site, text) == ["dc1: nothing to do"]


def test_a_network_that_hosts_must_have_is_demanded_last(site, made):
    text = WHOLE.replace("clusters: [cl1]", "clusters: [cl1], required: true").replace(
        "hosts: {rhevh1: {cluster: cl1}}", 'hosts: {rhevh1: {cluster: cl1, interface: "nw1:eth1:none"}}'
    )
    assert converge(site, text) == ["rhevh1: succeeded.", "nw1: required in cl1."]
    cluster, network = site.thing("cluster", "cl1")["id"], site.thing("network", "nw1")["id"]
    (inside,) = (each for each in site.world.of("cluster_network", "cluster", cluster) if each["network"] == network)
    assert inside["required"] is True
    assert converge(site, text) == ["dc1: nothing to do"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("  dc1:\n", "  dc1:\n    storage: localfs\n"), "!dc1: data center has been created with shared storage"),
        (("cl1: {}", "cl1: {}, cl2: {cpu: Z80}"), "!cl2: CPU type 'Z80' is not offered by 127.0.0.1"),
        (("cl1: {}", "cl1: {}, Default: {}"), "!Default: cluster has been created in another data center than dc1"),
        (("nfs1:/data", "nfs2:/data"), "!sd1: storagedomains has been defined in the rhevm with address nfs1, not"),
        (("nfs1:/data", "nowhere"), "!sd1: location begins with 'nowhere'"),
        (("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth9:none"}'), "!rhevh1: does not have interface eth9"),
        (("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth1:bootp"}'), "!rhevh1: interface: the boot protocol"),
        (("hosts: {", "hosts: {new1: {cluster: cl1}, "), "!new1: host was not created: it has not registered"),
    ],
)
def test_what_cannot_be_is_said_and_the_rest_is_left_alone(site, made, change, named):
    site.row("nodetype", "new1", os="rhevh6.6")
    assert converge(site, WHOLE.replace(*change))[0].startswith(named)
    assert not site.changes()


def test_all_that_is_wrong_with_described_rows_is_said_before_anything_is_asked(site):
    text = WHOLE.replace("nfs1:/data", "nowhere")
    text = text.replace("{cluster: cl1}", '{cluster: cl1, interface: "nw1:eth1:bootp"}')
    text += "    vms:\n      vm1: {cluster: cl1, memory: much}\n"
    site.ok("lsve -t dc -m MGR")  # the session is warm
    site.changes()
    said = converge(site, text)
    assert [line.partition(":")[0] for line in said] == ["!rhevh1", "!sd1", "!vm1"]
    assert not any("Run: chtab node=sd1" in line for line in said)
    assert not site.front.counts.report()["requests"]


def test_everything_from_nothing_in_the_order_of_what_stands_on_what(site):
    said = converge(site, WHOLE)
    assert not [line for line in said if line.startswith("!")]
    done = site.changes()
    for earlier, later in (
        ("POST /datacenters", "POST /clusters"),
        ("POST /datacenters", "POST /networks"),
        ("POST /clusters", "POST /hosts"),
        ("POST /hosts", "POST /storagedomains"),
        ("POST /storagedomains", "POST /datacenters/{id}/storagedomains"),
    ):
        assert done.index(earlier) < done.index(later)
    assert site.thing("data_center", "dc1")["status"] == "up" and state(site, "sd1") == "active"
    assert converge(site, WHOLE) == ["dc1: nothing to do"]


def test_what_stands_on_a_failure_is_not_begun(site):
    site.faults([{"do": "status", "method": "POST", "path": "/clusters", "status": 409}])
    said = converge(site, WHOLE)
    assert [line for line in said if line.startswith("!cl1: ")]
    assert "!rhevh1: not begun, because it needs what failed: cluster cl1" in said
    assert "!sd1: not begun, because it needs what failed: host rhevh1" in said
    assert site.world.by_name("network", "nw1")


def test_a_domain_that_is_there_needs_no_host_and_one_that_is_not_does(site, made):
    text = WHOLE.replace(", host: rhevh1", "").replace("sd1:", "sd2: {stype: nfs}, sd1:")
    said = converge(site, text)
    assert said == ["!sd2: host is not set: a SPM host needs to be specified", "!sd2: location is not set"]
    assert not site.changes()
