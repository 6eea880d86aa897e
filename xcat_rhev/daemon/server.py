"""Listening, limits of time and number, and the hand-over of complete requests to worker threads."""

from __future__ import annotations

import errno
import logging
import resource
import socket
import ssl
import threading
import time
from typing import Callable

from ..errors import Usage
from .connection import Connection
from .loop import Loop, Workers

log = logging.getLogger(__name__)

#: Connections at once; beyond them new ones wait in the kernel's queue.
MOST = 1000
#: Threads that look after clients. The cipher's arithmetic, most of the work of a small request, is done outside of the
#: interpreter's lock, so that two do it side by side; more of them spend their time on waiting for that lock.
DOORS = 2
#: Seconds between two looks at the limits of time.
SWEEP = 0.5

#: Serves one request of a connection; runs in a worker thread, never raises, and ends with `Connection.finish`.
Serve = Callable[[Connection, bytes], None]


class Server:
    """Accepts clients and keeps them from being in each other's way.

    Args:
        host: The address to listen on.
        port: The port, or 0 for a free one.
        context: TLS settings.
        serve: What to do with a request.
        workers: How many requests are served at once (`site.xcatmaxconnections`).

    Raises:
        Usage: Nothing can listen there.
    """

    def __init__(self, host: str, port: int, context: ssl.SSLContext, serve: Serve, workers: int = 64) -> None:
        self._workers = Workers(workers)
        self._listener = _listen(host, port)
        self._doors = [_Door(self._listener, context, serve, self._workers) for _ in range(DOORS)]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Serve until `stop`; then give commands that are under way a moment to end."""
        _raise_file_limit()
        first, *others = self._doors
        threads = [threading.Thread(target=door.run, name="door", daemon=True) for door in others]
        for thread in threads:
            thread.start()
        first.run()
        for thread in threads:
            thread.join()
        self._listener.close()
        if not self._workers.wait(3.0):
            log.warning("a command did not end when it was told to")
        for door in self._doors:
            door.loop.close()

    def stop(self) -> None:
        """End `run`; safe in a signal handler."""
        for door in self._doors:
            door.loop.stop()


class _Door:
    """One thread's share of the clients: those that it let in, to the end."""

    new = True

    def __init__(self, listener: socket.socket, context: ssl.SSLContext, serve: Serve, workers: Workers) -> None:
        self.loop = Loop()
        self._listener, self._context, self._serve, self._workers = listener, context, serve, workers
        self._connections: set[Connection] = set()
        self._accepting = True

    def run(self) -> None:
        """Let clients in and look after them until the loop is stopped."""
        self.loop.watch(self._listener, True, False, self)
        self._sweep()
        self.loop.run()
        self.loop.forget(self._listener)
        for connection in list(self._connections):
            connection.close()

    def ready(self) -> None:
        """Accept a client, if no other door was faster."""
        try:
            sock, address = self._listener.accept()
        except OSError as problem:
            if problem.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._pause()
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection = Connection(self.loop, sock, _plain(address[0]), self._context, self)
        except OSError:  # gone already
            sock.close()
            return
        self._connections.add(connection)
        connection.ready()
        if len(self._connections) >= MOST // DOORS:
            self._pause()

    def asked(self, connection: Connection, request: bytes) -> None:
        """Have a request served by a worker."""
        self._workers.do(lambda: self._serve(connection, request))

    def gone(self, connection: Connection) -> None:
        """A connection is closed."""
        self._connections.discard(connection)

    def _pause(self) -> None:
        """Let further clients wait for the next sweep."""
        self._accepting = False
        self.loop.forget(self._listener)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            connection.expire(now)
        if not self._accepting and len(self._connections) < MOST // DOORS:
            self._accepting = True
            self.loop.watch(self._listener, True, False, self)
        self.loop.later(SWEEP, self._sweep)


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
