"""When hosts' certificates end. No document of a host tells it; the manager looks daily and writes an event.

It looks at hosts that are up or non-operational, and is silent while the end is far: more than a year in 4.5, more
than a month before (CertificationValidityChecker, CertExpirationWarnPeriodInDays).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ..nouns import Event, Host
from ..states import HostStatus

if TYPE_CHECKING:
    from ..api import Api

#: AuditLogType: about to expire, expired, about to expire at once, enrolled again.
_ABOUT_TO, _EXPIRED, _SOON, ENROLLED = 845, 877, 879, 881
#: AuditLogType: enrolling failed.
NOT_ENROLLED = 882
_TELLING = (_ABOUT_TO, _EXPIRED, _SOON, ENROLLED)
#: Events of all hosts together that are read, and of each host that does not answer.
_MOST, _MOST_OF_ONE = 1000, 200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class HostCertificate:
    """What is known of a host's certificate.

    Attributes:
        ends: The last day; None where the manager has not told it.
        renewed: The day on which it was enrolled, if that was the last that was told.
    """

    ends: date | None = None
    renewed: date | None = None


def certificates(api: Api, hosts: Sequence[Host]) -> dict[str, HostCertificate]:
    """What is known of hosts' certificates, by the host's id: one list, and one more of each silent host not on it."""
    if not hosts or not api.calls.dialect.has("certificates"):
        return {}
    where = " or ".join(f"type={code}" for code in _TELLING)
    told = _newest(api.calls.list(Event, api.calls.collection(Event), where, limit=_MOST))
    for host in hosts:
        if host.id not in told and host.status == HostStatus.NON_RESPONSIVE:
            told.update(_newest(each for each in api.events(host, _MOST_OF_ONE) if each.code in _TELLING))
    return {host.id: told.get(host.id, HostCertificate()) for host in hosts}


def enrolment_outcome(api: Api, host: Host, event_id: int) -> str | None:
    """How an enrolment ended that began after an event: empty for well, words for badly, None while it has not."""
    for event in api.events(host, 10):
        if int(event.id or 0) > event_id and event.code in (ENROLLED, NOT_ENROLLED):
            return "" if event.code == ENROLLED else event.description or "no reason"
    return None


def _newest(events: Iterable[Event]) -> dict[str, HostCertificate]:
    """The newest word about each host."""
    found: dict[str, HostCertificate] = {}
    for event in sorted(events, key=lambda each: int(each.id or 0), reverse=True):
        if event.host is not None:
            found.setdefault(event.host.id, _certificate(event))
    return found


def _certificate(event: Event) -> HostCertificate:
    if event.code == ENROLLED:
        return HostCertificate(renewed=_day((event.time or "")[:10]))
    return HostCertificate(ends=_day(event.description or ""))


def _day(text: str) -> date | None:
    found = _DATE.search(text)
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
