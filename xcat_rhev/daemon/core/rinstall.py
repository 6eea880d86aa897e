"""rinstall: nodeset, then start from the network what we can start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...declare.command import CommandWords, Option
from ...messages import Data, Error
from ..reply import Output
from .declare import OURS, CommandCall, Core, own_command, refusal


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `rinstall NODERANGE [osimage[=IMAGE] | boot]`."""
    nodes = call.request.nodes
    if not nodes or len(call.words) > 1:
        yield RINSTALL.help(1)
        return
    if "console" in call.options and len(nodes) > 1:
        yield refusal(
            "rinstall -c/--console can only be run against one node! Please use winstall -c/--console for "
            "multiple nodes."
        )
        return
    failed: set[str] = set()
    for said in call.host.ask("nodeset", nodes, (_destiny(call),)):
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


def _destiny(call: CommandCall) -> str:
    """The word for `nodeset`."""
    if "osimage" in call.options:
        return f"osimage={call.options['osimage']}"
    return call.words[0] if call.words else "osimage"


def _start(call: CommandCall, nodes: Sequence[str]) -> Iterator[Output]:
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


RINSTALL = Core(
    own_command(
        "rinstall",
        "have nodes installed at once",
        ("rinstall <noderange> [osimage[=<imagename>] | boot] [-O|--osimage imagename] [-c|--console]",),
        (
            Option(("-c", "--console"), "console", "accepted for one node; run rcons for its console"),
            Option(("-O", "--osimage"), "osimage", "the image", value="IMAGE"),
            Option(("-u",), "uefi", "accepted as in xCAT, without effect"),
        ),
        CommandWords(most=None),
    ),
    run,
    waits=True,
)
