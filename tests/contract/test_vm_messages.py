"""The texts of rhevm.pm that people's scripts look for: where it worked, they stay, as data of their node."""

from __future__ import annotations

import pytest

from vesim import only
from vmsite import each_version
from xcat_rhev.messages import Warn

#: What is there first, the command, and how its line begins.
MESSAGES = [
    ("row", "mkvm", "Succeeded"),
    ("off", "mkvm", "virtual machine has been created."),
    ("none", "mkvm", "has NOT entry in vm table."),
    ("nohost", "mkvm", "Cannot find nowhere in the rhevm."),
    ("nodomain", "mkvm", "Could not get the storage domain nowhere."),
    ("nonetwork", "mkvm", "Could not get the network nowhere."),
    ("noroom", "mkvm", "create virtual machine failed."),
    ("nospace", "mkvm", "Add disk failed for virtual machine."),
    ("running", "rpower reset --timeout 5", 'failed to waiting the vm gets to "down" state.'),
    ("refused", "chvm", "change vm failed."),
    ("stuck", "rmigrate rhevh2", "failed to migrate to rhevh2."),
    ("none", "chvm", "has NOT entry in vm table."),
    ("row", "chvm", "virtual machine was not created."),
    ("nohostnow", "chvm", "Cannot find nowhere in the rhevm."),
    ("changed", "chvm", "change vm completed."),
    ("off", "rmvm -p", "succeeded."),
    ("row", "rmvm", "node was not defined in the rhevm."),
    ("row", "rpower stat", "node was not defined in the rhevm."),
    ("row", "rsetboot stat", "node was not defined in the rhevm."),
    ("row", "rmigrate rhevh1", "node was not defined in the rhevm."),
    ("row", "clonevm -t web", "node was not defined in the rhevm."),
    ("off", "clonevm -t web", "web: ok."),
    ("on", "clonevm -t web", "vm needs to be shutdown to run the clone."),
    ("off", "rsetboot network -p", "set boot order completed."),
    ("off", "rsetboot hd", "set boot order completed."),
    ("off", "rsetboot floppy", "'floppy' is not a boot order. Supported boot device: net"),
    ("off", "rsetboot stat", "network,hd"),
    ("on", "rmigrate", "Needs a target host."),
    ("on", "rmigrate rhevh9", "rhevh9: host was not defined in the rhevm."),
    ("on", "rmigrate rhevh2", "migrated to rhevh2: up."),
    ("off", "rpower on", "on"),
    ("on", "rpower off", "off"),
    ("on", "rpower softoff", "softoff"),
    ("off", "rpower softoff", "softoff"),
    ("on", "rpower reset", "reset"),
    ("on", "rpower boot", "boot"),
    ("off", "rpower boot", "boot"),
    ("on", "rpower suspend", "suspended"),
    ("on", "rpower stat", "on"),
    ("off", "rpower stat", "off"),
]


def _none(site):
    site.row("hypervisor", "vm1", mgr=site.manager)


def _row(site):
    site.node("vm1")


def _off(site):
    site.made("vm1", host="rhevh1", virtflags="placement_affinity=migratable", bootorder="net,hd")


def _on(site):
    _off(site)
    site.ok("rpower on", ["vm1"])
    site.clock.advance(60)


def _changed(site):
    _off(site)
    site.node("vm1", memory="3g")


def _with(faults, prepare):
    def set_up(site):
        prepare(site)
        site.faults(faults)

    return set_up


def _nohostnow(site):
    _off(site)
    site.node("vm1", host="nowhere")


SETTINGS = {
    "none": _none,
    "row": _row,
    "off": _off,
    "on": _on,
    "changed": _changed,
    "nohostnow": _nohostnow,
    "nohost": lambda site: site.node("vm1", host="nowhere"),
    "nodomain": lambda site: site.node("vm1", storage="nowhere:1g"),
    "nonetwork": lambda site: site.node("vm1", nics="nowhere:eth0"),
    "noroom": _with([{"do": "status", "status": 500, "method": "POST", "path": "/vms"}], _row),
    "nospace": _with(
        [{"do": "status", "status": 500, "method": "POST", "path": "/vms/*/disk*"}],
        lambda site: site.node("vm1", storage="data1:1g"),
    ),
    "running": _with([{"do": "never", "state": "vm.stop"}], _on),
    "refused": _with([{"do": "status", "status": 500, "method": "PUT", "path": "/vms/*"}], _changed),
    "stuck": _with([{"do": "fail", "state": "vm.migrate", "text": "No reason."}], _on),
}


site = each_version()


@pytest.mark.parametrize(("setting", "command", "text"), MESSAGES)
def test_the_text_stays(site, setting, command, text):
    SETTINGS[setting](site)
    first = next(message for message in site.say(command, ["vm1"]) if not isinstance(message, Warn))
    assert (first.node, first.text[: len(text)]) == ("vm1", text)


@only((3, 0), (3, 6))
def test_the_text_of_a_machine_that_stays_locked(site):
    """Since 4.0 a machine without disks is down at once."""
    _with([{"do": "never", "state": "vm.create"}], _row)(site)
    assert 'vm1: failed to waiting the vm gets to "down" state.' in site.wrong("mkvm --timeout 5", ["vm1"])[0]


def test_the_console_keeps_its_names(site):
    _on(site)
    names = [message.desc for message in site.say("getrvidparms", ["vm1"])]
    assert {"method", "server", "vidport", "vidproto", "password"} <= set(names)
