"""rvitals and rinv, cert: when the certificates of hosts, of their manager and of its CA end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timezone

from ...engine.manager import HostCertificate
from ...engine.nouns import Host
from ...engine.states import HostStatus
from ...messages import Data, Message, Warn
from ...plan.context import Context

#: Days before the end from which there is a warning as well.
NEAR = 60
WORD = "Certificate"
_UNTOLD = "end not known: the manager reports it when it is near, for hosts that are up"


def show(context: Context, hosts: Mapping[str, Host]) -> Iterator[Message]:
    """Lines about hosts, and once about their manager.

    Args:
        context: The command.
        hosts: By node.
    """
    known = context.manager.certificates_of([*hosts.values()])
    late = context.manager.too_new("certificates of hosts")
    for node, host in hosts.items():
        if late:
            yield Data(f"end not known: {late}", node, WORD)
        else:
            yield from _of_host(node, host, known.get(host.id or "") or HostCertificate())
    yield from _of_manager(context)


def _of_host(node: str, host: Host, known: HostCertificate) -> Iterator[Message]:
    if known.renewed:
        yield Data(f"renewed {known.renewed}; its new end is not known yet", node, WORD)
        return
    if known.ends is None:
        yield Data(_UNTOLD, node, WORD)
        return
    left = days(known.ends)
    yield _line(known.ends, node, WORD)
    if left <= NEAR:
        silent = left < 0 and host.status == HostStatus.NON_RESPONSIVE
        why = ", which is why the host does not answer its manager" if silent else ""
        yield Warn(f"its certificate {until(known.ends)}{why}. Run: chhypervisor {node} --renew", node)


def _of_manager(context: Context) -> Iterator[Message]:
    name = context.manager.name
    for what, end in zip((WORD, f"{WORD} of its CA"), context.manager.own_certificates()):
        if end is None:
            yield Data("not known: TLS does not show it", name, what)
            continue
        day = end.date()
        yield _line(day, name, what)
        if days(day) <= NEAR:
            yield Warn(f"{what.lower()} {until(day)}. Run on the manager: engine-setup --offline", name)


def _line(end: date, name: str, what: str) -> Data:
    return Data(until(end), name, what, fields=(("ends", end.isoformat()), ("days", days(end))))


def days(end: date) -> int:
    """Days that are left; negative after the end."""
    return (end - datetime.now(timezone.utc).date()).days


def until(end: date) -> str:
    """An end in words: `ends 2027-01-05, in 36 days`."""
    left = days(end)
    return f"ended {end}, {-left} days ago" if left < 0 else f"ends {end}, in {left} days"


def for_machines(nodes: Sequence[str]) -> Iterator[Message]:
    """The lines for virtual machines."""
    yield from (Data("none: it is a virtual machine", node, WORD) for node in nodes)
