"""The machines that run on hypervisors."""

from __future__ import annotations

from collections.abc import Collection

from ...engine.manager import Manager
from ...engine.nouns import Host, Vm


def guests_of(manager: Manager, hosts: Collection[Host]) -> list[Vm]:
    """The machines that run on some hypervisors, by what each says of itself.

    A search for them by their host takes an engine several seconds: 4.5 took 3.7 to 7.6 s, and 0.5 s for the list of
    all 200 machines.
    """
    wanted = {host.id for host in hosts}
    return [vm for vm in manager.list(Vm) if vm.host and vm.host.id in wanted] if wanted else []
