"""/xcatrhevh/metrics and the certificates on the status page, with an xcatd that is a table."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import Unreachable
from xcat_rhev.web import app, metrics
from xcat_rhev.web.notify import Overview
from xcat_rhev.xcat.policy import Asker, Query, decide
from xcat_rhev.xcat.rows import read_csv


def stamp(days: float) -> float:
    return (datetime.now(timezone.utc) + timedelta(days=days)).timestamp()


def said(manager: str, days: float = 300) -> str:
    return "\n".join(
        (
            "# HELP rhev_hosts Hypervisors by state.",
            "# TYPE rhev_hosts gauge",
            f'rhev_hosts{{manager="{manager}",status="up"}} 2',
            "# HELP rhev_certificate_end_timestamp_seconds When.",
            "# TYPE rhev_certificate_end_timestamp_seconds gauge",
            f'rhev_certificate_end_timestamp_seconds{{manager="{manager}",of="host",name="h1"}} {stamp(days):.17g}',
        )
    )


class Xcatd:
    """Answers as told and counts the questions."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str] | Unreachable] = {}
        self.asked: list[str] = []

    def __call__(self, *_: object) -> Xcatd:
        return self

    def metrics(self, manager: str) -> tuple[str, str]:
        self.asked.append(manager)
        answer = self.answers[manager]
        if isinstance(answer, Unreachable):
            raise answer
        return answer

    def progress(self, _: object) -> Overview:
        return Overview([])


@pytest.fixture
def xcatd(monkeypatch: pytest.MonkeyPatch) -> Xcatd:
    made = Xcatd()
    monkeypatch.setattr(app, "XcatdClient", made)
    monkeypatch.setattr(metrics, "_last", {})
    return made


def ask(folder: Path, path: str, address: str = "127.0.0.1", managers: str = "m1 m2") -> tuple[int, str, str]:
    (folder / "nodes.json").write_text(json.dumps({"version": 1, "addresses": {}, "names": {}}))
    log: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/xcatrhevh",
        "PATH_INFO": path,
        "REMOTE_ADDR": address,
        "XCATRHEVH_NODES": str(folder / "nodes.json"),
        "XCATRHEVH_FILE": "/nowhere",
        "XCATRHEVH_MANAGERS": managers,
    }
    answer, headers, body = app.respond(environ, ManualClock(), log.append)
    return answer.status, body.decode(), dict(headers)["Content-Type"] + " | " + log[0]


def test_the_metrics_of_several_managers_stand_together_each_under_one_head(tmp_path: Path, xcatd: Xcatd) -> None:
    xcatd.answers = {"m1": (said("m1"), ""), "m2": (said("m2"), "")}
    status, text, told = ask(tmp_path, "/metrics")
    lines = text.splitlines()
    assert status == 200 and told.startswith("text/plain; version=0.0.4; charset=utf-8 | ")
    assert lines[2:4] == ['rhev_up{manager="m1"} 1', 'rhev_up{manager="m2"} 1']
    assert lines.count("# TYPE rhev_hosts gauge") == 1
    at = lines.index("# TYPE rhev_hosts gauge")
    assert lines[at + 1 : at + 3] == [f'rhev_hosts{{manager="{name}",status="up"}} 2' for name in ("m1", "m2")]
    assert text.endswith("\n")


def test_a_manager_that_cannot_be_asked_is_down_and_the_log_says_why(tmp_path: Path, xcatd: Xcatd) -> None:
    xcatd.answers = {"m1": ("", "Permission denied"), "m2": Unreachable("xcatd does not answer: refused")}
    status, text, told = ask(tmp_path, "/metrics")
    assert status == 200
    assert text.splitlines()[2:] == ['rhev_up{manager="m1"} 0', 'rhev_up{manager="m2"} 0']
    assert "Permission denied; xcatd does not answer: refused" in told


def test_without_managers_there_is_no_such_page_and_strangers_see_none(tmp_path: Path, xcatd: Xcatd) -> None:
    assert ask(tmp_path, "/metrics", managers="")[0] == 404
    assert ask(tmp_path, "/metrics", address="203.0.113.1")[0] == 403
    assert xcatd.asked == []


def test_the_status_page_names_what_ends_soon_and_asks_once_in_ten_minutes(tmp_path: Path, xcatd: Xcatd) -> None:
    xcatd.answers = {"m1": (said("m1", -2), ""), "m2": (said("m2", 61.5), "")}
    for _ in range(2):
        _, html, _ = ask(tmp_path, "/")
        assert html.count("The certificate of the host h1 ended ") == 1
        assert "in 61 days" not in html
    assert sorted(xcatd.asked) == ["m1", "m2"]


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (["-m", "rhevm.example.com:8443", "--metrics"], True),
        (["-m", "rhevm", "--export"], False),
        (["-m", "rhevm", "--metrics", "--graph", "/etc/x.svg"], False),
        (["-t", "dc", "-m", "rhevm"], False),
    ],
)
def test_the_policy_row_lets_the_web_server_ask_for_this_alone(args: list[str], allowed: bool) -> None:
    lines = Path(__file__).parents[3].joinpath("policy/policy.metrics.csv").read_text().splitlines()
    rows = [{key: value for key, value in row.items() if value} for row in read_csv(lines)[1]]
    asked = Query("lsve", (), tuple(args))
    assert decide(rows, Asker("xcatrhevh", "web1"), asked, str.split).allowed is allowed
    assert not decide(rows, Asker("joe", "web1"), asked, str.split).allowed
