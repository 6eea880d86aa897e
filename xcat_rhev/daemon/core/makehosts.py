"""makehosts: names and addresses of nodes in a hosts file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

from ...declare.command import CommandWords, Option
from ...files import write_whole
from ...messages import Info
from ...ordering import natural
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal
from .hostlines import SYSTEM, HostLine, Lines

#: What a file that is written again begins with.
FIRST = "127.0.0.1 localhost"
_lock = threading.Lock()
#: What a line is found by -> where such lines are.
_Places = dict[tuple[str, bool], set[int]]


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `makehosts [NODERANGE] [-d] [-n] [-l] [-o] [-a] [-m] [--system]`."""
    file = SYSTEM if "system" in call.options else call.home.hosts
    if file == SYSTEM and os.geteuid() != 0:
        yield refusal(f"only root may change {SYSTEM}")
        return
    if "delete" in call.options and not call.request.nodes:
        yield refusal("makehosts -d needs a noderange")
        return
    lines = Lines(call)
    entries = lines.all(call.request.nodes or sorted(call.tables.nodes(), key=natural))
    yield from lines.warnings
    try:
        with _lock:
            before = file.read_text().splitlines() if file.exists() else []
            after = _merge([FIRST] if "anew" in call.options else before, entries, "delete" in call.options)
            write_whole(file, "".join(f"{line}\n" for line in after).encode())
    except OSError as problem:
        yield refusal(f"{file} cannot be written: {problem.strerror}")
        return
    yield Info(f"Wrote {file}")


def _merge(before: Sequence[str], entries: Sequence[HostLine], delete: bool) -> list[str]:
    """Put each entry in the place of the first line with its address or name, or at the end; keep everything else."""
    after: list[str | None] = list(before)
    known: _Places = {}
    for number, line in enumerate(before):
        _index(known, number, line)
    for entry in entries:
        places = sorted({place for key in _keys(entry.address, entry.name) for place in known.get(key, ())})
        for place in places:
            after[place] = None
        if delete:
            continue
        if not places:
            places = [len(after)]
            after.append(None)
        after[places[0]] = entry.line
        _index(known, places[0], entry.line)
    return [line for line in after if line is not None]


def _index(known: _Places, number: int, line: str) -> None:
    """Note what a line is found by: its address and its first name; other names may be those of several machines."""
    address, name, *_ = [*line.partition("#")[0].split(), "", ""]
    for key in _keys(address, name, name.partition(".")[0]) if name else ():
        known.setdefault(key, set()).add(number)


def _keys(address: str, *names: str) -> Iterator[tuple[str, bool]]:
    """What finds a line; a name has a line for each version of IP."""
    six = ":" in address
    yield from ((text, six) for text in (address, *names))


MAKEHOSTS = Core(
    own_command(
        "makehosts",
        "names and addresses of nodes in a hosts file",
        (
            "makehosts [noderange] [-d] [-n] [-l|--longnamefirst] [-a|--adddomaintohostnames] [-o] "
            "[-m|--mactolinklocal]",
            "          [--system]",
            "          --system: /etc/hosts of this machine; else the file etc/hosts below the daemon's home",
        ),
        (
            Option(("-d",), "delete", "remove the nodes"),
            Option(("-n",), "anew", "write the whole file again"),
            Option(("-l", "--longnamefirst"), "longnamefirst", "the name with the domain comes first"),
            Option(("-a", "--adddomaintohostnames"), "adddomain", "other names get the domain as well"),
            Option(("-o", "--othernamesfirst"), "othernamesfirst", "other names come first"),
            Option(("-m", "--mactolinklocal"), "linklocal", "addresses that follow from the MACs"),
            Option(("-e", "--system"), "system", "/etc/hosts of this machine"),
        ),
        CommandWords(),
    ),
    run,
)
