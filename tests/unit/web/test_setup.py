"""The setup of managers over HTTP: which nodes are tried for an address, and what is answered."""

from __future__ import annotations

import pytest

from xcat_rhev.web import nodemap, setup
from xcat_rhev.web.nodemap import NodeMap
from xcat_rhev.web.notify import SetupAnswer

NODES = NodeMap({"10.0.0.5": "mgr1"}, {"mgr1.example.com": "mgr1"})


class Xcatd:
    """Answers for one node, refuses others."""

    def __init__(self, node: str, answer: SetupAnswer | None = None) -> None:
        self.node, self.answer, self.asked = node, answer, list[tuple[str, str, str]]()

    def setup(self, node: str, address: str, word: str) -> SetupAnswer:
        self.asked.append((node, address, word))
        if self.answer or node != self.node:
            return self.answer or SetupAnswer((), reason=f"{address} is not its address")
        return SetupAnswer(("one", "two"))


@pytest.fixture(autouse=True)
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodemap, "names_of", lambda address: [])


def answer(xcatd: Xcatd, said: str, address: str = "10.0.0.5") -> tuple[int, str]:
    found = setup.answer(NODES, xcatd, address, said)  # type: ignore[arg-type]
    return found.status, found.text


def test_the_node_of_the_address_is_answered_line_by_line() -> None:
    xcatd = Xcatd("mgr1")
    assert answer(xcatd, "answers/mgr1") == (200, "one\ntwo\n")
    assert xcatd.asked == [("mgr1", "10.0.0.5", "answers")]


def test_a_name_is_tried_where_the_map_has_no_node_and_xcatd_decides() -> None:
    xcatd = Xcatd("kvm1")
    assert answer(xcatd, "ready/kvm1.example.com", "10.0.0.9")[0] == 200
    assert answer(Xcatd("other"), "ready/kvm1", "10.0.0.9") == (403, "kvm1: 10.0.0.9 is not its address\n")


@pytest.mark.parametrize("said", ["", "answer", "answers2/mgr1", "../answers", "%61nswers"])
def test_no_other_word_is_asked(said: str) -> None:
    xcatd = Xcatd("mgr1")
    assert answer(xcatd, said)[0] == 404 and not xcatd.asked


@pytest.mark.parametrize("name", ["", "a/b", "-x", "x" * 300, "Ü"])
def test_names_that_are_none_are_not_asked_for(name: str) -> None:
    xcatd = Xcatd("mgr1")
    assert answer(xcatd, f"answers/{name}", "10.0.0.9") == (403, "No node has the address 10.0.0.9.\n")
    assert not xcatd.asked


def test_without_an_address_nobody_is_asked() -> None:
    assert answer(Xcatd("mgr1"), "answers/mgr1", "")[0] == 403


def test_what_may_succeed_later_is_to_be_tried_again() -> None:
    found = setup.answer(NODES, Xcatd("", SetupAnswer((), True, "busy")), "10.0.0.5", "up/mgr1")  # type: ignore[arg-type]
    assert (found.status, found.text, found.headers) == (503, "mgr1: busy\n", (("Retry-After", "10"),))
