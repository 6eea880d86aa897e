"""lsve --events: a manager's events after a given one, with the nodes that they are about; for `xcat-rhev events`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ...engine.nouns import Event, Ref
from ...engine.states import HOST_COMING, HOST_LEAVING, HOST_RESTING, HostStatus, VmStatus
from ...errors import Usage
from ...messages import Data
from ...plan.context import Context, Plan
from ...rows.nodestatus import POWERING_OFF, POWERING_ON, is_wanted
from ..hypervisor import lookup
from ..vm.machines import find_named

NOW = "now"
#: How many events are requested, in turn, until they reach back far enough; 0 means all.
_LIMITS = (20, 500, 0)
#: xCAT's words for a node that a monitor has found to work, or not.
ALIVE, UNREACHABLE = "alive", "unreachable"
#: What an event may be about.
_ABOUT = ("vm", "host", "template", "storage_domain", "cluster", "data_center")
#: States that decide nothing yet: a later event will follow.
_VM_OPEN = frozenset({VmStatus.POWERING_DOWN, VmStatus.SAVING_STATE, VmStatus.IMAGE_LOCKED, VmStatus.UNASSIGNED})
_VM_RUNS = frozenset(
    {
        VmStatus.UP,
        VmStatus.POWERING_UP,
        VmStatus.WAIT_FOR_LAUNCH,
        VmStatus.REBOOT_IN_PROGRESS,
        VmStatus.MIGRATING,
        VmStatus.RESTORING_STATE,
    }
)
_HOST_OPEN: frozenset[str] = HOST_COMING | HOST_LEAVING | HOST_RESTING | {HostStatus.PENDING_APPROVAL}
_HOST_RUNS = frozenset({HostStatus.UP, HostStatus.NON_OPERATIONAL})
#: Values of nodelist.status that a stop makes wrong. Not those of an installation, during which nodes restart.
_WAS_ALIVE = frozenset({ALIVE, "booted", POWERING_ON})
_WAS_NOT = frozenset({"", UNREACHABLE, POWERING_ON, POWERING_OFF})


class NodeState(NamedTuple):
    """A node that events are about.

    Attributes:
        node: Its name.
        state: The manager's word for its state now.
        runs: Whether it works; None where that is not known.
    """

    node: str
    state: str
    runs: bool | None


def plan(context: Context) -> Plan:
    """Write one object for each event, the oldest first, and one with the newest number at the end."""
    after = _after(context.options["events"])
    newest, events = _since(context, after)
    nodes = {**_hosts(context, events), **_machines(context, events)}
    statuses = _statuses(context, list({each.node: each for each in nodes.values()}.values()))
    for event in events:
        yield Data(json.dumps(_as_object(context, event, nodes, statuses), ensure_ascii=False))
    yield Data(json.dumps({"manager": context.manager.name, "newest": newest}))


def _after(text: str) -> int | None:
    """The number after which events are wanted; None for new ones only.

    Raises:
        Usage: It is neither a number nor `now`.
    """
    if text == NOW:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Usage(f"--events {text}: not the number of an event", f"Write a number, or {NOW}")
    return int(text)


def _since(context: Context, after: int | None) -> tuple[int, list[Event]]:
    """The newest number, and the events after one; more are asked for until they reach back to it."""
    for limit in _LIMITS if after is not None else (1,):
        found = context.manager.newest_events(limit) if limit else context.manager.list(Event)
        numbers = [_number(event) for event in found]
        if after is None or not limit or len(found) < limit or min(numbers) <= after:
            break
    wanted = [event for event in found if after is not None and _number(event) > after]
    return max(numbers, default=0), sorted(wanted, key=_number)


def _number(event: Event) -> int:
    return int(event.id or 0)


def _machines(context: Context, events: Sequence[Event]) -> dict[str, NodeState]:
    """The nodes of the machines that events are about, by the machine's id."""
    refs = [event.vm for event in events if event.vm]
    nodes = _of_manager(context, "vm", [ref.name or "" for ref in refs])
    found = find_named(context, nodes, only=("status",))
    ids = {ref.id for ref in refs}
    return {vm.id or "": _machine(node, vm.status or "") for node, vm in found.items() if vm.id in ids}


def _machine(node: str, state: str) -> NodeState:
    return NodeState(node, state, None if state in _VM_OPEN else state in _VM_RUNS)


def _hosts(context: Context, events: Sequence[Event]) -> dict[str, NodeState]:
    """The nodes of the hosts that events are about, by the host's id."""
    ids = {event.host.id for event in events if event.host and not event.vm}
    if not ids:
        return {}
    found, _ = lookup.look(context, _of_manager(context, "hypervisor", [""]))
    return {host.id or "": _host(node, host.status or "") for node, host in found.items() if host.id in ids}


def _host(node: str, state: str) -> NodeState:
    return NodeState(node, state, None if state in _HOST_OPEN else state in _HOST_RUNS)


def _of_manager(context: Context, table: str, names: Sequence[str]) -> list[str]:
    """The nodes of this manager that may have these names; all of its nodes where a name is not known."""
    if not names:
        return []
    known = [row["node"] for row in context.xcat.rows("nodelist") if row.get("node")]
    nodes = known if "" in names else [node for node in known if node in set(names)]
    rows = context.xcat.node_attrs(table, nodes, ["mgr"])
    return [node for node in nodes if rows[node].get("mgr") == context.manager.name]


def _statuses(context: Context, states: Sequence[NodeState]) -> Mapping[str, str]:
    """What nodelist.status should become; nodes for which it should stay are not in it."""
    told = [each for each in states if each.runs is not None]
    if not told or not is_wanted(context.xcat):
        return {}
    rows = context.xcat.node_attrs("nodelist", [each.node for each in told], ["status"])
    return dict(_changes(told, {node: row.get("status", "") for node, row in rows.items()}))


def _changes(states: Iterable[NodeState], now: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in states:
        status = now[each.node]
        if each.runs and status in _WAS_NOT:
            yield each.node, ALIVE
        elif not each.runs and status in _WAS_ALIVE:
            yield each.node, UNREACHABLE


def _as_object(
    context: Context, event: Event, nodes: Mapping[str, NodeState], statuses: Mapping[str, str]
) -> dict[str, object]:
    """One event as an object; what is not known is not in it."""
    about: dict[str, Ref | None] = {kind: getattr(event, kind) for kind in _ABOUT}
    subject = event.vm or event.host
    concerned = nodes.get(subject.id) if subject else None
    shown = {
        "manager": context.manager.name,
        "id": _number(event),
        "code": event.code,
        "severity": event.severity or "normal",
        "time": event.time,
        "description": event.description,
        **{kind: ref.name or ref.id for kind, ref in about.items() if ref},
    }
    if concerned:
        status = statuses.get(concerned.node)
        shown |= {"node": concerned.node, "state": concerned.state, "status": status}
    return {name: value for name, value in shown.items() if value not in (None, "")}
