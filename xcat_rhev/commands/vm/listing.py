"""What lsvm shows of machines and hypervisors: the keys of the manual page, in order."""

from __future__ import annotations

from collections.abc import Mapping

from ...engine.nouns import Disk, Host, HostNic, Nic, Noun, Snapshot, StorageDomain, Vm
from ...engine.states import HOST_TALKING
from ..show.listing import Key, Layout, Read, Shown, by_name, name_behind, plain
from .connections import other_profile


def _fence_field(name: str, of_agent: str) -> Read:
    """What a host says of its power management itself, or its first fence agent, where v4 has it."""
    return lambda host, _: (
        getattr(host, name)
        or next(
            (getattr(agent, of_agent) for agent in sorted(host.fenceagents or (), key=lambda agent: agent.order or 0)),
            None,
        )
    )


def _host_counters(name: str) -> Read:
    """What the manager counts on a host: zeros where the host does not answer, which are left out."""
    return lambda host, _: getattr(host, name) if host.status in HOST_TALKING else None


#: The layout of each kind; `engine/nouns` says what the attributes are.
LAYOUTS: Mapping[type[Noun], Layout] = {
    Vm: Layout(
        "vms",
        (
            plain("bootorder", "boot", kind=list),
            plain("cpucore", "cores", kind=int),
            plain("cpusocket", "sockets", kind=int),
            plain("creation_time"),
            plain("display", "display_type"),
            Key("host", lambda vm, manager: manager.name_of(Host, vm.host)),
            plain("memory", kind=int),
            plain("memory_guaranteed", kind=int),
            plain("placement_policy", "affinity"),
            plain("reason", "status_detail"),
            plain("start_time"),
            plain("state", "status"),
            plain("stateless", kind=bool),
            plain("type"),
        ),
    ),
    Disk: Layout(
        "disks",
        (
            plain("bootable", kind=bool),
            plain("format"),
            plain("iftype", "interface"),
            plain("size", kind=int),
            plain("state", "status"),
            Key(
                "storage_domains",
                lambda disk, manager: tuple(manager.name_of(StorageDomain, ref) for ref in disk.storage_domains),
                kind=list,
            ),
            Key("type", lambda disk, _: disk.type or ("system" if disk.bootable else "data")),
        ),
    ),
    Nic: Layout(
        "nics",
        (
            plain("iftype", "interface"),
            plain("mac"),
            name_behind("network"),
            Key("vnic_profile", lambda nic, manager: other_profile(manager, nic)),
        ),
    ),
    Host: Layout(
        "hosts",
        (
            plain("address"),
            plain("cpu", "cpu_name"),
            plain("cpuspeed", "cpu_speed", kind=float),
            plain("hugepages", kind=bool),
            plain("iscsi", "iscsi_initiator"),
            plain("ksm", kind=bool),
            plain("powermgt", "pm_enabled", kind=bool),
            Key("powermgt_addr", _fence_field("pm_address", "address")),
            Key("powermgt_type", _fence_field("pm_type", "type")),
            Key("powermgt_user", _fence_field("pm_user", "username")),
            plain("reason", "status_detail"),
            plain("state", "status"),
            plain("storage_manager", "spm", kind=bool),
            Key("summary_active", _host_counters("active"), kind=int),
            Key("summary_migrating", _host_counters("migrating"), kind=int),
            Key("summary_total", _host_counters("total"), kind=int),
            plain("type"),
        ),
    ),
    HostNic: Layout(
        "host_nics",
        (
            plain("boot_protocol"),
            plain("gateway"),
            plain("ip"),
            plain("mac"),
            plain("netmask"),
            name_behind("network"),
            plain("speed", kind=int),
            plain("state", "status"),
        ),
    ),
    Snapshot: Layout(
        "snapshots",
        (
            plain("date"),
            plain("memory", kind=bool),
            plain("state", "status"),
            plain("type"),
        ),
    ),
}


def of_vm(vm: Vm) -> Shown:
    """A machine that was found with details: with its disks and NICs, and its snapshots if those were asked for."""
    snapshots = [each for each in vm.snapshots or () if not each.active]
    return Shown(vm, [*by_name(vm.disks or ()), *by_name(vm.nics or ()), *snapshots])
