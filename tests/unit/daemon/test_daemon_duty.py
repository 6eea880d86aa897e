"""Who runs the loop while requests are served."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from daemonhelp import until
from xcat_rhev.daemon import leader as duty
from xcat_rhev.daemon.leader import Leader
from xcat_rhev.daemon.loop import Loop

MOST = 3


class Site:
    """A loop under way, to which requests come from outside."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.duty = Leader(self.loop, MOST)
        self.thread = threading.Thread(target=self.duty.run)
        self.thread.start()
        self.held = threading.Event()
        self.done: list[object] = []

    def come(self, request: object) -> None:
        """A request comes in by the loop."""
        self.loop.call(lambda: self.duty.add(request))

    def held_up(self, hand_over: bool = False) -> None:
        """A request that takes until the test says so."""
        if hand_over:
            self.duty.hand_over()
        self.held.wait(300)
        self.done.append("held")

    def who(self) -> None:
        """A short request: tells in which thread it ran."""
        self.done.append(threading.get_ident())

    def end(self) -> None:
        self.held.set()
        self.loop.stop()
        self.thread.join(300)
        assert self.duty.wait(300)
        self.loop.close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.end()


def test_short_requests_are_served_by_the_thread_of_the_loop(site, monkeypatch):
    monkeypatch.setattr(duty, "PATIENCE", 30)  # a slow machine must not make them long ones
    owner = []
    for _ in range(3):
        site.loop.call(lambda: owner.append(threading.get_ident()))
        site.come(site.who)
    until(lambda: len(site.done) == 3)
    assert site.done == owner


def test_a_long_request_does_not_keep_the_others(site):
    site.come(site.held_up)
    site.come(site.who)
    until(lambda: site.done, "the short one was served beside the long one")
    assert site.done != ["held"]
    assert not site.duty.wait(0)


def test_one_that_says_so_is_left_alone_at_once(site, monkeypatch):
    monkeypatch.setattr(duty, "PATIENCE", 30)
    site.come(lambda: site.held_up(hand_over=True))
    site.come(site.who)
    until(lambda: site.done, "nobody waited for the patience to end")
    assert site.done != ["held"]


def test_handing_over_twice_leaves_the_one_on_duty_alone(site, monkeypatch):
    monkeypatch.setattr(duty, "PATIENCE", 30)

    def twice() -> None:
        site.duty.hand_over()
        until(lambda: site.done)
        site.duty.hand_over()
        site.come(site.who)

    site.come(twice)
    site.come(site.who)
    until(lambda: len(site.done) == 2)
    assert site.done[0] == site.done[1]


def test_no_more_than_the_most_at_once_and_the_rest_afterwards(site):
    for _ in range(MOST):
        site.come(site.held_up)
    site.come(site.who)
    beats = threading.Event()
    until(lambda: site.duty._turns.under_way == MOST)
    site.loop.call(beats.set)
    assert beats.wait(300), "the loop goes on"
    assert site.done == []
    site.held.set()
    until(lambda: len(site.done) == MOST + 1)
    assert site.done.count("held") == MOST


def test_calls_and_timers_of_a_relieved_thread_are_heard(site):
    def long() -> None:
        site.duty.hand_over()
        site.loop.call(lambda: site.done.append("call"))
        site.loop.later(0, lambda: site.done.append("timer"))
        site.held.wait(300)

    site.come(long)
    until(lambda: len(site.done) == 2)
    assert sorted(site.done) == ["call", "timer"]


def test_a_request_under_way_does_not_keep_the_loop_from_stopping(site):
    site.come(site.held_up)
    until(lambda: site.duty._turns.under_way)
    site.loop.stop()
    site.thread.join(300)
    assert not site.thread.is_alive()
    assert not site.duty.wait(0)
    site.held.set()
    assert site.duty.wait(300)


def test_without_a_further_thread_the_others_wait_and_nothing_breaks(site, monkeypatch, caplog):
    until(lambda: site.duty._shift == 1)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        site.come(lambda: site.held_up(hand_over=True))
        until(lambda: "keeps the others waiting: can't start new thread" in caplog.text)
        site.come(site.who)
        assert site.done == []
        site.held.set()
        until(lambda: len(site.done) == 2)
    assert site.done[0] == "held"


def test_nobody_looks_while_nobody_asks(site):
    site.come(site.held_up)
    until(lambda: site.duty._turns.under_way)
    site.held.set()
    until(lambda: site.duty._asleep and site.done, "the thread that watches waits for the next request")
    site.come(site.who)
    until(lambda: len(site.done) == 2)
    assert site.done[0] == "held"
