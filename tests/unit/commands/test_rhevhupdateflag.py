"""rhevhupdateflag on an xCAT in memory whose nodeset moves the chain."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from fakes import FakeHost
from nameservice import NameService
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import rhevhupdateflag
from xcat_rhev.commands.finish.reports import PAUSE
from xcat_rhev.errors import Unreachable
from xcat_rhev.messages import Data, Error, Info, Message, Warn
from xcat_rhev.rows.nodeaddresses import names, stored_addresses
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request

INSTALL = "install rhevh7.3-x86_64-compute"
REFUSED, LATER = 1, 2


class Xcat(FakeHost):
    """An xCAT that knows `nodeset next|boot` and `updatenodestat`.

    Attributes:
        broken: How many of the next nodesets fail.
        moves: Whether a failing nodeset has moved the chain before it failed, as with a DHCP server that is down.
        chatter: What else nodeset says.
    """

    def __init__(self, tables: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
        super().__init__(tables)
        self.broken, self.moves = 0, False
        self.chatter: list[Message] = []

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        self.runs.append((command, tuple(nodes), tuple(args)))
        for node in nodes:
            if command == "updatenodestat":
                self.set_node_attrs("nodelist", {node: {"status": args[0]}})
            elif self.broken:
                self.broken -= 1
                if self.moves:
                    self._move(node, args[0])
                yield Error("makedhcp failed", node)
            else:
                self._move(node, args[0])
                yield from self.chatter

    def _move(self, node: str, verb: str) -> None:
        steps = self.row("chain", node).get("currchain", "").split(",")
        state = "boot" if verb == "boot" else steps[0]
        self.set_node_attrs("chain", {node: {"currstate": state, "currchain": ",".join(steps[1:] or steps)}})

    def verbs(self) -> list[str]:
        return [f"{command} {args[0]}" for command, _, args in self.runs]


@pytest.fixture(autouse=True)
def name_service(monkeypatch: pytest.MonkeyPatch) -> dict[str, frozenset[str]]:
    known: dict[str, frozenset[str]] = {}
    NameService(forward=known).install(monkeypatch)
    return known


@pytest.fixture
def xcat() -> Xcat:
    return Xcat(
        {
            "site": [{"key": "domain", "value": "example.com"}],
            "nodelist": [{"node": name, "groups": "rhevh"} for name in ("rhevh1", "rhevh2", "rhevh3", "sn1")],
            "hosts": [
                {"node": "rhevh1", "ip": "10.0.0.1"},
                {"node": "rhevh2", "ip": "10.0.0.2"},
                {"node": "sn1", "ip": "10.0.0.250"},
            ],
            "nics": [{"node": "rhevh1", "nicips": "eth1!10.1.0.1|10.2.0.1,eth2!FD00:0::1"}],
            "chain": [{"node": "rhevh1", "currstate": INSTALL, "currchain": "boot"}],
            "servicenode": [{"node": "sn1"}],
        }
    )


def say(
    xcat: Xcat, *args: str, nodes: Sequence[str] = ("rhevh1",), clock: ManualClock | None = None, **who: Any
) -> list[Message]:
    request = Request("rhevhupdateflag", tuple(nodes), args, **{"asker": "127.0.0.1", **who})
    return list(Dispatcher(clock=clock or ManualClock()).run(request, xcat))


def code(messages: Sequence[Message]) -> int:
    """The exit code; 0 only with the one answer that means done."""
    errors = [message.code for message in messages if isinstance(message, Error)]
    assert errors or messages == [Data("booted", "rhevh1")]
    return errors[0] if errors else 0


def test_a_report_moves_the_node_on(xcat: Xcat) -> None:
    assert say(xcat, "10.0.0.1") == [Data("booted", "rhevh1")]
    assert xcat.runs == [("nodeset", ("rhevh1",), ("next",)), ("updatenodestat", ("rhevh1",), ("booted",))]
    assert xcat.row("nodelist", "rhevh1")["appstatus"] == "rhevhfinish=10.0.0.1"


def test_a_repetition_answers_the_same_and_changes_nothing(xcat: Xcat) -> None:
    say(xcat, "10.0.0.1")
    writes = len(xcat.writes)
    assert say(xcat, "10.0.0.1") == [Data("booted", "rhevh1")]
    assert len(xcat.writes) == writes


def test_a_repetition_does_not_walk_on_along_the_sites_own_chain(xcat: Xcat) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": INSTALL, "currchain": "boot,osimage=other"}]
    for _ in range(3):
        assert code(say(xcat, "10.0.0.1")) == 0
    assert xcat.row("chain", "rhevh1") == {"node": "rhevh1", "currstate": "boot", "currchain": "osimage=other"}


def test_many_at_the_same_time_move_on_once(xcat: Xcat) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": INSTALL, "currchain": "boot,osimage=other"}]
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(code(say(xcat, "10.0.0.1")))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [0] * 8
    assert xcat.verbs() == ["nodeset next", "updatenodestat booted"]


def test_nothing_of_nodeset_passes_through(xcat: Xcat) -> None:
    xcat.chatter = [
        Data("boot", "rhevh1"),
        Info("kernel ... rootpw=$6$secret"),
        Warn("netboot"),
        Data("rootpw=$6$secret", desc="kcmdline"),
    ]
    assert say(xcat, "10.0.0.1", "-V") == [Data("booted", "rhevh1")]


@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:10.0.0.1", "10.1.0.1", "10.2.0.1", "fd00::1", "FD00:0:0::1"])
def test_every_address_of_the_node_counts(xcat: Xcat, address: str) -> None:
    assert code(say(xcat, address)) == 0


@pytest.mark.parametrize(
    "name",
    [
        "rhevh1",
        "rhevh1.example.com",
        "rhevh1-ib0",
        "rhevh1-ib0.example.com",
        "data1",
        "ib.other.net",
    ],
)
def test_the_name_service_is_asked_for_the_nodes_own_names(
    xcat: Xcat, name_service: dict[str, frozenset[str]], name: str
) -> None:
    xcat.tables["nics"] = [{"node": "rhevh1", "nichostnamesuffixes": "ib0!-ib0"}]
    macs = "52:54:00:00:00:01|52:54:00:00:00:02!data1|52:54:00:00:00:03!*NOIP*"
    xcat.tables["mac"] = [{"node": "rhevh1", "mac": macs}]
    xcat.tables["hosts"][0]["hostnames"] = "ib.other.net"
    assert code(say(xcat, "10.5.0.1")) == REFUSED
    name_service[name] = frozenset({"10.5.0.1"})
    assert code(say(xcat, "10.5.0.1")) == 0


@pytest.mark.parametrize("address", ["10.0.0.2", "10.0.0.99", "0.0.0.0", "127.0.0.1", "fd00::2"])
def test_another_address_is_refused(xcat: Xcat, address: str) -> None:
    assert say(xcat, address) == [
        Error(f"{address} is not its address. See 'nodels rhevh1 hosts.ip nics.nicips'", "rhevh1")
    ]
    assert xcat.runs == [] and xcat.writes == []


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("10.0.0.1;reboot",),
        ("",),
        ("10.0.0.1", "a", "b"),
        ("--next",),
        ("1" * 9999,),
    ],
)
def test_words_that_are_no_report(xcat: Xcat, words: tuple[str, ...]) -> None:
    assert code(say(xcat, *words)) == REFUSED
    assert xcat.runs == []


@pytest.mark.parametrize("name", ["rhevh1", "rhevh1.example.com", "RHEVH1.other.net.", "unknown", "localhost"])
def test_a_name_that_is_no_other_nodes_does_no_harm(xcat: Xcat, name: str) -> None:
    assert code(say(xcat, "10.0.0.1", name)) == 0


@pytest.mark.parametrize("name", ["rhevh2", "rhevh2.example.com", "RHEVH3."])
def test_another_nodes_name_is_refused(xcat: Xcat, name: str) -> None:
    assert code(say(xcat, "10.0.0.1", name)) == REFUSED
    assert xcat.runs == []


@pytest.mark.parametrize(
    ("asker", "user", "expected"),
    [
        ("127.0.0.1", "", 0),
        ("127.5.0.1", "", 0),
        ("::1", "", 0),
        ("", "", 0),
        ("::ffff:127.0.0.1", "", 0),
        ("192.0.2.7", "", 0),  # an address of this host
        ("10.0.0.250", "", 0),  # a service node
        ("203.0.113.1", "root", 0),
        ("203.0.113.1", "xcatrhevh", 0),
        ("203.0.113.1", "", REFUSED),
        ("10.0.0.1", "", REFUSED),
        ("nonsense", "", REFUSED),
    ],
)
def test_who_may_ask(xcat: Xcat, asker: str, user: str, expected: int) -> None:
    xcat.addresses = frozenset({"192.0.2.7"})
    assert code(say(xcat, "10.0.0.1", asker=asker, user=user)) == expected


def test_a_service_node_that_only_the_name_service_knows(xcat: Xcat, name_service: dict[str, frozenset[str]]) -> None:
    xcat.tables["hosts"] = [{"node": "rhevh1", "ip": "10.0.0.1"}]
    assert code(say(xcat, "10.0.0.1", asker="10.0.0.250")) == REFUSED
    name_service["sn1"] = frozenset({"10.0.0.250"})
    assert code(say(xcat, "10.0.0.1", asker="10.0.0.250")) == 0


def test_only_a_user_may_leave_out_the_address(xcat: Xcat) -> None:
    assert code(say(xcat)) == REFUSED
    assert code(say(xcat, user="root")) == 0
    assert xcat.row("nodelist", "rhevh1")["appstatus"] == "rhevhfinish=root"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (INSTALL, 0),
        ("install rhvh4.4-x86_64-compute", 0),
        ("install ovirt-node3.6-x86_64-hyp", 0),
        ("boot", 0),
        ("", REFUSED),
        ("install", REFUSED),
        ("install rhels9-x86_64-compute", REFUSED),
        ("install centos-rhevh", REFUSED),
        ("netboot rhevh7.3-x86_64-x", REFUSED),
        ("standby", REFUSED),
        ("shell", REFUSED),
        ("offline", REFUSED),
        ("installing rhevh", REFUSED),
        ("boot ", REFUSED),
    ],
)
def test_the_nodes_state_decides(xcat: Xcat, state: str, expected: int) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": state, "currchain": "boot"}]
    assert code(say(xcat, "10.0.0.1")) == expected
    assert bool(xcat.runs) is not bool(expected)


def test_a_failure_is_tried_again(xcat: Xcat) -> None:
    xcat.broken, clock = 2, ManualClock()
    assert code(say(xcat, "10.0.0.1", clock=clock)) == 0
    assert clock.slept == [PAUSE, PAUSE]
    assert xcat.row("nodelist", "rhevh1")["status"] == "booted"


def test_a_failure_that_stays_is_said_logged_and_seen(xcat: Xcat, caplog: pytest.LogCaptureFixture) -> None:
    xcat.broken = 99
    messages = say(xcat, "10.0.0.1")
    assert messages == [
        Error("nodeset failed, so it will install itself again; the log has the reason", "rhevh1", LATER)
    ]
    assert xcat.row("nodelist", "rhevh1")["status"] == "failed"
    assert "makedhcp failed" in caplog.text
    assert "updatenodestat booted" not in xcat.verbs()
    xcat.broken = 0
    assert code(say(xcat, "10.0.0.1")) == 0
    assert xcat.row("nodelist", "rhevh1")["status"] == "booted"


def test_a_nodeset_that_moved_on_and_then_failed_is_not_moved_on_twice(xcat: Xcat) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": INSTALL, "currchain": "boot,osimage=other"}]
    xcat.broken, xcat.moves = 1, True
    assert code(say(xcat, "10.0.0.1")) == 0
    assert xcat.verbs() == ["nodeset next", "nodeset boot", "updatenodestat booted"]
    assert xcat.row("chain", "rhevh1")["currstate"] == "boot"


def test_a_crash_between_the_two_steps_is_mended_by_the_next_report(xcat: Xcat) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": "boot", "currchain": "osimage=other"}]
    xcat.tables["nodelist"][0]["status"] = "installing"
    assert code(say(xcat, "10.0.0.1")) == 0
    assert xcat.verbs() == ["nodeset boot", "updatenodestat booted"]


def test_a_chain_without_a_next_step_ends_at_the_disk(xcat: Xcat) -> None:
    xcat.tables["chain"] = [{"node": "rhevh1", "currstate": INSTALL, "currchain": INSTALL}]
    assert code(say(xcat, "10.0.0.1")) == 0
    assert xcat.verbs() == ["nodeset next", "nodeset boot", "updatenodestat booted"]


def test_an_xcat_that_does_not_answer_inside_is_a_failure_too(xcat: Xcat, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> Iterator[Message]:
        raise Unreachable("the xCAT plugin ended")
        yield

    monkeypatch.setattr(xcat, "run", down)
    assert code(say(xcat, "10.0.0.1")) == LATER


def test_one_bad_node_does_not_stop_the_others(xcat: Xcat) -> None:
    messages = say(xcat, user="root", nodes=("rhevh2", "rhevh1"))
    assert [type(message) for message in messages] == [Error, Data]
    assert messages[1] == Data("booted", "rhevh1")


def test_other_notes_in_appstatus_stay(xcat: Xcat) -> None:
    xcat.tables["nodelist"][0]["appstatus"] = "sshd=up,rhevhfinish=old"
    say(xcat, "10.0.0.1")
    assert xcat.row("nodelist", "rhevh1")["appstatus"] == "sshd=up,rhevhfinish=10.0.0.1"


def test_status_shows_and_changes_nothing(xcat: Xcat) -> None:
    say(xcat, "10.0.0.1")
    xcat.tables["nodelist"][0].update(statustime="11-22-2026 20:00:00", appstatus="rhevhfinish=10.0.0.1,rhevm=a|b")
    writes = len(xcat.writes)
    assert say(xcat, "--status", nodes=("rhevh1", "rhevh2")) == [
        Data("boot|booted|11-22-2026 20:00:00|10.0.0.1|a/b", "rhevh1"),
        Data("||||", "rhevh2"),
    ]
    xcat.tables["chain"][0]["currstate"] = INSTALL  # again
    assert say(xcat, "--status") == [Data(f"{INSTALL}|booted|11-22-2026 20:00:00||", "rhevh1")]
    assert len(xcat.writes) == writes
    assert code(say(xcat, "--status", asker="203.0.113.1")) == REFUSED


def test_dry_run_changes_nothing(xcat: Xcat) -> None:
    assert say(xcat, "10.0.0.1", "--dry-run") == [Data(rhevhupdateflag.STEP, "rhevh1")]
    assert xcat.writes == []


def test_no_nodes(xcat: Xcat) -> None:
    assert isinstance(say(xcat, nodes=())[0], Error)


def test_addresses_and_names_that_nobody_can_read_are_left_out(xcat: Xcat) -> None:
    xcat.tables["hosts"] = [
        {
            "node": "rhevh1",
            "ip": "10.0.0.1,nonsense",
            "otherinterfaces": "-ib:10.3.0.1,x,:,eth9:10.3.0.9",
            "hostnames": " A b,c ",
        }
    ]
    xcat.tables["nics"] = [{"node": "rhevh1", "nicips": "!,eth0,eth1!|10.4.0.1|x"}]
    assert stored_addresses(xcat, ["rhevh1"]) == {"rhevh1": frozenset({"10.0.0.1", "10.3.0.1", "10.3.0.9", "10.4.0.1"})}
    assert names(xcat, ["rhevh1"])["rhevh1"][:6] == ("rhevh1", "a", "b", "c", "rhevh1-ib", "eth9")
