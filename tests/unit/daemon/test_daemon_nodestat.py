"""nodestat and rinstall: what is seen of nodes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import catalog
from xcat_rhev.daemon.core import status
from xcat_rhev.daemon.core.declare import CommandCall, Core, own_command
from xcat_rhev.daemon.reply import Output
from xcat_rhev.declare.command import CommandWords
from xcat_rhev.messages import Data


def fake_rpower(call: CommandCall) -> Iterator[Output]:
    """Stands in for a manager."""
    assert call.words == ("stat",)
    yield from (Data("off", node) for node in call.request.nodes)


@pytest.fixture
def xcat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    core = Core(
        own_command("rpower", "for tests", ("rpower",), (), CommandWords(most=1)),
        fake_rpower,
        routes=(("fake", "nodehm:mgt=rhevm"),),
    )
    monkeypatch.setitem(catalog.CORES, "rpower", core)
    xcat = Inside(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        services = ((listener.getsockname()[1], "sshd"), (9, "pbs"))
        monkeypatch.setattr(status, "SERVICES", services)
        xcat.type("mkdef", "up", "groups=all", "ip=127.0.0.1")
        xcat.type("mkdef", "only", "groups=all", "ip=127.0.0.2")  # refuses, and so is there
        xcat.type("mkdef", "dark,ours", "groups=all", "ip=255.255.255.255")  # connecting there fails at once
        xcat.type("chdef", "ours", "mgt=rhevm")
        yield xcat
    xcat.close()


def test_what_nodes_answer_on(xcat):
    assert xcat.type("nodestat", on="up,only,dark") == ["dark: noping", "only: ping", "up: sshd"]
    assert xcat.rc == 0


def test_a_node_that_answers_while_it_is_installed(xcat):
    xcat.type("tabch", "node=only", "chain.currstate=install rhevh")
    xcat.type("tabch", "node=dark", "chain.currstate=install rhevh")
    assert xcat.type("nodestat", on="only,dark") == ["dark: noping", "only: installing"]


def test_the_tables_get_what_was_seen(xcat):
    xcat.type("tabch", "node=only", "chain.currstate=install rhevh")
    xcat.type("nodestat", "-u", on="up,only,dark")
    assert xcat.type("nodels", "nodelist.status", on="up,only,dark") == [
        "dark: unreachable",
        "only: installing",
        "up: alive",
    ]


def test_the_power_of_nodes_that_do_not_answer(xcat):
    assert xcat.type("nodestat", "-p", on="up,dark,ours") == ["up: sshd", "dark: noping", "ours: noping(off)"]


def test_a_name_without_an_address(xcat):
    xcat.type("mkdef", "no-such-name-at-all", "groups=all")
    assert xcat.type("nodestat", on="no-such-name-at-all") == [
        "no-such-name-at-all: Please make sure no-such-name-at-all exists in /etc/hosts or DNS or hosts table",
        "no-such-name-at-all: noping",
    ]


def test_what_nobody_can_tell_is_refused(xcat):
    assert "monsetting" in xcat.type("nodestat", "-m", on="up")[0] and xcat.rc == 1


def test_one_console_at_a_time(xcat):
    assert xcat.type("rinstall", "-c", on="up,only")[0].startswith("Error: rinstall -c/--console can only be run")
    assert xcat.rc == 1
