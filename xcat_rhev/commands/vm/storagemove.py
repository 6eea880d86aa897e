"""rmigrate -s: the disks of machines move to another storage domain, whether the machines run or not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...engine.nouns import Disk, StorageDomain, Vm
from ...errors import NotFound, Usage
from ...messages import Data
from ...plan.context import Context, Plan
from ...plan.jobs import Job, Step, Wait
from ...rows.vmstorage import on_domain
from ...units import show_size
from ..show.listing import by_name
from .diskwork import MOVE, DiskWork
from .machines import find


def plan(context: Context, name: str) -> Plan:
    """Find the machines with their disks and the domain; the disks of one machine move one after the other.

    Args:
        context: The command.
        name: The storage domain's.

    Raises:
        Usage: The manager cannot, or the domain is not for disks.
    """
    if late := context.manager.too_new("moves of machines' disks"):
        raise Usage(late)
    target = _target(context, name)
    found = find(context, details=True)
    rows = context.attrs("vm", "storage")
    for node in context.nodes:
        vm = found.get(node)
        if vm is None:
            yield found.lack(node)
            continue
        disks = [disk for disk in by_name(vm.disks or ()) if _moves(disk, target)]
        parts = [part for disk in disks for part in _parts(context, vm, disk, target)]
        if parts:
            parts.append(Step("write vm.storage", partial(_write, context, node, rows[node].get("storage", ""), name)))
        yield Job(node, parts, idle=f"its disks are on {name} already. There is nothing to do")


def _target(context: Context, name: str) -> StorageDomain:
    found = context.manager.find(StorageDomain, [name]).get(name)
    if found is None:
        raise NotFound(f"no storage domain {name} on {context.manager.name}", "Run: lsve -t sd")
    if found.type != "data":
        raise Usage(f"the storage domain {name} is for {found.type}, not for disks of machines")
    return found


def _moves(disk: Disk, target: StorageDomain) -> bool:
    """The disks to move, without LUNs, which have no domain, and disks of several machines."""
    return not disk.is_lun and not disk.shareable and all(ref.id != target.id for ref in disk.storage_domains)


def _parts(context: Context, vm: Vm, disk: Disk, target: StorageDomain) -> Iterator[Step | Wait]:
    source = ", ".join(context.manager.name_of(StorageDomain, ref) for ref in disk.storage_domains) or "?"
    title = f"{disk.name or disk.id} ({show_size(disk.size or 0)})"
    work = DiskWork(context.manager, disk, MOVE, vm, target)
    work.limit = context.limit(work.limit)
    says = f"move disk {title} from {source} to {target.name}"
    yield from work.parts(says, lambda: [Data(f"disk {disk.name or disk.id} moved to {target.name}.", vm.name)])


def _write(context: Context, node: str, text: str, name: str) -> list[Data]:
    """Write the new domain to the row, as far as it named the old one."""
    now = on_domain(text, name)
    if now != text:
        context.xcat.set_node_attrs("vm", {node: {"storage": now}})
    return []
