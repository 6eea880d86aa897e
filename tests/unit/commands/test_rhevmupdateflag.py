"""rhevmupdateflag: who gets the answers for a manager's setup, and what is noted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from fakes import FakeHost
from nameservice import NameService
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands.finish.setups import answers_path
from xcat_rhev.messages import Data, Error
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request


@pytest.fixture(autouse=True)
def name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    NameService(forward={}).install(monkeypatch)


@pytest.fixture
def xcat(tmp_path: Path) -> FakeHost:
    path = answers_path(str(tmp_path), "mgr1")
    path.parent.mkdir(parents=True)
    path.write_text("[environment:default]\nOVESETUP_CONFIG/adminPassword=str:secret\n")
    return FakeHost(
        {
            "site": [{"key": "xcatconfdir", "value": str(tmp_path)}, {"key": "rhevhautoapprove", "value": "yes"}],
            "nodelist": [
                {"node": "mgr1", "appstatus": "ssh=up,rhevmsetup=waiting"},
                {"node": "kvm1"},
            ],
            "hosts": [{"node": "mgr1", "ip": "10.0.0.5"}, {"node": "kvm1", "ip": "10.0.0.6"}],
            "hypervisor": [{"node": "kvm1", "mgr": "mgr1.example.com"}],
        }
    )


def ask(xcat: FakeHost, node: str, *words: str, asker: str = "127.0.0.1", user: str = "") -> list[str]:
    request = Request("rhevmupdateflag", (node,), words, user=user, asker=asker)
    said = Dispatcher(clock=ManualClock()).run(request, xcat)
    return [f"{'!' if isinstance(m, Error) else ''}{m.text}" for m in said if isinstance(m, (Data, Error))]


def status(xcat: FakeHost, node: str) -> str:
    return next(row.get("appstatus", "") for row in xcat.tables["nodelist"] if row["node"] == node)


@pytest.mark.parametrize("word", ["taken", "up"])
def test_the_answers_go_to_the_node_at_its_address_until_it_has_them(xcat: FakeHost, tmp_path: Path, word: str) -> None:
    for _ in range(2):  # an answer may be lost on its way
        assert ask(xcat, "mgr1", "10.0.0.5", "answers") == [
            "[environment:default]",
            "OVESETUP_CONFIG/adminPassword=str:secret",
        ]
        assert status(xcat, "mgr1") == "ssh=up,rhevmsetup=running"
    assert ask(xcat, "mgr1", "10.0.0.5", word) == [word]
    assert not answers_path(str(tmp_path), "mgr1").exists()
    assert status(xcat, "mgr1") == f"ssh=up,rhevmsetup={'up' if word == 'up' else 'running'}"
    again = ask(xcat, "mgr1", "10.0.0.5", "answers")
    assert again[0].startswith("!there are no answers for it, or it has them already. Run: xcat-rhev engine kit")


@pytest.mark.parametrize(
    ("node", "words", "asker", "says"),
    [
        ("mgr1", ("10.0.0.6", "taken"), "127.0.0.1", "!10.0.0.6 is not its address"),
        ("mgr1", ("10.0.0.6", "answers"), "127.0.0.1", "!10.0.0.6 is not its address"),
        ("mgr1", ("10.0.0.5", "answers"), "10.0.0.5", "!only this host, a service node or a user"),
        ("kvm1", ("10.0.0.6", "answers"), "127.0.0.1", "!there are no answers for it"),
        ("kvm1", ("10.0.0.6", "up"), "127.0.0.1", "!no kit was made for it"),
        ("kvm1", ("10.0.0.6", "installed"), "127.0.0.1", "!no full Linux is being installed on it"),
        ("mgr1", ("nothing", "up"), "127.0.0.1", "!rhevmupdateflag needs an IP address and one word"),
        ("mgr1", ("10.0.0.5", "perhaps"), "127.0.0.1", "!rhevmupdateflag needs an IP address and one word"),
    ],
)
def test_nobody_else_gets_them(
    xcat: FakeHost, tmp_path: Path, node: str, words: Sequence[str], asker: str, says: str
) -> None:
    said = ask(xcat, node, *words, asker=asker)
    assert len(said) == 1 and said[0].startswith(says)
    assert answers_path(str(tmp_path), "mgr1").exists()


@pytest.mark.parametrize("word", ["up", "failed"])
def test_how_the_setup_went_is_noted(xcat: FakeHost, word: str) -> None:
    assert ask(xcat, "mgr1", "10.0.0.5", word) == [word]
    assert status(xcat, "mgr1") == f"ssh=up,rhevmsetup={word}"


def test_a_host_that_is_ready_waits_for_rhevhjoin(xcat: FakeHost) -> None:
    assert ask(xcat, "kvm1", "10.0.0.6", "ready") == ["ready"]
    assert status(xcat, "kvm1") == "rhevmhost=ready,rhevm=approve"


def test_a_dry_run_keeps_the_answers(xcat: FakeHost, tmp_path: Path) -> None:
    assert ask(xcat, "mgr1", "10.0.0.5", "answers", "--dry-run") == ["hand out the answers for its setup"]
    assert answers_path(str(tmp_path), "mgr1").exists()


def test_an_answer_file_that_is_a_link_of_somebody_is_not_followed(xcat: FakeHost, tmp_path: Path) -> None:
    path = answers_path(str(tmp_path), "mgr1")
    path.unlink()
    path.symlink_to("/proc/self/environ")
    assert os.environ["PATH"] not in "".join(ask(xcat, "mgr1", "10.0.0.5", "answers"))
