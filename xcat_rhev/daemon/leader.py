"""Which thread runs the loop.

Most requests are served in less time than it takes to hand them to another thread. So the loop's own thread serves each
as soon as it is there; one that takes longer keeps its thread, and a new one goes on with the loop.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable

from ..errors import Bug
from .loop import Loop
from .turns import Client, Turn, Turns

log = logging.getLogger(__name__)

#: Seconds that a request may keep the loop waiting.
PATIENCE = 0.01
#: Seconds between two looks at it, and looks without any request before one waits for the next request instead.
PAUSE, LOOKS = 0.01, 10


#: Of a request that is served first.
NOBODY = Client()


class Leader:
    """Runs a loop, and the requests that come in by it.

    Args:
        loop: The loop whose thread changes.
        most: How many requests are served at once; further ones wait their turn.
    """

    def __init__(self, loop: Loop, most: int) -> None:
        self._loop, self._turns = loop, Turns(most)
        self._changed = threading.Condition()
        self._shift = self._begun = 0
        #: Since when the thread on duty has been at a request.
        self._since: float | None = None
        self._asleep = self._over = False
        self._failure: BaseException | None = None

    def add(self, serve: Callable[[], None], client: Client = NOBODY) -> None:
        """Have a request served soon; it must not raise. Only for the loop's thread."""
        with self._changed:
            self._turns.add(client, serve)

    def run(self) -> None:
        """Run the loop in other threads until it is stopped; this one sees to it that none is kept for long.

        Raises:
            Bug: The loop has ended by itself.
        """
        self._relieve()
        while not self._over:
            self._sleep()
            self._watch()
        if self._failure:
            raise Bug("xcatd ended because of a mistake in it", Bug.LOGS)

    def hand_over(self) -> None:
        """The calling thread's request is one that takes long: do not wait until that shows."""
        if self._loop.mine:
            self._relieve()

    def wait(self, seconds: float) -> bool:
        """Wait until no request is under way.

        Returns:
            Whether that came true in time.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._turns.under_way, seconds)

    # The thread on duty.

    def _work(self, shift: int) -> None:
        try:
            over = self._loop.run(lambda: self._serve(shift))
        except BaseException as problem:
            over, self._failure = True, problem
            log.critical("the loop has ended", exc_info=problem)
        if over:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _serve(self, shift: int) -> bool:
        """Serve what waits: of the ordinary requests one, as there may be many; tells whether it is still on duty."""
        turn, ordinary = self._begin(0), 0
        while turn:
            ordinary += not turn.client.first
            try:
                turn.serve()
            finally:
                goes_on = self._end(shift, turn)
            if not goes_on:
                return False
            self._loop.make_calls()
            turn = self._begin(ordinary)
        return True

    def _begin(self, ordinary: int) -> Turn | None:
        """Take the next request; after an ordinary one the loop looks first whether somebody else has come."""
        with self._changed:
            turn = self._turns.next(first_only=ordinary > 0)
            if turn:
                self._begun += 1
                self._since = time.monotonic()
                if self._asleep:
                    self._changed.notify_all()
            elif ordinary and self._turns.can_go_on:
                self._loop.call(_nothing)
        return turn

    def _end(self, shift: int, turn: Turn) -> bool:
        with self._changed:
            self._turns.finish(turn.client)
            self._changed.notify_all()
            if shift == self._shift:
                self._since = None
                return True
        self._loop.call(_nothing)  # a request may have waited for this one's end
        return False

    # The thread that watches.

    def _sleep(self) -> None:
        """Wait for a request: looking at nothing a hundred times a second would keep a processor awake."""
        with self._changed:
            self._asleep = True
            self._changed.wait_for(lambda: self._since is not None or self._over)
            self._asleep = False

    def _watch(self) -> None:
        """Look until no request has come for a while."""
        begun, looks = self._begun, 0
        while looks < LOOKS and not self._over:
            time.sleep(PAUSE)
            since = self._since
            if since is not None and time.monotonic() - since >= PATIENCE:
                self._relieve()
            begun, looks = self._begun, 0 if self._begun != begun else looks + 1

    def _relieve(self) -> None:
        """Have a new thread go on with the loop, unless the one on duty came back to it just now."""
        with self._changed:
            if self._shift and self._since is None:
                return
            shift = self._shift + 1
            # a daemon thread: one that hangs in somebody else's library must not keep the process alive
            thread = threading.Thread(target=self._work, args=(shift,), name=f"duty-{shift}", daemon=True)
            try:
                thread.start()
            except RuntimeError as problem:  # the limits of the process; the others wait for this one then
                if not self._shift:
                    raise
                log.error("a request keeps the others waiting: %s", problem)
                return
            self._since, self._shift = None, shift


def _nothing() -> None:
    """Called by the loop so that it goes round."""
