"""Listening, and limits of time and number."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import ssl
import time
from typing import Callable

from ..errors import Usage
from .connection import Connection
from .duty import Duty
from .loop import Loop

log = logging.getLogger(__name__)

#: Connections at once; beyond them new ones wait in the kernel's queue.
MOST = 1000
#: Seconds between two looks at the limits of time.
SWEEP = 0.5

#: Serves one request of a connection; never raises, and ends with `Connection.finish`.
Serve = Callable[[Connection, bytes], None]


class Server:
    """Accepts clients and keeps them from being in each other's way.

    Args:
        host: The address to listen on.
        port: The port, or 0 for a free one.
        context: TLS settings.
        serve: What to do with a request.
        most: How many requests are served at once (`site.xcatmaxconnections`).

    Raises:
        Usage: Nothing can listen there.
    """

    #: New clients come after those who are here.
    rank = 3

    def __init__(self, host: str, port: int, context: ssl.SSLContext, serve: Serve, most: int = 64) -> None:
        self._context, self._serve = context, serve
        self._listener = _listen(host, port)
        self._loop = Loop()
        self._duty = Duty(self._loop, most)
        self._connections: set[Connection] = set()
        self._accepting = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until `stop`; then give commands that are under way a moment to end."""
        _raise_file_limit()
        self._loop.watch(self._listener, True, False, self)
        self._sweep()
        self._duty.run()
        self._loop.forget(self._listener)
        for connection in list(self._connections):
            connection.close()
        self._listener.close()
        if not self.idle(3.0):
            log.warning("a command did not end when it was told to")
        self._loop.close()

    def stop(self) -> None:
        """End `run`; safe in a signal handler."""
        self._loop.stop()

    def idle(self, seconds: float = 0.0) -> bool:
        """Whether no request is under way, or none will be in some seconds."""
        return self._duty.wait(seconds)

    def ready(self) -> None:
        """Accept a client."""
        try:
            sock, address = self._listener.accept()
        except OSError as problem:
            if problem.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._pause()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = Connection(self._loop, sock, _plain(address[0]), self._context, self)
        except OSError:  # gone already
            sock.close()
            return
        self._connections.add(connection)
        connection.ready()
        if len(self._connections) >= MOST:
            self._pause()

    def asked(self, connection: Connection, request: bytes) -> None:
        """Have a request served."""
        self._duty.add(lambda: self._serve(connection, request))

    def takes_long(self) -> None:
        """Let the loop go on without the calling thread."""
        self._duty.hand_over()

    def gone(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)

    def _pause(self) -> None:
        """Let further clients wait for the next sweep."""
        self._accepting = False
        self._loop.forget(self._listener)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            connection.expire(now)
        if not self._accepting and len(self._connections) < MOST:
            self._accepting = True
            self._loop.watch(self._listener, True, False, self)
        self._loop.later(SWEEP, self._sweep)


def _listen(host: str, port: int) -> socket.socket:
    try:
        info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as problem:
        raise Usage(f"--host {host}: no such address", "Write an address of this machine") from problem
    listener = socket.socket(info[0], info[1])
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if info[0] == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # `--host ::` means every address
        listener.bind(info[4])
        listener.listen(1024)
    except OSError as problem:
        listener.close()
        raise Usage(
            f"cannot listen on {host} port {port}: {problem.strerror}",
            "Choose another port with --port, or 0 for a free one",
        ) from problem
    listener.setblocking(False)
    return listener


def _plain(address: str) -> str:
    """An IPv4 client on an IPv6 socket is an IPv4 client."""
    return address[7:] if address.startswith("::ffff:") else address.partition("%")[0]


def _raise_file_limit() -> None:
    """A connection is a file; many systems start a process with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
