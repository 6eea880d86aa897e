"""The daemon's life: strangers fill its memory, its connections and its threads, and break what they can."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from attackhelp import DENIED, user
from daemonhelp import Served, read, until
from xcat_rhev.daemon import crowd, pace
from xcat_rhev.daemon.connection import Connection
from xcat_rhev.xcat import wire
from xcat_rhev.xcat.wire import WireRequest, write_request

WHO = WireRequest("authcheck")


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    yield xcat
    xcat.close()


def lives(xcat):
    return b"<username>root</username>" in xcat.ask(WHO)


@contextlib.contextmanager
def strangers(xcat, count, sent=b"", cert=False, source="127.0.0.1"):
    """Connections that stay open after some bytes."""
    context, socks = xcat.context(cert), []
    try:
        for _ in range(count):
            raw = socket.create_connection(("127.0.0.1", xcat.server.port), 300, (source, 0))
            try:
                socks.append(context.wrap_socket(raw, server_hostname="localhost"))
                socks[-1].sendall(sent)
            except OSError:
                raw.close()
        yield socks
    finally:
        for sock in socks:
            sock.close()


def ended(sock):
    sock.settimeout(300)
    try:
        return not sock.recv(65536)
    except (ConnectionError, ssl.SSLError):
        return True


# Bytes


def test_a_stranger_may_send_64_kib_and_no_more(xcat):
    begun = b"<xcatrequest><command>authcheck</command><arg>"
    with strangers(xcat, 1, begun + b"x" * (70 << 10)) as (sock,):
        until(lambda: ended(sock))
    small = WireRequest("lsxcatd", args=("-v",), cwd="x" * (50 << 10))
    assert b"Version" in xcat.ask(small, cert=False)
    large = WireRequest("authcheck", args=("x" * (2 << 20),))
    assert b"<username>root</username>" in xcat.ask(large)


def test_all_buffers_of_strangers_together_are_bounded(xcat):
    begun = b"<xcatrequest><command>authcheck</command><arg>" + b"x" * (60 << 10)
    with strangers(xcat, 100, begun):
        assert lives(xcat)
        held = xcat.server.strangers.held
        assert 0 < held <= crowd.STRANGERS.bytes_each
    until(lambda: xcat.server.strangers.held == 0)


def test_a_user_who_sends_whole_requests_at_once_is_bounded_as_well(xcat):
    joe = user(xcat, "joe")
    begun = b"<xcatrequest><command>authcheck</command><arg>" + b"x" * (15 << 20)
    with strangers(xcat, 4, begun, cert=joe):
        assert lives(xcat)
        assert xcat.server.users.held <= crowd.USERS.bytes_each
    until(lambda: xcat.server.users.held == 0)


def test_who_takes_no_answers_gets_no_further_ones(xcat):
    """Hundreds of requests in one go; what is not taken is not made."""
    request = write_request(WireRequest("lsxcatd", args=("-h",)))
    with strangers(xcat, 5, request * 300):
        assert lives(xcat)
        assert xcat.server.strangers.held <= crowd.STRANGERS.bytes_each
        until(lambda: xcat.server.idle(0.1))


# Connections


def test_more_strangers_than_there_is_room_for_keep_nobody_out(xcat):
    for source in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
        with strangers(xcat, crowd.STRANGERS.each + 5, source=source) as socks:
            assert ended(socks[0]), "the oldest of its address"
            assert lives(xcat)


def test_connections_that_say_nothing_keep_nobody_out(xcat):
    socks = [
        socket.create_connection(("127.0.0.1", xcat.server.port), 300, (f"127.0.1.{n % 200 + 1}", 0))
        for n in range(900)
    ]
    try:
        assert lives(xcat)
        assert len(xcat.server.connections) <= crowd.STRANGERS.all + 1
    finally:
        for sock in socks:
            sock.close()


def test_a_users_connections_are_bounded_and_roots_are_not(xcat):
    joe = user(xcat, "joe")
    with (
        strangers(xcat, crowd.USERS.each + 3, cert=joe) as socks,
        strangers(xcat, crowd.USERS.each + 3, cert=True) as mine,
    ):
        assert ended(socks[0])
        assert lives(xcat)
        mine[0].sendall(write_request(WHO))
        assert b"root" in read(mine[0])


# Threads


def test_a_users_requests_leave_places_for_root(xcat, monkeypatch):
    joe = user(xcat, "joe", "lsxcatd")
    stuck, here = threading.Event(), threading.Semaphore(0)
    perform = xcat.xcatd.perform

    def hangs(request, *args, **more):
        if request.user != "root":
            here.release()
            xcat.server.takes_long()
            stuck.wait(600)
        return perform(request, *args, **more)

    monkeypatch.setattr(xcat.xcatd, "perform", hangs)
    request = write_request(WireRequest("lsxcatd", args=("-v",)))
    try:
        with strangers(xcat, 60, request, cert=joe), strangers(xcat, 100, request):
            for _ in range(40):
                assert here.acquire(timeout=300)
            assert b"Version" in xcat.ask(WireRequest("lsxcatd", args=("-v",)))
            stuck.set()
    finally:
        stuck.set()


def test_a_users_long_answers_are_made_one_at_a_time(xcat, monkeypatch):
    """All at once they would have the loop, and so root's next question, wait for each of them again and again."""
    joe = user(xcat, "joe", "tabdump")
    monkeypatch.setattr(pace, "PATIENCE", 3600.0)
    with xcat.store.change("auditlog") as change:
        change.add_all({"audittime": "now", "args": f"{number}"} for number in range(4000))
    guard, now, seen = threading.Lock(), [0], []
    write = wire.write_response

    def writes(*args):
        with guard:
            now[0] += 1
            seen.append(now[0])
        time.sleep(0.02)  # longer than a request may keep the loop's own thread
        with guard:
            now[0] -= 1
        return write(*args)

    monkeypatch.setattr(wire, "write_response", writes)
    dump = WireRequest("tabdump", args=("auditlog",))
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: xcat.ask(dump, joe), range(10)))
    assert all(b"3999" in one for one in found)
    assert max(seen) <= 3, "one, that of the loop's own thread, and one that this one has just left to itself"


# Exceptions


@pytest.mark.parametrize("wrong", [MemoryError, RuntimeError, ValueError, RecursionError, AssertionError])
def test_an_exception_of_one_connection_is_its_end_alone(xcat, monkeypatch, wrong):
    take = Connection._take

    def breaks(connection, data):
        if b"break" in data:
            raise wrong("made up")
        take(connection, data)

    monkeypatch.setattr(Connection, "_take", breaks)
    with strangers(xcat, 1) as (other,):
        with strangers(xcat, 1, b"break") as (sock,):
            assert ended(sock)
        other.sendall(write_request(WireRequest("lsxcatd", args=("-v",))))
        assert b"Version" in read(other)
    assert lives(xcat)


@pytest.mark.parametrize("place", ["_greet", "_finish", "_write", "_settle", "_expire"])
def test_wherever_it_comes_from(xcat, monkeypatch, place):
    whole, bad = getattr(Connection, place), []

    def breaks(connection, *args):
        if connection.address == "127.0.0.9":
            bad.append(connection)
            raise MemoryError
        return whole(connection, *args)

    monkeypatch.setattr(Connection, place, breaks)
    with contextlib.suppress(OSError), strangers(xcat, 2, write_request(WHO), source="127.0.0.9"):
        until(lambda: bad)
    assert lives(xcat)
    until(lambda: not any(one.address == "127.0.0.9" for one in xcat.server.connections))


def test_an_exception_while_a_request_is_served_frees_its_place(xcat, monkeypatch):
    serve = xcat.server.serve

    def breaks(connection, request):
        if b"break" in request:
            raise MemoryError
        serve(connection, request)

    monkeypatch.setattr(xcat.server, "serve", breaks)
    for _ in range(70):
        with strangers(xcat, 1, write_request(WireRequest("break"))) as (sock,):
            assert ended(sock)
    assert lives(xcat) and xcat.server.idle(300)


BREAKS = """
import sys
from xcat_rhev.daemon import loop, main
def boom(self): raise MemoryError
real = loop.Loop.run
def run(self, work):
    if len(sys.argv) > 3: self._fire_timers = boom.__get__(self)
    return real(self, work)
loop.Loop.run = run
sys.exit(main.main(sys.argv[1:3] + ["--port", "0"]))
"""


@pytest.mark.parametrize("dies", [True, False])
def test_it_ends_with_a_code_that_has_it_started_again(tmp_path, dies):
    command = [sys.executable, "-c", BREAKS, "--home", str(tmp_path), *(["dies"] if dies else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        if dies:
            assert process.wait(300) not in (0, 143)
        else:
            process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(300) == 0


# Certificates


def unreadable(xcat: Served) -> Path:
    """A certificate that our CA has signed, of a version that there is not: OpenSSL takes it, the library does not."""
    folder = user(xcat, "joe").parent
    certificate = x509.load_pem_x509_certificate((folder / "client-cert.pem").read_bytes())
    before, der = certificate.tbs_certificate_bytes, certificate.public_bytes(serialization.Encoding.DER)
    after = before.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07", 1)
    assert after != before
    key = serialization.load_pem_private_key((xcat.home.ca / "private" / "ca-key.pem").read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    signed = der.replace(before, after).replace(
        certificate.signature, key.sign(after, padding.PKCS1v15(), hashes.SHA256())
    )
    made = folder / "unreadable.pem"
    made.write_text(ssl.DER_cert_to_PEM_cert(signed) + (folder / "client-key.pem").read_text())
    return made


def test_a_certificate_that_cannot_be_read_is_a_strangers(xcat):
    made = unreadable(xcat)
    assert b"Version" in xcat.ask(WireRequest("lsxcatd", args=("-v",)), cert=made)
    assert DENIED in xcat.ask(WHO, cert=made)
    assert lives(xcat)


# The heartbeat


def test_the_loop_itself_sends_the_heartbeat(tmp_path, monkeypatch):
    """Told by systemd's own protocol; a loop that hangs is silent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heart:
        heart.bind(str(tmp_path / "notify"))
        heart.settimeout(300)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "400000")
        command = [sys.executable, "-m", "xcat_rhev.cli", "xcatd", "--home", str(tmp_path / "mn"), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)) as process:
            said = {heart.recv(1000) for _ in range(4)}
            process.terminate()
            process.wait(300)
    assert said >= {b"READY=1", b"WATCHDOG=1"}
