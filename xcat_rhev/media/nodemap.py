"""The list by which the web server knows a caller: address -> node, kept beside the media.

The file is `{"version": 1, "addresses": {"10.0.0.5": "rhevh1"}, "names": {"rhevh1.example.com": "rhevh1"}}`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .copying import write_all, write_error
from .initrd import replace_file
from .locks import lock_folder


@dataclass(frozen=True)
class KnownNode:
    """How one node may be met.

    Attributes:
        addresses: IP addresses it calls from, as text.
        names: What it may call itself.
    """

    addresses: tuple[str, ...]
    names: tuple[str, ...]


def node_map_path(installdir: str) -> Path:
    """Where the list is."""
    return Path(installdir) / "xcatrhevh" / "nodes.json"


def update_node_map(path: Path, nodes: Mapping[str, KnownNode]) -> None:
    """Put nodes into the list; what it said of them before is forgotten, what it says of others stays.

    A name that two nodes claim stays with the one that is called so, else with the one that had it first.

    Args:
        path: The list; made if it is missing, mended if it is not a list.
        nodes: Node -> how it may be met.

    Raises:
        Conflict: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise write_error(path, problem) from problem
    with lock_folder(path.parent):
        before = _read(path)
        addresses = _without(before.get("addresses"), nodes)
        names = _without(before.get("names"), nodes)
        for node, known in nodes.items():
            addresses.update(dict.fromkeys(known.addresses, node))
            names[node.lower()] = node
        for node, known in nodes.items():
            for name in known.names:
                names.setdefault(name.lower().rstrip("."), node)
        read = {**before, "version": 1, "addresses": addresses, "names": names}
        text = json.dumps(read, indent=1, sort_keys=True)
        with replace_file(path) as out:
            write_all(out, text.encode() + b"\n")


def _read(path: Path) -> dict[str, object]:
    try:
        read = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _without(known: object, nodes: Iterable[str]) -> dict[str, str]:
    gone = set(nodes)
    if not isinstance(known, dict):
        return {}
    return {key: node for key, node in known.items() if isinstance(node, str) and node not in gone}
