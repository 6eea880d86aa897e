"""chvm and rsetboot on machines that run: what was asked for last is there after the next start, all of it."""

from __future__ import annotations

import pytest

from vmsite import MODERN, each_version

GIB = 1 << 30
NOTHING = ["vm1: nothing to do"]
DONE = ["vm1: change vm completed."]
LATER = ["vm1: change vm completed. It takes effect at the next start"]

#: 3.5 and 4.0 forget what waits even when they are asked for the next run.
site = each_version(((3, 5), (3, 6), (4, 0), (4, 5)), strict=False)
newest = each_version(((4, 5),))
modern = each_version(MODERN)


def off(site, name="vm1"):
    site.ok("rpower off", [name])
    return site.vm(name)


def test_changes_that_wait_add_up(site):
    site.running("vm1", bootorder="net", cpus="1:1")
    site.ok("rsetboot cd -p", ["vm1"])
    assert site.ok("chvm --cpus 2:2", ["vm1"]) == LATER
    site.node("vm1", bootorder="cd", vidproto="spice", othersettings="stateless:yes;description:kept")
    assert site.ok("chvm", ["vm1"]) == LATER
    assert site.ok("chvm", ["vm1"]) == NOTHING
    vm = off(site)
    assert (vm["boot"], vm["sockets"], vm["cores"], vm["display_type"]) == (["cdrom"], 2, 2, "spice")
    assert (vm["stateless"], vm["description"]) == (True, "kept")
    assert site.ok("chvm", ["vm1"]) == NOTHING


def test_devices_that_wait_are_kept_by_later_changes(site):
    site.running("vm1", vidproto="vnc", bootorder="net", memory="2g", cpus="1")
    site.node("vm1", vidproto="spice", othersettings="console:yes")
    assert site.ok("chvm", ["vm1"]) == LATER
    site.ok("rsetboot hd -p", ["vm1"])
    assert site.ok("chvm --mem 1g", ["vm1"]) == LATER
    site.node("vm1", othersettings="console:yes;description:new")
    site.ok("chvm", ["vm1"])
    vm = off(site)
    assert (vm["display_type"], vm["console_enabled"], vm["boot"]) == ("spice", True, ["hd"])
    assert (vm["memory"], vm["description"]) == (GIB, "new")
    assert site.ok("chvm", ["vm1"]) == NOTHING


@pytest.mark.parametrize("typed", ["chvm --cpus 1:4", "chvm", "rsetboot hd -p"])
@pytest.mark.parametrize("passed", [0, 0.6], ids=["powering up", "hardly up"])
def test_what_is_asked_of_a_machine_on_its_first_way_up_is_kept(site, typed, passed):
    site.made("vm1", bootorder="net", cpus="1:1")
    site.ok("rpower on", ["vm1"])
    site.clock.advance(passed)
    if typed == "chvm":
        site.node("vm1", bootorder="net", cpus="1:4", othersettings="description:new")
    site.ok(typed, ["vm1"])
    site.clock.advance(60)
    site.ok("chvm --mem 1g", ["vm1"])
    vm = off(site)
    assert vm["memory"] == GIB
    assert vm["boot"] == ["hd"] if "rsetboot" in typed else vm["cores"] == 4


def test_off_means_that_what_waited_is_there(modern):
    modern.running("vm1", bootorder="net")
    modern.ok("rsetboot hd -p", ["vm1"])
    modern.ok("rpower off", ["vm1"])
    assert modern.world.by_name("vm", "vm1")[0]["boot"] == ["hd"]


@pytest.mark.parametrize("typed", ["rpower off", "rpower cycle"])
def test_off_means_so_on_a_busy_engine_too(modern, monkeypatch, typed):
    monkeypatch.setitem(modern.world.paths, "vm.write", (("down", 60), ("down", 0)))
    modern.running("vm1", bootorder="net")
    modern.ok("rsetboot hd -p", ["vm1"])
    modern.ok(typed, ["vm1"])
    assert modern.world.by_name("vm", "vm1")[0]["boot"] == ["hd"]


@pytest.mark.parametrize("typed, boot", [("rsetboot cd -p", ["cdrom"]), ("rpower on", ["hd"]), ("chvm", ["cdrom"])])
def test_what_waited_is_there_before_a_machine_that_went_off_by_itself_is_touched(modern, typed, boot):
    modern.running("vm1", bootorder="net")
    modern.ok("rsetboot hd -p", ["vm1"])
    modern.world.move(modern.vm("vm1"), "vm.stop", effect="vm down")
    modern.clock.advance(0.45)  # it is down, and its changes are not made
    if typed == "chvm":
        modern.node("vm1", bootorder="cd")
    modern.ok(typed, ["vm1"])
    modern.clock.advance(60)
    assert modern.vm("vm1")["boot"] == boot


def test_a_display_that_waits_is_seen(modern):
    modern.running("vm1", vidproto="vnc")
    modern.node("vm1", vidproto="spice")
    assert modern.ok("chvm", ["vm1"]) == LATER
    assert modern.ok("chvm", ["vm1"]) == NOTHING


def test_what_is_taken_at_once_leaves_what_waits(site):
    site.running("vm1", bootorder="net")
    site.ok("rsetboot hd -p", ["vm1"])
    site.node("vm1", bootorder="hd", othersettings="description:new;ha:yes")
    assert site.ok("chvm", ["vm1"]) == DONE
    assert (site.vm("vm1")["description"], site.vm("vm1")["ha_enabled"]) == ("new", True)
    assert off(site)["boot"] == ["hd"]


def test_an_asked_for_change_can_be_taken_back_before_the_next_start(site):
    site.running("vm1", bootorder="net", cpus="1:1")
    site.ok("chvm --cpus 1:4", ["vm1"])
    site.ok("rsetboot hd -p", ["vm1"])
    assert site.ok("chvm --cpus 1:1", ["vm1"]) == LATER
    vm = off(site)
    assert (vm["cores"], vm["boot"]) == (1, ["hd"])


@pytest.mark.parametrize("option, now, then", [
    ("--mem 3g", (3 * GIB, 1), (3 * GIB, 1)),
    ("--mem 1g", (2 * GIB, 1), (1 * GIB, 1)),
    ("--mem 2100m", (2 * GIB, 1), (2100 << 20, 1)),
    ("--mem 40g", (2 * GIB, 1), (40 * GIB, 1)),
    ("--cpus 4:1", (2 * GIB, 4), (2 * GIB, 4)),
    ("--mem 3g --cpus 4:1", (3 * GIB, 4), (3 * GIB, 4)),
    ("--mem 3g --cpus 4:2", (3 * GIB, 1), (3 * GIB, 4)),
])  # fmt: skip
def test_memory_and_cpus_are_plugged_or_wait(newest, option, now, then):
    newest.running("vm1", memory="2g", cpus="1:1")
    assert newest.ok(f"chvm {option}", ["vm1"]) == (DONE if now == then and "4:2" not in option else LATER)
    assert (newest.vm("vm1")["memory"], newest.vm("vm1")["sockets"]) == now
    assert newest.ok("chvm", ["vm1"]) == NOTHING
    vm = off(newest)
    assert (vm["memory"], vm["sockets"]) == then
    assert newest.ok("chvm", ["vm1"]) == NOTHING


def test_fewer_cpus_and_less_memory_wait(newest):
    newest.running("vm1", memory="4g", cpus="4:1")
    assert newest.ok("chvm --cpus 1", ["vm1"]) == LATER
    assert newest.ok("chvm --mem 1g", ["vm1"]) == LATER
    newest.node("vm1", othersettings="description:still taken")
    assert newest.ok("chvm", ["vm1"]) == DONE
    vm = off(newest)
    assert (vm["memory"], vm["sockets"], vm["description"]) == (GIB, 1, "still taken")


def test_what_cannot_be_plugged_now_waits(newest):
    newest.running("vm1", memory="2g", cpus="1:1", bootorder="net")
    newest.world.change(newest.vm("vm1"), status="paused")
    assert newest.ok("chvm --mem 4g --cpus 2", ["vm1"]) == LATER
    vm = off(newest)
    assert (vm["memory"], vm["sockets"]) == (4 * GIB, 2)


def test_a_change_that_the_engine_only_says_it_made_is_an_error(site):
    site.made("vm1", bootorder="net")
    site.node("vm1", bootorder="hd", memory="4g")
    site.faults([{"do": "deaf", "method": "PUT", "path": "/vms/*"}])
    (error,) = site.wrong("chvm", ["vm1"])
    site.mend()
    assert error.startswith("vm1: change vm failed. the manager says that it is done, but the ")
    assert "boot is network, not hd" in error and "memory is 2 GiB, not 4 GiB" in error
    assert site.ok("chvm", ["vm1"]) == DONE


def test_a_running_machine_whose_change_the_engine_forgets(modern):
    modern.running("vm1", bootorder="net")
    modern.faults([{"do": "deaf", "method": "PUT", "path": "/vms/*"}])
    (error,) = modern.wrong("rsetboot hd -p", ["vm1"])
    modern.mend()
    assert "boot is network, not hd" in error
    assert modern.ok("rsetboot hd -p", ["vm1"]) == ["vm1: set boot order completed.", "vm1: Hard Drive"]
    assert off(modern)["boot"] == ["hd"]
