"""What xCAT's tables say of one node that is to be installed."""

from __future__ import annotations

from dataclasses import dataclass

from ..secret import Secret
from .cards import Card
from .networks import Address


@dataclass(frozen=True)
class BootSettings:
    """What the tables say of one node.

    Attributes:
        node: Its name in the tables.
        hostname: What it is to be called; empty leaves that to DHCP.
        card: The card it installs over, with the VLAN and the bond on it.
        addresses: Its fixed addresses, at most one of IPv4 and one of IPv6, that of IPv4 first; none for DHCP.
        nameservers, ntpservers: Addresses.
        admin_password, root_password: Hashes.
        manager: The manager as `hypervisor.mgr` has it, with or without a port; empty for none.
        fingerprint: SHA-1 of the manager's CA, colons between the bytes, or empty.
        finish_url: What it fetches when it has installed itself.
        extra: What nodeset will add: the words of `addkcmdline`, which win over ours.
        site_words: What the site wants for every live image, in place of ours.
        console: Where it shows itself beside the screen, as the kernel writes that: `ttyS0,115200`, or empty.
        ssh_key: The manager's public key, for root, or empty.
        manager_ca: The manager's CA, in PEM, or empty.
        loaders_own: The words that boot loaders add, besides BOOTIF.
    """

    node: str
    hostname: str
    card: Card
    addresses: tuple[Address, ...]
    nameservers: tuple[str, ...]
    ntpservers: tuple[str, ...]
    admin_password: Secret
    root_password: Secret
    manager: str
    fingerprint: str
    finish_url: str
    extra: tuple[str, ...] = ()
    site_words: tuple[str, ...] = ()
    console: str = ""
    ssh_key: str = ""
    manager_ca: str = ""
    loaders_own: str = ""
