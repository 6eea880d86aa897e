"""How machines and templates are written, and what a new one has."""

from __future__ import annotations

from typing import Any

from ..call import SHAPES, Call
from ..dialect import Shape, Thing, named, ref, v3only, v4only
from ..world import MIB, ZERO, World

_BOOT = {"words": "hd cdrom network"}

NIC_CONFIGURATION = (
    named("name"),
    named("ip_address", v3="ip@address", v4="ip/address"),
    named("ip_netmask", v3="ip@netmask", v4="ip/netmask"),
    named("ip_gateway", v3="ip@gateway", v4="ip/gateway"),
    v4only("ip_version", path="ip/version"),
    named("boot_protocol"),
    named("on_boot", "bool"),
)


def init(key: str, kind: str = "text", **more: Any) -> Any:
    """Declare a field of a machine's first start."""
    return named(f"init_{key}", kind, f"initialization/{key}", f"initialization/{key}", since3=(3, 4), **more)


#: What VMs and templates share, in the order of the v3 schema (3.6).
MACHINE = (
    named("type", words="server desktop high_performance"),
    named("status", v3="status/state", fixed=True), named("status_detail", v3="status/detail", fixed=True),
    named("memory", "int"),
    named("sockets", "int", "cpu/topology@sockets", "cpu/topology/sockets"),
    named("cores", "int", "cpu/topology@cores", "cpu/topology/cores"),
    named("threads", "int", "cpu/topology@threads", "cpu/topology/threads", since3=(3, 6)),
    named("cpu_architecture", v3="cpu/architecture", v4="cpu/architecture", since3=(3, 6)),
    v4only("cpu_mode", path="cpu/mode"), v4only("bios_type", path="bios/type"),
    named("cpu_shares", "int", since3=(3, 3)),
    named("os_type", v3="os@type", v4="os/type"),
    named("boot", v3="os/boot[]@dev", v4="os/boot/devices/device[]", **_BOOT),
    named("kernel", v3="os/kernel", v4="os/kernel"), named("initrd", v3="os/initrd", v4="os/initrd"),
    named("cmdline", v3="os/cmdline", v4="os/cmdline"), v4only("custom_kernel_cmdline"),
    ref("cluster"), ref("storage_domain"),
    named("creation_time", "date", fixed=True), named("origin", fixed=True), named("stateless", "bool"),
    named("delete_protected", "bool", since3=(3, 2)),
    named("ha_enabled", "bool", "high_availability/enabled", "high_availability/enabled"),
    named("ha_priority", "int", "high_availability/priority", "high_availability/priority"),
    named("display_type", v3="display/type", v4="display/type", words="vnc spice"),
    named("display_address", v3="display/address", v4="display/address", fixed=True),
    named("display_port", "int", "display/port", "display/port", fixed=True),
    named("display_secure_port", "int", "display/secure_port", "display/secure_port", fixed=True),
    named("monitors", "int", "display/monitors", "display/monitors"),
    named("console_enabled", "bool", "console@enabled", "console/enabled", since3=(3, 4)),
    named("timezone", v3="timezone", v4="time_zone/name"),
    named("usb_enabled", "bool", "usb/enabled", "usb/enabled"),
    named("soundcard_enabled", "bool", since3=(3, 6)),
    named("virtio_scsi", "bool", "virtio_scsi@enabled", "virtio_scsi/enabled", since3=(3, 4)),
    named("io_threads", "int", "io/threads", "io/threads", since3=(3, 6)),
    named(
        "custom_properties", v3="custom_properties/custom_property[]", v4="custom_properties/custom_property[]",
        item=(named("name", v3="@name", v4="name"), named("value", v3="@value", v4="value")),
    ),
    named("memory_guaranteed", "int", "memory_policy/guaranteed", "memory_policy/guaranteed"),
    v4only("memory_max", "int", "memory_policy/max"),
    ref("lease", "storage_domain", v3="", v4="lease/storage_domain", since4=(4, 1)),
    named("ballooning", "bool", "memory_policy/ballooning", "memory_policy/ballooning", since3=(3, 6)),
)
VM = Shape(
    "vm",
    "vm",
    "vms",
    "/vms/{vm}",
    (
        *MACHINE,
        named("stop_reason", since3=(3, 6), fixed=True),
        ref("host", fixed=True),
        ref("template"),
        v4only("instance_type"),
        named("start_time", "date", fixed=True),
        named("stop_time", "date", since3=(3, 6), fixed=True),
        named("run_once", "bool", since3=(3, 5), fixed=True),
        v3only("clone_disks", "bool", "disks/clone"),
        init("host_name"),
        init("domain"),
        init("timezone"),
        init("authorized_ssh_keys"),
        init("regenerate_ssh_keys", "bool"),
        init("dns_servers"),
        init("dns_search"),
        named(
            "init_nics",
            v3="initialization/nic_configurations/nic_configuration[]",
            v4="initialization/nic_configurations/nic_configuration[]",
            since3=(3, 4),
            item=NIC_CONFIGURATION,
        ),
        init("root_password", "secret"),
        init("custom_script"),
        init("user_name"),
        ref("pinned", "host", "placement_policy/host[]", "placement_policy/hosts/host[]"),
        named(
            "affinity",
            v3="placement_policy/affinity",
            v4="placement_policy/affinity",
            words="migratable user_migratable pinned",
        ),
        named("guest_ips", v3="guest_info/ips/ip[]@address", v4="", fixed=True),
        named("fqdn", v3="guest_info/fqdn", v4="fqdn", since3=(3, 6), fixed=True),
        named(
            "next_run_exists",
            "bool",
            "next_run_configuration_exists",
            "next_run_configuration_exists",
            since3=(3, 5),
            fixed=True,
        ),
        v4only(
            "template_disks",
            path="disk_attachments/disk_attachment[]",
            item=(
                ref("disk"),
                named("bootable", "bool"),
                named("interface"),
                named("active", "bool"),
            ),
        ),
        v4only("cdrom_file", path="cdroms/cdrom/file@id"),
        v3only("cdrom_file", path="cdroms/cdrom/file@id"),
    ),
    order30="type status memory cpu os high_availability display host cluster template storage_domain start_time "
    "creation_time origin stateless timezone domain custom_properties statistics disks nics tags placement_policy "
    "memory_policy guest_info usb vmpool cdroms",
    order36="type status memory cpu cpu_shares bios os cluster storage_domain creation_time origin stateless "
    "delete_protected high_availability display console timezone usb soundcard_enabled virtio_scsi io "
    "custom_properties memory_policy stop_reason host template start_time stop_time run_once statistics disks "
    "initialization nics tags placement_policy guest_info cdroms next_run_configuration_exists",
    view=lambda world, thing, call: shown(thing, call),
    cached=True,
)
SHAPES["vm"] = VM

#: What a new machine has if neither the body nor its template says otherwise.
BLANK: Thing = {
    "type": "server",
    "memory": 512 * MIB,
    "sockets": 1,
    "cores": 1,
    "threads": 1,
    "boot": ["hd"],
    "os_type": "unassigned",
    "stateless": False,
    "delete_protected": False,
    "ha_enabled": False,
    "ha_priority": 1,
    "display_type": "vnc",
    "monitors": 1,
    "affinity": "migratable",
    "memory_guaranteed": 512 * MIB,
    "usb_enabled": False,
    "origin": "rhev",
    "cpu_architecture": "x86_64",
    "ballooning": True,
    "next_run_exists": False,
    "run_once": False,
    "custom_properties": [],
}


def shown(thing: Thing, call: Call) -> Thing:
    """Show a machine: this run's boot order while it runs (3.6 and later), the stored one with `next_run`."""
    view = dict(thing)
    if thing["status"] == "image_illegal":
        view["status"] = None
    view["console_enabled"] = bool(thing.get("console_enabled")) if call.everything else None
    if call.dialect.number == 3:
        view["pinned"] = thing.get("pinned", [])[:1]
    if call.flag("next_run") and call.dialect.knows((3, 5)):
        later = thing.get("next_run", {})
        return {**view, **{key: value for key, value in later.items() if key != "console_enabled" or call.everything}}
    if call.dialect.knows((3, 6)):
        view.update(thing.get("run", {}))
    return view


def blank(world: World) -> Thing:
    """Make the template that always is."""
    return world.add("template", **BLANK, id=ZERO, name="Blank", description="Blank template", status="ok",
                     creation_time=1199145600.0, version_number=1, version_name="base version")
