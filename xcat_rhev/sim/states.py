"""How long things stay in a state and which comes next; computed when somebody looks, from the world's clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any

from .dialect import Thing

Path = tuple[tuple[str, float], ...]

#: Operation -> the states it passes through, each with the seconds it lasts; the last one stays. An empty word
#: leaves the state as it is.
PATHS: dict[str, Path] = {
    "vm.create": (("image_locked", 0.3), ("down", 0)),
    "vm.copy": (("image_locked", 0.8), ("down", 0)),
    "vm.lock": (("image_locked", 0.8), ("down", 0)),
    "vm.start": (("wait_for_launch", 0.3), ("powering_up", 0.7), ("up", 0.2), ("up", 0)),
    "vm.start_paused": (("wait_for_launch", 0.3), ("powering_up", 0.3), ("paused", 0)),
    "vm.resume": (("paused", 0.2), ("up", 0)),
    "vm.restore": (("wait_for_launch", 0.2), ("restoring_state", 0.4), ("up", 0)),
    "vm.shutdown": (("powering_down", 0.8), ("down", 0)),
    "vm.shutdown_ignored": (("powering_down", 0.8), ("up", 0)),
    "vm.apply": (("down", 0.3), ("down", 0)),
    "vm.write": (("down", 0.1), ("down", 0)),
    "vm.stop": (("powering_down", 0.3), ("down", 0)),
    "vm.reboot": (("reboot_in_progress", 0.4), ("powering_up", 0.4), ("up", 0)),
    "vm.suspend": (("up", 0.1), ("saving_state", 0.7), ("suspended", 0)),
    "vm.migrate": (("migrating", 0.8), ("up", 0)),
    "vm.remove": (("image_locked", 0.3), ("", 0)),
    "disk.create": (("locked", 0.5), ("ok", 0)),
    "disk.update": (("locked", 0.2), ("ok", 0)),
    "disk.remove": (("locked", 0.2), ("", 0)),
    "disk.move": (("locked", 0.8), ("ok", 0)),
    "disk.sparsify": (("locked", 0.5), ("ok", 0)),
    "disk.reduce": (("locked", 0.3), ("ok", 0)),
    "backup.create": (("initializing", 0.2), ("starting", 0.2), ("ready", 0)),
    "backup.finalize": (("finalizing", 0.3), ("succeeded", 0)),
    "transfer.create": (("initializing", 0.3), ("transferring", 0)),
    "transfer.resume": (("resuming", 0.2), ("transferring", 0)),
    "transfer.finalize": (("finalizing_success", 0.4), ("finished_success", 0)),
    "transfer.cancel": (("cancelled_user", 0.1), ("finalizing_cleanup", 0.2), ("finished_failure", 0)),
    "transfer.stop": (("cancelled_system", 0.1), ("finalizing_failure", 0.2), ("finished_failure", 0)),
    "transfer.fail": (("finalizing_failure", 0.2), ("finished_failure", 0)),
    "template.create": (("locked", 0.8), ("ok", 0)),
    "template.remove": (("locked", 0.2), ("", 0)),
    "snapshot.create": (("locked", 0.6), ("ok", 0)),
    "snapshot.restore": (("locked", 0.6), ("ok", 0)),
    "snapshot.remove": (("locked", 0.3), ("", 0)),
    "host.install": (("installing", 0.8), ("non_responsive", 0.3), ("initializing", 0.3), ("up", 0)),
    "host.install_only": (("installing", 0.8), ("maintenance", 0)),
    "host.no_login": (("installing", 0.3), ("install_failed", 0)),
    "host.upgrade": (
        ("installing", 0.8),
        ("reboot", 0.3),
        ("non_responsive", 0.3),
        ("initializing", 0.3),
        ("up", 0),
    ),
    "host.enroll": (("installing", 0.6), ("maintenance", 0)),
    "host.upgrade_idle": (("installing", 0.8), ("maintenance", 0)),
    "host.approve": (("installing", 0.8), ("initializing", 0.3), ("up", 0)),
    "host.activate": (("unassigned", 0.3), ("initializing", 0.3), ("up", 0)),
    "host.deactivate": (("preparing_for_maintenance", 0.5), ("maintenance", 0)),
    "host.restart": (("reboot", 0.4), ("non_responsive", 0.4), ("initializing", 0.3), ("up", 0)),
    "host.reboot_idle": (("reboot", 0.4), ("non_responsive", 0.4), ("maintenance", 0)),
    "host.stop": (("reboot", 0.2), ("down", 0)),
    "host.unusable": (("unassigned", 0.3), ("non_operational", 0)),
    "sd.attach": (("locked", 0.4), ("maintenance", 0)),
    "sd.attach_active": (("locked", 0.4), ("activating", 0.3), ("active", 0)),
    "sd.attach_at_once": (("locked", 0), ("active", 0)),
    "sd.activate": (("activating", 0.4), ("active", 0)),
    "sd.activate_30": (("locked", 0.4), ("active", 0)),
    "sd.deactivate": (("locked", 0.4), ("preparing_for_maintenance", 0.2), ("maintenance", 0)),
    "sd.deactivate_30": (("locked", 0.4), ("maintenance", 0)),
    "sd.detach": (("detaching", 0.3), ("unattached", 0)),
}

#: Operation (or its noun) -> where it ends when it fails.
FAILURES = {
    "vm.start": "down",
    "vm.start_paused": "down",
    "vm.restore": "suspended",
    "vm.suspend": "up",
    "vm.migrate": "up",
    "vm.shutdown": "up",
    "vm.create": "down",
    "vm.copy": "image_illegal",
    "disk.create": "illegal",
    "disk.update": "ok",
    "disk.remove": "illegal",
    "disk.move": "ok",
    "disk.sparsify": "ok",
    "disk.reduce": "ok",
    "backup.create": "failed",
    "backup.finalize": "failed",
    "transfer.create": "paused_system",
    "transfer.finalize": "finished_failure",
    "template.create": "illegal",
    "host.install": "install_failed",
    "host.approve": "install_failed",
    "host.upgrade": "install_failed",
    "host.upgrade_idle": "install_failed",
    "host.enroll": "install_failed",
    "host.activate": "non_operational",
    "host.deactivate": "up",
    "sd.deactivate": "active",
    "sd.deactivate_30": "active",
    "sd.attach": "inactive",
    "sd.attach_active": "inactive",
    "sd.attach_at_once": "inactive",
    "sd.activate": "inactive",
    "sd.activate_30": "inactive",
}


#: Operation -> the code of the event that says that it failed; 119 for all others.
FAILURE_CODES = {"disk.move": 2011, "disk.sparsify": 1327, "disk.reduce": 383}


def delays(factor: float = 1.0, own: dict[str, list[float]] | None = None) -> dict[str, Path]:
    """Make the table of paths with other delays.

    Args:
        factor: What every delay is multiplied with; 0 makes everything instant.
        own: Operation -> seconds for its states in order; these are not multiplied.

    Raises:
        KeyError: An operation that does not exist, named.
    """
    table = {name: tuple((word, seconds * factor) for word, seconds in path) for name, path in PATHS.items()}
    for name, seconds in (own or {}).items():
        waits = [*seconds, *([0.0] * len(table[name]))]
        table[name] = tuple((word, wait) for (word, _), wait in zip(table[name], waits))
    return table


class Schedule:
    """What will happen to which thing and when: a heap of plain lists, so that it can be kept in a file."""

    def __init__(self) -> None:
        self._heap: list[list[Any]] = []
        self._count = 0

    def add(self, due: float, thing: Thing, rest: Path, end: Thing) -> None:
        """Plan the next state of a thing.

        Args:
            due: The world's time at which it comes.
            thing: Its `turn` is remembered; a later operation makes this plan void.
            rest: The states to come.
            end: What else to do when the last one is reached.
        """
        self._count += 1
        steps = [list(step) for step in rest]
        heapq.heappush(self._heap, [due, self._count, thing["kind"], thing["id"], thing["turn"], steps, end])

    def due(self, now: float) -> Iterator[list[Any]]:
        """Take out, in order, what should have happened by now."""
        while self._heap and self._heap[0][0] <= now:
            yield heapq.heappop(self._heap)

    def moves(self, thing: Thing) -> bool:
        """Tell whether another state of a thing is still to come."""
        wanted = (thing["kind"], thing["id"], thing["turn"])
        return any(tuple(entry[2:5]) == wanted for entry in self._heap)

    def next(self) -> float | None:
        """Give the time of the next event, if there is one."""
        return self._heap[0][0] if self._heap else None

    def dump(self) -> list[list[Any]]:
        """Give everything as plain lists."""
        return list(self._heap)

    def load(self, kept: list[list[Any]]) -> None:
        """Take over what `dump` gave."""
        self._heap = kept
        heapq.heapify(self._heap)
        self._count = max((entry[1] for entry in kept), default=0)


Effect = Callable[[Any, Thing, Thing], None]
#: Name -> what happens beside the state when an operation ends: `effect(world, thing, end)`.
EFFECTS: dict[str, Effect] = {}


def effect(name: str) -> Callable[[Effect], Effect]:
    """Register what happens when an operation ends, under a name that a state file can hold."""

    def keep(done: Effect) -> Effect:
        EFFECTS[name] = done
        return done

    return keep
