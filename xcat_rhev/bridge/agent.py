"""`xcat-rhev agent`: the worker behind the Perl shim. One per machine; keeps the sessions to managers warm."""

from __future__ import annotations

import argparse
import fcntl
import importlib
import importlib.metadata
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from .. import __version__
from ..abort import Abort
from ..dispatch import COMMANDS, Dispatcher
from ..errors import Aborted, RhevError, Usage
from ..messages import Error, Message, error_of
from ..xcat.host import Request
from .channel import Channel
from .host import BridgeHost, message_to

log = logging.getLogger(__name__)

SOCKET = Path("/var/run/xcat/xcat-rhev.sock")
#: How many requests may be under way; a further one waits in the socket's queue.
AT_ONCE = 64
#: Seconds without a request after which the agent ends.
IDLE = 15 * 60
#: Seconds between two looks at the installed version.
CHECK = 5.0


class Agent:
    """Serves requests from a listening unix socket.

    Args:
        listener: The socket.
        dispatcher: What carries the requests out.
        idle: Seconds without work after which `serve` returns.
    """

    def __init__(self, listener: socket.socket, dispatcher: Dispatcher, idle: float = IDLE) -> None:
        self._listener = listener
        self._dispatcher = dispatcher
        self._idle = idle
        self._slots = threading.Semaphore(AT_ONCE)
        self._busy = 0
        self._counting = threading.Lock()

    def serve(self) -> None:
        """Take requests until there were none for a while, or another version is installed."""
        self._listener.settimeout(min(self._idle, CHECK))
        last = checked = time.monotonic()
        while True:
            now = time.monotonic()
            if self._busy:
                last = now
            if now - last >= self._idle:
                break
            if now - checked >= CHECK:
                if outdated():
                    break
                checked = now
            self._take()
        self._listener.close()  # from here on the shim starts the next agent

    def finish(self) -> None:
        """Wait for the end of what is begun."""
        for _ in range(AT_ONCE):
            self._slots.acquire()

    def _take(self) -> None:
        self._slots.acquire()
        try:
            connection, _ = self._listener.accept()
        except socket.timeout:
            self._slots.release()
            return
        self._count(1)
        threading.Thread(target=self._serve_one, args=(connection,), name="request", daemon=True).start()

    def _count(self, more: int) -> None:
        with self._counting:
            self._busy += more

    def _serve_one(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        try:
            with connection, connection.makefile("rb") as reader, connection.makefile("wb") as writer:
                answer(Channel(reader, writer), self._dispatcher)
                connection.shutdown(socket.SHUT_RDWR)  # ends the thread that listens, before its file is closed
        except OSError:
            log.info("the shim went away")
        finally:
            self._count(-1)
            self._slots.release()


def answer(channel: Channel, dispatcher: Dispatcher) -> None:
    """Serve the one request of a connection: messages as they come, then `done`."""
    try:
        request = request_from(channel.receive()["request"], channel.aborted)
    except (RhevError, KeyError, TypeError, ValueError) as problem:
        log.warning("a request that cannot be read: %s", problem)
        channel.send({"say": message_to(Error("the xCAT plugin and the agent do not fit. Run: xcat-rhev install"))})
        channel.send({"done": True})
        return
    threading.Thread(target=channel.listen, name="listen", daemon=True).start()
    try:
        for message in _messages(request, channel, dispatcher):
            channel.send({"say": message_to(message)})
            if channel.aborted.is_set():
                return
    except Aborted:
        log.info("%s was stopped", request.command)
    channel.send({"done": True})


def _messages(request: Request, channel: Channel, dispatcher: Dispatcher) -> Sequence[Message] | Any:
    if request.command not in COMMANDS:
        return [error_of(Usage(f"the agent does not know {request.command}", "Run: xcat-rhev install"))]
    return dispatcher.run(request, BridgeHost(channel))


def request_from(item: dict[str, Any], aborted: Abort) -> Request:
    """Read the shim's request."""
    return Request(
        command=str(item["command"]), nodes=tuple(map(str, item.get("nodes") or ())),
        args=tuple(map(str, item.get("args") or ())), cwd=str(item.get("cwd") or "/"), user=str(item.get("user") or ""),
        asker=str(item.get("asker") or ""), stdin=str(item.get("stdin") or ""),
        environment={str(key): str(value) for key, value in (item.get("environment") or {}).items()}, aborted=aborted,
    )


def outdated() -> bool:
    """Whether another version of the product has been installed since this process began."""
    try:
        importlib.invalidate_caches()
        return importlib.metadata.version("xcat-rhev") != __version__
    except importlib.metadata.PackageNotFoundError:
        return False


def main(argv: Sequence[str]) -> int:
    """Run the agent.

    Returns:
        0 at its end, also when another agent serves already; 1 when the socket cannot be made.
    """
    options = _options(argv)
    os.umask(0o022)  # web and TFTP servers read what is written here, whatever umask xcatd was started with
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        options.socket.parent.mkdir(parents=True, exist_ok=True)
        lock = _only_one(options.socket)
        if lock is None:
            return 0
        with lock, _listen(options.socket) as listener:
            if options.ready:
                print("ready", flush=True)
            agent = Agent(listener, Dispatcher(), options.idle)
            agent.serve()
        agent.finish()  # without the lock: what is begun may take hours, and the next agent serves meanwhile
    except OSError as problem:
        print(f"xcat-rhev agent: cannot serve {options.socket}: {problem.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xcat-rhev agent",
        description="Work for xCAT's rhevm plugin, which starts this by itself. One per machine.",
    )
    parser.add_argument("--socket", type=Path, default=SOCKET, metavar="FILE", help=f"where to listen ({SOCKET})")
    parser.add_argument("--idle", type=float, default=IDLE, metavar="SECONDS", help=f"end after so long ({IDLE})")
    parser.add_argument("--ready", action="store_true", help="print a line when requests can come")
    return parser.parse_args(list(argv))


def _only_one(path: Path) -> IO[str] | None:
    """Hold the lock of this socket; the kernel frees it however the agent ends. None: another agent has it."""
    lock = open(f"{path}.lock", "w")  # noqa: SIM115 - held until the process ends
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # root alone may connect, from the first moment
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(256)
    return listener
