"""Virtual machines: what an engine stores, refuses and shows, in each generation."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

NEW = "<vm><name>{}</name><cluster><name>Default</name></cluster><template><name>Blank</name></template>{}</vm>"


def made(engine: Any, name: str = "n1", more: str = "") -> str:
    """Make a machine and give its address."""
    answer = engine.post("/vms", NEW.format(name, more))
    assert answer.status == 201, answer.body
    return f"/vms/{answer.id}"


def boot(engine: Any, *devices: str) -> str:
    if engine.dialect.number == 3:
        return "<os>" + "".join(f'<boot dev="{one}"/>' for one in devices) + "</os>"
    return "<os><boot><devices>" + "".join(f"<device>{one}</device>" for one in devices) + "</devices></boot></os>"


def boots(answer: Any) -> list[str]:
    return [*answer.xml.xpath("os/boot/@dev"), *answer.xml.xpath("os/boot/devices/device/text()")]


def conflict(engine: Any) -> int:
    return 400 if engine.dialect.version < (3, 3) else 409


def test_memory_is_cut_to_mebibytes(engine: Any) -> None:
    path = made(engine, more="<memory>2000000000</memory>")
    assert engine.get(path).text("memory") == "1999634432"


def test_a_new_machine_is_locked_then_down(engine: Any) -> None:
    path = made(engine)
    assert engine.status(path) == ("down" if engine.dialect.modern else "image_locked")
    engine.later()
    assert engine.status(path) == "down"


def test_what_was_made_has_a_place(engine: Any) -> None:
    answer = engine.call("POST", "/vms", NEW.format("n1", ""), host="m:443")
    assert answer.headers["Location"] == f"https://m:443{engine.base}/vms/{answer.id}"


def test_start_passes_through_its_states(engine: Any) -> None:
    path = engine.vm()
    answer = engine.post(f"{path}/start")
    assert answer.status == 200
    assert (answer.text("status/state") or answer.text("status")) == "complete"
    seen = []
    for _ in range(12):
        seen.append(engine.status(path))
        engine.later(0.1)
    assert list(dict.fromkeys(seen)) == ["wait_for_launch", "powering_up", "up"]
    assert engine.get(path).xml.find("host") is not None
    engine.post(f"{path}/stop")
    engine.later()
    assert engine.status(path) == "down"
    assert engine.get(path).xml.find("host") is None


@pytest.mark.parametrize(
    ("state", "verb", "words"),
    [
        ("up", "start", "[Cannot run VM"),
        ("down", "stop", "[Cannot stop VM. VM is not running.]"),
        ("down", "shutdown", "[Cannot shutdown VM. VM is not running.]"),
        ("down", "suspend", "[Cannot hibernate VM. VM is not up.]"),
        ("down", "migrate", "[Cannot migrate VM. VM is not running.]"),
    ],
)
def test_what_the_state_forbids_is_refused_in_the_engines_words(engine: Any, state: str, verb: str, words: str) -> None:
    path = engine.vm()
    if state == "up":
        engine.post(f"{path}/start")
        engine.later()
    answer = engine.post(f"{path}/{verb}")
    if engine.dialect.modern and verb in {"stop", "shutdown"}:
        assert answer.status == 200  # what is off is taken as done
        return
    assert answer.status == conflict(engine)
    assert answer.detail().startswith(words)
    assert answer.xml.tag == "action"
    assert (answer.text("status/state") or answer.text("status")) == "failed"


def test_a_running_machine_is_not_removed(engine: Any) -> None:
    path = engine.vm()
    engine.post(f"{path}/start")
    answer = engine.delete(path)
    assert (answer.status, answer.detail()) == (conflict(engine), "[Cannot remove VM. VM is running.]")
    assert answer.xml.tag == "fault"


def test_removing_answers_by_version_and_then_it_is_gone(engine: Any) -> None:
    path = engine.vm()
    answer = engine.delete(path)
    assert answer.status == 200
    assert (answer.body == b"") == (engine.dialect.version < (3, 3))
    if not engine.dialect.modern:
        assert engine.status(path) == "image_locked"
    engine.later()
    gone = engine.get(path)
    assert (gone.status, gone.body) == (404, b"")
    assert [disk for disk in engine.world.all("disk") if disk["name"] == "vm1_Disk1"] == []


@pytest.mark.parametrize("engine", [(3, 2), (3, 6), (4, 2), (4, 5)], indirect=True)  # 3.0 cannot keep disks
def test_removing_may_keep_the_disks(engine: Any) -> None:
    path = engine.vm()
    if engine.dialect.number == 4:
        assert engine.delete(f"{path}?detach_only=true").status == 200
    else:
        body = "<action><vm><disks><detach_only>true</detach_only></disks></vm></action>"
        assert engine.delete(path, body).status == 200
    engine.later()
    kept = [disk for disk in engine.world.all("disk") if disk["name"] == "vm1_Disk1"]
    assert [disk["vm"] for disk in kept] == [None]


def test_a_protected_machine_stays(make_engine: Any) -> None:
    engine = make_engine((3, 6))
    path = made(engine, more="<delete_protected>true</delete_protected>")
    engine.later()
    assert "Delete protection is enabled" in engine.delete(path).detail()


@pytest.mark.parametrize("version", [(3, 0), (3, 6), (4, 5)])
def test_a_name_in_use_is_refused_by_version(make_engine: Any, version: tuple[int, int]) -> None:
    answer = make_engine(version).post("/vms", NEW.format("vm1", ""))
    assert answer.status == (409 if version >= (4, 0) else 400)
    assert (
        answer.detail() == "[Cannot add VM. The VM name is already in use, please choose a unique name and try again.]"
    )


def test_an_incomplete_body_is_refused_by_name(engine: Any) -> None:
    answer = engine.post("/vms", "<vm/>")
    what = "VM" if engine.dialect.number == 3 else "Vm"
    assert (answer.status, answer.text("reason")) == (400, "Incomplete parameters")
    missing = "cluster.id|name" if engine.dialect.modern else "name, template.id|name, cluster.id|name"
    assert answer.detail() == f"{what} [{missing}] required for add"


def test_a_reference_that_leads_nowhere(engine: Any) -> None:
    answer = engine.post("/vms", NEW.format("x", "").replace("Default", "foo"))
    assert answer.status == (400 if engine.dialect.version < (3, 3) else 404)
    assert answer.detail() == "Entity not found: Cluster: name=foo"


@pytest.mark.parametrize(
    "path",
    [
        "/vms/00000000-0000-0000-0000-00000000beef",
        "/vms/nonsense",
        "/vms/%00",
        "/nothing",
        "/vms/x/nics",
        "/vms//x/y/z",
    ],
)
def test_unknown_and_malformed_ids_are_404_with_nothing(engine: Any, path: str) -> None:
    answer = engine.get(path)
    told = engine.dialect.version >= (4, 3) and "nothing" in path  # no resource of any kind: the framework says so
    assert answer.status == 404
    assert answer.body.startswith(b"RESTEASY003210") if told else answer.body == b""


@pytest.mark.parametrize("body", ["", "<vm", "<vm>&xx;</vm>", "<nic/>", "\x00", "<?xml version='1.0'?>", "<vm>" * 500])
def test_bodies_that_are_none(engine: Any, body: str) -> None:
    answer = engine.post("/vms", body)
    if engine.dialect.number == 4 and body == "<nic/>":
        assert (answer.status, answer.type) == (500, "text/html;charset=UTF-8")
        return
    assert answer.status == 400
    assert answer.xml.tag in {"usage_message", "fault"}


def test_entities_are_not_expanded(engine: Any) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>' + NEW.format("x&b;", "")
    answer = engine.post("/vms", bomb)
    assert b"root:" not in answer.body
    assert not [vm for vm in engine.world.all("vm") if "root" in vm["name"]]


def test_numbers_and_words_that_are_none(engine: Any) -> None:
    for more in (
        "<memory>lots</memory>",
        "<type>toaster</type>",
        "<stateless>perhaps</stateless>",
        boot(engine, "floppy"),
    ):
        answer = engine.post("/vms", NEW.format("x", more))
        # engines before 3.2 pass over a word that is not one of an enumeration; our strict mode does not
        passed_over = engine.dialect.version < (3, 2) and ("toaster" in more or "floppy" in more)
        reason = "Strict mode" if passed_over else "Invalid value"
        if "lots" in more and engine.dialect.number == 4:
            reason = "Request syntactically incorrect."
        assert (answer.status, answer.text("reason")) == (400, reason), more


def test_capitals_are_fine_in_v3_only(make_engine: Any) -> None:
    for version, status in (((3, 0), 201), ((3, 6), 201), ((4, 5), 400)):
        assert make_engine(version).post("/vms", NEW.format("x", "<type>SERVER</type>")).status == status


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("<memory>0</memory>", "too small"),
        (
            "<memory>1073741824</memory><memory_policy><guaranteed>2147483648</guaranteed></memory_policy>",
            "cannot exceed",
        ),
        ("<placement_policy><affinity>pinned</affinity></placement_policy>", "no Host was selected"),
    ],
)
def test_values_that_contradict(engine: Any, more: str, words: str) -> None:
    answer = engine.post("/vms", NEW.format("x", more))
    if "pinned" in more and engine.dialect.modern:
        assert answer.status == 201  # hosts may be named later
        return
    words = "must be greater than" if "small" in words and engine.dialect.modern else words
    assert answer.status == 400 and words in answer.detail()


def test_more_memory_than_any_host(engine: Any) -> None:
    path = made(engine, more=f"<memory>{300 << 30}</memory>" + boot(engine, "cdrom"))
    engine.later()
    answer = engine.post(f"{path}/start")
    assert answer.status == conflict(engine)
    assert "sufficient memory" in answer.detail()


def test_nothing_to_boot_from(engine: Any) -> None:
    disk, net = made(engine, "n1", boot(engine, "hd")), made(engine, "n2", boot(engine, "network"))
    engine.later()
    assert "at least one bootable disk" in engine.post(f"{disk}/start").detail()
    assert "no Network Interface is configured" in engine.post(f"{net}/start").detail()


def test_no_host_is_up(make_engine: Any) -> None:
    engine = make_engine((4, 5), hosts=0)
    path = made(engine, more=boot(engine, "cdrom"))
    engine.later()
    assert "no hosts to use" in engine.post(f"{path}/start").detail()


def test_boot_order_is_replaced_whole_and_a_boot_without_device_is_nothing(engine: Any) -> None:
    path = made(engine, more=boot(engine, "network", "hd"))
    engine.later()
    assert boots(engine.get(path)) == ["network", "hd"]
    again = boot(engine, "hd")
    if engine.dialect.number == 3:
        again = again.replace("</os>", "<boot/></os>")
    assert engine.put(path, f"<vm>{again}</vm>").status == 200
    assert boots(engine.get(path)) == ["hd"]


def test_run_once_counts_for_this_run_only(engine: Any) -> None:
    path = engine.vm()
    engine.post(f"{path}/start", f"<action><vm>{boot(engine, 'network')}</vm></action>")
    engine.later()
    shows_run = engine.dialect.version >= (3, 6)
    assert boots(engine.get(path)) == (["network"] if shows_run else ["hd"])
    if engine.dialect.number == 4:
        assert engine.get(path).text("run_once") == "true"
        assert boots(engine.get(f"{path}?next_run=true")) == ["hd"]
    engine.post(f"{path}/stop")
    engine.later()
    assert boots(engine.get(path)) == ["hd"]


def test_an_id_cannot_be_changed(engine: Any) -> None:
    answer = engine.put(engine.vm(), f'<vm id="{engine.id("vm", "vm2")}"/>')
    assert answer.status == conflict(engine)
    assert answer.text("reason") == "Broken immutability constraint"


def test_that_holds_for_every_noun(engine: Any) -> None:
    for kind, path in (
        ("host", "hosts"),
        ("cluster", "clusters"),
        ("data_center", "datacenters"),
        ("network", "networks"),
    ):
        one = engine.world.all(kind)[0]["id"]
        answer = engine.put(f"/{path}/{one}", f'<{kind} id="{engine.id("vm", "vm2")}"/>')
        assert (answer.status, answer.text("reason")) == (conflict(engine), "Broken immutability constraint"), kind


def test_a_new_thing_gets_its_own_id_and_state(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    answer = engine.post("/vms", NEW.format("x", "<status>up</status>").replace("<vm>", '<vm id="mine">'))
    assert answer.id != "mine" and answer.text("status") == "down"


def test_migration(engine: Any) -> None:
    path = engine.vm()
    engine.post(f"{path}/start")
    engine.later()
    here = engine.get(path).xml.find("host").get("id")
    same = engine.post(f"{path}/migrate", f'<action><host id="{here}"/></action>')
    told = (conflict(engine), "[Cannot migrate VM. source and destination is the same.]")
    if engine.dialect.modern:
        told = (400, "[There are no hosts to use. Check that the cluster contains at least one host in Up state.]")
    assert (same.status, same.detail()) == told
    there = next(host["id"] for host in engine.world.all("host") if host["id"] != here)
    assert engine.post(f"{path}/migrate", f'<action><host id="{there}"/></action>').status == 200
    assert engine.status(path) == "migrating"
    assert engine.get(path).xml.find("host").get("id") == here
    engine.later()
    assert engine.status(path) == "up"
    assert engine.get(path).xml.find("host").get("id") == there


def test_suspend_takes_tasks_and_start_resumes(engine: Any) -> None:
    path = engine.vm()
    engine.post(f"{path}/start")
    engine.later()
    answer = engine.post(f"{path}/suspend")
    assert answer.status == 202
    assert answer.xml.get("id") and answer.text("async") == "true"
    task = engine.get(answer.xml.get("href")).xml
    assert (task.findtext("status/state") or task.findtext("status")) == "in_progress"
    engine.later()
    assert engine.status(path) == "suspended"
    assert "not down" in engine.delete(path).detail()
    engine.post(f"{path}/start")
    assert engine.status(path) == "wait_for_launch"
    engine.later(0.3)
    assert engine.status(path) == "restoring_state"
    engine.later()
    assert engine.status(path) == "up"


def test_the_answer_to_an_action_echoes_its_parameters(engine: Any) -> None:
    path = engine.vm()
    answer = engine.post(f"{path}/ticket", "<action><ticket><value>abc</value><expiry>9</expiry></ticket></action>")
    assert ("VM is in Down status" if engine.dialect.modern else "VM is not running") in answer.detail()
    engine.post(f"{path}/start")
    engine.later()
    answer = engine.post(f"{path}/ticket", "<action><ticket><value>abc</value><expiry>9</expiry></ticket></action>")
    assert (answer.text("ticket/value"), answer.text("ticket/expiry")) == ("abc", "9")
    assert engine.post(f"{path}/ticket").text("ticket/expiry") == "7200"
    forced = engine.post(f"{path}/migrate", "<action><force>true</force></action>")
    assert forced.text("force") == "true"


def test_console_ports_only_while_it_runs(engine: Any) -> None:
    path = engine.vm()
    assert engine.get(path).text("display/port") is None
    engine.post(f"{path}/start")
    engine.later()
    assert int(engine.get(path).text("display/port")) >= 5900
    if engine.dialect.number == 4:
        assert engine.get(f"{path}/graphicsconsoles").xml.findtext("graphics_console/port") is None
        now = engine.get(f"{path}/graphicsconsoles?current=true").xml
        assert now.find("graphics_console").get("id") == "766e63"
        assert int(now.findtext("graphics_console/port")) >= 5900


def test_mac_addresses_come_from_the_pool_and_only_once(engine: Any) -> None:
    path = made(engine)
    network = "<network><name>rhevm</name></network>" if engine.dialect.number == 3 else ""
    first = engine.post(f"{path}/nics", f"<nic><name>eth0</name>{network}</nic>").xml
    mac = first.xpath("string(mac/@address)") or first.findtext("mac/address")
    assert mac.startswith("00:1a:4a:16:01:")
    told = (
        f'<mac address="{mac.upper()}"/>'
        if engine.dialect.number == 3
        else f"<mac><address>{mac.upper()}</address></mac>"
    )
    second = engine.post(f"{path}/nics", f"<nic><name>eth1</name>{network}{told}</nic>")
    assert second.status == conflict(engine)
    assert "already in use" in second.detail()


def test_disks_lock_the_machine(engine: Any) -> None:
    path = engine.vm("vm2")
    if engine.dialect.number == 3:
        size = "size" if engine.dialect.version < (3, 1) else "provisioned_size"
        body = f"<disk><{size}>1073741824</{size}><interface>virtio</interface><format>cow</format></disk>"
        answer = engine.post(f"{path}/disks", body)
        assert answer.text("creation_status/state") == "pending"
        assert answer.xml.xpath("link[@rel='creation_status']")
    else:
        domain = f'<storage_domains><storage_domain id="{engine.id("storage_domain", "data1")}"/></storage_domains>'
        disk = f"<disk><format>cow</format><provisioned_size>1073741824</provisioned_size>{domain}</disk>"
        answer = engine.post(
            f"{path}/diskattachments", f"<disk_attachment><interface>virtio</interface>{disk}</disk_attachment>"
        )
    assert answer.status == (201 if engine.dialect.number == 4 else 202), answer.body
    refused = engine.post(f"{path}/start")
    assert refused.status == conflict(engine) and "locked" in refused.detail()
    engine.later()
    assert engine.post(f"{path}/start").status == 200


def test_a_second_disk_to_boot_from_is_refused(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    disk = "<disk><format>cow</format><provisioned_size>1073741824</provisioned_size></disk><bootable>true</bootable>"
    body = f"<disk_attachment><interface>virtio</interface>{disk}</disk_attachment>"
    assert "already marked as boot" in engine.post(f"{engine.vm()}/diskattachments", body).detail()


@pytest.mark.parametrize(
    ("version", "bios", "refused"),
    [
        ((4, 3), "q35_sea_bios", []),
        ((4, 5), "q35_sea_bios", ["ide"]),
        ((4, 5), "i440fx_sea_bios", ["sata"]),
    ],
)
def test_a_disk_goes_on_a_bus_that_the_chipset_has(make_engine: Any, version: Any, bios: str, refused: Any) -> None:
    engine = make_engine(version)
    engine.world.change(engine.world.by_name("cluster", "Default")[0], bios_type=bios)
    path = f"{engine.vm()}/diskattachments"
    there = engine.world.of("disk", "vm", engine.id("vm", "vm1"))[0]["id"]
    body = (
        "<disk_attachment><interface>{}</interface>"
        "<disk><format>cow</format><provisioned_size>1073741824</provisioned_size>{}</disk></disk_attachment>"
    )
    domain = f'<storage_domains><storage_domain id="{engine.id("storage_domain", "data1")}"/></storage_domains>'
    for bus in ("ide", "sata", "virtio", "virtio_scsi"):
        change = f"<disk_attachment><interface>{bus}</interface></disk_attachment>"
        for answer in (engine.post(path, body.format(bus, domain)), engine.put(f"{path}/{there}", change)):
            said = answer.detail() if answer.status == 400 else ""
            assert ("disk interface is not supported" in said) == (bus in refused), (bus, answer.body)
            engine.later()


def test_detaching_a_disk_is_the_default_in_v4(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    disk = engine.world.of("disk", "vm", engine.id("vm", "vm1"))[0]["id"]
    other = engine.world.of("disk", "vm", engine.id("vm", "vm2"))[0]["id"]
    assert engine.delete(f"{engine.vm()}/diskattachments/{disk}").status == 200
    assert engine.get(f"/disks/{disk}").status == 200
    assert engine.delete(f"{engine.vm('vm2')}/diskattachments/{other}?detach_only=false").status == 200
    engine.later()
    assert engine.get(f"/disks/{other}").status == 404
    again = engine.post(f"{engine.vm()}/diskattachments", f'<disk_attachment><disk id="{disk}"/></disk_attachment>')
    assert again.status == 201 and again.text("active") == "false"


def test_templates_lock_and_are_kept_while_used(engine: Any) -> None:
    answer = engine.post("/templates", "<template><name>gold</name><vm><name>vm1</name></vm></template>")
    assert answer.status == (201 if engine.dialect.number == 4 else 202)
    assert engine.status(engine.vm()) == "image_locked"
    assert engine.status(f"/templates/{answer.id}") == "locked"
    early = engine.post("/vms", NEW.format("n1", "").replace("Blank", "gold"))
    assert early.status == conflict(engine)
    engine.later()
    late = engine.post("/vms", NEW.format("n1", "").replace("Blank", "gold"))
    assert late.status == 202
    engine.later()
    used = engine.delete(f"/templates/{answer.id}")
    assert used.detail() == "[Cannot delete Template. Template is being used by the following VMs: n1.]"
    blank = engine.delete("/templates/00000000-0000-0000-0000-000000000000")
    words = "The relevant Cluster doesn't exist" if engine.dialect.modern else "Removing Blank Template is not allowed"
    assert words in blank.detail()
    assert len(engine.world.of("disk", "vm", late.id)) == 1


def test_what_was_exported_is_listed(engine: Any) -> None:
    data1 = engine.id("storage_domain", "data1")
    body = f'<action><storage_domain id="{data1}"/></action>'
    engine.world.change(engine.world.the("storage_domain", data1), type="export")
    assert engine.post(f"{engine.vm()}/export", body).status == 202
    for disk in engine.world.all("disk"):
        engine.world.change(disk, vm=None)  # an engine lists what has disks there, too
    assert engine.get(f"/storagedomains/{data1}/vms").xml.xpath("vm/name/text()") == ["vm1"]
    assert engine.post(f"{engine.vm('vm2')}/export").status == 400


def test_a_viewer_gets_its_file(make_engine: Any) -> None:
    engine = make_engine((4, 5), strict=True)
    engine.post(f"{engine.vm()}/start")
    engine.later()
    console = f"{engine.vm()}/graphicsconsoles/766e63"
    assert "type=vnc" in engine.post(f"{console}/remoteviewerconnectionfile").text("remote_viewer_connection_file")
    assert engine.get(console, accept="application/x-virt-viewer").body.startswith(b"[virt-viewer]")
    ticket = json.loads(base64.b64decode(engine.post(f"{console}/proxyticket").text("proxy_ticket/value")))
    assert ticket["signedFields"] == "salt,validFrom,validTo,data"
    assert json.loads(unquote_plus(ticket["data"]))["ssl_target"] is False


def test_clone_makes_an_independent_copy(make_engine: Any) -> None:
    engine = make_engine((4, 5))
    answer = engine.post(f"{engine.vm()}/clone", "<action><vm><name>copy</name></vm></action>")
    assert answer.status == 200
    engine.later()
    copy = engine.id("vm", "copy")
    assert engine.status(f"/vms/{copy}") == "down"
    macs = [nic["mac"] for nic in engine.world.all("nic")]
    assert len(macs) == len(set(macs)) == 4
