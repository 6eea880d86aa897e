"""The line that a hypervisor's installer is started with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import Usage
from ..secret import Secret
from .grammar import Level, check, level_of, unknown_to_kernel
from .store import Image

#: iPXE cuts a line at 2047 characters without a word; through pxelinux 6, 1966 arrive whole and 2300 never start.
MOST_CHARACTERS = 1966
#: The kernel panics at the 32nd; the boot loader adds its own.
MOST_UNKNOWN = 28
_ADDED = "BOOTIF=01-00-00-00-00-00-00"
#: Words of a medium's own line that do not hold for a start over the network: where the root is, and a check of the
#: medium that would read all of it.
_DROPPED = {"initrd", "root", "rootflags", "rootfstype", "ro", "liveimg", "check", "rd.live.check", "quiet", "rhgb",
            "BOOT_IMAGE"}
#: What the media have in common, for one whose boot menu cannot be read.
_USUAL = "install"
#: Where a site writes words for all its live images, such as the disks: `storage_init=/dev/sda mem_overcommit=0.5`.
SITE_WORDS = "site.rhevhkcmdline"
#: Where our own words come from, for errors.
_SOURCES = {
    "BOOTIF": "noderes.installnic", "vlan": "noderes.installnic", "ip": "the networks table",
    "dns": "the networks table", "ntp": "the networks table", "bond_setup": "the nics table", "hostname": "site.domain",
    "management_server": "hypervisor.mgr", "local_boot_trigger": "noderes.xcatmaster",
}
_LABELLED = re.compile(r"(CD)?LABEL=\S*")
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A fixed IPv4 address.

    Attributes:
        ip, netmask: Dotted.
        gateway: Dotted, or empty.
    """

    ip: str
    netmask: str
    gateway: str = ""


@dataclass(frozen=True)
class Bond:
    """Network cards joined to one.

    Attributes:
        name: Such as `bond0`.
        slaves: Their names.
        options: Such as `mode=1` and `miimon=100`.
    """

    name: str
    slaves: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """What the tables say of one node.

    Attributes:
        node: Its name in the tables.
        hostname: What it is to be called; empty leaves that to DHCP.
        nic: The card it installs over: a MAC with colons, or a name such as `eth0`.
        address: Its fixed address, or None for DHCP.
        nameservers, ntpservers: Addresses.
        vlan: A tag for `nic`, or 0.
        bond: What `nic` is a bond of, or None.
        admin_password, root_password: Hashes.
        manager: The manager as `hypervisor.mgr` has it, with or without a port; empty for none.
        fingerprint: SHA-1 of the manager's CA, colons between the bytes, or empty.
        finish_url: What it fetches when it has installed itself.
        extra: What nodeset will add: the words of `addkcmdline`, which win over ours.
        site_words: What the site wants for every live image, in place of ours.
        server: The management node as the node sees it, with its HTTP port unless that is 80.
        ssh_key: The manager's public key, for root, or empty.
        manager_ca: The manager's CA, in PEM, or empty.
        loaders_own: The words that boot loaders add, besides BOOTIF.
    """

    node: str
    hostname: str
    nic: str
    address: Address | None
    nameservers: tuple[str, ...]
    ntpservers: tuple[str, ...]
    vlan: int
    bond: Bond | None
    admin_password: Secret
    root_password: Secret
    manager: str
    fingerprint: str
    finish_url: str
    extra: tuple[str, ...] = ()
    site_words: tuple[str, ...] = ()
    server: str = ""
    ssh_key: str = ""
    manager_ca: str = ""
    loaders_own: str = ""


def kernel_line(image: Image, settings: Settings, tree_url: str = "", kickstart_url: str = "") -> str:
    """Write the kernel arguments for one node; `addkcmdline` is left for nodeset to add.

    Args:
        image: What it boots.
        settings: The node.
        tree_url: Where Anaconda finds its second stage; for kickstart images.
        kickstart_url: Where it finds the node's kickstart.

    Raises:
        Usage: A word would be misread by this image, or the line is beyond what kernels and boot loaders take.
    """
    if image.kickstart:
        words = list(_anaconda(settings, tree_url, kickstart_url))
    else:
        words = _live(image, settings)
    _check_size(image, words, settings)
    return " ".join(words)


def bootif(nic: str) -> str:
    """Write a MAC as boot loaders hand it on, with the hardware type in front; a name stays as it is."""
    return "01-" + nic.lower().replace(":", "-") if _MAC.fullmatch(nic) else nic


def _live(image: Image, settings: Settings) -> list[str]:
    level = level_of(image.family, image.version)
    for word in settings.extra:
        if "#" not in word:
            check(word, level, f"addkcmdline of {settings.node}")
    given = set(map(_name, settings.extra))
    site = [word for word in settings.site_words if _name(word) not in given]
    ours = [word for word in _ours(image, settings, level) if _name(word) not in given.union(map(_name, site))]
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


def _ours(image: Image, settings: Settings, level: Level) -> Iterator[str]:
    """What we say, BOOTIF first: with it and a disk the installation runs by itself."""
    yield f"BOOTIF={bootif(settings.nic)}"
    yield "storage_init"
    if level >= Level.NODE_2_0:
        yield "reinstall"
    yield from _network(settings)
    yield f"adminpw={settings.admin_password.reveal()}"
    yield f"rootpw={settings.root_password.reveal()}"
    yield "ssh_pwauth=1"
    if settings.manager:
        yield from _registration(settings, level)
    if has_trigger(image):
        yield f"local_boot_trigger={settings.finish_url}"


def _registration(settings: Settings, level: Level) -> Iterator[str]:
    yield f"management_server={settings.manager}"
    if level >= Level.NODE_2_0:
        yield f"rhevm_admin_password={settings.root_password.reveal()}"
        if settings.fingerprint:
            yield f"management_server_fingerprint={settings.fingerprint}"


def has_trigger(image: Image) -> bool:
    """Whether a live image tells when it has installed itself; before RHEV-H 6.2 it took the word for an upgrade."""
    return image.family == "ovirt" or tuple(int(part) for part in image.version.split(".")) >= (6, 2)


def _network(settings: Settings) -> Iterator[str]:
    address = settings.address
    if address is None:
        yield "ip=dhcp"
    else:
        yield f"ip={address.ip}::{address.gateway}:{address.netmask}"
    if settings.nameservers:
        yield "dns=" + ",".join(settings.nameservers)
    if settings.ntpservers:
        yield "ntp=" + ",".join(settings.ntpservers)
    if settings.vlan:
        yield f"vlan={settings.vlan}"
    if settings.bond:
        bond = settings.bond
        options = ":" + ",".join(bond.options) if bond.options else ""
        yield f"bond_setup={bond.name}:{','.join(bond.slaves)}{options}"
    if settings.hostname:
        yield f"hostname={settings.hostname}"


def _anaconda(settings: Settings, tree_url: str, kickstart_url: str) -> Iterator[str]:
    """Anaconda's own words, and dracut's for the network (dracut.cmdline(7))."""
    yield f"inst.stage2={tree_url}"
    yield f"inst.ks={kickstart_url}"
    yield "inst.text"
    device = ""
    if _MAC.fullmatch(settings.nic):
        yield f"BOOTIF={bootif(settings.nic)}"
    else:
        device = settings.nic
    if settings.bond:
        yield ":".join(filter(None, (f"bond={device}", *map(",".join, (settings.bond.slaves, settings.bond.options)))))
    if settings.vlan:
        yield f"vlan={device}.{settings.vlan}:{device}"
        device = f"{device}.{settings.vlan}"
    address = settings.address
    if address is None:
        yield f"ip={device}:dhcp" if device else "ip=dhcp"
    else:
        yield f"ip={address.ip}::{address.gateway}:{address.netmask}:{settings.hostname}:{device}:none"
    yield from (f"nameserver={server}" for server in settings.nameservers)


def _check_size(image: Image, words: Sequence[str], settings: Settings) -> None:
    every = [*words, *settings.extra]
    length = len(" ".join([*every, settings.loaders_own, _ADDED]))
    most = min(MOST_CHARACTERS, image.cmdline_size or MOST_CHARACTERS)
    if length > most:
        longest = _name(max(settings.extra or words, key=len))
        raise Usage(f"the kernel arguments of {settings.node} have {length} characters with what boot loaders add, "
                    f"{most} can be handed over", f"Drop or shorten some; {longest} is the longest")
    unknown = unknown_to_kernel(every)
    if len(unknown) > MOST_UNKNOWN:
        raise Usage(f"the kernel arguments of {settings.node} have {len(unknown)} key=value words that are not the "
                    f"kernel's own; it panics at 32", f"Drop some of: {', '.join(unknown[-6:])}")
