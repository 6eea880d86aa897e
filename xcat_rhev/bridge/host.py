"""The Host of a machine with a Perl xCAT: every question goes to the shim, so table semantics stay xCAT's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

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
#: Seconds for which an answer of the tables holds; xCAT's own caches keep theirs as long.
KEPT = 5.0


class BridgeHost:
    """Implements `xcat.host.Host` for one request.

    Args:
        channel: The connection to the shim that brought the request.
        read: By table what the shim has read on the way: `{"columns": [...], "lines": [["vm1,vm2", VALUE, ...], ...]}`.
    """

    def __init__(self, channel: Channel, read: Mapping[str, Any] | None = None) -> None:
        self._channel = channel
        self._writes = Coalescer(self._put_nodes)
        self._known = _Known({table: _ReadRows(**item) for table, item in (read or {}).items()})

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Read columns of many nodes at once."""
        if not nodes:
            return {}
        found = self._known.rows(table, nodes, columns)
        if found is None:
            found = self._channel.call("node_attrs", table, list(nodes), list(columns)) or {}
        rows = {node: _row(found.get(node)) for node in nodes}
        # Perl works out a column that is one expression, and leaves those of single cards to each of its programs.
        return nics.all_expanded(rows) if table == nics.TABLE else rows

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """Read whole rows as they are."""
        ask = self._ask if table == "passwd" else self._channel.call
        found = [_row(item) for item in ask("rows", table, dict(where or {})) or []]
        # A Perl xCAT compares in SQL, where MySQL ignores case; equal means equal here.
        return [row for row in found if all(row.get(key) == value for key, value in (where or {}).items())]

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        """Write columns of nodes."""
        if values:
            self._writes.put(table, values)

    def _put_nodes(self, table: str, values: Values) -> None:
        self._change("set_node_attrs", table, {node: dict(row) for node, row in values.items()})

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        """Change the row with that key, or add it."""
        self._change("set_row", table, dict(key), dict(values))

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        """Remove the row with that key."""
        self._change("delete_row", table, dict(key))

    def site(self, key: str, default: str = "") -> str:
        """Read one value of the site table."""
        return self._ask("site", key) or default

    def _change(self, name: str, *arguments: Any) -> Any:
        """Have the shim write; what others have asked meanwhile may be from before, so it is forgotten afterwards."""
        try:
            return self._channel.call(name, *arguments)
        finally:
            self._known.forget()

    def _ask(self, name: str, *arguments: Any) -> Any:
        """Ask the shim, or take what it has just answered: each of several managers asks for the same of the site."""
        return self._known.answer((name, *map(str, arguments)), lambda: self._channel.call(name, *arguments))

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        """Group nodes by their service node."""
        found = self._channel.call("service_nodes", list(nodes)) or {}
        return {str(key): [str(node) for node in group] for key, group in found.items()}

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        """Run another xCAT command as this host; Perl gives all its answers at the end."""
        for item in self._change("run", command, list(nodes), list(args)) or []:
            yield message_from(item)

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        """Fill the hash that nodeset handed to its `mkinstall` sub-request."""
        self._channel.call("set_bootparams", node, kernel, initrd, kcmdline)

    def my_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine; the agent runs on it, so Perl need not be asked."""
        return my_addresses()


class _ReadRows:
    """Rows that the shim has read on the way.

    Args:
        columns: The columns that were read.
        lines: Nodes, joined by commas, and their values in the order of the columns.
    """

    def __init__(self, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
        self._columns = frozenset(columns)
        self._rows = {
            node: dict(zip(columns, values)) for nodes, *values in lines for node in str(nodes).split(",")
        }  # one dictionary for each node: who gets it may change it

    def take(self, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, str]] | None:
        """The columns of these nodes; None if one of them was not read."""
        if not self._columns.issuperset(columns) or not self._rows.keys() >= set(nodes):
            return None
        return {node: {column: self._rows[node][column] for column in columns} for node in nodes}


class _Known:
    """What the shim has said within the last seconds, until something is written.

    Args:
        read: By table, what came with the request.
    """

    def __init__(self, read: Mapping[str, _ReadRows]) -> None:
        self._guard = threading.Lock()
        self._read, self._answers = dict(read), dict[tuple[str, ...], Any]()
        self._until = time.monotonic() + KEPT

    def rows(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, str]] | None:
        """Columns of nodes as they came with the request; None if they did not, or too long ago."""
        with self._guard:
            self._drop_old()
            read = self._read.get(table)
        return read.take(nodes, columns) if read else None

    def answer(self, question: tuple[str, ...], ask: Callable[[], Any]) -> Any:
        """What was answered to a question, asked only if that is not known."""
        with self._guard:
            self._drop_old()
            answers = self._answers
        if question not in answers:
            answers[question] = ask()  # into the old ones, if all has been forgotten meanwhile
        return answers[question]

    def forget(self) -> None:
        """Something is written, and much may depend on it."""
        with self._guard:
            self._read, self._answers = {}, {}

    def _drop_old(self) -> None:
        if time.monotonic() > self._until:
            self._read, self._answers = {}, {}
            self._until = time.monotonic() + KEPT


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
    if isinstance(message, Data) and message.node and not (message.desc or message.code):
        return [without_spelling(message.node), without_spelling(message.text)]
    return {"say": message_to(message)}


def _row(item: Mapping[str, Any] | None) -> Row:
    return {key: str(value) for key, value in (item or {}).items() if value not in (None, "")}
