"""rhevhupdateflag: a hypervisor has finished its install and shall boot from its own disk from now on.

The web server's CGI sends it. Whoever reaches xcatd may send it as well, so nothing that it says is believed: the
asker, the address and the node's state are checked with the tables. A node whose report is lost installs itself again,
for ever; a step that fails is therefore tried again, and in the end said in nodelist.status.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from ..errors import Conflict, Denied, RhevError, Usage
from ..jobs import Job, Step
from ..messages import Data, Error, error_of
from ..xcat.host import Host, Request, Row
from .common import Command, Context, Option, Place, Plan
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

OURS = ("rhevh", "rhvh", "ovirt")
#: The bit of the error code that tells the CGI that a later report can succeed.
TRY_AGAIN = 2
TRIES, PAUSE = 3, 1.0
#: What stands in nodelist.appstatus about a node: who reported, and how far the manager has it.
FINISHED, MANAGER = "rhevhfinish", "rhevm"
#: One report for a node at a time: between reading the state and moving on, another must not move on as well.
_LOCKS = tuple(threading.Lock() for _ in range(64))


@dataclass(frozen=True)
class Report:
    """What was reported about one node."""

    node: str
    address: str


def plan(context: Context) -> Plan:
    """Check the asker, then each node's report; see `common`."""
    if not context.nodes:
        raise Usage("rhevhupdateflag needs a noderange", f"Usage: rhevhupdateflag {SPEC.usage}")
    _check_asker(context.host, context.request)
    if "status" in context.options:
        yield from _status(context)
        return
    address, name = _words(context)
    chain = context.attrs("chain", "currstate")
    for node in context.nodes:
        try:
            if address:
                _check_address(context.host, node, address)
            _check_name(context.host, node, name)
            _check_state(node, chain[node].get("currstate", ""))
        except RhevError as problem:
            log.warning("%s: refused a report from %s: %s", node, address or context.request.user, problem)
            yield error_of(problem, node)
        else:
            yield Job(node, [Step("nodeset next, status booted", partial(_finish, context, Report(node, address)))])


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


def _check_state(node: str, state: str) -> None:
    """See that the node is being installed by us, or has been.

    Raises:
        Conflict: It is not.
    """
    if state != "boot" and not _installing(state):
        raise Conflict(
            f"it is not being installed, its state is {state or 'unknown'}", f"See 'nodels {node} chain.currstate'"
        )


def _installing(state: str) -> bool:
    kind, _, what = state.partition(" ")
    return kind == "install" and what.startswith(OURS)


def _finish(context: Context, report: Report) -> Iterator[Data | Error]:
    """Move the node on, once, however often and from wherever that is asked at the same time."""
    with _LOCKS[hash(report.node) % len(_LOCKS)]:
        host, node = context.host, report.node
        state = _state(host, node)
        _check_state(node, state)
        if state == "boot" and host.node_attrs("nodelist", [node], ["status"])[node].get("status") == "booted":
            yield Data("booted", node)
        elif not _moved_on(context, node, state):
            _said(host, "updatenodestat", node, "failed")
            yield Error("nodeset failed, so it will install itself again; the log has the reason", node, TRY_AGAIN)
        elif _said(host, "updatenodestat", node, "booted"):
            yield Error("it boots from its disk, but its status could not be set", node, TRY_AGAIN)
        else:
            _note(host, report)
            log.info("%s: booted, reported from %s", node, report.address or context.request.user)
            yield Data("booted", node)


def _moved_on(context: Context, node: str, state: str) -> bool:
    """Run nodeset until the node is past its install.

    `next` follows the chain that the site wrote, and is right once only; whatever comes after it asks for the disk.
    """
    verb = "next" if _installing(state) else "boot"
    for attempt in range(TRIES):
        if attempt:
            context.clock.sleep(PAUSE)
        problems = _said(context.host, "nodeset", node, verb)
        state = _state(context.host, node)
        if not problems and not _installing(state):
            return True
        log.error("%s: nodeset %s, try %d: state %s. %s", node, verb, attempt + 1, state, " ".join(problems))
        verb = "boot"
    return False


def _said(host: Host, command: str, node: str, arg: str) -> list[str]:
    """Run a command and keep its errors; the rest may hold kernel arguments with password hashes."""
    try:
        return [message.text for message in host.run(command, [node], [arg]) if isinstance(message, Error)]
    except RhevError as problem:
        return [str(problem)]


def _state(host: Host, node: str) -> str:
    return host.node_attrs("chain", [node], ["currstate"])[node].get("currstate", "")


def _note(host: Host, report: Report) -> None:
    """Write down who reported; xCAT keeps `nodelist.appstatus` for such things, as `name=value,name=value`."""
    written_now = host.node_attrs("nodelist", [report.node], ["appstatus"])[report.node]
    notes = _notes(written_now)
    notes[FINISHED] = report.address or "user"
    text = ",".join(f"{name}={value}" for name, value in notes.items())
    now = time.strftime("%m-%d-%Y %H:%M:%S")
    host.set_node_attrs("nodelist", {report.node: {"appstatus": text, "appstatustime": now}})


def _notes(nodelist: Row) -> dict[str, str]:
    words = (word.partition("=") for word in nodelist.get("appstatus", "").split(","))
    return {name: value for name, _, value in words if name}


def _status(context: Context) -> Plan:
    chain = context.attrs("chain", "currstate")
    nodelist = context.attrs("nodelist", "status", "statustime", "appstatus")
    for node in context.nodes:
        notes, row = _notes(nodelist[node]), nodelist[node]
        fields = (
            chain[node].get("currstate", ""), row.get("status", ""), row.get("statustime", ""),
            notes.get(FINISHED, ""), notes.get(MANAGER, ""),
        )
        yield Data("|".join(field.replace("|", "/") for field in fields), node)
