"""cfgve --from: a described environment is compared with the manager's, and what is missing is made.

Every object is a job of its own that begins when those it stands on are finished. What only shows when they are, the
NICs of a new host and the machines of a new data center, is planned by a step at that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ...engine.nouns import Cluster, DataCenter, Host, Network, Ref
from ...errors import NotFound, RhevError
from ...jobs import Job, Step
from ...messages import Data, Error, Message, error_of
from ...xcat.host import Row
from ..common import Context, Plan
from ..hypervisor import admit, networks
from ..hypervisor import found as hosts_found
from ..hypervisorrows import read_interfaces
from ..storagerows import StorageRow, read_storage
from . import cl, dc, environment, machines, sdmake
from .description import Center
from .environment import Environment
from .kind import named, said
from .overlay import Overlay


def plan(context: Context, centers: Sequence[Center]) -> Plan:
    """Compare everything with everything, and say what is to be done in which order.

    Args:
        context: The command.
        centers: What there shall be.
    """
    over = replace(context, host=Overlay(context.host, _tables(context, centers)))
    wrong = [*_faults(over, centers)]
    yield from wrong
    if wrong:
        return
    now = environment.read(context.manager, with_vms=False)
    for center in centers:
        yield from _Converging(over, center, now).plan()


def _faults(context: Context, centers: Sequence[Center]) -> Iterator[Error]:
    """Everything that is wrong with described rows, without asking the manager."""
    for center in centers:
        for name, row in center.hosts.items():
            for fault in read_interfaces(row.get("interface", ""))[1]:
                yield Error(f"interface: {fault}", name)
        for name, texts in read_storage(context.host, list(center.storage_domains))[1].items():
            # What to type for a table is of no use for a file.
            yield from (Error(text.partition(". Run: ")[0].replace("virtsd.", ""), name) for text in texts)
        yield from machines.faults(context, list(center.vms))


def _tables(context: Context, centers: Sequence[Center]) -> dict[str, dict[str, Row]]:
    """What is described, as rows of xCAT's tables."""
    tables: dict[str, dict[str, Row]] = {"hypervisor": {}, "hosts": {}, "virtsd": {}, "vm": {}}
    for center in centers:
        for name, row in center.hosts.items():
            tables["hypervisor"][name] = {key: value for key, value in row.items() if key != "address"}
            if row.get("address"):
                tables["hosts"][name] = {"ip": row["address"]}
        tables["virtsd"].update(center.storage_domains)
        for name, row in center.vms.items():
            tables["vm"][name] = {"mgr": context.manager.name, **row}
    return tables


@dataclass
class _Converging:
    """One data center on its way to what is described.

    Attributes:
        context: The command; its tables have the described rows.
        center: What it shall be.
        now: What there is.
    """

    context: Context
    center: Center
    now: Environment

    def __post_init__(self) -> None:
        self.manager = self.context.manager
        self.home = next((home for home in self.now.homes if home.name == self.center.name), None)
        self.clusters = {each.name: each for each in self.now.clusters}
        self.networks = {each.name: each for each in self.now.networks_of(self.home)} if self.home else {}
        self.busy: set[str] = set()

    def plan(self) -> Plan:
        """The jobs of this data center, each after those that it needs."""
        parts = (
            self._data_center, self._clusters, self._networks, self._attachments, self._hosts, self._host_networks,
            self._requirements, self._storage, self._machines,
        )
        for part in parts:
            for item in part():
                if isinstance(item, Job) and item.parts:
                    self.busy.add(item.key)
                    yield item
                elif not isinstance(item, Job):
                    yield item
        if not self.busy:
            yield Job(self.center.name)

    def _job(self, name: str, key: str, after: Sequence[str], step: Step) -> Job:
        return Job(name, [step], key=key, after=frozenset(after))

    # What stands on nothing, and on the data center.

    @property
    def _home_key(self) -> str:
        return f"data center {self.center.name}"

    def _data_center(self) -> Plan:
        center = self.center
        if self.home is None:
            compat, description = center.compat or None, center.description or None
            wanted = dc.wanted_data_center(center.name, center.storage, compat, description)
            step = _making(f"create data center with {center.storage} storage", center.name, self.manager, wanted)
            yield self._job(center.name, self._home_key, (), step)
        elif dc.is_other(self.home, center.storage):
            yield Error(
                f"data center has been created with {dc.shown_storage(self.home)} storage, not {center.storage}",
                center.name,
            )
        else:
            yield from self._changed(self.home, self._home_key, _given(center.compat, center.description))

    def _changed(self, there: Any, key: str, wanted: Mapping[str, Any]) -> Iterator[Job]:
        """Change what differs in an object that is there."""
        differing = there.differing(wanted)
        if differing:
            words = ", ".join(f"{name} {value}" for name, value in differing.items())
            change = partial(self.manager.change, there, **differing)
            yield self._job(there.name, key, (), Step(f"change {there.word()} to {words}", _then(change, there.name)))

    def _clusters(self) -> Plan:
        for name, values in self.center.clusters.items():
            there = self.clusters.get(name)
            key = _cluster_key(name)
            if there is None:
                yield from self._new_cluster(name, key, values)
            elif self.home is None or not there.data_center or there.data_center.id != self.home.id:
                yield Error(f"cluster has been created in another data center than {self.center.name}", name)
            else:
                wanted = _given(values.get("compat"), values.get("description"))
                if values.get("cpu"):
                    wanted["cpu_type"] = values["cpu"]
                yield from self._changed(there, key, wanted)

    def _new_cluster(self, name: str, key: str, values: Mapping[str, Any]) -> Plan:
        compat = values.get("compat") or self.center.compat or (self.home.version if self.home else "") or ""
        try:
            cpu = cl.cpu_type(self.context, values.get("cpu", ""), compat)
        except RhevError as problem:
            yield error_of(problem, name)
            return
        home = self.home or DataCenter(name=self.center.name)
        wanted = cl.wanted_cluster(name, home, cpu, compat, values.get("description"))
        step = _making(f"create cluster in {self.center.name} with CPU type {cpu}", name, self.manager, wanted)
        yield self._job(name, key, [self._home_key], step)

    def _networks(self) -> Plan:
        for name, values in self.center.networks.items():
            there = self.networks.get(name)
            wanted = {key: values[key] for key in ("vlan", "mtu", "description") if key in values}
            if there is None:
                if values.get("hosts_only"):
                    wanted["usages"] = ()
                new = Network(name=name, data_center=Ref(self._home_id(), self.center.name), **wanted)
                step = Step(f"create network in {self.center.name}", partial(self._make_network, new))
                yield self._job(name, self._network_key(name), [self._home_key], step)
            else:
                yield from self._changed(there, self._network_key(name), wanted)

    def _make_network(self, new: Network) -> list[Data]:
        """Make a network, unless it came with a new data center as that of the management does."""
        there = None if self.home else self._network_of_new_home(new.name or "")
        if there is None:
            self.manager.create(new)
        else:
            self.manager.change(there, **{key: value for key, value in new.values().items() if key in ("vlan", "mtu")})
        return said(new.name or "", "succeeded")

    def _network_of_new_home(self, name: str) -> Network | None:
        home = self.manager.one(DataCenter, self.center.name)
        own = (each for each in self.manager.list(Network) if each.data_center and each.data_center.id == home.id)
        return next((each for each in own if each.name == name), None)

    def _home_id(self) -> str:
        return (self.home.id or "") if self.home else ""

    def _network_key(self, name: str) -> str:
        return f"network {name} of {self.center.name}"

    def _attachments(self) -> Plan:
        for name, values in self.center.networks.items():
            for cluster in values.get("clusters", ()):
                there = self.clusters.get(cluster)
                used = {each.name for each in self.now.used.get(there.id or "", ())} if there else set()
                if name not in used:
                    attach = partial(self._attach, name, cluster)
                    yield self._job(
                        name, _attachment_key(name, cluster), [self._network_key(name), _cluster_key(cluster)],
                        Step(f"attach to cluster {cluster}", attach),
                    )

    def _attach(self, name: str, cluster: str) -> list[Data]:
        """Attach a network; hosts that have no interface for it yet stay in use as long as it is not required."""
        where = self.clusters.get(cluster) or self.manager.one(Cluster, cluster)
        network = self.networks.get(name) or self._network_of_new_home(name)
        if network is None:
            raise NotFound(f"network {name} is not in data center {self.center.name}")
        attached = {each.id for each in self.manager.list(Network, under=where)}
        if network.id not in attached:  # a management network comes attached
            self.manager.create(Network(id=network.id, name=name, required=False), under=where)
        return said(name, f"attached to {cluster}.")

    # Hosts and what is on them.

    def _hosts(self) -> Plan:
        if not self.center.hosts:
            return
        self._found, wrong = hosts_found.look(self.context, list(self.center.hosts), details=True)
        rows = self.context.host.node_attrs(
            "hypervisor", list(self.center.hosts), ["type", "cluster", "user", "password"]
        )
        new = admit.Newcomers(self.context, rows, [name for name in self.center.hosts if name not in self._found])
        for name, row in self.center.hosts.items():
            cluster = self.clusters.get(row["cluster"]) or Cluster(name=row["cluster"])
            if name in wrong:
                yield error_of(wrong[name], name)
                continue
            there = self._found.get(name)
            item = admit.approval(self.context, name, there, cluster) if there else new.job(name, cluster)
            if isinstance(item, Job):
                item = replace(item, key=_host_key(name), after=frozenset({_cluster_key(row["cluster"])}))
            yield item

    def _host_networks(self) -> Plan:
        for name, row in self.center.hosts.items():
            if not row.get("interface"):
                continue
            after = frozenset({_host_key(name)} | {
                _attachment_key(network, cluster)
                for network, values in self.center.networks.items() for cluster in values.get("clusters", ())
            })
            if after & self.busy:
                step = Step(f"set networks: {row['interface']}", partial(self._plan_host, name, row["interface"]))
                yield Job(name, [step], key=f"networks of host {name}", after=after)
            else:
                yield from self._plan_host(name, row["interface"])

    def _requirements(self) -> Plan:
        """What hosts must have is demanded of them when they have it."""
        for name, values in self.center.networks.items():
            for cluster in values.get("clusters", ()) if values.get("required") else ():
                there = self.clusters.get(cluster)
                used = {each.name: each for each in self.now.used.get(there.id or "", ())} if there else {}
                if name not in used or not used[name].required:
                    key = _attachment_key(name, cluster)
                    after = [key, *(f"networks of host {host}" for host in self.center.hosts)]
                    step = Step(f"make it required in cluster {cluster}", partial(self._require, name, cluster))
                    yield self._job(name, f"requirement of {key}", after, step)

    def _require(self, name: str, cluster: str) -> list[Data]:
        where = self.clusters.get(cluster) or self.manager.one(Cluster, cluster)
        for network in self.manager.list(Network, under=where):
            if network.name == name:
                self.manager.change(network, under=where, required=True)
        return said(name, f"required in {cluster}.")

    def _plan_host(self, name: str, text: str) -> Plan:
        """Compare the networks of a host that is there."""
        interfaces, faults = read_interfaces(text)
        yield from (Error(f"hypervisor.interface: {fault}", name) for fault in faults)
        host = self._found.get(name) or self.manager.one(Host, name)
        home = self.home or self.manager.one(DataCenter, self.center.name)
        own = {
            each.name or "": each for each in self.manager.list(Network)
            if each.data_center and each.data_center.id == home.id
        }
        if not faults:
            yield from networks.plan_host(self.context, name, host, networks.Around(own), interfaces)

    def _storage(self) -> Plan:
        rows, _ = read_storage(self.context.host, list(self.center.storage_domains))
        if not rows:
            return
        scene = sdmake.look(self.context, rows)
        leader = self._leader(rows)
        for name, row in rows.items():
            there = scene.domains.get(name)
            wrong = list(sdmake.others(there, row)) if there else []
            yield from (Error(f"storagedomains has been defined in the rhevm with {text}", name) for text in wrong)
            if not wrong:
                after = frozenset({self._home_key, _host_key(row.host)})
                yield sdmake.Building(scene, row, False).job("" if leader == name else leader, after)

    def _leader(self, rows: Mapping[str, StorageRow]) -> str:
        """The data domain that initializes the data center, if that is still to be done."""
        if self.home is not None and self.home.status != "uninitialized":
            return ""
        return next((name for name, row in rows.items() if row.kind == "data"), "")

    def _machines(self) -> Plan:
        names = list(self.center.vms)
        if not names:
            return
        if self.busy:
            says = f"make {named(names)}"
            step = Step(says, partial(machines.plan, self.context, names))
            yield Job(self.center.name, [step], key=f"machines of {self.center.name}", after=frozenset(self.busy))
        else:
            yield from machines.plan(self.context, names)


def _cluster_key(name: str) -> str:
    return f"cluster {name}"


def _host_key(name: str) -> str:
    return f"host {name}"


def _attachment_key(network: str, cluster: str) -> str:
    return f"network {network} in cluster {cluster}"


def _given(compat: str | None, description: str | None) -> dict[str, Any]:
    """The values that a description gives, and no others."""
    return {key: value for key, value in (("version", compat), ("description", description)) if value}


def _making(says: str, name: str, manager: Any, wanted: Any) -> Step:
    return Step(says, _then(partial(manager.create, wanted), name))


def _then(do: Any, name: str) -> Any:
    """Do it, and say so."""

    def step() -> list[Message]:
        do()
        return [*said(name, "succeeded")]

    return step


