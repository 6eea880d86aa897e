"""From a request to messages: nodes grouped by manager, options of every command, errors that stay where they are."""

import json

import pytest

from fakes import FakeHost
from xcat_rhev.abort import Abort
from xcat_rhev.clock import ManualClock
from xcat_rhev.declare.command import Command, Option, Place
from xcat_rhev.errors import Aborted, Bug, NotFound, Unreachable, Usage
from xcat_rhev.messages import Data, Error, Note, Warn
from xcat_rhev.plan.jobs import Job, Step
from xcat_rhev.run import dispatch
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.run.registry import COMMANDS
from xcat_rhev.xcat.host import Request

PASSWORDS = [{"key": "rhevm", "username": "admin", "password": "geheim"}]


class FakeManager:
    workers = 2
    counts = "3 requests, 1 connection"

    def __init__(self, access, say):
        self.name = access.name
        self.access = access
        self.say = say or (lambda text: None)


class FakeManagers:
    def __init__(self, dead=()):
        self.dead = dead
        self.opened = []

    def open(self, access, say=None, tell=None, patience=None):
        if access.name == "m8":
            tell("the CA of m8 is now kept")
        if access.name in self.dead:
            raise Unreachable(f"{access.name} does not answer")
        self.opened.append(FakeManager(access, say))
        self.opened[-1].patience = patience
        return self.opened[-1]


@pytest.fixture
def command(monkeypatch):
    """Put one command of a test's own in the place of all others."""

    def register(plan, place=Place.MANAGER, options=()):
        spec = Command("mktest", "for tests", "noderange", place, ("nodehm:mgt",), options)
        monkeypatch.setattr(dispatch, "COMMANDS", {"mktest": spec})
        monkeypatch.setattr(dispatch, "PLANS", {"mktest": plan})

    return register


def host(**tables):
    tables.setdefault("passwd", PASSWORDS)
    tables.setdefault("vm", [{"node": "vm1", "mgr": "m1"}, {"node": "vm2", "mgr": "m2"}, {"node": "vm3", "mgr": "m1"}])
    return FakeHost(tables)


def run(nodes=("vm1",), args=(), managers=None, xcat=None, **request):
    dispatcher = Dispatcher(managers or FakeManagers(), ManualClock())
    return list(dispatcher.run(Request("mktest", tuple(nodes), tuple(args), **request), xcat or host()))


def test_nodes_are_grouped_by_manager(command):
    def plan(context):
        yield Data(f"{context.manager.name}: {','.join(context.nodes)}")

    command(plan)
    said = run(["vm1", "vm2", "vm3", "rhevh1"], xcat=host(hypervisor=[{"node": "rhevh1", "mgr": "m2"}]))
    assert sorted(message.text for message in said) == ["m1: vm1,vm3", "m2: vm2,rhevh1"]


def test_a_node_without_a_manager_is_told_what_to_type_and_holds_nobody_up(command):
    command(lambda context: iter([Data("done", context.nodes[0])]))
    said = run(["vm1", "vm9"])
    assert Data("done", "vm1") in said
    (error,) = [message for message in said if isinstance(message, Error)]
    assert error.node == "vm9"
    assert "chtab node=vm9 vm.mgr=MANAGER" in error.text


def test_a_dead_manager_is_an_error_of_its_own_nodes_only(command):
    command(lambda context: iter([Data("done", node) for node in context.nodes]))
    said = run(["vm1", "vm2", "vm3"], managers=FakeManagers(dead={"m1"}))
    assert Data("done", "vm2") in said
    assert [m for m in said if isinstance(m, Error)] == [
        Error("m1 does not answer", "vm1"),
        Error("m1 does not answer", "vm3"),
    ]


def test_a_mistake_of_ours_is_one_line_without_a_trace(command, caplog):
    def plan(context):
        yield Data("first", "vm1")
        raise ZeroDivisionError("with geheim inside")

    command(plan)
    first, error = run()
    assert first == Data("first", "vm1")
    assert error == Error(f"mktest failed because of a mistake in xcat-rhev. {Bug.LOGS}", "vm1")
    assert "Traceback" in caplog.text


def test_no_nodes_no_work(command):
    command(lambda context: pytest.fail("planned"))
    (error,) = run(nodes=())
    assert error == Error("mktest needs a noderange. Usage: mktest noderange")


def test_a_wrong_option_is_told_before_anything_is_opened(command):
    managers = FakeManagers()
    command(lambda context: pytest.fail("planned"))
    (error,) = run(args=["--nosuch"], managers=managers)
    assert error.text.startswith("mktest has no option --nosuch")
    assert managers.opened == []


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_needs_no_nodes_and_no_manager(command, word):
    command(lambda context: pytest.fail("planned"))
    (answer,) = run(nodes=(), args=[word])
    assert answer.text.startswith("Usage: mktest noderange\n")


def test_a_dry_run_changes_nothing(command):
    command(lambda context: iter([Job("vm1", [Step("remove it", lambda: pytest.fail("done"))])]))
    assert run(args=["--dry-run"]) == [Data("remove it", "vm1")]


def test_an_empty_job_says_that_there_is_nothing_to_do(command):
    command(lambda context: iter([Job("vm1", idle="on"), Job("vm3")]))
    assert run() == [Data("on", "vm1"), Data("nothing to do", "vm3")]


def test_verbose_shows_what_the_manager_was_asked(command):
    def plan(context):
        context.manager.say("GET /vms")
        yield Data("found", "vm1")

    command(plan)
    assert run(args=["-V"]) == [Data("found", "vm1"), Note("GET /vms"), Note("m1: 3 requests, 1 connection")]


def test_json_is_for_wrong_arguments_too(command):
    command(lambda context: iter(()))
    (said,) = run(args=["--nonsense", "--json"])
    assert (type(said), said.code) == (Data, 1)
    assert "no option --nonsense" in json.loads(said.text)["text"]


def test_json_is_all_data_and_keeps_codes(command):
    command(lambda context: iter([Data("on", "vm1", "power"), Error("no", "vm3", 4)]))
    data, error = run(args=["--json"])
    assert json.loads(data.text) == {"kind": "data", "node": "vm1", "desc": "power", "text": "on"}
    assert [(type(each), each.code) for each in (data, error)] == [(Data, 0), (Data, 4)]
    assert json.loads(error.text) == {"kind": "error", "node": "vm3", "text": "no", "code": 4}


def test_a_command_for_a_named_manager_needs_its_name(command):
    command(
        lambda context: iter([Data(context.manager.name)]), Place.NAMED, (Option(("-m",), "manager", "who", "NAME"),)
    )
    assert run(nodes=(), args=["-m", "m2"]) == [Data("m2")]
    assert run(nodes=()) == [Error("The flag -m is necessary to perform the command.")]


def test_what_a_person_should_know_about_a_manager_is_said_first(command):
    command(lambda context: iter([Data("ok")]), Place.NAMED, (Option(("-m",), "manager", "who", "NAME"),))
    xcat = host(hypervisor=[{"node": "rhevh1", "mgr": "m8"}])
    assert run(nodes=(), args=["-m", "m8"], xcat=xcat) == [Warn("the CA of m8 is now kept"), Data("ok")]


def test_a_command_for_this_host_asks_no_manager(command):
    managers = FakeManagers()
    command(lambda context: iter([Data(",".join(context.nodes))]), Place.HERE)
    assert run(["vm1", "vm9"], managers=managers) == [Data("vm1,vm9")]
    assert managers.opened == []


@pytest.mark.parametrize(
    ("rows", "user"),
    [
        (PASSWORDS, "admin"),
        ([{"key": "rhevm", "username": "ops@ldap", "password": "x"}], "ops@ldap"),
        ([*PASSWORDS, {"key": "m1", "username": "own", "password": "y"}], "own"),
        ([{"key": "m1", "username": "nopassword"}, *PASSWORDS], "admin"),
    ],
)
def test_which_login_a_manager_gets(command, rows, user):
    managers = FakeManagers()
    command(lambda context: iter(()))
    run(managers=managers, xcat=host(passwd=rows))
    assert managers.opened[0].access.user == user
    assert "geheim" not in repr(managers.opened[0].access)


def test_no_password_says_which_command_sets_it(command):
    command(lambda context: pytest.fail("planned"))
    (error,) = run(xcat=host(passwd=[]))
    assert error.text == (
        "no password for the manager m1. Run: chtab key=rhevm,username=admin passwd.password=PASSWORD"
    )


@pytest.mark.parametrize("value", ["0", "65", "many", "-1", ""])
def test_a_site_value_out_of_bounds_names_itself(command, value):
    command(lambda context: iter([Data("done")]))
    (answer,) = run(xcat=host(site=[{"key": "rhevmmaxp", "value": value}]))
    assert answer == Data("done") if not value else answer.text.startswith(f"site.rhevmmaxp is '{value}'")


def test_errors_of_a_plan_leave_what_it_found_before(command):
    def plan(context):
        yield Error("no such thing", "vm3")
        raise NotFound("no cluster Default")

    command(plan)
    assert run(["vm1", "vm3"]) == [
        Error("no such thing", "vm3"),
        Error("no cluster Default", "vm1"),
        Error("no cluster Default", "vm3"),
    ]


def test_an_abort_ends_it_all(command):
    aborted = Abort()

    def plan(context):
        yield Job("vm1", [Step("stop", aborted.set), Step("never", lambda: pytest.fail("begun"))])

    command(plan)
    with pytest.raises(Aborted):
        run(aborted=aborted)
    with pytest.raises(Aborted):
        run(["vm1", "vm2"], aborted=aborted)


def test_every_command_is_declared_fully():
    assert "rpower" in COMMANDS
    for name, spec in COMMANDS.items():
        assert spec.name == name
        assert spec.summary and spec.routes, name
        flags = [flag for option in spec.options for flag in option.flags]
        assert len(flags) == len(set(flags)), name


def test_usage_errors_of_a_plan_are_told_once_and_are_no_nodes(command):
    def plan(context):
        raise Usage("what?")
        yield

    command(plan)
    assert run(["vm1", "vm2"]) == [Error("what?")]


def test_with_many_to_do_a_note_says_that_it_begins(command):
    nodes = [f"n{number}" for number in range(102)]

    def plan(context):
        yield Job("n0", idle="nothing to do")
        for node in context.nodes[1:]:
            yield Job(node, [Step("begin", lambda: [Data("done")])])

    command(plan)
    site = host(vm=[{"node": node, "mgr": "m1"} for node in nodes])
    said = run(nodes, xcat=site)
    assert said[:2] == [Data("nothing to do", "n0"), Note("mktest: 101 to do on m1, 2 at a time")]
    assert said[2:] == [Data("done")] * 101
    assert not [message for message in run(nodes[:101], xcat=site) if isinstance(message, Note)]
    assert not [message for message in run(nodes, ["--dry-run"], xcat=site) if isinstance(message, Note)]
