"""How a host is written, and what a made-up one is made of."""

from __future__ import annotations

from dataclasses import replace

from ..call import SHAPES, ApiCall
from ..dialect import (
    COMMENT,
    CREATION,
    DESCRIPTION,
    MODERN,
    NAME,
    SimDialect,
    SimShape,
    Thing,
    ref,
    sim_field,
    v3only,
    v4only,
)
from ..usual import usual, usual3
from ..world import World

HOST = SimShape(
    "host",
    "host",
    "hosts",
    "/hosts/{host}",
    (
        sim_field("address"),
        sim_field("status", v3="status/state", fixed=True),
        sim_field("status_detail", v3="status/detail", fixed=True),
        sim_field("external_status", v3="external_status/state", v4="external_status", since3=(3, 6)),
        ref("cluster"),
        sim_field("port", "int"),
        sim_field("type", fixed=True),
        v3only("spm_priority", "int", "storage_manager@priority"),
        v3only("spm", "bool", "storage_manager", fixed=True),
        sim_field("spm_priority", "int", "spm/priority", "spm/priority", since3=(3, 5)),
        sim_field("spm_status", v3="spm/status/state", v4="spm/status", since3=(3, 5), fixed=True),
        sim_field("vdsm_major", "int", "version@major", "version/major", fixed=True),
        sim_field("vdsm_minor", "int", "version@minor", "version/minor", fixed=True),
        sim_field(
            "hw_manufacturer",
            v3="hardware_information/manufacturer",
            v4="hardware_information/manufacturer",
            since3=(3, 2),
            fixed=True,
        ),
        sim_field(
            "hw_version",
            v3="hardware_information/version",
            v4="hardware_information/version",
            since3=(3, 2),
            fixed=True,
        ),
        sim_field(
            "hw_serial",
            v3="hardware_information/serial_number",
            v4="hardware_information/serial_number",
            since3=(3, 2),
            fixed=True,
        ),
        sim_field(
            "hw_product",
            v3="hardware_information/product_name",
            v4="hardware_information/product_name",
            since3=(3, 2),
            fixed=True,
        ),
        sim_field("hw_uuid", v3="hardware_information/uuid", v4="hardware_information/uuid", since3=(3, 2), fixed=True),
        sim_field(
            "hw_family", v3="hardware_information/family", v4="hardware_information/family", since3=(3, 2), fixed=True
        ),
        v3only("pm_type", path="power_management@type"),
        sim_field("pm_enabled", "bool", "power_management/enabled", "power_management/enabled"),
        v3only("pm_address", path="power_management/address"),
        v3only("pm_username", path="power_management/username"),
        v3only("pm_password", "secret", "power_management/password"),
        v3only(
            "pm_options",
            path="power_management/options/option[]",
            item=(
                v3only("name", path="@name"),
                v3only("value", path="@value"),
            ),
        ),
        sim_field("ksm", "bool", "ksm/enabled", "ksm/enabled", fixed=True),
        sim_field("hugepages", "bool", "transparent_hugepages/enabled", "transparent_hugepages/enabled", fixed=True),
        sim_field("initiator", v3="iscsi/initiator", v4="iscsi/initiator", fixed=True),
        sim_field("root_password", "secret"),
        sim_field("ssh_port", "int", "ssh/port", "ssh/port", since3=(3, 3)),
        sim_field("ssh_fingerprint", v3="ssh/fingerprint", v4="ssh/fingerprint", since3=(3, 3)),
        sim_field(
            "ssh_method",
            v3="ssh/authentication_method",
            v4="ssh/authentication_method",
            since3=(3, 3),
            words="password publickey",
        ),
        sim_field("ssh_user", v3="ssh/user/user_name", v4="ssh/user/user_name", since3=(3, 3)),
        sim_field("ssh_password", "secret", "ssh/user/password", "ssh/user/password", since3=(3, 3)),
        sim_field("sockets", "int", "cpu/topology@sockets", "cpu/topology/sockets", fixed=True),
        sim_field("cores", "int", "cpu/topology@cores", "cpu/topology/cores", fixed=True),
        sim_field("threads", "int", "cpu/topology@threads", "cpu/topology/threads", since3=(3, 2), fixed=True),
        sim_field("cpu_name", v3="cpu/name", v4="cpu/name", fixed=True),
        sim_field("cpu_speed", "int", "cpu/speed", "cpu/speed", fixed=True),
        v4only("cpu_type", path="cpu/type", fixed=True),
        sim_field("memory", "int", fixed=True),
        sim_field("max_scheduling_memory", "int", since3=(3, 1), fixed=True),
        sim_field("vms_active", "int", "summary/active", "summary/active", fixed=True),
        sim_field("vms_migrating", "int", "summary/migrating", "summary/migrating", fixed=True),
        sim_field("vms_total", "int", "summary/total", "summary/total", fixed=True),
        sim_field("override_iptables", "bool"),
        sim_field("protocol", since3=(3, 5), fixed=True),
        v3only("reboot_after_installation", "bool", since3=(3, 3)),
        sim_field("os_type", v3="os@type", v4="os/type", since3=(3, 2), fixed=True),
        sim_field("os_full", v3="os/version@full_version", v4="os/version/full_version", since3=(3, 2), fixed=True),
        sim_field(
            "libvirt_version",
            v3="libvirt_version@full_version",
            v4="libvirt_version/full_version",
            since3=(3, 2),
            fixed=True,
        ),
        sim_field("kdump_status", since3=(3, 5), fixed=True),
        sim_field("selinux", v3="selinux/mode", v4="se_linux/mode", since3=(3, 4), fixed=True),
        sim_field("update_available", "bool", since3=(3, 6), fixed=True),
        *(
            sim_field(key, v3=f"certificate/{part}", v4=f"certificate/{part}", behind=MODERN, fixed=True)
            for key, part in (("organization", "organization"), ("certified", "subject"))
        ),
        *usual(
            """auto_numa_status=disable device_passthrough/enabled=false numa_supported=false
            power_management/automatic_pm_enabled=true power_management/kdump_detection=true
            power_management/pm_proxies=""",
            v3=True,
        ),
        *usual3(
            """hardware_information/supported_rng_sources/source=random live_snapshot_support=true os/version@major=9
            libvirt_version@build=0 libvirt_version@major=10 libvirt_version@minor=5 libvirt_version@revision=0
            version@build=5 version@revision=1 version@full_version=vdsm-4.50.5.1-1.el9"""
        ),
        *usual(
            """os/custom_kernel_cmdline= os/description=Linux
            hardware_information/supported_rng_sources/supported_rng_source=random
            libvirt_version/build=0 libvirt_version/major=10 libvirt_version/minor=5 libvirt_version/revision=0
            version/build=5 version/revision=1 version/full_version=vdsm-4.50.5.1-1.el9"""
        ),
        *usual("os/reported_kernel_cmdline=ro os/version/major=9", (4, 2)),
        *usual(
            "ovn_configured=false reinstallation_required=false vgpu_placement=consolidated",
            (4, 3),
        ),
        *usual("network_operation_in_progress=false", (4, 2), full=True),
    ),
    order30="address status cluster port type storage_manager version power_management ksm transparent_hugepages iscsi "
    "root_password statistics cpu memory summary override_iptables",
    order36="address status external_status cluster port type storage_manager spm version hardware_information "
    "power_management ksm transparent_hugepages iscsi root_password ssh statistics cpu memory max_scheduling_memory "
    "summary override_iptables protocol reboot_after_installation os libvirt_version kdump_status "
    "selinux update_available",
    view=lambda world, thing, call: show(world, thing, call),
    basics=(NAME, DESCRIPTION, replace(COMMENT, usual=""), CREATION),
)
SHAPES["host"] = HOST


def show(world: World, thing: Thing, call: ApiCall) -> Thing:
    """Show a host with the machines it runs, and its first fence agent where v3 has it inside."""
    vms = world.of("vm", "host", thing["id"])
    spm = bool(thing.get("spm")) and thing["status"] == "up"
    view = {
        **thing,
        "vms_total": len(vms),
        "vms_active": sum(vm["status"] in {"up", "powering_up"} for vm in vms),
        "vms_migrating": sum(vm["status"] == "migrating" for vm in vms),
        "spm": spm,
        "spm_status": "spm" if spm else "none",
        "type": _type(thing.get("type"), call),
        "update_available": update_known(thing, call.dialect),
        "description": thing.get("description") or None,
        "organization": "Example",
        "certified": f"O=Example,CN={thing['address']}",
    }
    agents = world.of("agent", "host", thing["id"])
    if agents and call.dialect.number == 3:
        agent = agents[0]
        view.update(
            pm_type=agent["type"],
            pm_address=agent["address"],
            pm_username=agent["username"],
            pm_options=agent["options"],
        )
    return view


#: From this version on somebody has to ask for updates; before it the engine shows what it finds by itself.
CHECKED_BY_HAND = (4, 1)


def update_known(host: Thing, dialect: SimDialect) -> bool:
    """Whether the engine knows of an update for a host."""
    by_itself = bool(host.get("updates")) and dialect.version < CHECKED_BY_HAND
    return by_itself or bool(host.get("update_available"))


def _type(word: str | None, call: ApiCall) -> str | None:
    return word.replace("_", "-") if word and call.dialect.number == 3 and word.startswith("rhev") else word


def hardware(name: str, number: int) -> Thing:
    """Make up the hardware of a host.

    Args:
        name: Its name, from which its iSCSI initiator is made.
        number: Differs for each host; serial number and UUID come from it.
    """
    return {
        "port": 54321,
        "type": "rhev_h",
        "spm_priority": 5,
        "spm": False,
        "vdsm_major": 4,
        "vdsm_minor": 50,
        "hw_manufacturer": "Example Systems",
        "hw_product": "Rack 2",
        "hw_version": "1.0",
        "hw_serial": f"EX{number:06d}",
        "hw_uuid": f"4c4c4544-0000-1000-8000-{number:012x}",
        "hw_family": "Rack",
        "pm_enabled": False,
        "ksm": False,
        "hugepages": True,
        "initiator": f"iqn.1994-05.com.redhat:{name}",
        "ssh_port": 22,
        "sockets": 2,
        "cores": 16,
        "threads": 2,
        "cpu_name": "Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz",
        "cpu_speed": 2100,
        "memory": 256 << 30,
        "cpu_type": "Intel Nehalem Family",
        "max_scheduling_memory": 250 << 30,
        "os_type": "RHEL",
        "os_full": "7.9 - 1",
        "libvirt_version": "libvirt-4.5.0-36",
        "kdump_status": "disabled",
        "selinux": "enforcing",
        "protocol": "stomp",
        "update_available": False,
        "updates": True,
        "external_status": "ok",
    }
