"""What the doctor looks at where the embedded xcatd serves a site: DHCP, DNS, TFTP and HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...daemon.home import Home
from ...daemon.netservices.bootloaders import missing_loaders
from ...daemon.netservices.state import NetState, program, services_of
from .findings import Finding

_START = "systemctl enable --now xcat-rhev-netservices, or start xcatd with --serve"
#: Seconds for the web server to take a connection.
_PATIENCE = 5.0


def examine(folder: Path) -> Iterator[Finding]:
    """Check after check, for the home of a daemon."""
    state = NetState(Home(folder))
    yield Finding("networks", state.is_made, f"files in {state.folder}", "xcat-rhev run makenetworks; makedhcp -n")
    if not state.is_made:
        return
    services = services_of(state)
    for name in ("dnsmasq", *(["kea-dhcp4"] if services.get("dhcp") == "kea" else [])):
        found = program(name)
        yield Finding(name, bool(found), found or "not installed", f"apt-get install {name}, or dnf install {name}")
    at_work = state.is_supervised()
    yield Finding("servers", at_work, "running" if at_work else "not running", _START)
    if at_work:
        yield _check_running(state)
    yield from _loaders(services)
    yield from _web(services)
    names = state.names()
    yield Finding(
        "names", True, "no name server; makedns makes one" if names is None else f"those of {len(names)} nodes"
    )


def _check_running(state: NetState) -> Finding:
    try:
        problem = json.loads(state.running.read_text()).get("problem", "")
    except (OSError, ValueError):
        problem = "they have written no message yet"
    return Finding("their messages", not problem, problem or "no errors", f"less {state.folder}/*.log")


def _loaders(services: dict[str, Any]) -> Iterator[Finding]:
    """One that is missing may not be needed, so it is reported and is not a fault."""
    for file in missing_loaders(Path(services["folders"]["/tftpboot"])):
        yield Finding("boot loader", True, f"{file} is not there; nodes of that noderes.netboot do not start")


def _web(services: dict[str, Any]) -> Iterator[Finding]:
    for address in services.get("listen", ()):
        where = (address, int(services["port"]))
        try:
            socket.create_connection(where, _PATIENCE).close()
        except OSError as problem:
            yield Finding("HTTP", False, f"{address} port {where[1]}: {problem.strerror or problem}", _START)
        else:
            yield Finding("HTTP", True, f"http://{address}:{where[1]}")
