"""The names of addresses, from a name service that may be slow, dead or somebody else's.

A name counts only if it leads back to the address: who owns an address owns what its reverse name says, `localhost`
too. Nobody waits for longer than a moment; what was found is kept for a while, what was not found for a short one.
"""

from __future__ import annotations

import socket
import threading
from functools import cache
from typing import Callable

from ..addresses import confirmed_names
from ..clock import Clock

#: Seconds that a request waits for a name; the name service goes on by itself, and later requests know.
PATIENCE = 2.0
#: Seconds for which a name is kept, and for which one does not ask again where there was none.
GOOD, BAD = 600.0, 30.0
#: Addresses that are kept in mind, and questions under way. A name service that hangs keeps each of its askers.
MOST, ASKING = 4096, 16


def confirmed_name(address: str) -> str:
    """The name of an address; empty if it has none that leads back to it."""
    return next(iter(confirmed_names(address)), "")


@cache
def own(patience: float = PATIENCE) -> str:
    """This machine's full name; the one that the kernel knows if the name service takes too long to say."""
    found = [socket.gethostname()]
    asking = threading.Thread(target=lambda: found.append(socket.getfqdn()), name="own name", daemon=True)
    asking.start()
    asking.join(patience)
    return found[-1]


class Names:
    """What is known of addresses. Used by many threads.

    Args:
        clock: Time.
        ask: Asks the name service, for as long as that takes.
        patience: Seconds that a request waits.
    """

    def __init__(self, clock: Clock, ask: Callable[[str], str] = confirmed_name, patience: float = PATIENCE) -> None:
        self._clock, self._ask, self._patience = clock, ask, patience
        self._known: dict[str, tuple[str, float]] = {}
        self._asked: dict[str, threading.Event] = {}
        self._guard = threading.Lock()

    def of(self, address: str) -> str:
        """The name of an address; empty if it has none, or if the name service takes too long to say."""
        with self._guard:
            name, until = self._known.get(address, ("", 0.0))
            if self._clock.now() < until:
                return name
            answered = self._asked.get(address) or self._begin(address)
        if answered is None:
            return ""
        if not answered.wait(self._patience):
            with self._guard:
                self._keep(address, "", BAD)  # whoever asks next does not wait as well
            return ""
        with self._guard:
            return self._known.get(address, ("", 0.0))[0]

    def _begin(self, address: str) -> threading.Event | None:
        """Have one thread ask; None if so many do already that one more would only wait."""
        if len(self._asked) >= ASKING:
            return None
        answered = self._asked[address] = threading.Event()
        try:
            threading.Thread(target=self._find, args=(address, answered), name="name", daemon=True).start()
        except RuntimeError:  # the limits of the process
            del self._asked[address]
            return None
        return answered

    def _find(self, address: str, answered: threading.Event) -> None:
        name = ""
        try:
            name = self._ask(address)
        finally:
            with self._guard:
                del self._asked[address]
                self._keep(address, name, GOOD if name else BAD)
            answered.set()

    def _keep(self, address: str, name: str, seconds: float) -> None:
        self._known.pop(address, None)
        self._known[address] = name, self._clock.now() + seconds
        if len(self._known) > MOST:
            del self._known[next(iter(self._known))]
