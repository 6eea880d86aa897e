"""What the tables say of one node that is to be installed."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator

from ...errors import NotFound, Usage
from ...media.networks import Address, facing, fixed_address, network_of, of_family, servers
from ...media.settings import BootSettings
from ...secret import Secret
from ...xcat.host import Row
from .location import FACING, InstallLocation, host_in_url
from .site import InstallSite, Osimage

_FINISH = "xcatrhevh/rhevh_finish_install"
_FINISH_FULL = "xcatrhevh/rhevm_setup/installed"
#: nodehm.serialflow, as xCAT's anaconda.pm reads it: with hardware flow control.
_HARD = ("hard", "cts", "ctsrts")


def settings_of(node: str, osimage: Osimage, location: InstallLocation, site: InstallSite) -> BootSettings:
    """Put together the settings for a node's installer.

    Raises:
        NotFound: Something is missing in the tables.
    """
    tables, live = site.tables, not osimage.image.kickstart
    manager = tables.hypervisor[node].get("mgr", "")
    ca = site.ca(manager) if manager else ""
    finish = _FINISH_FULL if osimage.full else _FINISH
    extra = f"{tables.bootparams[node].get('addkcmdline', '')} {osimage.row.get('addkcmdline', '')}".split()
    return BootSettings(
        node=node,
        hostname=f"{node}.{site.domain}" if site.domain and "." not in node else node,
        card=location.card,
        addresses=tuple(_static_addresses(node, location, site)),
        nameservers=_nameservers(node, location, site),
        ntpservers=_ntpservers(location, site),
        admin_password=site.password("admin") if live else Secret(""),
        root_password=site.password("root", "system" if osimage.full else "rhevh"),
        manager=manager,
        fingerprint=_fingerprint(ca),
        manager_ca=ca,
        finish_url=f"http://{host_in_url(location.master, site)}/{finish}/{'@HOSTNAME@' if live else node}",
        extra=tuple(extra),
        site_words=site.words,
        console=_console(tables.nodehm[node]),
        ssh_key=site.ssh_key(manager) if manager else "",
        loaders_own=f"BOOT_IMAGE={osimage.files.kernel} initrd={osimage.files.initrd}",  # pxelinux, which adds most
    )


def _static_addresses(node: str, location: InstallLocation, site: InstallSite) -> Iterator[Address]:
    """The node's own addresses, IPv4 first; that of IPv6 beside one of IPv4 only where its network is known."""
    if not site.static:
        return
    if not location.known:
        raise NotFound(
            "site.managedaddressmode is static, but hosts.ip is not set", f"Run: chtab node={node} hosts.ip=ADDRESS"
        )
    four, six = (of_family(version, location.known) for version in (4, 6))
    if four:
        yield _with_gateway(four, location, site)
    if six and (not four or network_of(six, site.networks)):
        yield _with_gateway(six, location, site)


def _with_gateway(ip: str, location: InstallLocation, site: InstallSite) -> Address:
    """`<xcatmaster>` as a gateway is the master's address in that network, else this host's there."""
    row = network_of(ip, site.networks)
    master = location.master if location.master == FACING else site.address_of(location.master)
    near = master if master == FACING or facing(ip, site.networks, [master]) else ""
    return fixed_address(ip, row, near or facing(ip, site.networks, site.mine()))


def _nameservers(node: str, location: InstallLocation, site: InstallSite) -> tuple[str, ...]:
    """noderes.nameservers, which are for DHCP as well; with fixed addresses also those of its network or the site."""
    own = site.tables.noderes[node].get("nameservers", "")
    usual = (location.network.get("nameservers", ""), site.context.xcat.site("nameservers")) if site.static else ()
    found = servers(own, *usual, master=location.master)
    return tuple(name if name == FACING else site.address_of(name) for name in found)


def _ntpservers(location: InstallLocation, site: InstallSite) -> tuple[str, ...]:
    found = servers(
        location.network.get("ntpservers", ""), site.context.xcat.site("ntpservers"), master=location.master
    )
    return found


def _console(nodehm: Row) -> str:
    """The serial console as anaconda.pm writes it.

    Raises:
        NotFound: A port without a speed.
        Usage: The port is not a number.
    """
    port, speed = nodehm.get("serialport", ""), nodehm.get("serialspeed", "")
    if not port:
        return ""
    if not (port.isascii() and port.isdigit()):
        raise Usage(f"nodehm.serialport: '{port}' is not a number", "Write 0 for ttyS0, 1 for ttyS1")
    if not speed:
        raise NotFound(
            "serialport defined, but no serialspeed for this node in nodehm table",
            "Set nodehm.serialspeed, such as 115200",
        )
    return f"ttyS{port},{speed}" + ("n8r" if nodehm.get("serialflow") in _HARD else "")


def _fingerprint(pem: str) -> str:
    """SHA-1 of a certificate as RHEV-H compares it."""
    if not pem:
        return ""
    digest = hashlib.sha1(ssl.PEM_cert_to_DER_cert(pem), usedforsecurity=False).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, 40, 2))
