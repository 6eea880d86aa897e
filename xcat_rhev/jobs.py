"""What a plan is made of, and the loop that carries it out.

A job is the work for one node (or one object): steps, which change one thing each, and waits between them. Jobs run
side by side without barriers: one node's disk can be made while another's is still locked. A job that needs what
another makes says so, and begins when that one has ended. Every wait of one manager is served by the same search per
tick.
"""

from __future__ import annotations

import heapq
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Callable, Union, cast

from .abort import check
from .errors import Bug, Conflict, RhevError
from .messages import Data, Message, error_of

if TYPE_CHECKING:
    from .engine.nouns import Noun
    from .engine.waiting import Goal, Watch

#: How often, in seconds, the messages of steps under way are passed on.
_GLANCE = 0.25
#: What a step may answer with; a generator's messages are passed on while it runs. Jobs are what could only be planned
#: when the step's own work was done: they are carried out as if they had been in the plan.
Said = Union[Iterable[Union[Message, "Job"]], None]


@dataclass(frozen=True)
class Step:
    """One change.

    Attributes:
        says: What it does, in a few words, for `--dry-run`: `start`, `add disk of 10 GiB on data1`;
            empty where it only speaks.
        do: Does it, and may answer with messages. May raise any RhevError; the rest of the job is then dropped.
        failed: What the error then begins with; people's scripts look for some of these texts.
    """

    says: str
    do: Callable[[], Said]
    failed: str = ""


@dataclass(frozen=True)
class Wait:
    """A state that the next step needs, or that the command promises.

    Attributes:
        says: What is awaited, for `--dry-run` and `--nowait`: `wait until up`.
        goal: Gives the goal when the wait begins; an object that an earlier step made has its id only then. None if it
            turned out by then that there is nothing to wait for; `then` is not called in that case.
        then: What to say when it is reached; gets the object as it is then (None when the goal was its removal).
        otherwise: Words the error when it is not reached, for one who can say more than the state: it may ask the
            manager what is in the way.
        failed: As for a step.
    """

    says: str
    goal: Callable[[], Goal | None]
    then: Callable[[Any], Said] = lambda _: None
    otherwise: Callable[[RhevError], RhevError] = lambda problem: problem
    failed: str = ""

    def reached(self, outcome: Noun | RhevError | None) -> Iterable[Message | Job]:
        """What to say to how it ended.

        Raises:
            RhevError: It ended badly.
        """
        if isinstance(outcome, RhevError):
            raise self.otherwise(outcome)
        return self.then(outcome) or ()


@dataclass(frozen=True)
class Job:
    """The work for one node.

    Attributes:
        node: Whom its messages and errors are about; an object's name where there is no node.
        parts: Steps and waits in order; none means that all is as wanted.
        idle: What to say when there are no parts.
        key: What others call it in their `after`; empty if nobody does.
        after: Keys of jobs that must have ended well before it begins. A key that no job of the same run has is
            taken for something that is there already.
    """

    node: str
    parts: Sequence[Step | Wait] = ()
    idle: str = "nothing to do"
    key: str = ""
    after: frozenset[str] = frozenset()

    def without_last_waits(self) -> Job:
        """The same job for `--nowait`: it ends when its last step is accepted."""
        parts = list(self.parts)
        while parts and isinstance(parts[-1], Wait):
            parts.pop()
        if len(parts) < len(self.parts):
            parts.append(Step("say that it is accepted", lambda: [Data("accepted", self.node)]))
        return replace(self, parts=parts)

    def described(self) -> Iterator[Message]:
        """What `--dry-run` shows."""
        for part in self.parts:
            if part.says:
                yield Data(part.says, self.node)
        if not self.parts:
            yield Data(self.idle, self.node)


class Runner:
    """Carries out the jobs of one manager (or of none).

    Args:
        watch: Serves the waits; None when there is no manager, and so no waits.
        workers: How many steps may run at once.
        aborted: Set when the person who asked went away.
    """

    def __init__(self, watch: Watch | None, workers: int, aborted: threading.Event) -> None:
        self._watch = watch
        self._workers = workers
        self._aborted = aborted
        self._running: dict[Future[None], _Work] = {}
        self._look: Future[Any] | None = None
        self._said: queue.SimpleQueue[Message | Job] = queue.SimpleQueue()
        self._held: list[_Work] = []
        self._ready: list[_Work] = []
        self._numbers = count()
        self._open: set[str] = set()
        self._lost: set[str] = set()

    def run(self, jobs: Iterable[Job]) -> Iterator[Message]:
        """Carry them out and give their messages as they come; an error ends its own job only.

        Raises:
            Aborted: The person who asked went away; steps under way were broken off, no further one was begun.
        """
        pool = ThreadPoolExecutor(self._workers, "step")
        try:
            for job in jobs:
                self._hold(job)
            yield from self._begin(pool)
            while self._running or self._look or self._watch:
                check(self._aborted)
                self._pause(pool)
                yield from self._heard()
                yield from self._steps_done()
                yield from self._waits_over()
                yield from self._begin(pool)
        finally:
            pool.shutdown(cancel_futures=True)
        if self._held:
            raise Bug("jobs wait for each other: " + ", ".join(work.node for work in self._held))

    def _hold(self, job: Job) -> None:
        """Keep a job until its time has come."""
        self._held.append(_Work(job, next(self._numbers)))
        self._open |= {job.key} - {""}

    def _begin(self, pool: ThreadPoolExecutor) -> Iterator[Message]:
        """Begin steps while a worker is free; what was begun first goes on first.

        So the first job is soon finished however many there are, and one that is cut off leaves few things half made.
        Jobs whose predecessors have failed end as well.
        """
        while len(self._running) < self._workers:
            if self._ready:
                work = heapq.heappop(self._ready)
                self._running[pool.submit(_answer, work.step.do, self._said.put)] = work
                continue
            fresh = self._unheld()
            if fresh is None:
                return
            lost = sorted(fresh.after & self._lost)
            if lost:
                yield self._failed(fresh, Conflict(f"not begun, because it needs what failed: {lost[0]}"))
            else:
                yield from self._next(fresh)

    def _unheld(self) -> _Work | None:
        """Take the first job that waits for no other."""
        for number, work in enumerate(self._held):
            if not work.after & self._open:
                return self._held.pop(number)
        return None

    def _failed(self, work: _Work, problem: RhevError) -> Message:
        """A job ends badly, and with it those that need it."""
        self._open.discard(work.key)
        self._lost.add(work.key)
        error = error_of(problem, work.node)
        return replace(error, text=f"{work.failed} {error.text}".strip())

    def _next(self, work: _Work) -> Iterator[Message]:
        """Come to the next part of a job, or to its end."""
        part = work.take()
        if part is None:
            self._open.discard(work.key)
            return
        if isinstance(part, Step):
            work.step = part
            heapq.heappush(self._ready, work)
            return
        assert self._watch is not None, "a wait needs a manager"
        work.waits = part
        try:
            goal = part.goal()
            if goal is not None:
                self._watch.add(work, goal)
        except RhevError as problem:
            yield self._failed(work, problem)
            return
        if goal is None:
            yield from self._next(work)

    def _pause(self, pool: ThreadPoolExecutor) -> None:
        """Begin a look if one is due, then wait until something ends or another is due. Steps go on during a look."""
        watch = self._watch
        if watch and self._look is None and watch.due() <= 0:
            self._look = pool.submit(watch.look)
        busy = [*self._running, *filter(None, [self._look])]
        if not busy:
            assert watch is not None
            watch.pause()
            return
        due = watch.due() if watch and self._look is None else _GLANCE
        wait(busy, timeout=min(due, _GLANCE), return_when=FIRST_COMPLETED)

    def _steps_done(self) -> Iterator[Message]:
        for future in [future for future in self._running if future.done()]:
            work = self._running.pop(future)
            try:
                future.result()
            except RhevError as problem:
                yield self._failed(work, problem)
            else:
                yield from self._next(work)

    def _heard(self) -> Iterator[Message]:
        """What the steps have said so far; a long one shows its progress. Further jobs join those that are held."""
        while not self._said.empty():
            item = self._said.get()
            if isinstance(item, Job):
                self._hold(item)
            else:
                yield item

    def _waits_over(self) -> Iterator[Message]:
        look = self._look
        if look is None or not look.done():
            return
        self._look = None
        for key, outcome in look.result():
            work = cast(_Work, key)
            try:
                for item in work.waits.reached(outcome):
                    self._said.put(item)
                yield from self._heard()
            except RhevError as problem:
                yield self._failed(work, problem)
            else:
                yield from self._next(work)


class _Work:
    """A job under way.

    Args:
        job: The job.
        number: Its place in the order of jobs.
    """

    def __init__(self, job: Job, number: int) -> None:
        self.node, self.key, self.after = job.node, job.key, job.after
        self.step: Step
        self.waits: Wait
        self._number = number
        self.failed = ""
        self._parts = iter(job.parts)

    def __lt__(self, other: _Work) -> bool:
        return self._number < other._number

    def take(self) -> Step | Wait | None:
        part = next(self._parts, None)
        self.failed = part.failed if part else ""
        return part


def _answer(do: Callable[[], Said], say: Callable[[Message | Job], None]) -> None:
    for message in do() or ():
        say(message)
