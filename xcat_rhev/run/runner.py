"""Carries out the jobs of a plan: steps side by side, waits served by one search a tick."""

from __future__ import annotations

import heapq
import queue
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Callable, cast

from ..abort import check
from ..clock import SystemClock
from ..errors import Bug, Conflict, RhevError
from ..messages import Error, Message, error_of
from ..ordering import natural
from ..plan.jobs import Job, Said, Step, Wait
from .jobcounts import JobCounts

if TYPE_CHECKING:
    from ..engine.waiting import Watch

#: How often, in seconds, the messages of steps under way are passed on.
_GLANCE = 0.25


class Runner:
    """Carries out the jobs of one manager (or of none).

    Args:
        watch: Serves the waits; None when there is not a manager, and so no waits.
        workers: How many steps may run at once.
        aborted: Set when the person who asked went away.
        counts: Told how far it is.
        free: Called with a node when all is over that was planned for it.
    """

    def __init__(
        self,
        watch: Watch | None,
        workers: int,
        aborted: threading.Event,
        counts: JobCounts | None = None,
        free: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._watch = watch
        self._workers = workers
        self._aborted = aborted
        self._counts = counts or JobCounts(SystemClock(), {}, verbose=False)
        self._free, self._at_work = free, Counter[str]()
        self._running: dict[Future[None], _Work] = {}
        self._look: Future[Any] | None = None
        self._said: queue.SimpleQueue[tuple[_Work, Message | Job]] = queue.SimpleQueue()
        self._held: list[_Work] = []
        self._ready: list[_Work] = []
        self._numbers = count()
        self._open: Counter[str] = Counter()
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
                yield from self._progress()
                yield from self._steps_done()
                yield from self._waits_over()
                yield from self._begin(pool)
        finally:
            pool.shutdown(cancel_futures=True)
        if self._held:
            raise Bug("jobs wait for each other: " + ", ".join(work.node for work in self._held))

    def _hold(self, job: Job, by: _Work | None = None) -> None:
        """Keep a job until its time has come; whoever needs the one that planned it needs it as well."""
        work = _Work(job, next(self._numbers), by)
        self._held.append(work)
        self._at_work[work.root] += 1
        self._counts.add_planned()
        self._open.update(work.keys)

    def _over(self, work: _Work) -> None:
        """A job has ended; its keys are free when all that have them did."""
        self._counts.add_ended()
        self._open.subtract(work.keys)
        self._open += Counter()  # without those that nobody has
        self._at_work[work.root] -= 1
        if not self._at_work[work.root]:
            self._free(work.root)

    def _begin(self, pool: ThreadPoolExecutor) -> Iterator[Message]:
        """Begin steps while a worker is free; what was begun first goes on first.

        So the first job is soon finished however many there are, and one that is cut off leaves few things half made.
        Jobs whose predecessors have failed end as well.
        """
        while len(self._running) < self._workers:
            if self._ready:
                work = heapq.heappop(self._ready)
                self._running[pool.submit(_answer, work.step.do, partial(self._say, work))] = work
                continue
            fresh = self._unheld()
            if fresh is None:
                return
            lost = [] if fresh.anyhow else sorted(fresh.after & self._lost, key=natural)
            if lost and fresh.silent:
                self._drop(fresh)
            elif lost:
                yield self._fail(fresh, Conflict(f"not begun, because it needs what failed: {lost[0]}"))
            else:
                yield from self._next(fresh)

    def _unheld(self) -> _Work | None:
        """Take the first job that waits for no other."""
        for number, work in enumerate(self._held):
            if not any(key in self._open for key in work.after):
                self._counts.add_begun()
                return self._held.pop(number)
        return None

    def _fail(self, work: _Work, problem: RhevError) -> Message:
        """A job ends badly, and with it those that need it."""
        self._drop(work)
        error = error_of(problem, work.node)
        return error if problem.left_open else replace(error, text=f"{work.failed} {error.text}".strip())

    def _drop(self, work: _Work) -> None:
        self._over(work)
        self._lost |= work.keys

    def _next(self, work: _Work) -> Iterator[Message]:
        """Come to the next part of a job, or to its end."""
        part = work.take()
        if part is None:
            self._over(work)
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
            yield self._fail(work, problem)
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
            yield from self._progress()  # jobs that it planned, before it ends
            try:
                future.result()
            except RhevError as problem:
                yield self._fail(work, problem)
            else:
                yield from self._next(work)

    def _progress(self) -> Iterator[Message]:
        """What the steps have said so far; a long one shows its progress. Further jobs join those that are held."""
        while not self._said.empty():
            work, item = self._said.get()
            if isinstance(item, Job):
                self._hold(item, work)
                continue
            if isinstance(item, Error):  # what it planned is not all that was needed
                self._lost |= work.keys
            yield item

    def _say(self, work: _Work, item: Message | Job) -> None:
        """What a step says; called by its thread."""
        self._said.put((work, item))

    def _waits_over(self) -> Iterator[Message]:
        look, watch = self._look, self._watch
        if look is None or watch is None or not look.done():
            return
        self._look = None
        self._counts.set_waiting(watch, watch.states)
        for key, outcome in look.result():
            work = cast(_Work, key)
            try:
                for item in work.waits.report(outcome):
                    self._say(work, item)
                yield from self._progress()
            except RhevError as problem:
                yield self._fail(work, problem)
            else:
                yield from self._next(work)


class _Work:
    """A job under way.

    Args:
        job: The job.
        number: Its place in the order of jobs.
        by: The job that planned it.

    Attributes:
        root: Whom the job is about that was in the plan.
        silent: It only keeps books: nobody misses it where what it needs has failed.
    """

    def __init__(self, job: Job, number: int, by: _Work | None = None) -> None:
        inherited = by.keys if by else frozenset[str]()
        self.root: str = by.root if by else job.node
        self.node = job.node
        self.keys: frozenset[str] = inherited | ({job.key} - {""})
        self.after = job.after - inherited
        self.anyhow = job.anyhow
        self.silent = not any(part.says for part in job.parts)
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
