"""chhypervisor against the simulator: what is done to a host, what is only waited for, what is refused."""

import pytest

from vesim import each_version
from xcat_rhev.sim.register import register
from xcat_rhev.sim.resources.vmshape import BLANK
from xcat_rhev.sim.world import ZERO

site = each_version(((4, 5),), hosts=2)


@pytest.fixture(autouse=True)
def row(site):
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager, cluster="Default")


@pytest.fixture
def pending(site):
    """A hypervisor that has registered: rhevh9."""
    site.row("hypervisor", "rhevh9", type="rhevh", mgr=site.manager, cluster="Default")
    return register(site.world, "rhevh9", "10.9.9.9", "uuid_52:54:00:00:00:09")


def ch(site, line, *nodes):
    return site.lines(f"chhypervisor {line}", nodes or ("rhevh1",))


def put(site, **values):
    """Give rhevh1 such values."""
    site.world.change(site.thing("host", "rhevh1"), **values)


def machine(site, name, **values):
    """A machine that runs on rhevh1."""
    cluster, host = site.thing("cluster", "Default"), site.thing("host", "rhevh1")
    return site.world.add(
        "vm", name=name, status="up", host=host["id"], cluster=cluster["id"], **{**BLANK, "template": ZERO, **values}
    )


@pytest.mark.parametrize("line", ["", "-a -e", "-e on"])
def test_wrong_words_do_nothing(site, line):
    (said,) = ch(site, line)
    assert said.startswith("!") and not site.changes()


# -a


def test_a_pending_host_is_approved_and_waited_for(site, pending):
    assert ch(site, "-a", "rhevh9") == ["rhevh9: approved.", "rhevh9: up"]
    assert site.changes() == ["POST /hosts/{id}/approve"]
    assert ch(site, "-a", "rhevh9") == ["rhevh9: up: nothing to do"]


def test_an_installation_under_way_is_only_waited_for(site, pending):
    site.world.move(pending, "host.upgrade")  # installing, reboot, non_responsive, initializing, up
    assert pending["status"] == "installing"
    assert ch(site, "-a", "rhevh9") == ["rhevh9: up"]
    assert not site.changes()


def test_a_failed_installation_is_told_with_the_managers_words(site, pending):
    words = "Host rhevh9 installation failed. No space."
    site.faults([{"do": "fail", "state": "host.approve", "text": words}])
    assert ch(site, "-a", "rhevh9") == ["rhevh9: approved.", f"!rhevh9: host rhevh9 is install_failed: {words}"]
    (said,) = ch(site, "-a", "rhevh9")
    assert said == (
        "!rhevh9: the state of node is not correct for approve. Current state: install_failed. "
        "Run: chhypervisor rhevh9 --reinstall"
    )


def test_a_host_that_does_not_come_up_in_time_is_told_with_the_managers_events(site, pending):
    site.faults([{"do": "never", "state": "host.approve"}])
    said = ch(site, "-a --timeout 30", "rhevh9")[1]
    assert "is still installing" in said and "; the manager says: Host rhevh9 was approved." in said


def test_a_host_under_a_wrong_address_is_given_up_before_the_limit(site, monkeypatch):
    site.row("hypervisor", "rhevh5", type="rhevh", mgr=site.manager, cluster="Default", password="geheim")
    monkeypatch.setitem(site.world.paths, "host.install", (("installing", 0.8), ("non_responsive", 1e9)))
    began = site.clock.now()
    *_, said = ch(site, "-a", "rhevh5")
    assert said.startswith("!rhevh5: host rhevh5 is non_responsive")
    assert said.endswith("Look whether its address is right, and at its network and its daemon vdsmd")
    assert site.clock.now() - began < 600


def test_a_rhevh_that_has_not_registered_yet(site):
    site.row("hypervisor", "rhevh8", type="rhevh", mgr=site.manager, cluster="Default")
    (said,) = ch(site, "-a", "rhevh8")
    assert said.startswith(f"!rhevh8: host was not created: it has not registered at {site.manager} yet")


def test_a_cluster_that_is_not_there_and_one_that_is_another(site, pending):
    site.row("hypervisor", "rhevh9", cluster="cl9")
    assert ch(site, "-a", "rhevh9")[0].startswith("!rhevh9: failed to get cluster: cl9. Run: cfgve -t cl")
    site.ok("cfgve -t cl -m MGR -o cl2 -c -d Default")
    site.row("hypervisor", "rhevh1", cluster="cl2")
    (said,) = ch(site, "-a")
    assert said.startswith("!rhevh1: the host is in cluster Default, not cl2. Run: rmhypervisor rhevh1 -f")


def added(site, name, *passwords, **row):
    """Add a host that does not register; the document that the manager got."""
    site.row("hypervisor", name, mgr=site.manager, cluster="Default", **row)
    site.host.tables["passwd"] += [{"key": key, "username": "root", "password": word} for key, word in passwords]
    assert ch(site, "-a", name) == [f"{name}: added.", f"{name}: up"]
    return site.sent("host")


def test_a_host_that_does_not_register_is_added_with_its_password(site):
    site.row("nodetype", "kvm1", os="centos7.9")
    site.host.tables["site"].append({"key": "domain", "value": "example.com"})
    made = added(site, "kvm1", ("system", "geheim"), type="rhevh")
    assert (made.findtext("address"), made.findtext("root_password")) == ("kvm1.example.com", "geheim")
    assert site.thing("host", "kvm1")["cluster"] == site.thing("cluster", "Default")["id"]


@pytest.mark.parametrize(
    ("row", "passwords", "user"),
    [({}, [], None), ({}, [("system", "$6$hash")], None), ({"user": "admin"}, [], "admin")],
)
def test_without_a_password_in_clear_the_managers_key_is_used(site, row, passwords, user):
    site.row("nodetype", "n1", os="rhvh4.4")
    made = added(site, "n1", *passwords, **row)
    assert made.findtext("ssh/authentication_method") == "publickey"
    assert made.findtext("ssh/user/user_name") == user
    assert made.find("ssh/user/password") is None and made.find("root_password") is None


@pytest.mark.parametrize("system", ["rocky9.4", "rhels7.9", "ol8.10", "centos-stream9", "alma8.9"])
def test_a_full_linux_has_the_password_of_the_key_system_and_not_that_of_hypervisors(site, system):
    for name in ("n1", "n2"):
        site.row("nodetype", name, os=system, provmethod=f"{system}-x86_64-install-compute")
    made = added(site, "n2", ("rhevh", "of-rhevh"))
    assert made.findtext("ssh/authentication_method") == "publickey"
    assert added(site, "n1", ("system", "of-system")).findtext("root_password") == "of-system"


def test_another_user_with_a_password_of_the_table_and_the_address_of_hosts(site):
    site.row("hosts", "n1", ip="10.0.0.9")
    made = added(site, "n1", type="rhevh", user="inst", password="pw")
    told = [made.findtext(path) for path in ("address", "ssh/user/user_name", "ssh/user/password")]
    assert told == ["10.0.0.9", "inst", "pw"]


# Which host a node is.


def hosts_at_rest(site, **addresses):
    """Hosts in maintenance by name, n1.example.com written as n1_example_com; nodes n1 to n3."""
    for name, address in addresses.items():
        host = register(site.world, name.replace("_", "."), address, f"id-{name}")
        site.world.change(host, status="maintenance")
    for name in ("n1", "n2", "n3"):
        site.row("hypervisor", name, type="rhevh", mgr=site.manager)
    site.host.tables["site"].append({"key": "domain", "value": "example.com"})


def test_a_host_is_found_by_full_name_or_address_and_never_by_prefix(site):
    hosts_at_rest(site, n1_example_com="10.0.0.1", x="10.0.0.2", n33="10.0.0.33")
    site.row("hosts", "n2", ip="10.0.0.2")
    assert sorted(ch(site, "-e", "n1", "n2", "n3")) == [
        f"!n3: host was not created on {site.manager}. Run: chhypervisor n3 -a",
        "n1: succeeded.",
        "n2: succeeded.",
    ]


def test_a_nodes_own_name_goes_before_its_address(site):
    hosts_at_rest(site, n1_example_com="10.0.0.1", x="10.0.0.2", n2="10.0.0.3")
    site.row("hosts", "n1", ip="10.0.0.2")
    assert sorted(ch(site, "-e", "n1", "n2")) == ["n1: succeeded.", "n2: succeeded."]
    assert [site.thing("host", name)["status"] for name in ("n1.example.com", "x")] == ["up", "maintenance"]


def test_two_hosts_of_one_name_spoil_only_that_node(site):
    site.row("hypervisor", "rhevh2", type="rhevh", mgr=site.manager)
    site.faults([{"do": "duplicate", "kind": "host", "name": "rhevh1"}])
    said = ch(site, "-e", "rhevh1", "rhevh2")
    assert said[0] == f"!rhevh1: manager {site.manager} has several hosts with the name rhevh1"
    assert said[1:] == ["rhevh2: up: nothing to do"]


# -e and -d


def test_activate_and_deactivate_are_waited_for_and_done_once(site):
    assert ch(site, "-d") == ["rhevh1: succeeded."]
    assert ch(site, "-d") == ["rhevh1: maintenance: nothing to do"]
    assert ch(site, "-e") == ["rhevh1: succeeded."]
    assert ch(site, "-e") == ["rhevh1: up: nothing to do"]
    assert site.changes() == ["POST /hosts/{id}/deactivate", "POST /hosts/{id}/activate"]


def test_a_host_that_stays_non_operational_is_no_success(site):
    put(site, status="maintenance", spm=False)
    words = "Host rhevh1 cannot reach the storage."
    site.faults([{"do": "fail", "state": "host.activate", "text": words}])
    assert ch(site, "-e") == [f"!rhevh1: host rhevh1 is non_operational: {words}"]


@pytest.mark.parametrize("flag", ["-e", "-d"])
def test_a_host_that_was_never_taken_in(site, pending, flag):
    assert ch(site, flag, "rhevh9") == ["!rhevh9: the host is pending_approval. Run: chhypervisor rhevh9 -a"]


def test_pinned_machines_keep_a_host_and_are_named(site):
    machine(site, "vm1", affinity="pinned")
    machine(site, "vm2")
    (said,) = ch(site, "-d")
    assert said == "!rhevh1: virtual machines are pinned to the host and cannot migrate: vm1. Run: rpower vm1 off"
    assert not site.changes()


def test_machines_that_do_not_leave_in_time_are_named(site):
    machine(site, "vm1")
    site.faults([{"do": "never", "state": "vm.migrate"}])
    (said,) = ch(site, "-d --timeout 30")
    assert said.startswith("!rhevh1: host rhevh1 is still preparing_for_maintenance")
    assert "; virtual machines are still on it: vm1" in said and "--timeout" in said


def test_an_evacuation_under_way_is_only_waited_for(site):
    site.world.move(site.thing("host", "rhevh1"), "host.deactivate")
    assert ch(site, "-d") == ["rhevh1: succeeded."]
    assert not site.changes()


def test_hosts_that_say_they_are_empty_are_not_asked_for_machines(site):
    assert not [call for call in site.cost("chhypervisor -d", ["rhevh1"]) if "/vms" in call]


# --reinstall


def test_a_failed_installation_is_begun_again(site):
    put(site, status="install_failed")
    site.row("hypervisor", "rhevh1", password="pw")
    assert ch(site, "--reinstall") == ["rhevh1: install begun.", "rhevh1: up"]


@pytest.mark.parametrize("option", ["-e", "-d"])
@pytest.mark.parametrize(("state", "way"), [("install_failed", "--reinstall"), ("pending_approval", "-a")])
def test_a_host_that_is_not_in_its_cluster_yet_says_what_brings_it_there(site, option, state, way):
    put(site, status=state)
    assert ch(site, option) == [f"!rhevh1: the host is {state}. Run: chhypervisor rhevh1 {way}"]


def test_a_running_host_is_not_reinstalled(site):
    (said,) = ch(site, "--reinstall")
    assert said == "!rhevh1: the host is up, but must be in maintenance. Run: chhypervisor rhevh1 -d"


# -p


def test_power_management_of_a_bmc_is_set_and_tried(site):
    site.row("nodehm", "rhevh1", mgt="ipmi")
    site.row("ipmi", "rhevh1", bmc="bmc1")
    site.host.tables["passwd"].append({"key": "ipmi", "username": "ADMIN", "password": "pw"})
    assert ch(site, "-p") == ["rhevh1: Setting power management: bmc1", "rhevh1: power management answers: on"]
    assert agent(site) == ("ipmilan", "bmc1", "ADMIN", "pw")
    assert site.changes()[-1] == "POST /hosts/{id}/fence"


def agent(site):
    """The fence agent that was sent."""
    sent = site.sent("agent")
    return tuple(sent.findtext(key) for key in ("type", "address", "username", "password"))


@pytest.mark.parametrize(
    ("mgt", "tables", "expected"),
    [
        ("openbmc", {"openbmc": {"bmc": "b", "username": "u", "password": "p"}}, ("ipmilan", "b", "u", "p")),
        ("hpilo", {"ipmi": {"bmc": "b", "username": "u", "password": "p"}}, ("ilo4", "b", "u", "p")),
        ("blade", {"mp": {"mpa": "mm1", "id": "3"}}, ("bladecenter", "mm1", "u", "p")),
    ],
)
def test_other_kinds_of_power_management(site, mgt, tables, expected):
    site.row("nodehm", "rhevh1", mgt=mgt)
    for table, row in tables.items():
        site.row(table, "rhevh1", **row)
    site.host.tables["mpa"] = [{"mpa": "mm1", "username": "u", "password": "p"}]
    assert ch(site, "-p")[0] == f"rhevh1: Setting power management: {expected[1]}"
    assert agent(site) == expected


@pytest.mark.parametrize(
    ("tables", "named"),
    [
        ({}, "the nodehm.mgt was not set to know the management method. Run: chtab node=rhevh1 nodehm.mgt=ipmi"),
        ({"nodehm": {"mgt": "hmc"}}, "the supported power management method: ipmi, openbmc"),
        ({"nodehm": {"mgt": "ipmi"}}, "the ipmi.bmc was not set"),
        ({"nodehm": {"mgt": "ipmi"}, "ipmi": {"bmc": "b"}}, "no user and password for b. Run: chtab key=ipmi"),
    ],
)
def test_what_power_management_lacks(site, tables, named):
    for table, row in tables.items():
        site.row(table, "rhevh1", **row)
    (said,) = ch(site, "-p")
    assert said.startswith("!rhevh1: ") and named in said
    assert not site.changes()


def test_power_management_that_does_not_answer_is_no_success(site):
    """No other host is up to ask it."""
    site.row("nodehm", "rhevh1", mgt="ipmi")
    site.row("ipmi", "rhevh1", bmc="b", username="u", password="p")
    site.world.change(site.thing("host", "rhevh2"), status="maintenance")
    said = ch(site, "-p")[1]
    assert said.startswith("!rhevh1: power management is set, but does not answer: ") and "Check address" in said


# -n


@pytest.fixture
def networks(site):
    """ovirtmgmt is on eth0 of rhevh1; its cluster has vmnet, too, VLAN 100, and another center one of that name."""
    site.ok("cfgve -t nw -m MGR -o vmnet -c -n 100")
    site.ok("cfgve -t nw -m MGR -o vmnet -a")
    site.ok("cfgve -t dc -m MGR -o other -c -k nfs")
    site.ok("cfgve -t nw -m MGR -o vmnet -c -d other")
    site.changes()


def net(site, interface):
    site.row("hypervisor", "rhevh1", interface=interface)
    return ch(site, "-n")


def attachments(site):
    """Network -> its attachment to rhevh1."""
    of = site.world.of("attachment", "host", site.thing("host", "rhevh1")["id"])
    return {site.world.the("network", each["network"])["name"]: each for each in of}


def card(site, attachment):
    return site.world.the("host_nic", attachment["host_nic"])["name"]


def test_networks_are_compared_and_only_what_differs_is_set(site, networks):
    row = "ovirtmgmt:eth0:dhcp|vmnet:eth1.100:static:10.1.0.2:255.255.0.0"
    before = dict(attachments(site)["ovirtmgmt"])
    assert net(site, row) == ["rhevh1: succeeded."]
    assert site.changes()[0] == "POST /hosts/{id}/setupnetworks"
    assert len(site.sent("action").findall("modified_network_attachments/network_attachment")) == 1
    assert attachments(site)["ovirtmgmt"] == before
    wanted = attachments(site)["vmnet"]
    assert card(site, wanted).startswith("eth1")
    (way,) = (way for way in wanted["assignments"] if way["version"] == "v4")
    assert (way["method"], way["address"], way["netmask"]) == ("static", "10.1.0.2", "255.255.0.0")
    assert net(site, row) == ["rhevh1: nothing to do"]


@pytest.mark.parametrize(
    "interface", ["ovirtmgmt:eth0:none", "ovirtmgmt:eth1:dhcp", "ovirtmgmt:eth0:static:10.0.0.1:255.0.0.0"]
)
def test_another_protocol_nic_or_address_is_a_change_of_what_is_there(site, networks, interface):
    before = attachments(site)["ovirtmgmt"]["id"]
    assert net(site, interface) == ["rhevh1: succeeded."]
    assert attachments(site)["ovirtmgmt"]["id"] == before


def test_an_attachment_out_of_sync_is_named_and_set_again(site, networks):
    site.world.change(attachments(site)["ovirtmgmt"], in_sync=False)
    assert net(site, "ovirtmgmt:eth0:dhcp") == [
        "rhevh1: the network ovirtmgmt is out of sync on the host",
        "rhevh1: succeeded.",
    ]


def test_a_bond_is_made_with_its_network_in_one_call(site, networks):
    assert net(site, "vmnet:bond0=eth1+eth2,mode=1:none") == ["rhevh1: succeeded."]
    assert [call for call in site.changes() if "setupnetworks" in call] == ["POST /hosts/{id}/setupnetworks"]
    bond = bond_of(site)
    assert bond["name"] == "bond0" and sorted(names(site, bond["slaves"])) == ["eth1", "eth2"]
    assert net(site, "vmnet:bond0=eth2+eth1,mode=1:none") == ["rhevh1: nothing to do"]
    assert net(site, "vmnet:bond0=eth2+eth1,mode=4:none") == ["rhevh1: succeeded."]
    assert bond_of(site)["id"] == bond["id"]


def bond_of(site):
    nics = site.world.of("host_nic", "host", site.thing("host", "rhevh1")["id"])
    (bond,) = (nic for nic in nics if nic.get("slaves"))
    return bond


def names(site, ids):
    return [site.world.the("host_nic", one)["name"] for one in ids]


def test_everything_wrong_with_a_row_is_said_at_once(site, networks):
    assert net(site, "nonet:eth0:dhcp|vmnet:eth7.200:none") == [
        f"!rhevh1: network: nonet does not exist in the host's data center. Run: cfgve -t nw -m {site.manager} "
        "-o nonet -c -d DATACENTER, and with -a -l CLUSTER",
        "!rhevh1: network vmnet has VLAN 100, but hypervisor.interface says eth7.200",
        "!rhevh1: does not have interface eth7. It has eth0, eth1, eth2, eth3",
    ]
    assert not site.changes()


def test_a_row_that_cannot_be_read_and_one_that_is_missing(site):
    assert net(site, "ovirtmgmt:eth0:bootp") == [
        "!rhevh1: hypervisor.interface: the boot protocol 'bootp' is not one of dhcp, static, none "
        "in 'ovirtmgmt:eth0:bootp'"
    ]
    (said,) = net(site, "")
    assert "hypervisor.interface: needs to be configured" in said


def test_a_host_that_cannot_be_talked_to(site, networks):
    put(site, status="non_responsive")
    (said,) = net(site, "ovirtmgmt:eth0:dhcp")
    assert said == "!rhevh1: the host is non_responsive, not up or in maintenance. Run: chhypervisor rhevh1 -d"


def test_a_refusal_by_the_manager_reaches_the_node(site, networks):
    site.faults([{"do": "status", "path": "/hosts/*/setupnetworks", "status": 409}])
    (said,) = [
        line for line in net(site, "vmnet:eth1:none") if line.startswith("!")
    ]  # beside words of what it waits for
    assert said.startswith("!rhevh1: ")
    assert "vmnet" not in attachments(site)
