"""rhevhupdateflag: a hypervisor has finished its install and should boot from its own disk from now on.

The web server's CGI sends it. Anyone who reaches xcatd may send it as well, so nothing in it is trusted: the sender,
the address and the node's state are checked with the tables. A node whose report is lost installs itself again and
again; a failed step is therefore repeated, and the final failure is written to nodelist.status.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

from ..addresses import plain
from ..declare.command import Command, CommandWords, Option, Place
from ..errors import Denied, RhevError, Usage
from ..messages import Data, Error, error_of
from ..plan.context import Context, Plan
from ..plan.jobs import Job, Step
from ..rows.nodeaddresses import names
from ..xcat.host import Xcat
from .finish.askers import check_address, check_asker
from .finish.reports import FINISHED, MANAGER, Report, installing, notes, queue_of

log = logging.getLogger(__name__)

SPEC = Command(
    name="rhevhupdateflag",
    summary="let a hypervisor that has been installed boot from its own disk",
    usage="noderange [address [hostname]] [--status]",
    place=Place.HERE,
    routes=("nodetype:os=(rhevh.*)", "nodetype:os=(rhvh.*)", "nodetype:os=(ovirt.*)"),
    options=(Option(("--status",), "status", "show how far the nodes are and change nothing"),),
    words=CommandWords(most=2),
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
        ("nodels rhevh nodelist.status", "the same state, in the table"),
    ),
)
STEP = "if it is being installed: nodeset next, status booted"


def plan(context: Context) -> Plan:
    """Check the sender, then each node's report; its state is read when its turn comes."""
    if not context.nodes:
        raise Usage("rhevhupdateflag needs a noderange", f"Usage: rhevhupdateflag {SPEC.usage}")
    check_asker(context.xcat, context.request)
    if "status" in context.options:
        yield from _status(context)
        return
    address, name = _words(context)
    for node in context.nodes:
        try:
            if address:
                check_address(context.xcat, node, address)
            _check_name(context.xcat, node, name)
        except RhevError as problem:
            log.warning("%s: refused a report from %s: %s", node, address or context.request.user, problem)
            yield error_of(problem, node)
        else:
            report = Report(node, address or context.request.user)
            yield Job(node, [Step(STEP, partial(_finish, context, report))])


def _words(context: Context) -> tuple[str, str]:
    """The reported address in its normal form, and the host name.

    Raises:
        Usage: It is not an address.
        Denied: There is none, and no authenticated user sends it.
    """
    if not context.words:
        if not context.request.user:
            raise Denied("the report does not say from which address it came")
        return "", ""
    address = plain(context.words[0])
    if not address:
        raise Usage("the reported address is not an IP address")
    return address, context.words[1].lower().rstrip(".") if len(context.words) == 2 else ""


def _check_name(xcat: Xcat, node: str, name: str) -> None:
    """Check that the host name of the machine is not another node's name.

    Raises:
        Denied: It is.
    """
    for candidate in dict.fromkeys((name, name.partition(".")[0])):
        if candidate and candidate != node and xcat.rows("nodelist", {"node": candidate}):
            if name not in names(xcat, [node])[node]:
                raise Denied(f"the machine calls itself {candidate}, which is another node")


def _finish(context: Context, report: Report) -> Iterator[Data | Error]:
    yield queue_of(context.xcat).finish(context.xcat, context.clock, report)


def _status(context: Context) -> Plan:
    chain = context.attrs("chain", "currstate")
    nodelist = context.attrs("nodelist", "status", "statustime", "appstatus")
    for node in context.nodes:
        row, state = nodelist[node], chain[node].get("currstate", "")
        noted = {} if installing(state) else notes(row)  # those are of the install before
        fields = (
            state,
            row.get("status", ""),
            row.get("statustime", ""),
            noted.get(FINISHED, ""),
            noted.get(MANAGER, ""),
        )
        yield Data("|".join(field.replace("|", "/") for field in fields), node)
