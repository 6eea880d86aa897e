"""An independent reader of kernel lines: what a hypervisor of a given release makes of one.

Written from what the images' own scripts do (a `for` over the words, a `case` of glob patterns of which the first that
fits wins), without a look at the product's grammar, so that a mistake in that one is seen here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

#: Patterns in the order of the scripts -> the variable they set. Versions: ovirt-node's, times hundred.
_CASES: list[tuple[str, str, int, int]] = [
    ("uninstall*", "UNINSTALL", 200, 999),
    ("ip=*", "IP_ADDRESS", 0, 999),
    ("netmask=*", "NETMASK", 0, 999),
    ("gateway=*", "GATEWAY", 0, 999),
    ("ipv6=*", "IPV6", 0, 999),
    ("dns=*", "DNS", 0, 999),
    ("ntp=*", "NTP", 0, 999),
    ("vlan=*", "VLAN", 0, 999),
    ("bond_setup=*", "BOND", 304, 999),
    ("bond=*", "BOND", 320, 999),
    ("network_layout=*", "LAYOUT", 300, 999),
    ("hostname=*", "HOSTNAME", 0, 999),
    ("storage_init*", "INIT", 0, 999),
    ("ovirt_init*", "INIT", 0, 999),
    ("storage_vol=*", "VOL", 0, 999),
    ("mem_overcommit*", "OVERCOMMIT", 0, 999),
    ("install*", "INSTALL", 200, 999),
    ("upgrade*", "UPGRADE", 0, 999),
    ("ovirt_upgrade*", "UPGRADE", 0, 999),
    ("local_boot", "UPGRADE", 0, 999),
    ("local_boot=*", "UPGRADE", 0, 999),
    ("ovirt_local_boot*", "UPGRADE", 0, 999),
    ("firstboot=0", "NO_FIRSTBOOT", 200, 999),
    ("reinstall=0", "NO_FIRSTBOOT", 200, 999),
    ("reinstall=no", "NO_FIRSTBOOT", 200, 999),
    ("firstboot", "FIRSTBOOT", 200, 999),
    ("firstboot=1", "FIRSTBOOT", 200, 999),
    ("reinstall", "FIRSTBOOT", 200, 999),
    ("stateless=no", "NO_STATELESS", 230, 999),
    ("stateless=0", "NO_STATELESS", 230, 999),
    ("stateless*", "STATELESS", 230, 999),
    ("rescue", "RESCUE", 0, 999),
    ("standalone*", "STANDALONE", 0, 999),
    ("adminpw=*", "ADMINPW", 0, 999),
    ("rootpw=*", "ROOTPW", 0, 999),
    ("ssh_pwauth=*", "SSH_PWAUTH", 0, 999),
    ("management_server=*", "SERVER", 0, 999),
    ("management_server_fingerprint=*", "FINGERPRINT", 200, 999),
    ("rhevm_admin_password=*", "RHEVM_PW", 200, 999),
    ("local_boot_trigger=*", "TRIGGER", 200, 999),
    ("syslog=*", "SYSLOG", 0, 999),
    ("netconsole=*", "NETCONSOLE", 200, 999),
    ("collectd=*", "COLLECTD", 0, 999),
    ("keyboard=*", "KEYBOARD", 300, 999),
    ("tuned=*", "TUNED", 300, 999),
    ("nfsv4_domain=*", "NFS", 300, 999),
    ("disable_aes_ni=*", "AES", 300, 999),
    ("use_strong_rng=*", "RNG", 300, 999),
    ("logrotate_max_size=*", "ROTATE", 300, 999),
    ("reboot_delay=*", "DELAY", 300, 999),
    ("wipe_fakeraid*", "WIPE", 230, 999),
    ("kdump_ssh=*", "KDUMP", 320, 999),
    ("swap_encrypt=*", "ENCRYPT", 200, 999),
    ("iscsi_*=*", "ISCSI", 230, 999),
    ("snmp_password=*", "SNMP", 200, 999),
]
_IGNORED = (
    "BOOT_IMAGE=*",
    "initrd=*",
    "check",
    "linux",
    "liveimg",
    "root=*",
    "rootfstype=*",
    "rootflags=*",
    "ro",
    "single",
)
#: Words that dracut, the kernel or the initramfs read before the hypervisor does.
_EARLY = re.compile(
    r"(rd[._]\S+|RD_\S+|crashkernel=\S+|elevator=deadline|processor\.max_cstate=1|nomodeset|max_loop=256|console=\S+|"
    r"intel_iommu=on|nowatchdog|panic=\d+|rdloaddriver=\S+|bonding\.\S+)"
)


@dataclass
class Read:
    """What was understood.

    Attributes:
        values: Variable -> text after the equals sign, or `1`.
        bootif: What BOOTIF came to; empty when its form is not accepted.
        unknown: Words that nobody reads.
    """

    values: dict[str, str] = field(default_factory=dict)
    bootif: str = ""
    unknown: list[str] = field(default_factory=list)


def read_live(line: str, level: int) -> Read:
    """Read a line as a live image does.

    Args:
        line: The kernel line.
        level: The ovirt-node release times hundred, such as 230.
    """
    read = Read()
    for word in line.split():
        if word.startswith("BOOTIF="):
            read.bootif = _bootif(word[7:], level) or read.bootif
            continue
        if any(fnmatchcase(word, pattern) for pattern in _IGNORED):
            continue
        name = next(
            (name for pattern, name, since, until in _CASES if since <= level <= until and fnmatchcase(word, pattern)),
            None,
        )
        if name:
            read.values[name] = word.partition("=")[2] or "1"
        elif not _EARLY.fullmatch(word):
            read.unknown.append(word)
    return read


def _bootif(value: str, level: int) -> str:
    accepted = ["eth*", "link", "??-??-??-??-??-??-??"]
    accepted += ["[ep]*"] if level >= 240 else []
    accepted += ["bond*"] if level >= 304 else []
    accepted += ["??-??-??-??-??-??"] if level >= 360 else []
    return value if any(fnmatchcase(value, pattern) for pattern in accepted) else ""


@dataclass
class LiveBond:
    """A bond as it stands on a live image once it has set up its network.

    Attributes:
        name: Such as `bond0`.
        slaves: Their names.
        options: What the bonding driver is told: its parameters when it is loaded, then `BONDING_OPTS`.
    """

    name: str
    slaves: list[str]
    options: dict[str, str]


def live_bond(line: str, level: int, el7: bool) -> LiveBond | None:
    """Read a bond as initramfs, ovirt-early, ovirt-config and ifup-eth do one after the other.

    Args:
        line: The kernel line.
        level: The ovirt-node release times hundred.
        el7: Its initramfs is EL 7's.

    Raises:
        ValueError: One of them would stop, or take something else.
    """
    said = [word.partition("=") for word in line.split()]
    (of_dracut,) = [value for name, _, value in said if name == "bond"] or [""]
    setup = read_live(line, level).values.get("BOND", "")
    if of_dracut and not el7:
        raise ValueError("dracut: FATAL: No netboot configured, bond is invalid")
    if setup and not of_dracut and el7:
        raise ValueError("dracut waits for BOOTIF=bond0, and NIC 'bond0' does not exist")
    if not setup:
        return None
    name, slaves, options = setup.split(":")
    if "," in options and level < 330:
        raise ValueError(f"BONDING_OPTS={options}")
    driver = dict(word.removeprefix("bonding.").split("=") for word in line.split() if word.startswith("bonding."))
    return LiveBond(name, slaves.split(","), {**driver, **dict(option.split("=") for option in options.split(","))})


def from_grub(line: str) -> str:
    """What GRUB hands to the kernel of a line of its file (GRUB manual, "Shell-like scripting").

    Raises:
        ValueError: GRUB would read something else into it: a variable, the end of the command, a quoted string.
    """
    words = []
    for word in line.split():
        if word.startswith("#"):
            break
        plain = re.sub(r"\\(.)", "", word)
        if re.search(r"[$;&|<>{}'\"\\]", plain):
            raise ValueError(f"GRUB would change {word}")
        words.append(re.sub(r"\\(.)", r"\1", word))
    return " ".join(words)


def read_anaconda(line: str) -> dict[str, list[str]]:
    """Read a line as dracut and Anaconda do: name -> its values in order."""
    found: dict[str, list[str]] = {}
    for word in line.split():
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def dracut_ip(value: str) -> dict[str, str]:
    """Read `ip=` as dracut does: `dhcp`, or client:peer:gateway:netmask:hostname:interface:method."""
    if value in ("dhcp", "on", "any", "dhcp6", "auto6"):
        return {"method": value}
    names = ("client", "peer", "gateway", "netmask", "hostname", "interface", "method")
    parts = value.split(":")
    if len(parts) != len(names):
        raise ValueError(f"ip={value}: dracut does not know what that is")
    return dict(zip(names, parts))


@dataclass
class InstallerNetwork:
    """What an installer's initramfs makes of the network words of a line.

    Attributes:
        device: What gets the address: a name, or the MAC of BOOTIF.
        address: That address, or `dhcp`.
        vlan: The tag, or 0.
        bond: Its word as it stands, or empty.
        others: Cards that it brings up beside by themselves.
        nameservers: In order.
    """

    device: str
    address: str
    vlan: int
    bond: str
    others: list[str]
    nameservers: list[str]


def installer_network(line: str) -> InstallerNetwork:
    """Read a line as NetworkManager's reader and dracut's scripts do (nmi-cmdline-reader.c, parse-*.sh).

    Raises:
        ValueError: One of them would stop, or take something else.
    """
    read = read_anaconda(line)
    bootif = "" if read.get("rd.bootif") == ["0"] else (read.get("BOOTIF") or [""])[-1]
    boot_mac = bootif[3:].replace("-", ":") if bootif.startswith("01-") else ""
    (ip,) = read["ip"]
    device, address = _device_and_address(ip)
    vlan = 0
    for word in read.get("vlan", []):
        name, _, base = word.partition(":")
        tag = re.fullmatch(r".*?\.(\d+)", name)
        if not tag or not base or name != f"{base}.{tag[1]}":
            raise ValueError(f"vlan={word}: neither reader finds a tag and a card there")
        vlan = int(tag[1])
    bond = (read.get("bond") or [""])[0]
    if bond and len(bond.split(":")) != 3:
        raise ValueError(f"bond={bond}: name, cards and options are wanted")
    if not device and not boot_mac:
        raise ValueError("no card is named")
    others = [boot_mac] if device and boot_mac else []
    return InstallerNetwork(device or boot_mac, address, vlan, bond, others, read.get("nameserver", []))


def _device_and_address(ip: str) -> tuple[str, str]:
    if ip == "dhcp":
        return "", "dhcp"
    parts = [part.strip("[]") for part in re.findall(r"\[[^]]*\]|[^:]+|(?<=:)(?=:)|^(?=:)|(?<=:)$", ip)]
    if len(parts) == 2 and parts[1] == "dhcp":
        return parts[0], "dhcp"
    if len(parts) != 7 or parts[6] != "none" or not parts[3]:
        raise ValueError(f"ip={ip}: dracut does not know what that is")
    return parts[5], parts[0]
