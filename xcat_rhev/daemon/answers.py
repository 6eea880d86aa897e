"""The way of an answer to the client: messages are collected for a moment, then sent as documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from ..messages import Message
from ..xcat import wire
from .connection import Connection
from .reply import Output, Reply

#: Seconds for which a message may wait for company.
GATHER = 0.03
#: Messages that are sent without waiting for more.
ENOUGH = 100


class Answers:
    """The answer to one request.

    Args:
        connection: The client's.
        source: The short name of this host, which clients show before errors.
    """

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection, self._source = connection, source
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._since = 0.0

    def say(self, said: Output) -> None:
        """Send a message; soon, together with those that follow at once."""
        document = self._document(said)
        with self._lock:
            first = not self._waiting
            self._waiting.append(document)
            now = time.monotonic()
            if first:
                self._since = now
            due = len(self._waiting) >= ENOUGH or now - self._since > GATHER
        if due:
            self._flush()
        elif first:
            self._connection.later(GATHER, self._late)

    def finish(self, transid: str, fields: Mapping[str, Any] | None = None) -> None:
        """Send all that waits and the last document.

        Args:
            transid: What the request had.
            fields: Other elements of the last document.
        """
        with self._lock:
            self._waiting.append(wire.write_done(transid, fields))
        self._flush()

    def _late(self) -> None:
        if self._waiting:
            self._flush(patient=False)

    def _flush(self, patient: bool = True) -> None:
        """Send what waits. The lock keeps the order; the loop never waits for it, as it empties the connection."""
        if not self._lock.acquire(blocking=patient):
            self._connection.later(GATHER, self._late)
            return
        try:
            documents, self._waiting = self._waiting, []
            if documents:
                self._connection.send(b"".join(documents), patient)
        finally:
            self._lock.release()

    def _document(self, said: Output) -> bytes:
        if isinstance(said, Reply):
            return wire.write_response(said.fields, self._source)
        message: Message = said
        return wire.write_messages((message,), self._source)
