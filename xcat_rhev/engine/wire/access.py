"""How a manager is reached."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...secret import Secret
from .transport import READ_TIMEOUT


@dataclass(frozen=True)
class Access:
    """How a manager is reached, as the tables say it.

    Attributes:
        name: As the tables write it: `rhevm.example.com` or `host:port`.
        user: `admin@internal`; `admin` alone where the profile has to be found out.
        password: Its password.
        folder: Where the CA (`ca.crt`) and what was found out (`api`) are kept.
        ca: Empty: fetched once and pinned in the folder; `system`; or a file.
        insecure: Believe any certificate.
        old_tls: TLS below 1.2 is allowed (RHEV 3.0).
        workers: How many requests at once.
        connect_timeout: Seconds.
        api: Empty, `3` or `4`: which dialect to insist on.
        read_timeout: Seconds without a byte of an answer.
    """

    name: str
    user: str
    password: Secret
    folder: Path
    ca: str = ""
    insecure: bool = False
    old_tls: bool = False
    workers: int = 8
    connect_timeout: float = 5.0
    api: str = ""
    read_timeout: float = READ_TIMEOUT
