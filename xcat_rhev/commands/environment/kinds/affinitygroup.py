"""Affinity groups: machines of a cluster that run together, or apart; vm.othersettings puts machines into them."""

from ....engine.nouns import AffinityGroup
from ..plainkind import PlainKind, flag

KIND = PlainKind(
    "affinity group", AffinityGroup, (flag("positive"), flag("enforcing")), came="affinity groups", in_cluster=True
)
