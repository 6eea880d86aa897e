"""Media of every generation, made for tests: the files by which they are told, small contents, real ISO images."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import pycdlib

RHEV = "Red Hat Enterprise Virtualization Hypervisor"


def kernel(*, protocol: int = 0x020C, wide: bool = True, cmdline_size: int = 2047, version: bytes = b"") -> bytes:
    """The boot header of an x86 kernel, and nothing behind it."""
    image = bytearray(4096)
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, protocol)
    struct.pack_into("<I", image, 0x238, cmdline_size)
    image[0x236] = 1 if wide else 0
    if version:
        struct.pack_into("<H", image, 0x20E, 0x400)
        image[0x600 : 0x600 + len(version)] = version
    return bytes(image)


APPEND_EL6_OLD = (
    "initrd=initrd0.img root=live:CDLABEL=rhev-hypervisor rootfstype=auto ro liveimg nomodeset check rootflags=ro "
    "crashkernel=512M-2G:64M,2G-:128M elevator=deadline processor.max_cstate=1 install quiet rd_NO_LVM rhgb "
    "rd_NO_LUKS rd_NO_MD rd_NO_DM"
)
APPEND_EL6 = (
    "initrd=initrd0.img root=live:CDLABEL=rhev-hypervisor rootfstype=auto ro liveimg check RD_NO_LVM rd_NO_MULTIPATH "
    "rootflags=ro crashkernel=128M elevator=deadline install quiet max_loop=256 rd.luks=0 rd.md=0 rd.dm=0"
)
APPEND_EL7 = (
    "initrd=initrd0.img root=live:CDLABEL=rhev-hypervisor rootfstype=auto ro liveimg rd.live.check crashkernel=256M "
    "rd_NO_MULTIPATH rootflags=ro elevator=deadline install quiet max_loop=256 rd.luks=0 rd.md=0 rd.dm=0"
)


def menu(product: str, version: str, release: str, append: str) -> bytes:
    """isolinux.cfg of a live image."""
    return (
        f"default linux0\nsay This is the {product} {version} ({release})\nlabel linux0\n  kernel vmlinuz0\n"
        f"  append {append}\nlabel check0\n  kernel vmlinuz0\n  append {append} check0\n"
    ).encode()


def version_file(product: str, package: str, version: str, release: str) -> bytes:
    """isolinux/version of a live image."""
    return (
        f"PRODUCT='{product}'\nPRODUCT_SHORT='{product}'\nPRODUCT_CODE=''\nRECIPE_SHA256=''\nRECIPE_RPM=''\n"
        f"PACKAGE={package}\nVERSION={version}\nRELEASE={release}\n"
    ).encode()


def treeinfo(arch: str, version: str, variant: str = "") -> bytes:
    """.treeinfo of an Anaconda installer."""
    return (
        f"[general]\nfamily = Red Hat\nversion = {version}\narch = {arch}\n"
        + (f"variant = {variant}\n" if variant else "")
        + "[stage2]\nmainimage = images/install.img\n"
    ).encode()


@dataclass(frozen=True)
class Sample:
    """One medium.

    Attributes:
        file: The name of its image.
        label: Its volume label.
        files: Path -> contents.
        distname: What it must be taken for; empty if for none of ours.
        arch: Likewise.
        kickstart: Likewise.
    """

    file: str
    label: str
    files: Mapping[str, bytes]
    distname: str = ""
    arch: str = "x86_64"
    kickstart: bool = False
    links: Mapping[str, str] = field(default_factory=dict)


def live(append: str, product: str, package: str, version: str, release: str, **more: bytes) -> dict[str, bytes]:
    """The files of a live image."""
    files = {
        "isolinux/vmlinuz0": kernel(),
        "isolinux/initrd0.img": gzip.compress(b"an initrd of " + version.encode(), mtime=0),
        "isolinux/isolinux.cfg": menu(product, version, release, append),
        "isolinux/isolinux.bin": b"boot loader",
        "LiveOS/squashfs.img": b"hsqs" + version.encode() * 3000,
        "LiveOS/osmin.img": b"small",
    }
    if package:
        files["isolinux/version"] = version_file(product, package, version, release)
    return {**files, **more}


def newc(name: str, data: bytes) -> bytes:
    """One member of a newc archive."""
    encoded = name.encode() + b"\0"
    fields = (1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08x" % value for value in fields) + encoded
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


SQUASHFS = b"hsqs" + bytes(range(256)) * 700
_IMAGE = "./usr/share/redhat-virtualization-host/image/redhat-virtualization-host-4.3-20190404.0.el7_6.squashfs.img"
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "xz": lzma.compress,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}


def rpm(payload: bytes | None = None, compress: str = "xz") -> bytes:
    """An RPM package as far as its payload's reader looks: lead, two headers, compressed archive."""
    archive = (
        payload
        if payload is not None
        else (newc(_IMAGE + ".meta", b"not this one") + newc(_IMAGE, SQUASHFS) + newc("TRAILER!!!", b""))
    )
    lead = b"\xed\xab\xee\xdb\x03\0".ljust(96, b"\0")

    def header(entries: int, store: bytes) -> bytes:
        return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">II", entries, len(store)) + bytes(16 * entries) + store

    signature = header(2, b"signature")
    signature += bytes(-len(signature) % 8)
    return lead + signature + header(3, b"the header proper") + COMPRESSORS[compress](archive)


def anaconda(
    version: str, arch: str = "x86_64", variant: str = "", more: Mapping[str, bytes] | None = None
) -> dict[str, bytes]:
    """The files of an Anaconda installer."""
    return {
        ".discinfo": b"1555000000.0\nRed Hat\nx86_64\n",
        ".treeinfo": treeinfo(arch, version, variant),
        "images/pxeboot/vmlinuz": kernel(),
        "images/pxeboot/initrd.img": gzip.compress(b"anaconda", mtime=0),
        "images/install.img": b"stage 2",
        "isolinux/isolinux.cfg": b"label linux\n  append initrd=initrd.img inst.stage2=hd:LABEL=x quiet\n",
        **(more or {}),
    }


_RHVH_RPM = "Packages/redhat-virtualization-host-image-update-4.3-1.el7.noarch.rpm"

SAMPLES = {
    "rhevh5": Sample(
        "rhev-hypervisor-5.8-20120202.0.iso",
        "rhev-hypervisor",
        live(
            "initrd=initrd0.img root=CDLABEL=rhev-hypervisor rootfstype=iso9660 ro liveimg check quiet",
            RHEV,
            "",
            "5.8",
            "20120202.0.el5_8",
        ),
        "rhevh5.8",
    ),
    "rhevh6": Sample(
        "rhev-hypervisor6-6.3-20120926.0.el6_3.iso",
        "rhev-hypervisor6",
        live(APPEND_EL6_OLD, RHEV, "rhev-hypervisor", "6.3", "20120926.0.el6_3"),
        "rhevh6.3",
    ),
    "rhevh7": Sample(
        "rhev-hypervisor7-7.3-20170424.0.iso",
        "rhevh-7.3",
        live(APPEND_EL7, RHEV, "rhev-hypervisor7", "7.3", "20170424.0.el7ev", **{"EFI/BOOT/BOOTX64.EFI": b"MZ"}),
        "rhevh7.3",
    ),
    "ovirt2": Sample(
        "ovirt-node-iso-2.6.1-20120228.fc18.iso",
        "ovirt-node-iso",
        live(APPEND_EL6, "oVirt Node Hypervisor", "ovirt-node-iso", "2.6.1", "20120228.fc18"),
        "ovirt2.6.1",
    ),
    "ovirt3": Sample(
        "ovirt-node-iso-3.0.4-1.0.20140129.el6.iso",
        "ovirt-node-image",
        live(APPEND_EL6, "oVirt Node Hypervisor", "ovirt-node-image", "3.0.4", "1.0.20140129.el6"),
        "ovirt3.0.4",
    ),
    "rhvh4": Sample(
        "RHVH-4.3-20190404.0-RHVH-x86_64-dvd1.iso",
        "RHVH-4.3 RHVH.x86_64",
        anaconda("4.3", more={_RHVH_RPM: rpm()}),
        "rhevh4.3",
        kickstart=True,
    ),
    "ovirt4": Sample(
        "ovirt-node-ng-installer-4.5.5-2023113015.el9.iso",
        "CentOS-Stream-9-BaseOS-x86_64",
        anaconda(
            "9",
            variant="ovirt-node",
            more={
                "ovirt-node-ng-image.squashfs.img": SQUASHFS,
                "interactive-defaults.ks": b"liveimg --url=file:///x\n",
            },
        ),
        "ovirt4.5.5",
        kickstart=True,
    ),
}

OTHERS = {
    "rhel": Sample("rhel-server-7.3-x86_64-dvd.iso", "RHEL-7.3 Server.x86_64", anaconda("7.3")),
    "centos": Sample("CentOS-8.iso", "CentOS-8-x86_64-dvd", anaconda("8")),
    "live": Sample("Fedora-Live.iso", "Fedora-Live", live(APPEND_EL6, "Fedora", "", "20", "1")),
    "esx": Sample("esx.iso", "ESXI-6.5.0", {"vmkernel.gz": b"x", "boot.cfg": b"bootstate=0\n"}),
    "ubuntu": Sample("ubuntu.iso", "Ubuntu", {"disk/info": b"Ubuntu 20.04", "isolinux/isolinux.cfg": b"default x"}),
    "windows": Sample("windows.iso", "CCCOMA_X64FRE", {"setup.exe": b"MZ", "sources/install.wim": b"MSWIM"}),
}


def write(path: Path, sample: Sample, *, rock_ridge: bool = True, joliet: bool = True, udf: bool = False) -> Path:
    """Write a sample as an ISO image.

    Args:
        path: A folder, or the image itself.
        sample: What to write.
        rock_ridge, joliet, udf: Which names it has besides those of ISO 9660.
    """
    target = path / sample.file if path.is_dir() else path
    image = pycdlib.PyCdlib()
    image.new(
        interchange_level=3,
        joliet=3 if joliet else None,
        rock_ridge="1.09" if rock_ridge else None,
        udf="2.60" if udf else None,
        vol_ident=sample.label[:16],
    )
    made: set[str] = set()

    def names(path: str) -> dict[str, Any]:
        found = {"rr_name": path.rpartition("/")[2]} if rock_ridge else {}
        found.update({"joliet_path": "/" + path} if joliet else {})
        return {**found, **({"udf_path": "/" + path} if udf else {})}

    def folders(path: str) -> None:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in made:
                made.add(folder)
                image.add_directory(plain(folder), **names(folder))

    for name, data in sample.files.items():
        folders(name)
        image.add_fp(io.BytesIO(data), len(data), plain(name) + ";1", **names(name))
    for name, to in sample.links.items():
        folders(name)
        image.add_symlink(plain(name) + ";1", rr_symlink_name=name.rpartition("/")[2], rr_path=to)
    image.write(str(target))
    image.close()
    with target.open("r+b") as stream:  # pycdlib takes no label beyond Joliet's 16 characters; mkisofs does
        stream.seek(32768 + 40)
        stream.write(sample.label.encode().ljust(32))
    return target


def plain(path: str) -> str:
    """A path in ISO 9660's own alphabet."""
    made = []
    for part in path.upper().split("/"):
        stem, dot, suffix = part.rpartition(".")
        safe = "".join(c if c.isalnum() else "_" for c in (stem if dot else part))
        made.append(f"{safe or '_'}.{''.join(c if c.isalnum() else '_' for c in suffix)}" if dot else safe)
    return "/" + "/".join(made)
