"""Values as the vm table writes them."""

import pytest

from xcat_rhev.errors import Usage
from xcat_rhev.rows.vmwords import boot_order, mac_addresses, option_size, split_list, yes_or_no
from xcat_rhev.units import GIB, MIB


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("net", ("network",)),
        ("network", ("network",)),
        ("Net, HD", ("network", "hd")),
        ("hd,net,cd", ("hd", "network", "cdrom")),
        ("c", ("cdrom",)),
    ],
)
def test_boot_orders(text, order):
    assert boot_order(text) == order


@pytest.mark.parametrize("text", ["", "usb", "net,net", "net,network", "net,,hd", "net;hd"])
def test_no_boot_orders(text):
    with pytest.raises(Usage, match="not a boot order"):
        boot_order(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8", 8 * GIB),
        (" 8 ", 8 * GIB),
        ("512m", 512 * MIB),
        ("1.5g", 3 * GIB // 2),
    ],
)
def test_a_bare_size_on_the_command_line_is_gib(text, size):
    assert option_size(text, "-a") == size


def test_no_size_names_the_option():
    with pytest.raises(Usage, match="--resize: 'big' is not a size"):
        option_size("big", "--resize")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("52:54:00:AA:BB:01", ("52:54:00:aa:bb:01",)),
        ("525400aabb01", ("52:54:00:aa:bb:01",)),
        ("52-54-00-aa-bb-01", ("52:54:00:aa:bb:01",)),
        ("52:54:00:aa:bb:02!vm1-eth1|52:54:00:aa:bb:01", ("52:54:00:aa:bb:01", "52:54:00:aa:bb:02")),
        ("52:54:00:aa:bb:02!*NOIP*|52:54:00:aa:bb:01!vm1", ("52:54:00:aa:bb:01", "52:54:00:aa:bb:02")),
        ("", ()),
    ],
)
def test_mac_addresses_with_the_nodes_own_first(text, found):
    assert mac_addresses(text, "vm1") == found


@pytest.mark.parametrize("text", ["52:54:00:aa:bb", "52:54:00:aa:bb:0g", "52:54-00:aa:bb:01", "no"])
def test_no_mac_address(text):
    with pytest.raises(Usage, match=r"not a MAC address.*chtab node=vm1 mac\.mac="):
        mac_addresses(text, "vm1")


def test_switches():
    assert [yes_or_no(text, "x") for text in ("YES", "on", "1", "no", "Off", "false")] == [True] * 3 + [False] * 3
    with pytest.raises(Usage, match="ha is 'maybe'"):
        yes_or_no("maybe", "ha")


def test_lists_lose_blanks_and_empty_parts():
    assert split_list(" a, b,,c ,") == ("a", "b", "c")
