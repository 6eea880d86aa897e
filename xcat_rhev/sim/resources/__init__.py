"""The engine's resources, one file per noun: how it is written, what may be done to it, and its addresses."""

from __future__ import annotations

from ..routing import Route
from . import clusters, datacenters, hostnics, hosts, root, vmpower, vms

#: Every call that the simulator covers.
ROUTES: tuple[Route, ...] = (
    *root.ROUTES, *datacenters.ROUTES, *clusters.ROUTES, *hosts.ROUTES, *hostnics.ROUTES, *vms.ROUTES, *vmpower.ROUTES,
)
