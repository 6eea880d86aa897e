"""The things a manager knows, each declared once for both dialects.

The order of the fields is the order of the elements in the v3.6 schema. A field's first spelling is v3's, the second
v4's, one alone serves both (see `fields.py`); `dialect.py` has what concerns requests as a whole.
"""

from __future__ import annotations

from ..documents.noun import Noun, Record
from ..documents.shapes import Ref
from .environment import (
    AffinityGroup,
    Cluster,
    CpuType,
    DataCenter,
    LevelCpus,
    LogicalUnit,
    MacPool,
    MacRange,
    Network,
    StorageConnection,
    StorageDomain,
    VnicProfile,
)
from .host import Bonding, FenceAgent, Host, HostNic, HostStorage, IpAssignment, NetworkAttachment, Ssh
from .records import Answer, EngineJob, Event, Iscsi, IscsiTarget, Statistic, Tag, Ticket
from .vm import (
    Cdrom,
    Disk,
    DiskImage,
    GraphicsConsole,
    Initialization,
    Lease,
    Nic,
    NicConfiguration,
    OperatingSystem,
    ReportedDevice,
    Snapshot,
    Template,
    Vm,
)

__all__ = [
    "AffinityGroup",
    "Answer",
    "Bonding",
    "Cdrom",
    "Cluster",
    "CpuType",
    "DataCenter",
    "Disk",
    "DiskImage",
    "EngineJob",
    "Event",
    "FenceAgent",
    "GraphicsConsole",
    "Host",
    "HostNic",
    "HostStorage",
    "Initialization",
    "IpAssignment",
    "Iscsi",
    "IscsiTarget",
    "Lease",
    "LevelCpus",
    "LogicalUnit",
    "MacPool",
    "MacRange",
    "Network",
    "NetworkAttachment",
    "Nic",
    "NicConfiguration",
    "Noun",
    "OperatingSystem",
    "Record",
    "Ref",
    "ReportedDevice",
    "Snapshot",
    "Ssh",
    "Statistic",
    "StorageConnection",
    "StorageDomain",
    "Tag",
    "Template",
    "Ticket",
    "Vm",
    "VnicProfile",
]
