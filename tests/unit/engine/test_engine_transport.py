"""What the wire makes of answers and of their absence; requests-mock stands in for the sockets."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
import requests
import requests_mock
import urllib3
from requests.exceptions import ChunkedEncodingError, SSLError

from xcat_rhev.abort import Abort, Limit
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.wire.no_answer import Trust
from xcat_rhev.engine.wire.transport import SMALL, Http, HttpRequest, Limits
from xcat_rhev.errors import BadAnswer, TimedOut, Unreachable

ORIGIN = "https://m.example:8443"
PATH = "/ovirt-engine/api/vms?search=name%3D%22a%20b%22"
REFUSED = requests.ConnectionError(
    urllib3.exceptions.MaxRetryError(
        None, PATH, urllib3.exceptions.NewConnectionError(None, "[Errno 111] Connection refused")
    )
)


class Pieces:
    """A reader that keeps what it was fed."""

    def __init__(self) -> None:
        self.fed: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        self.fed.append(piece)

    def close(self) -> bytes:
        return b"".join(self.fed)


@pytest.fixture
def http() -> Http:
    return Http(ORIGIN, Trust(ssl.create_default_context(), "/ca.crt"), "m", Limits(connect=5, read=180))


def answered(http: Http, request: HttpRequest, **answer: Any) -> Any:
    """What the wire makes of one answer."""
    with requests_mock.Mocker() as wire:
        wire.register_uri(request.method, ORIGIN + PATH, **answer)
        return http.send(request)


@pytest.mark.parametrize(
    ("problem", "words", "sent", "may_retry"),
    [
        (requests.ConnectTimeout("x"), "does not answer within 5 s", False, False),
        (requests.ReadTimeout("x"), "took more than 180 s", True, True),
        (requests.ConnectionError("Read timed out."), "took more than 180 s", True, True),
        (REFUSED, "cannot be reached: connection refused", False, True),
        (requests.ConnectionError(ConnectionResetError(104, "reset")), "closed the connection", True, True),
        (ChunkedEncodingError("x"), "closed the connection", True, True),
        (SSLError("certificate verify failed: self signed"), "not signed by /ca.crt", False, False),
        (SSLError("Hostname mismatch, certificate is not valid"), "not made for that name", False, False),
        (SSLError("tlsv1 alert protocol version"), "does not speak TLS 1.2", False, False),
        (SSLError("unsupported protocol"), "does not speak TLS 1.2", False, False),
        (
            SSLError("EOF occurred in violation of protocol"),
            "closed the connection during the TLS handshake",
            False,
            True,
        ),
    ],
)
def test_why_no_answer_came(http: Http, problem: Exception, words: str, sent: bool, may_retry: bool) -> None:
    with pytest.raises(Unreachable, match=words) as found:
        answered(http, HttpRequest("POST", PATH, b"<vm/>"), exc=problem)
    assert (found.value.sent, found.value.may_retry) == (sent, may_retry)


@pytest.mark.parametrize(("method", "left_open"), [("PUT", True), ("GET", False)])
def test_what_a_write_did_is_not_known_when_the_time_is_over(http: Http, method: str, left_open: bool) -> None:
    clock = ManualClock()
    limit = Limit(Abort(), clock, 60.0)

    def silent(*_: Any) -> str:
        clock.advance(61)
        raise requests.ReadTimeout("x")

    with pytest.raises(TimedOut, match="did not answer: not done within the 60 s of --timeout") as raised:
        answered(http, HttpRequest(method, PATH, aborted=limit), text=silent)
    limit.close()
    assert raised.value.left_open == left_open == ("it is not known whether it was done" in str(raised.value))


def test_what_takes_an_engine_minutes_is_waited_for(http: Http) -> None:
    with requests_mock.Mocker() as wire:
        wire.post(ORIGIN + PATH, text="<action/>")
        http.send(HttpRequest("POST", PATH, b"<action/>", slow=True))
        http.send(HttpRequest("POST", PATH, b"<action/>"))
        assert [asked.timeout for asked in wire.request_history] == [(5, 900), (5, 180)]
    with pytest.raises(Unreachable, match="took more than 900 s"):
        answered(http, HttpRequest("POST", PATH, b"<action/>", slow=True), exc=requests.ReadTimeout("x"))


def test_what_is_sent_is_what_was_asked_and_nothing_of_the_environment(
    http: Http, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine m.example login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with requests_mock.Mocker() as wire:
        wire.post(ORIGIN + PATH, text="<vm/>")
        http.send(HttpRequest("POST", PATH, b"<vm/>", headers={"Authorization": "Bearer t"}))
        (asked,) = wire.request_history
    assert asked.url == ORIGIN + PATH
    assert asked.headers["Authorization"] == "Bearer t"
    assert asked.body == b"<vm/>"
    assert not asked.proxies
    assert "python-requests" not in asked.headers.get("User-Agent", "")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        (PATH, PATH),
        ("/api/my file.iso", "/api/my%20file.iso"),
        ("/api/\u00e4\r\nX: y", "/api/%C3%A4%0D%0AX:%20y"),
    ],
)
def test_an_address_is_one_word_and_not_encoded_twice(http: Http, path: str, sent: str) -> None:
    with requests_mock.Mocker() as wire:
        wire.get(requests_mock.ANY, text="ok")
        http.send(HttpRequest("GET", path))
        assert wire.request_history[0]._request.url == ORIGIN + sent


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirection_is_an_answer_and_not_followed(http: Http, status: int) -> None:
    with requests_mock.Mocker() as wire:
        wire.get(ORIGIN + PATH, status_code=status, headers={"Location": "https://elsewhere.example/"})
        assert http.send(HttpRequest("GET", PATH)).status == status
        assert wire.call_count == 1


def test_a_reader_takes_a_good_answer_and_no_other(http: Http) -> None:
    request = HttpRequest("GET", PATH, reader=Pieces)
    good = answered(http, request, content=b"x" * 200_000)
    assert (good.result, good.body, good.size) == (b"x" * 200_000, b"", 200_000)
    bad = answered(http, request, status_code=409, text="<fault/>")
    assert (bad.result, bad.body) == (None, b"<fault/>")


def test_an_answer_without_end_or_with_less_than_it_says(http: Http) -> None:
    with pytest.raises(BadAnswer, match="m answers with more than 4 MiB"):
        answered(http, HttpRequest("GET", PATH), content=b"x" * (SMALL + 1))
    with pytest.raises(Unreachable, match="before its answer was complete"):
        answered(http, HttpRequest("GET", PATH), content=b"<vms>", headers={"Content-Length": "500"})
