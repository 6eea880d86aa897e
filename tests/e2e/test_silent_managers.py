"""Managers that take connections and never answer, that stop, that drip: how a command ends, and what is said.

`--timeout` bounds the whole command, requests included. Without it a person is told after five seconds what is waited
for. Nothing here is measured in seconds: that a command ends at all, with these words, is what counts.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from fakes import FakeHost
from simulator import SimulatorProgram
from xcat_rhev.clock import SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.engine.wire import pulse
from xcat_rhev.messages import Data, Error, Message, Note
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.sim.certs import make
from xcat_rhev.xcat.host import Request

NODES = ("vm1", "vm2")


class Mute:
    """A server that takes connections; with TLS it goes on to drip an answer without end.

    Attributes:
        name: As vm.mgr names it.
        ca: The file of its CA.
    """

    def __init__(self, folder: Path, drips: bool) -> None:
        certificates = make(folder, ["127.0.0.1"])
        self.ca = str(certificates.ca)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(str(certificates.certificate), str(certificates.key))
        self._drips, self._over = drips, threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.name = f"127.0.0.1:{self._server.getsockname()[1]}"
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                taken, _ = self._server.accept()
                self._kept.append(taken)
                if self._drips:
                    threading.Thread(target=self._drip, args=(taken,), daemon=True).start()

    def _drip(self, taken: socket.socket) -> None:
        with suppress(OSError), self._context.wrap_socket(taken, server_side=True) as spoken:
            spoken.recv(65536)
            spoken.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
            while not self._over.wait(0.1):
                spoken.sendall(b" ")

    def close(self) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        for taken in self._kept:
            taken.close()


@pytest.fixture(params=[False, True], ids=["mute", "dripping"])
def mute(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mute]:
    with closing(Mute(tmp_path, request.param)) as made:
        yield made


def xcat_of(name: str, ca: str, folder: Path) -> FakeHost:
    site = {"xcatconfdir": str(folder), "rhevmca": ca}
    return FakeHost(
        {
            "site": [{"key": key, "value": value} for key, value in site.items()],
            "passwd": [{"key": "rhevm", "username": "admin", "password": "secret"}],
            "vm": [{"node": node, "mgr": name} for node in NODES],
        }
    )


def typed(managers: Managers, xcat: FakeHost, *words: str) -> list[Message]:
    return list(Dispatcher(managers).run(Request(words[0], NODES, tuple(words[1:])), xcat))


@pytest.mark.parametrize("ca", [True, False], ids=["named CA", "CA to fetch"])
def test_a_whole_command_ends_with_its_timeout(mute: Mute, tmp_path: Path, ca: bool) -> None:
    with closing(Managers(SystemClock())) as managers:
        said = typed(managers, xcat_of(mute.name, mute.ca if ca else "", tmp_path), "rpower", "stat", "--timeout", "1")
    assert [(type(message), message.node) for message in said] == [(Error, node) for node in NODES]
    assert all(
        message.text.startswith(f"manager {mute.name} did not answer: not done within the 1 s of --timeout")
        for message in said
    )


def test_a_port_that_never_answers_is_told_as_that(tmp_path: Path) -> None:
    """It is no missing CA: no other address is asked for one."""
    with closing(Mute(tmp_path, False)) as mute, closing(Managers(SystemClock())) as managers:
        said = typed(managers, xcat_of(mute.name, "", tmp_path), "rpower", "stat")
    errors = [message for message in said if isinstance(message, Error)]
    assert len(errors) == 2 and "accepts connections, but does not answer" in errors[0].text


@pytest.fixture
def stopping(tmp_path: Path) -> Iterator[SimulatorProgram]:
    sim = SimulatorProgram("--hosts", "1", "--vms", "2", "--delays", "0")
    yield sim
    os.kill(sim.program.pid, signal.SIGCONT)
    sim.close()


def test_an_engine_that_stops_in_the_middle(
    stopping: SimulatorProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections are warm, so that it takes the request and is silent then; the person hears of it meanwhile."""
    monkeypatch.setattr(pulse, "FIRST", 1.0)
    xcat = xcat_of(stopping.name, str(stopping.ready["ca"]), tmp_path)
    with closing(Managers(SystemClock())) as managers:
        assert typed(managers, xcat, "rpower", "stat") == [Data("off", node) for node in NODES]
        os.kill(stopping.program.pid, signal.SIGSTOP)
        try:
            said = typed(managers, xcat, "rpower", "on", "--timeout", "7")
        finally:
            os.kill(stopping.program.pid, signal.SIGCONT)
    assert Note(f"waiting for manager {stopping.name} (answering)") in said
    errors = [message for message in said if isinstance(message, Error)]
    assert sorted(message.node for message in errors) == list(NODES)
    assert all("of --timeout" in message.text for message in errors)


def test_what_waits_for_another_that_connects_ends_too(tmp_path: Path) -> None:
    with closing(Mute(tmp_path, True)) as mute, closing(Managers(SystemClock())) as managers:
        xcat = xcat_of(mute.name, mute.ca, tmp_path)
        first = threading.Thread(target=typed, args=(managers, xcat, "rpower", "stat", "--timeout", "20"), daemon=True)
        first.start()
        while not mute._kept:
            time.sleep(0.05)
        said = typed(managers, xcat, "rpower", "stat", "--timeout", "1")
        mute.close = lambda: None  # type: ignore[method-assign]
        Mute.close(mute)
        first.join(300)
    assert not first.is_alive()
    assert [type(message) for message in said] == [Error, Error]
