"""The kernel arguments that live images of RHEV-H and oVirt Node read, and since which version.

The images' own parser (`ovirt-early`) splits the line at white space and compares each word with glob patterns, the
first of which wins; several patterns match by prefix, so a word that merely begins like one has its effect.
Words that it does not know go to the installed system's kernel line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from ..errors import Usage
from .names import numbers_of


class Level(IntEnum):
    """The ovirt-node release whose parser an image has; a higher one knows more words."""

    NODE_1 = 100  # RHEV-H 5
    NODE_2_0 = 200
    NODE_2_2 = 220
    NODE_2_2_3 = 223
    NODE_2_3 = 230
    NODE_2_6 = 260
    NODE_3_0 = 300
    NODE_3_0_4 = 304
    NODE_3_2 = 320
    NODE_3_2_EL7 = 321  # whose initramfs reads words for the network as well, and waits for what they name
    NODE_3_6 = 360  # likewise of EL 7

    @property
    def release(self) -> str:
        """Its name for messages, such as `3.0.4`."""
        return self.name.removeprefix("NODE_").replace("_EL7", " of EL 7").replace("_", ".")


_LEVELS = {
    "rhevh": (
        ((5, 0), Level.NODE_1),
        ((6, 0), Level.NODE_2_0),
        ((6, 3), Level.NODE_2_3),
        ((6, 5), Level.NODE_3_0_4),
        ((6, 6), Level.NODE_3_2),
        ((7, 0), Level.NODE_3_2_EL7),  # 7.2 too: it was built from 3.2 for RHEV 3.5 and from 3.6 for RHEV 3.6
        ((7, 3), Level.NODE_3_6),
    ),
    "ovirt": (
        ((2, 0), Level.NODE_2_0),
        ((2, 1), Level.NODE_2_2),
        ((2, 2, 3), Level.NODE_2_2_3),
        ((2, 3), Level.NODE_2_3),
        ((2, 6), Level.NODE_2_6),
        ((3, 0), Level.NODE_3_0),
        ((3, 0, 4), Level.NODE_3_0_4),
        ((3, 5), Level.NODE_3_2),
        ((3, 6), Level.NODE_3_6),
    ),
}


def level_of(family: str, version: str, build: str = "") -> Level:
    """Tell which parser a live image has; where the release is not known for sure, the older one.

    Args:
        family: `rhevh` or `ovirt`.
        version: Such as `6.2`.
        build: The rest of it, such as `20150512.1.el7ev`.
    """
    numbers = numbers_of(version)
    known = [level for first, level in _LEVELS[family] if first <= (*numbers, 0)]
    level = known[-1] if known else Level.NODE_1
    return Level.NODE_3_2_EL7 if level is Level.NODE_3_2 and ".el7" in build else level


@dataclass(frozen=True)
class Word:
    """One kernel argument.

    Attributes:
        value: What may follow `name=`; empty when only the bare name is understood; `_FORMS` wins.
        bare: The name alone is understood as well.
        since: The first parser that reads it.
        until: The last one.
        example: A value that would do, for errors.
        instead: The word that the others read in its place.
        fatal: Parsers that know it, but end their installation over it.
    """

    value: str = ""
    bare: bool = False
    since: Level = Level.NODE_1
    until: Level = Level.NODE_3_6
    example: str = ""
    instead: str = ""
    fatal: tuple[Level, ...] = ()


_HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_PORT = r"(:\d{1,5})?"
_BYTE = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
#: nodeset's boot plugins put this host's address in for `!myipfn!`.
_IP = rf"({_BYTE}(\.{_BYTE}){{3}}|!myipfn!)"
_NTP = rf"({_HOST}|!myipfn!)"
_HASH = r"(\$[156]\$(rounds=\d+\$)?[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{22,86}|[./0-9A-Za-z]{13})"
_SWITCH = r"(1|true|0|false)"
_YES_NO = r"(1|0|no)"
_NO = "(0|no)"
_DEVICE = r"(/dev/[A-Za-z0-9_./:*?+-]+|(ata|scsi|usb|cciss)(:[A-Za-z0-9_.:+-]+)?)"
_DEVICE_OF_5 = r"(/dev/[A-Za-z0-9_./:*?+-]+|(scsi|usb|cciss)(:[A-Za-z0-9_.:+-]+)?)"
_NAMED_SIZE = r"-?\d+,(EFI|Boot|Swap|Root|Config|Logging|Data|Swap2|Data2)"
_LAYOUT = r"[A-Za-z0-9_-]+"
_ANY = r"\S+"
_BOND = rf"bond\d+:{_LAYOUT}(,{_LAYOUT})*"
_OPTION = r"[a-z_]+=[^,:\s]+"
_FIXED = rf"{_IP}(:({_IP})?:({_IP})?:{_IP})?"
_MAC_PART = "[0-9A-Fa-f]{2}"
_MAC_DASHED = rf"01(-{_MAC_PART}){{6}}"
_FINGERPRINT = r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19}"

#: Words whose forms differ from parser to parser: the form since each.
_FORMS = {
    "BOOTIF": (
        (Level.NODE_1, rf"(eth\d+|link|{_MAC_DASHED})"),
        (Level.NODE_2_6, rf"(eth\d+|link|[ep][A-Za-z0-9_]+|{_MAC_DASHED})"),
        (Level.NODE_3_0_4, rf"(eth\d+|link|bond\d+|[ep][A-Za-z0-9_]+|{_MAC_DASHED})"),
        (Level.NODE_3_6, rf"(eth\d+|link|bond\d+|[ep][A-Za-z0-9_]+|(01-)?{_MAC_PART}(-{_MAC_PART}){{5}})"),
    ),
    "storage_init": (
        (Level.NODE_1, rf"{_DEVICE_OF_5}(,{_DEVICE_OF_5})*"),
        (Level.NODE_2_0, rf"{_DEVICE}([,;]{_DEVICE})*"),
    ),
    "storage_vol": (
        (Level.NODE_1, r"-?\d*(:-?\d*){0,7}"),
        (Level.NODE_2_6, rf"(-?\d*(:-?\d*){{0,7}}|{_NAMED_SIZE}(:{_NAMED_SIZE})*)"),
    ),
    "vlan": ((Level.NODE_1, r"\d{1,4}"), (Level.NODE_3_0, r"\d{1,4}(:[A-Za-z0-9_.-]+)?")),
    "ipv6": ((Level.NODE_1, "(dhcp|auto)"), (Level.NODE_3_0, "(dhcp|auto|static)")),
    # The last three are for the initramfs, which takes four alone for a card, and asks DHCP.
    "ip": ((Level.NODE_1, f"(dhcp|{_FIXED})"), (Level.NODE_3_2_EL7, rf"(dhcp|{_FIXED}(:({_HOST})?:[\w.-]*:none)?)")),
    # With several, it takes the last value for the mode.
    "bond_setup": ((Level.NODE_1, rf"{_BOND}(:{_OPTION})?"),),
    "bond": ((Level.NODE_1, rf"{_BOND}(:{_OPTION})?"), (Level.NODE_3_6, rf"{_BOND}(:{_OPTION}(,{_OPTION})*)?")),
    "ntp": ((Level.NODE_1, rf"(?!off$){_NTP}(,{_NTP})*"), (Level.NODE_3_6, rf"{_NTP}(,{_NTP})*")),
}
_FORMS["ovirt_init"] = _FORMS["storage_init"]

_2_0, _2_2, _2_3, _2_6, _3_0, _3_0_4, _3_2, _3_2_EL7 = (
    Level.NODE_2_0,
    Level.NODE_2_2,
    Level.NODE_2_3,
    Level.NODE_2_6,
    Level.NODE_3_0,
    Level.NODE_3_0_4,
    Level.NODE_3_2,
    Level.NODE_3_2_EL7,
)

_ONE_OPTION = "bond0:eth0,eth1:mode=1 bonding.mode=1 bonding.miimon=100"

WORDS: dict[str, Word] = {
    "BOOTIF": Word(example="01-52-54-00-12-34-56"),
    "storage_init": Word(bare=True, example="/dev/sda"),
    "ovirt_init": Word(bare=True, example="/dev/sda"),
    "storage_vol": Word(example="::::8192:-1"),
    "ovirt_vol": Word(r"-?\d*(:-?\d*){0,7}", example="::::8192:-1"),
    "mem_overcommit": Word(r"\d*\.?\d+", example="0.5"),
    "ovirt_overcommit": Word(r"\d*\.?\d+", example="0.5"),
    "swap_encrypt": Word(_ANY, since=_2_0, example="Swap,aes-cbc-essiv:sha256"),
    "install": Word(bare=True, since=_2_0),
    "reinstall": Word(_NO, bare=True, since=_2_0),
    "firstboot": Word(_YES_NO, bare=True, since=_2_0, example="1"),
    "ovirt_firstboot": Word(_YES_NO, bare=True, since=_2_0, example="1"),
    "upgrade": Word(bare=True),
    "ovirt_upgrade": Word(bare=True),
    "local_boot": Word(_ANY, bare=True),
    "ovirt_local_boot": Word(_ANY, bare=True),
    "stateless": Word(_YES_NO, bare=True, since=_2_3, example="1"),
    "ovirt_stateless": Word(_YES_NO, bare=True, since=_2_3, example="1"),
    "standalone": Word(_YES_NO, bare=True, example="1"),
    "rescue": Word(bare=True),
    "runtime_mode": Word("(ovirt|managed|none)", example="ovirt"),
    "wipe_fakeraid": Word(_YES_NO, bare=True, since=_2_3, example="1"),
    "ip": Word(example="dhcp"),
    "netmask": Word(_IP, example="255.255.255.0"),
    "gateway": Word(_IP, example="10.0.0.1"),
    "ipv6": Word(example="auto"),
    "dns": Word(rf"{_IP}(,{_IP})*", example="10.0.0.1,10.0.0.2"),
    "ntp": Word(example="10.0.0.1"),
    "vlan": Word(example="100"),
    # EL 6's initramfs ends the boot over bond=, EL 7's makes the bond of it, which ovirt-node 3.6 wants to be there.
    "bond_setup": Word(since=_3_0_4, until=_3_2, example=_ONE_OPTION, instead="bond"),
    "bond": Word(since=_3_2_EL7, example=_ONE_OPTION, instead="bond_setup"),
    "network_layout": Word("(bridged|direct)", since=_3_0, example="direct"),
    "hostname": Word(_HOST, example="rhevh1.example.com"),
    "netconsole": Word(_HOST + _PORT, since=_2_0, example="10.0.0.1:6666"),
    "syslog": Word(_HOST + _PORT, example="10.0.0.1:514"),
    "collectd": Word(_HOST + _PORT, example="10.0.0.1"),
    "adminpw": Word(_HASH, example="$6$..."),
    "rootpw": Word(_HASH, example="$6$..."),
    "rhevm_admin_password": Word(_HASH, since=_2_0, example="$6$..."),
    "ssh_pwauth": Word(_SWITCH, example="1", fatal=(_2_2,)),  # ovirt-auto-install.py: NameError: self
    "management_server": Word(_HOST + _PORT, example="rhevm.example.com:443"),
    "management_server_fingerprint": Word(_FINGERPRINT, since=_2_0, example="AB:CD:... (20 bytes)"),
    "local_boot_trigger": Word(
        r"(https?://)?[A-Za-z0-9.!${}_-]+(:\d+)?/[A-Za-z0-9._~/?=&:%@-]*",  # wget and curl take http without a scheme
        since=Level.NODE_2_0,
        example="http://10.0.0.1/xcatrhevh/rhevh_finish_install/@HOSTNAME@",
    ),
    "snmp_password": Word(r"\S{8,}", since=_2_0, example="at least 8 characters"),
    "cim_enabled": Word(_YES_NO, bare=True, since=_2_3, until=_3_0, example="1"),
    "cim_passwd": Word(_HASH, since=_2_3, example="$6$..."),
    "keyboard": Word(_LAYOUT, since=_3_0, example="us"),
    "tuned": Word(_LAYOUT, since=_3_0, example="virtual-host"),
    "nfsv4_domain": Word(_HOST, since=_3_0, example="example.com"),
    "use_strong_rng": Word(r"\d+", since=_3_0, example="0"),
    "disable_aes_ni": Word("(y|yes|1|n|no|0)", since=_3_0, example="y"),
    "logrotate_max_size": Word(r"\d+[kMG]?", since=_3_0, example="1024"),
    "logrotate_interval": Word("(daily|weekly|monthly)", since=_3_2, example="daily"),
    "kdump_nfs": Word(_ANY, since=_2_0, example="10.0.0.1:/dumps"),
    "kdump_ssh": Word(_ANY, since=_3_2, example="root@10.0.0.1"),
    "kdump_ssh_key": Word(_ANY, since=_3_2, example="http://10.0.0.1/key"),
    "disable_kdump": Word(_YES_NO, bare=True, since=_3_2, example="1"),
    "iscsi_name": Word(_ANY, since=_2_3, example="iqn.2001-04.com.example:rhevh1"),
    "iscsi_init": Word(_ANY, since=_2_3, example="iqn.2001-04.com.example:disk1"),
    "iscsi_server": Word(_HOST + _PORT, since=_2_3, example="10.0.0.1:3260"),
    "iscsi_target_name": Word(_ANY, since=_2_3, example="iqn.2001-04.com.example:disk1"),
    "iscsi_install": Word(bare=True, since=_2_3),
    "rdloaddriver": Word(_LAYOUT, since=_3_2, example="scsi_dh_alua"),
    "reboot_delay": Word(r"\d+", since=_3_0, example="10"),
}

#: Names that the parser compares by prefix: a longer word that begins so has the shorter one's effect.
_PREFIXES = (
    "uninstall",
    "ovirt_uninstall",
    "install",
    "upgrade",
    "ovirt_upgrade",
    "firstboot",
    "ovirt_firstboot",
    "standalone",
    "stateless",
    "keyboard",
    "tuned",
    "nfsv4_domain",
    "use_strong_rng",
    "disable_kdump",
    "iscsi_install",
    "wipe_fakeraid",
    "runtime_mode",
    "storage_init",
    "storage_vol",
    "mem_overcommit",
    "ovirt_local_boot",
)
#: The parser passes several values through a shell; `;` is meant only between the disks of storage_init.
_UNSAFE = re.compile(r"[`'\"\\|<>&]|\$\(|\$\{")


def check(word: str, level: Level, whose: str, remedy: str = "") -> None:
    """Make sure that an image understands a word as it is meant.

    Args:
        word: One word of the kernel line.
        level: The image's parser.
        whose: Where the word comes from, for the error, such as `bootparams.addkcmdline of rhevh1`.
        remedy: What to change; empty for the word itself.

    Raises:
        Usage: It would be misread, is not known yet to this image, or its value has a wrong form.
    """
    name, equals, value = word.partition("=")
    if not word.isprintable() or not word.isascii():
        raise Usage(f"{whose}: {word!r} holds characters that a kernel line cannot carry")
    if _UNSAFE.search(word) and name != "local_boot_trigger":
        raise Usage(f"{whose}: '{word}' holds characters that the hypervisor's parser passes to a shell")
    known = WORDS.get(name)
    if known is None:
        _check_spelling(name, word, whose)
        _check_prefixes(name, word, whose)
        return
    if level in known.fatal:
        raise Usage(f"{whose}: the installation of this image fails with '{name}'", f"Leave {name} out")
    if not known.since <= level <= known.until:
        raise Usage(
            f"{whose}: this image does not know '{name}' (ovirt-node {known.since.release} to "
            f"{known.until.release} do; it has {level.release})",
            remedy or _without(name, known, level),
        )
    if not _understood(known, name, equals, value, level):
        example = f"Write {name}={known.example}" if known.example else f"Write {name} without a value"
        raise Usage(f"{whose}: '{word}' would not be understood by this image", remedy or example)


def knows(name: str, level: Level) -> bool:
    """Whether a parser reads a word and comes to no harm."""
    known = WORDS[name]
    return known.since <= level <= known.until and level not in known.fatal


def _without(name: str, known: Word, level: Level) -> str:
    if known.instead and knows(known.instead, level):
        return f"Write {known.instead}= in its place"
    return f"Leave {name} out"


def _understood(known: Word, name: str, equals: str, value: str, level: Level) -> bool:
    if not equals:
        return known.bare
    *_, form = (form for since, form in _FORMS.get(name, ((Level.NODE_1, known.value),)) if since <= level)
    return bool(form) and re.fullmatch(form, value) is not None


def _check_spelling(name: str, word: str, whose: str) -> None:
    """Parsers tell large letters from small ones: an `Upgrade` would leave an installation what it is."""
    meant = next((known for known in WORDS if known.lower() == name.lower()), "")
    if meant:
        raise Usage(f"{whose}: the hypervisor does not know '{word}'", f"Write {meant}")


def _check_prefixes(name: str, word: str, whose: str) -> None:
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            raise Usage(f"{whose}: the hypervisor would take '{word}' for '{prefix}'", f"Leave {word} out")


#: Words that the kernel itself takes, so that they do not count as unknown.
_KERNELS_OWN = {
    "root",
    "rootfstype",
    "rootflags",
    "console",
    "crashkernel",
    "elevator",
    "panic",
    "init",
    "video",
    "pci",
    "acpi",
    "vga",
    "mem",
    "maxcpus",
    "nr_cpus",
    "selinux",
    "enforcing",
    "audit",
    "intel_iommu",
    "iommu",
    "hugepages",
    "loglevel",
    "rootdelay",
    "isolcpus",
    "nmi_watchdog",
    "cgroup_disable",
}


def unknown_to_kernel(words: Sequence[str]) -> list[str]:
    """The `key=value` words that the kernel hands on to init; with 32 of them it panics."""
    names = (word.partition("=") for word in words)
    return [name for name, equals, _ in names if equals and "." not in name and name not in _KERNELS_OWN]
