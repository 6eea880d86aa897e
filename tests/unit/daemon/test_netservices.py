"""makenetworks, makedhcp and makedns: what the tables say, what the servers' files get, and what is refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import interfaces
from xcat_rhev.daemon.interfaces import Link
from xcat_rhev.daemon.netservices import bootloaders, dhcpnetworks
from xcat_rhev.daemon.netservices.state import NetState, program

LINKS = [Link("eth1", ip_network("10.9.0.0/16")), Link("eth2", ip_network("10.8.0.0/24"))]
MINE = {"10.9.0.0/16": "10.9.0.254", "10.8.0.0/24": "10.8.0.1"}


@pytest.fixture
def xcat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    monkeypatch.setattr(interfaces, "links", lambda: list(LINKS))
    monkeypatch.setattr(interfaces, "mine", lambda net: MINE.get(str(net), ""))
    monkeypatch.setattr(interfaces, "gateway", lambda: "10.8.0.9")
    monkeypatch.setattr(interfaces, "mtu", lambda name: "1500")
    monkeypatch.setattr(bootloaders, "provide", lambda tftp: iter(()))
    xcat = Inside(tmp_path)
    xcat.type("chdef", "-t", "site", "clustersite", "domain=c.test", "nameservers=<xcatmaster>")
    xcat.type("makenetworks")
    xcat.type("makedhcp", "-n")
    yield xcat
    xcat.close()


def node(xcat: Inside, name: str, mac: str, ip: str = "", *more: str) -> None:
    xcat.type("mkdef", name, "groups=all", *([f"mac={mac}"] if mac else []), *([f"ip={ip}"] if ip else []), *more)


def lines(xcat: Inside, name: str) -> list[str]:
    """A file of the servers, without its head."""
    return (xcat.home.netservices / name).read_text().splitlines()[1:]


def said(xcat: Inside, *words: str, on: str | None = None) -> list[str]:
    """What a command says, but that nothing serves here."""
    return [line for line in xcat.type("makedhcp", *words, on=on) if "nothing serves it" not in line]


def test_networks_are_those_of_the_interfaces(xcat):
    assert [row["netname"] for row in xcat.table("networks")] == ["10_9_0_0-255_255_0_0", "10_8_0_0-255_255_255_0"]
    first, second = xcat.table("networks")
    assert first == {
        "netname": "10_9_0_0-255_255_0_0",
        "net": "10.9.0.0",
        "mask": "255.255.0.0",
        "mgtifname": "eth1",
        "gateway": "<xcatmaster>",
        "tftpserver": "<xcatmaster>",
        "mtu": "1500",
    }
    assert second["gateway"] == "10.8.0.9"


def test_networks_that_are_there_stay(xcat):
    xcat.type("chdef", "-t", "network", "10_9_0_0-255_255_0_0", "gateway=10.9.0.1")
    xcat.type("chtab", "netname=10_8_0_0-255_255_255_0", "networks.netname=other")
    before = xcat.table("networks")
    assert "already exists" in xcat.type("makenetworks")[0] and xcat.rc == 0
    assert xcat.table("networks") == before


def test_networks_are_shown_as_stanzas(xcat):
    shown = "\n".join(xcat.type("makenetworks", "-d"))
    assert "10_8_0_0-255_255_255_0:\n    objtype=network\n    net=10.8.0.0\n    mask=255.255.255.0" in shown
    assert "    tftpserver=10.9.0.254" in shown and "equivalent xCAT network definition already exists" in shown


def test_routes_of_the_kernel(tmp_path, monkeypatch):
    head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    routes = [
        "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0",
        "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        "eth1\t0000FEA9\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
        "eth1\t0500000A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
    ]
    (tmp_path / "route").write_text(head + "\n".join(routes) + "\n")
    zero, net6, local = "0" * 32, "fd000001" + "0" * 24, "fd000001" + "0" * 23 + "1"
    tail = "00000100 00000001 00000000"
    (tmp_path / "route6").write_text(
        f"{net6} 40 {zero} 00 {zero} {tail} 00000001     eth1\n"
        f"{local} 80 {zero} 00 {zero} {tail} 80200001     eth1\n"
        f"fe80{'0' * 28} 40 {zero} 00 {zero} {tail} 00000001     eth1\n"
        f"{zero} 00 {zero} 00 {local} {tail} 00000003     eth1\n"
    )
    monkeypatch.setattr(interfaces, "ROUTES", tmp_path / "route")
    monkeypatch.setattr(interfaces, "ROUTES6", tmp_path / "route6")
    assert interfaces.links() == [Link("eth0", ip_network("10.0.0.0/24")), Link("eth1", ip_network("fd00:1::/64"))]
    assert interfaces.gateway() == "10.0.0.1"
    monkeypatch.setattr(interfaces, "ROUTES", tmp_path / "nothing")
    monkeypatch.setattr(interfaces, "ROUTES6", tmp_path / "nothing")
    assert interfaces.links() == [] and interfaces.gateway() == ""


def test_the_configuration_names_both_networks(xcat):
    found = lines(xcat, "dnsmasq.conf")
    assert {"interface=eth1", "interface=eth2", "port=0", "dhcp-authoritative"} <= set(found)
    assert "dhcp-range=set:net0,10.9.0.0,static,255.255.0.0,43200s" in found
    assert "dhcp-option=tag:net1,tag:!known,option:server-ip-address,10.8.0.1" in found
    assert "dhcp-option=tag:net1,option:router,10.8.0.9" in found
    assert "dhcp-option=tag:net1,option:dns-server,10.8.0.1" in found
    assert "dhcp-option=tag:net0,option:router" in found, "it would name itself"


@pytest.mark.parametrize(
    "value, served_on",
    [
        ("eth1", {"eth1"}),
        ("eth1,eth2:noboot", {"eth1", "eth2"}),
        ("eth2 eth1", {"eth1", "eth2"}),
        ("{me}|eth2;elsewhere.test|eth1", {"eth2"}),
        ("group|eth2;{me}|eth1", {"eth1"}),
        ("mn|eth2", {"eth2"}),
    ],
)
def test_interfaces_of_the_site(xcat, monkeypatch, value, served_on):
    monkeypatch.setattr(dhcpnetworks, "my_addresses", lambda: frozenset(["10.8.0.1", "127.0.0.1"]))
    node(xcat, "mn", "", "10.8.0.1")
    node(xcat, "n1", "", "10.8.0.7", "groups=group")
    xcat.type("chdef", "-t", "site", "clustersite", "dhcpinterfaces=" + value.format(me="10.8.0.1"))
    said(xcat, "-n")
    assert {line[10:] for line in lines(xcat, "dnsmasq.conf") if line.startswith("interface=")} == served_on


@pytest.mark.parametrize(
    "mgtifname, chosen, is_served",
    [
        ("!remote!eth1", "", True),
        ("!remote!eth1", "eth1", True),
        ("!remote!eth1", "eth2", False),
        ("!remote!eth1", "eth2,!remote!", True),
        ("!remote!", "", False),
        ("!remote!", "eth1,!remote!", True),
    ],
)
def test_a_network_behind_a_relay(xcat, mgtifname, chosen, is_served):
    words = ("net=10.7.0.0", "mask=255.255.0.0", f"mgtifname={mgtifname}", "dynamicrange=10.7.1.1-10.7.1.9")
    xcat.type("mkdef", "-t", "network", "far", *words)
    xcat.type("chdef", "-t", "site", "clustersite", f"dhcpinterfaces={chosen}", "master=10.9.0.254")
    said(xcat, "-n")
    found = "\n".join(lines(xcat, "dnsmasq.conf"))
    assert ("10.7.1.1,10.7.1.9,255.255.0.0,43200s" in found) is is_served
    assert "interface=!" not in found


def test_dynamic_ranges_in_all_their_forms(xcat):
    value = "10.9.1.1-10.9.1.9; 10.9.2.1 10.9.2.9;10.9.3.1,10.9.3.9;10.9.4.0/24"
    xcat.type("chdef", "-t", "network", "10_9_0_0-255_255_0_0", f"dynamicrange={value}")
    said(xcat, "-n")
    ranges = [line for line in lines(xcat, "dnsmasq.conf") if line.startswith("dhcp-range=set:net0")]
    assert [line.split(",")[1:3] for line in ranges] == [
        ["10.9.1.1", "10.9.1.9"],
        ["10.9.2.1", "10.9.2.9"],
        ["10.9.3.1", "10.9.3.9"],
        ["10.9.4.0", "10.9.4.255"],
    ]


@pytest.mark.parametrize(
    "column, value, text",
    [
        ("dynamicrange", "10.9.1.9-10.9.1.1", "which is not in it"),
        ("dynamicrange", "10.8.1.1-10.8.1.9", "which is not in it"),
        ("dynamicrange", "10.9.1.1", "Write FIRST-LAST"),
        ("dynamicrange", "fd00::1-fd00::2", "Write FIRST-LAST"),
        ("gateway", "10.8.0.1", "Specified gateway 10.8.0.1 is not valid for 10.9.0.0/255.255.0.0"),
        ("gateway", "x\nport=1", "is not valid"),
        ("domain", "a b", "cannot be a domain"),
        ("domain", "a,option:x", "cannot be a domain"),
        ("nameservers", "no.such.host.invalid", "does not resolve"),
        ("tftpserver", "no.such.host.invalid", "does not resolve"),
        ("mtu", "big", "Write a number of bytes"),
    ],
)
def test_a_row_that_no_server_takes_changes_nothing(xcat, column, value, text):
    before = lines(xcat, "dnsmasq.conf")
    with xcat.store.change("networks") as change:
        change.put({"net": "10.9.0.0"}, {column: value})
    assert text in "\n".join(said(xcat, "-n")) and xcat.rc == 1
    assert lines(xcat, "dnsmasq.conf") == before


def test_a_machine_gets_address_name_and_loader(xcat):
    node(xcat, "n1", "52-54-00-AA-BB-01", "10.9.0.1", "netboot=pxe")
    assert said(xcat, on="n1") == [] and xcat.rc == 0
    assert lines(xcat, "dhcp-hosts") == ["52:54:00:aa:bb:01,10.9.0.1,n1"]
    assert lines(xcat, "dhcp-cards") == ["dhcp-mac=set:node-n1,52:54:00:aa:bb:01"]
    assert lines(xcat, "dhcp-options") == [
        "tag:node-n1,option:server-ip-address,10.9.0.254",
        "tag:node-n1,tag:bios,option:bootfile-name,pxelinux.0",
    ]
    assert said(xcat, "-q", on="n1") == ["n1: ip-address = 10.9.0.1, hardware-address = 52:54:00:aa:bb:01"]


def test_loaders_by_architecture(xcat):
    xcat.type("chdef", "-t", "site", "clustersite", "httpport=8080")
    node(xcat, "n1", "52:54:00:00:00:01", "10.9.0.1", "netboot=xnba", "tftpserver=10.9.0.7")
    node(xcat, "n2", "52:54:00:00:00:02", "10.9.0.2", "netboot=grub2-http")
    said(xcat, "-n")
    said(xcat, "-a")
    files = dict(line.split(",option:", 1) for line in lines(xcat, "dhcp-options"))
    script = "http://10.9.0.7:8080/tftpboot/xcat/xnba/nodes/n1"
    assert {key.removeprefix("tag:node-"): value for key, value in files.items()} == {
        "n1": "server-ip-address,10.9.0.7",
        "n1,tag:bios,tag:!ipxe": "bootfile-name,xcat/xnba.kpxe",
        "n1,tag:bios,tag:ipxe": f"bootfile-name,{script}",
        "n1,tag:efi,tag:!ipxe": "bootfile-name,xcat/xnba.efi",
        "n1,tag:efi,tag:ipxe": f"bootfile-name,{script}.uefi",
        "n1,tag:http,tag:!ipxe": "bootfile-name,http://10.9.0.7:8080/tftpboot/xcat/xnba.efi",
        "n1,tag:http,tag:ipxe": f"bootfile-name,{script}.uefi",
        "n2": "server-ip-address,10.9.0.254",
        "n2,tag:bios": "bootfile-name,/boot/grub2/grub2-n2",
        "n2,tag:efi": "bootfile-name,/boot/grub2/grub2-n2",
        "n2,tag:arm": "bootfile-name,/boot/grub2/grub2-n2",
        "n2,tag:http": "bootfile-name,http://10.9.0.254:8080/tftpboot/boot/grub2/grub2-n2",
        "n2,tag:httparm": "bootfile-name,http://10.9.0.254:8080/tftpboot/boot/grub2/grub2-n2",
    }


def test_several_cards_of_a_machine(xcat):
    xcat.type("mkdef", "n1", "groups=all", "ip=10.9.0.1", "nicips.eth1=10.8.0.77", "netboot=pxe")
    xcat.type(
        "chdef", "n1", "mac=52:54:00:00:00:01|52:54:00:00:00:02!n1-eth1|52:54:00:00:00:03!*NOIP*|52:54:00:00:00:04"
    )
    assert said(xcat, on="n1") == [] and xcat.rc == 0
    assert lines(xcat, "dhcp-hosts") == [
        "52:54:00:00:00:01,52:54:00:00:00:04,10.9.0.1,n1",
        "52:54:00:00:00:02,10.8.0.77,n1-eth1",
        "52:54:00:00:00:03,ignore",
    ]


def test_infiniband(xcat):
    node(xcat, "n1", "00:02:c9:03:00:00:10:39", "10.9.0.1")
    said(xcat, on="n1")
    mac = "00:02:c9:03:00:00:10:39"
    assert lines(xcat, "dhcp-hosts") == [f"20-{mac},id:{mac},set:node-n1,10.9.0.1,n1"]


@pytest.mark.parametrize(
    "mac, ip, text, rc",
    [
        ("", "10.9.0.1", "Warning: Unable to find mac address for n1", 0),
        ("52:54:00:00:00:01", "10.6.0.1", "Unable to find a served network for n1 (10.6.0.1)", 0),
        ("52:54:00:00:00:01", "10.9.9.1", "inside the DHCP dynamic range", 1),
        ("52:54:00:00:00:01", "10.9.0.254", "which is this machine's own", 1),
        ("11:22:33", "10.9.0.1", "Invalid mac address 11:22:33 for n1", 1),
        ("52:54:00:00:00:0g", "10.9.0.1", "Invalid mac address", 1),
        ("52:54:00:00:00:01:02:03:04:05", "10.9.0.1", "Invalid mac address", 1),
        ("52:54:00:00:00:01,ignore", "10.9.0.1", "Invalid mac address", 1),
        ("52:54:00:00:00:01!no.such.invalid", "", "The hostname no.such.invalid of node n1 could not be resolved.", 0),
    ],
)
def test_a_machine_that_cannot_be_served_keeps_no_other_from_it(xcat, mac, ip, text, rc):
    xcat.type("chdef", "-t", "network", "10_9_0_0-255_255_0_0", "dynamicrange=10.9.9.1-10.9.9.9")
    said(xcat, "-n")
    node(xcat, "n1", mac, ip)
    node(xcat, "n2", "52:54:00:00:00:02", "10.9.0.2")
    assert text in "\n".join(said(xcat, on="n1,n2")) and xcat.rc == rc
    found = lines(xcat, "dhcp-hosts")
    assert found[-1] == "52:54:00:00:00:02,10.9.0.2,n2"
    assert len(found) == (2 if "no.such" in mac else 1) and "10.6." not in found[0]


def test_of_two_nodes_that_claim_the_same_the_newest_command_counts(xcat):
    node(xcat, "n1", "52:54:00:00:00:01", "10.9.0.1")
    node(xcat, "n2", "52:54:00:00:00:01", "10.9.0.2")
    node(xcat, "n3", "52:54:00:00:00:03", "10.9.0.2")
    said(xcat, on="n1")
    text = "MAC address 52:54:00:00:00:01 belonged to node n1; that reservation was removed"
    assert text in said(xcat, on="n2")[0] and xcat.rc == 0
    assert lines(xcat, "dhcp-hosts") == ["52:54:00:00:00:01,10.9.0.2,n2"]
    found = said(xcat, "-a")
    assert len(found) == 1 and xcat.rc == 1
    assert "MAC address 52:54:00:00:00:01 belongs to node n1 already" in found[0]
    assert lines(xcat, "dhcp-hosts") == [
        "52:54:00:00:00:01,10.9.0.1,n1",
        "52:54:00:00:00:03,10.9.0.2,n3",
    ]


def test_taking_machines_out(xcat):
    for number in (1, 2, 3):
        node(xcat, f"n{number}", f"52:54:00:00:00:0{number}", f"10.9.0.{number}")
    said(xcat, "-a")
    assert len(lines(xcat, "dhcp-hosts")) == 3
    assert said(xcat, "-d", on="n1") == [] and xcat.rc == 0
    assert said(xcat, "-d", on="n1") == [] and xcat.rc == 0
    assert said(xcat, "-q", on="n1") == [] and len(lines(xcat, "dhcp-hosts")) == 2
    xcat.type("noderm", on="n2")
    said(xcat, "-n")
    assert [line.split(",")[-1] for line in lines(xcat, "dhcp-hosts")] == ["n3"]
    said(xcat, "-a", "-d")
    assert lines(xcat, "dhcp-hosts") == lines(xcat, "dhcp-options") == []


@pytest.mark.parametrize(
    "words, on, text",
    [
        ((), None, "Usage: makedhcp -n"),
        (("-n", "-a"), None, "The -n option cannot be used with other options."),
        (("-q", "-d"), "n1", "The -q option cannot be used with other options."),
        (("-d",), None, "makedhcp -d needs a noderange, or -a"),
        (("-s", "filename = x;"), "n1", "statements of ISC dhcpd"),
        (("word",), "n1", "does not know 'word'"),
        (("-x",), "n1", "makedhcp has no option -x"),
    ],
)
def test_wrong_words(xcat, words, on, text):
    node(xcat, "n1", "52:54:00:00:00:01", "10.9.0.1")
    assert text in "\n".join(said(xcat, *words, on=on)) and xcat.rc == 1
    assert lines(xcat, "dhcp-hosts") == []


def test_before_the_networks_nothing_is_served(tmp_path, monkeypatch):
    monkeypatch.setattr(interfaces, "links", lambda: [])
    xcat = Inside(tmp_path)
    node(xcat, "n1", "52:54:00:00:00:01", "10.9.0.1")
    assert "Run: makedhcp -n" in xcat.type("makedhcp", on="n1")[0] and xcat.rc == 1
    assert "Run: makedhcp -n" in xcat.type("makedns")[0] and xcat.rc == 1
    assert "Run: makenetworks" in xcat.type("makedhcp", "-n")[0] and xcat.rc == 1
    assert not (xcat.home.netservices / "dnsmasq.conf").exists()
    xcat.close()


def test_names(xcat):
    node(xcat, "n1", "", "10.9.0.1", "hostnames=web")
    node(xcat, "n2", "", "10.8.0.2", "nicips.ib0=10.8.0.3")
    node(xcat, "n3", "")
    assert "n3 has no address" in "\n".join(xcat.type("makedns")) and xcat.rc == 0
    assert lines(xcat, "dns-hosts") == [
        "10.9.0.1 n1 n1.c.test web # n1",
        "10.8.0.2 n2 n2.c.test # n2",
        "10.8.0.3 n2-ib0 n2-ib0.c.test # n2",
    ]
    found = lines(xcat, "dnsmasq.conf")
    assert {"domain=c.test", "local=/c.test/", "no-hosts"} <= set(found) and "port=0" not in found
    xcat.type("makedns", "-d", on="n2")
    assert lines(xcat, "dns-hosts") == ["10.9.0.1 n1 n1.c.test web # n1"]
    xcat.type("makedns", on="n2")
    assert len(lines(xcat, "dns-hosts")) == 3
    xcat.type("noderm", on="n1")
    xcat.type("makedns", "-n")
    assert [line.split()[1] for line in lines(xcat, "dns-hosts")] == ["n2", "n2-ib0"]


def test_who_is_asked_about_other_names(xcat):
    xcat.type("chdef", "-t", "site", "clustersite", "forwarders=192.0.2.1,192.0.2.2")
    xcat.type("makedns")
    assert {"no-resolv", "server=192.0.2.1", "server=192.0.2.2"} <= set(lines(xcat, "dnsmasq.conf"))
    xcat.type("chdef", "-t", "site", "clustersite", "forwarders=some name")
    assert "which is not an address" in "\n".join(xcat.type("makedns")) and xcat.rc == 1
    assert xcat.type("makedns", "-d") and xcat.rc == 1


def test_without_servers_of_its_own_a_site_is_told_how(xcat):
    assert "conf-file=" in "\n".join(xcat.type("makedhcp", "-n")) and xcat.rc == 0


def test_nodeset_makes_the_reservation_unless_the_site_says_no(xcat):
    node(xcat, "n1", "52:54:00:00:00:01", "10.9.0.1", "netboot=pxe", "arch=x86_64")
    xcat.type("chdef", "-t", "site", "clustersite", "dhcpsetup=n")
    xcat.type("nodeset", "boot", on="n1")
    assert lines(xcat, "dhcp-hosts") == []
    xcat.type("chdef", "-t", "site", "clustersite", "dhcpsetup=")
    xcat.type("nodeset", "boot", on="n1")
    assert lines(xcat, "dhcp-hosts") == ["52:54:00:00:00:01,10.9.0.1,n1"]


def everything(xcat: Inside) -> None:
    """Nodes of all kinds."""
    assert said(xcat, "-n") == [] and xcat.rc == 0
    xcat.type("chdef", "-t", "network", "10_9_0_0-255_255_0_0", "dynamicrange=10.9.9.1-10.9.9.9;10.9.10.0/24")
    said(xcat, "-n")
    node(xcat, "n1", "52:54:00:00:00:01|52:54:00:00:00:11", "10.9.0.1", "netboot=xnba")
    node(xcat, "n2", "52:54:00:00:00:02!*NOIP*|52:54:00:00:00:12!nowhere.invalid", "", "netboot=grub2")
    node(xcat, "n3", "00:02:c9:03:00:00:10:39", "10.8.0.3", "netboot=pxe", "tftpserver=10.8.0.7")
    said(xcat, "-a")
    xcat.type("makedns")


@pytest.mark.skipif(not program("dnsmasq"), reason="dnsmasq is not installed")
def test_dnsmasq_takes_it(xcat):
    everything(xcat)
    file = NetState(xcat.home).dnsmasq.config
    done = subprocess.run([program("dnsmasq"), "--test", "-C", file], capture_output=True, text=True, check=False)
    assert "syntax check OK" in done.stderr, done.stderr


@pytest.fixture
def kea(xcat, monkeypatch):
    """A site with Kea, on an interface that there is, since Kea looks."""
    monkeypatch.setattr(interfaces, "links", lambda: [link._replace(interface="lo") for link in LINKS])
    xcat.type("chdef", "-t", "site", "clustersite", "dhcpbackend=kea")
    return xcat


def test_kea_gets_networks_machines_and_files(kea):
    xcat = kea
    everything(xcat)
    state = NetState(xcat.home)
    assert not [line for line in lines(xcat, "dnsmasq.conf") if line.startswith("dhcp-")]
    assert "enable-tftp" in lines(xcat, "dnsmasq.conf")
    made = json.loads(state.kea.read_text())["Dhcp4"]
    assert made["interfaces-config"] == {"interfaces": ["lo"]}
    first, second = made["subnet4"]
    assert [pool["pool"] for pool in first["pools"]] == ["10.9.9.1 - 10.9.9.9", "10.9.10.0 - 10.9.10.255"]
    assert {(each["hw-address"], each["ip-address"]) for each in first["reservations"]} == {
        ("52:54:00:00:00:01", "10.9.0.1"),
        ("52:54:00:00:00:11", "10.9.0.1"),
    }
    assert second["reservations"][0]["next-server"] == "10.8.0.7"
    drop = made["client-classes"][0]
    assert drop == {"name": "DROP", "test": "pkt4.mac == 0x525400000002"}
    files = {each.get("boot-file-name") for each in made["client-classes"]}
    assert {"pxelinux.0", "xcat/xnba.efi", "http://10.9.0.254/tftpboot/xcat/xnba/nodes/n1"} <= files


@pytest.mark.skipif(not program("kea-dhcp4"), reason="Kea is not installed (package kea-dhcp4-server)")
def test_kea_takes_it(kea):
    xcat = kea
    everything(xcat)
    done = subprocess.run(
        [program("kea-dhcp4"), "-t", NetState(xcat.home).kea], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


def test_a_server_that_is_not_written_for(xcat):
    xcat.type("chdef", "-t", "site", "clustersite", "dhcpbackend=isc")
    assert "Set it to dnsmasq or kea" in "\n".join(said(xcat, "-n")) and xcat.rc == 1
