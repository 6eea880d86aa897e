"""A full Enterprise Linux as the embedded xcatd installs it: kernel arguments, kickstart, scripts, the end."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemonhelp import Inside
from xcat_rhev.media.fulllinux import read_packages

MAJORS = {"rhels6.10": 6, "centos7.9": 7, "rhels8.6.0": 8, "rocky9.4": 9, "alma10.0": 10}
ADDRESS = "10.0.0.11"


class Site(Inside):
    """A daemon with a tree of packages for one system, and a node that gets it."""

    def __init__(self, folder: Path, system: str = "rocky9.4") -> None:
        super().__init__(folder)
        self.install, self.image = self.home.root / "install", f"{system}-x86_64-install-compute"
        self.tree = self.install / system / "x86_64"
        (self.tree / "images/pxeboot").mkdir(parents=True)
        (self.tree / "AppStream").mkdir()
        for name in ("vmlinuz", "initrd.img"):
            (self.tree / "images/pxeboot" / name).write_bytes(name.encode() * 999)
        (self.install / "postscripts/keys").mkdir(parents=True)
        for name in ("one", "two", "keys/m.pub"):
            (self.install / "postscripts" / name).write_text("#!/bin/sh\necho $0 $NODE $OTHERPKGDIR $* >> ran\n")
        (folder / "list").write_text("# of the site\n@core\nwget\n-iwl7260-firmware\n")
        (folder / "others").write_text("ovirt/ovirt-engine\n")
        self.rows(system)

    def rows(self, system: str) -> None:
        for row in (
            "key=master site.value=10.0.0.1",
            f"key=installdir site.value={self.install}",
            f"key=tftpdir site.value={self.home.root}/tftpboot",
            "key=domain site.value=example.com",
            "key=system,username=root passwd.password=Secret123",
            f"imagename={self.image} osimage.osvers={system} osimage.osarch=x86_64 osimage.profile=compute "
            "osimage.provmethod=install osimage.imagetype=linux",
            f"imagename={self.image} linuximage.pkgdir={self.tree} linuximage.pkglist={self.home.root}/list "
            f"linuximage.otherpkglist={self.home.root}/others linuximage.otherpkgdir={self.install}/post/otherpkgs/x",
            f"node=n1 nodelist.groups=all hosts.ip={ADDRESS} mac.mac=52:54:00:00:00:11 noderes.netboot=xnba",
            "node=n1 noderes.xcatmaster=10.0.0.1",
        ):
            self.type("tabch", *row.split())
        self.type("tabch", f"imagename={self.image}", "osimage.postscripts=one a b,two keys/m.pub")
        self.type("tabch", f"imagename={self.image}", "osimage.postbootscripts=two last")

    def nodeset(self) -> list[str]:
        return self.type("nodeset", f"osimage={self.image}", on="n1")

    def kickstart(self) -> str:
        return (self.install / "autoinst/n1").read_text()

    def boot_file(self) -> str:
        return (self.home.root / "tftpboot/xcat/xnba/nodes/n1").read_text()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "home")
    yield made
    made.close()


@pytest.mark.parametrize("system", MAJORS)
def test_each_release_reads_its_kickstart_without_a_word(tmp_path: Path, system: str) -> None:
    pytest.importorskip("pykickstart", reason="pykickstart reads the kickstarts")
    parser, version = (importlib.import_module(f"pykickstart.{name}") for name in ("parser", "version"))
    site = Site(tmp_path / "home", system)
    try:
        assert "n1: install" in " ".join(site.nodeset()), site.nodeset()
        handler = version.makeVersion(f"RHEL{MAJORS[system]}")
        parser.KickstartParser(handler).readKickstartFromString(site.kickstart())
    finally:
        site.close()
    assert handler.url.url == f"http://10.0.0.1/install/{system}/x86_64"
    assert handler.packages.packageList == ["wget"] and handler.packages.excludedList == ["iwl7260-firmware"]
    assert len(handler.scripts) == 2 and handler.rootpw.isCrypted


def test_kernel_and_arguments_are_those_of_the_tree(site: Site) -> None:
    site.nodeset()
    text = site.boot_file()
    assert "inst.ks=http://10.0.0.1/install/autoinst/n1" in text and "xcat/osimage/" in text
    assert (site.home.root / f"tftpboot/xcat/osimage/{site.image}/vmlinuz").read_bytes() == b"vmlinuz" * 999
    assert "Secret123" not in site.kickstart()


def test_enterprise_linux_6_has_words_of_its_own(tmp_path: Path) -> None:
    site = Site(tmp_path / "home", "rhels6.10")
    site.nodeset()
    text, kickstart = site.boot_file(), site.kickstart()
    site.close()
    assert " ks=http://10.0.0.1/install/autoinst/n1 " in text and "inst." not in text
    assert "/etc/rc.d/rc.local" in kickstart and "systemctl" not in kickstart


def node_runs(site: Site, folder: Path, cut: bool = False) -> Path:
    """Do on this machine, below a folder, what the first %post does on a node, and two starts; the first may be cut."""
    home, programs = folder / "node", folder / "bin"
    programs.mkdir()
    (folder / "units").mkdir()
    served = site.install / "postscripts"
    scripts = {
        "curl": 'for last; do :; done\nwhile [ "$1" != -o ]; do shift; done\n'
        f'cp "{served}/${{last#*/postscripts/}}" "$2"',
        "systemctl": "true",
        "yum": f'echo "$@" >> {home}/ran',
    }
    for name, text in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    text = site.kickstart().partition("%post --log=/root/xcat-rhev-post.log\n")[2].partition("%end")[0]
    text = text.replace("/opt/xcat-rhev", str(home)).replace("/etc/systemd/system", str(folder / "units"))
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    for script in (text, f"sh {home}/run first", f"test ! -e {home}/first || sh {home}/run first"):
        done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or cut, done.stdout + done.stderr
    return home


def test_the_node_runs_its_scripts_each_once_with_their_words(site: Site, tmp_path: Path) -> None:
    site.nodeset()
    home = node_runs(site, tmp_path)
    assert (home / "ran").read_text().splitlines() == [
        "./one n1 /install/post/otherpkgs/x a b",
        "./two n1 /install/post/otherpkgs/x keys/m.pub",
        "-y install ovirt-engine",
        "./two n1 /install/post/otherpkgs/x last",
    ]
    assert (home / "keys/m.pub").is_file() and not (home / "first").exists()


def test_a_script_that_lost_its_power_is_run_again(site: Site, tmp_path: Path) -> None:
    (site.install / "postscripts/two").write_text(
        "#!/bin/sh\necho two >> ran\n[ -e was ] || { touch was; kill -9 $PPID; }\n"
    )
    site.type("tabch", f"imagename={site.image}", "osimage.postscripts=")
    site.nodeset()
    home = node_runs(site, tmp_path, cut=True)
    assert (home / "ran").read_text().splitlines() == [
        "-y install ovirt-engine",
        "two",
        "-y install ovirt-engine",
        "two",
    ]
    assert not (home / "first").exists()


def test_it_starts_from_its_disk_when_it_has_told(site: Site) -> None:
    site.nodeset()
    for _ in range(2):
        assert site.type("rhevmupdateflag", ADDRESS, "installed", on="n1") == ["n1: installed"]
    assert site.type("nodeset", "stat", on="n1") == ["n1: boot"]
    row = next(row for row in site.table("nodelist") if row["node"] == "n1")
    assert row["status"] == "booted"
    assert next(row for row in site.table("nodetype") if row["node"] == "n1")["provmethod"] == site.image


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("linuximage.pkgdir=/nowhere", r"/nowhere has no images/pxeboot/vmlinuz. Copy the whole medium there"),
        ("osimage.postscripts=gone", r"there is no script .*/gone"),
        ("osimage.postscripts=one;reboot", r"has signs that a shell would read"),
        ("osimage.postscripts=../etc/one", r"has signs that a shell would read"),
        ("linuximage.pkglist=/nowhere", r"cannot read the list of packages /nowhere"),
        ("linuximage.template=/nowhere", r"cannot read the template /nowhere"),
    ],
)
def test_what_is_not_there_is_one_line(site: Site, change: str, says: str) -> None:
    site.type("tabch", f"imagename={site.image}", change)
    said = site.nodeset()
    assert site.rc == 1 and re.search(says, said[0]), said
    assert not (site.install / "autoinst/n1").exists()


def test_lists_of_packages_include_others(tmp_path: Path) -> None:
    (tmp_path / "below").write_text("wget\nbash\n")
    (tmp_path / "top").write_text(f"#INCLUDE:{tmp_path}/below#\n#a comment\nbash\n@^minimal-environment\n")
    assert read_packages([str(tmp_path / "top"), ""]) == ("wget", "bash", "@^minimal-environment")
