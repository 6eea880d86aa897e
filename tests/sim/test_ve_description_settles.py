"""lsve --export and cfgve --from: the exported file changes nothing, and makes the same world anew."""

from __future__ import annotations

import pytest

from vesim import each_version, only, starting
from xcat_rhev.messages import Error, Warn

yaml = pytest.importorskip("yaml")

site = each_version(((3, 0), (3, 6), (4, 5)), hosts=2)


@pytest.fixture(autouse=True)
def named(site):
    for name in ("rhevh1", "rhevh2"):
        site.row("hypervisor", name, type="rhevh", mgr=site.manager)


def exported(site):
    return "\n".join(site.ok("lsve -m MGR --export"))


def described(site, name="Default"):
    return yaml.safe_load(exported(site))["data_centers"][name]


def settled(site):
    """The exported file plans nothing; the lines that a dry run of it says, errors with them."""
    said = site.say("cfgve -m MGR --from - --dry-run", stdin=exported(site))
    assert not [message for message in said if isinstance(message, Error)], said
    return [message.text for message in said if not isinstance(message, Warn) and message.text != "nothing to do"]


def host(site, name="rhevh1"):
    return site.thing("host", name)


def attachment(site, network):
    wanted = site.thing("network", network)["id"]
    return next(one for one in site.world.all("attachment") if one["network"] == wanted)


def networks(site, *names, more="", attach=True):
    for name in names:
        site.ok(f"cfgve -t nw -m MGR -o {name} -c{more}")
        if attach:
            site.ok(f"cfgve -t nw -m MGR -o {name} -a")


def second_cluster(site, **more):
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    return site.thing("cluster", "cl2")


# What a world may have, each by a back door where the front one would not let it in.


def management_with_values(site):
    network = site.thing("network", site.settings.management)
    values = {"vlan": 7, "description": "mine"}
    site.world.change(network, **values, **({"mtu": 9000} if site.version >= (3, 1) else {}))


def management_without_description(site):
    site.world.change(site.thing("network", site.settings.management), description="")


def required_in_one_cluster_of_two(site):
    networks(site, "nw1")
    second_cluster(site)
    site.ok("cfgve -t nw -m MGR -o nw1 -a -l cl2 --required")


def both_ip_versions(site):
    networks(site, "nw1", "nw2", "nw3")
    row = (
        "nw1:eth1:static:10.1.0.1:255.255.255.0:10.1.0.254|nw1:eth1:static:[fd00::1]:64|nw2:eth2:autoconf|nw3:eth3:dhcp"
    )
    site.row("hypervisor", "rhevh1", interface=row)
    site.ok("chhypervisor -n", ["rhevh1"])


def static_without_an_address(site):
    networks(site, "nw1")
    site.row("hypervisor", "rhevh1", interface="nw1:eth1:static:10.1.0.1:255.255.255.0")
    site.ok("chhypervisor -n", ["rhevh1"])
    one = attachment(site, "nw1")
    nic = site.world.the("host_nic", one["host_nic"])
    site.world.change(one, assignments=[{"method": "static", "version": "v4"}])
    site.world.change(nic, ip_address=None, ip_netmask=None)


def bond(site):
    networks(site, "nw1")
    site.row("hypervisor", "rhevh1", interface="nw1:bond0=eth1+eth2,mode=1:none")
    site.ok("chhypervisor -n", ["rhevh1"])


def host_that_does_not_respond(site):
    site.world.change(host(site, "rhevh2"), status="non_responsive")


def host_in_maintenance(site):
    site.world.change(host(site, "rhevh2"), status="maintenance")


def no_host_that_is_up(site):
    for name in ("rhevh1", "rhevh2"):
        site.world.change(host(site, name), status="non_responsive")
    site.world.change(site.thing("storage_domain", "data1"), status="unknown")


def domain_in_maintenance(site):
    site.row("virtsd", "sd2", stype="nfs", location="nfs1:/sd2", host="rhevh1")
    site.ok("cfgve -t sd -m MGR -o sd2 -c")
    site.ok("cfgve -t sd -m MGR -o sd2 -s")


def volume_group_without_luns(site):
    site.world.change(site.thing("storage_domain", "data1"), storage_type="iscsi", address=None, path=None, luns=[])


def lun_with_two_paths(site):
    unit = {"id": "3600a", "address": "10.0.0.1", "port": 3260, "target": "iqn.2026-01.com.example:x"}
    luns = [unit, {**unit, "address": "10.0.0.2"}]
    site.world.change(site.thing("storage_domain", "data1"), storage_type="iscsi", address=None, path=None, luns=luns)


def unattached_domain(site):
    site.world.add(
        "storage_domain", name="loose", type="data", storage_type="nfs", address="x", path="/y", status="unattached"
    )


def cluster_without_data_center(site):
    site.world.change(second_cluster(site), data_center=None)


def network_for_hosts(site):
    networks(site, "san", more=" --nonvm")


def network_out_of_sync(site):
    networks(site, "nw1")
    site.row("hypervisor", "rhevh1", interface="nw1:eth1:dhcp")
    site.ok("chhypervisor -n", ["rhevh1"])
    site.world.change(attachment(site, "nw1"), in_sync=False)


ODDITIES = {
    "network out of sync": (network_out_of_sync, (3, 6)),
    "management network with values": (management_with_values, (3, 0)),
    "management network without description": (management_without_description, (3, 0)),
    "required in one cluster of two": (required_in_one_cluster_of_two, (3, 1)),
    "both IP versions": (both_ip_versions, (4, 0)),
    "static without an address": (static_without_an_address, (3, 6)),
    "bond": (bond, (3, 0)),
    "host that does not respond": (host_that_does_not_respond, (3, 0)),
    "host in maintenance": (host_in_maintenance, (3, 0)),
    "no host that is up": (no_host_that_is_up, (3, 0)),
    "domain in maintenance": (domain_in_maintenance, (3, 0)),
    "volume group without LUNs": (volume_group_without_luns, (3, 0)),
    "LUN with two paths": (lun_with_two_paths, (3, 0)),
    "unattached domain": (unattached_domain, (3, 0)),
    "cluster without data center": (cluster_without_data_center, (3, 0)),
    "network for hosts": (network_for_hosts, (3, 1)),
}
#: What cannot be made again, for it is broken or lost.
_BROKEN = {"static without an address", "no host that is up", "volume group without LUNs", "LUN with two paths"}
_LEFT = {
    "unattached domain",
    "network out of sync",
    "cluster without data center",
    "host that does not respond",
    "host in maintenance",
}


@pytest.mark.parametrize("oddity", ODDITIES)
def test_the_exported_file_plans_nothing(site, oddity):
    make, since = ODDITIES[oddity]
    if site.version < since:
        return
    make(site)
    assert settled(site) == []


@pytest.mark.parametrize("oddity", sorted(set(ODDITIES) - _BROKEN - _LEFT))
def test_a_world_made_anew_exports_the_same(site, oddity, tmp_path_factory):
    make, since = ODDITIES[oddity]
    if site.version < since:
        return
    make(site)
    text = exported(site)
    with starting(tmp_path_factory) as start:
        other = start(site.version)
        for name in ("rhevh1", "rhevh2"):
            other.row("hypervisor", name, type="rhel", password="geheim")
        said = other.say("cfgve -m MGR --from -", stdin=text)
        assert not [message for message in said if isinstance(message, Error)], said
        assert exported(other) == text


def test_what_is_left_out_is_said(site):
    cluster_without_data_center(site)
    unattached_domain(site)
    said = site.ok("lsve -m MGR --export")
    assert "# Left out: clusters without a data center: cl2" in said
    assert "# Left out: storage domains without a data center: loose" in said


def test_what_is_not_written_is_not_changed(site):
    management_with_values(site)
    network = site.thing("network", site.settings.management)
    before = dict(network)
    text = yaml.safe_dump(
        {"data_centers": {"Default": {"clusters": {"Default": {}}, "networks": {network["name"]: {}}}}}
    )
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["Default: nothing to do"]
    assert site.thing("network", network["name"]) == before


def test_a_cluster_without_data_center_is_put_into_the_one_that_is_described(site):
    cluster_without_data_center(site)
    text = yaml.safe_dump({"data_centers": {"Default": {"clusters": {"cl2": {}}}}})
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["cl2: succeeded"]
    assert site.thing("cluster", "cl2")["data_center"] == site.thing("data_center", "Default")["id"]
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["Default: nothing to do"]


def test_what_stands_on_a_fault_is_not_begun(site):
    site.ok("cfgve -t dc -m MGR -o dc2 -c -k nfs")
    text = """
data_centers:
  dc2:
    clusters: {Default: {}}
    networks: {nw1: {clusters: [Default]}}
    hosts: {rhevh1: {cluster: Default, interface: "nw1:eth1:none"}}
"""
    said = sorted(message.text for message in site.say("cfgve -m MGR --from -", stdin=text))
    assert "cluster has been created in another data center than dc2" in said[0]
    assert said[1:-1] == ["not begun, because it needs what failed: cluster Default"] * 2 + [
        "not begun, because it needs what failed: host rhevh1"
    ]
    assert [nw["name"] for nw in site.world.all("network") if nw["name"] == "nw1"] == ["nw1"]


@only((4, 5), (3, 6))
def test_hosts_are_not_asked_for_what_one_of_them_could_not_get(site):
    networks(site, "nw1")
    site.faults([{"do": "status", "path": "/hosts/*/setupnetworks", "method": "POST", "status": 409}])
    text = """
data_centers:
  Default:
    clusters: {Default: {}}
    networks: {nw1: {clusters: [Default], required: true}, nw2: {clusters: [Default], required: true}}
    hosts: {rhevh1: {cluster: Default, interface: "nw1:eth1:none|nw2:eth2:none"}}
"""
    said = site.say("cfgve -m MGR --from -", stdin=text)
    assert [message for message in said if "needs what failed: networks of host rhevh1" in message.text]
    assert not any(
        one["required"]
        for one in site.world.all("cluster_network")
        if site.world.the("network", one["network"])["name"].startswith("nw")
    )
    assert host(site)["status"] == "up"
    site.mend()
    site.ok("cfgve -m MGR --from -", stdin=text)
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["Default: nothing to do"]
    assert host(site)["status"] == "up"


def test_the_management_network_of_a_new_data_center_gets_all_values_at_once(site):
    name = site.settings.management
    values = {"description": "mgmt here", "vlan": 9, **({"mtu": 9000} if site.version >= (3, 1) else {})}
    center = {"clusters": {"cl9": {}}, "networks": {name: values}}
    text = yaml.safe_dump({"data_centers": {"dc9": center}})
    site.ok("cfgve -m MGR --from -", stdin=text)
    assert site.ok("cfgve -m MGR --from -", stdin=text) == ["dc9: nothing to do"]


KINDS = """
qos:
- {name: gold, data_center: Default, type: storage, max_iops: 500}
tag:
- {name: rack2, parent: rack1}
- {name: rack1, description: the first}
diskprofile:
- {name: fast, storage_domain: data1, qos: gold}
vnicprofile:
- {name: wide, network: blue, port_mirroring: true}
affinitygroup:
- {name: apart, cluster: Default, positive: false, vms: []}
role:
- {name: operator, permits: [login, run_vm]}
user:
- {name: joe@internal-authz}
permission:
- {name: joe@internal-authz, role: operator, cluster: Default}
quota:
- {name: lab, data_center: Default, cluster_limits: ["*:8:16"]}
instancetype:
- {name: half, memory: 512m}
"""


@only((4, 5))
def test_other_kinds_are_made_in_their_order_and_settle(site):
    site.ok("cfgve -t nw -m MGR -o blue -c")
    said = site.ok("cfgve -m MGR --from -", stdin=KINDS)
    assert "joe@internal-authz: succeeded." in said and "fast: succeeded." in said
    again = site.ok("cfgve -m MGR --from -", stdin=KINDS)
    assert all(line.endswith(": nothing to do") for line in again), again
    assert site.say("cfgve -m MGR --diff -", stdin=KINDS) == []
    whole = yaml.safe_load(exported(site))
    assert whole["qos"] == [{"name": "gold", "data_center": "Default", "type": "storage", "max_iops": 500}]
    assert whole["permission"] == [{"name": "joe@internal-authz", "role": "operator", "cluster": "Default"}]
    assert settled(site) == []
    site.ok("cfgve -t qos -m MGR -o gold -u -d Default --set max_iops=9")
    site.ok("cfgve -t tag -m MGR -o loose -c")
    told = [(each.node, each.text, each.code) for each in site.say("cfgve -m MGR --diff -", stdin=KINDS)]
    assert told == [
        ("gold", "change QoS to max_iops 500", 2),
        ("loose", "tag is not in the description", 2),
    ]


@only((4, 5))
def test_faults_of_other_kinds_are_all_named(site):
    text = "tag: [{parent: x}]\nqos: {}\nrole: [{name: r, colour: red}]\nuser: [{name: u, namespace: {}}]\n"
    assert sorted(site.wrong("cfgve -m MGR --from -", stdin=text)) == [
        "qos has to hold a list",
        "role r has no colour; it may have name, description, administrative, permits, data_center",
        "tag: number 1 has to have a name",
        "user u: namespace has to be a text, a number, true or false, or a list of texts",
    ]
    (lost,) = site.wrong("cfgve -m MGR --from -", stdin="diskprofile: [{name: p, storage_domain: nix}]")
    assert lost.startswith("p: --set storage_domain=nix: there is no such storage domain")
