"""The embedded xcatd as commands see it: the Host contract over the tables, for one request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from ..addresses import my_addresses
from ..errors import Conflict
from ..messages import Message
from ..xcat import answers, wire
from ..xcat.host import Request, Row
from ..xcat.write_coalescing import Coalescer, Values
from .reply import Output, Reply
from .tables import Tables


class BootParams(NamedTuple):
    """What a node should boot.

    Attributes:
        kernel: A path below tftpdir.
        initrd: A path below tftpdir.
        kcmdline: The kernel's arguments.
    """

    kernel: str
    initrd: str
    kcmdline: str


#: The user of a sub-request of a stranger.
NOBODY = "nobody"
#: node -> what it should boot; filled by `mkinstall` for the `nodeset` that runs it.
Boots = dict[str, BootParams]


class Performer(Protocol):
    """Runs commands; the daemon."""

    def perform(
        self, request: Request, tables: Tables, boots: Boots | None = None, settled: bool = False
    ) -> Iterator[Output]:
        """Run a command that has passed the policy; `settled`: on this host."""


class DaemonHost:
    """The Host contract for one request of the embedded daemon.

    Args:
        performer: Runs sub-requests.
        tables: The tables as the request sees them.
        request: What was asked.
        boots: Where `set_bootparams` puts its values; None outside of nodeset.
        settled: Another daemon has sent the request here; what it runs in turn stays here as well.
    """

    def __init__(
        self, performer: Performer, tables: Tables, request: Request, boots: Boots | None = None, settled: bool = False
    ) -> None:
        self._performer, self._tables, self._request = performer, tables, request
        self._boots, self._settled = boots, settled
        self._writes = Coalescer(self._put_nodes)

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Read columns of many nodes at once; every asked node is a key, with an empty row if it has nothing."""
        return self._tables.node_attrs(table, nodes, columns)

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """Read whole rows as they are, without disabled ones, optionally those whose columns equal `where`."""
        return self._tables.rows(table, where)

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        """Write columns of nodes: node -> column -> value; an empty value clears the column."""
        self._writes.put(table, values)

    def _put_nodes(self, table: str, values: Values) -> None:
        self._tables.put_nodes(table, {node: clear_empty(row) for node, row in values.items()})

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        """Change the row with that key, or add it; an empty value clears the column."""
        self._tables.put(table, key, clear_empty(values))

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        """Remove the row with that key; none is no error."""
        self._tables.drop(table, key)

    def site(self, key: str, default: str = "") -> str:
        """Read one value of the site table."""
        return self._tables.site(key, default)

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        """Group nodes by `noderes.servicenode` as it is written; those without one under `site.master`."""
        groups: dict[str, list[str]] = {}
        for node, row in self.node_attrs("noderes", nodes, ("servicenode",)).items():
            groups.setdefault(row.get("servicenode") or self.site("master"), []).append(node)
        return groups

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        """Run another xCAT command as this host, its answers streamed back."""
        for said in self.ask(command, nodes, args, self._boots):
            if isinstance(said, Reply):
                yield from answers.read_messages(wire.read_response(wire.write_response(said.fields)))
            else:
                yield said

    def ask(
        self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = (), boots: Boots | None = None
    ) -> Iterator[Output]:
        """Run another command; as `run`, with the daemon's own answers as they are."""
        asked = self._request
        user = asked.user or (NOBODY if asked.asker else "")  # never as this host
        request = replace(asked, command=command, nodes=tuple(nodes), args=tuple(args), user=user, asker="", stdin="")
        yield from self._performer.perform(request, self._tables, boots, self._settled)

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        """Answer nodeset, inside its `mkinstall` sub-request: paths below tftpdir, and the kernel arguments.

        Raises:
            Conflict: The command was not run by nodeset.
        """
        if self._boots is None:
            raise Conflict(f"{self._request.command} is run by nodeset", "Run: nodeset NODERANGE osimage=IMAGE")
        self._boots[node] = BootParams(kernel, initrd, kcmdline)

    def my_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine, as text."""
        return my_addresses()


def clear_empty(row: Mapping[str, str]) -> dict[str, str | None]:
    """Store nothing instead of an empty text, which in the column `disable` would hide the row."""
    return {column: value or None for column, value in row.items()}
