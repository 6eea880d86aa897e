"""Parts of machines and hosts: snapshots, drives, disks and cards after they were made, and what is seen on iSCSI."""

from __future__ import annotations

from typing import Any

import pytest


def conflict(engine: Any) -> int:
    return 400 if engine.dialect.version < (3, 3) else 409


def test_snapshots(engine: Any) -> None:
    path = f"{engine.vm()}/snapshots"
    made = engine.post(path, "<snapshot><description>before</description></snapshot>")
    four = engine.dialect.number == 4
    assert made.status == (201 if four else 202)
    assert engine.status(engine.vm()) == "image_locked"
    engine.later()
    count = len(engine.get(path).xml)
    assert count == (1 if engine.dialect.version < (3, 1) else 2)
    assert engine.post(f"{path}/{made.id}/restore").status == (200 if four else 202)
    engine.later()
    engine.post(f"{engine.vm()}/start")
    engine.later()
    running = engine.post(f"{path}/{made.id}/restore")
    assert running.status == conflict(engine) and "not down" in running.detail()
    assert engine.delete(f"{path}/{made.id}").status == 200
    engine.later()
    assert len(engine.get(path).xml) == count - 1
    if engine.dialect.version >= (3, 1):
        active = engine.get(path).xml[0].get("id")
        words = "only allowed for regular snapshots" if four else "active Snapshot"
        assert words in engine.delete(f"{path}/{active}").detail()
        engine.post(f"{engine.vm()}/stop")
        engine.later()
        assert "Active VM" in engine.post(f"{path}/{active}/restore").detail()


def test_a_snapshot_of_a_running_machine_leaves_it_up(engine: Any) -> None:
    engine.post(f"{engine.vm()}/start")
    engine.later()
    engine.post(f"{engine.vm()}/snapshots", "<snapshot><description>live</description></snapshot>")
    assert engine.status(engine.vm()) == "up"


def test_the_disc_in_the_drive(engine: Any) -> None:
    drive = engine.get(f"{engine.vm()}/cdroms").xml.find("cdrom").get("href")
    assert engine.get(drive).xml.find("file") is None
    put = engine.put(drive, '<cdrom><file id="boot.iso"/></cdrom>')
    if engine.dialect.version >= (4, 3):  # which look whether it is there
        assert (put.status, put.detail()) == (400, "[Invalid ISO image path]")
    else:
        assert put.xml.find("file").get("id") == "boot.iso"
    assert engine.put(drive, '<cdrom><file id=""/></cdrom>').xml.find("file") is None


@pytest.mark.parametrize("engine", [(3, 2), (3, 6), (4, 2), (4, 5)], indirect=True)  # 3.0 has no reported devices
def test_what_the_guest_reports(engine: Any) -> None:
    assert len(engine.get(f"{engine.vm()}/reporteddevices").xml) == 0
    engine.post(f"{engine.vm()}/start")
    engine.later()
    device = engine.get(f"{engine.vm()}/reporteddevices").xml[0]
    assert device.xpath("ips/ip/@address") or device.findtext("ips/ip/address")
    assert engine.get(device.get("href")).id == device.get("id")


def test_disks_grow_and_do_not_shrink(engine: Any) -> None:
    disk = engine.world.of("disk", "vm", engine.id("vm", "vm1"))[0]["id"]
    name = "size" if engine.dialect.version < (3, 1) else "provisioned_size"

    def sized(size: int) -> Any:
        if engine.dialect.number == 3:
            return engine.put(f"{engine.vm()}/disks/{disk}", f"<disk><{name}>{size}</{name}></disk>")
        body = f"<disk_attachment><disk><provisioned_size>{size}</provisioned_size></disk></disk_attachment>"
        return engine.put(f"{engine.vm()}/diskattachments/{disk}", body)

    before = engine.world.the("disk", disk)["size"]
    assert sized(20 << 30).status == 200
    if engine.dialect.version < (3, 3):  # they take it and do nothing about it
        assert engine.world.the("disk", disk)["size"] == before
        return
    engine.later()
    engine.get("/vms")
    assert engine.world.the("disk", disk)["size"] == 20 << 30
    assert sized(1 << 30).status == 400
    engine.world.change(engine.world.the("disk", disk), status="locked")
    assert "locked" in sized(30 << 30).detail()


def test_v3_disks_are_removed_or_taken_off(make_engine: Any) -> None:
    engine = make_engine((3, 6), strict=True)
    disks = {name: engine.world.of("disk", "vm", engine.id("vm", name))[0]["id"] for name in ("vm1", "vm2")}
    path = f"{engine.vm('vm1')}/disks/{disks['vm1']}"
    for verb in ("deactivate", "activate"):
        assert engine.post(f"{path}/{verb}").status == 200
    assert engine.delete(path, "<action><detach>true</detach></action>").status == 200
    assert engine.get(f"/disks/{disks['vm1']}").status == 200
    again = engine.post(f"{engine.vm('vm1')}/disks", f'<disk id="{disks["vm1"]}"><active>true</active></disk>')
    assert again.status == 200 and again.text("active") == "true"
    assert engine.delete(f"{engine.vm('vm2')}/disks/{disks['vm2']}").status == 200
    engine.later()
    assert engine.get(f"/disks/{disks['vm2']}").status == 404
    engine.post(f"{engine.vm('vm1')}/start")
    engine.later()
    assert "not down" in engine.delete(path).detail()


def test_floating_disks(make_engine: Any) -> None:
    for version in ((3, 6), (4, 5)):
        engine = make_engine(version, strict=True)
        data1 = engine.id("storage_domain", "data1")
        domains = f'<storage_domains><storage_domain id="{data1}"/></storage_domains>'
        size = "<provisioned_size>1073741824</provisioned_size>"
        body = f"<disk><alias>f1</alias>{size}<format>raw</format>{domains}</disk>"
        made = engine.post("/disks", body)
        assert made.status == (201 if version >= (4, 0) else 202), made.body
        engine.later()
        assert engine.get("/disks?search=alias%3Df1").xml.find("disk").get("id") == made.id
        move = engine.post(f"/disks/{made.id}/move", f'<action><storage_domain id="{data1}"/></action>')
        assert "The source and target storage domains are the same" in move.detail()
        engine.later()
        assert engine.delete(f"/disks/{made.id}").status == 200
        engine.later()
        assert engine.get(f"/disks/{made.id}").status == 404
        huge = body.replace("1073741824", str(1 << 60))
        assert "Low disk space" in engine.post("/disks", huge).detail()


def test_cards_are_changed_plugged_and_removed(engine: Any) -> None:
    nic = engine.world.of("nic", "vm", engine.id("vm", "vm1"))[0]["id"]
    path = f"{engine.vm()}/nics/{nic}"
    assert engine.put(path, "<nic><name>net0</name><interface>e1000</interface></nic>").text("interface") == "e1000"
    engine.post(f"{engine.vm()}/start")
    engine.later()
    refused = engine.put(path, "<nic><interface>virtio</interface></nic>")
    assert refused.status == conflict(engine)
    assert engine.delete(path).status == conflict(engine)
    if engine.dialect.version >= (3, 1):
        assert engine.post(f"{path}/deactivate").status == 200
        assert engine.delete(path).status == 200
        assert engine.get(path).status == 404


def test_two_cards_of_one_name(engine: Any) -> None:
    network = "<network><name>rhevm</name></network>" if engine.dialect.number == 3 else ""
    answer = engine.post(f"{engine.vm()}/nics", f"<nic><name>eth0</name>{network}</nic>")
    words = "already in use" if engine.dialect.modern else "already exists"
    assert answer.status == conflict(engine) and words in answer.detail()
    bad = '<mac address="00:11"/>' if engine.dialect.number == 3 else "<mac><address>00:11</address></mac>"
    assert engine.post(f"{engine.vm()}/nics", f"<nic><name>eth9</name>{network}{bad}</nic>").status == 400


def test_iscsi(engine: Any) -> None:
    path = engine.host()
    found = engine.post(f"{path}/iscsidiscover", "<action><iscsi><address>10.0.0.9</address></iscsi></action>")
    target = found.text("iscsi_target") or found.text("iscsi_targets/iscsi_target")
    assert target and target.startswith("iqn.")
    assert engine.post(f"{path}/iscsidiscover").status == 400
    before = len(engine.get(f"{path}/storage").xml)
    login = f"<action><iscsi><address>10.0.0.9</address><target>{target}</target></iscsi></action>"
    assert engine.post(f"{path}/iscsilogin", login).status == 200
    assert engine.post(f"{path}/iscsilogin").status == 400
    assert len(engine.get(f"{path}/storage").xml) > before


def test_all_cards_at_once_in_v3(make_engine: Any) -> None:
    engine = make_engine((3, 6), strict=True)
    net = engine.id("network", "rhevm")
    path = f"{engine.host()}/nics/setupnetworks"
    assert engine.post(path).status == 400
    card = f'<host_nic><name>eth1</name><network id="{net}"/><boot_protocol>dhcp</boot_protocol></host_nic>'
    cards = f"<host_nics>{card}</host_nics>"
    assert engine.post(path, f"<action>{cards}<check_connectivity>true</check_connectivity></action>").status == 200
    nics = engine.get(f"{engine.host()}/nics").xml
    assert nics.xpath("host_nic[network]/name/text()") == ["eth1"]


def test_local_storage_is_formatted_by_detaching_it(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    center = engine.post("/datacenters", "<data_center><name>here</name><local>true</local></data_center>").id
    engine.post("/clusters", f'<cluster><name>c2</name><data_center id="{center}"/></cluster>')
    body = "<host><name>h9</name><address>10.0.0.9</address><root_password>x</root_password>"
    engine.post("/hosts", f"{body}<cluster><name>c2</name></cluster></host>")
    engine.later()
    body = "<storage_domain><name>l1</name><type>data</type><host><name>h9</name></host>"
    body += "<storage><type>localfs</type><path>/data/images/rhev</path></storage></storage_domain>"
    domain = engine.post("/storagedomains", body).id
    inside = f"/datacenters/{center}/storagedomains"
    assert engine.post(inside, f'<storage_domain id="{domain}"/>').status == 201
    engine.later()
    assert engine.status(f"/datacenters/{center}") == "up"
    engine.post(f"{inside}/{domain}/deactivate")
    engine.later()
    assert engine.delete(f"{inside}/{domain}").status == 200
    assert engine.get(f"/storagedomains/{domain}").status == 404
    assert engine.status(f"/datacenters/{center}") == "uninitialized"


def test_the_master_hands_over(engine: Any) -> None:
    body = "<storage_domain><name>d2</name><type>data</type><host><name>rhevh1</name></host>"
    body += "<storage><type>nfs</type><address>a</address><path>/2</path></storage></storage_domain>"
    second, first = engine.post("/storagedomains", body).id, engine.id("storage_domain", "data1")
    inside = f"/datacenters/{engine.id('data_center', 'Default')}/storagedomains"
    engine.post(inside, f'<storage_domain id="{second}"/>')
    engine.later()
    if engine.dialect.version < (3, 1):
        engine.post(f"{inside}/{second}/activate")
        engine.later()
    engine.post(f"{inside}/{first}/deactivate")
    engine.later()
    masters = [engine.get(f"{inside}/{one}").text("master") for one in (first, second)]
    assert masters == ["false", "true"]
    assert engine.delete(f"{inside}/{first}").status == 200


def test_templates_export_and_versions(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    made = engine.post("/templates", "<template><name>gold</name><vm><name>vm1</name></vm></template>").id
    engine.later()
    base = f'<version><base_template id="{made}"/></version>'
    again = f"<template><name>gold</name><vm><name>vm1</name></vm>{base}</template>"
    second = engine.post("/templates", again)
    assert second.text("version/version_number") == "2"
    assert engine.post("/templates", "<template><name>gold</name><vm><name>vm2</name></vm></template>").status == 409
    engine.later()
    assert (
        engine.put(f"/templates/{made}", "<template><description>d</description></template>").text("description") == "d"
    )
    body = f'<action><storage_domain id="{engine.id("storage_domain", "data1")}"/></action>'
    assert engine.post(f"/templates/{made}/export", body).status == 202
    assert engine.delete(f"/templates/{made}").status == 409
    engine.later()
    assert engine.delete(f"/templates/{made}").status == 200
