"""The settings for a guest's first start, as vm.othersettings has them."""

from __future__ import annotations

from dataclasses import dataclass

from ..secret import Secret


@dataclass(frozen=True)
class GuestNic:
    """A NIC as the guest should set it up.

    Attributes:
        name: As the guest calls it, `eth0`.
        boot_protocol: dhcp, static or none.
        ip: Its address; only with static, as the next two.
        netmask: The netmask.
        gateway: The gateway, or None.
    """

    name: str
    boot_protocol: str
    ip: str | None = None
    netmask: str | None = None
    gateway: str | None = None


@dataclass(frozen=True)
class Guest:
    """What cloud-init or sysprep gets.

    Attributes:
        host_name: The guest's name.
        domain: Its domain.
        timezone: Its time zone.
        user_name: The user that is set up.
        authorized_ssh_keys: Public keys, one a line.
        dns_servers: Addresses, joined by blanks.
        dns_search: Domains, joined by blanks.
        custom_script: A script in cloud-init's or sysprep's own form.
        nics: Its NICs.
        root_password: The user's, or root's, password.
    """

    host_name: str | None = None
    domain: str | None = None
    timezone: str | None = None
    user_name: str | None = None
    authorized_ssh_keys: str | None = None
    dns_servers: str | None = None
    dns_search: str | None = None
    custom_script: str | None = None
    nics: tuple[GuestNic, ...] = ()
    root_password: Secret | None = None
