"""Values of the manager written as the columns of xCAT's tables have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...engine.nouns import HostNic, IpAssignment, NetworkAttachment, StorageDomain
from ...rows.hypervisor import DEFAULT_BOND_OPTIONS, PROTOCOLS
from ...rows.storage import ISCSI_PORT

#: IP version and the engines' boot protocol -> the word in hypervisor.interface.
_WORDS = {way: word for word, way in PROTOCOLS.items() if way[0]}


def interface(attachment: NetworkAttachment, network: str, nics: Mapping[str, HostNic]) -> Iterator[str]:
    """The parts of hypervisor.interface for a network: one, or one for each IP version that has an address.

    Args:
        attachment: The network on its NIC.
        network: Its name.
        nics: The host's NICs by id.
    """
    name = attachment.host_nic.name if attachment.host_nic else ""
    nic = nics.get(attachment.host_nic.id if attachment.host_nic else "") or HostNic(name=name)
    begin = f"{network}:{_nic(nic, nics)}"
    v4, v6 = (_way(version, attachment.way(version)) for version in ("v4", "v6"))
    told = [*([] if v4 in ("none", "keep") else [v4]), *([] if v6 in ("none6", "keep") else [v6])]
    for way in told or ["keep" if "keep" in (v4, v6) else v4]:
        yield f"{begin}:{way}"


def _way(version: str, way: IpAssignment) -> str:
    method = way.boot_protocol or "none"
    if method != "static":
        return _WORDS.get((version, method), "keep")
    if not way.ip or not way.netmask:  # it should have one, and the manager does not know which
        return "keep"
    fields = ["static", bracket(way.ip), way.netmask, bracket(way.reached_by)]
    return ":".join(fields).rstrip(":")


def _nic(nic: HostNic, nics: Mapping[str, HostNic]) -> str:
    name = (nic.name or "").partition(".")[0]
    if not nic.bonding:
        return name
    members = "+".join(sorted((nics[slave].name or slave) if slave in nics else slave for slave in nic.slaves))
    options = "".join(f",{key}={value}" for key, value in (nic.bond_options or dict(DEFAULT_BOND_OPTIONS)).items())
    return f"{name}={members}{options}"


def bracket(address: str | None) -> str:
    """An address as a part between colons."""
    return f"[{address}]" if address and ":" in address else address or ""


def location(domain: StorageDomain) -> str:
    """virtsd.location of a domain; empty where the manager does not show it."""
    luns = ",".join(domain.luns)
    if domain.storage_type == "fcp":
        return luns
    if domain.storage_type == "iscsi":
        unit = next((unit for unit in domain.units if unit.address), None)
        if not luns or unit is None:
            return ""
        target = f"|target={unit.target}" if unit.target else ""
        return f"{bracket(unit.address)}:{unit.port or ISCSI_PORT}{target}|lun={luns}"
    where = f"{bracket(domain.address)}:{domain.path}" if domain.address else domain.path or ""
    words = {
        "vfs": domain.vfs_type if domain.storage_type == "posixfs" else None,
        "options": domain.mount_options,
        "version": domain.nfs_version if domain.storage_type == "nfs" else None,
    }
    return where + "".join(f"|{key}={value}" for key, value in words.items() if value)
