"""Messages to systemd: the daemon serves, and regularly that it still does (sd_notify(3))."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Heartbeat:
    """Tells systemd, where it has started the daemon and wants to know.

    Args:
        environ: The process's environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{path[1:]}" if path.startswith("@") else path
        limit, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        watched = limit.isdecimal() and pid in ("", str(os.getpid()))
        #: Seconds between two beats, a third of the limit; 0 where systemd does not wait for them.
        self._pause = int(limit) / 3e6 if watched else 0.0
        self._last = 0.0

    def ready(self) -> None:
        """The daemon serves from now on."""
        self._tell(b"READY=1")

    def beat(self, now: float) -> None:
        """The loop goes round; `now` is in seconds of any clock that does not go back."""
        if self._pause and now - self._last >= self._pause:
            self._last = now
            self._tell(b"WATCHDOG=1")

    def _tell(self, text: bytes) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto(text, self._address)
        except OSError:  # systemd is busy, or gone
            return
