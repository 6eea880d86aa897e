"""Virtual machines and what belongs to them."""

from __future__ import annotations

from typing import Any

from ..documents.fields import (
    flag,
    inline_records,
    label,
    options,
    part,
    parts,
    ref,
    refs,
    release,
    secret,
    text,
    version,
    whole,
    words,
)
from ..documents.noun import MIB, Noun, Removal
from ..documents.record import Record
from .records import Statistic, Tag


def _same_mib(current: Any, wanted: Any) -> bool:
    """Engines store memory in whole MiB and cut the rest off."""
    return (current or 0) // MIB == (wanted or 0) // MIB


def _same_word(current: Any, wanted: Any) -> bool:
    return bool((current or "").lower() == (wanted or "").lower())


def _same_hosts(current: Any, wanted: Any) -> bool:
    """Engines keep them in no order (VmBaseMapper: a HashSet)."""
    here, there = (sorted(ref.id or ref.name for ref in refs or ()) for refs in (current, wanted))
    return here == there


def _same_system(current: Any, wanted: Any) -> bool:
    """Since 3.3 there is no `unassigned` any more; it is taken for `other`."""
    known = {"": "other", "unassigned": "other"}
    here, there = ((word or "").lower() for word in (current, wanted))
    return bool(known.get(here, here) == known.get(there, there))


def _same_threads(current: Any, wanted: Any) -> bool:
    """An engine that does not say has one; before 3.2 none does."""
    return bool((current or 1) == (wanted or 1))


class NicConfiguration(Record):
    """A NIC as the guest should set it up at its first start."""

    name = text("name")
    ip = text("ip@address", "ip/address")
    netmask = text("ip@netmask", "ip/netmask")
    gateway = text("ip@gateway", "ip/gateway")
    boot_protocol = text("boot_protocol")
    on_boot = flag("on_boot")


class Initialization(Record):
    """What cloud-init or sysprep does at the guest's first start; since 3.4."""

    host_name = text("host_name")
    domain = text("domain")
    timezone = text("timezone")
    authorized_ssh_keys = text("authorized_ssh_keys")
    dns_servers = text("dns_servers")
    dns_search = text("dns_search")
    nic_configurations = parts(NicConfiguration, "nic_configurations/nic_configuration*")
    root_password = secret("root_password")
    custom_script = text("custom_script")
    user_name = text("user_name")


class Lease(Record):
    """A lock on a storage domain that a highly available machine holds while it runs; without one: none. Since 4.1."""

    storage_domain = ref("storage_domain")


def _same_lease(current: Any, wanted: Any) -> bool:
    here, there = (lease.storage_domain if lease else None for lease in (current, wanted))
    return bool((here.id if here else "") == (there.id if there else ""))


_LUN3, _LUN4 = "lun_storage/logical_unit", "lun_storage/logical_units/logical_unit"


class Disk(
    Noun,
    tag="disk",
    tag4="disk_attachment",
    path="disks",
    path4="diskattachments",
    named=False,
    removal=Removal.DETACHED,
):
    """A disk of a VM; in v4 the attachment and the disk, merged.

    Attributes:
        size: Bytes that the guest sees.
        actual_size: Bytes in use; since 3.1.
        status: ok, locked, illegal.
        format: cow, raw.
        interface: virtio, ide, virtio_scsi, sata.
        active: The guest sees it. Before 3.1 always.
        backup: `incremental` where backups may ask what has changed, else `none`; since 4.4.
        lun_id, lun_size: Of a LUN that is a disk by itself; such a one has neither size, format, status nor domain.
    """

    name = label("name", "disk/name")
    description = text("description", "disk/description")
    comment = text(None, None)
    disk_id = text(None, "disk@id")
    alias = text("alias", "disk/alias", since=(3, 1), quiet=True)
    storage_domains = refs("storage_domains/storage_domain*", "disk/storage_domains/storage_domain*")
    size = whole("size", "disk/provisioned_size")
    type = text("type", None, quiet=True)
    actual_size = whole("actual_size", "disk/actual_size", since=(3, 1))
    status = text("status/state", "disk/status")
    interface = text("interface", same=_same_word)
    format = text("format", "disk/format", same=_same_word)
    sparse = flag("sparse", "disk/sparse")
    bootable = flag("bootable")
    shareable = flag("shareable", "disk/shareable", since=(3, 1))
    active = flag("active", since=(3, 1), quiet=True)
    backup = text(None, "disk/backup", since=(4, 4), quiet=True)
    lun_id = text(_LUN3 + "@id", f"disk/{_LUN4}@id", since=(3, 1))
    lun_size = whole(_LUN3 + "/size", f"disk/{_LUN4}/size", since=(3, 1))

    @property
    def is_lun(self) -> bool:
        """Whether it is a LUN by itself."""
        return bool(self.lun_id)


class DiskImage(Noun, tag="disk", path="disks", searchable=True, top=True, search_name="alias"):
    """A disk by itself, in `/disks`: all of v4's, or floating ones since 3.1.

    Attributes:
        content_type: data, iso, or what the manager keeps for itself; since 4.2.
        initial_size: At creation: how much room a thin disk on block storage gets at once.
        vms: The machines that have it, once somebody has looked; no document tells.
    """

    alias = text("alias")
    content_type = text(None, "content_type", since=(4, 2))
    storage_domains = refs("storage_domains/storage_domain*")
    size = whole("size", "provisioned_size")
    actual_size = whole("actual_size")
    initial_size = whole(None, "initial_size", quiet=True)
    status = text("status/state", "status")
    format = text("format")
    sparse = flag("sparse")
    shareable = flag("shareable")
    vms = refs(None, None)
    lun_id = text(_LUN3 + "@id", _LUN4 + "@id")
    lun_size = whole(_LUN3 + "/size", _LUN4 + "/size")


class Nic(Noun, tag="nic", path="nics"):
    """A NIC of a VM.

    Attributes:
        network: The logical network; in v4 filled by the facade from the vNIC profile.
        vnic_profile: Since 3.3; what v4 connects with.
        interface: virtio, e1000, rtl8139, e1000e ...
        mac: Six pairs; the engine draws one from its pool when absent.
        plugged, linked: Since 3.2; true before.
    """

    network = ref("network", None)
    linked = flag("linked", since=(3, 2), quiet=True)
    interface = text("interface", same=_same_word)
    mac = text("mac@address", "mac/address", same=_same_word)
    plugged = flag("plugged", since=(3, 2), quiet=True)
    vnic_profile = ref("vnic_profile", blank=True, since=(3, 3))
    boot_protocol = text("boot_protocol", since=(3, 6))


class GraphicsConsole(Noun, tag="graphics_console", path="graphicsconsoles", named=False):
    """A console of a VM.

    Attributes:
        protocol: vnc, spice.
        address, port, tls_port: Only while it runs, and in v4 only with `current=true`.
    """

    protocol = text("protocol")
    port = whole("port")
    tls_port = whole("tls_port")
    address = text("address")


class ReportedDevice(Noun, tag="reported_device", path="reporteddevices"):
    """What a guest's agent says about one of its network devices; since 3.2, under the VM."""

    mac = text("mac@address", "mac/address")
    ips = words("ips/ip*@address", "ips/ip*/address")


class Cdrom(Noun, tag="cdrom", path="cdroms", named=False):
    """A CD drive of a VM."""

    file = ref("file")


class Snapshot(Noun, tag="snapshot", path="snapshots", named=False):
    """A snapshot of a VM, known by its description.

    Attributes:
        memory: With the memory of a running VM, which stands still while that is written; since 3.3. Engines take true
            for absent since 4.1.
    """

    type = text("type", "snapshot_type")
    date = text("date")
    status = text("snapshot_status", since=(3, 1))
    memory = flag("persist_memorystate", since=(3, 3), quiet=True)

    @property
    def active(self) -> bool:
        """Whether it is the machine itself.

        Engine 3.0 has no types, and says so in the description of each active image.
        """
        return self.type == "active" or self.type is None and (self.description or "").startswith("_ActiveImage_")

    @property
    def real(self) -> bool:
        """Whether a revert to it is possible."""
        return not self.active and self.type not in ("stateless", "preview")


class VcpuPin(Record):
    """A virtual CPU and the CPUs of its host on which it may run.

    Attributes:
        cpu_set: As `0-15,^8`.
    """

    vcpu = whole("@vcpu", "vcpu")
    cpu_set = text("@cpu_set", "cpu_set")


class Vm(Noun, tag="vm", path="vms", searchable=True, top=True, removal=Removal.KEEPING_DISKS):
    """A virtual machine.

    Attributes:
        status: down, up, powering_up, image_locked ...; see the commands for which count as on.
        memory, memory_guaranteed, memory_max: Bytes; engines store whole MiB.
        boot: Devices in order: network, hd, cdrom. While it runs, v3.6 and v4 give the order of this run.
        type: server, desktop, high_performance.
        cpu_pins: On which CPUs of its host each of its own runs.
        cpu_mode: custom, host_model, host_passthrough.
        emulated_machine: As `pc-q35-rhel8.6.0`; none for the cluster's.
        display_type: vnc, spice. Address and ports only while it runs.
        console: It has a serial console. Engines say so only where everything is asked for.
        host: Where it runs; None unless it does.
        placement_hosts, affinity: Where it may run; affinity is migratable, user_migratable, pinned.
        template: Where it comes from; never sent in a change.
        numa_tune_mode: How strictly its NUMA nodes keep to the host's: strict, interleave, preferred; since 4.4 each of
            them has its own.
        bios_type: Chipset and firmware, as q35_ovmf.
        tpm: It has a TPM. Engines say so only where everything is asked for.
        io_threads: Threads for its disks.
        next_run: A change waits for its next start.
        run_once: It runs with settings that end with this run.
        clone: At creation: independent of its template.
        disks, nics, tags, statistics: None unless asked for.
    """

    type = text("type", same=_same_word)
    status = text("status/state", "status")
    status_detail = text("status/detail", "status_detail")
    memory = whole("memory", same=_same_mib)
    sockets = whole("cpu/topology@sockets", "cpu/topology/sockets")
    cores = whole("cpu/topology@cores", "cpu/topology/cores")
    threads = whole("cpu/topology@threads", "cpu/topology/threads", since=(3, 6), quiet=True, same=_same_threads)
    cpu_pins = parts(VcpuPin, "cpu/cpu_tune/vcpu_pin*", "cpu/cpu_tune/vcpu_pins/vcpu_pin*", since=(3, 1))
    cpu_mode = text("cpu/mode", since=(3, 2), same=_same_word)
    cpu_model = text(None, "custom_cpu_model")
    emulated_machine = text(None, "custom_emulated_machine")
    compatibility = version("custom_compatibility_version", since=(3, 6))
    os_type = text("os@type", "os/type", same=_same_system)
    boot = words("os/boot*@dev", "os/boot/devices/device*")
    kernel = text("os/kernel", None)
    initrd = text("os/initrd", None)
    cmdline = text("os/cmdline", None)
    cluster = ref("cluster")
    storage_domain = ref("storage_domain")
    creation_time = text("creation_time")
    origin = text("origin")
    stateless = flag("stateless")
    delete_protected = flag("delete_protected", since=(3, 2))
    ha = flag("high_availability/enabled")
    ha_priority = whole("high_availability/priority")
    lease = part(Lease, None, "lease", since=(4, 1), same=_same_lease)
    display_type = text("display/type", same=_same_word)
    display_address = text("display/address")
    display_port = whole("display/port")
    display_secure_port = whole("display/secure_port")
    monitors = whole("display/monitors")
    console = flag("console@enabled", "console/enabled", since=(3, 4))
    timezone = text("timezone", "time_zone/name")
    io_threads = whole("io/threads", since=(3, 6))
    custom_properties = options("custom_properties")
    memory_guaranteed = whole("memory_policy/guaranteed", same=_same_mib)
    memory_max = whole(None, "memory_policy/max", same=_same_mib, quiet=True)
    host = ref("host")
    template = ref("template")
    start_time = text("start_time")
    run_once = flag("run_once", since=(3, 4))
    disks = inline_records(Disk, "disks/disk*", "disk_attachments/disk_attachment*")
    clone = flag("disks/clone", None, quiet=True)
    initialization = part(Initialization, "initialization", since=(3, 4))
    nics = inline_records(Nic, "nics/nic*")
    cdroms = inline_records(Cdrom, None, "cdroms/cdrom*")
    snapshots = inline_records(Snapshot, None, "snapshots/snapshot*")
    tags = inline_records(Tag, "tags/tag*")
    statistics = inline_records(Statistic, None, "statistics/statistic*")
    consoles = inline_records(GraphicsConsole, None, "graphics_consoles/graphics_console*")
    placement_hosts = refs(
        "placement_policy/host*",
        "placement_policy/hosts/host*",
        later=((3, 6), "placement_policy/hosts/host*"),  # V3VmPlacementPolicyInAdapter: `host` only where there is none
        same=_same_hosts,
    )
    affinity = text("placement_policy/affinity")
    fqdn = text("guest_info/fqdn", "fqdn", since=(3, 3))
    guest_ips = words("guest_info/ips/ip*@address", None)
    guest_os = text("guest_operating_system/distribution", since=(3, 6))
    guest_os_version = release("guest_operating_system/version", since=(3, 6))
    next_run = flag("next_run_configuration_exists", since=(3, 5))
    numa_tune_mode = text("numa_tune_mode", since=(3, 5), same=_same_word)
    bios_type = text(None, "bios/type", since=(4, 3), same=_same_word)
    tpm = flag(None, "tpm_enabled", since=(4, 5))


class OperatingSystem(Noun, tag="operating_system", plural4="operation_systems", path="operatingsystems", top=True):
    """A guest's operating system, by the word that the engine has for it; since 3.4."""


class Template(Noun, tag="template", path="templates", searchable=True, top=True):
    """A template.

    Attributes:
        status: ok, locked, illegal.
        vm: What it is made of, at creation.
        version_number, version_name, base_template: Since 3.4.
    """

    type = text("type")
    status = text("status/state", "status")
    memory = whole("memory")
    sockets = whole("cpu/topology@sockets", "cpu/topology/sockets")
    cores = whole("cpu/topology@cores", "cpu/topology/cores")
    threads = whole("cpu/topology@threads", "cpu/topology/threads", since=(3, 2))
    os_type = text("os@type", "os/type")
    boot = words("os/boot*@dev", "os/boot/devices/device*")
    cluster = ref("cluster")
    storage_domain = ref("storage_domain")
    creation_time = text("creation_time")
    origin = text("origin")
    stateless = flag("stateless")
    ha = flag("high_availability/enabled")
    ha_priority = whole("high_availability/priority")
    display_type = text("display/type")
    monitors = whole("display/monitors")
    vm = ref("vm")
    version_number = whole("version/version_number", since=(3, 4))
    version_name = text("version/version_name", since=(3, 4))
    base_template = ref("version/base_template", since=(3, 4))
