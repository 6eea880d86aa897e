"""What a person is told of a silence that lasts: not before its time, not too often, and the longest first."""

from __future__ import annotations

from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.wire.pulse import AGAIN, FIRST, Pulse


def test_the_longest_wait_is_told_after_a_while_and_not_again_at_once() -> None:
    clock = ManualClock()
    pulse = Pulse("m", clock)
    with pulse.announce("connecting") as wait:
        clock.advance(FIRST - 0.1)
        assert pulse.overdue() == ""
        with pulse.announce("answering"):
            clock.advance(0.1)
            assert pulse.overdue() == "waiting for manager m (connecting)"
            clock.advance(AGAIN - 0.1)
            assert pulse.overdue() == ""
        wait.what = "answering"
        clock.advance(0.1)
        assert pulse.overdue() == "waiting for manager m (answering)"
    clock.advance(AGAIN)
    assert pulse.overdue() == ""


def test_many_short_waits_are_none() -> None:
    clock = ManualClock()
    pulse = Pulse("m", clock)
    for _ in range(10):
        with pulse.announce("answering"):
            clock.advance(FIRST / 2)
            assert pulse.overdue() == ""


def test_states_that_do_not_come_are_told_later() -> None:
    clock = ManualClock()
    pulse = Pulse("m", clock)
    pulse.states("vm a is image_locked")
    clock.advance(AGAIN - 1)
    assert pulse.overdue() == ""
    pulse.states("vm a and 2 more are image_locked")
    clock.advance(1)
    assert pulse.overdue() == "waiting at manager m: vm a and 2 more are image_locked"
    pulse.states("")
    clock.advance(AGAIN)
    assert pulse.overdue() == ""
