"""What divides a manager's resources: quality of service, profiles, quotas, sizes, pools, scheduling, providers."""

from __future__ import annotations

from typing import ClassVar

from ..documents.fields import decimal, flag, parts, ref, refs, secret, text, whole
from ..documents.noun import Noun
from ..documents.record import Record


class Qos(Noun, tag="qos", path="qoss"):
    """Limits of a data center for disks, CPUs, NICs or networks of hosts; since 3.5.

    Attributes:
        type: storage, cpu, network, hostnetwork: which of the values count.
        max_throughput, max_read_throughput, max_write_throughput: MiB a second.
        cpu_limit: Percent.
        inbound_average, inbound_peak, outbound_average, outbound_peak: Mbit a second; bursts are MiB.
    """

    data_center = ref("data_center")
    max_throughput = whole("max_throughput")
    max_read_throughput = whole("max_read_throughput")
    max_write_throughput = whole("max_write_throughput")
    max_iops = whole("max_iops")
    max_read_iops = whole("max_read_iops")
    max_write_iops = whole("max_write_iops")
    cpu_limit = whole("cpu_limit")
    inbound_average = whole("inbound_average")
    inbound_peak = whole("inbound_peak")
    inbound_burst = whole("inbound_burst")
    outbound_average = whole("outbound_average")
    outbound_peak = whole("outbound_peak")
    outbound_burst = whole("outbound_burst")
    outbound_average_linkshare = whole("outbound_average_linkshare")
    outbound_average_upperlimit = whole("outbound_average_upperlimit")
    outbound_average_realtime = whole("outbound_average_realtime")
    type = text("@type", "type")


class DiskProfile(Noun, tag="disk_profile", path="diskprofiles", top=True):
    """What the disks of a storage domain may take; since 3.5."""

    qos = ref("qos")
    storage_domain = ref("storage_domain")


class Quota(Noun, tag="quota", path="quotas"):
    """What the users of a data center may take together; made since 3.6.

    Attributes:
        cluster_soft_limit_pct, storage_soft_limit_pct: Percent of a limit from which the manager warns.
        cluster_hard_limit_pct, storage_hard_limit_pct: Percent above a limit that are still given.
    """

    data_center = ref("data_center")
    cluster_soft_limit_pct = whole("cluster_soft_limit_pct")
    cluster_hard_limit_pct = whole("cluster_hard_limit_pct")
    storage_soft_limit_pct = whole("storage_soft_limit_pct")
    storage_hard_limit_pct = whole("storage_hard_limit_pct")


class QuotaClusterLimit(
    Noun,
    tag="cluster_quota_limit",
    tag4="quota_cluster_limit",
    path="quotaclusterlimits",
    named=False,
):
    """A quota's limit for a cluster, or for all; memory is GiB, and -1 stands for no limit."""

    cluster = ref("cluster")
    vcpu_limit = whole("vcpu_limit")
    memory_limit = decimal("memory_limit")


class QuotaStorageLimit(
    Noun,
    tag="storage_quota_limit",
    tag4="quota_storage_limit",
    path="quotastoragelimits",
    named=False,
):
    """A quota's limit for a storage domain, or for all: GiB, and -1 stands for no limit."""

    storage_domain = ref("storage_domain")
    limit = whole("limit")


class AffinityLabel(Noun, tag="affinity_label", path="affinitylabels", top=True):
    """A word for hosts and machines: these run on those; since 4.0. Both are collections of their own."""

    hosts = refs(None, "hosts/host*")
    vms = refs(None, "vms/vm*")


class InstanceType(Noun, tag="instance_type", path="instancetypes", top=True):
    """A size of machines that people choose; since 3.5.

    Attributes:
        memory, memory_guaranteed, memory_max: Bytes.
    """

    memory = whole("memory")
    sockets = whole("cpu/topology@sockets", "cpu/topology/sockets")
    cores = whole("cpu/topology@cores", "cpu/topology/cores")
    threads = whole("cpu/topology@threads", "cpu/topology/threads", since=(3, 6))
    ha = flag("high_availability/enabled")
    ha_priority = whole("high_availability/priority")
    io_threads = whole("io/threads", since=(3, 6))
    memory_guaranteed = whole("memory_policy/guaranteed")
    ballooning = flag("memory_policy/ballooning")
    memory_max = whole(None, "memory_policy/max")


class VmPool(Noun, tag="vmpool", tag4="vm_pool", path="vmpools", searchable=True, top=True):
    """Machines of one template that people take one of; its machines are called as it, with a number.

    Attributes:
        size: How many machines it has.
        prestarted_vms: How many run before anybody takes them.
        max_user_vms: How many one user may have.
        type: automatic, manual: what becomes of a machine that is given back.
        stateful: Machines keep what was changed.
    """

    size = whole("size")
    cluster = ref("cluster")
    template = ref("template")
    prestarted_vms = whole("prestarted_vms", since=(3, 1))
    max_user_vms = whole("max_user_vms", since=(3, 4))
    type = text("type", since=(3, 4))
    use_latest_template_version = flag("use_latest_template_version", since=(3, 5))
    stateful = flag(None, "stateful", since=(4, 1))


class Property(Record):
    """A value of a scheduling policy."""

    name = text("name")
    value = text("value")


class SchedulingPolicy(
    Noun,
    tag="scheduling_policy",
    plural3="scheduling_policies",
    plural4="scheduling_policies",
    path="schedulingpolicies",
    top=True,
):
    """How hosts are chosen for machines; since 3.5. Its filters, weights and balances are collections of their own.

    Attributes:
        locked: It came with the installation.
    """

    locked = flag("locked")
    properties = parts(Property, "properties/property*")


class SchedulingUnit(Noun, tag="scheduling_policy_unit", path="schedulingpolicyunits", top=True):
    """What a scheduling policy is made of.

    Attributes:
        type: filter, weight, load_balancing.
    """

    type = text("@type", "type")


class PolicyFilter(Noun, tag="filter", path="filters", named=False):
    """Hosts that a policy does not take."""

    scheduling_policy_unit = ref("scheduling_policy_unit")


class PolicyWeight(Noun, tag="weight", path="weights", named=False):
    """Hosts that a policy likes better."""

    scheduling_policy_unit = ref("scheduling_policy_unit")
    factor = whole("factor")


class PolicyBalance(Noun, tag="balance", path="balances", named=False):
    """How a policy moves machines."""

    scheduling_policy_unit = ref("scheduling_policy_unit")


class HostProvider(Noun, tag="external_host_provider", path="externalhostproviders", top=True):
    """A Foreman or Satellite; since 3.6.

    Attributes:
        type: host, image, network, volume.
        url: Where it is.
        requires_authentication: It wants a name and a password.
        authentication_url: Where it asks for them.
    """

    url = text("url")
    requires_authentication = flag("requires_authentication")
    username = text("username")
    password = secret("password")
    authentication_url = text("authentication_url")
    type: ClassVar[str] = "host"


class ImageProvider(HostProvider, tag="openstack_image_provider", path="openstackimageproviders", top=True):
    """A Glance."""

    type = "image"
    tenant_name = text("tenant_name")


class NetworkProvider(HostProvider, tag="openstack_network_provider", path="openstacknetworkproviders", top=True):
    """A Neutron, or what speaks as one.

    Attributes:
        network_type: neutron, external.
        plugin_type: open_vswitch; engines before 4.0 want one.
        read_only: Its networks are not made or changed from here.
        auto_sync: Its networks are looked at again by themselves.
        unmanaged: Its networks are not set up on hosts.
    """

    type = "network"
    tenant_name = text("tenant_name")
    network_type = text(None, "type")
    plugin_type = text("plugin_type")
    read_only = flag(None, "read_only")
    auto_sync = flag(None, "auto_sync", since=(4, 2))
    unmanaged = flag(None, "unmanaged", since=(4, 2))


class VolumeProvider(HostProvider, tag="openstack_volume_provider", path="openstackvolumeproviders", top=True):
    """A Cinder."""

    type = "volume"
    tenant_name = text("tenant_name")
    data_center = ref("data_center")
