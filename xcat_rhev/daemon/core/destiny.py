"""What nodes should do at their next start: the chain table, and asking `mkinstall` and its like what to boot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...errors import NotFound, Usage
from ...messages import Error
from ..host import Boots
from ..reply import Output
from .declare import CommandCall

#: What needs xCAT's own discovery image, which is not part of this product.
GENESIS = ("shell", "standby", "runcmd", "runimage", "shutdown")
#: Kinds of provisioning that leave nodetype.provmethod alone when a node goes back to its disk.
INSTALLED = ("install", "sysclone")


@dataclass
class Destiny:
    """What came out of setting the destiny of nodes.

    Attributes:
        states: Node -> chain.currstate, for those that have one now.
        boots: Node -> what to boot; the others start from their disk.
    """

    states: dict[str, str] = field(default_factory=dict)
    boots: Boots = field(default_factory=dict)


def set_destiny(call: CommandCall, nodes: Sequence[str], wanted: str, into: Destiny) -> Iterator[Output]:
    """Do the work of `nodeset` except for the boot files.

    Args:
        call: The command.
        nodes: The nodes.
        wanted: One word: `osimage=IMAGE`, `osimage`, `boot`, `offline`, `next`, `enact`, or several joined by commas.
        into: Gets the result.

    Raises:
        Usage: The word is not one of these.
        NotFound: The image does not exist.
    """
    first, _, rest = wanted.partition(",")
    word, equals, value = first.partition("=")
    if word in ("install", "netboot", "statelite"):
        raise Usage(
            'The options "install", "netboot", and "statelite" have been deprecated, use '
            '"osimage=<osimage_name>" instead.'
        )
    if word == "osimage":
        if equals and not value:
            raise Usage('invalid argument: "osimage="')
        yield from _osimage(call, nodes, value, into)
    elif word == "next":
        yield from _next(call, nodes, into)
        return
    elif word == "enact":
        yield from _enact(call, nodes, into)
        return
    elif word in ("boot", "offline"):
        into.states.update(dict.fromkeys(nodes, word))
        if word == "boot":
            _forget_images(call, nodes)
    elif word in GENESIS:
        raise NotFound(
            "Could not find genesis.kernel.x86_64 or legacy nbk.x86_64 files",
            f"The embedded xcatd does not have the discovery image that '{word}' needs",
        )
    else:
        raise Usage(f"Unknown state {word} requested")
    chain = {"currchain": rest or "boot"} if word == "osimage" else {"currchain": rest} if rest else {}
    written = {node: {"currstate": state, **chain} for node, state in into.states.items() if node in nodes}
    call.host.set_node_attrs("chain", written)


def _osimage(call: CommandCall, nodes: Sequence[str], image: str, into: Destiny) -> Iterator[Output]:
    """Have nodes installed with an image, or each with the one that nodetype.provmethod names."""
    if not image:
        by_image: dict[str, list[str]] = {}
        for node, row in call.tables.node_attrs("nodetype", nodes, ("provmethod",)).items():
            by_image.setdefault(row.get("provmethod", ""), []).append(node)
        for name, its in by_image.items():
            if name:
                yield from _osimage(call, its, name, into)
            else:
                yield from (Error("OS image name must be specified in nodetype.provmethod", node) for node in its)
        return
    name, _, _ = image.partition(":")  # `:reboot4deploy` asks for nothing that we would do differently
    rows = call.tables.rows("osimage", {"imagename": name})
    if not rows:
        raise NotFound(f"Cannot find the OS image {name} in the osimage table.")
    row = rows[0]
    method = row.get("provmethod", "")
    if not method:
        raise NotFound(f"osimage.provmethod for {name} must be set.")
    ready = []
    for node, mac in call.tables.node_attrs("mac", nodes, ("mac",)).items():
        if mac.get("mac"):
            ready.append(node)
        else:
            yield Error("No MAC address available for this node", node)
    system = {"os": row.get("osvers", ""), "arch": row.get("osarch", ""), "profile": row.get("profile", "")}
    call.host.set_node_attrs("nodetype", {node: {**system, "provmethod": name} for node in ready})
    yield from _make(call, ready, method, into)


def _make(call: CommandCall, nodes: Sequence[str], method: str, into: Destiny) -> Iterator[Output]:
    """Ask `mkinstall` or its like what to boot; nodes for which it says nothing are left as they are."""
    if not nodes:
        return
    failed = set()
    for said in call.host.ask(f"mk{method}", nodes, (), into.boots):
        if isinstance(said, Error) and said.node:
            failed.add(said.node)
        yield said
    attrs = call.tables.node_attrs("nodetype", nodes, ("os", "arch", "profile"))
    for node in nodes:
        row = attrs[node]
        if node in into.boots and node not in failed:
            words = "-".join(row.get(column, "") for column in ("os", "arch", "profile"))
            into.states[node] = f"{method} {words}"
        elif node not in failed:
            yield Error(f"mk{method} did not say what to boot", node)


def _next(call: CommandCall, nodes: Sequence[str], into: Destiny) -> Iterator[Output]:
    """Go one step further in each node's chain."""
    steps: dict[str, list[str]] = {}
    rest: dict[str, str] = {}
    for node, row in call.tables.node_attrs("chain", nodes, ("currchain", "chain", "currstate")).items():
        step, _, left = (row.get("currchain") or row.get("chain", "")).partition(",")
        if step:
            steps.setdefault(step, []).append(node)
            rest[node] = left or step  # the last step stays, for nodes that come again
    for step, its in steps.items():
        if step == "next":
            raise Usage("chain.currchain names 'next', which would never end")
        yield from set_destiny(call, its, step, into)
    call.host.set_node_attrs("chain", {node: {"currchain": rest[node]} for node in rest if node in into.states})


def _enact(call: CommandCall, nodes: Sequence[str], into: Destiny) -> Iterator[Output]:
    """Write the boot files of the present state again; the tables stay as they are."""
    by_method: dict[str, list[str]] = {}
    for node, row in call.tables.node_attrs("chain", nodes, ("currstate",)).items():
        state = row.get("currstate", "")
        method = state.partition(" ")[0]
        if method in ("boot", "offline", ""):
            into.states.update({node: state} if state else {})
        else:
            by_method.setdefault(method, []).append(node)
    for method, its in by_method.items():
        yield from _make(call, its, method, into)


def _forget_images(call: CommandCall, nodes: Sequence[str]) -> None:
    """A node that starts a diskless image forgets it when it should start from its disk."""
    methods = {row.get("imagename", ""): row.get("provmethod", "") for row in call.tables.rows("osimage")}
    attrs = call.tables.node_attrs("nodetype", nodes, ("provmethod",))
    gone = [n for n in nodes if methods.get(attrs[n].get("provmethod", ""), "install") not in INSTALLED]
    call.host.set_node_attrs("nodetype", {node: {"provmethod": ""} for node in gone})
