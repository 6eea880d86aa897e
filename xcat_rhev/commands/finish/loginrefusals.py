"""Managers that refused our login: they are not asked again until the passwd table says something else.

A few wrong passwords lock an account, and that of the administrator is everybody's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from ...xcat.host import Xcat

#: What the engine room says of a login that the manager did not take.
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
        """Those nodes whose manager would only refuse again, and its words."""
        if not self._known:
            return {}
        managers = self._managers(nodes)
        same = {manager for manager, (used, _) in self._known.items() if used == self._login(manager)}
        return {node: self._known[manager][1] for node, manager in managers.items() if manager in same}

    def learn(self, stopped: Mapping[str, str]) -> None:
        """Take up which managers refused a login just now."""
        refused = {node: reason for node, reason in stopped.items() if SIGN in reason}
        for node, manager in self._managers(list(refused)).items():
            self._known[manager] = self._login(manager), refused[node]

    def _managers(self, nodes: Sequence[str]) -> dict[str, str]:
        rows = self._xcat.node_attrs("hypervisor", nodes, ["mgr"])
        return {node: row["mgr"] for node, row in rows.items() if row.get("mgr")}

    def _login(self, manager: str) -> str:
        """What the passwd table says for a manager, as a digest that cannot be read."""
        rows = [sorted(row.items()) for key in (manager, "rhevm") for row in self._xcat.rows("passwd", {"key": key})]
        return hashlib.sha256(repr(rows).encode()).hexdigest()
