"""The contract between a command and the xCAT around it, be it the embedded daemon or a Perl xcatd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..abort import Abort
from ..messages import Message

#: One row of a table: column -> value. Columns without a value are absent, never empty or None.
Row = dict[str, str]


@dataclass(frozen=True)
class Request:
    """What somebody asks, as it is after policy and noderange expansion.

    Attributes:
        command: The command's name, e.g. `rpower`.
        nodes: The nodes it is for, in the order of the noderange.
        args: Its arguments, options included.
        cwd: The client's working directory, an absolute path.
        user: The user that asks: the certificate's name, or empty for none in particular.
        asker: The address the request came from; empty for a sub-request of this host.
        stdin: What the client read from its standard input.
        environment: The client's `XCAT_...` variables.
        aborted: Set when the client pressed Ctrl-C or went away.
    """

    command: str
    nodes: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    cwd: str = "/"
    user: str = ""
    asker: str = ""
    stdin: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    aborted: Abort = field(default_factory=Abort)

    @property
    def by_root(self) -> bool:
        """Whether root asks, or this host by itself, which a Perl xCAT does without a name."""
        return self.user == "root" or not (self.user or self.asker)


class Xcat(Protocol):
    """All that a command may ask of the xCAT around it.

    Table names and columns are xCAT's. Reading a node's attributes follows xCAT's rules: the node's own row, then those
    of its groups in the order of `nodelist.groups`, then regex values; writing always lands in the node's own row.
    Tables and columns that the xCAT at hand does not have read as empty.
    """

    def node_attrs(self, table: str, nodes: Sequence[str], columns: Sequence[str]) -> dict[str, Row]:
        """Read columns of many nodes at once; every asked node is a key, with an empty row if it has nothing."""

    def rows(self, table: str, where: Mapping[str, str] | None = None) -> list[Row]:
        """Read whole rows as they are, without disabled ones, optionally those whose columns equal `where`."""

    def set_node_attrs(self, table: str, values: Mapping[str, Mapping[str, str]]) -> None:
        """Write columns of nodes: node -> column -> value; an empty value clears the column."""

    def set_row(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> None:
        """Change the row with that key, or add it."""

    def delete_row(self, table: str, key: Mapping[str, str]) -> None:
        """Remove the row with that key; none is no error."""

    def site(self, key: str, default: str = "") -> str:
        """Read one value of the site table."""

    def service_nodes(self, nodes: Sequence[str]) -> dict[str, list[str]]:
        """Group nodes by `noderes.servicenode` as it is written; those without one under `site.master`."""

    def run(self, command: str, nodes: Sequence[str] = (), args: Sequence[str] = ()) -> Iterator[Message]:
        """Run another xCAT command as this host, its answers streamed back."""

    def set_bootparams(self, node: str, kernel: str, initrd: str, kcmdline: str) -> None:
        """Answer nodeset, inside its `mkinstall` sub-request: paths below tftpdir, and the kernel arguments."""

    def my_addresses(self) -> frozenset[str]:
        """The IP addresses of this machine, as text."""
