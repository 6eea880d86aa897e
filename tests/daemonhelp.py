"""The embedded xcatd inside the test's own process: its commands without sockets, and its printed answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xcat_rhev.daemon import firststart
from xcat_rhev.daemon.core.declare import Said, Shape
from xcat_rhev.daemon.database import Location, locate
from xcat_rhev.daemon.home import Home
from xcat_rhev.daemon.store import Store
from xcat_rhev.daemon.tables import Tables
from xcat_rhev.daemon.xcatd import Xcatd
from xcat_rhev.dispatch import Dispatcher
from xcat_rhev.xcat import answers, wire
from xcat_rhev.xcat.host import Request
from xcat_rhev.xcat.wire import WireRequest


class Inside:
    """A daemon below a folder; `type` gives what a client would print, `rc` its exit code.

    Args:
        folder: An empty folder.
        location: Where the tables are, if not there.
    """

    def __init__(self, folder: Path, location: Location | None = None) -> None:
        self.home = Home(folder)
        self.home.make()
        self.store = Store(location or locate(self.home.config))
        self.store.create()
        firststart.fill(self.store, self.home, "mn", "127.0.0.1", 3001)
        self.xcatd = Xcatd(self.home, self.store, Dispatcher())
        self.rc = 0

    def said(self, command: str, *args: str, on: str | None = None, **more: object) -> Iterator[Said]:
        """Run a command as a client's request would."""
        tables = Tables(self.store)
        nodes = tables.expand(on).nodes if on else ()
        request = Request(command, nodes, args, str(self.home.root), "root", stdin=str(more.get("stdin", "")))
        given = WireRequest(command=command, noderange=on, args=args, **{k: v for k, v in more.items() if k != "stdin"})
        return self.xcatd.perform(request, tables, wire=given)

    def type(self, command: str, *args: str, on: str | None = None, **more: object) -> list[str]:
        """Run a command and print the answer as a client does; errors too, in the order of the answer."""
        self.rc = 0
        lines: list[str] = []
        for said in self.said(command, *args, on=on, **more):
            document = wire.write_response(said.fields) if isinstance(said, Shape) else wire.write_messages((said,), "")
            for one in wire.split(document)[0]:
                response = wire.read_response(one)
                self.rc |= answers.exit_code(response)
                lines += [line.text.rstrip("\n") for line in answers.printed(response)]
        return lines

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of a table that count."""
        return Tables(self.store).rows(name)

    def close(self) -> None:
        """End its threads."""
        self.xcatd.audit.close()
        self.store.close()
