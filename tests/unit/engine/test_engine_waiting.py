"""Waiting: one search for all, failed states end it, time is the clock's."""

from __future__ import annotations

import pytest

from enginehelp import Script, manager_on, vms
from xcat_rhev.abort import Abort, Limit
from xcat_rhev.clock import ManualClock
from xcat_rhev.engine.documents.dialect import V4
from xcat_rhev.engine.nouns import Disk, Vm
from xcat_rhev.engine.states import VmStatus
from xcat_rhev.engine.waiting import GONE, Goal, Watch, until
from xcat_rhev.engine.wire.patience import Patience
from xcat_rhev.engine.wire.pulse import Pulse
from xcat_rhev.engine.wire.transport import HttpRequest
from xcat_rhev.errors import BadAnswer, FailedState, NotFound, TimedOut, Unreachable

UP, DOWN = frozenset({"up"}), frozenset({"down"})


def vm(name: str) -> Vm:
    return Vm(id=f"id-{name}", name=name)


def listed(**states: str) -> tuple[int, str]:
    items = "".join(
        f'<vm id="id-{name}"><name>{name}</name><status>{state}</status></vm>' for name, state in states.items()
    )
    return 200, f"<vms>{items}</vms>"


def waited(script: Script, *goals: Goal, clock: ManualClock | None = None) -> dict:
    clock = clock or ManualClock()
    return until(manager_on(script, V4, clock), goals, clock)


def test_all_goals_share_one_search_per_look() -> None:
    names = [f"n{number}" for number in range(60)]
    script = Script([listed(**dict.fromkeys(names, "powering_up")), listed(**dict.fromkeys(names, "up"))])
    outcomes = waited(script, *[Goal(vm(name), UP) for name in names])
    assert {outcome.status for outcome in outcomes.values()} == {"up"}
    assert len(outcomes) == 60
    assert len(script.asked) == 2


def test_pauses_grow_to_five_seconds() -> None:
    clock = ManualClock()
    outcome = waited(Script([listed(a="down")]), Goal(vm("a"), UP, limit=60), clock=clock)["id-a"]
    assert isinstance(outcome, TimedOut)
    assert "VM a is still down after 60 s, wanted up" in str(outcome)
    assert clock.slept[:3] == [0.25, 0.375, 0.5625]
    assert max(clock.slept) == 5.0
    assert sum(clock.slept) < 66


def test_an_addition_brings_the_pace_back() -> None:
    clock = ManualClock()
    watch = Watch(manager_on(Script([listed(a="down")]), V4, clock), clock)
    watch.add("a", Goal(vm("a"), UP, limit=1000))
    for _ in range(12):
        watch.pause()
        watch.look()
    assert watch.due() == 5.0
    watch.add("b", Goal(vm("b"), UP))
    assert watch.due() == 1.0


def test_a_failed_state_ends_it_at_once_with_the_engines_words() -> None:
    events = (
        "<events><event id='2'><severity>normal</severity><description>fine</description></event><event id='1'>"
        "<severity>error</severity><description>VM a is down. No memory.</description></event></events>"
    )
    clock = ManualClock()
    script = Script([listed(a="down"), (200, events)])
    outcome = waited(script, Goal(vm("a"), UP, failed=DOWN), clock=clock)["id-a"]
    assert isinstance(outcome, FailedState)
    assert str(outcome) == "VM a is down: VM a is down. No memory."
    assert clock.now() < 1


def test_events_that_cannot_be_had_do_not_hide_the_failure() -> None:
    outcome = waited(Script([listed(a="down"), (500, "")]), Goal(vm("a"), UP, failed=DOWN))["id-a"]
    assert str(outcome) == "VM a is down"


def test_a_failed_state_is_forgiven_for_a_while() -> None:
    clock = ManualClock()
    script = Script([listed(a="not_responding")] * 4 + [listed(a="up")])
    outcome = waited(script, Goal(vm("a"), UP, failed=frozenset({"not_responding"}), grace=30), clock=clock)["id-a"]
    assert isinstance(outcome, Vm)


def test_gone_is_a_state() -> None:
    assert waited(Script([listed(a="image_locked"), (200, vms())]), Goal(vm("a"), frozenset({GONE}))) == {"id-a": None}


def test_a_thing_that_vanishes_meanwhile() -> None:
    outcome = waited(Script([listed(a="down"), (200, vms())]), Goal(vm("a"), UP))["id-a"]
    assert isinstance(outcome, NotFound)
    assert str(outcome) == "VM a is gone"


def test_another_thing_of_that_name_is_not_it() -> None:
    script = Script([(200, '<vms><vm id="other"><name>a</name><status>up</status></vm></vms>')])
    assert isinstance(waited(script, Goal(vm("a"), UP))["id-a"], NotFound)


def test_no_status_is_unknown_and_counts_against_the_limit() -> None:
    outcome = waited(Script([(200, vms("a", status=""))]), Goal(vm("a"), UP, limit=3))["id-a"]
    assert "still unknown" in str(outcome)


def test_an_answer_that_makes_no_sense_is_looked_at_again() -> None:
    outcome = waited(Script([(200, "<html/>"), BadAnswer("cut"), listed(a="up")]), Goal(vm("a"), UP))["id-a"]
    assert isinstance(outcome, Vm)


def test_a_manager_that_goes_away_ends_the_wait() -> None:
    """What was asked for was taken, so that it may be so by now: it is no failure."""
    outcome = waited(Script([listed(a="down"), Unreachable("away")]), Goal(vm("a"), UP))["id-a"]
    assert isinstance(outcome, Unreachable)
    assert str(outcome).startswith("away; it is not known whether VM a is up now. Run the command again")


def test_and_so_does_the_end_of_the_time_while_it_is_away() -> None:
    away = TimedOut("manager m cannot be reached: no; not done within the 60 s of --timeout", "Look again")
    outcome = waited(Script([listed(a="down"), away]), Goal(vm("a"), frozenset({"gone"})))["id-a"]
    assert isinstance(outcome, TimedOut)
    assert str(outcome) == f"{away.text}; it is not known whether VM a is gone now. Look again"


DISKS = (
    '<vms><vm id="id-a"><name>a</name><status>down</status><disk_attachments><disk_attachment id="d">'
    '<disk id="d"><provisioned_size>1</provisioned_size><status>{}</status></disk></disk_attachment>'
    "</disk_attachments><nics/></vm></vms>"
)


@pytest.mark.parametrize(("states", "kind"), [(["locked", "ok"], Vm), (["locked", "illegal"], FailedState)])
def test_a_settled_machine_has_no_locked_disks(states: list[str], kind: type) -> None:
    script = Script([(200, DISKS.format(state)) for state in states])
    outcome = waited(script, Goal(vm("a"), DOWN, settled=True))["id-a"]
    assert isinstance(outcome, kind)
    assert "follow=disk_attachments.disk,nics" in script.asked[0].path


def test_disks_are_seen_through_their_machines() -> None:
    script = Script([(200, DISKS.format("locked")), (200, DISKS.format("ok"))])
    outcome = waited(script, Goal(Disk(id="d", name="x"), frozenset({"ok"}), under=vm("a")))["d"]
    assert isinstance(outcome, Disk)
    assert len(script.asked) == 2


def test_something_more_may_have_to_hold() -> None:
    there = '<vms><vm id="id-a"><name>a</name><status>up</status><host id="h{}"/></vm></vms>'
    script = Script([(200, there.format(1)), (200, there.format(2))])
    outcome = waited(script, Goal(vm("a"), UP, also=lambda found: found.host.id == "h2"))["id-a"]
    assert outcome.host.id == "h2"


def test_what_nobody_can_know_is_not_waited_for_until_the_end() -> None:
    clock = ManualClock()
    outcomes = waited(Script([listed(a="unknown")]), Goal(vm("a"), UP, limit=900.0), clock=clock)
    problem = outcomes["id-a"]
    assert isinstance(problem, FailedState) and "is not known now (unknown)" in str(problem)
    assert clock.now() < 90


def test_a_host_that_answers_again_in_time_is_fine() -> None:
    script = Script([listed(a="not_responding"), listed(a="unknown"), listed(a="up")])
    assert waited(script, Goal(vm("a"), UP))["id-a"].status == "up"


@pytest.mark.parametrize(("jobs", "lost"), [("finished", True), ("started", False)])
def test_a_lock_without_a_job_is_a_lost_task(jobs: str, lost: bool) -> None:
    def answer(request: HttpRequest) -> tuple[int, str]:
        if "/jobs" in request.path:
            return 200, f'<jobs><job id="1"><status>{jobs}</status></job></jobs>'
        return listed(a="image_locked")

    problem = waited(Script([answer]), Goal(vm("a"), DOWN, limit=20.0))["id-a"]
    assert isinstance(problem, TimedOut) and ("the task is lost" in problem.hint) is lost


@pytest.mark.parametrize(
    ("states", "words"), [(DOWN, ", wanted down"), (frozenset(VmStatus) - {VmStatus.IMAGE_LOCKED}, "")]
)
def test_a_silence_of_states_is_told(states: frozenset[str], words: str) -> None:
    clock = ManualClock()
    manager = manager_on(Script([listed(a="image_locked", b="up")]), V4, clock)
    watch, said = Watch(manager, clock), []
    watch.add("a", Goal(vm("a"), states, limit=200.0))
    while watch:
        watch.pause()
        watch.look()
        said += [manager.patience.pulse.overdue()]
    assert f"waiting at manager m: VM a: image_locked{words}" in said


def test_the_end_of_the_whole_command_is_the_end_of_each_wait() -> None:
    clock = ManualClock()
    limit = Limit(Abort(), clock, 10.0)
    manager = manager_on(Script([listed(a="image_locked")]), V4, clock)
    manager.patience = Patience(clock, limit, Pulse("m", clock))
    outcomes = until(manager, [Goal(vm("a"), DOWN, limit=900.0)], clock)
    limit.close()
    assert str(outcomes["id-a"]).startswith("VM a is still image_locked after 10 s, wanted down")
