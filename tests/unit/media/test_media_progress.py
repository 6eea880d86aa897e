"""How far a copy is: four lines a second at most, and a way to stop it."""

import threading

import pytest

from xcat_rhev.clock import ManualClock
from xcat_rhev.errors import Aborted
from xcat_rhev.media.progress import meter


def work(clock, closed, steps=100, seconds=0.05):
    try:
        for _ in range(steps):
            clock.advance(seconds)
            yield 1 << 20
    finally:
        closed.append(True)


def test_four_lines_a_second():
    clock = ManualClock()
    lines = [said.text for said in meter(work(clock, []), 100 << 20, threading.Event(), clock)]
    assert 16 <= len(lines) <= 20
    assert lines[0] == "5.00% 20 MiB/s"
    assert all(line.endswith(" 20 MiB/s") for line in lines)


def test_never_beyond_the_whole():
    clock = ManualClock()
    lines = [said.text for said in meter(work(clock, []), 10 << 20, threading.Event(), clock)]
    assert lines[-1].startswith("100.00%")


def test_nothing_to_do_says_nothing():
    assert list(meter((count for count in ()), 0, threading.Event(), ManualClock())) == []


def test_stopped_when_the_person_went_away():
    clock, closed, aborted = ManualClock(), [], threading.Event()
    source = work(clock, closed)
    lines = meter(source, 100 << 20, aborted, clock)
    next(lines)
    aborted.set()
    with pytest.raises(Aborted):
        next(lines)
    assert closed == [True]
