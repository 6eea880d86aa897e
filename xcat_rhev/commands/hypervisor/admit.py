"""chhypervisor -a, --reinstall: a host becomes a working member of its cluster, for the first time or again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...engine.nouns import Cluster, Host, Ssh
from ...engine.states import HOST_COMING, HOST_FAILED, HOST_INSTALLABLE, HOST_RESTING, HOST_UP, HostStatus
from ...engine.waiting import Goal
from ...errors import NotFound, RhevError, TimedOut
from ...messages import Data, Error, error_of
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...secret import Secret
from ...xcat.host import Row
from . import lookup as found

GRACE = 20.0
#: Seconds for which a host may not answer, after the time that managers give it to restart.
SILENCE = 300.0
#: Installing packages and rebooting takes a while.
LIMIT = 1800.0
DEFAULT_CLUSTER = "Default"
#: Systems with these names register at the manager by themselves; later ones have to be added.
_REGISTERS = "rhevh"
#: What nodetype.os of an installed hypervisor begins with; anything else is a full Linux.
OURS = ("rhev", "rhvh", "ovirt")


def approve(context: Context) -> Plan:
    """Approve hosts that registered, add those that do not do so."""
    hosts, wrong = found.look(context, context.nodes)
    rows = context.attrs("hypervisor", "type", "cluster", "user", "password")
    wanted = {node: rows[node].get("cluster", DEFAULT_CLUSTER) for node in context.nodes}
    clusters = context.manager.find(Cluster, sorted(set(wanted.values())))
    adding = [node for node in context.nodes if node not in hosts and node not in wrong]
    new = Newcomers(context, rows, adding)
    for node in context.nodes:
        cluster = clusters.get(wanted[node])
        if node in wrong:
            yield error_of(wrong[node], node)
        elif cluster is None:
            yield error_of(_no_cluster(context, node, wanted[node]), node)
        elif node in hosts:
            yield approval(context, node, hosts[node], cluster)
        else:
            yield new.job(node, cluster)


def _no_cluster(context: Context, node: str, name: str) -> NotFound:
    return NotFound(
        f"failed to get cluster: {name}",
        f"Run: cfgve -t cl -m {context.manager.name} -o {name} -c -d DATACENTER, or chtab node={node} "
        "hypervisor.cluster=CLUSTER",
    )


def approval(context: Context, node: str, host: Host, cluster: Cluster) -> Job | Error:
    """The steps for a host that the manager has, or why nothing can be done."""
    state = host.status or "unknown"
    if state == HostStatus.PENDING_APPROVAL:
        step = Step(f"approve into cluster {cluster.name}", partial(_approve, context, node, host, cluster))
        return Job(node, [step, until_up(context, node, host)])
    if host.cluster and host.cluster.id != cluster.id:
        other = context.manager.name_of(Cluster, host.cluster)
        return Error(
            f"the host is in cluster {other}, not {cluster.name}. "
            f"Run: rmhypervisor {node} -f, then chhypervisor {node} -a",
            node,
        )
    if state in HOST_UP:
        return Job(node, idle="up: nothing to do")
    if state in HOST_COMING:
        return Job(node, [until_up(context, node, host)])
    return Error(f"the state of node is not correct for approve. Current state: {state}. {_remedy(node, state)}", node)


def _remedy(node: str, state: str) -> str:
    if state == HostStatus.INSTALL_FAILED:
        return f"Run: chhypervisor {node} --reinstall"
    if state in (HostStatus.MAINTENANCE, HostStatus.NON_OPERATIONAL):
        return f"Run: chhypervisor {node} -e"
    if state == HostStatus.KDUMPING:
        return f"Its kernel has crashed and writes a dump. When that has ended, run: rpower {node} boot"
    if state in (HostStatus.NON_RESPONSIVE, HostStatus.DOWN):
        return f"It does not answer the manager. Run: rpower {node} boot, and look at vdsmd and the network on it"
    return "Look at the host itself"


def _approve(context: Context, node: str, host: Host, cluster: Cluster) -> list[Data]:
    context.manager.act(host, "approve", cluster=cluster.ref)
    return [Data("approved.", node)]


def until_up(context: Context, node: str, host: Host) -> Wait:
    """Wait until a host is up; a failed installation ends the wait with the manager's own events."""
    goal = partial(Goal, host, HOST_UP, HOST_FAILED, GRACE, context.limit(LIMIT), silence=SILENCE)
    return Wait("wait until up", goal, lambda _: [Data("up", node)], partial(with_events, context, host))


def with_events(context: Context, host: Host, problem: RhevError) -> RhevError:
    """An error with the manager's events about a host that does not come up in time, newest first."""
    if not isinstance(problem, TimedOut):
        return problem
    events = [event.description for event in context.manager.events(host, 3) if event.description]
    return TimedOut(f"{problem.text}; the manager says: {'; '.join(events)}", problem.hint) if events else problem


class Newcomers:
    """Nodes that the manager does not know yet.

    Args:
        context: The command.
        rows: Their rows of the hypervisor table.
        nodes: The nodes.
    """

    def __init__(self, context: Context, rows: dict[str, Row], nodes: Sequence[str]) -> None:
        self._context = context
        self._rows = rows
        host = context.xcat
        self._systems = host.node_attrs("nodetype", nodes, ["os"]) if nodes else {}
        self._addresses = host.node_attrs("hosts", nodes, ["ip"]) if nodes else {}
        self._domain = host.site("domain")
        self._passwords = InstalledPasswords(context) if nodes else None

    def job(self, node: str, cluster: Cluster) -> Job | Error:
        """Add it, or say why it cannot be."""
        if self._registers(node):
            return Error(
                f"host was not created: it has not registered at {self._context.manager.name} yet. "
                f"See whether its installation has ended, or set hypervisor.password to add it over SSH",
                node,
            )
        assert self._passwords is not None, node
        how = login(self._rows[node], self._passwords.of(self._systems[node].get("os", "")))
        if lack := lacks_password(self._context, node, how):
            return Error(lack, node)
        return Job(node, list(self._parts(node, cluster, how)))

    def _registers(self, node: str) -> bool:
        """Whether it is a RHEV-H, which registers by itself and waits for approval."""
        row = self._rows[node]
        system = self._systems[node].get("os") or row.get("type", "")
        return system.startswith(_REGISTERS) and not row.get("password")

    def _parts(self, node: str, cluster: Cluster, how: Mapping[str, Any]) -> Iterator[Step | Wait]:
        made: list[Host] = []
        wanted = self._new_host(node, cluster, how)

        def add() -> list[Data]:
            made.append(self._context.manager.create(wanted))
            return [Data("added.", node)]

        yield Step(f"add {wanted.address} to cluster {cluster.name}", add)
        then = until_up(self._context, node, wanted)
        yield Wait(
            then.says,
            lambda: until_up(self._context, node, made[0]).goal(),
            then.then,
            lambda problem: with_events(self._context, made[0], problem),
        )

    def _new_host(self, node: str, cluster: Cluster, how: Mapping[str, Any]) -> Host:
        full = f"{node}.{self._domain}" if self._domain and "." not in node else node
        address = self._addresses[node].get("ip") or full
        return Host(name=node, address=address, cluster=cluster.ref, **how)


def login(row: Row, passwords: Mapping[str, Secret]) -> dict[str, Any]:
    """How the manager logs in to a host: a password where one is known, else the manager's own SSH key.

    Args:
        row: The host's user and password in the hypervisor table.
        passwords: Of the passwd table, by user.

    Returns:
        Values of `Host`.
    """
    user = row.get("user", "root")
    password = Secret(row["password"]) if row.get("password") else passwords.get(user)
    if password is None:
        return {"ssh_authentication": "publickey", "ssh_user": None if user == "root" else user}
    if user == "root":
        return {"root_password": password}
    return {"ssh_authentication": "password", "ssh_user": user, "ssh_password": password}


def lacks_password(context: Context, node: str, how: Mapping[str, Any]) -> str:
    """What an old manager lacks to log in to a host; empty if nothing."""
    if context.manager.can_use_ssh_users or "root_password" in how:
        return ""
    return (
        f"the manager {context.manager.name} logs in as root with a password, and knows no other way. "
        f"Run: chtab node={node} hypervisor.user=root hypervisor.password=PASSWORD"
    )


class InstalledPasswords:
    """Passwords of installed systems by user, as far as the passwd table has them in plain text.

    A full Linux was installed with those of the key system; a RHEV-H, RHVH or oVirt Node with those of rhevh, else of
    system.

    Args:
        context: The command.
    """

    def __init__(self, context: Context) -> None:
        self._rows = {key: context.xcat.rows("passwd", {"key": key}) for key in ("rhevh", "system")}

    def of(self, system: str) -> dict[str, Secret]:
        """Those of a system.

        Args:
            system: Its nodetype.os; empty counts as a hypervisor's.
        """
        found: dict[str, Secret] = {}
        for key in ("rhevh", "system") if system.startswith(OURS) or not system else ("system",):
            for row in self._rows[key]:
                if row.get("username") and row.get("password") and not row["password"].startswith("$"):
                    found.setdefault(row["username"], Secret(row["password"]))
        return found


def reinstall(context: Context) -> Plan:
    """Install hosts again that are in maintenance or whose installation failed."""
    hosts, wrong = found.look(context, context.nodes)
    rows = context.attrs("hypervisor", "user", "password")
    passwords, systems = InstalledPasswords(context), context.attrs("nodetype", "os")
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
        elif far := found.out_of_reach(node, host):
            yield far
        elif host.status not in HOST_INSTALLABLE:
            yield Error(f"the host is {host.status}, but must be in maintenance. Run: chhypervisor {node} -d", node)
        elif lack := lacks_password(context, node, how := login(rows[node], passwords.of(systems[node].get("os", "")))):
            yield Error(lack, node)
        else:
            yield _reinstallation(context, node, host, how)


def _reinstallation(context: Context, node: str, host: Host, how: dict[str, Any]) -> Job:
    """Install it and wait; a host that was in maintenance may stay there, one that was never approved comes up."""
    given: dict[str, Any] = {key: value for key, value in how.items() if key == "root_password"}
    if not given:
        given = {"ssh": Ssh(**{key.partition("_")[2]: value for key, value in how.items() if value})}

    def step() -> list[Data]:
        context.manager.reinstall(host, host.status == HostStatus.INSTALL_FAILED, **given)
        return [Data("install begun.", node)]

    # After an earlier failure the old state stays until the new install begins; otherwise a failure is new.
    failed = frozenset({HostStatus.ERROR, HostStatus.INSTALL_FAILED}) - {host.status}
    leaves = Goal(host, HOST_COMING | HOST_UP, failed, limit=context.limit(120))
    goal = partial(Goal, host, HOST_UP | HOST_RESTING, HOST_FAILED, GRACE, context.limit(LIMIT), silence=SILENCE)
    return Job(
        node,
        [
            Step("install", step),
            Wait("wait until the install has begun", lambda: leaves, otherwise=partial(with_events, context, host)),
            Wait(
                "wait until up or in maintenance",
                goal,
                lambda host: [Data(host.status, node)],
                partial(with_events, context, host),
            ),
        ],
    )
