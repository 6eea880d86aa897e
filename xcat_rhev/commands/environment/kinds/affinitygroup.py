"""Affinity groups: machines of a cluster that run together, or apart; vm.othersettings puts machines into them."""

from ....engine.nouns import AffinityGroup, AffinityLabel, Cluster, Host, Vm
from ..plainkind import PlainKind
from ..settings import flag, references

KIND = PlainKind(
    "affinity group",
    AffinityGroup,
    (
        flag("positive"),
        flag("enforcing"),
        flag("hosts_rule", "hosts_enabled"),
        flag("hosts_positive"),
        flag("hosts_enforcing"),
        references("vms", Vm),
        references("hosts", Host),
        references("vm_labels", AffinityLabel),
        references("host_labels", AffinityLabel),
    ),
    came="affinity groups",
    home=Cluster,
)
