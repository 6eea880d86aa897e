"""makehosts: names and addresses of nodes in a hosts file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...messages import Info
from ..home import write_atomically
from .declare import Call, Core, Said, refused

#: The file of the machine itself, edited only when asked for.
SYSTEM = Path("/etc/hosts")
_lock = threading.Lock()


def run(call: Call) -> Iterator[Said]:
    """Answer `makehosts [NODERANGE] [-d] [-n] [-l] [-o] [-a] [--system]`."""
    file = SYSTEM if "e" in call.options else call.home.hosts
    if file == SYSTEM and os.geteuid() != 0:
        yield refused(f"only root may change {SYSTEM}")
        return
    nodes = call.request.nodes or sorted(call.tables.nodes())
    lines = _Lines(call).all(nodes)
    try:
        with _lock:
            before = [] if "n" in call.options or not file.exists() else file.read_text().splitlines()
            after = _merged(before, {} if "d" in call.options else lines, lines)
            write_atomically(file, "".join(f"{line}\n" for line in after).encode())
    except OSError as problem:
        yield refused(f"{file} cannot be written: {problem.strerror}")
        return
    yield Info(f"Wrote {file}")


class _Lines:
    """Makes the lines: `10.9.0.11 vm1 vm1.cluster.local `, with xCAT's blank at the end."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._domain = call.tables.site("domain")
        self._long_first = "l" in call.options or call.tables.site("FQDNfirst").lower() in ("1", "yes", "enable")

    def all(self, nodes: Sequence[str]) -> dict[str, str]:
        """Address -> line."""
        rows = self._call.tables.node_attrs("hosts", nodes, ("ip", "hostnames", "otherinterfaces"))
        lines: dict[str, str] = {}
        for node in nodes:
            row = rows[node]
            if row.get("ip"):
                lines[row["ip"]] = self._line(row["ip"], node, row.get("hostnames", "").replace(",", " ").split())
            for other in filter(None, row.get("otherinterfaces", "").split(",")):
                name, _, address = other.partition(":")
                if address:
                    lines[address] = self._line(address, node + name if name.startswith("-") else name, ())
        return lines

    def _line(self, address: str, name: str, aliases: Sequence[str]) -> str:
        long = f"{name}.{self._domain}" if self._domain else name
        if "a" in self._call.options:
            aliases = [word for alias in aliases for word in (alias, f"{alias}.{self._domain}")]
        names = [long, name] if self._long_first else [name, long]
        return " ".join([address, *names, *aliases]) + " "


def _merged(before: Sequence[str], lines: Mapping[str, str], gone: Mapping[str, str]) -> list[str]:
    """Replace the lines of addresses and of node names, keep everything else, and add what is new at the end."""
    names = {line.split()[1] for line in gone.values()}
    kept = []
    for line in before:
        words = line.partition("#")[0].split()
        if words and (words[0] in gone or (len(words) > 1 and words[1] in names)):
            continue
        kept.append(line)
    return [*kept, *lines.values()]


MAKEHOSTS = Core(
    "makehosts",
    ("makehosts [noderange] [-d] [-n] [-l|--longnamefirst] [-a|--adddomaintohostnames] [-o] [--system]",
     "          --system: /etc/hosts of this machine; else the file etc/hosts below the daemon's home"),
    run, letters="dnlaome", long={"longnamefirst": "l", "adddomaintohostnames": "a", "system": "e"},
)
