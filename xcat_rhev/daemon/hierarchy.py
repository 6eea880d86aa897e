"""Service nodes: which daemon does which part of a request, and asking it over TLS as this one.

    nodeset            the service nodes of each node, if each has its own tftpdir (`site.sharedtftp` = 0), else here
    RHEV's commands    the service node of the manager, if the manager is a node that has one, else the management node;
                       usage, and what names several managers, the management node
    makedhcp           all service nodes of each node, if they have DHCP servers of their own (`site.disjointdhcps` = 1)
    everything else    here: the tables are shared

A request that another daemon has split is never split again.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .. import __version__
from ..addresses import my_addresses
from ..declare.command import Command, Place
from ..declare.parsing import parse
from ..errors import Aborted, BadAnswer, Unreachable, Usage
from ..messages import Error, Warn
from ..ordering import natural
from ..run.registry import COMMANDS
from ..xcat import wire
from ..xcat.host import Request
from .access import peer_context
from .facing import address_of
from .home import Home
from .reply import Output, Reply
from .tables import Tables

#: Seconds for a connection and for its TLS handshake; a dead service node costs this once per request.
CONNECT, HANDSHAKE = 5.0, 10.0
#: Seconds between two looks at whether the client is still there.
LOOK = 0.5
#: A host that vanishes is found out after IDLE + INTERVAL * COUNT seconds.
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
#: Elements that are about one answer and not a part of another.
MARKS = frozenset({"serverdone", "transid", "numofnodes"})
#: Commands that work only on the management node, where media and managers' certificates are.
MASTERS = frozenset({"copycds", "copycd", "rinstall"})


@dataclass(frozen=True)
class RequestPart:
    """A part of a request.

    Attributes:
        hosts: The daemons that can do it, in the order in which they are tried; none means this one.
        nodes: Its nodes.
        repeat: Once one host has done it, the others write their boot files from the tables.
    """

    hosts: tuple[str, ...]
    nodes: tuple[str, ...]
    repeat: bool = False


class Hierarchy:
    """What this daemon knows of the others.

    Args:
        home: The home whose certificate it shows.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def split(self, request: Request, tables: Tables) -> list[RequestPart]:
        """Say who does what.

        Args:
            request: The request, with its nodes.
            tables: The tables.
        """
        spec = COMMANDS.get(request.command)
        if request.command == "nodeset" and request.nodes and not _shares(tables):
            wanted = _service_nodes(tables, request.nodes, repeat=True)
        elif request.command == "makedhcp" and _has_dhcp_of_its_own(tables) and "-l" not in request.args:
            wanted = _dhcp_servers(tables, request)
        elif request.command in MASTERS:
            wanted = [RequestPart((), request.nodes)]
        elif spec and spec.place is Place.NAMED:
            wanted = [RequestPart(_manager_server(tables, _named_manager(spec, request.args)), request.nodes)]
        elif spec and request.nodes and spec.place is Place.MANAGER:
            wanted = _managers_service_nodes(tables, request.nodes)
        else:
            return [RequestPart((), request.nodes)]
        return [self._drop_hosts(part, tables) for part in wanted]

    def ask(self, part: RequestPart, request: Request, tables: Tables) -> Iterator[Output]:
        """Have others do a part, their answers streamed back under their own names.

        Args:
            part: With hosts.
            request: The whole request.
            tables: The tables.
        """
        problems: list[str] = []
        for number, host in enumerate(part.hosts):
            try:
                yield from self._ask(host, part.nodes, request, request.args, tables)
            except Unreachable as problem:
                place = _place(host, tables)
                problems.append(f"Unable to dispatch hierarchical sub-command to {place}.  Error: {problem}")
                continue
            yield from (Warn(text) for text in problems)
            if part.repeat:
                yield from self._repeat(part.hosts[number + 1 :], part.nodes, request, tables)
            return
        yield from (Error(f"{text} (for {','.join(part.nodes)})" if part.nodes else text) for text in problems)
        if len(part.hosts) > 1:
            yield Error(f"Failed to dispatch command to any of the following service nodes: {','.join(part.hosts)}")

    def _repeat(
        self, hosts: Sequence[str], nodes: tuple[str, ...], request: Request, tables: Tables
    ) -> Iterator[Output]:
        """Have the other service nodes of a pool write the same; what they say when it works has been said already."""
        for host in hosts:
            try:
                for said in self._ask(host, nodes, request, ("enact",), tables):
                    if isinstance(said, Reply) and _is_wrong(said):
                        yield said
            except Unreachable as problem:
                yield Warn(
                    f"{host} has no boot files for {','.join(nodes)}: {problem}. When it is back, run: "
                    f"nodeset {','.join(nodes)} enact"
                )

    def _drop_hosts(self, part: RequestPart, tables: Tables) -> RequestPart:
        """Leave the hosts away if this one is among those who can do it, or if nobody else is named.

        In a pool whose members all write, this one asks itself as it asks the others: one after the other.
        """
        hosts = part.hosts or ((tables.site("master"),) if self._home.is_service_node else ())
        mine = my_addresses()
        if part.repeat or not any(_address(host, tables) in mine for host in hosts):
            return RequestPart(tuple(host for host in hosts if host), part.nodes, part.repeat)
        return RequestPart((), part.nodes)

    def _ask(
        self, host: str, nodes: tuple[str, ...], request: Request, args: Sequence[str], tables: Tables
    ) -> Iterator[Output]:
        """Ask one daemon.

        Raises:
            Unreachable: It did not take the request; nothing was done.
        """
        asked = wire.WireRequest(
            command=request.command,
            nodes=nodes,
            args=tuple(args),
            cwd=request.cwd,
            clienttype="cli",
            stdin=request.stdin or None,
            environment=request.environment,
            username=request.user,
            preprocessed=True,
            dest=host,
            version=__version__,
        )
        with self._connect(host, tables) as sock:
            left = set(nodes)
            try:
                sock.sendall(wire.write_request(asked))
                for said in _answers(sock, request.aborted):
                    left -= _nodes_of(said)
                    yield said
            except (OSError, BadAnswer) as problem:
                yield Error(
                    f"{host} went away before it was done ({problem}). Run the command again for "
                    f"{','.join(node for node in nodes if node in left) or 'the same nodes'}"
                )

    def _connect(self, host: str, tables: Tables) -> ssl.SSLSocket:
        name, port = _split(host, tables)
        address = _address(host, tables)
        if not address:
            raise Unreachable(f"the name {name} does not resolve")
        context = peer_context(self._home)
        try:
            raw = socket.create_connection((address, port), CONNECT)
        except OSError as problem:
            raise Unreachable(problem.strerror or str(problem)) from problem
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option, value in KEEPALIVE.items():
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        raw.settimeout(HANDSHAKE)
        try:
            return context.wrap_socket(raw)
        except OSError as problem:
            raw.close()
            raise Unreachable(f"TLS: {problem.strerror or problem}") from problem


def _answers(sock: ssl.SSLSocket, aborted: threading.Event) -> Iterator[Reply]:
    """Read an answer to its last document.

    Raises:
        Aborted: The client went away; closing the connection tells the other daemon.
        OSError: The connection broke.
    """
    sock.settimeout(LOOK)
    rest = b""
    while True:
        try:
            data = sock.recv(65536)
        except socket.timeout:
            if aborted.is_set():
                raise Aborted("stopped, because the client went away") from None
            continue
        if not data:
            raise ConnectionResetError("its answer has no end")
        documents, rest = wire.split(rest + data)
        for document in documents:
            element = wire.read_response(document)
            last = "serverdone" in element
            fields = {name: value for name, value in element.items() if name not in MARKS}
            if fields.keys() - {"xcatdsource"}:
                yield Reply(fields)
            if last:
                return


def _shares(tables: Tables) -> bool:
    """Whether all service nodes see the management node's tftpdir, which is what xCAT assumes."""
    return tables.site("sharedtftp", "1").lower() not in ("0", "n", "no")


def _has_dhcp_of_its_own(tables: Tables) -> bool:
    """Whether a service node answers the DHCP questions of its nodes, and nobody else does."""
    return tables.site("disjointdhcps", "0").lower() in ("1", "y", "yes")


def _dhcp_servers(tables: Tables, request: Request) -> list[RequestPart]:
    """Each service node does its nodes, all of a pool do the same; without nodes they all do what is asked, as here."""
    nodes = request.nodes or tuple(sorted(tables.nodes(), key=natural))
    by_host: dict[tuple[str, ...], list[str]] = {}
    for part in _service_nodes(tables, nodes, repeat=False):
        for host in part.hosts or ("",):
            by_host.setdefault((host,) if host else (), []).extend(part.nodes)
    if request.nodes:
        return [RequestPart(hosts, tuple(its)) for hosts, its in by_host.items()]
    return [RequestPart(hosts, ()) for hosts in dict.fromkeys([(), *by_host])]


def _service_nodes(tables: Tables, nodes: Sequence[str], repeat: bool) -> list[RequestPart]:
    """Group nodes by their service nodes; nodes without one belong to the management node."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for node, row in tables.node_attrs("noderes", nodes, ("servicenode", "xcatmaster")).items():
        hosts = row.get("servicenode") or row.get("xcatmaster", "")
        groups.setdefault(tuple(filter(None, hosts.replace(" ", "").split(","))), []).append(node)
    return [RequestPart(hosts, tuple(its), repeat and len(hosts) > 1) for hosts, its in groups.items()]


def _managers_service_nodes(tables: Tables, nodes: Sequence[str]) -> list[RequestPart]:
    """Group nodes by the service nodes of their managers. Most managers are not nodes, and so have none."""
    vm, hypervisor = (tables.node_attrs(table, nodes, ("mgr",)) for table in ("vm", "hypervisor"))
    by_manager: dict[str, list[str]] = {}
    for node in nodes:
        by_manager.setdefault(vm[node].get("mgr") or hypervisor[node].get("mgr", ""), []).append(node)
    groups: dict[tuple[str, ...], list[str]] = {}
    for manager, its in by_manager.items():
        groups.setdefault(_manager_server(tables, manager), []).extend(its)
    return [RequestPart(hosts, tuple(its)) for hosts, its in groups.items()]


def _manager_server(tables: Tables, manager: str) -> tuple[str, ...]:
    """The service nodes of a manager, which is known as a node by its whole name or the short one."""
    name = manager.partition(":")[0]
    known = [name for name in (name, name.partition(".")[0]) if name in tables.nodes()]
    return _service_nodes(tables, known[:1], repeat=False)[0].hosts if known else ()


def _named_manager(spec: Command, args: Sequence[str]) -> str:
    """The manager that -m names; empty if none does, if it names several, or if the words are wrong."""
    try:
        options, _ = parse(spec, args)
    except Usage:
        return ""
    name = str(options.get("manager", ""))
    return "" if "," in name else name


def _split(host: str, tables: Tables) -> tuple[str, int]:
    """A service node's name and port: `sn1`, or `sn1:3005`."""
    name, _, port = host.partition(":") if host.count(":") == 1 else (host, "", "")
    text = port or tables.site("xcatdport", "3001")
    return name, int(text) if text.isdecimal() else 3001


def _place(host: str, tables: Tables) -> str:
    name, port = _split(host, tables)
    return f"{name}:{port}"


def _address(host: str, tables: Tables) -> str:
    name, _ = _split(host, tables)
    return address_of(name, tables.node_attrs("hosts", (name,), ("ip",))[name].get("ip", "")) if name else ""


def _nodes_of(said: Output) -> set[str]:
    """The nodes that an answer is about."""
    nodes = said.fields.get("node", ()) if isinstance(said, Reply) else ()
    return {node["name"][0] for node in nodes if isinstance(node, dict) and node.get("name")}


def _is_wrong(said: Reply) -> bool:
    nodes = [node for node in said.fields.get("node", ()) if isinstance(node, dict)]
    return any({"error", "warning"} & element.keys() for element in (said.fields, *nodes))
