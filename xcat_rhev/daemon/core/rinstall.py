"""rinstall: nodeset, then start from the network what we can start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...messages import Data, Error
from .declare import OURS, Call, Core, Said, refused


def run(call: Call) -> Iterator[Said]:
    """Answer `rinstall NODERANGE [osimage[=IMAGE] | boot]`."""
    nodes = call.request.nodes
    if not nodes or len(call.words) > 1:
        yield RINSTALL.help(1)
        return
    if "c" in call.options and len(nodes) > 1:
        yield refused("rinstall -c/--console can only be run against one node! Please use winstall -c/--console for "
                      "multiple nodes.")
        return
    failed: set[str] = set()
    for said in call.host.ask("nodeset", nodes, (call.words[0] if call.words else "osimage",)):
        if isinstance(said, Error) and said.node:
            failed.add(said.node)
        yield said
    ready = [node for node in nodes if node not in failed]
    attrs = call.tables.node_attrs("nodehm", ready, ("mgt", "power"))
    ours = [node for node in ready if OURS in (attrs[node].get("power"), attrs[node].get("mgt"))]
    for node in ready:
        if node not in ours:
            yield Data("ready to be installed: start it from the network (no rpower here for its nodehm.mgt)", node)
    yield from _start(call, ours)


def _start(call: Call, nodes: Sequence[str]) -> Iterator[Said]:
    failed: set[str] = set()
    if not nodes:
        return
    for said in call.host.ask("rsetboot", nodes, ("net",)):
        if isinstance(said, Error):
            failed.add(said.node)
        yield said
    left = [node for node in nodes if node not in failed]
    if left:
        yield from call.host.ask("rpower", left, ("boot",))


RINSTALL = Core("rinstall", ("rinstall <noderange> [osimage[=<imagename>] | boot]",), run, letters="cO:u",
                long={"console": "c", "osimage=": "O"}, waits=True)
