"""The program itself: what it prints when it is ready, how it ends, and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from xcat_rhev.cli.demo.parts import DemoProgram, own


def start(folder: Path, *words: str) -> tuple[DemoProgram, dict]:
    part = DemoProgram("xcatd", own("xcatd", "--home", str(folder / "home"), *words), folder / "log")
    return part, part.ready_line()


def fails(folder: Path, *words: str) -> str:
    done = subprocess.run(
        own("xcatd", "--home", str(folder / "home"), *words), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_when_told(tmp_path, number):
    part, ready = start(tmp_path, "--port", "0")
    assert ready == {
        "ready": True,
        "host": "127.0.0.1",
        "port": ready["port"],
        "client_certs": str(tmp_path / "home/root/.xcat"),
    }
    socket.create_connection(("127.0.0.1", ready["port"])).close()
    for folder in ("etc/xcat/ca", "etc/xcat/cert", "root/.xcat", "install", "tftpboot", "log"):
        assert (tmp_path / "home" / folder).is_dir()
    os.kill(part.pid, number)
    assert part._process.wait(300) == 0
    part.stop()


def test_a_second_start_keeps_everything(tmp_path):
    part, ready = start(tmp_path, "--port", "0")
    part.stop()
    certificate = (tmp_path / "home/etc/xcat/cert/server-cert.pem").read_bytes()
    part, again = start(tmp_path)  # site.xcatdport says the port
    part.stop()
    assert again["port"] == ready["port"]
    assert (tmp_path / "home/etc/xcat/cert/server-cert.pem").read_bytes() == certificate


def test_a_client_certificate_for_another_user(tmp_path):
    part, _ = start(tmp_path, "--port", "0")
    part.stop()
    words = own("xcatd", "--home", str(tmp_path / "home"), "--issue", "joe")
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=True)
    folder = Path(json.loads(done.stdout)["client_certs"])
    parts = ["client-cert.pem", "ca.pem", "client-key.pem"]
    assert (folder / "client-cred.pem").read_text() == "".join((folder / part).read_text() for part in parts)
    assert "not a user name" in fails(tmp_path, "--issue", "../joe")


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        assert "cannot listen on 127.0.0.1 port" in fails(tmp_path, "--port", str(holder.getsockname()[1]))


@pytest.mark.parametrize("port", ["65536", "-1", "99999999999"])
def test_a_port_that_there_is_not(tmp_path, port):
    words = own("xcatd", "--home", str(tmp_path / "home"), f"--port={port}")
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 2
    says = f"argument --port: '{port}' is not a port. Write a number from 0 (a free one) to 65535"
    assert done.stderr.splitlines()[-1] == f"xcat-rhev xcatd: error: {says}"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.77"])
def test_an_address_that_is_not_ours(tmp_path, host):
    assert host in fails(tmp_path, "--port", "0", "--host", host)


def test_damaged_files_are_named(tmp_path):
    part, _ = start(tmp_path, "--port", "0")
    part.stop()
    table = tmp_path / "home/etc/xcat/site.sqlite"
    kept = table.read_bytes()
    table.write_bytes(b"nonsense" * 1000)
    assert "table site" in fails(tmp_path, "--port", "0") and table.read_bytes() == b"nonsense" * 1000
    table.write_bytes(kept)
    (tmp_path / "home/etc/xcat/cert/server-cred.pem").write_text("nonsense")
    assert "server-cred.pem" in fails(tmp_path, "--port", "0")
    key = tmp_path / "home/etc/xcat/ca/private/ca-key.pem"
    key.write_text("nonsense")
    assert str(key) in fails(tmp_path, "--issue", "joe")
    key.unlink()
    assert str(key) in fails(tmp_path, "--issue", "joe")
    (tmp_path / "home/etc/xcat/ca/ca-cert.pem").unlink()
    assert "on the management node" in fails(tmp_path, "--issue", "joe"), "no second CA that nobody trusts"


@pytest.mark.parametrize("umask", [0, 0o077])
def test_any_umask_gives_the_same_rights(tmp_path, umask):
    before = os.umask(umask)
    try:
        part, ready = start(tmp_path, "--port", "0")
    finally:
        os.umask(before)
    until_read(tmp_path / "home/log/audit.log", ready)
    part.stop()
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in (tmp_path / "home").rglob("*")}
    private = {path for path, mode in modes.items() if not mode & 0o077}
    assert {path for path, mode in modes.items() if mode & 0o022} == set()
    assert {"home/install", "home/tftpboot", "home/log", "home/etc", "home/log/audit.log"}.isdisjoint(private)
    assert {
        "home/etc/xcat",
        "home/etc/xcat/ca/private/ca-key.pem",
        "home/root/.xcat/client-key.pem",
        "home/etc/xcat/cert/server-cred.pem",
        "home/etc/xcat/passwd.sqlite",
    } <= private


def until_read(log, ready):
    """Ask for something, and wait until it is in the log."""
    where = {"XCATHOST": f"127.0.0.1:{ready['port']}", "XCAT_CERT_DIR": ready["client_certs"]}
    subprocess.run(own("run", "nodels"), env={**os.environ, **where}, stdin=subprocess.DEVNULL, check=True, timeout=300)
    for _ in range(200):
        if log.exists():
            return
        time.sleep(0.05)
    pytest.fail("nothing is in the log")


def test_output_that_cannot_be_written(tmp_path):
    part, ready = start(tmp_path, "--port", "0")
    where = {"XCATHOST": f"127.0.0.1:{ready['port']}", "XCAT_CERT_DIR": ready["client_certs"]}
    words, environment = own("run", "tabdump", "site"), {**os.environ, **where}
    try:
        with open("/dev/full", "w") as full:
            done = subprocess.run(words, env=environment, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
        assert (done.returncode, done.stderr) == (1, "Error: the output cannot be written: No space left on device\n")
        closed = subprocess.run(
            ["sh", "-c", '"$@" >&- 2>&- <&-', "sh", *words], env=environment, capture_output=True, timeout=300
        )
        assert (closed.returncode, closed.stdout, closed.stderr) == (0, b"", b"")
    finally:
        part.stop()


@pytest.mark.parametrize(
    "line, text",
    [
        ("nonsense:x", "cfgloc"),
        ("Pg:dbname=x;host=127.0.0.1;port=1|u|Sentinel5", "host=127.0.0.1;port=1"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path, line, text):
    config = tmp_path / "home/etc/xcat"
    config.mkdir(parents=True)
    (config / "cfgloc").write_text(line)
    said = fails(tmp_path, "--port", "0")
    assert text in said and "Sentinel5" not in said


def test_a_service_node_without_what_its_management_node_gives_it(tmp_path):
    (tmp_path / "home/etc").mkdir(parents=True)
    (tmp_path / "home/etc/xCATSN").touch()
    assert "cfgloc is missing. Copy it from the management node" in fails(tmp_path, "--port", "0")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "home").mkdir(mode=0o500)
    assert str(tmp_path / "home") in fails(tmp_path, "--port", "0")


def test_a_home_that_is_a_file(tmp_path):
    (tmp_path / "home").write_text("x")
    assert str(tmp_path / "home") in fails(tmp_path, "--port", "0")
