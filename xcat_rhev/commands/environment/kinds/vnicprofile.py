"""vNIC profiles: settings for the NICs of machines on a network; `network/profile` in vm.nics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....engine.manager import Manager
from ....engine.nouns import DataCenter, Network, NetworkFilter, Qos, VnicProfile
from ..plainkind import PlainKind
from ..settings import choice, flag, nested_reference, reference


@dataclass(frozen=True)
class _Profiles(PlainKind):
    """One comes with each network of machines."""

    def where(self, noun: Any, manager: Manager) -> dict[str, str]:
        """The data center, if networks of that name are in several."""
        there = {each.id: each for each in manager.all(Network)}
        own = there.get(noun.network.id) if noun.network else None
        if own is None or sum(each.name == own.name for each in there.values()) < 2:
            return {}
        return {"data_center": manager.name_of(DataCenter, own.data_center)}

    def own(self, noun: Any, manager: Manager) -> bool:
        """Whether it is unchanged since it came with its network."""
        changed = noun.port_mirroring or noun.passes_through or noun.qos
        return bool(noun.network and manager.name_of(Network, noun.network) == noun.name and not changed)


KIND = _Profiles(
    "vNIC profile",
    VnicProfile,
    (
        reference("network", Network, needed=True, identity=True),
        flag("port_mirroring"),
        choice("pass_through", "through_mode", "enabled", "disabled"),
        flag("migratable"),
        nested_reference("qos", Qos),
        reference("network_filter", NetworkFilter),
    ),
    came="vNIC profiles",
)
