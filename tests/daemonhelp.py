"""The embedded xcatd inside the test's own process: its commands with sockets and without, and its printed answers."""

from __future__ import annotations

import atexit
import shutil
import socket
import sqlite3
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Callable

import pytest
from sqlalchemy import Engine, event

from xcat_rhev.daemon import certificates, firststart
from xcat_rhev.daemon.access import server_context
from xcat_rhev.daemon.database import DatabaseLocation, locate
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.reply import Output, Reply
from xcat_rhev.daemon.server import Server
from xcat_rhev.daemon.session import Sessions
from xcat_rhev.daemon.store import Store
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.daemon.xcatd import Xcatd
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat import answers, wire
from xcat_rhev.xcat.host import Request
from xcat_rhev.xcat.wire import WireRequest, write_request

END = b"</xcatresponse>\n"


@event.listens_for(Engine, "connect")
def _power_stays_on(connection: object, _record: object) -> None:
    """What this process writes need not outlive a loss of power: waiting for the disk took longer than most tests."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


@cache
def _first_home() -> Home:
    """A home as a first start leaves it but for the rows of site and policy: keys and fifty files, made once."""
    folder = tempfile.TemporaryDirectory(prefix="first-home-")
    atexit.register(folder.cleanup)
    home = Home(Path(folder.name))
    home.make()
    store = Store(locate(home.config))
    store.create()
    store.close()
    certificates.make_all(home, "mn", ["127.0.0.1"])
    return home


def begin(home: Home) -> bool:
    """Give a home certificates of the daemon `mn` at 127.0.0.1, the same for all homes of a run, and tables.

    Returns:
        Whether it was empty.
    """
    empty = not home.config.exists() or not any(home.config.iterdir())
    if empty:
        shutil.copytree(_first_home().root, home.root, dirs_exist_ok=True)
    home.make()
    return empty


class Inside:
    """A daemon below a folder; `type` gives what a client would print, `rc` its exit code.

    Args:
        folder: An empty folder.
        location: Where the tables are, if not there.
    """

    def __init__(self, folder: Path, location: DatabaseLocation | None = None) -> None:
        self.home = Home(folder)
        fresh = begin(self.home)
        self.store = Store(location or locate(self.home.config))
        if location or not fresh:
            self.store.create()
        firststart.fill(self.store, self.home, "mn", "127.0.0.1", 3001)
        self.xcatd = Xcatd(self.home, self.store, Dispatcher())
        self.rc = 0

    def said(self, command: str, *args: str, on: str | None = None, **more: Any) -> Iterator[Output]:
        """Run a command as a client's request would."""
        tables = Tables(self.store)
        nodes = tables.expand(on).nodes if on else ()
        request = Request(command, nodes, args, str(self.home.root), "root", stdin=str(more.get("stdin", "")))
        given = WireRequest(command=command, noderange=on, args=args, **{k: v for k, v in more.items() if k != "stdin"})
        return self.xcatd.perform(request, tables, wire=given)

    def type(self, command: str, *args: str, on: str | None = None, **more: Any) -> list[str]:
        """Run a command and print the answer as a client does; errors too, in the order of the answer."""
        self.rc = 0
        lines: list[str] = []
        for said in self.said(command, *args, on=on, **more):
            document = wire.write_response(said.fields) if isinstance(said, Reply) else wire.write_messages((said,), "")
            for one in wire.split(document)[0]:
                response = wire.read_response(one)
                self.rc |= answers.exit_code(response)
                lines += [line.text.rstrip("\n") for line in answers.printed_lines(response)]
        return lines

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a table that count."""
        return Tables(self.store).rows(name)

    def close(self) -> None:
        """End its threads."""
        self.xcatd.audit.close()
        self.store.close()


class Served(Inside):
    """A daemon that listens, in a thread of the test."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = Server("127.0.0.1", 0, server_context(self.home), Sessions(self.xcatd).serve)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def context(self, cert: Any = True) -> ssl.SSLContext:
        """How a client connects: with root's certificate, without one, or with that of a file."""
        context = ssl.create_default_context(cafile=str(self.home.client / "ca.pem"))
        if cert:
            context.load_cert_chain(self.home.client / "client-cred.pem" if cert is True else cert)
        return context

    def connect(self, cert: Any = True) -> ssl.SSLSocket:
        """Connect as a client."""
        raw = socket.create_connection(("127.0.0.1", self.server.port), 300)
        return self.context(cert).wrap_socket(raw, server_hostname="localhost")

    def ask(self, request: Any, cert: Any = True) -> bytes:
        """Send bytes or a request, and read to the last document."""
        with self.connect(cert) as sock:
            sock.sendall(request if isinstance(request, bytes) else write_request(request))
            return read(sock)

    def close(self) -> None:
        """End it."""
        self.server.stop()
        self.thread.join(300)
        assert not self.thread.is_alive()
        super().close()


def read(sock: ssl.SSLSocket, end: bytes = b"<serverdone>") -> bytes:
    """Read to the document that holds `end`, or to the connection's end."""
    found = bytearray()
    while not (found.endswith(END) and end in found):
        part = sock.recv(65536)
        if not part:
            break
        found += part
    return bytes(found)


def until(true: Callable[[], object], what: str = "it came true") -> None:
    """Wait for something that has no time of its own."""
    for _ in range(12_000):
        if true():
            return
        time.sleep(0.025)
    pytest.fail(f"not within five minutes: {what}")
