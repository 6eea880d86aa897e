"""Whose turn it is to compute."""

from __future__ import annotations

import threading

import pytest

from daemonhelp import until
from xcat_rhev.daemon import pace
from xcat_rhev.daemon.pace import Pace, Paced, exempt


class Work:
    """Threads that compute in pieces, and how many did so at once.

    Args:
        threads: How many.
    """

    def __init__(self, threads: int) -> None:
        self.pace, self.order = Pace(), []
        self.most = self._now = 0
        self._guard = threading.Lock()
        self._threads = [threading.Thread(target=self._compute, args=(number,)) for number in range(threads)]
        for thread in self._threads:
            thread.start()

    def _compute(self, number: int) -> None:
        for _ in range(20):
            self.pace.step()
            with self._guard:
                self._now += 1
                self.most = max(self.most, self._now)
                self.order.append(number)
            with self._guard:
                self._now -= 1
        self.pace.rest()

    def end(self) -> None:
        for thread in self._threads:
            thread.join(300)
            assert not thread.is_alive()


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(pace, "PATIENCE", 3600.0)


def test_one_at_a_time(patient):
    work = Work(8)
    work.end()
    assert work.most == 1 and len(work.order) == 160


def test_who_waits_comes_before_who_has_just_computed(patient):
    shared, order = Pace(), []
    shared.step()

    def other() -> None:
        shared.step()
        order.append("other")
        shared.rest()

    thread = threading.Thread(target=other)
    thread.start()
    until(lambda: shared._waiting)
    shared.step()
    order.append("first")
    shared.rest()
    thread.join(300)
    assert order == ["other", "first"]


def test_who_rests_keeps_nobody(patient):
    shared = Pace()
    shared.step()
    thread = threading.Thread(target=shared.step)
    thread.start()
    until(lambda: shared._waiting)
    assert thread.is_alive()
    shared.rest()
    thread.join(300)
    assert not thread.is_alive()


def ends(work):
    """Does a piece of work end, in a thread of its own?"""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(300)
    return not thread.is_alive()


def test_who_waits_for_somebody_else_is_passed_over(monkeypatch):
    """A database that does not answer keeps the one that asked it, and no other."""
    monkeypatch.setattr(pace, "PATIENCE", 0.05)
    shared = Pace()
    shared.step()  # and never comes back
    threads = [threading.Thread(target=shared.step) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
        assert not thread.is_alive()


def test_a_thread_that_ended_without_a_word_keeps_nobody(monkeypatch):
    monkeypatch.setattr(pace, "PATIENCE", 0.05)
    shared = Pace()
    gone = threading.Thread(target=shared.step)
    gone.start()
    gone.join()
    assert ends(shared.step)


def test_inside_a_change_of_a_table_nobody_waits(patient):
    shared = Pace()
    thread = threading.Thread(target=shared.step)
    thread.start()
    thread.join()

    def change() -> None:
        with exempt():
            shared.step()

    assert ends(change)


def test_one_that_mostly_waits_does_not_take_part():
    paused = []
    aborted = Paced(lambda: paused.append(1))
    aborted.pause()
    aborted.free()
    aborted.pause()
    assert paused == [1]


def test_while_root_is_served_the_others_hold_back(patient):
    shared, order = Pace(), []

    def other() -> None:
        shared.step()
        order.append("other")
        shared.rest()

    with shared.first():
        thread = threading.Thread(target=other)
        thread.start()
        until(lambda: shared._waiting)
        order.append("root")
    thread.join(300)
    assert order == ["root", "other"]


def test_a_long_request_of_root_keeps_nobody_for_ever(monkeypatch):
    monkeypatch.setattr(pace, "PATIENCE", 0.05)
    shared = Pace()
    with shared.first():
        shared.step()
        thread = threading.Thread(target=shared.step)
        thread.start()
        thread.join(300)
        assert not thread.is_alive()
