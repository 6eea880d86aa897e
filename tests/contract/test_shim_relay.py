"""No answer is lost between the shim and xcatd's relay: real Perl runs the real shim beside a stand-in of the relay."""

import json
import os
import signal
import socket
import subprocess

import pytest
from bridged import PERL, PERL_THERE, served
from test_shim import TABLES, Scripted

from xcat_rhev.cli.shim import SHIM
from xcat_rhev.errors import Aborted
from xcat_rhev.messages import Data, Error, Info

pytestmark = [
    pytest.mark.skipif(not PERL_THERE, reason="Perl with its JSON module is not installed"),
    pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the system does not tell the peers of a socket"),
]

#: So many that they lie in the relay's buffer, and few enough for the socket's queue. Every third one fails.
NODES = [f"vm{number}" for number in range(60)]


def play(request, host):
    if request.args:
        yield from OTHERS[request.args[0]](request, host)
        return
    for number, node in enumerate(request.nodes):
        yield Error("no such machine", node, 4) if number % 3 == 2 else Data("on", node)


def first_data_then_errors(request, host):
    yield from (Data("on", node) for node in request.nodes)
    yield from (Error("no such machine", node, 4) for node in request.nodes)


def lines(request, host):
    yield from map(Data, "ab")
    yield Info("for all")
    yield from map(Data, "cde")
    yield Data("f", code=2)


def questions(request, host):
    """What was asked once is not asked again, so the second question is another one."""
    yield Data(host.site("domain"), "vm0")
    yield Data(host.site("nosuch", "cluster.test"), "vm0")


def until_aborted(request, host):
    yield Data("begun", request.nodes[0])
    assert request.aborted.wait(300)
    raise Aborted("stopped")


OTHERS = {"until aborted": until_aborted, "sorted": first_data_then_errors, "lines": lines, "question": questions}


def expected(nodes):
    return [(node, [4] if number % 3 == 2 else None) for number, node in enumerate(nodes)]


@pytest.fixture
def relay(tmp_path):
    scripted = Scripted(None)
    scripted.play = play
    with served(tmp_path / "agent.sock", scripted):
        yield Relay(tmp_path)


class Relay:
    """Runs a request through the stand-in of xcatd's relay.

    Args:
        folder: Where the agent's socket is.
    """

    def __init__(self, folder):
        self.folder = folder
        self.shim = SHIM
        self.rows = {node: "rhevm1" for node in NODES}

    def run(self, **more):
        """Returns: The answers, and the stand-in's last line."""
        tables = dict(TABLES)
        tables["vm"] = {
            "cols": ["node", "mgr"],
            "rows": [{"node": node, "mgr": mgr} for node, mgr in self.rows.items()],
        }
        tables["noderes"] = {
            "cols": ["node", "servicenode"],
            "rows": [{"node": "rhevm2", "servicenode": "sn2"}],
        }
        (self.folder / "tables.json").write_text(json.dumps(tables))
        environment = {
            **os.environ,
            "XCATROOT": str(PERL),
            "SHIM": str(self.shim),
            "STUB_TABLES": str(self.folder / "tables.json"),
            "XCAT_RHEV_SOCKET": str(self.folder / "agent.sock"),
            "XCAT_RHEV_PROGRAM": "/nonexistent",
            "XCAT_RHEV_SERVICE_NODE": str(self.folder / "xCATSN"),
        }
        done = subprocess.run(
            ["perl", str(PERL / "relay.pl")],
            input=json.dumps({"command": ["rpower"], "node": NODES, **more}),
            capture_output=True,
            text=True,
            env=environment,
            check=True,
            timeout=300,
        )
        assert done.stderr == ""
        *answers, last = map(json.loads, done.stdout.splitlines())
        return answers, last

    def change(self, old, new):
        """Run a shim that is different in a word."""
        text = SHIM.read_text()
        assert text.count(old) == 1
        self.shim = self.folder / "rhevm.pm"
        self.shim.write_text(text.replace(old, new))


def heard(answers):
    """The nodes of some answers, each with its exit code."""
    return [(node["name"][0], node.get("errorcode")) for answer in answers for node in answer["node"]]


def test_all_answers_and_codes_arrive(relay):
    answers, last = relay.run()
    assert heard(answers) == expected(NODES)
    assert last["stayed"] == 1
    assert last["others"] == 1, "sockets of other plugins are left alone"
    assert last["status"] == 3 << 8, "the process ends with the status that it had"


def test_all_answers_of_a_split_request_arrive(relay):
    relay.rows.update(dict.fromkeys(NODES[30:], "rhevm2"))
    answers, last = relay.run()
    assert sorted(heard(answers)) == sorted(expected(NODES[:30]) + expected(NODES[30:]))
    assert last["stayed"] == 1


def test_the_stand_in_loses_answers_of_a_shim_that_just_ends(relay):
    relay.change("END { leave_relay(); }", "")
    answers, last = relay.run()
    assert len(answers) < len(NODES)
    assert last["stayed"] == 0


def test_it_does_not_wait_where_another_plugin_called(relay):
    _, last = relay.run(callback="other")
    assert (last["stayed"], last["status"], last["others"]) == (0, 3 << 8, 1)


def test_it_does_not_wait_where_the_system_does_not_tell_whose_socket_it_is(relay):
    relay.change("Socket::SO_PEERCRED()", "Socket::SO_NOTKNOWN()")
    _, last = relay.run()
    assert (last["stayed"], last["status"], last["others"]) == (0, 3 << 8, 1)


def test_an_abort_ends_it_while_it_waits(relay):
    _, last = relay.run(end="signal")
    assert (last["stayed"], last["status"]) == (1, signal.SIGTERM)


@pytest.mark.parametrize("managers", [1, 2])
@pytest.mark.parametrize(("end", "arg"), [("abort", ["until aborted"]), ("stop", [])])
def test_who_is_stopped_in_the_middle_leaves_nobody_behind(relay, managers, end, arg):
    """A process of xcatd's that is stopped waits for the end of its children and reads nothing more."""
    if managers == 2:
        relay.rows.update(dict.fromkeys(NODES[30:], "rhevm2"))
    answers, last = relay.run(end=end, arg=arg)
    assert heard(answers) == [("vm0", None)]
    assert last["child"]


def test_it_ends_with_the_relay(relay):
    """Standard output, which the child shares, comes to its end only when both processes have: no time-out."""
    assert relay.run(end="gone")[1]["child"]


def test_command_line_clients_get_many_nodes_in_one_answer_but_no_error_beside_data(relay):
    answers, _ = relay.run(clienttype=["cli"], arg=["sorted"])
    assert heard(answers) == [(node, None) for node in NODES] + [(node, [4]) for node in NODES]
    assert len(answers) < len(NODES)
    assert all(len({"error" in node for node in answer["node"]}) == 1 for answer in answers)


def test_lines_without_a_node_are_joined_too_and_nothing_else_is(relay):
    answers, _ = relay.run(clienttype=["cli"], arg=["lines"])
    assert "".join(line for answer in answers for line in answer.get("data", ())) == "abcdef"
    assert [answer for answer in answers if "data" not in answer] == [{"info": ["for all"]}]
    assert answers[-1] == {"data": ["f"], "errorcode": [2]}


@pytest.mark.parametrize("more", [{"clienttype": ["ws"]}, {}, {"clienttype": ["cli"], "_xcatver": ["2.17"]}])
def test_who_may_read_the_first_node_of_an_answer_only_gets_one_a_node(relay, more):
    answers, _ = relay.run(arg=["sorted"], **more)
    assert [len(answer["node"]) for answer in answers] == [1] * 2 * len(NODES)


def test_answers_that_wait_for_others_go_out_when_none_comes(relay):
    """Perl asks something, so the answer before is not held back until the end."""
    answers, _ = relay.run(clienttype=["cli"], arg=["question"])
    assert answers == [{"node": [{"name": ["vm0"], "data": ["cluster.test"]}]}] * 2
