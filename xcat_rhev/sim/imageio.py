"""The daemon of the hosts through which images go in and out: tickets, ranges, zeros and extents, over HTTPS.

It answers as ovirt-imageio 2.5 does. The engine gives it tickets, and asks it how far they are.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from cheroot.server import Gateway

from .certs import Certificates
from .contents import Contents, data_of, dirty_extents, zero_extents
from .https import EngineTls, HttpsServer

log = logging.getLogger(__name__)

PIECE = 1 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_DENIED = "You are not allowed to access this resource: {}"


class Failure(Exception):
    """A refusal: its status, its text."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers


@dataclass
class ImageTicket:
    """The right to read or to write one image.

    Attributes:
        id: Who has it may use it.
        path: The file.
        size: How far it goes.
        writes: To write and not to read.
        before: How the image was at the checkpoint whose changes are asked for.
        touched: When something was done last.
        active: How much is being done now.
        done: What has been transferred, as (start, end) without gaps between.
    """

    id: str
    path: Path
    size: int
    writes: bool
    before: Path | None = None
    touched: float = 0.0
    active: int = 0
    done: list[tuple[int, int]] = field(default_factory=list)

    def add(self, start: int, end: int) -> None:
        """Something was transferred."""
        merged: list[tuple[int, int]] = []
        for one in sorted([*self.done, (start, end)]):
            if merged and one[0] <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(one[1], merged[-1][1]))
            else:
                merged.append(one)
        self.done = merged

    @property
    def bytes_done(self) -> int:
        """How many bytes."""
        return sum(end - start for start, end in self.done)


class ImageDaemon:
    """The daemon; it listens from the first ticket on.

    Args:
        certificates: What it shows.
        host: The address to listen on.
        now: The world's date.
        folder: Where images are kept.

    Attributes:
        contents: What is on the disks.
        cut_after: After so many bytes of one image it breaks off, once; for tests.
        stopped_at: After so many bytes of one image something is called, once; for tests.
        direct: Hosts are within reach of others than the manager.
        written: Bytes that came.
        largest: Bytes of the largest piece that came, or was asked for, at once.
        requests: What was asked for.
        seen: The tickets that there were.
    """

    def __init__(
        self, certificates: Certificates, host: str, now: Callable[[], float], folder: Path | None = None
    ) -> None:
        self._certificates, self._host, self.now = certificates, host, now
        self.contents = Contents(folder)
        self.tickets: dict[str, ImageTicket] = {}
        self.cut_after: int | None = None
        self.stopped_at: tuple[int, Callable[[], object]] | None = None
        self.direct = True
        self.written = self.largest = 0
        self.requests: list[str] = []
        self.seen: list[str] = []
        self._server: HttpsServer | None = None
        self._thread: threading.Thread | None = None

    def admit(self, ticket: ImageTicket) -> None:
        """Take a ticket, and begin to listen."""
        ticket.touched = self.now()
        self.tickets[ticket.id] = ticket
        self.seen.append(ticket.id)
        if self._server is None:
            self._listen()

    def host_url(self, ticket_id: str) -> str:
        """Where a ticket is used, at the host: nobody listens there if that is out of reach."""
        return self.url(ticket_id) if self.direct else f"https://{self._host}:1/images/{ticket_id}"

    def url(self, ticket_id: str) -> str:
        """Where a ticket is used, at the manager."""
        assert self._server is not None
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"https://{host}:{self._server.bind_addr[1]}/images/{ticket_id}"

    def _listen(self) -> None:
        server = _ImageServer((self._host, 0), _ImageGateway, minthreads=8, maxthreads=8, server_name="imageio")
        server.daemon, server.expiration_interval = self, 0.1
        server.ssl_adapter = EngineTls(self._certificates)
        server.prepare()
        self._thread = threading.Thread(target=server.serve, daemon=True)
        self._thread.start()
        self._server = server

    def stop(self) -> None:
        """End it."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join(300)
        self.contents.close()


class _ImageServer(HttpsServer):
    """The server of a daemon."""

    daemon: ImageDaemon

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Keep broken connections out of people's sight."""
        log.debug(msg, exc_info=traceback)


class _ImageGateway(Gateway):
    """Answers one request."""

    def respond(self) -> None:
        """See `Gateway`."""
        req = self.req
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in req.inheaders.items()}
        path, _, query = req.uri.decode("latin-1").partition("?")
        try:
            _Exchange(req, headers, dict(parse_qsl(query))).answer(req.method.decode(), path.strip("/").split("/"))
        except Failure as failure:
            req.close_connection = req.close_connection or failure.status == 403 or req.method == b"PUT"
            told = {"Content-Type": "text/plain; charset=UTF-8", **failure.headers}
            _reply(req, failure.status, f"{failure.text}\n".encode(), told)
        except _Cut:
            req.close_connection = req.sent_headers = True
            with contextlib.suppress(OSError):
                req.conn.socket.shutdown(2)


class _Cut(Exception):
    """A test wants the connection broken off."""


@dataclass
class _Exchange:
    """One request and its answer."""

    req: Any
    headers: dict[str, str]
    query: dict[str, str]

    @property
    def daemon(self) -> ImageDaemon:
        daemon: ImageDaemon = self.req.server.daemon
        return daemon

    def answer(self, method: str, steps: list[str]) -> None:
        self.daemon.requests.append(f"{method} {'/'.join([steps[0], '{id}', *steps[2:]])}")
        if steps[0] != "images" or len(steps) < 2 or not steps[1]:
            raise Failure(404, f"No handler for {'/'.join(steps)!r}")
        does: dict[str, Callable[[ImageTicket], None]]
        does = {"GET": self.read, "PUT": self.write, "PATCH": self.patch, "OPTIONS": self.options}
        work = self.extents if steps[2:] == ["extents"] and method == "GET" else does.get(method)
        if work is None:
            raise Failure(405, f"Method {method!r} not defined for this resource")
        ticket = self.daemon.tickets.get(steps[1])
        if ticket is None:
            raise Failure(403, _DENIED.format(f"No such ticket {steps[1]}"))
        if method in ("PUT", "PATCH") and not ticket.writes:
            raise Failure(403, _DENIED.format(f"Ticket {ticket.id} forbids write"))
        ticket.active += 1
        try:
            work(ticket)
        finally:
            ticket.active -= 1
            ticket.touched = self.daemon.now()

    def options(self, ticket: ImageTicket) -> None:
        """What can be done with it."""
        features = ["checksum", "extents", *(["flush", "zero"] if ticket.writes else [])]
        allow = "OPTIONS,GET" + (",PUT,PATCH" if ticket.writes else "")
        told = {"features": features, "max_readers": 8, "max_writers": 8}
        self.json(told, Allow=allow)

    def extents(self, ticket: ImageTicket) -> None:
        """Which parts are zero, or have changed."""
        context = self.query.get("context", "zero")
        if context not in ("zero", "dirty"):
            told = f"Unsupported value {context!r} for 'context', expecting one of ['dirty', 'zero']"
            raise Failure(400, told)
        if context == "dirty" and ticket.before is None:
            raise Failure(404, "Ticket does not support dirty extents")
        if ticket.before is not None and context == "dirty":
            self.json(dirty_extents(ticket.before, ticket.path, ticket.size))
        else:
            self.json(zero_extents(ticket.path, ticket.size))

    def read(self, ticket: ImageTicket) -> None:
        """Send a range."""
        start, end = self.requested_range(ticket)
        size = end - start
        self.daemon.largest = max(self.daemon.largest, size)
        told = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
        if "range" in self.headers:
            told["Content-Range"] = f"bytes {start}-{end - 1}/{ticket.size}"
        _head(self.req, 206 if "range" in self.headers else 200, size, told)
        with ticket.path.open("rb") as file:
            file.seek(start)
            for at in range(start, end, PIECE):
                piece = file.read(min(PIECE, end - at))
                self.may_cut(ticket)
                try:
                    self.req.conn.socket.sendall(piece)
                except OSError:
                    raise _Cut from None
                ticket.add(at, at + len(piece))

    def requested_range(self, ticket: ImageTicket) -> tuple[int, int]:
        """The range that is asked for, as start and end."""
        available = min(ticket.size, ticket.path.stat().st_size)
        if "range" not in self.headers:
            return 0, available
        found = _RANGE.fullmatch(self.headers["range"])
        if not found or found[2] and int(found[2]) < int(found[1]):
            told = f"Cannot satisfy range {self.headers['range']!r}, invalid range or multiple ranges"
            raise Failure(416, told)
        start, end = int(found[1]), int(found[2]) + 1 if found[2] else available
        if end > ticket.size:
            raise Failure(416, "Requested range out of allowed range", **{"Content-Range": f"bytes */{ticket.size}"})
        if end > available:
            told = f"Requested more bytes than available: {end} > {available}"
            raise Failure(416, told, **{"Content-Range": f"bytes */{available}"})
        return start, end

    def write(self, ticket: ImageTicket) -> None:
        """Take a range."""
        if "content-length" not in self.headers:
            raise Failure(400, "Content-Length header is required")
        size, start = int(self.headers["content-length"]), 0
        if "content-range" in self.headers:
            found = _CONTENT_RANGE.fullmatch(self.headers["content-range"])
            if not found or int(found[1]) > int(found[2]):
                raise Failure(400, f"Invalid Content-Range {self.headers['content-range']!r}")
            start = int(found[1])
        self.check_range(ticket, start, size)
        self.daemon.largest = max(self.daemon.largest, size)
        with ticket.path.open("r+b") as file:
            file.seek(start)
            done = 0
            while done < size:
                piece = self.req.rfile.read(min(PIECE, size - done))
                if not piece:
                    raise Failure(400, f"Requested {size} bytes, available {done} bytes")
                file.write(piece)
                ticket.add(start + done, start + done + len(piece))
                done += len(piece)
                self.daemon.written += len(piece)
                self.may_cut(ticket)
        _reply(self.req, 200, b"")

    def may_cut(self, ticket: ImageTicket) -> None:
        """Break off if a test wants that now."""
        if self.daemon.stopped_at is not None and ticket.bytes_done >= self.daemon.stopped_at[0]:
            told, self.daemon.stopped_at = self.daemon.stopped_at[1], None
            told()
        if self.daemon.cut_after is not None and ticket.bytes_done >= self.daemon.cut_after:
            self.daemon.cut_after = None
            raise _Cut

    def patch(self, ticket: ImageTicket) -> None:
        """Write zeros, or see to it that all is on the storage."""
        try:
            said = json.loads(self.req.rfile.read())
        except ValueError as error:
            raise Failure(400, f"Invalid JSON message {error}") from None
        if said.get("op") not in ("zero", "flush"):
            told = f"Unsupported value {said.get('op')!r} for 'op', expecting one of ['flush', 'zero']"
            raise Failure(400, told)
        if said["op"] == "zero":
            if not isinstance(said.get("size"), int):
                raise Failure(400, "Missing required value for 'size'")
            start, size = said.get("offset", 0), said["size"]
            self.check_range(ticket, start, size)
            with ticket.path.open("r+b") as file:
                _zero(file, start, start + size)
            ticket.add(start, start + size)
        _reply(self.req, 200, b"")

    def check_range(self, ticket: ImageTicket, start: int, size: int) -> None:
        """Refuse what goes beyond the ticket."""
        if start + size > ticket.size:
            raise Failure(416, "Requested range out of allowed range", **{"Content-Range": f"bytes */{ticket.size}"})

    def json(self, told: object, **headers: str) -> None:
        """Answer with an object."""
        _reply(self.req, 200, json.dumps(told).encode() + b"\n", {"Content-Type": "application/json", **headers})


def _zero(file: BinaryIO, start: int, end: int) -> None:
    """Overwrite what is not zero already; what is beyond the file's end becomes part of it."""
    for at, length in list(data_of(file)):
        for place in range(max(at, start), min(at + length, end), PIECE):
            file.seek(place)
            file.write(bytes(min(PIECE, min(at + length, end) - place)))
    file.seek(0, 2)
    if file.tell() < end:
        file.truncate(end)


def _reply(req: Any, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    _head(req, status, len(body), headers or {}, body)


def _head(req: Any, status: int, size: int, headers: dict[str, str], body: bytes = b"") -> None:
    words = {200: "OK", 206: "Partial Content"}.get(status, "Error")
    lines = [f"HTTP/1.1 {status} {words}", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Connection: close"] if req.close_connection else []
    req.sent_headers = True
    with contextlib.suppress(OSError):
        req.conn.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
