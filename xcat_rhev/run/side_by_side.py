"""Parts of a request at the same time, their answers as they come."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable, TypeVar

from ..abort import check
from ..errors import Aborted, RhevError
from ..messages import Message, error_of

T = TypeVar("T")


#: How often, in seconds, a request that is silent is looked at: does anybody still want its answer?
_GLANCE = 0.25


def side_by_side(
    parts: Sequence[Callable[[], Iterable[T]]],
    aborted: threading.Event,
    apart: bool = False,
    silence: Callable[[], Iterable[Message]] = tuple,
) -> Iterator[T | Message]:
    """Carry out parts of a request at the same time, their answers as they come; an error ends its own part only.

    Args:
        parts: What each does.
        aborted: Ends it at once; parts that are stuck are left behind.
        apart: Even a single part may be stuck, at a manager's address that swallows everything, say.
        silence: What to say while nothing comes.

    Raises:
        Aborted: The client went away.
    """
    if len(parts) == 1 and not apart:
        yield from parts[0]()
        return
    said: queue.SimpleQueue[T | Exception | None] = queue.SimpleQueue()
    for part in parts:
        threading.Thread(target=_carry_out, args=(part, said.put), name="part", daemon=True).start()
    left = len(parts)
    while left:
        try:
            one = said.get(timeout=_GLANCE)
        except queue.Empty:
            check(aborted)
            yield from silence()
            continue
        if one is None:
            left -= 1
        elif isinstance(one, RhevError) and not isinstance(one, Aborted):
            yield error_of(one)
        elif isinstance(one, Exception):
            raise one
        else:
            yield one


def _carry_out(part: Callable[[], Iterable[T]], say: Callable[[T | Exception | None], None]) -> None:
    try:
        for one in part():
            say(one)
    except Exception as problem:  # carried to the thread that serves the request, which knows what to do
        say(problem)
    finally:
        say(None)
