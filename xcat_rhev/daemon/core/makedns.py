"""makedns: names and addresses of nodes for the name server, which is dnsmasq."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...addresses import parse_address
from ...declare.command import CommandWords, Option
from ...errors import RhevError, Usage
from ...messages import Info, Warn
from ...ordering import natural
from ..netservices import dnsmasq
from ..netservices.dhcpnetworks import MYSELF, Served, served_networks
from ..netservices.state import NetState, services_of
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal
from .hostlines import Lines


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `makedns [-n] [NODERANGE]` and `makedns -d NODERANGE`."""
    if "delete" in call.options and not call.request.nodes:
        yield MAKEDNS.help(1)
        return
    if "external" in call.options:
        yield refusal("makedns -e is for a name server elsewhere, which is not written to. Leave -e out")
        return
    state = NetState(call.home)
    try:
        yield from _run(call, state)
        yield from state.wait_for_servers()
    except RhevError as problem:
        yield refusal(str(problem))
    except OSError as problem:
        yield refusal(f"{problem.filename or state.folder} cannot be written: {problem.strerror}")


def _run(call: CommandCall, state: NetState) -> Iterator[Output]:
    if not state.is_made:
        raise Usage("no network is served yet", "Run: makedhcp -n")
    nodes = call.request.nodes or tuple(sorted(call.tables.nodes(), key=natural))
    with state.change_lock():
        known = {} if "new" in call.options and not call.request.nodes else state.names() or {}
        for node in nodes:
            known.pop(node, None)
        if "delete" not in call.options:
            yield from _add(call, nodes, known)
        state.write_names(known)
        services, tftp = services_of(state), Path(call.tables.site("tftpdir", str(call.home.tftp)))
        dns, dhcp = name_server_lines(call, state), services["dhcp"] != "kea"
        state.write_services(services, dnsmasq.config(state.dnsmasq, networks_of(call, state), tftp, dns, dhcp))


def _add(call: CommandCall, nodes: Sequence[str], known: dict[str, list[str]]) -> Iterator[Output]:
    """The lines of nodes, one node after the other, so that it is known whose they are."""
    lines = Lines(call)
    for node in nodes:
        known[node] = [entry.line for entry in lines.all([node])]
        if "verbose" in call.options and known[node]:
            yield Info(f"Handling {node} in DNS.")
    yield from lines.warnings
    yield from (Warn(f"{node} has no address, so it gets no name") for node in nodes if not known[node])


def networks_of(call: CommandCall, state: NetState) -> list[Served]:
    """The networks that are served; of those that are told no other name server it is this machine, if it is one."""
    return served_networks(call.tables, names=state.names() is not None)


def name_server_lines(call: CommandCall, state: NetState) -> list[str]:
    """What makes dnsmasq the name server of the site.

    Raises:
        Usage: A forwarder is not an address.
    """
    tables = call.tables
    domains = [tables.site("domain"), *(row.get("domain", "") for row in tables.rows("networks"))]
    forwarders = [name for name in re.split(r"[,\s]+", tables.site("forwarders")) if name and name != MYSELF]
    for name in forwarders:
        if parse_address(name) is None:
            raise Usage(f"site.forwarders has '{name}', which is not an address")
    return dnsmasq.name_server(state.dnsmasq, list(dict.fromkeys(filter(None, domains))), forwarders)


MAKEDNS = Core(
    own_command(
        "makedns",
        "names and addresses of nodes for the name server",
        (
            "Usage: ",
            "\tmakedns [-h|--help ]",
            "\tmakedns [-V|--verbose] [-n|--new ] [noderange]",
            "\tmakedns [-V|--verbose] [-d|--delete noderange]",
        ),
        (
            Option(("-n", "--new"), "new", "write everything again"),
            Option(("-d", "--delete"), "delete", "remove the nodes"),
            Option(("-e", "--external"), "external", "for a name server elsewhere"),
            Option(("-a", "--all"), "all", "all nodes"),
        ),
        CommandWords(),
    ),
    run,
    waits=True,
)
