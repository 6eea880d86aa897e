"""makeknownhosts: nodes in root's known_hosts, with the one host key that a cluster's nodes share."""

from __future__ import annotations

import os
import pwd
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...declare.command import CommandWords, Option
from ...errors import NotFound, RhevError
from ...files import write_whole
from ...messages import Error, Info
from ..facing import address_of
from ..networks import Domains
from ..reply import Output
from .declare import CommandCall, Core, own_command, refusal

_lock = threading.Lock()


def run(call: CommandCall) -> Iterator[Output]:
    """Answer `makeknownhosts NODERANGE [-r | -d] [-V]`."""
    nodes = call.request.nodes
    if not nodes:
        yield refusal("The Noderange is missing.")
        return
    removes = "remove" in call.options
    file = ssh_folder() / "known_hosts"
    try:
        key = "" if removes else _key(call)
        addresses = _addresses(call, nodes)
        domains = Domains(call.tables)
        fresh = [_line(node, addresses[node], domains, key) for node in nodes if addresses[node] and not removes]
        with _lock:
            _rewrite(file, {*nodes, *filter(None, addresses.values())}, fresh)
    except RhevError as problem:
        yield refusal(str(problem))
        return
    except OSError as problem:
        yield refusal(f"{file} cannot be written: {problem.strerror}")
        return
    if "verbose" in call.options:
        yield from (Info(f"Wrote {line}") for line in fresh)
        yield from (Info(f"Removed {node}") for node in nodes if removes)
    for node in (node for node in nodes if not addresses[node] and not removes):
        yield Error(f"Can not resolve {node}", node)


def ssh_folder() -> Path:
    """Where the ssh of this daemon's user keeps its files, whatever HOME says."""
    return Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".ssh"


def _key(call: CommandCall) -> str:
    """The public host key of the nodes.

    Raises:
        NotFound: There is none.
    """
    file = call.home.config / "hostkeys/ssh_host_rsa_key.pub"
    try:
        words = file.read_text().split()
    except (OSError, UnicodeDecodeError):
        words = []
    if len(words) < 2:
        raise NotFound(
            f"The keyfile:{file} is missing. Cannot create the known_hosts file.",
            "Put the public host key there that the nodes share",
        )
    return " ".join(words)


def _addresses(call: CommandCall, nodes: Sequence[str]) -> dict[str, str]:
    hosts = call.tables.node_attrs("hosts", nodes, ("ip",))
    return {node: address_of(node, hosts[node].get("ip", "")) for node in nodes}


def _line(node: str, address: str, domains: Domains, key: str) -> str:
    domain = domains.of(address)
    names = [node, *([f"{node}.{domain}"] if domain else []), address]
    return f"{','.join(names)} {key}"


def _rewrite(file: Path, names: set[str], fresh: Sequence[str]) -> None:
    """Take the lines out that begin with a name, and put new ones at the end; the file before stays beside it."""
    if not file.parent.is_dir():
        raise NotFound(f"ssh has not been setup on this machine: {file.parent} does not exist")
    before = file.read_bytes() if file.exists() else b""
    if before:
        write_whole(file.with_name("known_hosts.backup"), before, 0o600)
    gone = {name.encode() for name in names}
    kept = [line for line in before.splitlines() if not _names(line) & gone]
    after = b"".join(line + b"\n" for line in [*kept, *(line.encode() for line in fresh)])
    if after != before:
        write_whole(file, after, 0o600)


def _names(line: bytes) -> set[bytes]:
    """The first name of a line, by which it is known whose it is; none for a comment, a marker or a hashed name."""
    return {line.partition(b" ")[0].partition(b",")[0]}


MAKEKNOWNHOSTS = Core(
    own_command(
        "makeknownhosts",
        "nodes in root's known_hosts",
        ("Usage: makeknownhosts <noderange> [-r|-d] [-V]", "       makeknownhosts -h"),
        (Option(("-r", "--remove", "-d", "--delete"), "remove", "remove the nodes"),),
        CommandWords(),
    ),
    run,
)
