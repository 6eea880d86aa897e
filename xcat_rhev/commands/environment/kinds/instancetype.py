"""Instance types: sizes of machines that people choose; the manager's own are Tiny to XLarge."""

from ....engine.nouns import InstanceType
from ..plainkind import PlainKind
from ..settings import flag, number, size

KIND = PlainKind(
    "instance type",
    InstanceType,
    (
        *(size("memory"), size("memory_guaranteed"), size("memory_max")),
        *(number("sockets"), number("cores"), number("threads")),
        *(flag("ha"), number("ha_priority"), number("io_threads"), flag("ballooning")),
    ),
    came="instance types",
)
