"""When the certificate that a manager shows ends, and that of the CA which signed it: read from TLS itself."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from ...errors import Unreachable
from .no_answer import Trust


def ends(origin: str, trust: Trust, name: str, seconds: float) -> tuple[datetime | None, datetime | None]:
    """When they end: the manager's own and its CA's; None for what TLS does not tell.

    Args:
        origin: `https://host:port`.
        trust: What is believed. Where everybody is, nothing is read.
        name: The manager's name, for errors.
        seconds: How long to wait for it.

    Raises:
        Unreachable: It does not answer, or its certificate is not believed.
    """
    if trust.context.verify_mode != ssl.CERT_REQUIRED:
        return None, None
    shown = _certificate(origin, trust.context, name, seconds)
    return _end(shown), _end(_issuer(shown, trust.context.get_ca_certs()))


def _certificate(origin: str, context: ssl.SSLContext, name: str, seconds: float) -> Mapping[str, Any]:
    where = urlsplit(origin)
    try:
        with socket.create_connection((where.hostname or "", where.port or 443), seconds) as plain:
            with context.wrap_socket(plain, server_hostname=where.hostname) as channel:
                return channel.getpeercert() or {}
    except OSError as problem:
        raise Unreachable(f"manager {name} shows no certificate: {problem}", sent=False) from None


def _issuer(shown: Mapping[str, Any], known: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((each for each in known if each.get("subject") == shown.get("issuer")), {})


def _end(certificate: Mapping[str, Any]) -> datetime | None:
    text = certificate.get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(text)), timezone.utc) if text else None
