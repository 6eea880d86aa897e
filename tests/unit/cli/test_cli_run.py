"""`xcat-rhev run` as a process, against a daemon that says what the test tells it to."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from terminal import Terminal
from xcat_rhev.cli import client, run
from xcat_rhev.daemon.certificates import make_all
from xcat_rhev.daemon.home import Home
from xcat_rhev.errors import NotFound, Usage
from xcat_rhev.messages import Data, Error, Progress
from xcat_rhev.xcat.wire import END_OF_REQUEST, WireRequest, read_request, write_done, write_messages, write_response

Answer = Callable[[ssl.SSLSocket, WireRequest], None]


class Daemon:
    """A TLS server on this machine that reads one request after another and answers as it is told.

    Args:
        home: Whose certificate it has.
    """

    def __init__(self, home: Home) -> None:
        self.requests: list[WireRequest] = []
        self.names: list[str] = []
        self.answer: Answer = lambda channel, _: channel.sendall(write_done())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(str(home.cert / "server-cred.pem"))
        self._context.load_verify_locations(str(home.cert / "ca.pem"))
        self._context.verify_mode = ssl.CERT_OPTIONAL
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(300)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as channel:
                    self._converse(channel)
            except OSError:  # the client had reasons to leave
                plain.close()

    def _converse(self, channel: ssl.SSLSocket) -> None:
        certificate = channel.getpeercert() or {}
        subject: Any = certificate.get("subject", ())
        self.names.append(dict(pair for part in subject for pair in part).get("commonName", ""))
        received = b""
        while END_OF_REQUEST not in received:
            data = channel.recv(65536)
            if not data:
                return
            received += data
        request = read_request(received)
        self.requests.append(request)
        self.answer(channel, request)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    make_all(home, "mn", [])
    return home


@pytest.fixture
def daemon(home: Home) -> Iterator[Daemon]:
    daemon = Daemon(home)
    yield daemon
    daemon.close()


def environment(home: Home, port: int, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "HOME") if name in os.environ}
    return {**kept, "TERM": "xterm", "XCATHOST": f"127.0.0.1:{port}", "XCAT_CERT_DIR": str(home.client), **more}


def start(home: Home, port: int, *words: str, **more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "xcat_rhev.cli", "run", *words],
        env=environment(home, port, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def typed(home: Home, port: int, *words: str, **more: str) -> tuple[int, str, str]:
    process = start(home, port, *words, **more)
    out, err = process.communicate(timeout=300)
    return process.returncode, out.decode(), err.decode()


def test_a_command(home: Home, daemon: Daemon) -> None:
    messages = [Data("on", "vm1"), Error("gone", "vm2", 2), Error("é", code=4)]
    daemon.answer = lambda channel, _: channel.sendall(write_messages(messages, "mn") + write_done())
    assert typed(home, daemon.port, "rpower", "vm1-vm2", "stat", XCAT_X="1") == (
        6,
        "vm1: on\n",
        "vm2: [mn]: Error: gone\nError: [mn]: é\n",
    )
    assert daemon.requests == [
        WireRequest(
            "rpower",
            noderange="vm1-vm2",
            args=("stat",),
            cwd=os.getcwd(),
            clienttype="cli",
            environment={"XCAT_X": "1", "XCAT_RHEV_PROGRESS": "1"},
        )
    ]
    assert daemon.names == ["root"]


def test_verbose_shows_who_answers(home: Home, daemon: Daemon) -> None:
    daemon.answer = lambda channel, _: channel.sendall(write_messages([Data("on", "vm1")], "mn") + write_done())
    assert typed(home, daemon.port, "rpower", "vm1", "-V")[1] == "vm1: [mn]: on\n"
    assert typed(home, daemon.port, "rpower", "-V", "vm1")[1] == "vm1: on\n"
    assert typed(home, daemon.port, "lsve", "-V")[1] == "vm1: [mn]: on\n"
    assert typed(home, daemon.port, "lsdef", "-V")[1] == "vm1: on\n"


def test_an_answer_byte_by_byte(home: Home, daemon: Daemon) -> None:
    def slowly(channel: ssl.SSLSocket, _: WireRequest) -> None:
        for byte in write_messages([Data("a"), Data("b")], "mn") + write_done():
            channel.sendall(bytes([byte]))

    daemon.answer = slowly
    assert typed(home, daemon.port, "x") == (0, "a\nb\n", "")


def test_lines_are_shown_as_they_come(home: Home, daemon: Daemon) -> None:
    seen = threading.Event()

    def in_two_parts(channel: ssl.SSLSocket, _: WireRequest) -> None:
        channel.sendall(write_messages([Data("first")], "mn"))
        assert seen.wait(300)
        channel.sendall(write_messages([Data("second")], "mn") + write_done())

    daemon.answer = in_two_parts
    process = start(home, daemon.port, "x")
    assert process.stdout
    assert process.stdout.readline() == b"first\n"
    seen.set()
    assert process.communicate(timeout=300) == (b"second\n", b"")


@pytest.mark.parametrize("sent", [b"", b"<xcatresponse>\n  <data>a</data>", write_messages([Data("a")], "mn")])
def test_an_answer_that_ends_early(home: Home, daemon: Daemon, sent: bytes) -> None:
    daemon.answer = lambda channel, _: channel.sendall(sent)
    code, out, err = typed(home, daemon.port, "x")
    assert code == 1
    assert err == "ERROR/WARNING: communication with the xCAT server seems to have been ended prematurely\n"
    assert out == ("a\n" if sent.endswith(b">\n") else "")


@pytest.mark.parametrize("sent", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"<xcatresponse><a></b></xcatresponse>"])
def test_an_answer_that_is_none(home: Home, daemon: Daemon, sent: bytes) -> None:
    daemon.answer = lambda channel, _: channel.sendall(sent)
    code, out, err = typed(home, daemon.port, "x")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "Traceback" not in err


def test_nobody_listens(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    code, out, err = typed(home, port, "x")
    assert code == 111
    assert out == (
        f"Unable to open socket connection to xcatd daemon on 127.0.0.1:{port}.\n"
        "Verify that the xcatd daemon is running and that your SSL setup is correct.\n"
    )
    assert err == "Connection failure: Connection refused\n"


def test_somebody_else_listens(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def rude() -> None:
            channel, _ = server.accept()
            channel.sendall(b"220 mail.example.com ESMTP\r\n")
            channel.close()

        thread = threading.Thread(target=rude)
        thread.start()
        code, _, err = typed(home, server.getsockname()[1], "x")
        thread.join()
    assert code == 1
    assert err.startswith("Connection failure: 127.0.0.1:")
    assert err.count("\n") == 1


def test_a_daemon_of_another_ca(home: Home, daemon: Daemon, tmp_path: Path) -> None:
    other = Home(tmp_path)
    other.make()
    make_all(other, "mn", [])
    code, _, err = typed(other, daemon.port, "x")
    assert code == 1
    assert f"is not from the CA in {other.client}" in err
    assert daemon.requests == []


def test_a_client_of_another_ca(home: Home, daemon: Daemon, tmp_path: Path) -> None:
    other = Home(tmp_path)
    other.make()
    make_all(other, "mn", [])
    (other.client / "ca.pem").write_bytes((home.client / "ca.pem").read_bytes())
    code, _, err = typed(other, daemon.port, "x")
    assert code == 1
    assert daemon.requests == []
    assert err.count("\n") == 1


def test_certificates_that_are_not_there(home: Home, tmp_path: Path) -> None:
    code, out, err = typed(home, 1, "x", XCAT_CERT_DIR=str(tmp_path / "none"))
    assert (code, out) == (1, "")
    assert err == (
        f"Error: the certificate {tmp_path}/none/ca.pem is not there or not readable. "
        "Set XCAT_CERT_DIR to the folder with ca.pem and client-cred.pem; it is ~/.xcat if not set\n"
    )
    (tmp_path / "ca.pem").write_text("nothing")
    (tmp_path / "client-cred.pem").write_text("nothing")
    assert "ca.pem holds no usable certificate" in typed(home, 1, "x", XCAT_CERT_DIR=str(tmp_path))[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_the_command_there(home: Home, daemon: Daemon, number: signal.Signals) -> None:
    heard: list[WireRequest] = []

    def wait_for_abort(channel: ssl.SSLSocket, _: WireRequest) -> None:
        channel.sendall(write_messages([Data("working")], "mn"))
        heard.append(read_request(channel.recv(65536)))

    daemon.answer = wait_for_abort
    process = start(home, daemon.port, "x")
    assert process.stdout
    assert process.stdout.readline() == b"working\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=300)
    assert (out, process.returncode) == (b"", -number)
    assert err == b"Stopping. What a manager has accepted already goes on there. Ctrl-C again leaves at once.\n"
    assert heard == [WireRequest(abort=True)]


def test_a_second_ctrl_c_does_not_wait_for_the_daemon(home: Home, daemon: Daemon) -> None:
    held = threading.Event()

    def deaf(channel: ssl.SSLSocket, _: WireRequest) -> None:
        channel.sendall(write_messages([Data("working")], "mn"))
        channel.recv(65536)
        held.wait(300)

    daemon.answer = deaf
    process = start(home, daemon.port, "x")
    assert process.stdout and process.stderr
    assert process.stdout.readline() == b"working\n"
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline().startswith(b"Stopping.")
    process.send_signal(signal.SIGINT)
    assert process.wait(300) == -signal.SIGINT
    held.set()
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize(
    ("command", "hint"),
    [("rpwer", "Did you mean rpower?"), ("frobnicate", "Run: xcat-rhev help"), ("makeroutes", "Run: xcat-rhev help")],
)
@pytest.mark.parametrize("code", [{}, {"errorcode": "127"}])
def test_a_command_that_xcatd_does_not_know(
    home: Home, daemon: Daemon, command: str, hint: str, code: dict[str, str]
) -> None:
    daemon.answer = lambda channel, _: channel.sendall(
        write_response({"error": "Unsupported request", **code, "serverdone": ""})
    )
    rc, out, err = typed(home, daemon.port, command, "vm1")
    assert (rc, out) == (127, "")
    assert err.startswith("Error: Unsupported request\n")
    assert hint in err


def test_a_reader_that_has_seen_enough(home: Home, daemon: Daemon) -> None:
    daemon.answer = lambda channel, _: channel.sendall(write_messages([Data("x" * 1000)] * 1000, "mn") + write_done())
    process = start(home, daemon.port, "x")
    assert process.stdout and process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(300) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_the_line_that_lives_is_a_bar_for_a_copy_and_leaves_nothing_behind(home: Home, daemon: Daemon) -> None:
    messages = [Progress("50.00% 104 MiB/s"), Progress("nearly"), Data("copied")]
    daemon.answer = lambda channel, _: channel.sendall(write_messages(messages, "mn") + write_done())
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "xcat_rhev.cli", "run", "copycds", "x.iso"],
        stdout=theirs,
        stdin=subprocess.DEVNULL,
        env=environment(home, daemon.port),
    )
    assert process.wait(300) == 0
    os.close(theirs)
    written = os.read(ours, 1000).decode()
    os.close(ours)
    assert "[####" in written
    terminal = Terminal()
    terminal.feed(written)
    assert terminal.shown() == ["copied"]
    assert typed(home, daemon.port, "copycds", "x.iso") == (0, "copied\n", ""), "not a carriage return in a pipe"


def test_what_is_piped_in_goes_along(home: Home, daemon: Daemon) -> None:
    for words in (("nodels",), ("mkdef", "-z"), ("lsve",)):
        process = subprocess.run(
            [sys.executable, "-m", "xcat_rhev.cli", "run", *words],
            env=environment(home, daemon.port),
            input="vm1:\n  objtype=nöde\n".encode(),
            capture_output=True,
            timeout=300,
            check=True,
        )
        assert process.stdout == b""
    assert [request.stdin for request in daemon.requests] == ["vm1:\n  objtype=nöde\n"] * 3


def test_without_a_terminal_type_a_silent_pipe_is_not_waited_for(home: Home, daemon: Daemon) -> None:
    reader, writer = os.pipe()
    try:
        variables = environment(home, daemon.port)
        del variables["TERM"]
        subprocess.run(
            [sys.executable, "-m", "xcat_rhev.cli", "run", "nodels"],
            env=variables,
            stdin=reader,
            timeout=300,
            check=True,
        )
    finally:
        os.close(reader)
        os.close(writer)
    assert daemon.requests[0].stdin is None


def test_tabrestore_sends_a_file(home: Home, daemon: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "site.saved.csv"
    file.write_text('#key,value,comments,disable\n"a","é\u2028b",,\n\n', encoding="utf-8")
    assert typed(home, daemon.port, "tabrestore", "-a", str(file))[0] == 0
    assert typed(home, daemon.port, "tabrestore", str(file))[0] == 0
    first, second = daemon.requests
    assert (first.command, first.table, first.addrows, first.noderange) == ("tabrestore", "site", True, None)
    assert first.data == ("#key,value,comments,disable\n", '"a","é\u2028b",,\n', "")
    assert second.addrows is False


def test_tabrestore_without_its_file(home: Home) -> None:
    assert typed(home, 1, "tabrestore", "/nowhere/site.csv") == (
        3,
        "",
        "Error: Unable to open /nowhere/site.csv for reading\n",
    )
    code, _, err = typed(home, 1, "tabrestore")
    assert (code, err.count("\n")) == (1, 1)


def test_arguments_that_cannot_be_sent(home: Home, daemon: Daemon) -> None:
    code, _, err = typed(home, daemon.port, "nodech", "vm1", "vm.comments=\x07")
    assert (code, err) == (1, "Error: the request has the character '\\x07', which cannot be sent\n")
    assert daemon.requests == []


def test_the_words_of_run_itself(home: Home) -> None:
    assert typed(home, 1, "--help") == (0, run.USAGE + "\n", "")
    assert typed(home, 1) == (2, run.USAGE + "\n", "")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "localhost", 3001),
        ("mn", "mn", 3001),
        ("mn:3005", "mn", 3005),
        ("10.0.0.1:3001", "10.0.0.1", 3001),
        ("[::1]:3001", "::1", 3001),
        ("[::1]", "::1", 3001),
    ],
)
def test_whom_to_ask(text: str, host: str, port: int) -> None:
    found = client.target({"XCATHOST": text, "XCAT_CERT_DIR": "/certs"})
    assert (found.host, found.port, found.certificates) == (host, port, Path("/certs"))


@pytest.mark.parametrize("text", ["mn:", ":3001", "mn:0", "mn:65536", "mn:x", "mn:٣", ":"])
def test_whom_nobody_can_ask(text: str) -> None:
    with pytest.raises(Usage, match="XCATHOST is"):
        client.target({"XCATHOST": text})


def test_certificates_are_looked_for_at_home() -> None:
    assert client.target({}).certificates.name == ".xcat"
    with pytest.raises(NotFound, match="ca.pem"):
        client.Conversation(client.Target("localhost", 1, Path("/nowhere")))


def test_a_name_that_does_not_resolve(home: Home) -> None:
    code, out, err = typed(home, 1, "x", XCATHOST="no-such-host.invalid:3001")
    assert 1 <= code < 128
    assert out.startswith("Unable to open socket connection to xcatd daemon on no-such-host.invalid:3001.")
    assert err.startswith("Connection failure: ")
