"""makedhcp: networks and machines for the DHCP server, and what they boot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...declare.command import CommandWords, Option
from ...errors import RhevError, Usage
from ...messages import Data, Info, Warn
from ...ordering import natural
from ..netservices import bootloaders, dnsmasq
from ..netservices.conflicts import settle
from ..netservices.dhcpnetworks import Served, warnings
from ..netservices.reservations import Reservations
from ..netservices.state import NetState
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal
from .hostlines import Lines
from .makedns import name_server_lines, networks_of

#: site.dhcpbackend -> the server. A Perl xCAT has `isc` as well, which the embedded one does not write for.
_SERVERS = {"": "dnsmasq", "auto": "dnsmasq", "dnsmasq": "dnsmasq", "kea": "kea"}
#: Options that stand alone -> how they are written.
_EXCLUSIVE = {"query": "-q", "new": "-n"}


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `makedhcp -n`, `makedhcp -a [-d]`, `makedhcp NODERANGE [-d]` and `makedhcp -q NODERANGE`."""
    for name, flag in _EXCLUSIVE.items():
        if name in call.options and call.options.keys() - {name, "verbose"}:
            yield refusal(f"The {flag} option cannot be used with other options.")
            return
    if not call.options.keys() - {"verbose", "localonly"} and not call.request.nodes:
        yield MAKEDHCP.help(1)
        return
    if "statements" in call.options:
        yield refusal("makedhcp -s takes statements of ISC dhcpd, which is not used here. Leave -s out")
        return
    try:
        yield from _run(call, NetState(call.home))
    except RhevError as problem:
        yield refusal(str(problem))
    except OSError as problem:
        yield refusal(f"{problem.filename or call.home.netservices} cannot be written: {problem.strerror}")


def _run(call: CommandCall, state: NetState) -> Iterator[Output]:
    if "new" in call.options:
        yield from _new(call, state)
    elif not state.is_made:
        raise Usage("no network is served yet", "Run: makedhcp -n")
    elif "query" in call.options:
        yield from _query(call, state)
        return
    elif "delete" in call.options:
        _delete(call, state)
    elif "all" in call.options or call.request.nodes:
        yield from _add(call, state)
    else:
        yield MAKEDHCP.help(1)
        return
    yield from state.wait_for_servers()


def _new(call: CommandCall, state: NetState) -> Iterator[Output]:
    """Write the networks, and the machines again that are known and have still their nodes."""
    found = networks_of(call, state)
    yield from warnings(found)
    server = _server(call)
    tftp = Path(call.tables.site("tftpdir", str(call.home.tftp)))
    yield from map(Warn, bootloaders.provide(tftp))
    with state.change_lock():
        services = _services(call, found, server, tftp)
        dns = name_server_lines(call, state) if state.names() is not None else None
        state.write_services(services, dnsmasq.config(state.dnsmasq, found, tftp, dns, dhcp=server != "kea"))
        known = [node for node in state.machines() if node in call.tables.nodes()]
        made = Reservations(call.tables, known, found, _addresses(call, known))
        state.write_machines({node: made.of(node) for node in known}, found)
    yield from made.said
    if "verbose" in call.options:
        yield from (Info(f"{each.net} on {each.interface or 'a relay'}") for each in found)


def _server(call: CommandCall) -> str:
    backend = call.tables.site("dhcpbackend").lower()
    if backend not in _SERVERS:
        raise Usage(f"site.dhcpbackend is '{backend}'", "Set it to dnsmasq or kea")
    return _SERVERS[backend]


def _services(call: CommandCall, found: Sequence[Served], server: str, tftp: Path) -> dict[str, Any]:
    """What the supervisor starts: where the web server listens, and what it shows."""
    folders = {"/tftpboot": str(tftp), "/install": call.tables.site("installdir", str(call.home.install))}
    listen = sorted({each.address for each in found if each.interface and each.address})
    others = call.tables.site("httpserver") == "none"
    return {
        "dhcp": server,
        "listen": [] if others else listen,
        "port": int(call.tables.site("httpport", "80")),
        "folders": folders,
        "settings": {
            "XCATRHEVH_XCATD": f"localhost:{call.tables.site('xcatdport', '3001')}",
            "XCATRHEVH_CA": str(call.home.cert / "ca.pem"),
            "XCATRHEVH_NODES": str(Path(folders["/install"]) / "xcatrhevh/nodes.json"),
        },
    }


def _query(call: CommandCall, state: NetState) -> Iterator[Output]:
    machines = state.machines()
    for node in call.request.nodes:
        for each in machines.get(node, ()):
            for mac in each.macs:
                address = "denied" if each.denied else each.address or "dynamic"
                yield Data(f"{each.name}: ip-address = {address}, hardware-address = {mac}")


def _delete(call: CommandCall, state: NetState) -> None:
    everything = "all" in call.options
    if not everything and not call.request.nodes:
        raise Usage("makedhcp -d needs a noderange, or -a")
    with state.change_lock():
        left = {} if everything else state.machines()
        for node in call.request.nodes:
            left.pop(node, None)
        state.write_machines(left, networks_of(call, state))


def _add(call: CommandCall, state: NetState) -> Iterator[Output]:
    found = networks_of(call, state)
    nodes = call.request.nodes or _with_mac(call)
    made = Reservations(call.tables, nodes, found, _addresses(call, nodes))
    together = frozenset(nodes)
    with state.change_lock():
        machines = state.machines()
        for node in nodes:
            machines.pop(node, None)
        for node in nodes:
            fresh = made.of(node)
            yield from made.said
            made.said.clear()
            yield from settle(machines, fresh, together)
        state.write_machines({node: several for node, several in machines.items() if several}, found)


def _addresses(call: CommandCall, nodes: Sequence[str]) -> Mapping[str, str]:
    """Name -> IPv4 address, of nodes and of their other cards, as `makehosts` writes them."""
    found: dict[str, str] = {}
    for entry in Lines(call).all(nodes):
        if ":" not in entry.address:
            for name in entry.line.split()[1:]:
                found.setdefault(name, entry.address)
    return found


def _with_mac(call: CommandCall) -> tuple[str, ...]:
    nodes = tuple(sorted(call.tables.nodes(), key=natural))
    rows = call.tables.node_attrs("mac", nodes, ("mac",))
    return tuple(node for node in nodes if rows[node].get("mac"))


MAKEDHCP = Core(
    own_command(
        "makedhcp",
        "addresses of nodes for the DHCP server",
        (
            "Usage: makedhcp -n",
            "\tmakedhcp -a",
            "\tmakedhcp -a -d",
            "\tmakedhcp -d noderange",
            "\tmakedhcp <noderange>",
            "\tmakedhcp -q noderange",
            "\tmakedhcp [-h|--help]",
        ),
        (
            Option(("-n",), "new", "write the server's settings again"),
            Option(("-a",), "all", "all nodes"),
            Option(("-d",), "delete", "remove the nodes"),
            Option(("-q",), "query", "show what the server knows of the nodes"),
            Option(("-l", "--localonly"), "localonly", "accepted as in xCAT, without effect"),
            Option(("-r",), "restart", "accepted as in xCAT, without effect"),
            Option(("-s",), "statements", "statements of ISC dhcpd, which is not used here", value="STATEMENTS"),
        ),
        CommandWords(),
    ),
    run,
    waits=True,
)
