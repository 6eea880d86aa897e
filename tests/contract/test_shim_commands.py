"""Every command as a Perl xCAT runs it: the real shim, a real agent process, and the simulator, with both APIs."""

import json
import signal
import subprocess
import time

import pytest
from bridged import PERL, PERL_THERE, Backend, perl_environment

from fakes import FakeHost
from programs import Sim
from xcat_rhev.cli.demo.looks import Engine
from xcat_rhev.cli.demo.parts import Part, own
from xcat_rhev.dispatch import COMMANDS

pytestmark = pytest.mark.skipif(not PERL_THERE, reason="Perl with its JSON module is not installed")

VMS, HOSTS = ["vm1", "vm2", "vm3"], ["rhevh1", "rhevh2"]


class Site:
    """A Perl xCAT with one manager, as far as a plugin can see."""

    def __init__(self, folder, api):
        self.folder = folder
        self.sim = Sim(folder, "--api", api, "--hosts", "2", "--speed", "10")
        self.engine = Engine(self.sim.ready, api)
        self.host = FakeHost(self.tables())
        self.backend = Backend(folder / "backend.sock", self.host)
        self.start_agent()

    def start_agent(self):
        self.agent = Part(
            "agent", own("agent", "--ready", "--socket", str(self.folder / "agent.sock")), self.folder / "agent.log"
        )
        self.agent._process.stdout.readline()

    def tables(self):
        name = self.sim.name
        return {
            "site": [{"key": "master", "value": "127.0.0.1"}, {"key": "xcatconfdir", "value": str(self.folder)}],
            "passwd": [{"key": "rhevm", "username": "admin", "password": self.sim.password}],
            "nodelist": [{"node": node} for node in VMS + HOSTS],
            "hypervisor": [{"node": node, "type": "rhevh", "mgr": name, "cluster": "Default"} for node in HOSTS],
            "vm": [
                {
                    "node": node,
                    "mgr": name,
                    "cluster": "Default",
                    "memory": "1g",
                    "cpus": "1:2",
                    "storage": "data1:1g:system",
                }
                for node in VMS
            ],
            "virtsd": [
                {
                    "node": "nfs9",
                    "sdtype": "data",
                    "stype": "nfs",
                    "location": "filer:/nfs9",
                    "host": "rhevh1",
                    "datacenter": "Default",
                }
            ],
        }

    def start(self, command, nodes=(), args=()):
        request = {"command": [command], "arg": list(args), **({"node": list(nodes)} if nodes else {})}
        driver = subprocess.Popen(
            ["perl", str(PERL / "driver.pl")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=perl_environment(self.folder),
        )
        driver.stdin.write(json.dumps(request).encode())
        driver.stdin.close()
        driver.stdin = None
        return driver

    def run(self, command, nodes=(), args=()):
        out, errors = self.start(command, nodes, args).communicate(timeout=120)
        assert errors == b""
        answers = [json.loads(line) for line in out.splitlines()]
        assert answers.pop() == {"finished": 1}
        return answers

    def works(self, command, nodes=(), args=()):
        answers = self.run(command, nodes, args)
        assert answers and not any("errorcode" in json.dumps(answer) for answer in answers), answers
        return json.dumps(answers)

    def close(self):
        self.agent.stop()
        self.backend.close()
        self.sim.part.stop()


@pytest.fixture(scope="module", params=["4", "3"])
def site(request, tmp_path_factory):
    program = Site(tmp_path_factory.mktemp(f"shim-v{request.param}"), request.param)
    yield program
    program.close()


def test_the_life_of_machines_and_their_surroundings(site):
    manager = ["-m", site.sim.name]
    site.works("cfgve", args=["-t", "sd", "-o", "nfs9", "-c", *manager])
    assert site.engine.storage_states("Default")["nfs9"] == "active"
    site.works("cfgve", args=["-t", "nw", "-o", "net5", "-c", "-d", "Default", "-n", "5", *manager])
    for kind in ("dc", "cl", "sd", "nw", "tpl"):
        assert "[" in site.works("lsve", args=["-t", kind, *manager])
    site.works("mkvm", VMS)
    assert [site.host.row("mac", node)["mac"] for node in VMS], "written back through the shim"
    site.works("rpower", VMS, ["on"])
    assert '"on"' in site.works("rpower", ["vm1"], ["stat"])
    site.works("lsvm", ["vm1"])
    site.works("rinv", ["vm1"])
    site.works("rvitals", ["vm1"])
    site.works("getrvidparms", ["vm1"])
    site.works("rsetboot", VMS, ["stat"])
    there = site.engine.host_of("vm1")
    site.works("rmigrate", ["vm1"], ["rhevh2" if there == "rhevh1" else "rhevh1"])
    assert site.engine.host_of("vm1") not in ("", there)
    site.works("rpower", VMS, ["off"])
    assert set(map(site.engine.states("vms").get, VMS)) == {"down"}
    site.works("chvm", ["vm2"], ["--mem", "2g"])
    site.works("clonevm", ["vm2"], ["-t", "tpl1"])
    assert site.engine.states("templates")["tpl1"] == "ok"
    site.works("rscan", ["rhevh1"])
    site.works("revacuate", ["rhevh2"])
    site.works("chhypervisor", ["rhevh2"], ["-d"])
    site.works("chhypervisor", ["rhevh2"], ["-e"])
    site.works("rmvm", VMS, ["-p"])
    assert not set(VMS) & set(site.engine.states("vms"))
    site.works("rmhypervisor", ["rhevh2"], ["-f"])
    assert "rhevh2" not in site.engine.states("hosts")


def test_the_commands_without_a_manager_answer_too(site):
    (site.folder / "other.iso").write_bytes(bytes(1 << 20))
    assert site.run("copycd", args=["-f", str(site.folder / "other.iso")]) == [], "silent for media of others"
    site.host.tables["nodetype"] = [{"node": "rhevh1", "os": "rhevh6.2", "arch": "x86_64", "provmethod": "nosuch"}]
    assert "errorcode" in json.dumps(site.run("mkinstall", ["rhevh1"]))
    assert "errorcode" in json.dumps(site.run("rhevhupdateflag", ["rhevh1"], ["127.0.0.99"]))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_usage_comes_through_the_shim(site, name):
    assert f"Usage: {name}" in site.works(name, args=["-h"])


def test_an_agent_killed_in_the_middle_is_told_and_the_next_one_serves(site):
    site.works("mkvm", ["vm3"])
    driver = site.start("rpower", ["vm3"], ["softoff", "--timeout", "60"])
    time.sleep(1.0)
    site.agent._process.send_signal(signal.SIGKILL)
    out, _ = driver.communicate(timeout=60)
    said = [json.loads(line) for line in out.splitlines()]
    if not any("name" in json.dumps(answer) for answer in said):
        assert "the agent ended in the middle of the work" in json.dumps(said)
    site.agent.stop()
    (site.folder / "agent.sock").unlink()
    site.start_agent()
    site.works("rpower", ["vm3"], ["stat"])
    site.works("rmvm", ["vm3"], ["-f", "-p"])
