"""The loop that carries out jobs: order within a job, no barriers between jobs, one error ends one job."""

import threading
import time
from collections import Counter
from functools import partial

import pytest

from xcat_rhev.errors import Aborted, Conflict, NotFound
from xcat_rhev.messages import Data, Error
from xcat_rhev.plan.jobs import Job, Step, Wait
from xcat_rhev.run.runner import Runner


class FakeWatch:
    """Ends every goal at the next look, with what the goal says."""

    def __init__(self):
        self.pending = []
        self.looks = 0
        self.states = Counter()

    def __bool__(self):
        return bool(self.pending)

    def add(self, key, goal):
        if isinstance(goal, NotFound):
            raise goal
        self.pending.append((key, goal))

    def due(self):
        return 0.0

    def pause(self):
        pass

    def look(self):
        self.looks += 1
        ended, self.pending = self.pending, []
        return ended


def run(jobs, watch=None, workers=4):
    return list(Runner(watch, workers, threading.Event()).run(jobs))


def step(log, word, answer=None):
    def do():
        log.append(word)
        if isinstance(answer, Exception):
            raise answer
        return [Data(answer)] if answer else None

    return Step(word, do)


def test_steps_and_waits_of_a_job_come_in_order():
    log, watch = [], FakeWatch()
    goal = Wait("until up", lambda: log.append("wait") or "vm", lambda seen: [Data(f"saw {seen}")])
    said = run([Job("vm1", [step(log, "a", "did a"), goal, step(log, "b")])], watch)
    assert log == ["a", "wait", "b"]
    assert said == [Data("did a"), Data("saw vm")]


def test_a_failed_step_drops_the_rest_of_its_own_job_only():
    log = []
    failing = Job("vm1", [step(log, "a", Conflict("it is locked")), step(log, "never")])
    said = run([failing, Job("vm2", [step(log, "b")])])
    assert said == [Error("it is locked", "vm1")]
    assert sorted(log) == ["a", "b"]


def test_a_failed_wait_drops_the_rest_of_its_job():
    log, watch = [], FakeWatch()
    said = run([Job("vm1", [Wait("until up", lambda: Conflict("went down")), step(log, "never")])], watch)
    assert (said, log) == ([Error("went down", "vm1")], [])


def test_a_goal_that_cannot_be_named_is_an_error_of_its_node():
    said = run([Job("vm1", [Wait("until up", lambda: NotFound("no id yet"))])], FakeWatch())
    assert said == [Error("no id yet", "vm1")]


def test_what_follows_a_wait_may_fail_too():
    def refuse(_):
        raise Conflict("no address")

    log = []
    said = run([Job("vm1", [Wait("until up", lambda: "vm", refuse), step(log, "never")])], FakeWatch())
    assert (said, log) == ([Error("no address", "vm1")], [])


def test_one_look_serves_all_jobs_that_wait():
    watch = FakeWatch()
    together = threading.Barrier(3, timeout=300)

    def arrive():
        together.wait()

    jobs = [Job(f"vm{i}", [Step("arrive", arrive), Wait("until up", partial(int, i))]) for i in range(3)]
    run(jobs, watch, workers=3)
    assert 1 <= watch.looks <= 3


def test_a_slow_job_holds_nobody_up():
    release, log = threading.Event(), []
    slow = Step("slow", lambda: release.wait(300) and None)
    quick = [step(log, "one"), step(log, "two"), Step("free the slow one", release.set)]
    run([Job("slow", [slow]), Job("quick", quick)], workers=2)
    assert log == ["one", "two"]


def test_no_more_steps_than_workers_at_once():
    lock, now, most = threading.Lock(), [0], [0]

    def busy():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    run([Job(str(i), [Step("busy", busy)]) for i in range(20)], workers=3)
    assert 1 <= most[0] <= 3


def test_an_abort_begins_no_further_step():
    aborted, log = threading.Event(), []
    jobs = [Job("vm1", [Step("stop", aborted.set), step(log, "never")])]
    with pytest.raises(Aborted):
        list(Runner(None, 1, aborted).run(jobs))
    assert log == []


def test_nowait_ends_with_the_last_step():
    job = Job("vm1", [Wait("a", str), Step("b", lambda: None), Wait("c", str), Wait("d", str)])
    *parts, last = job.without_last_waits().parts
    assert [part.says for part in parts] == ["a", "b"]
    assert last.do() == [Data("accepted", "vm1")]
    assert Job("vm1", [Step("b", lambda: None)]).without_last_waits().parts[-1].says == "b", "nothing was left out"
    assert [part.says for part in job.parts] == ["a", "b", "c", "d"]


def test_a_dry_run_leaves_out_what_only_speaks():
    job = Job("n", [Step("write", lambda: None), Step("", lambda: [Data("done")])])
    assert [message.text for message in job.describe()] == ["write"]


def test_a_dry_run_tells_every_part_and_an_empty_job_that_it_is_empty():
    job = Job("vm1", [Step("start", lambda: None), Wait("wait until up", str)])
    assert list(job.describe()) == [Data("start", "vm1"), Data("wait until up", "vm1")]
    assert list(Job("vm1").describe()) == [Data("nothing to do", "vm1")]


def test_a_long_step_shows_its_progress_while_it_runs():
    seen, go_on = [], threading.Event()

    def copy():
        yield Data("half")
        assert go_on.wait(300), "the first message was not passed on while the step ran"
        yield Data("whole")

    for message in Runner(None, 1, threading.Event()).run([Job("iso", [Step("copy", copy)])]):
        seen.append(message.text)
        go_on.set()
    assert seen == ["half", "whole"]


def test_what_a_step_said_before_it_failed_is_still_said():
    def copy():
        yield Data("half")
        raise Conflict("disk full")

    assert run([Job("iso", [Step("copy", copy)])]) == [Data("half"), Error("disk full", "iso")]


def test_what_was_begun_is_finished_before_the_next_is_begun():
    log = []
    jobs = [Job(name, [step(log, f"{name} first"), step(log, f"{name} second")]) for name in ("vm1", "vm2", "vm3")]
    run(jobs, workers=1)
    assert log == [f"{name} {which}" for name in ("vm1", "vm2", "vm3") for which in ("first", "second")]


def test_what_was_begun_first_goes_on_first():
    log = []
    jobs = [
        Job(f"vm{number}", [Wait("until made", lambda: "vm"), step(log, f"a{number}"), step(log, f"b{number}")])
        for number in (1, 2, 3)
    ]
    run(jobs, FakeWatch(), workers=1)
    assert log == ["a1", "b1", "a2", "b2", "a3", "b3"]


def test_steps_go_on_while_somebody_looks():
    watch, looking = FakeWatch(), threading.Event()

    def look():
        assert looking.wait(300), "the look ended the steps"
        return FakeWatch.look(watch)

    watch.look = look
    jobs = [Job("vm1", [Wait("until up", lambda: "vm")]), Job("vm2", [Step("let it look on", looking.set)])]
    assert run(jobs, watch, workers=2) == []
    assert watch.looks == 1


def test_a_goal_that_comes_during_a_look_is_part_of_the_next():
    watch, looking, second = FakeWatch(), threading.Event(), threading.Event()
    plain = watch.look

    def look():
        ended = plain()
        looking.set()
        assert second.wait(300)
        return ended

    watch.look = look

    def up(node, begins=lambda: "vm"):
        return Wait("until up", begins, lambda _: [Data("up", node)])

    late = Job("vm2", [Step("begin", lambda: looking.wait(300) and None), up("vm2", lambda: second.set() or "vm")])
    assert run([Job("vm1", [up("vm1")]), late], watch, workers=2) == [Data("up", "vm1"), Data("up", "vm2")]


def planning(log, word, *jobs):
    """A step that plans further jobs."""

    def do():
        log.append(word)
        yield from jobs

    return Step(word, do)


def test_who_needs_a_job_waits_for_those_that_it_planned():
    log, free = [], threading.Event()
    slow = Job("child", [Step("wait", lambda: free.wait(300) and None), step(log, "child")])
    jobs = [
        Job("parent", [planning(log, "parent", slow), Step("free it", free.set)], key="k"),
        Job("later", [step(log, "later")], after=frozenset({"k"})),
    ]
    run(jobs)
    assert log == ["parent", "child", "later"]


def test_grandchildren_and_what_a_wait_plans_count_as_well():
    log = []
    grandchild = Job("grandchild", [step(log, "grandchild")])
    child = Job("child", [Wait("until up", lambda: "vm", lambda _: [grandchild])])
    jobs = [
        Job("later", [step(log, "later")], after=frozenset({"k"})),
        Job("parent", [planning(log, "parent", child)], key="k"),
    ]
    run(jobs, FakeWatch())
    assert log == ["parent", "grandchild", "later"]


@pytest.mark.parametrize("workers", [1, 4])
def test_who_needs_a_job_is_not_begun_when_one_that_it_planned_fails(workers):
    log = []
    bad = Job("bad", [step(log, "bad", Conflict("refused"))])
    good = Job("good", [step(log, "good")])
    jobs = [
        Job("parent", [planning(log, "parent", bad, good)], key="k"),
        Job("later", [step(log, "later")], after=frozenset({"k"})),
    ]
    said = run(jobs, workers=workers)
    assert sorted(log) == ["bad", "good", "parent"]
    assert Error("refused", "bad") in said
    assert Error("not begun, because it needs what failed: k", "later") in said


def test_a_child_may_name_its_parent_and_its_siblings():
    log = []
    first = Job("first", [step(log, "first")], key="first")
    second = Job("second", [step(log, "second")], after=frozenset({"first", "k"}))
    run([Job("parent", [planning(log, "parent", second, first)], key="k")])
    assert log == ["parent", "first", "second"]


def test_an_error_that_a_step_only_says_counts_for_those_that_need_it():
    log = []
    jobs = [
        Job("parent", [Step("plan", lambda: [Error("no NIC eth9", "h1")])], key="k"),
        Job("later", [step(log, "later")], after=frozenset({"k"})),
    ]
    said = run(jobs)
    assert (log, said[0]) == ([], Error("no NIC eth9", "h1"))
    assert "needs what failed" in said[1].text
