"""The agents of this machine's plugin: found in /proc, for one that only finishes its work has given up its socket."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ...bridge.agent import SOCKET
from .site import XcatSite

#: Seconds that an uninstall waits for an agent that is at work. A package manager waits with it.
PATIENCE = 60.0
_PROGRAMS = frozenset({"xcat-rhev", "xcat_rhev.cli", "__main__.py"})


def processes(site: XcatSite) -> list[int]:
    """The processes of the agents that serve, or have served, the plugin's socket."""
    return [process for process in _processes() if _serves(process, site.socket)]


def stop(site: XcatSite) -> Iterator[str]:
    """Let every agent end, and take its socket and its lock away; says what it did."""
    agents = processes(site)
    for process in agents:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    left = _wait_for_end(site, agents)
    for process in agents:
        if process in left:
            yield f"the agent, process {process}, is at work; it ends when that is done, or by: kill {process}"
        else:
            yield f"stopped the agent, process {process}"
    for path in files(site):
        with suppress(FileNotFoundError):
            path.unlink()
            yield f"removed {path}"


def files(site: XcatSite) -> list[Path]:
    """The agent's socket and its lock, as far as they are there."""
    return [path for path in (site.socket, Path(f"{site.socket}.lock")) if path.exists() or path.is_symlink()]


def _wait_for_end(site: XcatSite, agents: list[int]) -> set[int]:
    """Wait for their end; gives those that did not come to it."""
    end = time.monotonic() + PATIENCE
    while agents and time.monotonic() < end:
        time.sleep(0.1)
        agents = [process for process in agents if _serves(process, site.socket)]
    return set(agents)


def _processes() -> list[int]:
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def _serves(process: int, socket: Path) -> bool:
    """Whether a process is an agent of that socket. In another mount namespace the same path is another socket."""
    place = Path("/proc", str(process))
    try:
        words = (place / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")
        return (
            os.path.realpath(_socket_of(words)) == os.path.realpath(socket)
            and os.stat(place / "ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino
        )
    except OSError:  # it has ended, or is not ours to look at
        return False


def _socket_of(words: list[str]) -> str:
    """The socket of an agent with that command line; empty if it is none."""
    for place, word in enumerate(words[1:], 1):
        if word == "agent" and os.path.basename(words[place - 1]) in _PROGRAMS:
            rest = words[place + 1 :]
            named = [after for before, after in zip(rest, rest[1:]) if before == "--socket"]
            named += [each.partition("=")[2] for each in rest if each.startswith("--socket=")]
            return named[-1] if named else str(SOCKET)
    return ""
