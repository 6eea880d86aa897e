"""Managers that refused our login: they are not asked again until the passwd table changes.

A few wrong passwords lock an account, and all commands use the administrator's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ...xcat.host import Xcat

#: The engine room's message for a login that the manager refused.
SIGN = "refuses the login of"


class LoginRefusals:
    """What one process knows of refused logins.

    Args:
        xcat: The tables.
    """

    def __init__(self, xcat: Xcat) -> None:
        self._xcat = xcat
        self._known: dict[str, tuple[str, str]] = {}

    def refusals(self, nodes: Sequence[str]) -> dict[str, str]:
        """The nodes whose manager would only refuse again, with its message."""
        if not self._known:
            return {}
        managers = self._managers(nodes)
        same = {manager for manager, (used, _) in self._known.items() if used == self._login(manager)}
        return {node: self._known[manager][1] for node, manager in managers.items() if manager in same}

    def learn(self, stopped: Mapping[str, str]) -> None:
        """Remember which managers have just refused a login."""
        refused = {node: reason for node, reason in stopped.items() if SIGN in reason}
        for node, manager in self._managers(list(refused)).items():
            self._known[manager] = self._login(manager), refused[node]

    def _managers(self, nodes: Sequence[str]) -> dict[str, str]:
        rows = self._xcat.node_attrs("hypervisor", nodes, ["mgr"])
        return {node: row["mgr"] for node, row in rows.items() if row.get("mgr")}

    def _login(self, manager: str) -> str:
        """The login of a manager in the passwd table, as a digest."""
        rows = [sorted(row.items()) for key in (manager, "rhevm") for row in self._xcat.rows("passwd", {"key": key})]
        return hashlib.sha256(repr(rows).encode()).hexdigest()
