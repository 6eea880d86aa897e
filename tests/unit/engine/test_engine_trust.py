"""Whose certificate is believed: what can become a CA, and what cannot."""

from __future__ import annotations

import datetime
import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enginehelp import access, patience
from xcat_rhev.clock import ManualClock, SystemClock
from xcat_rhev.engine.managers import Managers
from xcat_rhev.engine.wire import session, trust
from xcat_rhev.engine.wire.no_answer import Trust
from xcat_rhev.engine.wire.transport import SMALL, Http, HttpRequest, Limits
from xcat_rhev.errors import BadAnswer, Unreachable, Usage
from xcat_rhev.sim import certs
from xcat_rhev.sim.certs import Certificates, make

HTML = b"<!DOCTYPE html><html><body>It works!</body></html>"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("certificates"), ["127.0.0.1"])


class Server:
    """An HTTPS server that answers every request in the same way."""

    def __init__(self, certificates: Certificates) -> None:
        self.answer: tuple[int, bytes, dict[str, str]] = (200, HTML, {})
        self.paths: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.paths.append(self.path)
                status, body, headers = outer.answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificates.certificate), str(certificates.key))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *args: None  # type: ignore[method-assign]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.name = f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # No other program on this machine shall be asked for a CA.
    monkeypatch.setattr(trust, "PLAIN_PORTS", ())
    made = Server(certificates)
    yield made
    made.close()


@pytest.mark.parametrize(("days", "reason"), [(-8000, "has expired"), (20, "is not valid yet")])
def test_a_certificate_out_of_its_time_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, reason: str
) -> None:
    class Shifted(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return super().now(tz) + datetime.timedelta(days=days)

    monkeypatch.setattr(
        certs,
        "datetime",
        SimpleNamespace(
            datetime=Shifted,
            timezone=datetime.timezone,
            timedelta=datetime.timedelta,
        ),
    )
    made = make(tmp_path, ["127.0.0.1"])
    server = Server(made)
    try:
        with pytest.raises(Unreachable, match=f"^the certificate of manager m {reason}. Compare the clocks"):
            wire(server, made).send(HttpRequest("GET", "/"))
    finally:
        server.close()


def wire(server: Server, certificates: Certificates) -> Http:
    return Http(f"https://{server.name}", Trust(trust.context(certificates.ca)), "m", Limits(read=5))


@pytest.mark.parametrize(
    "answer",
    [
        (200, HTML, {}),
        (404, HTML, {}),
        (200, b"", {}),
        (302, b"", {"Location": "/x"}),
        (200, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", {}),
    ],
)
def test_nothing_else_becomes_a_ca(server: Server, tmp_path: Path, answer: Any) -> None:
    server.answer = answer
    with pytest.raises(Unreachable, match="gives its CA certificate at none of the known addresses"):
        Managers(SystemClock()).open(access(tmp_path / "rhevm" / "m", name=server.name))
    assert not (tmp_path / "rhevm").exists()
    assert server.paths == list(trust.CA_PATHS)


def test_an_error_that_holds_a_ca_is_not_one(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    server.answer = (404, certificates.ca.read_bytes(), {})
    with pytest.raises(Unreachable):
        Managers(SystemClock()).open(access(tmp_path, name=server.name))
    assert not (tmp_path / "ca.crt").exists()


def test_a_servers_certificate_is_no_ca(certificates: Certificates) -> None:
    assert trust.ca_in(certificates.certificate.read_bytes()) == ""
    assert trust.ca_in(b"text before\n" + certificates.ca.read_bytes() + b"after").startswith("-----BEGIN")


def test_what_is_there_is_never_replaced(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    server.answer = (200, certificates.ca.read_bytes(), {})
    told: list[str] = []
    file = trust.pinned_ca(access(tmp_path), f"https://{server.name}", told.append, patience())
    assert file.read_bytes() == certificates.ca.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o644
    assert trust.fingerprint(file.read_text()) in told[0]
    assert len(told) == 1
    file.write_text("mine")
    assert trust.pinned_ca(access(tmp_path), f"https://{server.name}", told.append, patience()).read_text() == "mine"
    assert not trust._keep(tmp_path, file, "other")
    assert file.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["ca.crt"]
    with pytest.raises(Usage, match="holds no CA certificate"):
        trust.context(file)


def test_a_folder_that_cannot_be_written(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    server.answer = (200, certificates.ca.read_bytes(), {})
    (tmp_path / "file").write_text("")
    with pytest.raises(Usage, match="cannot be written"):
        trust.pinned_ca(access(tmp_path / "file" / "m"), f"https://{server.name}", print, patience())


def test_something_else_at_the_managers_address(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(BadAnswer, match="HTML page"):
        Managers(SystemClock()).open(access(tmp_path, name=server.name, ca=str(certificates.ca)))
    server.answer = (200, b"<api><product_info><version/></product_info></api>", {})
    with pytest.raises(BadAnswer, match="product_info/version is missing"):
        Managers(SystemClock()).open(access(tmp_path, name=server.name, ca=str(certificates.ca)))


def test_an_answer_that_ends_early(server: Server, certificates: Certificates) -> None:
    server.answer = (200, b"<vms>", {"Content-Length": "50"})
    with pytest.raises(Unreachable, match="before its answer was complete") as caught:
        wire(server, certificates).send(HttpRequest("GET", "/x"))
    assert caught.value.sent
    assert caught.value.may_retry


def test_an_answer_without_end(server: Server, certificates: Certificates) -> None:
    server.answer = (500, b"x" * (SMALL + 1000), {})
    with pytest.raises(BadAnswer, match="more than 4 MiB"):
        wire(server, certificates).send(HttpRequest("GET", "/x"))


def test_a_redirection_is_not_followed(server: Server, certificates: Certificates) -> None:
    server.answer = (302, b"", {"Location": "https://evil.example.com/"})
    assert wire(server, certificates).send(HttpRequest("GET", "/x")).status == 302
    assert server.paths == ["/x"]


def test_the_environment_does_not_interfere(
    server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert wire(server, certificates).send(HttpRequest("GET", "/x")).status == 200


def test_a_gzip_bomb_is_bounded(server: Server, certificates: Certificates) -> None:
    import gzip

    server.answer = (500, gzip.compress(b"\0" * (64 << 20)), {"Content-Encoding": "gzip"})
    with pytest.raises(BadAnswer, match="more than 4 MiB"):
        wire(server, certificates).send(HttpRequest("GET", "/x"))


API = b"<api><product_info><version><major>4</major><minor>%d</minor></version></product_info></api>"


def test_a_session_is_kept_for_an_hour(server: Server, certificates: Certificates, tmp_path: Path) -> None:
    clock = ManualClock()
    managers = Managers(clock)
    known = access(tmp_path, name=server.name, ca=str(certificates.ca))
    for seconds, minor, seen in ((0, 2, 2), (3599, 5, 2), (1, 5, 5)):
        clock.advance(seconds)
        server.answer = (200, API % minor, {})
        assert managers.open(known).version == (4, seen)
    assert server.paths == ["/ovirt-engine/api"] * 2


def test_a_dead_manager_costs_one_time_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=300)
    asked: list[tuple[str, int, float]] = []

    def knock(*address: Any) -> str:
        asked.append(address)
        both.wait()
        return "no answer within 5 s"

    monkeypatch.setattr(session, "_knock", knock)
    with pytest.raises(Unreachable, match="manager m cannot be reached: no answer within 5 s. Tried port 443 and 8443"):
        Managers(ManualClock()).open(access(tmp_path, name="m"))
    assert sorted(asked) == [("m", 443, 5.0), ("m", 8443, 5.0)]
