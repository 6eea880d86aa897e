"""Guests' operating systems: engines take any word, and silently change unknown ones to `other`."""

from __future__ import annotations

from difflib import get_close_matches

from ...engine.manager import Manager
from ...engine.nouns import OperatingSystem, Vm
from ...rows.vm import VmRow

#: Words that every engine takes.
_ALWAYS = frozenset({"other", "unassigned"})


class Systems:
    """What the manager knows, asked for once, and only if a row says something new.

    Args:
        manager: The manager.
    """

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._known: list[str] | None = None

    def fault(self, row: VmRow, vm: Vm | None) -> str:
        """Why a row's word is not valid, or nothing; for engines before 3.4 there is a list here."""
        word = row.os_type
        if not word or word.lower() in _ALWAYS or vm is not None and not vm.differences({"os_type": word}):
            return ""
        if self._known is None:
            self._known = self._manager.guest_systems or [system.name for system in self._manager.list(OperatingSystem)]
        if not self._known or word in self._known:
            return ""
        near = get_close_matches(word, self._known, n=5, cutoff=0.5) or self._known
        return (
            f"the manager {self._manager.name} knows no operating system {word}. "
            f"Run: chtab node={row.node} vm.guestostype= with one of: {', '.join(near)}"
        )
