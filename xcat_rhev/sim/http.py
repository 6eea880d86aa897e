"""HTTPS: requests in, answers out, and the ways in which a connection can go wrong."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cheroot.server import Gateway, HTTPConnection

from ..errors import Usage
from . import faults, plan, render
from .answers import Raw
from .app import Application, SimRequest, as_json
from .auth import challenge
from .certs import Certificates
from .dialect import SimDialect
from .https import EngineTls, HttpsServer
from .imageio import ImageDaemon

log = logging.getLogger(__name__)

_STATUS = re.compile(rb"<status>.*?</status>|<status/>", re.DOTALL)
#: A comment whose lines look like the sizes of chunks.
_HEX = b"<!--\n1f\nbeef\n0\n\n-->"
LOCKED = "Cannot {action} VM. Related operation is currently in progress. Please try again later."
#: Seconds that a caller may take to read an answer; as the engine's Apache has it.
READ_WITHIN = 300
PAGE = (
    b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head><title>503 Service Unavailable</title></head>'
    b"<body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request.</p></body></html>"
)


class Counts:
    """What has come and gone: requests by kind, connections, bytes of answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Begin at zero."""
        self.requests: dict[str, int] = {}
        self.connections = 0
        self.bytes = 0

    def count(self, label: str, size: int) -> None:
        """Count one answered request."""
        with self._lock:
            self.requests[label] = self.requests.get(label, 0) + 1
            self.bytes += size

    def count_connection(self) -> None:
        """Count one connection."""
        with self._lock:
            self.connections += 1

    def report(self) -> dict[str, Any]:
        """Give everything for `/-/stats`."""
        with self._lock:
            return {"requests": dict(self.requests), "connections": self.connections, "bytes": self.bytes}


@dataclass
class Outcome:
    """An answer, and the manner in which it is sent: whole, drop, truncate or chunked."""

    raw: Raw
    manner: str = "whole"


class Front:
    """Between the socket and the engine: counts, waits, and lets the plan's faults happen.

    Args:
        app: The engine.
        faulty: The plan of faults.
    """

    def __init__(self, app: Application, faulty: plan.Plan) -> None:
        self.app = app
        self.counts = Counts()
        self.plan = faulty

    def handle(self, request: SimRequest) -> Outcome:
        """Answer one request, as far as the plan lets it."""
        if request.path.startswith("/-/"):
            return Outcome(self._own(request))
        if self.app.settings.latency:
            time.sleep(self.app.settings.latency)
        outcome = self._planned_outcome(request)
        self.counts.count(self.app.label(request), len(outcome.raw.body))
        return outcome

    def _planned_outcome(self, request: SimRequest) -> Outcome:
        below = self.app.settings.dialect(request.path, request.headers.get("version", ""))
        rule = self.plan.pick(request.method, below[1].partition(";")[0] or request.path, request.body)
        if rule is None:
            return Outcome(self._answer(request))
        if rule.do == "drop":
            return Outcome(Raw(b""), "drop")
        if rule.do in {"status", "empty", "html", "away", "database"}:
            return Outcome(_instead(rule, below[0] or SimDialect(4, (4, 5), ""), request.path))
        if rule.do == "delay":
            time.sleep(rule.seconds)
        if rule.do == "expire":
            self.app.door.forget()
        if rule.do == "deaf":
            request = SimRequest("GET", request.path, request.headers)
        raw = self._answer(request)
        if rule.do == "no-status":
            raw.body = _STATUS.sub(b"", raw.body)
        return Outcome(raw, {"drop-after": "drop", "truncate": "truncate", "chunked": "chunked"}.get(rule.do, "whole"))

    def _answer(self, request: SimRequest) -> Raw:
        """Answer, and when asked for it wait until what was made is there (`X-Ovirt-Expect: 201-created`)."""
        raw = self.app.answer(request)
        if raw.status != 202 or "201-created" not in request.headers.get("x-ovirt-expect", ""):
            return raw
        place = re.search(rb'href="([^"]+)"', raw.body)
        again = SimRequest("GET", place[1].decode() if place else "", request.headers)
        for _ in range(600):
            later = self.app.answer(again)
            if not re.search(rb"locked|pending", later.body):
                return Raw(later.body, 201, headers=raw.headers)
            self.app.world.clock.sleep(0.1)
        return raw

    def _own(self, request: SimRequest) -> Raw:
        """Answer at the simulator's own addresses."""
        if request.path == "/-/stats":
            if request.method == "DELETE":
                self.counts.clear()
            return as_json(self.counts.report())
        if request.path == "/-/clock" and request.method in {"PUT", "POST"}:
            return self._later(request)
        if request.path == "/-/faults" and request.method in {"PUT", "POST"}:
            return self._new_plan(request)
        if request.path == "/-/faults":
            return as_json([rule.__dict__ for rule in self.plan.rules])
        return Raw(b"", 404)

    def _later(self, request: SimRequest) -> Raw:
        """Let so many seconds pass at once, so that a test need not wait for a state."""
        try:
            seconds = float(json.loads(request.body)["advance"])
        except (ValueError, KeyError, TypeError):
            return as_json({"error": 'send {"advance": SECONDS}'}, 400)
        world = self.app.world
        with world.lock:
            world.resume_at(world.now() + max(seconds, 0))
            world.settle()
            return as_json({"now": world.now()})

    def _new_plan(self, request: SimRequest) -> Raw:
        try:
            self.plan = plan.make(json.loads(request.body or b"[]"))
        except (ValueError, Usage) as error:
            return as_json({"error": str(error)}, 400)
        with self.app.world.lock:
            self.plan.begin(self.app.world)
        return as_json({"rules": len(self.plan.rules)})


def _instead(rule: plan.Rule, dialect: SimDialect, path: str) -> Raw:
    """Make the answer that stands in for the engine's."""
    if rule.do == "away":
        return _away(rule.status, dialect)
    if rule.do == "database":
        return _without_database(dialect, path)
    if rule.do == "empty":
        return Raw(b"")
    if rule.do == "html":
        return Raw(PAGE, 200, "text/html")
    if rule.status == 401:
        return challenge(dialect, True)
    if rule.status in {502, 503, 504}:
        return Raw(PAGE, rule.status, "text/html; charset=iso-8859-1")
    if rule.status in {409, 500}:
        text = rule.about or (LOCKED.format(action="run") if rule.status == 409 else "java.lang.NullPointerException")
        refusal = faults.Refused(text, faults.CONFLICT, listed=rule.status == 409)
        return Raw(render.document(render.fault(dialect, refusal)), rule.status)
    return Raw(b"", rule.status)


def _away(status: int, dialect: SimDialect) -> Raw:
    """Answer as the container does while the engine in it is not there yet, or not any more."""
    if status == 401:
        return challenge(dialect, True, "server_error: Connect to engine:443 failed: Connection refused")
    if status == 404:
        return Raw(b"", 404, "")
    return Raw(b"<html><head><title>Error</title></head><body>Internal Server Error</body></html>", status, "text/html")


def _without_database(dialect: SimDialect, path: str) -> Raw:
    """Answer as an engine whose database has gone: nobody can be looked up any more."""
    if path.endswith("/sso/oauth/token"):
        text = "FATAL: terminating connection due to administrator command"
        return as_json({"error_code": "server_error", "error": text}, 400)
    text = (
        "org.springframework.dao.DataAccessResourceFailureException: PreparedStatementCallback; SQL [select * from  "
        "getvdcoptionbyname(?, ?)]; This connection has been closed.; nested exception is "
        "org.postgresql.util.PSQLException: This connection has been closed."
    )
    return challenge(dialect, True, text)


class _Connection(HTTPConnection):
    """A connection that is counted."""

    def __init__(self, server: Any, sock: Any, *more: Any, **named: Any) -> None:
        super().__init__(server, sock, *more, **named)
        server.front.counts.count_connection()


class _Gateway(Gateway):
    """Bring one request to the front and write its answer."""

    def respond(self) -> None:
        """Answer one request."""
        req = self.req
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in req.inheaders.items()}
        body = req.rfile.read() if "content-length" in headers or "transfer-encoding" in headers else b""
        request = SimRequest(req.method.decode(), req.uri.decode("latin-1"), headers, body, req.conn.remote_addr or "")
        outcome = req.server.front.handle(request)
        if outcome.manner == "drop":
            _cut(req)
        else:
            _send(req, outcome)


def _send(req: Any, outcome: Outcome) -> None:
    """Write an answer in one piece, or in the manner that was planned."""
    raw = outcome.raw
    chunked = outcome.manner == "chunked"
    lines = [f"HTTP/1.1 {raw.status} {_phrase(raw.status)}"]
    lines += [f"Content-Type: {raw.content_type}"] if raw.content_type else []
    lines += [f"{name}: {value}" for name, value in raw.headers.items()]
    lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(raw.body)}")
    if req.close_connection or outcome.manner == "truncate":
        req.close_connection = True
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    req.sent_headers = True
    body = b"" if req.method == b"HEAD" else raw.body
    if chunked:
        body = _chunks(body)
    elif outcome.manner == "truncate":
        body = body[: len(body) // 2]
    with contextlib.suppress(OSError):  # the caller may have gone
        # Past cheroot's buffer: it copies what is left of a long answer for every 16 KiB that TLS takes of it.
        req.conn.socket.settimeout(READ_WITHIN)
        req.conn.socket.sendall(head + body)
        req.conn.socket.settimeout(req.server.timeout)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _chunks(body: bytes) -> bytes:
    """Cut a body into small chunks, with lines inside that look like sizes."""
    start = body.find(b"?>") + 2 if body.startswith(b"<?xml") else 0
    body = body[:start] + _HEX + body[start:] if start else body
    parts = [body[at : at + 7] for at in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def _cut(req: Any) -> None:
    """End the connection hard, without a byte."""
    req.close_connection = True
    req.sent_headers = True
    with contextlib.suppress(OSError, AttributeError):
        sock = req.conn.socket
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RDWR)


class SimServer(HttpsServer):
    """The HTTPS server.

    Args:
        front: What answers.
        address: Where to listen; port 0 is a free one.
        certificates: What it shows.
        threads: How many requests are handled at once.
    """

    ConnectionClass = _Connection

    def __init__(self, front: Front, address: tuple[str, int], certificates: Certificates | None, threads: int) -> None:
        self.front = front
        self._images = _daemon_for(front, address[0], certificates)
        super().__init__(address, _Gateway, minthreads=threads, maxthreads=threads, server_name="engine")
        self.request_queue_size = 256
        self.expiration_interval = 0.02  # seconds; it looks so often whether it should stop
        if certificates is not None:
            self.ssl_adapter = EngineTls(certificates)

    def stop(self) -> None:
        """End it, and the daemon for images with it."""
        super().stop()
        if self._images is not None:
            self._images.stop()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Keep broken handshakes out of people's sight; a handler's mistake is shown."""
        log.log(logging.ERROR if traceback and level >= logging.ERROR else logging.DEBUG, msg, exc_info=traceback)


def _daemon_for(front: Front, host: str, certificates: Certificates | None) -> ImageDaemon | None:
    """Give an engine the daemon of its hosts."""
    world = getattr(getattr(front, "app", None), "world", None)
    if world is None or certificates is None:
        return None
    world.images = ImageDaemon(certificates, host, world.now, world.kept_in)
    daemon: ImageDaemon = world.images
    return daemon
