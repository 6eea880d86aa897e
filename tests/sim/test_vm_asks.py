"""What users of other tools asked for and did not get: each test is named after the complaint."""

from __future__ import annotations

import threading

import pytest

from vmsite import MODERN, each_version
from xcat_rhev.abort import Abort
from xcat_rhev.errors import Aborted
from xcat_rhev.messages import Data, Error

GIB = 1 << 30


site = each_version()
modern = each_version(MODERN)


def test_ask_01_a_disk_is_attached_though_the_machine_comes_from_a_template_and_is_locked(site):
    site.made("vm1", storage="data1:1g")
    site.ok("clonevm -t web", ["vm1"])
    site.nodes("vm2", "vm3", master="web", storage="data1:1g:system|data1:2g:data")
    assert sorted(site.ok("mkvm", ["vm2", "vm3"])) == ["vm2: Succeeded", "vm3: Succeeded"]
    assert [len(site.parts("disk", node)) for node in ("vm2", "vm3")] == [2, 2]


def test_ask_02_a_machine_can_be_started_as_soon_as_it_was_made(site):
    site.node("vm1", storage="data1:1g|data1:1g")
    site.ok("mkvm", ["vm1"])
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_ask_02_a_locked_machine_is_waited_for(site):
    site.node("vm1", storage="data1:1g")
    site.ok("mkvm --nowait", ["vm1"])
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_ask_03_down_is_not_enough_while_a_disk_is_locked(site):
    site.node("vm1", storage="data1:1g")
    site.ok("mkvm", ["vm1"])
    assert {disk["status"] for disk in site.parts("disk", "vm1")} == {"ok"}


def test_ask_04_related_operations_in_progress_are_waited_for(site):
    site.node("vm1", storage="data1:1g")
    site.faults([{"do": "status", "status": 409, "method": "POST", "path": "/vms/*/nics", "times": 3}])
    said = site.say("mkvm", ["vm1"])
    assert said == [Data("Succeeded", "vm1")]


def test_ask_06_a_slow_copy_is_told_from_a_failed_one(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "template.create"}])
    (error,) = site.wrong("clonevm -t web --timeout 60", ["vm1"])
    assert "web is still locked after 60 s" in error
    assert "The manager goes on working" in error


def _passing(site, name, states):
    """Let a machine show these states one after the other, one for each time that somebody waits."""
    vm, usual, left = site.vm(name), site.clock.sleep, list(states)

    def sleep(seconds):
        usual(seconds)
        with site.world.lock:
            site.world.change(vm, status=left.pop(0) if len(left) > 1 else left[0])

    site.clock.sleep = sleep


def test_ask_07_a_bad_state_is_forgiven_for_a_moment(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "vm.start"}])
    _passing(site, "vm1", ["down", "down", "wait_for_launch", "powering_up"])
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_ask_07_and_not_for_longer(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "vm.start"}])
    site.world.event(119, "error", "VM vm1 is down with error. No space.", vm=site.vm("vm1")["id"])
    _passing(site, "vm1", ["down"])
    assert site.wrong("rpower on", ["vm1"]) == ["vm1: VM vm1 is down: VM vm1 is down with error. No space."]
    assert site.clock.now() < 60, "not only after the limit"


def test_ask_08_a_hypervisor_in_maintenance_goes_back_there_and_not_to_up(site):
    site.hypervisor("rhevh2")
    host = site.thing("host", "rhevh2")
    site.world.change(host, pm_enabled=True)
    site.world.add("agent", type="ipmilan", address="10.1.1.1", username="u", options=[], order=1, host=host["id"])
    site.ok("chhypervisor -d", ["rhevh2"])
    assert site.ok("rpower reset", ["rhevh2"]) == ["rhevh2: reset"]
    site.world.settle()
    assert site.thing("host", "rhevh2")["status"] == "maintenance"


def test_ask_09_every_state_that_a_command_can_end_in_ends_it(site):
    """A machine without a guest agent stays in powering_up for a minute: it is on."""
    site.made("vm1")
    began = site.clock.now()
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]
    assert site.vm("vm1")["status"] in ("powering_up", "up") and site.clock.now() - began < 30
    site.clock.advance(60)
    for state in ("paused", "migrating", "reboot_in_progress"):
        site.world.change(site.vm("vm1"), status=state)
        assert site.ok("rpower off", ["vm1"]) == ["vm1: off"]
        site.ok("rpower on", ["vm1"])


def test_ask_10_off_means_off_and_on_at_once_works(site):
    site.running("vm1")
    assert site.ok("rpower off", ["vm1"]) == ["vm1: off"]
    assert site.vm("vm1")["status"] == "down"
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]
    assert site.ok("rmvm -fp", ["vm1"]) == ["vm1: succeeded."]
    assert (site.count("vm", "vm1"), site.count("disk", "vm1_Disk1")) == (0, 0)


def test_ask_11_an_answer_without_a_state_is_no_crash(site):
    site.node("vm1", storage="data1:1g")
    site.faults([{"do": "no-status", "method": "GET", "path": "/vms*", "after": 1, "times": 2}])
    assert site.ok("mkvm", ["vm1"]) == ["vm1: Succeeded"]


def test_ask_12_many_machines_at_once_and_one_failure_is_its_own(site):
    nodes = site.nodes(*(f"vm{number}" for number in range(20)), storage="data1:1g")
    site.faults([{"do": "status", "status": 500, "method": "POST", "path": "/vms", "body": "<name>vm7<"}])
    said = site.say("mkvm", nodes)
    assert [message.node for message in said if isinstance(message, Error)] == ["vm7"]
    assert sorted(message.node for message in said if message.text == "Succeeded") == sorted(set(nodes) - {"vm7"})


def test_ask_16_the_exit_code_says_that_it_is_done(site):
    site.running("vm1")
    site.faults([{"do": "fail", "state": "vm.suspend", "text": "Failed to hibernate VM vm1."}])
    (error,) = site.wrong("rpower suspend --timeout 30", ["vm1"])
    assert "vm1 is still up after 30 s, wanted suspended" in error


def test_ask_17_an_error_names_the_node_the_thing_and_the_next_step(site):
    site.node("vm1")
    for command in ("rpower on", "lsvm", "chvm", "rsetboot hd -p", "rmigrate rhevh1", "getrvidparms", "rinv"):
        (error,) = site.wrong(command, ["vm1"])
        assert error.startswith("vm1: ") and "mkvm vm1" in error


def test_ask_18_a_mistake_of_ours_is_one_line_for_each_node(site, monkeypatch):
    site.made("vm1", "vm2")

    def broken(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("xcat_rhev.commands.lsvm.of_vm", broken)
    errors = site.wrong("lsvm", ["vm1", "vm2"])
    assert all("because of a mistake in" in error and "Traceback" not in error for error in errors)


@pytest.mark.parametrize(
    ("table", "columns", "attribute"),
    [
        ("vm", {"mgr": ""}, "vm.mgr"),
        ("vm", {"memory": "much"}, "vm.memory"),
        ("vm", {"cpus": "0"}, "vm.cpus"),
        ("vm", {"storage": "nowhere:1g"}, "vm.storage"),
        ("vm", {"nics": "nowhere:eth0"}, "vm.nics"),
        ("vm", {"host": "nowhere"}, "vm.host"),
        ("vm", {"cluster": "nowhere"}, "vm.cluster"),
        ("vm", {"master": "nothing"}, "vm.master"),
        ("vm", {"bootorder": "floppy"}, "vm.bootorder"),
        ("vm", {"nicmodel": "ne2000"}, "vm.nicmodel"),
        ("vm", {"storagemodel": "floppy"}, "vm.storagemodel"),
        ("vm", {"virtflags": "placement_affinity=never"}, "vm.virtflags"),
        ("vm", {"vidproto": "vga"}, "vm.vidproto"),
        ("vm", {"othersettings": "color:red"}, "vm.othersettings"),
        ("mac", {"mac": "12:34"}, "mac.mac"),
    ],
)
def test_ask_19_wrong_table_data_is_answered_with_the_attribute_to_set(site, table, columns, attribute):
    site.node("vm1", storage="data1:1g")
    site.row(table, "vm1", **columns)
    (error,) = site.wrong("mkvm", ["vm1"])
    assert error.startswith("vm1: ") and attribute in error
    assert site.count("vm", "vm1") == 0


def test_ask_20_a_failure_is_told_in_the_managers_own_words(site):
    site.running("vm1")
    site.faults([{"do": "fail", "state": "vm.migrate", "text": "Migration failed: no room on rhevh2."}])
    other = next(host for host in ("rhevh1", "rhevh2", "rhevh3") if host != site.host_of("vm1"))
    (error,) = site.wrong(f"rmigrate {other}", ["vm1"])
    assert error.startswith(f"vm1: failed to migrate to {other}.") and "Migration failed: no room on rhevh2." in error


def test_ask_21_the_second_run_changes_nothing(site):
    site.made("vm1", memory="1g", othersettings="ha:yes;tags:web", storage="data1:1g|data1:2g")
    for command in ("mkvm", "chvm", "chvm"):
        assert "nothing to do" in site.ok(command, ["vm1"])[0]


def test_ask_22_a_machine_from_a_template_is_changed(site):
    site.made("vm1")
    site.ok("clonevm -t web", ["vm1"])
    site.node("vm2", master="web")
    site.ok("mkvm", ["vm2"])
    site.node("vm2", master="web", memory="3g")
    trace = site.ok("chvm -V", ["vm2"])
    assert site.vm("vm2")["memory"] == 3 * GIB
    assert not any("<template" in line for line in trace if line.startswith("PUT"))


def test_ask_23_making_and_changing_leave_the_power_alone(site):
    site.made("vm1")
    assert site.vm("vm1")["status"] == "down"
    site.node("vm1", memory="3g")
    site.ok("chvm", ["vm1"])
    assert site.vm("vm1")["status"] == "down"


@pytest.mark.parametrize(("name", "other"), [("Test", "Test2"), ("node_1", "nodeX1"), ("web", "WEB"), ("or", "and")])
def test_ask_24_names_are_exact(site, name, other):
    site.node(other)
    site.ok("mkvm", [other])
    site.node(name)
    assert site.wrong("rpower stat", [name])
    site.ok("mkvm", [name])
    assert site.ok("rpower stat", [name, other]) == [f"{name}: off", f"{other}: off"]
    site.ok("rmvm -p", [name])
    assert site.count("vm", other) == 1


@pytest.mark.parametrize("command", ["rpower on", "mkvm", "rmvm -p", "chvm", "rsetboot net", "lsvm"])
def test_ask_24_several_hits_are_an_error_and_the_other_nodes_go_on(site, command):
    site.made("vm1", "vm2")
    site.faults([{"do": "duplicate", "name": "vm1"}])
    said = site.say(command, ["vm1", "vm2"])
    (error,) = [message for message in said if isinstance(message, Error)]
    assert (error.node, "several machines named vm1" in error.text) == ("vm1", True)
    assert any(message.node == "vm2" or "vm2" in message.text for message in said)
    assert [vm["status"] for vm in site.world.by_name("vm", "vm1")] == ["down", "down"]


def test_ask_26_a_password_that_cannot_be_read_back_is_no_difference(modern):
    modern.host.set_row("passwd", {"key": "guests", "username": "root"}, {"password": "swordfish"})
    modern.made("vm1", othersettings="init:cloud-init;password:guests")
    assert modern.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_ask_27_no_secret_is_shown(modern):
    modern.host.set_row("passwd", {"key": "guests", "username": "root"}, {"password": "sentinel-guest"})
    modern.node("vm1", storage="data1:1g", vidpassword="sentinel-video", othersettings="password:guests")
    shown = []
    for command in ("mkvm -V", "chvm -V", "rpower on -V", "lsvm -V", "rinv -V", "rscan -V", "rmvm -fp -V"):
        shown += [message.text for message in modern.say(command, ["vm1"])]
    assert shown and not any("sentinel" in text or "YWRtaW" in text for text in shown)
    assert not any("secret" in text for text in shown)


def _new_xcat(site, **settings):
    """The same manager, seen by an xCAT that does not know its CA."""
    folder = site.home / "new"
    site.host.tables["site"] = [
        {"key": "xcatconfdir", "value": str(folder)},
        *({"key": key, "value": value} for key, value in settings.items()),
    ]
    return folder / "rhevm" / site.manager.replace(":", "_") / "ca.crt"


def test_ask_28_the_ca_is_fetched_named_or_the_systems_and_never_silently_left_out(site, tmp_path):
    site.made("vm1")
    named = site.host.site("rhevmca")
    _new_xcat(site, rhevmca="system")
    (error,) = site.wrong("rpower stat", ["vm1"])
    assert "certificate" in error and site.manager in error
    (tmp_path / "wrong.crt").write_text("<html>not found</html>")
    _new_xcat(site, rhevmca=str(tmp_path / "wrong.crt"))
    (error,) = site.wrong("rpower stat", ["vm1"])
    assert f"{tmp_path / 'wrong.crt'} holds no CA certificate" in error
    for settings in ({"rhevmca": named}, {"rhevminsecure": site.manager}, {}):
        _new_xcat(site, **settings)
        assert "vm1: off" in site.ok("rpower stat", ["vm1"])


def test_ask_29_what_is_fetched_is_a_ca_is_shown_and_is_never_replaced(site):
    site.made("vm1")
    file = _new_xcat(site)
    said = [message.text for message in site.say("rpower stat", ["vm1"])]
    assert said[0].startswith(f"manager {site.manager}: its CA is now kept in {file}, SHA-256 ") and said[1:] == ["off"]
    assert file.read_text().startswith("-----BEGIN CERTIFICATE-----")
    other = "-----BEGIN CERTIFICATE-----\nsomebody else's\n-----END CERTIFICATE-----\n"
    file.write_text(other)
    site.managers.close()
    assert site.wrong("rpower stat", ["vm1"])
    assert file.read_text() == other


def test_ask_30_another_certificate_is_told_in_one_line_that_names_the_file(site, tmp_path):
    from xcat_rhev.sim.certs import make

    site.made("vm1")
    (tmp_path / "other").mkdir()
    foreign = make(tmp_path / "other", ["127.0.0.1"]).ca
    _new_xcat(site, rhevmca=str(foreign))
    (error,) = site.wrong("rpower stat", ["vm1"])
    assert error.startswith("vm1: ") and "certificate" in error and str(foreign) in error
    assert "Traceback" not in error and "_ssl.c" not in error


@pytest.mark.parametrize(
    ("command", "most"),
    [
        ("rpower stat", 2),
        ("lsvm", 6),
        ("lsvm -s", 6),
        ("rinv", 7),
        ("rpower off", 2),
        ("rsetboot stat", 2),
        ("chvm", 6),
        ("mkvm", 5),
    ],
)
def test_ask_32_many_machines_cost_lists_and_no_request_each(site, command, most):
    nodes = site.made(*(f"vm{number}" for number in range(12)))
    assert sum(site.cost(command, nodes).values()) <= most
    assert site.front.counts.report()["connections"] <= 8 + 1


def test_ask_33_a_session_that_was_forgotten_is_renewed_in_the_middle(site):
    nodes = site.nodes("vm1", "vm2", "vm3", storage="data1:1g")
    site.faults([{"do": "expire", "after": 5, "times": 2}])
    assert sorted(site.ok("mkvm", nodes)) == [f"{node}: Succeeded" for node in nodes]


def test_ask_34_a_dead_manager_is_an_error_of_each_of_its_nodes_and_the_others_go_on(site):
    site.made("vm1")
    site.row("vm", "lost1", mgr="127.0.0.1:9")
    site.row("vm", "lost2", mgr="127.0.0.1:9")
    said = site.say("rpower stat", ["lost1", "vm1", "lost2"])
    assert Data("off", "vm1") in said
    assert sorted(message.node for message in said if isinstance(message, Error)) == ["lost1", "lost2"]


# what happens at the same time ---------------------------------------------------------------------------------------


def test_two_who_make_the_same_machine_make_it_once(site):
    site.node("vm1", storage="data1:1g|data1:1g")
    said = []
    both = [threading.Thread(target=lambda: said.extend(site.say("mkvm", ["vm1"]))) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join(300)
    assert site.count("vm", "vm1") == 1
    assert Data("Succeeded", "vm1") in said
    for message in said:
        assert not isinstance(message, Error) or "vm1" in message.text or message.node == "vm1"
    site.say("mkvm", ["vm1"])
    assert (len(site.parts("nic", "vm1")), site.count("vm", "vm1")) == (1, 1)


def test_a_machine_that_is_removed_meanwhile_is_told(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "vm.start"}])
    site.ok("rpower on --nowait", ["vm1"])
    site.mend()
    vm = site.vm("vm1")
    site.world.remove(vm)
    assert site.wrong("rpower off", ["vm1"])[0].startswith("vm1: node was not defined in the rhevm.")


def test_a_machine_that_is_gone_between_finding_and_waiting_is_told(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "vm.start"}])
    world, clock = site.world, site.clock
    usual = clock.sleep

    def sleep(seconds):
        usual(seconds)
        with world.lock:
            for vm in world.by_name("vm", "vm1"):
                world.remove(vm)

    clock.sleep = sleep
    (error,) = site.wrong("rpower on", ["vm1"])
    assert "gone" in error


def test_one_who_goes_away_stops_the_command(site):
    site.made("vm1")
    gone = Abort()
    site.faults([{"do": "never", "state": "vm.start"}])
    usual = site.clock.sleep

    def sleep(seconds):
        usual(seconds)
        gone.set()

    site.clock.sleep = sleep
    with pytest.raises(Aborted):
        site.say("rpower on", ["vm1"], aborted=gone)
