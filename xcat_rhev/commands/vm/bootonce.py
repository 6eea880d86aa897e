"""A boot order for the next start only: rsetboot notes it, rpower uses and removes it.

An engine keeps no such thing for a machine that is off; what it has is a start with other settings for that run. So the
order is noted in vm.othersettings until a start takes it along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...rows.vmsettings import read_settings, set_value
from ...xcat.host import Xcat

NAME = "bootonce"


@dataclass(frozen=True)
class BootOnce:
    """The note of one node.

    Attributes:
        node: The node.
        noted: The boot order, in the manager's words; empty for none.
        text: vm.othersettings as it is.
    """

    node: str
    noted: tuple[str, ...] = ()
    text: str = ""

    def write(self, xcat: Xcat, order: Sequence[str]) -> None:
        """Note an order; empty removes the note."""
        text = set_value(self.text, NAME, ",".join(order))
        if text != self.text:
            xcat.set_node_attrs("vm", {self.node: {"othersettings": text}})


def read_notes(xcat: Xcat, nodes: Sequence[str]) -> dict[str, BootOnce]:
    """The notes of some nodes."""
    texts = {
        node: row.get("othersettings", "") for node, row in xcat.node_attrs("vm", nodes, ["othersettings"]).items()
    }
    return {node: BootOnce(node, read_settings(text, node)[0].boot_once, text) for node, text in texts.items()}
