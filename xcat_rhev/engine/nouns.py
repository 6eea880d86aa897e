"""The things a manager knows, each declared once for both dialects.

The order of the fields is the order of the elements in the v3.6 schema. A field's first spelling is v3's, the second
v4's, one alone serves both (see `fields.py`); `dialect.py` has what concerns requests as a whole.
"""

from __future__ import annotations

from .nouns_base import Noun, Record
from .nouns_environment import (
    AffinityGroup,
    Cluster,
    CpuType,
    DataCenter,
    LevelCpus,
    LogicalUnit,
    Network,
    StorageConnection,
    StorageDomain,
    VnicProfile,
)
from .nouns_host import (
    Bonding,
    FenceAgent,
    Host,
    HostNic,
    HostStorage,
    IpAssignment,
    NetworkAttachment,
    Ssh,
)
from .nouns_records import Answer, Event, Iscsi, IscsiTarget, Job, Statistic, Tag, Ticket
from .nouns_vm import (
    Cdrom,
    Disk,
    DiskImage,
    GraphicsConsole,
    Initialization,
    Lease,
    Nic,
    NicConfiguration,
    ReportedDevice,
    Snapshot,
    Template,
    Vm,
)
from .shapes import Ref

__all__ = [
    "AffinityGroup", "Answer", "Bonding", "Cdrom", "Cluster", "CpuType", "DataCenter", "Disk", "DiskImage",
    "Event", "FenceAgent", "GraphicsConsole", "Host", "HostNic", "HostStorage", "Initialization",
    "IpAssignment", "Iscsi", "IscsiTarget", "Job", "Lease", "LevelCpus", "LogicalUnit", "Network", "NetworkAttachment",
    "Nic", "NicConfiguration", "Noun", "Record", "Ref", "ReportedDevice", "Snapshot", "Ssh", "Statistic",
    "StorageConnection", "StorageDomain", "Tag", "Template", "Ticket", "Vm", "VnicProfile",
]
