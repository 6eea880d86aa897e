"""Two commands at once on the same machine, and somebody in the manager's own pages: nothing double, nothing lost."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from vesim import only
from vmsite import each_version
from xcat_rhev.engine.manager import Manager
from xcat_rhev.messages import Data, Error
from xcat_rhev.xcat.host import Request

GIB = 1 << 30
BUSY = "is at work on it. Run this again when it has ended"


site = each_version()


def at_once(site, *lines, nodes=("vm1",)):
    """Type commands at the same time; what each said."""
    said = [[] for _ in lines]
    gate = threading.Barrier(len(lines))

    def type_it(number):
        gate.wait(300)
        said[number] += site.say(lines[number], list(nodes))

    typing = [threading.Thread(target=type_it, args=(number,)) for number in range(len(lines))]
    for each in typing:
        each.start()
    for each in typing:
        each.join(300)
    assert all(said)
    return said


def meanwhile(site, do):
    """Let something happen the first time that a command waits."""
    usual, left = site.clock.sleep, [do]

    def sleep(seconds):
        usual(seconds)
        if left:
            left.pop()()

    site.clock.sleep = sleep


@pytest.mark.parametrize("line", ["mkvm", "chvm", "chvm --mem 3g", "rmvm -p", "clonevm -t web"])
def test_the_same_command_twice_at_once(site, line):
    site.made("vm1")
    site.node("vm1", storage="data1:1g|data1:2g", memory="3g")
    for said in at_once(site, line, line):
        for message in said:
            assert not isinstance(message, Error) or message.node == "vm1" and BUSY in message.text
    site.say(line, ["vm1"])
    if line.startswith("rmvm"):
        assert (site.count("vm", "vm1"), len(site.world.all("disk"))) == (0, 0)
    elif line in ("mkvm", "chvm"):
        assert [disk["size"] for disk in site.parts("disk", "vm1")] == [GIB, 2 * GIB]
    assert site.count("template", "web") == ("web" in line)


def test_a_machine_is_made_by_one_of_many(site):
    nodes = site.nodes("vm1", "vm2", "vm3", storage="data1:1g|data1:1g")
    at_once(site, *["mkvm"] * 5, nodes=nodes)
    for node in nodes:
        assert (site.count("vm", node), len(site.parts("disk", node)), len(site.parts("nic", node))) == (1, 2, 1)


def test_the_second_command_names_the_first_and_works_when_that_has_ended(site):
    site.made("vm1", "vm2")
    site.node("vm1", storage="data1:1g|data1:1g")
    second = []
    meanwhile(site, lambda: second.extend(site.say("rmvm -p", ["vm1", "vm2"])))
    site.ok("chvm", ["vm1"])
    assert Error(f"another chvm {BUSY}", "vm1") in second and Data("succeeded.", "vm2") in second
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]


def test_a_machine_is_free_when_it_is_done_though_others_are_not(site):
    site.node("vm1", storage="data1:1g")
    site.node("vm2", storage="data1:1g")
    site.faults([{"do": "never", "state": "disk.create", "name": "vm2*"}])
    second = []
    done = iter(site.dispatcher.run(Request("mkvm", ("vm1", "vm2"), ("--timeout", "900")), site.host))
    for message in done:
        if message == Data("Succeeded", "vm1"):
            second += site.say("chvm --mem 3g --dry-run", ["vm1", "vm2"])
    assert next(message.text for message in second if message.node == "vm1") == "change memory"
    assert [message.text for message in second if message.node == "vm2"] == [f"another mkvm {BUSY}"]


def test_a_machine_is_free_when_it_failed_or_had_nothing_to_be_done(site):
    site.made("vm1")
    site.node("vm2", storage="nowhere:1g")
    site.node("vm3", storage="data1:1g")
    second = []
    meanwhile(site, lambda: second.extend(site.say("rmvm --dry-run", ["vm1", "vm2"])))
    site.say("mkvm", ["vm1", "vm2", "vm3"])
    assert second and not any(BUSY in message.text for message in second), second


@only((4, 5))
def test_a_command_of_another_process_is_not_disturbed_either(site):
    site.made("vm1", "vm2")
    folder = site.home / "rhevm" / site.manager.replace(":", "_")
    taking = (
        f"from pathlib import Path; from xcat_rhev.run.nodelocks import NodeLocks; held = NodeLocks(); "
        f"print(held.take(Path({str(folder)!r}), ['vm1'], 'chvm'), flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", taking], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"{}\n"
        assert site.say("rmvm -p", ["vm1", "vm2"]) == [
            Error(f"another command {BUSY}", "vm1"),
            Data("succeeded.", "vm2"),
        ]
        other.kill()
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]


def test_a_command_that_ended_badly_leaves_its_nodes_free(site, monkeypatch):
    site.node("vm1")
    monkeypatch.setattr("xcat_rhev.commands.vm.batch.survey", lambda *_, **__: 1 / 0)
    assert "because of a mistake in xcat-rhev" in site.wrong("mkvm", ["vm1"])[0]
    monkeypatch.undo()
    assert site.ok("mkvm", ["vm1"])[-1] == "vm1: Succeeded"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("rpower on", "rpower on"),
        ("rpower off", "rpower off"),
        ("rpower on", "rpower stat"),
        ("rpower reset", "rpower stat"),
    ],
)
def test_power_at_once(site, one, other):
    site.made("vm1") if one.endswith("on") else site.running("vm1")
    for said in at_once(site, one, other):
        assert not any(isinstance(message, Error) for message in said) or said[0].node == "vm1"
    site.clock.advance(60)
    assert site.ok("rpower stat", ["vm1"]) == [f"vm1: {'off' if one.endswith('off') else 'on'}"]


def test_power_is_not_held_up_by_a_command_that_waits_for_a_guest(site):
    site.running("vm1")
    site.faults([{"do": "never", "state": "vm.shutdown"}])
    second = []
    meanwhile(site, lambda: (site.mend(), second.extend(site.say("rpower off", ["vm1"]))))
    assert site.ok("rpower softoff", ["vm1"]) == ["vm1: softoff"]
    assert Data("off", "vm1") in second


# somebody in the web pages --------------------------------------------------------------------------------------------


def test_somebody_starts_it_while_it_is_being_started(site):
    site.made("vm1")
    site.faults([{"do": "never", "state": "vm.start"}])
    meanwhile(site, lambda: site.world.change(site.vm("vm1"), status="up"))
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_somebody_starts_it_while_it_is_waited_for(site):
    site.running("vm1")
    site.ok("rpower off --nowait", ["vm1"])
    vm = site.vm("vm1")
    meanwhile(site, lambda: site.world.change(vm, status="up", turn=vm["turn"] + 1))
    assert site.ok("rpower on", ["vm1"]) == ["vm1: on"]


def test_somebody_adds_a_disk_while_ours_is_added(site):
    site.made("vm1", storage="data1:1g")
    site.node("vm1", storage="data1:1g|data1:2g")
    disk = site.parts("disk", "vm1")[0]
    theirs = {key: value for key, value in disk.items() if key not in ("id", "kind", "v", "turn")}
    meanwhile(site, lambda: site.world.add("disk", **{**theirs, "name": "theirs", "bootable": False, "size": 7 * GIB}))
    site.ok("chvm", ["vm1"])
    assert sorted(disk["size"] for disk in site.parts("disk", "vm1")) == [GIB, 2 * GIB, 7 * GIB]
    assert site.ok("chvm", ["vm1"]) == ["vm1: nothing to do"]


def test_somebody_changes_what_nobody_names(site):
    site.made("vm1", memory="1g")
    site.world.change(site.vm("vm1"), description="mine", memory=2 * GIB)
    site.node("vm1", memory="3g")
    site.ok("chvm", ["vm1"])
    assert (site.vm("vm1")["description"], site.vm("vm1")["memory"]) == ("mine", 3 * GIB)


def test_somebody_removes_it_while_a_disk_is_added(site):
    site.made("vm1", storage="data1:1g")
    site.node("vm1", storage="data1:1g|data1:2g")
    meanwhile(site, lambda: site.world.remove(site.vm("vm1")))
    (error,) = site.wrong("chvm", ["vm1"])
    assert error.startswith("vm1: ") and ("gone" in error or "no " in error)


def test_somebody_removes_it_first(site):
    """An earlier rmvm, say, whose manager went away before it had its answer."""
    site.made("vm1")
    site.world.change(site.vm("vm1"), status="image_locked")

    def with_its_disks():
        for disk in site.parts("disk", "vm1"):
            site.world.remove(disk)
        site.world.remove(site.vm("vm1"))

    meanwhile(site, with_its_disks)
    assert site.ok("rmvm -p", ["vm1"]) == ["vm1: succeeded."]


def test_somebody_moves_it_first(site):
    site.running("vm1")
    there = next(host for host in ("rhevh1", "rhevh2", "rhevh3") if host != site.host_of("vm1"))
    site.world.change(site.vm("vm1"), host=site.thing("host", there)["id"])
    assert "Guest is already on host" in site.ok(f"rmigrate {there}", ["vm1"])[0]


@pytest.mark.parametrize(("word", "before", "meant"), [("off", "up", "down"), ("on", "down", "up")])
def test_somebody_does_it_between_our_look_and_our_request(site, monkeypatch, word, before, meant):
    site.made("vm1") if before == "down" else site.running("vm1")
    usual = Manager.act

    def late(manager, vm, *words, **params):
        site.world.change(site.vm("vm1"), status=meant)
        return usual(manager, vm, *words, **params)

    monkeypatch.setattr(Manager, "act", late)
    assert site.ok(f"rpower {word}", ["vm1"]) == [f"vm1: {word}"]
