"""The setup of managers and of hosts with a full Linux: a node asks for its answers, or tells how far it is.

Who asks is known by the address. The name in the URL is tried where the map has none for it; xcatd checks in either
case that the address is the node's, and decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from ..errors import one_line
from .answer import WebAnswer, later
from .nodemap import NodeMap, spoken_name
from .notify import SETUP_WORDS, XcatdClient

LONGEST_REASON = 200


def answer(nodes: NodeMap, xcatd: XcatdClient, address: str, said: str) -> WebAnswer:
    """Ask xcatd on behalf of the node at an address.

    Args:
        nodes: Which node an address is.
        xcatd: Who decides.
        address: Who asks.
        said: One of `SETUP_WORDS`, a slash, and what the node calls itself.
    """
    word, _, name = said.partition("/")
    if word not in SETUP_WORDS:
        return WebAnswer(404, "There is nothing here.\n", note="no such word")
    refused = WebAnswer(403, f"No node has the address {address}.\n", note=f"stranger, asks for {word}")
    for node in _candidates(nodes, address, spoken_name(name)):
        told = xcatd.setup(node, address, word)
        reason = one_line(told.reason)[:LONGEST_REASON]
        if told.lines:
            return WebAnswer(200, "".join(f"{line}\n" for line in told.lines), node=node, note=word)
        if told.again:
            return later(f"{node}: {reason}\n", reason, node)
        refused = WebAnswer(403, f"{node}: {reason}\n", node=node, note=f"{word}: {reason}")
    return refused


def _candidates(nodes: NodeMap, address: str, name: str) -> Iterator[str]:
    """Nodes that an address may belong to, best first."""
    if not address:
        return
    tried = {""}
    for node in chain([nodes.at(address), name.partition(".")[0], name], nodes.candidates(address)):
        if node not in tried:
            tried.add(node)
            yield node
