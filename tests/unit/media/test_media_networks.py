"""Addresses of nodes in the networks table: which network, which gateway, which of this host's addresses they see."""

import pytest

from xcat_rhev.errors import NotFound, Usage
from xcat_rhev.media.networks import Address, addresses, facing, fixed_address, network_of, servers

WIDE = {"netname": "wide", "net": "10.0.0.0", "mask": "255.0.0.0", "gateway": "10.0.0.1"}
ROWS = [
    {"netname": "broken", "net": "nonsense", "mask": "255.0.0.0"},
    {"netname": "none"},
    WIDE,
    {"netname": "narrow", "net": "10.1.0.0", "mask": "/16", "gateway": "<xcatmaster>"},
    {"netname": "six", "net": "fd00:1::/64", "mask": "/64", "gateway": "fd00:1::1"},
    {"netname": "six by mask", "net": "fd00:2::", "mask": "ffff:ffff:ffff::"},
    {"netname": "length", "net": "192.168.7.0", "mask": "24"},
]


@pytest.mark.parametrize(
    "ip, name",
    [
        ("10.2.0.5", "wide"),
        ("10.1.0.5", "narrow"),
        ("fd00:1::5", "six"),
        ("fd00:2:0:9::5", "six by mask"),
        ("192.168.7.5", "length"),
        ("172.16.0.1", None),
        ("fd00:9::1", None),
        ("", None),
        ("n1", None),
    ],
)
def test_the_narrowest_network_counts(ip, name):
    assert network_of(ip, ROWS).get("netname") == name


@pytest.mark.parametrize(
    "ip, mine, seen",
    [
        ("10.1.0.5", ["127.0.0.1", "172.16.0.1", "10.1.0.1"], "10.1.0.1"),
        ("10.1.0.5", ["10.9.0.1"], ""),
        ("10.2.0.5", ["10.9.0.1", "10.8.0.1"], "10.9.0.1"),
        ("fd00:1::5", ["fe80::1", "10.0.0.1", "fd00:1::1"], "fd00:1::1"),
        ("172.16.0.5", ["172.16.0.1"], ""),
        ("10.1.0.5", ["mn.example.com"], ""),
    ],
)
def test_the_address_that_faces_a_node_is_in_its_network(ip, mine, seen):
    assert facing(ip, ROWS, mine) == seen


@pytest.mark.parametrize(
    "ip, near, expected",
    [
        ("10.2.0.5", "", Address("10.2.0.5", "255.0.0.0", "10.0.0.1")),
        ("10.1.0.5", "10.1.0.9", Address("10.1.0.5", "255.255.0.0", "10.1.0.9")),
        ("10.1.0.5", "", Address("10.1.0.5", "255.255.0.0", "")),
        ("fd00:1::5", "", Address("fd00:1::5", "64", "fd00:1::1")),
        ("fd00:2::5", "", Address("fd00:2::5", "48", "")),
    ],
)
def test_a_fixed_address_has_its_networks_mask_and_gateway(ip, near, expected):
    assert fixed_address(ip, network_of(ip, ROWS), near) == expected


def test_an_address_without_a_network_is_named():
    with pytest.raises(NotFound, match="no row of the networks table holds 172.16.0.1. Run: makenetworks"):
        fixed_address("172.16.0.1", network_of("172.16.0.1", ROWS), "")


@pytest.mark.parametrize("gateway", ["router", "10.1.0.254,10.1.0.253", "fd00:1::1", "<xcatmaster>,10.1.0.1"])
def test_a_gateway_is_one_address_of_its_network_s_kind(gateway):
    row = {"net": "10.1.0.0", "mask": "/24", "gateway": gateway}
    with pytest.raises(Usage, match="networks.gateway: '.*' is not an IPv4 address"):
        fixed_address("10.1.0.5", row, "10.1.0.1")


def test_lists_of_servers():
    assert servers("", "10.0.0.1, 10.0.0.2 <xcatmaster>", "10.0.0.9", master="mn") == ("10.0.0.1", "10.0.0.2", "mn")
    assert servers("<xcatmaster>", master="") == ()
    assert servers("", "", master="mn") == ()


def test_lists_of_addresses():
    assert addresses("10.0.0.5|fd00::5, n1 10.0.0.5.6") == ["10.0.0.5", "fd00::5"]
