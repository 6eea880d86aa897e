"""chhypervisor -n against the simulator: both IP versions, networks out of sync, bonds that come and go."""

from __future__ import annotations

import pytest

from vesim import each_version, only

NEW = (3, 6), (4, 5)
site = each_version(((3, 0), *NEW), hosts=2)

V4, V6 = "10.1.0.11:255.255.255.0", "[fd00::9]:64"


@pytest.fixture(autouse=True)
def rows(site):
    site.row("hypervisor", "rhevh1", type="rhevh", mgr=site.manager)
    for name, more in {"nw1": "", "nw2": "", "v100": " -n 100", "v200": " -n 200"}.items():
        site.ok(f"cfgve -t nw -m MGR -o {name} -c{more}")
    site.ok("cfgve -t nw -m MGR -o nw1,nw2,v100,v200 -a")


def set_to(site, interface):
    """Write the row, and set the networks; what is said."""
    site.row("hypervisor", "rhevh1", interface=interface)
    return site.ok("chhypervisor -n", ["rhevh1"])


def attachment(site, network):
    """What the host has of a network."""
    host, wanted = site.thing("host", "rhevh1")["id"], site.thing("network", network)["id"]
    (found,) = (one for one in site.world.of("attachment", "host", host) if one["network"] == wanted)
    return found


def addresses(site, network):
    """Its addresses by IP version: method, address, netmask, gateway."""
    keys = ("method", "address", "netmask", "gateway")
    ways = attachment(site, network)["assignments"]
    return {way["version"]: tuple(way.get(key) for key in keys if way.get(key)) for way in ways}


def bonds(site):
    host = site.thing("host", "rhevh1")["id"]
    nics = {nic["id"]: nic for nic in site.world.of("host_nic", "host", host)}
    return {nic["name"]: [nics[slave]["name"] for slave in nic["slaves"]] for nic in nics.values() if nic.get("slaves")}


@only((4, 5))
@pytest.mark.parametrize(
    ("asked", "kept"), [("10.1.0.12:255.255.255.0", "v6"), ("[fd00::10]:64", "v4")], ids=["IPv4", "IPv6"]
)
def test_the_other_ip_version_stays(site, asked, kept):
    set_to(site, f"nw1:eth1:static:{V4}|nw1:eth1:static:{V6}")
    before = addresses(site, "nw1")
    assert before == {
        "v4": ("static", "10.1.0.11", "255.255.255.0"),
        "v6": ("static", "fd00::9", "64"),
    }
    assert set_to(site, f"nw1:eth1:static:{asked}") == ["rhevh1: succeeded."]
    now = addresses(site, "nw1")
    assert now[kept] == before[kept]
    assert now != before
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]


@only((4, 5))
@pytest.mark.parametrize("words", ["dhcp6", "autoconf", "dhcp6-autoconf", f"static:{V6}", "static:[FD00:0::9]:64"])
def test_ipv6_settles(site, words):
    assert set_to(site, f"nw1:eth1:{words}") == ["rhevh1: succeeded."]
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]
    assert addresses(site, "nw1")["v4"] == ("none",)
    assert set_to(site, "nw1:eth1:none6") == ["rhevh1: succeeded."]
    assert addresses(site, "nw1")["v6"] == ("none",)


@only((4, 5))
def test_a_prefix_length_and_another_spelling_are_no_difference(site):
    set_to(site, "nw1:eth1:static:10.1.0.11:24:10.1.0.1|nw1:eth1:static:[fd00:0:0::9]:64:[fd00::1]")
    assert addresses(site, "nw1")["v4"] == ("static", "10.1.0.11", "255.255.255.0", "10.1.0.1")
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]
    same = "nw1:eth1:static:10.1.0.11:255.255.255.0:10.1.0.1|nw1:eth1:static:[fd00::9]:64:[FD00::1]"
    assert set_to(site, same) == ["rhevh1: nothing to do"]


def test_a_gateway_that_is_not_written_stays_and_one_that_is_denied_goes(site):
    row = "nw1:eth1:static:10.1.0.{}:255.255.255.0{}"
    set_to(site, row.format(11, ":10.1.0.1"))
    assert set_to(site, row.format(11, "")) == ["rhevh1: nothing to do"]
    assert set_to(site, row.format(12, "")) == ["rhevh1: succeeded."]
    nic = next(one for one in site.world.all("host_nic") if one.get("ip_address") == "10.1.0.12")
    assert nic["ip_gateway"] == "10.1.0.1"
    assert set_to(site, row.format(12, ":none")) == ["rhevh1: succeeded."]
    assert not site.world.the("host_nic", nic["id"])["ip_gateway"]
    set_to(site, row.format(12, ":10.1.0.1"))
    # one that the new network does not have cannot stay
    assert set_to(site, "nw1:eth1:static:10.2.0.12:255.255.255.0") == ["rhevh1: succeeded."]
    assert not site.world.the("host_nic", nic["id"])["ip_gateway"]


@only(*NEW)
@pytest.mark.parametrize("row", [f"nw1:eth1:static:{V4}", "nw1:eth1:static:10.1.0.12:255.255.255.0", "nw1:eth2:none"])
def test_a_network_out_of_sync_is_brought_into_line(site, row):
    set_to(site, f"nw1:eth1:static:{V4}")
    site.world.change(attachment(site, "nw1"), in_sync=False)
    said = set_to(site, row)
    assert said == ["rhevh1: the network nw1 is out of sync on the host", "rhevh1: succeeded."]
    assert attachment(site, "nw1")["in_sync"]
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]


@only(*NEW)
def test_networks_that_the_row_does_not_name_stay_out_of_sync(site):
    set_to(site, "nw1:eth1:none|nw2:eth2:none")
    site.world.change(attachment(site, "nw2"), in_sync=False)
    assert set_to(site, "nw1:eth1:dhcp") == ["rhevh1: succeeded."]
    assert not attachment(site, "nw2")["in_sync"]


def test_a_bond_is_taken_apart_when_its_networks_go_to_its_members(site):
    set_to(site, "nw1:bond0=eth1+eth2:none|v100:bond0:none")
    assert bonds(site) == {"bond0": ["eth1", "eth2"]}
    site.row("hypervisor", "rhevh1", interface="nw1:eth1:none|v100:eth2:none")
    (planned,) = site.ok("chhypervisor -n --dry-run", ["rhevh1"])
    assert "take bond0 apart" in planned
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: succeeded."]
    assert bonds(site) == {}
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]


def test_members_of_a_bond_go_to_another_bond(site):
    set_to(site, "nw1:bond0=eth1+eth2:none")
    assert set_to(site, "nw1:bond1=eth1+eth2:none") == ["rhevh1: succeeded."]
    assert bonds(site) == {"bond1": ["eth1", "eth2"]}
    assert set_to(site, "nw1:bond1=eth2+eth3:none") == ["rhevh1: succeeded."]
    assert bonds(site) == {"bond1": ["eth2", "eth3"]}
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]


@pytest.mark.parametrize("row", ["nw1:eth1:none", "nw1:bond1=eth1+eth3:none"])
def test_a_bond_that_carries_another_network_stays(site, row):
    set_to(site, "nw1:bond0=eth1+eth2:none|v100:bond0:none")
    site.row("hypervisor", "rhevh1", interface=row)
    site.front.counts.clear()
    (said,) = site.wrong("chhypervisor -n", ["rhevh1"])
    assert said == (
        "rhevh1: eth1 is a member of bond0, which carries v100. "
        "Name in hypervisor.interface where v100 goes, or leave eth1 in bond0"
    )
    assert not any(call.startswith(("POST", "PUT", "DELETE")) for call in site.front.counts.report()["requests"])
    assert bonds(site) == {"bond0": ["eth1", "eth2"]}


def test_a_card_with_a_network_that_the_row_does_not_move_becomes_no_member(site):
    set_to(site, "nw1:eth1:none|nw2:eth2:none")
    site.row("hypervisor", "rhevh1", interface="nw1:bond0=eth1+eth2:none")
    (said,) = site.wrong("chhypervisor -n", ["rhevh1"])
    assert said == "rhevh1: eth2 carries nw2. Name in hypervisor.interface where nw2 goes, or leave eth2 out of bond0"
    assert set_to(site, "nw1:bond0=eth1+eth2:none|nw2:eth3:none") == ["rhevh1: succeeded."]
    assert bonds(site) == {"bond0": ["eth1", "eth2"]}
    assert site.ok("chhypervisor -n", ["rhevh1"]) == ["rhevh1: nothing to do"]
