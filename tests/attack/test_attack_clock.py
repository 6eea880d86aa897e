"""Clocks that are set, and a weekend between two rounds: nobody fails for that."""

from __future__ import annotations

import time

import pytest

from fakes import FakeHost
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import rhevhjoin
from xcat_rhev.declare.parsing import parse
from xcat_rhev.messages import Error
from xcat_rhev.plan.context import Context
from xcat_rhev.xcat.host import Request

WEEKEND = 3 * 86400.0


class Refusing(FakeHost):
    """An xCAT whose manager refuses a few times."""

    def __init__(self, refusals):
        super().__init__({"nodelist": [{"node": "rhevh1", "groups": "all"}], "hypervisor": [{"node": "rhevh1"}]})
        self.refusals = refusals

    def run(self, command, nodes=(), args=()):
        if self.refusals:
            self.refusals -= 1
            yield Error("not registered yet", "rhevh1")


def joined(xcat, clock):
    options, words = parse(rhevhjoin.SPEC, ())
    request = Request("rhevhjoin")
    context = Context(request, (), options, words, xcat, clock)
    return list(rhevhjoin._rounds(context))


@pytest.mark.parametrize("step", [WEEKEND, -WEEKEND, 3601.0])
def test_a_step_of_the_clock_fails_nobody(monkeypatch, step):
    xcat, real, rounds = Refusing(3), time.time, []
    xcat.set_node_attrs("nodelist", {"rhevh1": {"appstatus": "rhevm=approve", "appstatustime": "01-01-2026 00:00:00"}})
    monkeypatch.setattr(time, "time", lambda: real() + step * len(rounds))

    class Clock(ManualClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            rounds.append(seconds)

    assert [one.text for one in joined(xcat, Clock())] == ["up"]


def test_a_stop_over_the_weekend_fails_nobody():
    """The process that did the first round is gone; the next one begins the stage's time anew."""
    xcat = Refusing(1)
    xcat.set_node_attrs("nodelist", {"rhevh1": {"appstatus": "rhevm=power", "appstatustime": "01-01-2020 00:00:00"}})
    assert [one.text for one in joined(xcat, ManualClock(10 * WEEKEND))] == ["up"]
