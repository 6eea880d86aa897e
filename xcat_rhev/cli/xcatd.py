"""Tables and commands of an xcatd, for the program's own parts: asked over TLS as xCAT's clients ask."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import NotFound, RhevError, Unreachable
from ..messages import Data, Error, Info, Message
from ..xcat.answers import is_last, read_messages
from ..xcat.commandnames import DEFINITIONS, SENT_AS, WITHOUT_NODERANGE
from ..xcat.rows import read_csv
from ..xcat.wire import WireRequest
from .client import Conversation, target
from .run import current_folder


class AskedXcatd:
    """The xcatd that XCATHOST names, else the one of this machine."""

    def __init__(self) -> None:
        self._target = target(os.environ)
        self._tables: dict[str, list[dict[str, str]]] = {}

    @property
    def certificates(self) -> Path:
        """Where the certificates are that it is asked with."""
        return self._target.certificates

    def ask(self, command: str, *words: str, stdin: str = "") -> list[Message]:
        """Run a command to its end.

        Args:
            command: As it is typed.
            words: The words after it, the noderange first where it has one.
            stdin: Its input.

        Returns:
            What it said.

        Raises:
            RhevError: It said an error, in its words.
            Unreachable: No xcatd, or its answer ends early.
        """
        said = list(self.messages(command, *words, stdin=stdin))
        errors = [f"{each.node}: {each.text}" if each.node else each.text for each in said if isinstance(each, Error)]
        if errors:
            raise RhevError("; ".join(errors))
        return said

    def messages(self, command: str, *words: str, stdin: str = "") -> Iterator[Message]:
        """What a command says, as it comes; errors too.

        Raises:
            Unreachable: No xcatd, or its answer ends early.
        """
        conversation, done = Conversation(self._target), False
        try:
            for answer in conversation.ask(_request(command, words, stdin)):
                done = is_last(answer)
                yield from read_messages(answer)
        finally:
            conversation.close()
        if not done:
            raise Unreachable(f"{self._target} went away before {command} had ended")

    def rows(self, table: str) -> list[dict[str, str]]:
        """All rows of a table that are not disabled, without empty columns."""
        if table not in self._tables:
            lines = [m.text for m in self.ask("tabdump", table) if isinstance(m, (Data, Info))]
            rows = [{key: value for key, value in row.items() if value} for row in read_csv(lines)[1]]
            self._tables[table] = [row for row in rows if row.get("disable", "0").lower() in ("0", "no")]
        return self._tables[table]

    def row(self, table: str, **key: str) -> dict[str, str]:
        """The first row with that key, or an empty one."""
        found = (row for row in self.rows(table) if all(row.get(name) == value for name, value in key.items()))
        return next(found, {})

    def site(self, key: str, default: str = "") -> str:
        """One value of the site table."""
        return self.row("site", key=key).get("value") or default

    def node(self, name: str, *columns: str) -> dict[str, str]:
        """Columns of one node, as xCAT works them out with its groups.

        Args:
            name: The node.
            columns: Two or more `table.column`: xCAT names a column only where there are several.

        Raises:
            NotFound: There is no such node.
        """
        if not any(row.get("node") == name for row in self.rows("nodelist")):
            raise NotFound(f"there is no node {name}", f"Run: mkdef -t node {name} groups=all ip=ADDRESS mac=MAC")
        said = self.ask("nodels", name, *columns)
        return {message.desc: message.text for message in said if isinstance(message, Data) and message.text}


def _request(command: str, words: Sequence[str], stdin: str) -> WireRequest:
    """The request of a program: unlike a person's, it never takes what is piped into us."""
    named = command not in WITHOUT_NODERANGE | DEFINITIONS | SENT_AS.keys()
    request = WireRequest(SENT_AS.get(command, command), cwd=current_folder(), clienttype="cli", stdin=stdin or None)
    if named and words:
        return request._replace(noderange=words[0], args=tuple(words[1:]))
    return request._replace(args=tuple(words))
