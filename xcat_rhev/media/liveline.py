"""The line that a live image is started with: RHEV-H up to 7 and oVirt Node up to 3.6."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import Usage
from .grammar import Level, check, knows, level_of
from .livebond import bond_words
from .macs import bootif
from .modes import mode_of, names_wiping
from .names import numbers_of
from .settings import BootSettings
from .store import Image

#: Words of a medium's own line that do not hold for a start over the network: where the root is, and a check of the
#: medium that would read all of it.
_DROPPED = {
    "initrd",
    "root",
    "rootflags",
    "rootfstype",
    "ro",
    "liveimg",
    "check",
    "rd.live.check",
    "quiet",
    "rhgb",
    "BOOT_IMAGE",
}
#: What the media have in common, for one whose boot menu cannot be read.
_USUAL = "install"
#: Where a site writes words for all its live images, such as the disks: `storage_init=/dev/sda mem_overcommit=0.5`.
SITE_WORDS = "site.rhevhkcmdline"
#: Where our own words come from, for errors.
_SOURCES = {
    "BOOTIF": "noderes.installnic",
    "vlan": "noderes.installnic",
    "ip": "the networks table",
    "dns": "the networks table",
    "ntp": "the networks table",
    "bond_setup": "the nics table",
    "bond": "the nics table",
    "hostname": "site.domain",
    "management_server": "hypervisor.mgr",
    "local_boot_trigger": "noderes.xcatmaster",
    "console": "nodehm.serialport",
}
_LABELLED = re.compile(r"(CD)?LABEL=\S*")


def live_line(image: Image, settings: BootSettings) -> list[str]:
    """The words of a live image's line.

    Raises:
        Usage: A word would be misread by this image.
    """
    level = level_of(image.family, image.version, image.build)
    for word in settings.extra:
        if "#" not in word:
            check(word, level, f"addkcmdline of {settings.node}")
    given = set(map(_name, settings.extra))
    site = [word for word in settings.site_words if _name(word) not in given]
    wanted = given.union(map(_name, site))
    ours = [word for word in _ours(image, settings, level) if _name(word) not in wanted]
    taken = _DROPPED.union(given, map(_name, ours + site))
    base = [word for word in (image.append or _USUAL).split() if _name(word) not in taken]
    for word in ours:
        source = _SOURCES.get(_name(word), "its tables")
        check(word, level, source, f"Correct {source}, or write the word as you want it into bootparams.addkcmdline")
    for word in site:
        check(word, level, SITE_WORDS)
    for word in base:
        check(word, level, f"the boot menu of {image.distname}")
    return _root(image) + ours[:1] + base + ours[1:] + site


def wanted_words(settings: BootSettings) -> list[str]:
    """What a site wants of a live image: the node's words, then the site's that those do not replace."""
    own = [word for word in settings.extra if not word.startswith("R::")]
    given = set(map(_name, own))
    return [*own, *(word for word in settings.site_words if _name(word) not in given)]


def has_trigger(image: Image) -> bool:
    """Whether a live image tells when it has installed itself; before RHEV-H 6.2 it took the word for an upgrade."""
    return image.family == "ovirt" or numbers_of(image.version) >= (6, 2)


def waits_for_network(image: Image) -> bool:
    """Whether the initramfs of a live image sets up what BOOTIF names, and waits until it has an address."""
    return level_of(image.family, image.version, image.build) >= Level.NODE_3_2_EL7


def _root(image: Image) -> list[str]:
    """Where the live root is: as on the medium's own line, with the ISO in the initrd in place of a labelled disc.

    dracut images have `root=live:CDLABEL=...`, those before it `root=CDLABEL=...`.
    """
    own = {_name(word): word for word in reversed(image.append.split())}
    root = _LABELLED.sub(f"/{image.iso}", own.get("root", ""))
    if not root.endswith(f"/{image.iso}"):
        root = f"root=live:/{image.iso}"
    return [root, own.get("rootfstype", "rootfstype=auto"), "ro", "liveimg", "rootflags=loop"]


def _name(word: str) -> str:
    return word.partition("=")[0]


def _ours(image: Image, settings: BootSettings, level: Level) -> Iterator[str]:
    """What we say, BOOTIF first: with it and a disk the installation runs by itself."""
    yield f"BOOTIF={bootif(settings.card.nic)}"
    wanted = wanted_words(settings)
    installs = mode_of(wanted + image.append.split()) is None
    if installs:
        yield "storage_init"
        if level >= Level.NODE_2_0 and not names_wiping(wanted):
            yield "reinstall"
    yield from _network(settings, level)
    yield f"adminpw={settings.admin_password.reveal()}"
    yield f"rootpw={settings.root_password.reveal()}"
    if knows("ssh_pwauth", level):
        yield "ssh_pwauth=1"
    if settings.manager:
        yield from _registration(settings, level)
    if installs and has_trigger(image):
        yield f"local_boot_trigger={settings.finish_url}"
    if settings.console and "console" not in map(_name, wanted):
        yield "console=tty0"
        yield f"console={settings.console}"


def _registration(settings: BootSettings, level: Level) -> Iterator[str]:
    yield f"management_server={settings.manager}"
    if level >= Level.NODE_2_0:
        yield f"rhevm_admin_password={settings.root_password.reveal()}"
        if settings.fingerprint:
            yield f"management_server_fingerprint={settings.fingerprint}"


def _network(settings: BootSettings, level: Level) -> Iterator[str]:
    yield _ip(settings, level)
    if settings.nameservers:
        yield "dns=" + ",".join(settings.nameservers)
    if settings.ntpservers:
        yield "ntp=" + ",".join(settings.ntpservers)
    if settings.card.vlan:
        # From 3.0 on dracut reads the word as well, and ends the boot unless the card is in it (rhbz 915765).
        carrier = f":{settings.card.nic}" if level >= Level.NODE_3_0 else ""
        yield f"vlan={settings.card.vlan}{carrier}"
    if settings.card.bond:
        yield from bond_words(settings.card.bond, level)
    if settings.hostname:
        yield f"hostname={settings.hostname}"


def _ip(settings: BootSettings, level: Level) -> str:
    if not settings.addresses:
        return "ip=dhcp"
    address = settings.addresses[0]
    if address.is_6:
        raise Usage(
            f"{address.ip}: live images take no fixed IPv6 address from their kernel arguments",
            "Give the node an IPv4 address as well, or write ipv6=auto into bootparams.addkcmdline",
        )
    if not address.gateway and Level.NODE_2_0 <= level < Level.NODE_3_0:
        raise Usage(
            f"{address.ip}: images of oVirt Node 2 end their installation at a fixed address without a gateway",
            "Set networks.gateway to a router in the node's network, or let the node use DHCP",
        )
    # The initramfs of EL 7 asks DHCP unless the word ends so, and waits for an answer.
    fixed = ":::none" if level >= Level.NODE_3_2_EL7 else ""
    return f"ip={address.ip}::{address.gateway}:{address.netmask}{fixed}"
