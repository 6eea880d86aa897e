"""`xcat-rhev engine`: kits written beside an embedded xcatd, and the node's side of them."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from daemonhelp import Served
from sshserver import new_key, no_logins, sshd
from xcat_rhev.cli import homes
from xcat_rhev.cli.enginekit import ready
from xcat_rhev.cli.enginekit.main import main
from xcat_rhev.cli.xcatd import AskedXcatd
from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import FailedState, RhevError, TimedOut
from xcat_rhev.sim.sshkey import logs_in
from xcat_rhev.web.app import application

SCRIPTS = Path(__file__).parents[3] / "share" / "postscripts"
IMAGE = "rocky9.4-x86_64-install-compute"


class KitSite(Served):
    """An xcatd with an Enterprise Linux, a node for a manager, and the web application before it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.type("tabch", "key=installdir", f"site.value={self.home.root / 'install'}")
        self.type("tabch", "key=xcatconfdir", f"site.value={self.home.root / 'etc'}")
        self.type("tabch", "key=domain", "site.value=example.com")
        values = "osvers=rocky9.4 osarch=x86_64 profile=compute provmethod=install imagetype=linux osname=Linux"
        self.type("tabch", f"imagename={IMAGE}", *(f"osimage.{word}" for word in values.split()))
        self.type("tabch", f"imagename={IMAGE}", "linuximage.pkglist=/opt/xcat/compute.pkglist")
        self.type("tabch", "node=mgr1", "nodelist.groups=all", "hosts.ip=127.0.0.1")
        self.type("tabch", "priority=5", "policy.commands=rhevhupdateflag,rhevmupdateflag", "policy.rule=allow")

    @property
    def answers(self) -> Path:
        return self.home.root / "etc/rhevm/answers/mgr1"

    @property
    def kit(self) -> Path:
        return self.home.root / f"install/custom/rhevm/{IMAGE}-ovirt4.5-manager"

    def status(self) -> str:
        return next(row.get("appstatus", "") for row in self.table("nodelist") if row["node"] == "mgr1")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KitSite]:
    made = KitSite(tmp_path / "home")
    monkeypatch.setenv("XCATHOST", f"localhost:{made.server.port}")
    monkeypatch.setenv("XCAT_CERT_DIR", str(made.home.client))
    yield made
    made.close()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def web(site: KitSite) -> Iterator[int]:
    """The finish URL's application on a port, and a manager's health page beside it."""

    def answer(environ, start):  # type: ignore[no-untyped-def]
        if environ["PATH_INFO"] == "/health":
            start("200 OK", [])
            return [b"well"]
        environ["XCATRHEVH_XCATD"] = f"localhost:{site.server.port}"
        environ["XCATRHEVH_NODES"] = str(site.home.root / "install/xcatrhevh/nodes.json")
        environ["XCATRHEVH_CA"] = str(site.home.client / "ca.pem")
        environ["SCRIPT_NAME"] = ""
        return application(environ, start)

    server: WSGIServer = make_server("127.0.0.1", 0, answer, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def kit(*more: str) -> int:
    return main(["kit", "ovirt4.5", "--node", "mgr1", "--image", IMAGE, *more])


def test_a_kit_is_what_xcat_reads(site: KitSite, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit() == 0
    said = capsys.readouterr().out
    assert f"nodeset mgr1 osimage={IMAGE}-ovirt4.5-manager" in said and "xcat-rhev engine wait mgr1" in said
    assert (site.kit / "otherpkgs.pkglist").read_text() == "centos-ovirt45/ovirt-engine\n"
    assert (site.kit / "pkglist").read_text().splitlines()[0] == "#INCLUDE:/opt/xcat/compute.pkglist#"
    assert 'dnf -c "$configuration" reposync --repoid=centos-ovirt45' in (site.kit / "mirror.sh").read_text()
    assert site.type("mkdef", "-z", stdin=(site.kit / "osimage.stanza").read_text())[0].startswith("1 object def")
    row = next(row for row in site.table("osimage") if row["imagename"] == f"{IMAGE}-ovirt4.5-manager")
    assert row["postscripts"].startswith("rhevmrepos centos-ovirt45 ")
    assert row["postbootscripts"] == (
        "rhevmsetup --config-append= https://localhost/ovirt-engine/services/health engine-setup --offline "
        "--accept-defaults"
    )
    assert (site.home.root / "install/postscripts/rhevmsetup").exists()


def test_the_answers_are_for_root_alone_and_outside_of_what_is_served(
    site: KitSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit() == 0
    assert stat.S_IMODE(site.answers.stat().st_mode) == 0o600
    assert stat.S_IMODE(site.answers.parent.stat().st_mode) == 0o700
    password = next(row["password"] for row in site.table("passwd") if row["key"] == "mgr1.example.com")
    assert f"OVESETUP_CONFIG/adminPassword=str:{password}\n" in site.answers.read_text()
    assert password not in capsys.readouterr().out
    assert all(password not in path.read_text() for path in (site.home.root / "install").rglob("*") if path.is_file())
    assert site.status() == "rhevmsetup=waiting"


def test_a_second_run_keeps_what_is_there(site: KitSite, capsys: pytest.CaptureFixture[str]) -> None:
    site.type("tabch", "key=rhevm,username=admin", "passwd.password=Known123")
    assert kit() == 0
    before = site.answers.read_text()
    assert "adminPassword=str:Known123" in before
    capsys.readouterr()
    assert kit() == 0
    said = capsys.readouterr().out
    assert "written" not in said and "kept: the answers for mgr1 wait already" in said
    assert site.answers.read_text() == before
    assert kit("--again", "--no-keycloak") == 0
    assert "keycloakEnable=bool:False" in site.answers.read_text()


def test_a_run_that_was_cut_off_behind_the_answers_is_taken_up(site: KitSite) -> None:
    assert kit() == 0
    site.type("tabch", "node=mgr1", "nodelist.appstatus=")
    before = site.answers.read_text()
    assert kit() == 0
    assert site.status() == "rhevmsetup=waiting" and site.answers.read_text() == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["kit", "ovirt4.5", "--node", "nobody", "--image", IMAGE], "there is no node nobody"),
        (["kit", "ovirt4.5", "--node", "mgr1", "--image", "nothing"], "there is no osimage nothing"),
        (["kit", "ovirt4.5", "--node", "mgr1"], "Give --image OSIMAGE"),
        (["kit", "rhv4.4", "--node", "mgr1", "--image", IMAGE], "does not run on Enterprise Linux 9"),
        (["kit", "4.4", "--node", "mgr1", "--image", IMAGE], "several releases. Give one of rhv4.4, ovirt4.4, olvm4.4"),
        (["hostkit", "ovirt4.5", "--image", IMAGE, "--manager", "m.example.com"], "Run: lsve -t dc -m m.example.com"),
        (["wait", "mgr1"], "no kit was made for mgr1"),
    ],
)
def test_bad_input_is_one_line(site: KitSite, capsys: pytest.CaptureFixture[str], words: list[str], says: str) -> None:
    assert main(words) == 1
    said = capsys.readouterr()
    assert said.out == "" and says in said.err and said.err.count("\n") == 1


def script(site: KitSite, port: int, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a postscript as a node would, with a setup that keeps what it is given."""
    programs = folder / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    setup = programs / "engine-setup"
    setup.write_text(f'#!/bin/sh\necho "$@" > {folder}/words\ncp "${{1#*=}}" {folder}/given\nexit ${{SETUP_ENDS:-0}}\n')
    setup.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{os.environ['PATH']}:{programs}",
        "RHEVM_ROOT": str(folder / "root"),
        "RHEVM_TRIES": "1",
        "NODE": "mgr1",
        "MASTER": "127.0.0.1",
        "HTTPPORT": str(port),
    }
    path = str(SCRIPTS / words[0])
    return subprocess.run(["sh", path, *words[1:]], env=environment, capture_output=True, text=True, check=False)


def setup_words(port: int) -> list[str]:
    return ["rhevmsetup", "--config-append=", f"http://127.0.0.1:{port}/health", "engine-setup", "--offline"]


def test_the_node_gets_its_answers_once_and_becomes_a_manager(site: KitSite, web: int, tmp_path: Path) -> None:
    assert kit() == 0
    answers = site.answers.read_text()
    done = script(site, web, tmp_path, *setup_words(web))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "given").read_text() == answers
    kept = tmp_path / "root/var/lib/xcat-rhevm"
    assert (tmp_path / "words").read_text() == f"--config-append={kept}/answers --offline\n"
    assert not site.answers.exists() and not (kept / "answers").exists()
    assert site.status() == "rhevmsetup=up" and not (tmp_path / "root/etc/cron.d/xcat-rhevm").exists()
    again = script(site, web, tmp_path, *setup_words(web))  # updatenode runs it once more
    assert again.returncode == 0 and site.status() == "rhevmsetup=up"


def test_a_setup_that_fails_is_told_and_taken_up_again(
    site: KitSite, web: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kit() == 0
    monkeypatch.setenv("SETUP_ENDS", "3")
    assert script(site, web, tmp_path, *setup_words(web)).returncode == 1
    assert site.status() == "rhevmsetup=failed"
    with pytest.raises(FailedState, match="rhevmsetup.log"):
        list(ready.wait(AskedXcatd(), "mgr1", 60, ManualClock()))
    kept = tmp_path / "root/var/lib/xcat-rhevm"
    assert stat.S_IMODE((kept / "answers").stat().st_mode) == 0o600
    monkeypatch.setenv("SETUP_ENDS", "0")
    resumed = script(site, web, tmp_path, "rhevmsetup", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert site.status() == "rhevmsetup=up"


def test_a_second_one_beside_a_setup_that_runs_ends_at_once(site: KitSite, web: int, tmp_path: Path) -> None:
    assert kit() == 0
    kept = tmp_path / "root/var/lib/xcat-rhevm"
    kept.mkdir(parents=True)
    (tmp_path / "rhevmsetup").write_text("sleep 600\n")
    with subprocess.Popen(["sh", str(tmp_path / "rhevmsetup")]) as other:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        (kept / "pid").write_text(f"{boot} {other.pid}\n")
        done = script(site, web, tmp_path, *setup_words(web))
        assert done.returncode == 0 and "is at work already" in done.stderr
        assert site.status() == "rhevmsetup=waiting"
        other.kill()
    assert script(site, web, tmp_path, *setup_words(web)).returncode == 0  # what it left is no lock
    assert site.status() == "rhevmsetup=up" and not (kept / "pid").exists()


def test_without_a_kit_there_are_no_answers(site: KitSite, web: int, tmp_path: Path) -> None:
    done = script(site, web, tmp_path, *setup_words(web))
    assert done.returncode == 1 and "gives no answers" in done.stderr


def test_another_address_gets_nothing(site: KitSite, web: int, tmp_path: Path) -> None:
    assert kit() == 0
    site.type("tabch", "node=mgr1", "hosts.ip=127.0.0.77")
    done = script(site, web, tmp_path, *setup_words(web))
    assert done.returncode == 1 and site.answers.exists()


def test_repositories_are_those_of_the_osimage(tmp_path: Path) -> None:
    file = tmp_path / "kit.repo"
    environment = {
        "PATH": os.environ["PATH"],
        "OTHERPKGDIR": "/install/post/otherpkgs/rhevm/x",
        "RHEVM_REPO_FILE": str(file),
    }
    environment |= {"NFSSERVER": "10.0.0.1", "HTTPPORT": "80"}
    words = ["sh", str(SCRIPTS / "rhevmrepos"), "one", "two:hotfixes"]
    assert subprocess.run(words, env=environment, check=False).returncode == 0
    text = file.read_text()
    assert "[xcat-one]" in text and "baseurl=http://10.0.0.1:80/install/post/otherpkgs/rhevm/x/two/" in text
    assert [line[-1] for line in text.splitlines() if line.startswith("module_hotfixes=")] == ["0", "1"]


def test_a_host_trusts_the_manager_and_says_that_it_is_ready(site: KitSite, web: int, tmp_path: Path) -> None:
    site.type("tabch", "key=rhevhautoapprove", "site.value=yes")
    site.type("tabch", "node=mgr1", "hypervisor.mgr=m.example.com")
    key = "ssh-rsa AAAAB3Nza engine"
    (tmp_path / "m.pub").write_text(key + "\n")
    copy = tmp_path / "rhevmhost"
    copy.write_text((SCRIPTS / "rhevmhost").read_text())
    for _ in range(2):
        done = script(site, web, tmp_path, str(copy), "m.pub")
        assert done.returncode == 0, done.stderr
    keys = tmp_path / "root/root/.ssh/authorized_keys"
    assert keys.read_text() == key + "\n" and stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert site.status() == "rhevmhost=ready,rhevm=approve"


@pytest.mark.skipif(bool(no_logins()), reason=no_logins())
def test_the_managers_key_logs_in_to_the_host(site: KitSite, web: int, tmp_path: Path) -> None:
    key, other = (new_key(tmp_path / name) for name in ("key", "other"))
    copy = tmp_path / "rhevmhost"
    copy.write_text((SCRIPTS / "rhevmhost").read_text())
    assert script(site, web, tmp_path, str(copy), "key.pub").returncode == 0
    keys = tmp_path / "root/root/.ssh/authorized_keys"
    with sshd(tmp_path, keys) as port:
        host = {"address": "127.0.0.1", "ssh_port": port}
        assert [logs_in(path, host) for path in (key, other)] == [True, False]


def test_wait_ends_when_the_manager_does_not_come(site: KitSite) -> None:
    assert kit() == 0
    said: list[str] = []
    with pytest.raises(TimedOut, match="waiting after 60 s"):
        for line in ready.wait(AskedXcatd(), "mgr1", 60, ManualClock()):
            said.append(line)
    assert said == ["mgr1: waiting"]


def test_the_doctor_looks_at_the_embedded_xcatd_that_was_asked(site: KitSite, monkeypatch: pytest.MonkeyPatch) -> None:
    (site.home.client / homes.WHERE).write_text(f"localhost:{site.server.port}")  # as the daemon's program does
    with open(os.devnull) as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        lines = list(ready.diagnose(AskedXcatd()))
    assert lines[0] == f"ok   home: {site.home.root}" and any(line.startswith("ok   xcatd: ") for line in lines)


def test_the_doctor_looks_at_no_embedded_xcatd_of_another_machine(
    site: KitSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(site.home.client, tmp_path / "copied")
    monkeypatch.setenv("XCAT_CERT_DIR", str(tmp_path / "copied"))
    assert not any("home: " in line for line in ready.diagnose(AskedXcatd()))


def test_an_error_of_xcatd_is_its_words(site: KitSite) -> None:
    with pytest.raises(RhevError, match="nosuchtable"):
        AskedXcatd().rows("nosuchtable")
