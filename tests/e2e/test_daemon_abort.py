"""A client that does not want its answer any more, while the manager says nothing: all that works for it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading

import pytest

from daemonhelp import Served, read, until
from simulator import SimulatorProgram
from xcat_rhev.xcat.wire import WireRequest, write_request

ABORT = b"<xcatrequest>\n<abortcommand>1</abortcommand>\n</xcatrequest>\n"
#: Far longer than any test waits: what ends before was broken off.
FOR_EVER = 900


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path)
    yield xcat
    xcat.close()


@pytest.fixture
def engine():
    engine = SimulatorProgram("--api", "4", "--vms", "30", "--hosts", "2")
    yield engine
    os.kill(engine.program.pid, signal.SIGKILL)  # it would wait for the answers that it owes
    engine.close()


def begin(xcat, manager, password, command, ready):
    """Type a command for thirty machines of a manager, and wait until it hangs there."""
    xcat.type("tabch", "key=rhevm,username=admin@internal", f"passwd.password={password}")
    xcat.type("nodeadd", "vm[1-30]", "groups=all", "nodehm.mgt=rhevm", f"vm.mgr={manager}")
    sock = xcat.connect()
    sock.settimeout(300)
    sock.sendall(write_request(WireRequest(command=command[0], noderange="vm[1-30]", args=command[1:])))
    until(ready, "the command waits for the manager")
    return sock


def leave(sock, how):
    """Press Ctrl-C, or go away."""
    if how == "abortcommand":
        sock.sendall(ABORT)
        assert b"<serverdone>" not in read(sock)
    sock.close()


def at_work():
    """Threads that work for a request."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("part", "step", "read"))]


def idle(xcat):
    """Whether no request is under way."""
    return xcat.server.idle()


@pytest.mark.parametrize("how", ["abortcommand", "close"])
@pytest.mark.parametrize("method, path", [("GET", "/vms*"), ("POST", "/vms/*/start")])
def test_a_manager_that_does_not_answer(xcat, engine, how, method, path):
    xcat.type("tabch", "key=rhevmca", f"site.value={engine.ca}")
    engine.faults({"do": "delay", "seconds": FOR_EVER, "method": method, "path": path})
    manager = "localhost:" + engine.origin.rpartition(":")[2]

    def asked():
        return json.loads(engine.call("GET", f"{engine.origin}/-/faults")[1])[0]["hit"]

    sock = begin(xcat, manager, engine.password, ("rpower", "on"), lambda: asked() == (1 if method == "GET" else 8))
    leave(sock, how)
    until(lambda: idle(xcat), "the worker is free")
    until(lambda: not at_work(), "nothing works for the request any more")
    assert asked() == (1 if method == "GET" else 8)
    engine.faults()
    assert "vm1: off" in "".join(xcat.type("rpower", "stat", on="vm1")), "the session is still good for the next"


@pytest.mark.parametrize("how", ["abortcommand", "close"])
def test_an_address_that_swallows_everything(xcat, how):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sock = begin(xcat, f"localhost:{mute.getsockname()[1]}", "secret", ("rpower", "stat"), at_work)
        leave(sock, how)
        until(lambda: idle(xcat), "the worker is free")
        assert idle(xcat)
