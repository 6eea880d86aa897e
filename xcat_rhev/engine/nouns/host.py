"""Hosts, their NICs, networks and fence agents."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface

from ..documents.fields import (
    decimal,
    flag,
    inline_records,
    options,
    part,
    parts,
    ref,
    refs,
    release,
    secret,
    text,
    whole,
)
from ..documents.noun import Noun
from ..documents.record import Record
from ..states import ManagingStatus
from .environment import LogicalUnit
from .records import Statistic

#: Where a host's daemon listens unless somebody chose another port.
VDSM_PORT = 54321


class Bonding(Record):
    """How several NICs act as one.

    Attributes:
        options: As `mode`: `4`.
        slaves: Their names, or ids in answers.
    """

    options = options("options")
    slaves = refs("slaves/host_nic*")


class HostNic(Noun, tag="host_nic", path="nics"):
    """A NIC of a host, real, VLAN or bond.

    Attributes:
        network: The logical network on it.
        speed: bit/s.
        boot_protocol: dhcp, static, none.
        base_interface: The NIC below a VLAN.
    """

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


#: How engines write a gateway that there is not.
_NO_GATEWAY = ("", "0.0.0.0", "::")  # noqa: S104 - not an address to listen on


class IpAssignment(Record):
    """How a host gets an address of one IP version on a network.

    Attributes:
        netmask: Dotted for IPv4, the length of the prefix for IPv6.
        ip_version: v4 or v6; engines before 4.0 know one and do not say it.
        boot_protocol: dhcp, static, none; for IPv6 also autoconf and poly_dhcp_autoconf.
    """

    ip = text("ip@address", "ip/address")
    netmask = text("ip@netmask", "ip/netmask")
    gateway = text("ip@gateway", "ip/gateway")
    ip_version = text("ip@version", "ip/version")
    boot_protocol = text("assignment_method")

    @property
    def version(self) -> str:
        """The IP version, said or seen by the address."""
        return self.ip_version or ("v6" if ":" in (self.ip or "") else "v4")

    @property
    def reached_by(self) -> str | None:
        """The gateway, if there is one."""
        return self.gateway if self.gateway not in _NO_GATEWAY else None

    def same(self, other: IpAssignment) -> bool:
        """Whether it is the same address, in any notation."""
        if (self.boot_protocol or "none") != (other.boot_protocol or "none"):
            return False
        return self.boot_protocol != "static" or self._canonical() == other._canonical()

    def _canonical(self) -> tuple[object, object]:
        gateway = self.reached_by
        try:
            return ip_interface(f"{self.ip}/{self.netmask}"), gateway and ip_address(gateway)
        except ValueError:
            return (self.ip, self.netmask), gateway


class NetworkAttachment(Noun, tag="network_attachment", path="networkattachments", named=False):
    """A logical network on a host's NIC; since 3.6. The facade makes the same shape of a NIC for older engines.

    Attributes:
        assignments: Its addresses, at most one of each IP version.
        boot_protocol, ip, netmask, gateway: Of its IPv4 assignment.
        in_sync: False when the host differs from what the network wants.
    """

    network = ref("network")
    host_nic = ref("host_nic")
    assignments = parts(IpAssignment, "ip_address_assignments/ip_address_assignment*")
    in_sync = flag("reported_configurations/in_sync", "in_sync", since=(3, 6))
    host = ref("host")

    @classmethod
    def on(
        cls,
        network: object,
        host_nic: object,
        boot_protocol: str = "",
        ip: str = "",
        netmask: str = "",
        gateway: str = "",
        id: str = "",
    ) -> NetworkAttachment:
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

    def way(self, version: str) -> IpAssignment:
        """How it gets its address of that IP version; `none` where there is nothing."""
        fits = [way for way in self.assignments if way.version == version]
        return fits[0] if fits else IpAssignment(boot_protocol="none" if self.assignments else None)

    def gives(self, wanted: NetworkAttachment) -> bool:
        """Whether it has the wanted addresses. An IP version that is not named is left alone."""
        return all(self.way(way.version).same(way) for way in wanted.assignments)

    @property
    def boot_protocol(self) -> str | None:
        """dhcp, static, none."""
        return self.way("v4").boot_protocol

    @property
    def ip(self) -> str | None:
        """IPv4 address."""
        return self.way("v4").ip

    @property
    def netmask(self) -> str | None:
        """IPv4 netmask."""
        return self.way("v4").netmask

    @property
    def gateway(self) -> str | None:
        """IPv4 gateway."""
        return self.way("v4").gateway


class FenceAgent(Noun, tag="agent", path="fenceagents", named=False):
    """What can switch a host off from outside.

    Attributes:
        type: ipmilan, ilo4, drac7, apc, rsa ...
        order: Agents are tried by it.
    """

    address = text("address")
    username = text("username")
    password = secret("password")
    options = options("options")
    order = whole("order")
    port = whole("port")
    type = text("@type", "type")


class Host(Noun, tag="host", path="hosts", searchable=True, top=True):
    """A hypervisor.

    Attributes:
        status: up, maintenance, pending_approval, installing, install_failed, non_operational, non_responsive ...
        type: rhel, rhev-h (v3); rhel, rhev_h, ovirt_node (v4).
        port: vdsm's.
        spm: It manages its data center's storage.
        cpu_speed: MHz.
        memory: Bytes.
        schedulable: Bytes of memory that a further machine may have; since 3.1.
        active, migrating, total: Its VMs.
        nics: None unless asked for.
        fenceagents: None unless asked for; of a host whose own `pm_address` says it, never asked for.
        root_password, ssh_*: How the engine logs in when it is added, approved or installed.
    """

    address = text("address")
    status = text("status/state", "status")
    status_detail = text("status/detail", "status_detail")
    cluster = ref("cluster")
    port = whole("port")
    type = text("type")
    storage_manager = flag("storage_manager", None)
    spm_status = text("spm/status/state", "spm/status", since=(3, 5))
    vdsm_version = release("version")
    hw_manufacturer = text("hardware_information/manufacturer", since=(3, 2))
    hw_serial = text("hardware_information/serial_number", since=(3, 2))
    hw_product = text("hardware_information/product_name", since=(3, 2))
    hw_uuid = text("hardware_information/uuid", since=(3, 2))
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
    ssh_authentication = text("ssh/authentication_method", since=(3, 3))
    ssh_user = text("ssh/user/user_name", since=(3, 3))
    ssh_password = secret("ssh/user/password", since=(3, 3))
    sockets = whole("cpu/topology@sockets", "cpu/topology/sockets")
    cores = whole("cpu/topology@cores", "cpu/topology/cores")
    threads = whole("cpu/topology@threads", "cpu/topology/threads", since=(3, 2))
    cpu_name = text("cpu/name")
    cpu_speed = decimal("cpu/speed")
    memory = whole("memory")
    schedulable = whole("max_scheduling_memory", since=(3, 1))
    active = whole("summary/active")
    migrating = whole("summary/migrating")
    total = whole("summary/total")
    os_type = text("os@type", "os/type", since=(3, 2))
    os_version = release("os/version", since=(3, 2))
    libvirt_version = release("libvirt_version", since=(3, 2))
    selinux = text("selinux/mode", "se_linux/mode", since=(3, 5))
    update_available = flag("update_available", since=(3, 6))
    nics = inline_records(HostNic, None, "nics/host_nic*")
    fenceagents = inline_records(FenceAgent, None)
    statistics = inline_records(Statistic, None, "statistics/statistic*")

    @property
    def kept_along(self) -> dict[str, int]:
        """What any change has to say again: engines take an untold port for the usual one (HostMapper, 3.0 to 4.5)."""
        return {"port": self.port} if self.port not in (None, VDSM_PORT) else {}

    @property
    def spm(self) -> bool:
        """Whether it manages its data center's storage."""
        return bool(self.storage_manager) or self.spm_status == ManagingStatus.SPM


class Ssh(Record):
    """How the engine logs in to a host that it installs again; since 3.3.

    Attributes:
        authentication: password, or publickey: the engine's own key.
    """

    authentication = text("authentication_method", since=(3, 3))
    user = text("user/user_name", since=(3, 3))
    password = secret("user/password", since=(3, 3))


class HostStorage(Noun, tag="storage", tag4="host_storage", plural3="host_storage", path="storage", named=False):
    """What a host sees of block storage: LUNs and volume groups."""

    type = text("type")
    logical_units = parts(LogicalUnit, "logical_unit*", "logical_units/logical_unit*")
    group_units = parts(LogicalUnit, "volume_group/logical_unit*", "volume_group/logical_units/logical_unit*")
