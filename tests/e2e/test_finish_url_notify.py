"""The CGI's conversation with xcatd over real TLS, with an xcatd that misbehaves in every way it can."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from finish_site import Stub, booted, folder, public_folder

from xcat_rhev.cli.demo.parts import free_port
from xcat_rhev.clock import Clock, SystemClock
from xcat_rhev.daemon import certificates
from xcat_rhev.daemon.home import Home
from xcat_rhev.errors import Unreachable
from xcat_rhev.web.notify import PAUSE, Verdict, XcatdClient
from xcat_rhev.web.settings import WebSettings

DONE = b"<xcatresponse><serverdone></serverdone></xcatresponse>\n"
__all__ = ["folder"]


class Hurried:
    """A clock whose sleeps take a hundredth of the time."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 100)


@pytest.fixture(scope="module")
def shared() -> Iterator[Stub]:
    with public_folder() as made, Stub(made) as stub:
        yield stub


@pytest.fixture
def stub(shared: Stub) -> Stub:
    shared.requests.clear()
    shared.raw.clear()
    shared.answer = lambda request: booted(request.noderange or "")
    return shared


def xcatd(stub: Stub, clock: Clock | None = None, **more: str) -> XcatdClient:
    settings = {f"XCATRHEVH_{key}": value for key, value in {**stub.settings(), "WAIT": "300", **more}.items()}
    return XcatdClient(WebSettings(settings), clock or Hurried())


def documents(*inside: str) -> bytes:
    return b"".join(f"<xcatresponse>{text}</xcatresponse>\n".encode() for text in inside) + DONE


def test_what_is_sent(stub: Stub) -> None:
    assert xcatd(stub).report("rhevh1", "fd00::1", "other.example.com") == Verdict(True, False, "")
    request = stub.requests[0]
    assert (request.command, request.noderange, request.args) == (
        "rhevhupdateflag",
        "rhevh1",
        ("fd00::1", "other.example.com"),
    )
    assert stub.raw[0].endswith(b"\n")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (documents("<node><name>rhevh1</name><data>booted</data></node>"), Verdict(True, False, "")),
        (
            documents("<node><name>other</name><data>booted</data></node>"),
            Verdict(False, True, "xcatd's answer does not say that it is booted"),
        ),
        (
            documents("<node><name>rhevh1</name><data>booted</data></node>", "<error>no &lt;way&gt;</error>"),
            Verdict(False, False, "no <way>"),
        ),
        (
            documents("<node><name>rhevh1</name><error>not its address</error><errorcode>1</errorcode></node>"),
            Verdict(False, False, "not its address"),
        ),
        (
            documents("<node><name>rhevh1</name><error>nodeset failed</error><errorcode>2</errorcode></node>"),
            Verdict(False, True, "nodeset failed"),
        ),
        (documents("<errorcode>1</errorcode>"), Verdict(False, False, "refused without a reason")),
        (
            documents("<error>Permission denied for request</error><errorcode>1</errorcode>"),
            Verdict(False, False, "Permission denied for request"),
        ),
        (
            b"<xcatresponse><error>Permission denied for request</error><errorcode>1</errorcode><serverdone></serverdone>"  # noqa: E501
            b"</xcatresponse>\n",
            Verdict(False, False, "Permission denied for request"),
        ),
        (documents("<info>booted</info>"), Verdict(False, True, "xcatd's answer does not say that it is booted")),
        (documents("<node>rhevh1</node>"), Verdict(False, True, "xcatd's answer does not say that it is booted")),
        (
            documents("<errorcode>\u00b2</errorcode><errorcode></errorcode>"),
            Verdict(False, True, "xcatd's answer does not say that it is booted"),
        ),
        (DONE, Verdict(False, True, "xcatd's answer does not say that it is booted")),
    ],
)
def test_what_an_answer_means(stub: Stub, answer: bytes, verdict: Verdict) -> None:
    stub.answer = lambda request: answer
    assert xcatd(stub).report("rhevh1", "10.0.0.1") == verdict


@pytest.mark.parametrize(
    "first",
    [
        None,
        b"",
        b"garbage that is no XML",
        b"<xcatresponse>",
        b"<xcatresponse></wrong></xcatresponse>\n",
        documents("<node><name>rhevh1</name><data>booted</data></node>")[: -len(DONE)],
        b"\x00" * 100,
        b"<!DOCTYPE x>",
    ],
)
def test_a_broken_answer_is_asked_for_again(stub: Stub, first: bytes | None) -> None:
    answers = [first, first]
    stub.answer = lambda request: answers.pop() if answers else booted(request.noderange or "")
    assert xcatd(stub).report("rhevh1", "10.0.0.1").booted
    assert len(stub.requests) == 3


def test_a_daemon_that_starts_late_is_waited_for(folder: Path) -> None:
    late, slept = Stub(folder), []  # type: ignore[var-annotated]

    class Starting(Hurried):
        def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            if len(slept) == 2:
                late.__enter__()

    assert xcatd(late, Starting()).report("rhevh1", "10.0.0.1").booted
    assert slept == [PAUSE, PAUSE]
    late.__exit__()


def test_nobody_there_is_said_after_the_limit(stub: Stub) -> None:
    with pytest.raises(Unreachable, match="xcatd does not answer: .*refused"):
        xcatd(stub, SystemClock(), XCATD=f"127.0.0.1:{free_port()}", WAIT="1").report("rhevh1", "10.0.0.1")


def test_one_that_says_nothing_is_left_after_the_limit(stub: Stub) -> None:
    over = threading.Event()
    stub.answer = lambda request: b"" if over.wait(300) else None
    try:
        with pytest.raises(Unreachable, match="does not answer"):
            xcatd(stub, SystemClock(), WAIT="1").report("rhevh1", "10.0.0.1")
    finally:
        over.set()


def test_a_stranger_on_the_port_is_not_talked_to(stub: Stub, folder: Path) -> None:
    other = Home(folder / "other")
    other.make()
    certificates.make_all(other, "mn", set())
    with pytest.raises(Unreachable, match="xcatd's certificate is not from the CA"):
        xcatd(stub, CA=str(other.cert / "ca.pem")).report("rhevh1", "10.0.0.1")
    assert stub.requests == []


def test_without_a_ca_only_this_machine_is_believed(stub: Stub) -> None:
    assert xcatd(stub, CA="/nowhere/ca.pem").report("rhevh1", "10.0.0.1").booted
    with pytest.raises(Unreachable, match="no CA can be read"):
        xcatd(stub, CA="/nowhere/ca.pem", XCATD="192.0.2.1:3001").report("rhevh1", "10.0.0.1")


def test_a_certificate_is_shown(stub: Stub, folder: Path) -> None:
    certificates.issue_client(stub.home, "xcatrhevh", folder / "web")
    assert xcatd(stub, CERTIFICATE=str(folder / "web" / "client-cred.pem")).report("rhevh1", "10.0.0.1").booted
    with pytest.raises(Unreachable, match="the certificate /nowhere cannot be used"):
        xcatd(stub, CERTIFICATE="/nowhere").report("rhevh1", "10.0.0.1")


def test_how_far_nodes_are(stub: Stub) -> None:
    stub.answer = lambda request: documents(
        "<node><name>rhevh1</name><data>boot|booted|11-22-2026 20:00:00|10.0.0.1|</data></node>",
        "<node><name>rhevh2</name><data>too|few</data></node>",
        "<node><name>rhevh3</name></node>",
        "<node><name>rhevh4</name><error>no plugin</error><errorcode>1</errorcode></node>",
        "<node><name>rhevh5</name><data>||||</data></node>",
    )
    found = xcatd(stub).progress(["rhevh1", "rhevh2", "rhevh3", "rhevh4", "rhevh5"]).nodes
    assert [(node.node, node.status, node.address) for node in found] == [
        ("rhevh1", "booted", "10.0.0.1"),
        ("rhevh5", "", ""),
    ]
    assert stub.requests[0].noderange == "rhevh1,rhevh2,rhevh3,rhevh4,rhevh5"
