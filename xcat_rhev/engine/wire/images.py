"""The bytes of an image, to and from the daemon of the manager's hosts (ovirt-imageio).

Its address holds the right to use it, so it is shown nowhere. What broke off is sent or asked for again from where it
broke off: every piece says its place.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ...abort import check
from ...errors import BadAnswer, Conflict, NotFound, RhevError, Unreachable, one_line
from ...secret import Secret
from .no_answer import Trust
from .patience import Patience

T = TypeVar("T")

#: Bytes that are sent or read at once.
PIECE = 1 << 20
#: Bytes that one request asks for at most: so much is asked for again after a cut.
REQUEST = 64 << 20
#: Seconds to connect, and without a byte.
CONNECT, READ = 10.0, 120.0
#: How often in a row a request may break off.
TRIES = 6
#: More than a list of the parts of an image.
_LARGEST = 256 << 20
_BROKEN = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Extent:
    """A part of an image.

    Attributes:
        start, length: Bytes.
        zero: It reads as zeros.
        dirty: It has changed since the checkpoint that was named.
    """

    start: int
    length: int
    zero: bool = False
    dirty: bool = False


@dataclass
class ImageChannel:
    """One image at the daemon; for one thread.

    Args:
        urls: Where it is, the best address first.
        trust: What certificates are checked against.
        name: The manager's name, for errors.
        patience: How one waits.
    """

    urls: Iterable[Secret]
    trust: Trust
    name: str
    patience: Patience
    _line: http.client.HTTPSConnection | None = field(default=None, init=False)
    _path: str = field(default="", init=False)

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def write(self, start: int, data: bytes) -> None:
        """Put bytes at a place."""
        where = {"Content-Range": f"bytes {start}-{start + len(data) - 1}/*"}
        self._again(partial(self._whole, "PUT", "?flush=n", data, where))

    def zero(self, start: int, size: int) -> None:
        """Put zeros at a place."""
        self._patch({"op": "zero", "offset": start, "size": size, "flush": False})

    def flush(self) -> None:
        """Have everything on the storage."""
        self._patch({"op": "flush"})

    def _patch(self, what: Mapping[str, object]) -> None:
        self._again(partial(self._whole, "PATCH", "", json.dumps(what).encode(), {"Content-Type": "application/json"}))

    def read(self, start: int, size: int) -> Generator[bytes, None, None]:
        """Give the bytes of a place, in pieces."""
        end = start + size
        while start < end:
            last = min(start + REQUEST, end) - 1
            tries = 0
            while start <= last:
                try:
                    with closing(self._pieces(start, last)) as pieces:
                        for piece in pieces:
                            start, tries = start + len(piece), 0
                            yield piece
                except _BROKEN as problem:
                    tries += 1
                    self._bear(problem, tries)

    def _pieces(self, start: int, last: int) -> Generator[bytes, None, None]:
        answer = self._ask("GET", "", b"", {"Range": f"bytes={start}-{last}"})
        left = last - start + 1
        with closing(answer), self.patience.aborted.callback(self._cut):
            while left:
                piece = answer.read(min(PIECE, left))
                if not piece:
                    raise http.client.IncompleteRead(b"")
                left -= len(piece)
                yield piece

    def extents(self, dirty: bool = False) -> list[Extent]:
        """The parts of the image, in order.

        Args:
            dirty: Say what has changed since the checkpoint of the backup.

        Raises:
            NotFound: The backup of this disk is whole: there is no checkpoint of it.
        """
        text = self._again(partial(self._whole, "GET", f"/extents?context={'dirty' if dirty else 'zero'}", b"", {}))
        try:
            return [_extent(each) for each in json.loads(text)]
        except (ValueError, TypeError, KeyError):
            raise BadAnswer(f"a host of manager {self.name} does not say what is in the image") from None

    def can_zero(self) -> bool:
        """Whether it can write zeros by itself, as it does since 1.3."""
        try:
            told = json.loads(self._again(partial(self._whole, "OPTIONS", "", b"", {})))
            return "zero" in told.get("features", ())
        except (ValueError, AttributeError, RhevError):
            return False

    def _again(self, work: Callable[[], T]) -> T:
        """Do it until it is done; what broke off is begun anew."""
        tries = 0
        while True:
            try:
                return work()
            except _BROKEN as problem:
                tries += 1
                self._bear(problem, tries)

    def _bear(self, problem: Exception, tries: int) -> None:
        """Wait a while before the next try.

        Raises:
            Unreachable: There were enough of them.
        """
        self.close()
        check(self.patience.aborted)
        if isinstance(problem, ssl.SSLCertVerificationError) or tries >= TRIES:
            raise self._away(problem)
        self.patience.back_off(tries)

    def _away(self, problem: Exception) -> Unreachable:
        if isinstance(problem, ssl.SSLCertVerificationError):
            text = f"the certificate of the host that takes images was not signed by {self.trust.words}"
            return Unreachable(f"{text}: {problem.verify_message}", self.trust.hint, sent=False)
        said = getattr(problem, "strerror", "") or "the connection was broken off"
        return Unreachable(f"the host of manager {self.name} that takes images does not answer: {said}")

    def _whole(self, method: str, more: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        answer = self._ask(method, more, body, headers)
        with closing(answer), self.patience.aborted.callback(self._cut):
            text = answer.read(_LARGEST)
            rest = answer.read(1)
        if rest:
            raise BadAnswer(f"a host of manager {self.name} sends too much")
        return text

    def _ask(self, method: str, more: str, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """Send a request and read the head of its answer.

        Raises:
            Conflict: The host refuses.
        """
        check(self.patience.aborted)
        line = self._line or self._connect()
        with self.patience.aborted.callback(self._cut):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have said why before it hung up
                line.request(method, self._path + more, body or None, dict(headers))
            answer = line.getresponse()
            if answer.status in (200, 204, 206):
                return answer
            said = one_line(answer.read(4096).decode("utf-8", "replace"))
        self.close()
        raise self._refusal(answer.status, said)

    def _refusal(self, status: int, said: str) -> RhevError:
        """What a host says, without the address that it may repeat."""
        if status == 404:
            return NotFound("the host that gives images does not know that of the image")
        if status == 403:
            return Conflict("the manager has ended the transfer of the image")
        for step in filter(None, self._path.split("/")[2:]):
            said = said.replace(step, "...")
        return Conflict(f"the host that takes images refuses: {said[:200] or 'no reason'} (HTTP {status})")

    def _connect(self) -> http.client.HTTPSConnection:
        """Try the addresses; the last one's problem counts."""
        problem: Exception = BadAnswer(f"manager {self.name} gives no address for the image")
        for url in self.urls:
            where = urlsplit(url.reveal())
            if where.scheme != "https" or not where.hostname:
                continue
            line = http.client.HTTPSConnection(where.hostname, where.port, timeout=CONNECT, context=self.trust.context)
            try:
                line.connect()
            except _BROKEN as failed:
                line.close()
                problem = failed
                continue
            line.sock.settimeout(READ)
            self._line, self._path = line, where.path
            return line
        raise problem

    def _cut(self) -> None:
        """Break off what is waited for; called by another thread."""
        sock: Any = self._line and self._line.sock
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass


def _extent(told: Mapping[str, Any]) -> Extent:
    return Extent(int(told["start"]), int(told["length"]), bool(told.get("zero")), bool(told.get("dirty")))
