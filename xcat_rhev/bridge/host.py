"""The Host of a machine with a Perl xCAT: every question goes to the shim, so table semantics stay xCAT's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..addresses import my_addresses
from ..messages import KINDS, Data, Error, Info, Message, Note, Progress, Warn
from ..xcat import nics
from ..xcat.host import Row
from ..xcat.wire import without_spelling
from ..xcat.write_coalescing import Coalescer, Values
from .channel import Channel

_KINDS: dict[str, type[Any]] = {
    "data": Data,
    "info": Info,
    "warning": Warn,
    "note": Note,
    "error": Error,
    "progress": Progress,
}


class BridgeHost:
    """Implements `xcat.host.Host` for one request.

    Args:
        channel: The connection to the shim that brought the request.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._writes = Coalescer(self._put_nodes)

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Read columns of many nodes at once."""
        if not nodes:
            return {}
        found = self._channel.call("node_attrs", table, list(nodes), list(columns)) or {}
        rows = {node: _row(found.get(node)) for node in nodes}
        # Perl works out a column that is one expression, and leaves those of single cards to each of its programs.
        return nics.all_expanded(rows) if table == nics.TABLE else rows

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """Read whole rows as they are."""
        found = [_row(item) for item in self._channel.call("rows", table, dict(where or {})) or []]
        # A Perl xCAT compares in SQL, where MySQL ignores case; equal means equal here.
        return [row for row in found if all(row.get(key) == value for key, value in (where or {}).items())]

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        """Write columns of nodes."""
        if values:
            self._writes.put(table, values)

    def _put_nodes(self, table: str, values: Values) -> None:
        self._channel.call("set_node_attrs", table, {node: dict(row) for node, row in values.items()})

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        """Change the row with that key, or add it."""
        self._channel.call("set_row", table, dict(key), dict(values))

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        """Remove the row with that key."""
        self._channel.call("delete_row", table, dict(key))

    def site(self, key: str, default: str = "") -> str:
        """Read one value of the site table."""
        return self._channel.call("site", key) or default

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        """Group nodes by their service node."""
        found = self._channel.call("service_nodes", list(nodes)) or {}
        return {str(key): [str(node) for node in group] for key, group in found.items()}

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        """Run another xCAT command as this host; Perl gives all its answers at the end."""
        for item in self._channel.call("run", command, list(nodes), list(args)) or []:
            yield message_from(item)

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        """Fill the hash that nodeset handed to its `mkinstall` sub-request."""
        self._channel.call("set_bootparams", node, kernel, initrd, kcmdline)

    def my_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine; the agent runs on it, so Perl need not be asked."""
        return my_addresses()


def message_from(item: Mapping[str, Any]) -> Message:
    """Read a message from its JSON form, `{"kind": "data", "text": ..., "node": ...}`."""
    kind = _KINDS[str(item["kind"])]
    fields = {key: value for key, value in item.items() if key in kind.__dataclass_fields__}
    message: Message = kind(**fields)
    return message


def message_to(message: Message) -> dict[str, Any]:
    """Write a message in its JSON form, without what is empty or not for people: Perl reads a thousand of them."""
    filled = {key: value for key, value in vars(message).items() if key == "text" or (value and key != "fields")}
    texts = {key: without_spelling(value) for key, value in filled.items() if isinstance(value, str)}
    return {"kind": KINDS[type(message)], **filled, **texts}


def line_for(message: Message) -> dict[str, Any] | list[str]:
    """Write a message as its line for Perl: a pair for what a node says, as most are, and an object for all others."""
    said = message_to(message)
    if said["kind"] == KINDS[Data] and said.keys() == {"kind", "node", "text"}:
        return [said["node"], said["text"]]
    return {"say": said}


def _row(item: Mapping[str, Any] | None) -> Row:
    return {key: str(value) for key, value in (item or {}).items() if value not in (None, "")}
