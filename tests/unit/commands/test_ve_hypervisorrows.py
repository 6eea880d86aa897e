"""hypervisor.interface, checked as a whole."""

import pytest

from xcat_rhev.rows.hypervisor import Interface, read_interfaces


def one(text):
    interfaces, faults = read_interfaces(text)
    assert not faults
    (interface,) = interfaces
    return interface


def test_the_manual_pages_example():
    assert one("rhevm2:eth0:static:10.1.0.236:255.255.255.0:0.0.0.0") == Interface(
        "rhevm2", "eth0", "static", "10.1.0.236", "255.255.255.0"
    )


def test_several_parts():
    text = "rhevm:eth0:dhcp|vmnet:eth1:none|san:eth2:static:10.2.0.1:255.255.0.0:10.2.255.1"
    interfaces, faults = read_interfaces(text)
    assert not faults
    assert [(each.network, each.nic, each.protocol) for each in interfaces] == [
        ("rhevm", "eth0", "dhcp"),
        ("vmnet", "eth1", "none"),
        ("san", "eth2", "static"),
    ]
    assert interfaces[2].gateway == "10.2.255.1"


def test_a_vlan_interface_is_its_base_and_what_the_network_must_have():
    found = one("vmnet:eth1.100:none")
    assert (found.nic, found.vlan) == ("eth1", 100)


def test_a_bond_with_and_without_options():
    found = one("vmnet:bond0=eth1+eth2:none")
    assert (found.nic, found.members, dict(found.bond_options)) == (
        "bond0",
        ("eth1", "eth2"),
        {"mode": "4", "miimon": "100"},
    )
    found = one("vmnet:bond0=eth1+eth2,mode=1,primary=eth1:dhcp")
    assert dict(found.bond_options) == {"mode": "1", "primary": "eth1"}


def test_ipv6_stands_in_brackets():
    found = one("san:eth2:static:[fd00::2]:64:[fd00::1]")
    assert (found.address, found.netmask, found.gateway) == ("fd00::2", "64", "fd00::1")


def test_two_networks_share_a_bond_that_is_described_once():
    interfaces, faults = read_interfaces("a:bond0=eth1+eth2:none|b:bond0.7:none")
    assert not faults
    assert [each.nic for each in interfaces] == ["bond0", "bond0"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (":eth0:dhcp", "Missing network name or interface name"),
        ("rhevm::dhcp", "Missing network name or interface name"),
        ("rhevm", "Missing network name or interface name"),
        ("rhevm:eth0", "the boot protocol '' is not one of dhcp, static, none"),
        ("rhevm:eth0:bootp", "'bootp'"),
        ("rhevm:eth0:static", "static needs an address and a netmask"),
        ("rhevm:eth0:static:10.0.0.1", "static needs an address and a netmask"),
        ("rhevm:eth0:static:10.0.0.300:255.255.255.0", "10.0.0.300/255.255.255.0 is not an address"),
        ("rhevm:eth0:static:10.0.0.1:255.0.255.0", "10.0.0.1/255.0.255.0 is not an address"),
        ("rhevm:eth0:static:10.0.0.1:255.255.255.0:10.0.1.1", "the gateway 10.0.1.1 is not in the network 10.0.0.0/24"),
        ("rhevm:eth0:static:10.0.0.1:255.255.255.0:gw", "the gateway gw"),
        ("rhevm:eth0:dhcp:10.0.0.1:255.0.0.0", "makes no sense with dhcp"),
        ("rhevm:eth0:static:10.0.0.1:255.0.0.0::x", "more than six fields"),
        ("rhevm:eth 0:dhcp", "'eth 0' is not the name of an interface"),
        ("rhevm:bond0=eth1:dhcp", "two or more different members"),
        ("rhevm:bond0=eth1+eth2,mode=9:dhcp", "'mode=9' is not a bond mode from 0 to 6"),
        ("rhevm:bond0=eth1+eth2,mode=:dhcp", "'mode=' is not a bond option"),
        ("rhevm:bond0=eth1+eth1:dhcp", "two or more different members"),
        ("rhevm:bond0=eth1+eth2,fast:dhcp", "'fast' is not a bond option"),
    ],
)
def test_what_a_part_can_have_wrong(text, named):
    interfaces, faults = read_interfaces(text)
    assert not interfaces
    assert any(named in fault and text in fault for fault in faults)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a:eth0:dhcp|a:eth1:dhcp", "the network a is named twice"),
        ("a:bond0=eth1+eth2:none|b:eth1:none", "eth1 is a member of bond0 and carries b as well"),
        ("a:bond0=eth1+eth2:none|b:bond0=eth1+eth3:none", "bond0 is named twice with different members"),
    ],
)
def test_what_parts_can_have_wrong_together(text, named):
    assert named in read_interfaces(text)[1]


def test_all_faults_of_all_parts_come_at_once():
    assert len(read_interfaces("a:eth0:bootp|:eth1:dhcp|b:eth2:static")[1]) == 3
