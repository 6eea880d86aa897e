"""lsve --metrics: counts and states of a manager in Prometheus' text format.

It costs five lists, and one TLS connection.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta, timezone

from ...engine.manager import Manager
from ...engine.nouns import Host, StorageDomain, Vm
from ...messages import Data
from ...plan.context import Context, Plan

#: Labels and their value.
Sample = tuple[Mapping[str, str], float]
#: How many events are read; more than that in an hour are not counted.
_EVENTS = 1000


def plan(context: Context) -> Plan:
    """Read everything and write it in one message: answers of several managers must not be mixed."""
    own = {"manager": context.manager.name}
    lines = (_family(name, about, own, samples) for name, about, samples in _families(context.manager))
    yield Data("\n".join(line for family in lines for line in family))


def _families(manager: Manager) -> Iterator[tuple[str, str, Iterable[Sample]]]:
    """Each metric: its name, its meaning, and its samples."""
    hosts = manager.list(Host)
    yield "rhev_machines", "Virtual machines by state.", _states(manager.list(Vm, only=("status",)))
    yield "rhev_hosts", "Hypervisors by state.", _states(hosts)
    yield "rhev_storage_bytes", "Space of storage domains.", _room(manager.list(StorageDomain))
    yield "rhev_certificate_end_timestamp_seconds", "When certificates end, as Unix time.", _ends(manager, hosts)
    yield "rhev_events_last_hour", "Events of the last hour by severity.", _events(manager)
    yield "rhev_requests", "Requests that this answer took.", [({}, manager.counts.requests)]


def _states(nouns: Iterable[Vm] | Iterable[Host]) -> list[Sample]:
    counts = Counter(noun.status or "unknown" for noun in nouns)
    return [({"status": status}, count) for status, count in sorted(counts.items())]


def _room(domains: Iterable[StorageDomain]) -> Iterator[Sample]:
    for domain in domains:
        for kind, size in (("available", domain.available), ("used", domain.used), ("committed", domain.committed)):
            if size is not None:
                yield {"storage_domain": domain.name, "kind": kind}, size


def _ends(manager: Manager, hosts: Sequence[Host]) -> Iterator[Sample]:
    """The ends of the certificates of the manager, its CA and its hosts, as far as the manager has reported them."""
    for what, end in zip(("manager", "ca"), manager.own_certificates()):
        if end is not None:
            yield {"of": what, "name": manager.name}, end.timestamp()
    known = manager.certificates_of(hosts)
    for host in hosts:
        ends = known[host.id].ends if host.id in known else None
        if ends is not None:
            yield {"of": "host", "name": host.name}, datetime.combine(ends, time(), timezone.utc).timestamp()


def _events(manager: Manager) -> list[Sample]:
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    recent = (event for event in manager.newest_events(_EVENTS) if event.moment and event.moment >= since)
    counts = Counter(event.severity or "normal" for event in recent)
    return [({"severity": severity}, count) for severity, count in sorted(counts.items())]


def _family(name: str, about: str, own: Mapping[str, str], samples: Iterable[Sample]) -> Iterator[str]:
    """One metric, as the text format of version 0.0.4 writes it."""
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        inside = ",".join(f'{key}="{_escape(text)}"' for key, text in {**own, **labels}.items())
        yield f"{name}{{{inside}}} {value:.17g}"


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
