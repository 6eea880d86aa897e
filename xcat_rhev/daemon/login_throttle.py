"""Wrong passwords cost time: the wait grows with each one, by the address that asks and the name that it tries.

So one user's guesses do not keep out another, unless both come from one address, as users of a REST API do.
"""

from __future__ import annotations

import ipaddress
import threading
from typing import Callable

from ..addresses import parse_address
from ..clock import Clock

#: Wrong passwords without a wait, for those who mistype.
FREE = 5
#: Seconds to wait after each further one; the last for ever.
WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
#: Seconds after a wait when what was before is forgotten.
FORGIVEN = 3600.0
#: Pairs of address and name that are kept in mind; one who tries more names than this is held up by their number.
MOST = 10_000
#: Characters of a name that tell it from others.
NAME = 64


class LoginThrottle:
    """The wrong passwords of late. Used by many threads; none of them waits.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[tuple[str, str], tuple[int, float]] = {}
        self._guard = threading.Lock()

    def right(self, address: str, name: str, knows: Callable[[], bool]) -> bool:
        """Whether a password is right; one that comes before its time is not looked at.

        Args:
            address: The IP address that asks.
            name: The user name that was given.
            knows: Looks at it.
        """
        key = (source(address), name[:NAME])
        with self._guard:
            _, until = self._wrong.get(key, (0, 0.0))
        if self._clock.now() < until:
            return False
        right = knows()
        with self._guard:
            self._note(key, right)
        return right

    def _note(self, key: tuple[str, str], right: bool) -> None:
        """Count from what is known by now: of many guesses at the same time each counts."""
        times, until = self._wrong.pop(key, (0, 0.0))
        if right:
            return
        now = self._clock.now()
        times = 0 if now - until > FORGIVEN else times
        wait = WAITS[min(times - FREE, len(WAITS) - 1)] if times >= FREE else 0.0
        self._wrong[key] = times + 1, now + wait
        if len(self._wrong) > MOST:
            del self._wrong[next(iter(self._wrong))]


def source(address: str) -> str:
    """The key of an address. With IPv6 it is the network of 64 bits, for one machine can use all of its addresses."""
    known = parse_address(address)
    if known is None:
        return address
    return str(known if known.version == 4 else ipaddress.ip_network((int(known), 64), strict=False))
