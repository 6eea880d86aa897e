"""lsxcatd: about this daemon; rescanplugins: nothing to scan here."""

from __future__ import annotations

from collections.abc import Iterator

from ...messages import Data
from .declare import Call, Core, Said, Shape, version


def run(call: Call) -> Iterator[Said]:
    """Answer `lsxcatd -v | -t | -d | -a`."""
    asked = call.options
    if not asked:
        yield LSXCATD.help(1)
        return
    if "v" in asked or "a" in asked:
        yield version()
    if "t" in asked or "a" in asked:
        yield Data("This is a Service Node" if call.home.is_service_node else "This is a Management Node")
    if "d" in asked or "a" in asked:
        yield Shape({"data": _database(call)})


def _database(call: Call) -> list[str]:
    location = call.tables.store.location
    if location.kind == "sqlite":
        return ["dbengine=SQLite"]
    name = "Pg" if location.kind == "postgresql" else "mysql"
    return [f"cfgloc={location.display}", f"dbengine={name}", f"dbname={location.database}", f"dbhost={location.host}",
            f"dbadmin={location.user}"]


def rescan(_: Call) -> Iterator[Said]:
    """Answer `rescanplugins`: the commands are those the daemon was started with."""
    yield from ()


LSXCATD = Core(
    "lsxcatd", ("lsxcatd [-d|--database]", "lsxcatd [-t|--nodetype]", "lsxcatd [-a|--all]"), run, letters="dtav",
    long={"database": "d", "nodetype": "t", "all": "a"},
)
RESCANPLUGINS = Core("rescanplugins", ("rescanplugins [-s|--servicenodes]",), rescan, letters="s",
                     long={"servicenodes": "s"})
