"""getmacs: what the manager gave machines as MAC addresses, shown and written."""

from __future__ import annotations

from typing import Any

import pytest

from vesim import only
from vmsite import each_version

site = each_version()


def macs(site: Any, name: str) -> dict[str, str]:
    """NIC -> address, as the engine has them."""
    return {nic["name"]: nic["mac"].lower() for nic in site.parts("nic", name)}


def test_the_address_of_the_installation_nic_is_written_once(site: Any) -> None:
    nics = f"{site.network}:eth0|{site.network}:eth1:yes"
    site.made("vm1", nics=nics)
    site.made("vm2", nics=nics)
    wanted = {name: macs(site, name)["eth1"] for name in ("vm1", "vm2")}
    for name in wanted:
        site.host.set_node_attrs("mac", {name: {"mac": ""}})
    assert site.ok("getmacs", ["vm1", "vm2"]) == [f"{name}: mac.mac set to {mac}" for name, mac in wanted.items()]
    assert site.row_of("vm1", "mac")["mac"] == wanted["vm1"]
    assert "There is nothing to do" in site.ok("getmacs", ["vm1"])[0]
    site.host.set_node_attrs("mac", {"vm1": {"mac": f"00:00:00:00:00:01!x|{wanted['vm1'].upper()}!vm1-b"}})
    assert "There is nothing to do" in site.ok("getmacs", ["vm1"])[0]


def test_all_are_shown_and_none_is_written(site: Any) -> None:
    site.made("vm1", nics=f"{site.network}:eth0|{site.network}:eth1")
    site.host.set_node_attrs("mac", {"vm1": {"mac": "52:54:00:00:00:01"}})
    said = [(message.desc, message.text) for message in site.say("getmacs -d", ["vm1"])]
    assert said == [(f"MAC address of {name}", mac.upper()) for name, mac in sorted(macs(site, "vm1").items())]
    assert site.row_of("vm1", "mac")["mac"] == "52:54:00:00:00:01"


@only((4, 5))
@pytest.mark.parametrize("nics", ["", "not:a:nic:row:at:all", f"{'x' * 300}:eth0:maybe"])
def test_a_row_that_cannot_be_read_means_the_first_nic(site: Any, nics: str) -> None:
    site.made("vm1", nics=f"{site.network}:eth0|{site.network}:eth1")
    site.row("vm", "vm1", nics=nics)
    first = macs(site, "vm1")["eth0"]
    site.host.set_node_attrs("mac", {"vm1": {"mac": ""}})
    assert site.ok("getmacs", ["vm1"]) == [f"vm1: mac.mac set to {first}"]


@only((4, 5))
def test_what_is_not_there(site: Any) -> None:
    site.made("vm1")
    site.made("vm2", nics="none")
    assert site.wrong("getmacs -i eth7", ["vm1"]) == ["vm1: the machine has no NIC eth7 with an address"]
    assert "with an address" in site.wrong("getmacs", ["vm2"])[0]
    assert "with an address" in site.wrong("getmacs -d", ["vm2"])[0]
    site.node("vm9")
    assert "node was not defined in the rhevm." in site.wrong("getmacs", ["vm9"])[0]
    assert "getmacs does not know 'all'" in site.wrong("getmacs all", ["vm1"])[0]
