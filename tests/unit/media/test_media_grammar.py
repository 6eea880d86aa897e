"""Which words each release of the hypervisor's parser reads as they are meant, by its scripts and guides."""

import pytest

from xcat_rhev.errors import Usage
from xcat_rhev.media.grammar import Level, check, level_of, unknown_to_kernel

EVER = (Level.NODE_1, Level.NODE_3_6)
NEVER = (1, 0)
#: Releases between that read a word and end over it.
FATAL = {("ssh_pwauth", Level.NODE_2_2)}
#: Word -> the first and the last release that reads it so.
WORDS = {
    "BOOTIF=01-52-54-00-12-34-56": EVER,
    "BOOTIF=01-AA-bb-0C-12-34-56": EVER,
    "BOOTIF=eth0": EVER,
    "BOOTIF=link": EVER,
    "BOOTIF=em1": (Level.NODE_2_6, Level.NODE_3_6),
    "BOOTIF=p1p1": (Level.NODE_2_6, Level.NODE_3_6),
    "BOOTIF=bond0": (Level.NODE_3_0_4, Level.NODE_3_6),
    "BOOTIF=52-54-00-12-34-56": (Level.NODE_3_6, Level.NODE_3_6),
    "BOOTIF=52:54:00:12:34:56": NEVER,
    "BOOTIF=525400123456": NEVER,
    "BOOTIF=ib0": NEVER,
    "BOOTIF=": NEVER,
    "BOOTIF": NEVER,
    "BOOTIF=e4:11:5b:00:00:01": NEVER,
    "storage_init": EVER,
    "storage_init=scsi": EVER,
    "storage_init=usb": EVER,
    "storage_init=cciss": EVER,
    "storage_init=/dev/sda": EVER,
    "storage_init=/dev/mapper/36001405": EVER,
    "storage_init=/dev/sda,/dev/sdb": EVER,
    "storage_init=usb:Generic_STORAGE_DEVICE_0000145418-0:0": EVER,
    "storage_init=scsi:36001405b1d3c": EVER,
    "storage_init=ata": (Level.NODE_2_0, Level.NODE_3_6),
    "storage_init=ata:ALL": (Level.NODE_2_0, Level.NODE_3_6),
    "storage_init=/dev/sda,/dev/sdb;/dev/sdc": (Level.NODE_2_0, Level.NODE_3_6),
    "storage_init=sda": NEVER,
    "storage_init=virtio": NEVER,
    "storage_init=": NEVER,
    "storage_init=/dev/sda;": NEVER,
    "storage_init=/dev/sda;reboot": NEVER,
    "storage_initx": NEVER,
    "ovirt_init=/dev/sda": EVER,
    "storage_vol=::::8192:-1": EVER,
    "storage_vol=:1024::5:2048:0:4096:-1": EVER,
    "storage_vol=1:2:3:4:5:6:7:8:9": NEVER,
    "storage_vol=4096,Swap:10240,Data": (Level.NODE_2_6, Level.NODE_3_6),
    "storage_vol=4096,Home": NEVER,
    "mem_overcommit=0.5": EVER,
    "mem_overcommit=2": EVER,
    "mem_overcommit=half": NEVER,
    "mem_overcommit": NEVER,
    "ip=dhcp": EVER,
    "ip=10.0.0.5": EVER,
    "ip=10.0.0.5::10.0.0.1:255.255.255.0": EVER,
    "ip=10.0.0.5:!myipfn!:10.0.0.1:255.255.255.0": EVER,
    "ip=10.0.0.5::10.0.0.1:255.255.255.0:::none": (Level.NODE_3_2_EL7, Level.NODE_3_6),
    "ip=10.0.0.5::10.0.0.1:255.255.255.0:n1:em1:none": (Level.NODE_3_2_EL7, Level.NODE_3_6),
    "ip=10.0.0.5::10.0.0.1:255.255.255.0:n1:em1:dhcp": NEVER,
    "ip=off": NEVER,
    "ip=10.0.0.256": NEVER,
    "ip=10.0.0.5/24": NEVER,
    "ip=fd00::5": NEVER,
    "netmask=255.255.255.0": EVER,
    "gateway=10.0.0.1": EVER,
    "ipv6=auto": EVER,
    "ipv6=dhcp": EVER,
    "ipv6=static": (Level.NODE_3_0, Level.NODE_3_6),
    "ipv6=fd00::1": NEVER,
    "dns=10.0.0.1,10.0.0.2": EVER,
    "dns=ns.example.com": NEVER,
    "dns=10.0.0.1;10.0.0.2": NEVER,
    "ntp=10.0.0.1,ntp.example.com": EVER,
    "ntp=off": (Level.NODE_3_6, Level.NODE_3_6),
    "vlan=100": EVER,
    "vlan=100:eth0": (Level.NODE_3_0, Level.NODE_3_6),
    "vlan=eth0.100": NEVER,
    "bond_setup=bond0:eth0,eth1:mode=1": (Level.NODE_3_0_4, Level.NODE_3_2),
    "bond_setup=bond0:eth0,eth1:mode=1,miimon=100": NEVER,
    "bond_setup=bond0": NEVER,
    "bond=bond0:eth0,eth1": (Level.NODE_3_2_EL7, Level.NODE_3_6),
    "bond=bond0:eth0,eth1:mode=1": (Level.NODE_3_2_EL7, Level.NODE_3_6),
    "bond=bond0:eth0,eth1:mode=1,miimon=100": (Level.NODE_3_6, Level.NODE_3_6),
    "bond=bond0:eth0,eth1:mode=1:miimon=100": NEVER,
    "bond=bond=bond0:eth0,eth1": NEVER,
    "bonding.miimon=100": EVER,
    "network_layout=bridged": (Level.NODE_3_0, Level.NODE_3_6),
    "network_layout=flat": NEVER,
    "hostname=n1.example.com": EVER,
    "hostname=-n1": NEVER,
    "hostname=n_1": NEVER,
    "adminpw=$6$salt$" + "x" * 86: EVER,
    "adminpw=$1$salt$" + "x" * 22: EVER,
    "adminpw=abcdefghijklm": EVER,
    "adminpw=secret": NEVER,
    "rootpw=": NEVER,
    "rootpw=$2b$12$abc": NEVER,
    "rhevm_admin_password=$5$salt$" + "x" * 43: (Level.NODE_2_0, Level.NODE_3_6),
    "ssh_pwauth=1": EVER,
    "ssh_pwauth=true": EVER,
    "ssh_pwauth=0": EVER,
    "ssh_pwauth=yes": NEVER,
    "management_server=rhevm.example.com": EVER,
    "management_server=rhevm.example.com:8443": EVER,
    "management_server=[fd00::1]:443": NEVER,
    "management_server=https://rhevm": NEVER,
    "management_server_fingerprint=" + ":".join(["AB"] * 20): (Level.NODE_2_0, Level.NODE_3_6),
    "management_server_fingerprint=" + ":".join(["AB"] * 32): NEVER,
    "local_boot_trigger=http://10.0.0.1/xcatrhevh/rhevh_finish_install/@HOSTNAME@": (Level.NODE_2_0, Level.NODE_3_6),
    "local_boot_trigger=http://!myipfn!:8080/x?a=b&c": (Level.NODE_2_0, Level.NODE_3_6),
    "local_boot_trigger=http://[fd00::1]/x": NEVER,
    "local_boot_trigger=http://h/{a}": NEVER,
    "local_boot_trigger=ftp://h/x": NEVER,
    "local_boot_trigger=http://h/$(reboot)": NEVER,
    "reinstall": (Level.NODE_2_0, Level.NODE_3_6),
    "reinstall=1": NEVER,
    "firstboot=1": (Level.NODE_2_0, Level.NODE_3_6),
    "firstboot=yes": NEVER,
    "install": (Level.NODE_2_0, Level.NODE_3_6),
    "installer_debug=1": NEVER,
    "stateless": (Level.NODE_2_3, Level.NODE_3_6),
    "uninstall": NEVER,
    "uninstall_x=0": NEVER,
    "upgrade": EVER,
    "upgraded=1": NEVER,
    "Upgrade": NEVER,
    "STATELESS=1": NEVER,
    "bootif=eth0": NEVER,
    "keyboard=de": (Level.NODE_3_0, Level.NODE_3_6),
    "keyboards=de": NEVER,
    "disable_aes_ni=yes": (Level.NODE_3_0, Level.NODE_3_6),
    "disable_aes_ni=true": NEVER,
    "cim_enabled=1": (Level.NODE_2_3, Level.NODE_3_0),
    "cim_passwd=abcdefghijklm": (Level.NODE_2_3, Level.NODE_3_6),
    "syslog=10.0.0.7:514": EVER,
    "syslog=$(reboot)": NEVER,
    "syslog=a`b`": NEVER,
    "snmp_password=short": NEVER,
    "snmp_password=longenough": (Level.NODE_2_0, Level.NODE_3_6),
    "kdump_ssh=root@h": (Level.NODE_3_2, Level.NODE_3_6),
    "console=ttyS0,115200n8": EVER,
    "rd.luks=0": EVER,
    "nomodeset": EVER,
    "a=b'c": NEVER,
    "a=b|c": NEVER,
    "a=\x07": NEVER,
    "größe=1": NEVER,
}


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_taken_by_the_releases_that_read_it_so(word, level):
    first, last = WORDS[word]
    if first <= level <= last and (word.partition("=")[0], level) not in FATAL:
        check(word, level, "addkcmdline")
    else:
        with pytest.raises(Usage, match="^addkcmdline: ") as caught:
            check(word, level, "addkcmdline")
        assert "\n" not in str(caught.value) and caught.value.args


@pytest.mark.parametrize(
    "family, version, build, level",
    [
        ("rhevh", "5.8", "", Level.NODE_1),
        ("rhevh", "6.2", "", Level.NODE_2_0),
        ("rhevh", "6.3.20120926", "", Level.NODE_2_3),
        ("rhevh", "6.5", "20140112.0.el6", Level.NODE_3_0_4),
        ("rhevh", "6.7", "20150911.0.el6ev", Level.NODE_3_2),
        ("rhevh", "7.1", "20150512.1.el7ev", Level.NODE_3_2_EL7),
        ("rhevh", "7.2", "20160219.0.el7ev", Level.NODE_3_2_EL7),
        ("rhevh", "7.3", "20170424.0.el7ev", Level.NODE_3_6),
        ("rhevh", "7", "", Level.NODE_3_2_EL7),
        ("rhevh", "9.9", "", Level.NODE_3_6),
        ("ovirt", "1.9", "", Level.NODE_1),
        ("ovirt", "2.0.2", "", Level.NODE_2_0),
        ("ovirt", "2.2", "", Level.NODE_2_2),
        ("ovirt", "2.2.2", "2.2.fc16", Level.NODE_2_2),
        ("ovirt", "2.2.3", "1.1.fc16", Level.NODE_2_2_3),
        ("ovirt", "2.6.1", "20120228.fc18", Level.NODE_2_6),
        ("ovirt", "3.0.1", "1.0.2.vdsm.el6", Level.NODE_3_0),
        ("ovirt", "3.0.4", "1.0.20140129.el6", Level.NODE_3_0_4),
        ("ovirt", "3.4", "20140508.2.el6", Level.NODE_3_0_4),
        ("ovirt", "3.5", "0.201502231653.el6", Level.NODE_3_2),
        ("ovirt", "3.5", "0.999.201502231653.el7.centos", Level.NODE_3_2_EL7),
        ("ovirt", "3.6", "", Level.NODE_3_6),
    ],
)
def test_releases_have_the_parser_of_their_time(family, version, build, level):
    assert level_of(family, version, build) == level


@pytest.mark.parametrize(
    "word, level, remedy",
    [
        ("bond_setup=bond0:em1,em2:mode=1", Level.NODE_3_6, "Write bond= in its place"),
        ("bond=bond0:em1,em2:mode=1", Level.NODE_3_2, "Write bond_setup= in its place"),
        ("bond=bond0:em1,em2:mode=1", Level.NODE_2_6, "Leave bond out"),
        (
            "bond_setup=bond0:em1,em2:mode=1,miimon=100",
            Level.NODE_3_2,
            "Write bond_setup=bond0:eth0,eth1:mode=1 bonding.mode=1 bonding.miimon=100",
        ),
        ("ssh_pwauth=1", Level.NODE_2_2, "Leave ssh_pwauth out"),
    ],
)
def test_a_word_of_another_release_is_named(word, level, remedy):
    with pytest.raises(Usage) as caught:
        check(word, level, "addkcmdline")
    assert caught.value.hint == remedy


def test_the_kernels_own_words_do_not_count_as_unknown():
    words = ["root=x", "console=ttyS0", "rd.luks=0", "quiet", "ip=dhcp", "adminpw=x"]
    assert unknown_to_kernel(words) == ["ip", "adminpw"]
