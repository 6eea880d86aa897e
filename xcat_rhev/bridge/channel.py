"""One connection between the Perl shim and the agent: JSON, one object a line, both ways.

The shim sends `{"request": {...}}` first and may send `{"abort": true}` later. The agent sends any number of
`{"say": {...}}` and `{"call": N, "do": NAME, "with": [...]}`; each call is answered by `{"reply": N, "value": ...}` or
`{"reply": N, "error": TEXT}`. `{"done": true}` is the agent's last line.

What a node says and nothing else, as in `rpower stat` of a thousand, is a line of two: `["vm1", "on"]`. Perl's own
reader of JSON needs 0.1 ms for the long form, and a seventh of that for this one.
"""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, BinaryIO

from ..abort import Abort
from ..errors import Aborted, BadAnswer, RhevError

#: A request or an answer of the tables may be large (10,000 nodes), but not without bounds.
LONGEST_LINE = 64 << 20


class Channel:
    """The agent's end; several threads may say and call.

    Args:
        reader: What the shim sends.
        writer: What it gets; unbuffered or flushed by us.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._writing = threading.Lock()
        self._calling = threading.Lock()
        self._replies: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._calls = 0
        #: Set when the shim asks to stop or is gone.
        self.aborted = Abort()

    def receive(self) -> dict[str, Any]:
        """Read one line.

        Raises:
            Aborted: The other end is closed.
            BadAnswer: It is not a JSON object, or too long.
        """
        line = self._reader.readline(LONGEST_LINE + 1)
        if not line:
            raise Aborted("the xCAT plugin ended")
        if len(line) > LONGEST_LINE:
            raise BadAnswer("the xCAT plugin sent a line without end")
        try:
            item = json.loads(line)
        except ValueError:
            raise BadAnswer("the xCAT plugin sent a line that is not JSON") from None
        if not isinstance(item, dict):
            raise BadAnswer("the xCAT plugin sent a line that is not a JSON object")
        return item

    def listen(self) -> None:
        """Serve replies and aborts until the other end is closed; runs in a thread of its own."""
        try:
            while True:
                item = self.receive()
                if "reply" in item:
                    self._replies.put(item)
                elif item.get("abort"):
                    self._stop()
        except (RhevError, OSError, ValueError):
            self._stop()

    def _stop(self) -> None:
        self.aborted.set()
        self._replies.put(None)

    def send(self, item: dict[str, Any] | list[str]) -> None:
        """Send one line; a shim that is gone is noted and is no error here."""
        line = json.dumps(item, ensure_ascii=True).encode() + b"\n"
        try:
            with self._writing:
                self._writer.write(line)
                self._writer.flush()
        except (OSError, ValueError):
            self._stop()

    def call(self, name: str, *arguments: Any) -> Any:
        """Ask the shim something and wait for its reply; one call at a time.

        Raises:
            Aborted: The shim is gone.
            BadAnswer: It could not answer.
        """
        with self._calling:
            self._calls += 1
            self.send({"call": self._calls, "do": name, "with": arguments})
            reply = self._replies.get()
            if reply is None:
                self._replies.put(None)  # for whoever asks next
                raise Aborted("stopped, because the client went away")
            if reply["reply"] != self._calls:
                raise BadAnswer(f"xCAT answered call {reply['reply']} instead of {self._calls}")
        if "error" in reply:
            raise BadAnswer(f"xCAT could not do {name}: {reply['error']}")
        return reply.get("value")
