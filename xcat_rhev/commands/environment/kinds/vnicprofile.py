"""vNIC profiles: what the NICs of machines may do on a network; `network/profile` in vm.nics."""

from ....engine.nouns import Network, VnicProfile
from ..plainkind import PlainKind, choice, flag, reference

KIND = PlainKind(
    "vNIC profile",
    VnicProfile,
    (
        reference("network", Network, needed=True, identity=True),
        flag("port_mirroring"),
        choice("pass_through", "through_mode", "enabled", "disabled"),
    ),
    came="vNIC profiles",
)
