"""What a dialect does not know it ignores without a word, and strict mode says so by name; both show one world."""

from __future__ import annotations

from typing import Any

import pytest

NEW = "<vm><name>x</name><cluster><name>Default</name></cluster><template><name>Blank</name></template>{}</vm>"

#: A v3 body, and what an engine of v4 would not see in it.
V3_ON_V4 = [
    ('<os><boot dev="network"/></os>', "vm/os/boot@dev"),
    ('<cpu><topology sockets="2" cores="4"/></cpu>', "vm/cpu/topology@cores"),
    ("<placement_policy><host id='x'/></placement_policy>", "vm/placement_policy/host"),
    ("<timezone>Etc/GMT</timezone>", "vm/timezone"),
    ('<os type="rhel_6x64"/>', "vm/os@type"),
]
#: Elements that v4 has nowhere or not there are refused, attributes are not.
UNKNOWN = [more for more, named in V3_ON_V4 if named in {"vm/placement_policy/host", "vm/timezone"}]
V4_ON_V3 = [
    ("<os><type>rhel_6x64</type></os>", "vm/os/type"),
    ("<cpu><topology><cores>4</cores></topology></cpu>", "vm/cpu/topology/cores"),
    ("<bios><type>q35_sea_bios</type></bios>", "vm/bios"),
    ("<next_thing/>", "vm/next_thing"),
]


@pytest.mark.parametrize(
    ("version", "more", "named"),
    [
        *(((4, 5), more, named) for more, named in V3_ON_V4),
        *(((3, 6), more, named) for more, named in V4_ON_V3),
    ],
)
def test_silence_and_strictness(make_engine: Any, version: tuple[int, int], more: str, named: str) -> None:
    silent = make_engine(version).post("/vms", NEW.format(more))
    if version > (4, 0) and more in UNKNOWN:
        assert silent.text("reason") == "Request syntactically incorrect."
    else:
        assert silent.status == 201
        assert not silent.xml.xpath("os/boot/devices/device[.='network']")
    refused = make_engine(version, strict=True).post("/vms", NEW.format(more))
    assert (refused.status, refused.text("reason")) == (400, "Strict mode")
    assert named in refused.detail()


def test_a_nic_by_network_has_none_on_v4(make_engine: Any) -> None:
    body = '<nic><name>e1</name><network><name>rhevm</name></network><mac address="00:11:22:33:44:55"/></nic>'
    answer = make_engine((4, 5)).post(make_engine((4, 5)).vm() + "/nics", body)
    assert answer.status == 201
    assert answer.xml.find("vnic_profile") is None
    assert answer.text("mac/address") != "00:11:22:33:44:55"
    strict = make_engine((4, 5), strict=True)
    assert strict.post(f"{strict.vm()}/nics", body).detail() == "API v4 does not know: nic/network, nic/mac@address"


def test_v4_does_not_read_the_body_of_a_delete(make_engine: Any) -> None:
    body = "<action><force>true</force></action>"
    strict = make_engine((4, 5), strict=True)
    assert "body of a DELETE" in strict.delete(strict.vm(), body).detail()
    lax = make_engine((4, 5))
    assert lax.delete(lax.vm(), body).status == 200


def test_what_was_shown_may_be_sent_back(engine: Any) -> None:
    for path in (engine.vm(), engine.host(), f"/clusters/{engine.id('cluster', 'Default')}"):
        shown = engine.get(path).body.decode().partition("?>")[2]
        if "host" in path:
            shown = shown.replace("<enabled>true</enabled>", "<enabled>false</enabled>")
        answer = engine.put(path, shown)
        assert answer.status == 200, answer.body


def test_both_dialects_show_one_world(make_engine: Any) -> None:
    engine = make_engine((4, 5), api="both")
    path = engine.vm()
    engine.call("POST", f"/api{path}/start", "<action/>")
    assert engine.get(path).text("status") == "wait_for_launch"
    assert engine.call("GET", f"/api{path}").text("status/state") == "wait_for_launch"
    engine.later()
    four, three = engine.get(path).xml, engine.call("GET", f"/api{path}").xml
    assert four.find("host").get("id") == three.find("host").get("id")
    assert four.findtext("cpu/topology/sockets") == three.find("cpu/topology").get("sockets")
    assert four.findtext("os/boot/devices/device") == three.find("os/boot").get("dev")
    disk4 = engine.get(f"{path}/diskattachments").xml.find("disk_attachment").get("id")
    assert engine.call("GET", f"/api{path}/disks").xml.find("disk").get("id") == disk4


def test_follow(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    vm = engine.get("/vms?search=name%3Dvm1&follow=disk_attachments.disk,nics.vnic_profile,cluster").xml.find("vm")
    assert vm.findtext("disk_attachments/disk_attachment/disk/provisioned_size") == str(10 << 30)
    assert vm.findtext("nics/nic/vnic_profile/name") == "rhevm"
    assert vm.findtext("cluster/name") == "Default"
    center = engine.get(
        f"/datacenters/{engine.id('data_center', 'Default')}?follow=clusters,storage_domains,networks"
    ).xml
    assert center.findtext("storage_domains/storage_domain/status") == "active"
    assert center.findtext("clusters/cluster/name") == "Default"
    hosts = engine.get("/hosts?follow=nics,statistics").xml
    assert len(hosts.xpath("host/nics/host_nic")) == 8
    assert engine.get("/vms?follow=nonsense").status == 500
    engine.post(f"{engine.vm()}/start")
    engine.later()
    consoles = engine.get("/vms?search=name%3Dvm1&current=true&follow=graphics_consoles").xml
    assert int(consoles.findtext("vm/graphics_consoles/graphics_console/port")) >= 5900


def test_follow_came_with_4_2(make_engine: Any) -> None:
    assert make_engine((4, 1)).get("/vms?follow=nics").xml.find("vm/nics") is None
    assert make_engine((4, 2)).get("/vms?follow=nics").xml.find("vm/nics") is not None


def test_what_came_later_is_not_there(make_engine: Any) -> None:
    old, new = make_engine((3, 0)), make_engine((4, 5))
    assert old.get("/disks").status == 404
    assert old.post(f"{old.vm()}/reboot").status == 404
    assert old.get(f"{old.host()}/fenceagents").status == 404
    assert new.get(f"{new.vm()}/disks").status == 404
    assert make_engine((4, 2)).post(f"{new.vm()}/reset").status == 404
    assert b"comment" not in old.get(old.vm()).body


def test_async_creation_can_be_waited_for_and_asked_about(make_engine: Any) -> None:
    engine = make_engine((3, 6))
    body = (
        "<disk><provisioned_size>1073741824</provisioned_size><interface>virtio</interface><format>cow</format></disk>"
    )
    waited = engine.call("POST", f"{engine.vm()}/disks", body, **{"x-ovirt-expect": "201-created"})
    assert waited.status == 201 and waited.text("status/state") == "ok"
    answer = engine.post(f"{engine.vm()}/disks", body)
    where = answer.xml.xpath("string(link[@rel='creation_status']/@href)")
    assert engine.get(where).text("status/state") == "in_progress"
    engine.later()
    assert engine.get(where).text("status/state") == "complete"
