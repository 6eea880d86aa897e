"""How a command waits for a manager: on which clock, until when, and how it reports that."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ...abort import Abort
from ...clock import Clock, pause
from .pulse import Pulse

#: Seconds before the second try, and the longest pause; each further one is twice as long.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0


@dataclass(frozen=True)
class Patience:
    """What all who wait within one request share.

    Attributes:
        clock: Time.
        aborted: Set when the answer is no longer wanted, or the time is over.
        pulse: Told what is waited for.
    """

    clock: Clock
    aborted: Abort
    pulse: Pulse

    def back_off(self, tries: int) -> None:
        """Wait before the next try: twice as long each time, not in step with others, and not beyond the end.

        Args:
            tries: How many there were.
        """
        longest = min(FIRST_PAUSE * 2 ** (min(tries, 10) - 1), LONGEST_PAUSE)
        seconds = longest * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, not a secret
        pause(self.clock, min(seconds, self.aborted.seconds_left()))
