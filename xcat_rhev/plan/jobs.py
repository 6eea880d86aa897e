"""What a plan is made of, and the loop that carries it out.

A job is the work for one node (or one object): steps, which change one thing each, and waits between them. Jobs run
side by side without barriers: one node's disk can be made while another's is still locked. A job that needs what
another makes says so, and begins when that one has ended. Every wait of one manager is served by the same search per
tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Union

from ..errors import RhevError
from ..messages import Data, Message

if TYPE_CHECKING:
    from ..engine.nouns import Noun
    from ..engine.waiting import Goal

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

    def report(self, outcome: Noun | RhevError | None) -> Iterable[Message | Job]:
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
        key: What others call it in their `after`; empty if none does. Jobs that its steps plan are part of it.
        after: Keys of jobs that must have ended well before it begins. A key that no job of the same run has is
            taken for something that is there already.
        anyhow: It begins when those have ended, well or badly.
    """

    node: str
    parts: Sequence[Step | Wait] = ()
    idle: str = "nothing to do"
    key: str = ""
    after: frozenset[str] = frozenset()
    anyhow: bool = False

    def without_last_waits(self) -> Job:
        """The same job for `--nowait`: it ends when its last step is accepted."""
        parts = list(self.parts)
        while parts and isinstance(parts[-1], Wait):
            parts.pop()
        if len(parts) < len(self.parts):
            parts.append(Step("say that it is accepted", lambda: [Data("accepted", self.node)]))
        return replace(self, parts=parts)

    def describe(self) -> Iterator[Message]:
        """What `--dry-run` shows."""
        for part in self.parts:
            if part.says:
                yield Data(part.says, self.node)
        if not self.parts:
            yield Data(self.idle, self.node)
