"""A Host behind real Perl: test -> BridgeHost -> agent's socket -> shim -> stand-ins of xCAT's modules -> another Host.

So the shim and the bridge are tried with the very semantics that the Host at the end has.
"""

from __future__ import annotations

import json
import os
import queue
import select
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from xcat_rhev.bridge.agent import Agent
from xcat_rhev.bridge.host import message_to
from xcat_rhev.cli.shim import SHIM
from xcat_rhev.errors import RhevError
from xcat_rhev.messages import Message
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request, Xcat
from xcat_rhev.xcat.schema import TABLES

PERL = Path(__file__).parent / "perl"
PERL_THERE = (
    shutil.which("perl") is not None
    and not subprocess.run(["perl", "-MJSON", "-e1"], check=False, capture_output=True).returncode
)


class Backend:
    """Answers the stand-ins of xCAT's Perl modules from a Host.

    Args:
        path: The socket that they connect to.
        behind: The Host.
    """

    def __init__(self, path: Path, behind: Xcat) -> None:
        self._behind = behind
        self._listener = listen(path)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """Take no further connection, and see all ended."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(300)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            for line in lines:
                lines.write(json.dumps(self._answer(*json.loads(line))).encode() + b"\n")
                lines.flush()

    def _answer(self, name: str, *arguments: Any) -> dict[str, Any]:
        if name == "schema":
            return {"value": [[table.name, list(table.columns)] for table in TABLES.values()]}
        try:
            value = getattr(self._behind, name)(*arguments)
        except RhevError as problem:
            return {"error": str(problem)}
        return {"value": [message_to(message) for message in value] if name == "run" else value}


def perl_environment(folder: Path) -> dict[str, str]:
    """What the shim and the stand-ins need: both sockets are in a folder."""
    return {
        **os.environ,
        "XCATROOT": str(PERL / "backed"),
        "SHIM": str(SHIM),
        "STUB_BACKEND": str(folder / "backend.sock"),
        "XCAT_RHEV_SOCKET": str(folder / "agent.sock"),
        "XCAT_RHEV_PROGRAM": "/nonexistent",
    }


def listen(path: Path) -> socket.socket:
    """A listening unix socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


@contextmanager
def served(path: Path, dispatcher: Any) -> Iterator[None]:
    """An agent on a socket until the block ends, however long Perl takes to come on a busy machine."""
    agent = Agent(listen(path), dispatcher)
    thread = threading.Thread(target=agent.serve)
    thread.start()
    yield
    agent.stop()
    thread.join(300)
    assert not thread.is_alive()


class Bridged:
    """One request that stays open while a test asks its Host.

    Args:
        folder: For the sockets.
        behind: The Host at the end.

    Attributes:
        host: The BridgeHost to ask.
    """

    def __init__(self, folder: Path, behind: Xcat) -> None:
        self._hosts: queue.SimpleQueue[Xcat] = queue.SimpleQueue()
        self._over = threading.Event()
        self._backend = Backend(folder / "backend.sock", behind)
        listener = listen(folder / "agent.sock")
        self._agent = threading.Thread(target=Agent(listener, cast(Dispatcher, self), idle=0.2).serve)
        self._perl = subprocess.Popen(
            ["perl", str(PERL / "driver.pl")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=perl_environment(folder),
        )
        assert self._perl.stdin is not None
        self._perl.stdin.write(json.dumps({"command": ["copycd"]}).encode())
        self._perl.stdin.close()
        assert select.select([listener], [], [], 300)[0], "Perl does not come"
        self._agent.start()  # not before: it ends when it has nothing to do for a moment
        self.host = self._hosts.get(timeout=300)

    def run(self, request: Request, host: Xcat) -> Iterator[Message]:
        """Stand where the Dispatcher stands: hand the Host out and wait."""
        self._hosts.put(host)
        self._over.wait(300)
        return iter(())

    def close(self) -> None:
        """End the request."""
        self._over.set()
        self._perl.wait(300)
        self._agent.join(300)
        self._backend.close()
