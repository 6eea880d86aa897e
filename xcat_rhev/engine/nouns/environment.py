"""Data centers, clusters, networks and storage: what virtual machines depend on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..documents.fields import decimal, flag, label, options, parts, ref, refs, secret, text, version, whole, words
from ..documents.noun import Noun, Removal
from ..documents.record import Record


class DataCenter(Noun, tag="data_center", path="datacenters", searchable=True, top=True):
    """A data center; usable when `up`, which needs an active master data domain and an up host.

    Attributes:
        storage_type: v3 only: nfs, localfs, iscsi, fcp, posixfs, glusterfs.
        local: Since 3.4: its storage is on a host's own disk.
        version: Compatibility level, as `4.7`; left out at creation, the engine takes its newest.
        status: uninitialized, up, maintenance, not_operational, problematic, contend.
    """

    storage_type = text("storage_type", None, quiet=True)
    local = flag("local", since=(3, 4), quiet=True)
    storage_format = text("storage_format")
    version = version("version")
    status = text("status/state", "status")


class Cluster(Noun, tag="cluster", path="clusters", searchable=True, top=True):
    """A cluster of hosts.

    Attributes:
        cpu_type: One of its level's names, exactly; see `Manager.cpu_types`.
        memory_overcommit: Percent.
        management_network: Which one it should be, when it is made; engines tell it with its networks.
        bios_type: What its machines have unless they say otherwise: q35_sea_bios, i440fx_sea_bios ...
        gluster: Its hosts serve Gluster volumes.
        scheduling_policy: How hosts are chosen for its machines; v4 alone says and takes it.
        policy_properties: The policy's values here.
    """

    cpu_type = text("cpu@id", "cpu/type")
    data_center = ref("data_center")
    memory_overcommit = whole("memory_policy/overcommit@percent", "memory_policy/over_commit/percent")
    hugepages = flag("memory_policy/transparent_hugepages/enabled")
    version = version("version")
    gluster = flag("gluster_service", since=(3, 3))
    management_network = ref("management_network", since=(3, 6))
    bios_type = text(None, "bios_type", since=(4, 4))
    scheduling_policy = ref(None, "scheduling_policy")
    policy_properties = options(None, "custom_scheduling_policy_properties")


class Network(Noun, tag="network", path="networks", searchable=True, top=True):
    """A logical network of a data center, or, seen under a cluster, its part there.

    Attributes:
        vlan: VLAN tag.
        vm_network: False makes a network for hosts alone. Absent at creation means a VM network.
        usages: vm, display, migration ...; since 3.1. A VM network has `vm` among them. Under a cluster, since 3.6,
            that of its management has `management`.
        required: In a cluster: hosts without it are non_operational. Engines take true for absent.
        status: operational, non_operational; only under a cluster.
    """

    data_center = ref("data_center")
    cluster = ref("cluster")
    vlan = whole("vlan@id", "vlan@id")
    stp = flag("stp")
    status = text("status/state", "status")
    display = flag("display")
    mtu = whole("mtu", since=(3, 1))
    usages = words("usages/usage*", since=(3, 1), inlined=True)
    required = flag("required", since=(3, 1), quiet=True)

    def __init__(self, vm_network: bool | None = None, **values: Any) -> None:
        if vm_network is not None:
            values.setdefault("usages", ("vm",) if vm_network else ())
        super().__init__(**values)

    @property
    def vm_network(self) -> bool:
        """Whether virtual machines can use it. Engines before 3.1 know no other kind."""
        return self.usages is None or "vm" in self.usages

    @property
    def management(self) -> bool:
        """Whether it is the management network of the cluster that it was listed under.

        Engines before 3.6 do not show it.
        """
        return "management" in (self.usages or ())


class VnicProfile(Noun, tag="vnic_profile", path="vnicprofiles", top=True):
    """What a VM's NIC is connected with in v4: a logical network seen through a profile.

    Attributes:
        through_mode: enabled, disabled; since 3.6. Enabled, its NICs are parts of a card of the hypervisor.
    """

    network = ref("network")
    qos = ref(None, "qos")
    network_filter = ref(None, "network_filter")
    migratable = flag(None, "migratable", since=(4, 2))
    port_mirroring = flag("port_mirroring")
    through_mode = text("pass_through/mode", since=(3, 6))

    @property
    def passes_through(self) -> bool:
        """Whether its NICs are parts of a card of the hypervisor."""
        return self.through_mode == "enabled"


class LogicalUnit(Record):
    """A LUN.

    Attributes:
        target: iSCSI qualified name.
        size: Bytes.
        group: The id of the volume group on it.
        domain: The id of the storage domain that uses it already.
    """

    id = text("@id")
    port = whole("port")
    target = text("target")
    username = text("username")
    password = secret("password")
    address = text("address")
    size = whole("size")
    status = text("status")
    group = text("volume_group_id")
    domain = text("storage_domain_id")


class StorageDomain(
    Noun, tag="storage_domain", path="storagedomains", searchable=True, top=True, removal=Removal.DESCRIBED
):
    """A storage domain.

    Attributes:
        type: data, iso, export.
        status: Its state in a data center when it was listed under one; elsewhere `unattached` or nothing.
        storage_type: nfs, localfs, iscsi, fcp, posixfs, glusterfs.
        address, path, vfs_type, nfs_version, mount_options: Where files are.
        logical_units: What a block domain is to be made of.
        group, group_units: The volume group of a block domain and its LUNs; engines take the LUNs beside it and show
            them inside it.
        available, used, committed: Bytes.
        host: The hypervisor that makes it, at creation.
        luns: Ids of LUNs; at creation with `port`, `target`, `username`, `password` (a Secret) beside `address`.
        import_: Take the domain that is already there, since 3.5; v3.0 does so by itself for NFS exports.
    """

    data_center = ref("data_center", None)
    data_centers = refs("data_centers/data_center*", since=(3, 6))
    type = text("type")
    status = text("status/state", "status")
    master = flag("master")
    address = text("storage/address")
    storage_type = text("storage/type")
    path = text("storage/path")
    mount_options = text("storage/mount_options", since=(3, 1))
    vfs_type = text("storage/vfs_type", since=(3, 1))
    nfs_version = text("storage/nfs_version", since=(3, 1))
    logical_units = parts(LogicalUnit, "storage/logical_unit*", "storage/logical_units/logical_unit*")
    group = text("storage/volume_group@id")
    group_units = parts(
        LogicalUnit, "storage/volume_group/logical_unit*", "storage/volume_group/logical_units/logical_unit*"
    )
    host = ref("host")
    format = flag("format")
    destroy = flag("destroy")
    available = whole("available")
    used = whole("used")
    committed = whole("committed")
    storage_format = text("storage_format")
    import_ = flag("import", since=(3, 5), quiet=True)

    def __init__(self, luns: Sequence[str] = (), **values: Any) -> None:
        if luns:
            way = {name: values.pop(name) for name in ("port", "target", "username", "password") if name in values}
            values["logical_units"] = [LogicalUnit(id=lun, address=values.get("address"), **way) for lun in luns]
            values.pop("address", None)
        super().__init__(**values)

    @property
    def units(self) -> tuple[LogicalUnit, ...]:
        """The LUNs it is made of, or is to be made of."""
        return self.logical_units or self.group_units

    @property
    def luns(self) -> tuple[str, ...]:
        """Their ids; one with several paths is listed once for each."""
        return tuple(dict.fromkeys(unit.id or "" for unit in self.units))

    @property
    def target(self) -> str | None:
        """The iSCSI target of its first LUN."""
        return self.units[0].target if self.units else None

    @property
    def port(self) -> int | None:
        """The iSCSI port of its first LUN."""
        return self.units[0].port if self.units else None


class StorageConnection(Noun, tag="storage_connection", path="storageconnections", top=True, named=False):
    """How a storage domain's files or LUNs are reached; since 3.3."""

    address = text("address")
    type = text("type")
    path = text("path")
    mount_options = text("mount_options")
    vfs_type = text("vfs_type")
    nfs_version = text("nfs_version")
    port = whole("port")
    target = text("target")
    username = text("username")
    password = secret("password")
    host = ref("host")


class CpuType(Record):
    """A CPU family of a compatibility level.

    Attributes:
        level: Among those of its maker, the weakest first.
    """

    name = text("@id", "name")
    level = whole("level")
    architecture = text("architecture")

    @property
    def maker(self) -> tuple[str, str]:
        """Its maker: Intel, AMD or IBM, for one architecture or the other."""
        return self.architecture or "", (self.name or "").removeprefix("Secure ").partition(" ")[0]


class LevelCpus(
    Noun,
    tag="version",
    tag4="cluster_level",
    plural3="capabilities",
    top=True,
    named=False,
    path="capabilities",
    path4="clusterlevels",
):
    """A compatibility level and the CPU families it knows: `/capabilities` in v3, `/clusterlevels` in v4."""

    id = label("@id")
    major = whole("@major", None)
    minor = whole("@minor", None)
    cpus = parts(CpuType, "cpus/cpu*", "cpu_types/cpu_type*")

    @property
    def level(self) -> str:
        """As `4.7`."""
        return self.id if self.major is None else f"{self.major}.{self.minor}"

    @property
    def families(self) -> list[str]:
        """Names of the CPU families: the makers in the engine's order, of each the weakest first."""
        makers = list(dict.fromkeys(cpu.maker for cpu in self.cpus))
        return [
            cpu.name for cpu in sorted(self.cpus, key=lambda cpu: (makers.index(cpu.maker), cpu.level or 0)) if cpu.name
        ]


class MacRange(Record):
    """The first and the last address of a range."""

    first = text("from")
    last = text("to")


class MacPool(Noun, tag="mac_pool", path="macpools", top=True):
    """Where the MAC addresses of new NICs come from; since 3.6.

    Attributes:
        default_pool: Clusters have it unless they say otherwise.
    """

    allow_duplicates = flag("allow_duplicates")
    default_pool = flag("default_pool")
    ranges = parts(MacRange, "ranges/range*")


class NetworkFilter(Noun, tag="network_filter", path="networkfilters", top=True):
    """What NICs may send, as libvirt knows it; since 4.0."""


class AffinityGroup(Noun, tag="affinity_group", path="affinitygroups"):
    """VMs of a cluster that should run together or apart; since 3.5, under its cluster.

    Attributes:
        priority: Of two groups that contradict each other the one with more is kept.
        hosts_positive, hosts_enforcing, hosts_enabled: The rule for its hosts.
    """

    cluster = ref("cluster")
    positive = flag("positive")
    enforcing = flag("enforcing")
    priority = decimal(None, "priority", since=(4, 3))
    hosts_positive = flag(None, "hosts_rule/positive", since=(4, 1))
    hosts_enforcing = flag(None, "hosts_rule/enforcing", since=(4, 1))
    hosts_enabled = flag(None, "hosts_rule/enabled", since=(4, 1))
    vms = refs(None, "vms/vm*")
    hosts = refs(None, "hosts/host*", since=(4, 1))
    vm_labels = refs(None, "vm_labels/affinity_label*", since=(4, 3))
    host_labels = refs(None, "host_labels/affinity_label*", since=(4, 3))
