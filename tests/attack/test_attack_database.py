"""A database server that freezes: the kernel in front of it still says that all is well."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace

import pytest

import databases
from daemonhelp import Inside, until
from xcat_rhev.daemon import servers
from xcat_rhev.errors import RhevError, Unreachable


class Freezer:
    """Stands before a server: takes everything, and hands it on while the server is not frozen.

    Args:
        port: The server's.
    """

    def __init__(self, port: int) -> None:
        self._target, self._runs = port, threading.Event()
        self._runs.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """Nothing comes back from now on."""
        self._runs.clear()

    def thaw(self) -> None:
        """All that came meanwhile arrives."""
        self._runs.set()

    def close(self) -> None:
        """Take no further connections."""
        self.thaw()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._relay, args=(one, other), daemon=True).start()

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                self._runs.wait(60)
                other.sendall(data)
        except OSError:
            pass
        for sock in (one, other):
            sock.close()


@pytest.fixture(scope="module", params=[databases.postgresql, databases.mariadb], ids=["postgresql", "mariadb"])
def location(request):
    with request.param() as found:
        if found is None:
            pytest.skip("no such server here")
        yield found


@pytest.fixture
def server(location):
    made = Freezer(location.port)
    yield made
    made.close()


@pytest.fixture
def xcat(tmp_path, location, server, monkeypatch):
    Inside(tmp_path / "mn", location).close()  # makes the tables, however long a busy machine takes
    monkeypatch.setattr(servers, "ANSWER", 3)
    made = Inside(tmp_path / "mn", replace(location, port=server.port))
    yield made
    server.thaw()
    made.close()


def works(xcat):
    try:
        return xcat.type("nodels", on="n1") == ["n1"]
    except RhevError:
        return False


def test_a_frozen_server_is_named_and_serves_again_later(xcat, server):
    xcat.type("nodeadd", "n1", "groups=all")
    assert works(xcat)
    server.freeze()
    with pytest.raises(Unreachable) as found:
        xcat.store.rows("nodelist")
    assert f"port={server.port}" in str(found.value) and "Check the database server" in str(found.value)
    server.thaw()
    until(lambda: works(xcat))


def test_all_who_wait_get_an_answer(xcat, server):
    said = []

    def asks():
        try:
            said.append(xcat.store.rows("site"))
        except RhevError as problem:
            said.append(problem)

    server.freeze()
    askers = [threading.Thread(target=asks) for _ in range(12)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(300)
    assert len(said) == 12 and all(isinstance(one, RhevError) for one in said)


def test_a_change_that_was_under_way_is_not_half_there(xcat, server):
    xcat.type("nodeadd", "n1", "groups=all")
    with pytest.raises(RhevError), xcat.store.change("nodelist") as change:
        change.add({"node": "half"})
        server.freeze()
        change.add({"node": "other"})
    server.thaw()
    until(lambda: works(xcat))
    names = {row["node"] for row in xcat.store.rows("nodelist")}
    assert names in ({"n1"}, {"n1", "half", "other"})
