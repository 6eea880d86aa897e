"""lsvm, rinv, rvitals, rscan, getrvidparms: what is shown, and that the layouts stay."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, unquote_plus

import pytest

from vesim import only
from vmsite import MODERN, each_version
from xcat_rhev.messages import Data, Error
from xcat_rhev.messages import Warn as Warned

site = each_version()


def keys(lines, indent):
    """The keys that stand behind so many blanks."""
    mark = " " * indent
    return [line[indent:].partition(":")[0] for line in lines if line.startswith(mark) and line[indent] != " "]


# lsvm ----------------------------------------------------------------------------------------------------------------


def test_a_machine_is_shown_as_rhevm_pm_did(site):
    site.made("vm1", storage="data1:2g", memory="1g", cpus="2:4", bootorder="net,hd")
    lines = site.ok("lsvm", ["vm1"])
    assert lines[0] == "vms: [vm1]"
    for line in (
        "  bootorder: network,hd",
        "  cpucore: 4",
        "  cpusocket: 2",
        "  display: vnc",
        "  memory: 1073741824",
        "  placement_policy: migratable",
        "  state: down",
        "  stateless: false",
        "  type: server",
    ):
        assert line in lines
    assert "    disks: [" in "\n".join(lines)
    for line in (
        "bootable: true",
        "format: cow",
        "iftype: virtio",
        "size: 2147483648",
        "state: ok",
        "storage_domains: data1",
        "type: system",
    ):
        assert f"      {line}" in lines
    mac = site.parts("nic", "vm1")[0]["mac"]
    assert lines[-4:] == [
        "    nics: [eth0]",
        "      iftype: virtio",
        f"      mac: {mac}",
        f"      network: {site.network}",
    ]


def test_keys_are_sorted(site):
    site.made("vm1")
    lines = site.ok("lsvm", ["vm1"])
    own = keys(lines, 2)
    assert own == sorted(own) and "memory" in own


def test_a_running_machine_has_a_host_and_a_start(site):
    site.running("vm1")
    lines = site.ok("lsvm", ["vm1"])
    assert f"  host: {site.host_of('vm1')}" in lines
    assert any(line.startswith("  start_time: ") for line in lines)


def test_an_unknown_machine_is_an_error_and_the_others_are_shown(site):
    site.made("vm1")
    site.node("vm2")
    said = site.say("lsvm", ["vm1", "vm2"])
    errors = [message for message in said if isinstance(message, Error)]
    assert [(error.node, error.text.split(" The")[0]) for error in errors] == [
        ("vm2", "node was not defined in the rhevm.")
    ]
    assert [text.text.partition("\n")[0] for text in said if isinstance(text, Data)] == ["vms: [vm1]"]


def test_a_hypervisor_is_shown_with_nics_and_machines(site):
    site.running("vm1", "vm2")
    name = site.hypervisor(site.host_of("vm1"))
    lines = site.ok("lsvm", [name])
    assert lines[0] == f"hosts: [{name}]"
    assert "  state: up" in lines and "    vms: [vm1]" in lines
    assert any(line.startswith("    host_nics: [") for line in lines)
    assert any(line.startswith("      mac: ") for line in lines)


def test_an_unknown_hypervisor_is_an_error(site):
    site.hypervisor("rhevh9")
    said = f"rhevh9: host was not defined in the rhevm. The manager is {site.manager}. Run: chhypervisor rhevh9 -a"
    for typed in ("lsvm", "rinv", "rvitals", "reventlog"):
        assert site.wrong(typed, ["rhevh9"]) == [said]


@only((3, 6), (4, 5))
def test_disks_are_shown_as_people_count_in_whatever_order_the_manager_has_them(site):
    site.made("vm1", storage="|".join(["data1:1g"] * 3))
    for disk, number in zip(site.parts("disk", "vm1"), (10, 9, 1)):
        site.world.change(disk, name=f"vm1_Disk{number}")
    lines = site.ok("lsvm", ["vm1"])
    names = [f"vm1_Disk{number}" for number in (1, 9, 10)]
    assert [line for line in lines if "disks: [" in line] == [f"    disks: [{name}]" for name in names]
    assert [each.desc for each in site.say("rinv disk", ["vm1"])] == [f"Disk {name}" for name in names]


def test_a_guest_that_tells_nothing_is_said_to(site):
    site.made("vm1")
    assert site.ok("rinv guest", ["vm1"]) == ["vm1: unknown: the machine is down"]
    site.ok("rpower on", ["vm1"])
    assert site.ok("rinv guest", ["vm1"])[0].startswith("vm1: unknown: ")


def test_everything_that_a_manager_has(site):
    site.made("vm1", "vm2")
    text = "\n".join(site.ok("lsvm -a", ["vm1"]))
    assert all(f"[{name}]" in text for name in ("vm1", "vm2", "rhevh1", "rhevh2", "rhevh3"))


def test_the_short_table_has_one_line_for_each(site):
    site.made("vm1", "vm2", memory="1g", cpus="2:2", storage="data1:1g|data1:1g")
    head, first, second = site.ok("lsvm -s", ["vm1", "vm2"])
    assert head.split() == ["name", "state", "host", "cpus", "memory", "disks", "nics"]
    assert first.split() == ["vm1", "down", "-", "4", "1", "GiB", "2", "1"]
    assert second.split()[0] == "vm2"


def test_json_has_types(site):
    site.made("vm1", memory="1g")
    (line,) = site.ok("lsvm --json", ["vm1"])
    found = json.loads(line)
    assert (found["kind"], found["name"], found["memory"], found["bootorder"]) == (
        "vms",
        "vm1",
        1 << 30,
        ["network", "hd"],
    )
    assert (found["disks"][0]["bootable"], found["nics"][0]["name"]) == (True, "eth0")


# rinv, rvitals -------------------------------------------------------------------------------------------------------


def test_the_inventory_of_a_machine(site):
    site.running("vm1", memory="1g", cpus="2:2", storage="data1:2g")
    said = {message.desc: message.text for message in site.say("rinv", ["vm1"])}
    assert said["CPUs"] == "4 (sockets 2, cores 2, threads 1)"
    assert (said["Memory"], said["Host"], said["Cluster"]) == ("1 GiB", site.host_of("vm1"), "Default")
    assert said["UUID"] == site.vm("vm1")["id"]
    assert any(desc.startswith("Disk ") and "2 GiB, cow, virtio, on data1" in text for desc, text in said.items())
    assert site.parts("nic", "vm1")[0]["mac"] in said["NIC eth0"]


def test_one_kind_of_inventory(site):
    site.made("vm1", memory="1g")
    assert {message.desc for message in site.say("rinv mem", ["vm1"])} <= {
        "Memory",
        "Guaranteed memory",
        "Maximum memory",
    }
    assert "rinv does not know 'weight'" in site.wrong("rinv weight", ["vm1"])[0]


@only((3, 6))
def test_the_addresses_that_a_guest_reports(site):
    site.running("vm1")
    said = {message.desc: message.text for message in site.say("rinv guest", ["vm1"])}
    assert "." in said["Guest addresses of eth0"]
    assert said["Guest name"] == "vm1.example.com"


def test_the_inventory_of_a_hypervisor(site):
    site.hypervisor("rhevh1")
    said = {message.desc: message.text for message in site.say("rinv all", ["rhevh1"])}
    assert {"CPUs", "Address", "Cluster"} <= set(said)


def test_vitals_of_machine_and_hypervisor(site):
    site.running("vm1")
    site.hypervisor("rhevh1")
    said = site.say("rvitals", ["vm1", "rhevh1"])
    told = {(message.node, message.desc): message.text for message in said}
    assert told["vm1", "State"] == told["rhevh1", "State"] == "up"
    assert told["vm1", "CPU in all"].endswith("%")
    assert ("vm1", "Memory used") in told and ("rhevh1", "Memory used") in told
    assert {message.desc for message in site.say("rvitals state", ["vm1"])} == {"State", "System State"}
    assert site.wrong("rvitals wind", ["vm1"])


def test_a_machine_that_is_off_has_a_state(site):
    site.made("vm1")
    assert Data("down", "vm1", "State") in site.say("rvitals", ["vm1"])


# getrvidparms --------------------------------------------------------------------------------------------------------


def test_the_console_has_what_wvid_needs(site):
    site.running("vm1", vidproto="vnc")
    said = {message.desc: message.text for message in site.say("getrvidparms", ["vm1"])}
    assert set(said) >= {"method", "server", "vidport", "vidproto", "password"}
    assert (said["method"], said["vidproto"]) == ("kvm", "vnc")
    assert said["password"] and said["vidport"].isdigit()


def test_each_node_gets_its_own_console(site):
    site.running("vm1", "vm2")
    said = [message for message in site.say("getrvidparms", ["vm1", "vm2"]) if message.desc == "password"]
    assert len({(message.node, message.text) for message in said}) == 2


def test_the_password_of_the_row_is_used(site):
    site.running("vm1", vidpassword="sesame-st")
    trace = site.say("getrvidparms -V", ["vm1"])
    answers = [message for message in trace if isinstance(message, Data)]
    assert [message.text for message in answers if message.desc == "password"] == ["sesame-st"]
    assert not any("sesame-st" in message.text for message in trace if message not in answers)


def test_a_viewers_file(site):
    site.running("vm1", vidproto="spice")
    lines = [line.removeprefix("vm1: ") for line in site.ok("getrvidparms --vv", ["vm1"])]
    assert lines[:2] == ["[virt-viewer]", "type=spice"] and "title=vm1" in lines


@only((4, 5))
def test_a_console_in_a_browser_by_the_managers_proxy(site):
    site.running("vm1", vidproto="vnc", vidpassword="sesame-st")
    site.host.set_row("site", {"key": "master"}, {"value": "mn.example.com"})
    (line,) = site.ok("getrvidparms --browser", ["vm1"])
    page, _, told = line.removeprefix("vm1: ").partition("#")
    assert page == "https://mn.example.com/novnc/vnc.html"
    values = dict(parse_qsl(told, strict_parsing=True))
    assert (values["host"], values["port"], values["encrypt"]) == ("127.0.0.1", "6100", "1")
    assert values["password"] and values["password"] != "sesame-st"
    ticket = json.loads(base64.b64decode(values["path"]))
    to, vm = json.loads(unquote_plus(ticket["data"])), site.vm("vm1")
    assert to == {"host": vm["display_address"], "port": str(vm["display_port"]), "ssl_target": False}
    assert int(ticket["validTo"]) > int(ticket["validFrom"])
    trace = [each.text for each in site.say("getrvidparms --browser -V", ["vm1"]) if not isinstance(each, Data)]
    assert trace and not any("eyJ" in text for text in trace)


@only((4, 5))
@pytest.mark.parametrize(
    ("base", "right"),
    [
        ("https://a.example.com/novnc", True),
        ("http://localhost:6080", True),
        ("http://a.example.com/novnc", False),
        ("javascript:alert(1)", False),
        ("https://a.example.com/#x", False),
    ],
)
def test_the_page_comes_encrypted_or_not_at_all(site, base, right):
    site.running("vm1", vidproto="vnc")
    site.host.set_row("site", {"key": "rhevmnovnc"}, {"value": base})
    if right:
        assert site.ok("getrvidparms --browser", ["vm1"])[0].startswith(f"vm1: {base}/vnc.html#autoconnect=true&")
    else:
        (said, *_) = site.wrong("getrvidparms --browser", ["vm1"])
        assert f"site.rhevmnovnc is '{base}'" in said


@only((3, 6), (4, 5))
def test_a_console_that_no_browser_shows(site):
    site.running("vm1", vidproto="spice")
    site.host.set_row("site", {"key": "master"}, {"value": "mn.example.com"})
    (said, *_) = site.wrong("getrvidparms --browser", ["vm1"])
    assert ("browsers show vnc" if site.version > (4, 0) else "consoles in a browser came with 4.2") in said
    assert "cannot be used together" in site.wrong("getrvidparms --browser --vv", ["vm1"])[0]


def test_a_machine_that_is_off_has_no_console(site):
    site.made("vm1")
    assert site.wrong("getrvidparms", ["vm1"]) == ["vm1: the machine is down and has no console. Run: rpower vm1 on"]


# rscan ---------------------------------------------------------------------------------------------------------------


def test_a_manager_is_shown_whole(site):
    site.made("vm1", "vm2")
    lines = site.ok("rscan", ["vm1"])
    assert lines[0].split()[:2] == ["type", "name"]
    assert lines[1].split() == ["rhevm", site.manager]
    assert [line.split()[:2] for line in lines[2:]] == [
        ["rhevh", "rhevh1"],
        ["rhevh", "rhevh2"],
        ["rhevh", "rhevh3"],
        ["vm", "vm1"],
        ["vm", "vm2"],
    ]
    assert not site.host.tables.get("nodelist")


def test_what_is_written_describes_the_machine_so_that_chvm_finds_nothing_to_do(site):
    site.made(
        "vm1",
        memory="3g",
        cpus="2:4",
        storage="data1:2g|data1:512m",
        bootorder="hd,net",
        nicmodel="e1000",
        nics=f"{site.network}:eth0:yes|{site.network}:eth1",
        virtflags="placement_affinity=user_migratable",
    )
    for table in ("vm", "mac"):
        site.host.tables[table] = []
    site.hypervisor("rhevh1")
    site.ok("rscan -w", ["rhevh1"])
    row = site.row_of("vm1")
    assert (row["memory"], row["cpus"], row["bootorder"], row["nicmodel"]) == ("3g", "2:4", "hd,network", "e1000")
    assert row["storage"] == "data1:2g:system|data1:512m:data"
    assert site.host.row("nodehm", "vm1")["mgt"] == "rhevm"
    assert site.host.row("hypervisor", "rhevh2")["mgr"] == site.manager
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_new_and_known_are_told_apart(site):
    site.made("vm1", "vm2")
    site.row("nodelist", "vm1", groups="all")
    site.ok("rscan -u", ["vm1"])
    assert site.host.row("nodehm", "vm1") and not site.host.row("nodehm", "vm2")
    site.ok("rscan -n", ["vm1"])
    assert site.host.row("nodehm", "vm2") and site.host.row("nodelist", "vm2")["groups"] == "vm,all"
    assert site.host.row("nodelist", "vm1")["groups"] == "all"


def test_a_node_of_another_manager_is_left_alone_and_said(site):
    site.made("vm1", "vm2")
    site.row("nodelist", "vm2", groups="all")
    site.row("vm", "vm2", mgr="other.example.com")
    said = site.say("rscan -w", ["vm1"])
    assert Error("belongs to other.example.com and is not changed", "vm2") in said
    assert site.host.row("vm", "vm2")["mgr"] == "other.example.com"


def test_a_name_that_no_node_can_have_is_said(site):
    site.made("vm1")
    site.world.rename(site.thing("vm", "vm1"), "my vm") if hasattr(site.world, "rename") else site.world.change(
        site.thing("vm", "vm1"), name="my vm"
    )
    said = site.say("rscan -w", ["vm1"])
    assert Warned("'my vm' is a name that no node can have") in said
    assert not site.host.row("nodehm", "my vm")


def test_stanzas_and_xml(site):
    site.made("vm1", memory="1g")
    stanza = site.ok("rscan -z", ["vm1"])
    at = stanza.index("vm1:")
    assert stanza[at + 1] == "  objtype=node" and "  vmmemory=1g" in stanza[at:]
    xml = "\n".join(site.ok("rscan -x", ["vm1"]))
    assert "<node>vm1</node>" in xml and "<vmmemory>1g</vmmemory>" in xml
    assert site.wrong("rscan -x -z", ["vm1"])


# getcons -------------------------------------------------------------------------------------------------------------


@only(*MODERN)
def test_the_serial_console_is_reached_through_the_managers_proxy(site):
    site.running("vm1", othersettings="console:yes")
    said = {message.desc: message.text for message in site.say("getcons text", ["vm1"])}
    assert (said["sshhost"], said["sshport"], said["vmid"]) == ("127.0.0.1", "2222", site.vm("vm1")["id"])
    assert said["command"] == f"ssh -t -p 2222 ovirt-vmconsole@127.0.0.1 connect --vm-id={site.vm('vm1')['id']}"
    site.made("vm2")
    assert "has no console. Run: rpower vm2 on" in site.wrong("getcons", ["vm2"])[0]
    site.ok("rpower on", ["vm2"])
    assert "its serial console is off. Add console:yes" in site.wrong("getcons", ["vm2"])[0]
    assert "getcons does not know 'video'" in site.wrong("getcons video", ["vm1"])[0]


@only((3, 0))
def test_an_old_manager_has_no_serial_consoles(site):
    site.running("vm1")
    assert site.wrong("getcons", ["vm1"]) == ["vm1: the manager is 3.0; serial consoles came with 3.6"]


def test_the_console_script_connects_with_what_getcons_says(tmp_path):
    client, ssh = tmp_path / "xcatclient", tmp_path / "ssh"
    client.write_text(
        '#!/bin/sh\nfor pair in "sshhost: mgr" "sshport: 2222" "sshuser: me" "vmid: id1"; do\n'
        '  echo "$1: $pair"\ndone\n'
    )
    ssh.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    for script in (client, ssh):
        script.chmod(0o755)
    environment = {**os.environ, "XCAT_CLIENT": str(client), "XCAT_SSH": str(ssh), "XCAT_CONS_ONCE": "1"}
    script = Path(__file__).parents[2] / "share" / "cons" / "rhevm"
    done = subprocess.run([script, "vm1"], env=environment, timeout=300, check=False)
    assert done.returncode == 0
    assert (tmp_path / "called").read_text() == "-t -p 2222 -- me@mgr connect --vm-id=id1\n"
