"""A hostile or broken engine: answers without end, in pieces that are too many, packed too tightly."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import resource
import socket
import ssl
import threading
import time
import zlib

import pytest

from attackhelp import Rogue
from xcat_rhev.engine.documents import parsing
from xcat_rhev.engine.documents.dialect import V4
from xcat_rhev.engine.documents.parsing import ListReader, parse
from xcat_rhev.engine.nouns import Vm
from xcat_rhev.engine.wire.no_answer import Trust
from xcat_rhev.engine.wire.transport import SMALL, Http, HttpRequest, Limits, _Named
from xcat_rhev.engine.wire.trust import context
from xcat_rhev.errors import BadAnswer, RhevError, Unreachable
from xcat_rhev.sim.certs import make

PATIENT = Limits(connect=300.0, read=300.0, whole=300.0)
HURRIED, GREETED = Limits(connect=60.0, read=60.0, whole=1.5), Limits(connect=1.0, read=60.0, whole=1.5)


@pytest.fixture
def engine(tmp_path):
    made = []

    def engine(answer, limits=PATIENT):
        made.append(Rogue(tmp_path / "engine", answer))
        http = Http(f"https://127.0.0.1:{made[-1].port}", Trust(context(made[-1].certificates.ca)), "m", limits)
        made.append(http)
        return http

    yield engine
    for one in made:
        one.close()


def head(length=None, **more):
    lines = [b"HTTP/1.1 200 OK", *(f"{name.replace('_', '-')}: {value}".encode() for name, value in more.items())]
    lines.append(b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def drip(data, pause=0.05):
    for byte in data:
        time.sleep(pause)
        yield bytes([byte])


def reading(http, reader=None):
    return http.send(HttpRequest("GET", "/api", reader=reader))


def test_older_libraries_check_an_address_as_well(engine, tmp_path):
    """urllib3 before 2.0 names no host to TLS that is an address."""
    ours, another = engine(lambda _: [head(0)]), make(tmp_path / "other", ["192.0.2.1"])
    with socket.create_connection(("127.0.0.1", int(ours.origin.rpartition(":")[2]))) as raw:
        _Named(ours._trust.context, "127.0.0.1").wrap_socket(raw).close()
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(another.certificate, another.key)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as raw:
        served = threading.Thread(target=_greet, args=(settings, listener.accept()[0]))
        served.start()
        with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
            _Named(context(another.ca), "127.0.0.1").wrap_socket(raw)
        served.join(300)


def _greet(settings, raw):
    with raw, contextlib.suppress(OSError):
        settings.wrap_socket(raw, server_side=True).close()


# Time


@pytest.mark.parametrize("where", ["status", "headers", "body", "chunks", "chunk sizes", "endless headers"])
def test_a_byte_now_and_then_does_not_hold_a_command(engine, where):
    xml = b"<api/>" * 10_000
    answers = {
        "status": lambda _: drip(b"HTTP/1.1 200 OK\r\n" * 99),
        "headers": lambda _: drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9999),
        "body": lambda _: itertools.chain([head(len(xml))], drip(xml)),
        "chunks": lambda _: itertools.chain([head()], (chunk(one) for one in drip(xml))),
        "chunk sizes": lambda _: itertools.chain([head()], drip(b"0" * 9999)),
        "endless headers": lambda _: itertools.chain([b"HTTP/1.1 200 OK\r\n"], drip(b"X: y\r\n" * 999, 0.02)),
    }
    with pytest.raises(RhevError) as found:
        reading(engine(answers[where], HURRIED))
    assert "took too long to complete an answer" in str(found.value) or isinstance(found.value, Unreachable)


def test_the_list_that_drips_as_well(engine):
    http = engine(lambda _: itertools.chain([head()], (chunk(b"<vm id='1'/>") for _ in drip(b"x" * 9999))), HURRIED)
    with pytest.raises(Unreachable, match="took too long to complete an answer"):
        reading(http, lambda: ListReader(Vm, V4))


def test_a_handshake_that_drips(tmp_path):
    """Before TLS stands nothing of the library's own reading is cut."""
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            sock, _ = listener.accept()
            with sock:
                sock.recv(9999)
                try:
                    for byte in drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 9999):
                        sock.sendall(byte)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        http = Http(f"https://127.0.0.1:{listener.getsockname()[1]}", Trust(ssl.create_default_context()), "m", GREETED)
        with pytest.raises(Unreachable):
            reading(http)
        http.close()


# Packing


def bomb(times, size=8 << 20):
    data = b" " * size
    for _ in range(times):
        data = gzip.compress(data)
    return data


@pytest.mark.parametrize(
    "encoding, packed",
    [
        ("gzip, gzip", bomb(2)),
        ("gzip,gzip,gzip", bomb(3)),
        ("deflate", zlib.compress(b" " * 9999)),
        ("br", b"x"),
        ("zstd", b"x"),
        ("gzip, identity", bomb(1)),
        ("compress", b"x"),
        ("x" * 9999, b"x"),
    ],
)
def test_what_was_not_asked_for_is_not_unpacked(engine, encoding, packed):
    http = engine(lambda _: [head(len(packed), Content_Encoding=encoding) + packed])
    with pytest.raises(BadAnswer, match="which was not requested"):
        reading(http)


def test_a_bomb_takes_no_more_than_what_is_allowed(engine):
    packed = bomb(1, 256 << 20)
    assert len(packed) < 1 << 20
    http = engine(lambda _: [head(len(packed), Content_Encoding="gzip") + packed])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadAnswer, match="answers with more than"):
        reading(http)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < 64 << 20


def test_packed_answers_are_read(engine):
    packed = gzip.compress(b"<api/>" * 100_000)
    http = engine(lambda _: [head(len(packed), Content_Encoding="GZIP") + packed])
    assert reading(http).body == b"<api/>" * 100_000
    with pytest.raises(RhevError):
        reading(engine(lambda _: [head(len(packed) // 2, Content_Encoding="gzip") + packed[: len(packed) // 2]]))
    with pytest.raises(BadAnswer, match="is damaged"):
        reading(engine(lambda _: [head(9, Content_Encoding="gzip") + b"no gzip.."]))


# Counting


@pytest.mark.parametrize(
    "document",
    [
        b"<vms>" + b"<a/>" * 900_000 + b"</vms>",
        b"<vms><vm id='1'>" + b"<disk/>" * 500_000 + b"</vm></vms>",
        b"<vms>" + b"".join(b'<a b="%d"/>' % n for n in range(250_000)) + b"</vms>",
        b"<vms " + b" ".join(b"a%d=''" % n for n in range(450_000)) + b"/>",
        b"<a>" * 200_000 + b"</a>" * 200_001,
    ],
)
def test_tiny_elements_are_counted_before_they_are_read(document):
    assert len(document) < 16 << 20
    with pytest.raises(BadAnswer, match="more than 400000 elements and attributes"):
        parse(document)


def test_things_of_a_list_are_counted(monkeypatch):
    monkeypatch.setattr(parsing, "THINGS", 20_000)
    reader = ListReader(Vm, V4)
    with pytest.raises(BadAnswer, match="lists more than 20000 things"):
        reader.feed(b"<vms>")
        for _ in range(100):
            reader.feed(b'<vm id="x"><name>n</name></vm>' * 10_000)
        reader.close()


def test_things_inside_things_are_counted(monkeypatch):
    monkeypatch.setattr(parsing, "THINGS", 20_000)
    reader = ListReader(Vm, V4)
    one = b'<vm id="x"><name>n</name><nics>' + b'<nic id="y"><name>e</name></nic>' * 1000 + b"</nics></vm>"
    with pytest.raises(BadAnswer, match="lists more than 20000 things"):
        reader.feed(b"<vms>")
        for _ in range(100):
            reader.feed(one)
        reader.close()


def test_a_large_site_is_read():
    reader = ListReader(Vm, V4)
    one = '<vm id="{0}"><name>vm{0}</name><nics>' + '<nic id="y"><name>e</name></nic>' * 4 + "</nics></vm>"
    reader.feed(b"<vms>" + "".join(one.format(n) for n in range(10_000)).encode() + b"</vms>")
    assert len(reader.close()) == 10_000


def test_an_answer_without_end(engine):
    http = engine(lambda _: itertools.chain([head()], itertools.repeat(chunk(b"x" * 65536))))
    with pytest.raises(BadAnswer, match=f"answers with more than {SMALL >> 20} MiB"):
        reading(http)
