"""The end of an install of a full Linux by the embedded xcatd: the node starts from its disk from then on."""

from __future__ import annotations

import re

from ...declare.command import FULL_LINUX
from ...errors import Conflict
from ...messages import Data, Error
from ...xcat.host import Xcat
from .reports import TRY_AGAIN, note
from .setups import HOST

INSTALLED = "installed"
_STATE = re.compile(f"install (?:{FULL_LINUX})")


def check_full_install(xcat: Xcat, node: str) -> None:
    """Check that a full Linux is being installed on a node, or has been.

    Raises:
        Conflict: It is not.
    """
    state = _state(xcat, node)
    if state != "boot" and not _STATE.match(state):
        raise Conflict(
            f"no full Linux is being installed on it, its state is {state or 'unknown'}",
            f"See 'nodels {node} chain.currstate'",
        )


def finish_full_install(xcat: Xcat, node: str) -> Data | Error:
    """Let a node start from its disk, and write nodelist.status; a second report changes nothing."""
    row = xcat.node_attrs("nodelist", [node], ["status"])[node]
    if _state(xcat, node) == "boot" and row.get("status") == "booted":
        return Data(INSTALLED, node)
    for command, word in (("nodeset", "boot"), ("updatenodestat", "booted")):
        errors = [said.text for said in xcat.run(command, [node], [word]) if isinstance(said, Error)]
        if errors:
            return Error(f"{command} failed, so it may install itself again: {'; '.join(errors)}", node, TRY_AGAIN)
    note(xcat, {node: {HOST: ""}})  # of the install before
    return Data(INSTALLED, node)


def _state(xcat: Xcat, node: str) -> str:
    return xcat.node_attrs("chain", [node], ["currstate"])[node].get("currstate", "")
