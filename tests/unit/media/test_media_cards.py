"""Which card a node installs over, what that one is made of, and which texts are hardware addresses."""

import pytest

from xcat_rhev.errors import NotFound, Usage
from xcat_rhev.media.cards import Bond, Card, Nics, install_card
from xcat_rhev.media.macs import mac_of

LACP = ("mode=802.3ad", "miimon=100")


def card(named="", mac="52:54:00:12:34:56", networks=(), **nics):
    row = {column: value for column, value in nics.items() if value}
    return install_card("n1", {"installnic": named} if named else {}, mac, Nics(row, networks))


@pytest.mark.parametrize(
    "text",
    [
        "52:54:00:AB:CD:EF",
        "52-54-00-ab-cd-ef",
        "525400abcdef",
        "525400ABCDEF",
        "5254.00ab.cdef",
        "01-52-54-00-ab-cd-ef",
        "01:52:54:00:ab:cd:ef",
    ],
)
def test_a_mac_is_read_in_every_form(text):
    assert mac_of(text, "mac.mac") == "52:54:00:ab:cd:ef"
    assert card(mac=text) == card(named=text) == Card("52:54:00:ab:cd:ef")


@pytest.mark.parametrize(
    "text, what",
    [
        ("80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:0e:8b:9f", "an InfiniBand address"),
        ("8000020 8fe".replace(" ", "") + "8000000000000002c903000e8b9f0a", "an InfiniBand address"),
        ("00:02:c9:03:00:0e:8b:9f", "the GUID of an InfiniBand port"),
        ("0002:c903:000e:8b9f", "the GUID of an InfiniBand port"),
        ("52:54:00:12:34", "not a MAC address"),
        ("52:54:00:12:34:56:78", "not a MAC address"),
        ("52:54-00:12:34:56:78", "not a MAC address"),
        ("5254.0012.34", "not a MAC address"),
        ("00:00:00:00:00:00", "not the address of a card"),
        ("FFFF.FFFF.FFFF", "not the address of a card"),
    ],
)
def test_a_hardware_address_of_another_length_is_refused_by_name(text, what):
    for column, found in (("mac.mac", {"mac": text}), ("noderes.installnic", {"named": text})):
        with pytest.raises(Usage, match=f"{column}: '{text}' is {what}"):
            card(**found)


@pytest.mark.parametrize("text", ["", "eth0", "em1", "eth0.100", "bond0", "ib0", "enp3s0f0np0", "fa.1", "deadbeef"])
def test_names_are_no_hardware_addresses(text):
    assert mac_of(text, "mac.mac") == ""


@pytest.mark.parametrize("text", ["zz:54:00:12:34:56", "52:54:00:12:34:5g", "unknown", "eth0"])
def test_what_is_no_address_at_all_is_refused_in_mac_mac(text):
    with pytest.raises(Usage, match=f"mac.mac: '{text}' is not a MAC address"):
        card(mac=text)


@pytest.mark.parametrize("named", ["eth0 --x", "eth0;reboot", "1eth", "z" * 21, "eth0.100.200", "zz:54:00:12:34:56"])
def test_what_is_no_name_of_a_card_is_refused(named):
    with pytest.raises(Usage, match="neither a MAC address nor the name of a card"):
        card(named)


@pytest.mark.parametrize(
    "mac, chosen",
    [
        ("52:54:00:00:00:01!n1-eth1|52:54:00:00:00:02!n1", "02"),
        ("52:54:00:00:00:01!n1-eth1|52:54:00:00:00:02", "02"),
        ("52:54:00:00:00:01!*NOIP*|52:54:00:00:00:02!n1-eth1", "02"),
        ("52:54:00:00:00:01!*NOIP*", "01"),
        (" 52:54:00:00:00:01 ", "01"),
    ],
)
def test_of_several_macs_the_nodes_own_is_taken(mac, chosen):
    assert card(mac=mac).nic == f"52:54:00:00:00:{chosen}"


@pytest.mark.parametrize(
    "named, nics, expected",
    [
        ("eth0", {}, Card("eth0", names=("eth0",))),
        ("eth0.100", {}, Card("eth0", 100, names=("eth0.100", "eth0"))),
        ("eth0.30", {"nictypes": "eth0.30!vlan,eth0!ethernet"}, Card("eth0", 30, names=("eth0.30", "eth0"))),
        ("vlan30", {"nictypes": "vlan30!VLAN", "nicdevices": "vlan30!em1"}, Card("em1", 30, names=("vlan30", "em1"))),
        ("vla7", {"nictypes": "vla7!vlan", "nicdevices": "vla7!em1"}, Card("em1", 7, names=("vla7", "em1"))),
        ("eth1vlan40", {"nictypes": "eth1vlan40!vlan"}, Card("eth1", 40, names=("eth1vlan40", "eth1"))),
        (
            "storage",
            {
                "nictypes": "storage!vlan",
                "nicdevices": "storage!p1p1",
                "nicnetworks": "storage!san",
                "networks": [{"netname": "san", "net": "10.9.0.0", "mask": "255.255.0.0", "vlanid": "55"}],
            },
            Card("p1p1", 55, names=("storage", "p1p1")),
        ),
        (
            "storage",
            {
                "nictypes": "storage!vlan",
                "nicdevices": "storage!p1p1",
                "nicips": "storage!10.9.0.5",
                "networks": [{"net": "10.9.0.0", "mask": "/16", "vlanid": "56"}],
            },
            Card("p1p1", 56, names=("storage", "p1p1")),
        ),
        ("br0", {"nictypes": "br0!bridge", "nicdevices": "br0!eth2"}, Card("eth2", names=("br0", "eth2"))),
        (
            "ovirtmgmt",
            {"nictypes": "ovirtmgmt!bridge_ovs", "nicdevices": "ovirtmgmt!eth2"},
            Card("eth2", names=("ovirtmgmt", "eth2")),
        ),
        (
            "br0",
            {
                "nictypes": "br0!bridge,bond0.7!vlan,bond0!bond",
                "nicdevices": "br0!bond0.7,bond0.7!bond0,bond0!eth0|eth1",
            },
            Card("bond0", 7, Bond("bond0", ("eth0", "eth1"), LACP), ("br0", "bond0.7", "bond0")),
        ),
        ("ib0.8001", {"nictypes": "ib0.8001!infiniband"}, Card("ib0.8001", names=("ib0.8001",))),
        ("ib0.8001", {}, Card("ib0.8001", names=("ib0.8001",))),
    ],
    ids=str,
)
def test_what_stands_on_a_card_is_followed_down_to_it(named, nics, expected):
    assert card(named, **nics) == expected


@pytest.mark.parametrize(
    "types, devices, params, options",
    [
        ("bond0!bond", "eth0|eth1", "", LACP),
        ("bond0!Bond", "eth0 eth1", "", LACP),
        (
            "bond0!bond,ib0!infiniband,ib1!infiniband",
            "ib0|ib1",
            "",
            ("mode=active-backup", "miimon=100", "fail_over_mac=1"),
        ),
        ("bond0!bond", "ib0|ib1", "", ("mode=active-backup", "miimon=100", "fail_over_mac=1")),
        ("bond0!bond", "eth0|eth1", "mode=1 miimon=50", ("mode=1", "miimon=50")),
        ("bond0!bond", "eth0|eth1", "mode=balance-alb", ("mode=balance-alb", "miimon=100")),
        ("bond0!bond", "eth0|eth1", "lacp_rate=fast", ("lacp_rate=fast", *LACP)),
        (
            "bond0!bond",
            "eth0|eth1",
            "MTU=9000 BONDING_OPTS=lacp_rate=1;miimon=80;mode=802.3ad",
            ("lacp_rate=1", "miimon=80", "mode=802.3ad"),
        ),
        (
            "bond0!bond",
            "eth0|eth1",
            "mode=1 arp_interval=100 arp_ip_target=10.0.0.1",
            ("mode=1", "arp_interval=100", "arp_ip_target=10.0.0.1"),
        ),
    ],
)
def test_a_bond_has_a_mode(types, devices, params, options):
    found = card(
        "bond0", nictypes=types, nicdevices=f"bond0!{devices}", nicextraparams=f"bond0!{params}" * bool(params)
    )
    assert found.bond == Bond("bond0", tuple(devices.replace("|", " ").split()), options)


@pytest.mark.parametrize(
    "named, nics, error",
    [
        (
            "bond0",
            {"nictypes": "bond0!bond", "nicdevices": "bond0!eth0|eth1", "nicextraparams": "bond0!mode=lacp miimon=100"},
            "bonds have no mode 'lacp'. Write one of: balance-rr, active-backup,",
        ),
        (
            "bond0",
            {"nictypes": "bond0!bond", "nicdevices": "bond0!eth0|eth1", "nicextraparams": "bond0!mode=7"},
            "bonds have no mode '7'",
        ),
        (
            "bond0",
            {"nictypes": "bond0!bond", "nicdevices": "bond0!em1.5|em2.5"},
            "bond0 is made of em1.5, which is not a network card",
        ),
        (
            "bond0",
            {"nictypes": "bond0!bond,fast!vlan", "nicdevices": "bond0!em1|fast"},
            "bond0 is made of fast, which is not a network card",
        ),
        (
            "bond0",
            {"nictypes": "bond0!bond"},
            "does not say which cards bond0 is made of. Write nics.nicdevices=bond0!eth0|eth1",
        ),
        ("br0", {"nictypes": "br0!bridge"}, "does not say which cards br0 is made of. Write nics.nicdevices=br0!eth0"),
        ("vlan30", {"nictypes": "vlan30!vlan"}, "does not say which cards vlan30 is made of"),
        (
            "storage",
            {"nictypes": "storage!vlan", "nicdevices": "storage!eth0"},
            "there is no VLAN tag for storage",
        ),
        ("eth0.0", {"nictypes": "eth0.0!vlan"}, "there is no VLAN tag for eth0.0"),
        ("eth0.9999", {"nictypes": "eth0.9999!vlan"}, "there is no VLAN tag for eth0.9999"),
        (
            "br0",
            {"nictypes": "br0!bridge,br1!bridge", "nicdevices": "br0!br1,br1!br0"},
            "br0 is made of br1 is made of br0",
        ),
        ("br0", {"nictypes": "br0!bridge", "nicdevices": "br0!eth0;reboot"}, ""),
    ],
)
def test_what_the_tables_leave_open_is_named(named, nics, error):
    if error:
        with pytest.raises((NotFound, Usage)) as caught:
            card(named, **nics)
        assert error in str(caught.value)
    else:
        assert card(named, **nics).nic == "eth0"
