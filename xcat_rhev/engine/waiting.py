"""Waiting for a manager: all that commands and client wait for it is waited for here.

All pending objects of one manager are looked at together: one search per kind and tick, however many there are.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Union

from ..clock import Clock, pause
from ..errors import BadAnswer, FailedState, NotFound, RhevError, TimedOut, Unreachable
from .nouns import Disk, EngineJob, Host, Noun, Ref, Snapshot, Vm
from .states import IMAGE_OK, VM_UNCERTAIN, HostStatus, ImageStatus, JobStatus, VmStatus
from .wire.unknown import unknown

if TYPE_CHECKING:
    from .api import Api

#: The wanted state of a thing that should no longer be.
GONE = "gone"
#: The state of a thing that has none, such as a network: it is there.
THERE = "there"
#: What a thing without a status element is in; engines leave it out while they do not know.
UNKNOWN = "unknown"
#: The state of a disk that could not be made, and of a VM with such a disk.
BROKEN = "illegal"

#: States in which the manager itself is at work on a disk.
LOCKED: frozenset[str] = frozenset({ImageStatus.LOCKED, VmStatus.IMAGE_LOCKED})

#: Seconds until the first look, the factor for each further one, the longest pause, and the longest after an addition.
FIRST, GROWTH, LONGEST, LONGEST_AFTER_ADD = 0.25, 1.5, 5.0, 1.0
#: Seconds for which a machine may be in a state that is not known.
UNCERTAIN_GRACE = 60.0
#: More states than this are no help to a person.
_FEW = 4
#: Seconds of `--timeout` that are kept for asking the manager why a state did not come.
LAST_WORDS = 0.5
#: A thing that is missed in so many looks in a row is gone; lists may lag behind for a moment.
MISSES = 3


@dataclass(frozen=True)
class Goal:
    """A state that something should reach.

    Attributes:
        what: The thing, with id and name.
        wanted: States that end the wait well; `GONE` for one that should vanish.
        failed: States that end it at once badly.
        grace: Seconds in which a failed state is still forgiven (non_responsive after a reboot).
        limit: Seconds after which it is given up.
        under: What the thing is listed under: a storage domain's data center, a disk's or snapshot's VM.
        settled: For a VM: its disks must be ok as well.
        also: Something more that must hold of the thing in a wanted state: that it runs on the new host, say.
        silence: Seconds for which a hypervisor may be non_responsive; 0 for as long as the limit.
        only: The attributes of the outcome that anybody asks for, besides name, id and status; none for all.
    """

    what: Noun
    wanted: frozenset[str]
    failed: frozenset[str] = frozenset()
    grace: float = 0.0
    limit: float = 180.0
    under: Noun | Ref | None = None
    settled: bool = False
    also: Callable[[Any], bool] | None = None
    silence: float = 0.0
    only: frozenset[str] = frozenset()


#: What became of a goal: the thing as it is now, None when it is gone, or why it was not reached.
Outcome = Union[Noun, RhevError, None]


@dataclass
class _Pending:
    key: Hashable
    goal: Goal
    began: float
    state: str = "not seen yet"
    misses: int = 0
    uncertain_since: float | None = None


class Watch:
    """All pending goals of one manager; true while there are any.

    One thread may look while another adds goals: they are part of the next look.

    Args:
        manager: The manager to ask.
        clock: Time.
    """

    def __init__(self, manager: Api, clock: Clock) -> None:
        self._manager = manager
        self._clock = clock
        self._aborted, self._pulse = manager.patience.aborted, manager.patience.pulse
        self._pending: list[_Pending] = []
        self._looked_at: list[_Pending] = []
        self._guard = threading.Lock()
        self._pause = FIRST
        self._next = clock.now()
        #: How many things are in which state, as last seen.
        self.states: Counter[str] = Counter()

    def __bool__(self) -> bool:
        with self._guard:
            return bool(self._pending or self._looked_at)

    def add(self, key: Hashable, goal: Goal) -> None:
        """Begin to wait for a goal.

        Args:
            key: Given back with the outcome.
            goal: The goal; its limit counts from now.
        """
        now = self._clock.now()
        with self._guard:
            waiting = self._pending or self._looked_at
            self._pause = min(self._pause, LONGEST_AFTER_ADD) if waiting else FIRST
            self._next = min(self._next, now + self._pause) if waiting else now + self._pause
            self._pending.append(_Pending(key, goal, now))

    def due(self) -> float:
        """Seconds until the next look, 0 if it is time."""
        return max(0.0, min(self._next - self._clock.now(), self._aborted.seconds_left() - LAST_WORDS))

    def pause(self) -> None:
        """Sleep until the next look is due."""
        pause(self._clock, self.due())

    def look(self) -> list[tuple[Hashable, Outcome]]:
        """Ask the manager once per kind, and give the goals that ended, with what became of each."""
        ended: list[tuple[Hashable, Outcome]] = []
        left: list[_Pending] = []
        with self._guard:
            self._looked_at, self._pending = self._pending, []
        over = self._aborted.is_set()
        for kind in _kinds(self._looked_at):
            seen, problem = ({}, self._aborted.problem()) if over else self._see(kind)
            for pending in kind:
                ends, outcome = self._blind(pending, problem) if problem else self._judge(pending, seen)
                if ends:
                    ended.append((pending.key, outcome))
                else:
                    left.append(pending)
        with self._guard:
            self._pending, self._looked_at = left + self._pending, []
            self._pause = min(self._pause * GROWTH, LONGEST)
            self._next = self._clock.now() + self._pause
        self.states = Counter(pending.state for pending in left)
        self._pulse.states(_summary(left))
        return ended

    def _see(self, kind: list[_Pending]) -> tuple[Mapping[str, Noun], RhevError | None]:
        """The things of one kind by id, or why they cannot be seen."""
        try:
            return _current(self._manager, [pending.goal for pending in kind]), None
        except RhevError as problem:
            return {}, problem

    def _judge(self, pending: _Pending, seen: Mapping[str, Noun]) -> tuple[bool, Outcome]:
        """How the goal has ended, if it has."""
        goal, found = pending.goal, seen.get(pending.goal.what.id)
        pending.misses = 0 if found else pending.misses + 1
        pending.state = _state(found, goal.settled) if found else GONE
        if pending.state in goal.wanted and (found is None or goal.also is None or goal.also(found)):
            return True, found
        if pending.misses >= MISSES:
            return True, NotFound(f"{goal.what} is gone")
        failed = pending.state in goal.failed or (goal.settled and pending.state == BROKEN)
        if failed and self._clock.now() - pending.began >= goal.grace:
            return True, self._failure(goal.what, pending.state)
        if self._uncertain(pending):
            return True, self._silent(goal) if isinstance(goal.what, Host) else FailedState(
                f"the state of {goal.what} is not known now ({pending.state}), because its host does not answer",
                "It is known again when the host answers, or was fenced: rpower HYPERVISOR boot",
            )
        return self._late(pending)

    def _uncertain(self, pending: _Pending) -> bool:
        """Whether a machine's state has been unknown for a while, or a hypervisor has not answered."""
        now, goal = self._clock.now(), pending.goal
        host = isinstance(goal.what, Host) and goal.silence > 0
        states = {HostStatus.NON_RESPONSIVE} if host else VM_UNCERTAIN if isinstance(goal.what, Vm) else frozenset()
        if pending.state not in states:
            pending.uncertain_since = None
            return False
        if pending.uncertain_since is None:
            pending.uncertain_since = now
        return now - pending.uncertain_since >= (goal.silence if host else UNCERTAIN_GRACE)

    def _silent(self, goal: Goal) -> FailedState:
        """A hypervisor that does not answer its manager."""
        said = self._failure(goal.what, HostStatus.NON_RESPONSIVE).text
        return FailedState(
            f"{said} (no answer to the manager for {goal.silence:.0f} s)",
            "Look whether its address is right, and at its network and its daemon vdsmd",
        )

    def _blind(self, pending: _Pending, problem: RhevError) -> tuple[bool, Outcome]:
        """An answer that makes no sense may be mended by the next look; no answer is the end, and so is `--timeout`."""
        if isinstance(problem, TimedOut):
            asked = problem.text != self._aborted.problem().text
            return True, unknown(problem, _open_question(pending.goal)) if asked else self._timed_out(pending)
        if isinstance(problem, Unreachable):
            return True, unknown(problem, _open_question(pending.goal))
        if not isinstance(problem, BadAnswer):
            return True, problem
        pending.state = f"unknown ({problem.text})"
        return self._late(pending)

    def _late(self, pending: _Pending) -> tuple[bool, Outcome]:
        if self._clock.now() - pending.began < pending.goal.limit and self._aborted.seconds_left() > LAST_WORDS:
            return False, None
        return True, self._timed_out(pending)

    def _timed_out(self, pending: _Pending) -> TimedOut:
        goal, waited = pending.goal, self._clock.now() - pending.began
        hint = "The manager goes on working; look again later or give a longer --timeout"
        if pending.state in LOCKED and self._aborted.seconds_left() > LAST_WORDS and self._idle():
            hint = (
                "The manager has no job for it any more, so the task is lost. Its administrator frees the lock "
                "with unlock_entity.sh on the manager"
            )
        return TimedOut(
            f"{goal.what} is still {pending.state} after {min(waited, goal.limit):.0f} s{_wanted_words(goal)}", hint
        )

    def _idle(self) -> bool:
        """Whether the manager works on nothing at all. Engines before 3.3 do not show it."""
        try:
            jobs = self._manager.list(EngineJob) if self._manager.calls.dialect.has("jobs") else None
        except RhevError:
            return False
        return jobs is not None and not any(job.status == JobStatus.STARTED for job in jobs)

    def _failure(self, what: Noun, state: str) -> FailedState:
        """A failed state, with what the engine itself says about it."""
        try:
            events = self._manager.events(what)
        except RhevError:
            events = []
        telling = [event for event in events if event.severity in ("error", "alert", "warning")] or events
        said = telling[0].description if telling else None
        return FailedState(f"{what} is {state}" + (f": {said}" if said else ""))


def until(manager: Api, goals: Iterable[Goal], clock: Clock) -> dict[str, Outcome]:
    """Wait for goals, for those who have nothing else to do.

    Args:
        manager: The manager to ask.
        goals: All of that manager.
        clock: Time.

    Returns:
        What became of each, by the id of its thing.
    """
    watch = Watch(manager, clock)
    for goal in goals:
        watch.add(goal.what.id, goal)
    outcomes: dict[str, Outcome] = {}
    while watch:
        watch.pause()
        outcomes.update((str(key), outcome) for key, outcome in watch.look())
    return outcomes


def _summary(pending: list[_Pending]) -> str:
    """What is still waited for, in a line."""
    if not pending:
        return ""
    first = pending[0]
    more = f" and {len(pending) - 1} more" if pending[1:] else ""
    return f"{first.goal.what}{more}: {first.state}{_wanted_words(first.goal)}"


def _wanted_words(goal: Goal) -> str:
    """The states that it waits for; many of them say no more than that it shall leave the others."""
    return f", wanted {' or '.join(sorted(goal.wanted))}" if len(goal.wanted) <= _FEW else ""


def _open_question(goal: Goal) -> str:
    """The question that stays open when the manager is away: whether the goal was reached."""
    few = len(goal.wanted) <= _FEW
    return (
        f"{goal.what} is {' or '.join(sorted(goal.wanted))} now" if few else f"{goal.what} has the expected state now"
    )


def _kinds(pending: list[_Pending]) -> list[list[_Pending]]:
    """Group what one request (or one batch of them) can show."""
    groups: dict[tuple[object, ...], list[_Pending]] = {}
    for each in pending:
        goal = each.goal
        # What belongs to VMs comes with one search for the VMs; all else below something has its own list.
        apart = "" if goal.under is None or _of_machine(goal) else goal.under.id
        groups.setdefault((type(goal.what), apart, goal.settled), []).append(each)
    return list(groups.values())


def _of_machine(goal: Goal) -> bool:
    return isinstance(goal.what, (Disk, Snapshot)) and isinstance(goal.under, Vm)


def _current(manager: Api, goals: list[Goal]) -> dict[str, Noun]:
    """Ask for the things of one kind, by id."""
    first = goals[0]
    if _of_machine(first):
        names = {goal.under.name for goal in goals if goal.under is not None}
        if isinstance(first.what, Snapshot):
            return {each.id: each for vm in manager.look(Vm, names, also=Snapshot) for each in vm.snapshots or ()}
        return {disk.id: disk for vm in manager.look(Vm, names, details=True) for disk in vm.disks or ()}
    kind = type(first.what)
    if first.under is not None:
        return {each.id: each for each in manager.list(kind, under=first.under)}
    names = {goal.what.name for goal in goals}
    sparing = all(goal.only for goal in goals) and not first.settled
    only = {"status"}.union(*(goal.only for goal in goals)) if sparing else ()
    return {each.id: each for each in manager.look(kind, names, details=first.settled, only=only)}


def _state(found: Noun, settled: bool) -> str:
    """A thing's state as one word; a VM whose disks are being worked on counts as image_locked."""
    state = str(getattr(found, "status", THERE) or UNKNOWN)
    if not settled or not isinstance(found, Vm):
        return state
    disks = {disk.status for disk in found.disks or () if not disk.is_lun}  # a LUN by itself has no state
    if BROKEN in disks:
        return BROKEN
    return VmStatus.IMAGE_LOCKED if disks - IMAGE_OK else state
