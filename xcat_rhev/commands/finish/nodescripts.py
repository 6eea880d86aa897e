"""xCAT's postscripts on hypervisors: over SSH after the boot, because their images cannot start them.

Only scripts that a node's postscripts row names as `rhevh:SCRIPT` run, for example `rhevh:setmotd` or, with arguments,
`rhevh:route add 10.5.0.0/16`; they are in `<installdir>/postscripts`, as all are.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NamedTuple

from ...abort import check
from ...xcat.host import Xcat

MARK = "rhevh:"
COLUMNS = ("postscripts", "postbootscripts")
#: Seconds for a connection, for one script, and between two checks whether the command was aborted.
CONNECT, LIMIT, GLANCE = 10, 600, 0.2
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
#: The exit code of ssh when the script was not started.
NOT_REACHED = 255


class Script(NamedTuple):
    """One script and its arguments."""

    name: str
    args: tuple[str, ...]


def scripts(xcat: Xcat, nodes: Sequence[str]) -> dict[str, list[Script]]:
    """The scripts that nodes should run, for those that have any.

    Args:
        xcat: The xCAT.
        nodes: The nodes.

    Returns:
        Node -> its scripts in order, `postscripts` before `postbootscripts`, each behind those of `xcatdefaults`.
    """
    rows = xcat.node_attrs("postscripts", nodes, COLUMNS)
    usual = next(iter(xcat.rows("postscripts", {"node": "xcatdefaults"})), {})
    found = {}
    for node in nodes:
        words = ",".join(row.get(column, "") for column in COLUMNS for row in (usual, rows[node])).split(",")
        marked = [word.strip()[len(MARK) :].split() for word in words if word.strip().startswith(MARK)]
        found[node] = [Script(name, tuple(args)) for name, *args in filter(None, marked)]
    return {node: its for node, its in found.items() if its}


def run_all(xcat: Xcat, nodes: Sequence[str], aborted: threading.Event | None = None) -> dict[str, str]:
    """Run the scripts of nodes.

    Args:
        xcat: The xCAT.
        nodes: The nodes; those without scripts are left alone.
        aborted: Set when the person who asked went away: the running script is then ended.

    Returns:
        The nodes that failed, and why.

    Raises:
        Aborted: That person went away.
    """
    folder = Path(xcat.site("installdir", "/install")) / "postscripts"
    addresses = xcat.node_attrs("hosts", nodes, ["ip"])
    stopped = {}
    for node, its in scripts(xcat, nodes).items():
        for script in its:
            problem = _run(folder, script, node, addresses[node].get("ip") or node, aborted or threading.Event())
            if problem:
                stopped[node] = problem
                break
    return stopped


def _run(folder: Path, script: Script, node: str, address: str, aborted: threading.Event) -> str:
    """Run one script; gives the error, or nothing."""
    if not _NAME.fullmatch(script.name):
        return f"'{script.name}' is not the name of a script"
    file = folder / script.name
    options = ("BatchMode=yes", f"ConnectTimeout={CONNECT}", "StrictHostKeyChecking=accept-new")
    words = ["ssh", *(word for option in options for word in ("-o", option)), f"root@{address}"]
    remote = ["NODE=" + shlex.quote(node), "sh", "-s", "--", *map(shlex.quote, script.args)]
    try:
        with open(file, "rb") as source:
            code, errors = _run_to_end([*words, " ".join(remote)], source, aborted)
    except subprocess.TimeoutExpired:
        return f"{script.name} took longer than {LIMIT} s"
    except OSError as problem:
        return f"{problem.filename or file}: {problem.strerror}"
    said = (errors.decode(errors="replace").strip().splitlines() or [""])[-1]
    if code == NOT_REACHED:
        return f"ssh to root@{address} failed: {said}"
    return f"{script.name} ended with {code}: {said}" if code else ""


def _run_to_end(words: Sequence[str], source: IO[bytes], aborted: threading.Event) -> tuple[int, bytes]:
    """Run a program to its end, or end it with all that it has started: its exit code and its errors."""
    end = time.monotonic() + LIMIT
    with subprocess.Popen(  # noqa: S603 - fixed program, everything foreign is quoted
        words, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        while True:
            try:
                errors = process.communicate(timeout=GLANCE)[1]
                return process.returncode, errors
            except subprocess.TimeoutExpired:
                if aborted.is_set() or time.monotonic() > end:
                    os.killpg(process.pid, signal.SIGKILL)
                    check(aborted)
                    raise
