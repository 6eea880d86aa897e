"""Why machines that are off stopped by themselves: the manager's last word on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...engine.manager import Manager
from ...engine.nouns import Event, Vm
from ...engine.states import VM_OFF
from ...errors import RhevError
from ...messages import Warn

#: The engine's numbers of the events at the end of a machine: a requested one, and an unexpected one.
DOWN, DOWN_BY_ITSELF = 61, 119


def warnings(manager: Manager, machines: Iterable[Vm]) -> Iterator[Warn]:
    """A warning for each machine that is off and stopped by itself; one request for all of them, none for none.

    Without the manager's events there are no warnings.
    """
    off = {vm.id: vm.name for vm in machines if vm.status in VM_OFF}
    for id, event in _last(manager, off).items():
        if event.code == DOWN_BY_ITSELF:
            node = off[id]
            when = (event.time or "")[:19].replace("T", " ")
            yield Warn(
                f"it stopped by itself at {when}: {(event.description or '').rstrip('. ')}. Run: reventlog {node}", node
            )


def _last(manager: Manager, off: Iterable[str]) -> dict[str, Event]:
    """The newest end of each machine, by its id; managers list the newest first."""
    wanted, found = set(off), dict[str, Event]()
    try:
        events = manager.events_of((DOWN, DOWN_BY_ITSELF)) if wanted else []
    except RhevError:
        return {}
    for event in events:
        if event.vm and event.vm.id in wanted:
            found.setdefault(event.vm.id, event)
    return found
