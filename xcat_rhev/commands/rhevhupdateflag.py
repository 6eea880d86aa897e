"""rhevhupdateflag: a hypervisor has finished its install and shall boot from its own disk from now on.

The web server's CGI sends it. Whoever reaches xcatd may send it as well, so nothing that it says is believed: the
asker, the address and the node's state are checked with the tables. A node whose report is lost installs itself again,
for ever; a step that fails is therefore tried again, and in the end said in nodelist.status.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from ..errors import Denied, RhevError, Usage
from ..jobs import Job, Step
from ..messages import Data, Error, error_of
from ..xcat.host import Host, Request
from .common import Command, Context, Option, Place, Plan
from .finishing import FINISHED, MANAGER, Report, installing, notes, queue_of
from .nodeaddresses import names, plain, resolved, written

log = logging.getLogger(__name__)

SPEC = Command(
    name="rhevhupdateflag",
    summary="let a hypervisor that has been installed boot from its own disk",
    usage="noderange [address [hostname]] [--status]",
    place=Place.HERE,
    routes=("nodetype:os=(rhevh.*)", "nodetype:os=(rhvh.*)", "nodetype:os=(ovirt.*)"),
    options=(Option(("--status",), "status", "show how far the nodes are and change nothing"),),
    arguments={
        "address": "the address that the hypervisor reported from; it must be the node's",
        "hostname": "what the hypervisor calls itself; refused if that is another node's name",
    },
    description=(
        "Sent by the CGI behind http://<master>/xcatrhevh/, which a hypervisor fetches at the end of its install. "
        "It runs 'nodeset NODE next' and, if that worked, 'updatenodestat NODE booted'. It is done only for a node "
        "that is being installed with RHEV-H, RHVH or oVirt Node, or is at 'boot' already, and only if this host, a "
        "service node or a user with a certificate asks. A repetition does no harm and answers the same. If nodeset "
        "fails three times, nodelist.status says failed, and the next report tries again."
    ),
    examples=(
        ("rhevhupdateflag rhevh1", "let rhevh1 boot from its disk, as a user"),
        ("rhevhupdateflag rhevh --status", "state|status|since|address|manager of each node"),
    ),
)
STEP = "if it is being installed: nodeset next, status booted"


def plan(context: Context) -> Plan:
    """Check the asker, then each node's report; its state is looked at when its turn comes. See `common`."""
    if not context.nodes:
        raise Usage("rhevhupdateflag needs a noderange", f"Usage: rhevhupdateflag {SPEC.usage}")
    _check_asker(context.host, context.request)
    if "status" in context.options:
        yield from _status(context)
        return
    address, name = _words(context)
    for node in context.nodes:
        try:
            if address:
                _check_address(context.host, node, address)
            _check_name(context.host, node, name)
        except RhevError as problem:
            log.warning("%s: refused a report from %s: %s", node, address or context.request.user, problem)
            yield error_of(problem, node)
        else:
            report = Report(node, address or context.request.user)
            yield Job(node, [Step(STEP, partial(_finish, context, report))])


def _words(context: Context) -> tuple[str, str]:
    """The reported address in its normal form, and the host name.

    Raises:
        Usage: The address is none, or there are more words.
        Denied: There is none, and nobody with a name takes the responsibility.
    """
    if len(context.words) > 2:
        raise Usage("rhevhupdateflag takes an address and a host name only", f"Usage: rhevhupdateflag {SPEC.usage}")
    if not context.words:
        if not context.request.user:
            raise Denied("the report does not say from which address it came")
        return "", ""
    address = plain(context.words[0])
    if not address:
        raise Usage("the reported address is no IP address")
    return address, context.words[1].lower().rstrip(".") if len(context.words) == 2 else ""


def _check_asker(host: Host, request: Request) -> None:
    """Let this host, service nodes and users pass.

    Raises:
        Denied: Somebody else asks.
    """
    asker = plain(request.asker)
    if not request.asker or asker == "::1" or asker.startswith("127.") or asker in host.my_addresses():
        return
    if request.user or asker in _service_node_addresses(host):
        return
    raise Denied(
        "only this host, a service node or a user with a certificate may ask this",
        "A hypervisor fetches http://<master>/xcatrhevh/ instead",
    )


def _service_node_addresses(host: Host) -> set[str]:
    nodes = [row["node"] for row in host.rows("servicenode") if row.get("node")]
    found: set[str] = set()
    for node, addresses in written(host, nodes).items():
        found |= addresses or resolved(node)
    return found


def _check_address(host: Host, node: str, address: str) -> None:
    """See that an address is the node's by the tables, else by the name service.

    Raises:
        Denied: It is not.
    """
    if address in written(host, [node])[node]:
        return
    if not any(address in resolved(name) for name in names(host, [node])[node]):
        raise Denied(f"{address} is not its address", f"See 'nodels {node} hosts.ip nics.nicips'")


def _check_name(host: Host, node: str, name: str) -> None:
    """See that what the machine calls itself is not another node's name.

    Raises:
        Denied: It is.
    """
    for candidate in dict.fromkeys((name, name.partition(".")[0])):
        if candidate and candidate != node and host.rows("nodelist", {"node": candidate}):
            if name not in names(host, [node])[node]:
                raise Denied(f"the machine calls itself {candidate}, which is another node")


def _finish(context: Context, report: Report) -> Iterator[Data | Error]:
    yield queue_of(context.host).finish(context.host, context.clock, report)


def _status(context: Context) -> Plan:
    chain = context.attrs("chain", "currstate")
    nodelist = context.attrs("nodelist", "status", "statustime", "appstatus")
    for node in context.nodes:
        row, state = nodelist[node], chain[node].get("currstate", "")
        noted = {} if installing(state) else notes(row)  # those are of the install before
        fields = (
            state, row.get("status", ""), row.get("statustime", ""),
            noted.get(FINISHED, ""), noted.get(MANAGER, ""),
        )
        yield Data("|".join(field.replace("|", "/") for field in fields), node)
