"""Jobs that need what others make."""

import threading

import pytest

from xcat_rhev.errors import Bug, Conflict
from xcat_rhev.messages import Data, Error
from xcat_rhev.plan.jobs import Job, Step
from xcat_rhev.run.runner import Runner


def run(*jobs, workers=4):
    return list(Runner(None, workers, threading.Event()).run(jobs))


def saying(name, *, key="", after=(), do=None):
    def step():
        if do:
            do()
        return [Data("done", name)]

    return Job(name, [Step("do it", step)], key=key, after=frozenset(after))


def refuse():
    raise Conflict("no")


def test_a_job_begins_when_all_it_needs_has_ended():
    jobs = [saying("c", after=["a", "b"]), saying("b", key="b", after=["a"]), saying("a", key="a")]
    assert [message.node for message in run(*jobs)] == ["a", "b", "c"]


def test_jobs_that_need_nothing_do_not_wait():
    both = threading.Barrier(2, timeout=300)
    said = run(saying("a", key="a", do=both.wait), saying("b", do=both.wait), saying("c", after=["a"]))
    assert {message.node for message in said} == {"a", "b", "c"}


def test_what_needs_a_failed_job_is_not_begun_and_says_why():
    said = run(
        saying("a", key="the data center", do=refuse),
        saying("b", key="b", after=["the data center"]),
        saying("c", after=["b"]),
        saying("d"),
    )
    assert sorted((message.node, message.text) for message in said) == [
        ("a", "no"),
        ("b", "not begun, because it needs what failed: the data center"),
        ("c", "not begun, because it needs what failed: b"),
        ("d", "done"),
    ]
    assert sum(isinstance(message, Error) for message in said) == 3


def test_a_key_that_no_job_has_is_there_already():
    assert run(saying("a", after=["something"])) == [Data("done", "a")]


def test_a_job_without_parts_holds_nobody_up():
    assert run(Job("a", key="a"), saying("b", after=["a"])) == [Data("done", "b")]


def test_jobs_that_wait_for_each_other_are_a_mistake_of_ours():
    with pytest.raises(Bug, match="a, b"):
        run(saying("a", key="a", after=["b"]), saying("b", key="b", after=["a"]))


def test_a_long_chain_is_no_trouble():
    jobs = [Job(f"n{i}", key=f"k{i}", after=frozenset({f"k{i - 1}"})) for i in range(400)]
    assert run(*jobs, saying("last", after=["k399"])) == [Data("done", "last")]


def test_a_step_may_answer_with_jobs_that_could_not_be_planned_before():
    made = []

    def plan_more():
        made.append("place")
        yield Data("planned", "a")
        yield saying("b", after=["a"])
        yield Job("idle")
        yield saying("c", do=refuse)

    said = run(Job("a", [Step("plan", plan_more)], key="a"))
    assert [(m.node, m.text) for m in said] == [("a", "planned"), ("b", "done"), ("c", "no")]
