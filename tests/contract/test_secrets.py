"""No secret shows: every command at full verbosity, sentinels wherever a secret can stand, all output searched."""

import logging
import pickle
import re
from urllib.parse import unquote

import pytest

from fakes import FakeHost
from simulator import SimulatorProgram
from vmsite import VmSite
from xcat_rhev.errors import RhevError
from xcat_rhev.messages import Data
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


@pytest.fixture
def site(tmp_path_factory):
    made = VmSite(tmp_path_factory, (4, 5))
    yield made
    made.close()


def test_no_ticket_shows_whatever_becomes_of_an_image_or_a_console(site, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    site.running("vm1", vidproto="vnc")
    site.made("vm2", storage="data1:8m")
    site.host.set_row("site", {"key": "master"}, {"value": "mn.example.com"})
    image = tmp_path / "disk.raw"
    image.write_bytes(bytes(range(1, 251)) * 40_000)
    folder = tmp_path / "backups"
    folder.mkdir()
    trace = []

    def typed(line, nodes=(), **request):
        """Only what was asked for may have a ticket in it: the answers of getrvidparms."""
        said = site.say(line, nodes, **request)
        answers = [each.text for each in said if isinstance(each, Data)] if "getrvidparms" in line else []
        trace.extend(shown(each) for each in said if not (answers and isinstance(each, Data)))
        return answers

    typed(f"cfgve -t disk -m MGR -o d1 --upload {image} -V")
    typed(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'out'} -V")
    typed(f"cfgve -t tpl -m MGR -o t1 --upload {image} -V")
    typed(f"chvm --backup {folder} -V", ["vm2"])
    typed(f"chvm --restore {folder} -V", ["vm2"])
    site.world.images.stopped_at = (
        1 << 20,
        site.world.images.tickets.clear,
    )  # the host refuses, and says the ticket
    typed(f"cfgve -t disk -m MGR -o d2 --upload {image} -V")
    site.world.images.direct = False
    typed(f"cfgve -t disk -m MGR -o d1 --download {tmp_path / 'again'} -V --json")
    secret = [*site.world.images.seen]
    for words in ("--browser -V", "--vv -V", "-V", "--browser --json"):
        secret += [part for text in typed(f"getrvidparms {words}", ["vm1"]) for part in _secret_parts(text)]
    everything = "\n".join([*trace, caplog.text])
    assert len(site.world.images.seen) == 7 and len(secret) >= 11 and "/imagetransfers" in everything
    assert [one for one in secret if one in everything] == []
    assert "d2: succeeded" not in everything


def _secret_parts(answer):
    """The secrets in an answer: a ticket of the proxy, a password."""
    return [
        unquote(found)
        for pattern in (r"[#&]path=([^&\s\"]+)", r"password=([^&\s\"]+)", r"^([0-9a-f]{12})$")
        for found in re.findall(pattern, answer)
    ]
