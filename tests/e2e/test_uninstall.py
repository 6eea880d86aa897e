"""What an uninstall does beside the files: agents idle and at work, sockets that nobody serves, what stays, twice."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from made_xcat import command, make_machine, run, tree

from xcat_rhev.bridge.agent import SOCKET
from xcat_rhev.cli.demo.parts import own
from xcat_rhev.cli.setup import agents


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("XCAT_RHEV_SOCKET", str(tmp_path / "agent.sock"))
    return make_machine(tmp_path, monkeypatch)


@pytest.fixture
def started():
    """Starts agents; ends those that a test has left."""
    processes = []

    def start(place, *words):
        agent = subprocess.Popen(
            own("agent", "--ready", f"--socket={place}", *words), stdout=subprocess.PIPE, text=True
        )
        processes.append(agent)
        assert agent.stdout.readline() == "ready\n"
        return agent

    yield start
    for agent in processes:
        agent.kill()
        agent.wait()
        agent.stdout.close()


def at_work(place):
    """A request that the agent cannot end: it asks for a row and gets no answer. Gives the connection."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(300)
    client.connect(str(place))
    client.sendall(json.dumps({"request": {"command": "rpower", "nodes": ["vm1"], "args": ["stat"]}}).encode() + b"\n")
    assert b'"call"' in client.recv(1 << 16)
    return client


def ends(process):
    return process.wait(300) == 0


def test_an_idle_agent_ends_and_nothing_of_it_stays(machine, started, capsys):
    before = tree(machine)
    run("install", machine)
    agent = started(machine / "agent.sock")
    capsys.readouterr()
    assert run("uninstall", machine, "--dry-run") == 0
    told = capsys.readouterr().out
    assert f"the agent, process {agent.pid}" in told and str(machine / "agent.sock.lock") in told
    assert agent.poll() is None
    threading.Thread(target=agent.wait, daemon=True).start()  # what a dead process needs to be gone
    assert run("uninstall", machine) == 0
    told = capsys.readouterr().out
    assert f"stopped the agent, process {agent.pid}" in told
    assert ends(agent) and tree(machine) == before
    assert run("uninstall", machine) == 0, "twice"
    assert "agent" not in capsys.readouterr().out


def test_an_agent_at_work_is_waited_for_and_named(machine, started, capsys, monkeypatch):
    run("install", machine)
    agent = started(machine / "agent.sock")
    client = at_work(machine / "agent.sock")
    monkeypatch.setattr(agents, "PATIENCE", 0.5)
    assert run("uninstall", machine) == 0
    assert f"process {agent.pid}, is at work; it ends when that is done, or by: kill" in capsys.readouterr().out
    assert agent.poll() is None and not (machine / "agent.sock").exists()
    client.close()
    assert ends(agent), "it ends with its work"


def test_a_second_signal_breaks_it_off(machine, started):
    agent = started(machine / "agent.sock")
    client = at_work(machine / "agent.sock")
    agent.terminate()
    wait_until(lambda: not answers(machine / "agent.sock"))
    assert agent.poll() is None
    agent.terminate()
    assert agent.wait(300) == -signal.SIGTERM
    client.close()


def test_who_waits_in_the_queue_is_served_before_the_end(machine, started):
    """Connections that the kernel has taken and the agent has not yet."""
    agent = started(machine / "agent.sock")
    agent.send_signal(signal.SIGSTOP)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(5)]
    for client in clients:
        client.settimeout(300)
        client.connect(str(machine / "agent.sock"))
        client.sendall(b'{"request": {"command": "lsve", "args": ["--version"]}}\n')
    agent.terminate()
    agent.send_signal(signal.SIGCONT)
    for client in clients:
        with client, client.makefile("rb") as lines:
            assert json.loads(list(lines)[-1]) == {"done": True}
    assert ends(agent)


def test_several_agents_and_those_of_others(machine, started, capsys, monkeypatch):
    """One that finishes and has given up the socket, the one after it, and another xCAT's."""
    run("install", machine)
    first = started(machine / "agent.sock")
    client = at_work(machine / "agent.sock")
    first.terminate()
    wait_until(lambda: not answers(machine / "agent.sock"))
    second = started(machine / "agent.sock")
    other = started(machine / "other.sock")
    assert agents.processes(site(machine)) == sorted([first.pid, second.pid])
    threading.Thread(target=second.wait, daemon=True).start()
    monkeypatch.setattr(agents, "PATIENCE", 10)
    assert run("uninstall", machine) == 0
    told = capsys.readouterr().out
    assert f"stopped the agent, process {second.pid}" in told and str(other.pid) not in told
    assert answers(machine / "other.sock")
    client.close()


def test_a_socket_that_nobody_serves(machine, capsys):
    run("install", machine)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(machine / "agent.sock"))
    (machine / "agent.sock.lock").touch()
    assert run("uninstall", machine) == 0
    told = capsys.readouterr().out
    assert f"removed {machine / 'agent.sock'}\n" in told and f"removed {machine / 'agent.sock.lock'}\n" in told
    assert not list(machine.glob("agent.sock*"))


def test_what_stays_is_named(machine, capsys, monkeypatch):
    monkeypatch.setenv("XCAT_RHEV_LOG", str(machine / "xcat-rhev.log"))
    run("install", machine)
    capsys.readouterr()
    run("uninstall", machine, "--dry-run")
    assert "What stays" not in capsys.readouterr().out
    (machine / "etc/xcat/rhevm/rhevm.example.com").mkdir(parents=True)
    (machine / "install/xcatrhevh").mkdir()
    (machine / "xcat-rhev.log").touch()
    (machine / "stub/osimage.csv").write_text('#imagename,osvers,disable\n"rhevh7-img","rhevh7",\n"rocky","rocky9",\n')
    with (machine / "stub/site.csv").open("a") as table:
        table.write(f'"xcatconfdir","{machine}/etc/xcat",,\n')
    for _ in range(2):
        assert run("uninstall", machine) == 0
        told = capsys.readouterr().out.partition("What stays")[2]
        for each in ("etc/xcat/rhevm: ", "install/xcatrhevh: ", "xcat-rhev.log: ", "media: rhevh7-img\n"):
            assert each in told


def test_a_row_that_cannot_be_removed_is_said_and_tried_again(machine, capsys):
    run("install", machine)
    rows = (machine / "stub/policy.csv").read_text()
    stand_in = (machine / "opt/xcat/bin/chtab").read_text()
    command(machine, "chtab", "echo no database >&2; exit 1")
    assert run("uninstall", machine) == 1
    assert "could not remove policy row 5: no database" in capsys.readouterr().out
    assert (machine / "stub/policy.csv").read_text() == rows
    (machine / "opt/xcat/bin/chtab").write_text(stand_in)
    assert run("uninstall", machine) == 0
    assert "removed policy row 5" in capsys.readouterr().out
    assert not (machine / "etc/xcat/xcat-rhev").exists()


def test_what_stood_before_a_file_that_was_changed_since_is_kept(machine, capsys):
    run("install", machine)
    plugin = machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm"
    plugin.write_text("mine\n")
    assert run("uninstall", machine) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if f"left {plugin}" in line)
    kept = line.rpartition(" ")[2]
    with open(kept) as file:
        assert file.read() == "package xCAT_plugin::rhevm; # of old\n"
    assert plugin.read_text() == "mine\n" and run("uninstall", machine) == 0 and os.path.exists(kept)


def test_an_enabled_unit_is_not_left_without_its_file(machine, capsys):
    run("install", machine)
    wants = machine / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "xcat-rhev-agent.service").symlink_to("/etc/systemd/system/xcat-rhev-agent.service")
    run("uninstall", machine)
    assert not list(wants.iterdir())


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (["python3", "/usr/bin/xcat-rhev", "agent", "--socket", "/run/x"], "/run/x"),
        (["/usr/bin/xcat-rhev", "agent", "--idle", "9", "--socket=/run/x"], "/run/x"),
        (["/usr/bin/xcat-rhev", "agent", "--idle", "9"], str(SOCKET)),
        (["python3", "-m", "xcat_rhev.cli", "agent", "--socket", "/a", "--socket", "/b"], "/b"),
        (["vi", "agent", "--socket", "/run/x"], ""),
        (["xcat-rhev", "doctor", "agent"], ""),
        (["agent"], ""),
        ([""], ""),
    ],
)
def test_which_command_lines_are_agents(words, path):
    assert agents._socket_of(words) == path


def site(machine):
    from xcat_rhev.cli.setup.site import XcatSite

    return XcatSite(machine / "opt/xcat", machine / "etc/xcat", machine, machine / "xcat-rhev")


def answers(place):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(place)) == 0


def wait_until(condition):
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
