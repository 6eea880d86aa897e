"""reventlog: a manager's events about virtual machines and hypervisors, such as why one is down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import partial

from ..declare.command import HYPERVISOR_ROUTES, Command, CommandWords, Option, Place
from ..engine.nouns import Event, Host, Vm
from ..errors import Usage
from ..messages import Data
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from .vm.machines import find, lack_either

SPEC = Command(
    name="reventlog",
    summary="the manager's events about virtual machines and hypervisors, the newest last",
    usage="noderange [N|all] [--since TIME] [--problems]",
    place=Place.MANAGER,
    routes=HYPERVISOR_ROUTES,
    words=CommandWords(most=1),
    arguments={"N": "how many of each node, the newest ones; default 10", "all": "up to 1000 of each node"},
    options=(
        Option(("--since",), "since", "only newer ones: 30m, 12h, 7d, or 2026-11-30 or 2026-11-30T12:00", value="TIME"),
        Option(("--problems",), "problems", "only warnings, errors and alerts"),
    ),
    examples=(
        ("reventlog vm1", "why did it stop?"),
        ("reventlog hypervisors 3 --problems", "the last troubles of each"),
        ("reventlog all all --since 12h", "everything of this night"),
    ),
)

USUAL, MOST = 10, 1000
#: The severity that is not a problem.
NORMAL = frozenset({"normal", None})
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def plan(context: Context) -> Plan:
    """Find everything with one search per kind; each has a list of its own."""
    limit, since = _limit(context), _since(context)
    machines = find(context)
    rest = [node for node in context.nodes if node not in machines]
    hosts = context.manager.find(Host, rest) if rest else {}
    for node in context.nodes:
        noun: Vm | Host | None = machines.get(node) or hosts.get(node)
        if noun is None:
            yield lack_either(context, machines, node)
        else:
            yield Job(node, [Step("read its events", partial(_show, context, node, noun, limit, since))])


def _limit(context: Context) -> int:
    words = context.words
    if words and words[0] != "all" and not (words[0].isdigit() and 0 < int(words[0]) <= MOST):
        raise Usage(f"reventlog does not know '{' '.join(words)}'", f"Write a number from 1 to {MOST}, or all")
    return USUAL if not words else MOST if words[0] == "all" else int(words[0])


def _since(context: Context) -> datetime | None:
    """The moment of `--since`; a time without a zone is this machine's."""
    text: str = context.options.get("since", "")
    if not text:
        return None
    if text[:-1].isdigit() and len(text) < 8 and text[-1] in _UNITS:
        return datetime.now(timezone.utc) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise Usage(f"--since {text}: not a time", "Write 30m, 12h, 7d, 2026-11-30 or 2026-11-30T12:00") from None


def _show(context: Context, node: str, noun: Vm | Host, limit: int, since: datetime | None) -> Iterator[Data]:
    wanted = MOST if "problems" in context.options or since else limit
    events = [each for each in context.manager.events(noun, wanted) if _is_wanted(context, each, since)][:limit]
    for event in reversed(events):
        severity = event.severity or "normal"
        yield Data(f"{_when(event)} {severity}: {event.description}", node, fields=_fields(event, severity))
    if not events:
        yield Data("no such events", node)


def _fields(event: Event, severity: str) -> tuple[tuple[str, object], ...]:
    moment = event.moment
    time = moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else event.time or ""
    return ("time", time), ("severity", severity), ("id", event.id)


def _is_wanted(context: Context, event: Event, since: datetime | None) -> bool:
    if "problems" in context.options and event.severity in NORMAL:
        return False
    moment = event.moment
    return since is None or moment is None or moment >= since


def _when(event: Event) -> str:
    """The event's time on this machine's clock; as the manager writes it if that cannot be read."""
    moment = event.moment
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else event.time or "-"
