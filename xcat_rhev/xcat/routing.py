"""Which module gets which nodes of a command: the `handled_commands` of xCAT's plugins.

name                   the module of that name gets the whole request
table:col[,col...]     per node: the column's value names the module, if this module's name is a part of it
table:col=regex[,...]  per node: this module, if the pattern is found in the value
site:key               if the site has that key, the module that it names gets everything
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from ..ordering import natural
from . import perlre
from .host import Row


class Handler(NamedTuple):
    """One entry of a module's `handled_commands`; a module may have several for one command.

    Attributes:
        module: The module that registers it.
        spec: As above.
    """

    module: str
    spec: str


class RoutingTables(Protocol):
    """What routing reads."""

    def attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> Mapping[str, Row] | None:
        """Effective values of nodes; None if there is no such table."""

    def site(self, key: str) -> str:
        """A value of the site table, or empty."""


class Routed(NamedTuple):
    """Which module gets which nodes.

    Attributes:
        modules: Module -> its nodes in the order in which it should work on them; no nodes if the request has none.
        unhandled: Nodes that no table claims, whatever global modules do with them.
        complaint: What to say about each of them.
    """

    modules: dict[str, tuple[str, ...]]
    unhandled: tuple[str, ...] = ()
    complaint: str = ""


def route(
    handlers: Sequence[Handler], nodes: Sequence[str], tables: RoutingTables, sub_request: bool = False
) -> Routed:
    """Distribute a request.

    Args:
        handlers: Those of its command, in the order of the modules' names.
        nodes: Its nodes.
        tables: Where to look.
        sub_request: Asked by a plugin, not by a client: the complaint is then cut short, as in xCAT.
    """
    modules: dict[str, dict[str, None]] = {}
    named_by_site, handled = False, set()
    specs = [handler for handler in handlers if ":" in handler.spec and not handler.spec.startswith("site:")]
    for handler in handlers:
        if handler.spec.startswith("site:"):
            module = tables.site(handler.spec[5:])
            if module:
                named_by_site = True
                modules.setdefault(module, {}).update(dict.fromkeys(nodes))
    for handler in specs if nodes else ():
        for node, module in _claims(handler, nodes, tables):
            modules.setdefault(module, {})[node] = None
            handled.add(node)
    unhandled = tuple(node for node in nodes if node not in handled) if specs else ()
    for handler in handlers:
        if ":" not in handler.spec and not named_by_site and (not nodes or unhandled or not specs):
            modules.setdefault(handler.spec, {}).update(dict.fromkeys(unhandled if specs else nodes))
    ordered = {module: tuple(sorted(its, key=natural)) for module, its in modules.items()}
    return Routed(ordered, unhandled, _complaint(specs, sub_request) if unhandled else "")


def _claims(handler: Handler, nodes: Sequence[str], tables: RoutingTables) -> list[tuple[str, str]]:
    """The nodes that one table spec claims, each with the module that gets it."""
    table, _, words = handler.spec.partition(":")
    wanted = dict(word.partition("=")[::2] for word in words.partition(":")[0].split(","))
    rows = tables.attrs(table, nodes, tuple(wanted)) or {}
    claims = []
    for node in nodes:
        row = rows.get(node, {})
        module = next((found for column in wanted if (found := _module(handler, wanted[column], row.get(column)))), "")
        if module:
            claims.append((node, module))
    return claims


def _module(handler: Handler, pattern: str, value: str | None) -> str:
    """The module that a value leads to, if any."""
    if not value:
        return ""
    if pattern:
        return handler.module if perlre.prepare(pattern, f"the plugin {handler.module}").search(value) else ""
    return value if handler.module in value else ""


def _complaint(specs: Sequence[Handler], sub_request: bool) -> str:
    listed = ""
    for handler in specs:
        if handler.spec not in listed:
            listed += f"{handler.spec};"
    text = listed.rstrip(";").replace(":", ".")
    if sub_request:
        text = text.partition("=")[0]
    return f"Unable to identify plugin for this command, check relevant tables: {text}"
