"""makehosts: what lines nodes get, and where they go."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside


@pytest.fixture
def xcat(tmp_path: Path) -> Iterator[Inside]:
    xcat = Inside(tmp_path)
    xcat.type("chdef", "-t", "site", "clustersite", "domain=c.test")
    xcat.type("mkdef", "n1", "groups=all", "ip=10.9.0.1", "mac=52:54:00:00:00:01!n1|52:54:00:00:00:02")
    xcat.type("mkdef", "n2", "groups=all", "ip=10.9.0.2")
    xcat.home.hosts.write_text(
        "127.0.0.1 localhost\n10.9.0.1 n1 n1.old\n# between\n10.7.7.7 n1.old n1\n10.8.8.8 other n1\n"
    )
    yield xcat
    xcat.close()


def lines(xcat: Inside) -> list[str]:
    return xcat.home.hosts.read_text().splitlines()


def test_a_line_takes_the_place_of_the_first_with_its_name_or_address(xcat):
    xcat.type("makehosts")
    assert lines(xcat) == [
        "127.0.0.1 localhost",
        "10.9.0.1 n1 n1.c.test ",
        "# between",
        "10.8.8.8 other n1",
        "10.9.0.2 n2 n2.c.test ",
    ]


def test_all_lines_of_a_node_go(xcat):
    xcat.type("makehosts", "-d", on="n1")
    assert lines(xcat) == ["127.0.0.1 localhost", "# between", "10.8.8.8 other n1"]
    assert "noderange" in xcat.type("makehosts", "-d")[0] and xcat.rc == 1


def test_a_name_has_a_line_for_each_version_of_ip(xcat):
    xcat.type("makehosts", on="n1")
    xcat.type("makehosts", "-m", on="n1")
    assert {"10.9.0.1 n1 n1.c.test ", "fe80::5054:00ff:fe00:0001 n1 n1.c.test "} <= set(lines(xcat))


def test_a_new_file_still_knows_the_machine_itself(xcat):
    xcat.type("makehosts", "-n", on="n2")
    assert lines(xcat) == ["127.0.0.1 localhost", "10.9.0.2 n2 n2.c.test "]


@pytest.mark.parametrize(
    "option, line",
    [
        ("", "10.9.0.1 n1 n1.c.test a b"),
        ("-l", "10.9.0.1 n1.c.test n1 a b"),
        ("-o", "10.9.0.1 a b n1.c.test n1"),
        ("-a", "10.9.0.1 n1 n1.c.test b.c.test a.c.test a b"),
        ("-m", "fe80::5054:00ff:fe00:0001 n1 n1.c.test "),
    ],
)
def test_the_order_of_names(xcat, option, line):
    xcat.type("chdef", "n1", "hostnames=a b")
    xcat.type("makehosts", *filter(None, [option]), on="n1")
    assert line in lines(xcat)


def test_an_alias_with_a_dot_is_the_long_name(xcat):
    xcat.type("chdef", "n1", "hostnames=n1,a,n1.far.test")
    xcat.type("makehosts", on="n1")
    assert "10.9.0.1 n1 n1.far.test a" in lines(xcat)


def test_interfaces_of_table_nics(xcat):
    xcat.type(
        "chdef",
        "n1",
        "nicips.eth0=10.12.0.1|10.12.0.2",
        "nichostnamesuffixes.eth0=-e|-f",
        "nicaliases.eth0=x y|z",
        "nicips.ib0=10.13.0.1",
        "nichostnameprefixes.ib0=pre-",
        "nicips.ib1=|\\D+(\\d+)|10.14.0.($1)|",
    )
    xcat.type("makehosts", on="n1")
    assert lines(xcat)[-4:] == [
        "10.12.0.1 n1-e n1-e.c.test x y",
        "10.12.0.2 n1-f n1-f.c.test z",
        "10.13.0.1 pre-n1 pre-n1.c.test ",
        "10.14.0.1 n1-ib1 n1-ib1.c.test ",
    ]


def test_the_domain_of_the_network_comes_first(xcat):
    xcat.type("mkdef", "-t", "network", "bad", "net=x", "mask=y", "domain=bad.test")
    xcat.type("mkdef", "-t", "network", "net", "net=10.9.0.0", "mask=255.255.0.0", "domain=net.test")
    xcat.type("chdef", "n1", "otherinterfaces=-ib!10.10.0.1,-six!fd00::1")
    xcat.type("makehosts", on="n1")
    assert [line for line in lines(xcat) if ".test" in line] == [
        "10.9.0.1 n1 n1.net.test ",
        "10.10.0.1 n1-ib n1-ib.net.test ",
        "fd00::1 n1-six n1-six.net.test ",
    ]


def test_what_is_no_address_gets_no_line(xcat):
    before = lines(xcat)
    xcat.type("chdef", "n1", "ip=10.9.0.1,10.9.0.2")
    assert xcat.type("makehosts", on="n1")[0] == (
        "Warning: Ignoring node 'n1', its ip address '10.9.0.1,10.9.0.2' is not valid."
    )
    xcat.type("chdef", "n1", "ip=", "mac=")
    xcat.type("chdef", "n1", "-n", "no-such-name-at-all")
    assert "can not be resolved" in xcat.type("makehosts", on="no-such-name-at-all")[0]
    assert xcat.rc == 0 and lines(xcat) == before
