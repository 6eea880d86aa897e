"""A manager that is killed in the middle and comes back: nothing double, nothing lost, a clear message."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from fakes import FakeHost
from simulator import SimulatorProgram
from xcat_rhev.cli.demo.parts import free_port
from xcat_rhev.messages import Data, Error, Note
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request

pytestmark = pytest.mark.slow
NODES = ("vm1", "vm2", "vm3", "vm4")


class Manager:
    """A simulator with a memory, on one port for all its lives.

    Args:
        folder: An empty folder.
        api: 3 or 4.
    """

    def __init__(self, folder, api):
        self._words = [
            "--api",
            api,
            "--hosts",
            "2",
            "--cert-dir",
            str(folder / "trust"),
            "--state",
            str(folder / "state"),
            "--latency",
            "20",
            "--port",
            str(free_port()),
        ]
        self.network = "rhevm" if api == "3" else "ovirtmgmt"
        self.sim = SimulatorProgram(*self._words)

    def kill(self):
        os.kill(self.sim.program.pid, signal.SIGKILL)
        self.sim.close()

    def live_again(self):
        self.sim = SimulatorProgram(*self._words)


@pytest.fixture(params=["3", "4"])
def manager(request, tmp_path):
    found = Manager(tmp_path, request.param)
    yield found
    found.sim.close()


def run(dispatcher, host, *words):
    return list(dispatcher.run(Request(words[0], NODES, words[1:]), host))


def xcat_of(manager, folder):
    network = manager.network
    return FakeHost(
        {
            "site": [
                {"key": "xcatconfdir", "value": str(folder)},
                {"key": "rhevmca", "value": manager.sim.ready["ca"]},
            ],
            "passwd": [{"key": "rhevm", "username": "admin", "password": "secret"}],
            # The NIC is written: of a machine without one nothing tells whether it was half made or shall have none.
            "vm": [
                {"node": node, "mgr": manager.sim.name, "storage": "data1:1g|data1:1g", "nics": f"{network}:eth0:yes"}
                for node in NODES
            ],
        }
    )


def killed_meanwhile(manager, dispatcher, host, line, seconds):
    """What a command says whose manager is killed so long after it began, and then lives again."""
    said = []
    # Without a limit it would be waited for for a minute whether the manager comes back.
    at_work = threading.Thread(target=lambda: said.extend(run(dispatcher, host, *line, "--timeout", "4")))
    at_work.start()
    time.sleep(seconds)
    manager.kill()
    at_work.join(300)
    assert not at_work.is_alive()
    assert {message.node for message in said if not isinstance(message, Note)} == set(NODES), said
    assert all("127.0.0.1" in message.text for message in said if isinstance(message, Error))
    manager.live_again()
    return said


def disks_of(dispatcher, host):
    """Machine -> how many disks it has."""
    lines = [message.text.split() for message in run(dispatcher, host, "lsvm", "-s") if not isinstance(message, Error)]
    return {words[0]: int(words[-2]) for words in lines[1:]}


def test_a_manager_that_is_killed_in_the_middle_of_mkvm(manager, tmp_path):
    host = xcat_of(manager, tmp_path)
    dispatcher = Dispatcher()
    killed_meanwhile(manager, dispatcher, host, ["mkvm"], 0.6)
    again = run(dispatcher, host, "mkvm")
    assert not [message for message in again if isinstance(message, Error)]
    assert {message.node for message in again} == set(NODES)
    listed = [message.text for message in run(dispatcher, host, "lsvm", "-s")][1:]
    assert [(line.split()[0], line.split()[-2:]) for line in listed] == [(node, ["2", "1"]) for node in NODES]
    assert all("nothing to do" in message.text for message in run(dispatcher, host, "mkvm"))
    assert len({host.row("mac", node)["mac"] for node in NODES}) == len(NODES)
    assert Data("off", "vm1") in run(dispatcher, host, "rpower", "stat")


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (["rpower", "on"], 0.1),
        (["chvm"], 0.2),
        (["clonevm", "-b", "web"], 0.3),
        (["rmvm", "-p"], 0.1),
    ],
)
def test_what_was_cut_off_is_finished_by_the_same_command_and_nothing_is_double(manager, tmp_path, line, seconds):
    host = xcat_of(manager, tmp_path)
    dispatcher = Dispatcher()
    run(dispatcher, host, "mkvm")
    if "web" in line:
        list(dispatcher.run(Request("clonevm", NODES[:1], ("-t", "web")), host))
        run(dispatcher, host, "rmvm", "-p")
    host.set_node_attrs("vm", {node: {"storage": "data1:1g|data1:1g|data1:2g"} for node in NODES})
    killed_meanwhile(manager, dispatcher, host, line, seconds)
    again = run(dispatcher, host, *line)
    assert not [message for message in again if isinstance(message, Error)], again
    states = {message.node: message.text for message in run(dispatcher, host, "rpower", "stat")}
    if line[0] == "rpower":
        assert set(states.values()) <= {"on", "powering_up", "wait_for_launch"}
    elif line[0] == "rmvm":
        assert all("was not defined" in text for text in states.values())
    else:
        assert disks_of(dispatcher, host) == dict.fromkeys(NODES, 3)
        assert all("nothing to do" in message.text for message in run(dispatcher, host, *line))
