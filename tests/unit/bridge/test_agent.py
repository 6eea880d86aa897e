"""The agent without Perl: how many at once, when it ends, and what it makes of lines that are no requests."""

import importlib.metadata
import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from xcat_rhev import __version__
from xcat_rhev.bridge import agent as module
from xcat_rhev.bridge.agent import AT_ONCE, Agent
from xcat_rhev.bridge.host import line_for
from xcat_rhev.errors import Aborted
from xcat_rhev.files import lock_file
from xcat_rhev.messages import Data, Error, Info


class Scripted:
    def __init__(self):
        self.play = lambda request, host: iter(())
        self.lock = threading.Lock()
        self.seen = 0

    def run(self, request, host):
        with self.lock:
            self.seen += 1
        return self.play(request, host)


@pytest.fixture
def scripted():
    return Scripted()


@pytest.fixture
def serving(tmp_path, scripted):
    """An agent until the test ends: its thread and a way to connect."""
    agent = Agent(listening(tmp_path / "agent.sock"), scripted)
    thread = threading.Thread(target=lambda: (agent.serve(), agent.finish()))
    thread.start()
    yield thread, lambda: connect(tmp_path / "agent.sock")
    agent.stop()
    thread.join(300)
    assert not thread.is_alive()


def listening(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    return listener


def test_it_ends_when_nobody_needs_it(tmp_path, scripted):
    Agent(listening(tmp_path / "agent.sock"), scripted, idle=0.05).serve()
    assert not answers(tmp_path / "agent.sock")


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(300)
    client.connect(str(path))
    return client


def answers(path):
    """Whether an agent takes connections."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def can_start(path):
    """Whether another agent would be the only one."""
    lock = lock_file(Path(f"{path}.lock"))
    if lock:
        lock.close()
    return bool(lock)


def send(client, item):
    client.sendall(json.dumps(item).encode() + b"\n")


def lines(client):
    with client, client.makefile("rb") as answers:
        return [json.loads(line) for line in answers]


REQUEST = {"request": {"command": "rpower", "nodes": ["vm1"], "args": ["stat"]}}


def wait_for(condition):
    end = time.monotonic() + 300
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_as_many_at_once_as_promised_and_the_next_waits(serving, scripted):
    release = threading.Event()

    def play(request, host):
        release.wait(300)
        yield Data("done")

    scripted.play = play
    clients = [serving[1]() for _ in range(AT_ONCE + 1)]
    for client in clients:
        send(client, REQUEST)
    wait_for(lambda: scripted.seen == AT_ONCE)
    time.sleep(0.2)
    assert scripted.seen == AT_ONCE
    release.set()
    for client in clients:
        assert lines(client)[-1] == {"done": True}
    assert scripted.seen == AT_ONCE + 1


def test_a_newly_installed_version_ends_it_after_what_is_begun(serving, scripted, monkeypatch):
    monkeypatch.setattr(module, "CHECK", 0.05)
    release = threading.Event()

    def play(request, host):
        release.wait(300)
        yield Data("finished by the old one")

    scripted.play = play
    thread, connected = serving
    client = connected()
    send(client, REQUEST)
    wait_for(lambda: scripted.seen == 1)
    monkeypatch.setattr(module, "outdated", lambda: True)
    thread.join(0.5)
    assert thread.is_alive(), "there is work under way"
    release.set()
    assert lines(client)[0]["say"]["text"] == "finished by the old one"
    thread.join(300)
    assert not thread.is_alive()


def test_the_next_agent_serves_while_the_old_one_finishes(tmp_path, scripted, monkeypatch):
    monkeypatch.setattr(module, "CHECK", 0.05)
    monkeypatch.setattr(module, "Dispatcher", lambda: scripted)
    release, place = threading.Event(), tmp_path / "agent.sock"

    def play(request, host):
        if request.args == ("long",):
            release.wait(300)
        yield Data(" ".join(request.args))

    monkeypatch.setattr(signal, "signal", lambda *_: None)  # for main threads alone

    def start():
        thread = threading.Thread(target=module.main, args=(["--socket", str(place)],), daemon=True)
        thread.start()
        return thread

    scripted.play = play
    old = start()
    wait_for(lambda: answers(place))
    long = connect(place)
    send(long, {"request": {"command": "rpower", "args": ["long"]}})
    wait_for(lambda: scripted.seen == 1)
    monkeypatch.setattr(module, "outdated", lambda: True)
    wait_for(lambda: can_start(place))
    monkeypatch.setattr(module, "outdated", lambda: False)
    new = start()
    wait_for(lambda: answers(place))
    short = connect(place)
    send(short, {"request": {"command": "rpower", "args": ["short"]}})
    assert lines(short)[0]["say"]["text"] == "short"
    assert old.is_alive()
    release.set()
    assert lines(long)[0]["say"]["text"] == "long"
    monkeypatch.setattr(module, "outdated", lambda: True)
    for each in (old, new):
        each.join(300)
        assert not each.is_alive()


@pytest.mark.parametrize(
    "line", [b"not json\n", b"[]\n", b"{}\n", b'{"request": 5}\n', b'{"request": {}}\n', b"\xff\xfe\n", b"\n"]
)
def test_a_line_that_is_no_request_gets_an_answer_in_words(serving, scripted, line):
    client = serving[1]()
    client.sendall(line)
    said = lines(client)
    assert "are of different versions" in said[0]["say"]["text"] and said[-1] == {"done": True}
    assert scripted.seen == 0


def test_a_command_of_another_version(serving):
    client = serving[1]()
    send(client, {"request": {"command": "frobnicate"}})
    assert lines(client)[0]["say"]["text"] == "the agent does not know frobnicate. Run: xcat-rhev install"


def test_a_connection_that_says_nothing_and_goes_harms_nobody(serving, scripted):
    serving[1]().close()
    client = serving[1]()
    send(client, REQUEST)
    assert lines(client) == [{"done": True}]


def test_a_host_call_while_the_shim_goes_ends_the_request(serving, scripted):
    ended = threading.Event()

    def play(request, host):
        try:
            host.site("master")
        except Aborted:
            ended.set()
            raise
        yield Data("never")

    scripted.play = play
    client = serving[1]()
    send(client, REQUEST)
    assert json.loads(client.makefile("rb").readline())["do"] == "site"
    client.shutdown(socket.SHUT_RDWR)
    client.close()
    assert ended.wait(300)


def test_the_installed_version_is_looked_up_anew(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99.0")
    assert module.outdated()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: __version__)
    assert not module.outdated()


def test_what_a_node_says_is_a_pair_and_all_else_an_object() -> None:
    assert line_for(Data("on", "vm1")) == ["vm1", "on"]
    assert line_for(Data("", "vm1")) == ["vm1", ""]
    assert line_for(Data("on", "vm1", fields=(("state", "on"),))) == ["vm1", "on"]
    for other in (Data("on"), Data("on", "vm1", desc="state"), Error("gone", "vm1"), Info("on", "vm1")):
        said = line_for(other)
        assert isinstance(said, dict) and said["say"]["text"] == other.text
