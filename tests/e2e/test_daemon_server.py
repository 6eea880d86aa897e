"""The embedded xcatd over TLS: certificates, awkward clients, limits, streams and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import ssl
import threading
import time
import warnings

import pytest

from daemonhelp import END, Served, read, until
from xcat_rhev.daemon import certificates, connection, identity
from xcat_rhev.daemon.core.declare import Core, own_command
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.declare.command import CommandWords
from xcat_rhev.messages import Data, Error
from xcat_rhev.secret import Secret
from xcat_rhev.xcat.wire import UserPassword, WireRequest, split, write_request

AUTHCHECK = b"<xcatrequest><command>authcheck</command></xcatrequest>"
AUTHENTICATED = (
    b"<xcatresponse>\n  <data>Authenticated</data>\n  <serverdone></serverdone>\n  <username>root</username>\n" + END
)


@pytest.fixture
def xcat(tmp_path):
    xcat = Served(tmp_path)
    yield xcat
    xcat.close()


def add(xcat, monkeypatch, name, run):
    """Give the daemon one more command."""
    from xcat_rhev.daemon import catalog
    from xcat_rhev.xcat.routing import Handler

    monkeypatch.setitem(
        catalog.CORES, name, Core(own_command(name, "for tests", (name,), (), CommandWords(most=None)), run)
    )
    xcat.xcatd._handlers[name] = [Handler("core", "core")]
    xcat.xcatd._modules[name] = {"core"}


# Who one is


def test_a_certificate_of_ours_is_known(xcat):
    assert xcat.ask(AUTHCHECK) == AUTHENTICATED


def test_without_a_certificate_one_is_nobody(xcat):
    denied = xcat.ask(AUTHCHECK, cert=False)
    assert denied == (
        b"<xcatresponse>\n  <error>Permission denied for request</error>\n  <errorcode>1</errorcode>\n"
        b"  <serverdone></serverdone>\n" + END
    )
    assert b"Version" in xcat.ask(WireRequest(command="lsxcatd", args=("-v",)), cert=False)
    xcat.type("tabch", "priority=9", "policy.commands=authcheck", "policy.rule=allow")
    assert b"<data>Unauthenticated</data>" in xcat.ask(AUTHCHECK, cert=False)


def test_a_certificate_of_another_ca_is_refused(xcat, tmp_path):
    other = Home(tmp_path / "other")
    other.make()
    certificates.make_all(other, "mn", [])
    with pytest.raises((ssl.SSLError, ConnectionError)):
        assert xcat.ask(AUTHCHECK, cert=other.client / "client-cred.pem") == b"", "it was let in"
        raise ConnectionError


def test_the_daemons_own_certificate_is_trusted_as_a_peer(xcat):
    answer = xcat.ask(AUTHCHECK, cert=xcat.home.cert / "server-cred.pem")
    assert b"<username>mn</username>" in answer


def test_old_tls_is_refused(xcat):
    context = xcat.context()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with warnings.catch_warnings():  # newer Pythons discourage it
        warnings.simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", xcat.server.port)) as raw, pytest.raises(ssl.SSLError):
        context.wrap_socket(raw, server_hostname="localhost")


def test_tls_1_2_is_enough(xcat):
    context = xcat.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", xcat.server.port)) as raw:
        with context.wrap_socket(raw, server_hostname="127.0.0.1") as sock:
            sock.sendall(AUTHCHECK)
            assert read(sock) == AUTHENTICATED


def test_certificates_are_as_xcat_lays_them_out_and_are_kept(xcat):
    for path, mode in {
        "etc/xcat/ca/ca-cert.pem": 0o644,
        "etc/xcat/ca/private/ca-key.pem": 0o600,
        "etc/xcat/cert/ca.pem": 0o644,
        "etc/xcat/cert/server-cert.pem": 0o644,
        "etc/xcat/cert/server-key.pem": 0o600,
        "etc/xcat/cert/server-cred.pem": 0o600,
        "root/.xcat/ca.pem": 0o644,
        "root/.xcat/client-cert.pem": 0o644,
        "root/.xcat/client-key.pem": 0o600,
        "root/.xcat/client-cred.pem": 0o600,
        "etc/xcat": 0o700,
        "root/.xcat": 0o700,
    }.items():
        assert os.stat(xcat.home.root / path).st_mode & 0o777 == mode, path
    before = (xcat.home.cert / "server-cred.pem").read_bytes()
    certificates.make_all(xcat.home, "other", [])
    assert (xcat.home.cert / "server-cred.pem").read_bytes() == before


def test_passwords_and_tokens(xcat):
    xcat.type("tabch", "key=xcat,username=joe", "passwd.password=plain")
    xcat.type(
        "tabch",
        "key=xcat,username=ann",
        "passwd.password=$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.",
    )
    for name in ("joe", "ann"):
        xcat.type("tabch", f"priority=6.{name}", f"policy.name={name}", "policy.rule=allow")

    def become(name, password):
        return xcat.ask(WireRequest(command="authcheck", becomeuser=UserPassword(name, Secret(password))), cert=False)

    assert b"<username>joe</username>" in become("joe", "plain")
    assert b"<username>ann</username>" in become("ann", "password")
    for name, password in (("joe", "wrong"), ("joe", ""), ("nobody", "plain"), ("ann", "$6$salt$IxDD")):
        assert b"<error>Authentication failure</error>\n  <errorcode>1</errorcode>" in become(name, password)
    answer = xcat.ask(WireRequest(command="x", gettoken=UserPassword("joe", Secret("plain"))), cert=False)
    token = answer.split(b"<id>")[1].split(b"</id>")[0].decode()
    used = xcat.ask(WireRequest(command="authcheck", token=Secret(token)), cert=False)
    assert b"<username>joe</username>" in used
    xcat.type("tabch", f"tokenid={identity.digest(token)}", "token.expire=2001-01-01 00:00:00")
    for wrong in (token, "guess"):
        assert b"Authentication failure" in xcat.ask(WireRequest(command="authcheck", token=Secret(wrong)), cert=False)


# How one asks


@pytest.mark.parametrize(
    "request_", [AUTHCHECK, b"\n" + AUTHCHECK, AUTHCHECK + b"\n", b"<?xml version='1.0'?>\n" + AUTHCHECK]
)
def test_with_and_without_newlines(xcat, request_):
    assert xcat.ask(request_) == AUTHENTICATED


def test_cut_at_every_byte(xcat):
    with xcat.connect() as sock:
        for cut in range(len(AUTHCHECK)):
            sock.sendall(AUTHCHECK[:cut])
            sock.sendall(AUTHCHECK[cut:])
            assert read(sock) == AUTHENTICATED


def test_several_requests_one_after_the_other_and_at_once(xcat):
    with xcat.connect() as sock:
        sock.sendall(AUTHCHECK * 3)
        found = b""
        while found.count(b"<serverdone>") < 3:
            found += sock.recv(65536)
        assert found == AUTHENTICATED * 3
        sock.sendall(write_request(WireRequest(command="nodels", noderange="", transid="7")))
        assert b"<transid>7</transid>" in read(sock)


@pytest.mark.parametrize("no", ["0", " 0\n", "", " "])
def test_what_perl_takes_for_false_ends_nothing(xcat, no):
    with xcat.connect() as sock:
        sock.sendall(
            f"<xcatrequest><command>authcheck</command><abortcommand>{no}</abortcommand></xcatrequest>".encode()
        )
        assert b"Authenticated" in read(sock)


def audit_log(xcat):
    """What is in the audit log; it is written a moment after the answer."""
    path = xcat.home.log / "audit.log"
    return path.read_text() if path.exists() else ""


def test_who_says_goodbye_in_tls_is_still_answered(xcat):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = xcat.context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", xcat.server.port), 300) as raw:

        def turn(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    raw.sendall(outgoing.read())
                    incoming.write(raw.recv(65536))

        turn(client.do_handshake)
        client.write(AUTHCHECK)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLError):
            client.unwrap()
        raw.sendall(outgoing.read())
        raw.shutdown(socket.SHUT_WR)
        answer = b""
        while part := raw.recv(65536):
            answer += part
    assert answer, "nothing was sent back"
    until(lambda: "authcheck" in audit_log(xcat), "the request is in the log")


@pytest.mark.parametrize("rubbish", [b"GET / HTTP/1.0\r\n\r\n", b"x" * 70000, b"<" * 70000])
def test_rubbish_is_shown_the_door(xcat, rubbish):
    with xcat.connect() as sock:
        with contextlib.suppress(OSError):
            sock.sendall(rubbish)
        with contextlib.suppress(OSError):
            assert sock.recv(100) == b""
    assert xcat.ask(AUTHCHECK) == AUTHENTICATED


@pytest.mark.parametrize("body", [b"<command>a&b</command>", b"<command>x", b"", b"<!DOCTYPE x><command>y</command>"])
def test_malformed_requests_get_an_error(xcat, body):
    answer = xcat.ask(b"<xcatrequest>" + body + b"</xcatrequest>")
    assert b"<error>" in answer and b"<serverdone>" in answer


def test_a_request_of_sixteen_mebibytes(xcat):
    rows = tuple(f'"k{number}","{"v" * 1000}"\n' for number in range(15000))
    request = WireRequest(command="tabrestore", table="site", addrows=True, data=("#key,value\n", *rows))
    assert xcat.ask(request) == b"<xcatresponse>\n  <serverdone></serverdone>\n" + END
    assert len(xcat.table("site")) == 15007


def test_requests_that_pile_up_behind_a_running_one_are_not_kept_for_ever(xcat, monkeypatch):
    going = threading.Event()

    def run(call):
        going.set()
        call.request.aborted.wait(300)
        yield Data("stopped" if call.request.aborted.is_set() else "not stopped")

    add(xcat, monkeypatch, "linger", run)
    with xcat.connect() as sock:
        sock.sendall(write_request(WireRequest(command="linger")))
        assert going.wait(300)
        with pytest.raises(OSError):  # the socket is closed
            for _ in range(5):
                sock.sendall(write_request(WireRequest(command="nodels", args=("x" * (8 << 20),))))
            sock.recv(1)
            sock.sendall(b"x")
    assert xcat.ask(AUTHCHECK) == AUTHENTICATED


def test_a_noderange_that_is_none(xcat):
    xcat.type("mkdef", "vm1,vm2", "groups=all")
    answer = xcat.ask(WireRequest(command="nodels", noderange="vm1,nope,vm9"))
    assert answer == (
        b"<xcatresponse>\n  <error>Invalid nodes and/or groups in noderange: nope,vm9</error>\n"
        b"  <errorcode>1</errorcode>\n  <serverdone></serverdone>\n" + END
    )
    answer = xcat.ask(WireRequest(command="noderange", noderange="vm1,nope"))
    assert answer == (
        b"<xcatresponse>\n  <node>vm1</node>\n  <serverdone></serverdone>\n"
        b"  <warning>Invalid nodes in noderange:nope</warning>\n" + END
    )
    answer = xcat.ask(WireRequest(command="extnoderange", noderange="vm1", args=("subgroups",)))
    assert b"<intersectinggroups>all</intersectinggroups>" in answer
    assert b"<error>" in xcat.ask(WireRequest(command="nodels", noderange="vm1@(vm2"))


def test_an_unknown_command(xcat):
    assert xcat.ask(WireRequest(command="makeroutes", transid="t1")) == (
        b"<xcatresponse>\n"
        b"  <error>Unsupported request: the embedded xcatd has no makeroutes; a Perl xCAT has it</error>\n"
        b"  <errorcode>127</errorcode>\n  <serverdone></serverdone>\n  <transid>t1</transid>\n" + END
    )


def test_the_source_is_named_in_all_documents_but_the_last(xcat):
    documents = split(xcat.ask(WireRequest(command="tabdump", args=("site",))))[0]
    assert b"<xcatdsource>" in documents[0] and b"<xcatdsource>" not in documents[-1]


# Policy


def test_the_policy_decides_and_is_written_down_without_secrets(xcat):
    xcat.type("mkdef", "vm1,vm2", "groups=all")
    xcat.type("tabch", "-d", "priority=1", "policy")
    xcat.type(
        "tabch",
        "priority=3.5",
        "policy.name=root",
        "policy.commands=nodels,tabch",
        "policy.noderange=vm1",
        "policy.rule=allow",
    )
    xcat.type(
        "tabch",
        "priority=3.6",
        "policy.name=root",
        "policy.commands=tabch",
        "policy.parameters=^key=",
        "policy.rule=allow",
    )
    assert b"<name>vm1</name>" in xcat.ask(WireRequest(command="nodels", noderange="vm1"))
    assert b"Permission denied" in xcat.ask(WireRequest(command="nodels", noderange="vm1,vm2"))
    assert b"Permission denied" in xcat.ask(WireRequest(command="tabdump", args=("passwd",)))
    assert b"Permission denied" not in xcat.ask(
        WireRequest(command="tabch", args=("key=q,username=u", "passwd.password=Sentinel7"))
    )
    xcat.xcatd.audit.close()
    rows = xcat.table("auditlog")
    assert [(row["command"], row["status"]) for row in rows] == [
        ("nodels", "allowed"),
        ("nodels", "denied"),
        ("tabdump", "denied"),
        ("tabch", "allowed"),
    ]
    log = (xcat.home.log / "audit.log").read_text()
    assert (
        "xCAT: Allowing nodels to vm1 for root from 127.0.0.1" in log and "xCAT: Denying tabdump passwd for root" in log
    )
    assert "Sentinel7" not in log and "Sentinel7" not in str(rows)


def test_a_row_that_cannot_be_read_denies_and_is_written_down(xcat):
    with contextlib.closing(sqlite3.connect(xcat.home.config / "policy.sqlite")) as file, file:  # by another xCAT
        file.execute("insert into policy (priority, parameters, rule) values ('0.5', '(', 'allow')")
    assert b"the policy row 0.5" in xcat.ask(WireRequest(command="nodels"))
    xcat.xcatd.audit.close()
    assert [(row["command"], row["status"]) for row in xcat.table("auditlog")] == [("nodels", "denied")]


def test_a_noderange_is_worked_out_only_for_whom_a_row_for_nodes_may_concern(xcat, monkeypatch):
    xcat.type("mkdef", "vm1", "groups=all")
    xcat.type("tabch", "priority=3.5", "policy.name=joe", "policy.noderange=vm1", "policy.rule=allow")
    worked_out, expand = [], Tables.expand

    def noted(self, text, *more):
        worked_out.append(text)
        return expand(self, text, *more)

    monkeypatch.setattr(Tables, "expand", noted)
    assert b"Permission denied" in xcat.ask(WireRequest(command="nodels", noderange="vm1"), cert=False)
    assert worked_out == []
    assert b"<name>vm1</name>" in xcat.ask(WireRequest(command="nodels", noderange="vm1"))
    assert worked_out == ["vm1"], "root's row comes first; the command alone needs it"


def test_a_trusted_peer_may_say_for_whom_it_asks(xcat):
    xcat.ask(WireRequest(command="nodels", username="joe"), cert=xcat.home.cert / "server-cred.pem")
    xcat.ask(WireRequest(command="nodels", username="joe"))
    xcat.xcatd.audit.close()
    assert [row["userid"] for row in xcat.table("auditlog")] == ["joe", "root"]


# Streams and ends


def test_answers_stream(xcat, monkeypatch):
    go_on = threading.Event()

    def run(call):
        yield Data("first", "n1")
        assert go_on.wait(300)
        yield Data("second", "n2")

    add(xcat, monkeypatch, "slow", run)
    with xcat.connect() as sock:
        sock.sendall(write_request(WireRequest(command="slow")))
        assert b"first" in read(sock, b"first")
        go_on.set()
        assert b"second" in read(sock)


@pytest.mark.parametrize("leave", ["abortcommand", "close", "reset", "goodbye"])
def test_a_client_that_leaves_stops_its_command(xcat, monkeypatch, leave):
    begun, ended = threading.Event(), threading.Event()

    def run(call):
        yield Data("begun")
        begun.set()
        while not call.request.aborted.wait(0.2):
            if leave == "goodbye":  # only an answer that bounces tells that nobody is there
                yield Data("still here")
        ended.set()

    add(xcat, monkeypatch, "slow", run)
    sock = xcat.connect()
    sock.sendall(write_request(WireRequest(command="slow")))
    assert begun.wait(300)
    if leave == "abortcommand":
        sock.sendall(b"<xcatrequest>\n<abortcommand>1</abortcommand>\n</xcatrequest>\n")
        assert b"<serverdone>" not in read(sock)
    elif leave == "goodbye":
        with contextlib.suppress(OSError, ValueError):
            sock.setblocking(False)
            sock.unwrap()
    elif leave == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    sock.close()
    assert ended.wait(300)


def test_a_mistake_of_ours_is_one_line_and_the_daemon_lives(xcat, monkeypatch, caplog):
    def run(call):
        yield Error("before")
        raise KeyError("inside")

    add(xcat, monkeypatch, "broken", run)
    answer = xcat.ask(WireRequest(command="broken"))
    assert (
        b"<error>before</error>" in answer
        and b"xcatd failed because of a mistake in it" in answer
        and b"Traceback" not in answer
    )
    assert "KeyError" in caplog.text
    assert xcat.ask(AUTHCHECK) == AUTHENTICATED


def test_a_client_that_does_not_read_holds_up_its_own_command_only(xcat, monkeypatch):
    line, sent = "x" * 65536, []

    def run(call):
        for number in range(400):
            sent.append(number)
            yield Data(line)

    add(xcat, monkeypatch, "flood", run)
    with xcat.connect() as deaf:
        deaf.sendall(write_request(WireRequest(command="flood")))
        until(lambda: len(sent) > 20, "it has begun")
        assert xcat.ask(AUTHCHECK) == AUTHENTICATED
        assert len(sent) < 400
        assert len(read(deaf)) > 400 * 65536


@pytest.mark.parametrize(
    "name, begin", [("GREETING", None), ("SILENCE", b""), ("SILENCE", b"<xcatrequest>"), ("ARRIVAL", b"<xcatr")]
)
def test_silence_has_limits(xcat, monkeypatch, name, begin):
    monkeypatch.setattr(connection, name, 0.2)
    if begin is None:
        with socket.create_connection(("127.0.0.1", xcat.server.port), 300) as raw:
            assert raw.recv(1) == b""
        return
    with xcat.connect() as sock:
        ended = False
        with contextlib.suppress(OSError):
            sock.sendall(begin or b"\n")
        while name == "ARRIVAL" and not ended:  # one byte after the other, for ever
            time.sleep(0.05)
            try:
                sock.sendall(b"x")
            except OSError:
                ended = True
        with contextlib.suppress(OSError):
            assert sock.recv(1) == b""


def test_five_hundred_idle_connections_are_in_nobodys_way(xcat):
    idle = [socket.create_connection(("127.0.0.1", xcat.server.port)) for _ in range(250)]
    idle += [xcat.connect() for _ in range(250)]
    try:
        for sock in idle[250:]:
            sock.sendall(b"<xcatrequest>")
        assert xcat.ask(AUTHCHECK) == AUTHENTICATED
    finally:
        for sock in idle:
            sock.close()


def test_a_policy_row_for_a_host(xcat):
    xcat.type("tabch", "-d", "priority=1", "policy")
    xcat.type("tabch", "priority=5", "policy.host=elsewhere", "policy.rule=allow")
    assert b"Permission denied" in xcat.ask(AUTHCHECK)
    name = socket.gethostbyaddr("127.0.0.1")[0].partition(".")[0]
    xcat.type("tabch", "priority=5", f"policy.host={name}")
    assert b"Authenticated" in xcat.ask(AUTHCHECK)
    xcat.type("tabch", "priority=5", "policy.host=front")
    assert b"Authenticated" in xcat.ask(WireRequest(command="authcheck", remote_client="front,other"))


def test_audit_rows_that_the_site_does_not_want(xcat):
    xcat.type("tabch", "key=auditskipcmds", "site.value=nodels, clienttype:ws")
    for request in (
        WireRequest(command="nodels"),
        WireRequest(command="authcheck", clienttype="ws"),
        WireRequest(command="authcheck"),
    ):
        xcat.ask(request)
    xcat.xcatd.audit.close()
    assert [row["command"] for row in xcat.table("auditlog")] == ["authcheck"]
