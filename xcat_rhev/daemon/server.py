"""Listening, and limits of time and number."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import ssl
import time
from collections.abc import Collection
from contextlib import nullcontext
from typing import Callable

from ..addresses import plain
from ..errors import Usage
from ..ports import cannot_listen
from .connection import Connection
from .crowd import FIRST, STRANGERS, USERS, Crowd
from .heartbeat import Heartbeat
from .leader import Leader
from .login_throttle import source
from .loop import Loop
from .pace import Pace
from .turns import Client

log = logging.getLogger(__name__)

#: Connections at once; beyond them new ones wait in the kernel's queue.
MOST = 1024
#: Clients that are accepted in one turn of the loop.
ACCEPTED = 256
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
        first: The names in certificates of those who are served first: root, and the daemons.

    Raises:
        Usage: Nothing can listen there.
    """

    #: New clients come after those who are here, but for strangers.
    rank, weight = 3, 0

    def __init__(
        self,
        host: str,
        port: int,
        context: ssl.SSLContext,
        serve: Serve,
        most: int = 64,
        first: Collection[str] = ("root",),
    ) -> None:
        self.serve, self.seen = serve, 0
        self._context, self._first_names = context, frozenset(first)
        self._listener = _listen(host, port)
        self._loop = Loop()
        self._duty = Leader(self._loop, most)
        self.pace = Pace()
        self._heartbeat = Heartbeat()
        #: The clients that are connected, by kind.
        self.connections: set[Connection] = set()
        self.strangers: Crowd[Connection] = Crowd(STRANGERS)
        self.users: Crowd[Connection] = Crowd(USERS)
        self._first: Crowd[Connection] = Crowd(FIRST)
        self._accepting = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until `stop`; then give commands that are under way a moment to end.

        Raises:
            Bug: The loop has ended by itself, and nothing is served any more.
        """
        _raise_file_limit()
        self._loop.watch(self._listener, True, False, self)
        self._sweep()
        self._heartbeat.ready()
        try:
            self._duty.run()
        finally:
            self._loop.forget(self._listener)
            for connection in list(self.connections):
                connection.close()
            self._listener.close()
        if not self.idle(3.0):
            log.warning("a command did not end when it had to")
        self._loop.close()

    def stop(self) -> None:
        """End `run`; safe in a signal handler."""
        self._loop.stop()

    def idle(self, seconds: float = 0.0) -> bool:
        """Whether no request is under way, or none will be in some seconds."""
        return self._duty.wait(seconds)

    def ready(self) -> None:
        """Accept clients."""
        for _ in range(ACCEPTED):
            try:
                sock, address = self._listener.accept()
            except OSError as problem:
                if problem.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause()
                return
            try:
                self._take_in(sock, plain(address[0]))
            except Exception as problem:  # gone already, or no memory: there will be others
                sock.close()
                log.debug("a client could not be accepted: %s", type(problem).__name__)
        if len(self.connections) >= MOST:
            self._pause()

    def on_request(self, connection: Connection, request: bytes) -> None:
        """Have a request served."""
        share = connection.share
        client = Client(share.key, share.kind is self.strangers, share.kind is self._first)
        self._duty.add(lambda: self._serve(connection, request), client)

    def takes_long(self) -> None:
        """Let the loop go on without the calling thread."""
        self._duty.hand_over()

    def on_login(self, connection: Connection) -> None:
        """Count a connection for its user."""
        if connection.peer:
            self.strangers.leave(connection, connection.share)
            crowd = self._first if connection.peer in self._first_names else self.users
            self._join(connection, crowd, connection.peer)

    def on_close(self, connection: Connection) -> None:
        """A connection is closed."""
        self.connections.discard(connection)
        connection.share.kind.leave(connection, connection.share)

    def _take_in(self, sock: socket.socket, address: str) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._loop, sock, address, self._context, self)
        self.connections.add(connection)
        self._join(connection, self.strangers, source(address))
        connection.ready()

    def _join(self, connection: Connection, crowd: Crowd[Connection], key: str) -> None:
        connection.share, goes = crowd.join(connection, key)
        if goes is not None:
            log.debug("connection of %s is closed for one of %s", goes.address, connection.address)
            goes.close()

    def _serve(self, connection: Connection, request: bytes) -> None:
        """Serve a request; a mistake ends the connection that it came by."""
        first = self.pace.first() if connection.share.kind is self._first else nullcontext()
        try:
            with first:
                self.serve(connection, request)
        except Exception as problem:
            self._loop.call(connection.close)
            log.error("a request of %s ends: %s", connection.address, type(problem).__name__, exc_info=problem)
        finally:
            self.pace.rest()

    def _pause(self) -> None:
        """Let further clients wait for the next sweep."""
        self._accepting = False
        self._loop.forget(self._listener)

    def _sweep(self) -> None:
        now = time.monotonic()
        self._heartbeat.beat(now)
        for connection in list(self.connections):
            connection.expire(now)
        if not self._accepting and len(self.connections) < MOST:
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
        raise Usage(cannot_listen(host, port, problem)) from problem
    listener.setblocking(False)
    return listener


def _raise_file_limit() -> None:
    """A connection is a file; many systems start a process with 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MOST
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
