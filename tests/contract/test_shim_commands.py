"""Every command as a Perl xCAT runs it: the real shim, a real agent process, and the simulator, with both APIs."""

import json
import signal
import time

import pytest
from bridged import PERL_THERE
from perlsite import VMS, PerlSite

from xcat_rhev.run.registry import COMMANDS

pytestmark = pytest.mark.skipif(not PERL_THERE, reason="Perl with its JSON module is not installed")


@pytest.fixture(scope="module", params=["4", "3"])
def site(request, tmp_path_factory):
    program = PerlSite(tmp_path_factory.mktemp(f"shim-v{request.param}"), request.param)
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
    out, _ = driver.communicate(timeout=300)
    said = [json.loads(line) for line in out.splitlines()]
    if not any("name" in json.dumps(answer) for answer in said):
        assert "the agent ended in the middle of the work" in json.dumps(said)
    site.agent.stop()
    (site.folder / "agent.sock").unlink()
    site.start_agent()
    site.works("rpower", ["vm3"], ["stat"])
    site.works("rmvm", ["vm3"], ["-f", "-p"])
