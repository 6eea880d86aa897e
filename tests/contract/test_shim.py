"""Real Perl runs the real shim over stand-ins of xCAT's modules, with a real agent on a real socket behind it."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from bridged import PERL, PERL_THERE, served

from xcat_rhev.cli.shim import SHIM, with_generated
from xcat_rhev.errors import Aborted
from xcat_rhev.messages import Data, Error, Info, Note, Progress, Warn
from xcat_rhev.run.registry import COMMANDS

TABLES = {
    "site": {
        "cols": ["key", "value"],
        "rows": [{"key": "master", "value": "mn"}, {"key": "domain", "value": "cluster.test"}],
    },
    "vm": {
        "cols": ["node", "mgr", "memory"],
        "rows": [{"node": "vm1", "mgr": "rhevm1"}, {"node": "vm2", "mgr": "rhevm2"}],
    },
    "hypervisor": {"cols": ["node", "mgr"], "rows": []},
    "noderes": {"cols": ["node", "servicenode"], "rows": []},
    "mac": {"cols": ["node", "interface", "mac"], "rows": []},
    "passwd": {
        "cols": ["key", "username", "password"],
        "rows": [{"key": "rhevm", "username": "admin", "password": "x"}],
    },
}

pytestmark = pytest.mark.skipif(not PERL_THERE, reason="Perl with its JSON module is not installed")


class Scripted:
    """Stands where the Dispatcher stands: a function of request and host says what comes."""

    def __init__(self, path):
        self.path = path
        self.play = lambda request, host: iter(())
        self.seen = []

    def run(self, request, host):
        self.seen.append(request)
        return self.play(request, host)


@pytest.fixture
def agent(tmp_path):
    scripted = Scripted(tmp_path / "agent.sock")
    with served(scripted.path, scripted):
        yield scripted


@pytest.fixture
def xcat(tmp_path, agent):
    return Xcat(tmp_path, agent.path)


class Xcat:
    """What is left of an xcatd: tables in a file, and a way to hand a request to the shim."""

    def __init__(self, folder, path):
        self.tables = folder / "tables.json"
        self.tables.write_text(json.dumps(TABLES))
        self.environment = {
            **os.environ,
            "XCATROOT": str(PERL),
            "SHIM": str(SHIM),
            "STUB_TABLES": str(self.tables),
            "XCAT_RHEV_SOCKET": str(path),
            "XCAT_RHEV_LOG": str(folder / "agent.log"),
            "XCAT_RHEV_PROGRAM": "/nonexistent",
            "XCAT_RHEV_SERVICE_NODE": str(folder / "xCATSN"),
        }

    def start(self, command, nodes=(), args=(), **more):
        request = {"command": [command], "arg": list(args), **more}
        if nodes:
            request["node"] = list(nodes)
        driver = subprocess.Popen(
            ["perl", str(PERL / "driver.pl")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
        )
        driver.stdin.write(json.dumps(request).encode())
        driver.stdin.close()
        driver.stdin = None
        return driver

    def run(self, command, nodes=(), args=(), **more):
        out, errors = self.start(command, nodes, args, **more).communicate(timeout=300)
        assert errors == b""
        answers = [json.loads(line) for line in out.splitlines()]
        assert answers.pop() == {"finished": 1}
        return answers

    def rows(self, table):
        return json.loads(self.tables.read_text())[table]["rows"]


def test_the_request_arrives_whole(xcat, agent):
    xcat.run(
        "rpower",
        ["vm1"],
        ["stat", "a b", "é&<>'\""],
        cwd=["/root"],
        stdin=["line1\nline2\n"],
        _xcat_authname=["root"],
        _xcat_clienthost=["localhost"],
        environment=[{"XCAT_FOO": ["bar"]}],
    )
    (seen,) = agent.seen
    assert (seen.command, seen.nodes, seen.args) == ("rpower", ("vm1",), ("stat", "a b", "é&<>'\""))
    assert (seen.cwd, seen.user, seen.asker, seen.stdin) == ("/root", "root", "unknown", "line1\nline2\n")
    assert seen.environment == {"XCAT_FOO": "bar"}


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (Data("on", "vm1"), {"node": [{"name": ["vm1"], "data": ["on"]}]}),
        (
            Data("4 GiB", "vm1", "memory"),
            {"node": [{"name": ["vm1"], "data": [{"desc": ["memory"], "contents": ["4 GiB"]}]}]},
        ),
        (Data("a line"), {"data": ["a line"]}),
        (Data('{"kind": "error"}', code=4), {"data": ['{"kind": "error"}'], "errorcode": [4]}),
        (Data("0", "vm1"), {"node": [{"name": ["vm1"], "data": ["0"]}]}),
        (Info("for all"), {"info": ["for all"]}),
        (Error("no", "vm1", 3), {"node": [{"name": ["vm1"], "error": ["no"], "errorcode": [3]}]}),
        (Error("no"), {"error": ["no"], "errorcode": [1]}),
        (Warn("hm", "vm1"), {"node": [{"name": ["vm1"], "warning": ["hm"]}]}),
        (Note("500 to do"), {"warning": ["500 to do"], "NoWarnPrefix": [1]}),
        (Progress("12.5%"), {"sinfo": ["12.5%"]}),
        (
            Data("Grüße & <tags> \u2603", "vm1"),
            {"node": [{"name": ["vm1"], "data": ["Grüße & <tags> \u2603"]}]},
        ),
    ],
)
def test_each_message_in_the_shape_of_the_callback(xcat, agent, message, answer):
    agent.play = lambda request, host: iter([message])
    assert xcat.run("rpower", ["vm1"]) == [answer]


def test_tables_through_xcat(xcat, agent):
    def play(request, host):
        yield Data(json.dumps(host.node_attrs("vm", ["vm1", "vm9"], ["mgr", "nosuchcolumn"]), sort_keys=True))
        yield Data(json.dumps(host.node_attrs("nosuchtable", ["vm1"], ["x"])))
        yield Data(json.dumps(host.rows("site", {"key": "domain"})))
        yield Data(host.site("master") + host.site("nothing", "-default"))
        host.set_node_attrs("mac", {"vm1": {"mac": "00:1a:4a:00:00:01"}, "vm2": {"mac": "00:1a:4a:00:00:02"}})
        host.set_row("passwd", {"key": "rhevh", "username": "root"}, {"password": "p"})
        host.delete_row("passwd", {"key": "rhevm", "username": "admin"})
        yield Data(json.dumps(host.service_nodes(["vm1", "vm2"])))

    agent.play = play
    said = [answer["data"][0] for answer in xcat.run("rpower", ["vm1"])]
    assert json.loads(said[0]) == {"vm1": {"mgr": "rhevm1"}, "vm9": {}}
    assert json.loads(said[1]) == {"vm1": {}}
    assert json.loads(said[2]) == [{"key": "domain", "value": "cluster.test"}]
    assert said[3] == "mn-default"
    assert json.loads(said[4]) == {"mn": ["vm1", "vm2"]}
    assert {row["node"]: row["mac"] for row in xcat.rows("mac")} == {
        "vm1": "00:1a:4a:00:00:01",
        "vm2": "00:1a:4a:00:00:02",
    }
    assert [row["key"] for row in xcat.rows("passwd")] == ["rhevh"]


def test_what_the_shim_has_read_on_the_way_is_not_read_again_but_after_a_write(xcat, agent):
    def play(request, host):
        tables = json.loads(xcat.tables.read_text())
        tables["vm"]["rows"][0]["mgr"] = "rhevm9"
        xcat.tables.write_text(json.dumps(tables))
        yield Data(host.node_attrs("vm", ["vm1"], ["mgr"])["vm1"]["mgr"])
        yield Data(host.node_attrs("vm", ["vm1"], ["mgr", "memory"])["vm1"]["mgr"])
        host.set_node_attrs("vm", {"vm2": {"mgr": "rhevm8"}})
        yield Data(host.node_attrs("vm", ["vm1", "vm2"], ["mgr"])["vm2"]["mgr"])

    agent.play = play
    assert [answer["data"][0] for answer in xcat.run("rpower", ["vm1"])] == ["rhevm1", "rhevm9", "rhevm8"]


def test_of_many_nodes_only_columns_that_some_row_fills_are_asked_for(xcat, agent):
    tables = json.loads(xcat.tables.read_text())
    tables["vm"] = {
        "cols": ["node", "mgr", "cluster", "datacenter"],
        "rows": [{"node": f"vm{number}", "mgr": "rhevm1", "cluster": ""} for number in range(100)],
    }
    tables["hypervisor"] = {"cols": ["node", "mgr", "type"], "rows": []}
    xcat.tables.write_text(json.dumps(tables))
    nodes = [f"vm{number}" for number in range(100)]

    def play(request, host):
        rows = host.node_attrs("vm", request.nodes, ["mgr", "cluster", "datacenter"])
        yield Data(str(sum(row == {"mgr": "rhevm1"} for row in rows.values())))
        yield Data(str(sum(row == {} for row in host.node_attrs("hypervisor", request.nodes, ["type"]).values())))

    agent.play = play
    assert xcat.run("rpower", nodes) == [{"data": ["100"]}, {"data": ["100"]}]


def test_rows_that_most_nodes_share_come_with_the_request(xcat, agent):
    tables = json.loads(xcat.tables.read_text())
    tables["vm"] = {
        "cols": ["node", "mgr", "cluster", "datacenter"],
        "rows": [{"node": f"vm{number}", "mgr": "rhevm1", "cluster": "a,b"} for number in range(1, 9)]
        + [{"node": "vm9", "mgr": "rhevm2"}],
    }
    tables["hypervisor"] = {
        "cols": ["node", "mgr", "type"],
        "rows": [{"node": "host1", "mgr": "rhevm1", "type": "rhevh"}],
    }
    xcat.tables.write_text(json.dumps(tables))
    got = []

    def play(request, host):
        xcat.tables.write_text(json.dumps(TABLES))
        got.append(host.node_attrs("vm", request.nodes, ["mgr", "cluster", "datacenter"]))
        got.append(host.node_attrs("hypervisor", ["host1", "none"], ["mgr", "type"]))
        yield Data("done")

    agent.play = play
    nodes = [f"vm{number}" for number in range(1, 10)] + ["host1", "none"]
    assert xcat.run("rpower", nodes) == [{"data": ["done"]}]
    assert got == [
        {
            **{f"vm{number}": {"mgr": "rhevm1", "cluster": "a,b"} for number in range(1, 9)},
            "vm9": {"mgr": "rhevm2"},
            "host1": {},
            "none": {},
        },
        {"host1": {"mgr": "rhevm1", "type": "rhevh"}, "none": {}},
    ]


def test_a_write_into_a_table_that_is_not_there_is_an_error_in_words(xcat, agent):
    def play(request, host):
        host.set_row("nosuch", {"key": "x"}, {"value": "y"})
        yield Data("never")

    agent.play = with_errors(play)
    assert xcat.run("rpower", ["vm1"]) == [
        {"error": ["xCAT could not do set_row: table nosuch cannot be opened"], "errorcode": [1]}
    ]


def with_errors(play):
    """Do with errors what the Dispatcher does."""
    from xcat_rhev.errors import RhevError
    from xcat_rhev.messages import error_of

    def run(request, host):
        try:
            yield from play(request, host)
        except Aborted:
            raise
        except RhevError as problem:
            yield error_of(problem)

    return run


def test_bootparams_land_in_the_very_hash_of_the_request(xcat, agent):
    def play(request, host):
        for node in request.nodes:
            host.set_bootparams(node, f"xcat/{node}/vmlinuz", f"xcat/{node}/initrd", "root=live:/x.iso $6$salt")
        return iter(())

    agent.play = play
    (answer,) = xcat.run("mkinstall", ["vm1", "vm2"], with_bootparams=True)
    assert answer["bootparams"]["vm2"] == [
        {"kernel": "xcat/vm2/vmlinuz", "initrd": "xcat/vm2/initrd", "kcmdline": "root=live:/x.iso $6$salt"}
    ]


def test_a_command_of_ours_runs_one_of_xcats(xcat, agent):
    xcat.environment["STUB_ANSWERS"] = json.dumps(
        {
            "nodeset": [
                {"node": [{"name": ["vm1"], "data": [{"contents": ["boot"]}]}]},
                {"node": [{"name": ["vm2"], "error": ["no mac"], "errorcode": [1]}]},
                {"error": ["global"], "errorcode": [2]},
                {"info": ["told"]},
                {"data": [{"desc": ["d"], "contents": ["c"]}]},
            ]
        }
    )
    got = []

    def play(request, host):
        got.extend(host.run("nodeset", ["vm1", "vm2"], ["next"]))
        return iter(())

    agent.play = play
    answers = xcat.run("rhevhupdateflag", ["vm1"])
    assert answers == [{"subrequest": {"command": ["nodeset"], "node": ["vm1", "vm2"], "arg": ["next"]}}]
    assert got == [
        Data("boot", "vm1"),
        Error("no mac", "vm2"),
        Error("global", code=2),
        Info("told"),
        Data("c", "", "d"),
    ]


def with_service_nodes(xcat, *managers):
    """Make managers known as nodes of a pool of service nodes."""
    tables = json.loads(xcat.tables.read_text())
    tables["noderes"]["rows"] = [{"node": node, "servicenode": "sn1,sn2"} for node in managers]
    xcat.tables.write_text(json.dumps(tables))


def test_nodes_go_where_their_managers_service_node_is(xcat, agent):
    with_service_nodes(xcat, "rhevm2")
    answers = xcat.run("rpower", ["vm1", "vm2", "vm3"])
    assert {answer["destination"]: answer["node"] for answer in answers} == {"": ["vm1", "vm3"], "sn1,sn2": ["vm2"]}
    assert [request.nodes for request in agent.seen] == [("vm1", "vm3")]


@pytest.mark.parametrize(
    ("node", "manager"),
    [
        ("rhevm9", "rhevm9.example.com"),
        ("rhevm9", "rhevm9:8443"),
        ("rhevm9", "rhevm9.example.com:8443"),
        ("rhevm9.example.com", "rhevm9.example.com:8443"),
    ],
)
def test_a_manager_is_known_as_a_node_however_it_is_written(xcat, agent, node, manager):
    with_service_nodes(xcat, node)
    tables = json.loads(xcat.tables.read_text())
    next(row for row in tables["vm"]["rows"] if row["node"] == "vm2")["mgr"] = manager
    xcat.tables.write_text(json.dumps(tables))
    answers = xcat.run("rpower", ["vm1", "vm2"])
    assert {answer["destination"]: answer["node"] for answer in answers} == {"": ["vm1"], "sn1,sn2": ["vm2"]}


def test_a_service_node_leaves_other_managers_to_the_management_node(xcat, agent):
    (xcat.tables.parent / "xCATSN").touch()
    with_service_nodes(xcat, "rhevm2")
    answers = xcat.run("rpower", ["vm1", "vm2", "vm3"])
    assert {answer["destination"]: answer["node"] for answer in answers} == {"mn": ["vm1", "vm3"], "sn1,sn2": ["vm2"]}
    assert agent.seen == []


@pytest.mark.parametrize("command", ["rpower", "lsve"])
def test_what_another_host_has_sent_is_done_here(xcat, agent, command):
    (xcat.tables.parent / "xCATSN").touch()
    with_service_nodes(xcat, "rhevm2")
    xcat.run(command, ["vm1", "vm2"], ["-m", "rhevm2"], _xcatpreprocessed=["1"])
    assert [request.nodes for request in agent.seen] == [("vm1", "vm2")]


@pytest.mark.parametrize(
    ("args", "place"),
    [
        (["-t", "dc", "-m", "rhevm2"], "sn1,sn2"),
        (["-mrhevm2", "-t", "dc"], "sn1,sn2"),
        (["--manager", "rhevm2"], "sn1,sn2"),
        (["--manager=rhevm2"], "sn1,sn2"),
        (["-t", "dc", "-m", "rhevm2.example.com:443"], "sn1,sn2"),
        (["-t", "dc", "-m", "rhevm1"], ""),
        (["-t", "dc", "-m", "rhevm1,rhevm2"], ""),
        (["-t", "dc", "-m"], ""),
        (["-t", "dc"], ""),
    ],
)
def test_a_named_managers_command_goes_where_its_service_node_is(xcat, agent, args, place):
    with_service_nodes(xcat, "rhevm2")
    xcat.run("lsve", args=args)
    assert len(agent.seen) == (0 if place else 1)


@pytest.mark.parametrize(("args", "here"), [(["-m", "rhevm1"], 0), (["--version"], 1), (["-m", "rhevm1,rhevm2"], 1)])
def test_on_a_service_node_only_usage_and_lists_of_managers_stay(xcat, agent, args, here):
    (xcat.tables.parent / "xCATSN").touch()
    xcat.run("lsve", args=args)
    assert len(agent.seen) == here


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_abort_reaches_the_command(xcat, agent, number):
    begun, ended = threading.Event(), threading.Event()

    def play(request, host):
        yield Data("begun")
        begun.set()
        if request.aborted.wait(300):
            ended.set()
            raise Aborted("stopped")

    agent.play = play
    driver = xcat.start("rpower", ["vm1"])
    assert begun.wait(300)
    driver.send_signal(number)
    assert ended.wait(300)
    out, _ = driver.communicate(timeout=300)
    assert b"error" not in out


def test_a_shim_that_is_killed_stops_its_command_and_no_other(xcat, agent):
    begun, ended, other = threading.Event(), threading.Event(), threading.Event()

    def play(request, host):
        if request.args == ("other",):
            other.wait(300)
            yield Data("other done")
            return
        begun.set()
        assert request.aborted.wait(300)
        ended.set()
        raise Aborted("stopped")

    agent.play = play
    quiet = xcat.start("rpower", ["vm1"], ["other"])
    killed = xcat.start("rpower", ["vm1"])
    assert begun.wait(300)
    killed.kill()
    killed.communicate(timeout=300)
    assert ended.wait(300)
    other.set()
    out, _ = quiet.communicate(timeout=300)
    assert b"other done" in out


def test_ten_megabytes_of_answers_arrive(xcat, agent):
    agent.play = lambda request, host: (Data("x" * 10_000, f"vm{i}") for i in range(1_000))
    answers = xcat.run("rpower", ["vm1"])
    assert len(answers) == 1_000
    assert sum(len(answer["node"][0]["data"][0]) for answer in answers) == 10_000_000


def test_a_thousand_nodes(xcat, agent):
    nodes = [f"node{i}" for i in range(1_000)]
    agent.play = lambda request, host: (Data("on", node) for node in request.nodes)
    assert [answer["node"][0]["name"][0] for answer in xcat.run("rpower", nodes)] == nodes


def test_no_agent_and_no_program_says_what_to_do(xcat, agent, tmp_path):
    xcat.environment["XCAT_RHEV_SOCKET"] = str(tmp_path / "nobody.sock")
    (answer,) = xcat.run("rpower", ["vm1"])
    assert answer["errorcode"] == [1]
    assert answer["error"][0] == (
        "rhevm: /nonexistent is not there. Install the Python package xcat-rhev, then run: xcat-rhev install"
    )


def test_the_shim_starts_the_agent_and_the_next_request_finds_it(xcat, agent, tmp_path):
    program = tmp_path / "xcat-rhev"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m xcat_rhev.cli "$@" --idle 3\n')
    program.chmod(0o755)
    path = tmp_path / "started.sock"
    xcat.environment.update(XCAT_RHEV_SOCKET=str(path), XCAT_RHEV_PROGRAM=str(program), PYTHONPATH=str(SHIM.parents[2]))
    for _ in range(2):
        (answer,) = xcat.run("rpower", ["vm1"], ["dance"])
        assert "rpower does not know 'dance'" in json.dumps(answer), (tmp_path / "agent.log").read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    with open(f"{path}.lock") as lock:
        end = time.monotonic() + 300
        while not _free(lock) and time.monotonic() < end:
            time.sleep(0.1)
        assert _free(lock), "it ends when nobody asked for a while"


def _free(lock):
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_the_declarations_and_the_shim_say_the_same():
    assert with_generated(SHIM.read_text()) == SHIM.read_text(), "run: python -m xcat_rhev.cli.shim"


def told(xcat, who):
    driver = subprocess.run(
        ["perl", str(PERL / "driver.pl")],
        input=json.dumps({"handled": who}).encode(),
        capture_output=True,
        env=xcat.environment,
        check=True,
    )
    return json.loads(driver.stdout)


def test_what_xcatd_is_told(xcat):
    commands = told(xcat, "xcatd")
    assert set(commands) == set(COMMANDS)
    assert commands["rpower"] == "nodehm:power,mgt"
    assert commands["mkvm"] == ["nodehm:mgt", "hypervisor:type=rhevm"]


def test_what_xcats_client_is_told_that_runs_plugins_itself(xcat):
    assert told(xcat, "bypass") == {name: list(command.routes) for name, command in COMMANDS.items()}
