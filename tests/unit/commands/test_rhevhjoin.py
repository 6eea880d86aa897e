"""rhevhjoin on an xCAT in memory whose chhypervisor works when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest

from fakes import FakeHost
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import rhevhjoin
from xcat_rhev.commands.finish.loginrefusals import LoginRefusals
from xcat_rhev.commands.finish.reports import nodes_to_join, note
from xcat_rhev.errors import Aborted, Unreachable
from xcat_rhev.messages import Data, Error, Message
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request


class Xcat(FakeHost):
    """An xCAT with a manager.

    Attributes:
        refusals: (node, option) -> how often chhypervisor still refuses.
        down: How often the whole manager is still away.
    """

    def __init__(self, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        super().__init__(tables)
        self.refusals: dict[tuple[str, str], int] = {}
        self.down = 0

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        self.runs.append((command, tuple(nodes), tuple(args)))
        if command == "nodeset":
            self.set_node_attrs("chain", {node: {"currstate": "boot"} for node in nodes})
            return
        if self.down:
            self.down -= 1
            raise Unreachable("the manager does not answer")
        for node in nodes:
            left = self.refusals.get((node, args[0]), 0)
            self.refusals[(node, args[0])] = left - 1
            yield Error("not registered yet", node) if left > 0 else Data("done.", node)

    def options(self, node: str) -> list[str]:
        return [args[0] for command, nodes, args in self.runs if command == "chhypervisor" and node in nodes]

    def note(self, node: str) -> str:
        return self.row("nodelist", node).get("appstatus", "")


@pytest.fixture
def xcat() -> Xcat:
    return Xcat(
        {
            "site": [{"key": "rhevhautoapprove", "value": "yes"}],
            "nodelist": [{"node": f"rhevh{n}", "groups": "rhevh,rack1"} for n in (1, 2, 3)],
            "hypervisor": [
                {"node": "rhevh1", "mgr": "rhevm", "interface": "rhevm:eth0:dhcp:::"},
                {"node": "rhevh2", "mgr": "rhevm"},
            ],
            "ipmi": [{"node": "rhevh1", "bmc": "10.9.0.1"}],
            "hosts": [{"node": "rhevh1", "ip": "10.0.0.1"}],
            "chain": [{"node": "rhevh1", "currstate": "install rhevh7.3-x86_64-compute"}],
        }
    )


def join(xcat: Xcat, *args: str, nodes: Sequence[str] = (), clock: ManualClock | None = None) -> list[Message]:
    return list(Dispatcher(clock=clock or ManualClock()).run(Request("rhevhjoin", tuple(nodes), args), xcat))


def test_what_the_finish_url_leaves_is_taken_up(xcat: Xcat) -> None:
    list(Dispatcher(clock=ManualClock()).run(Request("rhevhupdateflag", ("rhevh1",), ("10.0.0.1",)), xcat))
    assert xcat.note("rhevh1") == "rhevhfinish=10.0.0.1,rhevm=approve"
    assert join(xcat) == [Data("up", "rhevh1")]
    assert xcat.options("rhevh1") == ["-a", "-n", "-p", "-e"]
    assert xcat.note("rhevh1") == "rhevhfinish=10.0.0.1,rhevm=up"


def test_a_node_without_networks_and_power_management_skips_them(xcat: Xcat) -> None:
    assert join(xcat, nodes=["rhevh2"]) == [Data("up", "rhevh2")]
    assert xcat.options("rhevh2") == ["-a", "-e"]


def test_scripts_come_last_also_where_nobody_joins(xcat: Xcat, monkeypatch: pytest.MonkeyPatch) -> None:
    xcat.tables["site"] = []
    xcat.tables["postscripts"] = [{"node": "rhevh1", "postscripts": "rhevh:motd"}]
    list(Dispatcher(clock=ManualClock()).run(Request("rhevhupdateflag", ("rhevh1",), ("10.0.0.1",)), xcat))
    assert xcat.note("rhevh1") == "rhevhfinish=10.0.0.1,rhevm=scripts"
    answers = [{"rhevh1": "ssh failed"}, {}]
    stages = (*rhevhjoin.STAGES[:-1], rhevhjoin.Stage("scripts", lambda *_: answers.pop(0)))
    monkeypatch.setattr(rhevhjoin, "STAGES", stages)
    assert join(xcat) == [Data("up", "rhevh1")]
    assert answers == []
    assert xcat.options("rhevh1") == []


def test_a_host_that_registers_late_is_waited_for(xcat: Xcat) -> None:
    xcat.refusals[("rhevh1", "-a")], clock = 3, ManualClock()
    assert join(xcat, nodes=["rhevh1", "rhevh2"], clock=clock) == [Data("up", "rhevh2"), Data("up", "rhevh1")]
    assert sum(clock.slept) == 3 * rhevhjoin.PAUSE
    assert xcat.options("rhevh2") == ["-a", "-e"]


def test_a_manager_that_is_away_is_waited_for(xcat: Xcat) -> None:
    xcat.down = 2
    assert join(xcat, nodes=["rhevh1"]) == [Data("up", "rhevh1")]


def test_an_interrupted_run_goes_on_at_the_same_stage(xcat: Xcat) -> None:
    xcat.tables["nodelist"][0]["appstatus"] = "sshd=up,rhevm=power"
    assert join(xcat) == [Data("up", "rhevh1")]
    assert xcat.options("rhevh1") == ["-p", "-e"]
    assert xcat.note("rhevh1") == "sshd=up,rhevm=up"


class HalfAnHour(ManualClock):
    """A clock by which each pause between two rounds takes half an hour."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.advance(1801)


def test_after_an_hour_it_has_failed_and_can_be_begun_again(xcat: Xcat) -> None:
    xcat.refusals[("rhevh1", "-n")] = 3
    assert join(xcat, nodes=["rhevh1"], clock=HalfAnHour()) == [Error("networks failed: not registered yet", "rhevh1")]
    assert xcat.note("rhevh1") == "rhevm=failed-networks"
    assert join(xcat) == []
    assert join(xcat, nodes=["rhevh1"]) == [Data("up", "rhevh1")]


def test_nobody_waits_and_nothing_is_done(xcat: Xcat) -> None:
    assert join(xcat) == []
    assert xcat.runs == []


def test_watching_ends_when_the_client_goes(xcat: Xcat) -> None:
    request = Request("rhevhjoin", (), ("--watch",))

    class Clock(ManualClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if len(self.slept) == 3:
                request.aborted.set()

    clock = Clock()
    with pytest.raises(Aborted):
        list(Dispatcher(clock=clock).run(request, xcat))
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    ("value", "nodes"),
    [
        ("", []),
        ("no", []),
        ("0", []),
        ("yes", ["rhevh1", "rhevh2"]),
        ("1", ["rhevh1", "rhevh2"]),
        ("rack1", ["rhevh1", "rhevh2"]),
        ("rack2,rhevh2", ["rhevh2"]),
        ("rhevh3", []),
        ("rack", []),
    ],
)
def test_who_joins_by_itself(xcat: Xcat, value: str, nodes: list[str]) -> None:
    xcat.tables["site"] = [{"key": "rhevhautoapprove", "value": value}]
    assert nodes_to_join(xcat, ["rhevh1", "rhevh2", "rhevh3"]) == nodes  # rhevh3 has no manager


REFUSED = "manager rhevm refuses the login of admin@internal: Unable to log in. Check user and password"


class Refusing(Xcat):
    """An xCAT whose manager takes one password alone."""

    right = "new"

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        (row,) = self.rows("passwd", {"key": "rhevm"})
        if row["password"] == self.right:
            yield from super().run(command, nodes, args)
            return
        self.runs.append((command, tuple(nodes), tuple(args)))
        yield from (Error(REFUSED, node) for node in nodes)


def test_a_refused_login_ends_it_at_once(xcat: Xcat) -> None:
    """Each further one would count at the manager, which locks the account after five."""
    refusing = Refusing({**xcat.tables, "passwd": [{"key": "rhevm", "username": "admin", "password": "old"}]})
    said = join(refusing, nodes=["rhevh1", "rhevh2"])
    assert said == [Error(f"approve failed: {REFUSED}", node) for node in ("rhevh1", "rhevh2")]
    assert [command for command, _, _ in refusing.runs] == ["chhypervisor"]
    assert refusing.note("rhevh1") == "rhevm=approve"


def test_a_watching_one_waits_for_another_password(xcat: Xcat) -> None:
    refusing = Refusing({**xcat.tables, "passwd": [{"key": "rhevm", "username": "admin", "password": "old"}]})
    refusals, since = LoginRefusals(refusing), rhevhjoin.Since()
    note(refusing, {node: {"rhevm": "approve"} for node in ("rhevh1", "rhevh2")})
    for _ in range(5):
        rounds = rhevhjoin.one_round(refusing, since, 0.0, threading.Event(), refusals)
        assert {reason for _, _, reason in rounds} == {REFUSED}
    assert len(refusing.runs) == 1
    refusing.tables["passwd"][0]["password"] = "new"
    rounds = rhevhjoin.one_round(refusing, since, 0.0, threading.Event(), refusals)
    assert {(node, stage) for node, stage, _ in rounds} == {("rhevh1", "up"), ("rhevh2", "up")}
