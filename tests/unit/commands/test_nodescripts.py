"""Postscripts of hypervisors, with an ssh that runs them on this machine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from daemonhelp import until
from fakes import FakeHost
from xcat_rhev.commands.finish import nodescripts
from xcat_rhev.commands.finish.nodescripts import Script, run_all, scripts
from xcat_rhev.errors import Aborted

SSH = """#!/bin/sh
# Ends like the real one when it is told to; else runs what comes after the options here.
printf '%s\\n' "$@" >> "$LOG"
[ -z "$FAIL" ] || { echo "$FAIL" >&2; exit 255; }
while [ "$1" = -o ]; do shift 2; done
shift
exec sh -c "$*"
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("FAIL", "")
    monkeypatch.setenv("OUT", str(tmp_path / "out"))
    return tmp_path / "log"


def xcat(tmp_path: Path, row: str, **files: str) -> FakeHost:
    folder = tmp_path / "install" / "postscripts"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return FakeHost(
        {
            "site": [{"key": "installdir", "value": str(tmp_path / "install")}],
            "hosts": [{"node": "n1", "ip": "10.0.0.1"}],
            "postscripts": [{"node": "n1", "postscripts": row, "postbootscripts": "rhevh:last"}],
        }
    )


def test_only_those_that_are_meant(tmp_path: Path) -> None:
    host = xcat(tmp_path, "syslog,rhevh:motd, rhevh:route add 10.5.0.0/16 ,remoteshell,rhevh:,xrhevh:no")
    assert scripts(host, ["n1", "n2"]) == {
        "n1": [Script("motd", ()), Script("route", ("add", "10.5.0.0/16")), Script("last", ())]
    }


def test_those_of_every_node_come_first(tmp_path: Path) -> None:
    host = xcat(tmp_path, "rhevh:own")
    host.tables["postscripts"].append({"node": "xcatdefaults", "postscripts": "syslog,rhevh:usual"})
    found = scripts(host, ["n1", "n2"])
    assert [script.name for script in found["n1"]] == ["usual", "own", "last"]
    assert [script.name for script in found["n2"]] == ["usual"]


def test_they_run_with_their_arguments(tmp_path: Path, log: Path) -> None:
    host = xcat(tmp_path, "rhevh:first a$(id) 'b;c", first='echo "$NODE:$*" >> "$OUT"', last='echo last >> "$OUT"')
    assert run_all(host, ["n1"]) == {}
    assert (tmp_path / "out").read_text() == "n1:a$(id) 'b;c\nlast\n"
    assert "root@10.0.0.1" in log.read_text().splitlines()
    assert "BatchMode=yes" in log.read_text()


@pytest.mark.parametrize(
    ("row", "files", "reason"),
    [
        ("rhevh:first", {"first": "echo oops >&2; exit 3", "last": ""}, "first ended with 3: oops"),
        ("rhevh:missing", {"last": ""}, "postscripts/missing: No such file or directory"),
        ("rhevh:../../etc/passwd", {"last": ""}, "'../../etc/passwd' is not the name of a script"),
        ("rhevh:-oProxyCommand=x", {"last": ""}, "'-oProxyCommand=x' is not the name of a script"),
        ("", {}, "postscripts/last: No such file or directory"),
    ],
)
def test_what_goes_wrong_is_said_and_ends_the_row(
    tmp_path: Path, log: Path, row: str, files: dict[str, str], reason: str
) -> None:
    stopped = run_all(xcat(tmp_path, row, **files), ["n1"])
    assert stopped["n1"].endswith(reason)


def test_without_a_key(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "root@10.0.0.1: Permission denied (publickey).")
    stopped = run_all(xcat(tmp_path, "", last=""), ["n1"])
    assert stopped == {"n1": "ssh to root@10.0.0.1 failed: root@10.0.0.1: Permission denied (publickey)."}


def test_one_that_hangs(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodescripts, "LIMIT", 0.2)
    assert run_all(xcat(tmp_path, "", last="exec sleep 5"), ["n1"]) == {"n1": "last took longer than 0.2 s"}


def test_nobody_wants_it_any_more(tmp_path: Path, log: Path) -> None:
    aborted, pid = threading.Event(), tmp_path / "out"
    host = xcat(tmp_path, "", last='sleep 600 & echo $! > "$OUT.new"; mv "$OUT.new" "$OUT"; wait')
    ended: list[Exception] = []

    def run() -> None:
        try:
            run_all(host, ["n1"], aborted)
        except Aborted as problem:
            ended.append(problem)

    worker = threading.Thread(target=run)
    worker.start()
    until(pid.exists, "the script runs")
    aborted.set()
    worker.join(300)
    assert len(ended) == 1
    until(
        lambda: (
            not Path(f"/proc/{pid.read_text().strip()}/cmdline").exists()
            or "sleep" not in Path(f"/proc/{pid.read_text().strip()}/cmdline").read_text()
        ),
        "what the script started is gone",
    )


def test_without_ssh(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_all(xcat(tmp_path, "", last=""), ["n1"]) == {"n1": "ssh: No such file or directory"}
