"""A manager that is killed in the middle and comes back: nothing double, nothing lost, a clear message."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

import pytest

from fakes import FakeHost
from programs import Sim
from xcat_rhev.dispatch import Dispatcher
from xcat_rhev.messages import Data, Error
from xcat_rhev.xcat.host import Request

NODES = ("vm1", "vm2", "vm3", "vm4")


class Manager:
    """A simulator with a memory, on one port for all its lives.

    Args:
        folder: An empty folder.
        api: 3 or 4.
    """

    def __init__(self, folder, api):
        self._words = ["--api", api, "--hosts", "2", "--cert-dir", str(folder / "trust"), "--state",
                       str(folder / "state"), "--latency", "20", "--port", str(_free_port())]
        self._folder = folder
        self.sim = Sim(folder, *self._words)

    def kill(self):
        os.kill(self.sim.part.pid, signal.SIGKILL)
        self.sim.part.stop()

    def live_again(self):
        self.sim = Sim(self._folder, *self._words)


def _free_port():
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@pytest.fixture(params=["3", "4"])
def manager(request, tmp_path):
    found = Manager(tmp_path, request.param)
    yield found
    found.sim.part.stop()


def run(dispatcher, host, *words):
    return list(dispatcher.run(Request(words[0], NODES, words[1:]), host))


def test_a_manager_that_is_killed_in_the_middle_of_mkvm(manager, tmp_path):
    host = FakeHost({
        "site": [{"key": "xcatconfdir", "value": str(tmp_path)}, {"key": "rhevmca", "value": manager.sim.ready["ca"]}],
        "passwd": [{"key": "rhevm", "username": "admin", "password": "secret"}],
        "vm": [{"node": node, "mgr": manager.sim.name, "storage": "data1:1g|data1:1g"} for node in NODES],
    })
    dispatcher = Dispatcher()
    said = []
    at_work = threading.Thread(target=lambda: said.extend(run(dispatcher, host, "mkvm")))
    at_work.start()
    time.sleep(0.6)
    manager.kill()
    at_work.join(60)
    assert not at_work.is_alive()
    ended = {message.node for message in said}
    assert ended == set(NODES)
    assert all("127.0.0.1" in message.text for message in said if isinstance(message, Error))

    manager.live_again()
    again = run(dispatcher, host, "mkvm")
    assert not [message for message in again if isinstance(message, Error)]
    assert {message.node for message in again} == set(NODES)
    listed = [message.text for message in run(dispatcher, host, "lsvm", "-s")][1:]
    assert [(line.split()[0], line.split()[-2:]) for line in listed] == [(node, ["2", "1"]) for node in NODES]
    assert all("nothing to do" in message.text for message in run(dispatcher, host, "mkvm"))
    assert len({host.row("mac", node)["mac"] for node in NODES}) == len(NODES)
    assert Data("off", "vm1") in run(dispatcher, host, "rpower", "stat")
