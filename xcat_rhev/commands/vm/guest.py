"""A guest's first start, from the rows to the engine's form."""

from __future__ import annotations

from ...engine.nouns import Initialization, NicConfiguration
from ...rows.guest import Guest, GuestNic


def initialization_of(guest: Guest, host_name: str = "") -> Initialization:
    """What an engine gets about a guest's first start.

    Args:
        guest: What the row says.
        host_name: Its name if neither the row nor the engine has one.
    """
    values = {name: value for name, value in vars(guest).items() if name != "nics"}
    values["host_name"] = guest.host_name or host_name or None
    return Initialization(nic_configurations=tuple(map(_nic, guest.nics)), **values)


def _nic(nic: GuestNic) -> NicConfiguration:
    return NicConfiguration(on_boot=True, **vars(nic))
