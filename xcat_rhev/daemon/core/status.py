"""updatenodestat: what an installer says about a node; nodestat: whether nodes answer."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from ...declare.command import CommandWords, Option
from ...messages import Data, Error
from ..facing import address_of
from ..reply import Output
from .declare import OURS, CommandCall, Core, own_command, refusal

#: The states that nodelist.status may have; others are ignored without a word, as in xCAT.
STATES = frozenset(
    "alive unreachable installing installed booting postbooting netbooting booted powering-on powering-off discovering "
    "discovered configuring configured standingby shell defined unknown failed bmcready syncing out-of-sync "
    "synced".split()
)
#: Ports that tell what a node does, in the order in which they are tried.
SERVICES = ((22, "sshd"), (3001, "xcatd"), (15002, "pbs"), (8192, "xend"))
#: Seconds to wait for a node.
PATIENCE = 1.0


def update(call: CommandCall) -> Iterator[Output]:
    """Answer `updatenodestat NODERANGE STATUS`."""
    if len(call.words) != 1 or not call.request.nodes:
        yield UPDATENODESTAT.help(1)
    elif call.words[0] in STATES and call.tables.site("nodestatus", "1").lower() not in ("0", "n", "no"):
        set_status(call, call.request.nodes, call.words[0])


def set_status(call: CommandCall, nodes: tuple[str, ...], status: str) -> None:
    """Write nodelist.status and its time."""
    row = {"status": status, "statustime": time.strftime("%m-%d-%Y %H:%M:%S")}
    call.host.set_node_attrs("nodelist", {node: row for node in nodes})


def stat(call: CommandCall) -> Iterator[Output]:
    """Answer `nodestat NODERANGE [-u] [-p]`: which service of a node accepts a connection."""
    if not call.request.nodes:
        yield NODESTAT.help(1)
        return
    if "usemon" in call.options:
        yield refusal("nodestat -m asks for what table monsetting names, which is not here")
        return
    hosts = call.tables.node_attrs("hosts", call.request.nodes, ("ip",))
    addresses = {node: address_of(node, hosts[node].get("ip", "")) for node in call.request.nodes}
    chains = call.tables.node_attrs("chain", call.request.nodes, ("currstate",))
    dark = []
    with ThreadPoolExecutor(32, "nodestat") as pool:
        looks = {node: pool.submit(_service, address, call.request.aborted) for node, address in addresses.items()}
        for node, look in looks.items():
            found = look.result()
            if found == "ping" and chains[node].get("currstate", "").startswith("install"):
                found = "installing"
            if not addresses[node]:
                yield Data(f"Please make sure {node} exists in /etc/hosts or DNS or hosts table", node)
            if found or "powerstat" not in call.options:
                yield Data(found or "noping", node)
            else:
                dark.append(node)
            if "updatedb" in call.options:
                set_status(call, (node,), "alive" if found and found != "installing" else found or "unreachable")
    yield from _dark(call, dark)


def _dark(call: CommandCall, nodes: Sequence[str]) -> Iterator[Output]:
    """Nodes that do not answer, with the power that their manager tells of."""
    attrs = call.tables.node_attrs("nodehm", nodes, ("mgt", "power"))
    ours = [node for node in nodes if OURS in (attrs[node].get("power"), attrs[node].get("mgt"))]
    power: dict[str, str] = {}
    for said in call.host.run("rpower", ours, ("stat",)) if ours else ():
        if isinstance(said, Data):
            power[said.node] = f"({said.text})"
        elif isinstance(said, Error):
            yield said
    yield from (Data(f"noping{power.get(node, '')}", node) for node in nodes)


def _service(address: str, aborted: threading.Event) -> str:
    """What a node answers on; a refused connection shows that it is there."""
    for port, name in SERVICES if address else ():
        if aborted.is_set():
            return ""
        try:
            socket.create_connection((address, port), PATIENCE).close()
            return name
        except ConnectionRefusedError:
            continue
        except OSError:
            return ""
    return "ping" if address else ""


UPDATENODESTAT = Core(
    own_command(
        "updatenodestat",
        "write the status of nodes",
        ("updatenodestat <noderange> <status>",),
        (),
        CommandWords(most=None),
    ),
    update,
)
NODESTAT = Core(
    own_command(
        "nodestat",
        "whether nodes answer",
        ("nodestat <noderange> [-p|--powerstat] [-f|--usefping] [-u|--updatedb]",),
        (
            Option(("-m", "--usemon"), "usemon", "what table monsetting names, which is not here"),
            Option(("-p", "--powerstat"), "powerstat", "the power of those that do not answer"),
            Option(("-f", "--usefping"), "usefping", "accepted as in xCAT, without effect"),
            Option(("-u", "--updatedb"), "updatedb", "write it to nodelist.status"),
        ),
        CommandWords(),
    ),
    stat,
    waits=True,
)
