"""What nodes of every generation are started with, for what people write into the tables.

Each line is kept in `mkinstall_lines.txt`; it is also read by a reader of its own, as the installed image would. To
accept a change: XCAT_RHEV_GOLDEN=write pytest tests/unit/commands/test_mkinstall_lines.py, and look at the difference.
"""

import os
import re
from pathlib import Path

import pytest

import media_iso
from fakes import FakeHost
from kernel_line import dracut_ip, from_grub, read_anaconda, read_live
from nameservice import NameService
from xcat_rhev.clock import ManualClock
from xcat_rhev.commands import mkinstall
from xcat_rhev.media.identify import identify
from xcat_rhev.media.iso import read_iso
from xcat_rhev.media.store import MediaStore
from xcat_rhev.messages import Error
from xcat_rhev.plan.context import Context
from xcat_rhev.plan.jobs import Job
from xcat_rhev.run.runner import Runner
from xcat_rhev.xcat.host import Request

GOLDEN = Path(__file__).with_name("mkinstall_lines.txt")
#: The parser each sample's image has: ovirt-node's release times hundred; 0 for Anaconda.
LEVELS = {"rhevh5": 100, "rhevh6": 230, "rhevh7": 360, "ovirt2": 260, "ovirt3": 304, "rhvh4": 0, "ovirt4": 0}
HASH = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
ROOT = "$6$short$" + "WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0"
START = "management_server_fingerprint="
STATIC = {"site": {"managedaddressmode": "static"}}


def adds(words):
    return {"bootparams": {"addkcmdline": words}}


#: Setting -> table -> column -> value; `site` and `networks` are not of the node.
SETTINGS = {
    "plain": {},
    "installnic mac": {"noderes": {"installnic": "mac"}},
    "installnic eth1": {"noderes": {"installnic": "eth1"}},
    "installnic em1": {"noderes": {"installnic": "em1"}},
    "installnic enp3s0": {"noderes": {"installnic": "enp3s0"}},
    "installnic ib0": {"noderes": {"installnic": "ib0"}},
    "installnic a MAC": {"noderes": {"installnic": "52:54:00:AB:CD:EF"}},
    "installnic a MAC with dashes": {"noderes": {"installnic": "52-54-00-AB-CD-EF"}},
    "primarynic eth2": {"noderes": {"primarynic": "eth2"}},
    "primarynic mac": {"noderes": {"primarynic": "mac"}},
    "a bond": {
        "noderes": {"installnic": "bond0"},
        "nics": {"nictypes": "bond0!bond,eth0!ethernet", "nicdevices": "bond0!eth0|eth1"},
    },
    "a bond with options": {
        "noderes": {"installnic": "bond0"},
        "nics": {
            "nictypes": "bond0!bond",
            "nicdevices": "bond0!eth0|eth1",
            "nicextraparams": "eth0!MTU=9000,bond0!mode=4 miimon=100",
        },
    },
    "a bond of nothing": {"noderes": {"installnic": "bond0"}, "nics": {"nictypes": "bond0!bond"}},
    "a VLAN": {"noderes": {"installnic": "eth0.100"}},
    "a MAC for each name": {"mac": {"mac": "52:54:00:00:00:01!n1-ib|52:54:00:00:00:02!n1"}},
    "a MAC without an address": {"mac": {"mac": "52:54:00:00:00:01!*NOIP*|52:54:00:00:00:02!n1-eth1"}},
    "no MAC": {"mac": {"mac": ""}},
    "static": STATIC,
    "static, gateway and name server are the master": {
        **STATIC,
        "noderes": {"xcatmaster": "10.0.0.1"},
        "networks": {"gateway": "<xcatmaster>", "nameservers": "<xcatmaster>,10.0.0.3"},
    },
    "static, master unknown": {**STATIC, "networks": {"nameservers": "<xcatmaster>"}},
    "static, no gateway": {**STATIC, "networks": {"gateway": ""}},
    "static, mask as a prefix": {**STATIC, "networks": {"mask": "/16", "net": "10.0.0.0"}},
    "static, of another card": {
        **STATIC,
        "noderes": {"installnic": "eth1"},
        "nics": {"nicips": "eth0!10.0.0.6,eth1!10.0.0.7|10.1.0.7"},
    },
    "static, of a VLAN": {
        **STATIC,
        "noderes": {"installnic": "eth0.100"},
        "nics": {"nicips": "eth0!10.1.0.6,eth0.100!10.0.0.7"},
        "hosts": {"ip": ""},
    },
    "static, no network": {**STATIC, "networks": {"net": "192.168.0.0"}},
    "static, no address": {**STATIC, "hosts": {"ip": ""}},
    "time servers of the site": {"site": {"ntpservers": "10.0.0.8,10.0.0.9"}},
    "time servers of the network": {"networks": {"ntpservers": "ntp.example.com"}},
    "name servers of the node": {"noderes": {"nameservers": "10.0.0.53,10.0.0.54"}},
    "name servers of the site": {
        **STATIC,
        "site": {"managedaddressmode": "static", "nameservers": "10.0.0.2"},
        "networks": {"nameservers": ""},
    },
    "master by address": {"noderes": {"xcatmaster": "10.0.0.1"}},
    "master by name": {"noderes": {"xcatmaster": "mn.example.com"}},
    "web server on 8080": {"site": {"httpport": "8080"}},
    "master by address, web server on 8080": {"site": {"httpport": "8080"}, "noderes": {"xcatmaster": "10.0.0.1"}},
    "manager with a port": {"hypervisor": {"mgr": "rhevm.example.com:8443"}},
    "manager by address": {"hypervisor": {"mgr": "10.0.0.100"}},
    "manager with a CA": {"hypervisor": {"mgr": "known.example.com"}},
    "no manager": {"hypervisor": {"mgr": ""}},
    "no domain": {"site": {"domain": ""}},
    "MD5 hash": {"passwd": {"admin": "$1$5hmJvJMp$.OoCQQXCm4HhXqqKbGjhU0"}},
    "unreadable hash": {"passwd": {"root": "$y$j9T$abc$def"}},
    "no root password": {"passwd": {"root": ""}},
    "no admin password": {"passwd": {"admin": ""}},
    "disk": adds("storage_init=/dev/sda"),
    "disk by serial": adds("storage_init=scsi:36001405b1d3c"),
    "disks of two groups": adds("storage_init=/dev/sda,/dev/sdb;/dev/sdc"),
    "disk misspelt": adds("storage_init=sda"),
    "disk of the site": {"site": {"rhevhkcmdline": "storage_init=/dev/sda mem_overcommit=0.5 ssh_pwauth=0"}},
    "disk of the site and of the node": {
        "site": {"rhevhkcmdline": "storage_init=/dev/sda"},
        **adds("storage_init=/dev/sdb"),
    },
    "site misspelt": {"site": {"rhevhkcmdline": "uninstall"}},
    "volumes": adds("storage_vol=::::8192:-1"),
    "overcommit": adds("mem_overcommit=0.5"),
    "overcommit misspelt": adds("mem_overcommit=half"),
    "no password logins": adds("ssh_pwauth=0"),
    "stateless": adds("stateless"),
    "keyboard": adds("keyboard=de"),
    "serial console": adds("console=ttyS0,115200n8 nomodeset"),
    "log host of the image": {"linuximage": {"addkcmdline": "syslog=10.0.0.7:514"}},
    "own bond words": adds("bond_setup=bond0:eth0,eth1:mode=1,miimon=100"),
    "dumps by ssh": adds("kdump_ssh=root@10.0.0.7"),
    "own name": adds("hostname=other.example.com"),
    "own manager": adds("management_server=other.example.com:8443"),
    "own trigger": adds("local_boot_trigger=http://10.9.9.9/done?node=n1"),
    "own address": adds("ip=10.0.0.77::10.0.0.254:255.255.255.0"),
    "for xCAT's own eyes": adds("R::quiet #NODEATTRIB:nodetype:arch#"),
    "wipes the disk": adds("uninstall"),
    "wipes the disk unseen": adds("uninstall_old=0"),
    "begins like install": adds("installer_debug=1"),
    "a shell's characters": adds("syslog=$(reboot)"),
    "too long": adds(" ".join(f"rd.something.long{number}={'0123456789' * 4}" for number in range(30))),
    "too many words": adds(" ".join(f"word{number}=1" for number in range(24))),
    "GRUB": {"noderes": {"netboot": "grub2-http"}},
    "GRUB and a list of disks": {"noderes": {"netboot": "grub2"}, **adds("storage_init=/dev/sda;/dev/sdb R::quiet")},
    "GRUB and a MAC like a name": {
        "noderes": {"netboot": "grub2"},
        "mac": {"mac": "e4:11:5b:00:00:01"},
        "linuximage": {"addkcmdline": "console=ttyS0"},
    },
    "GRUB and a quote": {"noderes": {"netboot": "grub2"}, **adds("rd.word='x'")},
    "GRUB and a value of a table": {"noderes": {"netboot": "grub2"}, **adds("#NODEATTRIB:nodetype:arch#")},
    "little memory": {"hwinv": {"memory": "128MB"}},
    "enough memory": {"hwinv": {"memory": "65536MB"}},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An install folder with every medium, and a manager whose CA is known."""
    top = tmp_path_factory.mktemp("site")
    for name, sample in media_iso.SAMPLES.items():
        (top / name).mkdir()
        medium = read_iso(media_iso.write(top / name, sample))
        list(MediaStore(medium, identify(medium), top / "install" / sample.distname / "x86_64").copy())
    known = top / "etc/rhevm/known.example.com"
    known.mkdir(parents=True)
    (known / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\nthe rest of a chain\n")
    return top


def host_for(site, name, setting):
    distname = media_iso.SAMPLES[name].distname
    image = f"{distname}-x86_64-install-compute"
    tables = {
        "site": {
            "installdir": f"{site}/install",
            "tftpdir": f"{site}/tftpboot",
            "xcatconfdir": f"{site}/etc",
            "master": "10.0.0.1",
            "domain": "example.com",
        },
        "networks": {"net": "10.0.0.0", "mask": "255.255.255.0", "gateway": "10.0.0.254", "nameservers": "10.0.0.2"},
        "passwd": {"admin": HASH, "root": ROOT},
        "nodetype": {"os": distname, "arch": "x86_64", "profile": "compute", "provmethod": image},
        "mac": {"mac": "52:54:00:12:34:56"},
        "hosts": {"ip": "10.0.0.5"},
        "hypervisor": {"mgr": "rhevm.example.com"},
        "linuximage": {"pkgdir": f"{site}/install/{distname}/x86_64"},
    }
    for table, columns in setting.items():
        tables[table] = {**tables.get(table, {}), **columns}
    rows = {table: [{"node": "n1", **columns}] for table, columns in tables.items()}
    rows["site"] = [{"key": key, "value": value} for key, value in tables["site"].items()]
    rows["passwd"] = [{"key": "rhevh", "username": user, "password": word} for user, word in tables["passwd"].items()]
    rows["networks"] = [tables["networks"]]
    rows["linuximage"] = [{"imagename": image, **tables["linuximage"]}]
    return FakeHost(rows)


def prepared(host):
    request = Request("mkinstall", ("n1",))
    said, jobs = [], []
    for item in mkinstall.plan(Context(request, ("n1",), {}, (), host, ManualClock())):
        (jobs if isinstance(item, Job) else said).append(item)
    return [*said, *Runner(None, 1, request.aborted).run(jobs)]


def line_for(site, name, setting):
    """The line that nodeset is handed, or the error."""
    host = host_for(site, name, setting)
    errors = [message.text for message in prepared(host) if isinstance(message, Error)]
    if errors:
        assert not host.bootparams, "a node with an error must not be installed"
        return "ERROR " + " / ".join(errors)
    return host.bootparams["n1"][2]


def golden():
    lines = (line.split(" | ", 2) for line in GOLDEN.read_text().splitlines() if line)
    return {(name, setting): line for name, setting, line in lines}


@pytest.fixture(autouse=True)
def no_name_service(monkeypatch):
    NameService(forward={"mn.example.com": "10.0.0.1"}).install(monkeypatch)


@pytest.mark.parametrize("name", LEVELS)
def test_lines_are_as_they_were(site, name):
    lines = {
        (name, setting): line_for(site, name, columns).replace(str(site), "SITE")
        for setting, columns in SETTINGS.items()
    }
    if os.environ.get("XCAT_RHEV_GOLDEN") == "write":
        kept = {**(golden() if GOLDEN.exists() else {}), **lines}
        GOLDEN.write_text("".join(f"{name} | {setting} | {line}\n" for (name, setting), line in sorted(kept.items())))
    expected = golden()
    assert lines == {key: expected.get(key, "") for key in lines}


@pytest.mark.parametrize(("certificates", "known"), [(0, False), (1, True), (2, False)])
def test_the_ca_that_the_site_names_counts_if_it_is_one(site, tmp_path, certificates, known):
    """Of several nobody knows which is this manager's."""
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n" * certificates)
    line = line_for(site, "rhevh6", {"site": {"rhevmca": str(file)}})
    pinned = line_for(site, "rhevh6", {"hypervisor": {"mgr": "known.example.com"}})
    words = [word for word in pinned.split() if word.startswith(START)]
    assert len(words) == 1
    assert [word for word in line.split() if word.startswith(START)] == (words if known else [])


def test_there_are_lines_enough():
    usable = {setting for (_, setting), line in golden().items() if not line.startswith("ERROR")}
    assert len(usable) >= 40
    assert {name for name, _ in golden()} == set(LEVELS)
    assert len(golden()) == len(LEVELS) * len(SETTINGS)


def usable_lines(live):
    for (name, setting), line in golden().items():
        if not line.startswith("ERROR") and bool(LEVELS[name]) is live:
            columns = SETTINGS[setting]
            added = (columns.get(table, {}).get("addkcmdline", "") for table in ("bootparams", "linuximage"))
            read = " ".join([line, *added]).strip()
            if "netboot" in columns.get("noderes", {}):
                mac = columns.get("mac", {}).get("mac", "52:54:00:12:34:56")
                read = from_grub(f"{read} BOOTIF={mac}")  # which xCAT's grub2 plugin writes last
            yield pytest.param(name, columns, read, id=f"{name}, {setting}")


@pytest.mark.parametrize("name, columns, line", list(usable_lines(live=True)))
def test_a_live_image_installs_itself_by_its_line(name, columns, line):
    read = read_live(line, LEVELS[name])
    values = read.values
    assert read.bootif, "without BOOTIF the interactive installer comes up"
    assert ("INIT" in values) is ("STATELESS" not in values), "without storage_init likewise"
    passwords = columns.get("passwd", {})
    assert values["ADMINPW"] == passwords.get("admin", HASH)
    assert values["ROOTPW"] == ROOT
    assert "UNINSTALL" not in values and "UPGRADE" not in values
    root = "root=/rhevh.iso rootfstype=iso9660" if name == "rhevh5" else "root=live:/{}.iso rootfstype=auto"
    root = root.format("rhevh" if name.startswith("rhevh") else "ovirt")
    assert line.startswith(f"{root} ro liveimg rootflags=loop BOOTIF=")
    assert line.count(" root=") == 0 and line.count("rootflags=") == 1
    assert not {"check", "rd.live.check", "quiet", "rhgb"} & set(line.split())
    added = "BOOT_IMAGE=xcat/osimage/x/vmlinuz0 initrd=xcat/osimage/x/initrd0.img BOOTIF=01-00-00-00-00-00-00"
    assert len(f"{line} {added}".replace("/x/", f"/{media_iso.SAMPLES[name].distname}-x86_64-install-compute/")) <= 1966
    if "STATELESS" in values:
        assert not {"FIRSTBOOT", "TRIGGER"} & set(values), "it touches no disk, and starts over the network again"
    elif LEVELS[name] >= 200:
        assert values["FIRSTBOOT"] and values["INSTALL"]
        assert values["TRIGGER"].startswith("http://")
        assert values.get("RHEVM_PW", ROOT) == ROOT
    else:
        assert "local_boot" not in line, "RHEV-H 5 takes any local_boot* for an upgrade"
    assert all(word.startswith(("R::", "#")) for word in read.unknown), "words that nobody reads"


@pytest.mark.parametrize("name, columns, line", list(usable_lines(live=False)))
def test_anaconda_finds_what_it_needs_in_its_line(name, columns, line):
    read = read_anaconda(line)
    (tree,) = read["inst.stage2"]
    (kickstart,) = read["inst.ks"]
    assert re.fullmatch(r"http://[a-z0-9.]+(:\d+)?/install/(rhevh4\.3|ovirt4\.5\.5)/x86_64", tree)
    assert kickstart == tree.partition("/install/")[0] + "/install/autoinst/n1"
    found = read["ip"][0]
    interface = found.partition(":")[0]
    if found.endswith(":dhcp"):
        assert interface not in ("", "dhcp")
    elif "ip=10.0.0.77" not in line:
        assert dracut_ip(found)["method"] in ("dhcp", "none")
    for boot in read.get("BOOTIF", []):
        assert re.fullmatch(r"01(-[0-9a-f]{2}){6}", boot)
    assert "!myipfn!" not in line and "adminpw" not in line and "$6$" not in line
    assert len(line) <= 1900


@pytest.mark.parametrize("name", LEVELS)
def test_the_longest_line_is_one_that_pxelinux_hands_over_whole(site, name):
    host = host_for(site, name, adds("rd.long=x"))
    prepared(host)
    kernel, initrd, line = host.bootparams["n1"]
    whole = f"BOOT_IMAGE={kernel} initrd={initrd} {line} rd.long=x BOOTIF=01-52-54-00-12-34-56"
    fits = "x" * (1966 - len(whole) + 1)
    assert not line_for(site, name, adds(f"rd.long={fits}")).startswith("ERROR")
    assert "have 1967 characters" in line_for(site, name, adds(f"rd.long={fits}x"))


def test_the_counted_words_stay_below_the_kernels_limit():
    for line in golden().values():
        words = [word for word in line.split() if "=" in word and "." not in word.partition("=")[0]]
        assert line.startswith("ERROR") or len(words) < 30
