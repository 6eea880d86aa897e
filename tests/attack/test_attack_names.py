"""The name service: slow, dead, forged, and asked too often."""

from __future__ import annotations

import socket
import threading

import pytest

from attackhelp import DENIED
from daemonhelp import Served, begin, until
from xcat_rhev.clock import ManualClock
from xcat_rhev.daemon import certificates, firststart, names
from xcat_rhev.daemon.database import locate
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.names import Names
from xcat_rhev.daemon.store import Store
from xcat_rhev.xcat.wire import WireRequest

ASK = WireRequest("lsxcatd", args=("-t",))


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("tabch", "-d", "priority=2.3", "policy")
    xcat.type("tabch", "priority=5", "policy.host=localhost", "policy.commands=lsxcatd", "policy.rule=allow")
    xcat.type("tabch", "priority=5.1", "policy.host=front", "policy.commands=lsxcatd", "policy.rule=allow")
    yield xcat
    xcat.close()


def service(monkeypatch, reverse, forward=()):
    """A name service of somebody else; the test itself asks for an address only."""
    real = socket.getaddrinfo

    def addresses(name, *args, **more):
        if name == "127.0.0.1":
            return real(name, *args, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in dict(forward).get(name, ())]

    monkeypatch.setattr(socket, "gethostbyaddr", reverse)
    monkeypatch.setattr(socket, "getaddrinfo", addresses)


# Slow or dead


def test_a_black_hole_holds_nobody_up(xcat, monkeypatch):
    hole, asked = threading.Event(), []

    def swallows(address):
        asked.append(address)
        hole.wait(600)
        raise socket.herror

    service(monkeypatch, swallows)
    xcat.xcatd.names = Names(ManualClock(), patience=0.2)
    strangers = [threading.Thread(target=xcat.ask, args=(ASK, False)) for _ in range(60)]
    try:
        for one in strangers:
            one.start()
        until(lambda: asked)
        assert b"<username>root</username>" in xcat.ask(WireRequest("authcheck"))
        for one in strangers:
            one.join(300)
            assert not one.is_alive()
        assert len(asked) <= names.ASKING
    finally:
        hole.set()


def test_root_asks_no_name_service(xcat, monkeypatch):
    service(monkeypatch, lambda address: pytest.fail("asked"))
    assert b"Management Node" in xcat.ask(ASK)
    assert DENIED in xcat.ask(WireRequest("tabdump", args=("site",)), cert=False), "no row of a host is about that"


def test_a_black_hole_does_not_keep_the_daemon_from_starting(monkeypatch):
    hole = threading.Event()
    monkeypatch.setattr(socket, "getfqdn", lambda: hole.wait(600))
    try:
        assert names.own.__wrapped__(0.1) == socket.gethostname()
    finally:
        hole.set()


def test_a_second_start_asks_no_name_service(tmp_path, monkeypatch):
    home, asked = Home(tmp_path), []
    begin(home)
    store = Store(locate(home.config))
    firststart.fill(store, home, "mn", "127.0.0.1", 3001)
    monkeypatch.setattr(socket, "getfqdn", lambda: asked.append("getfqdn") or "mn")
    monkeypatch.setattr(firststart, "own", lambda: asked.append("own") or "mn")
    firststart.fill(store, home, "mn", "127.0.0.1", 3001)
    certificates.make_all(home, "mn", (asked.append("address") or "127.0.0.1" for _ in range(1)))
    store.close()
    assert asked == []


def test_a_failure_is_not_remembered_for_ever(monkeypatch):
    clock, known = ManualClock(), []
    asked = Names(clock, ask=lambda address: known[0] if known else "")
    assert asked.of("10.0.0.1") == ""
    known.append("front")
    assert asked.of("10.0.0.1") == ""
    clock.advance(names.BAD + 1)
    assert asked.of("10.0.0.1") == "front"
    known[0] = "other"
    assert asked.of("10.0.0.1") == "front"
    clock.advance(names.GOOD + 1)
    assert asked.of("10.0.0.1") == "other"


def test_it_forgets_the_oldest(monkeypatch):
    monkeypatch.setattr(names, "MOST", 10)
    asked = Names(ManualClock(), ask=lambda address: "x")
    for number in range(100):
        asked.of(f"10.0.0.{number}")
    assert len(asked._known) == 10


# Forged


@pytest.mark.parametrize(
    "said, forward",
    [
        ("localhost", {"localhost": ["127.0.0.2"]}),
        ("localhost", {}),
        ("localhost.evil.example", {"localhost.evil.example": ["127.0.0.1"]}),
        ("front.evil.example", {"front.evil.example": ["127.0.0.1"]}),
        ("front", {"front": ["10.0.0.7"]}),
        ("localhost.", {"localhost.": ["10.0.0.7"]}),
        ("", {"": ["127.0.0.1"]}),
    ],
)
def test_a_reverse_name_is_no_proof(xcat, monkeypatch, said, forward):
    service(monkeypatch, lambda address: (said, [], [address]), forward)
    assert DENIED in xcat.ask(ASK, cert=False)


@pytest.mark.parametrize("said", ["front", "front.{domain}", "front-eth0", "front-ib1.{domain}"])
def test_a_name_that_leads_back_is_one(xcat, monkeypatch, said):
    xcat.type("tabch", "key=domain", "site.value=cluster.example")
    said = said.format(domain="cluster.example")
    service(monkeypatch, lambda address: (said, [], [address]), {said: ["10.0.0.9", "127.0.0.1"]})
    assert b"Management Node" in xcat.ask(ASK, cert=False)
