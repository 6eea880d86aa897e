"""The shipped policy rows and the command's own checks, together: who can move which node on.

The table is the expectation, to be read by people. Its words:

    moves    the node moves on to its own disk
    same     it has already; the answer is the same and nothing is done
    policy   the policy table says no
    asker    the policy lets it pass, rhevhupdateflag does not let this asker
    address  ... the reported address is not the node's
    state    ... the node is not being installed with one of our systems
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fakes import FakeHost
from xcat_rhev.clock import ManualClock
from xcat_rhev.messages import Data, Error, Message
from xcat_rhev.run.dispatch import Dispatcher
from xcat_rhev.xcat.host import Request, Row
from xcat_rhev.xcat.policy import Asker, Query, decide
from xcat_rhev.xcat.rows import read_csv
from xcat_rhev.xcat.schema import TABLES

FOLDER = Path(__file__).parents[2] / "policy"

#: name, reverse name of the peer, its address, what it sends.
ASKERS = {
    "the CGI on this host": (None, "localhost", "127.0.0.1", ["10.0.0.1"]),
    "the CGI, with a name": (None, "localhost", "127.0.0.1", ["10.0.0.1", "rhevh1.example.com"]),
    "the CGI, another's address": (None, "localhost", "127.0.0.1", ["10.0.0.2"]),
    "this host, no address": (None, "localhost", "127.0.0.1", []),
    "service node, no certificate": (None, "sn1", "10.0.0.250", ["10.0.0.1"]),
    "service node's certificate": ("mn", "sn1", "10.0.0.250", ["10.0.0.1"]),
    "root at a desk": ("root", "desk", "203.0.113.1", []),
    "root, another's address": ("root", "desk", "203.0.113.1", ["10.0.0.2"]),
    "web server's certificate": ("xcatrhevh", "web1", "203.0.113.5", ["10.0.0.1"]),
    "joe's certificate": ("joe", "desk", "203.0.113.1", ["10.0.0.1"]),
    "the hypervisor itself": (None, "rhevh1", "10.0.0.1", ["10.0.0.1"]),
    "a stranger": (None, "", "203.0.113.9", ["10.0.0.1"]),
    "a stranger called localhost": (None, "localhost", "203.0.113.9", ["10.0.0.1"]),
}
#: chain.currstate and nodelist.status.
STATES = {
    "installing": ("install rhevh7.3-x86_64-compute", "installing"),
    "failed": ("install rhevh7.3-x86_64-compute", "failed"),
    "booted": ("boot", "booted"),
    "half": ("boot", "installing"),
    "other OS": ("install rhels9.4-x86_64-compute", "installing"),
    "standby": ("standby", "booted"),
    "unset": ("", ""),
}
MATRIX = """
policy       asker                         installing  failed   booted   half     other OS  standby  unset
stock        the CGI on this host          policy      policy   policy   policy   policy    policy   policy
stock        service node, no certificate  policy      policy   policy   policy   policy    policy   policy
stock        service node's certificate    moves       moves    same     moves    state     state    state
stock        root at a desk                moves       moves    same     moves    state     state    state
stock        root, another's address       address     address  address  address  address   address  address
stock        web server's certificate      policy      policy   policy   policy   policy    policy   policy
stock        joe's certificate             policy      policy   policy   policy   policy    policy   policy
stock        the hypervisor itself         policy      policy   policy   policy   policy    policy   policy
stock        a stranger                    policy      policy   policy   policy   policy    policy   policy

original     the CGI on this host          moves       moves    same     moves    state     state    state
original     the CGI, with a name          moves       moves    same     moves    state     state    state
original     the CGI, another's address    address     address  address  address  address   address  address
original     this host, no address         address     address  address  address  address   address  address
original     service node, no certificate  moves       moves    same     moves    state     state    state
original     service node's certificate    moves       moves    same     moves    state     state    state
original     root at a desk                moves       moves    same     moves    state     state    state
original     web server's certificate      moves       moves    same     moves    state     state    state
original     joe's certificate             moves       moves    same     moves    state     state    state
original     the hypervisor itself         asker       asker    asker    asker    asker     asker    asker
original     a stranger                    asker       asker    asker    asker    asker     asker    asker
original     a stranger called localhost   asker       asker    asker    asker    asker     asker    asker

narrow       the CGI on this host          moves       moves    same     moves    state     state    state
narrow       the CGI, with a name          moves       moves    same     moves    state     state    state
narrow       the CGI, another's address    address     address  address  address  address   address  address
narrow       this host, no address         policy      policy   policy   policy   policy    policy   policy
narrow       service node, no certificate  policy      policy   policy   policy   policy    policy   policy
narrow       service node's certificate    moves       moves    same     moves    state     state    state
narrow       root at a desk                moves       moves    same     moves    state     state    state
narrow       web server's certificate      policy      policy   policy   policy   policy    policy   policy
narrow       joe's certificate             policy      policy   policy   policy   policy    policy   policy
narrow       the hypervisor itself         policy      policy   policy   policy   policy    policy   policy
narrow       a stranger                    policy      policy   policy   policy   policy    policy   policy
narrow       a stranger called localhost   asker       asker    asker    asker    asker     asker    asker

certificate  the CGI on this host          policy      policy   policy   policy   policy    policy   policy
certificate  service node, no certificate  policy      policy   policy   policy   policy    policy   policy
certificate  service node's certificate    moves       moves    same     moves    state     state    state
certificate  root at a desk                moves       moves    same     moves    state     state    state
certificate  web server's certificate      moves       moves    same     moves    state     state    state
certificate  joe's certificate             policy      policy   policy   policy   policy    policy   policy
certificate  the hypervisor itself         policy      policy   policy   policy   policy    policy   policy
certificate  a stranger                    policy      policy   policy   policy   policy    policy   policy
"""
STOCK: list[Row] = [
    {"priority": "1", "name": "root", "rule": "allow"},
    {"priority": "1.2", "name": "mn", "rule": "trusted"},
    {"priority": "4", "commands": "getdestiny", "rule": "allow"},
]
REASONS = {
    "may ask this": "asker",
    "is not its address": "address",
    "which address it came": "address",
    "its state is": "state",
}


class Xcat(FakeHost):
    """nodeset moves the chain to `boot`."""

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        yield from super().run(command, nodes, args)
        if command == "nodeset":
            self.set_node_attrs("chain", {nodes[0]: {"currstate": "boot"}})


def rows_of(policy: str) -> list[Row]:
    """The rows of a shipped file, as tabrestore reads them."""
    lines = (FOLDER / f"policy.{policy}.csv").read_text().splitlines()
    return [{column: value for column, value in row.items() if value} for row in read_csv(lines)[1]]


def cells() -> Iterator[tuple[str, str, str, str]]:
    lines = [re.split(r"\s{2,}", line.strip()) for line in MATRIX.strip().splitlines() if line.strip()]
    for policy, asker, *expected in lines[1:]:
        yield from ((policy, asker, state, word) for state, word in zip(lines[0][2:], expected))


def outcome(policy: str, asker: str, state: str) -> str:
    """Let an asker ask, policy first, then the command."""
    name, host, address, args = ASKERS[asker]
    rows = STOCK + (rows_of(policy) if policy != "stock" else [])
    if not decide(rows, Asker(name, host), Query("rhevhupdateflag", ("rhevh1",), tuple(args)), str.split).allowed:
        return "policy"
    currstate, status = STATES[state]
    xcat = Xcat(
        {
            "nodelist": [{"node": "rhevh1", "status": status}, {"node": "rhevh2"}],
            "servicenode": [{"node": "sn1"}],
            "hosts": [
                {"node": "rhevh1", "ip": "10.0.0.1"},
                {"node": "rhevh2", "ip": "10.0.0.2"},
                {"node": "sn1", "ip": "10.0.0.250"},
            ],
            "chain": [{"node": "rhevh1", "currstate": currstate}],
        }
    )
    request = Request("rhevhupdateflag", ("rhevh1",), tuple(args), user=name or "", asker=address)
    messages = list(Dispatcher(clock=ManualClock()).run(request, xcat))
    if messages == [Data("booted", "rhevh1")]:
        assert xcat.row("chain", "rhevh1")["currstate"] == "boot"
        return "moves" if xcat.writes else "same"
    assert xcat.writes == []
    assert xcat.runs == []
    error = messages[0]
    assert isinstance(error, Error)
    return next(word for text, word in REASONS.items() if text in error.text)


@pytest.mark.parametrize(("policy", "asker", "state", "expected"), list(cells()))
def test_who_can_move_a_node_on(policy: str, asker: str, state: str, expected: str) -> None:
    assert outcome(policy, asker, state) == expected


def test_the_table_is_whole() -> None:
    found = list(cells())
    assert len(found) == 41 * len(STATES)
    assert {cell[1] for cell in found} == set(ASKERS)
    assert {cell[2] for cell in found} == set(STATES)


@pytest.mark.parametrize("policy", ["original", "narrow", "certificate"])
def test_a_file_is_one_row_that_tabrestore_takes(policy: str) -> None:
    path = FOLDER / f"policy.{policy}.csv"
    assert path.name.partition(".")[0] == "policy"  # how tabrestore finds the table
    assert path.read_text().splitlines()[0] == TABLES["policy"].header
    columns, rows = read_csv(path.read_text().splitlines())
    assert len(rows) == 1
    assert rows[0]["priority"] == "5"
    assert rows[0]["disable"] is None


def test_the_original_row_is_the_original_row() -> None:
    assert (FOLDER / "policy.original.csv").read_text().splitlines()[1] == '"5",,,"rhevhupdateflag",,,,"allow",,'


@pytest.mark.parametrize("policy", ["original", "narrow", "certificate"])
@pytest.mark.parametrize("command", ["nodeset", "rpower", "tabdump", "rhevhupdateflagx", "updatenodestat"])
def test_no_row_opens_anything_else(policy: str, command: str) -> None:
    asker = Asker("xcatrhevh" if policy == "certificate" else None, "localhost")
    assert not decide(STOCK + rows_of(policy), asker, Query(command, ("rhevh1",), ("10.0.0.1",)), str.split).allowed


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (["10.0.0.1"], True),
        (["fd00::1"], True),
        (["10.0.0.1", "compute7.example.com"], True),
        (["--status"], True),
        ([], False),
        (["10.0.0.1", "UPPER"], False),
        (["10.0.0.1", "a", "b"], False),
        (["--status", "x"], False),
        (["-V", "10.0.0.1"], False),
        (["10.0.0.1;x"], False),
        (["x\n10.0.0.1"], False),
        (["10.0.0.1\n"], True),  # as `$` is in Perl; the command reads the address all the same
    ],
)
def test_the_narrow_rows_know_the_two_forms_of_the_cgi(args: list[str], allowed: bool) -> None:
    asked = Query("rhevhupdateflag", ("rhevh1",), tuple(args))
    assert decide(rows_of("narrow"), Asker(None, "localhost"), asked, str.split).allowed is allowed
    assert decide(rows_of("certificate"), Asker("xcatrhevh"), asked, str.split).allowed is allowed
