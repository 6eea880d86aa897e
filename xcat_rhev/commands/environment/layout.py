"""What lsve shows of each kind of object: the keys of the manual page, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.nouns import Cluster, DataCenter, DiskImage, Network, Noun, StorageDomain, Template
from ..show.listing import Key, Layout, plain
from . import dc


def _center(noun: Any) -> object:
    """The name of its data center, where that is known."""
    return noun.data_center.name if noun.data_center else None


def _template_version(template: Any) -> object:
    """The number, and the version's own name; the manager's empty template has 0, which is left out."""
    if not template.version_number:
        return None
    named = template.version_name and template.version_name != "base version"
    return f"{template.version_number} ({template.version_name})" if named else str(template.version_number)


LAYOUTS: Mapping[type[Noun], Layout] = {
    DataCenter: Layout(
        "datacenters",
        (
            plain("compat", "version"),
            plain("description", always=True),
            plain("state", "status"),
            plain("storageformat", "storage_format"),
            Key("storagetype", lambda noun, _: dc.shown_storage(noun)),
        ),
    ),
    Cluster: Layout(
        "clusters",
        (
            plain("compat", "version"),
            plain("cpu", "cpu_type"),
            Key("datacenter", lambda noun, _: _center(noun)),
            plain("description", always=True),
            plain("memory_hugepage", "hugepages", kind=bool),
            plain("memory_overcommit", kind=int),
        ),
    ),
    StorageDomain: Layout(
        "storagedomains",
        (
            plain("available", kind=int),
            plain("committed", kind=int),
            plain("ismaster", "master", kind=bool),
            plain("status", always=True),
            plain("storage_add", "address"),
            plain("storage_format"),
            plain("storage_lun", "luns", kind=list),
            plain("storage_path", "path"),
            plain("storage_target", "target"),
            plain("storage_type"),
            plain("type"),
            plain("used", kind=int),
        ),
    ),
    Network: Layout(
        "networks",
        (
            Key("datacenter", lambda noun, _: _center(noun)),
            plain("description", always=True),
            Key("hosts_only", lambda network, _: None if network.vm_network else True, kind=bool),
            Key("mtu", lambda network, _: network.mtu or None, kind=int),
            plain("state", "status"),
            plain("stp", kind=bool),
            plain("vlan", kind=int),
        ),
        indent=2,
    ),
    DiskImage: Layout(
        "disks",
        (
            plain("format"),
            plain("id"),
            plain("lun", "lun_id"),
            plain("shareable", kind=bool),
            Key("size", lambda disk, _: disk.size or disk.lun_size or None, kind=int),
            plain("sparse", kind=bool),
            plain("state", "status"),
            Key("storagedomains", lambda disk, _: tuple(ref.name for ref in disk.storage_domains), kind=list),
            plain("used", "actual_size", kind=int),
            Key("vms", lambda disk, _: tuple(ref.name for ref in disk.vms), always=True, kind=list),
        ),
    ),
    Template: Layout(
        "templates",
        (
            plain("bootorder", "boot", kind=list),
            plain("cpucore", "cores", kind=int),
            plain("cpusocket", "sockets", kind=int),
            plain("creation_time"),
            plain("display", "display_type"),
            plain("memory", kind=int),
            plain("state", "status"),
            plain("stateless", kind=bool),
            plain("type"),
            Key("version", lambda noun, _: _template_version(noun)),
        ),
    ),
}
