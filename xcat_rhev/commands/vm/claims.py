"""Whether a name, an address or a MAC from a manager belongs to another node.

Users who may make machines in a manager choose names and addresses. These describe their machines; they must not take
over a node that is managed otherwise, nor a group, whose row all its members inherit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from ...xcat.host import Xcat
from .scan import Scanned, Tables

#: nodehm.mgt of virtual machines of this product.
_OURS = "rhevm"
#: Rows of tables that are not nodes and mean something.
_RESERVED = frozenset({"xcatdefaults", "service", "all"})
_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


class Claims:
    """What the tables have about some names.

    Args:
        xcat: The xCAT around.
        manager: The manager that was scanned.
        names: What it has.
    """

    def __init__(self, xcat: Xcat, manager: str, names: Sequence[str]) -> None:
        self._xcat, self._manager = xcat, manager
        self.known = {row["node"] for row in xcat.rows("nodelist") if row.get("node")}
        nodes = [name for name in names if name in self.known]
        self._mgt = xcat.node_attrs("nodehm", nodes, ["mgt"])
        self._vm, self._hypervisor = (xcat.node_attrs(table, nodes, ["mgr"]) for table in ("vm", "hypervisor"))

    def against(self, scanned: Scanned) -> str:
        """Why nothing may be written about an object; empty if it may."""
        name = scanned.name
        if name in self._groups or name in _RESERVED:
            return "is the name of a group and is not changed"
        if name in self.known and (other := self._other(scanned)):
            return f"{other} and is not changed"
        return self._owner(name, scanned.tables)

    def _other(self, scanned: Scanned) -> str:
        """What manages an existing node, if it is not this manager with the same kind of object."""
        name = scanned.name
        mgt = self._mgt[name].get("mgt", "")
        vm, hypervisor = self._vm[name].get("mgr", ""), self._hypervisor[name].get("mgr", "")
        for manager in (vm, hypervisor):
            if manager and manager != self._manager:
                return f"belongs to {manager}"
        if scanned.kind == "vm":
            if hypervisor:
                return "is a hypervisor"
            return f"is managed by {mgt}" if mgt not in ("", _OURS) else ""
        if vm or mgt == _OURS:
            return "is a virtual machine"
        return f"is managed by {mgt}, with no hypervisor.mgr" if mgt and not hypervisor else ""

    def _owner(self, name: str, tables: Tables) -> str:
        """The node whose address or MAC a new object would share."""
        address, mac = tables.get("hosts", {}).get("ip", ""), tables.get("mac", {}).get("mac", "")
        for what, owners in ((address, self._addresses), (mac.lower(), self._macs)):
            if what and owners.get(what, name) != name:
                return f"has {what}, which is {owners[what]}'s, and is not changed"
        return ""

    @cached_property
    def _groups(self) -> set[str]:
        listed = {group for row in self._xcat.rows("nodelist") for group in row.get("groups", "").split(",")}
        return listed | {row.get("groupname", "") for row in self._xcat.rows("nodegroup")}

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {row["ip"]: row["node"] for row in self._xcat.rows("hosts") if row.get("ip") and row.get("node")}

    @cached_property
    def _macs(self) -> dict[str, str]:
        rows = [(row["node"], row.get("mac", "").lower()) for row in self._xcat.rows("mac") if row.get("node")]
        return {mac: node for node, text in rows for mac in _MAC.findall(text)}
