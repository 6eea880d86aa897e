"""How far a command is, in one line."""

from __future__ import annotations

from collections import Counter

from xcat_rhev.clock import ManualClock
from xcat_rhev.messages import Note, Progress
from xcat_rhev.run.jobcounts import WANTED, JobCounts


def at_work(counts: JobCounts, planned: int, begun: int, ended: int) -> None:
    for tell, times in ((counts.add_planned, planned), (counts.add_begun, begun), (counts.add_ended, ended)):
        for _ in range(times):
            tell()


def test_a_client_that_asks_is_told_what_has_changed() -> None:
    clock = ManualClock()
    counts = JobCounts(clock, {WANTED: "1"}, verbose=False)
    assert list(counts.news()) == [], "nothing is planned yet"
    at_work(counts, 200, 45, 37)
    counts.set_waiting("m1", Counter(image_locked=5))
    counts.set_waiting("m2", Counter(image_locked=1))
    assert list(counts.news()) == [], "half a second has not passed"
    clock.advance(1)
    assert list(counts.news()) == [Progress("37/200 done, 6 image_locked, 2 under way, 155 not begun")]
    clock.advance(1)
    assert list(counts.news()) == [], "the client counts the seconds"
    at_work(counts, 0, 155, 163)
    counts.set_waiting("m1", Counter())
    counts.set_waiting("m2", Counter())
    clock.advance(1)
    assert list(counts.news()) == [Progress("200/200 done")]


def test_verbose_tells_every_thirty_seconds() -> None:
    clock = ManualClock()
    counts = JobCounts(clock, {}, verbose=True)
    at_work(counts, 3, 2, 1)
    said = []
    for _ in range(65):
        clock.advance(1)
        said += counts.news()
    assert said == [Note("1/3 done, 1 under way, 1 not begun, 30 s"), Note("1/3 done, 1 under way, 1 not begun, 60 s")]


def test_nobody_else_is_told() -> None:
    clock = ManualClock()
    counts = JobCounts(clock, {}, verbose=False)
    at_work(counts, 3, 2, 1)
    clock.advance(1000)
    assert list(counts.news()) == []
