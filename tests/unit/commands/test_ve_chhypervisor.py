"""chhypervisor against a manager in memory."""

import pytest

from fakeengine import FakeEngine, run, texts
from xcat_rhev.commands import chhypervisor
from xcat_rhev.engine.nouns import Bonding, Cluster, Host, HostNic, Network, NetworkAttachment, Ref, Vm
from xcat_rhev.errors import Conflict, FailedState, Usage

NODE = {"node": "rhevh1", "type": "rhevh", "mgr": "rhevm.example.com", "cluster": "cl1"}


def an_engine(*more, status="up", **host):
    return FakeEngine(
        Cluster(id="cl", name="cl1", data_center=Ref("dc")),
        Cluster(id="cl2", name="cl2", data_center=Ref("dc")),
        Host(id="h1", name="rhevh1", address="10.0.0.1", status=status, cluster=Ref("cl"), **host),
        *more,
    )


def ch(engine, line, nodes=("rhevh1",), **tables):
    tables.setdefault("hypervisor", [NODE])
    return texts(run(chhypervisor, engine, line, nodes, tables))


@pytest.mark.parametrize("line", ["", "-a -e", "-e on"])
def test_wrong_words_do_nothing(line):
    engine = an_engine()
    with pytest.raises(Usage):
        ch(engine, line)
    assert not engine.calls


# -a


def test_a_pending_host_is_approved_and_waited_for():
    engine = an_engine(status="pending_approval")
    assert ch(engine, "-a") == ["rhevh1: approved.", "rhevh1: up"]
    assert engine.calls == [("approve", "host rhevh1")]
    assert ch(engine, "-a") == ["rhevh1: up: nothing to do"]


def test_an_installation_under_way_is_only_waited_for():
    engine = an_engine(status="installing")
    engine.to_come["h1"] = ["reboot", "non_responsive", "initializing", "up"]
    assert ch(engine, "-a") == ["rhevh1: up"]
    assert not engine.calls


def test_a_failed_installation_is_told_with_the_managers_words():
    engine = an_engine(status="pending_approval")
    engine.to_come["h1"] = ["installing", "install_failed"]
    assert ch(engine, "-a") == ["rhevh1: approved.", "!rhevh1: host rhevh1 is install_failed: the manager's own words"]
    (said,) = ch(engine, "-a")
    assert said == (
        "!rhevh1: the state of node is not correct for approve. Current state: install_failed. "
        "Run: chhypervisor rhevh1 --reinstall"
    )


def test_a_host_that_does_not_come_up_in_time_is_told_with_the_managers_events():
    engine = an_engine(status="pending_approval")
    engine.to_come["h1"] = ["installing"]
    assert ch(engine, "-a")[1].endswith("is still installing; the manager says: host rhevh1 has no answer")


def test_a_rhevh_that_has_not_registered_yet():
    (said,) = ch(an_engine(), "-a", ["rhevh2"], hypervisor=[{**NODE, "node": "rhevh2"}])
    assert said.startswith("!rhevh2: host was not created: it has not registered at rhevm.example.com yet")


def test_a_cluster_that_is_not_there_and_one_that_is_another():
    said = ch(an_engine(status="pending_approval"), "-a", hypervisor=[{**NODE, "cluster": "cl9"}])
    assert said[0].startswith("!rhevh1: failed to get cluster: cl9. Run: cfgve -t cl")
    (said,) = ch(an_engine(), "-a", hypervisor=[{**NODE, "cluster": "cl2"}])
    assert said.startswith("!rhevh1: the host is in cluster cl1, not cl2. Run: rmhypervisor rhevh1 -f")


def test_a_host_that_does_not_register_is_added_with_its_password():
    engine = an_engine()
    tables = {
        "hypervisor": [{"node": "kvm1", "type": "rhevh", "cluster": "cl1"}],
        "nodetype": [{"node": "kvm1", "os": "centos7.9"}],
        "site": [{"key": "domain", "value": "example.com"}],
        "passwd": [{"key": "system", "username": "root", "password": "geheim"}],
    }
    assert ch(engine, "-a", ["kvm1"], **tables) == ["kvm1: added.", "kvm1: up"]
    made = engine.by_name(Host, "kvm1")
    assert (made.address, made.root_password.reveal(), made.cluster.id) == ("kvm1.example.com", "geheim", "cl")


@pytest.mark.parametrize(
    ("row", "passwd", "expected"),
    [
        ({}, [], {"ssh_authentication": "publickey"}),
        ({}, [{"key": "system", "username": "root", "password": "$6$hash"}], {"ssh_authentication": "publickey"}),
        ({"user": "admin"}, [], {"ssh_authentication": "publickey", "ssh_user": "admin"}),
    ],
)
def test_without_a_password_in_clear_the_managers_key_is_used(row, passwd, expected):
    engine = an_engine()
    nodetype = [{"node": "n1", "os": "rhvh4.4"}]
    ch(engine, "-a", ["n1"], hypervisor=[{"node": "n1", "cluster": "cl1", **row}], nodetype=nodetype, passwd=passwd)
    values = engine.by_name(Host, "n1").values()
    assert {key: value for key, value in values.items() if key.startswith("ssh")} == expected
    assert "root_password" not in values


@pytest.mark.parametrize("system", ["rocky9.4", "rhels7.9", "ol8.10", "centos-stream9", "alma8.9"])
def test_a_full_linux_has_the_password_of_the_key_system_and_not_that_of_hypervisors(system):
    engine = an_engine()
    rows = [{"key": key, "username": "root", "password": f"of-{key}"} for key in ("rhevh", "system")]
    nodetype = [{"node": "n1", "os": system, "provmethod": f"{system}-x86_64-install-compute"}]
    ch(engine, "-a", ["n1"], hypervisor=[{"node": "n1", "cluster": "cl1"}], nodetype=nodetype, passwd=rows)
    assert engine.by_name(Host, "n1").root_password.reveal() == "of-system"
    engine = an_engine()
    ch(engine, "-a", ["n1"], hypervisor=[{"node": "n1", "cluster": "cl1"}], nodetype=nodetype, passwd=rows[:1])
    assert engine.by_name(Host, "n1").ssh_authentication == "publickey"


def test_another_user_with_a_password_of_the_table_and_the_address_of_hosts():
    engine = an_engine()
    ch(
        engine,
        "-a",
        ["n1"],
        hosts=[{"node": "n1", "ip": "10.0.0.9"}],
        hypervisor=[{"node": "n1", "type": "rhevh", "cluster": "cl1", "user": "inst", "password": "pw"}],
    )
    made = engine.by_name(Host, "n1")
    assert (made.address, made.ssh_user, made.ssh_password.reveal()) == ("10.0.0.9", "inst", "pw")


# Which host a node is.


def test_a_host_is_found_by_full_name_or_address_and_never_by_prefix():
    engine = FakeEngine(
        Host(id="a", name="n1.example.com", status="maintenance"),
        Host(id="b", name="x", address="10.0.0.2", status="maintenance"),
        Host(id="c", name="n33", status="maintenance"),
    )
    said = ch(
        engine,
        "-e",
        ["n1", "n2", "n3"],
        site=[{"key": "domain", "value": "example.com"}],
        hosts=[{"node": "n2", "ip": "10.0.0.2"}],
    )
    assert said == [
        "!n3: host was not created on rhevm.example.com. Run: chhypervisor n3 -a",
        "n1: succeeded.",
        "n2: succeeded.",
    ]


def test_a_node_that_fits_two_hosts_is_refused_alone():
    engine = FakeEngine(
        Host(id="a", name="n1.example.com", status="maintenance"),
        Host(id="b", name="x", address="10.0.0.2", status="maintenance"),
        Host(id="c", name="n2", status="maintenance"),
    )
    said = ch(
        engine,
        "-e",
        ["n1", "n2"],
        site=[{"key": "domain", "value": "example.com"}],
        hosts=[{"node": "n1", "ip": "10.0.0.2"}],
    )
    assert said == ["!n1: it fits the hosts n1.example.com and x. Correct hosts.ip", "n2: succeeded."]


def test_two_hosts_of_one_name_spoil_only_that_node():
    engine = FakeEngine(
        Host(id="a", name="n1", status="up"), Host(id="b", name="n1", status="up"), Host(id="c", name="n2", status="up")
    )
    said = ch(engine, "-e", ["n1", "n2"])
    assert said == ["!n1: 2 hosts are called n1", "n2: up: nothing to do"]


# -e and -d


def test_activate_and_deactivate_are_waited_for_and_done_once():
    engine = an_engine()
    assert ch(engine, "-d") == ["rhevh1: succeeded."]
    assert ch(engine, "-d") == ["rhevh1: maintenance: nothing to do"]
    del engine.to_come["h1"]
    assert ch(engine, "-e") == ["rhevh1: succeeded."]
    assert ch(engine, "-e") == ["rhevh1: up: nothing to do"]
    assert [call[0] for call in engine.calls] == ["deactivate", "activate"]


def test_a_host_that_stays_non_operational_is_no_success():
    engine = an_engine(status="maintenance")
    engine.to_come["h1"] = ["unassigned", "non_operational"]
    assert ch(engine, "-e") == ["!rhevh1: host rhevh1 is non_operational: the manager's own words"]


@pytest.mark.parametrize("flag", ["-e", "-d"])
def test_a_host_that_was_never_taken_in(flag):
    (said,) = ch(an_engine(status="pending_approval"), flag)
    assert said == "!rhevh1: the host is pending_approval. Run: chhypervisor rhevh1 -a"


def test_pinned_machines_keep_a_host_and_are_named():
    engine = an_engine(
        Vm(name="vm1", status="up", host=Ref("h1"), affinity="pinned"), Vm(name="vm2", status="up", host=Ref("h1"))
    )
    (said,) = ch(engine, "-d")
    assert said == ("!rhevh1: virtual machines are pinned to the host and cannot migrate: vm1. Run: rpower vm1 off")
    assert not engine.calls


def test_machines_that_do_not_leave_in_time_are_named():
    engine = an_engine(Vm(name="vm1", status="up", host=Ref("h1")))
    engine.to_come["h1"] = ["preparing_for_maintenance"]
    (said,) = ch(engine, "-d")
    assert said.startswith("!rhevh1: host rhevh1 is still preparing_for_maintenance; virtual machines are still on it")
    assert "vm1" in said and "--timeout" in said


def test_an_evacuation_under_way_is_only_waited_for():
    engine = an_engine(status="preparing_for_maintenance")
    engine.to_come["h1"] = ["maintenance"]
    assert ch(engine, "-d") == ["rhevh1: succeeded."]
    assert not engine.calls


def test_hosts_that_say_they_are_empty_are_not_asked_for_machines():
    engine = an_engine(total=0)
    ch(engine, "-d")
    assert engine.asked == 1 + 3  # the host, then one look per state


# --reinstall, --upgrade


def test_a_failed_installation_is_begun_again():
    engine = an_engine(status="install_failed")
    assert ch(engine, "--reinstall", hypervisor=[{**NODE, "password": "pw"}]) == [
        "rhevh1: install begun.",
        "rhevh1: up",
    ]


@pytest.mark.parametrize("option", ["-e", "-d"])
@pytest.mark.parametrize(("state", "way"), [("install_failed", "--reinstall"), ("pending_approval", "-a")])
def test_a_host_that_is_not_in_its_cluster_yet_says_what_brings_it_there(option, state, way):
    said = ch(an_engine(status=state), option)
    assert said == [f"!rhevh1: the host is {state}. Run: chhypervisor rhevh1 {way}"]


def test_a_running_host_is_not_reinstalled():
    (said,) = ch(an_engine(), "--reinstall")
    assert said == "!rhevh1: the host is up, but must be in maintenance. Run: chhypervisor rhevh1 -d"


# -p


def test_power_management_of_a_bmc_is_set_and_tried():
    engine = an_engine()
    said = ch(
        engine,
        "-p",
        nodehm=[{"node": "rhevh1", "mgt": "ipmi"}],
        ipmi=[{"node": "rhevh1", "bmc": "bmc1"}],
        passwd=[{"key": "ipmi", "username": "ADMIN", "password": "pw"}],
    )
    assert said == ["rhevh1: Setting power management: bmc1", "rhevh1: power management answers: on"]
    assert engine.calls == [
        ("set_fencing", "host rhevh1", "ipmilan", "bmc1", "ADMIN", "pw"),
        ("fence", "host rhevh1", "status"),
    ]


@pytest.mark.parametrize(
    ("mgt", "tables", "expected"),
    [
        (
            "openbmc",
            {"openbmc": [{"node": "rhevh1", "bmc": "b", "username": "u", "password": "p"}]},
            ("ipmilan", "b", "u", "p"),
        ),
        (
            "hpilo",
            {"ipmi": [{"node": "rhevh1", "bmc": "b", "username": "u", "password": "p"}]},
            ("ilo4", "b", "u", "p"),
        ),
        (
            "blade",
            {
                "mp": [{"node": "rhevh1", "mpa": "mm1", "id": "3"}],
                "mpa": [{"mpa": "mm1", "username": "u", "password": "p"}],
            },
            ("bladecenter", "mm1", "u", "p"),
        ),
    ],
)
def test_other_kinds_of_power_management(mgt, tables, expected):
    engine = an_engine()
    ch(engine, "-p", nodehm=[{"node": "rhevh1", "mgt": mgt}], **tables)
    assert engine.calls[0][2:] == expected


@pytest.mark.parametrize(
    ("tables", "named"),
    [
        ({}, "the nodehm.mgt was not set to know the management method. Run: chtab node=rhevh1 nodehm.mgt=ipmi"),
        ({"nodehm": [{"node": "rhevh1", "mgt": "hmc"}]}, "the supported power management method: ipmi, openbmc"),
        ({"nodehm": [{"node": "rhevh1", "mgt": "ipmi"}]}, "the ipmi.bmc was not set"),
        (
            {"nodehm": [{"node": "rhevh1", "mgt": "ipmi"}], "ipmi": [{"node": "rhevh1", "bmc": "b"}]},
            "no user and password for b. Run: chtab key=ipmi",
        ),
    ],
)
def test_what_power_management_lacks(tables, named):
    engine = an_engine()
    (said,) = ch(engine, "-p", **tables)
    assert said.startswith("!rhevh1: ") and named in said
    assert not engine.calls


def test_power_management_that_does_not_answer_is_no_success():
    engine = an_engine()
    engine.refuse["fence", "host rhevh1"] = Conflict("no proxy host")
    said = ch(
        engine,
        "-p",
        nodehm=[{"node": "rhevh1", "mgt": "ipmi"}],
        ipmi=[{"node": "rhevh1", "bmc": "b", "username": "u", "password": "p"}],
    )
    assert said[1].startswith("!rhevh1: power management is set, but does not answer: no proxy host. Check address")


# -n

NICS = (HostNic(id="e0", name="eth0", network=Ref("n0")), HostNic(id="e1", name="eth1"), HostNic(id="e2", name="eth2"))


def with_networks(status="up", nics=NICS):
    engine = an_engine(
        Network(id="n0", name="rhevm", data_center=Ref("dc")),
        Network(id="n1", name="vmnet", data_center=Ref("dc"), vlan=100),
        Network(id="n9", name="vmnet", data_center=Ref("other")),
        status=status,
        nics=nics,
    )
    engine.on_hosts["h1"] = [NetworkAttachment.on(Ref("n0"), Ref("e0"), "dhcp", id="a0")]
    engine.networks["cl"] = {"n0": True, "n1": False}
    return engine


def net(engine, interface):
    return ch(engine, "-n", hypervisor=[{**NODE, "interface": interface}])


def test_networks_are_compared_and_only_what_differs_is_set():
    engine = with_networks()
    assert net(engine, "rhevm:eth0:dhcp|vmnet:eth1.100:static:10.1.0.2:255.255.0.0") == ["rhevh1: succeeded."]
    assert engine.calls == [("set_host_networks", "host rhevh1", "vmnet@eth1")]
    wanted = engine.on_hosts["h1"][1]
    assert (wanted.network.id, wanted.host_nic.id) == ("n1", "e1")
    assert (wanted.boot_protocol, wanted.ip, wanted.netmask) == ("static", "10.1.0.2", "255.255.0.0")
    assert net(engine, "rhevm:eth0:dhcp|vmnet:eth1.100:static:10.1.0.2:255.255.0.0") == ["rhevh1: nothing to do"]


@pytest.mark.parametrize("interface", ["rhevm:eth0:none", "rhevm:eth1:dhcp", "rhevm:eth0:static:10.0.0.1:255.0.0.0"])
def test_another_protocol_nic_or_address_is_a_change_of_what_is_there(interface):
    engine = with_networks()
    assert net(engine, interface) == ["rhevh1: succeeded."]
    assert engine.on_hosts["h1"][0].id == "a0"


def test_an_attachment_out_of_sync_is_named_and_set_again():
    engine = with_networks()
    engine.on_hosts["h1"] = [engine.on_hosts["h1"][0].replace(in_sync=False)]
    assert net(engine, "rhevm:eth0:dhcp") == [
        "rhevh1: the network rhevm is out of sync on the host",
        "rhevh1: succeeded.",
    ]


def test_a_bond_is_made_with_its_network_in_one_call():
    engine = with_networks()
    assert net(engine, "vmnet:bond0=eth1+eth2,mode=1:none") == ["rhevh1: succeeded."]
    (bond,) = engine.bonds
    assert (bond.name, bond.slaves, bond.bond_options) == ("bond0", ("eth1", "eth2"), {"mode": "1"})


def test_a_bond_that_is_there_is_left_alone():
    bond = HostNic(id="b", name="bond0", bonding=Bonding(options={"mode": "1"}, slaves=(Ref("e1"), Ref("e2"))))
    engine = with_networks(nics=(*NICS, bond))
    engine.on_hosts["h1"].append(NetworkAttachment.on(Ref("n1"), Ref("b"), "none", id="a1"))
    assert net(engine, "vmnet:bond0=eth2+eth1,mode=1:none") == ["rhevh1: nothing to do"]
    assert net(engine, "vmnet:bond0=eth2+eth1,mode=4:none") == ["rhevh1: succeeded."]
    assert engine.bonds[0].id == "b"


def test_everything_wrong_with_a_row_is_said_at_once():
    engine = with_networks()
    said = net(engine, "nonet:eth0:dhcp|vmnet:eth7.200:none")
    assert said == [
        "!rhevh1: network: nonet does not exist in the host's data center. Run: cfgve -t nw -m rhevm.example.com "
        "-o nonet -c -d DATACENTER, and with -a -l CLUSTER",
        "!rhevh1: network vmnet has VLAN 100, but hypervisor.interface says eth7.200",
        "!rhevh1: does not have interface eth7. It has eth0, eth1, eth2",
    ]
    assert not engine.calls


def test_a_row_that_cannot_be_read_and_one_that_is_missing():
    assert net(with_networks(), "rhevm:eth0:bootp") == [
        "!rhevh1: hypervisor.interface: the boot protocol 'bootp' is not one of dhcp, static, none "
        "in 'rhevm:eth0:bootp'"
    ]
    (said,) = net(with_networks(), "")
    assert "hypervisor.interface: needs to be configured" in said


def test_a_host_that_cannot_be_talked_to():
    (said,) = net(with_networks(status="non_responsive"), "rhevm:eth0:dhcp")
    assert said == "!rhevh1: the host is non_responsive, not up or in maintenance. Run: chhypervisor rhevh1 -d"


def test_a_refusal_by_the_manager_reaches_the_node():
    engine = with_networks()
    engine.refuse["set_host_networks", "host rhevh1"] = FailedState("connectivity was lost, so it was taken back")
    assert net(engine, "vmnet:eth1:none") == ["!rhevh1: connectivity was lost, so it was taken back"]
