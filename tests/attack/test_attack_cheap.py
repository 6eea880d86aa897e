"""Requests that cost a stranger nothing and the daemon much: processor time, the disk, the memory of a large table."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from attackhelp import user
from daemonhelp import Inside, Served, until
from xcat_rhev.daemon import audit, logs, tally
from xcat_rhev.daemon.audit import Audit, AuditEntry
from xcat_rhev.secret import Secret
from xcat_rhev.xcat import noderange
from xcat_rhev.xcat.wire import UserPassword, WireRequest, write_request


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    xcat.type("nodeadd", "n[1-2000]", "groups=all")
    yield xcat
    xcat.close()


# Noderanges


@pytest.mark.parametrize(
    "text",
    [
        "n[1-400000]",
        "/.*",
        "all",
        "n1-n2000",
        "n1+100000",
        "nodelist.groups=~/(a|l)+x/",
        "(n1,n2)",
        "n1,-n2",
        "n1@n2",
        "n[1-9][0-9][0-9][0-9][0-9]",
        "((((n1))))",
        "~",
        "=",
        "'n1'",
        "n1\nn2",
        ",".join(f"n[1-{n}]" for n in range(999)),
    ],
)
def test_a_stranger_has_no_noderange(xcat, text, monkeypatch):
    monkeypatch.setattr("xcat_rhev.xcat.noderange.expand", lambda *_: pytest.fail("worked out"))
    answer = xcat.ask(WireRequest("lsxcatd", noderange=text, args=("-v",)), cert=False)
    assert b"needs an authenticated user" in answer or b"Invalid nodes" in answer


def test_a_stranger_may_name_nodes(xcat):
    assert b"Version" in xcat.ask(WireRequest("lsxcatd", noderange="n1", args=("-v",)), cert=False)
    assert b"Version" in xcat.ask(WireRequest("lsxcatd", noderange="n1,n2,n2000", args=("-v",)), cert=False)
    xcat.type("tabch", "key=excludenodes", "site.value=n1")
    xcat.type("tabch", "priority=9", "policy.commands=nodels", "policy.rule=allow")
    answer = xcat.ask(WireRequest("nodels", noderange="n1,n2"), cert=False)
    assert b"<name>n2</name>" in answer and b"<name>n1</name>" not in answer


def test_an_expansion_ends_with_its_client(xcat, monkeypatch):
    """Seen by what is left of the work when the client has gone."""
    joe = user(xcat, "joe", "nodels")
    steps = []
    real = noderange._Expander._atom

    def slow(expander, atom, mode):
        steps.append(atom)
        xcat.server.takes_long()
        time.sleep(0.02)
        return real(expander, atom, mode)

    monkeypatch.setattr(noderange._Expander, "_atom", slow)
    text = ",".join(f"x{n}" for n in range(5000))
    with xcat.connect(joe) as sock:
        sock.sendall(write_request(WireRequest("nodels", noderange=text)))
        until(lambda: len(steps) > 3)
        sock.sendall(write_request(WireRequest(abort=True)))
    until(lambda: xcat.server.idle(0.1))
    assert len(steps) < 1000


# The audit log


def lines_of(xcat: Inside) -> list[str]:
    xcat.xcatd.audit.close()
    return (xcat.home.log / "audit.log").read_text().splitlines()


def test_denials_of_strangers_are_counted(xcat):
    for number in range(60):
        xcat.ask(WireRequest("tabdump", args=("x" * 5000, str(number))), cert=False)
    lines = [line for line in lines_of(xcat) if "for nobody" in line]
    assert len(lines) == audit.DENIED.each + 1
    assert "Denying 55 more requests for nobody from 127.0.0.1" in lines[-1]


def test_what_strangers_are_allowed_is_counted_as_well(tmp_path):
    log = Audit(None, tmp_path / "audit.log")
    for number in range(5000):
        log.note(AuditEntry("", "h", "cli", "lsxcatd", "", ("x",) * 100, "allowed", f"10.0.0.{number % 3}"))
    log.close()
    lines = (tmp_path / "audit.log").read_text().splitlines()
    assert len(lines) == 3 * audit.ALLOWED.each + 3 and "more requests" in lines[-1]


def test_of_very_many_addresses_the_sum_counts(tmp_path):
    log = Audit(None, tmp_path / "audit.log")
    for number in range(20_000):
        log.note(AuditEntry("", "h", "cli", "x", "", (), "denied", f"10.0.{number // 250}.{number % 250}"))
    log.close()
    lines = (tmp_path / "audit.log").read_text().splitlines()
    assert len(lines) <= audit.DENIED.all + tally.MOST + 1
    assert any(tally.OTHERS in line for line in lines)


def test_wrong_passwords_are_counted(xcat, caplog):
    for number in range(audit.FAILED.each + 20):
        xcat.ask(WireRequest("authcheck", becomeuser=UserPassword(f"name{number}", Secret("x"))), cert=False)
    xcat.xcatd.audit.close()
    told = [record.getMessage() for record in caplog.records if "authentication failure" in record.getMessage()]
    assert len(told) == audit.FAILED.each + 1 and told[-1] == "20 more authentication failures from 127.0.0.1"


def test_everything_of_users_is_written(xcat):
    joe = user(xcat, "joe")
    for _ in range(20):
        xcat.ask(WireRequest("tabdump", args=("site",)), cert=joe)
    assert sum("for joe" in line for line in lines_of(xcat)) == 20


def test_logs_rotate(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LONGEST", 1000)
    file = tmp_path / "audit.log"
    for number in range(50):
        logs.append(file, [f"{number} " + "x" * 500 + "\n"])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["audit.log", *(f"audit.log.{number}" for number in range(1, logs.KEPT + 1))]
    assert file.read_text().splitlines()[-1].startswith("49 ")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 10_000


def test_the_table_keeps_its_newest_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(audit, "ROWS", 50)
    xcat = Inside(tmp_path / "mn")
    for number in range(200):
        xcat.xcatd.audit._write_table(
            [("01-01-2026 00:00:00", AuditEntry("root", "mn", "cli", str(number), "", (), "allowed"))]
        )
    commands = [row["command"] for row in xcat.table("auditlog")]
    assert commands[-1] == "199" and len(commands) <= 56
    xcat.close()


# Large tables


@pytest.fixture
def full(tmp_path):
    xcat = Inside(tmp_path / "mn")
    with xcat.store.change("auditlog") as change:
        change.add_all({"audittime": f"01-{n % 28 + 1:02d}-2026 00:00:00", "command": f"c{n}"} for n in range(5000))
    yield xcat
    xcat.close()


def test_pieces_are_what_the_whole_is(full):
    pieces = [one.fields["data"] for one in full.said("tabdump", "auditlog")]
    assert len(pieces) == 5 and pieces[0][0].startswith("#recid") and len(pieces[0]) == 1001
    assert [line.split(",")[5] for piece in pieces for line in piece if line[0] != "#"] == [
        f'"c{n}"' for n in range(5000)
    ]
    assert "auditlog" not in full.store._kept


def test_conditions_and_the_last_ones(full):
    assert len(full.type("tabdump", "-n", "7", "auditlog")) == 8
    assert [line.split(",")[5] for line in full.type("tabdump", "-w", "command=~c12%", "-n", "2", "auditlog")[1:]] == [
        '"c1298"',
        '"c1299"',
    ]
    assert full.type("tabdump", "-w", "command==none", "auditlog") == full.type("tabdump", "auditlog")[:1]
    assert "Unsupported operator" in full.type("tabdump", "-w", "nothing", "auditlog")[0]


@pytest.mark.parametrize(
    "words, left",
    [
        (("-n", "1000"), range(1000, 5000)),
        (("-p", "50"), range(2500, 5000)),
        (("-i", "4001"), range(4000, 5000)),
        (("-d", "0"), ()),
        (("-a",), ()),
        (("-n", "99999"), ()),
        (("-i", "0"), range(5000)),
    ],
)
def test_tabprune(full, words, left):
    assert full.type("tabprune", "auditlog", *words) == ["tabprune of auditlog complete."]
    assert [row["command"] for row in full.table("auditlog")] == [f"c{n}" for n in left]


def test_tabprune_shows_what_goes(full):
    shown = full.type("tabprune", "auditlog", "-V", "-n", "1500")
    assert len(shown) == 1501 and shown[0].startswith("#recid")
    assert "not supported in tabprune" in full.type("tabprune", "site", "-n", "1")[0]
    assert "is not a number" in full.type("tabprune", "auditlog", "-n", "x")[0]
    assert full.type("tabprune", "auditlog")[0].startswith("Usage") and full.rc == 1


def test_tabprune_reads_the_times_of_any_xcat(tmp_path):
    xcat = Inside(tmp_path / "mn")
    times = ("01-31-2020 10:00:00", "2020-01-31 10:00:00", "2999-01-31 10:00:00", "01-31-2999 10:00:00")
    with xcat.store.change("auditlog") as change:
        change.add_all({"audittime": moment, "command": moment} for moment in times)
    xcat.type("tabprune", "auditlog", "-d", "30")
    assert [row["command"] for row in xcat.table("auditlog")] == list(times[2:])
    xcat.close()


# Who may read logs


def test_logs_are_not_for_everybody(tmp_path):
    before = os.umask(0)
    try:
        xcat = Served(tmp_path / "mn")
        xcat.ask(WireRequest("tabdump", args=("site",)))
        xcat.close()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (xcat.home.log, *Path(xcat.home.log).iterdir())}
    assert modes == {"log": 0o750, "audit.log": 0o640}
