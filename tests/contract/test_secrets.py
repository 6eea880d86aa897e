"""No secret shows: every command at full verbosity, sentinels wherever a secret can stand, all output searched."""

import logging
import pickle

import pytest

from fakes import FakeHost
from simulator import SimulatorProgram
from xcat_rhev.errors import RhevError
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.secret import STARS, Secret
from xcat_rhev.xcat.host import Request

#: Each secret of the tables, recognisable wherever it turns up, also in part.
WORD = "SENTINEL"
ENGINE = f"{WORD}-engine-password"
NODES = ["rhevh1", "rhevh2", "vm1", "vm2", "new1"]
ARGS = {
    "cfgve": [["-t", "sd", "-o", "nfs1", "-c"], ["-t", "sd", "-o", "iscsi1", "-c"], ["-t", "dc", "-o", "dc9", "-c"]],
    "lsve": [["-t", kind] for kind in ("dc", "cl", "sd", "nw", "tpl")],
    "chhypervisor": [["-a"], ["-n"], ["-p"], ["-d"], ["-e"]],
    "rmhypervisor": [["-f"]],
    "clonevm": [["-t", "tpl1"]],
    "rmigrate": [["rhevh2"]],
    "rpower": [["stat"], ["on"], ["off"]],
    "rsetboot": [["net"], ["stat"]],
    "rhevhupdateflag": [["127.0.0.11"], ["--status"]],
    "rhevmupdateflag": [["127.0.0.11", "answers"], ["127.0.0.11", "ready"]],
    "copycd": [["-f", "/nonexistent.iso"]],
}


def tables(manager):
    nodes = [{"node": node} for node in NODES]
    return {
        "site": [{"key": "master", "value": "127.0.0.1"}, {"key": "rhevmmaxp", "value": "4"}],
        "nodelist": nodes,
        "hosts": [{"node": "rhevh1", "ip": "127.0.0.11"}],
        "mac": [{"node": "rhevh1", "mac": "52:54:00:00:00:11"}],
        "nodetype": [{"node": "rhevh1", "os": "rhevh6.2", "arch": "x86_64", "provmethod": "img"}],
        "chain": [{"node": "rhevh1", "currstate": "install rhevh6.2-x86_64-compute"}],
        "nodehm": [{"node": node, "mgt": "ipmi" if node.startswith("rhevh") else "rhevm"} for node in NODES],
        "passwd": [
            {"key": "rhevm", "username": "admin", "password": ENGINE},
            {"key": "rhevh", "username": "admin", "password": f"{WORD}-rhevh-admin"},
            {"key": "rhevh", "username": "root", "password": f"{WORD}-rhevh-root"},
            {"key": "iscsi1", "username": "chap", "password": f"{WORD}-chap"},
            {"key": "ipmi", "username": "bmcuser", "password": f"{WORD}-bmc-default"},
        ],
        "ipmi": [{"node": "rhevh1", "bmc": "127.0.0.21", "username": "bmc", "password": f"{WORD}-bmc"}],
        "hypervisor": [
            {
                "node": node,
                "type": "rhevh",
                "mgr": manager,
                "cluster": "Default",
                "user": "root",
                "password": f"{WORD}-hypervisor",
                "interface": "ovirtmgmt:eth0:dhcp",
            }
            for node in NODES[:2]
        ],
        "vm": [
            {
                "node": node,
                "mgr": manager,
                "cluster": "Default",
                "memory": "1g",
                "cpus": "1",
                "storage": "data1:1g:system",
                "vidpassword": f"{WORD}-console",
                "othersettings": f"cloudinit.root_password={WORD}-cloud",
            }
            for node in NODES[2:]
        ],
        "virtsd": [
            {
                "node": "nfs1",
                "sdtype": "data",
                "stype": "nfs",
                "location": "filer:/x",
                "host": "rhevh1",
                "datacenter": "Default",
            },
            {
                "node": "iscsi1",
                "sdtype": "data",
                "stype": "iscsi",
                "location": "10.0.0.9:3260|target=iqn.x:1|lun=L1|user=chap",
                "host": "rhevh1",
                "datacenter": "Default",
            },
        ],
    }


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    program = SimulatorProgram("--hosts", "2", "--vms", "2", "--password", ENGINE, "--speed", "50")
    yield program
    program.close()


def shown(message):
    return " ".join(str(value) for value in vars(message).values())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_shows_none(sim, tmp_path, caplog, name):
    caplog.set_level(logging.DEBUG)
    xcat = FakeHost(tables(sim.name))
    xcat.tables["site"].append({"key": "xcatconfdir", "value": str(tmp_path)})
    xcat.tables["site"].append({"key": "installdir", "value": str(tmp_path)})
    xcat.tables["site"].append({"key": "tftpdir", "value": str(tmp_path)})
    said = []
    for args in ARGS.get(name, [[]]):
        named = ["-m", sim.name] if name in ("cfgve", "lsve") else []
        request = Request(name, () if named else tuple(NODES), (*args, *named, "-V", "--timeout", "5"), user="root")
        said += map(shown, Dispatcher().run(request, xcat))

    assert said or name == "copycd", "a command that says nothing proves nothing"
    everything = "\n".join([*said, caplog.text])
    assert WORD not in everything
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert WORD.encode() not in path.read_bytes(), path


def test_a_wrong_password_is_not_told_back(sim, tmp_path):
    xcat = FakeHost(tables(sim.name))
    xcat.tables["site"].append({"key": "xcatconfdir", "value": str(tmp_path)})
    xcat.tables["passwd"][0]["password"] = f"{WORD}-wrong"
    said = " ".join(map(shown, Dispatcher().run(Request("rpower", ("vm1",), ("stat", "-V")), xcat)))
    assert "vm1" in said and WORD not in said


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{:>20}".format, "%s".__mod__, lambda secret: repr([secret])])
def test_a_secret_prints_as_stars(show):
    text = show(Secret("swordfish"))
    assert "swordfish" not in text and STARS in text


def test_a_secret_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Secret("swordfish"))


def test_an_error_that_was_worded_with_a_secret_shows_stars():
    assert str(RhevError(f"wrong {Secret('swordfish')}")) == f"wrong {STARS}"
