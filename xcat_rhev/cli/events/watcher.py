"""The events of one manager: asked for again and again, written to nodelist.status, and passed on to programs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Protocol

from ...abort import Abort
from ...errors import BadAnswer, RhevError
from ...messages import Data, Message
from .hooks import Call, Happening, programs
from .position import Position

#: Events that are kept for a program that is slow; one that is further behind misses the oldest.
KEPT = 5000
#: Nodes whose status is written with one request.
TOGETHER = 200
#: Seconds between two looks at programs that are at work.
_GLANCE = 0.05


class EventSource(Protocol):
    """An xcatd."""

    def ask(self, command: str, *words: str) -> list[Message]:
        """Run a command to its end."""


@dataclass(frozen=True)
class Habits:
    """How events are passed on.

    Attributes:
        hooks: The folder with the programs.
        state: The folder where it is kept how far one is.
        every: Seconds between two looks.
        limit: Seconds that a program may take.
    """

    hooks: Path
    state: Path
    every: float
    limit: float


class Watcher:
    """Passes the events of one manager on.

    Args:
        manager: Its name.
        xcatd: Is asked about it.
        habits: How.
        say: Takes what a person should know.
    """

    def __init__(
        self, manager: str, xcatd: Callable[[], EventSource], habits: Habits, say: Callable[[str], None]
    ) -> None:
        self._manager, self._xcatd, self._habits = manager, xcatd, habits
        self._say = partial(_say, say, manager)
        self._position = Position(habits.state, manager)
        self._events: list[Happening] = []
        self._calls: dict[str, Call] = {}
        self._programs: dict[str, Path] = {}
        self._told: set[str] = set()
        self._trouble = ""
        known = [*self._position.done.values(), *([] if self._position.status is None else [self._position.status])]
        #: The last event that was read; None where there is no position yet.
        self._seen: int | None = min(known, default=None)

    def run(self, stopped: Abort, once: bool = False) -> None:
        """Go on until it is enough; programs that are at work then come to their end.

        Args:
            stopped: Set when it is.
            once: One look, and what came of it.
        """
        while not stopped.is_set():
            self.look()
            self._work(stopped, time.monotonic() + self._habits.every, once)
            if once:
                break
        while self._reap():
            time.sleep(_GLANCE)

    def look(self) -> None:
        """Ask once. What goes wrong is said once, and the next look tries again."""
        try:
            self._take(*self._ask())
            self._trouble = ""
        except (RhevError, OSError) as problem:
            if str(problem) != self._trouble:
                self._trouble = str(problem)
                self._say(f"is asked again: {problem}")

    def _ask(self) -> tuple[list[Happening], int]:
        after = "now" if self._seen is None else str(self._seen)
        said = self._xcatd().ask("lsve", "-m", self._manager, "--events", after)
        lines = [line for each in said if isinstance(each, Data) for line in each.text.splitlines()]
        try:
            *events, last = map(json.loads, lines)
            return events, int(last["newest"])
        except (ValueError, KeyError, TypeError) as problem:
            raise BadAnswer(f"lsve --events gave an unexpected answer: {problem}") from None

    def _take(self, events: Sequence[Happening], newest: int) -> None:
        """Write the status of nodes, and leave the events to the programs."""
        self._find_programs()
        if self._seen is not None and newest < self._seen and not events:
            self._say(f"the newest event has the number {newest}, after {self._seen}: it continues from there")
            self._position.begin_anew(newest)
            self._events.clear()
            self._seen = newest
        before = self._position.status
        for name in self._programs:
            self._position.done.setdefault(name, newest if before is None else before)
        self._write_statuses(each for each in events if before is None or each["id"] > before)
        self._events += events
        self._position.status = max(newest, before or 0)
        self._seen = max(newest, self._seen or 0)
        self._position.write()
        self._prune()

    def _find_programs(self) -> None:
        """The programs that are there now; what is wrong with others is said once."""
        wrong: set[str] = set()
        self._programs = {path.name: path for path in programs(self._habits.hooks, wrong.add)}
        for text in sorted(wrong - self._told):
            self._say(text)
        self._told = wrong
        left = self._position.done.keys() - self._programs.keys() - self._calls.keys()
        for name in left:
            del self._position.done[name]
            self._position.begun.pop(name, None)

    def _write_statuses(self, events: Iterable[Happening]) -> None:
        """Write nodelist.status; the last event of a node decides."""
        wanted = {each["node"]: each["status"] for each in events if each.get("status")}
        when = time.strftime("%m-%d-%Y %H:%M:%S")
        for status in sorted(set(wanted.values())):
            nodes = [node for node, its in wanted.items() if its == status]
            for start in range(0, len(nodes), TOGETHER):
                words = (f"nodelist.status={status}", f"nodelist.statustime={when}")
                self._xcatd().ask("nodech", ",".join(nodes[start : start + TOGETHER]), *words)

    def _prune(self) -> None:
        """Forget what all have had; a program that is too far behind misses the oldest."""
        done = self._position.done
        least = min((done[name] for name in self._programs), default=self._position.status or 0)
        self._events = [each for each in self._events if each["id"] > least]
        if len(self._events) > KEPT:
            self._events = self._events[-KEPT:]
            first = self._events[0]["id"]
            for name in self._programs:
                if done[name] < first - 1:
                    self._say(f"{name} is too slow and misses the events {done[name] + 1} to {first - 1}")
                    done[name] = first - 1

    def _work(self, stopped: Abort, until: float, once: bool) -> None:
        """Call programs until the next look is due; with `once` until they have had everything."""
        while not stopped.is_set() and (once or time.monotonic() < until):
            busy = self._reap() + self._begin_calls()
            if once and not busy:
                return
            stopped.wait(_GLANCE if busy else max(0.0, min(until - time.monotonic(), self._habits.every)))

    def _begin_calls(self) -> int:
        """Call every program that is free for its next event; gives how many were called."""
        due = [*self._due()]
        for name, event in due:
            again = self._position.begun.get(name) == event["id"]
            self._calls[name] = Call(self._programs[name], event, self._habits.limit, again)
            self._position.begun[name] = event["id"]
        if due:
            self._position.write()
        for name, _ in due:
            self._calls[name].begin()
        return len(due)

    def _due(self) -> Iterator[tuple[str, Happening]]:
        for name in self._programs.keys() - self._calls.keys():
            done = self._position.done[name]
            event = next((each for each in self._events if each["id"] > done), None)
            if event is not None:
                yield name, event

    def _reap(self) -> int:
        """Look which programs have ended; gives how many are at work."""
        over = [name for name, call in self._calls.items() if call.is_over()]
        for name in over:
            call = self._calls.pop(name)
            if call.wrong:
                self._say(f"{name}, event {call.event['id']}: {call.wrong}")
            self._position.done[name] = call.event["id"]
            self._position.begun.pop(name, None)
        if over:
            self._position.write()
        return len(self._calls) + len(over)


def _say(say: Callable[[str], None], manager: str, text: str) -> None:
    say(f"{manager}: {text}")
