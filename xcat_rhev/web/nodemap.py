"""Which node an address is, and what a name in the URL says.

The map that mkinstall writes from hosts, nics, mac and networks is asked first: it is at hand at once, and it is xCAT's
own word. The name service comes second, for a site where the map is not shared with this machine or a node is only
known by DNS; a dead name server would otherwise cost every hypervisor many seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from .. import addresses
from .callers import plain

#: Seconds for the name service, which has no limit of its own that could be set.
NAME_SERVICE_LIMIT = 5.0
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?")


class NodeMap:
    """Addresses and names of nodes.

    Args:
        addresses: Address -> node.
        names: Host name, short or full, in lower case -> node.
        networks: The site's networks, `address/bits`.
        wrong: Why there is no map, in words, or empty.
    """

    def __init__(
        self,
        addresses: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
        networks: tuple[str, ...] = (),
        wrong: str = "",
    ) -> None:
        self._addresses = addresses or {}
        self.names = {name.lower(): node for name, node in (names or {}).items()}
        self.networks = networks
        self.wrong = wrong

    def nodes(self) -> list[str]:
        """Every node that the map knows, sorted."""
        return sorted({*self._addresses.values(), *self.names.values()})

    def at(self, address: str) -> str:
        """The node that has an address, in whatever form it is written in the map; empty if none has it."""
        known = self._addresses.get(address)
        if known is None and ":" in address:  # IPv6 has many forms; mkinstall writes the normal one
            others = ((plain(text), node) for text, node in self._addresses.items() if ":" in text)
            known = next((node for text, node in others if text == address), None)
        return known or ""

    def node_of(self, name: str) -> str:
        """The node that a host name, short or full, belongs to; empty if to none."""
        return self.names.get(name) or self.names.get(name.partition(".")[0]) or ""

    def candidates(self, address: str) -> Iterator[str]:
        """Nodes that an address may belong to, best first; xcatd has the last word on each."""
        known = self.at(address)
        if known:
            yield known
        tried = {known}
        for name in names_of(address):
            # A service node with an install folder of its own may have a map that is older than the node.
            node = self.node_of(name) or name.partition(".")[0]
            if node not in tried:
                tried.add(node)
                yield node


def load(path: str) -> NodeMap:
    """Read the node map; without a usable file the map is empty and says why.

    Args:
        path: The JSON file `{"version": 1, "addresses": {...}, "names": {...}}`.
    """
    try:
        with open(path, encoding="utf-8") as file:
            read = json.load(file)
        return NodeMap(_texts(read["addresses"]), _texts(read["names"]), tuple(map(str, read.get("networks", ()))))
    except OSError as problem:
        return NodeMap(wrong=f"{path}: {problem.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return NodeMap(wrong=f"{path} is not a node map; nodeset writes it again")


def spoken_name(text: str) -> str:
    """Read the host name in the URL, which is whatever `hostname` printed on the machine.

    Args:
        text: The last part of the path.

    Returns:
        The name in lower case, or empty where it says nothing: unset names arrive as `localhost` or `(none)`.
    """
    name = text.strip().lower().rstrip(".")
    if not _NAME.fullmatch(name) or name.partition(".")[0] == "localhost":
        return ""
    return name


def names_of(address: str, limit: float = NAME_SERVICE_LIMIT) -> list[str]:
    """Ask the name service for the names of an address, and keep those that lead back to it.

    Args:
        address: The address.
        limit: Seconds to wait for the name service.
    """
    import threading  # only callers that the map does not know pay for it

    found: list[str] = []
    asking = threading.Thread(target=lambda: found.extend(_confirmed_names(address)), daemon=True)
    asking.start()
    asking.join(limit)
    return list(found)


def _confirmed_names(address: str) -> list[str]:
    names = dict.fromkeys(map(spoken_name, addresses.names_of(address)))
    return [name for name in names if name and address in addresses.resolve(name)]


def _texts(read: Mapping[str, object]) -> dict[str, str]:
    return {str(key): str(value) for key, value in read.items()}
