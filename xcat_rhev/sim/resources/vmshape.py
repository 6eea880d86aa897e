"""How machines and templates are written, and what a new one has."""

from __future__ import annotations

import uuid
from typing import Any

from ..call import SHAPES, ApiCall
from ..dialect import MODERN, SAID, SimDialect, SimShape, Thing, ref, sim_field, v3only, v4only
from ..systems import kept_as
from ..usual import usual, usual3
from ..world import MIB, ZERO, World
from .numa import mode_of
from .running import next_view

_BOOT = {"words": "hd cdrom network"}

NIC_CONFIGURATION = (
    sim_field("name"),
    sim_field("ip_address", v3="ip@address", v4="ip/address"),
    sim_field("ip_netmask", v3="ip@netmask", v4="ip/netmask"),
    sim_field("ip_gateway", v3="ip@gateway", v4="ip/gateway"),
    v4only("ip_version", path="ip/version"),
    v4only("ipv6"),
    v4only("ipv6_boot_protocol"),
    sim_field("boot_protocol"),
    sim_field("on_boot", "bool"),
)


def init(key: str, kind: str = "text", **more: Any) -> Any:
    """Declare a field of a machine's first start."""
    return sim_field(f"init_{key}", kind, f"initialization/{key}", f"initialization/{key}", since3=(3, 4), **more)


#: What VMs and templates share, in the order of the v3 schema (3.6).
MACHINE = (
    sim_field("type", words="server desktop high_performance@4.2"),
    sim_field("status", v3="status/state", fixed=True),
    sim_field("status_detail", v3="status/detail", fixed=True),
    sim_field("memory", "int"),
    sim_field("sockets", "int", "cpu/topology@sockets", "cpu/topology/sockets"),
    sim_field("cores", "int", "cpu/topology@cores", "cpu/topology/cores"),
    sim_field("threads", "int", "cpu/topology@threads", "cpu/topology/threads", since3=(3, 6)),
    sim_field(
        "vcpu_pins",
        v3="cpu/cpu_tune/vcpu_pin[]",
        v4="cpu/cpu_tune/vcpu_pins/vcpu_pin[]",
        since3=(3, 1),
        item=(sim_field("vcpu", "int", v3="@vcpu", v4="vcpu"), sim_field("cpu_set", v3="@cpu_set", v4="cpu_set")),
    ),
    sim_field("cpu_mode", v3="cpu/mode", v4="cpu/mode", since3=(3, 2)),
    sim_field("cpu_architecture", v3="cpu/architecture", v4="cpu/architecture", since3=(3, 6)),
    v4only("bios_type", path="bios/type", since4=(4, 3)),
    v4only("compat_major", "int", "custom_compatibility_version/major"),
    v4only("compat_minor", "int", "custom_compatibility_version/minor"),
    v4only("cpu_model", path="custom_cpu_model"),
    v4only("machine_type", path="custom_emulated_machine"),
    v3only("cpu_shares", "int", since3=(3, 3)),
    sim_field("os_type", v3="os@type", v4="os/type"),
    sim_field("boot", v3="os/boot[]@dev", v4="os/boot/devices/device[]", **_BOOT),
    sim_field("kernel", v3="os/kernel", v4="os/kernel"),
    sim_field("initrd", v3="os/initrd", v4="os/initrd"),
    sim_field("cmdline", v3="os/cmdline", v4="os/cmdline"),
    v4only("custom_kernel_cmdline"),
    ref("cluster"),
    ref("storage_domain"),
    sim_field("creation_time", "date", fixed=True),
    sim_field("origin", fixed=True),
    sim_field("stateless", "bool"),
    sim_field("delete_protected", "bool", since3=(3, 2)),
    sim_field("ha_enabled", "bool", "high_availability/enabled", "high_availability/enabled"),
    sim_field("ha_priority", "int", "high_availability/priority", "high_availability/priority"),
    sim_field("display_type", v3="display/type", v4="display/type", words="vnc spice"),
    sim_field("display_address", v3="display/address", v4="display/address", fixed=True),
    sim_field("display_port", "int", "display/port", "display/port", fixed=True),
    sim_field("display_secure_port", "int", "display/secure_port", "display/secure_port", fixed=True),
    sim_field("monitors", "int", "display/monitors", "display/monitors"),
    sim_field("console_enabled", "bool", "console@enabled", "console/enabled", since3=(3, 4)),
    v3only("timezone"),
    sim_field("usb_enabled", "bool", "usb/enabled", "usb/enabled"),
    v3only("soundcard_enabled", "bool", since3=(3, 6)),
    v3only("virtio_scsi", "bool", "virtio_scsi@enabled", since3=(3, 4)),
    v3only("io_threads", "int", "io/threads", since3=(3, 6)),
    sim_field(
        "custom_properties",
        v3="custom_properties/custom_property[]",
        v4="custom_properties/custom_property[]",
        item=(sim_field("name", v3="@name", v4="name"), sim_field("value", v3="@value", v4="value")),
    ),
    sim_field("memory_guaranteed", "int", "memory_policy/guaranteed", "memory_policy/guaranteed"),
    v4only("memory_max", "int", "memory_policy/max"),
    ref("lease", "storage_domain", v3="", v4="lease/storage_domain", since4=(4, 1)),
    sim_field("ballooning", "bool", "memory_policy/ballooning", "memory_policy/ballooning", since3=(3, 6)),
    *usual(
        """bios/boot_menu/enabled=false display/allow_override=false display/copy_paste_enabled=true
        display/disconnect_action=LOCK_SCREEN display/file_transfer_enabled=true display/smartcard_enabled=false
        migration/auto_converge=inherit migration/compressed=inherit migration_downtime=-1 start_paused=false
        cpu_shares=0 sso/methods/method@id=guest_agent""",
        v3=True,
    ),
    *usual("multi_queues_enabled=true storage_error_resume_behaviour=auto_resume"),
    *usual("display/single_qxl_pci=false", until=(4, 4), v3=True),
    *usual3("virtio_scsi@enabled=true", full=True),
    *usual("migration/encrypted=inherit", (4, 4)),
    *usual(
        """auto_pinning_policy=disabled cpu_pinning_policy=none display/disconnect_action_delay=0
        display/video_type=vga migration/parallel_migrations_policy=inherit virtio_scsi_multi_queues_enabled=false""",
        (4, 5),
    ),
    *usual("rng_device/source=urandom soundcard_enabled=false", full=True, v3=True),
    *usual("virtio_scsi/enabled=true", full=True),
    v4only("tpm", "bool", "tpm_enabled", since4=(4, 5), usual=False, full=True),
    sim_field("io_threads", "int", "io/threads", "io/threads", behind=MODERN, usual=1),
    sim_field("timezone", v3="time_zone/name", v4="time_zone/name", behind=MODERN),
    ref("large_icon", "icon", behind=MODERN),
    ref("small_icon", "icon", behind=MODERN),
)
#: The pictures that every machine has.
LARGE_ICON, SMALL_ICON = "6c1ed2c2-0000-4000-8000-00000000001a", "6c1ed2c2-0000-4000-8000-00000000001b"
#: What a guest says of itself.
_GUEST = {
    f"guest_{path}": value
    for path, value in (
        ("operating_system/architecture", "x86_64"),
        ("operating_system/codename", "Plow"),
        ("operating_system/distribution", "CentOS Stream"),
        ("operating_system/family", "Linux"),
        ("operating_system/kernel/version/build", "0"),
        ("operating_system/kernel/version/full_version", "5.14.0-503.el9.x86_64"),
        ("operating_system/kernel/version/major", "5"),
        ("operating_system/kernel/version/minor", "14"),
        ("operating_system/kernel/version/revision", "503"),
        ("operating_system/version/full_version", "9"),
        ("operating_system/version/major", "9"),
        ("time_zone/name", "UTC"),
        ("time_zone/utc_offset", "+00:00"),
    )
}
VM = SimShape(
    "vm",
    "vm",
    "vms",
    "/vms/{vm}",
    (
        *MACHINE,
        sim_field("stop_reason", since3=(3, 6), since4=(4, 3), fixed=True),
        ref("host", fixed=True),
        ref("template"),
        v4only("instance_type"),
        ref("cpu_profile", behind=MODERN),
        ref("original_template", "template", v3=""),
        sim_field("quota", v3="quota@id", v4="quota@id", behind=MODERN),
        v4only("certificate", path="display/certificate/content", since4=(4, 3)),
        v4only("organization", path="display/certificate/organization", since4=(4, 3)),
        sim_field("certified", v3="display/certificate/subject", v4="display/certificate/subject", behind=MODERN),
        *(v4only(path, path=path) for path in _GUEST),
        v4only("use_latest_template_version", "bool"),
        *usual("initialization/configuration/data=OVF initialization/configuration/type=ovf", full=True, v3=True),
        *usual3("numa_tune_mode=interleave"),
        sim_field("start_time", "date", fixed=True),
        sim_field("stop_time", "date", since3=(3, 6), fixed=True),
        sim_field("run_once", "bool", since3=(3, 5), fixed=True),
        v3only("clone_disks", "bool", "disks/clone"),
        init("host_name"),
        init("domain"),
        init("timezone"),
        init("authorized_ssh_keys"),
        init("regenerate_ssh_keys", "bool"),
        init("dns_servers"),
        init("dns_search"),
        sim_field(
            "init_nics",
            v3="initialization/nic_configurations/nic_configuration[]",
            v4="initialization/nic_configurations/nic_configuration[]",
            since3=(3, 4),
            item=NIC_CONFIGURATION,
        ),
        init("root_password", "secret"),
        v4only("hidden", path="initialization/root_password", fixed=True),
        init("custom_script"),
        init("user_name"),
        ref("pinned", "host", "placement_policy/host[]", "", until3=(3, 6)),
        ref("pinned", "host", "placement_policy/hosts/host[]", "placement_policy/hosts/host[]", since3=(3, 6)),
        ref("pinned_alone", "host", "placement_policy/host", "", since3=(3, 6)),
        sim_field(
            "affinity",
            v3="placement_policy/affinity",
            v4="placement_policy/affinity",
            words="migratable user_migratable pinned",
        ),
        sim_field("guest_ips", v3="guest_info/ips/ip[]@address", v4="", fixed=True),
        sim_field("fqdn", v3="guest_info/fqdn", v4="fqdn", since3=(3, 6), fixed=True),
        sim_field(
            "next_run_exists",
            "bool",
            "next_run_configuration_exists",
            "next_run_configuration_exists",
            since3=(3, 5),
            fixed=True,
        ),
        sim_field("numa_tune_mode", since3=(3, 5), words="strict interleave preferred"),
        v4only(
            "template_disks",
            path="disk_attachments/disk_attachment[]",
            item=(
                sim_field("disk", v3="", v4="disk@id"),
                sim_field("name", v3="", v4="disk/name"),
                sim_field("alias", v3="", v4="disk/alias"),
                sim_field("format", v3="", v4="disk/format"),
                sim_field("sparse", "bool", v3="", v4="disk/sparse"),
                ref("domains", "storage_domain", v3="", v4="disk/storage_domains/storage_domain[]"),
                sim_field("bootable", "bool"),
                sim_field("interface"),
                sim_field("active", "bool"),
            ),
        ),
        v3only(
            "template_disks",
            path="disks/disk[]",
            since3=(3, 1),
            item=(
                sim_field("disk", v3="@id"),
                sim_field("alias", v3="alias"),
                ref("domains", "storage_domain", v3="storage_domains/storage_domain[]"),
                sim_field("format", v3="format"),
                sim_field("sparse", "bool", v3="sparse"),
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
    "initialization nics tags placement_policy guest_info cdroms next_run_configuration_exists "
    "numa_tune_mode",
    view=lambda world, thing, call: show(thing, call),
    cached=True,
    basics=SAID,
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
    "memory_max": 2048 * MIB,
    "usb_enabled": False,
    "origin": "rhev",
    "cpu_architecture": "x86_64",
    "ballooning": True,
    "next_run_exists": False,
    "run_once": False,
    "custom_properties": [],
}


def hosts_told(values: Thing) -> None:
    """Take the one host that v3 may still name by itself for the list, where there is none."""
    alone = values.pop("pinned_alone", None)
    if alone:
        values.setdefault("pinned", [alone])


def show(thing: Thing, call: ApiCall) -> Thing:
    """Show a machine: this run's boot order while it runs (3.6 and later), the stored one with `next_run`."""
    view = dict(thing)
    if thing["status"] == "image_illegal":
        view["status"] = None
    if thing.get("os_type"):
        view["os_type"] = kept_as(thing["os_type"], call.dialect)
    told = call.body is not None and call.body.tag == "vm" and call.dialect.modern
    view["console_enabled"] = bool(thing.get("console_enabled")) if call.everything or told else None
    if call.dialect.modern:
        view.update(_always(thing))
    if MODERN <= call.dialect.behind < (4, 3) and call.body is None and "vm" not in call.things and not call.everything:
        view["ballooning"] = None  # lists leave it out
    hosts = thing.get("pinned", [])
    if not call.dialect.knows((3, 6)):
        view["pinned"] = hosts[:1]
    view["numa_tune_mode"] = mode_of(call, thing)
    view["pinned_alone"] = hosts[0] if len(hosts) == 1 else None
    if call.flag("next_run") and call.dialect.knows((3, 5)):
        return {**view, **next_view(thing, call)}
    if call.dialect.knows((3, 6)):
        view.update(thing.get("run", {}))
    return view


def _always(thing: Thing) -> Thing:
    """Give what engines of 4.x say of every machine: what it is made from, its profile and quota, when it stopped."""
    off = thing["status"] in {"down", "suspended", "image_locked"}
    stopped = thing.get("stop_time") or thing.get("creation_time")
    return {
        "original_template": thing.get("original") or thing.get("template"),
        "cpu_profile": derive_id("cpu profile", thing.get("cluster")),
        "quota": derive_id("quota", thing.get("cluster")),
        "timezone": thing.get("timezone") or "Etc/GMT",
        "large_icon": LARGE_ICON,
        "small_icon": SMALL_ICON,
        **_first_start(thing),
        "use_latest_template_version": False if thing.get("stateless") else None,
        "bios_type": thing.get("bios_type") or "q35_sea_bios",
        "stop_time": stopped,
        "start_time": None if off else thing.get("start_time"),
        "certificate": None if off else "PEM",
        "organization": None if off else "Example",
        "certified": None if off else f"O=Example,CN={thing.get('display_address')}",
        **(_GUEST if thing.get("fqdn") else {}),
        "run_once": None if off else bool(thing.get("run_once")),
    }


def _first_start(thing: Thing) -> Thing:
    """Give what engines of 4.x add where anything is said of a machine's first start."""
    if not any(key.startswith("init_") and value for key, value in thing.items()):
        return {}
    nics = [{"ipv6": "", "ipv6_boot_protocol": "none", **nic} for nic in thing.get("init_nics") or ()]
    return {
        "init_regenerate_ssh_keys": bool(thing.get("init_regenerate_ssh_keys")),
        "init_nics": nics,
        "hidden": "******",
    }


def derive_id(what: str, of: str | None) -> str | None:
    """Give the id of something that comes with another thing."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {of}")) if of else None


#: What Blank of 4.x has otherwise.
_BLANK_4: Thing = {
    "memory": 1024 * MIB,
    "memory_guaranteed": 1024 * MIB,
    "memory_max": 4096 * MIB,
    "ha_priority": 0,
}


#: And what that of 4.0 to 4.2 has besides.
_BLANK_42: Thing = {"type": "desktop", "os_type": "other", "display_type": "spice"}


def blank(world: World, dialect: SimDialect) -> Thing:
    """Make the template that always is."""
    old = _BLANK_42 if MODERN <= dialect.behind < (4, 3) else {}
    return world.add(
        "template",
        **{**BLANK, **(_BLANK_4 if dialect.modern else {}), **old},
        id=ZERO,
        name="Blank",
        description="Blank template",
        status="ok",
        creation_time=1199145600.0,
        version_number=0,
        version_name="",
    )
