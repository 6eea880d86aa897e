"""Requests out of a stream of bytes. Pure: no socket, no clock.

A request is one element `<xcatrequest>`; its end tag is its end, wherever it is in the stream and whether a newline
follows or not. There is no length and no separator.
"""

from __future__ import annotations

from ..errors import BadAnswer

BEGIN, END = b"<xcatrequest>", b"</xcatrequest>"
#: How much may be before a request: white space, an XML declaration, a comment.
PROLOG = 64 << 10
#: How long a request may be: a tabrestore of a hundred thousand nodes is about half of this.
LONGEST = 16 << 20


class Framer:
    """Cuts one connection's bytes into requests.

    Args:
        longest: The limit for one request, in bytes.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        self._buffer = bytearray()
        self._begun = False  # the buffer starts with BEGIN
        self._seen = 0  # no end tag begins before this
        self._longest = longest

    @property
    def backlog(self) -> int:
        """How many bytes of an unfinished request are here."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and give the requests that are complete with them, without what stood around them.

        What comes behind a complete request and is none does not take the answer away: it is refused the next time.

        Raises:
            BadAnswer: This is not a request and never will be, or one beyond the limit.
        """
        self._buffer += data
        requests: list[bytes] = []
        try:
            for request in iter(self._next, None):
                requests.append(request)
        except BadAnswer:
            if not requests:
                raise
        return requests

    def _next(self) -> bytes | None:
        """Cut the next complete request off, if there is one."""
        if self._begins():
            end = self._buffer.find(END, self._seen)
            if end >= 0:
                return self._cut(end + len(END))
            self._seen = max(0, len(self._buffer) - len(END) + 1)
        if len(self._buffer) > self._longest:
            raise BadAnswer(f"a request is longer than {self._longest} bytes")
        return None

    def _begins(self) -> bool:
        """Drop what may be before a request; refuse early what can never become one."""
        if self._begun:
            return True
        blank = len(self._buffer) - len(self._buffer.lstrip())
        del self._buffer[:blank]
        if self._buffer and self._buffer[:1] != b"<":
            raise BadAnswer("this is not an xCAT request")
        begin = self._buffer.find(BEGIN, 0, PROLOG)
        if begin < 0:
            if len(self._buffer) >= PROLOG:
                raise BadAnswer("this is not an xCAT request")
            return False
        del self._buffer[:begin]
        self._begun = True
        return True

    def _cut(self, end: int) -> bytes:
        if end > self._longest:
            raise BadAnswer(f"a request is longer than {self._longest} bytes")
        request = bytes(memoryview(self._buffer)[:end])
        del self._buffer[:end]
        self._begun, self._seen = False, 0
        return request
