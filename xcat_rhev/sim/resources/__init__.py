"""The engine's resources, one file per noun: how it is written, what may be done to it, and its addresses."""

from __future__ import annotations

from ..routing import Route
from . import (
    affinity,
    certificates,
    clusters,
    connections,
    consoles,
    datacenters,
    disks,
    diskwork,
    fencing,
    history,
    hostnetworks,
    hostnics,
    hosts,
    macpools,
    networks,
    nics,
    root,
    san,
    snapshots,
    standing,
    storage,
    tags,
    templates,
    upgrades,
    vmpower,
    vms,
)

#: Every call that the simulator covers.
ROUTES: tuple[Route, ...] = tuple(
    route
    for module in (
        root,
        datacenters,
        clusters,
        networks,
        storage,
        connections,
        hosts,
        upgrades,
        certificates,
        hostnics,
        hostnetworks,
        fencing,
        san,
        vms,
        vmpower,
        disks,
        diskwork,
        nics,
        consoles,
        snapshots,
        templates,
        tags,
        macpools,
        affinity,
        history,
        standing,
    )
    for route in module.ROUTES
)
