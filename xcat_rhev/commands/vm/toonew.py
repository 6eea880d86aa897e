"""What a row asks for and its manager is too old for: reported before anything is begun."""

from __future__ import annotations

from collections.abc import Iterator

from ...engine.manager import Manager
from ...rows.vm import VmRow


def too_new(manager: Manager, row: VmRow) -> Iterator[str]:
    """Each word of a row that came with a later version, with the column to change.

    Args:
        manager: The manager that has them.
        row: The values of its row that matter now.
    """
    for what, column in dict.fromkeys(_features(row)):
        fault = manager.too_new(what)
        if fault:
            yield f"{fault}. Change vm.{column}: chtab node={row.node} vm.{column}=..."


def _features(row: VmRow) -> Iterator[tuple[str, str]]:
    """The features that a row asks for, by the engine room's names, each with its column."""
    if any(not disk.existing for disk in row.disks):
        yield f"disk bus {row.interface}", "storagemodel"
    yield from _asked_of_nics(row)
    if len(row.hosts) > 1:
        yield "several hypervisors for one machine", "host"
    if row.topology and row.topology[2] > 1:
        yield "threads of virtual CPUs", "cpus"
    if "type" in row.settings.values:
        yield f"machine type {row.settings.values['type']}", "othersettings"
    if row.settings.affinity_groups:
        yield "affinity groups", "othersettings"
    if row.template and "@" in row.template:
        yield "template versions", "master"


def _asked_of_nics(row: VmRow) -> Iterator[tuple[str, str]]:
    if row.nic_model:
        yield f"NIC model {row.nic_model}", "nicmodel"
    for nic in row.nics or ():
        if nic.model:
            yield f"NIC model {nic.model}", "nics"
        if nic.network is None:
            yield "NIC without a network", "nics"
