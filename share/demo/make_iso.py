#!/usr/bin/env python3
"""Make a small ISO that is laid out and boots like a RHEV-H live image, for the demo and for the tests that boot it.

    python share/demo/make_iso.py OUT.iso [--size MIB]

Kernel and modules come from Debian's cloud kernel package (fetched with apt-get, unpacked with dpkg, installed nowhere)
or from /boot; the rest is a static busybox and the shell scripts beside this file. What cannot be had is replaced by a
file that says so, and the last lines printed tell it.
"""

from __future__ import annotations

import argparse
import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

try:
    import pycdlib
except ImportError:
    sys.exit("the ISO is written with pycdlib. Run: pip install pycdlib")

HERE = Path(__file__).parent
#: Dependencies first.
MODULES = (
    "cdrom",
    "isofs",
    "loop",
    "squashfs",
    "overlay",
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "failover",
    "net_failover",
    "virtio_net",
    "virtio_blk",
)
PRODUCT = "Red Hat Enterprise Virtualization Hypervisor"
PLACEHOLDER = b"placeholder: the machine that made this ISO had no %s\n"
APPLETS = (
    "sh cat mkdir mount umount insmod sleep sha256sum ls ip udhcpc wget hostname chroot dd sync reboot poweroff tr cut "
    "grep sed ln echo test head wc blockdev mknod uname switch_root ifconfig route cmp"
).split()


@dataclass
class Parts:
    """What an image is made of.

    Attributes:
        kernel: The kernel's bytes.
        modules: File name -> bytes, in the order to load them.
        busybox: A static busybox, or empty.
        missing: What could not be had, in words.
    """

    kernel: bytes
    modules: dict[str, bytes]
    busybox: bytes
    missing: list[str] = field(default_factory=list)


def make(out: Path, size_mib: int = 0, version: str = "6.6", release: str = "20150123.1.el6ev") -> list[str]:
    """Make the image.

    Args:
        out: Where to.
        size_mib: Fill it up to about this size with bytes that do not compress.
        version: What `isolinux/version` says.
        release: Likewise.

    Returns:
        What is missing from it, in words; nothing means that it boots.
    """
    parts = gather()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        files: dict[str, bytes | Path] = {
            "isolinux/vmlinuz0": parts.kernel,
            "isolinux/initrd0.img": initramfs(parts),
            "isolinux/isolinux.cfg": isolinux_cfg(version, release),
            "isolinux/version": version_file(version, release),
            "LiveOS/squashfs.img": squashfs(parts, work),
            "EFI/BOOT/BOOTX64.conf": b"default=0\n",
        }
        wanted = size_mib - sum(len(data) for data in files.values() if isinstance(data, bytes)) // (1 << 20)
        if wanted > 0:
            files["LiveOS/filler.bin"] = filler(work / "filler", wanted)
        write_iso(out, files, "rhev-hypervisor")
    return parts.missing


def gather() -> Parts:
    """Find kernel, modules and busybox on this machine or in its package archive."""
    missing: list[str] = []
    kernel, modules = _kernel()
    if not kernel:
        kernel = PLACEHOLDER % b"kernel"
        missing.append("no kernel: neither from apt-get nor in /boot; isolinux/vmlinuz0 is a placeholder")
    elif not modules:
        missing.append("no kernel modules: the image can be copied and served, but stops early when it boots")
    busybox = _busybox()
    if not busybox:
        missing.append("no static busybox: the image can be copied and served, but does not boot")
    if not shutil.which("mksquashfs"):
        missing.append("no mksquashfs (package squashfs-tools): LiveOS/squashfs.img is a placeholder")
    return Parts(kernel, modules, busybox, missing)


def _kernel() -> tuple[bytes, dict[str, bytes]]:
    tree = _package_tree(_kernel_package())
    for top in filter(None, (tree, Path("/"))):
        kernels = sorted((top / "boot").glob("vmlinuz-*"))
        if kernels and os.access(kernels[-1], os.R_OK):
            return kernels[-1].read_bytes(), _modules(top / "lib/modules" / kernels[-1].name.partition("-")[2])
    return b"", {}


def _kernel_package() -> str:
    """The package that Debian's newest cloud kernel is in."""
    for line in (_ran(["apt-cache", "depends", "linux-image-cloud-amd64"]) or "").splitlines():
        word, _, package = line.strip().partition(": ")
        if word == "Depends" and package.startswith("linux-image-"):
            return package
    return ""


def _modules(folder: Path) -> dict[str, bytes]:
    found = {path.name[:-3].replace("-", "_"): path for path in folder.rglob("*.ko")}
    return {f"{name}.ko": found[name].read_bytes() for name in MODULES if name in found}


def _busybox() -> bytes:
    tree = _package_tree("busybox-static")
    candidates = [tree / "bin/busybox", tree / "usr/bin/busybox"] if tree else []
    for path in (*candidates, Path("/bin/busybox"), Path("/sbin/busybox"), Path("/usr/sbin/busybox")):
        if path.is_file() and b"/ld-linux" not in path.read_bytes():
            return path.read_bytes()
    return b""


def _package_tree(package: str) -> Path | None:
    """Unpack a Debian package into the cache, without installing it; None where that cannot be done."""
    if not package or not shutil.which("apt-get") or not shutil.which("dpkg"):
        return None
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xcat-rhev"
    tree = cache / package
    if tree.is_dir():
        return tree
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        _ran(["apt-get", "-q", "download", package], cwd=folder)
        packages = list(Path(folder).glob("*.deb"))
        if not packages:
            return None
        fresh = Path(folder) / "tree"
        if _ran(["dpkg", "-x", str(packages[0]), str(fresh)]) is None:
            return None
        fresh.rename(tree)
    return tree


def _ran(command: list[str], cwd: str | None = None) -> str | None:
    """What a program wrote; None if it is not there or failed."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words and file names of our own
            command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout


def initramfs(parts: Parts) -> bytes:
    """Write the initramfs: busybox, the modules, and `init` beside this file."""
    entries: list[tuple[str, int, bytes]] = [
        (name, 0o040755, b"") for name in ("bin", "dev", "etc", "live", "mod", "proc", "root", "sys", "sysroot", "tmp")
    ]
    entries.append(("init", 0o100755, (HERE / "live_init.sh").read_bytes()))
    entries += [(f"mod/{name}", 0o100644, data) for name, data in parts.modules.items()]
    entries.append(("mod/order", 0o100644, "\n".join(parts.modules).encode() + b"\n"))
    entries += _busybox_entries(parts)
    return gzip.compress(b"".join(cpio(entries)), 6, mtime=0)


def _busybox_entries(parts: Parts) -> Iterator[tuple[str, int, bytes]]:
    yield "bin/busybox", 0o100755, parts.busybox or PLACEHOLDER % b"static busybox"
    for applet in APPLETS:
        yield f"bin/{applet}", 0o120777, b"busybox"


def cpio(entries: Iterable[tuple[str, int, bytes]]) -> Iterator[bytes]:
    """Write a newc archive of (path, mode, data)."""
    for number, (name, mode, data) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % value for value in fields) + encoded
        yield header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def squashfs(parts: Parts, work: Path) -> bytes:
    """Make the live root: busybox and the pretend installer."""
    if not shutil.which("mksquashfs"):
        return PLACEHOLDER % b"mksquashfs"
    root, image = work / "live", work / "squashfs.img"
    for name in ("bin", "dev", "etc/default", "proc", "sys", "tmp", "live", "root"):
        (root / name).mkdir(parents=True)
    (root / "bin/busybox").write_bytes(parts.busybox or PLACEHOLDER % b"static busybox")
    (root / "bin/busybox").chmod(0o755)
    for applet in APPLETS:
        (root / "bin" / applet).symlink_to("busybox")
    for name in ("ovirt-early", "ovirt-auto-install", "udhcpc.script"):
        shutil.copy(HERE / f"{name}.sh", root / "bin" / name)
        (root / "bin" / name).chmod(0o755)
    (root / "boot.mbr").write_bytes(boot_sector(b"\r\nLOCAL DISK BOOT\r\n"))
    options = ["-all-root", "-noappend", "-quiet", "-no-progress"]
    if _ran(["mksquashfs", str(root), str(image), *options]) is None:
        raise SystemExit("mksquashfs failed")
    return image.read_bytes()


def filler(path: Path, size_mib: int) -> Path:
    """Write bytes that do not compress, the same every time."""
    chance = random.Random(1)  # noqa: S311
    with path.open("wb") as out:
        for _ in range(size_mib):
            out.write(chance.randbytes(1 << 20))
    return path


def boot_sector(message: bytes) -> bytes:
    """A master boot record that writes a message to the first serial port and halts: what an installed disk boots."""
    code = bytes.fromhex("fa 31c0 8ed8 be177c fc ac 84c0 7406 baf803 ee ebf5 f4 ebfd".replace(" ", ""))
    return (code + message + b"\0").ljust(510, b"\0") + b"\x55\xaa"


def isolinux_cfg(version: str, release: str) -> bytes:
    """The boot menu, with the kernel arguments that such an image boots with."""
    return (
        f"default linux0\nsay This is the {PRODUCT} {version} ({release})\nlabel linux0\n  kernel vmlinuz0\n"
        "  append initrd=initrd0.img root=live:CDLABEL=rhev-hypervisor rootfstype=auto ro liveimg check RD_NO_LVM "
        "rd_NO_MULTIPATH rootflags=ro crashkernel=128M elevator=deadline install quiet max_loop=256 "
        "rd_NO_LUKS rd_NO_MD rd_NO_DM\n"
    ).encode()


def version_file(version: str, release: str) -> bytes:
    """`isolinux/version`, by which such an image is told."""
    return (
        f"PRODUCT='{PRODUCT}'\nPRODUCT_SHORT='RHEV Hypervisor'\nPRODUCT_CODE=''\nRECIPE_SHA256=''\nRECIPE_RPM=''\n"
        f"PACKAGE=rhev-hypervisor6\nVERSION={version}\nRELEASE={release}\n"
    ).encode()


def write_iso(out: Path, files: Mapping[str, bytes | Path], label: str) -> None:
    """Write an ISO image with Rock Ridge and Joliet names.

    Args:
        out: Where to.
        files: Path on the image -> bytes, or a file that holds them.
        label: The volume label.
    """
    image = pycdlib.PyCdlib()
    image.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=label)
    with tempfile.TemporaryDirectory() as folder:
        made: set[str] = set()
        for number, (path, data) in enumerate(files.items()):
            source = data if isinstance(data, Path) else Path(folder, str(number))
            if isinstance(data, bytes):
                source.write_bytes(data)
            _make_folders(image, path, made)
            image.add_file(str(source), _plain(path) + ";1", rr_name=Path(path).name, joliet_path="/" + path)
        image.write(str(out))
    image.close()


def _make_folders(image: pycdlib.PyCdlib, path: str, made: set[str]) -> None:
    for parent in reversed(Path(path).parents[:-1] if len(Path(path).parents) > 1 else []):
        if str(parent) not in made:
            made.add(str(parent))
            image.add_directory(_plain(str(parent)), rr_name=parent.name, joliet_path=f"/{parent}")


def _plain(path: str) -> str:
    """A path in ISO 9660's own alphabet; a file's has one dot."""
    parts = path.upper().split("/")
    return "/" + "/".join("".join(c if c.isalnum() or c in "._" else "_" for c in part) for part in parts)


def main(argv: list[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT.iso")
    parser.add_argument("--size", type=int, default=0, metavar="MIB", help="fill it up to this size")
    parser.add_argument("--release", default="6.6", metavar="VERSION", help="the version it says it is")
    words = parser.parse_args(argv)
    missing = make(words.out, words.size, words.release)
    for line in missing:
        print(line)
    print(f"{words.out}: {words.out.stat().st_size} bytes, {'incomplete' if missing else 'bootable'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
