"""What commands offer and not every engine has: known by the version, before anything is begun.

Attributes of nouns say their versions themselves (`since` in nouns/), what concerns requests is in
`documents/dialect.py`; here are the words of lists, and ways of doing things.

Sources, at the branches engine_3.0 to ovirt-engine-3.6 of ovirt-engine: the enumerations of the API (restapi's
definition, model/DiskInterface, NicInterface, StorageType, VmType, OsType .java), its schema (api.xsd), the list of
its calls (rsdl_metadata.yaml), and its mappers (VmMapper, NicMapper). Engines refuse an unknown word since 3.2
(validateEnums); 3.0 and 3.1 pass over it without a word.
"""

from __future__ import annotations

from collections.abc import Mapping

from .documents.dialect import Dialect, Version

#: What it is, in the words of an error -> the version that it came with.
ARRIVALS: Mapping[str, Version] = {
    "disk bus virtio_scsi": (3, 3),
    "disk bus spapr_vscsi": (3, 4),
    "disk bus sata": (4, 0),
    "NIC model spapr_vlan": (3, 4),
    "NIC model pci_passthrough": (3, 6),
    "NIC model e1000e": (4, 0),
    "NIC without a network": (3, 1),
    "vNIC profiles": (3, 3),
    "machine type high_performance": (4, 2),
    "storage type posixfs": (3, 1),
    "storage type glusterfs": (3, 3),
    "threads of virtual CPUs": (3, 6),
    "MAC pools": (3, 6),
    "moves of machines' disks": (3, 2),
    "moves of disks by themselves": (3, 4),
    "QoS": (3, 5),
    "NUMA nodes": (3, 5),
    "virtual GPUs": (4, 2),
    "devices of hypervisors": (3, 6),
    "disk profiles": (3, 5),
    "instance types": (3, 5),
    "scheduling policies": (3, 5),
    "quotas": (3, 6),
    "external providers": (3, 6),
    "permissions everywhere": (3, 4),
    "affinity labels": (4, 0),
    "sparsifying": (4, 1),
    "reducing disks": (4, 2),
    "uploads of images": (4, 0),
    "downloads of images": (4, 4),
    "backups of machines": (4, 4),
    "exports to OVA files": (4, 2),
    "affinity groups": (3, 4),
    "certificates of hosts": (3, 6),
    "several hypervisors for one machine": (3, 6),
    "template versions": (3, 4),
    "consoles in a browser": (4, 2),
    "networks for hosts only": (3, 1),
    "MTUs of networks": (3, 1),
}
#: What engines no longer have -> the version that dropped it (ovirt-engine: BackendOpenStackVolumeProvidersResource).
DEPARTURES: Mapping[str, Version] = {
    "providers of volumes": (4, 5),
}
#: The operating systems of guests that engines know which cannot be asked (the list came with 3.4).
_SYSTEMS: Mapping[Version, str] = {
    (3, 0): """
        unassigned other other_linux rhel_3 rhel_3x64 rhel_4 rhel_4x64 rhel_5 rhel_5x64 rhel_6 rhel_6x64 windows_xp
        windows_2003 windows_2003x64 windows_2008 windows_2008x64 windows_7 windows_7x64""",
    (3, 2): "windows_8 windows_8x64 windows_2012x64",
    (3, 3): "windows_2008R2x64 sles_11 ubuntu_12_04 ubuntu_12_10 ubuntu_13_04 ubuntu_13_10",
}
#: A word of 3.0 to 3.2 alone.
_FORMER_SYSTEM, _UNTIL = "windows_2008r2", (3, 3)


def arrival(dialect: Dialect, what: str) -> Version | None:
    """The version that something came with, where this engine does not have it; None where it does.

    Args:
        dialect: The engine's.
        what: As `ARRIVALS` has it; what is not there was always there.
    """
    since = ARRIVALS.get(what)
    return None if since is None or dialect.since(since) else since


def departure(dialect: Dialect, what: str) -> Version | None:
    """The version that dropped something, where this engine does not have it any more; None where it does."""
    until = DEPARTURES.get(what)
    return until if until is not None and dialect.since(until) else None


def guest_systems(dialect: Dialect) -> list[str]:
    """The operating systems of guests that an engine before 3.4 knows."""
    words = [word for since, text in _SYSTEMS.items() if dialect.since(since) for word in text.split()]
    return words if dialect.since(_UNTIL) else [*words, _FORMER_SYSTEM]
