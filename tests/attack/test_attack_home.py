"""A home that somebody else has prepared, and one that two daemons want."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from daemonhelp import Inside
from xcat_rhev.daemon import certificates
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.ownership import check_owner, lock
from xcat_rhev.errors import Locked, Usage

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes files of others")


def started(folder, *words):
    command = [sys.executable, "-m", "xcat_rhev.cli", "xcatd", "--home", str(folder), "--port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def refusal(folder, *words):
    with started(folder, *words) as process:
        out, errors = process.communicate(timeout=300)
    assert process.returncode == 1 and out == "" and errors.count("\n") == 1
    return errors


def ready(folder):
    home = Home(folder)
    home.make()
    certificates.make_all(home, "mn", [])
    return home


@needs_root
@pytest.mark.parametrize(
    "part",
    [
        "",
        "etc",
        "etc/xcat",
        "etc/xcat/ca",
        "etc/xcat/ca/ca-cert.pem",
        "etc/xcat/ca/private",
        "etc/xcat/cert",
        "etc/xcat/cert/server-cred.pem",
        "root",
        "root/.xcat",
        "root/.xcat/client-cred.pem",
        "log",
    ],
)
def test_what_is_somebody_elses_is_not_believed(tmp_path, part):
    """The folder made beforehand, with that user's CA: whoever he lets in would be root here."""
    home = ready(tmp_path / "mn")
    os.chown(home.root / part, 65534, -1)
    with pytest.raises(Usage, match=f"{home.root / part} belongs to nobody, and this is root. Use another folder"):
        check_owner(home)


@needs_root
def test_the_daemon_and_issue_say_so_in_a_line_and_write_nothing(tmp_path):
    made = tmp_path / "mn"
    made.mkdir()
    os.chown(made, 65534, -1)
    assert f"{made} belongs to nobody, and this is root" in refusal(made)
    assert f"{made} belongs to nobody" in refusal(made, "--issue", "root")
    assert list(made.iterdir()) == []


@pytest.mark.parametrize(
    "part, mode",
    [
        ("", 0o777),
        ("", 0o775),
        ("etc/xcat", 0o730),
        ("etc/xcat/ca/private", 0o770),
        ("root/.xcat", 0o702),
        ("etc/xcat/ca/ca-cert.pem", 0o666),
        ("log", 0o777),
    ],
)
def test_what_others_can_change_is_not_believed(tmp_path, part, mode):
    home = ready(tmp_path / "mn")
    (home.root / part).chmod(mode)
    with pytest.raises(Usage, match=f"others can write to {home.root / part}. Run: chmod go-w"):
        check_owner(home)


@pytest.mark.parametrize("part", ["etc/xcat", "etc/xcat/ca/ca-cert.pem", "root/.xcat"])
def test_links_are_not_followed(tmp_path, part):
    home = ready(tmp_path / "mn")
    os.rename(home.root / part, tmp_path / "elsewhere")
    (home.root / part).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Usage, match="is a link"):
        check_owner(home)


def test_a_new_home_and_one_of_ours_are_fine(tmp_path):
    check_owner(Home(tmp_path / "none"))
    check_owner(ready(tmp_path / "mn"))
    xcat = Inside(tmp_path / "mn")
    check_owner(xcat.home)
    xcat.close()


def test_one_home_has_one_daemon(tmp_path):
    with started(tmp_path / "mn") as first:
        told = json.loads(first.stdout.readline())
        assert told["ready"]
        said = refusal(tmp_path / "mn")
        assert f"another xcatd, process {first.pid}, runs on {tmp_path / 'mn'}" in said
        first.kill()
        first.wait(300)
        with started(tmp_path / "mn") as second:
            assert json.loads(second.stdout.readline())["ready"], "a lock ends with its process, however that ends"
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=300)


def test_the_lock_is_no_link(tmp_path):
    home = ready(tmp_path / "mn")
    (tmp_path / "victim").write_text("mine")
    (home.root / "xcatd.pid").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):
        lock(home)
    assert (tmp_path / "victim").read_text() == "mine"


def test_the_lock_file_names_the_process(tmp_path):
    home = ready(tmp_path / "mn")
    held = lock(home)
    assert (home.root / "xcatd.pid").read_text() == f"{os.getpid()}\n"
    with pytest.raises(Locked):
        lock(home)
    os.close(held)


def test_it_listens_on_this_machine_and_says_when_it_opens_up(tmp_path):
    for words, said in (((), ""), (("--host", "0.0.0.0"), "listening on 0.0.0.0 port ")):
        with started(tmp_path / "mn", *words) as process:
            told = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=300)
        assert told["host"] == (words[1] if words else "127.0.0.1")
        assert said in errors and bool(errors) == bool(said)
