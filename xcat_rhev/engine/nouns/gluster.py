"""Gluster volumes of a cluster's hosts, as far as work on the hosts has to know of them."""

from __future__ import annotations

from ..documents.fields import text
from ..documents.noun import Noun


class GlusterVolume(Noun, tag="gluster_volume", path="glustervolumes"):
    """A volume, below its cluster; since 3.3."""

    status = text("status/state", "status")


class GlusterBrick(Noun, tag="brick", path="bricks", path4="glusterbricks"):
    """What a host gives to a volume.

    Attributes:
        server_id: The host's id.
        status: up, down, unknown.
    """

    server_id = text("server_id")
    status = text("status/state", "status")
