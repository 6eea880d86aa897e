"""`xcat-rhev agent`: the worker behind the Perl shim. One per machine; keeps the sessions to managers warm."""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import logging
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..abort import Abort
from ..errors import Aborted, RhevError, Usage
from ..files import lock_file, typed_path
from ..messages import Error, Message, error_of
from ..run.dispatch import Dispatcher
from ..run.registry import COMMANDS
from ..xcat.host import Request
from .channel import Channel
from .host import BridgeHost, line_for

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
        self._stopped = False
        self._counting = threading.Lock()

    def serve(self) -> None:
        """Take requests until there were none for a while, another version is installed, or `stop` was called.

        Nobody who has reached the socket is turned away: those that wait in its queue then are served as well.
        """
        self._listener.setblocking(False)
        last = checked = time.monotonic()
        while not self._stopped:
            now = time.monotonic()
            if self._busy:
                last = now
            if now - last >= self._idle:
                break
            if now - checked >= CHECK:
                if outdated():
                    break
                checked = now
            select.select([self._listener], (), (), min(self._idle, CHECK))
            self._take()
        self.stop()
        while self._take():
            pass
        self._listener.close()

    def stop(self) -> None:
        """Take no more connections. Who connects from here on starts the next agent. A signal handler may call it."""
        self._stopped = True
        with suppress(OSError):  # it was before
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the one that waits for connections

    def finish(self) -> None:
        """Wait for the end of what is begun."""
        for _ in range(AT_ONCE):
            self._slots.acquire()

    def _take(self) -> bool:
        """Take a request from the queue; gives whether there was one."""
        self._slots.acquire()
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:
            self._slots.release()
            return False
        self._count(1)
        threading.Thread(target=self._serve_one, args=(connection,), name="request", daemon=True).start()
        return True

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
            log.info("the xCAT plugin ended")
        finally:
            self._count(-1)
            self._slots.release()


def answer(channel: Channel, dispatcher: Dispatcher) -> None:
    """Serve the one request of a connection: messages as they come, then `done`."""
    try:
        item = channel.receive()["request"]
        request, xcat = request_from(item, channel.aborted), BridgeHost(channel, item.get("read"))
    except (RhevError, KeyError, TypeError, ValueError) as problem:
        log.warning("a request that cannot be read: %s", problem)
        different = Error("the xCAT plugin and the agent are of different versions. Run: xcat-rhev install")
        channel.send(line_for(different))
        channel.send({"done": True})
        return
    threading.Thread(target=channel.listen, name="listen", daemon=True).start()
    try:
        for message in _messages(request, xcat, dispatcher):
            channel.send(line_for(message))
            if channel.aborted.is_set():
                return
    except Aborted:
        log.info("%s was stopped", request.command)
    channel.send({"done": True})


def _messages(request: Request, xcat: BridgeHost, dispatcher: Dispatcher) -> Sequence[Message] | Any:
    if request.command not in COMMANDS:
        return [error_of(Usage(f"the agent does not know {request.command}", "Run: xcat-rhev install"))]
    return dispatcher.run(request, xcat)


def request_from(item: dict[str, Any], aborted: Abort) -> Request:
    """Read the shim's request."""
    return Request(
        command=str(item["command"]),
        nodes=tuple(map(str, item.get("nodes") or ())),
        args=tuple(map(str, item.get("args") or ())),
        cwd=str(item.get("cwd") or "/"),
        user=str(item.get("user") or ""),
        asker=str(item.get("asker") or ""),
        stdin=str(item.get("stdin") or ""),
        environment={str(key): str(value) for key, value in (item.get("environment") or {}).items()},
        aborted=aborted,
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
        lock = lock_file(Path(f"{options.socket}.lock"))
        if lock is None:
            return 0
        with lock, _listen(options.socket) as listener:
            agent = Agent(listener, Dispatcher(), options.idle)
            signal.signal(signal.SIGTERM, partial(_on_signal, agent))
            if options.ready:
                print("ready", flush=True)
            agent.serve()
        agent.finish()  # without the lock: what is begun may take hours, and the next agent serves meanwhile
    except OSError as problem:
        print(f"xcat-rhev agent: cannot serve {options.socket}: {problem.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _on_signal(agent: Agent, number: int, frame: object) -> None:
    """End when what is begun is done; a second signal ends it at once."""
    signal.signal(number, signal.SIG_DFL)
    agent.stop()


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xcat-rhev agent",
        description=(
            "Does the work of xCAT's rhevm plugin, which starts this program. One per "
            "machine. SIGTERM ends it when its work is done, a second SIGTERM at once."
        ),
    )
    parser.add_argument("--socket", type=typed_path, default=SOCKET, metavar="FILE", help=f"where to listen ({SOCKET})")
    parser.add_argument(
        "--idle",
        type=float,
        default=IDLE,
        metavar="SECONDS",
        help=f"end after so many seconds without a request ({IDLE})",
    )
    parser.add_argument("--ready", action="store_true", help="print a line when it is ready for requests")
    return parser.parse_args(list(argv))


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
