"""What engines before 4.4 take away with a change that does not name it: a machine's serial console, and the affinity
labels of machines and hosts (VmManagementParametersBase, UpdateVmCommand, UpdateVdsCommand; seen on 4.2.8, mended in
4.3.5).

A console is named again in the change itself; API v3 and v4 have no word for labels there, so they are given back
after it. To read all of a machine costs these engines ten times what a list costs them, so only machines that are to
be changed are read so.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from .calls import Calls
from .catalog import Catalog
from .nouns import AffinityLabel, Host, Noun, Vm


class Unnamed:
    """What has to be kept for the things of one manager, for the time of one request.

    Args:
        calls: Asks the manager.
        catalog: What is there.
    """

    def __init__(self, calls: Calls, catalog: Catalog) -> None:
        self._calls, self._catalog = calls, catalog
        self._consoles: dict[str, bool | None] = {}
        self._labels: dict[str, list[AffinityLabel]] | None = None
        self._lock = threading.Lock()
        self._forgets = not calls.dialect.has("keeps_unnamed")

    def expect(self, vms: Iterable[Vm]) -> None:
        """Machines are going to be changed: their consoles are read with one search for many."""
        if self._forgets and self._calls.dialect.has("serial_consoles"):
            names = [vm.name for vm in vms if vm.console is None and vm.id not in self._consoles]
            found = self._catalog.look(Vm, names, everything=True, only={"console"})
            self._consoles.update((vm.id, vm.console) for vm in found)

    def console(self, vm: Vm, differing: dict[str, Any]) -> dict[str, Any]:
        """What to name with a change so that a machine keeps its console."""
        if "console" in differing or not self._forgets or not self._calls.dialect.has("serial_consoles"):
            return {}
        known = vm.console if vm.console is not None else self._consoles.get(vm.id)
        if known is None:
            known = self._calls.get(Vm, self._calls.path(vm), everything=True).console
        return {"console": True} if known else {}

    def labels_of(self, noun: Noun) -> list[AffinityLabel]:
        """The labels that a change of a machine or a host takes off it."""
        if not isinstance(noun, (Vm, Host)) or not self._forgets or not self._calls.dialect.since((4, 1)):
            return []
        with self._lock:
            if self._labels is None:
                self._labels = self._read_labels()
        return self._labels.get(noun.id, [])

    def _read_labels(self) -> dict[str, list[AffinityLabel]]:
        """All labels, by what has them."""
        found: dict[str, list[AffinityLabel]] = {}
        for label in self._catalog.all(AffinityLabel).values():
            for kind in (Vm, Host):
                for each in self._catalog.list(kind, under=label):
                    found.setdefault(each.id, []).append(label)
        return found

    def give_back(self, noun: Noun, labels: Iterable[AffinityLabel]) -> None:
        """Give a machine or a host its labels again, one after the other: engines read a label, add to it and write it
        as a whole, and of two at once one is lost (seen on 4.2.8).

        Raises:
            RhevError: The manager refused.
        """
        for label in labels:
            path = self._calls.collection(type(noun), label)
            with self._lock:
                self._calls.create(type(noun)(id=noun.id), path, lambda: None)
