"""What the embedded xcatd believes and shows of whom: logins, nodes, hosts and files that a request only claims."""

from __future__ import annotations

import datetime
import os
import ssl
import tempfile
from pathlib import Path

import pytest
from test_daemon_server import Served, until

from xcat_rhev.clock import ManualClock
from xcat_rhev.daemon import certificates, session
from xcat_rhev.daemon import login_throttle as guesses
from xcat_rhev.daemon.home import Home
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.wire import UserPassword, WireRequest, write_request

DENIED = b"<error>Permission denied for request</error>"
FAILED = b"<error>Authentication failure</error>"


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path / "mn")
    yield xcat
    xcat.close()


def login(name, password="right"):
    return UserPassword(name, Secret(password))


def users(xcat, *names):
    for name in names:
        xcat.type("tabch", f"key=xcat,username={name}", "passwd.password=right")


def certificate(xcat, name, home=None):
    folder = xcat.home.root / "shown"
    certificates.issue_client(home or xcat.home, name, folder)
    return folder / "client-cred.pem"


def test_a_certificate_of_another_ca_ends_the_connection(xcat, tmp_path):
    other = Home(tmp_path / "other")
    other.make()
    with pytest.raises((ssl.SSLError, ConnectionError)), xcat.connect(certificate(xcat, "root2", other)) as sock:
        sock.sendall(write_request(WireRequest("tabdump", args=("passwd",))))
        assert sock.recv(1) == b"", "an answer"
        raise ConnectionResetError


@pytest.mark.parametrize("begin, days", [(1970, -1), (2100, 40_000)])
def test_a_certificate_that_is_too_old_or_too_new_ends_the_connection(xcat, monkeypatch, begin, days):
    monkeypatch.setattr(certificates, "BEGIN", datetime.datetime(begin, 1, 1))
    monkeypatch.setattr(certificates, "LIFE", datetime.timedelta(days=days))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        xcat.ask(WireRequest("authcheck"), cert=certificate(xcat, "root"))
    monkeypatch.undo()
    assert b"<username>root</username>" in xcat.ask(WireRequest("authcheck"), cert=certificate(xcat, "root"))


def test_a_users_certificate_makes_no_others(xcat, tmp_path):
    """joe signs one for root with the key of his own."""
    joe, other = certificate(xcat, "joe").parent, Home(tmp_path / "joe")
    other.make()
    for file, name in ((other.ca / "ca-cert.pem", "cert"), (other.ca / "private" / "ca-key.pem", "key")):
        file.write_bytes((joe / f"client-{name}.pem").read_bytes())
    chain = certificate(xcat, "root", other)
    chain.write_bytes(chain.read_bytes() + (joe / "client-cert.pem").read_bytes())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        xcat.ask(WireRequest("authcheck"), cert=chain)


@pytest.mark.parametrize("name", ["root ", "ROOT", "rootx", "root\x00", "x/root", "/root", "\u200broot"])
def test_a_name_that_looks_like_roots_is_not_roots(xcat, name):
    answer = xcat.ask(WireRequest("tabdump", args=("site",)), cert=certificate(xcat, name))
    assert DENIED in answer


def test_a_token_is_for_who_knows_the_password(xcat):
    users(xcat, "joe", "root")
    for wrong in (login("root", "wrong"), login("root", ""), login("nobody")):
        answer = xcat.ask(WireRequest("x", becomeuser=login("joe"), gettoken=wrong), cert=False)
        assert FAILED in answer and b"<token>" not in answer
    assert xcat.table("token") == []


def test_a_hash_is_no_password(xcat):
    stored = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."
    xcat.type("tabch", "key=xcat,username=root", f"passwd.password={stored}")
    assert FAILED in xcat.ask(WireRequest("authcheck", becomeuser=login("root", stored)), cert=False)
    assert b"root" in xcat.ask(WireRequest("authcheck", becomeuser=login("root", "password")), cert=False)


def test_who_guesses_is_in_the_log_without_what_was_guessed(xcat, caplog):
    xcat.ask(WireRequest("x", becomeuser=login("ro\not" + "o" * 200, "guess-7")), cert=False)
    xcat.ask(WireRequest("x", token=Secret("guess-7")), cert=False)
    lines = [record.getMessage() for record in caplog.records if record.name == session.__name__]
    assert lines == [
        f"authentication failure of 'ro\\not{'o' * 59}' from 127.0.0.1",
        "authentication failure of a token from 127.0.0.1",
    ]


def test_who_guesses_waits_and_nobody_else(xcat, monkeypatch):
    users(xcat, "root", "joe")
    clock = ManualClock()
    monkeypatch.setattr(xcat.xcatd.guesses, "_clock", clock)

    def asks(name, password):
        return xcat.ask(WireRequest("authcheck", becomeuser=login(name, password)), cert=False)

    for _ in range(guesses.FREE + 1):
        assert FAILED in asks("root", "wrong")
    assert FAILED in asks("root", "right"), "too early, so it is not looked at"
    assert FAILED not in asks("joe", "right")
    assert FAILED not in xcat.ask(WireRequest("authcheck")), "root's certificate"
    clock.advance(guesses.WAITS[0])
    assert FAILED not in asks("root", "right")


def test_policy_looks_at_the_nodes_that_the_command_gets(xcat):
    users(xcat, "joe")
    xcat.type("nodeadd", "vm1,secret1", "groups=all")
    xcat.type("tabch", "priority=6", "policy.name=joe", "policy.noderange=vm1", "policy.rule=allow")

    def asks(**what):
        return xcat.ask(WireRequest("nodels", becomeuser=login("joe"), **what), cert=False)

    assert b"<name>vm1</name>" in asks(noderange="vm1") and b"<name>vm1</name>" in asks(nodes=("vm1",))
    for what in ({"nodes": ("secret1",)}, {"noderange": "vm1", "nodes": ("secret1",)}, {"nodes": ("vm1", "secret1")}):
        assert DENIED in asks(**what)
    until(lambda: "Denying nodels to vm1,secret1 for joe" in (xcat.home.log / "audit.log").read_text())


def test_a_list_of_nodes_holds_nodes_only(xcat):
    outside = xcat.home.root / "outside"
    answer = xcat.ask(WireRequest("nodeset", nodes=("../../../../outside",), args=("offline",)))
    assert b"Invalid nodes and/or groups in noderange: ../../../../outside" in answer
    assert not outside.exists()


def test_a_host_is_not_believed_from_afar(xcat, monkeypatch):
    xcat.type("tabch", "priority=6", "policy.host=front", "policy.commands=authcheck", "policy.rule=allow")
    asked = WireRequest("authcheck", remote_client="front,front.example.com")
    assert b"Unauthenticated" in xcat.ask(asked, cert=False)
    monkeypatch.setattr(session, "my_addresses", lambda: frozenset({"10.0.0.1"}))
    assert DENIED in xcat.ask(asked, cert=False)


# Files in noderanges


@pytest.fixture
def open_folder():
    """A folder that everybody can get to; every pytest that starts closes the one above pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_nobody_reads_a_file_by_a_noderange(xcat):
    key = xcat.home.ca / "private" / "ca-key.pem"
    for path in (key, "/etc/passwd", f"{key},x", f"x,^{key}"):
        answer = xcat.ask(WireRequest("lsxcatd", noderange=f"^{path}", args=("-v",)), cert=False).decode()
        assert "Invalid nodes" not in answer
        assert "<error>a noderange that names a file needs an authenticated user</error>" in answer


def test_a_user_reads_what_everybody_may_read(xcat, open_folder):
    users(xcat, "joe")
    xcat.type("tabch", "priority=6", "policy.name=joe", "policy.rule=allow")
    xcat.type("nodeadd", "vm1,vm2", "groups=all")
    nodes, link, pipe = (open_folder / name for name in ("nodes", "link", "pipe"))
    nodes.write_text("vm1: a note\nvm2\n")
    link.symlink_to(xcat.home.ca / "private" / "ca-key.pem")
    os.mkfifo(pipe, 0o644)

    def asks(path):
        return xcat.ask(WireRequest("nodels", noderange=f"^{path}", becomeuser=login("joe")), cert=False).decode()

    nodes.chmod(0o644)
    assert "<name>vm1</name>" in asks(nodes) and "<name>vm2</name>" in asks(nodes)
    nodes.chmod(0o640)
    for path in (nodes, link, xcat.home.client / "client-key.pem"):
        assert f"the file {path} of the noderange is not for everybody. Run: chmod o+r {path}" in asks(path)
    assert "errorcode" not in asks(pipe), "it holds nobody"
    xcat.type("tabch", "key=excludenodes", f"site.value=^{nodes}")
    allowed = xcat.ask(WireRequest("nodels", noderange="vm1,vm2", becomeuser=login("joe")), cert=False)
    assert b"<name>" not in allowed and b"not for everybody" not in allowed


def test_root_reads_any_file_of_nodes(xcat):
    xcat.type("nodeadd", "vm1", "groups=all")
    nodes = xcat.home.root / "nodes"
    nodes.write_text("vm1\nvm9\n")
    nodes.chmod(0o600)
    assert b"Invalid nodes and/or groups in noderange: vm9" in xcat.ask(WireRequest("nodels", noderange=f"^{nodes}"))
