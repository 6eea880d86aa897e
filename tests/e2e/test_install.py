"""install, doctor and uninstall on a made-up xCAT: real folders, stand-ins over CSV files for its commands."""

import hashlib
import os
import stat
import sys
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from xcat_rhev.cli.main import main
from xcat_rhev.cli.setup import doctor
from xcat_rhev.cli.setup import install as setup

COMMANDS = {
    "tabdump": 'cat "$STUB/$1.csv" 2>/dev/null || { echo "No such table: $1"; exit 1; }',
    "tabrestore": '[ "$1" = -a ] || exit 1; grep -v "^#" "$2" >> "$STUB/policy.csv"',
    "chtab": 'cd "$STUB"; p="${2#priority=}"; grep -v "^\\"$p\\"" policy.csv > p.new; mv p.new policy.csv',
    "rescanplugins": 'echo rescanned >> "$STUB/calls"',
    "lsxcatd": "echo Version 2.17",
    "lsve": 'grep -q "xCAT plugin of xcat-rhev" "$XCATROOT/lib/perl/xCAT_plugin/rhevm.pm" && echo xcat-rhev 0.1.0',
}
POLICY = '#priority,name,host,commands,noderange,parameters,time,rule,comments,disable\n"1","root",,,,,,"allow",,\n'


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A management node below tmp_path; gives its prefix."""
    for folder in (
        "opt/xcat/bin",
        "opt/xcat/lib/perl/xCAT_plugin",
        "opt/xcat/ws",
        "etc/xcat",
        "etc/httpd/conf.d",
        "etc/systemd/system",
        "stub",
        "install",
        "tftpboot",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "etc/xCATMN").touch()
    (tmp_path / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm").write_text("package xCAT_plugin::rhevm; # of old\n")
    (tmp_path / "opt/xcat/ws/xcatrhevh.cgi").write_text("#!/usr/bin/perl\n")
    for name, text in COMMANDS.items():
        script = tmp_path / "opt/xcat/bin" / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    (tmp_path / "stub/policy.csv").write_text(POLICY)
    (tmp_path / "stub/site.csv").write_text(
        f'#key,value,comments,disable\n"installdir","{tmp_path}/install",,\n"tftpdir","{tmp_path}/tftpboot",,\n'
        '"master","127.0.0.1",,\n"httpport","1",,\n'
    )
    (tmp_path / "stub/passwd.csv").write_text(
        '#key,username,password,cryptmethod,authdomain,comments,disable\n"rhevm","admin","x",,,,\n"rhevh","root","y",,,,\n'
    )
    monkeypatch.setattr(setup, "_open_to_all", lambda path: True)  # the checkout may stand in somebody's home
    monkeypatch.setenv("STUB", str(tmp_path / "stub"))
    monkeypatch.delenv("XCATROOT", raising=False)
    return tmp_path


def run(word, machine, *more):
    return main([word, "--prefix", str(machine), *more])


def tree(machine):
    """Every file with its bytes and mode, the stand-ins' own notes left out."""
    return {
        str(path.relative_to(machine)): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a folder",
            stat.S_IMODE(path.stat().st_mode),
        )
        for path in sorted(machine.rglob("*"))
        if path.name != "calls"
    }


def test_a_dry_run_changes_nothing(machine, capsys):
    before = tree(machine)
    assert run("install", machine, "--dry-run") == 0
    said = capsys.readouterr().out
    assert tree(machine) == before
    assert "rhevm.pm (what stands there is kept)" in said and "policy row for rhevhupdateflag (narrow)" in said


def test_everything_gets_its_place_and_comes_back_to_the_byte(machine, capsys):
    before = tree(machine)
    run("install", machine)
    plugin = (machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm").read_text()
    assert str(Path(sys.executable).with_name("xcat-rhev")) in plugin
    script = machine / "opt/xcat/ws/xcatrhevh.cgi"
    assert os.access(script, os.X_OK) and "xcat_rhev.web.app" in script.read_text()
    snippet = (machine / "etc/httpd/conf.d/xcat-rhev.conf").read_text()
    assert f'ScriptAlias /xcatrhevh "{script}"' in snippet
    assert '"rhevhupdateflag"' in (machine / "stub/policy.csv").read_text()
    assert list((machine / "opt/xcat/lib/perl/xCAT_plugin").iterdir()) == [
        machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm"
    ]
    assert (machine / "stub/calls").exists(), "xcatd was told"
    assert run("uninstall", machine) == 0
    assert tree(machine) == before


def test_twice_is_the_same_as_once(machine, capsys):
    run("install", machine)
    once = tree(machine)
    capsys.readouterr()
    run("install", machine)
    assert "nothing to do" in capsys.readouterr().out
    assert tree(machine) == once
    run("uninstall", machine)
    assert run("uninstall", machine) == 0


def test_an_upgrade_of_xcat_is_noticed_and_mended(machine, capsys):
    run("install", machine)
    plugin = machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm"
    plugin.write_text("package xCAT_plugin::rhevm; # of the upgrade\n")
    capsys.readouterr()
    assert run("doctor", machine) == 1
    assert "BAD  plugin: " in capsys.readouterr().out
    run("install", machine)
    run("doctor", machine)
    assert "ok   plugin: " in capsys.readouterr().out
    run("uninstall", machine)
    assert "of the upgrade" in plugin.read_text(), "what the upgrade brought is what comes back"


def test_a_file_that_somebody_changed_is_left_alone(machine, capsys):
    run("install", machine)
    snippet = machine / "etc/httpd/conf.d/xcat-rhev.conf"
    snippet.write_text(snippet.read_text() + "# mine\n")
    run("uninstall", machine)
    assert "left" in capsys.readouterr().out and snippet.exists()


@pytest.mark.parametrize(
    ("break_it", "told"),
    [
        (lambda m: (m / "opt/xcat/lib/perl/xCAT_plugin/rhevm2.pm").write_text("rhevhupdateflag"), "rival plugins"),
        (lambda m: (m / "stub/policy.csv").write_text(POLICY), "policy"),
        (lambda m: (m / "stub/passwd.csv").write_text("#key,username,password,disable\n"), "passwords"),
        (lambda m: (m / "tftpboot").rmdir(), "site.tftpdir"),
        (lambda m: (m / "opt/xcat/bin/lsxcatd").write_text("#!/bin/sh\nexit 1\n"), "xcatd"),
        (lambda m: (m / "opt/xcat/bin/lsve").write_text("#!/bin/sh\nexit 1\n"), "plugin in xcatd"),
        (
            lambda m: (m / "stub/osimage.csv").write_text(
                '#imagename,profile,provmethod,osvers,disable\n"rhevh6-x86_64-netboot-compute","compute","netboot","rhevh6",\n'
            ),
            "osimage rhevh6-x86_64-netboot-compute",
        ),
    ],
)
def test_the_doctor_names_what_is_wrong(machine, capsys, break_it, told):
    run("install", machine)
    capsys.readouterr()
    break_it(machine)
    assert run("doctor", machine) == 1
    assert f"BAD  {told}: " in capsys.readouterr().out


@contextmanager
def web_server(status, kind, text):
    """A web server on 127.0.0.1 that gives one answer to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def set_site(machine, **values):
    file = machine / "stub/site.csv"
    rows = [row for row in file.read_text().splitlines() if row.split('"')[1:2] != list(values)]
    file.write_text("\n".join([*rows, *(f'"{key}","{value}",,' for key, value in values.items())]) + "\n")


def finding(machine, capsys, what):
    """What the doctor says about one thing."""
    capsys.readouterr()
    run("doctor", machine)
    return next(line for line in capsys.readouterr().out.splitlines() if line[5:].startswith(what + ":"))


@pytest.mark.parametrize(("status", "kind", "text", "well", "told"), [
    (403, "text/plain", "No node has the address 127.0.0.1.", True, "answers"),
    (403, "text/plain; charset=utf-8", "sn1: Unable to identify plugin for this command", True, "answers"),
    (403, "text/plain", "mn: Invalid nodes and/or groups in noderange: mn", True, "answers"),
    (403, "text/plain", "sn1: Permission denied for request", False, "Run: chtab priority=5.1 policy.host="),
    (403, "text/html", "<title>403 Forbidden</title>", False, "answers 403. Run: xcat-rhev install --httpd apache"),
    (404, "text/html", "", False, "answers 404. Run: xcat-rhev install --httpd apache"),
    (503, "text/plain", "xcatd does not answer; try again.", False, "xcatd does not answer"),
    (200, "text/plain", "sn1: booted", False, "answers 200 to somebody who is no node"),
])
def test_what_the_finish_url_may_answer(machine, capsys, monkeypatch, status, kind, text, well, told):
    monkeypatch.setattr(doctor, "_listens", lambda address: False)
    with web_server(status, kind, text) as port:
        set_site(machine, httpport=port)
        line = finding(machine, capsys, "finish URL")
    assert line.startswith("ok " if well else "BAD ") and told in line


def test_an_xcatd_that_has_no_name_for_its_own_machine(machine, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "local_address", lambda: "127.0.0.1")
    monkeypatch.setattr(doctor, "_listens", lambda address: True)
    with web_server(403, "text/plain", "sn1: Permission denied for request") as port:
        set_site(machine, httpport=port)
        assert finding(machine, capsys, "finish URL").endswith("Run: echo '::1 localhost' >> /etc/hosts")


def test_a_service_node_looks_at_its_own_web_server(machine, capsys):
    with web_server(403, "text/plain", "No node has the address 127.0.0.1.") as port:
        set_site(machine, httpport=port)
        set_site(machine, master="127.0.0.2")  # nobody listens there
        assert finding(machine, capsys, "finish URL") == "ok   finish URL: answers"


@pytest.mark.parametrize(("mark", "mend"), [
    ("etc/xCATMN", "Run: copycds ISO"),
    ("etc/xCATSN", "Run: rsync -aR 127.0.0.1:/no/media 127.0.0.1:/no/template /"),
])
def test_where_media_come_from(machine, capsys, mark, mend):
    (machine / mark).touch()
    (machine / "stub/osimage.csv").write_text('#imagename,osvers,disable\n"rhevh6-img","rhevh6",\n')
    (machine / "stub/linuximage.csv").write_text(
        '#imagename,template,pkgdir,disable\n"rhevh6-img","/no/template","/no/media",\n'
    )
    line = finding(machine, capsys, "osimage rhevh6-img")
    assert line.startswith("BAD ") and "missing: /no/media, /no/template" in line and line.endswith(mend)


def test_a_manager_that_another_machine_serves(machine, capsys):
    (machine / "stub/vm.csv").write_text('#node,mgr,disable\n"vm1","rhevm",\n')
    set_site(machine, xcatconfdir=machine / "etc/xcat")
    run("install", machine)
    assert "answers another machine" in finding(machine, capsys, "manager rhevm")
    (machine / "etc/xcat/rhevm/rhevm").mkdir(parents=True)
    assert "version unknown" in finding(machine, capsys, "manager rhevm")


def test_elsewhere_it_refuses_in_words(tmp_path, capsys):
    for word in ("install", "uninstall", "doctor"):
        assert main([word, "--prefix", str(tmp_path)]) == 2
        assert "there is no xCAT in" in capsys.readouterr().err


def test_neither_management_node_nor_service_node(machine, capsys):
    (machine / "etc/xCATMN").unlink()
    assert run("install", machine) == 2
    assert "neither a management node nor a service node" in capsys.readouterr().err


def test_a_web_server_that_is_not_there(machine, capsys):
    assert run("install", machine, "--httpd", "nginx") == 2
    assert "--httpd none" in capsys.readouterr().err
    run("install", machine, "--httpd", "none")
    assert not (machine / "etc/httpd/conf.d/xcat-rhev.conf").exists()


def test_selinux_gets_its_module_and_loses_it_again(machine, capsys):
    (machine / "sys/fs/selinux").mkdir(parents=True)
    (machine / "sys/fs/selinux/enforce").write_text("1")
    for name, text in (
        (
            "semodule",
            '[ "$1" = -l ] && { cat "$STUB/modules" 2>/dev/null; exit 0; }; echo "$@" >> "$STUB/calls"; '
            '[ "$1" = -i ] && echo xcatrhevh > "$STUB/modules" || rm "$STUB/modules"',
        ),
        ("make", 'touch "$2/xcatrhevh.pp"'),
        ("semanage", 'echo "$@" >> "$STUB/calls"'),
    ):
        script = machine / "opt/xcat/bin" / name
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    run("install", machine)
    assert "ok   SELinux: " in capsys.readouterr().out
    run("uninstall", machine)
    assert "removed the SELinux module" in capsys.readouterr().out
    assert not (machine / "stub/modules").exists()


def test_selinux_without_its_tools_says_what_to_install(machine, capsys):
    (machine / "sys/fs/selinux").mkdir(parents=True)
    (machine / "sys/fs/selinux/enforce").write_text("1")
    for name in ("make", "semodule"):
        (machine / "opt/xcat/bin" / name).write_text("#!/bin/sh\nexit 1\n")
        (machine / "opt/xcat/bin" / name).chmod(0o755)
    assert run("install", machine) == 2
    assert "selinux-policy-devel" in capsys.readouterr().err


def test_a_package_that_the_web_server_cannot_read_is_refused(machine, monkeypatch, capsys):
    before = tree(machine)
    monkeypatch.setattr(setup, "_open_to_all", lambda path: path.name != "xcat_rhev")
    assert run("install", machine) == 2
    assert "cannot be read by the web server" in capsys.readouterr().err
    assert tree(machine) == before


@pytest.mark.parametrize(("mode", "open_to_all"), [(0o755, True), (0o750, False), (0o711, False), (0o700, False)])
def test_who_may_read_a_place(mode, open_to_all):
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        place.chmod(mode)
        assert setup._open_to_all(place) is open_to_all
    finally:
        place.rmdir()
