"""Stand-ins for xCAT's own package and for an earlier version of ours, as .deb and .rpm."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import made_xcat

#: What xCAT's own packages hold where ours might.
XCAT_PATHS = [
    line
    for line in (Path(__file__).parent / "packages/xcat-paths.txt").read_text().splitlines()
    if not line.startswith("#")
]

SPEC = """
Name: xCAT-server
Version: {version}
Release: 1
Summary: Stand-in for xCAT
License: EPL-1.0
BuildArch: noarch
AutoReqProv: no
%description
Stand-in.
%install
cp -r {folder}/. %{{buildroot}}
%files
/etc
/install
/opt
/stub
/tftpboot
/usr
"""


def stand_in(folder: Path, version: str) -> Path:
    """The files of an xCAT of that version, whose plugin says which it is: all of its paths, most of them empty."""
    files = folder / f"xcat-{version}"
    files.mkdir()
    made_xcat.lay_out(files, "")
    for path in XCAT_PATHS:
        file = files / path.replace("/lib/systemd", "/usr/lib/systemd", 1).lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text("#!/bin/sh\n")
    plugin = files / "opt/xcat/lib/perl/xCAT_plugin/rhevm.pm"
    plugin.write_text(f"package xCAT_plugin::rhevm; # {version}\n")
    return files


def xcat_deb(folder: Path, version: str) -> None:
    """Put xcat-server_VERSION_all.deb into a folder."""
    files = stand_in(folder, version)
    (files / "DEBIAN").mkdir()
    control = f"Package: xcat-server\nVersion: {version}\nArchitecture: all\nMaintainer: nobody\nDescription: xCAT\n"
    (files / "DEBIAN/control").write_text(control)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", files, folder], check=True)


def xcat_rpm(folder: Path, version: str) -> None:
    """Put xCAT-server-VERSION-1.noarch.rpm into a folder."""
    files = stand_in(folder, version)
    spec = folder / "xcat.spec"
    spec.write_text(SPEC.format(version=version, folder=files))
    top = folder / "rpmbuild"
    subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", spec], check=True)
    for made in top.rglob("*.rpm"):
        made.rename(folder / made.name)


def earlier(deb: Path, folder: Path, version: str) -> None:
    """The same package under an earlier version."""
    files = folder / deb.stem
    subprocess.run(["dpkg-deb", "-R", deb, files], check=True)
    control = files / "DEBIAN/control"
    now = re.findall(r"^Version: (.*)", control.read_text(), re.MULTILINE)[0]
    control.write_text(control.read_text().replace(now, version))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", files, folder], check=True)


STUB = """
Name: {name}
Version: 1
Release: 1
Summary: Stub
License: Apache-2.0
BuildArch: noarch
AutoReqProv: no
%description
Stub.
%install
mkdir -p %{{buildroot}}/usr/bin
printf '#!/bin/sh\\necho {name}\\n' > %{{buildroot}}/usr/bin/{name}
chmod 755 %{{buildroot}}/usr/bin/{name}
%files
/usr/bin/{name}
"""


def stub_repository(folder: Path, *names: str) -> None:
    """Make a repository for dnf of packages that hold one program each."""
    for name in names:
        spec = folder / f"{name}.spec"
        spec.write_text(STUB.format(name=name))
        subprocess.run(["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/rpmbuild", spec], check=True)
    subprocess.run(["createrepo_c", "-q", folder], check=True)
