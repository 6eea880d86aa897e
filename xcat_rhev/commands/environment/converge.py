"""cfgve --from: a described environment is compared with the manager's, and what is missing is made.

Every object is a job of its own that begins when those it depends on are finished. What only shows when they are, the
NICs of a new host and the machines of a new data center, is planned by a step at that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from ...messages import Error, few
from ...plan.context import Context, Plan
from ...plan.jobs import Job
from ...rows.description import Center, DescribedThing
from ...rows.hypervisor import read_interfaces
from ...xcat.host import Row
from . import (
    describedclusters,
    describedhosts,
    describednetworks,
    describedstorage,
    inventory,
    machines,
    plaindescription,
)
from .describedcenter import DescribedDataCenter
from .inventory import Environment
from .order import DescribedPart, Order
from .overlay import Overlay


def plan(
    context: Context, centers: Sequence[Center], things: Sequence[DescribedThing] = (), comparing: bool = False
) -> Plan:
    """Compare everything with everything, and say what is to be done in which order.

    Args:
        context: The command.
        centers: The described data centers.
        things: Described objects of other kinds.
        comparing: Nothing will be done; see `Order`.
    """
    over = replace(context, xcat=Overlay(context.xcat, _tables(centers)))
    wrong = [*_faults(over, centers)]
    yield from wrong
    if wrong:
        return
    order, elsewhere = Order(comparing), frozenset[str]()
    for center, now in _with_inventory(context, centers):
        yield from _center(DescribedDataCenter(_within(over, center), center, now), elsewhere, order)
        elsewhere |= frozenset(center.storage_domains)
    yield from plaindescription.plan(context, things, centers, order)


def _with_inventory(context: Context, centers: Sequence[Center]) -> list[tuple[Center, Environment]]:
    """The data centers, each with all that there is; nothing is asked for none."""
    if not centers:
        return []
    now = inventory.read(context.manager, {center.name for center in centers})
    return [(center, now) for center in centers]


def _within(context: Context, center: Center) -> Context:
    """The command with what one data center has: ISO domains, and machines of one name, may be in several."""
    here = {"mgr": context.manager.name, "datacenter": center.name}
    vms = {name: {**row, **here} for name, row in center.vms.items()}
    return replace(context, xcat=Overlay(context.xcat, {"virtsd": center.storage_domains, "vm": vms}))


def _faults(context: Context, centers: Sequence[Center]) -> Iterator[Error]:
    """All errors in the described rows, without asking the manager."""
    for center in centers:
        for name, row in center.hosts.items():
            for fault in read_interfaces(row.get("interface", ""))[1]:
                yield Error(f"interface: {fault}", name)
        yield from describedstorage.faults(_within(context, center), list(center.storage_domains), complete=False)
        yield from machines.faults(_within(context, center), list(center.vms))


def _tables(centers: Sequence[Center]) -> dict[str, dict[str, Row]]:
    """What is described, as rows of xCAT's tables."""
    tables: dict[str, dict[str, Row]] = {"hypervisor": {}, "hosts": {}}
    for center in centers:
        for name, row in center.hosts.items():
            tables["hypervisor"][name] = {key: value for key, value in row.items() if key != "address"}
            if row.get("address"):
                tables["hosts"][name] = {"ip": row["address"]}
    return tables


def _parts(this: DescribedDataCenter, elsewhere: frozenset[str]) -> Iterator[DescribedPart]:
    """Everything of a data center, what others depend on first."""
    hosts = describedhosts.Hosts(this)
    yield from describedclusters.data_center(this)
    yield from describednetworks.parts(this)
    yield from describedclusters.parts(this)
    yield from describednetworks.attachments(this)
    yield from hosts.parts()
    yield from describednetworks.requirements(this)
    yield from describedstorage.parts(this, elsewhere)


def _center(this: DescribedDataCenter, elsewhere: frozenset[str], order: Order) -> Plan:
    """A data center with all that is in it; its machines are planned when everything else is there."""
    busy = order.busy | order.broken
    yield from order.plan(_parts(this, elsewhere))
    names = list(this.center.vms)
    if names:
        after = frozenset(order.busy | order.broken) - busy
        plan = partial(machines.plan, this.context, names)
        machines_of = DescribedPart(
            this.center.name, f"machines of {this.center.name}", plan, after, f"make {few(names)}"
        )
        yield from order.plan([machines_of])
    if order.busy | order.broken == busy:
        yield Job(this.center.name)
