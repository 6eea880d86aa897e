"""How long one waits for a database server: one that is gone, cut off or frozen must not keep requests for ever.

A frozen server still acknowledges what it gets, by its kernel, so neither keep-alive nor the time-outs of TCP notice
it; and its own time-outs are frozen as well. So the time is taken here.
"""

from __future__ import annotations

import select
import time
from typing import Any

#: Seconds for one answer; more than a table may be held by another program.
ANSWER = 40
#: A server that vanishes is found out after so many seconds: first probe, pause, number of probes.
IDLE, INTERVAL, PROBES = 10, 5, 3
#: Of libpq, since 12: how many milliseconds what was sent may stay unacknowledged.
_USER_TIMEOUT = {"tcp_user_timeout": (IDLE + INTERVAL * PROBES) * 1000}


def postgresql() -> dict[str, Any]:
    """What a connection to PostgreSQL is made with; its driver waits by `_wait` from now on.

    Raises:
        ImportError: The driver is not installed.
    """
    from psycopg2 import extensions

    extensions.set_wait_callback(_wait)
    return {
        "connect_timeout": 5,
        "keepalives_idle": IDLE,
        "keepalives_interval": INTERVAL,
        "keepalives_count": PROBES,
        **(_USER_TIMEOUT if extensions.libpq_version() >= 120000 else {}),
    }


def mysql(password: str) -> dict[str, Any]:
    """What a connection to MySQL is made with.

    Args:
        password: pymysql would send a text in Latin-1, which is not what anybody else sends.
    """
    return {"connect_timeout": 5, "read_timeout": ANSWER, "write_timeout": ANSWER, "password": password.encode()}


def limit(kind: str, connection: Any) -> None:
    """Have PostgreSQL itself end queries whose client has gone; called for each new connection."""
    if kind == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{ANSWER}s'")
        connection.commit()


def _wait(connection: Any) -> None:
    """Wait until a connection has done what was asked.

    Raises:
        OperationalError: It takes too long; the driver closes the connection then.
    """
    from psycopg2 import OperationalError, extensions

    events = {extensions.POLL_READ: select.POLLIN, extensions.POLL_WRITE: select.POLLOUT}
    end = time.monotonic() + ANSWER
    while (state := connection.poll()) != extensions.POLL_OK:
        waiting = select.poll()  # not select(2), which knows a thousand files
        waiting.register(connection.fileno(), events[state])
        if not waiting.poll(max(0.0, end - time.monotonic()) * 1000):
            raise OperationalError(f"no answer within {ANSWER} s")
