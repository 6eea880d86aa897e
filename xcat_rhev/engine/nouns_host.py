"""Hosts, their NICs, networks and fence agents."""

from __future__ import annotations

from .fields import Record, decimal, flag, inlined, options, part, parts, ref, refs, secret, text, version, whole
from .nouns_base import Noun
from .nouns_environment import LogicalUnit


class Bonding(Record):
    """How several NICs act as one.

    Attributes:
        options: As `mode`: `4`.
        slaves: Their names, or ids in answers.
    """

    options = options("options")
    slaves = refs("slaves/host_nic*")


class HostNic(Noun):
    """A NIC of a host, real, VLAN or bond.

    Attributes:
        network: The logical network on it.
        speed: bit/s.
        boot_protocol: dhcp, static, none.
        base_interface: The NIC below a VLAN.
    """

    TAG, PATH = "host_nic", "nics"

    network = ref("network")
    mac = text("mac@address", "mac/address")
    ip = text("ip@address", "ip/address")
    netmask = text("ip@netmask", "ip/netmask")
    gateway = text("ip@gateway", "ip/gateway")
    base_interface = text("base_interface", since=(3, 6))
    vlan = whole("vlan@id", "vlan@id")
    bonding = part(Bonding, "bonding")
    boot_protocol = text("boot_protocol")
    check_connectivity = flag("check_connectivity")
    speed = whole("speed")
    status = text("status/state", "status")
    mtu = whole("mtu", since=(3, 1))

    @property
    def slaves(self) -> tuple[str, ...]:
        """Names of the NICs in a bond, or their ids where the engine gave no names."""
        return tuple(slave.name or slave.id for slave in self.bonding.slaves) if self.bonding else ()

    @property
    def bond_options(self) -> dict[str, str]:
        """A bond's options."""
        return dict(self.bonding.options or {}) if self.bonding else {}


class IpAssignment(Record):
    """How a host gets an address on a network."""

    ip = text("ip@address", "ip/address")
    netmask = text("ip@netmask", "ip/netmask")
    gateway = text("ip@gateway", "ip/gateway")
    ip_version = text("ip@version", "ip/version")
    boot_protocol = text("assignment_method")


class NetworkAttachment(Noun):
    """A logical network on a host's NIC; since 3.6. The facade makes the same shape of a NIC for older engines.

    Attributes:
        boot_protocol, ip, netmask, gateway: Of its IPv4 assignment.
        in_sync: False when the host differs from what the network wants.
    """

    TAG, PATH, NAMED = "network_attachment", "networkattachments", False

    network = ref("network")
    host_nic = ref("host_nic")
    assignments = parts(IpAssignment, "ip_address_assignments/ip_address_assignment*")
    in_sync = flag(None, "in_sync")
    host = ref("host")

    @classmethod
    def on(cls, network: object, host_nic: object, boot_protocol: str = "", ip: str = "", netmask: str = "",
           gateway: str = "", id: str = "") -> NetworkAttachment:
        """Describe a wanted attachment.

        Args:
            network: A Ref to the logical network.
            host_nic: A Ref to the NIC.
            boot_protocol: dhcp, static, none; empty leaves the address alone.
            ip: For static.
            netmask: For static.
            gateway: For static, or empty.
            id: Of the attachment it changes, or empty for a new one.
        """
        way = IpAssignment(boot_protocol=boot_protocol, ip=ip or None, netmask=netmask or None, gateway=gateway or None)
        return cls(id=id or None, network=network, host_nic=host_nic, assignments=(way,) if boot_protocol else ())

    def _first(self) -> IpAssignment:
        fits = [way for way in self.assignments if way.ip_version in (None, "v4")]
        return fits[0] if fits else IpAssignment()

    @property
    def boot_protocol(self) -> str | None:
        """dhcp, static, none."""
        return self._first().boot_protocol

    @property
    def ip(self) -> str | None:
        """IPv4 address."""
        return self._first().ip

    @property
    def netmask(self) -> str | None:
        """IPv4 netmask."""
        return self._first().netmask

    @property
    def gateway(self) -> str | None:
        """IPv4 gateway."""
        return self._first().gateway


class FenceAgent(Noun):
    """What can switch a host off from outside.

    Attributes:
        type: ipmilan, ilo4, drac7, apc, rsa ...
        order: Agents are tried by it.
    """

    TAG, PATH, NAMED = "agent", "fenceagents", False

    address = text("address")
    username = text("username")
    password = secret("password")
    options = options("options")
    encrypt_options = flag("encrypt_options")
    order = whole("order")
    port = whole("port")
    type = text("@type", "type")


class Host(Noun):
    """A hypervisor.

    Attributes:
        status: up, maintenance, pending_approval, installing, install_failed, non_operational, non_responsive ...
        type: rhel, rhev-h (v3); rhel, rhev_h, ovirt_node (v4).
        port: vdsm's.
        spm: It manages its data center's storage.
        cpu_speed: MHz.
        memory: Bytes.
        active, migrating, total: Its VMs.
        nics: None unless asked for.
        fenceagents: None unless asked for; of a host whose own `pm_address` says it, never asked for.
        root_password, ssh_*: How the engine logs in when it is added, approved or installed.
        override_iptables: The engine may replace its firewall.
    """

    TAG, PATH, SEARCHABLE, TOP = "host", "hosts", True, True

    address = text("address")
    status = text("status/state", "status")
    status_detail = text("status/detail", "status_detail")
    external_status = text("external_status/state", "external_status", since=(3, 6))
    cluster = ref("cluster")
    port = whole("port")
    type = text("type")
    storage_manager = flag("storage_manager", None)
    spm_priority = whole("storage_manager@priority", "spm/priority")
    spm_status = text("spm/status/state", "spm/status", since=(3, 5))
    vdsm_version = version("version")
    hw_manufacturer = text("hardware_information/manufacturer", since=(3, 2))
    hw_version = text("hardware_information/version", since=(3, 2))
    hw_serial = text("hardware_information/serial_number", since=(3, 2))
    hw_product = text("hardware_information/product_name", since=(3, 2))
    hw_uuid = text("hardware_information/uuid", since=(3, 2))
    hw_family = text("hardware_information/family", since=(3, 2))
    pm_enabled = flag("power_management/enabled")
    pm_address = text("power_management/address", None)
    pm_user = text("power_management/username", None)
    pm_password = secret("power_management/password", None)
    pm_options = options("power_management/options", None)
    pm_type = text("power_management@type", None)
    ksm = flag("ksm/enabled")
    hugepages = flag("transparent_hugepages/enabled")
    iscsi_initiator = text("iscsi/initiator")
    root_password = secret("root_password")
    ssh_port = whole("ssh/port", since=(3, 3))
    ssh_fingerprint = text("ssh/fingerprint", since=(3, 3))
    ssh_authentication = text("ssh/authentication_method", since=(3, 3))
    ssh_user = text("ssh/user/user_name", since=(3, 3))
    ssh_password = secret("ssh/user/password", since=(3, 3))
    sockets = whole("cpu/topology@sockets", "cpu/topology/sockets")
    cores = whole("cpu/topology@cores", "cpu/topology/cores")
    threads = whole("cpu/topology@threads", "cpu/topology/threads", since=(3, 2))
    cpu_name = text("cpu/name")
    cpu_speed = decimal("cpu/speed")
    memory = whole("memory")
    max_scheduling_memory = whole("max_scheduling_memory", since=(3, 1))
    active = whole("summary/active")
    migrating = whole("summary/migrating")
    total = whole("summary/total")
    override_iptables = flag("override_iptables")
    os_type = text("os@type", "os/type", since=(3, 2))
    os_version = version("os/version", since=(3, 2))
    os_full_version = text("os/version@full_version", "os/version/full_version", since=(3, 2))
    libvirt_version = version("libvirt_version", since=(3, 2))
    kdump_status = text("kdump_status", since=(3, 5))
    selinux = text("selinux/mode", "se_linux/mode", since=(3, 5))
    update_available = flag("update_available", since=(3, 6))
    nics = inlined(HostNic, None, "nics/host_nic*")
    fenceagents = inlined(FenceAgent, None)

    @property
    def spm(self) -> bool:
        """Does it manage its data center's storage?"""
        return bool(self.storage_manager) or self.spm_status == "spm"


class Ssh(Record):
    """How the engine logs in to a host that it installs again; since 3.3.

    Attributes:
        authentication: password, or publickey: the engine's own key.
    """

    authentication = text("authentication_method", since=(3, 3))
    user = text("user/user_name", since=(3, 3))
    password = secret("user/password", since=(3, 3))


class HostStorage(Noun):
    """What a host sees of block storage: LUNs and volume groups."""

    TAG, TAG4, PLURAL3, PATH, NAMED = "storage", "host_storage", "host_storage", "storage", False

    type = text("type")
    logical_units = parts(LogicalUnit, "logical_unit*", "logical_units/logical_unit*")
    group_units = parts(LogicalUnit, "volume_group/logical_unit*", "volume_group/logical_units/logical_unit*")
