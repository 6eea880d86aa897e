"""What any answer may cost: time as a whole, and memory however it is packed.

A manager may be broken, or somebody else's: a byte a second keeps every time-out for silence from coming, and a few
kilobytes unpack to gigabytes.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.packages import urllib3  # type: ignore[attr-defined]

from ...abort import Abort
from ...errors import BadAnswer

#: How answers may be packed, and only once.
_GZIP = ("gzip", "x-gzip")
_PLAIN = ("", "identity")


class _Ends:
    """Sets aborts when their time is over; one thread for all of them, as most end before."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, list[Abort]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, seconds: float, over: Abort) -> Iterator[None]:
        """Set an abort unless the block ends before."""
        held = [over]
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._order), held))
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ends", daemon=True)
                self._thread.start()
            self._changed.notify()
        try:
            yield
        finally:
            held.clear()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait(self._patience())
                now, due = time.monotonic(), []
                while self._waiting and (not self._waiting[0][2] or self._waiting[0][0] <= now):
                    due += heapq.heappop(self._waiting)[2]
            for over in due:
                over.set()

    def _patience(self) -> float | None:
        return max(0.0, self._waiting[0][0] - time.monotonic()) if self._waiting else None


_ends = _Ends()


@contextmanager
def whole(seconds: float, outer: Abort) -> Iterator[Abort]:
    """Give an abort that is set when an answer has taken too long as a whole, or when it is no longer wanted.

    Args:
        seconds: For the connection, its handshake, the head and the body together.
        outer: Set when it is no longer wanted.
    """
    over = Abort()
    with outer.callback(over.set), _ends.within(seconds, over):
        yield over


def pieces(answer: requests.Response, size: int) -> Iterator[bytes]:
    """The body of an answer, unpacked, in pieces that are never larger than they may be.

    Args:
        answer: An answer whose body has not been read.
        size: Bytes of a piece at most.

    Raises:
        BadAnswer: It is packed in a way that was not asked for, or damaged.
        requests.RequestException: It ended early, or nothing came for too long.
    """
    packed = answer.headers.get("Content-Encoding", "").strip().lower()
    if packed not in (*_GZIP, *_PLAIN):
        raise BadAnswer(f"the manager compresses its answer with '{packed[:40]}', which was not requested")
    raw = _raw(answer, size)
    return _unpack(raw, size) if packed in _GZIP else raw


def _raw(answer: requests.Response, size: int) -> Iterator[bytes]:
    """What comes over the wire, chunks put together, with the library's own errors as those of `requests`."""
    stream: Any = answer.raw
    try:
        yield from stream.stream(size, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError as problem:
        raise requests.exceptions.ConnectionError(problem) from problem
    except urllib3.exceptions.HTTPError as problem:
        raise requests.exceptions.ChunkedEncodingError(problem) from problem


def _unpack(raw: Iterator[bytes], size: int) -> Iterator[bytes]:
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for packed in raw:
            while packed and not unpack.eof:
                yield unpack.decompress(packed, size)
                packed = unpack.unconsumed_tail
    except zlib.error as problem:
        raise BadAnswer(f"the manager's compressed answer is damaged: {problem}") from None
    if not unpack.eof:
        raise requests.exceptions.ChunkedEncodingError("the compressed answer ended early")
