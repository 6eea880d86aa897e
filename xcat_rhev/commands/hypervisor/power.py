"""chhypervisor -p: sets how the manager can switch a host off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from ...engine.nouns import FenceAgent, Host
from ...errors import FailedState, NotFound, RhevError, Usage
from ...messages import Data, error_of
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step
from ...secret import Secret
from ...xcat.host import Row
from . import lookup as found


@dataclass(frozen=True)
class _Way:
    """One of xCAT's management methods, as a manager needs it.

    Attributes:
        agent: The manager's fence agent.
        table: xCAT's table of it.
        address: The column with the controller's address.
        key: The key in the passwd table for what the table does not have.
        options: Options that the agent needs.
        slot: The column with the slot in a chassis, or empty.
    """

    agent: str
    table: str
    address: str
    key: str
    options: Mapping[str, str] | None = None
    slot: str = ""


#: By nodehm.mgt. A BMC of today speaks IPMI 2.0 only, which the agent calls lanplus.
_WAYS: Mapping[str, _Way] = {
    "ipmi": _Way("ipmilan", "ipmi", "bmc", "ipmi", {"lanplus": "1"}),
    "openbmc": _Way("ipmilan", "openbmc", "bmc", "openbmc", {"lanplus": "1"}),
    "hpilo": _Way("ilo4", "ipmi", "bmc", "ipmi"),
    "blade": _Way("bladecenter", "mp", "mpa", "blade", slot="id"),
    "hpblade": _Way("hpblade", "mp", "mpa", "blade", slot="id"),
}


def configure(context: Context) -> Plan:
    """Set the fence agent of each host and try it with a status call."""
    hosts, wrong = found.look(context, context.nodes)
    agents, faults = _agents(context)
    for node in context.nodes:
        host = hosts.get(node)
        if host is None:
            yield error_of(wrong.get(node) or found.not_found(context, node), node)
        if node in faults:
            yield error_of(faults[node], node)
        elif host is not None:
            yield _job(context, node, host, agents[node])


def _job(context: Context, node: str, host: Host, agent: FenceAgent) -> Job:
    def set_it() -> list[Data]:
        context.manager.set_fencing(host, agent)
        return [Data(f"Setting power management: {agent.address}", node)]

    return Job(
        node,
        [
            Step(f"set power management: {agent.type} at {agent.address}", set_it),
            Step("ask the power management for the power state", partial(_try, context, node, host, agent)),
        ],
    )


def _try(context: Context, node: str, host: Host, agent: FenceAgent) -> list[Data]:
    try:
        power = context.manager.fence(host, "status")
    except RhevError as problem:
        raise FailedState(
            f"power management is set, but does not answer: {problem.text.rstrip('.')}",
            f"Check address, user and password of {agent.address}, and that another host is up in the data center",
        ) from problem
    return [Data(f"power management answers: {power}", node)]


def _agents(context: Context) -> tuple[dict[str, FenceAgent], dict[str, RhevError]]:
    """The fence agent of each node, or what the tables lack."""
    methods = context.attrs("nodehm", "mgt")
    agents: dict[str, FenceAgent] = {}
    faults: dict[str, RhevError] = {}
    for method in sorted({methods[node].get("mgt", "") for node in context.nodes}):
        nodes = [node for node in context.nodes if methods[node].get("mgt", "") == method]
        way = _WAYS.get(method)
        if way is None:
            faults.update({node: _unknown(node, method) for node in nodes})
            continue
        read = _Reader(context, way, nodes).agent
        for node in nodes:
            try:
                agents[node] = read(node)
            except RhevError as problem:
                faults[node] = problem
    return agents, faults


def _unknown(node: str, method: str) -> RhevError:
    if not method:
        return NotFound(
            "the nodehm.mgt was not set to know the management method", f"Run: chtab node={node} nodehm.mgt=ipmi"
        )
    return Usage(f"nodehm.mgt is {method}; the supported power management method: {', '.join(_WAYS)}")


class _Reader:
    """Reads the tables of one management method.

    Args:
        context: The command.
        way: The method.
        nodes: The nodes that use it.
    """

    def __init__(self, context: Context, way: _Way, nodes: list[str]) -> None:
        self._way = way
        columns = [way.address, "username", "password", *([way.slot] if way.slot else [])]
        self._rows = context.xcat.node_attrs(way.table, nodes, columns)
        self._defaults = _credentials(context.xcat.rows("passwd", {"key": way.key}))
        self._chassis = context.xcat.rows("mpa") if way.slot else []

    def agent(self, node: str) -> FenceAgent:
        """The fence agent of a node.

        Raises:
            NotFound: A column is empty that it needs.
        """
        way, row = self._way, self._rows[node]
        address = row.get(way.address)
        if not address:
            raise NotFound(
                f"the {way.table}.{way.address} was not set to know the hardware control point",
                f"Run: chtab node={node} {way.table}.{way.address}=ADDRESS",
            )
        user, password = self._login(address, row)
        if not user or not password:
            raise NotFound(
                f"no user and password for {address}",
                f"Run: chtab key={way.key} passwd.username=USER passwd.password=PASSWORD",
            )
        options = dict(way.options or {})
        if way.slot and row.get(way.slot):
            options["slot"] = row[way.slot]
        return FenceAgent(
            type=way.agent, address=address, username=user, password=Secret(password), options=options or None, order=1
        )

    def _login(self, address: str, row: Row) -> tuple[str, str]:
        """User and password: the node's own, else its chassis', else the default."""
        sources = [row, *(found for found in self._chassis if found.get("mpa") == address)]
        for source in sources:
            user = source.get("username") or self._defaults[0]
            if source.get("password"):
                return user, source["password"]
        return row.get("username") or self._defaults[0], self._defaults[1]


def _credentials(rows: list[Row]) -> tuple[str, str]:
    whole = [row for row in rows if row.get("username") and row.get("password")]
    return (whole[0]["username"], whole[0]["password"]) if whole else ("", "")
