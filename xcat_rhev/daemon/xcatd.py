"""The embedded xcatd: which command is whose, and running it, for clients and for sub-requests alike."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from ..clock import SystemClock
from ..messages import Data, Error
from ..run.dispatch import Dispatcher
from ..run.registry import COMMANDS
from ..run.side_by_side import side_by_side
from ..xcat.commandnames import PERL
from ..xcat.host import Request
from ..xcat.routing import Handler, route
from ..xcat.wire import WireRequest
from .audit import Audit
from .catalog import CORES
from .core.declare import CommandCall, invoke
from .hierarchy import Hierarchy, RequestPart
from .home import Home
from .host import Boots, DaemonHost
from .login_throttle import LoginThrottle
from .names import Names
from .reply import Output, Reply
from .store import Store
from .tables import Tables

#: The module that answers the commands of RHEV, as a Perl xcatd calls it; `nodehm.mgt=rhevm` names it.
RHEVM = "rhevm"
#: The code for a command that is not known, as a shell has it; a Perl xcatd gives none.
UNKNOWN = 127


class Xcatd:
    """What lives as long as the daemon.

    Args:
        home: Its directories.
        store: Its tables.
        dispatcher: Runs the commands of RHEV.
    """

    def __init__(self, home: Home, store: Store, dispatcher: Dispatcher) -> None:
        self.home, self.store = home, store
        self.source, self.guesses = short_name(), LoginThrottle(SystemClock())
        self.names = Names(SystemClock())
        self.audit = Audit(None if home.is_service_node else store, home.log / "audit.log")
        self._dispatcher = dispatcher
        self._hierarchy = Hierarchy(home)
        self._handlers = _handlers()
        self._modules = {name: {handler.module for handler in its} for name, its in self._handlers.items()}

    def knows(self, command: str) -> bool:
        """Whether anybody here answers a command."""
        return command in self._handlers

    @staticmethod
    def waits(command: str) -> bool:
        """Whether a command waits for others: a manager, nodes, a medium."""
        return command in COMMANDS or (command in CORES and CORES[command].waits)

    def tables(self) -> Tables:
        """The tables for one request. A service node has its own files where the site names the management node's."""
        if not self.home.is_service_node:
            return Tables(self.store)
        own = {"xcatconfdir": str(self.home.config)}
        if Tables(self.store).site("sharedtftp", "1").lower() in ("0", "n", "no"):
            own["tftpdir"] = str(self.home.tftp)
        return Tables(self.store, own)

    def perform(
        self,
        request: Request,
        tables: Tables,
        boots: Boots | None = None,
        settled: bool = False,
        wire: WireRequest | None = None,
    ) -> Iterator[Output]:
        """Run a command that has passed the policy: find the daemons that do its parts, and let them.

        Args:
            request: What, with its nodes.
            tables: The tables as the request sees them.
            boots: Where `mkinstall` puts what nodes should boot.
            settled: All of it is for this daemon.
            wire: The request as it came; None for a sub-request.
        """
        if request.command not in self._handlers:
            yield Error(unknown(request.command), code=UNKNOWN)
            return
        tables.aborted = request.aborted
        whole = _Asked(request, tables, boots, settled, wire)
        parts = (
            [RequestPart((), request.nodes)]
            if settled or "-h" in request.args
            else self._hierarchy.split(request, tables)
        )
        yield from side_by_side([partial(self._part, part, whole) for part in parts], request.aborted)
        if any(part.hosts for part in parts):
            tables.forget()

    def _part(self, part: RequestPart, whole: _Asked) -> Iterator[Output]:
        if part.hosts:
            return self._hierarchy.ask(part, whole.request, whole.tables)
        return self._here(whole.with_nodes(part.nodes))

    def _here(self, asked: _Asked) -> Iterator[Output]:
        """Find the modules that answer for the nodes, and let them."""
        request, tables = asked.request, asked.tables
        handlers = self._handlers[request.command]
        routed = route(handlers, request.nodes, tables, sub_request=asked.wire is None)
        for node, remedy in self._remedies(request.command, routed.unhandled, tables).items():
            yield Error(". ".join(filter(None, (routed.complaint, remedy))), node)
        if request.nodes and not tables.site("master"):
            yield Error(f"site.master is not set, unable to dispatch '{request.command}'")
            return
        modules = routed.modules
        if not modules and not request.nodes:
            modules = {handlers[0].module: ()}  # `-h` without nodes; a Perl xcatd has a module for that alone
        for module, nodes in modules.items():
            yield from self._perform(module, asked.with_nodes(nodes))

    def _remedies(self, command: str, nodes: tuple[str, ...], tables: Tables) -> dict[str, str]:
        """What to set for nodes that no plugin answers for."""
        usual = CORES[command].remedy if command in CORES else ""
        specs = [handler.spec for handler in self._handlers[command]]
        if usual or not any(spec.startswith("nodehm:") for spec in specs):
            of_hosts = any(spec.startswith("hypervisor:") for spec in specs)
            return {node: usual or (_HYPERVISOR.format(node) if of_hosts else "") for node in nodes}
        rows = tables.node_attrs("nodehm", nodes, ("mgt",))
        return {node: _no_method(node, rows[node].get("mgt", "")) for node in nodes}

    def _perform(self, module: str, asked: _Asked) -> Iterator[Output]:
        request = asked.request
        host = DaemonHost(self, asked.tables, request, asked.boots, asked.settled)
        core = CORES.get(request.command)
        if module not in self._modules[request.command]:
            for node in request.nodes:
                yield Data(f"{node}: Cannot find the module to complete the operation: {module}")
            yield Reply({"errorcode": "1"})
        elif core is None:
            yield from self._dispatcher.run(request, host)
        else:
            wire = asked.wire or WireRequest()
            yield from invoke(core, CommandCall(request, asked.tables, host, self.home, wire, module=module))


@dataclass(frozen=True)
class _Asked:
    """A request on its way to those who answer; the fields are the arguments of `Xcatd.perform`."""

    request: Request
    tables: Tables
    boots: Boots | None
    settled: bool
    wire: WireRequest | None

    def with_nodes(self, nodes: tuple[str, ...]) -> _Asked:
        if nodes == self.request.nodes:
            return self
        return replace(self, request=replace(self.request, nodes=nodes))


def _handlers() -> dict[str, list[Handler]]:
    """The handlers of each command: RHEV's by the specs that they declare, xcatd's own by theirs or for all nodes."""
    handlers = {
        name: [Handler(RHEVM, spec) for spec in (*command.routes, *command.embedded_routes)]
        for name, command in COMMANDS.items()
    }
    for name, core in CORES.items():
        handlers[name] = [Handler(module, spec) for module, spec in core.routes or (("core", "core"),)]
    return handlers


_HYPERVISOR = "For a hypervisor of a manager, run: chdef {} hosttype=rhevh hostmanager=MANAGER"


def _no_method(node: str, method: str) -> str:
    said = f"nodehm.mgt is {method}, and {RHEVM} is all that is known here" if method else "nodehm.mgt is not set"
    return f"{said}. For a machine of a manager, run: chdef {node} mgt={RHEVM} vmmanager=MANAGER"


def unknown(command: str) -> str:
    """Why a command has no handler; the first words are a Perl xcatd's."""
    shown = command[:64]
    if command in PERL:
        return f"Unsupported request: the embedded xcatd has no {shown}; a Perl xCAT has it"
    return f"Unsupported request: there is no command {shown}"


def short_name() -> str:
    """This host's name up to the first dot, by which clients and the stock policy row know the daemon."""
    return socket.gethostname().partition(".")[0] or "localhost"
