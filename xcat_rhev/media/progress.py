"""Show how far a long copy is, and let it be stopped."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

from ..abort import check
from ..clock import Clock
from ..messages import Progress
from ..units import show_size

#: Seconds between two lines.
_PAUSE = 0.25


def meter(work: Generator[int, None, None], total: int, aborted: threading.Event, clock: Clock) -> Iterator[Progress]:
    """Do the work, and say how far it is as xCAT does (`12.34%`), with its speed, four times a second at most.

    Args:
        work: Gives numbers of bytes dealt with.
        total: How many there will be.
        aborted: Set when the person who asked went away.
        clock: Time.

    Raises:
        Aborted: That person went away; the work is closed and cleans up after itself.
    """
    done, start = 0, clock.now()
    shown = start
    try:
        for count in work:
            done += count
            check(aborted)
            now = clock.now()
            if now - shown >= _PAUSE:
                shown = now
                share = min(done / total, 1) if total else 1
                yield Progress(f"{share:.2%} {show_size(done / (now - start))}/s")
    finally:
        work.close()
