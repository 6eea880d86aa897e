"""nodelist.status while the power of nodes changes: xCAT's kvm and ipmi plugins write it, and so do we."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from ..errors import RhevError
from ..messages import Message, Warn
from ..xcat.host import Row, Xcat

POWERING_ON, POWERING_OFF = "powering-on", "powering-off"
#: Values of site.nodestatus by which a site wants no status written.
_NO = ("0", "n", "no")
_COLUMNS = ("status", "statustime")


def is_wanted(xcat: Xcat) -> bool:
    """Whether the site wants nodelist.status written."""
    return xcat.site("nodestatus").lower() not in _NO


class PowerStatus:
    """Writes the status of nodes whose power was changed, when the manager has accepted that.

    So a node that reports from its boot comes later, and what it says stays.

    Args:
        xcat: Its tables.
        nodes: Those that may change.
    """

    def __init__(self, xcat: Xcat, nodes: Sequence[str]) -> None:
        self._xcat = xcat
        self._wanted = bool(nodes) and is_wanted(xcat)
        self._now: dict[str, Row] = xcat.node_attrs("nodelist", nodes, _COLUMNS) if self._wanted else {}
        self._before: dict[str, Row] = {}
        self._guard = threading.Lock()

    def write(self, node: str, status: str) -> list[Message]:
        """Write a status; the power has changed whether that succeeds or not.

        Args:
            node: The node.
            status: One of the two above, or empty for a change that does not concern the power, such as a suspend.

        Returns:
            A warning if it could not be written.
        """
        if not status or not self._wanted:
            return []
        row: Row = {"status": status, "statustime": time.strftime("%m-%d-%Y %H:%M:%S")}
        with self._guard:
            self._before[node], self._now[node] = self._now.get(node, {}), row
        return self._put(node, row)

    def take_back(self, node: str) -> None:
        """What was accepted has come to nothing, so the status is what it was, unless somebody else has written."""
        with self._guard:
            before, ours = self._before.pop(node, None), self._now.get(node)
        if before is None or ours is None:
            return
        if self._xcat.node_attrs("nodelist", [node], _COLUMNS)[node].get("status") == ours["status"]:
            self._put(node, {column: before.get(column, "") for column in _COLUMNS})

    def _put(self, node: str, row: Row) -> list[Message]:
        try:
            self._xcat.set_node_attrs("nodelist", {node: row})
        except RhevError as problem:
            return [Warn(f"nodelist.status is not written: {problem.text}", node)]
        return []
