"""install, doctor and uninstall on a made-up xCAT: real folders, stand-ins over CSV files for its commands."""

import gzip
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from made_xcat import POLICY, command, make_machine, run, tree
from packages_made import XCAT_PATHS

from xcat_rhev.cli.main import main
from xcat_rhev.cli.setup import finishurl
from xcat_rhev.cli.setup import install as setup


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return make_machine(tmp_path, monkeypatch)


def test_a_dry_run_changes_nothing(machine, capsys):
    before = tree(machine)
    assert run("install", machine, "--dry-run") == 0
    said = capsys.readouterr().out
    assert tree(machine) == before
    assert "rhevm.pm (what is there is kept)" in said and "policy row for rhevhupdateflag (certificate)" in said


def test_everything_gets_its_place_and_comes_back_to_the_byte(machine, capsys):
    before = tree(machine)
    run("install", machine)
    plugin = (machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm").read_text()
    assert str(Path(sys.executable).with_name("xcat-rhev")) in plugin
    script = machine / "opt/xcat/ws/xcatrhevh.cgi"
    assert os.access(script, os.X_OK) and "xcat_rhev.web.app" in script.read_text()
    snippet = (machine / "etc/httpd/conf.d/xcat-rhev.conf").read_text()
    assert f'ScriptAlias /xcatrhevh "{script}"' in snippet
    assert '"xcatrhevh",,"rhevhupdateflag,rhevmupdateflag"' in (machine / "stub/policy.csv").read_text()
    certificate = machine / "etc/xcat/rhevh-web.pem"
    assert certificate.read_text() == "xcatrhevh\n" and stat.S_IMODE(certificate.stat().st_mode) == 0o640
    assert f"\ncertificate = {certificate}\n" in (machine / "etc/xcat/rhevh-web.conf").read_text()
    assert list((machine / "opt/xcat/lib/perl/xCAT_plugin").iterdir()) == [
        machine / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm"
    ]
    assert (machine / "stub/calls").exists(), "xcatd was told"
    assert run("uninstall", machine) == 0
    assert tree(machine) == before


def test_only_the_plugin_and_the_cgi_are_files_that_xcat_has_too(machine):
    before = tree(machine)
    run("install", machine)
    written = {f"/{path}" for path, what in tree(machine).items() if before.get(path) != what and what[0] != "a folder"}
    assert len(written) > 5
    assert written & set(XCAT_PATHS) == {"/opt/xcat/lib/perl/xCAT_plugin/rhevm.pm", "/opt/xcat/ws/xcatrhevh.cgi"}


def test_the_cgi_is_started_by_a_python_that_is_new_enough(machine, monkeypatch):
    """On EL8 python3 is 3.6, and our packages need python3.12."""
    bin_folder = machine / "usr/bin"
    bin_folder.mkdir(parents=True)
    for name, rc in (("python3", 1), (f"python3.{sys.version_info.minor}", 0)):
        (bin_folder / name).write_text(f"#!/bin/sh\nexit {rc}\n")
        (bin_folder / name).chmod(0o755)
    monkeypatch.setattr(setup, "SYSTEM_PYTHON", bin_folder / "python3")
    monkeypatch.setattr(sys, "base_prefix", str(machine / "usr"))
    run("install", machine)
    first = (machine / "opt/xcat/ws/xcatrhevh.cgi").read_text().splitlines()[0]
    assert first == f"#!{bin_folder}/python3.{sys.version_info.minor} -IS"


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


@pytest.mark.parametrize(
    ("status", "kind", "text", "well", "told"),
    [
        (403, "text/plain", "No node has the address 127.0.0.1.", True, "answers"),
        (403, "text/plain; charset=utf-8", "sn1: Unable to identify plugin for this command", True, "answers"),
        (403, "text/plain", "mn: Invalid nodes and/or groups in noderange: mn", True, "answers"),
        (403, "text/plain", "sn1: Permission denied for request", False, "Run: xcat-rhev install --policy certificate"),
        (403, "text/html", "<title>403 Forbidden</title>", False, "answers 403. Run: systemctl restart httpd"),
        (404, "text/html", "", False, "answers 404. Run: systemctl restart httpd"),
        (503, "text/plain", "xcatd does not answer; try again.", False, "xcatd does not answer"),
        (200, "text/plain", "sn1: booted", False, "answers 200 to somebody who is not a node"),
    ],
)
def test_what_the_finish_url_may_answer(machine, capsys, monkeypatch, status, kind, text, well, told):
    monkeypatch.setattr(finishurl, "_listens", lambda address: False)
    run("install", machine)
    with web_server(status, kind, text) as port:
        set_site(machine, httpport=port)
        line = finding(machine, capsys, "finish URL")
    assert line.startswith("ok " if well else "BAD ") and told in line


def test_an_xcatd_that_has_no_name_for_its_own_machine(machine, capsys, monkeypatch):
    monkeypatch.setattr(finishurl, "local_address", lambda: "127.0.0.1")
    monkeypatch.setattr(finishurl, "_listens", lambda address: True)
    with web_server(403, "text/plain", "sn1: Permission denied for request") as port:
        set_site(machine, httpport=port)
        assert finding(machine, capsys, "finish URL").endswith("Run: echo '::1 localhost' >> /etc/hosts")


def test_a_service_node_looks_at_its_own_web_server(machine, capsys):
    with web_server(403, "text/plain", "No node has the address 127.0.0.1.") as port:
        set_site(machine, httpport=port)
        set_site(machine, master="127.0.0.2")  # nobody listens there
        assert finding(machine, capsys, "finish URL") == "ok   finish URL: answers"


@pytest.mark.parametrize(
    ("mark", "mend"),
    [
        ("etc/xCATMN", "Run: copycds ISO"),
        ("etc/xCATSN", "Run: rsync -aR 127.0.0.1:/no/media 127.0.0.1:/no/template /"),
    ],
)
def test_where_media_come_from(machine, capsys, mark, mend):
    (machine / mark).touch()
    (machine / "stub/osimage.csv").write_text('#imagename,osvers,disable\n"rhevh6-img","rhevh6",\n')
    (machine / "stub/linuximage.csv").write_text(
        '#imagename,template,pkgdir,disable\n"rhevh6-img","/no/template","/no/media",\n'
    )
    line = finding(machine, capsys, "osimage rhevh6-img")
    assert line.startswith("BAD ") and "missing: /no/media, /no/template" in line and line.endswith(mend)


def test_a_service_node_gets_the_certificate_of_the_finish_url_from_the_management_node(machine, capsys, monkeypatch):
    monkeypatch.setattr(finishurl, "_listens", lambda address: False)
    (machine / "etc/xCATSN").touch()
    certificate, conf = machine / "etc/xcat/rhevh-web.pem", machine / "etc/xcat/rhevh-web.conf"
    with web_server(403, "text/plain", "sn1: Permission denied for request") as port:
        set_site(machine, httpport=port)
        run("install", machine)
        assert not certificate.exists() and not conf.exists()
        copied = f"Run: rsync -a 127.0.0.1:{certificate} {certificate.parent}/ && xcat-rhev install"
        assert finding(machine, capsys, "finish URL").endswith(copied)
        certificate.write_text("of the management node\n")
        run("install", machine)
        assert f"\ncertificate = {certificate}\n" in conf.read_text()
        assert stat.S_IMODE(certificate.stat().st_mode) == 0o640
        assert finding(machine, capsys, "finish URL").endswith("Run: xcat-rhev install --policy certificate")
    assert run("uninstall", machine) == 0
    assert not conf.exists() and certificate.read_text() == "of the management node\n"


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


@pytest.mark.parametrize("name", ["B", "JSON", "Time::HiRes", "IO::Socket::UNIX"])
def test_a_perl_without_a_module_of_the_plugin(machine, capsys, name):
    command(machine, "perl", f'[ "$1" != -M{name} ]')
    command(machine, "apt-get", "exit 1")
    line = finding(machine, capsys, "Perl modules of the plugin")
    assert line.startswith(f"BAD  Perl modules of the plugin: {name} cannot be loaded")
    assert line.endswith(f"install 'perl({name})'")
    command(machine, "apt-get", "exit 0")
    package = "libjson-perl" if name == "JSON" else "perl"
    assert finding(machine, capsys, "Perl modules of the plugin").endswith(f"Run: apt-get install {package}")


def test_the_perl_here_has_all_modules_of_the_plugin(machine, capsys):
    assert finding(machine, capsys, "Perl modules of the plugin") == "ok   Perl modules of the plugin: there"


@pytest.mark.parametrize(
    ("folder", "words", "refused", "not_served"),
    [
        ("etc/httpd/conf.d", (), "systemctl restart httpd", "systemctl restart httpd, and see that mod_cgi"),
        ("etc/apache2/conf-enabled", (), "systemctl restart apache2", "a2enmod cgid && systemctl restart apache2"),
        ("etc/apache2/conf.d", (), "systemctl restart apache2", "a2enmod cgid && systemctl restart apache2"),
        (
            "etc/nginx/default.d",
            ("--httpd", "nginx"),
            "systemctl restart nginx",
            "fcgiwrap.socket && systemctl restart",
        ),
        (
            "etc/nginx/snippets",
            ("--httpd", "nginx"),
            "systemctl restart nginx",
            "include /etc/nginx/snippets/xcat-rhev.conf;",
        ),
        ("etc/nginx", ("--httpd", "nginx"), "systemctl restart nginx", "include /etc/nginx/xcat-rhev.conf;"),
    ],
)
def test_the_web_server_that_was_prepared_is_the_one_that_is_named(machine, capsys, folder, words, refused, not_served):
    (machine / "etc/httpd/conf.d").rmdir()
    (machine / folder).mkdir(parents=True, exist_ok=True)
    run("install", machine, *words)
    assert (machine / folder / "xcat-rhev.conf").exists()
    assert f". Run: {refused}" in finding(machine, capsys, "finish URL")
    with web_server(404, "text/html", "") as port:
        set_site(machine, httpport=port)
        assert not_served in finding(machine, capsys, "finish URL")


def test_where_a_site_serves_the_url_itself_no_web_server_is_named(machine, capsys):
    (machine / "etc/apache2/conf-enabled").mkdir(parents=True)
    assert finding(machine, capsys, "finish URL").endswith("refused. Run: xcat-rhev install")
    run("install", machine, "--httpd", "none")
    line = finding(machine, capsys, "finish URL")
    assert "Let your web server run" in line and "Run:" not in line
    assert not any(name in line for name in ("systemctl", "httpd ", "apache2", "nginx"))


def test_an_answer_that_is_no_http(machine, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        set_site(machine, httpport=listener.getsockname()[1])

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(b"SSH-2.0-what\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert finding(machine, capsys, "finish URL").startswith("BAD  finish URL: http://127.0.0.1:")
        thread.join()


@pytest.mark.parametrize(("kind", "here"), [("nginx", "apache"), ("apache", "nginx")])
def test_the_web_server_that_is_here_is_named_where_another_is_asked_for(machine, capsys, kind, here):
    (machine / "etc/httpd/conf.d").rmdir()
    (machine / ("etc/apache2/conf.d" if here == "apache" else "etc/nginx")).mkdir(parents=True)
    assert run("install", machine, "--httpd", kind) == 2
    assert f"{kind} is not installed. Install it, or give --httpd {here}, which is here" in capsys.readouterr().err


def test_the_web_server_that_is_here_is_taken(machine):
    (machine / "etc/httpd/conf.d").rmdir()
    (machine / "etc/nginx/snippets").mkdir(parents=True)
    run("install", machine)
    assert (machine / "etc/nginx/snippets/xcat-rhev.conf").exists()


def test_a_web_server_is_told_itself_whatever_systemctl_says(machine):
    command(machine, "pgrep", 'case "$*" in *"-x httpd") ;; *) exit 1 ;; esac')
    command(machine, "systemctl", 'echo "systemctl $@" >> "$STUB/calls"')
    command(machine, "httpd", 'echo "httpd $@" >> "$STUB/calls"')
    with web_server(403, "text/plain", "No node has the address 127.0.0.1.") as port:
        set_site(machine, httpport=port)
        run("install", machine)
    run("uninstall", machine)
    told = ["rescanned", "systemctl reload httpd", "httpd -k graceful"]
    assert (machine / "stub/calls").read_text().splitlines() == told * 2


def test_a_web_server_that_does_not_run_is_not_started(machine):
    command(machine, "pgrep", "exit 1")
    command(machine, "systemctl", 'echo "systemctl $@" >> "$STUB/calls"')
    command(machine, "httpd", 'echo "httpd $@" >> "$STUB/calls"')
    run("install", machine)
    assert (machine / "stub/calls").read_text() == "rescanned\n"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_web_server_in_a_container_is_not_taken_for_this_machines(machine, tmp_path):
    program = tmp_path / "httpd-prefork"
    shutil.copy(shutil.which("sleep"), program)
    command(machine, "pgrep", f'exec {shutil.which("pgrep")} "$@"')
    command(machine, "apache2ctl", 'echo "apache2ctl $@" >> "$STUB/calls"')
    (machine / "etc/httpd/conf.d").rmdir()
    (machine / "etc/apache2/conf.d").mkdir(parents=True)
    contained = subprocess.Popen(["unshare", "--mount", "--net", program, "1000"])
    try:
        while Path(f"/proc/{contained.pid}/comm").read_text() != "httpd-prefork\n":
            time.sleep(0.05)
        run("install", machine)
    finally:
        contained.kill()
        contained.wait()
    assert (machine / "stub/calls").read_text() == "rescanned\n"


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


def test_the_commands_and_their_manuals_are_where_people_look(machine, capsys):
    binaries, pages = machine / "opt/xcat/bin", machine / "opt/xcat/share/man/man1"
    pages.mkdir(parents=True)
    (binaries / "xcatclient").touch()
    (pages / "rpower.1").write_text(".TH RPOWER 1\nold text\n")
    (pages / "rinv.1.gz").write_bytes(gzip.compress(b".TH RINV 1\n"))
    before = tree(machine)
    run("install", machine)
    assert os.readlink(binaries / "rhevhjoin") == str(binaries / "xcatclient")
    assert (binaries / "revacuate").is_symlink() and (binaries / "xcat-rhev").is_symlink()
    assert (pages / "rpower.1").read_text().startswith(".TH RPOWER 1\nold text")
    for text in ((pages / "rpower.1").read_bytes(), gzip.decompress((pages / "rinv.1.gz").read_bytes())):
        assert b"xcat\\-rhev\\-r" in text
    assert (pages / "rhevhjoin.1").read_text() == ".so man1/xcat-rhev-rhevhjoin.1\n"
    once = tree(machine)
    capsys.readouterr()
    run("install", machine)
    assert "nothing to do" in capsys.readouterr().out and tree(machine) == once
    run("uninstall", machine)
    assert tree(machine) == before


def test_an_install_that_lacks_passwords_alone_ends_with_what_to_type(machine, capsys):
    (machine / "stub/passwd.csv").write_text("#key,username,password,disable\n")
    with web_server(403, "text/plain", "No node has the address 127.0.0.1.") as port:
        set_site(machine, httpport=port)
        assert run("install", machine) == 0
        last = capsys.readouterr().out.splitlines()[-1]
        rows = [("rhevm", "admin"), ("rhevh", "root"), ("rhevh", "admin")]
        assert last.startswith("Type next, for passwords (none for rhevm (admin), rhevh (root), rhevh (admin)): ")
        assert [f"key={key},username={user} " in last for key, user in rows] == [True, True, True]
        assert run("doctor", machine) == 1
