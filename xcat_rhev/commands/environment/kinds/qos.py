"""QoS: limits of a data center that disk profiles, vNIC profiles and networks refer to."""

from ....engine.nouns import DataCenter, Qos
from ..plainkind import PlainKind
from ..settings import choice, number

_NUMBERS = (
    "max_throughput max_read_throughput max_write_throughput max_iops max_read_iops max_write_iops cpu_limit "
    "inbound_average inbound_peak inbound_burst outbound_average outbound_peak outbound_burst "
    "outbound_average_linkshare outbound_average_upperlimit outbound_average_realtime"
).split()

KIND = PlainKind(
    "QoS",
    Qos,
    (
        choice("type", "type", "storage", "cpu", "network", "hostnetwork", needed=True, fixed=True),
        *map(number, _NUMBERS),
    ),
    came="QoS",
    home=DataCenter,
    plural="QoS",
)
