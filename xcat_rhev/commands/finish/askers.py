"""Who may report for a node, and whether the address that is reported is the node's: checked with xCAT's own tables."""

from __future__ import annotations

from ...addresses import plain, resolve
from ...errors import Denied
from ...rows.nodeaddresses import names, stored_addresses
from ...xcat.host import Request, Xcat


def check_asker(xcat: Xcat, request: Request) -> None:
    """Accept this host, service nodes and users.

    Args:
        xcat: The xCAT.
        request: Who asks.

    Raises:
        Denied: Somebody else asks.
    """
    asker = plain(request.asker)
    if not request.asker or asker == "::1" or asker.startswith("127.") or asker in xcat.my_addresses():
        return
    if request.user or asker in _service_node_addresses(xcat):
        return
    raise Denied(
        "only this host, a service node or a user with a certificate may ask this",
        "A hypervisor fetches http://<master>/xcatrhevh/ instead",
    )


def _service_node_addresses(xcat: Xcat) -> set[str]:
    nodes = [row["node"] for row in xcat.rows("servicenode") if row.get("node")]
    found: set[str] = set()
    for node, addresses in stored_addresses(xcat, nodes).items():
        found |= addresses or set(resolve(node))
    return found


def check_address(xcat: Xcat, node: str, address: str) -> None:
    """Check that an address is the node's by the tables, else by the name service.

    Args:
        xcat: The xCAT.
        node: The node.
        address: The reported address, in its normal form.

    Raises:
        Denied: It is not.
    """
    if address in stored_addresses(xcat, [node])[node]:
        return
    if not any(address in resolve(name) for name in names(xcat, [node])[node]):
        raise Denied(f"{address} is not its address", f"See 'nodels {node} hosts.ip nics.nicips'")
