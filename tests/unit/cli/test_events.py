"""xcat-rhev events: each event once to each program, over restarts and failures; no program holds up another."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest

from xcat_rhev.abort import Abort
from xcat_rhev.cli.events.hooks import MOST, environment, programs
from xcat_rhev.cli.events.watcher import Habits, Watcher
from xcat_rhev.errors import Unreachable
from xcat_rhev.messages import Data

MANAGER = "rhevm.example.com"


class FakeXcatd:
    """An xcatd whose manager has some events."""

    def __init__(self):
        self.events, self.typed, self.newest, self.trouble = [], [], 0, None

    def happens(self, **facts):
        self.newest += 1
        self.events.append({"manager": MANAGER, "id": self.newest, "description": "d", **facts})

    def ask(self, command, *words):
        if self.trouble:
            raise self.trouble
        self.typed.append((command, *words))
        if command != "lsve":
            return []
        after = words[-1]
        new = [each for each in self.events if after != "now" and each["id"] > int(after)]
        return [Data(json.dumps(each)) for each in [*new, {"manager": MANAGER, "newest": self.newest}]]


@pytest.fixture
def xcatd():
    return FakeXcatd()


@pytest.fixture
def site(tmp_path, xcatd):
    """The folders, and one look at the events by a process that has just started."""

    class Site:
        hooks, state, said = tmp_path / "hooks", tmp_path / "state", []

        def program(self, name, text, mode=0o755):
            path = self.hooks / name
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(mode)
            return path

        def look(self, limit=60.0):
            habits = Habits(self.hooks, self.state, 1, limit)
            watcher = Watcher(MANAGER, lambda: xcatd, habits, self.said.append)
            watcher.run(Abort(), once=True)
            return watcher

    found = Site()
    found.hooks.mkdir()
    found.state.mkdir()
    return found


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_each_event_once_over_restarts_and_none_of_before(site, xcatd, tmp_path):
    got = tmp_path / "got"
    site.program("note", f'echo "$RHEV_ID $RHEV_MANAGER" >> {got}')
    xcatd.happens()
    site.look()
    assert lines(got) == []
    xcatd.happens()
    xcatd.happens()
    site.look()
    site.look()
    xcatd.happens()
    site.look()
    assert lines(got) == [f"{number} {MANAGER}" for number in (2, 3, 4)]
    assert site.said == []


def test_facts_are_in_the_environment_and_on_standard_input_and_nothing_of_ours(site, xcatd, tmp_path, monkeypatch):
    monkeypatch.setenv("XCAT_CERT_DIR", "/root/.xcat")
    monkeypatch.setenv("SOME_PASSWORD", "verysecret")
    got, heard = tmp_path / "got", tmp_path / "heard"
    site.program("note.sh", f"env > {got}; cat > {heard}")
    site.look()
    xcatd.happens(node="vm1", state="down", severity="error", description='VM "vm1" $(touch /tmp/x) is down')
    site.look()
    event = json.loads(heard.read_text())
    assert (event["node"], event["id"]) == ("vm1", 1)
    told = dict(line.split("=", 1) for line in lines(got))
    assert {"RHEV_NODE": "vm1", "RHEV_STATE": "down", "RHEV_DESCRIPTION": event["description"]}.items() <= told.items()
    assert "XCAT_CERT_DIR" not in told
    assert "verysecret" not in got.read_text()


def test_programs_that_fail_or_take_their_time_hold_up_nobody(site, xcatd, tmp_path):
    got = tmp_path / "got"
    site.program("bad", "echo it is broken; exit 3")
    site.program("good", f"echo $RHEV_ID >> {got}")
    site.program("late", f"until grep -q 2 {got}; do sleep 0.1; done")
    (site.hooks / "none").write_text("no program")
    (site.hooks / "none").chmod(0o755)
    site.look()
    xcatd.happens()
    xcatd.happens()
    site.look(limit=300)
    assert lines(got) == ["1", "2"]
    assert f"{MANAGER}: bad, event 1: exit code 3: it is broken" in site.said
    assert any("none, event 1: cannot be started: " in text for text in site.said)
    assert not [text for text in site.said if "good" in text or "late" in text]


def test_one_that_hangs_is_ended_with_all_that_it_started(site, xcatd, tmp_path):
    child = tmp_path / "child"
    site.program("hang", f"sleep 600 & echo $! > {child}; wait")
    site.look()
    xcatd.happens()
    site.look(limit=1)
    assert site.said == [f"{MANAGER}: hang, event 1: ended after 1 s"]
    site.look()
    assert len(site.said) == 1
    left = Path("/proc", (child.read_text().strip() if child.exists() else "") or "none", "fd", "0")
    end = time.monotonic() + 120
    while left.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not left.exists()


def test_one_that_was_at_work_when_we_were_killed_hears_it_again_and_is_told_so(site, xcatd, tmp_path):
    got = tmp_path / "got"
    site.program("note", f'echo "$RHEV_ID$RHEV_AGAIN" >> {got}')
    site.program("other", f'echo "other $RHEV_ID" >> {got}')
    site.look()
    xcatd.happens()
    xcatd.happens()
    (file,) = site.state.iterdir()
    kept = json.loads(file.read_text())
    kept.update(status=2, done={"note": 0, "other": 2}, begun={"note": 1})
    file.write_text(json.dumps(kept))
    site.look()
    assert lines(got) == ["11", "2"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_program_hears_what_happens_from_then_on(site, xcatd, tmp_path):
    site.look()
    xcatd.happens()
    site.look()
    got = tmp_path / "got"
    site.program("late", f"echo $RHEV_ID >> {got}")
    xcatd.happens()
    site.look()
    assert lines(got) == ["2"]


def test_status_is_written_for_many_nodes_at_once_and_the_last_word_of_a_node_counts(site, xcatd):
    site.look()
    for number in range(250):
        xcatd.happens(node=f"vm{number}", status="unreachable")
    xcatd.happens(node="vm0", status="alive")
    site.look()
    written = [words for words in xcatd.typed if words[0] == "nodech"]
    assert [(len(words[1].split(",")), words[2]) for words in written] == [
        (1, "nodelist.status=alive"),
        (200, "nodelist.status=unreachable"),
        (49, "nodelist.status=unreachable"),
    ]
    assert all(words[3].startswith("nodelist.statustime=") for words in written)
    site.look()
    assert len([words for words in xcatd.typed if words[0] == "nodech"]) == 3


def test_a_manager_that_cannot_be_asked_is_said_once_and_loses_nothing(site, xcatd, tmp_path):
    got = tmp_path / "got"
    site.program("note", f"echo $RHEV_ID >> {got}")
    watcher = site.look()
    xcatd.happens()
    xcatd.trouble = Unreachable("nobody there")
    watcher.run(Abort(), once=True)
    watcher.run(Abort(), once=True)
    assert site.said == [f"{MANAGER}: is asked again: nobody there"]
    xcatd.trouble = None
    watcher.run(Abort(), once=True)
    assert lines(got) == ["1"]


def test_a_manager_that_counts_anew_after_a_restored_database(site, xcatd, tmp_path):
    got = tmp_path / "got"
    site.program("note", f"echo $RHEV_ID >> {got}")
    xcatd.newest = 500
    site.look()
    xcatd.events, xcatd.newest = [], 20
    site.look()
    xcatd.happens()
    site.look()
    assert lines(got) == ["21"]
    assert site.said == [f"{MANAGER}: the newest event has the number 20, after 500: it continues from there"]


def test_a_damaged_position_is_none(site, xcatd):
    xcatd.happens()
    site.look()
    (file,) = site.state.iterdir()
    for text in ("", "[]", '{"status": null}', '{"status": 1, "done": 3, "begun": {}}'):
        file.write_text(text)
        site.look()
        assert json.loads(file.read_text())["status"] == 1


def test_a_program_that_is_far_behind_misses_the_oldest_and_that_is_said(site, xcatd, tmp_path, monkeypatch):
    monkeypatch.setattr("xcat_rhev.cli.events.watcher.KEPT", 3)
    got = tmp_path / "got"
    site.program("note", f"echo $RHEV_ID >> {got}")
    site.look()
    for _ in range(5):
        xcatd.happens()
    site.look()
    assert lines(got) == ["3", "4", "5"]
    assert site.said == [f"{MANAGER}: note is too slow and misses the events 1 to 2"]


@pytest.mark.parametrize(
    ("name", "mode", "why"),
    [
        ("plain", 0o644, "it is not a program. Run: chmod +x "),
        ("loose", 0o777, "others may write it. Run: chmod go-w "),
    ],
)
def test_what_is_not_called_and_why(site, name, mode, why):
    site.program(name, "", mode)
    said: list[str] = []
    assert [*programs(site.hooks, said.append)] == []
    assert len(said) == 1 and why in said[0]


def test_leftovers_are_passed_over_and_there_are_so_many_at_most(site):
    for name in (".hidden", "hook~", "hook.rpmsave", "hook.dpkg-old"):
        site.program(name, "")
    for number in range(MOST + 1):
        site.program(f"hook{number:02}", "")
    said: list[str] = []
    assert len([*programs(site.hooks, said.append)]) == MOST
    assert said == [f"{site.hooks}/hook{MOST:02} is not called: there are more than {MOST} programs in {site.hooks}"]


def test_a_zero_byte_in_a_fact_stops_no_program():
    assert environment({"description": "a\0b"}, False)["RHEV_DESCRIPTION"] == "ab"
    assert "RHEV_AGAIN" not in environment({}, False)
    assert environment({}, True)["RHEV_AGAIN"] == "1"
