"""Sites: networks, addresses, boot loaders and media, each with each; what is handed over is read by other readers.

The readers are in `kernel_line.py`, written from what ovirt-early, dracut's scripts and NetworkManager's initrd reader
do with a line, and were held against those programs themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

import media_iso
from fakes import FakeHost
from kernel_line import dracut_ip, from_grub, installer_network, live_bond, read_live
from nameservice import NameService
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import mkinstall
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import MediaStore
from xcat_rhev.messages import Error, Warn
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request

MAC = "52:54:00:12:34:56"
HASH = "$6$salt$" + "x" * 86
LACP, BACKUP = "mode=802.3ad,miimon=100", "mode=active-backup,miimon=100,fail_over_mac=1"
#: Name -> noderes.installnic, the nics table, and what the installer has to work over: card, VLAN, slaves, options.
CARDS = {
    "by MAC": ("", {}, ("", 0, "", "")),
    "by Cisco's MAC": ("5254.0012.3456", {}, ("", 0, "", "")),
    "by name": ("em1", {}, ("em1", 0, "", "")),
    "VLAN": ("em1.100", {}, ("em1", 100, "", "")),
    "VLAN by type": ("vlan100", {"nictypes": "vlan100!vlan", "nicdevices": "vlan100!em1"}, ("em1", 100, "", "")),
    "VLAN by network": ("store", {"nictypes": "store!vlan", "nicdevices": "store!em1", "nicnetworks": "store!net1"},
                        ("em1", 100, "", "")),
    "bond": ("bond0", {"nictypes": "bond0!bond", "nicdevices": "bond0!em1|em2"}, ("bond0", 0, "em1,em2", LACP)),
    "InfiniBand": ("bond0", {"nictypes": "bond0!bond,ib0!infiniband", "nicdevices": "bond0!ib0|ib1"},
                   ("bond0", 0, "ib0,ib1", BACKUP)),
    "VLAN on a bond": ("bond0.100", {"nictypes": "bond0!bond", "nicdevices": "bond0!em1|em2"},
                       ("bond0", 100, "em1,em2", LACP)),
    "bridge on all": (
        "br0",
        {
            "nictypes": "br0!bridge,bond0.100!vlan,bond0!bond",
            "nicdevices": "br0!bond0.100,bond0.100!bond0,bond0!em1|em2",
        },
        ("bond0", 100, "em1,em2", LACP),
    ),
}  # fmt: skip
FOUR, SIX, SIX_OF_MASTER = "10.1.0.5", "fd00:1::5", "fd00:1::1"
#: Name -> fixed addresses or none, noderes.nameservers, and the addresses that the node must get.
ADDRESSES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "DHCP": ((), "", ()),
    "DHCP with its own name servers": ((), "10.1.0.2,10.1.0.3", ()),
    "IPv4": ((FOUR,), "", (FOUR,)),
    "IPv6": ((SIX,), "", (SIX,)),
    "both": ((FOUR, SIX), "", (FOUR, SIX)),
}
#: Name -> noderes.xcatmaster, noderes.nfsserver, this host's addresses; the host of files and that of the finish URL.
MASTERS = {
    "facing": ("", "", ("172.16.0.1", "10.1.0.1", SIX_OF_MASTER), "10.1.0.1", "10.1.0.1"),
    "not facing": ("", "", ("172.16.0.1",), "172.16.0.1", "172.16.0.1"),
    "named": ("10.1.0.9", "", ("172.16.0.1", "10.1.0.1"), "10.1.0.9", "10.1.0.9"),
    "files from elsewhere": ("10.1.0.9", "10.1.0.7", ("10.1.0.1",), "10.1.0.7", "10.1.0.9"),
    "the word itself": ("<xcatmaster>", "<xcatmaster>", ("10.1.0.1", SIX_OF_MASTER), "10.1.0.1", "10.1.0.1"),
}
LOADERS = ("xnba", "pxe", "", "grub2", "grub2-http")
LIVE = {"rhevh6": 230, "rhevh7": 360, "ovirt3": 304, "rhevh66": 320, "rhevh71": 320}
EL7 = ("rhevh7", "rhevh71")
INSTALLERS = ("rhvh4", "ovirt4")


def rhevh(version, build, append):
    files = media_iso.live(append, media_iso.RHEV, "rhev-hypervisor", version, build)
    return media_iso.Sample(f"rhev-hypervisor-{version}-{build}.iso", "rhev-hypervisor", files, f"rhevh{version}")


MEDIA = {
    **media_iso.SAMPLES,
    "rhevh66": rhevh("6.6", "20150123.1.el6ev", media_iso.APPEND_EL6),
    "ovirt222": media_iso.Sample(
        "ovirt-node-image-2.2.2-2.2.fc16.iso",
        "ovirt-node-image",
        media_iso.live(media_iso.APPEND_EL6_OLD, "oVirt Node Hypervisor", "ovirt-node-image", "2.2.2", "2.2.fc16"),
        "ovirt2.2.2",
    ),
    "rhevh71": rhevh("7.1", "20150512.1.el7ev", media_iso.APPEND_EL7),
}


def sites() -> Iterator[object]:
    """Each card with each kind of address and each medium; with these, masters and loaders go round."""
    masters = list(MASTERS)
    for (c, card), (a, address), (m, medium) in product(*map(enumerate, (CARDS, ADDRESSES, (*LIVE, *INSTALLERS)))):
        master, loader = masters[(c + a + m) % len(masters)], LOADERS[(2 * c + a + 3 * m) % len(LOADERS)]
        yield pytest.param(card, address, medium, master, loader, id=f"{card}, {address}, {medium}, {master}, {loader}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An install folder with the media."""
    top = tmp_path_factory.mktemp("sites")
    for name in (*LIVE, *INSTALLERS, "ovirt222"):
        medium = read_iso(media_iso.write(top, MEDIA[name]))
        list(MediaStore(medium, identify(medium), top / "install" / MEDIA[name].distname / "x86_64").copy())
    return top


@pytest.fixture(autouse=True)
def no_name_service(monkeypatch):
    NameService().install(monkeypatch)


def site_of(folder, card, address, medium, master, loader):
    installnic, nics, _ = CARDS[card]
    fixed, nameservers, _ = ADDRESSES[address]
    xcatmaster, nfsserver, mine, _, _ = MASTERS[master]
    distname = MEDIA[medium].distname
    image = f"{distname}-x86_64-install-compute"
    ips = {"nicips": f"{installnic}!{'|'.join(fixed)}"} if fixed and nics else {}
    site = {"installdir": f"{folder}/install", "tftpdir": f"{folder}/tftpboot", "master": "172.16.0.1",
            "managedaddressmode": "static" if fixed else "dhcp", "ntpservers": "<xcatmaster>"}  # fmt: skip
    host = FakeHost({
        "site": [{"key": key, "value": value} for key, value in site.items()],
        "networks": [
            {"netname": "net1", "net": "10.1.0.0", "mask": "255.255.255.0", "gateway": "<xcatmaster>",
             "nameservers": "<xcatmaster>", "vlanid": "100"},
            {"netname": "net6", "net": "fd00:1::/64", "mask": "/64", "gateway": "fd00:1::1"},
        ],
        "passwd": [{"key": "rhevh", "username": user, "password": HASH} for user in ("admin", "root")],
        "noderes": [{"node": "n1", "installnic": installnic, "xcatmaster": xcatmaster, "nfsserver": nfsserver,
                     "netboot": loader, "nameservers": nameservers}],
        "nodetype": [{"node": "n1", "os": distname, "arch": "x86_64", "profile": "compute", "provmethod": image}],
        "nodehm": [{"node": "n1", "serialport": "1", "serialspeed": "115200", "serialflow": "hard"}],
        "mac": [{"node": "n1", "mac": MAC}],
        "hosts": [{"node": "n1", "ip": "|".join(fixed) or FOUR}],
        "nics": [{"node": "n1", **nics, **ips}],
        "hypervisor": [{"node": "n1", "mgr": "rhevm.example.com"}],
        "linuximage": [{"imagename": image, "pkgdir": f"{folder}/install/{distname}/x86_64"}],
    })  # fmt: skip
    host.addresses = frozenset(mine)
    return host


def prepared(host):
    request = Request("mkinstall", ("n1",))
    said, jobs = [], []
    for item in mkinstall.plan(Context(request, ("n1",), {}, (), host, ManualClock())):
        (jobs if isinstance(item, Job) else said).append(item)
    said += Runner(None, 1, request.aborted).run(jobs)
    errors, warnings = ([said_.text for said_ in said if isinstance(said_, kind)] for kind in (Error, Warn))
    line = host.bootparams.get("n1", ("", "", ""))[2]
    if host.tables["noderes"][0]["netboot"].startswith("grub2"):
        return from_grub(line), errors, warnings
    return f"{line} BOOTIF=01-{MAC.replace(':', '-')}" if line else "", errors, warnings


@pytest.mark.parametrize("card, address, medium, master, loader", list(sites()))
def test_a_site(folder, card, address, medium, master, loader):
    line, errors, warnings = prepared(site_of(folder, card, address, medium, master, loader))
    if medium in LIVE:
        live(line, errors, warnings, card, address, medium, loader)
    else:
        assert errors == []
        installer(line, warnings, card, address, medium, master, loader, folder)


def live(line, errors, warnings, card, address, medium, loader):
    nic, vlan, slaves, options = CARDS[card][2]
    if address == "IPv6":
        assert "take no fixed IPv6 address" in errors[0]
    elif slaves and LIVE[medium] < 304:
        assert "would not be understood by this image" in errors[0] or "this image does not know" in errors[0]
    elif nic == "em1" and LIVE[medium] < 260:
        assert "'BOOTIF=em1' would not be understood by this image" in errors[0]
    else:
        assert errors == []
        read = read_live(line, LIVE[medium]).values
        bond = live_bond(line, LIVE[medium], medium in EL7)
        assert (bond and (bond.name, bond.slaves)) == ((nic, slaves.split(",")) if slaves else None)
        assert not bond or bond.options == dict(option.split("=") for option in options.split(","))
        # dracut of EL7 reads the word, too, and dies of a tag without its card
        tag = f"{vlan}:{nic}" if LIVE[medium] >= 300 else str(vlan)
        assert read.get("VLAN") == (tag if vlan else None)
        four = ADDRESSES[address][2][:1]
        if medium in EL7:
            assert dracut_ip(read["IP_ADDRESS"])["method"] == ("none" if four else "dhcp")
        assert read["IP_ADDRESS"].partition(":")[0] == (four[0] if four else "dhcp")
        assert read["TRIGGER"].startswith("http://") and line.count("console=") == 2
        early = bool(vlan and slaves and medium in EL7 and not four)
        assert any("asks DHCP over bond0 without the VLAN" in text for text in warnings) == early
        assert any("takes before bond0" in text for text in warnings) == bool(slaves and not loader.startswith("grub2"))


def installer(line, warnings, card, address, medium, master, loader, folder):
    nic, vlan, slaves, options = CARDS[card][2]
    files, finish = MASTERS[master][3:]
    if address == "IPv6" and SIX_OF_MASTER in MASTERS[master][2]:
        files = finish = SIX_OF_MASTER
    read = installer_network(line)
    device = f"{nic}.{vlan}" if vlan else nic
    assert (read.device, read.vlan, read.bond) == (device or MAC, vlan, f"{nic}:{slaves}:{options}" if slaves else "")
    assert read.others == ([] if vlan or slaves or loader.startswith("grub2") or not nic else [MAC])
    fixed = ADDRESSES[address][2]
    assert read.address == (fixed[0] if fixed else "dhcp")
    text = (folder / "install/autoinst/n1").read_text()
    words = next(each for each in text.splitlines() if each.startswith("network")).split()
    given = dict(word.partition("=")[::2] for word in words)
    assert given["--device"] == (nic or MAC) and given.get("--vlanid", "0") == str(vlan)
    assert (given.get("--bondslaves", ""), given.get("--bondopts", "")) == (slaves, options)
    four, six = FOUR if FOUR in fixed else None, f"{SIX}/64" if SIX in fixed else None
    assert (given.get("--ip"), given.get("--ipv6")) == (four, six)
    of_files, of_finish = (f"[{host}]" if ":" in host else host for host in (files, finish))
    assert (
        f"inst.stage2=http://{of_files}/install/" in line and f"inst.ks=http://{of_files}/install/autoinst/n1" in line
    )
    assert f"liveimg --url=http://{of_files}/install/" in text and f"'http://{of_finish}/xcatrhevh/" in text
    assert ("timesource --ntp-server=" if medium == "ovirt4" else "--ntpservers=") + finish in text
    servers = ADDRESSES[address][1].replace(",", " ").split() or ([finish] if four else [])
    assert read.nameservers == servers and given.get("--nameserver", "") == ",".join(servers)
    gateway = finish if finish.startswith("10.1.") else None
    assert given.get("--gateway") == (gateway if four else None) and given.get("--ipv6gateway") == (
        "fd00:1::1" if six else None
    )
    assert any("gets none" in each for each in warnings) == bool(four and not gateway)
    assert line.count("console=") == 2 and "console=ttyS1,115200n8r" in line
    early = medium == "rhvh4" and (vlan or slaves) and not loader.startswith("grub2")
    assert any("rd.bootif=0" in each for each in warnings) == bool(early)


@pytest.mark.parametrize("medium, written", [("ovirt222", False), ("rhevh6", True), ("rhevh7", True)])
def test_logins_by_password_are_not_asked_of_an_image_that_dies_of_it(folder, medium, written):
    line, errors, _ = prepared(site_of(folder, "by MAC", "DHCP", medium, "facing", "xnba"))
    assert errors == [] and ("ssh_pwauth=1" in line.split()) is written


@pytest.mark.parametrize("port", ["ttyS0", "-1", "0x3f8", "\u00b2"])
def test_a_serial_port_is_a_number(folder, port):
    host = site_of(folder, "by MAC", "DHCP", "ovirt4", "facing", "xnba")
    host.tables["nodehm"][0]["serialport"] = port
    assert "nodehm.serialport" in prepared(host)[1][0]


@pytest.mark.parametrize("medium", [*LIVE, *INSTALLERS])
@pytest.mark.parametrize(
    "extra, site_words, mode, warned",
    [
        ("upgrade", "", "UPGRADE", "cannot report when it is updated"),
        ("local_boot", "", "UPGRADE", "cannot report when it is updated"),
        ("", "upgrade", "UPGRADE", "cannot report when it is updated"),
        ("stateless", "", "STATELESS", ""),
        ("", "stateless=1", "STATELESS", ""),
        ("rescue", "", "RESCUE", ""),
        ("upgrade reinstall", "", "UPGRADE", "'reinstall' wipes the volume groups"),
        ("rescue", "firstboot", "RESCUE", "'firstboot' wipes the volume groups"),
        ("upgrade", "storage_init=/dev/sda", "UPGRADE", "'storage_init=/dev/sda' lays out its disks again"),
        ("reinstall=0", "", "", ""),
        ("firstboot", "storage_init=/dev/sda", "", ""),
        ("stateless=0", "", "", ""),
        ("local_boot_trigger=10.0.0.9/done/@HOSTNAME@", "", "", ""),
    ],
)  # fmt: skip
def test_a_mode_word_of_the_site_takes_the_place_of_ours(folder, medium, extra, site_words, mode, warned):
    host = site_of(folder, "by MAC", "DHCP", medium, "facing", "xnba")
    host.tables["bootparams"] = [{"node": "n1", "addkcmdline": extra}]
    host.tables["site"].append({"key": "rhevhkcmdline", "value": site_words})
    line, errors, warnings = prepared(host)
    if medium not in LIVE:
        assert errors == [] and "storage_init" not in line
        return
    if LIVE[medium] == 230 and not line:
        assert "does not know" in errors[0]
        return
    assert errors == []
    read = read_live(f"{line} {extra}", LIVE[medium]).values
    ours = read_live(line.replace(site_words, "") if site_words else line, LIVE[medium]).values
    if mode:
        assert mode in read
        assert not {"INIT", "FIRSTBOOT", "TRIGGER"} & ours.keys(), "none of ours stands beside it"
    else:
        assert "INIT" in read and "TRIGGER" in read
        assert ("FIRSTBOOT" in read) is (extra != "reinstall=0")
    assert (
        bool(warned) == any(warned in text for text in warnings) if warned else not any("wipes" in w for w in warnings)
    )
