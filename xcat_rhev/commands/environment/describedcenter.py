"""One data center of a description, and its present state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Callable

from ...engine.manager import Manager
from ...engine.nouns import Cluster, DataCenter, Network
from ...messages import Message
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step
from ...rows.description import Center
from .inventory import Environment
from .kind import success


@dataclass
class DescribedDataCenter:
    """A data center.

    Attributes:
        context: The command; its tables have the described rows.
        center: What it should be.
        now: What there is.
    """

    context: Context
    center: Center
    now: Environment

    @property
    def manager(self) -> Manager:
        """The manager of this data center."""
        return self.context.manager

    @cached_property
    def home(self) -> DataCenter | None:
        """The data center, if it is there before anything is done."""
        return next((home for home in self.now.homes if home.name == self.center.name), None)

    @cached_property
    def clusters(self) -> dict[str, Cluster]:
        """All clusters that are there, by name, whatever data center they are in."""
        return {each.name: each for each in self.now.clusters}

    @cached_property
    def networks(self) -> dict[str, Network]:
        """The networks of the data center that are there, by name."""
        return {each.name: each for each in self.now.networks_of(self.home)} if self.home else {}

    def used(self, cluster: str) -> dict[str, Network]:
        """The networks that a cluster has now, by name, as they are there."""
        there = self.clusters.get(cluster)
        return {each.name: each for each in self.now.used.get(there.id or "", ())} if there else {}

    def home_now(self) -> DataCenter:
        """The data center, once it has been made."""
        return self.home or self.manager.one(DataCenter, self.center.name)

    def cluster_now(self, name: str) -> Cluster:
        """A cluster, once it has been made."""
        return self.clusters.get(name) or self.manager.one(Cluster, name)

    def network_now(self, name: str) -> Network | None:
        """A network of the data center as it is at the time of asking.

        A new data center comes with a management network.
        """
        return self.own_networks().get(name)

    def own_networks(self) -> dict[str, Network]:
        """The networks of the data center as they are at the time of asking, by name."""
        home = self.home_now()
        known = self.manager.all(Network) if self.home else self.manager.list(Network)
        return {each.name: each for each in known if each.data_center and each.data_center.id == home.id}

    def change(self, there: Any, wanted: Mapping[str, Any]) -> Plan:
        """Change what differs in an object that is there."""
        differing = there.differences(wanted)
        if differing:
            words = ", ".join(f"{name} {value}" for name, value in differing.items())
            now = ", ".join(f"{name} {_or_none(getattr(there, name))}" for name in differing)
            change = partial(self.manager.change, there, **differing)
            yield self.job(there.name, f"change {there.word()} to {words} (now {now})", change)

    def create_job(self, says: str, new: Any) -> Job:
        """Make an object."""
        return self.job(new.name, says, partial(self.manager.create, new))

    def job(self, name: str, says: str, do: Callable[[], object], text: str = "succeeded") -> Job:
        """A job of one step that reports success."""

        def step() -> list[Message]:
            do()
            return [*success(name, text)]

        return Job(name, [Step(says, step)])


def _or_none(value: object) -> object:
    """A value of an object that is there, also where it has none."""
    return "none" if value in (None, "") else value


def home_key(center: str) -> str:
    """The key of a data center."""
    return f"data center {center}"


def cluster_key(name: str) -> str:
    """The key of a cluster."""
    return f"cluster {name}"


def host_key(name: str) -> str:
    """The key of a host."""
    return f"host {name}"


def host_networks_key(name: str) -> str:
    """The key of the networks on a host's NICs."""
    return f"networks of host {name}"


def network_key(name: str, center: str) -> str:
    """The key of a network."""
    return f"network {name} of {center}"


def attachment_key(network: str, cluster: str) -> str:
    """The key of a network's attachment to a cluster."""
    return f"network {network} in cluster {cluster}"
