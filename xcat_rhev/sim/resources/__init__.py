"""The engine's resources, one file per noun: how it is written, what may be done to it, and its addresses."""

from __future__ import annotations

from ..routing import Route
from . import (
    affinity,
    clusters,
    connections,
    consoles,
    datacenters,
    disks,
    fencing,
    history,
    hostnics,
    hosts,
    networks,
    nics,
    root,
    san,
    snapshots,
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
        hostnics,
        fencing,
        san,
        vms,
        vmpower,
        disks,
        nics,
        consoles,
        snapshots,
        templates,
        tags,
        affinity,
        history,
    )
    for route in module.ROUTES
)
