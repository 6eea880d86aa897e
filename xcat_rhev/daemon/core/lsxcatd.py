"""lsxcatd: about this daemon; rescanplugins: nothing to scan here."""

from __future__ import annotations

from collections.abc import Iterator

from ...declare.command import CommandWords, Option
from ...messages import Data
from ..reply import Output, Reply
from .declare import CommandCall, Core, own_command, version


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `lsxcatd -v | -t | -d | -a`."""
    asked = call.options
    if not asked:
        yield LSXCATD.help(1)
        return
    if "release" in asked or "all" in asked:
        yield version()
    if "nodetype" in asked or "all" in asked:
        yield Data("This is a Service Node" if call.home.is_service_node else "This is a Management Node")
    if "database" in asked or "all" in asked:
        yield Reply({"data": _database(call)})


def _database(call: CommandCall) -> list[str]:
    location = call.tables.store.location
    if location.kind == "sqlite":
        return ["dbengine=SQLite"]
    name = "Pg" if location.kind == "postgresql" else "mysql"
    return [
        f"cfgloc={location.display}",
        f"dbengine={name}",
        f"dbname={location.database}",
        f"dbhost={location.host}",
        f"dbadmin={location.user}",
    ]


def rescan(_: CommandCall) -> Iterator[Output]:
    """Answer `rescanplugins`: the commands are those the daemon was started with."""
    yield from ()


LSXCATD = Core(
    own_command(
        "lsxcatd",
        "what this daemon is",
        ("lsxcatd [-d|--database]", "lsxcatd [-t|--nodetype]", "lsxcatd [-a|--all]"),
        (
            Option(("-d", "--database"), "database", "its database"),
            Option(("-t", "--nodetype"), "nodetype", "whether this is a management node or a service node"),
            Option(("-a", "--all"), "all", "all of it"),
            Option(("-v", "--version"), "release", "its version"),
        ),
        CommandWords(),
    ),
    run,
)
RESCANPLUGINS = Core(
    own_command(
        "rescanplugins",
        "accepted as in xCAT, without effect: there are no plugins to look for",
        ("rescanplugins [-s|--servicenodes]",),
        (Option(("-s", "--servicenodes"), "servicenodes", "on the service nodes as well"),),
        CommandWords(),
    ),
    rescan,
)
